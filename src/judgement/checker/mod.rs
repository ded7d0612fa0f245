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
mod cycle;
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
mod unfounded;
mod vectors;
pub(super) mod view;
mod views;
mod zones;

use std::cell::OnceCell;

use crate::history::{Completion, Function, History, Operation, Value};

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
    Judge::of(history).check(model, budget)
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
    Judge::with(history, datatype).check(model, budget)
}

/// A history, prepared once to be judged by several models.
///
/// ```
/// use quiescence::history::notation;
/// use quiescence::judgement::{Budget, Judge, Model};
///
/// let history = notation::parse("wx1|rx1 rx0 @ 001111")?;
/// let judge = Judge::of(&history);
/// assert!(judge.check(Model::READ_YOUR_WRITES, Budget::default()).holds());
/// assert!(!judge.check(Model::MONOTONIC_READS, Budget::default()).holds());
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub struct Judge<'a> {
    /// The history, or the operation that no datatype knows.
    whole: Result<Whole<'a>, &'a Operation>,
}

impl<'a> Judge<'a> {
    /// Tells what the operations mean. O(n).
    pub fn of(history: &'a History) -> Judge<'a> {
        Judge { whole: datatype::of(history).map(|datatype| Whole::of(history, datatype)) }
    }

    /// Operations mean what this datatype says. O(n).
    pub fn with(history: &'a History, datatype: &'a dyn Datatype) -> Judge<'a> {
        Judge { whole: Ok(Whole::of(history, datatype)) }
    }

    /// The datatype of what is judged, if one knows all of it.
    pub fn datatype(&self) -> Option<&'static str> {
        self.whole.as_ref().ok().map(|whole| whole.datatype.name())
    }

    /// Whether some answer could be wrong, or is not understood: with none
    /// nothing can be checked.
    pub fn says_anything(&self) -> bool {
        let Ok(whole) = &self.whole else { return true };
        let answered = |op: &&Operation| matches!(op.completion, Completion::Ok(_));
        let mut answered = whole.history.operations().iter().filter(answered);
        answered.any(|op| whole.datatype.answers(&op.call))
    }

    /// Why the fast roads are closed to this history, and what they decide is
    /// searched within the budget; `None` if they are open.
    pub fn searched(&self) -> Option<&'static str> {
        let whole = self.whole.as_ref().ok()?;
        if !whole.plain {
            return Some("there are other operations than reads and writes of registers");
        }
        if !whole.view().has_known_sources() {
            return Some("some value that was read was written more than once");
        }
        let local = linearizable::is_local(whole.history);
        (!local)
            .then_some("a process begins an operation at the instant at which its last one ends")
    }

    /// Judges as [`check`] does.
    pub fn check(&self, model: Model, budget: Budget) -> Verdict {
        let unknown = |reason| Verdict::Unknown(Unknown { reason, spent: 0 });
        let whole = match &self.whole {
            Ok(whole) => whole,
            Err(stranger) => return unknown(not_understood(stranger)),
        };
        match model {
            Model::Linearizable | Model::Sequential | Model::Cache => {}
            _ if !whole.plain => {
                return unknown(format!(
                    "{model} is about registers that are only read and written"
                ));
            }
            Model::Grid(grid) => return grid::check(whole.history, whole.view(), grid, budget),
            _ => {}
        }
        whole.check(model, budget)
    }
}

/// All that is judged together: a history, or a part of one.
struct Whole<'a> {
    history: &'a History,
    datatype: &'a dyn Datatype,
    /// Whether these are registers that are only read and written.
    plain: bool,
    /// Its numbers, once somebody asks for them.
    view: OnceCell<View>,
}

