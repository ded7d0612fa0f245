//! Objects of which nothing is known but that reads at quiescence must agree.
//!
//! Reads at quiescence see the same updates, so they must agree. Nothing else is
//! checked: other reads may have seen less.

use crate::history::{Completion, History};
use crate::judgement::model::{Kind, Model};
use crate::judgement::verdict::{Counterexample, Reason, Unknown, Verdict, Witness};

const WHY: &str = "nothing is known of what an opaque object answers; only `eventual` is judged, \
                   which asks that reads at quiescence agree";

/// Judges by a model. O(n²) for n reads at quiescence.
pub(super) fn check(history: &History, model: Model) -> Verdict {
    if model != Model::EVENTUAL {
        return Verdict::Unknown(Unknown { reason: WHY.to_owned(), spent: 0 });
    }
    let operations = history.operations();
    let answered = |at: &usize| {
        operations[*at].final_read && matches!(operations[*at].completion, Completion::Ok(_))
    };
    let finals: Vec<usize> = (0..operations.len()).filter(answered).collect();
    for (nth, &second) in finals.iter().enumerate() {
        let differs = |first: &&usize| {
            let (one, other) = (&operations[**first], &operations[second]);
            one.call == other.call && one.completion != other.completion
        };
        if let Some(&first) = finals[..nth].iter().find(differs) {
            return Verdict::Violated(Counterexample {
                kind: Kind::Diverged,
                operations: vec![first, second],
                minimal: true,
                restricted: Vec::new(),
                reason: Reason::Diverged { first, second },
            });
        }
    }
    Verdict::Holds(Witness::Abstract { visible: Vec::new(), arbitration: Vec::new() })
}
