//! Searches for an order of each key alone, in turns, and merges the orders of
//! the keys into one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::distinct;
use super::objects::Keep;
use super::search::{Found, search};
use super::sweep::{Sweep, Swept};
use crate::history::{Completion, History, Key, Value};
use crate::judgement::checker::whole::{Decision, Meter};
use crate::judgement::datatype::{About, Datatype};
use crate::judgement::number::count;
use crate::judgement::verdict::Witness;

/// How many steps the first turn of a key has.
const TURN: u64 = 10_000;

/// How many steps for each operation a search in depth has before a sweep is tried.
/// Where there is an order, it is mostly found at once.
const AT_ONCE: u64 = 4;

/// Searches for an order of each key or, where session order is not part of
/// returns-before (`local` is false), for one order of all.
pub(in crate::judgement::checker) fn search_keys(
    history: &History,
    datatype: &dyn Datatype,
    local: bool,
    meter: &mut Meter,
) -> Decision {
    let keys = of_keys(history);
    if !local && keys.len() > 1 {
        // A key that has no order by itself has none among the others, and
        // alone it is searched faster.
        let mut own = meter.part(meter.left / 4);
        let alone = in_turns(history, keys.clone(), datatype, Keep::RealTime, &mut own);
        meter.spend(own.spent());
        if let Err(Decision::Fails(part)) = alone {
            return Decision::Fails(part);
        }
    }
    if !local {
        let all = vec![(0..history.len()).collect()];
        return match in_turns(history, all, datatype, Keep::RealTime, meter) {
            Ok(mut orders) => Decision::Holds(Witness::Linear(orders.pop().unwrap_or_default())),
            Err(decision) => decision,
        };
    }
    let (mut orders, mut open) = (Vec::new(), Vec::new());
    for part in keys.into_iter().flat_map(|key| divided(history, key, datatype)) {
        match distinct::decide(history.operations(), &part, datatype) {
            Some(Ok(order)) => orders.push(order),
            Some(Err(part)) => return Decision::Fails(part),
            None => open.push(part),
        }
    }
    match in_turns(history, open, datatype, Keep::RealTime, meter) {
        Ok(searched) => {
            orders.extend(searched);
            Decision::Holds(Witness::Linear(merged(history, orders, 0)))
        }
        Err(decision) => decision,
    }
}

/// Whether linearizability is decided without a search that takes longer than a history of
/// one value: each key has parts that are like objects of their own, or distinct values.
pub(in crate::judgement::checker) fn has_distinct_values(
    history: &History,
    datatype: &dyn Datatype,
) -> bool {
    of_keys(history).into_iter().all(|key| {
        let count = key.len();
        let parts = divided(history, key, datatype);
        let whole = parts.first().filter(|part| part.len() == count);
        whole.is_none_or(|part| distinct::applies(history.operations(), part, datatype))
    })
}

/// The operations of a key, apart by the part of the object that they are about, if each
/// is about one and parts are like objects of their own: then they are as independent as
/// those of different keys. In order of appearance.
fn divided(history: &History, key: Vec<usize>, datatype: &dyn Datatype) -> Vec<Vec<usize>> {
    let mut numbers: FxHashMap<Value, usize> = FxHashMap::default();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let first = key.first().map(|at| &history.operations()[*at].call.key);
    if !first.is_some_and(|key| datatype.is_composed(key)) {
        return vec![key];
    }
    for &at in &key {
        let operation = &history.operations()[at];
        let answer = operation.result();
        match datatype.about(&operation.call, answer) {
            _ if operation.completion == Completion::Fail => {}
            About::Part(part) => {
                let number = *numbers.entry(part).or_insert(parts.len());
                if number == parts.len() {
                    parts.push(Vec::new());
                }
                parts[number].push(at);
            }
            _ if !datatype.only_reads(&operation.call, answer) => return vec![key],
            // It need not have happened.
            _ if answer.is_none() => {}
            // It cannot be wrong.
            _ if !datatype.answers(&operation.call, answer) => parts.push(vec![at]),
            _ => return vec![key],
        }
    }
    parts
}