impl<'a> Whole<'a> {
    fn of(history: &'a History, datatype: &'a dyn Datatype) -> Whole<'a> {
        let plain = datatype.name() == "register" && is_plain(history);
        Whole { history, datatype, plain, view: OnceCell::new() }
    }

    fn view(&self) -> &View {
        self.view.get_or_init(|| View::of(self.history))
    }

    /// Judges by a model beside the grid.
    fn check(&self, model: Model, budget: Budget) -> Verdict {
        let mut meter = Meter::new(budget);
        let unfounded = match !self.plain && self.datatype.name() == "register" {
            true => unfounded::unfounded(self.history),
            false => None,
        };
        let decision = match (model, unfounded) {
            (_, Some(illegal)) if implies(model, Model::BASE, false) => {
                return Verdict::Violated(illegal);
            }
            (_, Some(illegal)) => Decision::Fails(illegal.operations),
            (Model::Quiescent, None) => {
                quiescent::decide(self.history, &(0..self.history.len()).collect::<Vec<_>>())
            }
            _ => self.decide(model, &|_| false, &mut meter),
        };
        match decision {
            Decision::Holds(witness) => Verdict::Holds(witness),
            Decision::Unknown(reason) => {
                Verdict::Unknown(Unknown { reason: reason.to_owned(), spent: meter.spent() })
            }
            Decision::Fails(part) => {
                let causal = self.plain && implies(model, Model::BASE, false);
                if causal && let Some(illegal) = grid::illegal(self.history, self.view(), budget) {
                    return Verdict::Violated(illegal);
                }
                Verdict::Violated(minimal(self, part, model, budget))
            }
        }
    }

    /// Decides by a model beside the grid; for *safe* some reads (by position)
    /// may be excused.
    fn decide(&self, model: Model, excused: &dyn Fn(usize) -> bool, meter: &mut Meter) -> Decision {
        match model {
            Model::Linearizable => linearizable::decide(self, meter),
            Model::Sequential => sequential::decide(self, meter),
            Model::Cache => sequential::cache(self, meter),
            Model::PrefixMonotonic => sequential::prefix_monotonic(self, meter),
            Model::CausalMemory => views::decide(self.view(), Belief::CausalMemory, meter),
            Model::Pram => views::decide(self.view(), Belief::Pram, meter),
            Model::Slow => views::decide(self.view(), Belief::Slow, meter),
            Model::Processor => processor::decide(self.view(), meter),
            Model::Prefix => prefix::decide(self, false, meter),
            Model::PrefixRealTime => prefix::decide(self, true, meter),
            Model::Regular => regular::decide(self, Strength::Regular, excused, meter),
            Model::RegularWeak => regular::decide(self, Strength::Weak, excused, meter),
            Model::Safe => regular::decide(self, Strength::Safe, excused, meter),
            Model::KAtomic(k) => k_atomic::decide(self, k, meter),
            Model::DeltaAtomic(delta) => delta_atomic::decide(self, delta, meter),
            Model::Grid(_) | Model::Quiescent => unreachable!("these have entrances of their own"),
        }
    }

    /// Decides for the operations at these positions.
    fn decide_part(&self, part: &[usize], model: Model, meter: &mut Meter) -> Decision {
        if model == Model::Quiescent {
            return quiescent::decide(self.history, part);
        }
        if part.len() == self.history.len() {
            return self.decide(model, &|_| false, meter);
        }
        let overlapped = match model {
            Model::Safe => regular::overlapped(self),
            _ => Vec::new(),
        };
        let excused = |at: usize| overlapped.binary_search(&part[at]).is_ok();
        let restricted = self.history.restricted_to(part);
        match Whole::of(&restricted, self.datatype).decide(model, &excused, meter) {
            Decision::Fails(inner) => Decision::Fails(inner.iter().map(|&at| part[at]).collect()),
            other => other,
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

/// A minimal part of a violated part that is violated too.
fn minimal(whole: &Whole<'_>, part: Vec<usize>, model: Model, budget: Budget) -> Counterexample {
    let part = match whole.plain {
        true => whole.view().closed(whole.history, &part),
        false => minimise::closed(whole.history, &part, whole.datatype),
    };
    let sources = minimise::Sources::within(whole.history, &part, whole.datatype);
    let mut meter = Meter::new(budget.to_minimise());
    let (operations, minimal) = minimise::minimise(&sources, part, |part| {
        match whole.decide_part(part, model, &mut meter) {
            Decision::Fails(_) => Some(true),
            Decision::Holds(_) => Some(false),
            Decision::Unknown(_) => None,
        }
    });
    let reason = match whole.datatype.name() {
        "register" => cycle::reason(whole.history, &operations, model),
        _ => None,
    };
    let reason = reason.unwrap_or(Reason::NoOrder { model });
    Counterexample { kind: Kind::Unexplained, operations, minimal, reason }
}

/// Whether nothing is asked of registers but reads and writes.
fn is_plain(history: &History) -> bool {
    history
        .operations()
        .iter()
        .all(|op| op.completion == Completion::Fail || !matches!(op.call.f, Function::Other(_)))
}

/// Why a history is not judged in which this operation stands.
fn not_understood(stranger: &Operation) -> String {
    let call = &stranger.call;
    let answer = match &stranger.completion {
        Completion::Ok(answer) => answer,
        _ => &Value::Null,
    };
    let transaction = [&call.argument, answer].into_iter().find(|value| value.is_transaction());
    match transaction {
        Some(list) => format!(
            "`{}` of {} is a transaction, a list of micro-operations: {list}; only operations on \
             one object are judged",
            call.f.as_str(),
            call.key
        ),
        None => format!("no datatype here knows `{call}` beside what came before"),
    }
}

/// What is left of a budget.
#[derive(Debug)]
struct Meter {
    given: u64,
    left: u64,
    stop: Option<fn() -> bool>,
}

impl Meter {
    fn new(budget: Budget) -> Self {
        Meter { given: budget.steps, left: budget.steps, stop: budget.stop }
    }

    /// Takes `steps`; false if there are not as many left.
    fn spend(&mut self, steps: u64) -> bool {
        let enough = steps <= self.left && !self.is_stopped();
        self.left = self.left.saturating_sub(steps);
        enough
    }

    /// As much of what is left.
    fn part(&self, steps: u64) -> Meter {
        Meter::new(Budget { steps: steps.min(self.left), minimise: 0, stop: self.stop })
    }

    fn is_empty(&self) -> bool {
        self.left == 0 || self.is_stopped()
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop())
    }

    fn spent(&self) -> u64 {
        self.given - self.left
    }
}
