//! What clients can rely on in the end, where disks take their time and nodes
//! do not come back: small protocols whose verdicts are known.

use quiescence::catalogue::Registry;
use quiescence::history::{Call, Completion, Key, Menu, NodeId, Value, notation};
use quiescence::hunt::exhaustive::{Decision, Plan, hunt};
use quiescence::hunt::property::{Flaw, Judgement, Property, judge};
use quiescence::hunt::random;
use quiescence::judgement::Model;
use quiescence::judgement::datatype::Register;
use quiescence::replication::{
    Cluster, Effects, ImageId, Input, Invariant, OperationId, Stamp, Strategy, Subject, TimerId,
    Visible,
};
use quiescence::search::exhaustive::{Limits, Open, Reduce};
use quiescence::search::random::Scope;
use quiescence::world::{
    Action, Ending, FaultKind, FaultPlan, Faults, InboxOnCrash, Lack, Network, Setting, Shows,
    Step, Strike, Told, Workload, World, re_execute, repeat,
};

use crate::support::searched;

mod available;
mod settling;

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acknowledged {
    Received,
    Flushed,
    Never,
    /// Every call is refused.
    Refused,
}

/// One register on one disk, and a node beside it that keeps nothing.
#[derive(Clone)]
struct Store(Acknowledged);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Held {
    register: Option<(Value, OperationId)>,
    writes: u64,
    waiting: Vec<OperationId>,
}

impl Strategy for Store {
    type Replica = Held;
    type Message = ();
    type Token = ();

    fn boot(&self, _: NodeId, _: &Cluster) -> Held {
        Held::default()
    }

