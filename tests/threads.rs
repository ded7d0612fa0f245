//! Strategies on real threads: what they do is among what the world does, and
//! nothing that a strategy does can hang a cluster.
#![cfg(not(loom))]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::hunt::Subject;
use quiescence::hunt::property::{Flaw, Property, judge};
use quiescence::judgement::Kind;
use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use quiescence::replication::{Cluster, Effects, Input, OperationId, Strategy, StrategyName};
use quiescence::search::enumerate::{Outcome, outcomes};
use quiescence::threads::{CutShort, Event, locks, mailbox, nested};
use quiescence::world::{
    Action, Ending, FaultPlan, Network, Planned, Routing, Script, SessionId, Setting, Workload,
};

const LWW: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
const PRIMARY_BACKUP: PrimaryBackup = PrimaryBackup { reads: Reads::Local };

fn cluster(nodes: u16) -> Setting {
    let faults = FaultPlan::default();
    Setting { nodes, network: Network::Fifo, faults, routing: Routing::Sticky }
}

/// One script a client, each at a node of its own.
fn scripts(calls: &[&[Call]]) -> Workload {
    let planned = |call: &Call| Planned { call: call.clone(), node: None };
    let script = |(node, calls): (u16, &&[Call])| Script {
        node: NodeId(node),
        operations: calls.iter().map(planned).collect(),
    };
    Workload { sessions: (0..).zip(calls).map(script).collect() }
}

fn write(value: i64) -> Call {
    Call::write("x", value)
}

fn read() -> Call {
    Call::read("x")
}

/// Runs many times; every outcome is one of the world's.
#[track_caller]
fn stays_within_the_world<S: Strategy>(strategy: &S, calls: &[&[Call]]) {
    let (setting, workload) = (cluster(2), scripts(calls));
    let world = outcomes(strategy, &setting, &workload).expect("no handler panics");
    let mut reached = BTreeSet::new();
    for _ in 0..300 {
        let recorded = mailbox::run(strategy, &setting, &workload);
        assert_eq!(recorded.answers.len(), workload.len(), "everybody was answered");
        let run = recorded.replay(strategy).unwrap_or_else(|why| panic!("{why}"));
        let outcome = Outcome::of(&run, &workload);
        assert!(world.contains(&outcome), "on threads only: {outcome:?}, {recorded:?}");
        reached.insert(outcome);
    }
    println!("{}: {} of {} outcomes", strategy.name(), reached.len(), world.len());
}

#[test]
fn lww_on_threads_stays_within_the_world() {
    stays_within_the_world(&LWW, &[&[write(1), read()], &[write(2), read()]]);
}

#[test]
fn primary_backup_on_threads_stays_within_the_world() {
    stays_within_the_world(&PRIMARY_BACKUP, &[&[write(1), read()], &[write(2), read()]]);
}

#[test]
fn lww_by_the_clock_on_threads_reads_the_clock_of_its_record() {
    let wall = MultiPrimaryLww { clock: Clock::Wall, anti_entropy: false };
    stays_within_the_world(&wall, &[&[write(1), read()], &[write(2)]]);
}

#[test]
fn a_strategy_that_is_never_quiet_is_cut_short_and_its_replay_is_never_quiet() {
    let echo = Notebook { variant: Variant::Echo };
    let recorded = mailbox::run(&echo, &cluster(2), &scripts(&[&[write(1)], &[]]));
    assert_eq!(recorded.cut_short, Some(CutShort::Full(mailbox::EVENTS_MAX)));
    assert_eq!(recorded.schedule.len(), mailbox::EVENTS_MAX);
    let run = recorded.replay(&echo).expect("the world follows");
    assert!(matches!(run.ending, Ending::NeverQuiet { .. }), "{:?}", run.ending);
}

