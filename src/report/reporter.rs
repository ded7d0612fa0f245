//! For whom results are written: one [`Reporter`] for each form of output.
//!
//! A reporter only renders: what it is given has been judged. A new form of
//! output is a file with a reporter, and a line where the command line chooses
//! one.

use std::time::Duration;

use crate::catalogue::Registry;
use crate::hunt::case::Case;
use crate::hunt::case::replay::Replay;
use crate::hunt::landmarks::Landmarks;
use crate::hunt::outcome::{Failure, Row};
use crate::world::Setting;

use super::survey::Judged;

/// A form of output. What it returns goes to standard output.
pub trait Reporter {
    /// What a check is about to do.
    fn begin(&self, check: &Begun<'_>) -> Begin;

    /// What a check has found.
    fn check(&self, checked: &Checked<'_>) -> String;

    /// What came of a replay.
    fn replay(&self, replayed: &Replayed<'_>) -> String;

    /// What verdicts say of a recording, one of several perhaps.
    fn recording(&mut self, judged: &Judged<'_>) -> String;

    /// What is left to say after all recordings, `one` or several, were judged.
    fn end_of_recordings(&mut self, one: bool) -> String;
}

/// Where the line goes with which a check begins.
pub enum Begin {
    /// It is part of the output.
    Output(String),
    /// It is for whoever waits, and no part of the output.
    Note(String),
}

/// A check that is about to begin.
pub struct Begun<'a> {
    /// Where chance begins.
    pub seed: u64,
    /// Which searches are done, in words.
    pub searches: &'a str,
    /// The setting, if there is only one.
    pub setting: Option<&'a Setting>,
    /// How many settings there are.
    pub settings: usize,
}

/// What a check has found.
pub struct Checked<'a> {
    /// Search by search.
    pub searches: &'a [Searched<'a>],
    /// What is known of the strategies.
    pub registry: &'a Registry,
    /// Whether these are all promises, and not what somebody asked for.
    pub promises: bool,
    /// How long all of it took.
    pub time: Duration,
    /// The command that does the same again.
    pub again: &'a str,
    /// How the program was called.
    pub program: &'a str,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

impl<'a> Checked<'a> {
    /// All rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row<'a>> + Clone {
        self.searches.iter().flat_map(|searched| &searched.rows)
    }
}

/// What was found of one strategy in one setting.
pub struct Searched<'a> {
    /// One row a property.
    pub rows: Vec<Row<'a>>,
    /// The failing runs that are news.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub time: Duration,
}

/// A case, replayed.
pub struct Replayed<'a> {
    /// The strategy, in short.
    pub strategy: &'a str,
    /// What is known of the strategies.
    pub registry: &'a Registry,
    /// What was recorded.
    pub case: &'a Case,
    /// What happened this time.
    pub replay: &'a Replay,
    /// What other models say of the run.
    pub landmarks: &'a Landmarks,
    /// After how many steps to stop, if the end is not wanted.
    pub until: Option<usize>,
}
