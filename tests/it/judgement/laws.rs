//! Laws of verdicts, on random histories of every datatype. Brute force agrees.
//! Formats, the order of lines, names and failed operations change nothing. An
//! initial value has the same effect as operations that put it there. Judging a
//! recording while it grows finds what judging the whole finds.
//!
//! Bounded, and the same in every run; `QUIESCENCE_PROFILE=deep` tries more.

use std::collections::BTreeSet;

use quiescence::history::formats::{self, Follower, Options};
use quiescence::history::formats::{edn, json_lines, operation_lines};
use quiescence::history::{
    Call, Completion, Function, History, Key, Operation, ProcessId, Value, notation,
};
use quiescence::judgement::datatype;
use quiescence::judgement::live::Live;
use quiescence::judgement::{Begun, Budget, Judge, Model, Verdict, check, oracle, recheck};

use super::simulated::{Dice, built};
use super::{effort, word};

/// What kind of object a history is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Register,
    /// A register with compare-and-set.
    Swap,
    Counter,
    Set,
    Queue,
    Text,
}

const KINDS: [Kind; 6] =
    [Kind::Register, Kind::Swap, Kind::Counter, Kind::Set, Kind::Queue, Kind::Text];
const ORDERS: [Model; 3] = [Model::Linearizable, Model::Sequential, Model::Cache];

impl Kind {
    fn datatype(self) -> &'static str {
        match self {
            Kind::Register | Kind::Swap => "register",
            Kind::Counter => "counter",
            Kind::Set => "set",
            Kind::Queue => "queue",
            Kind::Text => "text register",
        }
    }

    /// A call on the object `key`.
    fn call(self, dice: &mut Dice, key: &str) -> Call {
        let small = |dice: &mut Dice| Value::from(1 + dice.below(3) as i64);
        let letter = |dice: &mut Dice| Value::from(["a", "b"][dice.below(2)]);
        let (f, argument) = match (self, dice.below(4)) {
            (Kind::Register, 0 | 1) => ("write", small(dice)),
            (Kind::Swap, 0) => ("write", small(dice)),
            (Kind::Swap, 1 | 2) => ("cas", vec![small(dice), small(dice)].into()),
            (Kind::Counter, 0) => ("inc", Value::Null),
            (Kind::Counter, 1) => ("add", Value::from(2 - dice.below(4) as i64)),
            (Kind::Set, 0 | 1) => ("add", small(dice)),
            (Kind::Set, 2) => ("remove", small(dice)),
            (Kind::Queue, 0 | 1) => ("enqueue", small(dice)),
            (Kind::Queue, _) => ("dequeue", Value::Null),
            (Kind::Text, 0) => ("put", letter(dice)),
            (Kind::Text, 1 | 2) => ("append", letter(dice)),
            (Kind::Text, _) => ("get", Value::Null),
            _ => ("read", Value::Null),
        };
        Call { f: Function::named(f), key: Key::new(key), argument }
    }

    /// An answer that such an object may give.
    fn answer(self, dice: &mut Dice) -> Value {
        let number = dice.below(4) as i64;
        match self {
            Kind::Register | Kind::Swap | Kind::Queue if number == 0 => Value::Null,
            Kind::Register | Kind::Swap | Kind::Queue | Kind::Counter => Value::from(number),
            Kind::Set => {
                (1..4).filter(|_| dice.one_in(2)).map(Value::from).collect::<Vec<_>>().into()
            }
            Kind::Text => Value::from(["", "a", "b", "ab", "ba", "aa"][dice.below(6)]),
        }
    }

    /// The state of a new object: a list of its one value, or of its elements.
    fn new_object(self) -> Vec<Value> {
        match self {
            Kind::Register | Kind::Swap => vec![Value::Null],
            Kind::Counter => vec![Value::from(0)],
            Kind::Text => vec![Value::from("")],
            Kind::Set | Kind::Queue => Vec::new(),
        }
    }
}

