//! A verdict depends neither on names nor on the order of the lines in a file.

use std::collections::BTreeMap;
use std::fmt::Write;

use quiescence::history::formats::operation_lines;
use quiescence::history::{Completion, History, Key, Operation, ProcessId, Value, notation};
use quiescence::judgement::checker::least;
use quiescence::judgement::model::nodes;
use quiescence::judgement::{Budget, check};

use super::simulated::{Dice, Draw, built, drawn};
use super::{effort, word};

const BUDGET: Budget = Budget::of(300_000);

/// Histories of up to 50 operations, of all kinds.
fn any(dice: &mut Dice) -> History {
    let draw = Draw {
        operations: 2 + dice.below(49),
        processes: 2 + dice.below(4),
        keys: 1 + dice.below(3),
        values: [0, 0, 3, 6][dice.below(4)],
        pending: [0, 12][dice.below(2)],
        finals: dice.one_in(2),
    };
    drawn(dice, draw)
}

/// The verdicts of all models of the lattice. One that is unknown within the
/// budget may be decided under other names.
fn verdicts(history: &History) -> BTreeMap<String, String> {
    nodes().map(|model| (model.name(), word(&check(history, model, BUDGET)))).collect()
}

#[track_caller]
fn alike(one: &History, other: &History) -> usize {
    let (before, after) = (verdicts(one), verdicts(other));
    let mut decided = 0;
    for (name, verdict) in &before {
        if verdict != "unknown" && after[name] != "unknown" {
            let text = notation::write(one);
            assert_eq!(*verdict, after[name], "{name}: {text} and {}", notation::write(other));
            decided += 1;
        }
    }
    let ((k, delta), (other_k, other_delta)) = (least(one, BUDGET), least(other, BUDGET));
    if k.is_ok() && other_k.is_ok() {
        assert_eq!(k, other_k, "{} and {}", notation::write(one), notation::write(other));
    }
    if delta.is_ok() && other_delta.is_ok() {
        assert_eq!(delta, other_delta, "{} and {}", notation::write(one), notation::write(other));
    }
    decided
}

/// Gives every process, key and value another name; null stays null.
fn renamed(dice: &mut Dice, history: &History) -> History {
    let mask = dice.below(64) as u32;
    let turn = dice.below(1_000) as i64;
    let value = |value: &Value| match value {
        Value::Int(number) if turn % 2 == 0 => Value::from(turn - number),
        Value::Int(number) => Value::from(format!("v{}", 7 * number + turn).as_str()),
        other => other.clone(),
    };
    let operations = history.operations().iter().map(|operation| {
        let mut operation = operation.clone();
        operation.process = ProcessId(operation.process.0 ^ mask);
        let key: String = operation.call.key.as_str().chars().rev().collect();
        operation.call.key = Key::new(format!("{}{key}", (b'z' - key.as_bytes()[0] % 7) as char));
        operation.call.argument = value(&operation.call.argument);
        if let Completion::Ok(answer) = &operation.completion {
            operation.completion = Completion::Ok(value(answer));
        }
        operation
    });
    built(operations.collect())
}

#[test]
fn renaming_processes_keys_and_values_changes_no_verdict() {
    let mut dice = Dice(11);
    let mut decided = 0;
    for _ in 0..effort(120, 5_000) {
        let history = any(&mut dice);
        let other = renamed(&mut dice, &history);
        decided += alike(&history, &other);
    }
    println!("{decided} verdicts");
    assert!(decided > 120 * 20, "{decided} verdicts");
}

/// The operations as coarse clocks record them: many begin or end at the same
/// instant.
pub(super) fn coarse(history: &History) -> Vec<Operation> {
    let round = |time: u64| time / 5;
    let mut ends: BTreeMap<ProcessId, u64> = BTreeMap::new();
    let operations = history.operations().iter().map(|operation| {
        let mut operation = operation.clone();
        // A process is sequential, and its operations take time.
        let end = ends.entry(operation.process).or_default();
        operation.invoked = round(operation.invoked).max(*end);
        operation.returned = operation.returned.map(|at| round(at).max(operation.invoked + 1));
        *end = operation.returned.unwrap_or(0);
        operation
    });
    operations.collect()
}

fn line(operation: &Operation) -> String {
    let json = |value: &Value| serde_json::to_string(value).expect("a value is JSON");
    let (kind, value) = match &operation.completion {
        Completion::Ok(answer) if operation.call.is_read() => ("ok", json(answer)),
        Completion::Ok(_) => ("ok", json(&operation.call.argument)),
        Completion::Fail => ("fail", json(&operation.call.argument)),
        Completion::Info => ("info", json(&operation.call.argument)),
    };
    let Operation { process, call, invoked, returned, final_read, .. } = operation;
    let returned = returned.map_or("null".to_owned(), |at| at.to_string());
    format!(
        r#"{{"process": {}, "f": "{}", "key": "{}", "value": {value}, "invoke": {invoked}, "return": {returned}, "type": "{kind}", "final": {final_read}}}"#,
        process.0,
        call.f.as_str(),
        call.key.as_str(),
    )
}

#[test]
fn the_order_of_the_lines_of_a_file_changes_no_verdict() {
    let mut dice = Dice(12);
    let mut decided = 0;
    for _ in 0..effort(120, 5_000) {
        let mut operations = coarse(&any(&mut dice));
        let read = |operations: &[Operation]| {
            let mut text = String::new();
            for operation in operations {
                writeln!(text, "{}", line(operation)).expect("a text grows");
            }
            operation_lines::read(text.as_bytes()).expect("well formed").history
        };
        let before = read(&operations);
        for at in (1..operations.len()).rev() {
            operations.swap(at, dice.below(at + 1));
        }
        let after = read(&operations);
        decided += alike(&before, &after);
    }
    println!("{decided} verdicts");
    assert!(decided > 120 * 20, "{decided} verdicts");
}
