//! How old the answers of reads are, in versions and in time.
//!
//! For a read whose source is known, a write of its key is *newer* if it was
//! invoked after the source was there and returned before the read was invoked:
//! it comes between the two in every order that keeps real time. The read is
//! behind by as many **versions** as there are newer writes, and by the
//! **time** from the first return among them to its own invocation. Both are
//! certain lower bounds: the least k of the history is more than the greatest
//! number of versions, and the least Δ is no less than the greatest time
//! (Golab, Li and Shah, PODC 2011). Over many reads they sample what Bailis et
//! al. (PBS, VLDB 2012) call k- and t-staleness.
//!
//! A **window** is a run of stale reads of one key, by invocation, with no fresh read of it
//! between.
//!
//! O(n log n): if there is much to count, a Fenwick tree counts writes as they return.

use std::collections::BTreeMap;

use crate::history::NodeId;
use crate::judgement::number::{count, index, number_of};

use super::record::{NEVER, Record};

/// How stale reads are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// Every stale read, in order of position.
    pub stale: Vec<Stale>,
    /// All reads with a known source that is not from the future.
    pub all: Spread,
    /// The same by node where the value was written and node where it was
    /// read, ascending.
    pub pairs: Vec<Pair>,
    /// The window that lasts longest; of several, the one that ends first.
    pub window: Option<Window>,
}

/// Stale reads of one key with no fresh one between. Operations by position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many reads.
    pub reads: usize,
    /// The first of them.
    pub first: usize,
    /// From the invocation of the first, in nanoseconds,
    pub from: u64,
    /// until all of them had returned.
    pub until: u64,
}

/// The reads at one node of what was written at one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Where it was written; `None` if that was not recorded, and for the
    /// initial value.
    pub written: Option<NodeId>,
    /// Where it was read; `None` if that was not recorded.
    pub read: Option<NodeId>,
    /// How stale these reads are.
    pub spread: Spread,
}

/// How staleness is spread over some reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many reads.
    pub reads: usize,
    /// How many of them are stale at all.
    pub stale: usize,
    /// Staleness in versions: how many newer writes.
    pub versions: Quantiles,
    /// Staleness in time, in nanoseconds.
    pub time: Quantiles,
}

/// Quantiles by nearest rank: the least value that half (99 %, all) of the
/// reads do not exceed. Zero if there are no reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Half of the reads do not exceed it.
    pub p50: u64,
    /// 99 % of the reads do not exceed it.
    pub p99: u64,
    /// No read exceeds it.
    pub max: u64,
    /// The first read that reaches `max`, unless that is zero.
    pub worst: Option<Stale>,
}

/// A read that is behind. Operations by position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The read.
    pub read: usize,
    /// The write that it answered; `None` for the initial value.
    pub source: Option<usize>,
    /// The newer write that returned first.
    pub newer: usize,
    /// How many newer writes there are.
    pub versions: u64,
    /// How long before the read was invoked the first of them had returned.
    pub time: u64,
}

/// The reads of one group: how many, and those that are stale.
#[derive(Default)]
struct Group {
    reads: usize,
    stale: Vec<Stale>,
}

pub(super) fn measure(record: &Record<'_>) -> Staleness {
    let earliest = earliest_returns(record);
    let mut returned = Returned::of(record);
    let mut groups: BTreeMap<(Option<NodeId>, Option<NodeId>), Group> = BTreeMap::new();
    let (mut open, mut window): (Vec<Option<Window>>, _) = (vec![None; record.view.keys], None);
    for read in record.reads() {
        let Some((write, there)) = record.known(read) else { continue };
        let written = write.and_then(|write| record.node(record.write(write)));
        let group = groups.entry((written, record.node(read))).or_default();
        group.reads += 1;
        let (key, invoked) = (record.key(read), record.invoked(read));
        let first = record.after(key, there);
        let is_fresh = there.is_some_and(|there| there >= invoked)
            || first == record.of_key(key).end
            || record.times_of_writes[index(earliest[first])].1 >= invoked;
        if is_fresh {
            window = longer(window, open[key].take());
            continue;
        }
        let returned_at = record.returned(read);
        let begun = Window { reads: 0, first: record.at(read), from: invoked, until: 0 };
        let run = open[key].get_or_insert(begun);
        (run.reads, run.until) = (run.reads + 1, run.until.max(returned_at));
        let newer = index(earliest[first]);
        let (_, time) = record.times_of_writes[newer];
        group.stale.push(Stale {
            read: record.at(read),
            source: write.map(|write| record.at(record.write(write))),
            newer: record.at(record.write(record.writes[newer])),
            versions: returned.count(first, key, invoked),
            time: invoked - time,
        });
    }
    let reads = groups.values().map(|group| group.reads).sum();
    let mut stale: Vec<Stale> = groups.values().flat_map(|group| &group.stale).copied().collect();
    stale.sort_unstable_by_key(|stale| stale.read);
    let all = Group { reads, stale: stale.clone() }.spread();
    let pairs = groups.into_iter().map(|((written, read), group)| Pair {
        written,
        read,
        spread: group.spread(),
    });
    let window = open.into_iter().fold(window, longer);
    Staleness { stale, all, pairs: pairs.collect(), window }
}

