//! A counter: numbers are added, the sum is read.

use crate::history::{Call, Function, Item, Menu, Value};

use super::{Context, Datatype, after_read, integer};

/// Holds an integer, 0 at first. `add` with an integer adds it (`inc` and `dec`
/// without one add or take 1), `read` answers the sum. Sums are exact: no read
/// can answer one of more than 64 bits.
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
            _ => change(call).is_some(),
        }
    }

    fn answers(&self, call: &Call) -> bool {
        call.is_read()
    }

    fn initial(&self) -> Value {
        Value::Int(0)
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        integer(value).map(Value::Int)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match change(call) {
            Some(change) => {
                let sum = sum(held)?.checked_add(i128::from(change))?;
                Some(exactly(sum))
            }
            None => after_read(held, answer),
        }
    }

    fn merged(&self, context: &Context<'_>) -> Option<Value> {
        let changes = context.updates().iter().map(|call| i128::from(change(call).unwrap_or(0)));
        Some(exactly(changes.sum()))
    }

    fn may_answer(&self, answer: &Value, certain: &[&Call], possible: &[&Call]) -> bool {
        let Some(answer) = sum(answer) else { return false };
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
