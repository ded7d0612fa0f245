//! Results for programs, as `docs/schema/results.schema.json` describes them.

use serde_json::{Map, Value, json};

use crate::hunt::random::Coverage;
use crate::world::Faults;

use super::table::{Line, Result};

/// The version of the shape.
pub const SCHEMA: u32 = 1;

/// All results as one JSON text with a newline at its end.
pub fn results(lines: &[Line]) -> String {
    let results: Vec<_> = lines.iter().map(result).collect();
    let all = json!({ "schema": SCHEMA, "results": results });
    format!("{}\n", serde_json::to_string_pretty(&all).expect("JSON values are serialisable"))
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
        "coverage": coverage(&line.coverage),
        "case": line.case,
    })
}

fn coverage(coverage: &Coverage) -> Value {
    let used = Faults::KINDS.iter().zip(coverage.faults).filter(|(_, count)| *count > 0);
    let faults: Map<_, _> = used.map(|(kind, count)| ((*kind).to_owned(), count.into())).collect();
    // Random runs are a sample: never complete.
    json!({
        "runs": coverage.runs,
        "states": coverage.states,
        "complete": false,
        "faults": faults,
    })
}
