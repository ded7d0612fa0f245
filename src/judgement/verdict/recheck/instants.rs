//! Replays that no order explains a part of a history, where every operation takes
//! effect at one instant between its invocation and its return.
//!
//! Tries every order, from the definition: what comes next is an operation before
//! which nothing is left that has to come before it. A read whose answer is right is
//! taken at once, because whatever can follow without it can follow it too; and no
//! position is tried twice. What has an unknown outcome and would change nothing is left
//! out, and of two such operations that are the same call the first comes first. Each
//! of up to 64 operations is a bit.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::datatype::Datatype;
use crate::judgement::number::{index, number_of};

/// How many positions are tried at most.
const POSITIONS_MAX: usize = 30_000;

/// Whether some order of the operations at these positions keeps returns-before and
/// the order of sessions, and explains every answer; `None` if it takes too long to
/// tell.
pub(super) fn explained(
    history: &History,
    part: &[usize],
    datatype: &dyn Datatype,
) -> Option<bool> {
    let all = part.iter().map(|&at| (at, &history.operations()[at]));
    let counts = |op: &Operation| match op.completion {
        Completion::Ok(_) => true,
        Completion::Info => !datatype.only_reads(&op.call, None),
        Completion::Fail => false,
    };
    let operations: Vec<(usize, &Operation)> = all.filter(|(_, op)| counts(op)).collect();
    if operations.len() > 64 {
        return None;
    }
    Tried::of(&operations, datatype).any()
}

/// Which operations are placed, as bits, and what each key holds.
type Position = (u64, Vec<u32>);

struct Tried<'a> {
    operations: Vec<&'a Operation>,
    datatype: &'a dyn Datatype,
    /// For each operation: those that come before it, and those that come after it.
    before: Vec<u64>,
    after: Vec<u64>,
    /// Those that were answered.
    answered: u64,
    /// For each operation: the number of its key.
    keys: Vec<usize>,
    /// What objects have held, and the numbers of that.
    values: Vec<Value>,
    numbers: BTreeMap<Value, u32>,
    /// What each key holds at first.
    initial: Vec<u32>,
}

impl<'a> Tried<'a> {
    fn of(operations: &[(usize, &'a Operation)], datatype: &'a dyn Datatype) -> Self {
        let bits = |holds: &dyn Fn(&(usize, &Operation)) -> bool| {
            let members = operations.iter().zip(0..).filter(|(one, _)| holds(one));
            members.fold(0_u64, |bits, (_, bit)| bits | 1 << bit)
        };
        let precedes = |(at, one): &(usize, &Operation),
                        (other_at, other): &(usize, &Operation)| {
            one.returns_before(other) || (at < other_at && one.process == other.process)
        };
        let mut tried = Tried {
            operations: operations.iter().map(|(_, op)| *op).collect(),
            datatype,
            before: operations.iter().map(|of| bits(&|one| precedes(one, of))).collect(),
            after: operations.iter().map(|of| bits(&|one| precedes(of, one))).collect(),
            answered: bits(&|(_, op)| matches!(op.completion, Completion::Ok(_))),
            keys: Vec::new(),
            values: Vec::new(),
            numbers: BTreeMap::new(),
            initial: Vec::new(),
        };
        let mut names: BTreeMap<&Key, usize> = BTreeMap::new();
        for (_, op) in operations {
            let new = names.len();
            let key = *names.entry(&op.call.key).or_insert(new);
            if key == new {
                let held = tried.number(datatype.initial(&op.call.key));
                tried.initial.push(held);
            }
            tried.keys.push(key);
        }
        tried
    }

    fn number(&mut self, value: Value) -> u32 {
        let new = number_of(self.values.len());
        let number = *self.numbers.entry(value.clone()).or_insert(new);
        if number == new {
            self.values.push(value);
        }
        number
    }

    /// Whether there is an order.
    fn any(mut self) -> Option<bool> {
        let start = (0, self.initial.clone());
        let mut visited: BTreeSet<Position> = BTreeSet::new();
        let mut open = vec![start];
        while let Some(position) = open.pop() {
            let position = self.with_reads(position);
            if position.0 & self.answered == self.answered {
                return Some(true);
            }
            if visited.contains(&position) {
                continue;
            }
            for at in 0..self.operations.len() {
                open.extend(self.next(&position, at));
            }
            visited.insert(position);
            if visited.len() > POSITIONS_MAX {
                return None;
            }
        }
        Some(false)
    }

    /// Whether the operation can come next: what was answered waits for it before it,
    /// and what may have come after it already did not.
    fn is_free(&self, placed: u64, at: usize) -> bool {
        let left = self.before[at] & self.answered & !placed;
        placed & (1 << at) == 0 && left == 0 && placed & self.after[at] == 0
    }

    /// Whether an earlier call that is the same, and of unknown outcome as well, can come
    /// next too: what one of them does now the other can do, and the other way round.
    fn has_twin(&self, placed: u64, at: usize) -> bool {
        let is_open = |at: usize| self.answered & (1 << at) == 0;
        let same = |other: usize| self.operations[other].call == self.operations[at].call;
        is_open(at)
            && (0..at).any(|other| is_open(other) && same(other) && self.is_free(placed, other))
    }

    /// The position after an operation that takes effect next, if it can.
    fn next(&mut self, (placed, held): &Position, at: usize) -> Option<Position> {
        if !self.is_free(*placed, at) || self.has_twin(*placed, at) {
            return None;
        }
        let operation = self.operations[at];
        let key = self.keys[at];
        let answer = answer(operation);
        let value = &self.values[index(held[key])];
        let next = self.datatype.apply(value, &operation.call, answer)?;
        if answer.is_none() && next == *value {
            return None;
        }
        let mut held = held.clone();
        held[key] = self.number(next);
        Some((placed | 1 << at, held))
    }

    /// The position after all reads whose answers are right there.
    fn with_reads(&self, (mut placed, held): Position) -> Position {
        loop {
            let right = |at: &usize| {
                let (operation, value) =
                    (self.operations[*at], &self.values[index(held[self.keys[*at]])]);
                let answer = answer(operation);
                self.is_free(placed, *at)
                    && self.datatype.only_reads(&operation.call, answer)
                    && self.datatype.apply(value, &operation.call, answer).is_some()
            };
            match (0..self.operations.len()).find(right) {
                Some(at) => placed |= 1 << at,
                None => return (placed, held),
            }
        }
    }
}

fn answer(operation: &Operation) -> Option<&Value> {
    match &operation.completion {
        Completion::Ok(answer) => Some(answer),
        Completion::Info | Completion::Fail => None,
    }
}
