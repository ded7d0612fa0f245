//! The nearest run that does not fail, in words.

use crate::hunt::case::words::asks;
use crate::hunt::neighbour::{Change, Neighbour};
use crate::world::trace::{Trace, TraceStep};
use crate::world::{Action, SessionId};

use super::foreign;
use super::timeline::sentences;

/// What is different in the neighbour of a failing run: `step 4 (…) comes before step 2 (…)`.
pub fn told(neighbour: &Neighbour, failing: &Trace) -> String {
    let step = |at: usize| format!("step {} ({})", at + 1, named(&failing.steps[at]));
    match neighbour.change {
        Change::Earlier { step: moved, before } => {
            format!("{} comes before {}", step(moved), step(before))
        }
        Change::Later { step: moved, after } => {
            format!("{} comes after {}", step(moved), step(after))
        }
        Change::Without(at) => format!("{} does not happen", step(at)),
    }
}

/// A step without the answers that it gives, which may be others in the neighbour.
fn named(step: &TraceStep) -> String {
    let happened = &step.happened;
    match (happened.action, &happened.asked) {
        (Action::Invoke(operation), Some(call)) => {
            format!(
                "{} {} at {}",
                SessionId(operation.session),
                foreign(&asks(call)),
                happened.node
            )
        }
        _ => sentences(step).swap_remove(0),
    }
}