    fn step(&self, held: &mut Held, input: Input<Self>, effects: &mut Effects<Self>) {
        let seen = |held: &Held, effects: &mut Effects<Self>| {
            if let Some((_, write)) = &held.register {
                effects.visible(*write, Stamp { counter: held.writes, tie: 0 });
            }
        };
        match input {
            Input::Request { operation, .. } if self.0 == Acknowledged::Refused => {
                effects.reply(operation, Completion::Fail);
            }
            Input::Request { operation, call, .. } if call.is_read() => {
                let value = held.register.as_ref().map_or(Value::Null, |(value, _)| value.clone());
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Request { operation, call, .. } => {
                held.register = Some((call.argument, operation));
                held.writes += 1;
                seen(held, effects);
                effects.persist(ImageId(0));
                match self.0 {
                    Acknowledged::Received => effects.ok(operation, Value::Null),
                    _ => held.waiting.push(operation),
                }
            }
            // Images are flushed in order, one for each write.
            Input::Persisted(_) if self.0 == Acknowledged::Flushed && !held.waiting.is_empty() => {
                effects.ok(held.waiting.remove(0), Value::Null);
            }
            Input::Recovered => seen(held, effects),
            _ => {}
        }
    }

    fn durable(&self, held: &Held) -> Held {
        Held { waiting: Vec::new(), ..held.clone() }
    }

    fn serves(&self, _: &Call, node: NodeId, _: &Cluster) -> bool {
        node == NodeId(0)
    }

    fn writes_disk(&self) -> bool {
        true
    }

    fn invariants(&self) -> Vec<Invariant<Held>> {
        vec![Invariant::at_quiescence("nobody-waits", |all: &[&Held]| {
            all.iter().all(|held| held.waiting.is_empty())
        })]
    }
}

const SMALL: Open = Open { sessions: 1, writes: 1, reads: 1, keys: 1, patient: false };

fn faults(kinds: &[FaultKind]) -> Setting {
    let budget = kinds.iter().fold(Faults::NONE, |all, kind| all.with(*kind, 1));
    Setting::calm(2, Network::Fifo).with_faults(budget)
}

/// How these properties fail, by the exhaustive search and by random runs.
fn flaws(subject: &dyn Subject, setting: &Setting, properties: &[Property]) -> Vec<Option<Flaw>> {
    let flaw = |(property, decision): (Property, Decision)| match decision {
        Decision::Proved(proofs, _) => {
            assert!(proofs[0].looked_at > 0, "{property}: nothing was looked at");
            None
        }
        Decision::Violated(found) => Some(found.failing.flaw),
        other => panic!("{property}: {other:?}"),
    };
    let found = searched(subject, setting, SMALL, properties, (Reduce::ALL, 1));
    let exhaustive: Vec<_> = found.into_iter().map(flaw).collect();
    // What is violated is sought until it is met.
    let violated = properties.iter().zip(&exhaustive).filter(|(_, flaw)| flaw.is_some());
    let sought = violated.map(|(property, _)| property.clone()).collect();
    // A store has one register, whatever the key.
    let scope = Scope { setting: setting.clone(), keys: 1, ..Scope::default() };
    let plan = random::Plan {
        scope,
        properties: properties.to_vec(),
        datatype: &Register,
        sought,
        runs: 2_000,
        seed: 1,
    };
    let sampled = random::hunt(subject, &plan, &|_| false);
    let flaw = |found: &random::Found| match &found.outcome {
        random::Sampled::Violated(found) => Some(found.failing.flaw),
        random::Sampled::None => None,
        random::Sampled::Unknown(many, why) => panic!("{many} runs: {why}"),
    };
    let sampled: Vec<_> = sampled.found.iter().map(flaw).collect();
    assert_eq!(sampled, exhaustive, "random runs, and all runs of a small scope");
    exhaustive
}

#[test]
fn what_is_acknowledged_before_it_is_flushed_is_lost_by_a_crash() {
    let durable = [Property::Durable];
    let early = Store(Acknowledged::Received);
    assert_eq!(flaws(&early, &faults(&[FaultKind::Crash]), &durable), [Some(Flaw::LostWrite)]);
    assert_eq!(flaws(&early, &faults(&[FaultKind::LostFlush]), &durable), [None]);
}

#[test]
fn what_is_acknowledged_after_it_is_flushed_is_lost_only_if_the_disk_lies() {
    let durable = [Property::Durable];
    let late = Store(Acknowledged::Flushed);
    assert_eq!(flaws(&late, &faults(&[FaultKind::Crash]), &durable), [None]);
    let lies = faults(&[FaultKind::Crash, FaultKind::LostFlush]);
    assert_eq!(flaws(&late, &lies, &durable), [Some(Flaw::LostWrite)]);
}

fn strategy(name: &str) -> Box<dyn Subject> {
    Registry::standard().parse(name).expect("it is there").remove(0)
}

#[test]
fn what_a_node_that_is_gone_has_sent_arrives() {
    let durable = [Property::Durable];
    let primary = strategy("async-primary");
    assert_eq!(flaws(&*primary, &faults(&[FaultKind::Kill]), &durable), [None]);
}

#[test]
fn an_operation_that_waits_for_a_node_that_is_gone_is_stuck() {
    let answered = [Property::Answered];
    let backup = strategy("primary-backup");
    assert_eq!(flaws(&*backup, &faults(&[]), &answered), [None]);
    assert_eq!(flaws(&*backup, &faults(&[FaultKind::Kill]), &answered), [Some(Flaw::Stuck)]);
    // Two of three are a majority.
    let setting = Setting { nodes: 3, ..faults(&[FaultKind::Kill]) };
    assert_eq!(flaws(&*strategy("abd"), &setting, &answered), [None]);
}

#[test]
fn a_store_that_refuses_all_answers_nothing() {
    let answered = [Property::Answered];
    let refused = Store(Acknowledged::Refused);
    assert_eq!(flaws(&refused, &faults(&[]), &answered), [Some(Flaw::Refused)]);
    let never = Store(Acknowledged::Never);
    assert_eq!(flaws(&never, &faults(&[]), &answered), [Some(Flaw::Stuck)]);
}

#[test]
fn a_condition_on_quiet_clusters_is_not_asked_of_others() {
    let all = [Property::AtQuiescence("nobody-waits".to_owned())];
    // Somebody waits for the disk now and then.
    let late = Store(Acknowledged::Flushed);
    assert_eq!(flaws(&late, &faults(&[FaultKind::Crash]), &all), [None]);
    let never = Store(Acknowledged::Never);
    assert_eq!(flaws(&never, &faults(&[]), &all), [Some(Flaw::Broken)]);
}

/// Performs actions in order; those that are not possible say why.
fn performed<'w>(world: &mut World<'w>, actions: &[Action]) -> Vec<Option<String>> {
    let perform = |action: &Action| {
        let number = world.steps() + 1;
        world.perform(action, number).err().map(|why| why.to_string())
    };
    actions.iter().map(perform).collect()
}

