//! A counter: numbers are added, the sum is read.

use crate::history::{Call, Function, Item, Key, Menu, Value};

use super::{Context, Datatype, after_read, integer};

/// Holds an integer, 0 at first. `add` with an integer adds it (`inc` and `dec`,
/// without an argument, add and subtract 1), `read` answers the sum. `add-and-get` and
/// `get-and-add` add an integer and answer the sum after it and before it. Sums are
/// exact: nothing can answer one of more than 64 bits.
#[derive(Clone, Copy, Debug)]
pub struct Counter;

pub(super) const ADD_AND_GET: &str = "add-and-get";
const GET_AND_ADD: &str = "get-and-add";

/// What a call answers beyond what the updates that it sees make.
fn own(call: &Call) -> i128 {
    match call.f.as_str() {
        ADD_AND_GET => i128::from(change(call).unwrap_or(0)),
        _ => 0,
    }
}

/// How much an update adds.
pub(crate) fn change(call: &Call) -> Option<i64> {
    match (call.f.as_str(), &call.argument) {
        ("add" | ADD_AND_GET | GET_AND_ADD, argument) => integer(argument),
        ("inc", Value::Null) => Some(1),
        ("dec", Value::Null) => Some(-1),
        _ => None,
    }
}

/// The sum that an object holds: an integer, or a text if it is too large for
/// one. (The sum of fewer than 2⁶⁴ integers of 64 bits fits 128 bits.)
fn sum(held: &Value) -> Option<i128> {
    match held {
        Value::Int(sum) => Some(i128::from(*sum)),
        Value::Text(sum) => sum.parse().ok(),
        _ => None,
    }
}

/// A sum as what an object holds.
fn exactly(sum: i128) -> Value {
    let small = i64::try_from(sum).map(Value::Int);
    small.unwrap_or_else(|_| Value::from(sum.to_string().as_str()))
}

impl Datatype for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match call.f {
            Function::Read => answer.is_none_or(|answer| integer(answer).is_some()),
            _ => {
                let asks = self.answers(call, answer);
                change(call).is_some()
                    && answer.is_none_or(|answer| !asks || integer(answer).is_some())
            }
        }
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), "read" | ADD_AND_GET | GET_AND_ADD)
    }

    fn initial(&self, _: &Key) -> Value {
        Value::Int(0)
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        integer(value).map(Value::Int)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match change(call) {
            Some(change) => {
                let before = sum(held)?;
                let asked = answer.filter(|_| self.answers(call, answer));
                let told = exactly(before.checked_add(own(call))?);
                let sum = exactly(before.checked_add(i128::from(change))?);
                asked.is_none_or(|answer| *answer == told).then_some(sum)
            }
            None => after_read(held, answer),
        }
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        let changes = context.updates().iter().map(|call| i128::from(change(call).unwrap_or(0)));
        Some(exactly(own(call) + changes.sum::<i128>()))
    }

    fn may_answer(
        &self,
        call: &Call,
        answer: &Value,
        certain: &[&Call],
        possible: &[&Call],
    ) -> bool {
        let Some(answer) = sum(answer).map(|answer| answer - own(call)) else { return false };
        let changes = |calls: &[&Call], keep: fn(&i128) -> bool| -> i128 {
            calls.iter().filter_map(|call| change(call).map(i128::from)).filter(keep).sum()
        };
        let certain = changes(certain, |_| true);
        (certain + changes(possible, |by| *by < 0)..=certain + changes(possible, |by| *by > 0))
            .contains(&answer)
    }

    /// Adds 1, -1, 2, -2, ….
    fn menu(&self, arguments: usize) -> Menu {
        let amounts = (1..).flat_map(|amount: i64| [amount, -amount]).take(arguments);
        Menu::with_reads(amounts.map(|amount| Item::with("add", amount)).collect())
    }
}
