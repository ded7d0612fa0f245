//! A set: elements are added and removed, all of them are read.

use std::collections::BTreeSet;

use crate::history::{Call, Function, Item, Key, Menu, Value};

use super::{About, Datatype, Running, integer, sorted};

/// Holds values, none at first. `add` and `remove` take an element, `read`
/// answers a list of all elements in any order. `add-if-absent` adds an element that
/// is not there and answers 1, or 0 if it is.
#[derive(Clone, Copy, Debug)]
pub struct Set;

pub(super) const ADD_IF_ABSENT: &str = "add-if-absent";

impl Datatype for Set {
    fn name(&self) -> &'static str {
        "set"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match &call.f {
            Function::Read => answer.is_none_or(|answer| matches!(answer, Value::List(_))),
            Function::Write => false,
            Function::Other(name) if name == ADD_IF_ABSENT => {
                answer.is_none_or(|answer| matches!(integer(answer), Some(0 | 1)))
            }
            Function::Other(name) => name == "add" || name == "remove",
        }
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        let found = call.f.as_str() == ADD_IF_ABSENT && answer == Some(&Value::Int(0));
        call.is_read() || found
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read() || call.f.as_str() == ADD_IF_ABSENT
    }

    fn overwrites(&self, call: &Call) -> bool {
        call.f.as_str() == "remove"
    }

    fn grows_to(&self, _: &Call, held: &Value, answer: &Value) -> bool {
        match (held, answer) {
            (Value::List(held), Value::List(seen)) => held.iter().all(|one| seen.contains(one)),
            _ => true,
        }
    }

    fn initial(&self, _: &Key) -> Value {
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
        let found = elements.binary_search(&call.argument);
        let told = Value::from(i64::from(found.is_err()));
        if self.answers(call, answer) && answer.is_some_and(|answer| *answer != told) {
            return None;
        }
        match (call.f.as_str(), found) {
            ("add" | ADD_IF_ABSENT, Err(place)) => elements.insert(place, call.argument.clone()),
            ("remove", Ok(place)) => drop(elements.remove(place)),
            _ => {}
        }
        Some(elements.into())
    }

    fn about(&self, call: &Call, _: Option<&Value>) -> About {
        if call.is_read() { About::Parts } else { About::Part(call.argument.clone()) }
    }

    fn answer_about(&self, _: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        let Value::List(all) = answer else { return answer.clone() };
        all.iter().filter(|one| about(one)).cloned().collect::<Vec<_>>().into()
    }

    fn is_composed(&self, _: &Key) -> bool {
        true
    }

    fn running(&self, _: &Key) -> Option<Box<dyn Running>> {
        Some(Box::new(Elements(BTreeSet::new())))
    }

    fn menu(&self, arguments: usize) -> Menu {
        let both = |element: i64| [ADD_IF_ABSENT, "remove"].map(|f| Item::with(f, element));
        Menu::with_reads((1..).take(arguments).flat_map(both).collect())
    }
}

/// A set that is changed in place.
struct Elements(BTreeSet<Value>);

impl Running for Elements {
    fn step(&mut self, call: &Call, answer: Option<&Value>) -> bool {
        let element = &call.argument;
        match (call.f.as_str(), answer) {
            ("read", Some(Value::List(seen))) => {
                let mut seen: Vec<&Value> = seen.iter().collect();
                seen.sort_unstable();
                seen.dedup();
                self.0.iter().eq(seen)
            }
            ("read", answer) => answer.is_none(),
            ("remove", _) => {
                self.0.remove(element);
                true
            }
            (name, answer) => {
                let told = Value::from(i64::from(self.0.insert(element.clone())));
                name == "add" || answer.is_none_or(|answer| *answer == told)
            }
        }
    }
}
