//! The oracle: it tries everything, straight from the predicates.
//!
//! It tries every *fate* (every choice of which writes of unknown outcome
//! happened) and, for a model of the grid, every visibility and every
//! arbitration; for the other models every order of the operations that their
//! predicate asks for. It shares no code with the checkers and uses no theorem:
//! not that a least visibility exists, not that an answer has a source, not
//! that keys are independent. It is simple enough to be trusted: tests compare
//! the checkers with it on histories of a few operations, and
//! [`recheck`](super::recheck) asks it whether a minimal part really has no
//! explanation.
//!
//! O(2^(w·r) · w!) for w writes and r reads in the grid; O(n · 2ⁿ) positions
//! for an order of n operations.

mod grid;
mod orders;
mod search;

use crate::history::{Completion, History, Operation, Value};
use crate::judgement::number::number_of;

use super::datatype::{self, Datatype, Register, Undone};
use super::model::{Kind, Model, implies};

/// How many steps a search for orders may take. A position takes as many as
/// there are operations.
const STEPS_MAX: u64 = 2_000_000;

/// Larger parts are not judged, because that would take too long.
const OPERATIONS_MAX: usize = 64;

/// Whether a history is allowed, and if not, how it fails.
///
/// # Errors
/// The kind of the violation.
///
/// # Panics
/// If there are more than 16 pairs of a write and a read, or more than 8
/// operations, because that would take too long.
pub fn judge(history: &History, model: Model) -> Result<(), Kind> {
    assert!(history.len() <= 8, "trying everything takes too long");
    judge_with(history, model, datatype::of(history).unwrap_or(&Register))
}

/// As [`judge`], for a datatype of your own.
///
/// # Errors
/// As [`judge`].
///
/// # Panics
/// As [`judge`].
pub fn judge_with(history: &History, model: Model, datatype: &dyn Datatype) -> Result<(), Kind> {
    let whole: Vec<usize> = (0..history.len()).collect();
    let allowed = |model| {
        explained(history, &whole, model, datatype).expect("trying everything takes too long")
    };
    if allowed(model) {
        return Ok(());
    }
    let seen = matches!(model, Model::Grid(_) | Model::EventualRealTime);
    let grid = seen && datatype.is_replicated();
    // Only a violation of a model that implies base can be illegal.
    if !(implies(model, Model::BASE, false) && datatype.name() == "register" || grid) {
        return Err(Kind::Unexplained);
    }
    if !allowed(Model::BASE) {
        return Err(Kind::Illegal);
    }
    if model == Model::EVENTUAL {
        return Err(if grid { kind_of(history, datatype) } else { kind(history) });
    }
    Err(Kind::Unexplained)
}

/// The least k for which a history is k-atomic; `None` if there is none.
///
/// # Panics
/// As [`judge`].
pub fn least_k(history: &History) -> Option<u32> {
    let most = number_of(history.len()) + 1;
    (1..=most).find(|k| judge(history, Model::KAtomic(*k)).is_ok())
}

/// The least Δ for which a history is Δ-atomic; `None` if there is none.
///
/// # Panics
/// As [`judge`].
pub fn least_delta(history: &History) -> Option<u64> {
    let times = history.operations().iter().map(|op| op.invoked.max(op.returned.unwrap_or(0)));
    (0..=times.max().unwrap_or(0) + 1)
        .find(|delta| judge(history, Model::DeltaAtomic(*delta)).is_ok())
}

