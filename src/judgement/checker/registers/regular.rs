//! Regular, weakly regular and safe registers.
//!
//! All three require of a read that its source is not after it in time, and
//! that no write of its key that returned before the read is newer than the
//! source. *Safe* requires that only of reads that overlap no write of their
//! key. *Weakly regular* lets each read order the writes in its own way, so
//! only a write that is after the source and before the read, both in time,
//! contradicts the read. *Regular* requires one order for all reads. It exists
//! if and only if returns-before among the writes is acyclic together with
//! "returned before a read, so older than its source". O(n·c) for c writes that
//! overlap one.
//!
//! A write of unknown outcome overlaps every later read of its key, whether it
//! was read or not, so for *safe* it is kept.

use crate::history::{History, Operation};
use crate::judgement::checker::graph::Graph;
use crate::judgement::checker::sources::{kept, try_all};
use crate::judgement::checker::time::{is_local, operations_of, returns_before};
use crate::judgement::checker::view::{Item, Source, View};
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::model::{Orders, Reads, Views};
use crate::judgement::number::{index, number_of};
use crate::judgement::verdict::Witness;

/// Decides. For *safe* the reads that are `excused` (by position) overlap a
/// write of their key that is not in this part of a history.
pub(in crate::judgement::checker) fn decide(
    whole: &Whole<'_>,
    asked: &Orders,
    excused: &dyn Fn(usize) -> bool,
    meter: &mut Meter,
) -> Decision {
    let (history, view) = (whole.history, whole.view());
    let previous = if is_local(history) { Vec::new() } else { previous(view) };
    let judge = Judge { history, view, keys: keys(history, view), previous };
    let binds_all = asked.reads == Reads::Recent;
    let bound: Vec<bool> = (0..view.items.len())
        .map(|at| binds_all || !(judge.is_overlapped(at) || excused(view.items[at].at)))
        .collect();
    try_all(view, meter, &|at| bound[at], &mut |sources, _| judge.given(asked, sources, &bound))
}

/// The positions of the reads that overlap a write of their key.
pub(in crate::judgement::checker) fn overlapped(whole: &Whole<'_>) -> Vec<usize> {
    let (history, view) = (whole.history, whole.view());
    let previous = if is_local(history) { Vec::new() } else { previous(view) };
    let keys = keys(history, view);
    let judge = Judge { history, view, keys, previous };
    let reads = (0..view.items.len()).filter(|&at| view.items[at].write.is_none());
    reads.filter(|&at| judge.is_overlapped(at)).map(|at| view.items[at].at).collect()
}

/// The writes of a key, as items, by return and by invocation.
#[derive(Default)]
struct OfKey {
    by_return: Vec<u32>,
    by_invocation: Vec<u32>,
}

struct Judge<'a> {
    history: &'a History,
    view: &'a View,
    keys: Vec<OfKey>,
    /// The item before each in its session; empty if returns-before contains
    /// session order.
    previous: Vec<Option<u32>>,
}

fn previous(view: &View) -> Vec<Option<u32>> {
    let mut last = vec![None; view.sessions];
    let items = view.items.iter().enumerate();
    items.map(|(at, item)| last[index(item.session)].replace(number_of(at))).collect()
}

fn keys(history: &History, view: &View) -> Vec<OfKey> {
    let mut keys: Vec<OfKey> = Vec::new();
    keys.resize_with(view.keys, OfKey::default);
    for &item in &view.writes {
        keys[index(view.items[index(item)].key)].by_invocation.push(item);
    }
    let operation = |item: u32| &history.operations()[view.items[index(item)].at];
    for key in &mut keys {
        let done = key.by_invocation.iter().copied();
        key.by_return = done.filter(|item| operation(*item).returned.is_some()).collect();
        key.by_return.sort_by_key(|item| operation(*item).returned);
    }
    keys
}

