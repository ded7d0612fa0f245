//! A run that is too long for the searches: written down, judged, minimised, and
//! compared with the committed case.
//!
//! `SNAPSHOTS=overwrite cargo test` writes the case anew.

use std::fs;
use std::path::Path;

use quiescence::hunt::case::{Case, FoundBy};
use quiescence::hunt::minimise::{Aim, Failing, minimise};
use quiescence::hunt::property::{Flaw, Property};
use quiescence::judgement::{Kind, Model};
use quiescence::prelude::*;
use quiescence::replication::{Strategy, Subject, TimerId};
use quiescence::world::{
    Action, Network, SessionId, Setting, Shows, Step, Workload, World, re_execute,
};
use quiescence_real::registry;

/// What a word does: `A` invokes the next operation of session A, `fire3` fires the timer
/// of n3, `3>1 prepare` delivers the oldest message on that link whose label begins so.
fn action(world: &World<'_>, subject: &dyn Subject, words: &str) -> Action {
    let node = |text: &str| NodeId(text.parse::<u16>().expect("a node") - 1);
    if let Some(at) = words.strip_prefix("fire") {
        return Action::Fire(node(at), TimerId(0));
    }
    let Some((link, begins)) = words.split_once(' ') else {
        let session = SessionId::named(words).expect("a session");
        return Action::Invoke(world.next_operation(session).expect("an operation is left").0);
    };
    let (from, to) = link.split_once('>').expect("a link");
    let mut names: Vec<_> = world
        .in_flight()
        .filter(|(name, message)| {
            (name.from, name.to) == (node(from), node(to))
                && subject.erased().label(message).starts_with(begins)
        })
        .map(|(name, _)| name)
        .collect();
    names.sort();
    let name = *names.first().unwrap_or_else(|| panic!("{words}: nothing like that is in flight"));
    Action::Deliver(name.to, world.message_named(name).expect("it is in flight"))
}

fn chosen(
    subject: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    script: &[&str],
) -> Vec<Step> {
    let mut world = World::new(subject, setting, workload).expect("no panic at the start");
    let mut steps = Vec::new();
    for (number, words) in (1..).zip(script) {
        let action = action(&world, subject, words);
        world.perform(&action, number).expect("it is possible");
        steps.push(Step { number, action, settling: false });
    }
    steps
}

/// n1 confirms its promise twice (its timer sends it again), so the leader n3 synchronises
/// it twice. The second one overtakes the first, and n1 helps to decide the write. When
/// a later gap has made n1 prepare again, the first one arrives, and n1 takes it for the
/// present one: it drops the write. Then n2, which never had it, is elected by n1.
const SCRIPT: [&str; 21] = [
    "A",
    "fire3",
    "3>1 prepare",
    "fire1",
    "fire1",
    "1>3 promise",
    "B",
    "1>3 promise",
    "3>1 accept 1.3 #2",
    "1>3 accepted",
    "A",
    "3>1 accept 1.3 #2.3",
    "1>3 ask to prepare",
    "3>1 prepare",
    "3>1 accept 1.3 #1:",
    "2>1 heartbeat",
    "1>2 heartbeat 1 from",
    "C",
    "fire2",
    "2>1 prepare",
    "1>2 promise",
];

#[test]
fn omnipaxos_loses_a_decided_write_if_an_overtaken_message_arrives_late() {
    let registry = registry();
    let subject = registry.parse("omnipaxos").expect("it is registered").remove(0);
    let setting = Setting::calm(3, Network::Unordered);
    let workload: Workload = "rx@n3 rx@n3|wx1@n3|rx@n2".parse().expect("a workload");
    let steps = chosen(&*subject, &setting, &workload, &SCRIPT);
    let run = re_execute(&*subject, &setting, &workload, &steps, Shows::All);
    let datatype = registry.datatype_of(&*subject).expect("its datatype is known");
    let judged = (Property::Model(Model::EVENTUAL), datatype);
    let failing = Failing::of(setting, workload, run, judged).expect("it fails");
    let failing = minimise(&*subject, Aim::FewestActions, failing);
    assert_eq!(failing.flaw, Flaw::History(Kind::Diverged));
    let text = Case::of(&*subject, &failing, true, FoundBy::default()).to_text();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("tests/cases/omnipaxos-unordered3-eventual.json");
    if std::env::var("SNAPSHOTS").is_ok_and(|how| how == "overwrite") {
        fs::write(&path, &text).expect("a case can be written");
    }
    assert_eq!(fs::read_to_string(&path).expect("the case is there"), text);
}
