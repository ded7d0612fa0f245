//! Results as a list, one entry for each result: what JUnit files, annotations of GitHub and
//! summaries in Markdown are made of.
//!
//! Invariant: a list in which everything is as it should be is the list of a command that
//! ends with success. Where a command ends otherwise and no entry tells why, the list gets
//! an entry that does. Nothing in a list depends on a clock, and every text in it is on one
//! line, but for the stories.
//!
//! Read next: [`super::junit`], [`super::github`] and [`super::markdown`] for the forms.

use crate::catalogue::ladder::Rung;
use crate::history::formats::Format;
use crate::hunt::case::replay::Fidelity;
use crate::hunt::case::write::why;
use crate::hunt::exam::Paper;
use crate::hunt::outcome::{Met, Outcome, Row, Status};
use crate::hunt::property::Judgement;
use crate::judgement::Verdict;
use crate::judgement::checker::Entry as Judgment;

use super::human::check::story;
use super::human::exam::{complained, found};
use super::human::suite::{self, remedy};
use super::human::{Human, beginning, rungs};
use super::json::seed_text;
use super::reporter::{
    Begin, Begun, Checked, EndOfRecordings, Examined, Kept, Replayed, Reporter, Searched, Suite,
    Tested, Unread,
};
use super::survey::Judged;
use super::table::{setting_text, told, unreached_text};
use super::verdict::{property_name, title};
use super::{Ink, Look, count};

/// How many steps of a counterexample of a recording are told.
const STEPS: usize = 12;

/// One result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was judged, without its setting: a strategy, a recording.
    pub subject: String,
    /// What was judged, in full. Entries that belong together have the same.
    pub suite: String,
    /// By what it was judged.
    pub property: String,
    /// How that ended.
    pub status: Status,
    /// The same in one line.
    pub told: String,
    /// All that there is to say of it, over several lines: the picture of a failing run.
    pub story: Option<String>,
    /// The file that shows it.
    pub file: Option<String>,
    /// The line of the file.
    pub line: Option<usize>,
    /// The case that shows it, if it is kept in a file.
    pub kept: Option<Kept>,
}

/// The results of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The command: `check`.
    pub command: &'static str,
    /// The results, in order.
    pub entries: Vec<Entry>,
    /// What else there is to know, by name: why the command ended as it did, its seed, how
    /// to repeat it.
    pub facts: Vec<(&'static str, String)>,
}

