//! What a strategy promises: one row for each strategy, setting and property.
//!
//! A row that expects *holds* fails if a violation is found; a row that expects
//! a violation fails if none is found. The latter detects a search that can
//! find no violations.

use crate::world::Setting;

use super::property::{Flaw, Property};

/// One row of the promise table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The strategy, as on the command line.
    pub strategy: String,
    /// The setting.
    pub setting: Setting,
    /// What is judged.
    pub property: Property,
    /// What must be found.
    pub expected: Expected,
    /// How many states a search for it visits at most, where all promises are checked.
    pub states: Option<u64>,
}

/// What a promise says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No run violates the model.
    Holds,
    /// Some run does, in this way.
    Violated(Flaw),
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expected::Holds => f.write_str("holds"),
            Expected::Violated(flaw) => write!(f, "violated ({flaw})"),
        }
    }
}
