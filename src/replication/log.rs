//! The log of writes that primary-based strategies keep and ship.
//!
//! Invariant: positions are dense, entries never change, and an operation is
//! in the log at most once however often its client retries.

use std::collections::BTreeMap;

use crate::history::{Key, Value};

use super::{Effects, OperationId, Part, Stamp, Strategy, shown};

/// One write in the order that the primary gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Which write.
    pub(super) operation: OperationId,
    /// To which key.
    pub(super) key: Key,
    /// Which value.
    pub(super) value: Value,
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// Entries in order, and the registers after the applied ones among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Log {
    entries: Vec<Entry>,
    applied: usize,
    registers: BTreeMap<Key, Value>,
}

impl Log {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are applied.
    pub(super) fn applied(&self) -> usize {
        self.applied
    }

    /// The entries from position `from` on.
    pub(super) fn from(&self, from: usize) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().skip(from)
    }

    /// Where the write `operation` stands, if it is in the log.
    pub(super) fn position(&self, operation: OperationId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.operation == operation)
    }

    /// Adds an entry at the end and gives its position.
    pub(super) fn append(&mut self, entry: Entry) -> usize {
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Applies all entries before position `until`, and gives the operations
    /// that this made visible.
    pub(super) fn apply<S: Strategy>(
        &mut self,
        until: usize,
        effects: &mut Effects<S>,
    ) -> Vec<OperationId> {
        let from = self.applied.min(until);
        self.applied = self.applied.max(until);
        let fresh = &self.entries[from..until];
        for (at, entry) in fresh.iter().enumerate() {
            self.registers.insert(entry.key.clone(), entry.value.clone());
            effects.visible(entry.operation, stamp(from + at));
        }
        fresh.iter().map(|entry| entry.operation).collect()
    }

    /// Says again what is visible: for use after a crash.
    pub(super) fn announce<S: Strategy>(&self, effects: &mut Effects<S>) {
        for (at, entry) in self.entries[..self.applied].iter().enumerate() {
            effects.visible(entry.operation, stamp(at));
        }
    }

    /// What it holds, for people.
    pub(super) fn show(&self) -> Vec<Part> {
        let entries: Vec<_> = self.entries.iter().map(ToString::to_string).collect();
        let registers = self.registers.iter();
        let registers = registers.map(|(key, value)| Part::Key(key.clone(), shown(value)));
        let of_log = [
            Part::Field("log".to_owned(), format!("[{}]", entries.join(", "))),
            Part::Field("applied".to_owned(), self.applied.to_string()),
        ];
        of_log.into_iter().chain(registers).collect()
    }

    /// The applied value of a register.
    pub(super) fn read(&self, key: &Key) -> Value {
        self.registers.get(key).cloned().unwrap_or_default()
    }
}

fn stamp(position: usize) -> Stamp {
    Stamp { counter: u64::try_from(position).expect("a log fits in 64 bits"), tie: 0 }
}
