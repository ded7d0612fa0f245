//! One small protocol for each kind of bug that random protocols revealed in
//! the searches. The right results for it are known in advance.

use std::collections::BTreeSet;

use quiescence::history::Menu;
use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::{Flaw, Property};
use quiescence::hunt::random;
use quiescence::judgement::Model;
use quiescence::judgement::datatype::Register;
use quiescence::replication::{
    Cluster, Effects, Input, Invariant, OperationId, Stamp, Strategy, StrategyName, TimerId,
    Visible,
};
use quiescence::search::exhaustive::{Limits, Open, Plan, Reduce, Tracks, Work, explore};
use quiescence::search::random::Scope;
use quiescence::world::{
    Action, Ending, FaultKind, FaultPlan, Faults, Network, Planned, Routing, Script, Setting, Told,
    Workload,
};

use super::dumb::{self, Object};
use crate::support::searched;

mod endless;

/// A protocol in one function.
#[derive(Clone)]
struct Toy {
    step: fn(&mut Held, Input<Toy>, &mut Effects<Toy>),
    clocks: bool,
    durable: fn(&Held) -> Held,
    /// Whether the noise is declared to be seen by no later step.
    forgets: bool,
    invariants: fn() -> Vec<Invariant<Held>>,
}

/// The replica of a toy; each toy uses the fields in its own way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Held {
    node: NodeId,
    nodes: u16,
    value: Value,
    stamp: u64,
    seen: Vec<Value>,
    open: Vec<OperationId>,
    noise: u8,
}

impl Strategy for Toy {
    type Replica = Held;
    type Message = Value;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("toy")
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Held {
        Held {
            node,
            nodes: u16::try_from(cluster.size()).expect("nodes are few"),
            value: Value::Null,
            stamp: 0,
            seen: Vec::new(),
            open: Vec::new(),
            noise: 0,
        }
    }

    fn step(&self, held: &mut Held, input: Input<Self>, effects: &mut Effects<Self>) {
        (self.step)(held, input, effects);
    }

    fn durable(&self, held: &Held) -> Held {
        (self.durable)(held)
    }

    fn label(&self, message: &Value) -> String {
        format!("say {message}")
    }

    fn reads_clock(&self) -> bool {
        self.clocks
    }

    fn observable(&self, held: &Held) -> Option<Held> {
        self.forgets.then(|| Held { noise: 0, ..held.clone() })
    }

    fn renamed(&self, held: &Held, name: &dyn Fn(NodeId) -> NodeId) -> Option<Held> {
        Some(Held { node: name(held.node), ..held.clone() })
    }

    fn renamed_message(&self, message: &Value, _: &dyn Fn(NodeId) -> NodeId) -> Option<Value> {
        Some(message.clone())
    }

    fn invariants(&self) -> Vec<Invariant<Held>> {
        (self.invariants)()
    }
}

const TOY: Toy = Toy {
    step: |_, _, _| {},
    clocks: false,
    durable: Held::clone,
    forgets: false,
    invariants: Vec::new,
};

fn done() -> Completion {
    Completion::Ok(Value::Null)
}

/// Keeps a write at the node that received it, and answers at once.
fn local(held: &mut Held, input: &Input<Toy>, effects: &mut Effects<Toy>) {
    let Input::Request { operation, call, .. } = input else { return };
    if call.is_read() {
        effects.reply(*operation, Completion::Ok(held.value.clone())).seeing(Visible::Here);
    } else {
        held.value = call.argument.clone();
        effects.visible(*operation, Stamp { counter: 1, tie: operation.as_tie() });
        effects.reply(*operation, done());
    }
}

fn others(held: &Held) -> impl Iterator<Item = NodeId> + use<> {
    let me = held.node;
    (0..held.nodes).map(NodeId).filter(move |node| *node != me)
}

fn calm(nodes: u16) -> Setting {
    Setting {
        nodes,
        network: Network::Unordered,
        faults: FaultPlan::default(),
        routing: Routing::Roaming,
    }
}

