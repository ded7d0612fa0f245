//! 2-atomicity of a register where every answer has one possible source, in
//! O(n log n).
//!
//! After Golab, Hurwitz and Li, *On the k-Atomicity-Verification Problem*
//! (ICDCS 2013), whose algorithm FZF looks at forward zones first. The argument
//! below is derived from the definition.
//!
//! **Clusters.** A write and the reads that answered it form a cluster `c`: its
//! write began at `i(c)`, its first return is `f(c)`, its last invocation
//! `l(c)`. The initial value is a cluster at time 0. An order of the clusters
//! gives each a *place*; a read of the cluster at place `p` must come after the
//! write there and before the write at `p + 2`. Returns-before is an interval
//! order, so it has a cycle with these requirements only if a single pair of
//! operations makes one: an operation of `a` returned before one of `b` began,
//! but is required to come after it. So an order is correct if and only if no
//! read returned before its own write began and, for all `a ≠ b`:
//!
//! 1. `f(a) < i(b)` ⇒ `place(a) < place(b)`,
//! 2. `f(a) < l(b)` ⇒ `place(a) ≤ place(b) + 1`.
//!
//! [`fits`] checks these two conditions and nothing else.
//!
//! **Chunks.** Call a cluster *forward* if `f < l`, with the open zone
//! `(f, l)`, else *backward*, with `[l, f]`. Condition 2 applies in both
//! directions to forward zones that overlap: they are neighbours. So the
//! forward clusters of a *chunk* (a maximal group whose zones make one
//! interval) form a row with nothing in between. By condition 2 a backward zone
//! inside that interval is at most one place before the forward cluster that
//! begins first, and at most one place after the one that ends last. So it
//! comes directly before the row or directly after it: there are at most two of
//! them. In the row, by condition 2, clusters come in the order of `f` except
//! that neighbours may be exchanged, and every cluster needs a neighbour that
//! began before it and overlaps it, so only the first two can be exchanged.
//! That leaves two rows, and two ways to put backward clusters at their ends.
//! No condition puts a later chunk before an earlier one, or a backward cluster
//! that is inside no chunk against the order of its zone. Hence each chunk is
//! decided alone, by trying at most four orders, and the chunks in order of
//! time give an order of all.
//!
//! Knows no k but 2, and no history that is not local.

use crate::history::History;
use crate::judgement::checker::view::{Item, Source, View};
use crate::judgement::number::{index, number_of};

/// One write with its reads.
struct Cluster {
    /// The item of the write; `None` for the initial value.
    write: Option<u32>,
    /// When the write began.
    began: u64,
    /// The first return.
    first: u64,
    /// The last invocation.
    last: u64,
    /// Whether it is read or acknowledged: a write of unknown outcome that
    /// nobody read need not have happened.
    matters: bool,
}

impl Cluster {
    fn is_forward(&self) -> bool {
        self.first < self.last
    }
}

/// An order of the operations of each key by position in the history, or
/// operations of one key that have none.
pub(in crate::judgement::checker) fn decide(
    history: &History,
    view: &View,
) -> Result<Vec<Vec<usize>>, Vec<usize>> {
    let clusters = clusters(history, view)?;
    let mut of_key: Vec<Vec<u32>> = vec![Vec::new(); view.keys];
    for (number, cluster) in clusters.iter().enumerate() {
        if cluster.matters {
            of_key[key_of(view, number)].push(number_of(number));
        }
    }
    let mut rows = Vec::with_capacity(view.keys);
    for numbers in of_key {
        let mut row = Vec::with_capacity(numbers.len());
        for chunk in chunks(&clusters, &numbers) {
            match chunk.order(&clusters) {
                Some(order) => row.extend(order),
                None => return Err(operations(view, &chunk)),
            }
        }
        debug_assert!(fits(&clusters, &row), "chunks are independent of each other");
        rows.push(row);
    }
    Ok(placed(history, view, &clusters, &rows))
}

/// Invocation and return of an item, from 1: the initial value is before all.
fn times(history: &History, item: &Item) -> (u64, u64) {
    let operation = &history.operations()[item.at];
    let returned = operation.returned.unwrap_or(u64::MAX);
    (operation.invoked.saturating_add(1), returned.saturating_add(1))
}

/// The number of the cluster of an item: of its write, or, after all writes,
/// of the initial value of its key.
fn number(view: &View, item: &Item) -> Option<usize> {
    match (item.write, view.sources(item)) {
        (Some(write), _) => Some(index(write)),
        (None, [Source::Write(write)]) => Some(index(*write)),
        (None, [Source::Initial]) => Some(view.writes.len() + index(item.key)),
        _ => None,
    }
}

fn key_of(view: &View, number: usize) -> usize {
    match number.checked_sub(view.writes.len()) {
        None => index(view.write(number).key),
        Some(key) => key,
    }
}

/// All clusters by number, or operations that violate k-atomicity for every k.
fn clusters(history: &History, view: &View) -> Result<Vec<Cluster>, Vec<usize>> {
    let of_write = |&item: &u32| {
        let write = &view.items[index(item)];
        let (began, first) = times(history, write);
        Cluster { write: Some(item), began, first, last: began, matters: !write.pending }
    };
    let mut clusters: Vec<Cluster> = view.writes.iter().map(of_write).collect();
    let initial = || Cluster { write: None, began: 0, first: 0, last: 0, matters: false };
    clusters.extend(std::iter::repeat_with(initial).take(view.keys));
    for read in view.items.iter().filter(|item| item.write.is_none()) {
        let cluster = &mut clusters[number(view, read).ok_or_else(|| vec![read.at])?];
        let (invoked, returned) = times(history, read);
        if let Some(write) = cluster.write
            && returned < cluster.began
        {
            return Err(vec![view.items[index(write)].at, read.at]);
        }
        cluster.first = cluster.first.min(returned);
        cluster.last = cluster.last.max(invoked);
        cluster.matters = true;
    }
    Ok(clusters)
}

