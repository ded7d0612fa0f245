//! Compares live judging with judging the whole, on thousands of small
//! recordings, at every prefix of them, and with windows that are too small.

use quiescence::history::{Builder, Call, Event, History, Key, ProcessId, Value, notation};
use quiescence::judgement::live::{Live, NotLive, Violation};
use quiescence::judgement::{Budget, Model, Verdict, check, recheck};

use crate::dice::Dice;

/// A recording of a few overlapping operations with unique values, in which one
/// read in `wrong` gives an arbitrary answer.
fn recording(dice: &mut Dice, wrong: u64) -> Vec<Event> {
    let (keys, processes) = (1 + dice.draw(2), 1 + dice.draw(4));
    let mut open: Vec<Option<Call>> = vec![None; processes as usize];
    let mut ended = vec![false; processes as usize];
    let mut values: [Vec<i64>; 2] = Default::default();
    let (mut events, mut time, mut next) = (Vec::new(), 0, 0);
    for _ in 0..4 + dice.draw(24) {
        time += dice.draw(3);
        let process = dice.draw(processes) as usize;
        let key = dice.draw(keys) as usize;
        let what = match open[process].take() {
            _ if ended[process] => continue,
            None => {
                let mut call = Call::read(["x", "y"][key]);
                if dice.draw(2) == 0 {
                    next += 1;
                    values[key].push(next);
                    call = Call::write(["x", "y"][key], next);
                }
                open[process] = Some(call.clone());
                What::Invoke(call)
            }
            Some(call) => match dice.draw(14) {
                0 => {
                    ended[process] = true;
                    What::Info
                }
                1 => What::Fail,
                _ if call.is_write() => What::Ok(Value::Null),
                _ => {
                    let written = &values[usize::from(call.key == Key::from("y"))];
                    let any = written.get(dice.draw(written.len() as u64 + 1) as usize);
                    let answer = match dice.draw(wrong) {
                        0 if dice.draw(6) == 0 => Some(next + 1),
                        0 => any.copied(),
                        _ => written.last().copied(),
                    };
                    What::Ok(answer.map_or(Value::Null, Value::Int))
                }
            },
        };
        events.push(said(process as u32, time, what));
    }
    events
}

/// What a process says.
enum What {
    Invoke(Call),
    Ok(Value),
    Fail,
    Info,
}

/// An event of a process.
fn said(process: u32, time: u64, what: What) -> Event {
    let process = ProcessId(process);
    match what {
        What::Invoke(call) => Event::invoke(process, time, call),
        What::Ok(value) => Event::ok(process, time, value),
        What::Fail => Event::fail(process, time),
        What::Info => Event::info(process, time),
    }
}

/// The history that the events make.
fn whole(events: &[Event]) -> History {
    let mut builder = Builder::new();
    for event in events {
        builder.event(event.clone()).expect("the recording is well formed");
    }
    builder.finish()
}

fn models() -> Vec<Model> {
    let names = ["base", "ryw", "mr", "mr+mw.g", "sess3", "cc", "ccv", "linearizable"];
    names.iter().map(|name| name.parse().expect("the model exists")).collect()
}

fn violated(history: &History, model: Model) -> bool {
    check(history, model, Budget::default()).kind().is_some()
}

fn shown(events: &[Event]) -> String {
    notation::write(&whole(events))
}

#[test]
fn the_end_finds_what_the_whole_violates_and_nothing_is_reported_too_early() {
    let mut dice = Dice(3);
    let models = models();
    let mut counts = vec![[0; 3]; models.len()];
    for round in 0..4_000 {
        let events = recording(&mut dice, 2 + round % 7);
        let mut live = Live::new(&models, 1_000).expect("they can be judged live");
        let mut found = Vec::new();
        for at in 0..events.len() {
            let now = live.event(events[at].clone()).expect("it is well formed");
            for violation in &now {
                let text = || format!("{} at {at} of {}", violation.model, shown(&events));
                assert!(violated(&whole(&events[..=at]), violation.model), "{}", text());
                assert_eq!(violation.event, at as u64 + 1);
            }
            found.extend(now);
        }
        let before_the_end = found.len();
        found.extend(live.finish());
        assert!(live.coverage().is_complete(), "{}", live.coverage());
        let history = whole(&events);
        for (model, count) in models.iter().zip(&mut counts) {
            let reported = found.iter().position(|violation| violation.model == *model);
            assert_eq!(
                reported.is_some(),
                violated(&history, *model),
                "{model} of {}",
                shown(&events)
            );
            let when = reported.map_or(0, |at| if at < before_the_end { 1 } else { 2 });
            count[when] += 1;
        }
    }
    for (model, [fine, early, late]) in models.iter().zip(&counts) {
        assert!(
            *fine > 300 && *early > 50,
            "{model}: {fine} hold, {early} early, {late} at the end"
        );
    }
    // Linearizability reports at once, except for reads at the last instant.
    let [_, early, late] = counts.last().expect("it is the last model");
    assert!(late * 5 < *early, "{early} early, {late} at the end");
}