fn longer(one: Option<Window>, other: Option<Window>) -> Option<Window> {
    let rank = |window: &Window| {
        let Window { from, until, first, .. } = *window;
        (until - from, std::cmp::Reverse((until, first)))
    };
    one.into_iter().chain(other).max_by_key(rank)
}

/// For each place in `writes` the place from there to the end of its key that returned
/// first.
fn earliest_returns(record: &Record<'_>) -> Vec<u32> {
    let mut earliest = vec![0; record.writes.len()];
    for key in 0..record.view.keys {
        let mut first = (NEVER, u32::MAX);
        for place in record.of_key(key).rev() {
            first = first.min((record.times_of_writes[place].1, number_of(place)));
            earliest[place] = first.1;
        }
    }
    earliest
}

/// Counts writes that returned: one by one, until that has taken as much time as there are
/// writes; then by place as they return (Fenwick 1994).
struct Returned<'a> {
    record: &'a Record<'a>,
    /// How many may still be counted one by one.
    left: usize,
    /// Return and place of each acknowledged write, by return.
    queue: Vec<(u64, u32)>,
    counted: usize,
    tree: Vec<u32>,
}

impl<'a> Returned<'a> {
    fn of(record: &'a Record<'a>) -> Returned<'a> {
        let left = record.writes.len();
        Returned { record, left, queue: Vec::new(), counted: 0, tree: Vec::new() }
    }

    /// How many writes of a key from place `start` on returned before `time`, which must not
    /// be less than at the last call.
    fn count(&mut self, start: usize, key: usize, time: u64) -> u64 {
        let all = &self.record.times_of_writes[start..self.record.of_key(key).end];
        // What was invoked later has not returned before.
        let some = &all[..all.partition_point(|(invoked, _)| *invoked < time)];
        if some.len() <= self.left {
            self.left -= some.len();
            return count(some.iter().filter(|(_, returned)| *returned < time).count());
        }
        self.left = 0;
        self.in_tree(start, start + all.len(), time)
    }

    /// The same, with the tree.
    fn in_tree(&mut self, start: usize, end: usize, time: u64) -> u64 {
        if self.tree.is_empty() {
            let times = self.record.times_of_writes.iter().map(|(_, returned)| *returned).zip(0..);
            self.queue = times.filter(|(returned, _)| *returned != NEVER).collect();
            self.queue.sort_unstable();
            self.tree = vec![0; self.record.writes.len() + 1];
        }
        while let Some((_, place)) =
            self.queue.get(self.counted).filter(|(returned, _)| *returned < time)
        {
            self.counted += 1;
            let mut node = index(*place) + 1;
            while node < self.tree.len() {
                self.tree[node] += 1;
                node += node & node.wrapping_neg();
            }
        }
        u64::from(self.up_to(end) - self.up_to(start))
    }

    fn up_to(&self, end: usize) -> u32 {
        let (mut node, mut sum) = (end, 0);
        while node > 0 {
            sum += self.tree[node];
            node -= node & node.wrapping_neg();
        }
        sum
    }
}

impl Group {
    fn spread(mut self) -> Spread {
        Spread {
            reads: self.reads,
            stale: self.stale.len(),
            versions: self.quantiles(|stale| stale.versions),
            time: self.quantiles(|stale| stale.time),
        }
    }

    fn quantiles(&mut self, of: impl Fn(&Stale) -> u64) -> Quantiles {
        self.stale.sort_unstable_by_key(|stale| (of(stale), std::cmp::Reverse(stale.read)));
        let fresh = self.reads - self.stale.len();
        let ranked = |percent: usize| {
            let rank = (self.reads * percent).div_ceil(100).max(1);
            rank.checked_sub(fresh + 1).map_or(0, |stale| of(&self.stale[stale]))
        };
        if self.reads == 0 {
            return Quantiles::default();
        }
        let worst = self.stale.last().copied();
        Quantiles { p50: ranked(50), p99: ranked(99), max: worst.as_ref().map_or(0, of), worst }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let stale = |read: usize| Stale {
            read,
            source: None,
            newer: 0,
            versions: count(read),
            time: 10 * count(read),
        };
        // 200 reads: the 198th is the first stale one.
        let group = Group { reads: 200, stale: (1..=3).map(stale).collect() };
        let spread = group.spread();
        assert_eq!((spread.versions.p50, spread.versions.p99, spread.versions.max), (0, 1, 3));
        assert_eq!((spread.time.p99, spread.time.max), (10, 30));
        let group = Group { reads: 3, stale: (1..=3).map(stale).collect() };
        assert_eq!(group.spread().versions.p50, 2);
    }
}
