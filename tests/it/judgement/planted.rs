//! Violations planted in correct histories are found, wherever they are. The
//! evidence contains the planted operation, because the rest is correct.

use quiescence::history::{Completion, Operation, Value};
use quiescence::judgement::{Budget, Model, Verdict, check, recheck};

use super::model;
use super::simulated::{Ask, Dice, built, causal, register};

const ASK: Ask =
    Ask { operations: 0, clients: 0, keys: 2, values: 0, writes: 40, swaps: 0, timeouts: 3 };

/// A value of the key of `read` that another one had certainly replaced before
/// the read began.
fn replaced(dice: &mut Dice, operations: &[Operation], read: &Operation) -> Option<Value> {
    let finished = |op: &&Operation| {
        op.call.is_write() && op.call.key == read.call.key && op.returns_before(read)
    };
    let finished: Vec<&Operation> = operations.iter().filter(finished).collect();
    let old = |op: &&&Operation| finished.iter().any(|newer| op.returns_before(newer));
    let old: Vec<&&Operation> = finished.iter().filter(old).collect();
    old.get(dice.below(old.len())).map(|op| op.call.argument.clone())
}

/// Makes the read at this position stale; false if no stale value exists for
/// it.
fn plant(dice: &mut Dice, operations: &mut [Operation], at: usize) -> bool {
    if operations[at].answer().is_none() {
        return false;
    }
    match replaced(dice, operations, &operations[at]) {
        None => false,
        Some(value) => {
            operations[at].completion = Completion::Ok(value);
            true
        }
    }
}

#[track_caller]
fn convicts(operations: &[Operation], planted: usize, models: &[&str]) {
    let history = built(operations.to_vec());
    for model in models.iter().map(|name| model(name)) {
        let verdict = check(&history, model, Budget::default());
        let Verdict::Violated(found) = &verdict else { panic!("{model}: {verdict:?}") };
        assert!(found.operations.contains(&planted), "{model}: {planted} not in {found:?}");
        assert!(found.minimal, "{model}");
        assert_eq!(recheck(&history, model, &verdict), Ok(()), "{model}");
    }
}

#[track_caller]
fn acquits(operations: &[Operation], model: Model) {
    let history = built(operations.to_vec());
    let verdict = check(&history, model, Budget::default());
    assert!(verdict.holds(), "{model}: {verdict:?}");
    assert_eq!(recheck(&history, model, &verdict), Ok(()), "{model}");
}

#[test]
fn a_stale_read_is_found_at_every_position_of_a_register() {
    let mut dice = Dice(1);
    let mut planted = 0;
    for clients in [1, 2, 3, 5, 8, 13] {
        let correct = register(&mut dice, Ask { operations: 80, clients, ..ASK });
        acquits(&correct, Model::Linearizable);
        for at in 0..correct.len() {
            let mut operations = correct.clone();
            if plant(&mut dice, &mut operations, at) {
                convicts(&operations, at, &["linearizable"]);
                planted += 1;
            }
        }
    }
    assert!(planted > 150, "{planted}");
}

#[test]
fn a_stale_read_is_found_in_long_histories_of_a_register() {
    let mut dice = Dice(2);
    let mut planted = 0;
    for operations in [200, 500, 1_000, 2_000] {
        for clients in [2, 10, 30] {
            let correct = register(&mut dice, Ask { operations, clients, ..ASK });
            acquits(&correct, Model::Linearizable);
            for _ in 0..12 {
                let mut operations = correct.clone();
                let at = dice.below(operations.len());
                if plant(&mut dice, &mut operations, at) {
                    convicts(&operations, at, &["linearizable"]);
                    planted += 1;
                }
            }
        }
    }
    assert!(planted > 40, "{planted}");
}

/// Plants a write of 99 concurrent with another write, and a read of 99 after a
/// later write that followed both. The position of the read, if there can be
/// one.
fn plant_99(dice: &mut Dice, operations: &mut Vec<Operation>) -> Option<usize> {
    let acked = |op: &Operation| op.call.is_write() && op.returned.is_some();
    let beside = dice.below(operations.len());
    let mut write = operations[beside].clone();
    if !acked(&write) {
        return None;
    }
    write.process.0 += 10_000;
    write.call.argument = Value::from(99);
    operations.insert(beside, write.clone());
    let newer = |op: &&Operation| acked(op) && write.returns_before(op);
    let newer = operations.iter().filter(newer).min_by_key(|op| op.returned)?.clone();
    let read =
        |at: &usize| operations[*at].answer().is_some() && newer.returns_before(&operations[*at]);
    let reads: Vec<usize> = (0..operations.len()).filter(read).collect();
    let at = *reads.get(dice.below(reads.len()))?;
    operations[at].completion = Completion::Ok(Value::from(99));
    Some(at)
}

