//! A lock, with tokens if it gives them.

use crate::history::{Call, Item, Key, Menu, Value};

use super::{Datatype, integer};

/// Is free at first. `acquire` takes it if it is free, `release` frees it if it is
/// held. An argument says who: then only who has acquired it can release it. Where
/// either of the two is not named, anybody can. If an acquire answers a number, this is a fencing token: larger than all before. Other
/// answers say nothing; one who did not get the lock has failed.
///
/// Holds `[who, token]`, or `[token]` if it is free.
#[derive(Clone, Copy, Debug)]
pub struct Lock;

const ACQUIRE: &str = "acquire";
const RELEASE: &str = "release";

impl Datatype for Lock {
    fn name(&self) -> &'static str {
        "lock"
    }

    fn knows(&self, call: &Call, _: Option<&Value>) -> bool {
        matches!(call.f.as_str(), ACQUIRE | RELEASE)
    }

    fn only_reads(&self, _: &Call, _: Option<&Value>) -> bool {
        false
    }

    fn initial(&self, _: &Key) -> Value {
        vec![Value::Null].into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        // Nobody, or who.
        match value {
            Value::Null => Some(vec![Value::Null].into()),
            who => Some(vec![who.clone(), Value::Null].into()),
        }
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(held) = held else { return None };
        match (call.f.as_str(), &held[..]) {
            (ACQUIRE, [last]) => {
                // Some recordings repeat the argument.
                let told = answer.filter(|answer| **answer != call.argument);
                let token = match told.and_then(integer) {
                    Some(token) if integer(last).is_some_and(|last| token <= last) => return None,
                    Some(token) => Value::Int(token),
                    None => last.clone(),
                };
                Some(vec![call.argument.clone(), token].into())
            }
            (RELEASE, [who, last]) => {
                let named = *who != Value::Null && call.argument != Value::Null;
                (!named || *who == call.argument).then(|| vec![last.clone()].into())
            }
            _ => None,
        }
    }

    fn menu(&self, _: usize) -> Menu {
        let updates = [ACQUIRE, RELEASE].map(Item::plain).to_vec();
        Menu { updates, queries: Vec::new() }
    }
}
