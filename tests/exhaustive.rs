//! Exhaustive search: golden state counts, agreement with a dumb search on
//! worlds, shortest counterexamples, and what is refused.

use std::collections::HashSet;

use quiescence::hunt::case::{Case, FoundBy};
use quiescence::hunt::minimise::Failing;
use quiescence::hunt::property::{Flaw, Property, judge};
use quiescence::judgement::{Kind, Model};
use quiescence::replication::Strategy;
use quiescence::replication::asynchronous::async_primary::AsyncPrimary;
use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use quiescence::search::exhaustive::{Ending, Exploration, Limits, Refused, explore};
use quiescence::world::{
    Faults, Network, Planned, Routing, Script, Setting, Workload, World, re_execute,
};

mod yardstick;
use yardstick::{Keeps, Yardstick, agree, puts, setting};

fn yard(keeps: Keeps, nodes: u16, writes: usize) -> Exploration {
    let (setting, workload) = (setting(nodes), puts(writes));
    explore(&Yardstick(keeps), &setting, &workload, Limits::default(), &mut agree)
        .expect("it is covered")
}

#[test]
fn the_yardstick_has_its_golden_state_counts() {
    let counts: Vec<_> = (2..=7).map(|writes| yard(Keeps::Larger, 3, writes).states).collect();
    assert_eq!(counts, [41, 232, 1_712, 10_432, 74_011, 462_776]);
    for writes in 2..=7 {
        assert_eq!(yard(Keeps::Larger, 3, writes).ending, Ending::Complete);
    }
}

#[test]
fn the_naive_yardstick_has_its_golden_state_counts() {
    let count = |writes| {
        let (setting, workload) = (setting(3), puts(writes));
        let all = &mut |_: &[&yardstick::Held]| true;
        explore(&Yardstick(Keeps::Last), &setting, &workload, Limits::default(), all)
            .expect("it is covered")
            .states
    };
    assert_eq!([2, 3, 4, 5, 6].map(count), [49, 360, 2_651, 16_980, 105_421]);
}

#[test]
fn keeping_what_arrived_last_diverges_in_six_actions_and_no_fewer() {
    let found = yard(Keeps::Last, 3, 6);
    let Ending::Violated(schedule) = found.ending else { panic!("{:?}", found.ending) };
    assert_eq!(schedule.len(), 6);
    let (setting, workload) = (setting(3), puts(6));
    let mut world = World::new(&Yardstick(Keeps::Last), &setting, &workload).expect("no panic");
    for step in &schedule {
        world.perform(&step.action, step.number).expect("the world can do it");
    }
    assert_eq!(world.in_flight().count(), 0, "nothing is in flight");
    let replicas: Vec<_> = world.nodes().iter().map(|node| &node.replica).collect();
    assert!(!agree(&replicas), "they disagree");
}

#[test]
fn deliveries_that_change_nothing_leave_the_network() {
    let found = yard(Keeps::First, 2, 2);
    let Ending::Violated(schedule) = found.ending else { panic!("{:?}", found.ending) };
    assert_eq!(schedule.len(), 4, "two puts, and two deliveries that change nothing");
}

#[test]
fn a_limit_ends_the_search_bounded_never_complete() {
    let (setting, workload) = (setting(3), puts(6));
    let limits = Limits { states: 1_000 };
    let found = explore(&Yardstick(Keeps::Larger), &setting, &workload, limits, &mut agree)
        .expect("it is covered");
    assert_eq!(found.ending, Ending::Bounded);
}

#[test]
fn what_is_not_covered_is_refused() {
    let workload = puts(2);
    let mut faulty = setting(2);
    faulty.faults.budget = Faults { drop: 1, ..Faults::NONE };
    let lww = |clock, anti_entropy| MultiPrimaryLww { clock, anti_entropy };
    let refusal = |strategy: MultiPrimaryLww, setting: &Setting| {
        explore(&strategy, setting, &workload, Limits::default(), &mut |_| true)
            .expect_err("it is not covered")
    };
    let faults = refusal(lww(Clock::Lamport, false), &faulty);
    assert_eq!(faults, Refused::NotCovered("faults"));
    let clocks = refusal(lww(Clock::Wall, false), &setting(2));
    assert_eq!(clocks, Refused::NotCovered("strategies that read clocks"));
    let timers = refusal(lww(Clock::Lamport, true), &setting(2));
    assert_eq!(timers, Refused::NotCovered("timers"));
}