/// Whether the operations of a history at these positions are allowed; `None`
/// if it takes too long to tell. Quiet instants and overlaps are those of the
/// whole history.
///
/// # Panics
/// For models of the grid, if there are more than 16 pairs of a write and a read.
pub(super) fn explained(
    history: &History,
    part: &[usize],
    model: Model,
    datatype: &dyn Datatype,
) -> Option<bool> {
    if part.len() > OPERATIONS_MAX {
        return None;
    }
    let mut steps = STEPS_MAX;
    let mut undecided = false;
    let undone = Undone::of(history.operations(), datatype);
    for fate in fates(history, part, datatype) {
        let allowed = match (model, model.orders()) {
            (Model::EventualRealTime, _) if datatype.is_replicated() => {
                grid::allowed_in_time(&fate, datatype, &undone)
            }
            (_, Some(asked)) => orders::allowed(history, part, &fate, &asked, datatype, &mut steps),
            (Model::Grid(grid), None) => grid::allowed(&fate, grid, datatype, &undone),
            (_, None) => unreachable!("a model asks for a visibility or for orders"),
        };
        match allowed {
            Some(true) => return Some(true),
            Some(false) => {}
            None => undecided = true,
        }
    }
    (!undecided).then_some(false)
}

/// As [`kind`], for other types than registers: a violation is a loss if reads at
/// quiescence are explained once they need not see what takes nothing back.
fn kind_of(history: &History, datatype: &dyn Datatype) -> Kind {
    let operations = history.operations();
    let answer = |op: &Operation| match &op.completion {
        Completion::Ok(answer) if op.final_read && datatype.answers(&op.call, Some(answer)) => {
            Some(datatype.normal(&op.call, answer))
        }
        _ => None,
    };
    for a in operations {
        for b in operations.iter().filter(|b| b.call.key == a.call.key) {
            if let (Some(one), Some(other)) = (answer(a), answer(b))
                && one != other
            {
                return Kind::Diverged;
            }
        }
    }
    let whole: Vec<usize> = (0..history.len()).collect();
    let Model::Grid(eventual) = Model::EVENTUAL else { unreachable!("it is in the grid") };
    let excused = |op: &Operation| !datatype.undoes(&op.call);
    let undone = Undone::of(operations, datatype);
    let explained = fates(history, &whole, datatype)
        .iter()
        .any(|fate| grid::allowed_but(fate, eventual, datatype, &undone, &excused) == Some(true));
    if explained { Kind::Lost } else { Kind::Resurrected }
}

/// The first of the kinds of eventual consistency that applies, given base.
fn kind(history: &History) -> Kind {
    let operations = history.operations();
    let finals: Vec<_> =
        operations.iter().filter(|op| op.final_read && op.answer().is_some()).collect();
    for a in &finals {
        for b in &finals {
            if a.call.key == b.call.key && a.answer() != b.answer() {
                return Kind::Diverged;
            }
        }
    }
    for read in finals.iter().filter(|read| read.answer() == Some(&Value::Null)) {
        for other in operations.iter().filter(|op| op.call.key == read.call.key) {
            let acked = other.call.is_write() && matches!(other.completion, Completion::Ok(_));
            if acked || other.answer().is_some_and(|value| *value != Value::Null) {
                return Kind::Lost;
            }
        }
    }
    Kind::Unexplained
}

type Fated<'a> = Vec<&'a Operation>;

/// Every fate: all that was answered, and any of the pending changes.
fn fates<'a>(history: &'a History, part: &[usize], datatype: &dyn Datatype) -> Vec<Fated<'a>> {
    let mut fates: Vec<Fated> = vec![Vec::new()];
    for operation in part.iter().map(|&at| &history.operations()[at]) {
        match operation.completion {
            Completion::Fail => {}
            Completion::Ok(_) => fates.iter_mut().for_each(|fate| fate.push(operation)),
            Completion::Info if !datatype.only_reads(&operation.call, None) => {
                for at in 0..fates.len() {
                    let mut happened = fates[at].clone();
                    happened.push(operation);
                    fates.push(happened);
                }
            }
            Completion::Info => {}
        }
    }
    fates
}

/// Calls `each` with every order of `list[fixed..]` after `list[..fixed]`.
fn permutations(list: &mut Vec<usize>, fixed: usize, each: &mut dyn FnMut(&[usize])) {
    if fixed == list.len() {
        each(list);
    }
    for at in fixed..list.len() {
        list.swap(fixed, at);
        permutations(list, fixed + 1, each);
        list.swap(fixed, at);
    }
}
