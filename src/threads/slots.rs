//! Reply slots: where a client waits for the answer to its operation.
//!
//! Invariant: whether an answer counts is decided by the journal while the
//! slot of its session is locked, and so is whether a client is sent away
//! without one. So what a client finds in its slot is what the record says. A
//! slot knows no replica and no strategy.

use crate::replication::erased::AnyToken;
use std::collections::BTreeMap;

use crate::history::Completion;

use super::sync::{Arc, Condvar, Mutex, MutexGuard, lock, wait};

/// What a waiting client is told.
pub(super) enum Word {
    /// The answer, with the token that the session carries on.
    Answer(Completion, AnyToken),
    /// Nothing is on its way that could bring an answer.
    Idle,
}

/// Where words for a session are put.
pub(super) struct Slot {
    word: Mutex<Option<Word>>,
    told: Condvar,
}

/// Slots that are locked, by session.
pub(super) type Locked<'a> = BTreeMap<u16, SlotGuard<'a>>;

/// A slot that is locked.
pub(super) struct SlotGuard<'a> {
    word: MutexGuard<'a, Option<Word>>,
    told: &'a Condvar,
}

impl Slot {
    pub(super) fn new() -> Self {
        Slot { word: Mutex::new(None), told: Condvar::new() }
    }

    pub(super) fn lock(&self) -> SlotGuard<'_> {
        SlotGuard { word: lock(&self.word), told: &self.told }
    }

    /// Waits for a word.
    pub(super) fn wait(&self) -> Word {
        let mut word = lock(&self.word);
        loop {
            match word.take() {
                Some(word) => return word,
                None => word = wait(&self.told, word),
            }
        }
    }

    /// The word that is there, if one is.
    pub(super) fn look(&self) -> Option<Word> {
        lock(&self.word).take()
    }
}

impl SlotGuard<'_> {
    /// Puts a word. An answer takes the place of an `Idle` that nobody has
    /// found yet.
    pub(super) fn put(&mut self, word: Word) {
        *self.word = Some(word);
        self.told.notify_one();
    }
}

/// Locks slots in order of session.
pub(super) fn lock_all(slots: &BTreeMap<u16, Arc<Slot>>) -> Locked<'_> {
    slots.iter().map(|(session, slot)| (*session, slot.lock())).collect()
}
