//! Verdicts and their evidence, as data.

use std::fmt;

use super::reason::Reason;
use crate::history::{Completion, History, Value};
use crate::judgement::model::Kind;

/// Whether a history is allowed by a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is; here is why.
    Holds(Witness),
    /// It is not; here is why.
    Violated(Counterexample),
    /// It could not be decided.
    Unknown(Unknown),
}

impl Verdict {
    /// Whether the model holds.
    pub fn holds(&self) -> bool {
        matches!(self, Verdict::Holds(_))
    }

    /// How the model is violated, if it is.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Verdict::Violated(counterexample) => Some(counterexample.kind),
            Verdict::Holds(_) | Verdict::Unknown(_) => None,
        }
    }
}

/// Why there is no decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The reason, in words.
    pub reason: String,
    /// How many steps of search were spent.
    pub spent: u64,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} steps spent)", self.reason, self.spent)
    }
}

/// How much a checker may search: a count, not a time, so that the same
/// history always gets the same verdict.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// How many steps of search, each well below a microsecond: a quarter of
    /// the operations for each choice of sources (models of the grid), about
    /// one for each configuration (linearizability).
    pub steps: u64,
    /// How many such steps may be spent on making a counterexample minimal.
    /// With none it is reported as it was found.
    pub minimise: u64,
    /// Ends the search early once it returns true: what is not decided by then
    /// is unknown. Set only by callers with a deadline, because the verdict may
    /// then depend on time.
    pub stop: Option<fn() -> bool>,
}

impl Budget {
    /// So many steps, and a fortieth of them for making counterexamples
    /// minimal.
    pub const fn of(steps: u64) -> Budget {
        Budget { steps, minimise: steps / 40, stop: None }
    }

    /// The budget for making a counterexample minimal.
    pub(crate) fn to_minimise(self) -> Budget {
        Budget { steps: self.minimise, ..self }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Budget::of(4_000_000)
    }
}

/// Evidence that a history is allowed. Operations are named by their position
/// in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Witness {
    /// A visibility and its arbitrations, for a model of the grid.
    Abstract {
        /// For each operation of the history: the writes visible to it. Empty
        /// for whatever is not an answered read.
        visible: Vec<Vec<usize>>,
        /// Total orders of the writes that happened, oldest first. They all
        /// order the same writes: every acknowledged one, and those of unknown
        /// outcome that are taken to have happened. One order for scope
        /// [`Global`](crate::judgement::Scope::Global); for
        /// [`Session`](crate::judgement::Scope::Session) one for each process of the
        /// history, in ascending order; for [`Read`](crate::judgement::Scope::Read) one
        /// for each answered read, in order of position.
        arbitration: Vec<Vec<usize>>,
    },
    /// The same for long histories, with the visibility left out: it is the
    /// least that the axioms allow. The arbitrations are one for all reads, or
    /// one for each process that matters (ascending), or none if each read may
    /// have its own: then any that the axioms allow will do.
    Least(Vec<Vec<usize>>),
    /// One order of the operations of the whole history (all keys together):
    /// every acknowledged write, every answered read, and the writes of
    /// unknown outcome that are taken to have happened.
    ///
    /// For a model whose reads see prefixes of the writes, every read comes
    /// right after the prefix that it sees.
    Linear(Vec<usize>),
    /// Several orders, for a model in which each process or key has its own:
    /// for PRAM, causal memory and processor consistency one for each process
    /// that matters, ascending; for slow memory one for each such process and
    /// key; for cache consistency one for each key, in any order.
    Views(Vec<Vec<usize>>),
    /// An order of the writes that happened, for regular and safe registers.
    /// For weakly regular ones each read may place its source later.
    Writes(Vec<usize>),
}

/// Evidence that a history is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// How the model is violated: the first kind that applies. Where values
    /// repeat and the budget ended before an earlier kind was decided, it is
    /// the kind that was proved.
    pub kind: Kind,
    /// The positions (ascending) of a part of the history that is violated in
    /// the same way. It contains whatever could have written what one of its
    /// reads answered, so that no operation outside it can explain an answer.
    pub operations: Vec<usize>,
    /// Whether the part is known to be minimal: no operation can be removed
    /// (a write together with the reads that it could have answered) without
    /// losing the violation. `false` only if the budget ended before.
    pub minimal: bool,
    /// Where the part is about some parts of objects only (some elements of a set): what is
    /// left of each answer that tells of others besides, by position. What it tells of
    /// parts that are not updated in the part, and are elsewhere, does not count.
    pub restricted: Vec<(usize, Value)>,
    /// The proof.
    pub reason: Reason,
}

impl Counterexample {
    /// The operations of the part, with what is left of their answers: a history that
    /// fails in the same way.
    ///
    /// # Panics
    /// If the counterexample is not about this history.
    pub fn of(&self, history: &History) -> History {
        let mut all = history.restricted_to(&self.operations).operations().to_vec();
        for (at, answer) in &self.restricted {
            let place = self.operations.binary_search(at).expect("it is in the part");
            all[place].completion = Completion::Ok(answer.clone());
        }
        History::of(all).expect("only answers differ")
    }
}