impl Judge<'_> {
    fn operation(&self, item: u32) -> &Operation {
        &self.history.operations()[self.view.items[index(item)].at]
    }

    /// How many writes of its key returned before this read began.
    fn finished(&self, read: &Item) -> usize {
        let begins = self.history.operations()[read.at].invoked;
        let done = &self.keys[index(read.key)].by_return;
        done.partition_point(|item| self.operation(*item).returned.is_some_and(|at| at < begins))
    }

    /// Whether a write of its key is neither before nor after this read, in
    /// time or in its session.
    fn is_overlapped(&self, read: usize) -> bool {
        let item = &self.view.items[read];
        let OfKey { by_invocation, .. } = &self.keys[index(item.key)];
        let reader = &self.history.operations()[item.at];
        let ended = reader.returned.unwrap_or(u64::MAX);
        let later = by_invocation.len()
            - by_invocation.partition_point(|item| self.operation(*item).invoked <= ended);
        let between = by_invocation.len() - later - self.finished(item);
        let after = |write: &&u32| {
            !self.previous.is_empty()
                && self.view.items[index(**write)].session == item.session
                && **write > number_of(read)
                && self.operation(**write).invoked == ended
        };
        between > self.tied(read, true).len() + by_invocation.iter().filter(after).count()
    }

    /// Whether an item comes before another in real time or in a session.
    fn precedes(&self, first: u32, second: u32) -> bool {
        let (one, other) = (self.operation(first), self.operation(second));
        one.returns_before(other) || (one.process == other.process && first < second)
    }

    /// The earlier writes of its session, and perhaps of its key, that ended at the
    /// very instant at which this item began. They come before it in session order,
    /// although neither returned before the other was invoked.
    fn tied(&self, at: usize, of_key: bool) -> Vec<u32> {
        let item = &self.view.items[at];
        let begins = self.history.operations()[item.at].invoked;
        let mut tied = Vec::new();
        let mut before = self.previous.get(at).copied().flatten();
        while let Some(earlier) =
            before.filter(|item| self.operation(*item).returned == Some(begins))
        {
            let other = &self.view.items[index(earlier)];
            if other.write.is_some() && (other.key == item.key || !of_key) {
                tied.push(earlier);
            }
            before = self.previous[index(earlier)];
        }
        tied
    }

    fn given(&self, asked: &Orders, sources: &[Source], bound: &[bool]) -> Decision {
        let mut kept = kept(self.view, sources);
        if asked.reads == Reads::RecentUnlessOverlapped {
            kept.fill(true);
        }
        let reads = (0..self.view.items.len())
            .filter(|&at| self.view.items[at].write.is_none() && bound[at]);
        // For each write, when the last of its readers began, and that reader.
        let mut readers = vec![None; self.view.writes.len()];
        for read in reads {
            if let Err(part) = self.local(read, sources[read], &mut readers) {
                return Decision::Fails(part);
            }
        }
        let writes: Vec<u32> = (self.view.writes.iter().zip(&kept))
            .filter(|(_, kept)| **kept)
            .map(|(item, _)| *item)
            .collect();
        if asked.views == Views::Read {
            let order = writes.iter().map(|item| self.view.items[index(*item)].at).collect();
            return Decision::Holds(Witness::Writes(order));
        }
        self.one_order(&writes, &readers, sources)
    }

    /// The operations that contradict one read in every order of the writes:
    /// its source begins after it, or some write lies between the two in time.
    /// If there are none, notes the read as a reader of its source.
    fn local(
        &self,
        read: usize,
        source: Source,
        readers: &mut [Option<(u64, u32)>],
    ) -> Result<(), Vec<usize>> {
        let item = &self.view.items[read];
        let reader = &self.history.operations()[item.at];
        let finished = self.finished(item);
        let done = &self.keys[index(item.key)].by_return;
        match source {
            Source::Open => Ok(()),
            Source::Initial => match done[..finished].last().or(self.tied(read, true).first()) {
                Some(write) => Err(vec![self.view.items[index(*write)].at, item.at]),
                None => Ok(()),
            },
            Source::Write(number) => {
                let write = self.view.writes[index(number)];
                let at = self.view.items[index(write)].at;
                let writer = self.operation(write);
                if self.precedes(number_of(read), write) {
                    return Err(vec![item.at.min(at), item.at.max(at)]);
                }
                let last = &mut readers[index(number)];
                *last = (*last).max(Some((reader.invoked, number_of(read))));
                // A write that comes after the source, and before the read.
                let after = |item: &&u32| self.precedes(write, **item);
                let newer = done[..finished]
                    .iter()
                    .rev()
                    .take_while(|item| self.operation(**item).returned >= writer.returned)
                    .find(after);
                let newer = newer.filter(|_| writer.returned.is_some());
                let tied = self.tied(read, true);
                match newer.or(tied.iter().find(after)) {
                    Some(newer) => {
                        let mut part = vec![at, self.view.items[index(*newer)].at, item.at];
                        part.sort_unstable();
                        Err(part)
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// One order of the writes in which every source is newer than the writes
    /// of its key that had finished before a read of it began.
    fn one_order(
        &self,
        writes: &[u32],
        readers: &[Option<(u64, u32)>],
        sources: &[Source],
    ) -> Decision {
        let mut graph = Graph::new(self.view.items.len());
        returns_before(self.history, self.view, writes, &mut graph);
        for key in &self.keys {
            self.finished_before_sources(key, readers, &mut graph);
        }
        self.tied_before_sources(sources, &mut graph);
        match graph.order() {
            Ok(order) => {
                let writes = order.into_iter().filter(|node| {
                    self.view.items.get(index(*node)).is_some_and(|item| item.write.is_some())
                        && writes.binary_search(node).is_ok()
                });
                let order = writes.map(|item| self.view.items[index(item)].at).collect();
                Decision::Holds(Witness::Writes(order))
            }
            Err(cycle) => {
                // The writes on the cycle, and the reads that require its
                // edges.
                let mut part = operations_of(self.view, &cycle);
                let reads = cycle.iter().filter_map(|node| {
                    let write = self.view.items.get(index(*node))?.write?;
                    let (_, read) = readers[index(write)]?;
                    Some(self.view.items[index(read)].at)
                });
                part.extend(reads);
                part.sort_unstable();
                part.dedup();
                Decision::Fails(part)
            }
        }
    }

    /// Puts a source after every write of its key that returned before the last
    /// of its readers began. (What returned before an earlier reader began also
    /// returned before the last one did.) An edge for each such write would
    /// make n² of them, so a chain of nodes follows the returns, and one edge
    /// from the chain replaces those from all returns up to there. If the
    /// source is among these itself, that edge would close a cycle: then the
    /// chain is used up to the source, and the few writes that returned between
    /// it and the read have an edge each.
    fn finished_before_sources(
        &self,
        key: &OfKey,
        readers: &[Option<(u64, u32)>],
        graph: &mut Graph,
    ) {
        let mut chain: Vec<u32> = Vec::with_capacity(key.by_return.len());
        for &item in &key.by_return {
            let node = graph.add_node();
            graph.add(item, node);
            if let Some(before) = chain.last() {
                graph.add(*before, node);
            }
            chain.push(node);
        }
        for &write in &key.by_invocation {
            let number = self.view.items[index(write)].write.expect("it is a write");
            let Some((begins, _)) = readers[index(number)] else { continue };
            let finished = key.by_return.partition_point(|item| {
                self.operation(*item).returned.is_some_and(|at| at < begins)
            });
            let own = key.by_return[..finished].iter().rposition(|item| *item == write);
            if let Some(last) = own.unwrap_or(finished).checked_sub(1) {
                graph.add(chain[last], write);
            }
            if let Some(own) = own {
                for &later in &key.by_return[own + 1..finished] {
                    graph.add(later, write);
                }
            }
        }
    }

    /// Adds the session order that returns-before does not contain: a write
    /// that ends at the instant at which a later operation of its process
    /// begins comes before that operation and, if it is a read, before its
    /// source.
    fn tied_before_sources(&self, sources: &[Source], graph: &mut Graph) {
        for at in (0..self.view.items.len()).filter(|_| !self.previous.is_empty()) {
            let write = self.view.items[at].write;
            for tied in self.tied(at, write.is_none()) {
                match (write, sources[at]) {
                    (Some(_), _) => graph.add(tied, number_of(at)),
                    (None, Source::Write(source)) => {
                        let source = self.view.writes[index(source)];
                        if tied != source {
                            graph.add(tied, source);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
