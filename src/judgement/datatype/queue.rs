//! A queue: first in, first out.

use std::collections::VecDeque;

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::{About, Datatype, Running};

/// Holds values in order, none at first. `enqueue` puts its argument at the
/// end, `dequeue` takes the first and answers it, or `null` if there is none.
#[derive(Clone, Copy, Debug)]
pub struct Queue;

pub(super) const ENQUEUE: &str = "enqueue";
pub(super) const DEQUEUE: &str = "dequeue";

/// What an operation of a queue or a stack is about, where `put` puts a value in.
pub(super) fn about(put: &str, call: &Call, answer: Option<&Value>) -> About {
    match answer {
        _ if call.f.as_str() == put => About::Part(call.argument.clone()),
        None => About::Unknown,
        // It tells that there is no value: none of any part.
        Some(Value::Null) => About::Parts,
        Some(value) => About::Part(value.clone()),
    }
}

impl Datatype for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), ENQUEUE | DEQUEUE)
    }

    fn only_reads(&self, _: &Call, _: Option<&Value>) -> bool {
        false
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.f.as_str() == DEQUEUE
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        matches!(value, Value::List(_)).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(values) = held else { return None };
        let mut values = values.to_vec();
        if call.f.as_str() == ENQUEUE {
            values.push(call.argument.clone());
        } else {
            let first = if values.is_empty() { Value::Null } else { values.remove(0) };
            if answer.is_some_and(|answer| *answer != first) {
                return None;
            }
        }
        Some(values.into())
    }

    fn about(&self, call: &Call, answer: Option<&Value>) -> About {
        about(ENQUEUE, call, answer)
    }

    fn running(&self, _: &Key) -> Option<Box<dyn Running>> {
        Some(Box::new(Waiting(VecDeque::new())))
    }

    fn menu(&self, _: usize) -> Menu {
        let enqueue = Item::new(ENQUEUE, Argument::New);
        Menu { updates: vec![enqueue, Item::plain(DEQUEUE)], queries: Vec::new() }
    }
}

/// A queue that is changed in place.
struct Waiting(VecDeque<Value>);

impl Running for Waiting {
    fn step(&mut self, call: &Call, answer: Option<&Value>) -> bool {
        if call.f.as_str() == ENQUEUE {
            self.0.push_back(call.argument.clone());
            return true;
        }
        let first = self.0.pop_front().unwrap_or_default();
        answer.is_none_or(|answer| *answer == first)
    }
}