/// Performs a call on an object and returns its answer. Written independently
/// of the datatypes under test.
fn perform(held: &mut Vec<Value>, call: &Call) -> Value {
    let argument = call.argument.clone();
    let number = |value: &Value| match value {
        Value::Int(number) => *number,
        _ => 0,
    };
    match (call.f.as_str(), &argument) {
        ("write" | "put", _) => held[0] = argument,
        ("cas", Value::List(pair)) if held[0] == pair[0] => held[0] = pair[1].clone(),
        ("cas", _) => return Value::from("mismatch"),
        ("inc", _) => held[0] = Value::from(number(&held[0]) + 1),
        ("add", Value::Int(more)) if held.len() == 1 && call.key.as_str().starts_with('c') => {
            held[0] = Value::from(number(&held[0]) + more);
        }
        ("append", Value::Text(more)) => {
            let Value::Text(text) = &held[0] else { panic!("a text holds text") };
            held[0] = Value::from(format!("{text}{more}").as_str());
        }
        ("add", _) => {
            let all: BTreeSet<Value> = held.drain(..).chain([argument]).collect();
            held.extend(all);
        }
        ("remove", _) => held.retain(|one| *one != argument),
        ("enqueue", _) => held.push(argument),
        ("dequeue", _) if held.is_empty() => {}
        ("dequeue", _) => return held.remove(0),
        ("read", _) if call.key.as_str().starts_with('s') => return held.clone().into(),
        ("read" | "get", _) => return held[0].clone(),
        _ => panic!("there is no {call}"),
    }
    Value::Null
}

/// A few operations that overlap. One in `wrong` of the answers to reads, gets
/// and dequeues is arbitrary. Times may touch, but an operation takes time.
fn drawn(dice: &mut Dice, kind: Kind, operations: usize, wrong: usize) -> History {
    let keys = match kind {
        Kind::Counter => ["c1", "c2"],
        Kind::Set => ["s1", "s2"],
        _ => ["x", "y"],
    };
    let (several, processes) = (1 + dice.below(2), 1 + dice.below(3));
    let mut held = [kind.new_object(), kind.new_object()];
    // For each process, its open operation, and its answer if it has taken
    // effect already.
    let mut open: Vec<Option<(usize, Option<Value>)>> = vec![None; processes];
    let mut names: Vec<u32> = (0..processes as u32).collect();
    let mut all: Vec<Operation> = Vec::new();
    let mut time = 10;
    while all.len() < operations || open.iter().any(Option::is_some) {
        time += dice.below(3) as u64;
        let process = dice.below(processes);
        let Some((at, answer)) = open[process].take() else {
            if all.len() < operations {
                let key = dice.below(several);
                let call = kind.call(dice, keys[key]);
                let now = dice.one_in(2).then(|| perform(&mut held[key], &call));
                open[process] = Some((all.len(), now));
                all.push(Operation {
                    process: ProcessId(names[process]),
                    node: None,
                    call,
                    invoked: time,
                    returned: None,
                    completion: Completion::Info,
                    final_read: false,
                });
            }
            continue;
        };
        time = time.max(all[at].invoked + 1);
        if dice.one_in(9) {
            names[process] += processes as u32;
            continue;
        }
        let key = usize::from(all[at].call.key.as_str() == keys[1]);
        all[at].returned = Some(time);
        all[at].completion = match answer {
            None if dice.one_in(6) => Completion::Fail,
            _ => {
                let call = all[at].call.clone();
                let right = answer.unwrap_or_else(|| perform(&mut held[key], &call));
                let asks = matches!(call.f.as_str(), "read" | "get" | "dequeue");
                let wrong = asks && dice.one_in(wrong);
                Completion::Ok(if wrong { kind.answer(dice) } else { right })
            }
        };
    }
    built(all)
}

/// Draws histories of each kind and applies the law to those whose datatype can
/// be recognised.
fn each(seed: u64, ordinary: u64, mut law: impl FnMut(&mut Dice, Kind, &History)) {
    for (nth, kind) in KINDS.into_iter().enumerate() {
        let mut dice = Dice(seed + nth as u64);
        for round in 0..effort(ordinary, 50 * ordinary) {
            let operations = 2 + dice.below(5);
            let history = drawn(&mut dice, kind, operations, 2 + round as usize % 5);
            let known = datatype::of(&history).map(|datatype| datatype.name());
            if known == Ok(kind.datatype()) {
                law(&mut dice, kind, &history);
            }
        }
    }
}

