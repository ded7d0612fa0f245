//! Strategies on real threads: every outcome on threads is an outcome of the
//! world, and no strategy can make a cluster hang.

mod case;
mod random;
mod unruly;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{panic, thread};

use quiescence::history::{Call, Completion, NodeId, Value};
use quiescence::hunt::Subject;
use quiescence::hunt::case::words::sentence;
use quiescence::hunt::property::{Flaw, Property, judge};
use quiescence::judgement::Kind;
use quiescence::judgement::datatype::Register;
use quiescence::replication::OperationId;
use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use quiescence::search::enumerate::{Outcome, outcomes};
use quiescence::threads::live::{self, Live};
use quiescence::threads::{CutShort, Departure, Heard, ThreadRun, locks, mailbox, nested};
use quiescence::world::trace::{Happening, trace};
use quiescence::world::{Ending, FaultPlan, Network, Routing, Run, SessionId, Setting, Workload};
use unruly::Unruly;

const LWW: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
const PRIMARY_BACKUP: PrimaryBackup = PrimaryBackup { reads: Reads::Local };

fn cluster(nodes: u16) -> Setting {
    let faults = FaultPlan::default();
    Setting { nodes, network: Network::Fifo, faults, routing: Routing::Sticky }
}

fn scripts(text: &str) -> Workload {
    text.parse().expect("the text is in the notation")
}

fn write(value: i64) -> Call {
    Call::write("x", value)
}

fn read() -> Call {
    Call::read("x")
}

/// Runs many times. Asserts that every outcome is one of the world's.
#[track_caller]
fn stays_within_the_world(strategy: &dyn Subject, calls: &str) {
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
    println!("{}: {} of {} outcomes", strategy.strategy_name(), reached.len(), world.len());
}

#[test]
fn lww_on_threads_stays_within_the_world() {
    in_time(|| {
        stays_within_the_world(&LWW, "wx1 rx|wx2 rx");
    });
}

#[test]
fn primary_backup_on_threads_stays_within_the_world() {
    in_time(|| {
        stays_within_the_world(&PRIMARY_BACKUP, "wx1 rx|wx2 rx");
    });
}

#[test]
fn lww_by_the_clock_on_threads_reads_the_clock_of_its_record() {
    in_time(|| {
        let wall = MultiPrimaryLww { clock: Clock::Wall, anti_entropy: false };
        stays_within_the_world(&wall, "wx1 rx|wx2");
    });
}

#[test]
fn a_strategy_that_is_never_quiet_is_cut_short_and_its_replay_is_never_quiet() {
    in_time(|| {
        let echo = Notebook { variant: Variant::Echo };
        let recorded = mailbox::run(&echo, &cluster(2), &scripts("wx1|"));
        assert_eq!(recorded.cut_short, Some(CutShort::Full(mailbox::EVENTS_MAX)));
        assert_eq!(recorded.schedule.len(), mailbox::EVENTS_MAX);
        let run = recorded.replay(&echo).expect("the world follows");
        assert!(matches!(run.ending, Ending::NeverQuiet { .. }), "{:?}", run.ending);
    });
}

/// Does this on a thread of its own, so that a cluster that waits for ever
/// fails its test and does not block it.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    let worker = thread::spawn(move || drop(done.send(work())));
    match outcome.recv_timeout(Duration::from_secs(60)) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("threads wait for ever"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            panic::resume_unwind(worker.join().expect_err("it sent nothing"))
        }
    }
}

/// Runs on threads, then replays in the world. The record and the run.
#[track_caller]
fn recorded(strategy: Unruly, setting: &Setting, workload: &Workload) -> (ThreadRun, Run) {
    let (setting, workload) = (setting.clone(), workload.clone());
    let recorded = in_time(move || mailbox::run(&strategy, &setting, &workload));
    let run = recorded.replay(&strategy).unwrap_or_else(|why| panic!("{why}"));
    (recorded, run)
}

fn operation(session: u16, number: u16) -> OperationId {
    OperationId { session, number }
}

fn int(value: i64) -> Completion {
    Completion::Ok(Value::Int(value))
}