impl List {
    /// A list of a command that ended for this reason.
    pub fn new(
        command: &'static str,
        mut entries: Vec<Entry>,
        (exit, facts): (&str, Vec<(&'static str, String)>),
    ) -> List {
        let success = Status::Holds.to_string();
        if exit != success && entries.iter().all(|entry| entry.status == Status::Holds) {
            entries.push(Entry {
                subject: command.to_owned(),
                suite: command.to_owned(),
                property: "end".to_owned(),
                status: Status::Unknown,
                told: format!("the command as a whole ended as {exit}"),
                story: None,
                file: None,
                line: None,
                kept: None,
            });
        }
        let exit = ("exit", exit.to_owned());
        List { command, entries, facts: std::iter::once(exit).chain(facts).collect() }
    }

    /// The entries of each suite, in the order in which suites first occur.
    pub fn suites(&self) -> Vec<(&str, Vec<&Entry>)> {
        let mut suites: Vec<(&str, Vec<&Entry>)> = Vec::new();
        for entry in &self.entries {
            match suites.iter_mut().find(|(suite, _)| *suite == entry.suite) {
                Some((_, entries)) => entries.push(entry),
                None => suites.push((&entry.suite, vec![entry])),
            }
        }
        suites
    }

    /// How many entries there are of each kind, in words: `3 results: 2 as they should be,
    /// 1 violated`.
    pub fn totals(&self) -> String {
        let all = self.entries.len();
        let plural = if all == 1 { "" } else { "s" };
        let counts = [
            (Status::Holds, "as expected"),
            (Status::Violated, "violated"),
            (Status::NotReproduced, "not reproduced"),
            (Status::Unknown, "unknown"),
            (Status::Nothing, "with nothing to judge"),
        ];
        let parts = counts.into_iter().filter_map(|(status, words)| {
            let number = self.entries.iter().filter(|entry| entry.status == status).count();
            (number > 0).then(|| format!("{} {words}", count(number as u64)))
        });
        let parts: Vec<_> = parts.collect();
        format!("{} result{plural}: {}", count(all as u64), parts.join(", "))
    }
}

/// Writes results as a list, in the form that a function gives it.
pub struct Listing {
    look: Look,
    form: fn(&List) -> String,
    recordings: Vec<Entry>,
}

impl Listing {
    /// A reporter that writes lists by `form`. Pictures have this look, uncoloured and as
    /// wide as they are without a terminal.
    pub fn new(look: Look, form: fn(&List) -> String) -> Listing {
        let look = Look { ink: Ink::Plain, width: Look::default().width, ..look };
        Listing { look, form, recordings: Vec::new() }
    }

    fn write(
        &self,
        command: &'static str,
        entries: Vec<Entry>,
        end: (&str, Vec<(&'static str, String)>),
    ) -> String {
        (self.form)(&List::new(command, entries, end))
    }
}

impl Reporter for Listing {
    fn begin(&self, check: &Begun<'_>) -> Begin {
        Begin::Note(beginning(check, &self.look))
    }

    fn ladder(&self, rungs: &[Rung]) -> Begin {
        Begin::Note(self::rungs(rungs, &self.look))
    }

    fn check(&self, checked: &Checked<'_>) -> String {
        let of = |searched| checked_entries(checked, searched, &self.look);
        let entries = checked.searches.iter().flat_map(of).collect();
        let again = ("again", self.look.text(checked.again));
        let mut facts = vec![("seed", seed_text(checked.seed)), again];
        let rows = checked.searches.iter().filter_map(|searched| searched.rows.first());
        facts.extend(rows.filter_map(|row| {
            let text = unreached_text(row.unreached)?;
            Some(("note", self.look.text(&format!("{}: {text}", suite(row)))))
        }));
        self.write("check", entries, (checked.exit, facts))
    }

    fn exam(&self, examined: &Examined<'_>) -> String {
        let papers = examined.papers.iter();
        let entries =
            papers.map(|(paper, _)| examined_entry(examined, paper, &self.look)).collect();
        let again = ("again", self.look.text(examined.again));
        let facts = vec![("seed", seed_text(examined.seed)), again];
        self.write("check --mutants", entries, (examined.exit, facts))
    }

    fn replay(&self, replayed: &Replayed<'_>) -> String {
        let entry = replayed_entry(replayed, &self.look);
        self.write("replay", vec![entry], (replayed.exit, Vec::new()))
    }

    fn suite(&self, suite: &Suite<'_>) -> String {
        let entries = suite.tests.iter().map(|one| tested_entry(one, &self.look));
        let unread = suite.unread.iter().map(|one| unread_entry(one, &self.look));
        let entries = entries.chain(unread).collect();
        self.write("test", entries, (suite.exit, Vec::new()))
    }

    fn recording(&mut self, judged: &Judged<'_>) -> String {
        let entries = judged.survey.entries().iter();
        let look = self.look;
        self.recordings.extend(entries.map(|entry| recorded_entry(judged, entry, &look)));
        String::new()
    }

    fn unread(&mut self, unread: &Unread<'_>) -> String {
        self.recordings.push(unread_entry(unread, &self.look));
        String::new()
    }

    fn end_of_recordings(&mut self, end: &EndOfRecordings<'_>) -> String {
        let entries = std::mem::take(&mut self.recordings);
        self.write("verify", entries, (end.exit, Vec::new()))
    }
}

/// The entries of one search, one for each property.
fn checked_entries(checked: &Checked<'_>, searched: &Searched<'_>, look: &Look) -> Vec<Entry> {
    let entry = |(at, row): (usize, &Row<'_>)| {
        let failure = searched.failures.iter().find(|failure| failure.rows.contains(&at));
        let promised = match (row.expected, row.met()) {
            (Some(_), Met::Yes) => ", as promised".to_owned(),
            (Some(expected), _) => format!(", promised {expected}"),
            (None, _) => String::new(),
        };
        let saved = row.case.as_ref();
        let kept = match (saved, &row.outcome) {
            (Some(saved), _) => checked.kept.iter().find(|kept| kept.path == saved.path),
            (None, Outcome::Violated(flaw)) => {
                let place = (row.strategy, row.setting);
                Kept::of(checked.kept, place, (&row.found.property, *flaw))
            }
            (None, _) => None,
        };
        Entry {
            subject: look.text(row.strategy),
            suite: look.text(&suite(row)),
            property: look.text(&property_name(&row.found.property)),
            status: row.status(),
            told: look.text(&format!("{}{promised}", found_of(row))),
            story: failure.map(|failure| story(checked, failure, &[row], look)),
            file: saved.map(|saved| look.text(&saved.path)),
            line: saved.map(|saved| saved.line),
            kept: kept.cloned(),
        }
    };
    searched.rows.iter().enumerate().map(entry).collect()
}

fn suite(row: &Row<'_>) -> String {
    format!("{} · {}", row.strategy, setting_text(row.setting))
}

/// What was found of a property, in one line.
fn found_of(row: &Row<'_>) -> String {
    match row.outcome {
        Outcome::Violated(_) => format!("violated: {}", told(row)),
        _ => told(row),
    }
}

fn examined_entry(examined: &Examined<'_>, paper: &Paper<'_>, look: &Look) -> Entry {
    let mutant = paper.mutant;
    let place = (mutant.strategy.as_str(), &mutant.setting);
    let kept = Kept::of(examined.kept, place, (&mutant.property, mutant.flaw));
    let complaints = paper.complaints();
    let complaints: Vec<_> = complaints.iter().map(|it| complained(it, paper)).collect();
    let told = match complaints.is_empty() {
        true => found(paper),
        false => complaints.join("; "),
    };
    Entry {
        subject: look.text(&mutant.strategy),
        suite: look.text(&format!("{} · {}", mutant.strategy, setting_text(&mutant.setting))),
        property: look.text(&property_name(&mutant.property)),
        status: paper.status(),
        told: look.text(&told),
        story: (!complaints.is_empty())
            .then(|| format!("{}\n{}\n", look.text(&told), look.text(&found(paper)))),
        file: None,
        line: None,
        kept: kept.cloned(),
    }
}

fn replayed_entry(replayed: &Replayed<'_>, look: &Look) -> Entry {
    let Replayed { strategy, case, replay, .. } = *replayed;
    let status = Status::of_replay(replay);
    let told = match (&replay.fidelity, &replay.judgement) {
        (Fidelity::TextsDiffer(it) | Fidelity::Differs(it), _) => {
            format!("step {}: recorded {}, present {}", it.step, it.recorded, it.present)
        }
        (Fidelity::Reproduced, Judgement::Holds) => "holds, reproduced".to_owned(),
        (Fidelity::Reproduced, judgement) => {
            let why = why(&replay.run, &case.property, judgement, replay.datatype);
            format!("{}, reproduced: {why}", title(&case.property, judgement))
        }
    };
    Entry {
        subject: look.text(strategy),
        suite: look.text(&format!("{strategy} · {}", setting_text(&case.setting))),
        property: look.text(&property_name(&case.property)),
        status,
        told: look.text(&told),
        story: (status != Status::Holds).then(|| Human(*look).replay(replayed)),
        file: Some(look.text(replayed.path)),
        line: Some(replayed.line),
        kept: None,
    }
}

/// The entry of a case: its file is the suite, because several cases may be about the same
/// property of the same strategy.
fn tested_entry(one: &Tested<'_>, look: &Look) -> Entry {
    let path = look.text(one.replayed.path);
    let remedy = remedy(one).map_or(String::new(), |remedy| format!("; {remedy}"));
    let replayed = replayed_entry(&one.replayed, look);
    Entry {
        subject: path.clone(),
        suite: path,
        status: one.status,
        told: look.text(&format!("{}{remedy}", suite::told(one))),
        story: (one.status != Status::Holds).then(|| Human(*look).replay(&one.replayed)),
        ..replayed
    }
}

/// The entry of a file that could not be read.
fn unread_entry(unread: &Unread<'_>, look: &Look) -> Entry {
    let name = look.text(unread.name);
    Entry {
        subject: name.clone(),
        suite: name.clone(),
        property: "readable".to_owned(),
        status: Status::Unknown,
        told: look.text(&unread.why.replace("\n  ", "; ")),
        story: None,
        file: (unread.name != "-").then_some(name),
        line: None,
        kept: None,
    }
}

fn recorded_entry(judged: &Judged<'_>, entry: &Judgment, look: &Look) -> Entry {
    let recording = judged.recording;
    let called = look.text(&recording.called(judged.name));
    let status = Status::of_verdict(&entry.verdict, judged.is_vacuous(), judged.every);
    let is_a_file = recording.format != Format::Notation && judged.name != "-";
    let places = match &*entry.verdict {
        Verdict::Violated(found) => found.operations.as_slice(),
        Verdict::Holds(_) | Verdict::Unknown(_) => &[],
    };
    let places = places.iter().map(|at| recording.place(*at));
    let line = places.filter(|(word, _)| *word == "line").map(|(_, line)| line).max();
    let word = match &*entry.verdict {
        Verdict::Violated(found) => format!("violated ({})", found.kind),
        Verdict::Holds(_) => "holds".to_owned(),
        Verdict::Unknown(_) => "unknown".to_owned(),
    };
    let why = judged.why(entry, STEPS);
    let told = match status {
        Status::Nothing => format!("{word}, but no answer could be wrong"),
        _ if why.is_empty() => word,
        _ => format!("{word}: {why}"),
    };
    let hints = || judged.hints().into_iter().map(|hint| format!("\nhint: {}\n", look.text(&hint)));
    let story = (status == Status::Violated)
        .then(|| judged.row(entry, None, STEPS, look) + &hints().collect::<String>());
    Entry {
        subject: called.clone(),
        suite: called.clone(),
        property: look.text(&entry.model.name()),
        status,
        told: look.text(&told),
        story,
        file: is_a_file.then_some(called),
        line: line.filter(|_| is_a_file),
        kept: None,
    }
}
