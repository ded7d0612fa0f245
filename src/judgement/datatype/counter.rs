//! A counter: numbers are added, the sum is read.

use crate::history::{Call, Function, Value};

use super::{Datatype, integer};

/// Holds an integer, 0 at first. `add` with an integer adds it (`inc` and
/// `dec` without one add or take 1), `read` answers the sum.
#[derive(Clone, Copy, Debug)]
pub struct Counter;

fn change(call: &Call) -> Option<i64> {
    match (call.f.as_str(), &call.argument) {
        ("add", argument) => integer(argument),
        ("inc", Value::Null) => Some(1),
        ("dec", Value::Null) => Some(-1),
        _ => None,
    }
}

impl Datatype for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match call.f {
            Function::Read => answer.is_none_or(|answer| integer(answer).is_some()),
            _ => change(call).is_some(),
        }
    }

    fn only_reads(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn initial(&self) -> Value {
        Value::Int(0)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match change(call) {
            Some(change) => integer(held)?.checked_add(change).map(Value::Int),
            None => answer.is_none_or(|answer| answer == held).then(|| held.clone()),
        }
    }
}
