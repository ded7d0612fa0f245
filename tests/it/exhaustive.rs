//! Exhaustive search: golden state counts, agreement with a simple search on
//! whole worlds, shortest counterexamples, and reductions that change no
//! verdict.

use std::collections::BTreeSet;

use quiescence::catalogue::Registry;
use quiescence::catalogue::bench::{agree, puts, setting};
use quiescence::history::Menu;
use quiescence::history::{Completion, NodeId, Value};
use quiescence::hunt::Subject;
use quiescence::hunt::exhaustive::{Decision, Doubt, Enough, Plan as HuntPlan, hunt, up_to};
use quiescence::hunt::property::{Flaw, Property};
use quiescence::judgement::datatype::Register;
use quiescence::judgement::{Kind, Model};
use quiescence::replication::asynchronous::async_primary::AsyncPrimary;
use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use quiescence::replication::yardstick::{Held, Keeps, Yardstick};
use quiescence::replication::{Cluster, Effects, Input, OperationId, Strategy, StrategyName};
use quiescence::search::exhaustive::{
    Bound, Ending, Exploration, Limits, Open, Plan, Reduce, Sight, Tracks, Work, explore,
};
use quiescence::world::{FaultKind, FaultPlan, Faults, Network, Routing, Setting, Workload, World};
use rustc_hash::FxHashSet;

const HISTORY: Tracks = Tracks {
    history: true,
    real_time: false,
    visible: false,
    agreement: false,
    invariants: false,
    severed: false,
};

fn plan(work: Work, reduce: Reduce, jobs: usize) -> Plan<'static> {
    let tracks = Tracks::default();
    let limits = Limits::default();
    Plan {
        work,
        tracks,
        reduce,
        limits,
        lively: 0,
        quieting: 0,
        panics: false,
        patient: false,
        jobs,
        stop: &|_| false,
    }
}

fn yard(keeps: Keeps, nodes: u16, writes: usize, reduce: Reduce, jobs: usize) -> Exploration {
    let plan = plan(Work::Scripted(puts(writes)), reduce, jobs);
    let mut judge = agree;
    explore(&Yardstick(keeps), &setting(nodes), &plan, 1, &mut judge).expect("it is covered")
}

#[test]
fn the_yardstick_has_its_golden_state_counts_on_any_number_of_threads() {
    for jobs in [1, 2, 3] {
        let found: Vec<_> =
            (2..=7).map(|writes| yard(Keeps::Larger, 3, writes, Reduce::NONE, jobs)).collect();
        let counts: Vec<_> = found.iter().map(|found| found.states).collect();
        assert_eq!(counts, [41, 232, 1_712, 10_432, 74_011, 462_776]);
        assert!(found.iter().all(|found| found.ending == Ending::Complete));
    }
}

#[test]
fn the_naive_yardstick_has_its_golden_state_counts() {
    let count = |writes| {
        let plan = plan(Work::Scripted(puts(writes)), Reduce::NONE, 1);
        let all = &mut |_: &Sight<'_>| 0;
        explore(&Yardstick(Keeps::Last), &setting(3), &plan, 0, all).expect("it is covered").states
    };
    assert_eq!([2, 3, 4, 5, 6].map(count), [49, 360, 2_651, 16_980, 105_421]);
}

/// All reductions that the yardstick allows, one by one and combined.
fn reductions() -> Vec<Reduce> {
    let none = Reduce::NONE;
    vec![
        none,
        Reduce { persistent: true, ..none },
        Reduce { macro_steps: true, ..none },
        Reduce { symmetry: true, ..none },
        Reduce { forget: true, ..none },
        Reduce { stale: true, ..none },
        Reduce { symmetry: true, macro_steps: true, ..none },
        Reduce::ALL,
    ]
}

#[test]
fn keeping_what_arrived_last_diverges_in_six_actions_and_no_fewer() {
    for reduce in reductions() {
        for jobs in [1, 2] {
            let found = yard(Keeps::Last, 3, 6, reduce, jobs);
            assert_eq!(found.ending, Ending::Settled, "{reduce}");
            let way = &found.found[0];
            assert_eq!(way.stem.len(), 6, "{reduce}");
            let (setting, strategy) = (setting(3), Yardstick(Keeps::Last));
            let mut world = World::new(&strategy, &setting, &way.workload).expect("no panic");
            for step in &way.stem {
                world.perform(&step.action, step.number).expect("the world can do it");
            }
            assert_eq!(world.in_flight().count(), 0, "nothing is in flight");
            let stamps: BTreeSet<_> = world
                .nodes()
                .iter()
                .map(|node| node.replica.get::<Held>().expect("a yardstick's").stamp)
                .collect();
            assert!(stamps.len() > 1, "they disagree");
        }
    }
}

