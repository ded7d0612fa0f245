//! A flag that is enabled and disabled.

use crate::history::{Call, Function, Item, Key, Menu, Value};

use super::{Context, Datatype, after_read, integer};

/// Holds 0 or 1, 0 at first. `enable` makes it 1, `disable` makes it 0, `read`
/// answers it. (Shapiro et al., *A comprehensive study of Convergent and
/// Commutative Replicated Data Types*, 2011, as sets of one element.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Of concurrent updates `enable` wins: it is 1 if some visible `enable` was
    /// seen by no visible `disable`.
    EnableWins,
    /// `disable` wins: it is 1 if there is a visible `enable` and each visible
    /// `disable` was seen by one.
    DisableWins,
}

impl Datatype for Flag {
    fn name(&self) -> &'static str {
        match self {
            Flag::EnableWins => "flag:enable-wins",
            Flag::DisableWins => "flag:disable-wins",
        }
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        match call.f.as_str() {
            "read" => answer.is_none_or(|answer| matches!(integer(answer), Some(0 | 1))),
            "enable" | "disable" => call.argument == Value::Null,
            _ => false,
        }
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn initial(&self, _: &Key) -> Value {
        Value::Int(0)
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        matches!(value, Value::Int(0 | 1)).then(|| value.clone())
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        match call.f {
            Function::Read => after_read(held, answer),
            _ => Some(Value::from(i64::from(call.f.as_str() == "enable"))),
        }
    }

    fn merged(&self, _: &Call, context: &Context<'_>) -> Option<Value> {
        let is = |name: &'static str| move |at: &usize| context.updates()[*at].f.as_str() == name;
        let all = || 0..context.updates().len();
        let enabled = match self {
            Flag::EnableWins => {
                all().filter(is("enable")).any(|at| !context.was_seen(at, "disable"))
            }
            Flag::DisableWins => {
                all().any(|at| is("enable")(&at))
                    && all().filter(is("disable")).all(|at| context.was_seen(at, "enable"))
            }
        };
        Some(Value::from(i64::from(enabled)))
    }

    fn depends(&self, _: &Call) -> bool {
        true
    }

    fn matters(&self, update: &Call, other: &Call) -> bool {
        let names = (update.f.as_str(), other.f.as_str());
        match self {
            Flag::EnableWins => names == ("disable", "enable"),
            Flag::DisableWins => names == ("enable", "disable"),
        }
    }

    fn is_between(&self, _: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        [few, many].contains(&answer)
    }

    fn undoes(&self, update: &Call) -> bool {
        update.f.as_str() == "disable"
    }

    fn menu(&self, _: usize) -> Menu {
        Menu::with_reads(["enable", "disable"].map(Item::plain).to_vec())
    }
}
