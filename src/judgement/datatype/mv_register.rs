//! A register that keeps all values that nobody has replaced.

use crate::history::{Call, Function, Key, Menu, Value};

use super::{Context, Datatype, sorted};

/// Holds values, none at first. `write` replaces all that its writer had seen,
/// `read` answers a list of what is left, in any order, each value once.
///
/// Concurrent writes: the values of those that no other visible write had seen
/// (DeCandia et al., *Dynamo*, SOSP 2007; Shapiro et al., 2011).
#[derive(Clone, Copy, Debug)]
pub struct MvRegister;

impl Datatype for MvRegister {
    fn name(&self) -> &'static str {
        "mv-register"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match call.f {
            Function::Read => answer.is_none_or(|answer| matches!(answer, Value::List(_))),
            Function::Write => true,
            Function::Other(_) => false,
        }
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        sorted(value)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match call.f {
            Function::Read => match answer {
                Some(answer) => self.holding(answer).filter(|seen| seen == held),
                None => Some(held.clone()),
            },
            _ => Some(vec![call.argument.clone()].into()),
        }
    }

    fn merged(&self, _: &Call, context: &Context<'_>) -> Option<Value> {
        let written = context.updates().iter().enumerate();
        let left = written.filter(|(at, _)| !context.was_seen(*at, "write"));
        sorted(&left.map(|(_, call)| call.argument.clone()).collect::<Vec<_>>().into())
    }

    fn normal(&self, _: &Call, answer: &Value) -> Value {
        sorted(answer).unwrap_or_else(|| answer.clone())
    }

    fn depends(&self, _: &Call) -> bool {
        true
    }

    /// The more the writes had seen, the fewer of them are left.
    fn is_between(&self, _: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        let all = |value: &Value| match value {
            Value::List(all) => all.to_vec(),
            _ => Vec::new(),
        };
        let (answer, few, many) = (all(answer), all(few), all(many));
        many.iter().all(|value| answer.contains(value))
            && answer.iter().all(|value| few.contains(value))
    }

    /// Only what was written is there, and something is as soon as a write is visible.
    fn may_answer(&self, _: &Call, answer: &Value, certain: &[&Call], possible: &[&Call]) -> bool {
        let Value::List(values) = answer else { return false };
        let is_written = |value: &Value| {
            let mut calls = certain.iter().chain(possible);
            calls.any(|call| call.argument == *value)
        };
        (certain.is_empty() || !values.is_empty()) && values.iter().all(is_written)
    }

    fn menu(&self, _: usize) -> Menu {
        Menu::register()
    }
}
