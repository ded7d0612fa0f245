//! Finds which write each read answered, where that is not known.
//!
//! Most checkers outside the grid decide for given sources. Where each value is
//! written once the sources are known; where values repeat, this tries all
//! choices, read by read, and drops a choice as soon as the reads chosen so far
//! are refuted. That is sound, because a read without a source constrains
//! nothing.

use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::{Decision, Meter};
use crate::judgement::number::{count, index};

/// Decides by `decide`, which gets the source of each item (`Open` where none
/// is chosen, and for writes). Only reads for which `counts` is true need one.
pub(super) fn try_all(
    view: &View,
    meter: &mut Meter,
    counts: &dyn Fn(usize) -> bool,
    decide: &mut dyn FnMut(&[Source], &mut Meter) -> Decision,
) -> Decision {
    let mut sources = vec![Source::Open; view.items.len()];
    let mut open = Vec::new();
    for (at, item) in view.items.iter().enumerate() {
        match view.sources(item) {
            _ if item.write.is_some() || !counts(at) => {}
            [] => return Decision::Fails(vec![item.at]),
            [only] => sources[at] = *only,
            _ => open.push(at),
        }
    }
    explore(view, meter, &mut sources, &open, decide)
}

fn explore(
    view: &View,
    meter: &mut Meter,
    sources: &mut Vec<Source>,
    open: &[usize],
    decide: &mut dyn FnMut(&[Source], &mut Meter) -> Decision,
) -> Decision {
    if !meter.spend(1 + count(view.items.len()) / 4) {
        return Decision::unknown("the budget ended before all possible sources were tried");
    }
    let decision = decide(sources, meter);
    let Some((&read, rest)) = open.split_first() else { return decision };
    if !matches!(decision, Decision::Holds(_)) {
        return decision;
    }
    if open.len() > 200 {
        return Decision::unknown("too many reads answered a value that was written repeatedly");
    }
    let mut unknown = None;
    for &source in view.sources(&view.items[read]) {
        sources[read] = source;
        let decision = explore(view, meter, sources, rest, decide);
        sources[read] = Source::Open;
        match decision {
            Decision::Fails(_) => {}
            Decision::Holds(_) => return decision,
            Decision::Unknown(_) => unknown = Some(decision),
        }
    }
    unknown.unwrap_or_else(|| Decision::Fails(view.items.iter().map(|item| item.at).collect()))
}

/// Which writes happened: acknowledged, or the source of a read.
pub(super) fn kept(view: &View, sources: &[Source]) -> Vec<bool> {
    let mut kept: Vec<bool> =
        view.writes.iter().map(|item| !view.items[index(*item)].pending).collect();
    for source in sources {
        if let Source::Write(write) = source {
            kept[index(*write)] = true;
        }
    }
    kept
}
