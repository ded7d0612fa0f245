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

/// The reads of a key at a node.
#[derive(Default)]
struct Reads {
    /// Invocation, the read, and since when the newest answer of this and all later reads
    /// was there: `None` for always, [`NEVER`] if it may be newer than anything.
    all: Vec<(u64, usize, Option<u64>)>,
}

pub(super) fn measure(record: &Record<'_>, lost: &[usize]) -> Suspected {
    let mut reads: Vec<BTreeMap<NodeId, Reads>> = Vec::new();
    reads.resize_with(record.view.keys, BTreeMap::new);
    for read in record.reads() {
        let Some(node) = record.node(read) else { continue };
        let there = match record.answers[read] {
            Answer::Initial => None,
            Answer::Write(_) => record.known(read).and_then(|(_, there)| there),
            _ => Some(NEVER),
        };
        let of_node = reads[record.key(read)].entry(node).or_default();
        of_node.all.push((record.invoked(read), read, there));
    }
    for of_node in reads.iter_mut().flat_map(BTreeMap::values_mut) {
        of_node.all.sort_unstable_by_key(|(invoked, read, _)| (*invoked, *read));
        let mut newest = None;
        for (_, _, there) in of_node.all.iter_mut().rev() {
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
            let first = of_node.all.partition_point(|(invoked, ..)| *invoked <= returned);
            let Some(&(_, read, newest)) = of_node.all.get(first) else { continue };
            if *other == node || newest.is_some_and(|newest| newest >= record.invoked(item)) {
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
