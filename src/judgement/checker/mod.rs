//! The decision procedures, one per file, and the dumb oracle they are
//! measured against.
//!
//! Invariant: every verdict carries evidence, and the same history with the
//! same budget gets the same verdict and the same evidence. A checker sees a
//! [`History`] and nothing else: it does not know how it was made.
//!
//! Read next: `grid` for the 96 models of the grid, `linearizable`, and
//! [`brute`] for what they are compared with.

pub mod brute;
mod closure;
mod derive;
mod eventual;
mod grid;
mod linearizable;
mod minimise;
mod view;

use crate::history::{Completion, Function, History};

use super::model::Model;
use super::verdict::{Budget, Unknown, Verdict};

/// Whether `history` is allowed by `model`, with evidence.
///
/// Operations of unknown outcome may or may not have happened; failed ones
/// did not, and an answer that only they explain is illegal. Where a model
/// speaks of reads at quiescence and the history has none, that part is empty.
///
/// Complexity: see the checkers. With unique writes a grid model takes
/// O(n²/64) for n operations; otherwise the search is bounded by `budget`.
///
/// ```
/// use quiescence::history::notation;
/// use quiescence::judgement::{Budget, Kind, Model, check, recheck};
///
/// let history = notation::parse("wx1|wx2|rx2!|rx1! @ 00112323")?;
/// let verdict = check(&history, Model::EVENTUAL, Budget::default());
/// assert_eq!(verdict.kind(), Some(Kind::Diverged));
/// assert_eq!(recheck(&history, Model::EVENTUAL, &verdict), Ok(()));
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn check(history: &History, model: Model, budget: Budget) -> Verdict {
    if let Some(name) = unsupported(history) {
        return Verdict::Unknown(Unknown {
            reason: format!("no checker for `{name}` yet"),
            spent: 0,
        });
    }
    match model {
        Model::Grid(grid) => grid::check(history, grid, budget),
        Model::Linearizable => linearizable::check(history, budget),
    }
}

/// The first function that only another datatype would give a meaning to.
fn unsupported(history: &History) -> Option<&str> {
    history.operations().iter().find_map(|op| match &op.call.f {
        Function::Other(name) if op.completion != Completion::Fail => Some(name.as_str()),
        Function::Read | Function::Write | Function::Other(_) => None,
    })
}

/// What is left of a budget.
#[derive(Debug)]
struct Meter {
    given: u64,
    left: u64,
}

impl Meter {
    fn new(budget: Budget) -> Self {
        Meter { given: budget.steps, left: budget.steps }
    }

    /// Takes `steps`; false if there are not as many left.
    fn spend(&mut self, steps: u64) -> bool {
        let enough = steps <= self.left;
        self.left = self.left.saturating_sub(steps);
        enough
    }

    fn spent(&self) -> u64 {
        self.given - self.left
    }
}