fn verdict(history: &History, model: Model) -> Verdict {
    check(history, model, Budget::default())
}

fn words(history: &History) -> Vec<String> {
    ORDERS.iter().map(|model| word(&verdict(history, *model))).collect()
}

#[test]
fn brute_force_agrees_about_every_datatype_and_evidence_replays() {
    let mut seen = [[0; 2]; KINDS.len()];
    each(100, 1_500, |_, kind, history| {
        for model in ORDERS {
            let text = || format!("{model} of {}", notation::write(history));
            let verdict = verdict(history, model);
            assert_eq!(recheck(history, model, &verdict), Ok(()), "{}", text());
            let allowed = oracle::judge(history, model).is_ok();
            let expected = if allowed { ["holds"; 2] } else { ["unexplained", "illegal"] };
            assert!(expected.contains(&word(&verdict).as_str()), "{}: {verdict:?}", text());
            seen[kind as usize][usize::from(allowed)] += 1;
        }
    });
    assert!(seen.iter().flatten().all(|count| *count > 100), "hardly seen: {seen:?}");
}

#[test]
fn formats_and_the_order_of_lines_change_nothing() {
    each(200, 400, |dice, _, history| {
        let mut lines: Vec<String> =
            operation_lines::write(history).lines().map(str::to_owned).collect();
        let written = [json_lines::write(history), edn::write(history), lines.join("\n")];
        for text in &written {
            let read = formats::read(text.as_bytes(), &Options::default()).expect("well formed");
            assert_eq!(read.history, *history, "{text}");
        }
        for at in (1..lines.len()).rev() {
            lines.swap(at, dice.below(at + 1));
        }
        let shuffled = operation_lines::read(lines.join("\n").as_bytes()).expect("well formed");
        assert_eq!(words(&shuffled.history), words(history), "{}", lines.join("\n"));
    });
}

#[test]
fn names_change_nothing() {
    each(300, 400, |dice, kind, history| {
        let (mask, turn) = (dice.below(32) as u32, dice.below(50) as i64);
        // Addition and concatenation depend on the values themselves.
        let plain = !matches!(kind, Kind::Counter | Kind::Text);
        let renamed = history.operations().iter().cloned().map(|mut operation| {
            operation.process = ProcessId(operation.process.0 ^ mask);
            operation.call.key = Key::new(format!("{turn}{}", operation.call.key));
            if plain {
                operation.call.argument = other(&operation.call.argument, turn);
                if let Completion::Ok(answer) = &mut operation.completion {
                    *answer = other(answer, turn);
                }
            }
            operation
        });
        let renamed = built(renamed.collect());
        assert_eq!(words(&renamed), words(history), "{}", notation::write(history));
    });
}

