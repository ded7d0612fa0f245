//! Consistent prefix, consistent prefix in real time, and eventual consistency in real
//! time.
//!
//! If session order, reads-from and (for the second and third) returns-before among
//! writes are acyclic together, any order that extends them explains every
//! read: let it see the writes up to its source. If they have a cycle, nothing
//! explains the reads, since a read must at least see its source. The condition
//! for the first model is that of base, so clients cannot tell consistent
//! prefix and base apart. O(n log n): returns-before is added as a chain of
//! instants, not as pairs.
//!
//! For the third, the source of a read at quiescence comes after all other writes of
//! its key that happened. That costs at most two edges for each write: two different
//! sources of one key already make a cycle.

use std::collections::BTreeMap;

use crate::history::History;
use crate::judgement::checker::graph::Graph;
use crate::judgement::checker::sources::{kept, try_all};
use crate::judgement::checker::time::{operations_of, returns_before};
use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::number::{index, number_of};
use crate::judgement::verdict::Witness;

/// Decides consistent prefix; in real time if `timed`; where reads at quiescence see
/// all, if `eventual`.
pub(in crate::judgement::checker) fn decide(
    whole: &Whole<'_>,
    (timed, eventual): (bool, bool),
    meter: &mut Meter,
) -> Decision {
    let (history, view) = (whole.history, whole.view());
    let of = |sources: &[Source]| match eventual.then(|| lost(view, sources)).flatten() {
        Some(part) => Decision::Fails(part),
        None => given(history, view, sources, (timed, eventual)),
    };
    try_all(view, meter, &|_| true, &mut |sources, _| of(sources))
}

/// A read at quiescence that saw nothing although a write of its key happened, with
/// that write and, if it was not acknowledged, one who saw it.
fn lost(view: &View, sources: &[Source]) -> Option<Vec<usize>> {
    let mut initial = finals(view).filter(|read| matches!(sources[*read], Source::Initial));
    initial.find_map(|read| {
        let key = view.items[read].key;
        let kept = kept(view, sources);
        let mut writes = (0..view.writes.len()).filter(|write| kept[*write]);
        let write = writes.find(|write| view.write(*write).key == key)?;
        let saw =
            |at: &usize| matches!(sources[*at], Source::Write(source) if index(source) == write);
        let pending = view.write(write).pending;
        let seen_by = (0..view.items.len()).find(saw).filter(|_| pending);
        let part = [view.items[read].at, view.write(write).at].into_iter();
        Some(part.chain(seen_by.map(|at| view.items[at].at)).collect())
    })
}

/// The reads at quiescence.
fn finals(view: &View) -> impl Iterator<Item = usize> + '_ {
    (0..view.items.len()).filter(|at| view.items[*at].last)
}

/// Adds that what reads at quiescence saw is the last of its key.
fn last_of_all(view: &View, sources: &[Source], kept: &[bool], graph: &mut Graph) {
    let mut last: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for read in finals(view) {
        if let Source::Write(write) = sources[read] {
            let own = last.entry(view.items[read].key).or_default();
            if !own.contains(&write) && own.len() < 2 {
                own.push(write);
            }
        }
    }
    for (write, item) in view.writes.iter().enumerate().filter(|(write, _)| kept[*write]) {
        for &newest in last.get(&view.items[index(*item)].key).into_iter().flatten() {
            if index(newest) != write {
                graph.add(*item, view.writes[index(newest)]);
            }
        }
    }
}

fn given(
    history: &History,
    view: &View,
    sources: &[Source],
    (timed, eventual): (bool, bool),
) -> Decision {
    let kept = kept(view, sources);
    let counts = |at: usize| view.items[at].write.is_none_or(|write| kept[index(write)]);
    let mut graph = Graph::new(view.items.len());
    let mut last = vec![None; view.sessions];
    for (at, item) in view.items.iter().enumerate() {
        if let Source::Write(write) = sources[at] {
            graph.add(view.writes[index(write)], number_of(at));
        }
        if counts(at)
            && let Some(before) = last[index(item.session)].replace(number_of(at))
        {
            graph.add(before, number_of(at));
        }
    }
    if timed {
        let writes: Vec<u32> =
            view.writes.iter().copied().filter(|&item| counts(index(item))).collect();
        returns_before(history, view, &writes, &mut graph);
    }
    if eventual {
        last_of_all(view, sources, &kept, &mut graph);
    }
    match graph.order() {
        Err(cycle) => {
            let mut part = operations_of(view, &cycle);
            if eventual {
                // Reads make their sources happen, and at quiescence the last of their
                // keys.
                let counts = |read: &usize| match sources[*read] {
                    Source::Write(write) => {
                        let write = view.write(index(write));
                        let shows = view.items[*read].last || write.pending;
                        shows && part.contains(&write.at)
                    }
                    _ => false,
                };
                let reads = (0..view.items.len()).filter(counts).map(|read| view.items[read].at);
                let reads: Vec<usize> = reads.collect();
                part.extend(reads);
                part.sort_unstable();
                part.dedup();
            }
            Decision::Fails(part)
        }
        Ok(order) => {
            // Each read comes right after its source, initial reads first.
            let mut after: Vec<Vec<usize>> = vec![Vec::new(); view.writes.len() + 1];
            for (at, item) in view.items.iter().enumerate().filter(|(_, item)| item.write.is_none())
            {
                match sources[at] {
                    Source::Write(write) => after[index(write) + 1].push(item.at),
                    _ => after[0].push(item.at),
                }
            }
            let mut linear = std::mem::take(&mut after[0]);
            for node in order.into_iter().filter(|node| (index(*node)) < view.items.len()) {
                if let Some(write) = view.items[index(node)].write
                    && kept[index(write)]
                {
                    linear.push(view.items[index(node)].at);
                    linear.append(&mut after[index(write) + 1]);
                }
            }
            Decision::Holds(Witness::Linear(linear))
        }
    }
}
