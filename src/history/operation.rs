//! One client request and its outcome.
//!
//! Owns the vocabulary that replication and judgement share: keys, values,
//! calls, completions. Knows nothing of replicas, networks or models.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::escape;

/// The name of one replicated object (one register, one set, …).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(SmolStr);

impl Key {
    /// A key with this name.
    pub fn new(name: impl AsRef<str>) -> Self {
        Key(SmolStr::new(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Key::new(name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is written and read. `Null` is the initial value of a register.
///
/// In JSON: `null`, an integer, a string, or an array of values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// No value: what a register holds before the first write.
    #[default]
    Null,
    /// A signed 64-bit integer.
    Int(i64),
    /// A text.
    Text(SmolStr),
    /// A list of values, in order.
    List(Box<[Value]>),
}

impl Value {
    /// Whether this is a list of micro-operations, as `[[:w 0 1] [:r 1 nil]]`:
    /// a transaction on several objects, not a value of one object.
    pub fn is_transaction(&self) -> bool {
        let Value::List(all) = self else { return false };
        let micro = |value: &Value| match value {
            Value::List(three) => match &three[..] {
                [Value::Text(f), _, _] => {
                    matches!(f.trim_start_matches(':'), "r" | "w" | "append" | "read" | "write")
                }
                _ => false,
            },
            _ => false,
        };
        !all.is_empty() && all.iter().all(micro)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Value::List(values.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(SmolStr::new(text))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Int(n) => write!(f, "{n}"),
            Value::Text(text) => f.write_str(&escape::json(text)),
            Value::List(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("]")
            }
        }
    }
}

/// What an operation asks of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Answer the object's value.
    Read,
    /// Make the argument the object's value.
    Write,
    /// An operation of another datatype, by name.
    Other(SmolStr),
}

impl Function {
    /// The name used in files: `read`, `write`, or the other name.
    pub fn as_str(&self) -> &str {
        match self {
            Function::Read => "read",
            Function::Write => "write",
            Function::Other(name) => name,
        }
    }

    /// The function with this name.
    pub fn named(name: &str) -> Self {
        match name {
            "read" => Function::Read,
            "write" => Function::Write,
            other => Function::Other(SmolStr::new(other)),
        }
    }
}

impl Serialize for Function {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Function {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = SmolStr::deserialize(deserializer)?;
        Ok(Function::named(&name))
    }
}

/// A request: which function, on which object, with which argument.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// What is asked.
    pub f: Function,
    /// Of which object.
    pub key: Key,
    /// With which argument; `Null` for a read.
    pub argument: Value,
}

impl Call {
    /// A read of `key`.
    pub fn read(key: impl Into<Key>) -> Self {
        Call { f: Function::Read, key: key.into(), argument: Value::Null }
    }

    /// A write of `value` to `key`.
    pub fn write(key: impl Into<Key>, value: impl Into<Value>) -> Self {
        Call { f: Function::Write, key: key.into(), argument: value.into() }
    }

    /// Whether this is a read.
    pub fn is_read(&self) -> bool {
        self.f == Function::Read
    }

    /// Whether this is a write.
    pub fn is_write(&self) -> bool {
        self.f == Function::Write
    }
}

impl fmt::Display for Call {
    /// `write x=1`, `read x`, `add x=3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.f.as_str(), self.key)?;
        if self.argument != Value::Null {
            write!(f, "={}", self.argument)?;
        }
        Ok(())
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Completion {
    /// It took effect and answered this value (`Null` for a write).
    Ok(Value),
    /// It certainly took no effect.
    Fail,
    /// Nobody knows: it may have happened, may still happen, or never.
    /// Also the completion of an operation that was never answered.
    Info,
}

/// A sequential client: its operations never overlap. A process ends after an
/// operation whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// A replica, numbered from 0 and shown from 1 (`NodeId(0)` is `n1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

impl NodeId {
    /// The position of this node in the cluster, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", u32::from(self.0) + 1)
    }
}

impl std::str::FromStr for NodeId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('n').and_then(|digits| digits.parse::<u16>().ok());
        match number {
            Some(number @ 1..) if text == format!("n{number}") => Ok(NodeId(number - 1)),
            _ => Err(format!("`{text}` does not name a node; nodes are named n1, n2, …")),
        }
    }
}

/// One client request with its invocation and its completion.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The client that issued it.
    pub process: ProcessId,
    /// The node it was sent to, where known.
    pub node: Option<NodeId>,
    /// What was asked.
    pub call: Call,
    /// When it was invoked, in nanoseconds (virtual ones in a simulated run).
    pub invoked: u64,
    /// When its answer arrived; `None` exactly when the completion is `Info`,
    /// because an operation of unknown outcome has no upper bound in time.
    pub returned: Option<u64>,
    /// How it ended.
    pub completion: Completion,
    /// Whether this is a read issued at quiescence.
    pub final_read: bool,
}

impl Operation {
    /// The value that a completed read answered.
    pub fn answer(&self) -> Option<&Value> {
        match (&self.call.f, &self.completion) {
            (Function::Read, Completion::Ok(value)) => Some(value),
            _ => None,
        }
    }

    /// What it answered, if it did.
    pub fn result(&self) -> Option<&Value> {
        match &self.completion {
            Completion::Ok(answer) => Some(answer),
            Completion::Info | Completion::Fail => None,
        }
    }

    /// Whether the outcome is unknown.
    pub fn is_pending(&self) -> bool {
        self.completion == Completion::Info
    }

    /// Whether this operation returned before `other` was invoked.
    pub fn returns_before(&self, other: &Operation) -> bool {
        self.returned.is_some_and(|at| at < other.invoked)
    }
}
