//! Registers of which clients ask more than reads and writes.

use crate::history::{Call, Item, Key, Menu, Value};

use super::{Arbitration, Context, Datatype, Register};

/// A [`Register`], by name and meaning. In searches clients ask more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterWith {
    /// Deletes: writes of `null`, which is what a new register holds.
    Deletes,
    /// Compare-and-sets. They and the writes choose among few values, so that some
    /// find what they compare with.
    CompareAndSets,
}

impl Datatype for RegisterWith {
    fn name(&self) -> &'static str {
        Register.name()
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.knows(call, answer)
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.only_reads(call, answer)
    }

    fn answers(&self, call: &Call, answer: Option<&Value>) -> bool {
        Register.answers(call, answer)
    }

    fn initial(&self, key: &Key) -> Value {
        Register.initial(key)
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        Register.apply(held, call, answer)
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        match self {
            RegisterWith::Deletes => Register.merged(call, context),
            RegisterWith::CompareAndSets => None,
        }
    }

    fn arbitration(&self, key: &Key) -> Arbitration {
        Register.arbitration(key)
    }

    fn menu(&self, arguments: usize) -> Menu {
        let mut menu = Register.menu(arguments);
        if *self == RegisterWith::Deletes {
            menu.updates.push(Item::plain("write"));
            return menu;
        }
        let values = || (1..).take(arguments.max(2));
        menu.updates = values().map(|value: i64| Item::with("write", value)).collect();
        for from in values() {
            for to in values().filter(|to| *to != from) {
                let pair: Value = [from, to].map(Value::from).to_vec().into();
                menu.updates.push(Item::with("cas", pair));
            }
        }
        menu
    }
}
