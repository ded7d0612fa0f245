//! Reads that answer something older than what was read elsewhere before.
//!
//! A read goes **backward** if a read of the same key at another place had
//! returned before it was invoked, and had answered something certainly newer:
//! what the later read answers was there before the write that the earlier one
//! answered was invoked. Both sources must be known and not from the future. A
//! *place* is a node, if every such read has one, and a process otherwise.
//! (Going back at one place is a matter of the model of monotonic reads.)
//!
//! Each later read counts once, however many earlier ones contradict it, and is
//! reported with the earlier one that returned first. The worst is the one for
//! which that was longest ago. O(n log n): of the reads of a key up to a
//! return, the newest answers at two different places are enough, since one of
//! the two places is not that of the later read.

use super::record::Record;
use crate::judgement::number::{index, number_of};

/// Reads that answer something older than what was read elsewhere before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backward {
    /// How many reads go backward.
    pub count: usize,
    /// Whether places are nodes; if not, they are processes.
    pub by_nodes: bool,
    /// The one whose earlier read had returned longest ago; of several, the
    /// first.
    pub worst: Option<BackwardRead>,
}

/// A read that goes back. Operations by position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackwardRead {
    /// The earlier read, of the newer value.
    pub earlier: usize,
    /// What it answered.
    pub newer: usize,
    /// The later read, of the older value.
    pub later: usize,
    /// What it answered; `None` for the initial value.
    pub older: Option<usize>,
    /// How long before the later one was invoked the earlier one had returned,
    /// in nanoseconds.
    pub time: u64,
}

/// When the write of what was read was invoked, and where it was read.
type Seen = (u64, u32);

/// What was read of a key so far: the newest answer, and the newest at another place than
/// that.
#[derive(Clone, Copy, Default, PartialEq)]
struct Newest {
    first: Option<Seen>,
    second: Option<Seen>,
}

impl Newest {
    /// Whether a value whose write was invoked after `there` was read
    /// elsewhere.
    fn is_newer(&self, there: Option<u64>, place: u32) -> bool {
        let newer = |seen: &Seen| seen.1 != place && there.is_none_or(|there| there < seen.0);
        self.first.as_ref().is_some_and(newer) || self.second.as_ref().is_some_and(newer)
    }

    fn add(&mut self, seen: Seen) {
        match self.first {
            Some(first) if seen.1 == first.1 => {
                self.first = Some((first.0.max(seen.0), first.1));
            }
            Some(first) if seen.0 <= first.0 => {
                if self.second.is_none_or(|second| second.0 < seen.0) {
                    self.second = Some(seen);
                }
            }
            first => (self.second, self.first) = (first, Some(seen)),
        }
    }
}

/// Since a read returned, this is known of its key.
struct Prefix {
    read: u32,
    newest: Newest,
}

/// The reads whose sources are known, and where they were.
struct Reads<'a> {
    record: &'a Record<'a>,
    by_nodes: bool,
    /// Returns of reads that answered writes, ascending, each with its read.
    by_return: Vec<(u64, u32)>,
}

pub(super) fn measure(record: &Record<'_>) -> Backward {
    let reads = Reads::of(record);
    let later = reads.later();
    let any = record.reads().any(|read| record.known(read).is_some());
    let mut found = Backward { count: later.len(), by_nodes: reads.by_nodes && any, worst: None };
    let prefixes = reads.prefixes(&later);
    for later in later.into_iter().map(index) {
        let Some((older, there)) = record.known(later) else { continue };
        let prefixes = &prefixes[record.key(later)];
        let newer = |prefix: &Prefix| prefix.newest.is_newer(there, reads.place(later));
        let first = index(prefixes[prefixes.partition_point(|prefix| !newer(prefix))].read);
        let time = record.invoked(later) - record.returned(first);
        if found.worst.is_none_or(|worst| worst.time < time) {
            let source = record.known(first).and_then(|(write, _)| write);
            let newer = source.expect("the initial value is newest nowhere");
            found.worst = Some(BackwardRead {
                earlier: record.at(first),
                newer: record.at(record.write(newer)),
                later: record.at(later),
                older: older.map(|write| record.at(record.write(write))),
                time,
            });
        }
    }
    found
}

impl<'a> Reads<'a> {
    fn of(record: &'a Record<'a>) -> Reads<'a> {
        let mut known = record.reads().filter(|&read| record.known(read).is_some());
        let by_nodes = known.all(|read| record.node(read).is_some());
        let of_write = |read: &usize| matches!(record.known(*read), Some((Some(_), _)));
        let reads = record.reads().filter(of_write);
        let mut by_return: Vec<(u64, u32)> =
            reads.map(|read| (record.returned(read), number_of(read))).collect();
        by_return.sort_unstable();
        Reads { record, by_nodes, by_return }
    }

    fn place(&self, read: usize) -> u32 {
        match self.record.node(read).filter(|_| self.by_nodes) {
            Some(node) => u32::from(node.0),
            None => self.record.view.items[read].session,
        }
    }

    /// When the write that a read answered was invoked, and where it was read.
    fn seen(&self, read: usize) -> Option<Seen> {
        let (write, _) = self.record.known(read)?;
        Some((self.record.invoked(self.record.write(write?)), self.place(read)))
    }

    /// The reads that go back, by invocation.
    fn later(&self) -> Vec<u32> {
        let record = self.record;
        let mut newest = vec![Newest::default(); record.view.keys];
        let mut returns = self.by_return.iter().peekable();
        let mut later = Vec::new();
        for read in record.reads() {
            let Some((_, there)) = record.known(read) else { continue };
            let invoked = record.invoked(read);
            while let Some((_, before)) = returns.next_if(|(returned, _)| *returned < invoked) {
                let before = index(*before);
                newest[record.key(before)].add(self.seen(before).expect("it answered a write"));
            }
            if newest[record.key(read)].is_newer(there, self.place(read)) {
                later.push(number_of(read));
            }
        }
        later
    }

    /// For each key of one of these reads, what was known since which return, wherever that
    /// changed.
    fn prefixes(&self, of: &[u32]) -> Vec<Vec<Prefix>> {
        let record = self.record;
        let mut counts = vec![false; record.view.keys];
        of.iter().for_each(|read| counts[record.key(index(*read))] = true);
        let mut newest = vec![Newest::default(); record.view.keys];
        let mut prefixes: Vec<Vec<Prefix>> = Vec::new();
        prefixes.resize_with(record.view.keys, Vec::new);
        let returns = self.by_return.iter().filter(|_| !of.is_empty());
        for &(_, read) in returns {
            let key = record.key(index(read));
            let before = newest[key];
            if counts[key] {
                newest[key].add(self.seen(index(read)).expect("it answered a write"));
            }
            if newest[key] != before {
                prefixes[key].push(Prefix { read, newest: newest[key] });
            }
        }
        prefixes
    }
}
