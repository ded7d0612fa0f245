//! A semaphore: a number of permits.

use crate::history::{Call, Item, Key, Menu, Value};

use super::{Datatype, integer};

/// Holds how many permits are free; 1 at first, if nothing else is said.
/// `acquire n` takes n of them if there are so many, `release n` gives n back; without
/// an argument it is one.
#[derive(Clone, Copy, Debug)]
pub struct Semaphore;

const ACQUIRE: &str = "acquire";
const RELEASE: &str = "release";

/// The most permits at once, so that no sum of a recording is beyond an integer.
const MOST: i64 = i32::MAX as i64;

fn amount(argument: &Value) -> Option<i64> {
    match argument {
        Value::Null => Some(1),
        other => integer(other).filter(|amount| (0..=MOST).contains(amount)),
    }
}

impl Datatype for Semaphore {
    fn name(&self) -> &'static str {
        "semaphore"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), ACQUIRE | RELEASE) && amount(&call.argument).is_some()
    }

    fn only_reads(&self, _: &Call, _: Option<&Value>) -> bool {
        false
    }

    fn initial(&self, _: &Key) -> Value {
        Value::Int(1)
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        integer(value).filter(|free| (0..=MOST).contains(free)).map(Value::Int)
    }

    fn apply(&self, held: &Value, call: &Call, _: Option<&Value>) -> Option<Value> {
        let (free, amount) = (integer(held)?, amount(&call.argument)?);
        match call.f.as_str() == ACQUIRE {
            true => free.checked_sub(amount).filter(|free| *free >= 0),
            false => free.checked_add(amount),
        }
        .map(Value::Int)
    }

    fn menu(&self, _: usize) -> Menu {
        let updates = [ACQUIRE, RELEASE].map(Item::plain).to_vec();
        Menu { updates, queries: Vec::new() }
    }
}
