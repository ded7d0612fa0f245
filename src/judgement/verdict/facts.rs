//! What a history says directly: the ground on which proofs are replayed.
//!
//! Plain look-ups, written for sight rather than speed. Knows no model.

use crate::history::{Completion, History, Operation, Value};

use super::reason::Source;

/// The history under a proof.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    operations: &'a [Operation],
}

impl<'a> Facts<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        Facts { operations: history.operations() }
    }

    pub(super) fn len(self) -> usize {
        self.operations.len()
    }

    pub(super) fn get(self, at: usize) -> Option<&'a Operation> {
        self.operations.get(at)
    }

    /// A read with an answer.
    pub(super) fn answered(self, at: usize) -> bool {
        self.get(at).is_some_and(|op| op.answer().is_some())
    }

    /// An answered read at quiescence.
    pub(super) fn final_read(self, at: usize) -> bool {
        self.answered(at) && self.operations[at].final_read
    }

    pub(super) fn acked_write(self, at: usize) -> bool {
        let acked = |op: &Operation| matches!(op.completion, Completion::Ok(_));
        self.get(at).is_some_and(|op| op.call.is_write() && acked(op))
    }

    /// A write that happened or may have.
    pub(super) fn possible_write(self, at: usize) -> bool {
        self.get(at).is_some_and(|op| op.call.is_write() && op.completion != Completion::Fail)
    }

    /// Whether the first comes before the second in their session.
    pub(super) fn session_order(self, first: usize, second: usize) -> bool {
        match (self.get(first), self.get(second)) {
            (Some(one), Some(two)) => first < second && one.process == two.process,
            _ => false,
        }
    }

    pub(super) fn same_key(self, first: usize, second: usize) -> bool {
        match (self.get(first), self.get(second)) {
            (Some(one), Some(two)) => one.call.key == two.call.key,
            _ => false,
        }
    }

    /// Whether `write` wrote what `read` answered (failed writes included).
    pub(super) fn wrote_the_answer(self, write: usize, read: usize) -> bool {
        self.get(write).is_some_and(|op| {
            op.call.is_write()
                && self.same_key(write, read)
                && self.operations[read].answer() == Some(&op.call.argument)
        })
    }

    /// What can have been the source of an answered read.
    pub(super) fn sources(self, read: usize) -> Vec<Source> {
        let mut sources = Vec::new();
        if self.get(read).and_then(Operation::answer) == Some(&Value::Null) {
            sources.push(Source::Initial);
        }
        let writes = (0..self.len())
            .filter(|&at| self.possible_write(at) && self.wrote_the_answer(at, read));
        sources.extend(writes.map(Source::Write));
        sources
    }
}
