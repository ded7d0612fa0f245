//! How much of a recording was judged while it grew. Everything left out is
//! counted here, so that no result can be taken for more than it shows.

use std::fmt;

use crate::judgement::model::Model;

/// How much was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many events there were.
    pub events: u64,
    /// How many operations.
    pub operations: u64,
    /// How many answers were given that could be wrong, those of operations that
    /// were forgotten among them.
    pub answers: u64,
    /// How many operations may be kept.
    pub window: usize,
    /// How many of them were forgotten.
    pub forgotten: u64,
    /// How many reads were not judged because what they answered may have been
    /// written by an operation that was forgotten.
    pub unjudged_reads: u64,
    /// How often a key was given up: a value was written twice, null was
    /// written, or there are other operations on it than reads and writes.
    pub unjudged_keys: u64,
    /// How many violations were not reported because their evidence did not
    /// hold: zero unless a checker is wrong.
    pub withheld: u64,
    /// Models that were undecided at the end, with the reason.
    pub undecided: Vec<(Model, String)>,
}

impl Coverage {
    /// Whether a model of which no violation was found holds of the whole
    /// recording.
    pub fn is_complete(&self) -> bool {
        let left_out = self.forgotten + self.unjudged_reads + self.unjudged_keys + self.withheld;
        left_out == 0 && self.undecided.is_empty()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} operations", self.operations)?;
        if self.forgotten > 0 {
            write!(f, "; window exceeded: not judged beyond {} operations", self.window)?;
        }
        for (number, what) in [
            (self.unjudged_reads, "reads of what may be forgotten were not judged"),
            (self.unjudged_keys, "keys were given up (repeated values, other operations)"),
            (self.withheld, "findings were withheld: their evidence did not hold"),
        ] {
            if number > 0 {
                write!(f, "; {number} {what}")?;
            }
        }
        for (model, reason) in &self.undecided {
            write!(f, "; {model} is undecided: {reason}")?;
        }
        Ok(())
    }
}