#[test]
fn a_handler_that_panics_ends_the_record_and_hangs_nobody() {
    let calls = "wx1 wx2|wx3";
    for (strategy, why) in [
        (Unruly::Panics, "on purpose"),
        (Unruly::PanicsFirst, "on purpose"),
        (Unruly::Astray, "a message was sent to n8, which does not exist"),
    ] {
        let (recorded, run) = recorded(strategy, &cluster(2), &scripts(calls));
        assert_eq!(recorded.cut_short, Some(CutShort::Panicked(why.to_owned())));
        assert!(recorded.answers.is_empty());
        assert_eq!(run.ending, Ending::Panicked(why.to_owned()));
    }
}

#[test]
fn a_client_that_nobody_answers_waits_no_longer_than_anything_can_happen() {
    let calls = "wx1 wx2|rx";
    let (recorded, _) = recorded(Unruly::Silent, &cluster(2), &scripts(calls));
    assert!(recorded.answers.is_empty() && recorded.cut_short.is_none());
    assert_eq!(recorded.schedule.len(), 2, "nobody asks again before an answer");
}

#[test]
fn an_operation_that_its_node_refuses_is_passed_over() {
    let mut workload = scripts("rx rx rx");
    workload.sessions[0].operations[1].node = Some(N2);
    let setting = Setting { routing: Routing::Roaming, ..cluster(2) };
    let (recorded, _) = recorded(Unruly::Refuses, &setting, &workload);
    let asked: Vec<_> = recorded.answers.keys().copied().collect();
    assert_eq!(asked, [operation(0, 0), operation(0, 2)]);
    let nested = in_time(move || nested::run(&Unruly::Refuses, &setting, &workload));
    assert_eq!(nested.answers.keys().copied().collect::<Vec<_>>(), asked);
}