#[test]
fn deliveries_that_change_nothing_leave_the_network() {
    for reduce in reductions() {
        let found = yard(Keeps::First, 2, 2, reduce, 1);
        assert_eq!(found.ending, Ending::Settled, "{reduce}");
        assert_eq!(found.found[0].stem.len(), 4, "two puts, and two deliveries, with {reduce}");
    }
}

#[test]
fn reductions_keep_the_outcomes_and_take_fewer_states() {
    let outcomes = |keeps, nodes, writes, reduce| {
        let mut seen = BTreeSet::new();
        let plan = plan(Work::Scripted(puts(writes)), reduce, 1);
        let mut judge = |sight: &Sight<'_>| {
            let mut values: Vec<Option<Value>> =
                sight.answers.iter().map(|(.., value)| value.answer().cloned()).collect();
            // It does not matter which of the nodes that no client uses has
            // which value.
            values[2..].sort();
            seen.insert(values);
            0
        };
        let found = explore(&Yardstick(keeps), &setting(nodes), &plan, 1, &mut judge);
        let found = found.expect("it is covered");
        assert_eq!((found.ending, &found.declined[..]), (Ending::Complete, &[][..]));
        (seen, found.states)
    };
    for (keeps, nodes, writes) in
        [(Keeps::Larger, 3, 4), (Keeps::Last, 3, 4), (Keeps::First, 3, 4), (Keeps::Last, 4, 3)]
    {
        let (all, most) = outcomes(keeps, nodes, writes, Reduce::NONE);
        for reduce in reductions() {
            let (seen, states) = outcomes(keeps, nodes, writes, reduce);
            assert_eq!(seen, all, "{keeps:?} with {reduce}");
            assert!(states <= most, "{keeps:?} with {reduce}");
        }
    }
    let symmetric = Reduce { symmetry: true, ..Reduce::NONE };
    let (_, most) = outcomes(Keeps::Larger, 4, 3, Reduce::NONE);
    let (_, fewer) = outcomes(Keeps::Larger, 4, 3, symmetric);
    assert!(fewer * 3 < most * 2, "{fewer} of {most}: symmetry does something");
}

#[test]
fn the_yardstick_needs_few_states_with_macro_steps() {
    let macros = Reduce { macro_steps: true, ..Reduce::NONE };
    let found = yard(Keeps::Larger, 3, 8, macros, 1);
    assert_eq!((found.states, found.ending), (6_410, Ending::Complete));
    assert!(found.states + found.local_steps <= 40_000, "{} local steps", found.local_steps);
    let naive = yard(Keeps::Last, 3, 8, macros, 1);
    assert_eq!(naive.found[0].stem.len(), 6);
    assert!(naive.states + naive.local_steps <= 3_400, "{} states", naive.states);
}

#[test]
fn a_limit_ends_the_search_bounded_never_complete() {
    let work = || Work::Scripted(puts(6));
    let ending = |limits: Limits, stop: &dyn Fn(&_) -> bool| {
        let plan = Plan { limits, stop, ..plan(work(), Reduce::NONE, 1) };
        let mut judge = agree;
        let found = explore(&Yardstick(Keeps::Larger), &setting(3), &plan, 1, &mut judge);
        found.expect("it is covered").ending
    };
    let states = Limits { states: 1_000, ..Limits::default() };
    assert_eq!(ending(states, &|_| false), Ending::Bounded(Bound::States));
    let bytes = Limits { bytes: 50_000, ..Limits::default() };
    assert_eq!(ending(bytes, &|_| false), Ending::Bounded(Bound::Bytes));
    assert_eq!(ending(Limits::default(), &|_| true), Ending::Bounded(Bound::Stopped));
    assert_eq!(ending(Limits::default(), &|_| false), Ending::Complete);
}

/// The answers, operation by operation.
type Told = Vec<(OperationId, Completion)>;

