//! Who answers though links stay cut: one side of the CAP theorem, or the other.

use quiescence::catalogue::Registry;
use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::hunt::case::{Case, FoundBy, read, replay};
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::{Flaw, Judgement, Property, judge};
use quiescence::judgement::datatype::Register;
use quiescence::replication::{Cluster, Effects, Input, OperationId, Strategy, Subject, TimerId};
use quiescence::search::exhaustive::Reduce;
use quiescence::world::{
    Action, Ending, FaultKind, Faults, Network, Planned, Script, Setting, Shows, Step, Strike,
    Workload, World, re_execute,
};

use super::{Acknowledged, SMALL, Store, flaws};
use crate::support::searched;

const AVAILABLE: [Property; 1] = [Property::Available];

fn strategy(name: &str) -> Box<dyn Subject> {
    Registry::standard().parse(name).expect("it is there").remove(0)
}

fn cut(nodes: u16, links: u16) -> Setting {
    Setting::calm(nodes, Network::Fifo).with_faults(Faults::NONE.with(FaultKind::Cut, links))
}

#[test]
fn who_waits_for_the_other_side_is_not_available() {
    let stuck = [Some(Flaw::Stuck)];
    assert_eq!(flaws(&*strategy("primary-backup"), &cut(2, 0), &AVAILABLE), [None]);
    assert_eq!(flaws(&*strategy("primary-backup"), &cut(2, 1), &AVAILABLE), stuck);
    assert_eq!(flaws(&*strategy("multi-primary-lww"), &cut(2, 2), &AVAILABLE), [None]);
    // `answered` heals the links first.
    let answered = [Property::Answered];
    assert_eq!(flaws(&*strategy("primary-backup"), &cut(2, 1), &answered), [None]);
}

#[test]
fn a_majority_is_available_as_long_as_every_node_reaches_one() {
    let abd = strategy("abd");
    let patient = super::Open { patient: true, writes: 1, reads: 0, ..SMALL };
    let found = |links| {
        let found = searched(&*abd, &cut(3, links), patient, &AVAILABLE, (Reduce::ALL, 1));
        found.into_iter().next().expect("one property").1
    };
    assert!(matches!(found(1), Decision::Proved(..)));
    let Decision::Violated(found) = found(2) else { panic!("the smaller side answers") };
    let failing = &found.failing;
    assert_eq!(failing.flaw, Flaw::Stuck);
    assert_eq!(failing.run.faults[FaultKind::Cut], 2);
    let healed = failing.run.schedule.iter().any(|step| matches!(step.action, Action::Heal(..)));
    assert!(!healed, "links that are cut stay cut");
    let case = Case::of(&*abd, failing, true, FoundBy::default());
    let again = read::read(&case.to_text()).expect("it is a case");
    let replayed = replay::replay(&again, &*abd, &Register).expect("it is possible");
    assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced);
}

#[test]
fn who_refuses_is_not_available_either() {
    let refused = Store(Acknowledged::Refused);
    assert_eq!(flaws(&refused, &cut(2, 1), &AVAILABLE), [Some(Flaw::Refused)]);
    assert_eq!(flaws(&refused, &cut(2, 0), &AVAILABLE), [Some(Flaw::Refused)]);
    let flushed = Store(Acknowledged::Flushed);
    assert_eq!(flaws(&flushed, &cut(2, 1), &AVAILABLE), [None]);
}

/// Asks the other node again whenever its timer fires, until it hears from it.
#[derive(Clone)]
struct Asks;

impl Strategy for Asks {
    type Replica = (NodeId, Vec<OperationId>);
    type Message = bool;
    type Token = ();

    fn boot(&self, node: NodeId, _: &Cluster) -> Self::Replica {
        (node, Vec::new())
    }

