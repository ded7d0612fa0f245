//! Linearizability of a register where every answer has one possible source,
//! in O(n log n).
//!
//! A write and the reads that answered it form a cluster. Its zone extends from
//! the first return in it to the last invocation in it: *forward* if the return
//! comes first (then the register holds the value all the time in between),
//! *backward* otherwise. One cluster must come before another exactly if some
//! return in the first precedes some invocation in the second, so two clusters
//! contradict each other if that is true in both directions: two forward zones
//! overlap, or a backward zone lies inside a forward one. There is an order if
//! and only if no two contradict each other, and no read returned before its
//! write was invoked (Gibbons and Korach, SIAM J. Comput. 1997). The initial
//! value is a cluster whose write came before everything.

use crate::history::History;
use crate::judgement::checker::view::{Source, View};
use crate::judgement::number::{index, number_of};

/// One write with its reads, in numbers of items.
struct Cluster {
    /// The first return in it; `u64::MAX` for never.
    first: u64,
    /// The last invocation in it.
    last: u64,
    /// The items that returned first and were invoked last.
    ends: (u32, u32),
    /// The item of the write; `NOBODY` for the initial value.
    write: u32,
    key: u32,
    /// Its reads, as a part of the list of all reads by cluster.
    reads: (u32, u32),
}

/// Stands for no item: the initial value has no write.
const NOBODY: u32 = u32::MAX;

impl Cluster {
    fn of(key: u32, write: u32, invoked: u64, returned: u64) -> Cluster {
        let (ends, reads) = ((write, write), (0, 0));
        Cluster { first: returned, last: invoked, ends, write, key, reads }
    }

    fn is_forward(&self) -> bool {
        self.first < self.last
    }

    /// Its rank among the clusters of its key: a backward zone comes before a
    /// forward one that begins at the same time.
    fn rank(&self) -> (u32, u64, bool) {
        match self.is_forward() {
            true => (self.key, self.first, true),
            false => (self.key, self.last, false),
        }
    }
}

/// An order of the operations of each key by position in the history, or a
/// few operations of one key that have none; as if every read had begun
/// `earlier` nanoseconds earlier.
pub(in crate::judgement::checker) fn decide(
    history: &History,
    view: &View,
    earlier: u64,
) -> Result<Vec<Vec<usize>>, Vec<usize>> {
    let (mut clusters, reads) = clusters(history, view, earlier)?;
    clusters.sort_unstable_by_key(Cluster::rank);
    clusters
        .chunk_by(|one, other| one.key == other.key)
        .map(|clusters| order(view, clusters, &reads))
        .collect()
}

/// The clusters, and the reads of all of them.
fn clusters(
    history: &History,
    view: &View,
    earlier: u64,
) -> Result<(Vec<Cluster>, Vec<u32>), Vec<usize>> {
    let operations = history.operations();
    // All times are 1 later, so that the initial value is before everything.
    // All but the invocations of reads are also later by `earlier`, which makes
    // reads begin earlier without a time below 0.
    let times = |item: u32| {
        let item = &view.items[index(item)];
        let operation = &operations[item.at];
        let returned = operation.returned.unwrap_or(u64::MAX);
        let shift = if item.write.is_some() { earlier } else { 0 };
        let later = |time: u64, by: u64| time.saturating_add(by).saturating_add(1);
        (later(operation.invoked, shift), later(returned, earlier))
    };
    let mut clusters = Vec::with_capacity(view.writes.len() + view.keys);
    for &item in &view.writes {
        let (invoked, returned) = times(item);
        clusters.push(Cluster::of(view.items[index(item)].key, item, invoked, returned));
    }
    clusters.extend((0..number_of(view.keys)).map(|key| Cluster::of(key, NOBODY, 0, 0)));
    let cluster_of = |at: usize| -> Result<usize, Vec<usize>> {
        let item = &view.items[at];
        match view.sources(item) {
            [Source::Write(write)] => Ok(index(*write)),
            [Source::Initial] => Ok(view.writes.len() + index(item.key)),
            _ => Err(vec![item.at]),
        }
    };
    let is_read = |at: &usize| view.items[*at].write.is_none();
    for at in (0..view.items.len()).filter(is_read) {
        let (invoked, returned) = times(number_of(at));
        let cluster = &mut clusters[cluster_of(at)?];
        let write = cluster.write;
        if write != NOBODY && returned < times(write).0 {
            return Err(vec![view.items[index(write)].at, view.items[at].at]);
        }
        if write != NOBODY && returned < cluster.first {
            (cluster.first, cluster.ends.0) = (returned, number_of(at));
        }
        if invoked > cluster.last {
            (cluster.last, cluster.ends.1) = (invoked, number_of(at));
        }
        cluster.reads.1 += 1;
    }
    let mut start = 0;
    for cluster in &mut clusters {
        let count = cluster.reads.1;
        cluster.reads = (start, start);
        start += count;
    }
    let mut reads = vec![0; index(start)];
    for at in (0..view.items.len()).filter(is_read) {
        let cluster = &mut clusters[cluster_of(at)?];
        reads[index(cluster.reads.1)] = number_of(at);
        cluster.reads.1 += 1;
    }
    // A write of unknown outcome that nobody read need not have happened, and
    // an initial value that nobody read constrains nothing.
    let matters = |cluster: &Cluster| {
        let read = cluster.reads.0 < cluster.reads.1;
        read || cluster.write != NOBODY && !view.items[index(cluster.write)].pending
    };
    clusters.retain(matters);
    Ok((clusters, reads))
}

/// The order of the operations of one key.
fn order(view: &View, clusters: &[Cluster], reads: &[u32]) -> Result<Vec<usize>, Vec<usize>> {
    let mut forward: Option<&Cluster> = None;
    let mut size = 0;
    for cluster in clusters {
        // Overlaps with the forward zone that began last, or lies inside it.
        if let Some(before) = forward
            && cluster.first < before.last
        {
            return Err(conflict(view, before, cluster));
        }
        if cluster.is_forward() {
            forward = Some(cluster);
        }
        size += 1 + index(cluster.reads.1 - cluster.reads.0);
    }
    let mut order = Vec::with_capacity(size);
    for cluster in clusters {
        if cluster.write != NOBODY {
            order.push(view.items[index(cluster.write)].at);
        }
        // Items are in order of invocation.
        let own = &reads[index(cluster.reads.0)..index(cluster.reads.1)];
        order.extend(own.iter().map(|&read| view.items[index(read)].at));
    }
    Ok(order)
}

/// The operations that show why two clusters contradict each other.
fn conflict(view: &View, one: &Cluster, other: &Cluster) -> Vec<usize> {
    let mut part: Vec<usize> = [one, other]
        .iter()
        .flat_map(|cluster| [cluster.write, cluster.ends.0, cluster.ends.1])
        .filter(|item| *item != NOBODY)
        .map(|item| view.items[index(item)].at)
        .collect();
    part.sort_unstable();
    part.dedup();
    part
}
