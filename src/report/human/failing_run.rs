//! A failing run for people: the picture, and the block below it.

use crate::catalogue::Registry;
use crate::hunt::case::write::why_by;
use crate::hunt::landmarks::Landmarks;
use crate::hunt::neighbour::Neighbour;
use crate::hunt::property::{Judgement, Property};
use crate::judgement::datatype::Datatype;
use crate::report::timeline::{Story, timeline};
use crate::report::verdict::{Block, client, verdict};
use crate::report::{Look, neighbour};
use crate::world::trace::Trace;
use crate::world::{Run, Setting, Workload};

/// A failing run with everything that is printed about it.
pub(super) struct FailingRun<'a> {
    /// The short name of the strategy.
    pub(super) strategy: &'a str,
    /// Has the hints for what to try next.
    pub(super) registry: &'a Registry,
    pub(super) setting: &'a Setting,
    pub(super) workload: &'a Workload,
    pub(super) trace: &'a Trace,
    pub(super) run: &'a Run,
    pub(super) property: &'a Property,
    pub(super) judgement: &'a Judgement,
    /// What the operations mean.
    pub(super) datatype: &'static dyn Datatype,
    pub(super) landmarks: &'a Landmarks,
    /// Whether no single action can be removed.
    pub(super) minimal: bool,
    /// Violations of other causes.
    pub(super) others: &'a [String],
    /// From which run it was shrunk or to which, as a label and a text.
    pub(super) shrunk: Option<(&'static str, &'a str)>,
    /// The nearest run that does not fail, if it is known.
    pub(super) neighbour: Option<&'a Neighbour>,
}

impl FailingRun<'_> {
    /// The picture.
    pub(super) fn picture(&self, look: &Look) -> String {
        let FailingRun { setting, workload, trace, run, .. } = self;
        let story = Story { setting, workload, trace, history: &run.history, ending: &run.ending };
        timeline(&story, look)
    }

    /// The block below it; `saved` is the path of the case, `replay` the
    /// command that replays it.
    pub(super) fn block(&self, saved: Option<&str>, replay: Option<&str>, look: &Look) -> String {
        let steps = &self.run.schedule;
        let who = |at: usize| client(self.run, self.workload, at);
        let why = why_by(self.run, self.property, self.judgement, self.datatype, &who);
        let flaw = self.judgement.flaw();
        let passes = self.neighbour.map(|it| neighbour::told(it, self.trace));
        let block = Block {
            property: self.property,
            judgement: self.judgement,
            landmarks: self.landmarks,
            why: &why,
            minimal: self.minimal,
            actions: (steps.iter().filter(|step| !step.settling).count(), steps.len()),
            shrunk: self.shrunk,
            passes: passes.as_deref(),
            others: self.others,
            hint: flaw.and_then(|flaw| self.registry.hint(self.strategy, flaw)),
            saved,
            replay,
        };
        verdict(&block, look)
    }
}
