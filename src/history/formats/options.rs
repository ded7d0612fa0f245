//! What a reader is told about a file that the file does not say itself.

use super::unit::Unit;

/// How a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Skips and counts lines that cannot be understood, instead of giving up.
    pub lenient: bool,
    /// Refuses times that run backwards. Otherwise the order of the events counts, and such
    /// times are counted.
    pub strict_time: bool,
    /// The unit of times.
    pub unit: Unit,
    /// Fields that are not looked at.
    pub ignored: Vec<String>,
    /// How many values queues hold at first, which bounds what a drain of unknown outcome took.
    pub held: usize,
    /// Which field or column of the file is ours: `(ours, theirs)`.
    pub columns: Vec<(String, String)>,
}

impl Options {
    /// What a field of ours is called in the file.
    pub(super) fn theirs<'a>(&'a self, ours: &'a str) -> &'a str {
        let renamed = self.columns.iter().find(|(name, _)| name == ours);
        renamed.map_or(ours, |(_, theirs)| theirs)
    }

    /// Whether fields mean what they are called and times are whole nanoseconds.
    pub(super) fn are_plain(&self) -> bool {
        self.unit == Unit::default() && self.ignored.is_empty() && self.columns.is_empty()
    }
}
