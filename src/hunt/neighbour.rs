//! The nearest run that does not fail: the same run with one step earlier or later, or
//! without one fault. It shows what the failure hangs on.
//!
//! Nearest means: the step passes the fewest others. Only if no move helps, a fault is left
//! out, the first that does. Which of several equally near runs is found is fixed, so the
//! same case has the same neighbour everywhere. What is left out otherwise would only say
//! that a minimal run is minimal.
//!
//! At most O(n²) re-executions for n steps, and no more than [`TRIES`] and [`STEPS`] allow.

use crate::judgement::datatype::Datatype;
use crate::world::trace::{Trace, trace};
use crate::world::{Action, Ending, Run, Setting, Step, Workload, re_execute};

use super::Subject;
use super::property::{Judgement, Property, judge, looked_at};

/// How many runs are tried at most.
pub const TRIES: usize = 2_000;

/// How many steps the runs that are tried have together, at most: a case may be long.
pub const STEPS: usize = 200_000;

/// What is different in a neighbour. Steps are positions in the schedule of the failing run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A step happens right before an earlier one.
    Earlier {
        /// The step that moves.
        step: usize,
        /// The step before which it happens.
        before: usize,
    },
    /// A step happens right after a later one.
    Later {
        /// The step that moves.
        step: usize,
        /// The step after which it happens.
        after: usize,
    },
    /// A fault does not happen, nor what it made possible.
    Without(usize),
}

/// A run that does not fail, and how it differs from one that does.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// The difference.
    pub change: Change,
    /// The run.
    pub run: Run,
    /// What happens in it.
    pub trace: Trace,
}

/// The nearest neighbour of a failing run for which the property holds and says something,
/// in which the same operations are asked. None if there is none among those that are tried.
///
/// A step of settling can move before a chosen one; then it is chosen. A run that ends with
/// a chosen cycle has no neighbours.
pub fn nearest(
    subject: &dyn Subject,
    (setting, workload): (&Setting, &Workload),
    failing: &Run,
    (property, datatype): (&Property, &dyn Datatype),
) -> Option<Neighbour> {
    if matches!(failing.ending, Ending::Cycle { .. }) || property.unfit_for(subject).is_some() {
        return None;
    }
    let asked = |run: &Run| {
        let is_asked = |step: &&Step| matches!(step.action, Action::Invoke(_));
        run.schedule.iter().filter(is_asked).count()
    };
    let holds = |change: &Change| {
        let chosen = changed(&failing.schedule, *change);
        let run = re_execute(subject, setting, workload, &chosen, property.shows());
        let done = run.schedule.iter().filter(|step| !step.settling).count();
        let is_whole = matches!(change, Change::Without(_)) || done == chosen.len();
        let is_fit = is_whole && asked(&run) == asked(failing);
        let passes = is_fit
            && judge(&run, property, datatype) == Judgement::Holds
            && looked_at(&run, property, datatype) > 0;
        passes.then_some(run)
    };
    let tries = TRIES.min(STEPS / failing.schedule.len().max(1));
    let (change, run) =
        changes(&failing.schedule).take(tries).find_map(|it| Some((it, holds(&it)?)))?;
    let trace = trace(subject, setting, workload, &run.schedule);
    Some(Neighbour { change, run, trace })
}

/// All changes of a schedule, nearest first, and late steps before early ones.
fn changes(schedule: &[Step]) -> impl Iterator<Item = Change> {
    let (all, chosen) = (schedule.len(), schedule.iter().filter(|step| !step.settling).count());
    let moves = (1..all).flat_map(move |distance| {
        (0..chosen).rev().flat_map(move |at| {
            let to = at + distance;
            let earlier = (to < all).then_some(Change::Earlier { step: to, before: at });
            // A step that passes one other is the other one that moves the other way.
            let is_later = distance > 1 && to < chosen;
            let later = is_later.then_some(Change::Later { step: at, after: to });
            earlier.into_iter().chain(later)
        })
    });
    let is_fault = |at: &usize| schedule[*at].action.fault().is_some();
    moves.chain((0..chosen).filter(is_fault).map(Change::Without))
}

/// The chosen steps after a change. What is moved is chosen.
fn changed(schedule: &[Step], change: Change) -> Vec<Step> {
    let mut chosen: Vec<Step> = schedule.iter().filter(|step| !step.settling).copied().collect();
    match change {
        Change::Earlier { step, before } => {
            if !schedule[step].settling {
                chosen.remove(step);
            }
            chosen.insert(before, Step { settling: false, ..schedule[step] });
        }
        Change::Later { step, after } => {
            let moved = chosen.remove(step);
            chosen.insert(after, moved);
        }
        Change::Without(step) => {
            chosen.remove(step);
        }
    }
    chosen
}
