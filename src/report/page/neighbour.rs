//! The nearest run that does not fail, beside the one that does.

use maud::{Markup, html};

use crate::history::escape;
use crate::hunt::neighbour::Change;
use crate::report::neighbour::told;
use crate::report::reporter::Replayed;
use crate::report::timeline::{Story, closing};

use super::diagram::picture;

/// What is different in the neighbour, and its picture; nothing if there is none.
pub(super) fn section(replayed: &Replayed<'_>) -> Markup {
    let Some(neighbour) = replayed.neighbour else { return html! {} };
    let case = replayed.case;
    let story = Story {
        setting: &case.setting,
        workload: &case.workload,
        trace: &neighbour.trace,
        history: &neighbour.run.history,
        ending: &neighbour.run.ending,
    };
    let moved = match neighbour.change {
        Change::Earlier { before, .. } => Some(before),
        Change::Later { after, .. } => Some(after),
        Change::Without(_) => None,
    };
    html! {
        section.neighbour {
            h2 { "The nearest run that passes" }
            p { "It is the same, but " (escape::line(&told(neighbour, &replayed.replay.trace))) "." }
            div.scroll tabindex="0" role="group" aria-label="diagram, scrolls sideways" {
                (picture(&story, moved))
            }
            @for line in closing(&story) { p.closing { (escape::line(&line)) } }
        }
    }
}
