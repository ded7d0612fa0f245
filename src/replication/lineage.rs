//! The log of a primary that can be replaced, and so can be cut back.
//!
//! Unlike the plain [`log`](super::log) an entry says in which epoch a primary took it,
//! and a node may have to give its log up for that of a later epoch.
//!
//! Invariant: what is answered is a prefix of the log, and so is what reads take into
//! account.

use crate::history::{Call, Completion, Key, Value};

use super::{Effects, OperationId, Part, Reply, Stamp, Strategy, Visible, shown};

/// A write, and the epoch in which a primary took it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    epoch: u32,
    operation: OperationId,
    key: Key,
    value: Value,
}

/// Writes in order, for messages: `x=1 y=2`.
pub(super) fn told(writes: &[Write]) -> String {
    let one = |write: &Write| format!("{}={}", write.key, write.value);
    writes.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Writes in order, and how far one is with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Lineage {
    writes: Vec<Write>,
    /// How many reads take into account.
    shown: usize,
    /// At the primary: how many are answered.
    answered: usize,
}

impl Lineage {
    /// How many writes there are.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// How many of them reads take into account.
    pub(super) fn shown(&self) -> usize {
        self.shown
    }

    /// How many of them are answered.
    pub(super) fn answered(&self) -> usize {
        self.answered
    }

    /// The writes from this place on.
    pub(super) fn from(&self, place: usize) -> &[Write] {
        &self.writes[place..]
    }

    /// The first writes, so many.
    pub(super) fn until(&self, count: usize) -> &[Write] {
        &self.writes[..count]
    }

    /// Where the write `operation` stands, if it is there.
    pub(super) fn position(&self, operation: OperationId) -> Option<usize> {
        self.writes.iter().position(|write| write.operation == operation)
    }

    /// Takes a write of a client, at the end.
    pub(super) fn take(&mut self, epoch: u32, operation: OperationId, call: Call) {
        let Call { key, argument: value, .. } = call;
        self.writes.push(Write { epoch, operation, key, value });
    }

    /// Takes more writes from another node.
    pub(super) fn extend(&mut self, writes: impl IntoIterator<Item = Write>) {
        self.writes.extend(writes);
    }

    /// Holds this log instead, the longer one of the same primary.
    pub(super) fn lengthen(&mut self, writes: Vec<Write>) {
        self.writes = writes;
    }

    /// Holds this log instead, of which nothing is shown or answered yet.
    pub(super) fn replace(&mut self, writes: Vec<Write>) {
        *self = Lineage { writes, shown: 0, answered: 0 };
    }

    /// Forgets what reads took into account: after a crash it is to be shown again.
    pub(super) fn hide(&mut self) -> usize {
        std::mem::take(&mut self.shown)
    }

    /// Lets reads take the first `until` writes into account.
    pub(super) fn show_until<S: Strategy>(&mut self, until: usize, effects: &mut Effects<S>) {
        for (at, write) in self.writes.iter().enumerate().take(until).skip(self.shown) {
            effects.visible(write.operation, Stamp { counter: at as u64, tie: write.epoch });
        }
        self.shown = self.shown.max(until);
    }

    /// Lets reads take everything into account.
    pub(super) fn show_all<S: Strategy>(&mut self, effects: &mut Effects<S>) {
        self.show_until(self.len(), effects);
    }

    /// Shows and answers the first `until` writes.
    pub(super) fn commit<S: Strategy>(&mut self, until: usize, effects: &mut Effects<S>) {
        self.show_until(until, effects);
        while let Some(operation) = self.next_answered(until) {
            effects.ok(operation, Value::Null);
        }
    }

    /// The next write to answer, if it is one of the first `until`; it counts as answered.
    pub(super) fn next_answered(&mut self, until: usize) -> Option<OperationId> {
        let operation = self.writes[..until].get(self.answered)?.operation;
        self.answered += 1;
        Some(operation)
    }

    /// A node that begins an epoch with this log owes no answer for it.
    pub(super) fn owe_nothing(&mut self) {
        self.answered = self.len();
    }

    /// Whoever still waits learns that the outcome is unknown.
    pub(super) fn give_up<S: Strategy>(&self, effects: &mut Effects<S>) {
        for write in &self.writes[self.answered..] {
            effects.reply(write.operation, Completion::Info);
        }
    }

    /// Answers a read from what is shown.
    pub(super) fn read<'e, S: Strategy>(
        &self,
        operation: OperationId,
        key: &Key,
        effects: &'e mut Effects<S>,
    ) -> &'e mut Reply<S> {
        let shown = &self.writes[..self.shown];
        let last = shown.iter().rfind(|write| write.key == *key);
        let value = last.map_or(Value::Null, |write| write.value.clone());
        let seen = shown.iter().map(|write| write.operation).collect();
        effects.reply(operation, Completion::Ok(value)).seeing(Visible::These(seen))
    }

    /// What it holds, for people.
    pub(super) fn part(&self) -> Part {
        let one = |write: &Write| format!("{}={}", write.key, shown(&write.value));
        let all: Vec<_> = self.writes.iter().map(one).collect();
        Part::Field("log".to_owned(), format!("[{}]", all.join(", ")))
    }
}
