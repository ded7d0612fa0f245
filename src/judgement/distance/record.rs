//! A history of registers in columns: what every measure reads.
//!
//! Invariant: what is certain is kept apart from what is not. An answer has a
//! *known* source if exactly one write that happened (or the initial value)
//! can explain it. A value *was there* at the first return among its write and
//! the reads that answered it; the initial value always was. One value is
//! *certainly older* than another if it was there before the other's write was
//! invoked: the order of clusters of Golab, Li and Shah (PODC 2011), true in
//! every order that keeps real time, however stale its reads are.
//!
//! Knows no measure. O(n), after one numbering of keys and values.

use crate::history::{Completion, Function, History, Key, NodeId, Operation};
use crate::judgement::checker::view::{Source, View};
use crate::judgement::number::{index, number_of};

use rustc_hash::{FxHashMap, FxHashSet};

/// The return of an operation that never returned.
pub(super) const NEVER: u64 = u64::MAX;

/// Where the answer of an item came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is a write, and answers nothing.
    None,
    Initial,
    /// The write with this number, and no other.
    Write(u32),
    /// Every possible source, of which this is the first, was invoked after
    /// the read returned.
    Future(u32),
    /// One of several possible sources.
    Several,
    /// No write that happened.
    Nobody,
}

pub(super) struct Record<'a> {
    pub(super) history: &'a History,
    pub(super) view: &'a View,
    /// By item: invocation and return ([`NEVER`] for an unknown outcome).
    times: Vec<(u64, u64)>,
    /// By item.
    pub(super) answers: Vec<Answer>,
    /// By number of the write: since when its value was there; [`NEVER`] for
    /// unknown.
    pub(super) there: Vec<u64>,
    /// The numbers of all writes, by key and then by invocation.
    pub(super) writes: Vec<u32>,
    /// By place in `writes`: invocation and return.
    pub(super) times_of_writes: Vec<(u64, u64)>,
    /// Where the writes of each key begin in `writes`, and the end.
    starts: Vec<u32>,
    /// By key: the write that was acknowledged last, with that time.
    pub(super) last_acked: Vec<Option<(u64, u32)>>,
    /// How many keys have operations that are neither reads nor writes.
    pub(super) other_keys: usize,
}

