//! Replays evidence, so that no checker has to be trusted.
//!
//! `witness`, `least`, `orders` and `registers` replay evidence that a model
//! holds; `proof` and `cycle` replay proofs that it does not, and `instants` that no
//! order is left. All rest on `facts`, what a history says directly. Nothing here imports a checker.

mod contexts;
mod cycle;
mod facts;
mod instants;
mod least;
mod orders;
mod parts;
mod proof;
mod registers;
mod unsound;
mod witness;

use super::evidence::{Verdict, Witness};
use crate::history::History;
use crate::judgement::datatype::{self, Datatype, Opaque};
use crate::judgement::model::Model;
pub use unsound::Unsound;

/// Replays the evidence of a verdict on `history`.
///
/// A witness is verified against the predicate of the model and nothing is
/// assumed about where it comes from: the visibility and arbitration recorded
/// in a run are rechecked by the same code. A counterexample is replayed step
/// by step. An Unknown claims nothing and passes.
///
/// It does not show that a counterexample is minimal, nor that no earlier
/// [`Kind`](crate::judgement::Kind) applies where values repeat.
///
/// # Errors
/// [`Unsound`], with the first thing that is wrong.
///
/// Complexity: O(n²/64) for the witness of n operations; for "no order
/// explains the answers" exponential in the size of the minimal part, in the
/// worst case, and cut off with an error.
pub fn recheck(history: &History, model: Model, verdict: &Verdict) -> Result<(), Unsound> {
    match (datatype::of(history), verdict) {
        (_, Verdict::Unknown(_)) => Ok(()),
        (Ok(datatype), _) => recheck_with(history, model, datatype, verdict),
        (Err(op), _) => Unsound::because(format!("nothing is known about `{}`", op.call)),
    }
}

/// As [`recheck`], for a verdict that was reached with this datatype.
///
/// # Errors
/// As [`recheck`].
pub fn recheck_with(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    verdict: &Verdict,
) -> Result<(), Unsound> {
    let replicated = datatype.is_replicated();
    let opaque = datatype.name() == Opaque.name();
    match (verdict, model) {
        (Verdict::Unknown(_), _) => Ok(()),
        (Verdict::Violated(counterexample), _) if opaque => {
            contexts::replay_proof(history, model, datatype, counterexample)
        }
        (Verdict::Holds(_), _) if opaque => contexts::replay_agreement(history, model),
        (Verdict::Violated(counterexample), Model::Grid(_) | Model::EventualRealTime)
            if replicated =>
        {
            contexts::replay_proof(history, model, datatype, counterexample)
        }
        (
            Verdict::Holds(Witness::Abstract { visible, arbitration }),
            Model::Grid(_) | Model::EventualRealTime,
        ) if replicated => contexts::replay(history, model, datatype, visible, arbitration),
        (Verdict::Violated(counterexample), _) => {
            proof::replay(history, model, datatype, counterexample)
        }
        (Verdict::Holds(Witness::Abstract { visible, arbitration }), Model::Grid(grid)) => {
            witness::replay(history, grid, visible, arbitration)
        }
        (Verdict::Holds(Witness::Least(orders)), Model::Grid(grid)) => {
            least::replay(history, grid, orders)
        }
        (Verdict::Holds(Witness::Linear(order)), _) => {
            orders::replay_linear(history, model, datatype, order)
        }
        (Verdict::Holds(Witness::Views(orders)), _) => {
            orders::replay_views(history, model, datatype, orders)
        }
        (Verdict::Holds(Witness::Writes(order)), _) => registers::replay(history, model, order),
        (Verdict::Holds(_), _) => {
            Unsound::because(format!("this kind of witness says nothing about {model}"))
        }
    }
}