#[test]
fn images_are_flushed_in_order_and_a_crash_loses_those_on_their_way() {
    let setting = faults(&[FaultKind::Crash]);
    let asked: Workload = "n1: wx1 wx2 wx3 rx".parse().expect("a workload");
    let store = Store(Acknowledged::Received);
    let mut world = World::new(&store, &setting, &asked).expect("no panic");
    let invoke = |number| Action::Invoke(OperationId { session: 0, number });
    let n1 = NodeId(0);
    let done = performed(
        &mut world,
        &[
            Action::Flush(n1),
            invoke(0),
            invoke(1),
            Action::Flush(n1),
            invoke(2),
            Action::Strike(n1, Strike::Crash),
            Action::Flush(n1),
            Action::Recover(n1),
            Action::Flush(n1),
            invoke(3),
        ],
    );
    let nothing = Some("nothing is on its way to disk".to_owned());
    let mut expected = vec![None; 10];
    expected[0] = nothing.clone();
    expected[6] = Some("the node is down".to_owned());
    expected[8] = nothing;
    assert_eq!(done, expected);
    // The first image was flushed, the second and the third were not.
    assert_eq!(notation::write(&world.history()), "wx1 wx2 wx3 rx1 @ 00000000");
}

#[test]
fn nothing_happens_at_a_node_that_is_gone() {
    let all = FaultKind::ALL.into_iter().fold(Faults::NONE, |all, kind| all.with(kind, 2));
    let calm = Setting::calm(2, Network::Fifo);
    let faults = FaultPlan { budget: all, inbox: InboxOnCrash::Kept, ..calm.faults.clone() };
    let setting = Setting { faults, ..calm };
    let asked: Workload = "n1: wx1 | n2: rx".parse().expect("a workload");
    let primary = strategy("async-primary");
    let mut world = World::new(&*primary, &setting, &asked).expect("no panic");
    let (n1, n2) = (NodeId(0), NodeId(1));
    let read = Action::Invoke(OperationId { session: 1, number: 0 });
    let kill = Action::Strike(n2, Strike::Kill);
    let write = Action::Invoke(OperationId { session: 0, number: 0 });
    assert_eq!(performed(&mut world, &[kill, write]), [None, None]);
    assert_eq!(world.in_flight().count(), 0, "what is sent there is lost, though inboxes are kept");
    let mut refused = vec![read, Action::Recover(n2), kill, Action::Strike(n2, Strike::Crash)];
    refused.extend([
        Action::Strike(n2, Strike::Cut(n1)),
        Action::Strike(n2, Strike::Tick),
        Action::Strike(n2, Strike::Suspect(n1)),
    ]);
    let mut enabled = Vec::new();
    world.enabled(&mut enabled);
    assert!(refused.iter().all(|action| !enabled.contains(action)), "{enabled:?}");
    let why = performed(&mut world, &refused);
    assert_eq!(why[0].as_deref(), Some("the node is down"));
    let gone = Some("the node is gone for good".to_owned());
    assert!(why[1..].iter().all(|said| *said == gone), "{why:?}");
}

/// A protocol in one function, of two nodes that know who they are.
#[derive(Clone)]
struct Toy {
    step: fn(&mut Kept, Input<Toy>, &mut Effects<Toy>),
    invariants: fn() -> Vec<Invariant<Kept>>,
}

/// Each toy uses the fields in its own way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Kept {
    me: u16,
    open: Vec<OperationId>,
    flags: [bool; 3],
    count: u8,
}

impl Strategy for Toy {
    type Replica = Kept;
    type Message = u8;
    type Token = ();

    fn boot(&self, node: NodeId, _: &Cluster) -> Kept {
        Kept { me: node.0, ..Kept::default() }
    }

    fn step(&self, kept: &mut Kept, input: Input<Self>, effects: &mut Effects<Self>) {
        (self.step)(kept, input, effects);
    }

    fn serves(&self, _: &Call, node: NodeId, _: &Cluster) -> bool {
        node == NodeId(0)
    }

    fn writes_disk(&self) -> bool {
        true
    }

