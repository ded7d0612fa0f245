//! A register of text that can be appended to.

use crate::history::{Call, Key, Value};

use super::{Datatype, after_read};

/// Holds a text, empty at first. `get` answers it, `put` replaces it, `append`
/// adds to its end.
#[derive(Clone, Copy, Debug)]
pub struct Text;

impl Datatype for Text {
    fn name(&self) -> &'static str {
        "text register"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        let text = |value: &Value| matches!(value, Value::Text(_));
        match call.f.as_str() {
            "get" => answer.is_none_or(text),
            "put" | "append" => text(&call.argument),
            _ => false,
        }
    }

    fn only_reads(&self, call: &Call, _: Option<&Value>) -> bool {
        call.f.as_str() == "get"
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.f.as_str() == "get"
    }

    fn overwrites(&self, call: &Call) -> bool {
        call.f.as_str() == "put"
    }

    fn replaces(&self, call: &Call) -> bool {
        call.f.as_str() == "put"
    }

    fn grows_to(&self, _: &Call, held: &Value, answer: &Value) -> bool {
        match (held, answer) {
            (Value::Text(held), Value::Text(seen)) => seen.starts_with(held.as_str()),
            _ => true,
        }
    }

    fn initial(&self, _: &Key) -> Value {
        Value::from("")
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        matches!(value, Value::Text(_)).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match (call.f.as_str(), held, &call.argument) {
            ("get", ..) => after_read(held, answer),
            ("put", _, argument) => Some(argument.clone()),
            (_, Value::Text(held), Value::Text(more)) => {
                Some(Value::from(format!("{held}{more}").as_str()))
            }
            _ => None,
        }
    }
}
