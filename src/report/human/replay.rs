//! The result of a replay, for people.

use crate::hunt::case::replay::Fidelity;
use crate::hunt::property::Judgement;
use crate::report::reporter::Replayed;
use crate::report::table::setting_text;
use crate::report::timeline::{self, Story};
use crate::report::{Look, Tone, full, states, verdict};

use super::failing_run::FailingRun;

/// All output for a replay.
pub(super) fn text(replayed: &Replayed<'_>, look: &Look) -> String {
    let told = match replayed.until {
        Some(steps) => until(steps, replayed, look),
        None => whole(replayed, look),
    };
    told + &fidelity(replayed, look)
}

/// The first steps, and the state of every replica after them.
fn until(steps: usize, replayed: &Replayed<'_>, look: &Look) -> String {
    let Replayed { case, replay, .. } = replayed;
    let mut trace = replay.trace.clone();
    trace.steps.truncate(steps);
    let story = Story {
        setting: &case.setting,
        workload: &case.workload,
        trace: &trace,
        history: &replay.run.history,
        ending: &replay.run.ending,
    };
    format!("{}\n{}\n", timeline::steps(&story, look), states::all(&trace, look))
}

/// The verdict, the picture, and the block below it.
fn whole(replayed: &Replayed<'_>, look: &Look) -> String {
    let Replayed { strategy, registry, case, replay, landmarks, neighbour, .. } = *replayed;
    let shrunk = full::told(replayed);
    let told = FailingRun {
        strategy,
        registry,
        setting: &case.setting,
        workload: &case.workload,
        trace: &replay.trace,
        run: &replay.run,
        property: &case.property,
        judgement: &replay.judgement,
        datatype: replay.datatype,
        landmarks,
        minimal: case.minimal,
        others: &[],
        shrunk: shrunk.as_ref().map(|(label, said)| (*label, said.as_str())),
        neighbour,
    };
    let place = look.text(&format!(" · {}", setting_text(&case.setting)));
    let strategy = look.paint(Tone::Strong, strategy);
    let (tone, word) = match replay.judgement {
        Judgement::Violated(..) => (Tone::Bad, "FAIL"),
        Judgement::Holds => (Tone::Good, "ok  "),
        Judgement::Unknown(_) => (Tone::Doubt, "?   "),
    };
    let title = look.text(&verdict::title(&case.property, &replay.judgement));
    let (word, title) = (look.paint(tone, word), look.paint(Tone::Strong, &title));
    let (picture, block) = (told.picture(look), told.block(None, None, look));
    format!("{strategy}{place}\n{word}  {title}\n\n{picture}\n{block}\n")
}

/// Whether the replay matched the record, and the first difference.
fn fidelity(replayed: &Replayed<'_>, look: &Look) -> String {
    let (tone, title, difference) = match &replayed.replay.fidelity {
        Fidelity::Reproduced => (Tone::Good, "REPRODUCED".to_owned(), None),
        Fidelity::TextsDiffer(difference) => {
            let title = format!("REPRODUCED, texts differ at step {}", difference.step);
            (Tone::Doubt, title, Some(difference))
        }
        Fidelity::Differs(difference) => {
            let title = format!("DIFFERS AT STEP {}", difference.step);
            (Tone::Bad, title, Some(difference))
        }
    };
    let mut text = format!("{}\n", look.paint(tone, &title));
    if let Some(difference) = difference {
        let (then, now) = (&replayed.case.tool, env!("CARGO_PKG_VERSION"));
        let recorded = format!("  recorded  {}   (quiescence {then})", difference.recorded);
        let present = format!("  present   {}   (quiescence {now})", difference.present);
        text.push_str(&format!("{}\n{}\n", look.text(&recorded), look.text(&present)));
    }
    text
}
