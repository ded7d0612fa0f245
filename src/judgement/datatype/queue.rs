//! A queue: first in, first out.

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::Datatype;

/// Holds values in order, none at first. `enqueue` puts its argument at the
/// end, `dequeue` takes the first and answers it, or `null` if there is none.
#[derive(Clone, Copy, Debug)]
pub struct Queue;

impl Datatype for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), "enqueue" | "dequeue")
    }

    fn only_reads(&self, _: &Call, _: Option<&Value>) -> bool {
        false
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.f.as_str() == "dequeue"
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
        if call.f.as_str() == "enqueue" {
            values.push(call.argument.clone());
        } else {
            let first = if values.is_empty() { Value::Null } else { values.remove(0) };
            if answer.is_some_and(|answer| *answer != first) {
                return None;
            }
        }
        Some(values.into())
    }

    fn menu(&self, _: usize) -> Menu {
        let enqueue = Item::new("enqueue", Argument::New);
        Menu { updates: vec![enqueue, Item::plain("dequeue")], queries: Vec::new() }
    }
}