fn with_fault(nodes: u16, kind: &str) -> Setting {
    let budget = Faults::NONE.with(FaultKind::named(kind).expect("a kind"), 1);
    Setting { faults: FaultPlan { budget, ..FaultPlan::default() }, ..calm(nodes) }
}

const fn scope(sessions: usize, writes: usize, reads: usize) -> Open {
    Open { sessions, writes, reads, keys: 1, patient: false }
}

const EVENTUAL: Property = Property::Model(Model::EVENTUAL);
const LINEARIZABLE: Property = Property::Model(Model::Linearizable);

fn search(
    toy: &Toy,
    setting: &Setting,
    scope: Open,
    properties: &[Property],
    reduce: Reduce,
) -> Vec<Decision> {
    let found = searched(toy, setting, scope, properties, (reduce, 1));
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

/// How each property fails. Asserts that reductions do not change that, and
/// that the dumb search finds the same properties violated.
fn flaws(toy: &Toy, setting: &Setting, scope: Open, properties: &[Property]) -> Vec<Option<Flaw>> {
    let flaw = |outcome: &Decision| match outcome {
        Decision::Violated(finding) => Some(finding.failing.flaw),
        Decision::Proved(..) => None,
        other => panic!("undecided: {other:?}"),
    };
    let all = search(toy, setting, scope, properties, Reduce::ALL);
    let none = search(toy, setting, scope, properties, Reduce::NONE);
    let (all, none): (Vec<_>, Vec<_>) =
        (all.iter().map(flaw).collect(), none.iter().map(flaw).collect());
    assert_eq!(all, none, "reductions change nothing");
    let dumb = dumb::search(toy, setting, (scope, &Object::register()), properties, 20_000)
        .expect("it is small");
    let violated: Vec<_> =
        properties.iter().map(|property| dumb.violated.contains_key(property)).collect();
    assert_eq!(none.iter().map(Option::is_some).collect::<Vec<_>>(), violated);
    none
}

fn two_first_and_one_third(all: &[&Held]) -> bool {
    let at = |at: usize| all[0].seen.get(at);
    at(0) == Some(&Value::from(2)) && at(2) == Some(&Value::from(1))
}

/// A write sends two messages to its own node.
const TO_ITSELF: Toy = Toy {
    step: |held, input, effects| match input {
        Input::Receive { message, .. } => held.seen.push(message),
        Input::Request { operation, ref call, .. } => {
            if call.is_write() {
                effects.send(held.node, call.argument.clone());
                effects.send(held.node, call.argument.clone());
            }
            effects.reply(operation, done());
        }
        _ => {}
    },
    invariants: || {
        vec![Invariant::always("not two first and one third", |all| !two_first_and_one_third(all))]
    },
    ..TOY
};

/// A message makes the node that receives it send to itself once more.
const AND_AGAIN: Toy = Toy {
    step: |held, input, effects| match input {
        Input::Receive { message: Value::Int(value), .. } => {
            held.seen.push(Value::from(value));
            if value < 100 {
                effects.send(held.node, Value::from(value + 100));
            }
        }
        Input::Request { operation, ref call, .. } => {
            if call.is_write() {
                effects.send(held.node, call.argument.clone());
                effects.send(held.node, Value::from(50));
            }
            effects.reply(operation, done());
        }
        _ => {}
    },
    ..TOY
};

#[test]
fn what_a_node_sends_to_itself_loses_no_state() {
    let property = Property::Always("not two first and one third".to_owned());
    for network in [Network::Unordered, Network::Fifo] {
        let setting = Setting { network, ..calm(1) };
        for (toy, jobs) in [(TO_ITSELF, 1), (TO_ITSELF, 2), (AND_AGAIN, 1), (AND_AGAIN, 2)] {
            let dumb =
                dumb::search(&toy, &setting, (scope(1, 2, 1), &Object::register()), &[], 20_000);
            let plan = Plan {
                work: Work::Open(scope(1, 2, 1), Menu::register()),
                tracks: Tracks { history: true, real_time: true, ..Tracks::default() },
                reduce: Reduce::NONE,
                limits: Limits::default(),
                lively: 0,
                quieting: 0,
                panics: false,
                patient: false,
                jobs,
                stop: &|_| false,
            };
            let found = explore(&toy, &setting, &plan, 0, &mut |_| 0).expect("it is covered");
            assert_eq!(Some(found.states), dumb.as_ref().map(|dumb| dumb.states as u64));
        }
        let found = flaws(&TO_ITSELF, &setting, scope(1, 2, 1), std::slice::from_ref(&property));
        let expected = (network == Network::Unordered).then_some(Flaw::Broken);
        assert_eq!(found, [expected], "{network}");
    }
}

#[test]
fn a_timer_that_does_nothing_hides_no_final_read() {
    let toy = Toy {
        step: |held, input, effects| {
            if matches!(input, Input::Start) {
                effects.arm(TimerId(0));
            }
            local(held, &input, effects);
        },
        ..TOY
    };
    let found = flaws(&toy, &calm(2), scope(1, 1, 0), &[LINEARIZABLE, EVENTUAL]);
    assert!(found.iter().all(Option::is_some), "{found:?}");
}

/// Answers the value up to two ticks after it was written, then nothing.
fn read_while_good(held: &Held, operation: OperationId, clock: u64, effects: &mut Effects<Toy>) {
    let value = if clock <= held.stamp + 2 { held.value.clone() } else { Value::Null };
    effects.reply(operation, Completion::Ok(value));
}

#[test]
fn a_lease_that_lapses_is_seen_to_lapse() {
    let toy = Toy {
        clocks: true,
        step: |held, input, effects| match input {
            Input::Request { operation, ref call, clock, .. } if call.is_read() => {
                read_while_good(held, operation, clock, effects);
            }
            Input::Request { clock, .. } => {
                held.stamp = clock;
                effects.send(held.node, Value::from(7));
                effects.send(held.node, Value::from(8));
                effects.send(held.node, Value::from(9));
                local(held, &input, effects);
            }
            _ => {}
        },
        ..TOY
    };
    let found = flaws(&toy, &calm(1), scope(1, 1, 1), &[LINEARIZABLE, EVENTUAL]);
    assert!(found.iter().all(Option::is_some), "{found:?}");
    // Two ticks after the write the value is still valid.
    let lasting = Toy {
        step: |held, input, effects| match input {
            Input::Request { operation, ref call, clock, .. } if call.is_read() => {
                read_while_good(held, operation, clock, effects);
            }
            Input::Request { clock, .. } => {
                held.stamp = clock;
                effects.send(held.node, Value::from(7));
                local(held, &input, effects);
            }
            _ => {}
        },
        ..toy
    };
    assert_eq!(flaws(&lasting, &calm(1), scope(1, 1, 0), &[LINEARIZABLE, EVENTUAL]), [None, None]);
}

#[test]
fn a_search_that_has_found_one_thing_has_not_proved_another() {
    let toy = Toy {
        step: |held, input, effects| {
            if let Input::Request { call, .. } = &input
                && call.is_write()
            {
                held.noise += 1;
                assert!(held.noise < 3, "the third write is too much");
            }
            local(held, &input, effects);
        },
        ..TOY
    };
    let found = flaws(&toy, &calm(2), scope(1, 3, 0), &[EVENTUAL, Property::NoPanic]);
    assert!(matches!(found[..], [Some(Flaw::History(_)), Some(Flaw::Panicked)]), "{found:?}");
}

#[test]
fn nodes_that_are_asked_in_an_order_do_not_stand_for_each_other() {
    // A read asks the others and takes the first answer.
    let toy = Toy {
        step: |held, input, effects| match input {
            Input::Request { operation, ref call, .. } if call.is_read() => {
                held.open.push(operation);
                effects.broadcast(others(held), &Value::from("ask"));
            }
            Input::Request { .. } => {
                let Input::Request { ref call, .. } = input else { unreachable!() };
                effects.broadcast(others(held), &call.argument);
                local(held, &input, effects);
            }
            Input::Receive { from, message, .. } => match message {
                Value::Text(ref text) if text.as_str() == "ask" => {
                    let told = Value::List(Box::new([held.value.clone()]));
                    effects.send(from, told);
                }
                Value::List(told) => {
                    for operation in held.open.drain(..) {
                        effects.reply(operation, Completion::Ok(told[0].clone()));
                    }
                }
                value => held.value = value,
            },
            _ => {}
        },
        ..TOY
    };
    let write = |value: i64| Planned { call: Call::write("x", value), node: None };
    let script = Script { node: NodeId(0), operations: vec![write(1), write(2)] };
    let setting = calm(3);
    let outcomes = |reduce: Reduce| {
        let plan = Plan {
            work: Work::Scripted(Workload { sessions: vec![script.clone()] }),
            tracks: Tracks { history: true, ..Tracks::default() },
            reduce,
            limits: Limits::default(),
            lively: 0,
            quieting: 0,
            panics: false,
            patient: false,
            jobs: 1,
            stop: &|_| false,
        };
        let mut all = BTreeSet::new();
        let mut judge = |sight: &quiescence::search::exhaustive::Sight<'_>| {
            let told = |(node, _, told): &(NodeId, Call, Told)| (*node, told.clone());
            all.insert(sight.answers.iter().map(told).collect::<Vec<_>>());
            0
        };
        let found = explore(&toy, &setting, &plan, 0, &mut judge).expect("it is covered");
        (all, found.declined)
    };
    let (with, declined) = outcomes(Reduce { symmetry: true, ..Reduce::NONE });
    assert_eq!(with, outcomes(Reduce::NONE).0);
    assert_eq!(declined, [("symmetry", "final reads need messages")]);
}

