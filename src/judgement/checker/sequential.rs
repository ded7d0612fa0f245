//! Sequential consistency, and the two models that ask for orders like it:
//! each key alone (cache), and all keys with reads that need not wait for
//! earlier writes of their session (prefix with monotonic reads).
//!
//! NP-complete even where sources are known (Gibbons and Korach 1997), so this
//! is [`search`] within the budget; for a few processes it visits at most one
//! position for each tuple of progress and contents. A linearization, if there
//! is one, answers first.
//!
//! Why the last model is such an order: put every read right after the prefix
//! that it sees. Writes of a session keep their order, so do its reads
//! (monotonic reads), and a read comes before the later writes of its session
//! (else causes run in a circle); nothing keeps a read after an earlier write.

use super::linearizable::{self, of_keys};
use super::search::{Found, Keep, search};
use super::{Decision, Meter};
use crate::history::History;
use crate::judgement::datatype::Datatype;
use crate::judgement::verdict::Witness;

/// Decides sequential consistency.
pub(super) fn decide(history: &History, datatype: &dyn Datatype, meter: &mut Meter) -> Decision {
    whole(history, datatype, Keep::Sessions, meter)
}

/// Decides consistent prefix with monotonic reads.
pub(super) fn prefix_monotonic(
    history: &History,
    datatype: &dyn Datatype,
    meter: &mut Meter,
) -> Decision {
    whole(history, datatype, Keep::WaitingReads, meter)
}

/// Decides cache consistency: one order for each key.
pub(super) fn cache(history: &History, datatype: &dyn Datatype, meter: &mut Meter) -> Decision {
    let mut orders = Vec::new();
    for part in of_keys(history) {
        match ordered(history, part, datatype, Keep::Sessions, meter) {
            Ok(order) => orders.push(order),
            Err(decision) => return decision,
        }
    }
    Decision::Holds(Witness::Views(orders))
}

fn whole(history: &History, datatype: &dyn Datatype, keep: Keep, meter: &mut Meter) -> Decision {
    if history.len() > 64
        && let Decision::Holds(witness) = linearizable::decide(history, datatype, meter)
    {
        return Decision::Holds(witness);
    }
    match ordered(history, (0..history.len()).collect(), datatype, keep, meter) {
        Ok(order) => Decision::Holds(Witness::Linear(order)),
        Err(decision) => decision,
    }
}

fn ordered(
    history: &History,
    part: Vec<usize>,
    datatype: &dyn Datatype,
    keep: Keep,
    meter: &mut Meter,
) -> Result<Vec<usize>, Decision> {
    match search(history.operations(), &part, datatype, keep, meter) {
        Found::Order(order) => Ok(order),
        Found::NoOrder => Err(Decision::Fails(part)),
        Found::Spent => Err(Decision::unknown("the budget ended before all orders were tried")),
    }
}
