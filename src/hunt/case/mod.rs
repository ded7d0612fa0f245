//! The case file: one failing history as a small, readable, versioned JSON
//! file that replays without a seed, a commit or a search.
//!
//! Invariant: a case contains everything that replaying needs. Its schedule
//! describes each action in full, so a reader can follow it without a tool. Old
//! versions of the format keep replaying.
//!
//! Read next: [`mod@read`] and [`mod@write`] for the format, [`words`] for its
//! texts, [`replay`] for the result of a replay.

mod layout;
mod locate;
pub mod read;
pub mod replay;
mod schema;
pub mod words;
pub mod write;

use std::fmt;

use crate::history::History;
use crate::replication::StrategyName;
use crate::world::{Action, MessageName, Setting, Workload};

use super::property::{Flaw, Property, named};

/// The format that this version writes and reads.
pub const FORMAT: &str = "quiescence-case/1";

/// A failing history with everything that replaying it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The version of the tool that wrote it.
    pub tool: String,
    /// The strategy.
    pub strategy: StrategyName,
    /// The name of the datatype that it replicates.
    pub datatype: String,
    /// The setting of the run.
    pub setting: Setting,
    /// What clients asked.
    pub workload: Workload,
    /// What nodes sent when they started, as texts.
    pub start: Vec<String>,
    /// The steps of the run.
    pub schedule: Vec<CaseStep>,
    /// How many of the last steps repeat for ever, if they do.
    pub cycle: Option<usize>,
    /// What clients saw.
    pub history: History,
    /// What was judged.
    pub property: Property,
    /// How the property fails; `None` if it holds.
    pub kind: Option<Flaw>,
    /// The reason, for people; it is not needed for replaying.
    evidence: serde_json::Value,
    /// Whether no single chosen action can be removed.
    pub minimal: bool,
    /// How it was found.
    pub found: FoundBy,
    /// The run as it was found, if that was shrunk and is not too long to be kept. It is
    /// evidence of where the case comes from; the verdict does not rest on it.
    pub full: Option<RecordedRun>,
}

/// How many steps the longest run has that a case keeps as it was found.
pub const FULL_MAX: usize = 300;

/// A run as a case records it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRun {
    /// Its setting.
    pub setting: Setting,
    /// What clients asked.
    pub workload: Workload,
    /// What nodes sent when they started, as texts.
    pub start: Vec<String>,
    /// Its steps.
    pub schedule: Vec<CaseStep>,
    /// How many of the last steps repeat for ever, if they do.
    pub cycle: Option<usize>,
    /// What clients saw.
    pub history: History,
}

/// One step of a recorded schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseStep {
    /// The action.
    pub action: Action<MessageName>,
    /// What happened, in words.
    pub text: String,
    /// What it sent, as `n1→n2 #1 store x=1`.
    pub sends: Vec<String>,
    /// Whether settling added it; such a step is recomputed in a replay.
    pub settling: bool,
}

/// How a case was found. Nothing in here is needed to replay it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundBy {
    /// By which search, if that is known.
    pub search: Option<SearchName>,
    /// The seed of the search.
    pub seed: Option<u64>,
    /// The number of the run, or of the execution.
    pub run: Option<u64>,
    /// How many actions that run had before it was shrunk.
    pub shrunk_from: Option<usize>,
}

/// A search that finds cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchName {
    /// Random runs.
    Random,
    /// Every run in a scope.
    Exhaustive,
    /// Interleavings of real threads.
    Threads,
}

impl SearchName {
    /// All of them.
    pub const ALL: [SearchName; 3] =
        [SearchName::Random, SearchName::Exhaustive, SearchName::Threads];
}

impl fmt::Display for SearchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SearchName::Random => "random",
            SearchName::Exhaustive => "exhaustive",
            SearchName::Threads => "threads",
        })
    }
}

impl std::str::FromStr for SearchName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named("search", &SearchName::ALL, text)
    }
}

/// What a case shows of its property, or is expected to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The property holds.
    Holds,
    /// It is violated.
    Violated,
}

impl Expectation {
    /// Both.
    pub const ALL: [Expectation; 2] = [Expectation::Holds, Expectation::Violated];
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expectation::Holds => "holds",
            Expectation::Violated => "violated",
        })
    }
}

impl std::str::FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named("verdict", &Expectation::ALL, text)
    }
}

impl Case {
    /// What the case records of its property.
    pub fn recorded(&self) -> Expectation {
        match self.kind {
            Some(_) => Expectation::Violated,
            None => Expectation::Holds,
        }
    }

    /// Why the property fails, in words, if the file says so.
    pub fn why(&self) -> Option<&str> {
        self.evidence.get("why").and_then(|why| why.as_str())
    }

    /// The case that the run as it was found would be, without being shrunk.
    pub fn as_found(&self) -> Option<Case> {
        let RecordedRun { setting, workload, start, schedule, cycle, history } =
            self.full.clone()?;
        Some(Case {
            setting,
            workload,
            start,
            schedule,
            cycle,
            history,
            evidence: serde_json::Value::Null,
            minimal: false,
            found: FoundBy { shrunk_from: None, ..self.found.clone() },
            full: None,
            ..self.clone()
        })
    }

    /// How many steps were chosen, not added by settling.
    pub fn chosen(&self) -> usize {
        self.schedule.iter().filter(|step| !step.settling).count()
    }
}

/// Why a text is not a case, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct NotACase {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}