#[test]
fn of_two_timers_that_lead_to_one_state_the_one_that_was_found_is_told() {
    // Either timer answers and disarms the other; only one answer is right.
    let toy = Toy {
        step: |held, input, effects| match input {
            Input::Request { operation, .. } => {
                held.open.push(operation);
                effects.arm(TimerId(0));
                effects.arm(TimerId(1));
            }
            Input::Timer(TimerId(timer)) => {
                effects.disarm(TimerId(1 - timer));
                for operation in held.open.drain(..) {
                    let value = if timer == 0 { Value::Null } else { Value::from(9) };
                    effects.reply(operation, Completion::Ok(value));
                }
            }
            _ => {}
        },
        ..TOY
    };
    let found = flaws(&toy, &calm(1), scope(1, 0, 1), &[Property::Model(Model::Linearizable)]);
    assert!(matches!(found[..], [Some(Flaw::History(_))]), "{found:?}");
}

#[test]
fn answers_are_compared_in_every_state_by_every_search() {
    // When a node forgets its value, no new write becomes visible.
    let toy = Toy {
        step: |held, input, effects| match input {
            Input::Receive { message: Value::List(_), .. } => held.value = Value::Null,
            Input::Receive { message, .. } => {
                held.value = message;
                effects.visible(OperationId { session: 0, number: 0 }, Stamp::default());
                effects.send(held.node, Value::List(Box::default()));
            }
            Input::Request { operation, ref call, .. } if call.is_write() => {
                effects.broadcast(others(held), &call.argument);
                held.value = call.argument.clone();
                effects.visible(operation, Stamp::default());
                effects.reply(operation, done());
            }
            _ => local(held, &input, effects),
        },
        ..TOY
    };
    let strong = [Property::StrongConvergence];
    assert_eq!(flaws(&toy, &calm(2), scope(1, 1, 0), &strong), [Some(Flaw::Disagreed)]);
    let found = sample(&toy, &calm(2), &strong);
    assert!(matches!(found.found[0].outcome, random::Sampled::Violated(_)), "{:?}", found.found);
}

