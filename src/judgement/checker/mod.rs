//! The decision procedures, one per file, and the dumb oracle they are
//! measured against.
//!
//! Invariant: every verdict carries evidence, and the same history with the
//! same budget gets the same verdict and the same evidence. A checker sees a
//! [`History`] and nothing else: it does not know how it was made.
//!
//! Read next: `grid` for the 96 models of the grid, `zones` and `search` for
//! orders in real time, and [`oracle`](super::oracle) for what all of them are
//! compared with.

mod closure;
mod delta_atomic;
mod derive;
mod eventual;
mod graph;
mod grid;
mod k_atomic;
mod linearizable;
mod minimise;
mod prefix;
mod processor;
mod quiescent;
mod regular;
mod search;
mod sequential;
mod sources;
mod survey;
mod two_atomic;
mod vectors;
mod view;
mod views;
mod zones;

use crate::history::{Completion, Function, History};

use super::datatype::{self, Datatype};
use super::model::{Model, implies};
use super::verdict::{Budget, Counterexample, Kind, Reason, Unknown, Verdict, Witness};
pub use survey::{Entry, Leasts, Survey, least};

use regular::Strength;
use view::View;
use views::Belief;

/// Whether `history` is allowed by `model`, with evidence.
///
/// Operations of unknown outcome may or may not have happened; failed ones
/// did not, and an answer that only they explain is illegal. Where a model
/// speaks of reads at quiescence and the history has none, that part is empty.
/// What operations mean is told by the first [datatype](datatype::ALL) that
/// knows them all; models of visibility are about registers.
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
    match datatype::of(history) {
        Ok(datatype) => check_with(history, model, datatype, budget),
        Err(call) => Verdict::Unknown(Unknown {
            reason: format!("no datatype here knows `{call}` beside what came before"),
            spent: 0,
        }),
    }
}

/// As [`check`], with a datatype of your own.
///
/// ```
/// use quiescence::history::notation;
/// use quiescence::judgement::datatype::Counter;
/// use quiescence::judgement::{Budget, Model, check_with};
///
/// let history = notation::parse("[inc]c=null rc=1 @ 0000")?;
/// assert!(check_with(&history, Model::Linearizable, &Counter, Budget::default()).holds());
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn check_with(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    budget: Budget,
) -> Verdict {
    let plain = datatype.name() == "register" && is_plain(history);
    match model {
        Model::Linearizable | Model::Sequential | Model::Cache => {}
        _ if !plain => {
            return Verdict::Unknown(Unknown {
                reason: format!("{model} is about registers that are only read and written"),
                spent: 0,
            });
        }
        Model::Grid(grid) => return grid::check(history, grid, budget),
        _ => {}
    }
    let all: Vec<usize> = (0..history.len()).collect();
    let mut meter = Meter::new(budget);
    match decide(history, &all, model, datatype, &mut meter) {
        Decision::Holds(witness) => Verdict::Holds(witness),
        Decision::Unknown(reason) => {
            Verdict::Unknown(Unknown { reason: reason.to_owned(), spent: meter.spent() })
        }
        Decision::Fails(part) => {
            let causal = plain && implies(model, Model::BASE, false);
            if causal && let Some(illegal) = grid::illegal(history, &View::of(history), budget) {
                return Verdict::Violated(illegal);
            }
            Verdict::Violated(minimal(history, part, model, datatype, budget))
        }
    }
}

/// What a checker found.
#[derive(Debug)]
enum Decision {
    Holds(Witness),
    /// It is violated; so is this part (by position), once closed.
    Fails(Vec<usize>),
    Unknown(&'static str),
}

impl Decision {
    fn unknown(reason: &'static str) -> Decision {
        Decision::Unknown(reason)
    }
}

/// Decides for the operations at these positions, by a model beside the grid.
/// The witness for a part names operations by their place in it.
fn decide(
    history: &History,
    part: &[usize],
    model: Model,
    datatype: &dyn Datatype,
    meter: &mut Meter,
) -> Decision {
    if model == Model::Quiescent {
        return quiescent::decide(history, part);
    }
    if part.len() == history.len() {
        return decide_whole(history, model, datatype, &|_| false, meter);
    }
    let overlapped = match model {
        Model::Safe => regular::overlapped(history),
        _ => Vec::new(),
    };
    let excused = |at: usize| overlapped.binary_search(&part[at]).is_ok();
    let restricted = history.restricted_to(part);
    match decide_whole(&restricted, model, datatype, &excused, meter) {
        Decision::Fails(inner) => Decision::Fails(inner.iter().map(|&at| part[at]).collect()),
        other => other,
    }
}

fn decide_whole(
    history: &History,
    model: Model,
    datatype: &dyn Datatype,
    excused: &dyn Fn(usize) -> bool,
    meter: &mut Meter,
) -> Decision {
    match model {
        Model::Linearizable => linearizable::decide(history, datatype, meter),
        Model::Sequential => sequential::decide(history, datatype, meter),
        Model::Cache => sequential::cache(history, datatype, meter),
        Model::PrefixMonotonic => sequential::prefix_monotonic(history, datatype, meter),
        Model::CausalMemory => views::decide(history, Belief::CausalMemory, meter),
        Model::Pram => views::decide(history, Belief::Pram, meter),
        Model::Slow => views::decide(history, Belief::Slow, meter),
        Model::Processor => processor::decide(history, meter),
        Model::Prefix => prefix::decide(history, false, meter),
        Model::PrefixRealTime => prefix::decide(history, true, meter),
        Model::Regular => regular::decide(history, Strength::Regular, &|_| false, meter),
        Model::RegularWeak => regular::decide(history, Strength::Weak, &|_| false, meter),
        Model::Safe => regular::decide(history, Strength::Safe, excused, meter),
        Model::KAtomic(k) => k_atomic::decide(history, k, meter),
        Model::DeltaAtomic(delta) => delta_atomic::decide(history, delta, meter),
        Model::Grid(_) | Model::Quiescent => unreachable!("these have entrances of their own"),
    }
}

/// A minimal part of a violated part that is violated too.
fn minimal(
    history: &History,
    part: Vec<usize>,
    model: Model,
    datatype: &dyn Datatype,
    budget: Budget,
) -> Counterexample {
    let sources = minimise::Sources::of(history, datatype);
    let mut meter = Meter::new(budget);
    let part = sources.closed(&part);
    let (operations, minimal) = minimise::minimise(&sources, part, |part| {
        match decide(history, part, model, datatype, &mut meter) {
            Decision::Fails(_) => Some(true),
            Decision::Holds(_) => Some(false),
            Decision::Unknown(_) => None,
        }
    });
    Counterexample {
        kind: Kind::Unexplained,
        operations,
        minimal,
        reason: Reason::NoOrder { model },
    }
}

/// Whether nothing is asked of registers but reads and writes.
fn is_plain(history: &History) -> bool {
    history
        .operations()
        .iter()
        .all(|op| op.completion == Completion::Fail || !matches!(op.call.f, Function::Other(_)))
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