    fn invariants(&self) -> Vec<Invariant<Kept>> {
        (self.invariants)()
    }
}

const N1: NodeId = NodeId(0);
const N2: NodeId = NodeId(1);

/// What an exhaustive search of a few states says.
fn searches(
    toy: &Toy,
    (setting, patient): (Setting, bool),
    properties: &[Property],
) -> Vec<(Property, Decision)> {
    searches_in(toy, (setting, Open { patient, ..SMALL }), properties)
}

fn searches_in(
    toy: &Toy,
    (setting, scope): (Setting, Open),
    properties: &[Property],
) -> Vec<(Property, Decision)> {
    let plan = Plan {
        setting,
        scopes: vec![scope],
        menu: Menu::register(),
        datatype: &Register,
        properties: properties.to_vec(),
        reduce: Reduce::ALL,
        limits: Limits { states: 20_000, ..Limits::default() },
        enough: None,
        jobs: 1,
    };
    hunt(toy, &plan, &|_| false).found
}

/// How these fail, by such a search.
fn decided(toy: &Toy, patient: bool, properties: &[Property]) -> Vec<Option<Flaw>> {
    let found = searches(toy, (faults(&[]), patient), properties).into_iter();
    let flaw = |(property, decision)| match decision {
        Decision::Proved(proofs, _) if proofs[0].scope.patient == patient => None,
        Decision::Violated(found) => Some(found.failing.flaw),
        other => panic!("{property}: {other:?}"),
    };
    found.map(flaw).collect()
}

const EVENTUAL: Property = Property::Model(Model::EVENTUAL);

#[test]
fn what_is_on_its_way_to_disk_arrives_before_a_cycle_is_fair() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| match input {
        Input::Request { operation, call, .. } if call.is_read() => {
            effects.ok(operation, Value::Null)
        }
        Input::Request { operation, .. } => {
            effects.reply(operation, Completion::Fail);
            effects.persist(ImageId(0));
            effects.send(N2, 0);
        }
        Input::Persisted(_) => kept.flags[0] = true,
        Input::Receive { .. } if !kept.flags[0] => {
            effects.send(if kept.me == 0 { N2 } else { N1 }, 0);
        }
        _ => {}
    };
    assert_eq!(decided(&Toy { step, invariants: Vec::new }, false, &[EVENTUAL]), [None]);
}

#[test]
fn a_timer_waits_for_what_follows_from_the_image_of_its_last_firing() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| match input {
        Input::Start if kept.me == 0 => effects.arm(TimerId(0)),
        Input::Request { operation, .. } => effects.ok(operation, Value::Null),
        Input::Timer(_) => {
            effects.persist(ImageId(0));
            effects.arm(TimerId(0));
        }
        Input::Persisted(_) => effects.send(N2, 0),
        _ => {}
    };
    // Otherwise there would be ever more messages.
    let toy = Toy { step, invariants: Vec::new };
    assert_eq!(decided(&toy, false, &[Property::Answered]), [None]);
}

/// The first timer sends to its own node; the second one notices if it fires
/// before that has arrived. Settling fires both before it delivers; patient timers
/// do not.
fn hurries(kept: &mut Kept, input: &Input<Toy>, effects: &mut Effects<Toy>) -> bool {
    let [sent, arrived, _] = &mut kept.flags;
    match input {
        Input::Start if kept.me == 0 => {
            effects.arm(TimerId(0));
            effects.arm(TimerId(1));
        }
        Input::Timer(TimerId(0)) => {
            (*sent, *arrived) = (true, false);
            effects.send(N1, 0);
        }
        Input::Timer(_) => return *sent && !*arrived,
        Input::Receive { .. } => *arrived = true,
        _ => {}
    }
    false
}

#[test]
fn a_quiet_state_that_only_settling_leads_to_is_looked_at() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| {
        kept.flags[2] |= hurries(kept, &input, effects);
        if let Input::Request { operation, .. } = input {
            effects.ok(operation, Value::Null);
        }
    };
    let patience = || {
        let never = |all: &[&Kept]| all.iter().all(|kept| !kept.flags[2]);
        vec![Invariant::at_quiescence("patience", never)]
    };
    let toy = Toy { step, invariants: patience };
    let property = [Property::AtQuiescence("patience".to_owned())];
    assert_eq!(decided(&toy, true, &property), [Some(Flaw::Broken)]);
}

