//! Tests of judgement through its public interface: verdicts, evidence, and the
//! oracle.

mod apart;
mod bounds;
mod conformance;
mod contexts;
mod cycles;
mod descriptions;
mod distance;
mod distinct;
mod elements;
mod evidence;
mod exhaustive;
mod forged;
mod invariance;
mod keyed;
mod lattice;
mod laws;
mod live;
mod meaning;
mod patterns;
mod planted;
mod roads;
mod sampled;
pub mod simulated;
mod small;
mod space;
mod sums;
mod swept;
mod texts;
mod touching;
mod transactions;
mod verdicts;

use quiescence::history::{Builder, Call, Event, History, ProcessId, Value, notation};
use quiescence::judgement::{Budget, Model, Verdict, check, recheck};

use crate::dice::{self, Dice};
use crate::support::effort;

/// The history that this text denotes.
#[track_caller]
fn history(text: &str) -> History {
    notation::parse(text).expect("the text is in the notation")
}

/// Some calls of four processes, which overlap and may share instants. Reads answer anything;
/// some operations fail, and some are open at the end.
fn overlapping(
    dice: &mut Dice,
    call: impl Fn(&mut Dice) -> Call,
    answer: impl Fn(&mut Dice) -> Value,
) -> History {
    let mut events = Builder::new();
    let mut time = 0;
    let mut open: Vec<Option<bool>> = vec![None; 4];
    for _ in 0..4 + dice.draw(24) {
        time += dice.draw(3);
        let process = dice.below(4);
        let id = ProcessId(process as u32);
        let event = match open[process].take() {
            None => {
                let call = call(dice);
                open[process] = Some(call.is_read());
                Event::invoke(id, time, call)
            }
            Some(is_read) => {
                let seen = answer(dice);
                match dice.draw(8) {
                    0 => Event::fail(id, time),
                    _ => Event::ok(id, time, if is_read { seen } else { Value::Null }),
                }
            }
        };
        events.event(event).expect("processes are idle or answered");
    }
    events.finish()
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
