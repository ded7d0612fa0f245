//! Several registers that are read and written at one instant.

use std::collections::BTreeMap;

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::{Datatype, Map};

/// Holds a register for each name, all of them null at first. `txn` with a list of
/// micro-operations `["r", name, null]` and `["w", name, v]` does one after the other, and
/// nothing comes between them. It answers the list with what its reads saw.
///
/// Linearizable multi-registers are strictly serializable transactions.
///
/// Source: the multi-register of the checker Knossos.
#[derive(Clone, Copy, Debug)]
pub struct MultiRegister;

const TXN: &str = "txn";

/// A micro-operation.
enum Micro<'a> {
    /// Of this register, answered so.
    Read(&'a Value, &'a Value),
    /// Of this register, and what.
    Write(&'a Value, &'a Value),
}

impl Micro<'_> {
    fn of(value: &Value) -> Option<Micro<'_>> {
        let Value::List(three) = value else { return None };
        let [Value::Text(f), name, value] = &three[..] else { return None };
        match f.trim_start_matches(':') {
            "r" | "read" => Some(Micro::Read(name, value)),
            "w" | "write" => Some(Micro::Write(name, value)),
            _ => None,
        }
    }
}

/// The micro-operations of a list; `None` if it has others.
fn micros(list: &Value) -> Option<Vec<Micro<'_>>> {
    let Value::List(all) = list else { return None };
    all.iter().map(Micro::of).collect()
}

/// Whether an answer repeats what was asked, but for what its reads saw.
fn answers(asked: &[Micro<'_>], told: &[Micro<'_>]) -> bool {
    let fits = |(asked, told): (&Micro<'_>, &Micro<'_>)| match (asked, told) {
        (Micro::Read(one, _), Micro::Read(other, _)) => one == other,
        (Micro::Write(one, value), Micro::Write(other, same)) => one == other && value == same,
        _ => false,
    };
    asked.len() == told.len() && asked.iter().zip(told).all(fits)
}

/// Whether all micro-operations of a call are wanted ones.
fn only(call: &Call, wanted: fn(&Micro<'_>) -> bool) -> bool {
    micros(&call.argument).is_some_and(|all| all.iter().all(wanted))
}

impl Datatype for MultiRegister {
    fn name(&self) -> &'static str {
        "multi-register"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        let asked = micros(&call.argument).filter(|_| call.f.as_str() == TXN);
        asked.is_some_and(|asked| match answer {
            None => true,
            Some(Value::Null) => !self.answers(call, None),
            Some(told) => micros(told).is_some_and(|told| answers(&asked, &told)),
        })
    }

    fn transacts(&self, _: &Key) -> bool {
        true
    }

    fn only_reads(&self, call: &Call, _: Option<&Value>) -> bool {
        only(call, |micro| matches!(micro, Micro::Read(..)))
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        !only(call, |micro| matches!(micro, Micro::Write(..)))
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        Map::pairs(value).map(holds)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let mut held = Map::pairs(held)?;
        let told = answer.filter(|answer| **answer != Value::Null);
        for micro in micros(told.unwrap_or(&call.argument))? {
            match micro {
                Micro::Read(name, saw) => {
                    if told.is_some() && held.get(name).unwrap_or(&Value::Null) != saw {
                        return None;
                    }
                }
                Micro::Write(name, value) => {
                    held.insert(name.clone(), value.clone());
                }
            }
        }
        Some(holds(held))
    }

    fn menu(&self, _: usize) -> Menu {
        let text = |text: &str| Argument::This(text.into());
        let micro = |f, name, value| Argument::List(vec![text(f), text(name), value]);
        let write = |name| micro("w", name, Argument::New);
        let read = |name| micro("r", name, Argument::This(Value::Null));
        let txn = |all: Vec<Argument>| Item::new(TXN, Argument::List(all));
        let one = |name| txn(vec![write(name)]);
        let both = |micro: &dyn Fn(&'static str) -> Argument| txn(vec![micro("a"), micro("b")]);
        Menu { updates: vec![one("a"), one("b"), both(&write)], queries: vec![both(&read)] }
    }
}

/// What registers hold, the name of each with it; null is what all others hold.
fn holds(registers: BTreeMap<Value, Value>) -> Value {
    Map::of_pairs(registers.into_iter().filter(|(_, held)| *held != Value::Null))
}