/// The dumb twin: a breadth-first search on whole worlds.
fn dumb<S: Strategy>(strategy: &S, setting: &Setting, workload: &Workload) -> u64 {
    let first = World::new(strategy, setting, workload).expect("no panic");
    // Answers are part of what a session is, as in the search under test.
    let key = |world: &World<'_, S>, told: &Vec<_>| (world.state(), told.clone());
    let mut seen = HashSet::from([key(&first, &Vec::new())]);
    let mut frontier = vec![(first, Vec::new())];
    let mut enabled = Vec::new();
    while let Some((world, told)) = frontier.pop() {
        world.enabled(&mut enabled);
        for action in &enabled {
            let mut next = world.clone();
            let report = next.perform(action, world.steps() + 1).expect("it is enabled");
            let mut told = told.clone();
            let heard = report.replies.into_iter().filter(|(.., heard)| *heard);
            told.extend(heard.map(|(operation, completion, _)| (operation, completion)));
            told.sort();
            if seen.insert(key(&next, &told)) {
                frontier.push((next, told));
            }
        }
    }
    seen.len() as u64
}

/// Scripts of `w` and `r` on one key, one session a node.
fn script(text: &str) -> Workload {
    let mut value = 0;
    let mut planned = |letter: char| {
        value += 1;
        let call = match letter {
            'w' => quiescence::history::Call::write("x", value),
            _ => quiescence::history::Call::read("x"),
        };
        Planned { call, node: None }
    };
    let sessions = (0..).zip(text.split('|')).map(|(node, script)| Script {
        node: quiescence::history::NodeId(node),
        operations: script.chars().map(&mut planned).collect(),
    });
    Workload { sessions: sessions.collect() }
}

fn agrees_with_the_dumb_twin<S: Strategy>(strategy: &S, network: Network, nodes: u16) {
    for text in ["w|r", "ww|w", "wr|w", "wr|rw", "w|w|r"] {
        let workload = script(text);
        if workload.sessions.len() > usize::from(nodes) {
            continue;
        }
        let setting = Setting { network, routing: Routing::Sticky, ..setting(nodes) };
        let found = explore(strategy, &setting, &workload, Limits::default(), &mut |_| true)
            .expect("it is covered");
        assert_eq!(found.ending, Ending::Complete);
        let dumb = dumb(strategy, &setting, &workload);
        assert_eq!(found.states, dumb, "{} of {text} on {nodes} nodes", strategy.name());
    }
}

#[test]
fn every_engine_sees_the_same_states() {
    let lww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
    agrees_with_the_dumb_twin(&lww, Network::Unordered, 2);
    agrees_with_the_dumb_twin(&lww, Network::Fifo, 3);
    agrees_with_the_dumb_twin(&AsyncPrimary, Network::Fifo, 3);
    agrees_with_the_dumb_twin(&AsyncPrimary, Network::Unordered, 2);
    for reads in [Reads::Primary, Reads::Local] {
        agrees_with_the_dumb_twin(&PrimaryBackup { reads }, Network::Fifo, 3);
    }
    for variant in [Variant::AsWritten, Variant::Storing, Variant::WrongKey] {
        agrees_with_the_dumb_twin(&Notebook { variant }, Network::Unordered, 2);
    }
}

#[test]
fn what_is_found_is_a_case_that_the_judge_convicts() {
    let storing = Notebook { variant: Variant::Storing };
    let (setting, workload) = (setting(2), script("w|w"));
    let equal = &mut |replicas: &[&quiescence::replication::notebook::DatabaseNode]| {
        replicas[0].has_the_data_of(replicas[1])
    };
    let found =
        explore(&storing, &setting, &workload, Limits::default(), equal).expect("it is covered");
    let Ending::Violated(schedule) = found.ending else { panic!("{:?}", found.ending) };
    assert_eq!(schedule.len(), 4, "two writes that cross");
    let run = re_execute(&storing, &setting, &workload, &schedule);
    let property = Property::Model(Model::EVENTUAL);
    let flaw = Flaw::History(Kind::Diverged);
    assert_eq!(judge(&run, &property).flaw(), Some(flaw));
    let failing = Failing { setting, workload, run, property, flaw };
    let case = Case::of(&storing, &failing, false, FoundBy::default());
    assert_eq!(case.schedule.len(), 4);
}
