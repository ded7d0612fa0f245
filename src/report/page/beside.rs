//! Other runs beside the one of the page: the nearest that does not fail, and the run as it
//! was found.

use maud::{Markup, html};

use crate::history::escape;
use crate::hunt::case::replay::FullReplay;
use crate::hunt::case::write::why_by;
use crate::hunt::neighbour::Change;
use crate::report::full::{actions, of};
use crate::report::neighbour::told;
use crate::report::reporter::{Other, Replayed};
use crate::report::timeline::{Story, closing};
use crate::report::verdict::client;

use super::diagram::picture;

/// The largest picture of the run as it was found, in bytes: a page has to stay small.
const LARGEST: usize = 80_000;

/// What is different in the nearest run that passes, and its picture; nothing if there is none.
pub(super) fn neighbour(replayed: &Replayed<'_>) -> Markup {
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
            (drawn(&story, &picture(&story, moved)))
        }
    }
}

/// The picture of the run as it was found; nothing if the case does not keep it.
pub(super) fn full(replayed: &Replayed<'_>) -> Markup {
    let Other::Full(full) = replayed.other else { return html! {} };
    let FullReplay { case, replay } = full;
    let story = Story {
        setting: &case.setting,
        workload: &case.workload,
        trace: &replay.trace,
        history: &replay.run.history,
        ending: &replay.run.ending,
    };
    let picture = picture(&story, None);
    let is_small = picture.0.len() <= LARGEST;
    let (found, now) = (actions(full.steps()), of(full));
    let who = |at: usize| client(&replay.run, &case.workload, at);
    let why = why_by(&replay.run, &case.property, &replay.judgement, replay.datatype, &who);
    html! {
        section.neighbour {
            details {
                summary { "The run as it was found (" (found) ")" }
                p { "The run of this page was shrunk from it." }
                @if full.fails_so() { p { "Why it fails: " (escape::line(&why)) "." } }
                @if found != now { p.differs { (now) "." } }
                @if is_small {
                    (drawn(&story, &picture))
                } @else {
                    p { "Its picture would be too large for this page; " code { "replay CASE --full" }
                        " shows it." }
                }
            }
        }
    }
}

/// A picture, and how its run ends.
fn drawn(story: &Story<'_>, picture: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="diagram, scrolls sideways" { (picture) }
        @for line in closing(story) { p.closing { (escape::line(&line)) } }
    }
}
