//! What clients may ask of an object, for searches to choose from.
//!
//! It is data: whoever knows the type of the object writes the menu, and a
//! search picks from it without knowing what the calls mean.

use std::fmt;

use super::{Call, Function, Key, Value};

/// The calls that clients choose from, simplest first.
///
/// ```
/// use quiescence::history::{Call, Menu};
///
/// let menu = Menu::register();
/// assert_eq!(menu.updates[0].call("x", 7), Call::write("x", 7));
/// assert_eq!(menu.queries[0].call("x", 7), Call::read("x"));
/// assert_eq!(menu.to_string(), "write a new number; read");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Menu {
    /// Calls that change the object; some answer something, too.
    pub updates: Vec<Item>,
    /// Calls that only ask.
    pub queries: Vec<Item>,
}

/// One call on a menu, but for the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// What is asked.
    pub f: Function,
    /// With which argument.
    pub argument: Argument,
}

/// The argument of a call on a menu.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// This one.
    This(Value),
    /// A number that no other call of the run has.
    New,
    /// A list of these.
    List(Vec<Argument>),
}

impl Menu {
    /// Writes of new numbers, and reads.
    pub fn register() -> Self {
        Menu { updates: vec![Item::new("write", Argument::New)], queries: vec![Item::read()] }
    }

    /// These updates, and reads.
    pub fn with_reads(updates: Vec<Item>) -> Self {
        Menu { updates, queries: vec![Item::read()] }
    }

    /// Without the calls for which this is false.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&Item) -> bool) -> Self {
        self.updates.retain(&keep);
        self.queries.retain(&keep);
        self
    }

    /// Whether a call is one of the updates.
    pub fn updates(&self, call: &Call) -> bool {
        self.updates.iter().any(|item| item.f == call.f)
    }
}

impl Item {
    /// A call of this function.
    pub fn new(f: &str, argument: Argument) -> Self {
        Item { f: Function::named(f), argument }
    }

    /// A call with this argument.
    pub fn with(f: &str, argument: impl Into<Value>) -> Self {
        Item::new(f, Argument::This(argument.into()))
    }

    /// A call without an argument.
    pub fn plain(f: &str) -> Self {
        Item::new(f, Argument::This(Value::Null))
    }

    /// A read.
    pub fn read() -> Self {
        Item::plain("read")
    }

    /// The call on this object; `new` is the number that no other call has.
    pub fn call(&self, key: impl Into<Key>, new: i64) -> Call {
        Call { f: self.f.clone(), key: key.into(), argument: self.argument.value(new) }
    }
}

impl Argument {
    fn value(&self, new: i64) -> Value {
        match self {
            Argument::This(value) => value.clone(),
            Argument::New => Value::Int(new),
            Argument::List(all) => all.iter().map(|one| one.value(new)).collect::<Vec<_>>().into(),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::This(value) => value.fmt(f),
            Argument::New => f.write_str("a new number"),
            Argument::List(all) => {
                let all: Vec<_> = all.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", all.join(", "))
            }
        }
    }
}

impl fmt::Display for Menu {
    /// The updates, then the queries: `add 1, add 2; read`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |items: &[Item]| items.iter().map(Item::to_string).collect::<Vec<_>>();
        write!(f, "{}; {}", told(&self.updates).join(", "), told(&self.queries).join(", "))
    }
}

impl fmt::Display for Item {
    /// `add 1`, `enable`, `write a new number`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.f.as_str())?;
        match &self.argument {
            Argument::This(Value::Null) if self.f == Function::Write => f.write_str(" null"),
            Argument::This(Value::Null) => Ok(()),
            argument => write!(f, " {argument}"),
        }
    }
}
