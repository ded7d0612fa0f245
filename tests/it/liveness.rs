//! Liveness: runs that can go on for ever are found and classified, and replay.

use quiescence::history::{Call, NodeId};
use quiescence::hunt::Subject;
use quiescence::hunt::case::{Case, FoundBy, read, replay};
use quiescence::hunt::exhaustive::{Decision, Shortest};
use quiescence::hunt::property::{Flaw, Property, judge};
use quiescence::judgement::Model;
use quiescence::judgement::datatype::Register;
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::replication::{OperationId, TimerId};
use quiescence::search::exhaustive::{Open, Reduce};
use quiescence::world::repeat;
use quiescence::world::{
    Action, Ending, FaultPlan, Network, Planned, Routing, Script, Setting, Shows, Step, Workload,
};

use crate::support::searched;

mod gossip;
use gossip::Gossip;

fn pair() -> Setting {
    Setting {
        nodes: 2,
        network: Network::Unordered,
        faults: FaultPlan::default(),
        routing: Routing::Sticky,
    }
}

fn eventual() -> Property {
    Property::Model(Model::EVENTUAL)
}

fn search(subject: &dyn Subject) -> Decision {
    let scope = Open { sessions: 1, writes: 1, reads: 0, keys: 1, patient: false };
    searched(subject, &pair(), scope, &[eventual()], (Reduce::ALL, 1)).remove(0).1
}

fn convicted(subject: &dyn Subject) -> Shortest {
    match search(subject) {
        Decision::Violated(finding) => *finding,
        other => panic!("{other:?}"),
    }
}

/// The case of a finding, read again from its text, replays to the letter.
fn replays(subject: &dyn Subject, finding: &Shortest) -> Case {
    let case = Case::of(subject, &finding.failing, false, FoundBy::default());
    let case = read::read(&case.to_text()).expect("what was written can be read");
    let replayed = replay::replay(&case, subject, &Register).expect("it can be replayed");
    assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced);
    assert_eq!(replayed.judgement.flaw(), Some(finding.failing.flaw));
    case
}

#[test]
fn fair_gossip_is_proved_to_converge() {
    let outcome = search(&Gossip::Fair);
    let Decision::Proved(proofs, _) = outcome else { panic!("{outcome:?}") };
    assert!(proofs[0].looked_at > 0);
}

#[test]
fn gossip_by_chance_is_not_guaranteed_to_converge() {
    let finding = convicted(&Gossip::Chance);
    assert_eq!(finding.failing.flaw, Flaw::NotGuaranteed);
    let Ending::Cycle { from, way_out, .. } = finding.failing.run.ending else {
        panic!("{:?}", finding.failing.run.ending)
    };
    assert!(way_out, "it may converge");
    assert_eq!(from, 1, "one write, then nothing that helps");
    let case = replays(&Gossip::Chance, &finding);
    assert_eq!(case.cycle, Some(case.schedule.len() - 1));
}

#[test]
fn answers_that_come_and_go_oscillate() {
    let finding = convicted(&Gossip::Swing);
    assert_eq!(finding.failing.flaw, Flaw::Oscillating);
    replays(&Gossip::Swing, &finding);
}

#[test]
fn an_echo_goes_on_for_ever() {
    let echo = Notebook { variant: Variant::Echo };
    let finding = convicted(&echo);
    assert_eq!(finding.failing.flaw, Flaw::NeverQuiet);
    replays(&echo, &finding);
}

/// One write at n1 as the stem, then these timers as the cycle.
fn fires(timers: &[(u16, u32)]) -> (Workload, Vec<Step>, Vec<Step>) {
    let operations = vec![Planned { call: Call::write("x", 1), node: None }];
    let workload = Workload { sessions: vec![Script { node: NodeId(0), operations }] };
    let write = Action::Invoke(OperationId { session: 0, number: 0 });
    let step = |(number, action)| Step { number, action, settling: false };
    let fire = timers.iter().map(|&(node, timer)| Action::Fire(NodeId(node), TimerId(timer)));
    (workload, vec![step((1, write))], (2..).zip(fire).map(step).collect())
}

fn ending(timers: &[(u16, u32)]) -> Ending {
    let (workload, stem, cycle) = fires(timers);
    let run = repeat(&Gossip::Chance, &pair(), &workload, (&stem, &cycle), Shows::All);
    if let Ending::Cycle { .. } = run.ending {
        assert_eq!(judge(&run, &eventual(), &Register).flaw(), Some(Flaw::NotGuaranteed));
    }
    run.ending
}

#[test]
fn a_cycle_is_believed_only_if_it_is_one_and_just() {
    // At both nodes the idle timer fires first, then the timer that arms both
    // again.
    let just = [(0, 1), (0, 2), (1, 1), (1, 2)];
    assert!(matches!(ending(&just), Ending::Cycle { from: 1, .. }));
    // The timers of n2 are armed all the time and never fire.
    assert_eq!(ending(&[(0, 1), (0, 2)]), Ending::Settled);
    // The last step does not lead back to the first state.
    assert_eq!(ending(&just[..3]), Ending::Settled);
    // A message is left in flight.
    assert_eq!(ending(&[(0, 0), (0, 2), (1, 1), (1, 2)]), Ending::Settled);
    assert_eq!(ending(&[]), Ending::Settled);
}
