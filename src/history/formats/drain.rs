//! `drain` of a queue, read as the `dequeue`s that it did.
//!
//! A drain that was answered with a list took these values one after the other, at unknown
//! instants between its invocation and its return. Each of them becomes a `dequeue` of a
//! process of its own that lasts as long as the drain. So every order of them within that time
//! is allowed, also between the operations of others, and what is a violation then is one
//! however they were placed. Their order among themselves is not judged, nor that the queue
//! was empty in the end.
//!
//! A drain of unknown outcome, or one that was answered without a list, may have taken anything
//! that was in the queue. It becomes a `dequeue` for each value that it names, and as many of
//! unknown outcome as values can have been left: those that were enqueued, less those that
//! somebody is known to have dequeued. Together they are enough for all such drains of a key,
//! so they are given to the first of them. A drain that failed took nothing.
//!
//! It knows no file: until a history is complete, what an unfinished drain had taken stands in
//! the place of its argument.

use std::collections::{BTreeMap, BTreeSet};

use super::{Drains, Recording};
use crate::history::{Call, Completion, Function, History, Key, Operation, ProcessId, Value};

/// Whether a function is a drain.
pub(super) fn is_drain(f: &Function) -> bool {
    f.as_str() == "drain"
}

/// A complaint about what a drain answers, or has taken although it failed.
pub(super) fn check(completion: &Completion, taken: &Value) -> Result<(), String> {
    match (completion, taken) {
        (Completion::Ok(Value::Null | Value::List(_)), _) => Ok(()),
        (Completion::Ok(answer), _) => {
            Err(format!("a drain is answered with the list of what it took, not {answer}"))
        }
        (Completion::Fail, Value::List(list)) if !list.is_empty() => Err(format!(
            "a drain that failed took nothing, and this one names {taken}; if it took them, its \
             type is `info`"
        )),
        (Completion::Fail | Completion::Info, _) => Ok(()),
    }
}

/// What an unfinished drain had taken by this time, in the place of its argument.
pub(super) fn noted(taken: Value, by: Option<u64>) -> Value {
    let by = by.map_or(Value::Null, |by| Value::from(by.to_string().as_str()));
    Value::from(vec![taken, by])
}

/// The values that a drain took for certain, and by when if that is noted.
fn taken(drain: &Operation) -> (Vec<Value>, Option<u64>) {
    let list = |value: &Value| match value {
        Value::List(list) => list.iter().filter(|it| **it != Value::Null).cloned().collect(),
        _ => Vec::new(),
    };
    match (&drain.completion, &drain.call.argument) {
        (Completion::Ok(answer), _) => (list(answer), drain.returned),
        (Completion::Info, Value::List(noted)) => match &noted[..] {
            [taken, Value::Text(by)] => (list(taken), by.parse().ok()),
            [taken, _] => (list(taken), None),
            _ => (Vec::new(), None),
        },
        _ => (Vec::new(), None),
    }
}

/// Whether a drain may have taken more than it names.
fn is_unfinished(drain: &Operation) -> bool {
    matches!(&drain.completion, Completion::Info | Completion::Ok(Value::Null))
}

/// How many values can have been taken by drains that do not name them, by key; `held` is how
/// many a queue has at first.
fn left(operations: &[Operation], held: usize) -> BTreeMap<Key, usize> {
    let mut counts: BTreeMap<Key, (usize, usize)> = BTreeMap::new();
    for operation in operations {
        let (put, got) = counts.entry(operation.call.key.clone()).or_default();
        match (operation.call.f.as_str(), &operation.completion) {
            ("enqueue", Completion::Ok(_) | Completion::Info) => *put += 1,
            ("dequeue", Completion::Ok(answer)) => *got += usize::from(*answer != Value::Null),
            ("drain", _) => *got += taken(operation).0.len(),
            _ => {}
        }
    }
    let left = |(put, got): (usize, usize)| (held + put).saturating_sub(got);
    counts.into_iter().map(|(key, counts)| (key, left(counts))).collect()
}

/// The recording with every drain as dequeues.
pub(super) fn expand(recording: Recording, held: usize) -> Recording {
    let is_one = |operation: &Operation| is_drain(&operation.call.f);
    if !recording.history.operations().iter().any(is_one) {
        return recording;
    }
    let old = recording.history.operations();
    let mut left = left(old, held);
    let times = old.iter().flat_map(|operation| [Some(operation.invoked), operation.returned]);
    let last = times.flatten().max().unwrap_or(0);
    let mut free = free(&recording);
    let mut drains = Drains::default();
    let mut operations = Vec::with_capacity(old.len());
    let mut lines = Vec::with_capacity(recording.lines.len());
    for (at, operation) in old.iter().enumerate() {
        let mut add = |operation: Operation| {
            operations.push(operation);
            lines.extend(recording.lines.get(at));
        };
        if !is_one(operation) {
            add(operation.clone());
            continue;
        }
        drains.read += 1;
        if operation.completion == Completion::Fail {
            add(dequeue(operation, operation.process, Completion::Fail, operation.returned));
            continue;
        }
        let (taken, by) = taken(operation);
        let more = match is_unfinished(operation) {
            true => left.remove(&operation.call.key).unwrap_or(0),
            false => 0,
        };
        drains.unfinished += usize::from(is_unfinished(operation));
        drains.dequeues += taken.len();
        drains.perhaps += more;
        let named = recording.name_of(operation.process);
        let (word, place) = recording.place(at);
        drains.first.entry(operation.call.key.clone()).or_insert((word, place));
        let known = taken.len();
        let answers = taken.into_iter().map(Some).chain(std::iter::repeat_n(None, more));
        for (nth, answer) in (1..).zip(answers) {
            let process = free.next().expect("there are more numbers than operations");
            let process = ProcessId(process);
            let part = match answer {
                Some(_) => format!("{nth} of {known}"),
                None => "if it took more".to_owned(),
            };
            let called = format!("{named} in its drain ({word} {place}, {part})");
            drains.parts.insert(process, called);
            add(match answer {
                Some(answer) => {
                    let returned = by.unwrap_or(last).max(operation.invoked);
                    dequeue(operation, process, Completion::Ok(answer), Some(returned))
                }
                None => dequeue(operation, process, Completion::Info, None),
            });
        }
    }
    let history = History::of(operations).expect("what was added is alone in its process");
    Recording { history, lines, drains, ..recording }
}

/// One of the dequeues that a drain did, or may have done. The drain is not copied: with it went
/// all its values, once for each of them.
fn dequeue(
    drain: &Operation,
    process: ProcessId,
    completion: Completion,
    returned: Option<u64>,
) -> Operation {
    Operation {
        process,
        node: drain.node,
        call: Call {
            f: Function::named("dequeue"),
            key: drain.call.key.clone(),
            argument: Value::Null,
        },
        invoked: drain.invoked,
        returned,
        completion,
        final_read: drain.final_read,
    }
}

/// The numbers that no process has, here or in the file.
fn free(recording: &Recording) -> impl Iterator<Item = u32> + use<> {
    let here = recording.history.operations().iter().map(|operation| operation.process.0);
    let there = recording.renumbered.values().map(|(number, _)| *number);
    let used: BTreeSet<u32> =
        here.chain(there).chain(recording.processes.keys().copied()).collect();
    let highest = used.last().copied().unwrap_or(0);
    let above = highest.saturating_add(1)..=u32::MAX;
    above.chain(0..=highest).filter(move |number| !used.contains(number))
}
