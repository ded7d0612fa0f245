//! Parts of objects that a counterexample is about: the elements of a set, the values in
//! a queue.

use std::collections::BTreeSet;

use super::unsound::{Replayed, Unsound};
use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::datatype::{About, Datatype};
use crate::judgement::verdict::evidence::Counterexample;

/// How objects are divided into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Divided {
    /// As [`Datatype::part`] says, for models of visibility.
    ByUpdates,
    /// As [`Datatype::about`] says, for models of orders.
    ByOperations,
}

impl Divided {
    /// The part of its object that an operation updates, if it does and happened.
    fn updated(self, operation: &Operation, datatype: &dyn Datatype) -> Option<Value> {
        let update = Some(operation).filter(|op| updates(op, datatype))?;
        match self {
            Divided::ByUpdates => Some(datatype.part(&update.call)),
            Divided::ByOperations => match about(update, datatype) {
                About::Part(part) => Some(part),
                _ => None,
            },
        }
    }

    /// Whether what it answers can be restricted to parts.
    fn tells(self, operation: &Operation, datatype: &dyn Datatype) -> bool {
        answered(operation, datatype)
            && (self == Divided::ByUpdates || about(operation, datatype) == About::Parts)
    }
}

fn about(operation: &Operation, datatype: &dyn Datatype) -> About {
    datatype.about(&operation.call, operation.result())
}

/// Whether an operation changes its object, if it happened.
pub(super) fn updates(operation: &Operation, datatype: &dyn Datatype) -> bool {
    let answer = match &operation.completion {
        Completion::Ok(answer) => Some(answer),
        Completion::Info => None,
        Completion::Fail => return false,
    };
    !datatype.only_reads(&operation.call, answer)
}

pub(super) fn answered(operation: &Operation, datatype: &dyn Datatype) -> bool {
    match &operation.completion {
        Completion::Ok(answer) => datatype.answers(&operation.call, Some(answer)),
        Completion::Info | Completion::Fail => false,
    }
}

/// The history with what the answers at these positions say about parts of objects of
/// which no update is among them taken out, unless nobody updates these parts: what is
/// left to explain is less.
///
/// # Errors
/// If the counterexample says that something else is left.
pub(super) fn restricted(
    operations: &[Operation],
    claim: &Counterexample,
    datatype: &dyn Datatype,
    divided: Divided,
) -> Result<History, Unsound> {
    let part = &claim.operations;
    let parts = |at: usize| {
        let operation = &operations[at];
        Some((&operation.call.key, divided.updated(operation, datatype)?))
    };
    let everywhere: BTreeSet<(&Key, Value)> = (0..operations.len()).filter_map(parts).collect();
    let here: BTreeSet<(&Key, Value)> = part.iter().copied().filter_map(parts).collect();
    let mut all = operations.to_vec();
    for &at in part {
        let operation = &mut all[at];
        if let Completion::Ok(answer) = &operation.completion
            && divided.tells(operation, datatype)
        {
            let key = &operation.call.key;
            let counts = |part: &Value| {
                let of = (key, part.clone());
                here.contains(&of) || !everywhere.contains(&of)
            };
            let answer = datatype.answer_about(&operation.call, answer, &counts);
            let asked = divided == Divided::ByOperations
                || datatype.asks(&operation.call).is_none_or(|part| counts(&part));
            let completion = if asked { Completion::Ok(answer) } else { Completion::Fail };
            operation.completion = completion;
        }
    }
    let changed = |at: &&usize| all[**at].completion != operations[**at].completion;
    let left = part.iter().filter(changed);
    let left = left.filter_map(|at| Some((*at, all[*at].result()?.clone())));
    if !left.eq(claim.restricted.iter().cloned()) {
        return Unsound::because("something else is left of what was answered");
    }
    Ok(History::of(all).expect("only answers differ"))
}

/// That nothing outside a part could explain one of its answers: of each part of
/// an object it has all updates, or none.
pub(super) fn lacks_nothing(
    operations: &[Operation],
    part: &[usize],
    datatype: &dyn Datatype,
) -> Replayed {
    let inside = |at: usize| part.binary_search(&at).is_ok();
    let about = |at: usize| (&operations[at].call.key, datatype.part(&operations[at].call));
    let all = || (0..operations.len()).filter(|&at| updates(&operations[at], datatype));
    let known: BTreeSet<_> = all().filter(|&at| inside(at)).map(about).collect();
    match all().find(|&at| !inside(at) && known.contains(&about(at))) {
        Some(at) => missing(at),
        None => Ok(()),
    }
}

/// The same for an order of operations, where only what was invoked by `until` counts. What
/// may be about any part of an object must be there if anything about that object is.
pub(super) fn lacks_no_operation(
    operations: &[Operation],
    part: &[usize],
    datatype: &dyn Datatype,
    until: u64,
) -> Replayed {
    let happened = |at: &usize| operations[*at].completion != Completion::Fail;
    let mut known: BTreeSet<(&Key, Option<Value>)> = BTreeSet::new();
    for at in part.iter().copied().filter(happened) {
        let key = &operations[at].call.key;
        match about(&operations[at], datatype) {
            About::Part(part) => known.extend([(key, Some(part)), (key, None)]),
            About::Parts | About::Unknown => known.extend([(key, None)]),
            About::Object => {}
        }
    }
    let outside = (0..operations.len()).filter(happened).filter(|at| {
        operations[*at].invoked <= until
            && updates(&operations[*at], datatype)
            && part.binary_search(at).is_err()
    });
    for at in outside {
        let key = &operations[at].call.key;
        let of = match about(&operations[at], datatype) {
            About::Part(part) => (key, Some(part)),
            About::Unknown => (key, None),
            About::Parts | About::Object => continue,
        };
        if known.contains(&of) {
            return missing(at);
        }
    }
    Ok(())
}

fn missing(at: usize) -> Replayed {
    Unsound::because(format!("operation {at} could explain an answer, the part lacks it"))
}
