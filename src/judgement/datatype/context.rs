//! What an operation saw of its object.

use crate::history::Call;

/// The updates of one object that are visible to an operation, oldest first by
/// arbitration, and which of them had seen which others.
///
/// Source: *operation contexts* of Burckhardt, Gotsman, Yang and Zawirski,
/// *Replicated Data Types: Specification, Verification, Optimality*, POPL 2014.
///
/// ```
/// use quiescence::history::Call;
/// use quiescence::judgement::datatype::{Context, Counter, Datatype};
/// use quiescence::history::{Function, Key, Value};
///
/// let add = |number: i64| Call {
///     f: Function::named("add"),
///     key: Key::new("c"),
///     argument: Value::Int(number),
/// };
/// let (three, four) = (add(3), add(4));
/// let context = Context::new(vec![&three, &four], &|_, _| false);
/// assert_eq!(Counter.merged(&Call::read("c"), &context), Some(Value::Int(7)));
/// ```
pub struct Context<'c> {
    updates: Vec<&'c Call>,
    saw: &'c dyn Fn(usize, usize) -> bool,
}

impl<'c> Context<'c> {
    /// These updates, oldest first. `saw(later, earlier)` says whether the
    /// first of two updates, given by their places, had seen the second.
    pub fn new(updates: Vec<&'c Call>, saw: &'c dyn Fn(usize, usize) -> bool) -> Self {
        Context { updates, saw }
    }

    /// Nothing is visible.
    pub fn empty() -> Self {
        Context { updates: Vec::new(), saw: &|_, _| false }
    }

    /// The updates, oldest first.
    pub fn updates(&self) -> &[&'c Call] {
        &self.updates
    }

    /// Whether any update with this name, given the place of another, had seen it.
    pub fn was_seen(&self, update: usize, by: &str) -> bool {
        let named = |at: &usize| self.updates[*at].f.as_str() == by;
        (0..self.updates.len()).filter(named).any(|at| at != update && (self.saw)(at, update))
    }

    /// Whether the update at the first place had seen the one at the second.
    pub fn saw(&self, one: usize, other: usize) -> bool {
        (self.saw)(one, other)
    }
}
