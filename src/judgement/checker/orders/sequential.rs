//! Sequential consistency, and the two models that ask for orders like it:
//! each key alone (cache), and all keys with reads that need not wait for
//! earlier writes of their session (prefix with monotonic reads).
//!
//! NP-complete even where sources are known (Gibbons and Korach 1997), so this
//! is [`search`] within the budget. It visits at most one position for each
//! combination of the sessions' progress and the keys' contents, which are few
//! for a few processes. A linearization is tried first, with few steps if the history
//! is short: it is found faster.
//!
//! Why the last model asks for such an order: place every read right after the
//! prefix that it sees. Then the writes of a session keep their order, so do
//! its reads (monotonic reads), and a read comes before the later writes of its
//! session (else causality has a cycle). Nothing keeps a read after an earlier
//! write.

use super::keys::{in_turns, of_keys};
use super::linearizable;
use super::objects::Keep;
use super::search::{Found, search};
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::verdict::Witness;

/// How many operations a short history has at most.
const SHORT: usize = 64;

/// How many steps a linearization of a short history may take.
const AT_ONCE: u64 = 1_000;

/// Decides sequential consistency.
pub(in crate::judgement::checker) fn decide(whole: &Whole<'_>, meter: &mut Meter) -> Decision {
    one_order(whole, Keep::Sessions, meter)
}

/// Decides consistent prefix with monotonic reads.
pub(in crate::judgement::checker) fn prefix_monotonic(
    whole: &Whole<'_>,
    meter: &mut Meter,
) -> Decision {
    one_order(whole, Keep::WaitingReads, meter)
}

/// Decides cache consistency: one order for each key.
pub(in crate::judgement::checker) fn cache(whole: &Whole<'_>, meter: &mut Meter) -> Decision {
    let parts = of_keys(whole.history);
    match in_turns(whole.history, parts, whole.datatype, Keep::Sessions, meter) {
        Ok(orders) => Decision::Holds(Witness::Views(orders)),
        Err(decision) => decision,
    }
}

fn one_order(whole: &Whole<'_>, keep: Keep, meter: &mut Meter) -> Decision {
    let most = if whole.history.len() > SHORT { u64::MAX } else { AT_ONCE };
    let mut first = meter.part(most);
    let linearized = linearizable::decide(whole, &mut first);
    meter.spend(first.spent());
    if let Decision::Holds(witness) = linearized {
        return Decision::Holds(witness);
    }
    match ordered(whole, (0..whole.history.len()).collect(), keep, meter) {
        Ok(order) => Decision::Holds(Witness::Linear(order)),
        Err(decision) => decision,
    }
}

fn ordered(
    whole: &Whole<'_>,
    part: Vec<usize>,
    keep: Keep,
    meter: &mut Meter,
) -> Result<Vec<usize>, Decision> {
    match search(whole.history.operations(), &part, whole.datatype, keep, meter) {
        Found::Order(order) => Ok(order),
        Found::NoOrder => Err(Decision::Fails(part)),
        Found::Spent => Err(Decision::unknown("the budget ended before all orders were tried")),
    }
}
