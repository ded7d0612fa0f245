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

/// What was read of a key up to a return.
#[derive(Clone, Copy)]
struct Prefix {
    returned: u64,
    read: u32,
    /// The newest answer, and the newest at another place than that.
    newest: Seen,
    second: Option<Seen>,
}

impl Prefix {
    /// Whether a value whose write was invoked after `there` was read
    /// elsewhere.
    fn is_newer(&self, there: Option<u64>, place: u32) -> bool {
        let newer = |seen: Seen| seen.1 != place && there.is_none_or(|there| there < seen.0);
        newer(self.newest) || self.second.is_some_and(newer)
    }

    fn and(mut self, seen: Seen) -> Prefix {
        let Prefix { newest, second, .. } = &mut self;
        if seen.1 == newest.1 {
            newest.0 = newest.0.max(seen.0);
        } else if seen.0 > newest.0 {
            (*second, *newest) = (Some(*newest), seen);
        } else if second.is_none_or(|second| second.0 < seen.0) {
            *second = Some(seen);
        }
        self
    }
}

pub(super) fn measure(record: &Record<'_>) -> Backward {
    let reads: Vec<usize> = record.reads().filter(|&read| record.known(read).is_some()).collect();
    let by_nodes = reads.iter().all(|&read| record.node(read).is_some());
    let place = |read: usize| match record.node(read).filter(|_| by_nodes) {
        Some(node) => u32::from(node.0),
        None => record.view.items[read].session,
    };
    let prefixes = prefixes(record, &reads, &place);
    let mut found = Backward { count: 0, by_nodes: by_nodes && !reads.is_empty(), worst: None };
    for &later in &reads {
        let Some((older, there)) = record.known(later) else { continue };
        let (prefixes, invoked) = (&prefixes[record.key(later)], record.invoked(later));
        let before = prefixes.partition_point(|prefix| prefix.returned < invoked);
        let newer = |prefix: &Prefix| prefix.is_newer(there, place(later));
        if !prefixes[..before].last().is_some_and(newer) {
            continue;
        }
        found.count += 1;
        let first = prefixes[prefixes.partition_point(|prefix| !newer(prefix))];
        let time = invoked - first.returned;
        if found.worst.is_none_or(|worst| worst.time < time) {
            let source = |read: usize| record.known(read).and_then(|(write, _)| write);
            let newer = source(index(first.read)).expect("the initial value is newest nowhere");
            found.worst = Some(BackwardRead {
                earlier: record.at(index(first.read)),
                newer: record.at(record.write(newer)),
                later: record.at(later),
                older: older.map(|write| record.at(record.write(write))),
                time,
            });
        }
    }
    found
}

/// For each key, what was read up to each return of a read of a write.
fn prefixes(
    record: &Record<'_>,
    reads: &[usize],
    place: &impl Fn(usize) -> u32,
) -> Vec<Vec<Prefix>> {
    let mut by_return: Vec<(u64, u32)> =
        reads.iter().map(|&read| (record.returned(read), number_of(read))).collect();
    by_return.sort_unstable();
    let mut prefixes: Vec<Vec<Prefix>> = vec![Vec::new(); record.view.keys];
    for (returned, read) in by_return {
        let Some((Some(write), _)) = record.known(index(read)) else { continue };
        let seen = (record.invoked(record.write(write)), place(index(read)));
        let list = &mut prefixes[record.key(index(read))];
        let start = Prefix { returned, read, newest: seen, second: None };
        let next = list.last().map_or(start, |before| before.and(seen));
        list.push(Prefix { returned, read, ..next });
    }
    prefixes
}
