//! A register that keeps the largest number.

use crate::history::{Call, Function, Item, Key, Menu, Value};

use super::{Context, Datatype, after_read, integer};

/// Holds an integer, or `null` at first. `write` replaces it by its argument if
/// that is larger, `read` answers it.
///
/// Concurrent writes: the largest one that is visible.
#[derive(Clone, Copy, Debug)]
pub struct MaxRegister;

impl Datatype for MaxRegister {
    fn name(&self) -> &'static str {
        "max-register"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        let number = |value: &Value| integer(value).is_some();
        match call.f {
            Function::Read => answer.is_none_or(|answer| *answer == Value::Null || number(answer)),
            Function::Write => number(&call.argument),
            Function::Other(_) => false,
        }
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn initial(&self, _: &Key) -> Value {
        Value::Null
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        (*value == Value::Null || integer(value).is_some()).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match call.f {
            Function::Read => after_read(held, answer),
            _ => Some(larger(held, &call.argument).clone()),
        }
    }

    fn merged(&self, _: &Call, context: &Context<'_>) -> Option<Value> {
        let written = context.updates().iter().map(|call| &call.argument);
        Some(written.fold(&Value::Null, larger).clone())
    }

    fn menu(&self, arguments: usize) -> Menu {
        let numbers = (1..).take(arguments);
        Menu::with_reads(numbers.map(|number: i64| Item::with("write", number)).collect())
    }
}

/// The larger of two numbers, of which the first may be missing.
fn larger<'v>(held: &'v Value, other: &'v Value) -> &'v Value {
    if integer(held) < integer(other) { other } else { held }
}
