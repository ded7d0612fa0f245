//! Objects whose answers have many possible explanations: what is found in order of
//! time is what trying every order finds, and counterexamples are minimal.

use std::collections::BTreeSet;

use quiescence::history::{
    Call, Completion, Function, History, Operation, ProcessId, Value, notation,
};
use quiescence::judgement::datatype::{self, Datatype, Register, Text};
use quiescence::judgement::{Begun, Budget, Counterexample, Model, Verdict, check, recheck};

use super::effort;
use super::simulated::{Ask, Dice, built, register};

/// Whether some order of these operations of one object keeps returns-before and
/// explains every answer: tries all of them.
fn is_ordered(operations: &[&Operation], datatype: &dyn Datatype, initial: &Value) -> bool {
    let mut visited: BTreeSet<(u64, Value)> = BTreeSet::new();
    let mut open = vec![(0_u64, initial.clone())];
    let answered = |op: &Operation| matches!(op.completion, Completion::Ok(_));
    while let Some((placed, held)) = open.pop() {
        let is_left = |at: usize| placed & (1 << at) == 0;
        let left: Vec<usize> = (0..operations.len()).filter(|&at| is_left(at)).collect();
        let required = || left.iter().map(|&at| operations[at]).filter(|op| answered(op));
        if required().next().is_none() {
            return true;
        }
        if !visited.insert((placed, held.clone())) {
            continue;
        }
        for &at in &left {
            let op = operations[at];
            let answer = match &op.completion {
                Completion::Ok(answer) => Some(answer),
                Completion::Info => None,
                Completion::Fail => continue,
            };
            if required().any(|other| other.returns_before(op)) {
                continue;
            }
            open.extend(
                datatype.apply(&held, &op.call, answer).map(|held| (placed | 1 << at, held)),
            );
        }
    }
    false
}

fn all(history: &History) -> Vec<&Operation> {
    history.operations().iter().collect()
}

/// Some answer is another one, some compare-and-set that found another value says only
/// that it failed, or nothing is changed.
fn corrupted(dice: &mut Dice, operations: &mut [Operation], values: usize) {
    let at = dice.below(operations.len());
    let operation = &mut operations[at];
    let answered = matches!(operation.completion, Completion::Ok(_));
    let mismatch = Value::from("mismatch");
    match &operation.call.f {
        _ if !answered || dice.one_in(4) => {}
        Function::Read => {
            let value = dice.below(values + 1).checked_sub(1).map(|value| value as i64);
            operation.completion = Completion::Ok(value.map_or(Value::Null, Value::from));
        }
        Function::Other(_) if operation.completion == Completion::Ok(mismatch.clone()) => {
            let other = if dice.one_in(2) { Completion::Fail } else { Completion::Ok(Value::Null) };
            operation.completion = other;
        }
        Function::Other(_) => operation.completion = Completion::Ok(mismatch),
        Function::Write => {}
    }
}

/// A register with compare-and-sets, a few values and operations of unknown outcome.
fn swapped(dice: &mut Dice, operations: usize, clients: usize) -> History {
    let values = 2 + dice.below(3);
    let timeouts = [0, 10, 30][dice.below(3)];
    let ask = Ask { operations, clients, keys: 1, values, writes: 30, swaps: 35, timeouts };
    let mut operations = register(dice, ask);
    for _ in 0..dice.below(3) {
        corrupted(dice, &mut operations, values);
    }
    built(operations)
}

/// The part without this operation and without all that it may explain: reads and
/// compare-and-sets that found its value, and those that found another one.
fn without(history: &History, part: &[usize], out: usize) -> Vec<usize> {
    let left = |at: usize| match (
        &history.operations()[at].call.f,
        &history.operations()[at].call.argument,
    ) {
        (Function::Write, value) => Some(value.clone()),
        (Function::Other(_), Value::List(pair)) => Some(pair[1].clone()),
        _ => None,
    };
    let found = |at: usize| {
        let op = &history.operations()[at];
        match (&op.call.f, &op.completion, &op.call.argument) {
            (Function::Read, Completion::Ok(value), _) => Some(value.clone()),
            (Function::Other(_), completion, Value::List(pair))
                if *completion != Completion::Ok(Value::from("mismatch")) =>
            {
                Some(pair[0].clone())
            }
            _ => None,
        }
    };
    let misses =
        |at: usize| history.operations()[at].completion == Completion::Ok("mismatch".into());
    let mut gone = BTreeSet::from([out]);
    loop {
        let lost = |at: &usize| {
            !gone.contains(at)
                && gone.iter().any(|&source| {
                    let changes = left(source).is_some() && !misses(source);
                    changes && (misses(*at) || (found(*at).is_some() && found(*at) == left(source)))
                })
        };
        let more: Vec<usize> = part.iter().copied().filter(lost).collect();
        if more.is_empty() {
            return part.iter().copied().filter(|at| !gone.contains(at)).collect();
        }
        gone.extend(more);
    }
}