/// A reference search on whole worlds, without optimisations. How many states
/// there are, and which answers are possible when the cluster is quiet.
fn dumb(strategy: &dyn Subject, setting: &Setting, workload: &Workload) -> (u64, BTreeSet<Told>) {
    let first = World::new(strategy, setting, workload).expect("no panic");
    // Answers are part of the state of a session, as in the search under test.
    let key = |world: &World<'_>, told: &Told| (world.state(), told.clone());
    let mut seen = FxHashSet::from_iter([key(&first, &Vec::new())]);
    let mut frontier = vec![(first, Told::new())];
    let mut outcomes = BTreeSet::new();
    let mut enabled = Vec::new();
    while let Some((world, told)) = frontier.pop() {
        let mut nodes = world.nodes().iter();
        if nodes.all(|node| node.up && node.cut == 0 && node.inbox.is_empty()) {
            outcomes.insert(told.clone());
        }
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
    (seen.len() as u64, outcomes)
}

/// The answers that clients had when the search judged this state.
fn told(sight: &Sight<'_>) -> Told {
    let all = sight.operations.iter().zip(sight.history.operations());
    let clients = all.filter(|(_, operation)| !operation.final_read && !operation.is_pending());
    let mut told: Told =
        clients.map(|(id, operation)| (*id, operation.completion.clone())).collect();
    told.sort();
    told
}

fn agrees_with_the_dumb_twin(strategy: &dyn Subject, setting: &Setting, scripts: &[&str]) {
    for text in scripts {
        let workload: Workload = text.parse().expect("the text is in the notation");
        if workload.sessions.len() > usize::from(setting.nodes) {
            continue;
        }
        let plan =
            Plan { tracks: HISTORY, ..plan(Work::Scripted(workload.clone()), Reduce::NONE, 2) };
        let mut outcomes = BTreeSet::new();
        let mut judge = |sight: &Sight<'_>| {
            // Other histories never become quiet.
            outcomes.extend(sight.quiet.then(|| told(sight)));
            0
        };
        let found = explore(strategy, setting, &plan, 0, &mut judge).expect("it is covered");
        assert_eq!(found.ending, Ending::Complete);
        let (states, expected) = dumb(strategy, setting, &workload);
        assert_eq!(found.states, states, "{} of {text} in {setting:?}", strategy.strategy_name());
        assert_eq!(outcomes, expected, "{} of {text} in {setting:?}", strategy.strategy_name());
    }
}

const SCRIPTS: [&str; 5] = ["wx1|rx", "wx1 wx2|wx3", "wx1 rx|wx3", "wx1 rx|rx wx4", "wx1|wx2|rx"];

fn calm(nodes: u16, network: Network) -> Setting {
    Setting { network, routing: Routing::Sticky, ..setting(nodes) }
}

#[test]
fn every_engine_sees_the_same_states() {
    let lww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
    let (pair, two) = (calm(2, Network::Unordered), calm(2, Network::Fifo));
    let three = calm(3, Network::Fifo);
    agrees_with_the_dumb_twin(&lww, &pair, &SCRIPTS);
    agrees_with_the_dumb_twin(&lww, &three, &SCRIPTS);
    agrees_with_the_dumb_twin(&AsyncPrimary, &three, &SCRIPTS);
    agrees_with_the_dumb_twin(&AsyncPrimary, &two, &SCRIPTS);
    for reads in [Reads::Primary, Reads::Local] {
        agrees_with_the_dumb_twin(&PrimaryBackup { reads }, &three, &SCRIPTS);
    }
    for variant in [Variant::AsWritten, Variant::Storing, Variant::WrongKey] {
        agrees_with_the_dumb_twin(&Notebook { variant }, &pair, &SCRIPTS);
    }
}

#[test]
fn every_engine_sees_the_same_faults() {
    let lww = |clock| MultiPrimaryLww { clock, anti_entropy: false };
    for kind in FaultKind::ALL {
        for network in [Network::Fifo, Network::Unordered] {
            let faults = FaultPlan { budget: Faults::NONE.with(kind, 1), ..FaultPlan::default() };
            let setting = Setting { faults, ..calm(2, network) };
            agrees_with_the_dumb_twin(&lww(Clock::Lamport), &setting, &["wx1|wx2", "wx1 rx|rx"]);
            agrees_with_the_dumb_twin(&AsyncPrimary, &setting, &["wx1|wx2", "wx1 rx|rx"]);
            let backup = PrimaryBackup { reads: Reads::Primary };
            agrees_with_the_dumb_twin(&backup, &setting, &["wx1|rx"]);
        }
    }
    let skewed =
        FaultPlan { budget: Faults::NONE.with(FaultKind::Skew, 1), ..FaultPlan::default() };
    let setting = Setting { faults: skewed, ..calm(2, Network::Unordered) };
    agrees_with_the_dumb_twin(&lww(Clock::Wall), &setting, &["wx1|wx2", "wx1 rx|rx"]);
}

