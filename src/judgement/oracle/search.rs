//! Every order of some operations, tried one after the other.
//!
//! Places the operations in every order that a relation allows, with no other
//! shortcut than a memo of the positions that it has visited.

use std::collections::BTreeSet;

use crate::history::{Completion, Key, Operation, Value};
use crate::judgement::datatype::Datatype;
use crate::judgement::number::count;

/// For each changed key, ascending, the last values, newest last.
type Held<'a> = Vec<(&'a Key, Vec<Value>)>;

/// The orders that are searched for.
pub(super) struct Legal<'a> {
    /// The operations to be ordered.
    pub(super) operations: &'a [&'a Operation],
    /// Whether the first must come before the second, by position.
    pub(super) before: &'a dyn Fn(usize, usize) -> bool,
    /// Whether the answer of this operation counts.
    pub(super) counts: &'a dyn Fn(usize) -> bool,
    /// How many of the last writes a read may return; 1: the last.
    pub(super) last: usize,
    /// What the operations mean.
    pub(super) datatype: &'a dyn Datatype,
}

impl Legal<'_> {
    /// Whether there is one; `None` if the steps ran out. Each position takes
    /// as many steps as there are operations.
    pub(super) fn exist(&self, steps: &mut u64) -> Option<bool> {
        let mut visited = BTreeSet::new();
        self.extend(&mut vec![false; self.operations.len()], &mut Vec::new(), &mut visited, steps)
    }

    fn extend<'a>(
        &'a self,
        placed: &mut Vec<bool>,
        held: &mut Held<'a>,
        visited: &mut BTreeSet<(Vec<bool>, Held<'a>)>,
        steps: &mut u64,
    ) -> Option<bool> {
        if placed.iter().all(|placed| *placed) {
            return Some(true);
        }
        if !visited.insert((placed.clone(), held.clone())) {
            return Some(false);
        }
        *steps = steps.checked_sub(count(self.operations.len()))?;
        for at in 0..self.operations.len() {
            let waits = |at: usize| {
                (0..placed.len()).any(|other| !placed[other] && (self.before)(other, at))
            };
            if placed[at] || waits(at) {
                continue;
            }
            let earlier = held.clone();
            if !self.apply(at, held) {
                continue;
            }
            placed[at] = true;
            let explained = self.extend(placed, held, visited, steps)?;
            placed[at] = false;
            *held = earlier;
            if explained {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Performs an operation; false if it cannot have answered what it did.
    fn apply<'a>(&'a self, at: usize, held: &mut Held<'a>) -> bool {
        let operation = self.operations[at];
        let call = &operation.call;
        let answer = match &operation.completion {
            Completion::Ok(answer) if (self.counts)(at) => Some(answer),
            _ => None,
        };
        let place = held.iter().position(|(of, _)| *of == &call.key);
        let initial = vec![self.datatype.initial(&call.key)];
        let values = place.map_or(&initial, |place| &held[place].1);
        if self.datatype.only_reads(call, answer) {
            return values.iter().any(|value| self.datatype.apply(value, call, answer).is_some());
        }
        let newest = values.last().expect("an object holds something");
        let Some(next) = self.datatype.apply(newest, call, answer) else { return false };
        let mut values = values.clone();
        values.push(next);
        if values.len() > self.last {
            values.remove(0);
        }
        held.retain(|(of, _)| *of != &call.key);
        held.push((&call.key, values));
        held.sort_unstable();
        true
    }
}
