//! Answers that nothing can have caused, where there are compare-and-sets.
//!
//! A register can hold a value if it is the initial one, if somebody writes it,
//! or if a compare-and-set leaves it that finds a value that the register can
//! hold. An operation that found another value found what nobody wrote, or what
//! only compare-and-sets leave that depend on each other in a cycle. No model
//! that is decided for compare-and-sets allows that, so it is reported without
//! a search, which would have to try every order. O(n). Not used for registers
//! that are only read and written.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::datatype::{aborted, found, left};
use crate::judgement::verdict::{Counterexample, Kind, Reason};

/// An answer that nothing can have caused, with all operations that leave its value,
/// and transitively the values that those find: the first answer, or one behind it that
/// has fewer operations behind it.
pub(super) fn unfounded(history: &History) -> Option<Counterexample> {
    let operations = history.operations();
    let held = holdable(operations);
    let answered = |op: &Operation| matches!(op.completion, Completion::Ok(_));
    let strange = |op: &Operation| {
        found(op).is_some_and(|value| !held.contains(&(&op.call.key, value))) && answered(op)
    };
    let first = operations.iter().position(strange)?;
    let (read, among, minimal) = least(operations, first);
    let failed = operations.iter().position(|op| aborted(op, &operations[read]));
    let reason = match failed {
        _ if !among.is_empty() || !operations[read].call.is_read() => {
            Reason::Unfounded { read, among }
        }
        Some(write) => Reason::FailedWriteSeen { read, write },
        None => Reason::Thin { read },
    };
    let operations = reason.operations();
    Some(Counterexample {
        kind: Kind::Illegal,
        operations,
        minimal,
        restricted: Vec::new(),
        reason,
    })
}

/// How many operations are tried to make a counterexample smaller.
const TRIED_MAX: usize = 64;

/// The answer among this one and those behind it which has the fewest behind it, with
/// those, and whether all were tried. Then the counterexample is minimal: each answer in
/// it depends on all of it.
fn least(operations: &[Operation], first: usize) -> (usize, Vec<usize>, bool) {
    let among = behind(operations, first);
    if among.len() > TRIED_MAX {
        return (first, among, false);
    }
    let answered = |at: &usize| matches!(operations[*at].completion, Completion::Ok(_));
    let others = among.iter().copied().filter(answered).map(|at| (at, behind(operations, at)));
    let size = |(at, among): &(usize, Vec<usize>)| among.len() + usize::from(!among.contains(at));
    let all: Vec<_> = std::iter::once((first, among.clone())).chain(others).collect();
    let (read, among) = all.into_iter().min_by_key(size).expect("there is the first");
    (read, among, true)
}

/// Every value that a key can hold.
fn holdable(operations: &[Operation]) -> FxHashSet<(&Key, &Value)> {
    let mut held = FxHashSet::default();
    let mut next: Vec<(&Key, &Value)> = Vec::new();
    let mut swaps: FxHashMap<(&Key, &Value), Vec<&Value>> = FxHashMap::default();
    for op in operations {
        let key = &op.call.key;
        next.push((key, &Value::Null));
        match (found(op), left(op)) {
            (Some(from), Some(to)) => swaps.entry((key, from)).or_default().push(to),
            (None, Some(to)) => next.push((key, to)),
            _ => {}
        }
    }
    while let Some(value) = next.pop() {
        if held.insert(value) {
            next.extend(swaps.get(&value).into_iter().flatten().map(|to| (value.0, *to)));
        }
    }
    held
}

/// The operations that leave what this one found, transitively; ascending.
fn behind(operations: &[Operation], read: usize) -> Vec<usize> {
    let mut leaving: FxHashMap<(&Key, &Value), Vec<usize>> = FxHashMap::default();
    for (at, op) in operations.iter().enumerate() {
        if let Some(value) = left(op) {
            leaving.entry((&op.call.key, value)).or_default().push(at);
        }
    }
    let mut next = vec![read];
    let mut among = Vec::new();
    while let Some(at) = next.pop() {
        let op = &operations[at];
        let Some(value) = found(op) else { continue };
        let Some(sources) = leaving.get_mut(&(&op.call.key, value)) else { continue };
        let before = among.len();
        // What it leaves itself explains others that found the same, but not itself.
        among.extend(sources.extract_if(.., |other| *other != at));
        next.extend(&among[before..]);
    }
    among.sort_unstable();
    among.dedup();
    among
}