const SMALL: Open = Open { sessions: 2, writes: 2, reads: 1, keys: 1, patient: false };

fn prove(name: &str, setting: &Setting, properties: &[Property], reduce: Reduce) -> Vec<Decision> {
    let subjects = Registry::standard().parse(name).expect("it is registered");
    let plan = HuntPlan {
        setting: setting.clone(),
        scopes: vec![SMALL],
        menu: Menu::register(),
        datatype: &Register,
        properties: properties.to_vec(),
        reduce,
        limits: Limits::default(),
        enough: None,
        jobs: 2,
    };
    let hunt = hunt(&*subjects[0], &plan, &|_| false);
    hunt.found.into_iter().map(|(_, outcome)| outcome).collect()
}

fn flaw(outcome: &Decision) -> Option<Flaw> {
    match outcome {
        Decision::Violated(finding) => Some(finding.failing.flaw),
        Decision::Proved(proofs, doubts) => {
            assert_eq!(*doubts, []);
            assert!(proofs.iter().all(|proof| proof.looked_at > 0), "something was looked at");
            None
        }
        other => panic!("undecided: {other:?}"),
    }
}

#[test]
fn a_crossing_of_two_writes_is_found_as_the_shortest_story() {
    let pair = calm(2, Network::Unordered);
    let eventual = [Property::Model(Model::EVENTUAL)];
    let outcomes = prove("notebook:storing", &pair, &eventual, Reduce::NONE);
    assert_eq!(flaw(&outcomes[0]), Some(Flaw::History(Kind::Diverged)));
    let Decision::Violated(finding) = &outcomes[0] else { panic!("it is violated") };
    assert_eq!(finding.failing.run.schedule.len(), 4);
    assert_eq!(finding.failing.chosen().len(), 2, "two writes are chosen, the rest settles");
}

#[test]
fn a_strategy_that_reacts_is_searched_without_macro_steps_and_that_is_said() {
    let plan = Plan {
        tracks: HISTORY,
        ..plan(Work::Open(SMALL, Menu::register()), Reduce { macro_steps: true, ..Reduce::NONE }, 1)
    };
    let backup = PrimaryBackup { reads: Reads::Primary };
    let setting = calm(2, Network::Fifo);
    let found = explore(&backup, &setting, &plan, 0, &mut |_| 0).expect("it is covered");
    assert_eq!(found.reduce, Reduce::NONE);
    assert_eq!(found.declined.len(), 1, "{:?}", found.declined);
}

#[test]
fn an_echo_is_never_quiet() {
    let pair = calm(2, Network::Unordered);
    let eventual = [Property::Model(Model::EVENTUAL)];
    let outcomes = prove("notebook:echo", &pair, &eventual, Reduce::ALL);
    assert_eq!(flaw(&outcomes[0]), Some(Flaw::NeverQuiet));
}

#[test]
fn a_write_that_only_its_node_has_is_lost_and_the_search_says_so_first() {
    let drop = Faults::NONE.with(FaultKind::Drop, 1);
    let faults = FaultPlan { budget: drop, ..FaultPlan::default() };
    let lossy = Setting { faults, ..calm(2, Network::Unordered) };
    let durable = [Property::Durable];
    let outcomes = prove("multi-primary-lww", &lossy, &durable, Reduce::ALL);
    assert_eq!(flaw(&outcomes[0]), Some(Flaw::LostWrite));
    let Decision::Violated(finding) = &outcomes[0] else { panic!("it is violated") };
    assert_eq!(finding.failing.run.schedule.len(), 2, "a write, and the loss of its message");
    for (name, network) in [
        ("multi-primary-lww", Network::Unordered),
        ("primary-backup", Network::Fifo),
        ("async-primary", Network::Fifo),
    ] {
        let kept = prove(name, &calm(2, network), &durable, Reduce::ALL);
        assert_eq!(flaw(&kept[0]), None, "{name}");
    }
}