impl<'a> Record<'a> {
    /// Of these operations of a history, which are reads and writes of registers.
    pub(super) fn of(history: &'a History, view: &'a View, other_keys: usize) -> Record<'a> {
        let times = view.items.iter().map(|item| {
            let operation = &history.operations()[item.at];
            (operation.invoked, operation.returned.unwrap_or(NEVER))
        });
        let mut record = Record {
            history,
            times: times.collect(),
            answers: vec![Answer::None; view.items.len()],
            there: vec![NEVER; view.writes.len()],
            writes: vec![0; view.writes.len()],
            times_of_writes: vec![(0, 0); view.writes.len()],
            starts: vec![0; view.keys + 1],
            last_acked: vec![None; view.keys],
            view,
            other_keys,
        };
        record.sort_writes();
        record.find_answers();
        record
    }

    /// A counting sort by key, which keeps the writes in order of invocation.
    fn sort_writes(&mut self) {
        for &item in &self.view.writes {
            self.starts[index(self.view.items[index(item)].key) + 1] += 1;
        }
        for key in 1..self.starts.len() {
            self.starts[key] += self.starts[key - 1];
        }
        let mut next = self.starts.clone();
        for (number, &item) in self.view.writes.iter().enumerate() {
            let key = index(self.view.items[index(item)].key);
            let times = self.times[index(item)];
            self.writes[index(next[key])] = number_of(number);
            self.times_of_writes[index(next[key])] = times;
            next[key] += 1;
            let returned = times.1;
            self.there[number] = returned;
            let last = &mut self.last_acked[key];
            if returned != NEVER && last.is_none_or(|(at, _)| at < returned) {
                *last = Some((returned, item));
            }
        }
    }

    fn find_answers(&mut self) {
        for at in 0..self.view.items.len() {
            let item = &self.view.items[at];
            if item.write.is_some() {
                continue;
            }
            // Writes come in order of invocation, the initial value last.
            let answer = match *self.view.sources(item) {
                [] => Answer::Nobody,
                [Source::Write(first), ..]
                    if self.view.sources(item).last() != Some(&Source::Initial)
                        && self.invoked(index(self.view.writes[index(first)]))
                            > self.returned(at) =>
                {
                    Answer::Future(first)
                }
                [Source::Write(write)] => Answer::Write(write),
                [Source::Initial] => Answer::Initial,
                _ => Answer::Several,
            };
            self.answers[at] = answer;
            if let Answer::Write(write) = answer {
                let returned = self.returned(at);
                let there = &mut self.there[index(write)];
                *there = (*there).min(returned);
            }
        }
    }

    pub(super) fn operation(&self, item: usize) -> &'a Operation {
        &self.history.operations()[self.view.items[item].at]
    }

    pub(super) fn invoked(&self, item: usize) -> u64 {
        self.times[item].0
    }

    pub(super) fn returned(&self, item: usize) -> u64 {
        self.times[item].1
    }

    pub(super) fn node(&self, item: usize) -> Option<NodeId> {
        self.operation(item).node
    }

    /// The position of an item in the history.
    pub(super) fn at(&self, item: usize) -> usize {
        self.view.items[item].at
    }

    /// The item that is the write with this number.
    pub(super) fn write(&self, number: u32) -> usize {
        index(self.view.writes[index(number)])
    }

    /// The items that are answered reads, in order of invocation.
    pub(super) fn reads(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        // Answers take less memory than items, and most measures begin with this.
        (0..self.answers.len()).filter(|&at| self.answers[at] != Answer::None)
    }

    pub(super) fn key(&self, item: usize) -> usize {
        index(self.view.items[item].key)
    }

    /// The part of [`Record::writes`] that belongs to a key.
    pub(super) fn of_key(&self, key: usize) -> std::ops::Range<usize> {
        index(self.starts[key])..index(self.starts[key + 1])
    }

    /// The source of a read if it is known and not from the future: the write
    /// (`None` for the initial value), and when its value was there (`None`
    /// for always).
    pub(super) fn known(&self, item: usize) -> Option<(Option<u32>, Option<u64>)> {
        match self.answers[item] {
            Answer::Initial => Some((None, None)),
            Answer::Write(write) => Some((Some(write), Some(self.there[index(write)]))),
            _ => None,
        }
    }

    /// The first of the writes of a key that were invoked after `time`
    /// (`None`: all of them), as a place in [`Record::writes`].
    pub(super) fn after(&self, key: usize, time: Option<u64>) -> usize {
        let range = self.of_key(key);
        let Some(time) = time else { return range.start };
        let times = &self.times_of_writes[range.clone()];
        range.start + times.partition_point(|(invoked, _)| *invoked <= time)
    }

    /// Whether a read was invoked after every acknowledged write of its key
    /// had returned, and there is one.
    pub(super) fn comes_last(&self, read: usize) -> bool {
        self.last_acked[self.key(read)].is_some_and(|(time, _)| time < self.invoked(read))
    }
}

/// The operations on keys that are only read and written, and how many other
/// keys there are.
pub(super) fn registers(history: &History) -> (View, usize) {
    let operations = history.operations();
    let odd = |op: &&Operation| {
        matches!(op.call.f, Function::Other(_)) && op.completion != Completion::Fail
    };
    let mut others: FxHashSet<&Key> = FxHashSet::default();
    others.extend(operations.iter().filter(odd).map(|op| &op.call.key));
    if others.is_empty() && operations.iter().all(|op| !matches!(op.call.f, Function::Other(_))) {
        return (View::of(history), 0);
    }
    let plain =
        |op: &Operation| !others.contains(&op.call.key) && !matches!(op.call.f, Function::Other(_));
    let part: Vec<usize> = (0..operations.len()).filter(|at| plain(&operations[*at])).collect();
    (View::of_part(history, &part), others.len())
}

/// The first failed write of each value, by key and value.
pub(super) fn failed_writes(history: &History) -> FxHashMap<(&Key, &crate::history::Value), usize> {
    let mut failed = FxHashMap::default();
    for (at, op) in history.operations().iter().enumerate() {
        if op.call.is_write() && op.completion == Completion::Fail {
            failed.entry((&op.call.key, &op.call.argument)).or_insert(at);
        }
    }
    failed
}