fn sample(toy: &Toy, setting: &Setting, properties: &[Property]) -> random::Hunt {
    let scope = Scope { setting: setting.clone(), keys: 1, ..Scope::default() };
    let plan = random::Plan {
        datatype: &Register,
        scope,
        properties: properties.to_vec(),
        sought: Vec::new(),
        runs: 400,
        seed: 7,
    };
    random::hunt(toy, &plan, &|_| false)
}

#[test]
fn a_write_that_a_crash_made_a_node_forget_may_stand_below_another() {
    // Only the last write survives a crash; its stamp is above that of the
    // first.
    let toy = Toy {
        step: |held, input, effects| match input {
            Input::Request { operation, ref call, .. } if call.is_write() => {
                held.stamp += 1;
                held.value = call.argument.clone();
                held.open = vec![operation];
                let stamp = Stamp { counter: held.stamp, tie: 0 };
                effects.visible(operation, stamp);
                effects.reply(operation, done());
            }
            Input::Recovered => {
                for write in &held.open {
                    effects.visible(*write, Stamp { counter: held.stamp, tie: 0 });
                }
            }
            _ => local(held, &input, effects),
        },
        ..TOY
    };
    let setting = with_fault(1, "crash");
    assert_eq!(flaws(&toy, &setting, scope(1, 2, 0), &[Property::Durable]), [None]);
}

