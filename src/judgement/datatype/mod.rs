//! What operations mean: one sequential specification per datatype.
//!
//! A [`Datatype`] says which answers one object may give when its operations
//! are called one after the other. Everything else (which orders of calls
//! count) is the model's business. Registers, counters, sets, queues and text
//! registers are here; others are added by implementing the trait and handing
//! it to [`check_with`](super::checker::check_with).
//!
//! Invariant: `apply` is a function of its arguments. A failed operation took
//! no effect and is never applied.

mod counter;
mod queue;
mod register;
mod set;
mod text;

use crate::history::{Call, Completion, History, Value};

pub use counter::Counter;
pub use queue::Queue;
pub use register::Register;
pub(crate) use register::{MISMATCH, found, left};
pub use set::Set;
pub use text::Text;

/// A sequential specification of one object.
///
/// ```
/// use quiescence::history::{Call, Value};
/// use quiescence::judgement::datatype::{Datatype, Register};
///
/// let nothing = Register.initial();
/// let one = Register.apply(&nothing, &Call::write("x", 1), None).expect("a write is possible");
/// assert!(Register.apply(&one, &Call::read("x"), Some(&Value::Int(1))).is_some());
/// assert!(Register.apply(&one, &Call::read("x"), Some(&Value::Null)).is_none());
/// ```
pub trait Datatype: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Whether it gives a meaning to this call with this answer (`None`: the
    /// answer is not known).
    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool;

    /// Whether this call, where its answer is possible, leaves the object as it
    /// is. `false` is always safe to say.
    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool;

    /// What a new object holds.
    fn initial(&self) -> Value;

    /// What the object holds after `call` was answered with `answer` (`None`:
    /// with whatever it answers); `None` if it would not answer that.
    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value>;
}

/// The datatypes of this crate, in the order in which they are tried.
pub static ALL: [&dyn Datatype; 5] = [&Register, &Set, &Counter, &Queue, &Text];

/// The first datatype that gives a meaning to everything in a history.
///
/// # Errors
/// The first call that the one which came furthest does not know.
pub fn of(history: &History) -> Result<&'static dyn Datatype, &Call> {
    let stranger = |datatype: &&dyn Datatype| {
        history.operations().iter().position(|op| match &op.completion {
            Completion::Ok(answer) => !datatype.knows(&op.call, Some(answer)),
            Completion::Info => !datatype.knows(&op.call, None),
            Completion::Fail => false,
        })
    };
    let mut furthest = 0;
    for datatype in ALL {
        match stranger(&datatype) {
            None => return Ok(datatype),
            Some(at) => furthest = furthest.max(at),
        }
    }
    Err(&history.operations()[furthest].call)
}

/// The only integer that an argument or an answer may be.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}