#[test]
fn nodes_with_the_same_writes_must_answer_alike_in_every_state() {
    let pair = calm(2, Network::Unordered);
    let strong = [Property::StrongConvergence];
    let storing = prove("notebook:storing", &pair, &strong, Reduce::ALL);
    assert_eq!(flaw(&storing[0]), Some(Flaw::Disagreed));
    let Decision::Violated(finding) = &storing[0] else { panic!("it is violated") };
    assert_eq!(finding.failing.run.schedule.len(), 4);
    let lww = prove("multi-primary-lww", &pair, &strong, Reduce::ALL);
    assert_eq!(flaw(&lww[0]), None);
}

/// The numbers of distinct states and of transitions of a strategy within a
/// scope, on this many threads.
fn states_of(name: &str, setting: &Setting, patient: bool, jobs: usize) -> (u64, u64) {
    let subjects = Registry::standard().parse(name).expect("it is registered");
    let open = Open { sessions: 2, writes: 1, reads: 1, keys: 1, patient };
    let plan =
        Plan { tracks: HISTORY, ..plan(Work::Open(open, Menu::register()), Reduce::NONE, jobs) };
    let found = explore(&*subjects[0], setting, &plan, 0, &mut |_| 0).expect("it is covered");
    assert_eq!(found.ending, Ending::Complete, "{name}");
    (found.states, found.transitions)
}

#[test]
fn every_strategy_has_its_golden_state_counts_on_any_number_of_threads() {
    let one = |kind: &str| {
        let kind = FaultKind::named(kind).expect("a kind");
        let budget = Faults::NONE.with(kind, 1);
        FaultPlan { budget, ..FaultPlan::default() }
    };
    let faulty = |kind, network| Setting { faults: one(kind), ..calm(3, network) };
    let (fifo, unordered) = (calm(3, Network::Fifo), calm(3, Network::Unordered));
    let mut counts = Vec::new();
    for (name, setting, patient) in [
        ("async-primary", fifo.clone(), false),
        ("primary-backup", fifo, false),
        ("primary-backup", faulty("crash", Network::Fifo), false),
        ("multi-primary-lww", unordered.clone(), false),
        ("multi-primary-lww", faulty("duplicate", Network::Unordered), false),
        ("multi-primary-lww:clock=wall", faulty("skew", Network::Unordered), false),
        ("multi-primary-lww:anti-entropy=on", faulty("drop", Network::Unordered), false),
        ("abd:write-back=never", unordered, true),
    ] {
        let found = states_of(name, &setting, patient, 1);
        assert_eq!(found, states_of(name, &setting, patient, 3), "{name} on three threads");
        counts.push(found.0);
    }
    assert_eq!(counts, [227, 485, 19_451, 199, 733, 2_977, 32_695, 32_017]);
}

/// Nodes that ignore messages. A write at n1 is visible at once, and sends four
/// useless messages to n2. At n2 only the second write becomes visible, and
/// nothing is sent.
#[derive(Clone, Debug)]
struct Uneven;

impl Strategy for Uneven {
    type Replica = (NodeId, u8);
    type Message = u8;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("uneven")
    }

    fn boot(&self, node: NodeId, _: &Cluster) -> (NodeId, u8) {
        (node, 0)
    }

    fn step(
        &self,
        (me, writes): &mut (NodeId, u8),
        input: Input<Self>,
        effects: &mut Effects<Self>,
    ) {
        let Input::Request { operation, call, .. } = input else { return };
        let loud = *me == NodeId(0);
        if call.is_write() {
            *writes += 1;
            (0..4).filter(|_| loud).for_each(|number| effects.send(NodeId(1), number));
        }
        let seen = *writes >= if loud { 1 } else { 2 };
        let answer = if call.is_read() && seen { Value::Int(1) } else { Value::Null };
        effects.reply(operation, Completion::Ok(answer));
    }

    fn durable(&self, replica: &(NodeId, u8)) -> (NodeId, u8) {
        *replica
    }

    fn label(&self, number: &u8) -> String {
        number.to_string()
    }
}

#[test]
fn what_is_sent_and_not_yet_delivered_counts_for_the_shortest_story() {
    // One write and four deliveries, or two writes and no delivery.
    for reduce in reductions() {
        let plan = plan(Work::Scripted("wx1|wx2 wx3".parse().expect("a workload")), reduce, 1);
        let mut judge = agree;
        let found = explore(&Uneven, &setting(2), &plan, 1, &mut judge).expect("it is covered");
        assert_eq!(found.found[0].stem.len(), 2, "with {reduce}");
    }
}

