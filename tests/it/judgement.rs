//! Tests of judgement through its public interface: verdicts, evidence, and the
//! oracle.

mod apart;
mod bounds;
mod conformance;
mod contexts;
mod cycles;
mod descriptions;
mod distinct;
mod evidence;
mod exhaustive;
mod forged;
mod invariance;
mod keyed;
mod lattice;
mod laws;
mod meaning;
mod patterns;
mod planted;
mod roads;
mod sampled;
pub mod simulated;
mod small;
mod space;
mod swept;
mod texts;
mod touching;
mod transactions;
mod verdicts;

use quiescence::history::{History, notation};
use quiescence::judgement::{Budget, Model, Verdict, check, recheck};

use crate::dice;
use crate::support::effort;

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