#[track_caller]
fn is_minimal(history: &History, found: &Counterexample, initial: &Value) {
    let part = |positions: &[usize]| {
        let operations: Vec<&Operation> =
            positions.iter().map(|&at| &history.operations()[at]).collect();
        is_ordered(&operations, &Register, initial)
    };
    let text = notation::write(history);
    assert!(found.minimal, "{text}: {found:?}");
    assert!(!part(&found.operations), "{text}: {found:?} is allowed");
    for &out in &found.operations {
        assert!(part(&without(history, &found.operations, out)), "{text}: {found:?} without {out}");
    }
}

/// Judges, and compares with every order. Whether it holds.
#[track_caller]
fn agrees(history: &History) -> bool {
    let verdict = check(history, Model::Linearizable, Budget::default());
    let text = notation::write(history);
    let expected = is_ordered(&all(history), &Register, &Value::Null);
    assert!(!matches!(verdict, Verdict::Unknown(_)), "{text}: {verdict:?}");
    assert_eq!(verdict.holds(), expected, "{text}: {verdict:?}");
    assert_eq!(recheck(history, Model::Linearizable, &verdict), Ok(()), "{text}: {verdict:?}");
    if let Verdict::Violated(found) = &verdict {
        is_minimal(history, found, &Value::Null);
    }
    expected
}

#[test]
fn a_compare_and_set_register_is_judged_as_trying_every_order_judges_it() {
    let mut dice = Dice(20);
    let (mut held, cases) = (0, effort(2_000, 60_000));
    for _ in 0..cases {
        let (operations, clients) = (2 + dice.below(14), 2 + dice.below(4));
        held += u64::from(agrees(&swapped(&mut dice, operations, clients)));
    }
    assert!(held * 20 > cases && held * 20 < cases * 19, "{held} of {cases} hold");
}

#[test]
fn a_register_that_held_something_at_first_is_judged_as_trying_every_order_judges_it() {
    let mut dice = Dice(21);
    let (mut held, cases) = (0, effort(500, 20_000));
    for _ in 0..cases {
        let history = swapped(&mut dice, 8, 3);
        let initial = Value::from(dice.below(3) as i64);
        let begun = Begun::with(&history, Some(&initial)).expect("a register holds anything");
        let verdict = begun.judge().check(Model::Linearizable, Budget::default());
        let text = notation::write(&history);
        let expected = is_ordered(&all(&history), &Register, &initial);
        assert_eq!(verdict.holds(), expected, "{text} from {initial}: {verdict:?}");
        assert_eq!(begun.recheck(Model::Linearizable, &verdict), Ok(()), "{text}: {verdict:?}");
        if let Verdict::Violated(found) = &verdict {
            is_minimal(&history, found, &initial);
        }
        held += u64::from(expected);
    }
    assert!(held * 20 > cases && held * 20 < cases * 19, "{held} of {cases} hold");
}

/// A text register of several keys, answered correctly but for some `get`s that miss
/// what was appended last.
fn texts(dice: &mut Dice, operations: usize, clients: usize, keys: usize, stale: bool) -> History {
    let mut clocks: Vec<u64> = (0..clients).map(|_| dice.below(50) as u64).collect();
    let mut all: Vec<(u64, Operation)> = Vec::new();
    for number in 0..operations {
        let client = (0..clients).min_by_key(|&client| clocks[client]).expect("a client");
        let invoked = clocks[client] + 1 + dice.below(20) as u64;
        let takes = 2 + dice.below(80) as u64;
        clocks[client] = invoked + takes;
        let key = ["a", "b", "c", "d"][dice.below(keys)];
        let (f, argument) = match dice.below(10) {
            0 => ("put", Value::from(format!("p{number} ").as_str())),
            1..=5 => ("append", Value::from(format!("a{number} ").as_str())),
            _ => ("get", Value::Null),
        };
        let operation = Operation {
            process: ProcessId(client as u32),
            node: None,
            call: Call { f: Function::named(f), key: key.into(), argument },
            invoked,
            returned: Some(invoked + takes),
            completion: Completion::Ok(Value::Null),
            final_read: false,
        };
        all.push((invoked + dice.below(takes as usize) as u64, operation));
    }
    all.sort_by_key(|(effect, operation)| (*effect, operation.invoked));
    let mut held: Vec<(String, String)> = vec![(String::new(), String::new()); 4];
    for (_, operation) in &mut all {
        let (now, before) = &mut held[(operation.call.key.as_str().as_bytes()[0] - b'a') as usize];
        match (operation.call.f.as_str(), &operation.call.argument) {
            ("put", Value::Text(text)) => (*before, *now) = (now.clone(), text.to_string()),
            ("append", Value::Text(text)) => {
                *before = now.clone();
                now.push_str(text.as_str());
            }
            _ => {
                let late = stale && operation.call.key.as_str() == "a" && dice.one_in(4);
                let answer = if late { &*before } else { &*now };
                operation.completion = Completion::Ok(Value::from(answer.as_str()));
            }
        }
    }
    built(all.into_iter().map(|(_, operation)| operation).collect())
}

