//! What makes up for lost messages, step by step: trees of hashes, hints, and entries that
//! expire.

use quiescence::catalogue::Registry;
use quiescence::history::{NodeId, notation};
use quiescence::hunt::Subject;
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::Property;
use quiescence::judgement::Model;
use quiescence::replication::{Strategy, TimerId};
use quiescence::search::exhaustive::{Open, Reduce};
use quiescence::world::{
    Action, FaultKind, Faults, Network, SessionId, Setting, Strike, Workload, World, close,
};

use crate::support::searched;

fn strategy(name: &str) -> Box<dyn Subject> {
    Registry::standard().parse(name).expect("it is registered").remove(0)
}

/// Performs `A`, which invokes, `f1`, the first timer of n1, `c1`, its window closes, `t1`, a
/// tick, `x1`, a crash, `dt`, the oldest message is delivered, `dr`, it is lost. What was
/// delivered or lost is returned.
fn perform(subject: &dyn Subject, world: &mut World<'_>, script: &str) -> Vec<String> {
    let mut told = Vec::new();
    for word in script.split(' ') {
        let node = || NodeId(word[1..].parse::<u16>().expect("a node") - 1);
        let mut message = |world: &World<'_>| {
            let (name, content) = world.in_flight().next().expect("something is in flight");
            told.push(subject.erased().label(content));
            (name.to, world.message_named(name).expect("it is in flight"))
        };
        let action = match &word[..1] {
            "f" => Action::Fire(node(), TimerId(0)),
            "c" => Action::Fire(node(), TimerId(2)),
            "t" => Action::Tick(node()),
            "x" => Action::Strike(node(), Strike::Crash),
            "d" => {
                let (to, id) = message(world);
                if word == "dt" { Action::Deliver(to, id) } else { Action::Drop(to, id) }
            }
            _ => {
                let session = SessionId::named(word).expect("a session");
                Action::Invoke(world.next_operation(session).expect("it has one").0)
            }
        };
        let step = world.steps() + 1;
        world.perform(&action, step).unwrap_or_else(|why| panic!("{script}, {word}: {why}"));
    }
    told
}

fn workload(text: &str) -> Workload {
    text.parse().expect("the text is in the notation")
}

fn lossy(nodes: u16) -> Setting {
    Setting::calm(nodes, Network::Unordered).with_faults(Faults::NONE.with(FaultKind::Drop, 1))
}

#[test]
fn where_trees_differ_only_what_differs_is_compared() {
    let subject = strategy("gossip:digest=tree");
    let (asked, setting) = (workload("wx1@n1 wy2@n1 wx3@n1"), lossy(2));
    let mut world = World::new(&*subject, &setting, &asked).expect("it begins");
    let told = perform(&*subject, &mut world, "A A f1 dt dt dt dt dt dt dt dt");
    let hash = "hash(x at 1.0, y at 1.0)";
    assert_eq!(told[..2], [format!("root {hash}"), "leaves hash(nothing) hash(nothing)".into()]);
    assert!(told[2..].contains(&"store x=1 at 1.0".into()), "{told:?}");
    assert!(told[2..].contains(&"store y=2 at 1.0".into()), "{told:?}");
    let told = perform(&*subject, &mut world, "f2 dt");
    assert_eq!(told, [format!("root {hash}")]);
    assert_eq!(world.in_flight().count(), 0, "equal trees need no more");
    let told = perform(&*subject, &mut world, "A f1 dt dt dt dt dt");
    let hashes = "hash(x at 1.0) hash(y at 1.0)";
    let steps = [
        "root hash(x at 2.0, y at 1.0)",
        &format!("leaves {hashes}"),
        "leaf 0 holds x at 2.0",
        "wants x",
        "store x=3 at 2.0",
    ];
    assert_eq!(told, steps);
    assert_eq!(world.in_flight().count(), 0, "y is not named");
}

#[test]
fn trees_of_two_leaves_converge_though_a_message_is_lost() {
    let subject = strategy("gossip:digest=tree");
    let scope = Open { sessions: 1, writes: 2, reads: 0, keys: 2, patient: false };
    let properties = [Property::from(Model::EVENTUAL)];
    let found = searched(&*subject, &lossy(2), scope, &properties, (Reduce::ALL, 1));
    assert!(matches!(found[0].1, Decision::Proved { .. }), "{found:?}");
}

#[test]
fn an_entry_that_expires_is_not_answered_from_once_its_time_has_come() {
    let subject = strategy("cache:expires=after-fill");
    let (asked, setting) = (workload("wx1@n1|rx@n2 rx@n2"), lossy(2).with_clocks(1));
    let mut world = World::new(&*subject, &setting, &asked).expect("it begins");
    // n2 caches that there is nothing, and the news of the write is lost.
    perform(&*subject, &mut world, "B dt dt A dr");
    let mut early = world.clone();
    perform(&*subject, &mut early, "B");
    let told = notation::write(&close(early).history);
    assert!(told.starts_with("wx1|rx0 rx0|"), "stale, and converged at last: {told}");
    assert!(told.contains("|rx1!|rx1!"), "{told}");
    // The timer has not fired, but the clock shows that the time has come.
    perform(&*subject, &mut world, "t2 B dt dt");
    let told = notation::write(&world.history());
    assert!(told.starts_with("wx1|rx0 rx1"), "{told}");
}

#[test]
fn a_window_that_closes_leaves_the_outcome_of_what_waits_unknown() {
    let subject = strategy("sloppy-quorum:counts=copies,window=closes");
    let (asked, setting) = (workload("wx1@n1"), lossy(3));
    let mut world = World::new(&*subject, &setting, &asked).expect("it begins");
    perform(&*subject, &mut world, "A dr c1");
    let told = notation::write(&close(world).history);
    assert!(told.starts_with("wx1?|"), "{told}");
}

#[test]
fn anti_entropy_cannot_repair_what_no_home_has() {
    let subject = strategy("sloppy-quorum:anti-entropy=on,window=closes");
    let crashes = Faults::NONE.with(FaultKind::Crash, 2);
    let setting = Setting::calm(3, Network::Unordered).with_faults(crashes);
    let asked = workload("wx1@n3");
    let mut world = World::new(&*subject, &setting, &asked).expect("it begins");
    // The hints count, so the write is answered; then they go, and all messages with them.
    perform(&*subject, &mut world, "A f3 c3 x1 x2");
    let told = notation::write(&close(world).history);
    assert!(told.starts_with("wx1|rx0!|rx0!|rx0!"), "{told}");
}