#[test]
fn a_stale_read_is_found_where_other_values_repeat() {
    let mut dice = Dice(3);
    let mut planted = 0;
    for clients in [2, 4, 6] {
        for _ in 0..40 {
            let operations = 20 + dice.below(80);
            let ask = Ask { operations, clients, keys: 1, values: 4, writes: 25, swaps: 25, ..ASK };
            let mut operations = register(&mut dice, ask);
            acquits(&operations, Model::Linearizable);
            if let Some(at) = plant_99(&mut dice, &mut operations) {
                convicts(&operations, at, &["linearizable"]);
                planted += 1;
            }
        }
    }
    println!("{planted} planted");
    assert!(planted > 15, "{planted}");
}

/// The operations with a read of `value` inserted after position `at`, by the
/// same process, to break a session guarantee.
fn after(operations: &[Operation], at: usize, mut read: Operation, value: Value) -> Vec<Operation> {
    let mut more = operations.to_vec();
    for operation in &mut more[at + 1..] {
        operation.invoked += 2;
        operation.returned = operation.returned.map(|returned| returned + 2);
    }
    read.invoked = operations[at].invoked + 2;
    read.returned = Some(read.invoked + 1);
    read.process = operations[at].process;
    read.completion = Completion::Ok(value);
    more.insert(at + 1, read);
    more
}

fn read_of(operations: &[Operation], key: &quiescence::history::Key) -> Operation {
    let mut read = operations[0].clone();
    read.call = quiescence::history::Call::read(key.clone());
    read
}

#[test]
fn broken_session_guarantees_are_found_at_every_position_of_a_causal_store() {
    let mut dice = Dice(4);
    let (mut own, mut seen, mut through) = (0, 0, 0);
    for replicas in [2, 3, 5] {
        let correct = causal(&mut dice, 60, replicas, 3);
        for name in ["ccv", "cc", "sess3", "mr_wfr", "ryw"] {
            acquits(&correct, model(name));
        }
        for at in 0..correct.len() {
            let operation = &correct[at];
            let blind = read_of(&correct, &operation.call.key);
            if operation.call.is_write() {
                let broken = after(&correct, at, blind, Value::Null);
                convicts(&broken, at + 1, &["ryw", "ccv", "cc"]);
                own += 1;
                continue;
            }
            let Some(answer) = operation.answer().filter(|value| **value != Value::Null) else {
                continue;
            };
            let broken = after(&correct, at, blind, Value::Null);
            convicts(&broken, at + 1, &["mr", "ccv", "cc"]);
            seen += 1;
            // An earlier write of the same writer, to another key.
            let writer =
                correct.iter().position(|op| op.call.is_write() && op.call.argument == *answer);
            let writer = writer.expect("somebody wrote it");
            let earlier = (0..writer).filter(|&before| {
                correct[before].process == correct[writer].process
                    && correct[before].call.is_write()
                    && correct[before].call.key != operation.call.key
            });
            let Some(earlier) = { earlier }.next_back() else { continue };
            let blind = read_of(&correct, &correct[earlier].call.key);
            let broken = after(&correct, at, blind, Value::Null);
            convicts(&broken, at + 1, &["mr_mw", "ccv", "cc"]);
            through += 1;
        }
    }
    println!("{own} own, {seen} seen, {through} through another key");
    assert!(own > 40 && seen > 40 && through > 20, "{own} {seen} {through}");
}

#[test]
fn a_value_that_its_own_writer_had_replaced_is_found_in_a_long_causal_history() {
    let mut dice = Dice(5);
    let mut planted = 0;
    for replicas in [3, 8] {
        let correct = causal(&mut dice, 1_000, replicas, 3);
        acquits(&correct, model("ccv"));
        for _ in 0..25 {
            let at = dice.below(correct.len());
            let operation = &correct[at];
            let Some(answer) = operation.answer() else { continue };
            let wrote = |op: &&Operation| op.call.is_write() && op.call.argument == *answer;
            let Some(writer) = correct.iter().find(wrote) else { continue };
            let older = correct.iter().filter(|op| {
                op.call.is_write()
                    && op.call.key == writer.call.key
                    && op.process == writer.process
                    && op.invoked < writer.invoked
            });
            let Some(older) = { older }.next_back() else { continue };
            let read = read_of(&correct, &operation.call.key);
            let broken = after(&correct, at, read, older.call.argument.clone());
            convicts(&broken, at + 1, &["mr_mw", "sess3", "ccv", "cc"]);
            planted += 1;
        }
    }
    assert!(planted > 15, "{planted}");
}
