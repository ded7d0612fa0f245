//! What a replica holds, as people are shown it.
//!
//! It is data, so that whoever draws it need not take a text apart.

use crate::history::{Key, Value};

/// One part of what a replica holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What it holds under a key of the clients.
    Key(Key, String),
    /// Something else, by its name.
    Field(String, String),
}

impl Part {
    /// The key or the name.
    pub fn name(&self) -> &str {
        match self {
            Part::Key(key, _) => key.as_str(),
            Part::Field(name, _) => name,
        }
    }

    /// What is held there, in short.
    pub fn value(&self) -> &str {
        match self {
            Part::Key(_, value) | Part::Field(_, value) => value,
        }
    }

    /// Whether both are about the same key, or the same field.
    pub fn is_of(&self, other: &Part) -> bool {
        match (self, other) {
            (Part::Key(key, _), Part::Key(other, _)) => key == other,
            (Part::Field(name, _), Part::Field(other, _)) => name == other,
            (Part::Key(..), Part::Field(..)) | (Part::Field(..), Part::Key(..)) => false,
        }
    }
}

/// A value as people read it: `nothing` where no value is.
pub fn shown(value: &Value) -> String {
    if *value == Value::Null { "nothing".to_owned() } else { value.to_string() }
}
