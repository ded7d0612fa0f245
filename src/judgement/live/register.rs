//! The state of one register while a recording is judged live.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::clusters::Clusters;
use super::window::Source;
use crate::history::{Completion, Operation, ProcessId, Value};

/// One register.
#[derive(Clone, Debug, Default)]
pub(super) struct Register {
    /// Whether it is not judged: a value was written twice, null was written,
    /// or there are other operations on it than reads and writes.
    pub(super) unjudged: bool,
    /// Whether a write of it is forgotten.
    pub(super) forgot: bool,
    /// How many of its operations are kept.
    pub(super) kept: usize,
    /// The writes that are kept, by value.
    pub(super) written: FxHashMap<Value, Written>,
    /// The reads that answered what nobody has written yet, by value.
    pub(super) waiting: BTreeMap<Value, BTreeSet<u64>>,
    pub(super) clusters: Clusters,
    sessions: FxHashMap<ProcessId, Known>,
}

/// One write of a value.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) write: u64,
    pub(super) state: State,
    /// The reads that answered it while it was open: they wait again if it
    /// fails.
    pub(super) readers: Vec<u64>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has not ended, or its outcome is unknown.
    Open,
    Acknowledged,
    Failed,
}

/// What a process knows of the register.
#[derive(Clone, Debug)]
struct Known {
    /// The source that it knew last (`None`: initial), and by which operation.
    last: (Option<u64>, u64),
    /// Each source that it knows, and by which operation first.
    first: BTreeMap<Option<u64>, u64>,
}

impl Register {
    /// Notes that a process wrote or read this source. If it goes back to one
    /// that it knew before another, or to the initial value, returns the
    /// operations that show it.
    pub(super) fn learn(
        &mut self,
        process: ProcessId,
        source: Option<u64>,
        operation: u64,
    ) -> Option<Vec<u64>> {
        let new = || Known { last: (source, operation), first: BTreeMap::new() };
        let known = self.sessions.entry(process).or_insert_with(new);
        let before = known.first.get(&source).copied();
        let goes_back = known.last.0 != source && (before.is_some() || source.is_none());
        let shown = goes_back.then(|| before.into_iter().chain([known.last.1, operation]));
        let shown = shown.map(Iterator::collect);
        known.first.entry(source).or_insert(operation);
        known.last = (source, operation);
        shown
    }

    /// Forgets one of its operations.
    pub(super) fn forget_operation(&mut self, number: u64, operation: &Operation, source: Source) {
        if operation.call.is_write() {
            self.forgot |= operation.completion != Completion::Fail;
            let value = &operation.call.argument;
            if self.written.get(value).is_some_and(|written| written.write == number) {
                self.written.remove(value);
            }
            self.clusters.remove(number);
            self.unlearn(operation.process, Some(number), number);
        }
        match source {
            Source::Initial => self.unlearn(operation.process, None, number),
            Source::Write(write) => self.unlearn(operation.process, Some(write), number),
            Source::Waiting => self.stop_waiting(number, operation),
            Source::None | Source::Gone => {}
        }
    }

    fn stop_waiting(&mut self, number: u64, operation: &Operation) {
        let Some(value) = operation.answer() else { return };
        let Some(reads) = self.waiting.get_mut(value) else { return };
        reads.remove(&number);
        if reads.is_empty() {
            self.waiting.remove(value);
        }
    }

    /// Forgets that a process came to know a source by this operation.
    fn unlearn(&mut self, process: ProcessId, source: Option<u64>, operation: u64) {
        let Some(known) = self.sessions.get_mut(&process) else { return };
        if known.first.get(&source) == Some(&operation) {
            known.first.remove(&source);
        }
        if known.first.is_empty() {
            self.sessions.remove(&process);
        }
    }

    /// Stops judging it.
    pub(super) fn give_up(&mut self) {
        let kept = self.kept;
        *self = Register { unjudged: true, kept, ..Register::default() };
    }
}