/// An order of each of these parts, or the first part that is found to have
/// none. The parts take turns with growing budgets, so that a hard part does
/// not keep an easy one from deciding. A turn starts its search again, because
/// a search that waits would keep its visited positions in memory; that costs
/// at most a third more.
///
/// If time counts, half of a turn goes to a sweep in order of time, which finds
/// sooner that a key has no order.
pub(in crate::judgement::checker) fn in_turns(
    history: &History,
    parts: Vec<Vec<usize>>,
    datatype: &dyn Datatype,
    keep: Keep,
    meter: &mut Meter,
) -> Result<Vec<Vec<usize>>, Decision> {
    let unknown = || Decision::unknown("the budget ended before all orders were tried");
    let mut orders: Vec<Option<Vec<usize>>> = vec![None; parts.len()];
    let mut open: Vec<usize> = (0..parts.len()).collect();
    let mut sweeps: Vec<bool> =
        parts.iter().map(|part| keep.sees_time() && is_of_one_key(history, part)).collect();
    let mut turn = TURN;
    while !open.is_empty() {
        let mut still = Vec::new();
        let last = open.len() == 1;
        for &nth in &open {
            let mut own = meter.part(if last { u64::MAX } else { turn });
            let whole = (history, &parts[nth][..], datatype);
            match searched(whole, keep, &mut sweeps[nth], &mut own) {
                Found::Order(order) => orders[nth] = Some(order),
                Found::NoOrder => return Err(Decision::Fails(parts[nth].clone())),
                Found::Spent if own.is_empty() => still.push(nth),
                // Out of memory: more steps would not help.
                Found::Spent => {}
            }
            meter.spend(own.spent());
        }
        if meter.is_empty() && !still.is_empty() {
            return Err(unknown());
        }
        (open, turn) = (still, turn.saturating_mul(4));
    }
    orders.into_iter().collect::<Option<Vec<_>>>().ok_or_else(unknown)
}

/// Searches one part, and sweeps through it as long as that may still tell more.
fn searched(
    (history, part, datatype): (&History, &[usize], &dyn Datatype),
    keep: Keep,
    sweeps: &mut bool,
    meter: &mut Meter,
) -> Found {
    if *sweeps {
        let mut first = meter.part(AT_ONCE * (count(part.len()) + 16));
        let found = search(history.operations(), part, datatype, keep, &mut first);
        meter.spend(first.spent());
        // Out of memory, a search is not out of steps.
        if !matches!(found, Found::Spent) || !first.is_empty() || meter.is_empty() {
            return found;
        }
        let mut half = meter.part(meter.left / 2);
        let swept = Sweep::of(history.operations(), part, datatype).all(&mut half);
        meter.spend(half.spent());
        match swept {
            Swept::Stuck(_) => return Found::NoOrder,
            Swept::Through => *sweeps = false,
            Swept::Spent => {}
        }
    }
    search(history.operations(), part, datatype, keep, meter)
}

/// Whether these operations are of one object.
pub(in crate::judgement::checker) fn is_of_one_key(history: &History, part: &[usize]) -> bool {
    let key = |at: &usize| &history.operations()[*at].call.key;
    part.iter().all(|at| key(at) == key(&part[0]))
}

/// The positions of the operations of each key, keys in order of appearance.
pub(in crate::judgement::checker) fn of_keys(history: &History) -> Vec<Vec<usize>> {
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

/// Merges the orders of the keys: of the operations that are next in each key,
/// it always takes the one that was invoked first.
///
/// The result keeps real time. Suppose that `b`, not taken yet, had returned
/// before the taken operation was invoked. Let `a` be the next operation of the
/// key of `b`. It is `b` or comes before `b` in the order of that key, which
/// keeps real time, so `a` was invoked before `b` returned: earlier than the
/// taken operation, which was invoked first of all that are next.
///
/// Reads count as invoked `earlier` nanoseconds earlier.
pub(in crate::judgement::checker) fn merged(
    history: &History,
    mut orders: Vec<Vec<usize>>,
    earlier: u64,
) -> Vec<usize> {
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
