//! The judgement tower from outside: verdicts, evidence, and the oracle.

// Nothing here touches what loom replaces.
#![cfg(not(loom))]

#[path = "judgement/conformance.rs"]
mod conformance;
#[path = "judgement/cycles.rs"]
mod cycles;
#[path = "judgement/descriptions.rs"]
mod descriptions;
#[path = "judgement/evidence.rs"]
mod evidence;
#[path = "judgement/exhaustive.rs"]
mod exhaustive;
#[path = "judgement/invariance.rs"]
mod invariance;
#[path = "judgement/lattice.rs"]
mod lattice;
#[path = "judgement/laws.rs"]
mod laws;
#[path = "judgement/meaning.rs"]
mod meaning;
#[path = "judgement/planted.rs"]
mod planted;
#[path = "judgement/roads.rs"]
mod roads;
#[path = "judgement/sampled.rs"]
mod sampled;
#[path = "judgement/simulated.rs"]
mod simulated;
#[path = "judgement/space.rs"]
mod space;
#[path = "judgement/verdicts.rs"]
mod verdicts;

use quiescence::history::{History, notation};
use quiescence::judgement::{Budget, Model, Verdict, check, recheck};

/// How much to try: `QUIESCENCE_PROFILE=deep` for more.
fn effort(ordinary: u64, deep: u64) -> u64 {
    match std::env::var("QUIESCENCE_PROFILE").as_deref() {
        Ok("deep") => deep,
        _ => ordinary,
    }
}

/// The history that this text denotes.
#[track_caller]
fn history(text: &str) -> History {
    notation::parse(text).expect("the text is in the notation")
}

#[track_caller]
fn model(name: &str) -> Model {
    name.parse().expect("the name of a model")
}

/// Judges and rechecks.
#[track_caller]
fn judged(text: &str, name: &str) -> Verdict {
    let (history, model) = (history(text), model(name));
    let verdict = check(&history, model, Budget::default());
    assert_eq!(recheck(&history, model, &verdict), Ok(()), "{text} under {name}: {verdict:?}");
    verdict
}

/// `holds`, the kind of the violation, or `unknown`.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Holds(_) => "holds".to_owned(),
        Verdict::Violated(counterexample) => counterexample.kind.to_string(),
        Verdict::Unknown(_) => "unknown".to_owned(),
    }
}
