//! Real time: whether it contains session order, and its edges for a graph, in
//! linear number.

use rustc_hash::FxHashMap;

use super::graph::Graph;
use super::view::View;
use crate::history::History;
use crate::judgement::number::index;

/// Whether returns-before contains session order.
pub(in crate::judgement::checker) fn is_local(history: &History) -> bool {
    let operations = history.operations();
    let mut last = FxHashMap::default();
    operations.iter().enumerate().all(|(at, operation)| {
        let before = last.insert(operation.process, at);
        before.is_none_or(|before: usize| operations[before].returns_before(operation))
    })
}

/// Adds returns-before among these items to a graph whose first nodes are the
/// items. A chain of new nodes, one for each return, replaces O(n²) edges: a
/// return leads into the chain, and the chain to what is invoked later.
pub(in crate::judgement::checker) fn returns_before(
    history: &History,
    view: &View,
    items: &[u32],
    graph: &mut Graph,
) {
    let operation = |item: u32| &history.operations()[view.items[index(item)].at];
    let returned = |item: &u32| operation(*item).returned.unwrap_or(u64::MAX);
    let mut by_return: Vec<u32> =
        items.iter().copied().filter(|item| operation(*item).returned.is_some()).collect();
    by_return.sort_by_key(returned);
    let mut returns = by_return.iter().peekable();
    let mut instant = None;
    // Items are in order of invocation.
    for &item in items {
        while let Some(&done) = returns.next_if(|done| returned(done) < operation(item).invoked) {
            let next = graph.add_node();
            graph.add(done, next);
            if let Some(before) = instant.replace(next) {
                graph.add(before, next);
            }
        }
        if let Some(instant) = instant {
            graph.add(instant, item);
        }
    }
}

/// The operations among the nodes of a cycle. The nodes of the chain are
/// dropped: the items on both sides of the chain are in returns-before.
pub(in crate::judgement::checker) fn operations_of(view: &View, cycle: &[u32]) -> Vec<usize> {
    let items = cycle.iter().filter(|node| (index(**node)) < view.items.len());
    let mut part: Vec<usize> = items.map(|item| view.items[index(*item)].at).collect();
    part.sort_unstable();
    part.dedup();
    part
}
