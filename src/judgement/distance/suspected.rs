//! Acknowledged writes that a node never shows, though it is read later.
//!
//! A write is **suspected** to be lost at a node if it was acknowledged by another
//! node, a read of its key at that node was invoked after it had returned, and each
//! such read answers something certainly older. The node may have shown it later; the
//! recording does not tell. Writes that are [lost](super::Lost) are not counted
//! again. O(n log n) for a fixed number of nodes.

use std::collections::BTreeMap;

use super::record::{Answer, NEVER, Record};
use crate::history::NodeId;
use crate::judgement::number::{index, number_of};

/// Acknowledged writes that a node never shows, though it is read later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspected {
    /// The writes, ascending, each once. By position in the history.
    pub writes: Vec<usize>,
    /// By the node that acknowledged, and the node that does not show it.
    pub pairs: BTreeMap<(NodeId, NodeId), Hidden>,
}

/// What one node acknowledged and another does not show. Operations by position in
/// the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// How many writes.
    pub writes: usize,
    /// The first of them.
    pub write: usize,
    /// The first read after it at the other node.
    pub read: usize,
}

/// The reads of a key at a node, by invocation.
#[derive(Default)]
struct Reads {
    items: Vec<u32>,
    /// For each: the first instant at which a write can be invoked so that the newest answer
    /// of this and all later reads is certainly older; [`NEVER`] if there is none.
    newest: Vec<u64>,
}

pub(super) fn measure(record: &Record<'_>, lost: &[usize]) -> Suspected {
    let mut reads: Vec<BTreeMap<NodeId, Reads>> = Vec::new();
    reads.resize_with(record.view.keys, BTreeMap::new);
    for read in record.reads() {
        let Some(node) = record.node(read) else { continue };
        let there = match record.answers[read] {
            Answer::Initial => 0,
            Answer::Write(write) => record.there[index(write)].saturating_add(1),
            _ => NEVER,
        };
        let of_node = reads[record.key(read)].entry(node).or_default();
        of_node.items.push(number_of(read));
        of_node.newest.push(there);
    }
    for of_node in reads.iter_mut().flat_map(BTreeMap::values_mut) {
        let mut newest = 0;
        for there in of_node.newest.iter_mut().rev() {
            newest = newest.max(*there);
            *there = newest;
        }
    }
    let mut suspected = Suspected::default();
    for (item, about) in record.view.items.iter().enumerate() {
        let (at, returned) = (record.at(item), record.returned(item));
        let counts = about.write.is_some() && returned != NEVER && lost.binary_search(&at).is_err();
        let Some(node) = record.node(item).filter(|_| counts) else { continue };
        let mut is_hidden = false;
        for (other, of_node) in &reads[record.key(item)] {
            let is_shown = |newest: &u64| *newest > record.invoked(item);
            // Most writes are older than what was read last.
            if *other == node || of_node.newest.last().is_some_and(is_shown) {
                continue;
            }
            let before = |read: &u32| record.invoked(index(*read)) <= returned;
            let first = of_node.items.partition_point(before);
            let Some(read) = of_node.items.get(first).map(|read| index(*read)) else { continue };
            if is_shown(&of_node.newest[first]) {
                continue;
            }
            is_hidden = true;
            let hidden = Hidden { writes: 0, write: at, read: record.at(read) };
            suspected.pairs.entry((node, *other)).or_insert(hidden).writes += 1;
        }
        suspected.writes.extend(is_hidden.then_some(at));
    }
    suspected
}