#[test]
fn an_invariant_that_breaks_only_after_another_is_found_by_every_search() {
    let toy = Toy {
        step: |held, input, effects| {
            if matches!(&input, Input::Request { call, .. } if call.is_write()) {
                held.noise += 1;
            }
            local(held, &input, effects);
        },
        invariants: || {
            vec![
                Invariant::always("below one", |all: &[&Held]| all[0].noise < 1),
                Invariant::always("below two", |all: &[&Held]| all[0].noise < 2),
            ]
        },
        ..TOY
    };
    let properties = ["below one", "below two"].map(|name| Property::Always(name.to_owned()));
    let found = flaws(&toy, &calm(1), scope(1, 2, 0), &properties);
    assert_eq!(found, [Some(Flaw::Broken), Some(Flaw::Broken)]);
    for (found, length) in sample(&toy, &calm(1), &properties).found.iter().zip([1, 2]) {
        let random::Sampled::Violated(finding) = &found.outcome else { panic!("{found:?}") };
        let run = &finding.failing.run;
        assert!(matches!(run.ending, Ending::Broken(_)), "{:?}", run.ending);
        assert_eq!(run.schedule.len(), length, "the story ends where it breaks");
    }
}

#[test]
fn more_properties_than_bits_are_judged() {
    let toy = Toy { step: |held, input, effects| local(held, &input, effects), ..TOY };
    let mut properties = vec![Property::NoPanic; 40];
    properties.extend(vec![EVENTUAL; 40]);
    let found = search(&toy, &calm(2), scope(1, 1, 0), &properties, Reduce::ALL);
    assert_eq!(found.len(), 80);
    assert!(found[..40].iter().all(|outcome| matches!(outcome, Decision::Proved(..))));
    assert!(found[40..].iter().all(|outcome| matches!(outcome, Decision::Violated(_))));
}

#[test]
fn a_node_that_was_told_something_stays_in_the_story() {
    // A node sends each write to the others, which keep only the first value.
    let toy = Toy {
        step: |held, input, effects| match input {
            Input::Request { ref call, .. } if call.is_write() => {
                effects.broadcast(others(held), &call.argument);
                local(held, &input, effects);
            }
            Input::Receive { message, .. } if held.value == Value::Null => held.value = message,
            _ => local(held, &input, effects),
        },
        ..TOY
    };
    let setting = Setting { routing: Routing::Sticky, ..calm(3) };
    let found = sample(&toy, &setting, &[EVENTUAL]);
    let random::Sampled::Violated(finding) = &found.found[0].outcome else { panic!("{found:?}") };
    assert_eq!(finding.failing.setting.nodes, 3);
}

#[test]
fn the_plainest_of_the_shortest_stories_is_told() {
    let toy = Toy { step: |held, input, effects| local(held, &input, effects), ..TOY };
    let found = search(&toy, &calm(2), scope(3, 3, 0), &[EVENTUAL], Reduce::NONE);
    let Decision::Violated(finding) = &found[0] else { panic!("{found:?}") };
    let failing = &finding.failing;
    let asked: Vec<_> = failing.workload.sessions.iter().map(|s| s.operations.clone()).collect();
    assert_eq!(asked, [[Planned { call: Call::write("x", 1), node: Some(NodeId(0)) }]]);
    let first = failing.run.schedule[0].action;
    assert_eq!(first, Action::Invoke(OperationId { session: 0, number: 0 }));
}
