//! Linearizability: is there an order of all operations that keeps real time
//! and in which every answer is right?
//!
//! Decided key by key, since linearizability is local (Herlihy and Wing 1990):
//! a register with known sources by [`zones`], anything else by [`search`].
//! Besides returns-before the order keeps session order. They differ only if
//! an operation returns at the very instant at which its process invokes the
//! next; such a history is not local and is searched as a whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::search::{Found, Keep, search};
use super::{Decision, Meter, Whole, zones};
use crate::history::{History, Key};
use crate::judgement::datatype::Datatype;
use crate::judgement::verdict::Witness;

/// Decides for a whole history or a part of it.
pub(super) fn decide(whole: &Whole<'_>, meter: &mut Meter) -> Decision {
    let local = is_local(whole.history);
    if local && whole.plain && whole.view().has_known_sources() {
        return match zones::decide(whole.history, whole.view(), 0) {
            Ok(orders) => Decision::Holds(Witness::Linear(merged(whole.history, orders, 0))),
            Err(part) => Decision::Fails(part),
        };
    }
    search_keys(whole.history, whole.datatype, local, meter)
}

/// Searches for an order of each key.
pub(super) fn search_keys(
    history: &History,
    datatype: &dyn Datatype,
    local: bool,
    meter: &mut Meter,
) -> Decision {
    let mut orders = Vec::new();
    for part in parts(history, local) {
        match search(history.operations(), &part, datatype, Keep::RealTime, meter) {
            Found::Order(order) => orders.push(order),
            Found::NoOrder => return Decision::Fails(part),
            Found::Spent => {
                return Decision::unknown("the budget ended before all orders were tried");
            }
        }
    }
    Decision::Holds(Witness::Linear(merged(history, orders, 0)))
}

/// The operations of each key; all in one where session order is not part of
/// returns-before.
fn parts(history: &History, local: bool) -> Vec<Vec<usize>> {
    if !local {
        return vec![(0..history.len()).collect()];
    }
    of_keys(history)
}

/// The positions of the operations of each key, keys in order of appearance.
pub(super) fn of_keys(history: &History) -> Vec<Vec<usize>> {
    let mut numbers: FxHashMap<&Key, usize> = FxHashMap::default();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for (at, operation) in history.operations().iter().enumerate() {
        let number = *numbers.entry(&operation.call.key).or_insert(parts.len());
        if number == parts.len() {
            parts.push(Vec::new());
        }
        parts[number].push(at);
    }
    parts
}

/// Whether returns-before contains session order.
pub(super) fn is_local(history: &History) -> bool {
    let operations = history.operations();
    let mut last = FxHashMap::default();
    operations.iter().enumerate().all(|(at, operation)| {
        let before = last.insert(operation.process, at);
        before.is_none_or(|before: usize| operations[before].returns_before(operation))
    })
}

/// One order from the orders of the keys: always the operation that was
/// invoked first among the next of each key. That one never has to wait: if it
/// came after the return of some operation left, so would what precedes that
/// operation in its key's order, which keeps real time.
/// Reads count as begun `earlier` nanoseconds earlier.
pub(super) fn merged(history: &History, mut orders: Vec<Vec<usize>>, earlier: u64) -> Vec<usize> {
    if orders.len() <= 1 {
        return orders.pop().unwrap_or_default();
    }
    let head = |key: usize, next: usize| {
        let at = *orders[key].get(next)?;
        let operation = &history.operations()[at];
        let shift = if operation.call.is_read() { 0 } else { earlier };
        Some(Reverse((operation.invoked.saturating_add(shift), at, key, next)))
    };
    let mut heads: BinaryHeap<_> = (0..orders.len()).filter_map(|key| head(key, 0)).collect();
    let mut whole = Vec::with_capacity(orders.iter().map(Vec::len).sum());
    while let Some(Reverse((_, at, key, next))) = heads.pop() {
        whole.push(at);
        heads.extend(head(key, next + 1));
    }
    whole
}
