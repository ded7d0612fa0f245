//! A stack: last in, first out.

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::queue::about;
use super::{About, Datatype, Running};

/// Holds values in order, none at first. `push` puts its argument on top, `pop` takes
/// what is on top and answers it, or `null` if there is nothing.
#[derive(Clone, Copy, Debug)]
pub struct Stack;

const PUSH: &str = "push";
const POP: &str = "pop";

impl Datatype for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), PUSH | POP)
    }

    fn only_reads(&self, _: &Call, _: Option<&Value>) -> bool {
        false
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.f.as_str() == POP
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        matches!(value, Value::List(_)).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(values) = held else { return None };
        let mut running = Piled(values.to_vec());
        running.step(call, answer).then(|| running.0.into())
    }

    fn about(&self, call: &Call, answer: Option<&Value>) -> About {
        about(PUSH, call, answer)
    }

    fn running(&self, _: &Key) -> Option<Box<dyn Running>> {
        Some(Box::new(Piled(Vec::new())))
    }

    fn menu(&self, _: usize) -> Menu {
        let push = Item::new(PUSH, Argument::New);
        Menu { updates: vec![push, Item::plain(POP)], queries: Vec::new() }
    }
}

/// A stack that is changed in place.
struct Piled(Vec<Value>);

impl Running for Piled {
    fn step(&mut self, call: &Call, answer: Option<&Value>) -> bool {
        if call.f.as_str() == PUSH {
            self.0.push(call.argument.clone());
            return true;
        }
        let top = self.0.pop().unwrap_or_default();
        answer.is_none_or(|answer| *answer == top)
    }
}
