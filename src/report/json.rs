//! Results for programs, as `docs/schema/results.schema.json` describes them.

use serde_json::{Map, Value, json};

use crate::catalogue::ladder::Rung;
use crate::history::{Function, escape};
use crate::hunt::both::Finding;
use crate::hunt::case::replay::{Fidelity, Replay};
use crate::hunt::case::write::{setting, why};
use crate::hunt::exam::Paper;
use crate::hunt::exhaustive::{Doubt, Proof};
use crate::hunt::outcome::{Outcome, Row, Saved};
use crate::hunt::property::Judgement;
use crate::search::exhaustive::Open;

use super::human::{beginning, rungs};
use super::reporter::{
    Begin, Begun, Checked, EndOfRecordings, Examined, Other, Replayed, Reporter, Suite, Tested,
    Unread,
};
use super::survey::Judged;
use super::table::{doubt_text, reason};
use super::timeline::sentences;
use super::{Look, SCHEMA, neighbour};

/// Writes JSON texts, each with a newline at its end.
#[derive(Default)]
pub struct Json {
    /// The look of notes, which are not part of the output.
    look: Look,
    recordings: Vec<Value>,
    unread: Vec<Value>,
}

impl Json {
    /// A reporter whose notes have this look.
    pub fn new(look: Look) -> Json {
        Json { look, recordings: Vec::new(), unread: Vec::new() }
    }
}

impl Reporter for Json {
    fn begin(&self, check: &Begun<'_>) -> Begin {
        Begin::Note(beginning(check, &self.look))
    }

    fn ladder(&self, rungs: &[Rung]) -> Begin {
        Begin::Note(self::rungs(rungs, &self.look))
    }

    fn check(&self, checked: &Checked<'_>) -> String {
        let results: Vec<_> = checked.rows().map(result).collect();
        document("results", results.into(), Some(checked.seed), checked.exit)
    }

    fn exam(&self, examined: &Examined<'_>) -> String {
        let mutants: Vec<_> = examined.papers.iter().map(|(paper, _)| self::paper(paper)).collect();
        document("mutants", mutants.into(), Some(examined.seed), examined.exit)
    }

    fn replay(&self, replayed: &Replayed<'_>) -> String {
        document("replay", replay(replayed), None, replayed.exit)
    }

    fn suite(&self, suite: &Suite<'_>) -> String {
        let tests: Vec<_> = suite.tests.iter().map(tested).collect();
        let unread = suite.unread.iter().map(self::unread).collect();
        text(&with_frame(
            with_unread(json!({ "schema": SCHEMA, "tests": tests }), unread),
            suite.exit,
        ))
    }

    fn recording(&mut self, judged: &Judged<'_>) -> String {
        self.recordings.push(judged.json());
        String::new()
    }

    fn unread(&mut self, unread: &Unread<'_>) -> String {
        self.unread.push(self::unread(unread));
        String::new()
    }

    fn end_of_recordings(&mut self, end: &EndOfRecordings<'_>) -> String {
        let mut all = std::mem::take(&mut self.recordings);
        if end.one && all.len() == 1 {
            return text(&with_frame(all.swap_remove(0), end.exit));
        }
        let all = json!({ "schema": SCHEMA, "histories": all });
        text(&with_frame(with_unread(all, std::mem::take(&mut self.unread)), end.exit))
    }
}

/// A document of one part, with the version of its format, the version of the tool, the
/// seed where there is chance, and why the command ends as it does.
fn document(name: &str, part: Value, seed: Option<u64>, exit: &str) -> String {
    let mut all = json!({ "schema": SCHEMA, (name): part });
    if let Some(seed) = seed {
        all["seed"] = seed_text(seed).into();
    }
    text(&with_frame(all, exit))
}

/// What could not be read, and why.
pub(super) fn unread(unread: &Unread<'_>) -> Value {
    json!({ "name": unread.name, "error": unread.why })
}

/// A document with what could not be read, if there is any.
fn with_unread(mut all: Value, unread: Vec<Value>) -> Value {
    if !unread.is_empty() {
        all["unread"] = unread.into();
    }
    all
}

