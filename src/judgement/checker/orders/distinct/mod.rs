//! Objects whose values are all different, in polynomial time: is there an order that
//! keeps returns-before?
//!
//! Every value is put in once, so it is known which operation took it out again, or
//! which reads show it. Procedures are exact where they answer; `None` sends the
//! caller to a search.

mod grown_set;
mod lives;
mod queue;
mod stack;

use lives::Lives;

use crate::history::{Operation, Value};
use crate::judgement::datatype::{Datatype, Queue, Set, Stack};

/// An order of the operations of one object, or a part of them that has none:
/// positions in the history. The part need not be closed.
pub(super) type Decided = Result<Vec<usize>, Vec<usize>>;

/// Whether there is a procedure for these operations, which are of one object. It may still
/// not answer where operations of unknown outcome may have taken something out.
pub(super) fn applies(operations: &[Operation], part: &[usize], datatype: &dyn Datatype) -> bool {
    let Some(key) = part.first().map(|at| &operations[*at].call.key) else { return true };
    let empty = datatype.initial(key) == Value::from(Vec::new());
    let name = Some(datatype.name_of(key)).filter(|_| empty);
    if name == Some(Set.name()) {
        return grown_set::applies(operations, part);
    }
    let ordered = name == Some(Queue.name()) || name == Some(Stack.name());
    ordered && Lives::of(operations, part, datatype).is_some()
}

/// Decides for the operations at these positions (ascending), which are of one object of
/// this type. Session order must be part of returns-before.
pub(super) fn decide(
    operations: &[Operation],
    part: &[usize],
    datatype: &dyn Datatype,
) -> Option<Decided> {
    let key = &operations[*part.first()?].call.key;
    if datatype.initial(key) != Value::from(Vec::new()) {
        return None;
    }
    let lives = || Lives::of(operations, part, datatype);
    match datatype.name_of(key) {
        name if name == Queue.name() => queue::decide(lives()?),
        name if name == Stack.name() => stack::decide(lives()?),
        name if name == Set.name() => grown_set::decide(operations, part),
        _ => None,
    }
}
