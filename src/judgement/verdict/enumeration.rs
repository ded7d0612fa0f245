//! Every order of a small part, tried one after the other.
//!
//! The last word on "no order explains the answers". It takes the operations
//! in every order that keeps session order and returns-before, remembers only
//! which positions it has been in, and gives up past a fixed number of steps.
//! It is meant for the few operations of a minimal counterexample: O(2ⁿ·n).

use std::collections::BTreeSet;

use crate::history::{Completion, History, Key, Operation, Value};

/// How many positions are tried at most.
const STEPS_MAX: u32 = 1_000_000;

/// Whether some legal order explains all answers; `None` past the limit.
pub(super) fn linearizable(part: &History) -> Option<bool> {
    let matters = |op: &&Operation| match op.completion {
        Completion::Ok(_) => true,
        Completion::Info => op.call.is_write(),
        Completion::Fail => false,
    };
    let operations: Vec<_> = part.operations().iter().filter(matters).collect();
    let mut search = Search { operations: &operations, visited: BTreeSet::new(), steps: STEPS_MAX };
    search.extend(&mut vec![false; operations.len()], &mut Vec::new())
}

/// What the keys hold that were written, ascending.
type Held<'a> = Vec<(&'a Key, &'a Value)>;

struct Search<'a> {
    operations: &'a [&'a Operation],
    /// Which operations were placed, and what the keys held then.
    visited: BTreeSet<(Vec<bool>, Held<'a>)>,
    steps: u32,
}

impl<'a> Search<'a> {
    fn extend(&mut self, placed: &mut Vec<bool>, held: &mut Held<'a>) -> Option<bool> {
        let operations = self.operations;
        let left = |at: &usize| !placed[*at];
        if !(0..operations.len()).filter(left).any(|at| !operations[at].is_pending()) {
            return Some(true);
        }
        if !self.visited.insert((placed.clone(), held.clone())) {
            return Some(false);
        }
        self.steps = self.steps.checked_sub(1)?;
        for at in 0..operations.len() {
            if placed[at] || self.must_wait(at, placed) || !legal(operations[at], held) {
                continue;
            }
            let before = held.clone();
            if operations[at].call.is_write() {
                write(operations[at], held);
            }
            placed[at] = true;
            let explained = self.extend(placed, held)?;
            placed[at] = false;
            *held = before;
            if explained {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Whether an operation that is not placed comes before this one.
    fn must_wait(&self, at: usize, placed: &[bool]) -> bool {
        let this = self.operations[at];
        self.operations.iter().enumerate().any(|(other, operation)| {
            let before =
                operation.returns_before(this) || (operation.process == this.process && other < at);
            !placed[other] && before
        })
    }
}

fn legal(operation: &Operation, held: &[(&Key, &Value)]) -> bool {
    let key = &operation.call.key;
    let value = held.iter().find(|(of, _)| *of == key).map(|(_, value)| *value);
    operation.answer().is_none_or(|answer| answer == value.unwrap_or(&Value::Null))
}

fn write<'a>(operation: &'a Operation, held: &mut Held<'a>) {
    held.retain(|(key, _)| **key != operation.call.key);
    held.push((&operation.call.key, &operation.call.argument));
    held.sort_unstable();
}
