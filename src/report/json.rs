//! Results for programs, as `docs/schema/results.schema.json` describes them.

use serde_json::{Map, Value, json};

use crate::history::escape;
use crate::hunt::case::replay::{Outcome, Replay};
use crate::hunt::case::{Case, write::why};
use crate::hunt::exhaustive::{Doubt, Proof};
use crate::hunt::property::Judgement;
use crate::search::exhaustive::Open;

use super::table::{Line, Result, doubt_text};
use super::timeline::sentences;

/// The version of the shape.
pub const SCHEMA: u32 = 1;

/// What came of a replay, as one JSON text with a newline at its end.
pub fn replay(strategy: &str, case: &Case, replayed: &Replay) -> String {
    let (outcome, difference) = match &replayed.outcome {
        Outcome::Reproduced => ("reproduced", None),
        Outcome::TextsDiffer(difference) => ("texts-differ", Some(difference)),
        Outcome::Differs(difference) => ("differs", Some(difference)),
    };
    let difference = difference.map(|difference| {
        json!({
            "step": difference.step,
            "recorded": difference.recorded,
            "present": difference.present,
        })
    });
    let verdict = match &replayed.judgement {
        Judgement::Holds => "holds",
        Judgement::Violated(..) => "violated",
        Judgement::Unknown(_) => "unknown",
    };
    let steps: Vec<_> =
        replayed.trace.steps.iter().map(|step| sentences(step).join(" · ")).collect();
    let all = json!({ "schema": SCHEMA, "replay": {
        "strategy": strategy,
        "model": case.property.to_string(),
        "outcome": outcome,
        "difference": difference,
        "verdict": verdict,
        "kind": replayed.judgement.flaw().map(|flaw| flaw.to_string()),
        "evidence": why(&replayed.run, &case.property, &replayed.judgement),
        "steps": steps,
    }});
    text(&all)
}

/// A value on lines of its own, in which nothing steers whoever shows it.
pub(crate) fn text(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON values are serialisable");
    format!("{}\n", escape::in_json(&text))
}

/// All results as one JSON text with a newline at its end.
pub fn results(lines: &[Line]) -> String {
    let results: Vec<_> = lines.iter().map(result).collect();
    let all = json!({ "schema": SCHEMA, "results": results });
    text(&all)
}

fn result(line: &Line) -> Value {
    let (verdict, kind, evidence) = match &line.result {
        Result::Kept => ("holds", None, None),
        Result::Violated(flaw, _, why) => ("violated", Some(flaw.to_string()), Some(why.clone())),
        Result::Unknown(why) => ("unknown", None, Some(why.clone())),
        Result::Unchecked(why) => ("nothing-checked", None, Some(why.clone())),
    };
    json!({
        "strategy": line.strategy,
        "model": line.property.to_string(),
        "expected": line.expected.map(|expected| expected.to_string()),
        "verdict": verdict,
        "kind": kind,
        "evidence": evidence,
        "coverage": coverage(line),
        "case": line.case,
    })
}

fn coverage(line: &Line) -> Value {
    let Line { coverage, proofs, doubts, searched, .. } = line;
    let used = coverage.faults.iter();
    let faults: Map<_, _> = used.map(|(kind, count)| (kind.to_string(), (*count).into())).collect();
    let proved = |proof: &Proof| {
        let mut told = scope(&proof.scope);
        told.insert("states".to_owned(), proof.states.into());
        told
    };
    let unproved = |doubt: &Doubt| {
        let mut told = Map::new();
        if let Doubt::Bounded { scope, states, actions, .. } = doubt {
            told = self::scope(scope);
            told.insert("states".to_owned(), (*states).into());
            told.insert("actions".to_owned(), (*actions).into());
        }
        told.insert("why".to_owned(), doubt_text(doubt).into());
        told
    };
    // Random runs are a sample: what they say is never complete.
    json!({
        "runs": coverage.runs,
        "states": coverage.states + searched.as_ref().map_or(0, |searched| searched.states),
        "pending": coverage.pending,
        "complete": !proofs.is_empty(),
        "proved": proofs.iter().map(proved).collect::<Vec<_>>(),
        "unproved": doubts.iter().map(unproved).collect::<Vec<_>>(),
        "faults": faults,
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
