//! A register: read, write, and compare-and-set.

use crate::history::{Call, Completion, Function, History, Key, Menu, Operation, Value};

use super::{Arbitration, Context, Datatype, after_read};

/// Holds one value, `null` at first.
///
/// `read` answers it, `write` replaces it, `cas` with `[from, to]` replaces
/// `from` by `to`. A `cas` that answers the text `mismatch` found another value
/// than `from`; one that failed without that answer proves nothing.
#[derive(Clone, Copy, Debug)]
pub struct Register;

/// The answer of a compare-and-set that found another value.
pub(crate) const MISMATCH: &str = "mismatch";

/// What an operation of a register finds if it takes effect: a read its answer,
/// a compare-and-set what it replaces.
pub(crate) fn found(operation: &Operation) -> Option<&Value> {
    match (&operation.call.f, &operation.completion, &operation.call.argument) {
        (Function::Read, Completion::Ok(value), _) => Some(value),
        (f, completion, Value::List(pair)) if is_cas(f) && replaces(completion) => pair.first(),
        _ => None,
    }
}

/// What an operation of a register leaves if it takes effect.
pub(crate) fn left(operation: &Operation) -> Option<&Value> {
    match (&operation.call.f, &operation.completion, &operation.call.argument) {
        (Function::Write, Completion::Ok(_) | Completion::Info, value) => Some(value),
        (f, completion, Value::List(pair)) if is_cas(f) && replaces(completion) => pair.get(1),
        _ => None,
    }
}

/// Whether all operations of registers that did not fail are reads and writes.
pub(crate) fn is_plain(history: &History) -> bool {
    history
        .operations()
        .iter()
        .all(|op| op.completion == Completion::Fail || !matches!(op.call.f, Function::Other(_)))
}

/// Whether this read may have seen this write, which failed: it was invoked
/// before the read returned.
pub(crate) fn aborted(write: &Operation, read: &Operation) -> bool {
    write.call.is_write()
        && write.completion == Completion::Fail
        && write.call.key == read.call.key
        && read.answer() == Some(&write.call.argument)
        && read.returned.is_none_or(|returned| write.invoked <= returned)
}

fn is_cas(f: &Function) -> bool {
    f.as_str() == "cas"
}

/// Whether a compare-and-set with this completion may have taken effect.
fn replaces(completion: &Completion) -> bool {
    match completion {
        Completion::Ok(answer) => *answer != Value::from(MISMATCH),
        Completion::Info => true,
        Completion::Fail => false,
    }
}

impl Datatype for Register {
    fn name(&self) -> &'static str {
        "register"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        match &call.f {
            Function::Read | Function::Write => true,
            Function::Other(_) => {
                let pair = matches!(&call.argument, Value::List(pair) if pair.len() == 2);
                is_cas(&call.f) && pair
            }
        }
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        match (&call.f, answer) {
            (Function::Other(_), Some(answer)) => *answer == Value::from(MISMATCH),
            // The answer of a write carries no information.
            _ => call.is_read(),
        }
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        !call.is_write()
    }

    fn initial(&self, _: &Key) -> Value {
        Value::Null
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match (&call.f, &call.argument) {
            (Function::Read, _) => after_read(held, answer),
            (Function::Write, value) => Some(value.clone()),
            (Function::Other(_), Value::List(pair)) => {
                let mismatch = answer.map(|answer| *answer == Value::from(MISMATCH));
                let same = *held == pair[0];
                match mismatch {
                    Some(mismatch) if mismatch == same => None,
                    _ if same => Some(pair[1].clone()),
                    _ => Some(held.clone()),
                }
            }
            _ => None,
        }
    }

    /// The last visible write. A compare-and-set has no meaning here: whether it
    /// takes effect depends on more than what is visible.
    fn merged(&self, _: &Call, context: &Context<'_>) -> Option<Value> {
        let last = context.updates().last().map(|call| &call.argument);
        Some(last.unwrap_or(&Value::Null).clone())
    }

    fn arbitration(&self, _: &Key) -> Arbitration {
        Arbitration::Last
    }

    fn menu(&self, _: usize) -> Menu {
        Menu::register()
    }
}
