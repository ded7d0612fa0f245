//! Quiescent consistency of registers.
//!
//! The instants at which no operation is open cut a history into epochs; within
//! an epoch operations may have any order, even against session order. So a
//! read may return a value that its epoch writes, or the value that the key
//! held when the epoch began: one that the last epoch with writes to the key
//! wrote, the same one for all reads. Nothing else needs to be checked:
//! O(n log n). An operation of unknown outcome stays open for ever, so no
//! instant after it is quiet, and a pending write that nobody read can be
//! placed last.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::checker::whole::Decision;
use crate::judgement::verdict::Witness;

/// What a key holds when an epoch begins.
struct Held<'a> {
    /// The values that the last epoch with writes wrote, each with a write of
    /// it. The first read that needs one of them decides for it.
    values: BTreeMap<&'a Value, usize>,
    decided: Option<(&'a Value, usize)>,
}

/// Decides for the operations at these positions; the epochs are those of the
/// whole history.
pub(in crate::judgement::checker) fn decide(history: &History, part: &[usize]) -> Decision {
    let operations = history.operations();
    let epochs = epochs(history, part);
    let mut held: BTreeMap<&Key, Held<'_>> = BTreeMap::new();
    // The writes that must be last of their epoch and key, because a later
    // epoch reads them.
    let mut last: BTreeSet<usize> = BTreeSet::new();
    for epoch in &epochs {
        let mut writes: BTreeMap<&Key, BTreeMap<&Value, usize>> = BTreeMap::new();
        for &at in epoch.iter().filter(|at| operations[**at].call.is_write()) {
            let call = &operations[at].call;
            writes.entry(&call.key).or_default().insert(&call.argument, at);
        }
        for &at in epoch {
            let Some(answer) = operations[at].answer() else { continue };
            let key = &operations[at].call.key;
            if writes.get(key).is_some_and(|values| values.contains_key(answer)) {
                continue;
            }
            let initial = *answer == Value::Null && !held.contains_key(key);
            let carried = held.get_mut(key).is_some_and(|held| match held.decided {
                Some((value, _)) => value == answer,
                None => {
                    held.decided = held.values.get_key_value(answer).map(|(v, at)| (*v, *at));
                    held.decided.is_some()
                }
            });
            if !initial && !carried {
                return Decision::Fails(needed(operations, part, at));
            }
        }
        for (key, values) in writes {
            if let Some(Held { decided: Some((_, write)), .. }) = held.get(key) {
                last.insert(*write);
            }
            held.insert(key, Held { values, decided: None });
        }
    }
    last.extend(held.values().filter_map(|held| held.decided).map(|(_, write)| write));
    Decision::Holds(Witness::Linear(order(operations, &epochs, &last)))
}

/// The positions of the operations that matter, epoch by epoch.
pub(in crate::judgement::checker) fn epochs(history: &History, part: &[usize]) -> Vec<Vec<usize>> {
    let mut part = part.iter().peekable();
    let mut epochs: Vec<Vec<usize>> = vec![Vec::new()];
    let mut busy_until = 0;
    for (at, operation) in history.operations().iter().enumerate() {
        if operation.completion == Completion::Fail {
            part.next_if_eq(&&at);
            continue;
        }
        if operation.invoked > busy_until && !epochs.last().is_some_and(Vec::is_empty) {
            epochs.push(Vec::new());
        }
        busy_until = busy_until.max(operation.returned.unwrap_or(u64::MAX));
        let pending_read = operation.is_pending() && !operation.call.is_write();
        if part.next_if_eq(&&at).is_some() && !pending_read {
            epochs.last_mut().expect("there is one").push(at);
        }
    }
    epochs
}

/// The operations that contradict a read: all of its key.
fn needed(operations: &[Operation], part: &[usize], read: usize) -> Vec<usize> {
    let key = &operations[read].call.key;
    part.iter().copied().filter(|&at| operations[at].call.key == *key).collect()
}

/// One order of all epochs. Within an epoch: first the reads of older values,
/// then each write followed by its reads; the write that a later epoch reads
/// comes last.
fn order(operations: &[Operation], epochs: &[Vec<usize>], last: &BTreeSet<usize>) -> Vec<usize> {
    let mut whole = Vec::new();
    for epoch in epochs {
        let mut readers: BTreeMap<(&Key, &Value), Vec<usize>> = BTreeMap::new();
        for &at in epoch {
            if let Some(answer) = operations[at].answer() {
                readers.entry((&operations[at].call.key, answer)).or_default().push(at);
            }
        }
        let is_write = |at: &&usize| operations[**at].call.is_write();
        let (ends, others): (Vec<usize>, Vec<usize>) =
            epoch.iter().filter(is_write).partition(|at| last.contains(at));
        let mut written = Vec::new();
        for at in others.into_iter().chain(ends) {
            let call = &operations[at].call;
            written.push(at);
            written.extend(readers.remove(&(&call.key, &call.argument)).unwrap_or_default());
        }
        whole.extend(readers.into_values().flatten());
        whole.extend(written);
    }
    whole
}