#[test]
fn one_client_of_the_synchronous_notebook_is_answered() {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = {
        let lines = Arc::clone(&lines);
        move |line: &str| lines.lock().expect("nobody panics").push_str(&format!("{line}\n"))
    };
    let storing = Notebook { variant: Variant::Storing };
    let answers =
        nested::run(&storing, &cluster(2), &scripts(&[&[write(1), read()]]), Arc::new(sink));
    assert_eq!(answers, [[Completion::Ok(Value::Null), Completion::Ok(Value::Int(1))]]);
    let lines = lines.lock().expect("nobody panics");
    assert!(lines.contains("c1 has n1\nc1 wants n2\nc1 has n2\nc1 leaves n2\nc1 leaves n1\n"));
    assert_eq!(locks::deadlock(&lines), Ok(None));
}

/// Does whatever a cluster should survive.
#[derive(Clone, Copy)]
enum Unruly {
    /// Sends a write on, and panics where it arrives.
    Panics,
    /// Never answers.
    Silent,
    /// Sends to a node that does not exist.
    Astray,
}

impl Strategy for Unruly {
    type Replica = ();
    type Message = ();
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("unruly")
    }

    fn boot(&self, _: NodeId, _: &Cluster) {}

    fn step(&self, (): &mut (), input: Input<Self>, effects: &mut Effects<Self>) {
        match (self, input) {
            (Unruly::Panics, Input::Request { .. }) => effects.send(NodeId(1), ()),
            (Unruly::Panics, Input::Receive { .. }) => panic!("on purpose"),
            (Unruly::Astray, Input::Request { .. }) => effects.send(NodeId(7), ()),
            _ => {}
        }
    }

    fn durable(&self, (): &()) {}

    fn label(&self, (): &()) -> String {
        "a word".to_owned()
    }
}

#[test]
fn a_handler_that_panics_ends_the_record_and_hangs_nobody() {
    let calls: &[&[Call]] = &[&[write(1), write(2)], &[write(3)]];
    for (strategy, why) in [
        (Unruly::Panics, "on purpose"),
        (Unruly::Astray, "a message was sent to n8, which does not exist"),
    ] {
        let recorded = mailbox::run(&strategy, &cluster(2), &scripts(calls));
        assert_eq!(recorded.cut_short, Some(CutShort::Panicked(why.to_owned())));
        let run = recorded.replay(&strategy).expect("the world follows");
        assert_eq!(run.ending, Ending::Panicked(why.to_owned()));
    }
}

#[test]
fn a_client_that_nobody_answers_waits_no_longer_than_anything_can_happen() {
    let calls: &[&[Call]] = &[&[write(1), write(2)], &[read()]];
    let recorded = mailbox::run(&Unruly::Silent, &cluster(2), &scripts(calls));
    assert!(recorded.answers.is_empty() && recorded.cut_short.is_none());
    assert_eq!(recorded.schedule.len(), 2, "nobody asks again before an answer");
    recorded.replay(&Unruly::Silent).expect("the world follows");
}

/// A live cluster of `subject` with what its observer is told.
fn live(
    subject: &dyn Subject,
    events_max: usize,
) -> (Box<dyn quiescence::threads::live::Live>, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let observer = move |event: &Event| told.lock().expect("nobody panics").push(event.clone());
    (subject.live(&cluster(2), events_max, Box::new(observer)), events)
}

const A: SessionId = SessionId(0);
const B: SessionId = SessionId(1);
const N1: NodeId = NodeId(0);
const N2: NodeId = NodeId(1);

