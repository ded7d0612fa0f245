//! A counter whose effects are the numbers to add.
//!
//! Effects commute, so they may be applied in any order, but each only once.
//!
//! Source: Shapiro et al., 2011, section 3.1.1.

use crate::history::{Call, Key, Value};
use crate::replication::Stamp;

use super::Operations;

/// A counter.
#[derive(Clone, Copy, Debug)]
pub struct Counter;

impl Operations for Counter {
    type State = i64;
    type Effect = i64;

    fn datatype(&self) -> &'static str {
        "counter"
    }

    fn prepare(&self, _: &i64, _: Stamp, call: &Call) -> i64 {
        match (call.f.as_str(), &call.argument) {
            ("dec", _) => -1,
            (_, Value::Int(by)) => *by,
            _ => 1,
        }
    }

    fn apply(&self, state: &mut i64, effect: &i64) {
        *state = state.saturating_add(*effect);
    }

    fn read(&self, state: &i64) -> Value {
        Value::Int(*state)
    }

    fn tell(&self, key: &Key, effect: &i64) -> String {
        format!("add {key}={effect}")
    }
}
