//! A log: values are appended, all of them are read.

use std::collections::BTreeMap;

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::{Arbitration, Context, Datatype, after_read};

/// Holds values in order, none at first. `append` puts one at the end, `read` answers
/// all. No value is appended twice.
///
/// Concurrent appends: all that are visible, in the order of arbitration. There is one
/// such order for all reads, and it extends session order and visibility: a value
/// stands behind all that its author had read or appended before.
#[derive(Clone, Copy, Debug)]
pub struct Log;

const APPEND: &str = "append";

impl Datatype for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match call.f.as_str() {
            "read" => answer.is_none_or(|answer| matches!(answer, Value::List(_))),
            name => name == APPEND,
        }
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn overwrites(&self, _: &Call) -> bool {
        false
    }

    fn grows_to(&self, _: &Call, held: &Value, answer: &Value) -> bool {
        match (held, answer) {
            (Value::List(held), Value::List(seen)) => seen.starts_with(held),
            _ => true,
        }
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        matches!(value, Value::List(_)).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(all) = held else { return None };
        match call.f.as_str() {
            APPEND => Some([all, &[call.argument.clone()][..]].concat().into()),
            _ => after_read(held, answer),
        }
    }

    fn merged(&self, _: &Call, context: &Context<'_>) -> Option<Value> {
        let appended = context.updates().iter().map(|call| call.argument.clone());
        Some(appended.collect::<Vec<_>>().into())
    }

    fn arbitration(&self, _: &Key) -> Arbitration {
        Arbitration::Listed
    }

    fn part(&self, update: &Call) -> Value {
        update.argument.clone()
    }

    fn parts(&self, _: &Call, answer: &Value) -> Vec<(Value, Value)> {
        let Value::List(all) = answer else { return Vec::new() };
        let mut times: BTreeMap<&Value, usize> = BTreeMap::new();
        for value in all {
            *times.entry(value).or_default() += 1;
        }
        let alone = |value: &Value| (value.clone(), vec![value.clone(); times[value]].into());
        all.iter().map(alone).collect()
    }

    fn makes(&self, update: &Call) -> bool {
        update.f.as_str() == APPEND
    }

    fn answer_about(&self, _: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        let Value::List(all) = answer else { return answer.clone() };
        all.iter().filter(|value| about(value)).cloned().collect::<Vec<_>>().into()
    }

    fn menu(&self, _: usize) -> Menu {
        Menu::with_reads(vec![Item::new(APPEND, Argument::New)])
    }
}