#[test]
fn a_text_register_is_judged_as_trying_every_order_judges_it() {
    let mut dice = Dice(22);
    let (mut held, cases) = (0, effort(300, 10_000));
    for _ in 0..cases {
        let (operations, clients) = (4 + dice.below(12), 2 + dice.below(3));
        let history = texts(&mut dice, operations, clients, 1, true);
        assert_eq!(datatype::of(&history).map(Datatype::name), Ok("text register"));
        let verdict = check(&history, Model::Linearizable, Budget::default());
        let text = notation::write(&history);
        let expected = is_ordered(&all(&history), &Text, &Value::from(""));
        assert_eq!(verdict.holds(), expected, "{text}: {verdict:?}");
        assert_eq!(recheck(&history, Model::Linearizable, &verdict), Ok(()), "{text}: {verdict:?}");
        held += u64::from(expected);
    }
    assert!(held * 20 > cases && held * 20 < cases * 19, "{held} of {cases} hold");
}

#[test]
fn what_replaces_a_text_does_not_depend_on_what_it_held() {
    let call =
        |f: &str| Call { f: Function::named(f), key: "a".into(), argument: Value::from("z") };
    let left = |f: &str| ["", "z", "x y"].map(|held| Text.apply(&held.into(), &call(f), None));
    for f in ["put", "append"] {
        let [first, second, third] = left(f);
        assert_eq!(Text.replaces(&call(f)), first == second && second == third, "{f}");
    }
}

#[test]
fn one_bad_key_among_several_is_found_with_little_effort() {
    let mut dice = Dice(23);
    let mut violated = 0;
    for _ in 0..20 {
        let history = texts(&mut dice, 400, 10, 4, true);
        let verdict = check(&history, Model::Linearizable, Budget::of(1_000_000));
        let found = match &verdict {
            Verdict::Holds(_) => continue,
            Verdict::Violated(found) => found,
            Verdict::Unknown(unknown) => panic!("{unknown}"),
        };
        violated += 1;
        assert!(found.minimal, "{found:?}");
        let key = |at: &usize| history.operations()[*at].call.key.as_str();
        assert!(found.operations.iter().all(|at| key(at) == "a"), "{found:?}");
    }
    assert!(violated >= 10, "{violated}");
}

#[test]
fn logs_with_many_timeouts_are_decided_and_their_counterexamples_are_minimal() {
    let mut dice = Dice(24);
    let ask =
        Ask { operations: 85, clients: 5, keys: 1, values: 5, writes: 34, swaps: 33, timeouts: 20 };
    let (mut violated, mut largest) = (0, 0);
    for _ in 0..effort(150, 3_000) {
        let mut operations = register(&mut dice, ask);
        for _ in 0..6 {
            corrupted(&mut dice, &mut operations, 5);
        }
        let history = built(operations);
        let verdict = check(&history, Model::Linearizable, Budget::default());
        let text = notation::write(&history);
        if let Verdict::Violated(found) = &verdict {
            assert!(found.minimal, "{text}");
            largest = largest.max(found.operations.len());
            violated += 1;
        }
        assert!(!matches!(verdict, Verdict::Unknown(_)), "{text}");
        match recheck(&history, Model::Linearizable, &verdict) {
            Ok(()) => {}
            Err(unsound) => assert!(unsound.too_large, "{text}: {unsound}"),
        }
    }
    println!("{violated} are violated; the largest counterexample has {largest} operations");
    assert!(violated > 30, "{violated}");
}