#[test]
fn the_evidence_is_a_part_of_the_recording() {
    let mut dice = Dice(9);
    for _ in 0..500 {
        let events = recording(&mut dice, 2);
        let history = whole(&events);
        let mut live = Live::new(&models(), 1_000).expect("they can be judged live");
        let mut found = Vec::new();
        for event in &events {
            found.extend(live.event(event.clone()).expect("it is well formed"));
        }
        for Violation { model, history: part, operations, counterexample, .. } in found {
            assert_eq!(part.len(), operations.len());
            for (mine, at) in part.operations().iter().zip(&operations) {
                assert_eq!(mine.call, history.operations()[*at as usize].call);
                assert_eq!(mine.process, history.operations()[*at as usize].process);
            }
            let verdict = Verdict::Violated(counterexample);
            assert_eq!(recheck(&part, model, &verdict), Ok(()));
        }
    }
}

#[test]
fn a_window_that_is_too_small_misses_and_never_raises_a_false_alarm() {
    let mut dice = Dice(21);
    let models = models();
    let (mut missed, mut found) = (0, 0);
    for round in 0..6_000 {
        let events = recording(&mut dice, 2 + round % 9);
        let history = whole(&events);
        let window = 1 + round as usize % 6;
        let mut live = Live::new(&models, window).expect("they can be judged live");
        let mut reported = Vec::new();
        for event in &events {
            reported.extend(live.event(event.clone()).expect("it is well formed"));
            let (operations, keys) = live.kept();
            assert!(operations <= window && keys <= window + 1, "{operations}, {keys}");
        }
        reported.extend(live.finish());
        for model in &models {
            let is_reported = reported.iter().any(|violation| violation.model == *model);
            match (is_reported, violated(&history, *model)) {
                (true, false) => panic!("{model}, window {window}: {}", shown(&events)),
                (true, true) => found += 1,
                (false, true) => {
                    assert!(!live.coverage().is_complete(), "{model} of {}", shown(&events));
                    missed += 1;
                }
                (false, false) => {}
            }
        }
        assert_eq!(live.coverage().withheld, 0, "{}", shown(&events));
    }
    assert!(missed > 1_000 && found > 1_000, "{missed} missed, {found} found");
}

/// Feeds one operation that nothing overlaps.
fn step(live: &mut Live, process: u32, time: u64, call: Call, answer: Value) -> Vec<Violation> {
    let process = ProcessId(process);
    let mut found = Vec::new();
    for event in [Event::invoke(process, time, call), Event::ok(process, time + 1, answer)] {
        found.extend(live.event(event).expect("it is well formed"));
    }
    found
}

/// 4,000 correct operations of 5 processes on 7 keys; then the next time and
/// the last value of the key `a`.
fn long(live: &mut Live) -> (u64, i64) {
    let mut last = 0;
    for at in 0..4_000_u64 {
        let key = ["a", "b", "c", "d", "e", "f", "g"][at as usize % 7];
        let process = at as u32 % 5;
        let found = if at % 14 < 7 {
            last = if key == "a" { at as i64 } else { last };
            step(live, process, 2 * at, Call::write(key, at as i64), Value::Null)
        } else {
            step(live, process, 2 * at, Call::read(key), Value::Int(at as i64 - 7))
        };
        assert!(found.is_empty(), "{found:?}");
    }
    (8_000, last)
}

#[test]
fn a_read_that_goes_back_is_reported_at_its_answer_however_long_the_recording() {
    let sess3 = "sess3".parse().expect("the model exists");
    let mut live = Live::new(&[sess3, Model::Linearizable], 1_000).expect("they can");
    let (time, last) = long(&mut live);
    assert!(step(&mut live, 9, time, Call::read("a"), Value::Int(last)).is_empty());
    assert!(step(&mut live, 8, time + 2, Call::write("a", -1), Value::Null).is_empty());
    assert!(step(&mut live, 9, time + 4, Call::read("a"), Value::Int(-1)).is_empty());
    let found = step(&mut live, 9, time + 6, Call::read("a"), Value::Int(last));
    let models: Vec<Model> = found.iter().map(|violation| violation.model).collect();
    assert_eq!(models, [sess3, Model::Linearizable]);
    assert!(found.iter().all(|violation| violation.history.len() <= 5), "{found:?}");
}

#[test]
fn own_writes_that_are_missing_are_reported_at_once() {
    let mut live = Live::new(&[Model::READ_YOUR_WRITES], 1_000).expect("it can");
    let (time, _) = long(&mut live);
    assert!(step(&mut live, 9, time, Call::write("z", -1), Value::Null).is_empty());
    let found = step(&mut live, 9, time + 2, Call::read("z"), Value::Null);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].operations, [4_000, 4_001]);
}

