//! The entry point: a history, prepared once to be judged by several models.

use super::contexts;
use super::decide::is_for_every_datatype;
use super::grid;
use super::opaque;
use super::orders::keys::has_distinct_values;
use super::time::is_local;
use super::view::View;
use super::whole::Whole;
use crate::history::{Completion, History, Operation, Value};
use crate::judgement::datatype::{self, Datatype, Opaque};
use crate::judgement::model::Model;
use crate::judgement::verdict::{Budget, Unknown, Verdict};

/// Whether `history` is allowed by `model`, with evidence.
///
/// Operations of unknown outcome may or may not have happened; failed ones did
/// not, and an answer that only they explain is illegal. Where a model
/// constrains reads at quiescence and the history has none, that part holds
/// trivially. The first [datatype](datatype::ALL) that knows all operations
/// defines what they mean; models of visibility are about registers.
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
    /// The history, or the operation that is not known.
    pub(in crate::judgement::checker) whole: Result<Whole<'a>, Stranger<'a>>,
}

/// An operation that is not known, and the datatype that does not know it; none if no
/// datatype does.
#[derive(Clone, Copy)]
pub(in crate::judgement::checker) struct Stranger<'a> {
    operation: &'a Operation,
    to: Option<&'static str>,
}

impl<'a> Judge<'a> {
    /// Prepares a history, with the first datatype that knows all its
    /// operations. O(n).
    pub fn of(history: &'a History) -> Judge<'a> {
        let whole = datatype::of(history).map(|datatype| Whole::of(history, datatype));
        Judge { whole: whole.map_err(|operation| Stranger { operation, to: None }) }
    }

    /// Prepares a history whose operations mean what `datatype` says. If it does not
    /// know one of them, every verdict is unknown. O(n).
    pub fn with(history: &'a History, datatype: &'a dyn Datatype) -> Judge<'a> {
        let stranger = datatype::stranger(history, datatype, false);
        Judge {
            whole: match stranger.map(|at| &history.operations()[at]) {
                Some(operation) => Err(Stranger { operation, to: Some(datatype.name()) }),
                None => Ok(Whole::of(history, datatype)),
            },
        }
    }

    /// The name of the datatype of the history, if one knows all its
    /// operations.
    pub fn datatype(&self) -> Option<&'static str> {
        self.whole.as_ref().ok().map(|whole| whole.datatype.name())
    }

    /// The history, if a datatype knows all its operations.
    pub(in crate::judgement) fn history(&self) -> Option<&'a History> {
        self.whole.as_ref().ok().map(|whole| whole.history)
    }

    /// The history as numbers, if it is of registers that are only read and written.
    pub(in crate::judgement) fn registers(&self) -> Option<&View> {
        self.whole.as_ref().ok().filter(|whole| whole.plain).map(Whole::view)
    }

    /// Whether there is anything to check: an answer that could be wrong, or an
    /// operation that no datatype knows.
    pub fn says_anything(&self) -> bool {
        let Ok(whole) = &self.whole else { return true };
        let opaque = whole.datatype.name() == Opaque.name();
        let counts = |op: &Operation| op.final_read || !opaque;
        let mut all = whole.history.operations().iter();
        all.any(|op| counts(op) && datatype::answered(op, whole.datatype))
    }

    /// Why the fast procedures do not apply to this history, so that what they
    /// decide is searched within the budget; `None` if they apply.
    pub fn searched(&self) -> Option<&'static str> {
        let whole = self.whole.as_ref().ok()?;
        let local = is_local(whole.history);
        let plain = whole.plain || (local && has_distinct_values(whole.history, whole.datatype));
        if !plain {
            return Some("there are other operations than reads and writes of registers");
        }
        if whole.plain && !whole.view().has_known_sources() {
            return Some("some value that was read was written more than once");
        }
        (!local)
            .then_some("a process begins an operation at the instant at which its last one ends")
    }

    /// Whether the model says anything about the datatype of the history. If not, it is
    /// unknown, whatever the budget. An operation that no datatype knows is unknown too,
    /// but for that reason.
    pub fn covers(&self, model: Model) -> bool {
        let Ok(whole) = &self.whole else { return true };
        let any = is_for_every_datatype(model);
        let seen = contexts::Visibility::of(model).is_some() && whole.datatype.is_replicated();
        whole.plain || any || seen || whole.datatype.name() == Opaque.name()
    }

    /// Judges as [`check`] does.
    pub fn check(&self, model: Model, budget: Budget) -> Verdict {
        let unknown = |reason| Verdict::Unknown(Unknown { reason, spent: 0 });
        let whole = match &self.whole {
            Ok(whole) => whole,
            Err(stranger) => return unknown(not_understood(*stranger)),
        };
        if whole.datatype.name() == Opaque.name() {
            return opaque::check(whole.history, model);
        }
        if let Some(asked) = contexts::Visibility::of(model)
            && whole.datatype.is_replicated()
        {
            return contexts::check(whole.history, whole.datatype, asked, budget);
        }
        if !self.covers(model) {
            return unknown(whole.not_covered(model));
        }
        let asked = model.orders();
        match (model, asked) {
            (_, Some(asked)) => whole.check(model, &asked, budget),
            (Model::Grid(grid), None) => grid::check(whole.history, whole.view(), grid, budget),
            (_, None) => unreachable!("a model asks for a visibility or for orders"),
        }
    }
}

/// Why a history is not judged that contains this operation.
fn not_understood(stranger: Stranger<'_>) -> String {
    let call = &stranger.operation.call;
    let answer = match &stranger.operation.completion {
        Completion::Ok(answer) => answer,
        _ => &Value::Null,
    };
    let transaction = [&call.argument, answer].into_iter().find(|value| value.is_transaction());
    match (transaction, stranger.to) {
        (Some(list), _) => format!(
            "`{}` of {} is a transaction, a list of micro-operations: {list}; only operations on \
             one object are judged, or transactions on one multi-register (--datatype \
             multi-register)",
            call.f.as_str(),
            call.key
        ),
        (None, None) => format!("no datatype here knows `{call}` beside what came before"),
        (None, Some(datatype)) => {
            format!("`{call}`, answered {answer}, is no operation of the datatype `{datatype}`")
        }
    }
}
