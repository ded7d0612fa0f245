//! A queue that gives its values out in any order: a bag, a message broker.

use std::collections::BTreeMap;

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::queue::{DEQUEUE, ENQUEUE};
use super::{About, Datatype, Running};

/// Holds values, none at first. `enqueue` puts one in, `dequeue` takes any of them out
/// and answers it: each as often as it was put in, and not before. A dequeue that finds
/// nothing (`null`) says nothing, since brokers answer so while there is something.
///
/// A dequeue that was not answered may have taken any value. It can be left out:
/// nobody ever sees that a value is still there.
#[derive(Clone, Copy, Debug)]
pub struct UnorderedQueue;

impl Datatype for UnorderedQueue {
    fn name(&self) -> &'static str {
        "unordered-queue"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), ENQUEUE | DEQUEUE)
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        call.f.as_str() == DEQUEUE && answer.is_none_or(|answer| *answer == Value::Null)
    }

    fn answers(&self, call: &Call, answer: Option<&Value>) -> bool {
        call.f.as_str() == DEQUEUE && answer != Some(&Value::Null)
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        let Value::List(values) = value else { return None };
        Some(super::sorted_all(values))
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(values) = held else { return None };
        if self.only_reads(call, answer) {
            return Some(held.clone());
        }
        let mut values = values.to_vec();
        if call.f.as_str() == ENQUEUE {
            let place = values.partition_point(|value| *value <= call.argument);
            values.insert(place, call.argument.clone());
        } else {
            values.remove(values.binary_search(answer?).ok()?);
        }
        Some(values.into())
    }

    fn about(&self, call: &Call, answer: Option<&Value>) -> About {
        match answer {
            _ if call.f.as_str() == ENQUEUE => About::Part(call.argument.clone()),
            None | Some(Value::Null) => About::Parts,
            Some(value) => About::Part(value.clone()),
        }
    }

    fn is_composed(&self, _: &Key) -> bool {
        true
    }

    fn running(&self, _: &Key) -> Option<Box<dyn Running>> {
        Some(Box::new(Counted(BTreeMap::new())))
    }

    fn menu(&self, _: usize) -> Menu {
        let enqueue = Item::new(ENQUEUE, Argument::New);
        Menu { updates: vec![enqueue, Item::plain(DEQUEUE)], queries: Vec::new() }
    }
}

/// How often each value is there, changed in place.
struct Counted(BTreeMap<Value, usize>);

impl Running for Counted {
    fn step(&mut self, call: &Call, answer: Option<&Value>) -> bool {
        if call.f.as_str() == ENQUEUE {
            *self.0.entry(call.argument.clone()).or_insert(0) += 1;
            return true;
        }
        let Some(answer) = answer.filter(|answer| **answer != Value::Null) else { return true };
        let Some(count) = self.0.get_mut(answer).filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }
}