#[test]
fn what_nobody_wrote_yet_is_certain_once_time_goes_on() {
    let mut live = Live::new(&[Model::Linearizable], 10).expect("it can");
    assert!(step(&mut live, 0, 0, Call::read("x"), Value::Int(1)).is_empty());
    // At the same instant the write may still be in time.
    let at = |time| Event::invoke(ProcessId(1), time, Call::write("x", 1));
    let mut in_time = live.clone();
    assert_eq!(in_time.event(at(1)).expect("it is well formed"), []);
    assert_eq!(in_time.finish(), []);
    assert_eq!(live.event(at(2)).expect("it is well formed").len(), 1);
}

#[test]
fn a_value_written_twice_is_said_and_not_judged() {
    let mut live = Live::new(&models(), 10).expect("they can");
    for at in 0..2 {
        step(&mut live, 0, 4 * at, Call::write("x", 1), Value::Null);
    }
    assert!(step(&mut live, 0, 8, Call::read("x"), Value::Null).is_empty());
    assert!(live.finish().is_empty());
    assert!(!live.coverage().is_complete());
    assert_eq!(live.coverage().unjudged_keys, 1);
}

#[test]
fn operations_of_a_process_that_touch_are_in_order_also_where_little_is_kept() {
    // The process reads nothing at the very time at which its write ended.
    let events = [
        (1, What::Invoke(Call::write("x", 1))),
        (5, What::Ok(Value::Null)),
        (5, What::Invoke(Call::read("x"))),
        (6, What::Ok(Value::Null)),
    ];
    let mut live = Live::new(&[Model::Linearizable], 2).expect("it can be judged live");
    let mut found = Vec::new();
    for (time, what) in events {
        assert_eq!(found, []);
        found = live.event(said(0, time, what)).expect("well formed");
    }
    assert_eq!((found.len(), found[0].event), (1, 4));
}

#[test]
fn a_value_that_was_forgotten_may_have_been_written_before_a_write_of_it_failed() {
    let write = || What::Invoke(Call::write("x", 1));
    let events = [
        write(),
        What::Ok(Value::Null),
        What::Invoke(Call::read("x")),
        What::Fail,
        What::Invoke(Call::read("x")),
        What::Fail,
        write(),
        What::Fail,
        What::Invoke(Call::read("x")),
        What::Ok(Value::from(1)),
    ];
    let mut live = Live::new(&models(), 2).expect("they can be judged live");
    for (time, what) in (0..).zip(events) {
        assert_eq!(live.event(said(0, time, what)).expect("well formed"), []);
    }
    assert_eq!(live.finish(), []);
    assert_eq!(live.coverage().unjudged_reads, 1);
}

#[test]
fn a_transaction_is_no_write_and_no_read_of_a_register() {
    let list = |f: &str| Value::from(vec![Value::from(vec![f.into(), 0.into(), 1.into()])]);
    let events = [
        What::Invoke(Call::write("x", list(":w"))),
        What::Ok(Value::Null),
        What::Invoke(Call::write("y", 1)),
        What::Ok(Value::Null),
        What::Invoke(Call::read("y")),
        What::Ok(list(":r")),
        What::Invoke(Call::read("x")),
        What::Ok(list(":r")),
    ];
    let mut live = Live::new(&models(), 9).expect("they can be judged live");
    for (time, what) in (0..).zip(events) {
        assert_eq!(live.event(said(0, time, what)).expect("well formed"), []);
    }
    assert_eq!((live.finish(), live.coverage().unjudged_keys), (vec![], 2));
}

#[test]
fn a_failed_write_may_be_tried_again() {
    let mut live = Live::new(&models(), 10).expect("they can");
    let call = || What::Invoke(Call::write("x", 1));
    for (time, what) in [(0, call()), (1, What::Fail), (2, call()), (3, What::Ok(Value::Null))] {
        assert_eq!(live.event(said(0, time, what)), Ok(Vec::new()));
    }
    assert!(step(&mut live, 1, 4, Call::read("x"), Value::Int(1)).is_empty());
    assert!(live.finish().is_empty());
    assert!(live.coverage().is_complete());
}

#[test]
fn what_cannot_be_part_of_a_history_is_malformed() {
    let mut live = Live::new(&[], 10).expect("no model is too many");
    let mut event = |process, time, what| live.event(said(process, time, what));
    let read = || What::Invoke(Call::read("x"));
    assert_eq!(event(0, 5, What::Fail).expect_err("nothing is open").line, 1);
    assert_eq!(event(0, 5, read()), Ok(Vec::new()));
    assert!(event(0, 6, read()).is_err());
    assert!(event(1, 4, read()).is_err(), "time runs backwards");
    assert_eq!(event(0, 6, What::Info), Ok(Vec::new()));
    assert_eq!(event(0, 7, read()).expect_err("it has ended").line, 6);
    assert_eq!(Live::new(&[Model::EVENTUAL], 10).err(), Some(NotLive(Model::EVENTUAL)));
}