/// A document with the version of the tool, and why the command ends as it does.
pub(crate) fn with_frame(mut all: Value, exit: &str) -> Value {
    all["tool"] = env!("CARGO_PKG_VERSION").into();
    all["exit"] = exit.into();
    all
}

/// A seed as the command line takes it: as a number it would lose digits in some readers.
pub(super) fn seed_text(seed: u64) -> String {
    format!("{seed:#x}")
}

/// A case of a regression suite.
pub(super) fn tested(one: &Tested<'_>) -> Value {
    json!({
        "case": one.replayed.path,
        "expected": one.expected.to_string(),
        "recorded": one.replayed.case.recorded().to_string(),
        "status": one.status.to_string(),
        "replay": replay(&one.replayed),
    })
}

/// A replay.
pub(super) fn replay(replayed: &Replayed<'_>) -> Value {
    let Replayed { strategy, case, replay, .. } = replayed;
    let steps: Vec<_> = replay.trace.steps.iter().map(|step| sentences(step).join(" · ")).collect();
    let mut all = json!({
        "strategy": strategy,
        "setting": setting(&case.setting),
        "model": case.property.to_string(),
        "evidence": why(&replay.run, &case.property, &replay.judgement, replay.datatype),
        "steps": steps,
        "passes_if": replayed.neighbour.map(|it| neighbour::told(it, &replay.trace)),
    });
    let full = match replayed.other {
        Other::Full(full) => {
            let mut told = ended(&full.replay);
            told.insert("actions".to_owned(), full.steps().into());
            Some(told)
        }
        Other::Minimal(_) | Other::None => None,
    };
    all["full"] = full.into();
    for (name, said) in ended(replay) {
        all[name] = said;
    }
    all
}

/// How a replay ended, and whether it matched the record.
fn ended(replay: &Replay) -> Map<String, Value> {
    let (outcome, difference) = match &replay.fidelity {
        Fidelity::Reproduced => ("reproduced", None),
        Fidelity::TextsDiffer(difference) => ("texts-differ", Some(difference)),
        Fidelity::Differs(difference) => ("differs", Some(difference)),
    };
    let difference = difference.map(|difference| {
        json!({
            "step": difference.step,
            "recorded": difference.recorded,
            "present": difference.present,
        })
    });
    let verdict = match &replay.judgement {
        Judgement::Holds => "holds",
        Judgement::Violated(..) => "violated",
        Judgement::Unknown(_) => "unknown",
    };
    let kind = replay.judgement.flaw().map(|flaw| flaw.to_string());
    let all = [
        ("outcome", outcome.into()),
        ("difference", difference.into()),
        ("verdict", verdict.into()),
        ("kind", kind.into()),
    ];
    all.map(|(name, said)| (name.to_owned(), said)).into_iter().collect()
}

/// A JSON value on one line, escaped likewise.
pub(crate) fn line(value: &Value) -> String {
    format!("{}\n", escape::in_json(&value.to_string()))
}

/// A JSON value, pretty-printed, with escapes for characters that could control
/// a terminal.
pub(crate) fn text(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON values are serialisable");
    format!("{}\n", escape::in_json(&text))
}

/// The word for an outcome.
fn verdict(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Kept => "holds",
        Outcome::Violated(_) => "violated",
        Outcome::Unknown(_) => "unknown",
        Outcome::Vacuous(_) => "nothing-checked",
    }
}

/// What an exam has found of one mutant.
pub(super) fn paper(paper: &Paper<'_>) -> Value {
    let mutant = paper.mutant;
    let searched = paper.by_search().map(|by| {
        let mut told = scope(&by.scope);
        told.insert("states".to_owned(), by.states.into());
        told.insert("actions".to_owned(), by.actions.into());
        told
    });
    let sampled = paper.by_random().map(|by| json!({ "run": by.run, "actions": by.actions }));
    let kept = paper.kept().map(|(found, outcome)| {
        json!({ "model": found.property.to_string(), "verdict": verdict(&outcome) })
    });
    let (acquitted, outcome) = paper.acquitted();
    json!({
        "strategy": mutant.strategy,
        "title": mutant.bug.title,
        "model": mutant.property.to_string(),
        "kind": mutant.flaw.to_string(),
        "convicted": searched.is_some() || sampled.is_some(),
        "passed": paper.complaints().is_empty(),
        "exhaustive": searched,
        "random": sampled,
        "keeps": kept.collect::<Vec<_>>(),
        "repaired": {
            "strategy": mutant.bug.repaired,
            "verdict": verdict(&outcome),
            "proved": !acquitted.proofs.is_empty(),
        },
    })
}

