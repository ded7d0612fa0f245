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
    Workload, re_execute,
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