/// Answers what is open when the second timer fires in peace.
fn answers_in_peace(
    kept: &mut Kept,
    (input, hurried): (&Input<Toy>, bool),
    effects: &mut Effects<Toy>,
) {
    match input {
        Input::Timer(timer) => {
            effects.arm(*timer);
            if *timer == TimerId(1) && !hurried {
                kept.open.drain(..).for_each(|operation| effects.ok(operation, Value::Null));
            }
        }
        Input::Request { operation, call, .. } if call.is_read() => {
            effects.ok(*operation, Value::from(i64::from(kept.flags[2])));
        }
        Input::Request { operation, .. } => kept.open.push(*operation),
        _ => {}
    }
}

/// Where timers are patient, every operation is answered. Settling never answers.
#[test]
fn an_operation_is_stuck_in_one_of_several_endless_runs() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| {
        let hurried = hurries(kept, &input, effects);
        kept.flags[2] ^= hurried;
        answers_in_peace(kept, (&input, hurried), effects);
    };
    let toy = Toy { step, invariants: Vec::new };
    let [eventual, answered] = decided(&toy, true, &[EVENTUAL, Property::Answered])[..] else {
        panic!("two properties")
    };
    assert!(eventual.is_some() && answered == Some(Flaw::Stuck), "{eventual:?} {answered:?}");
}

/// Settling that goes on by deliveries alone does not say whether a timer answers.
#[test]
fn whether_an_operation_is_answered_is_unknown_if_settling_cannot_tell() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| {
        let hurried = hurries(kept, &input, effects);
        if hurried || matches!(input, Input::Receive { message: 1, .. }) {
            effects.send(N1, 1);
        }
        answers_in_peace(kept, (&input, hurried), effects);
    };
    let toy = Toy { step, invariants: Vec::new };
    let found = searches(&toy, (faults(&[]), true), &[Property::Answered]);
    assert!(matches!(found[0].1, Decision::Unknown(_)), "{found:?}");
}

/// Settling goes on for more rounds than there may be, and what it comes to is no
/// state that patient timers lead to.
#[test]
fn a_condition_on_a_quiet_cluster_is_unknown_if_settling_takes_too_long() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| {
        kept.count += u8::from(hurries(kept, &input, effects));
        match input {
            Input::Timer(timer) if kept.count < 100 => effects.arm(timer),
            Input::Request { operation, .. } => effects.ok(operation, Value::Null),
            _ => {}
        }
    };
    let few = || {
        let few = |all: &[&Kept]| all.iter().all(|kept| kept.count < 100);
        vec![Invariant::at_quiescence("few", few)]
    };
    let few = (Toy { step, invariants: few }, [Property::AtQuiescence("few".to_owned())]);
    let found = searches(&few.0, (faults(&[]), true), &few.1);
    assert!(matches!(found[0].1, Decision::Unknown(_)), "{found:?}");
}

/// A node that is alive hears of the start first, so whoever has not and is asked
/// all the same must have been gone.
#[test]
fn what_a_timer_sends_to_a_node_that_is_gone_is_not_handled_there() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| match input {
        Input::Start if kept.me == 0 => {
            effects.send(N2, 0);
            effects.arm(TimerId(0));
        }
        Input::Timer(_) => effects.send(N2, 1),
        Input::Request { operation, .. } => effects.ok(operation, Value::Null),
        Input::Receive { message: 0, .. } => kept.flags[0] = true,
        Input::Receive { .. } => kept.flags[1] = !kept.flags[0],
        _ => {}
    };
    let alive = || {
        let alive = |all: &[&Kept]| all.iter().all(|kept| !kept.flags[1]);
        vec![Invariant::at_quiescence("alive", alive)]
    };
    let toy = Toy { step, invariants: alive };
    let alive = [Property::AtQuiescence("alive".to_owned())];
    let found = searches(&toy, (faults(&[FaultKind::Kill]), false), &alive);
    assert!(matches!(found[0].1, Decision::Proved(..)), "{found:?}");
}