/// What a check has found of one property.
pub(super) fn result(line: &Row<'_>) -> Value {
    let kind = match &line.outcome {
        Outcome::Violated(flaw) => Some(flaw.to_string()),
        _ => None,
    };
    let failing = line.found.finding.as_ref().map(|finding| &finding.failing);
    let evidence = failing
        .map(|failing| {
            let judgement = failing.judgement();
            why(&failing.run, &line.found.property, &judgement, failing.datatype)
        })
        .or_else(|| reason(&line.outcome));
    json!({
        "strategy": line.strategy,
        "setting": setting(line.setting),
        "model": line.found.property.to_string(),
        "expected": line.expected.map(|expected| expected.to_string()),
        "verdict": verdict(&line.outcome),
        "kind": kind,
        "evidence": evidence,
        "coverage": coverage(line),
        "case": line.case.as_ref().map(|saved| &saved.path),
        "others": line.others().map(other).collect::<Vec<_>>(),
    })
}

/// A violation of another cause.
fn other((found, saved): (&Finding, Option<&Saved>)) -> Value {
    let used = found.failing.run.faults.each().filter(|(_, count)| *count > 0);
    let faults: Map<_, _> = used.map(|(kind, count)| (kind.to_string(), count.into())).collect();
    json!({
        "kind": found.failing.flaw.to_string(),
        "actions": found.failing.run.schedule.len(),
        "faults": faults,
        "case": saved.map(|saved| &saved.path),
    })
}

fn coverage(line: &Row<'_>) -> Value {
    let Row { sampled: coverage, searched, .. } = *line;
    let (proofs, doubts) = (&line.found.proofs, &line.found.doubts);
    let used = coverage.faults.iter();
    let faults: Map<_, _> = used.map(|(kind, count)| (kind.to_string(), (*count).into())).collect();
    let proved = |proof: &Proof| {
        let mut told = scope(&proof.scope);
        told.insert("states".to_owned(), proof.states.into());
        told
    };
    let unproved = |doubt: &Doubt| {
        let mut told = Map::new();
        match doubt {
            Doubt::Bounded { scope, states, actions, .. } => {
                told = self::scope(scope);
                told.insert("states".to_owned(), (*states).into());
                told.insert("actions".to_owned(), (*actions).into());
            }
            Doubt::NotBegun { scope, .. } => told = self::scope(scope),
            Doubt::Because(_) => {}
        }
        told.insert("why".to_owned(), doubt_text(doubt, line.menu).into());
        told
    };
    // Random runs are only a sample, so only a proof makes a result complete.
    json!({
        "runs": coverage.runs,
        "states": coverage.states + searched.map_or(0, |searched| searched.states),
        "pending": coverage.pending,
        "complete": !proofs.is_empty(),
        "proved": proofs.iter().map(proved).collect::<Vec<_>>(),
        "unproved": doubts.iter().map(unproved).collect::<Vec<_>>(),
        "faults": faults,
        "never": {
            "faults": line.unreached.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "calls": line.unreached.calls.iter().map(Function::as_str).collect::<Vec<_>>(),
        },
    })
}

fn scope(scope: &Open) -> Map<String, Value> {
    let Open { sessions, writes, reads, keys, patient } = *scope;
    let numbers = [("sessions", sessions), ("writes", writes), ("reads", reads), ("keys", keys)];
    let mut told: Map<_, _> =
        numbers.map(|(name, number)| (name.to_owned(), number.into())).into_iter().collect();
    told.insert("patient_timers".to_owned(), patient.into());
    told
}