/// Forward clusters whose zones make one interval, by their first returns,
/// and the backward ones inside it; or one backward cluster alone.
struct Chunk {
    forward: Vec<u32>,
    backward: Vec<u32>,
    from: u64,
    to: u64,
}

/// The chunks of one key in the order of time.
fn chunks(clusters: &[Cluster], numbers: &[u32]) -> Vec<Chunk> {
    let cluster = |number: u32| &clusters[index(number)];
    let (mut forward, backward): (Vec<u32>, Vec<u32>) =
        numbers.iter().partition(|number| cluster(**number).is_forward());
    forward.sort_unstable_by_key(|&number| (cluster(number).first, number));
    let mut chunks: Vec<Chunk> = Vec::new();
    for number in forward {
        let Cluster { first, last, .. } = *cluster(number);
        match chunks.last_mut() {
            Some(chunk) if first < chunk.to => {
                chunk.forward.push(number);
                chunk.to = chunk.to.max(last);
            }
            _ => chunks.push(Chunk {
                forward: vec![number],
                backward: Vec::new(),
                from: first,
                to: last,
            }),
        }
    }
    let covering = chunks.len();
    for number in backward {
        let Cluster { first, last, .. } = *cluster(number);
        let around = chunks[..covering].partition_point(|chunk| chunk.from < last);
        match around.checked_sub(1) {
            Some(around) if first < chunks[around].to => chunks[around].backward.push(number),
            _ => chunks.push(Chunk {
                forward: Vec::new(),
                backward: vec![number],
                from: last,
                to: last,
            }),
        }
    }
    // A backward cluster comes before a chunk that begins at the same time.
    chunks.sort_by_key(|chunk| (chunk.from, !chunk.forward.is_empty()));
    chunks
}

impl Chunk {
    /// An order of its clusters that obeys both conditions.
    fn order(&self, clusters: &[Cluster]) -> Option<Vec<u32>> {
        let mut exchanged = self.forward.clone();
        if let [first, second, ..] = &mut exchanged[..] {
            std::mem::swap(first, second);
        }
        for row in [&self.forward, &exchanged] {
            let ends: &[[&[u32]; 2]] = match &self.backward[..] {
                [] => &[[&[], &[]]],
                [one] => &[[&[*one], &[]], [&[], &[*one]]],
                [one, other] => &[[&[*one], &[*other]], [&[*other], &[*one]]],
                _ => &[],
            };
            for [before, after] in ends {
                let order = [before, &row[..], after].concat();
                if fits(clusters, &order) {
                    return Some(order);
                }
            }
        }
        None
    }
}

/// Whether clusters in this order obey both conditions. O(m log m).
fn fits(clusters: &[Cluster], order: &[u32]) -> bool {
    let cluster = |place: usize| &clusters[index(order[place])];
    let mut by_return: Vec<usize> = (0..order.len()).collect();
    by_return.sort_unstable_by_key(|&place| cluster(place).first);
    let mut highest = 0;
    let farthest: Vec<usize> = (by_return.iter())
        .map(|&place| {
            highest = highest.max(place + 1);
            highest
        })
        .collect();
    // One more than the last place of a cluster with a return before `time`.
    let behind = |time: u64| {
        let count = by_return.partition_point(|&place| cluster(place).first < time);
        count.checked_sub(1).map_or(0, |last| farthest[last])
    };
    (0..order.len()).all(|place| {
        behind(cluster(place).began) <= place && behind(cluster(place).last) <= place + 2
    })
}

/// The operations of these clusters.
fn operations(view: &View, chunk: &Chunk) -> Vec<usize> {
    let mut inside = chunk.forward.clone();
    inside.extend(&chunk.backward);
    inside.sort_unstable();
    let belongs = |item: &&Item| {
        let number = number(view, item);
        number.is_some_and(|number| inside.binary_search(&number_of(number)).is_ok())
    };
    view.items.iter().filter(belongs).map(|item| item.at).collect()
}

/// Puts every operation as early as its place allows: at the last invocation
/// among it and what must come before it. Operations at the same point keep the
/// order of their places.
fn placed(
    history: &History,
    view: &View,
    clusters: &[Cluster],
    rows: &[Vec<u32>],
) -> Vec<Vec<usize>> {
    let mut place = vec![None; clusters.len()];
    for row in rows {
        let mut earliest = 0;
        for (at, &number) in row.iter().enumerate() {
            let before = at.checked_sub(2).map_or(0, |two| clusters[index(row[two])].last);
            earliest = earliest.max(before).max(clusters[index(number)].began);
            place[index(number)] = Some((earliest, at));
        }
    }
    let mut points: Vec<Vec<(u64, usize, usize)>> = vec![Vec::new(); view.keys];
    for item in &view.items {
        let number = number(view, item).expect("every read has a source");
        let Some((earliest, at)) = place[number] else { continue };
        let point = match item.write {
            Some(_) => (earliest, 2 * at, item.at),
            None => (earliest.max(times(history, item).0), 2 * at + 1, item.at),
        };
        points[index(item.key)].push(point);
    }
    let order = |mut points: Vec<(u64, usize, usize)>| {
        points.sort_unstable();
        points.into_iter().map(|(.., at)| at).collect()
    };
    points.into_iter().map(order).collect()
}