#[test]
fn the_experiment_of_the_notebook_runs_live_and_is_judged() {
    let subject: &dyn Subject = &Notebook { variant: Variant::AsWritten };
    let (live, events) = live(subject, 1_000);
    assert_eq!(live.invoke(A, N1, write(1)), Some(Completion::Ok(Value::Null)));
    assert_eq!(live.invoke(B, N1, read()), Some(Completion::Ok(Value::Int(1))));
    assert_eq!(live.invoke(B, N2, read()), Some(Completion::Ok(Value::Null)));
    assert_eq!(live.invoke(A, N1, Call::write("y", 2)), Some(Completion::Ok(Value::Null)));
    let recorded = live.stop();
    assert_eq!(recorded.workload.len(), 4);
    assert_eq!(recorded.setting.routing, Routing::Roaming);
    let run = subject.replay_threads(&recorded).expect("the world follows");
    let events = events.lock().expect("nobody panics");
    assert_eq!(events.len(), recorded.schedule.len());
    assert_eq!(events[0].text, "A writes x=1 at n1: ok");
    let flaw = |name: &str| {
        let property: Property = name.parse().expect("the name of a model");
        judge(&run, &property).flaw()
    };
    assert_eq!(flaw("eventual"), Some(Flaw::History(Kind::Diverged)));
    assert!(flaw("mr").is_some(), "the reader went from x=1 to nothing");
    assert_eq!(flaw("ryw"), None);
}

#[test]
fn what_an_observer_is_told_is_what_the_trace_of_the_replay_says() {
    let anti_entropy = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: true };
    let subjects: [&dyn Subject; 3] = [&PRIMARY_BACKUP, &anti_entropy, &LWW];
    for subject in subjects {
        let (live, events) = live(subject, 1_000);
        live.invoke(A, N1, write(1));
        live.invoke(B, N2, write(2));
        live.fire_timers();
        live.invoke(B, N2, read());
        let recorded = live.stop();
        let run = subject.replay_threads(&recorded).expect("the world follows");
        let trace = subject.trace(&recorded.setting, &recorded.workload, &run.schedule);
        let world = trace.steps.into_iter().filter(|step| !step.settling);
        let world: Vec<_> = world.map(|step| (step.action, step.node, step.text)).collect();
        let events = std::mem::take(&mut *events.lock().expect("nobody panics"));
        let told: Vec<_> = events.into_iter().map(|e| (e.action, e.node, e.text)).collect();
        assert_eq!(told, world, "{}", subject.strategy_name());
    }
}

#[test]
fn live_sessions_may_be_driven_by_threads_of_the_caller() {
    for _ in 0..50 {
        let (live, _) = live(&LWW, 1_000);
        // Sessions come into being in order.
        live.invoke(A, N1, read());
        live.invoke(B, N2, read());
        std::thread::scope(|scope| {
            scope.spawn(|| (1..4).for_each(|value| drop(live.invoke(A, N1, write(value)))));
            scope.spawn(|| (5..8).for_each(|value| drop(live.invoke(B, N2, write(value)))));
        });
        let recorded = live.stop();
        assert_eq!(recorded.answers.len(), 8);
        let run = recorded.replay(&LWW).expect("the world follows");
        assert_eq!(judge(&run, &"eventual".parse().expect("a model")).flaw(), None);
    }
}

#[test]
fn a_live_session_without_an_answer_has_ended_and_a_full_record_refuses() {
    let (live_one, _) = live(&Unruly::Silent, 3);
    assert_eq!(live_one.invoke(A, N1, write(1)), None);
    assert_eq!(live_one.invoke(A, N1, write(2)), None);
    assert_eq!(live_one.events(), 1, "an ended session asks nothing");
    assert_eq!(live_one.invoke(B, N1, write(2)), None);
    assert_eq!(live_one.invoke(SessionId(2), N1, write(3)), None);
    assert_eq!(live_one.invoke(SessionId(3), N1, write(4)), None);
    let recorded = live_one.stop();
    assert_eq!(recorded.cut_short, Some(CutShort::Full(3)));
    assert_eq!(recorded.workload.len(), 3, "what was refused was not asked");
    assert!(matches!(recorded.schedule[..], [Action::Invoke(OperationId { session: 0, .. }), ..]));
    recorded.replay(&Unruly::Silent).expect("the world follows");
}

#[test]
fn an_observer_that_panics_hangs_nobody() {
    let live = Subject::live(&LWW, &cluster(2), 100, Box::new(|_| panic!("on purpose")));
    assert_eq!(live.invoke(A, N1, write(1)), Some(Completion::Ok(Value::Null)));
    assert_eq!(live.stop().schedule.len(), 2);
}
