//! The forms of output: one [`Reporter`] for each.
//!
//! A reporter only renders results that were judged before. A new form of
//! output needs a file with a reporter, and a line where the command line
//! chooses one.

use std::time::Duration;

use crate::catalogue::Registry;
use crate::catalogue::ladder::Rung;
use crate::hunt::case::replay::{FullReplay, Replay};
use crate::hunt::case::{Case, Expectation};
use crate::hunt::exam::Paper;
use crate::hunt::landmarks::Landmarks;
use crate::hunt::neighbour::Neighbour;
use crate::hunt::outcome::{Failure, Row, Status};
use crate::hunt::property::{Flaw, Property};
use crate::world::Setting;

use super::survey::Judged;

/// A form of output. What it returns goes to standard output.
pub trait Reporter {
    /// What a check is about to do.
    fn begin(&self, check: &Begun<'_>) -> Begin;

    /// The rungs that are about to be checked.
    fn ladder(&self, rungs: &[Rung]) -> Begin;

    /// What a check has found.
    fn check(&self, checked: &Checked<'_>) -> String;

    /// The result of the exam.
    fn exam(&self, examined: &Examined<'_>) -> String;

    /// The result of a replay.
    fn replay(&self, replayed: &Replayed<'_>) -> String;

    /// The results of a regression suite.
    fn suite(&self, suite: &Suite<'_>) -> String;

    /// The verdicts on one recording.
    fn recording(&mut self, judged: &Judged<'_>) -> String;

    /// A recording, among several, that could not be read, and why.
    fn unread(&mut self, unread: &Unread<'_>) -> String;

    /// What remains to be written after the last recording.
    fn end_of_recordings(&mut self, end: &EndOfRecordings<'_>) -> String;
}

/// A recording or a case that could not be read or is malformed.
pub struct Unread<'a> {
    /// What the command line calls it.
    pub name: &'a str,
    /// What is wrong with it, and where.
    pub why: &'a str,
}

/// How judging recordings ended.
pub struct EndOfRecordings<'a> {
    /// Whether only one recording was asked for.
    pub one: bool,
    /// Why the command ends as it does, in a word.
    pub exit: &'a str,
}

/// Where the first line of a check goes.
pub enum Begin {
    /// It is part of the output.
    Output(String),
    /// It is for the waiting user, and not part of the output.
    Note(String),
}

/// A check that is about to begin.
pub struct Begun<'a> {
    /// The seed of the random runs.
    pub seed: u64,
    /// The searches to run, in words.
    pub searches: &'a str,
    /// The setting, if there is only one.
    pub setting: Option<&'a Setting>,
    /// How many settings there are.
    pub settings: usize,
    /// How many mutants are examined, if it is an exam.
    pub mutants: Option<usize>,
}

/// What a check has found.
pub struct Checked<'a> {
    /// The seed of the random runs.
    pub seed: u64,
    /// One entry for each search.
    pub searches: &'a [Searched<'a>],
    /// What is known of the strategies.
    pub registry: &'a Registry,
    /// Cases that are kept in files, where the form of output leads to them.
    pub kept: &'a [Kept],
    /// Whether all promises were checked, not strategies that were named.
    pub promises: bool,
    /// How long all of it took.
    pub time: Duration,
    /// The command that repeats this check.
    pub again: &'a str,
    /// The name by which the program was called.
    pub program: &'a str,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why the command ends as it does, in a word.
    pub exit: &'a str,
}

impl<'a> Checked<'a> {
    /// All rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row<'a>> + Clone {
        self.searches.iter().flat_map(|searched| &searched.rows)
    }
}

/// What an exam has found.
pub struct Examined<'a> {
    /// The seed of the random runs.
    pub seed: u64,
    /// One entry for each mutant, with how long its hunts took together.
    pub papers: &'a [(Paper<'a>, Duration)],
    /// Cases that are kept in files, where the form of output leads to them.
    pub kept: &'a [Kept],
    /// How long all of it took.
    pub time: Duration,
    /// The command that repeats this exam.
    pub again: &'a str,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why the command ends as it does, in a word.
    pub exit: &'a str,
}

/// What was found of one strategy in one setting.
pub struct Searched<'a> {
    /// One row for each property.
    pub rows: Vec<Row<'a>>,
    /// The failing runs that no promise expects.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub time: Duration,
}

/// A violation that is kept as a case in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The path of the file.
    pub path: String,
    /// The path of a page about it, if there is one beside it.
    pub page: Option<String>,
    /// The commands that show more of it.
    pub commands: [String; 2],
    /// The short name of the strategy.
    pub strategy: String,
    /// The setting.
    pub setting: Setting,
    /// What is violated.
    pub property: Property,
    /// In which way.
    pub flaw: Flaw,
}

impl Kept {
    /// The case that shows that a strategy violates a property in this way in a setting: one
    /// of that setting if there is one, else a smaller one.
    pub fn of<'k>(
        all: &'k [Kept],
        (strategy, setting): (&str, &Setting),
        (property, flaw): (&Property, Flaw),
    ) -> Option<&'k Kept> {
        let shows = |kept: &&Kept| {
            kept.strategy == strategy
                && (&kept.property, kept.flaw) == (property, flaw)
                && kept.setting.is_part_of(setting)
        };
        all.iter().filter(shows).min_by_key(|kept| kept.setting != *setting)
    }
}

/// A case, replayed.
pub struct Replayed<'a> {
    /// The short name of the strategy.
    pub strategy: &'a str,
    /// What is known of the strategies.
    pub registry: &'a Registry,
    /// The path of the file.
    pub path: &'a str,
    /// The line in it that shows what was found.
    pub line: usize,
    /// What was recorded.
    pub case: &'a Case,
    /// The new run.
    pub replay: &'a Replay,
    /// What other models say of the run.
    pub landmarks: &'a Landmarks,
    /// The nearest run that does not fail, if it was sought and there is one.
    pub neighbour: Option<&'a Neighbour>,
    /// The same failure in a longer or a shorter run.
    pub other: Other<'a>,
    /// After how many steps to stop; `None` for the whole run.
    pub until: Option<usize>,
    /// Why the command ends as it does, in a word.
    pub exit: &'a str,
}

/// What else a case has besides the run that is shown.
#[derive(Clone, Copy)]
pub enum Other<'a> {
    /// The run as it was found, replayed.
    Full(&'a FullReplay),
    /// The run as it was found is shown, and was shrunk to so many steps.
    Minimal(usize),
    /// Nothing, or nobody has asked for it.
    None,
}

/// A regression suite of cases, replayed.
pub struct Suite<'a> {
    /// Its cases, in order.
    pub tests: &'a [Tested<'a>],
    /// Files of it that could not be read.
    pub unread: &'a [Unread<'a>],
    /// Why the command ends as it does, in a word.
    pub exit: &'a str,
}

/// A case of a suite.
pub struct Tested<'a> {
    /// What happened.
    pub replayed: Replayed<'a>,
    /// What was expected of its property.
    pub expected: Expectation,
    /// Whether it is as expected.
    pub status: Status,
}