/// Judges the run of a write that nothing disturbs.
fn judged(toy: &Toy, network: Network) -> Judgement {
    let asked: Workload = "n1: wx1".parse().expect("a workload");
    let setting = Setting::calm(2, network);
    let write = Action::Invoke(OperationId { session: 0, number: 0 });
    let steps = [Step { number: 1, action: write, settling: false }];
    let run = re_execute(toy, &setting, &asked, &steps, Shows::All);
    let Ending::NeverQuiet { from, .. } = run.ending else { panic!("{:?}", run.ending) };
    let judged = judge(&run, &Property::Answered, &Register);
    // The same, told as a stem and a cycle.
    let (stem, cycle) = run.schedule.split_at(from);
    let again = repeat(toy, &setting, &asked, (stem, cycle), Shows::All);
    assert_eq!(judge(&again, &Property::Answered, &Register), judged);
    judged
}

#[test]
fn an_operation_that_a_timer_may_yet_answer_is_not_stuck() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| match input {
        Input::Request { operation, call, .. } if call.is_read() => {
            effects.ok(operation, Value::Null)
        }
        Input::Request { operation, .. } => {
            kept.open.push(operation);
            effects.arm(TimerId(0));
            effects.send(N2, 0);
        }
        Input::Receive { from, .. } => effects.send(from, 0),
        Input::Timer(_) => effects.ok(kept.open.remove(0), Value::Null),
        _ => {}
    };
    let toy = Toy { step, invariants: Vec::new };
    assert!(matches!(judged(&toy, Network::Fifo), Judgement::Unknown(_)));
    assert_eq!(decided(&toy, false, &[Property::Answered]), [None]);
    // A patient timer never fires while something is in flight.
    let found = searches(&toy, (faults(&[]), true), &[Property::Answered]);
    assert!(matches!(found[0].1, Decision::Unknown(_)), "{found:?}");
}

#[test]
fn an_operation_that_a_growing_message_may_yet_answer_is_not_stuck() {
    let step = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| match input {
        Input::Request { operation, .. } => {
            kept.open = vec![operation];
            effects.send(N1, 0);
        }
        Input::Receive { message: 0, .. } => effects.broadcast([N1].into_iter(), &0),
        Input::Receive { .. } => effects.ok(kept.open[0], Value::Null),
        _ => {}
    };
    let answers = |kept: &mut Kept, input: Input<Toy>, effects: &mut Effects<Toy>| match input {
        Input::Request { operation, .. } => {
            kept.open = vec![operation];
            effects.send(N1, 0);
        }
        Input::Receive { message: 0, .. } => {
            effects.send(N1, 0);
            effects.send(N1, 1);
        }
        Input::Receive { .. } => effects.ok(kept.open[0], Value::Null),
        _ => {}
    };
    let toy = |step| Toy { step, invariants: Vec::new };
    let never = judged(&toy(step), Network::Unordered);
    assert_eq!(never, Judgement::Violated(Flaw::Stuck, None));
    assert!(matches!(judged(&toy(answers), Network::Unordered), Judgement::Unknown(_)));
}

#[test]
fn what_final_reads_lack_is_told_key_by_key() {
    use Told::{Nothing, Refused};
    let answer = || Told::Answer(Value::from(1));
    let lack = |all: &[(&str, Told)]| {
        let keyed: Vec<_> = all.iter().map(|(key, told)| (Key::from(*key), told)).collect();
        let Lack { answers, service } = Lack::of(keyed.iter().map(|(key, told)| (key, *told)));
        (answers, service)
    };
    for (all, lacks) in [
        (vec![], (0, Some(false))),
        (vec![("x", answer()), ("x", answer())], (0, Some(false))),
        // Another node answers.
        (vec![("x", answer()), ("x", Refused)], (0, Some(false))),
        (vec![("x", answer()), ("x", Nothing)], (1, Some(false))),
        // None does.
        (vec![("x", Refused), ("x", Refused)], (2, Some(true))),
        (vec![("x", Refused), ("x", Nothing)], (2, None)),
        (vec![("x", answer()), ("y", Refused)], (1, Some(true))),
        (vec![("x", Nothing), ("y", answer()), ("y", Refused)], (1, None)),
        (vec![("x", Nothing), ("y", Refused)], (2, Some(true))),
    ] {
        assert_eq!(lack(&all), lacks, "{all:?}");
    }
}
