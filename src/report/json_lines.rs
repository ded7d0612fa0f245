//! Results for programs, one a line, as `docs/schema/lines.schema.json` describes them.
//!
//! The last line says how the command ended, so that a reader knows whether it has read
//! everything.

use serde_json::{Value, json};

use crate::catalogue::ladder::Rung;

use super::human::{beginning, rungs};
use super::json::{self, line, seed_text};
use super::reporter::{
    Begin, Begun, Checked, EndOfRecordings, Examined, Replayed, Reporter, Suite, Unread,
};
use super::survey::Judged;
use super::{Look, SCHEMA};

/// Writes one JSON object a line.
pub struct JsonLines(pub Look);

impl Reporter for JsonLines {
    fn begin(&self, check: &Begun<'_>) -> Begin {
        Begin::Note(beginning(check, &self.0))
    }

    fn ladder(&self, rungs: &[Rung]) -> Begin {
        Begin::Note(self::rungs(rungs, &self.0))
    }

    fn check(&self, checked: &Checked<'_>) -> String {
        let results = checked.rows().map(|row| one("result", json::result(row)));
        results.chain([end(Some(checked.seed), checked.exit)]).collect()
    }

    fn exam(&self, examined: &Examined<'_>) -> String {
        let papers = examined.papers.iter();
        let mutants = papers.map(|(paper, _)| one("mutant", json::paper(paper)));
        mutants.chain([end(Some(examined.seed), examined.exit)]).collect()
    }

    fn replay(&self, replayed: &Replayed<'_>) -> String {
        one("replay", json::replay(replayed)) + &end(None, replayed.exit)
    }

    fn suite(&self, suite: &Suite<'_>) -> String {
        let tests = suite.tests.iter().map(|case| one("test", json::tested(case)));
        let unread = suite.unread.iter().map(|it| one("unread", json::unread(it)));
        tests.chain(unread).chain([end(None, suite.exit)]).collect()
    }

    fn recording(&mut self, judged: &Judged<'_>) -> String {
        let one = |verdict| {
            line(&json!({ "schema": SCHEMA, "history": judged.name, "verdict": verdict }))
        };
        judged.verdicts().into_iter().map(one).collect()
    }

    fn unread(&mut self, unread: &Unread<'_>) -> String {
        one("unread", json::unread(unread))
    }

    fn end_of_recordings(&mut self, of: &EndOfRecordings<'_>) -> String {
        end(None, of.exit)
    }
}

fn one(name: &str, part: Value) -> String {
    line(&json!({ "schema": SCHEMA, (name): part }))
}

/// The last line.
fn end(seed: Option<u64>, exit: &str) -> String {
    let mut end = json!({ "tool": env!("CARGO_PKG_VERSION"), "exit": exit });
    if let Some(seed) = seed {
        end["seed"] = seed_text(seed).into();
    }
    one("end", end)
}
