//! How long after the last write the answers still change.
//!
//! For each key that has an acknowledged write, the clock starts when the last
//! acknowledgement of a write of the key arrives, and only reads invoked after
//! that count. The key **settles** at the answer of the last of them (by
//! invocation; of the last final read, if there are any). The measure is the
//! time from the start to the invocation of the last read that answered
//! anything else: every read invoked later answers the settled value. It is 0
//! if no such read answered anything else.
//!
//! The key **never** settles, as far as the history shows, if two of its final
//! reads differ, or if no read that answered the settled value was invoked
//! after the last differing answer had arrived.
//!
//! This compares answers and does not use sources, so values may repeat.
//! Whether the settled value is the right one is another measure. O(n).

use crate::history::Key;
use crate::judgement::number::{index, number_of};

use super::record::Record;

/// How long after the last write the answers still change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// Each key with an acknowledged write, in order of appearance.
    pub keys: Vec<KeyConvergence>,
    /// All keys together: from the last acknowledgement of any write to the
    /// moment from which every key that was read has settled.
    pub overall: Settled,
}

/// How one key settles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyConvergence {
    /// The key.
    pub key: Key,
    /// The write that was acknowledged last, by position.
    pub last_write: usize,
    /// Whether and when the key settles.
    pub settled: Settled,
}

/// Whether and when answers settle. Operations by position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing was read after the last write, so this is not known.
    Unread,
    /// It did not settle within the history: these two reads differ.
    Never(usize, usize),
    /// It settled.
    After {
        /// How long after the last acknowledgement a read was invoked that
        /// answered something else, in nanoseconds; 0 if none was.
        time: u64,
        /// That read.
        last_other: Option<usize>,
        /// How many reads were invoked after it.
        reads: usize,
    },
}

/// What is known of a key from a pass over its reads, the last read first.
#[derive(Clone, Copy, Default)]
struct Backwards {
    /// The read whose answer is the settled value.
    settled: Option<u32>,
    /// Whether that is a final read.
    at_quiescence: bool,
    /// The last read (by invocation) that agrees.
    agrees: Option<u32>,
    /// The last read that answered something else.
    other: Option<u32>,
    reads: usize,
    /// Whether two final reads differ.
    diverged: bool,
}

pub(super) fn measure(record: &Record<'_>) -> Convergence {
    let mut keys = vec![Backwards::default(); record.view.keys];
    for read in record.reads().rev().filter(|&read| record.comes_last(read)) {
        let key = &mut keys[record.key(read)];
        let last = record.view.items[read].last;
        if key.settled.is_none() || (last && !key.at_quiescence) {
            (key.settled, key.at_quiescence) = (Some(number_of(read)), last);
        }
    }
    for read in record.reads().rev().filter(|&read| record.comes_last(read)) {
        let key = &mut keys[record.key(read)];
        let settled = index(key.settled.expect("the key was read"));
        if record.operation(read).answer() == record.operation(settled).answer() {
            key.agrees.get_or_insert(number_of(read));
            key.reads += usize::from(key.other.is_none());
        } else if record.view.items[read].last && !key.diverged {
            (key.diverged, key.other) = (true, Some(number_of(read)));
        } else {
            key.other.get_or_insert(number_of(read));
        }
    }
    conclude(record, &keys)
}

fn conclude(record: &Record<'_>, keys: &[Backwards]) -> Convergence {
    let mut last = None;
    let mut overall = Settled::Unread;
    let mut all = Vec::new();
    for (key, found) in keys.iter().enumerate() {
        let Some((start, write)) = record.last_acked[key] else { continue };
        last = last.max(Some(start));
        let settled = found.settled(record, start);
        overall = later(record, overall, settled);
        let operation = record.operation(index(write));
        let last_write = record.at(index(write));
        all.push(KeyConvergence { key: operation.call.key.clone(), last_write, settled });
    }
    if let Settled::After { time, last_other, .. } = &mut overall {
        let invoked = |at: usize| record.history.operations()[at].invoked;
        *time = last_other.map_or(0, |at| invoked(at).saturating_sub(last.unwrap_or(0)));
        *last_other = last_other.filter(|_| *time > 0);
    }
    Convergence { keys: all, overall }
}

impl Backwards {
    fn settled(&self, record: &Record<'_>, start: u64) -> Settled {
        let Some(settled) = self.settled else { return Settled::Unread };
        let Some(other) = self.other else {
            return Settled::After { time: 0, last_other: None, reads: self.reads };
        };
        let at = |item: u32| record.at(index(item));
        let asked_again = self
            .agrees
            .is_some_and(|read| record.returned(index(other)) < record.invoked(index(read)));
        if self.diverged || !asked_again {
            return Settled::Never(at(settled), at(other));
        }
        let time = record.invoked(index(other)) - start;
        Settled::After { time, last_other: Some(at(other)), reads: self.reads }
    }
}

/// The state of two keys together, which settle when the later of them does.
/// (`time` is left 0; `conclude` computes it.)
fn later(record: &Record<'_>, one: Settled, two: Settled) -> Settled {
    let invoked = |at: usize| record.history.operations()[at].invoked;
    match (one, two) {
        (Settled::Never(..), _) | (_, Settled::Unread) => one,
        (_, Settled::Never(..)) | (Settled::Unread, _) => two,
        (
            Settled::After { last_other: first, reads: some, .. },
            Settled::After { last_other: second, reads: more, .. },
        ) => Settled::After {
            time: 0,
            last_other: if second.map(invoked) > first.map(invoked) { second } else { first },
            reads: some + more,
        },
    }
}
