//! What a cluster of threads should survive, in every interleaving: clients
//! that are not answered, or late; panics; full records; tokens; calls that are
//! refused; clocks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use quiescence::history::{Call, NodeId};
use quiescence::threads::live::{self, Live};
use quiescence::threads::{CutShort, Heard, ThreadRun};
use quiescence::world::{Ending, SessionId, Workload};

use super::explore::{builder, cluster, explore, scripts};
use super::outcomes::reaches;
use super::unruly::Unruly;

const A: SessionId = SessionId(0);
const B: SessionId = SessionId(1);
const N1: NodeId = NodeId(0);
const N2: NodeId = NodeId(1);

#[test]
fn clients_that_nobody_answers_wait_no_longer_than_anything_can_happen() {
    let all = ["A Info, B Info; none none"];
    reaches(&Unruly::Silent, 2, "n1: wx1 rx | n2: rx", Some(3), &all);
}

#[test]
fn a_session_hands_its_token_on_and_loses_it_with_an_unknown_outcome() {
    let all = ["A 0 1, B Info 0; 0"];
    reaches(&Unruly::Counts, 1, "n1: rx rx | n1: wx1 rx", Some(3), &all);
}

#[test]
fn an_operation_that_its_node_refuses_is_passed_over() {
    reaches(&Unruly::Refuses, 2, "n1: rx rx@n2 rx | n2: rx", Some(3), &["A 0 0; 0"]);
}

#[test]
fn steps_that_read_clocks_are_told_the_time_of_their_record() {
    // Times are those of the record: the first event is at 1, and final reads are
    // all asked at that of the last.
    let all = ["A 100001, B 100002; 100002 100002", "A 100002, B 100001; 100002 100002"];
    reaches(&Unruly::Clock, 2, "n1: rx | n2: rx", Some(2), &all);
}

#[test]
fn a_panic_ends_the_record_and_sends_every_client_away() {
    let workload = scripts("n1: wx1 rx | n2: rx");
    let explored = explore(&Unruly::PanicsFirst, 2, &workload, Some(2));
    for (_, recorded) in &explored.runs {
        let run = recorded.replay(&Unruly::PanicsFirst).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(run.ending, Ending::Panicked("on purpose".to_owned()));
    }
}

/// Drives live clusters, one in each execution; in words, what sessions heard
/// and which operations the record answers.
fn explore_live(
    strategy: Unruly,
    events_max: usize,
    drive: fn(Box<dyn Live>) -> (Vec<Heard>, ThreadRun),
) -> BTreeSet<String> {
    let found = Arc::new(Mutex::new((0, BTreeSet::new())));
    let model = {
        let found = Arc::clone(&found);
        move || {
            let setting = cluster(2, &Workload::default());
            let (heard, recorded) =
                drive(live::start(&strategy, &setting, events_max, Box::new(|_| {})));
            recorded.replay(&strategy).unwrap_or_else(|why| panic!("{why}"));
            let heard = heard.iter().map(|heard| match heard {
                Heard::Answer(_) => "answer",
                Heard::Waits => "waits",
                Heard::Refused => "refused",
                Heard::Ended => "ended",
            });
            let heard = heard.collect::<Vec<_>>().join(" ");
            let end = match recorded.cut_short {
                None => "",
                Some(CutShort::Full(_)) => ", full",
                Some(CutShort::Panicked(_)) => ", panicked",
            };
            let told = format!("{heard}; {} answered{end}", recorded.answers.len());
            let mut found = found.lock().expect("nobody panics with it");
            found.0 += 1;
            found.1.insert(told);
        }
    };
    builder(Some(2)).check(model);
    let (executions, found) = std::mem::take(&mut *found.lock().expect("nobody panics with it"));
    println!("live, {strategy:?}: {executions} executions, BOUNDED (preemptions: 2)");
    found
}

/// Two sessions that ask at once, each on a thread.
fn two_ask(live: Box<dyn Live>) -> (Vec<Heard>, ThreadRun) {
    let live = Arc::new(live);
    // Sessions come into being in order.
    live.invoke(A, N2, Call::write("x", 0));
    live.invoke(B, N2, Call::write("x", 0));
    let other = {
        let live = Arc::clone(&live);
        loom::thread::spawn(move || live.invoke(B, N1, Call::write("x", 2)))
    };
    let a = live.invoke(A, N1, Call::write("x", 1));
    let b = other.join().expect("sessions do not panic");
    let live = Arc::try_unwrap(live).unwrap_or_else(|_| unreachable!("the other has ended"));
    (vec![a, b], live.stop())
}

#[test]
fn a_full_record_sends_live_sessions_away() {
    let found = explore_live(Unruly::Forwards, 1, |live| {
        (
            vec![live.invoke(A, N1, Call::read("x")), live.invoke(B, N1, Call::read("x"))],
            live.stop(),
        )
    });
    assert_eq!(found, BTreeSet::from(["ended ended; 0 answered, full".to_owned()]));
}

#[test]
fn live_sessions_that_ask_at_once_are_answered_both() {
    let found = explore_live(Unruly::Forwards, 100, two_ask);
    assert_eq!(found, BTreeSet::from(["answer answer; 4 answered".to_owned()]));
}

#[test]
fn a_live_session_waits_until_a_timer_answers_it_and_goes_on() {
    let found = explore_live(Unruly::ByTimer, 100, |live| {
        let live = Arc::new(live);
        let clock = {
            let live = Arc::clone(&live);
            loom::thread::spawn(move || live.fire_timers())
        };
        let ask = |value| live.invoke(A, N1, Call::write("x", value));
        let heard = vec![ask(1), ask(2)];
        clock.join().expect("timers do not panic");
        let live = Arc::try_unwrap(live).unwrap_or_else(|_| unreachable!("the clock has ended"));
        live.fire_timers();
        (heard, live.stop())
    });
    // The timer fires before the first is asked or after both; or in between,
    // before the client of the first has gone or after: then the second is
    // asked too.
    let all = ["answer waits; 2 answered", "waits waits; 1 answered", "waits waits; 2 answered"];
    assert_eq!(found, all.map(str::to_owned).into());
}

#[test]
fn a_live_session_is_answered_when_another_one_asks() {
    let found = explore_live(Unruly::ByTheNext, 100, |live| {
        let live = Arc::new(live);
        let other = {
            let live = Arc::clone(&live);
            loom::thread::spawn(move || live.invoke(A, N1, Call::write("x", 1)))
        };
        let a = other.join().expect("sessions do not panic");
        let b = live.invoke(B, N1, Call::write("x", 2));
        let live = Arc::try_unwrap(live).unwrap_or_else(|_| unreachable!("the other has ended"));
        (vec![a, b], live.stop())
    });
    assert_eq!(found, BTreeSet::from(["waits waits; 1 answered".to_owned()]));
}
