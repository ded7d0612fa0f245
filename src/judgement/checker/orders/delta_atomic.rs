//! Decides Δ-atomicity, and finds the least Δ: staleness in time.
//!
//! A history is Δ-atomic if it is linearizable once every read is taken to
//! begin Δ earlier (Golab, Li and Shah, PODC 2011). A larger Δ allows more, so
//! the least one is found by binary search. With known sources each step takes
//! O(n log n), by the zones that also decide linearizability. At Δ = 0 the
//! order keeps session order, for a larger Δ returns-before alone.

use super::keys::merged;
use super::linearizable;
use super::objects::Keep;
use super::search::{Found, search};
use crate::history::{History, Operation};
use crate::judgement::checker::registers::zones;
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::datatype::Register;
use crate::judgement::verdict::Witness;

/// Decides Δ-atomicity for a whole history or a part of it.
pub(in crate::judgement::checker) fn decide(
    whole: &Whole<'_>,
    delta: u64,
    meter: &mut Meter,
) -> Decision {
    if delta == 0 {
        return linearizable::decide(whole, meter);
    }
    let history = whole.history;
    // Once every read begins before everything else, a larger Δ changes nothing.
    let end = end(history);
    let delta = delta.min(end);
    if end.checked_add(delta).is_none_or(|latest| latest == u64::MAX) {
        return Decision::unknown("the times are too large to be compared with later ones");
    }
    if whole.view().has_known_sources() {
        return match zones::decide(history, whole.view(), delta) {
            Ok(orders) => Decision::Holds(Witness::Linear(merged(history, orders, delta))),
            Err(part) => Decision::Fails(part),
        };
    }
    let (earlier, positions) = shifted(history, delta);
    let all: Vec<usize> = (0..earlier.len()).collect();
    match search(&earlier, &all, &Register, Keep::Time, meter) {
        Found::Order(order) => {
            Decision::Holds(Witness::Linear(order.into_iter().map(|at| positions[at]).collect()))
        }
        Found::NoOrder => Decision::Fails((0..history.len()).collect()),
        Found::Spent => Decision::unknown("the budget ended before all orders were tried"),
    }
}

/// The first instant after everything, in nanoseconds.
fn end(history: &History) -> u64 {
    let last = |op: &Operation| op.invoked.max(op.returned.unwrap_or(0));
    history.operations().iter().map(last).max().unwrap_or(0).saturating_add(1)
}

/// The operations with every read invoked `delta` earlier, in order of
/// invocation, with their positions in the history. All times are later by
/// `delta`, so that none is below 0. This is not a history any more: operations
/// of one process may overlap.
fn shifted(history: &History, delta: u64) -> (Vec<Operation>, Vec<usize>) {
    let mut moved: Vec<(usize, Operation)> =
        history.operations().iter().cloned().enumerate().collect();
    for (_, operation) in &mut moved {
        operation.returned = operation.returned.map(|time| time.saturating_add(delta));
        if !operation.call.is_read() {
            operation.invoked = operation.invoked.saturating_add(delta);
        }
    }
    moved.sort_by_key(|(at, operation)| (operation.invoked, *at));
    let (positions, operations) = moved.into_iter().unzip();
    (operations, positions)
}

/// How many conflicts may raise the bound before binary search does the rest.
const ROUNDS: usize = 32;

/// The least Δ in nanoseconds; `None` if there is none.
///
/// A Δ that is too small for a few conflicting operations is too small for the
/// whole history, so the least Δ of each conflict is tried next. Usually a few
/// conflicts are enough; after that comes binary search.
///
/// # Errors
/// If the budget ended.
pub(in crate::judgement::checker) fn least(
    whole: &Whole<'_>,
    meter: &mut Meter,
) -> Result<Option<u64>, Decision> {
    let (mut fails, mut next) = (0, 0);
    for _ in 0..ROUNDS {
        let part = match decide(whole, next, meter) {
            Decision::Holds(_) => return Ok(Some(next)),
            Decision::Fails(part) => part,
            unknown @ Decision::Unknown(_) => return Err(unknown),
        };
        fails = next;
        let part = whole.view().closed(whole.history, &part);
        if part.len() * 2 > whole.history.len() {
            break;
        }
        let restricted = whole.history.restricted_to(&part);
        match by_halving(&Whole::of(&restricted, whole.datatype), next, meter)? {
            Some(more) => next = more,
            None => return Ok(None),
        }
    }
    by_halving(whole, fails, meter)
}

/// The least Δ that is enough, by binary search; `fails` is too small.
fn by_halving(
    whole: &Whole<'_>,
    mut fails: u64,
    meter: &mut Meter,
) -> Result<Option<u64>, Decision> {
    let end = end(whole.history);
    let mut holds = |delta: u64| match decide(whole, delta, meter) {
        Decision::Holds(_) => Ok(true),
        Decision::Fails(_) => Ok(false),
        unknown @ Decision::Unknown(_) => Err(unknown),
    };
    if fails >= end || !holds(end)? {
        return Ok(None);
    }
    let mut enough = end;
    while enough - fails > 1 {
        let middle = fails + (enough - fails) / 2;
        if holds(middle)? { enough = middle } else { fails = middle }
    }
    Ok(Some(enough))
}