#[test]
fn a_session_hands_its_token_on_and_loses_it_with_an_unknown_outcome() {
    let workload = scripts("rx rx wx1 rx rx");
    let [mut forgets, mut keeps] = [cluster(1), cluster(1)];
    (forgets.faults.keep_token, keeps.faults.keep_token) = (false, true);
    for (setting, tokens) in [(forgets, [0, 1, 0, 1]), (keeps, [0, 1, 3, 4])] {
        let [a, b, c, d] = tokens.map(int);
        let wanted = [a, b, Completion::Info, c, d];
        let (recorded, _) = recorded(Unruly::Counts, &setting, &workload);
        assert_eq!(recorded.answers.into_values().collect::<Vec<_>>(), wanted);
        let workload = workload.clone();
        let nested = in_time(move || nested::run(&Unruly::Counts, &setting, &workload));
        assert_eq!(nested.answers.into_values().collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn a_node_may_send_to_itself_on_every_transport() {
    let workload = scripts("rx rx");
    for (strategy, told) in [(Unruly::Itself, [0, 0]), (Unruly::InOrder, [1, 2])] {
        let (recorded, _) = recorded(strategy, &cluster(2), &workload);
        let wanted = told.map(int);
        assert_eq!(recorded.answers.into_values().collect::<Vec<_>>(), wanted);
        let workload = workload.clone();
        let nested = in_time(move || nested::run(&strategy, &cluster(2), &workload));
        assert_eq!(nested.answers.into_values().collect::<Vec<_>>(), wanted);
        assert_eq!(nested.ending, nested::Ending::Done);
    }
}

#[test]
fn a_node_that_sends_to_itself_for_ever_ends_the_record() {
    let workload = scripts("rx|rx");
    let (recorded, run) = recorded(Unruly::Forever, &cluster(2), &workload);
    assert_eq!(recorded.cut_short, Some(CutShort::Full(mailbox::EVENTS_MAX)));
    assert!(matches!(run.ending, Ending::NeverQuiet { .. }), "{:?}", run.ending);
    let nested = in_time(move || nested::run(&Unruly::Forever, &cluster(2), &workload));
    let full = CutShort::Full(nested::STEPS_MAX);
    assert_eq!((nested.ending, nested.answers.len()), (nested::Ending::CutShort(full), 0));
}

#[test]
fn one_client_of_the_synchronous_notebook_is_answered() {
    let storing = Notebook { variant: Variant::Storing };
    let workload = scripts("wx1 rx");
    let nested = in_time(move || nested::run(&storing, &cluster(2), &workload));
    let answers: Vec<_> = nested.answers.into_values().collect();
    assert_eq!(answers, [Completion::Ok(Value::Null), int(1)]);
    let lines: Vec<_> = nested.record.iter().map(ToString::to_string).collect();
    let lines = lines.join("\n");
    assert!(lines.contains("c1 has n1\nc1 wants n2\nc1 has n2\nc1 leaves n2\nc1 leaves n1"));
    assert_eq!((nested.ending, locks::deadlock(&nested.record)), (nested::Ending::Done, None));
}

#[test]
fn a_call_that_comes_back_is_a_deadlock_and_ends() {
    let echo = Notebook { variant: Variant::Echo };
    let workload = scripts("wx1|rx");
    let nested = in_time(move || nested::run(&echo, &cluster(2), &workload));
    let nested::Ending::Deadlock(deadlock) = nested.ending else { panic!("{nested:?}") };
    assert_eq!(deadlock.to_string(), "c1 holds n1 and n2 and waits for n1");
}

#[test]
fn a_handler_that_panics_ends_a_run_of_nested_calls() {
    for (strategy, why) in [
        (Unruly::Panics, "on purpose"),
        (Unruly::Astray, "a message was sent to n8, which does not exist"),
    ] {
        let workload = scripts("wx1|wx2");
        let nested = in_time(move || nested::run(&strategy, &cluster(2), &workload));
        let panicked = CutShort::Panicked(why.to_owned());
        assert_eq!(nested.ending, nested::Ending::CutShort(panicked));
    }
}

#[test]
fn a_replay_departs_from_a_record_that_tells_something_else() {
    let workload = scripts("rx rx");
    let (honest, _) = recorded(Unruly::Forwards, &cluster(2), &workload);
    let departs = |change: &dyn Fn(&mut ThreadRun)| {
        let mut recorded = honest.clone();
        change(&mut recorded);
        recorded.replay(&Unruly::Forwards).err()
    };
    let first = operation(0, 0);
    let answer = |threads: Option<i64>, world: Option<i64>| {
        let (threads, world) = (threads.map(int), world.map(int));
        Some(Departure::Answer { operation: first, threads, world })
    };
    assert_eq!(departs(&|_| ()), None);
    let other = |run: &mut ThreadRun| drop(run.answers.insert(first, int(7)));
    assert_eq!(departs(&other), answer(Some(7), Some(0)));
    assert_eq!(departs(&|run| drop(run.answers.remove(&first))), answer(None, Some(0)));
    let too_early = |run: &mut ThreadRun| run.schedule.truncate(1);
    assert_eq!(departs(&too_early), answer(Some(0), None));
    let ends = |change: &dyn Fn(&mut ThreadRun)| match departs(change) {
        Some(Departure::End { world, .. }) => world,
        other => panic!("{other:?}"),
    };
    let quiet = "nothing can happen any more";
    assert_eq!(ends(&|run| run.cut_short = Some(CutShort::Panicked("never".into()))), quiet);
    assert_eq!(ends(&|run| run.cut_short = Some(CutShort::Full(7))), quiet);
    let asks_no_more = |run: &mut ThreadRun| {
        run.schedule.truncate(2);
        run.answers.retain(|operation, _| *operation == first);
    };
    assert!(ends(&asks_no_more).ends_with("can still happen"));
    let does_not_deliver = |run: &mut ThreadRun| {
        run.schedule.truncate(3);
        run.answers.retain(|operation, _| *operation == first);
    };
    assert!(ends(&does_not_deliver).starts_with("Deliver"));
    let twice = |run: &mut ThreadRun| run.schedule.insert(0, run.schedule[0]);
    assert!(matches!(departs(&twice), Some(Departure::Event { event: 2, .. })));
    let panics =
        ThreadRun { cut_short: None, ..recorded(Unruly::Panics, &cluster(2), &workload).0 };
    let departure = panics.replay(&Unruly::Panics).expect_err("the world panics");
    assert_eq!(
        departure.to_string(),
        "the record ends because nothing can happen any more; \
         in the world the handler of event 2 panics: on purpose"
    );
}

/// A live cluster of `subject`, and the events that its observer receives.
fn live(subject: &dyn Subject, events_max: usize) -> (Box<dyn Live>, Arc<Mutex<Vec<Happening>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let observer = move |event: &Happening| told.lock().expect("nobody panics").push(event.clone());
    (live::start(subject, &cluster(2), events_max, Box::new(observer)), events)
}

const A: SessionId = SessionId(0);
const B: SessionId = SessionId(1);
const N1: NodeId = NodeId(0);
const N2: NodeId = NodeId(1);

#[test]
fn the_experiment_of_the_notebook_runs_live_and_is_judged() {
    in_time(|| {
        let subject: &dyn Subject = &Notebook { variant: Variant::AsWritten };
        let (live, events) = live(subject, 1_000);
        assert_eq!(live.invoke(A, N1, write(1)), Heard::Answer(Completion::Ok(Value::Null)));
        assert_eq!(live.invoke(B, N1, read()), Heard::Answer(int(1)));
        assert_eq!(live.invoke(B, N2, read()), Heard::Answer(Completion::Ok(Value::Null)));
        assert_eq!(
            live.invoke(A, N1, Call::write("y", 2)),
            Heard::Answer(Completion::Ok(Value::Null))
        );
        let recorded = live.stop();
        assert_eq!(recorded.workload.len(), 4);
        assert_eq!(recorded.setting.routing, Routing::Roaming);
        let run = recorded.replay(subject).expect("the world follows");
        let events = events.lock().expect("nobody panics");
        assert_eq!(events.len(), recorded.schedule.len());
        assert_eq!(sentence(&events[0]).text(), "A writes x=1 at n1: ok");
        let flaw = |name: &str| {
            let property: Property = name.parse().expect("the name of a model");
            judge(&run, &property, &Register).flaw()
        };
        assert_eq!(flaw("eventual"), Some(Flaw::History(Kind::Diverged)));
        assert!(flaw("mr").is_some(), "the reader went from x=1 to nothing");
        assert_eq!(flaw("ryw"), None);
    });
}

#[test]
fn what_an_observer_is_told_is_what_the_trace_of_the_replay_says() {
    in_time(|| {
        let anti_entropy = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: true };
        let subjects: [&dyn Subject; 3] = [&PRIMARY_BACKUP, &anti_entropy, &LWW];
        for subject in subjects {
            let (live, events) = live(subject, 1_000);
            live.invoke(A, N1, write(1));
            live.invoke(B, N2, write(2));
            live.fire_timers();
            live.invoke(B, N2, read());
            let recorded = live.stop();
            let run = recorded.replay(subject).expect("the world follows");
            let trace = trace(subject, &recorded.setting, &recorded.workload, &run.schedule);
            let world = trace.steps.into_iter().filter(|step| !step.step.settling);
            let world: Vec<_> = world.map(|step| step.happened).collect();
            let told = std::mem::take(&mut *events.lock().expect("nobody panics"));
            assert_eq!(told, world, "{}", subject.strategy_name());
        }
    });
}

#[test]
fn live_sessions_may_be_driven_by_threads_of_the_caller() {
    in_time(|| {
        for _ in 0..50 {
            let (live, _) = live(&LWW, 1_000);
            // Sessions are created in order, so both ask once before.
            live.invoke(A, N1, read());
            live.invoke(B, N2, read());
            std::thread::scope(|scope| {
                scope.spawn(|| (1..4).for_each(|value| drop(live.invoke(A, N1, write(value)))));
                scope.spawn(|| (5..8).for_each(|value| drop(live.invoke(B, N2, write(value)))));
            });
            let recorded = live.stop();
            assert_eq!(recorded.answers.len(), 8);
            let run = recorded.replay(&LWW).expect("the world follows");
            assert_eq!(judge(&run, &"eventual".parse().expect("a model"), &Register).flaw(), None);
        }
    });
}

#[test]
fn a_full_record_tells_its_clients_and_refuses() {
    let (live, _) = live(&Unruly::Forwards, 1);
    let (told, recorded) = in_time(move || {
        let told = [live.invoke(A, N1, write(1)), live.invoke(B, N1, write(2))];
        let again = live.invoke(A, N1, write(3));
        (told.into_iter().chain([again]).collect::<Vec<_>>(), live.stop())
    });
    assert_eq!(told, [Heard::Ended, Heard::Ended, Heard::Ended]);
    assert_eq!(recorded.cut_short, Some(CutShort::Full(1)));
    assert_eq!(recorded.workload.len(), 1, "what was refused was not asked");
    recorded.replay(&Unruly::Forwards).expect("the world follows");
}

#[test]
fn a_record_that_is_full_when_all_is_quiet_is_not_cut_short() {
    in_time(|| {
        let (live, _) = live(&Unruly::Forwards, 2);
        assert_eq!(live.invoke(A, N1, write(1)), Heard::Answer(int(0)));
        let recorded = live.stop();
        assert_eq!((recorded.schedule.len(), &recorded.cut_short), (2, &None));
        recorded.replay(&Unruly::Forwards).expect("the world follows");
    });
}

#[test]
fn a_live_session_without_an_answer_waits_and_asks_nothing() {
    let (live, _) = live(&Unruly::Silent, 100);
    let (told, events, recorded) = in_time(move || {
        let told = [live.invoke(A, N1, write(1)), live.invoke(A, N2, write(2))];
        (told, live.events(), live.stop())
    });
    assert_eq!(told, [Heard::Waits, Heard::Waits]);
    assert_eq!((events, recorded.workload.len()), (1, 1));
    recorded.replay(&Unruly::Silent).expect("the world follows");
}

/// What sessions heard, the record, and its replay.
type Told = (Vec<Heard>, ThreadRun, Run);

/// Runs `ask` on a live cluster, stops it, and replays the record.
fn asks_live(strategy: Unruly, ask: impl FnOnce(&dyn Live) -> Vec<Heard> + Send + 'static) -> Told {
    let (live, _) = live(&strategy, 100);
    let (told, recorded) = in_time(move || (ask(&*live), live.stop()));
    let run = recorded.replay(&strategy).unwrap_or_else(|why| panic!("{why}"));
    (told, recorded, run)
}

#[test]
fn a_live_session_is_answered_by_a_timer_and_goes_on() {
    let (told, recorded, run) = asks_live(Unruly::ByTimer, |live| {
        let told = vec![live.invoke(A, N1, write(1))];
        live.fire_timers();
        told.into_iter().chain([live.invoke(A, N1, write(2))]).collect()
    });
    assert_eq!(told, [Heard::Waits, Heard::Waits]);
    assert_eq!(recorded.answers, BTreeMap::from([(operation(0, 0), int(0))]));
    assert_eq!(recorded.schedule.len(), 3, "the second write was asked");
    let judged = run.history.operations().iter().take(2);
    let judged: Vec<_> = judged.map(|operation| operation.completion.clone()).collect();
    assert_eq!(judged, [int(0), int(0)], "settling answers the second");
}

#[test]
fn a_live_session_is_answered_by_the_operation_of_another() {
    let (told, recorded, _) = asks_live(Unruly::ByTheNext, |live| {
        let ask = |session| live.invoke(session, N1, write(1));
        [A, A, B, A].into_iter().map(ask).collect()
    });
    assert_eq!(told, [Heard::Waits, Heard::Waits, Heard::Waits, Heard::Waits]);
    let answered: Vec<_> = recorded.answers.keys().copied().collect();
    assert_eq!(answered, [operation(0, 0), operation(1, 0)]);
    assert_eq!(recorded.schedule.len(), 3, "A, B, and A again once it was answered");
}

#[test]
fn a_message_that_cannot_be_told_in_words_hangs_nobody() {
    let (told, ..) = asks_live(Unruly::Unspeakable, |live| vec![live.invoke(A, N1, read())]);
    assert_eq!(told, [Heard::Answer(int(0))]);
}

#[test]
fn a_live_session_that_is_refused_goes_on() {
    let (told, recorded, _) = asks_live(Unruly::Refuses, |live| {
        [N2, N1, N2, N1].into_iter().map(|node| live.invoke(A, node, read())).collect()
    });
    let answer = Heard::Answer(int(0));
    assert_eq!(told, [Heard::Refused, answer.clone(), Heard::Refused, answer]);
    assert_eq!(recorded.workload.len(), 2);
}

#[test]
fn an_observer_that_panics_hangs_nobody() {
    in_time(|| {
        let live = live::start(&LWW, &cluster(2), 100, Box::new(|_| panic!("on purpose")));
        assert_eq!(live.invoke(A, N1, write(1)), Heard::Answer(Completion::Ok(Value::Null)));
        assert_eq!(live.stop().schedule.len(), 2);
    });
}
