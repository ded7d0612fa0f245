//! A set: elements are added and removed, all of them are read.

use crate::history::{Call, Function, Value};

use super::{Datatype, sorted};

/// Holds values, none at first. `add` and `remove` take an element, `read`
/// answers a list of all elements in any order.
#[derive(Clone, Copy, Debug)]
pub struct Set;

impl Datatype for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match &call.f {
            Function::Read => answer.is_none_or(|answer| matches!(answer, Value::List(_))),
            Function::Write => false,
            Function::Other(name) => name == "add" || name == "remove",
        }
    }

    fn answers(&self, call: &Call) -> bool {
        call.is_read()
    }

    fn overwrites(&self, call: &Call) -> bool {
        call.f.as_str() == "remove"
    }

    fn grows_to(&self, held: &Value, answer: &Value) -> bool {
        match (held, answer) {
            (Value::List(held), Value::List(seen)) => held.iter().all(|one| seen.contains(one)),
            _ => true,
        }
    }

    fn initial(&self) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        sorted(value)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(elements) = held else { return None };
        if call.f == Function::Read {
            let Some(answer) = answer else { return Some(held.clone()) };
            return self.holding(answer).filter(|seen| seen == held);
        }
        let mut elements = elements.to_vec();
        match (call.f.as_str(), elements.binary_search(&call.argument)) {
            ("add", Err(place)) => elements.insert(place, call.argument.clone()),
            ("remove", Ok(place)) => drop(elements.remove(place)),
            _ => {}
        }
        Some(elements.into())
    }
}