/// Another value. Equal values stay equal, and the order of numbers is
/// reversed.
fn other(value: &Value, turn: i64) -> Value {
    match value {
        Value::Int(number) => Value::from(turn - number),
        Value::List(all) => all.iter().map(|one| other(one, turn)).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

#[test]
fn what_failed_changes_nothing() {
    each(400, 400, |dice, kind, history| {
        let mut all = history.operations().to_vec();
        for process in 100..100 + 1 + dice.below(3) as u32 {
            let invoked = dice.below(30) as u64;
            all.push(Operation {
                process: ProcessId(process),
                node: None,
                call: kind.call(dice, all[0].call.key.as_str()),
                invoked,
                returned: Some(invoked + 1 + dice.below(9) as u64),
                completion: Completion::Fail,
                final_read: false,
            });
        }
        let more = built(all);
        assert_eq!(words(&more), words(history), "{}", notation::write(&more));
    });
}

#[test]
fn what_was_held_at_first_is_as_if_it_had_been_put_there() {
    let mut seen = [0; 2];
    each(500, 400, |dice, kind, history| {
        let initial = match kind {
            Kind::Queue => vec![Value::from(1), Value::from(1 + dice.below(3) as i64)].into(),
            _ => kind.answer(dice),
        };
        if initial == Value::Null {
            return;
        }
        let f = match kind {
            Kind::Register | Kind::Swap => "write",
            Kind::Counter | Kind::Set => "add",
            Kind::Queue => "enqueue",
            Kind::Text => "put",
        };
        let put = match &initial {
            Value::List(all) => all.to_vec(),
            one => vec![one.clone()],
        };
        let keys: BTreeSet<&Key> = history.operations().iter().map(|op| &op.call.key).collect();
        let mut all = history.operations().to_vec();
        for (nth, key) in keys.into_iter().enumerate() {
            for (time, value) in put.iter().enumerate() {
                all.push(Operation {
                    process: ProcessId(100 + nth as u32),
                    node: None,
                    call: Call { f: Function::named(f), key: key.clone(), argument: value.clone() },
                    invoked: 2 * time as u64,
                    returned: Some(2 * time as u64 + 1),
                    completion: Completion::Ok(Value::Null),
                    final_read: false,
                });
            }
        }
        let model = Model::Linearizable;
        let begun = Begun::with(history, Some(&initial)).expect("it can be held");
        let found = begun.judge().check(model, Budget::default());
        let text = || format!("{initial} at first of {}", notation::write(history));
        assert_eq!(begun.recheck(model, &found), Ok(()), "{}", text());
        assert_eq!(found.holds(), verdict(&built(all), model).holds(), "{}", text());
        seen[usize::from(found.holds())] += 1;
    });
    assert!(seen.iter().all(|count| *count > 50), "hardly seen: {seen:?}");
}

/// The models reported as violated while the lines of a recording arrive one by
/// one, and the live judgement itself.
fn followed(text: &str, models: &[Model], window: usize) -> (Vec<Model>, Live) {
    let mut live = Live::new(models, window).expect("they can be judged live");
    let mut lines = Follower::default();
    let mut found = Vec::new();
    let mut events: Vec<_> = text.lines().flat_map(|line| lines.line(line.as_bytes())).collect();
    events.extend(lines.end());
    for event in events {
        found.extend(live.event(event.expect("well formed")).expect("well formed"));
    }
    found.extend(live.finish());
    (found.into_iter().map(|violation| violation.model).collect(), live)
}

#[test]
fn whoever_follows_finds_what_is_found_in_the_whole_and_nothing_else() {
    let models = ["ryw", "mr", "ccv", "linearizable"].map(|name| super::model(name));
    let mut seen = [0; 3];
    each(600, 600, |dice, kind, history| {
        // Live judgement requires that no value is written twice to a key.
        let all: Vec<_> = history.operations().iter().map(|op| &op.call).collect();
        let writes: Vec<_> = all.into_iter().filter(|call| call.is_write()).collect();
        if writes.iter().collect::<BTreeSet<_>>().len() < writes.len() {
            return;
        }
        let window = [2, 4, 1_000][dice.below(3)];
        let recorded = match dice.one_in(2) {
            true => json_lines::write(history),
            false => edn::write(history),
        };
        let (found, live) = followed(&recorded, &models, window);
        let text = || format!("window {window} of {}\n{recorded}", notation::write(history));
        for model in models {
            let whole = word(&verdict(history, model));
            let reported = found.contains(&model);
            if reported {
                assert!(whole != "holds", "{model}, {}", text());
                assert!(whole != "unknown" || kind == Kind::Swap, "{model}, {}", text());
            } else if live.coverage().is_complete() {
                assert_eq!(whole, "holds", "{model}, {}", text());
            }
            let complete = live.coverage().is_complete();
            seen[if reported { 0 } else { 1 + usize::from(complete) }] += 1;
        }
        let says = Judge::of(history).says_anything();
        let answers = live.coverage().answers > 0;
        assert!(answers == says || answers && live.coverage().forgotten > 0, "{}", text());
    });
    assert!(seen.iter().all(|count| *count > 100), "hardly seen: {seen:?}");
}
