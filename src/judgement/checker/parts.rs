//! Histories in which answers tell only of some parts of objects: of the elements of a set
//! that a part of the history adds or removes.

use rustc_hash::FxHashSet;

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::datatype::{self, About, Datatype};

/// How objects are divided into parts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Divided {
    /// As [`Datatype::part`] says, for models of visibility.
    ByUpdates,
    /// As [`Datatype::about`] says, for models of orders.
    ByOperations,
}

impl Divided {
    /// The part of its object that an operation updates, if it may have happened.
    fn updated(self, operation: &Operation, datatype: &dyn Datatype) -> Option<(Key, Value)> {
        if operation.completion == Completion::Fail || !datatype::updates(operation, datatype) {
            return None;
        }
        let call = &operation.call;
        let part = match (self, datatype.about(call, operation.result())) {
            (Divided::ByUpdates, _) => datatype.part(call),
            (Divided::ByOperations, About::Part(part)) => part,
            (Divided::ByOperations, _) => return None,
        };
        Some((call.key.clone(), part))
    }

    fn tells(self, operation: &Operation, datatype: &dyn Datatype) -> bool {
        let about = || datatype.about(&operation.call, operation.result());
        datatype::answered(operation, datatype)
            && (self == Divided::ByUpdates || about() == About::Parts)
    }
}

/// The parts of objects that are updated anywhere in a history, if not by what failed.
pub(super) fn known(
    history: &History,
    datatype: &dyn Datatype,
    divided: Divided,
) -> FxHashSet<(Key, Value)> {
    history.operations().iter().filter_map(|op| divided.updated(op, datatype)).collect()
}

/// What is left of the answers at these positions, where they say something of parts of
/// objects that only operations elsewhere update; `known` are those that are updated
/// anywhere.
pub(super) fn answers(
    history: &History,
    part: &[usize],
    (datatype, divided): (&dyn Datatype, Divided),
    known: &dyn Fn(&(Key, Value)) -> bool,
) -> Vec<(usize, Value)> {
    let operations = history.operations();
    let mut tell = part.iter().filter(|at| divided.tells(&operations[**at], datatype)).peekable();
    if tell.peek().is_none() {
        return Vec::new();
    }
    let of = |at: usize| divided.updated(&operations[at], datatype);
    let here: FxHashSet<(Key, Value)> = part.iter().filter_map(|at| of(*at)).collect();
    let mut restricted = Vec::new();
    for &at in tell {
        let Operation { call, completion: Completion::Ok(answer), .. } = &operations[at] else {
            continue;
        };
        let counts = |part: &Value| {
            let of = (call.key.clone(), part.clone());
            here.contains(&of) || !known(&of)
        };
        let left = datatype.answer_about(call, answer, &counts);
        if left != *answer {
            restricted.push((at, left));
        }
    }
    restricted
}
