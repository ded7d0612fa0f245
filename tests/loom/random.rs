//! Protocols that nobody has thought of, in every interleaving: their outcomes
//! are those of the world.

use std::collections::BTreeSet;

use quiescence::history::{Call, NodeId};
use quiescence::replication::Strategy;
use quiescence::search::enumerate::{Outcome, outcomes};
use quiescence::world::{Action, NotEnabled, Planned, Script, Setting, Workload, World, close};
use rustc_hash::FxHashSet;

use super::explore::{cluster, explore_within};
use super::strategy::{Allowed, Choices, Protocol, bytes_of};

/// How many protocols are looked at.
const PROTOCOLS: u64 = 300;
/// After how many executions one is given up.
const EXECUTIONS_MAX: u64 = 1_500;

/// The outcomes if every inbox is emptied in order of arrival; none if a handler panics, or if there are too many
/// events for this test. Threads reach them all: the world reaches more, since
/// a message may overtake those of other senders there.
fn in_order_of_arrival(
    protocol: &Protocol,
    setting: &Setting,
    workload: &Workload,
) -> Option<BTreeSet<Outcome>> {
    const EVENTS_MAX: u32 = 6;
    let (mut found, mut visited) = (BTreeSet::new(), FxHashSet::default());
    let mut stack = vec![(World::new(protocol, setting, workload).ok()?, Vec::new())];
    let mut enabled = Vec::new();
    while let Some((world, told)) = stack.pop() {
        if !visited.insert((world.state(), told.clone())) {
            continue;
        }
        world.enabled(&mut enabled);
        let mut first: BTreeSet<NodeId> = BTreeSet::new();
        enabled.retain(|action| match action {
            Action::Deliver(to, _) => first.insert(*to),
            action => matches!(action, Action::Invoke(_)),
        });
        if world.steps() > EVENTS_MAX {
            return None;
        }
        if enabled.is_empty() {
            found.insert(Outcome::of(&close(world), workload));
            continue;
        }
        for action in &enabled {
            let mut next = world.clone();
            let report = match next.perform(action, world.steps() + 1) {
                Ok(report) => report,
                Err(NotEnabled::Panicked(_)) => return None,
                Err(why) => unreachable!("only enabled actions are tried: {why}"),
            };
            let mut told = told.clone();
            let heard = report.replies.into_iter().filter(|(.., heard)| *heard);
            told.extend(heard.map(|(operation, completion, _)| (operation, completion)));
            stack.push((next, told));
        }
    }
    Some(found)
}

/// One or two clients that ask one or two things in all.
fn scripts(dice: &mut Choices<'_>, nodes: u8) -> Workload {
    let mut planned = |value: i64| {
        let call = if dice.below(3) == 0 { Call::read("x") } else { Call::write("x", value) };
        (NodeId(u16::from(dice.below(nodes))), Planned { call, node: None })
    };
    let [(node, first), (other, second)] = [planned(1), planned(2)];
    let script = |node, operations| Script { node, operations };
    let sessions = match dice.below(3) {
        0 => vec![script(node, vec![first, Planned { node: Some(other), ..second }])],
        _ => vec![script(node, vec![first]), script(other, vec![second])],
    };
    Workload { sessions }
}

#[test]
fn random_protocols_reach_on_threads_what_they_reach_in_the_world() {
    let allowed =
        Allowed { timers: true, clocks: false, panics: false, disk: false, deadlines: false };
    let (mut complete, mut bounded, mut several) = (0, 0, 0);
    for seed in 0..PROTOCOLS {
        let bytes = bytes_of(seed);
        let dice = &mut Choices::of(&bytes);
        let nodes = 1 + dice.below(2);
        let workload = scripts(dice, nodes);
        let setting = cluster(u16::from(nodes), &workload);
        let protocol = Protocol::of(dice, setting.nodes, allowed);
        // A run that breaks an invariant ends there in the world, and one that
        // goes on for ever when the record of threads is full.
        if !protocol.is_tame() || !protocol.invariants().is_empty() {
            continue;
        }
        let Some(least) = in_order_of_arrival(&protocol, &setting, &workload) else { continue };
        let explore = |preemptions| {
            explore_within(EXECUTIONS_MAX, &protocol, setting.nodes, &workload, preemptions)
        };
        // With two nodes there is hardly one that can be explored to its end.
        let all = (nodes == 1).then(|| explore(None)).flatten();
        let Some(explored) = all.or_else(|| explore(Some(1))) else { continue };
        let world = outcomes(&protocol, &setting, &workload).expect("no handler panics");
        let threads = explored.outcomes(&protocol);
        let only = threads.difference(&world).next();
        assert!(only.is_none(), "on threads only: {only:?} (seed {seed}) of {protocol:?}");
        let missed = least.difference(&threads).next().filter(|_| explored.complete);
        assert!(missed.is_none(), "not on threads: {missed:?} (seed {seed}) of {protocol:?}");
        *(if explored.complete { &mut complete } else { &mut bounded }) += 1;
        several += u32::from(threads.len() > 1);
    }
    println!("{complete} COMPLETE, {bounded} BOUNDED; {several} have more than one outcome");
    assert!(complete > 15 && bounded > 40 && several > 15, "hardly anything was explored");
}
