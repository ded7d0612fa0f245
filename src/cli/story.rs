//! A failing run on the screen: picture and verdict.

use crate::catalogue::Advice;
use crate::hunt::Subject;
use crate::hunt::case::write::why_by;
use crate::hunt::minimise::Failing;
use crate::hunt::property::{Judgement, Property};
use crate::report::Look;
use crate::report::timeline::{Story, timeline};
use crate::report::verdict::{Block, client, verdict};
use crate::world::trace;
use crate::world::trace::Trace;
use crate::world::{Run, Setting, Workload};

/// A run with all that is told of it.
pub struct Told<'a> {
    /// Where.
    pub setting: &'a Setting,
    /// What clients asked.
    pub workload: &'a Workload,
    /// What happened.
    pub trace: &'a Trace,
    /// The run.
    pub run: &'a Run,
    /// What was judged.
    pub property: &'a Property,
    /// What came of it.
    pub judgement: &'a Judgement,
    /// Whether no single action can be removed.
    pub minimal: bool,
    /// What to try next.
    pub hint: Option<Advice>,
}

impl Told<'_> {
    /// The picture.
    pub fn picture(&self, look: &Look) -> String {
        let Told { setting, workload, trace, run, .. } = self;
        let story = Story { setting, workload, trace, history: &run.history, ending: &run.ending };
        timeline(&story, look)
    }

    /// The block below it.
    pub fn block(&self, saved: Option<&str>, replay: Option<&str>, look: &Look) -> String {
        let steps = &self.run.schedule;
        let who = |at: usize| client(self.run, self.workload, at);
        let why = why_by(self.run, self.property, self.judgement, &who);
        let block = Block {
            property: self.property,
            judgement: self.judgement,
            why: &why,
            history: &self.run.history,
            ending: &self.run.ending,
            minimal: self.minimal,
            actions: (steps.iter().filter(|step| !step.settling).count(), steps.len()),
            hint: self.hint,
            saved,
            replay,
        };
        verdict(&block, look)
    }
}

/// The trace of a failing run.
pub fn trace_of(subject: &dyn Subject, failing: &Failing) -> Trace {
    trace::trace(subject, &failing.setting, &failing.workload, &failing.run.schedule)
}
