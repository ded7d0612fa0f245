//! The run as it was found, in words.

use crate::hunt::case::FULL_MAX;
use crate::hunt::case::replay::{Fidelity, FullReplay};

use super::reporter::{Other, Replayed};

/// What is known of the run from which the one that is shown was shrunk, or to which it was
/// shrunk: what to call it, and the words.
pub(super) fn told(replayed: &Replayed<'_>) -> Option<(&'static str, String)> {
    match replayed.other {
        Other::Full(full) => Some(("shrunk from", format!("{}; --full shows them", of(full)))),
        Other::Minimal(steps) => {
            Some(("shrunk to", format!("{}; without --full they are shown", actions(steps))))
        }
        Other::None => Some(("shrunk from", unkept(replayed)?)),
    }
}

/// How long the run was as it was found, and what it does now if that is anything else.
pub(super) fn of(full: &FullReplay) -> String {
    let steps = actions(full.steps());
    let (step, what) = match &full.replay.fidelity {
        Fidelity::Reproduced => return steps,
        Fidelity::TextsDiffer(difference) => (difference.step, "in other texts"),
        Fidelity::Differs(difference) if full.fails_so() => {
            (difference.step, "and that run is another one now, which still fails in this way")
        }
        Fidelity::Differs(difference) => {
            (difference.step, "and that run NO LONGER fails in this way")
        }
    };
    format!("{steps}, {what} (the first difference is at step {step})")
}

/// That the run was too long to be kept, if it was.
fn unkept(replayed: &Replayed<'_>) -> Option<String> {
    let case = replayed.case;
    let from = case.found.shrunk_from.filter(|from| *from > FULL_MAX && case.full.is_none())?;
    Some(format!("{}, more than the {FULL_MAX} that a case keeps", actions(from)))
}

/// `1 action`, `41 actions`.
pub(super) fn actions(steps: usize) -> String {
    format!("{steps} {}", if steps == 1 { "action" } else { "actions" })
}