    fn step(
        &self,
        (node, open): &mut Self::Replica,
        input: Input<Self>,
        effects: &mut Effects<Self>,
    ) {
        match input {
            Input::Request { operation, .. } => {
                open.push(operation);
                effects.arm(TimerId(0));
            }
            Input::Timer(_) if !open.is_empty() => {
                effects.send(NodeId(1 - node.0), true);
                effects.arm(TimerId(0));
            }
            Input::Receive { from, message: true, .. } => effects.send(from, false),
            Input::Receive { message: false, .. } => {
                for operation in open.drain(..) {
                    effects.reply(operation, Completion::Ok(Value::Null));
                }
            }
            _ => {}
        }
    }
}

#[test]
fn who_asks_again_for_ever_is_not_available() {
    assert_eq!(flaws(&Asks, &cut(2, 0), &AVAILABLE), [None]);
    assert_eq!(flaws(&Asks, &cut(2, 1), &AVAILABLE), [Some(Flaw::Stuck)]);
    assert_eq!(flaws(&Asks, &cut(2, 1), &[Property::Answered]), [None]);
}

#[test]
fn a_run_that_was_healed_says_nothing_of_that() {
    let call = Call::write("x", 1);
    let script = Script { node: NodeId(0), operations: vec![Planned { call, node: None }] };
    let workload = Workload { sessions: vec![script] };
    let setting = cut(2, 1);
    let backup = strategy("primary-backup");
    let write = Action::Invoke(OperationId { session: 0, number: 0 });
    let actions = [Action::Strike(NodeId(0), Strike::Cut(NodeId(1))), write];
    let step = |(number, action)| Step { number, action, settling: false };
    let steps: Vec<_> = (1..).zip(actions).map(step).collect();
    let run = |shows| re_execute(&*backup, &setting, &workload, &steps, shows);
    let healed = run(Shows::End);
    assert_eq!(judge(&healed, &Property::Answered, &Register), Judgement::Holds);
    assert!(matches!(judge(&healed, &AVAILABLE[0], &Register), Judgement::Unknown(_)));
    let severed = run(Shows::Severed);
    assert_eq!(severed.ending, Ending::Settled);
    assert_eq!(judge(&severed, &AVAILABLE[0], &Register).flaw(), Some(Flaw::Stuck));
}

fn split(nodes: u16) -> Setting {
    Setting::calm(nodes, Network::Fifo).with_faults(Faults::NONE.with(FaultKind::Partition, 1))
}