/// A hunt for these properties, up to a scope that is too large.
fn climb(properties: Vec<Property>) -> (Box<dyn Subject>, HuntPlan) {
    let subject = Registry::standard().parse("async-primary").expect("it exists").remove(0);
    let largest = Open { sessions: 3, writes: 3, reads: 2, keys: 1, patient: false };
    let plan = HuntPlan {
        setting: calm(3, Network::Fifo),
        scopes: up_to(largest),
        menu: Menu::register(),
        datatype: &Register,
        properties,
        reduce: Reduce::ALL,
        limits: Limits { states: 5_000, ..Limits::default() },
        enough: None,
        jobs: 1,
    };
    (subject, plan)
}

#[test]
fn what_ends_at_a_limit_keeps_what_was_proved_before_and_says_where_it_ended() {
    let (subject, plan) = climb(vec![Property::Model(Model::EVENTUAL)]);
    let found = hunt(&*subject, &plan, &|_| false).found;
    let Decision::Proved(proofs, doubts) = &found[0].1 else { panic!("{found:?}") };
    let [Doubt::Bounded { scope, bound: Bound::States, states, actions }] = doubts.as_slice()
    else {
        panic!("{doubts:?}")
    };
    assert_eq!(proofs.len(), 1);
    let rung = |scope: &Open| plan.scopes.iter().position(|rung| rung == scope);
    assert_eq!(rung(&proofs[0].scope).map(|rung| rung + 1), rung(scope), "the next one");
    assert!(*states > 5_000 && proofs[0].states <= 5_000 && *actions > 0);
}

#[test]
fn after_enough_states_no_larger_scope_is_begun_unless_a_violation_is_sought() {
    let [eventual, kept, broken] =
        [Model::EVENTUAL, Model::MONOTONIC_READS, Model::READ_YOUR_WRITES].map(Property::Model);
    // Whether the scope is the smallest one, and how the search for `eventual` ended.
    let ended = |also: &[&Property], sought: &[&Property]| {
        let properties = [&eventual].into_iter().chain(also.iter().copied()).cloned();
        let (subject, plan) = climb(properties.collect());
        let sought = sought.iter().copied().cloned().collect();
        let plan = HuntPlan { enough: Some(Enough { states: 1, sought }), ..plan };
        let found = hunt(&*subject, &plan, &|_| false).found;
        let Decision::Proved(proofs, doubts) = &found[0].1 else { panic!("{found:?}") };
        let [proof] = proofs.as_slice() else { panic!("{proofs:?}") };
        match doubts.as_slice() {
            [Doubt::NotBegun { scope, before }] => {
                assert_eq!(*before, proof.states);
                let rung = plan.scopes.iter().position(|rung| *rung == proof.scope);
                let next = rung.map(|rung| plan.scopes[rung + 1]);
                assert_eq!(next, Some(*scope));
                (rung == Some(0), true)
            }
            [Doubt::Bounded { .. }] => (false, false),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ended(&[], &[]), (true, true));
    assert_eq!(ended(&[&kept], &[]), (true, true));
    assert_eq!(ended(&[&broken], &[&broken]), (true, true), "it is sought and found at once");
    assert_eq!(ended(&[&kept], &[&kept]), (false, false), "it is sought and never found");
}

#[test]
fn a_part_that_is_told_to_stop_takes_nothing_from_the_next() {
    let (eventual, linearizable) =
        (Property::Model(Model::EVENTUAL), Property::Model(Model::Linearizable));
    let (subject, plan) = climb(vec![eventual, linearizable]);
    for stopped in 0..2 {
        let hunt = hunt(&*subject, &plan, &|stage| {
            assert_eq!(stage.parts, 2, "real time is remembered apart");
            stage.part == stopped
        });
        assert!(hunt.coverage.stopped);
        for (part, (property, outcome)) in (0..).zip(&hunt.found) {
            match outcome {
                Decision::Unknown(doubts) if part == stopped => assert!(
                    matches!(doubts[..], [Doubt::Bounded { bound: Bound::Stopped, .. }]),
                    "{doubts:?}"
                ),
                Decision::Proved(..) | Decision::Violated(_) if part != stopped => {}
                other => panic!("{property}: {other:?}"),
            }
        }
    }
}
