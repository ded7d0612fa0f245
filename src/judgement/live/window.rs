//! The operations that are not forgotten yet.
//!
//! Invariant: a *closed* part of the window is a closed part of the whole
//! recording: every read in it comes with the one write that explains it. So a
//! model that the part violates is violated by the whole.

use std::collections::VecDeque;

use crate::history::{History, Operation};
use crate::judgement::number::count;

/// What explains the answer of a read, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is no answered read.
    None,
    Initial,
    /// The write with this number.
    Write(u64),
    /// No write that was seen yet.
    Waiting,
    /// A write that may have been forgotten.
    Gone,
}

/// An operation, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) operation: Operation,
    pub(super) source: Source,
}

/// The last operations of a recording, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    kept: VecDeque<Kept>,
    /// The number of the first one kept.
    base: u64,
}

impl Window {
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// How many operations are forgotten.
    pub(super) fn forgotten(&self) -> u64 {
        self.base
    }

    pub(super) fn get(&self, number: u64) -> Option<&Kept> {
        self.kept.get(usize::try_from(number.checked_sub(self.base)?).ok()?)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Kept> {
        self.kept.get_mut(usize::try_from(number.checked_sub(self.base)?).ok()?)
    }

    /// Adds an operation and returns its number.
    pub(super) fn push(&mut self, operation: Operation) -> u64 {
        self.kept.push_back(Kept { operation, source: Source::None });
        self.base + count(self.kept.len()) - 1
    }

    /// Forgets the oldest operation and returns it.
    pub(super) fn pop(&mut self) -> Option<(u64, Kept)> {
        let kept = self.kept.pop_front()?;
        self.base += 1;
        Some((self.base - 1, kept))
    }

    /// All operations that `counts` allows, without the reads whose source is
    /// not kept.
    pub(super) fn part(&self, counts: impl Fn(&Kept) -> bool) -> Vec<u64> {
        let all = (self.base..).zip(&self.kept);
        all.filter(|(_, kept)| counts(kept) && self.is_explained(kept)).map(|(at, _)| at).collect()
    }

    fn is_explained(&self, kept: &Kept) -> bool {
        match kept.source {
            Source::Write(write) => write >= self.base,
            Source::Gone => false,
            Source::None | Source::Initial | Source::Waiting => true,
        }
    }

    /// These operations with their sources, ascending, without those that are
    /// forgotten or not explained.
    pub(super) fn closed(&self, operations: &[u64]) -> Vec<u64> {
        let mut part = operations.to_vec();
        for &at in operations {
            if let Some(Kept { source: Source::Write(write), .. }) = self.get(at) {
                part.push(*write);
            }
        }
        part.sort_unstable();
        part.dedup();
        part.retain(|at| self.get(*at).is_some_and(|kept| self.is_explained(kept)));
        part
    }

    /// The history of these operations (ascending). Those that have not ended
    /// get an unknown outcome.
    pub(super) fn history(&self, part: &[u64]) -> History {
        let kept = part.iter().filter_map(|at| self.get(*at));
        let part = History::of(kept.map(|kept| kept.operation.clone()).collect());
        part.expect("a part of what the rules have passed is well formed")
    }
}