#[test]
fn a_partition_is_one_fault_and_is_healed_as_one() {
    let abd = strategy("abd");
    let patient = super::Open { patient: true, writes: 1, reads: 0, ..SMALL };
    let properties = [Property::Available, Property::Answered];
    let found = searched(&*abd, &split(3), patient, &properties, (Reduce::ALL, 1));
    let [(_, Decision::Violated(stuck)), (_, Decision::Proved(..))] = &found[..] else {
        panic!("{found:?}")
    };
    let failing = &stuck.failing;
    assert_eq!(failing.flaw, Flaw::Stuck);
    assert_eq!(failing.run.faults[FaultKind::Partition], 1);
    let strikes = |step: &&Step| matches!(step.action, Action::Strike(..));
    assert_eq!(failing.run.schedule.iter().filter(strikes).count(), 1);
    let case = Case::of(&*abd, failing, true, FoundBy::default());
    let text = case.to_text();
    assert!(text.contains(r#""do": "partition", "split": "n1"#), "{text}");
    let again = read::read(&text).expect("it is a case");
    let replayed = replay::replay(&again, &*abd, &Register).expect("it is possible");
    assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced);
    assert!(read::read(&text.replace(" | ", " n3 | ")).is_err(), "each node is on one side");
    let backup = strategy("primary-backup");
    assert_eq!(flaws(&*backup, &split(2), &properties), [Some(Flaw::Stuck), None]);
    assert_eq!(flaws(&*strategy("multi-primary-lww"), &split(2), &properties), [None, None]);
}

#[test]
fn a_network_is_split_both_ways_and_then_whole_again() {
    let subject = strategy("multi-primary-lww");
    let write = |node| Script {
        node: NodeId(node),
        operations: vec![Planned { call: Call::write("x", i64::from(node) + 1), node: None }],
    };
    let workload = Workload { sessions: (0..3).map(write).collect() };
    let setting = split(3);
    let mut world = World::new(&*subject, &setting, &workload).expect("it starts");
    let splits: Vec<Action> = {
        let mut enabled = Vec::new();
        world.enabled(&mut enabled);
        enabled.into_iter().filter(|action| action.fault().is_some()).collect()
    };
    let told: Vec<_> = splits
        .iter()
        .map(|action| match action {
            Action::Strike(_, Strike::Partition(split)) => split.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["n1 | n2 n3", "n1 n2 | n3", "n1 n3 | n2"]);
    for split in ["n1 | n2", "n1 n2 n3 | n4", "n2 | n1 n3", "n1 n2 | n2 n3"] {
        let split = split.parse().expect("it is said as splits are");
        let strike = Action::Strike(NodeId(0), Strike::Partition(split));
        world.perform(&strike, 1).expect_err("it does not split three nodes in two");
    }
    world.perform(&splits[1], 1).expect("it is enabled");
    for session in 0..3 {
        let invoke = Action::Invoke(OperationId { session, number: 0 });
        world.perform(&invoke, 2 + u32::from(session)).expect("nodes are up");
    }
    let mut deliveries = Vec::new();
    world.deliveries(&mut deliveries);
    assert_eq!(deliveries.len(), 2, "n1 and n2 hear from each other, n3 from nobody");
    world.perform(&splits[0], 5).expect_err("it is split already");
    world.perform(&Action::Unite, 5).expect("it is split");
    world.perform(&Action::Unite, 6).expect_err("it is whole");
    deliveries.clear();
    world.deliveries(&mut deliveries);
    assert_eq!(deliveries.len(), 6);
    assert!(world.nodes().iter().all(|node| node.held_back() == 0));
}

/// n1 asks n2 and answers when it hears from it; or when its timer fires, unless it was
/// told to wait in the meantime: n2 tells it so when a client writes there.
#[derive(Clone)]
struct Hesitates;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Says {
    Ask,
    Answer,
    Wait,
}

impl Strategy for Hesitates {
    type Replica = (NodeId, Vec<OperationId>, bool);
    type Message = Says;
    type Token = ();

    fn boot(&self, node: NodeId, _: &Cluster) -> Self::Replica {
        (node, Vec::new(), false)
    }

    fn step(
        &self,
        (node, open, waits): &mut Self::Replica,
        input: Input<Self>,
        effects: &mut Effects<Self>,
    ) {
        let other = NodeId(1 - node.0);
        match input {
            Input::Request { operation, .. } if *node == NodeId(1) => {
                effects.send(other, Says::Wait);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, .. } => {
                open.push(operation);
                effects.send(other, Says::Ask);
                effects.arm(TimerId(0));
            }
            Input::Receive { message: Says::Ask, .. } => effects.send(other, Says::Answer),
            Input::Receive { message: Says::Wait, .. } => *waits = !open.is_empty(),
            Input::Timer(_) if *waits => {}
            Input::Receive { message: Says::Answer, .. } | Input::Timer(_) => {
                for operation in open.drain(..) {
                    effects.ok(operation, Value::Null);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_in_flight_when_the_network_splits_is_lost() {
    let scope = super::Open { sessions: 2, writes: 2, reads: 0, ..SMALL };
    let found = |setting: &Setting| {
        let found = searched(&Hesitates, setting, scope, &AVAILABLE, (Reduce::ALL, 1));
        found.into_iter().next().expect("one property").1
    };
    assert!(matches!(found(&cut(2, 0)), Decision::Proved(..)));
    // The request or its answer is on its way when the word to wait has arrived.
    let Decision::Violated(stuck) = found(&split(2)) else { panic!("n1 waits") };
    assert_eq!(stuck.failing.flaw, Flaw::Stuck);
    let happened = stuck.failing.run.schedule.iter().map(|step| step.action);
    let split = happened.clone().position(|action| matches!(action, Action::Strike(..)));
    let asked = happened.clone().position(|action| matches!(action, Action::Invoke(_)));
    assert!(asked < split, "{:?}", stuck.failing.run.schedule);
}
