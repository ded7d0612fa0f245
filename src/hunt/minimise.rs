//! The shortest story of a failure, by re-execution.
//!
//! A schedule is what was chosen. Minimal means: take any one chosen action
//! away, an invocation, a delivery out of turn, a fault, with all that it made
//! possible; settle again; and the same property no longer fails in the same
//! way. [`minimise`] removes until that is so, and the last pass over all
//! single removals is the check.
//!
//! Zeller & Hildebrandt 2002 (delta debugging) for the chunks. At worst
//! O(n²) re-executions for n chosen actions.

use crate::history::{NodeId, Value};
use crate::replication::OperationId;
use crate::world::{
    Action, Ending, FaultPlan, Routing, Run, Script, SessionId, Setting, Step, Workload,
};

use super::Subject;
use super::property::{Flaw, Property, judge};

/// A failing run with all that is needed to run it again.
#[derive(Clone, Debug)]
pub struct Failing {
    /// Where.
    pub setting: Setting,
    /// What clients ask.
    pub workload: Workload,
    /// The run.
    pub run: Run,
    /// What fails.
    pub property: Property,
    /// How it fails.
    pub flaw: Flaw,
}

impl Failing {
    /// The actions that were chosen, without those of settling.
    pub fn chosen(&self) -> Vec<Step> {
        self.run.schedule.iter().filter(|step| !step.settling).copied().collect()
    }

    /// The same failure with another schedule in another setting, if it is
    /// still the same failure.
    fn again(
        &self,
        subject: &dyn Subject,
        setting: Setting,
        workload: Workload,
        chosen: &[Step],
    ) -> Option<Failing> {
        let run = subject.re_execute(&setting, &workload, chosen);
        let flaw = judge(&run, &self.property).flaw()?;
        (flaw == self.flaw).then(|| Failing {
            setting,
            workload,
            run,
            property: self.property.clone(),
            flaw,
        })
    }
}

/// Removes whatever can be removed, but nothing of a chosen cycle nor of the
/// way to it. The result fails in the same way, and no
/// single chosen action can be removed from it.
pub fn minimise(subject: &dyn Subject, mut failing: Failing) -> Failing {
    // A cycle holds together: without one of its steps it does not close.
    if matches!(failing.run.ending, Ending::Cycle { .. }) {
        return failing;
    }
    loop {
        let before = size(&failing);
        failing = fewer_actions(subject, failing);
        failing = tidier(subject, failing);
        failing = fewer_nodes(subject, failing);
        // The last pass has removed nothing: every single removal was tried.
        if size(&failing) == before {
            return failing;
        }
    }
}

/// What minimising makes smaller, in order of importance.
fn size(failing: &Failing) -> (usize, usize, u16, Vec<Script>) {
    let chosen = failing.chosen().len();
    let setting = &failing.setting;
    (chosen, failing.workload.len(), setting.nodes, failing.workload.sessions.clone())
}

/// Removes chunks of chosen actions, halving down to single ones, until no
/// single one can go.
fn fewer_actions(subject: &dyn Subject, mut failing: Failing) -> Failing {
    let mut chunk = failing.chosen().len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut removed = false;
        loop {
            let mut chosen = failing.chosen();
            if at >= chosen.len() {
                break;
            }
            let end = (at + chunk).min(chosen.len());
            chosen.drain(at..end);
            let (setting, workload) = (failing.setting.clone(), failing.workload.clone());
            match failing.again(subject, setting, workload, &chosen) {
                // Fewer, even if what was removed made other things possible.
                Some(smaller) if smaller.chosen().len() < failing.chosen().len() => {
                    failing = smaller;
                    removed = true;
                }
                _ => at = end,
            }
        }
        if chunk > 1 {
            chunk = chunk.div_ceil(2);
        } else if !removed {
            return failing;
        }
    }
}

/// Forgets what is not used: operations that are never invoked, sessions
/// without operations, fault budgets that are not spent; and counts written
/// values from 1. Nothing is forgotten that the failure turns out to need.
fn tidier(subject: &dyn Subject, failing: Failing) -> Failing {
    let chosen = failing.chosen();
    let invoked =
        |operation: OperationId| chosen.iter().any(|step| step.action == Action::Invoke(operation));
    let mut renamed = Vec::new();
    let mut workload = Workload::default();
    for (session, script) in (0u16..).zip(&failing.workload.sessions) {
        let mut kept = Vec::new();
        for (number, planned) in (0u16..).zip(&script.operations) {
            let old = OperationId { session, number };
            if invoked(old) {
                let session = SessionId(u16::try_from(workload.sessions.len()).expect("few"));
                let number = u16::try_from(kept.len()).expect("few");
                renamed.push((old, OperationId { session: session.0, number }));
                kept.push(planned.clone());
            }
        }
        if !kept.is_empty() {
            workload.sessions.push(Script { node: script.node, operations: kept });
        }
    }
    let mut written = 0;
    for planned in workload.sessions.iter_mut().flat_map(|script| &mut script.operations) {
        if let (true, Value::Int(_)) = (planned.call.is_write(), &planned.call.argument) {
            written += 1;
            planned.call.argument = Value::Int(written);
        }
        if failing.setting.routing == Routing::Sticky {
            planned.node = None;
        }
    }
    let session = |old: SessionId| {
        let found = renamed.iter().find(|(from, _)| from.session == old.0);
        found.map_or(old, |(_, to)| SessionId(to.session))
    };
    let rename = |action: &Action| match *action {
        Action::Invoke(old) => {
            let found = renamed.iter().find(|(from, _)| *from == old);
            Action::Invoke(found.expect("invoked operations are kept").1)
        }
        Action::GiveUp(old) => Action::GiveUp(session(old)),
        Action::Retry(old, node) => Action::Retry(session(old), node),
        other => other,
    };
    let steps: Vec<_> =
        chosen.iter().map(|step| Step { action: rename(&step.action), ..*step }).collect();
    let budget = failing.run.faults;
    let faults = FaultPlan { budget, ..failing.setting.faults.clone() };
    let setting = Setting { faults, ..failing.setting.clone() };
    let tidy = failing.again(subject, setting, workload, &steps);
    tidy.filter(|tidy| tidy.chosen().len() <= chosen.len()).unwrap_or(failing)
}

/// Takes nodes away from the end of the cluster.
fn fewer_nodes(subject: &dyn Subject, mut failing: Failing) -> Failing {
    while failing.setting.nodes > 1 {
        let nodes = failing.setting.nodes - 1;
        let gone = NodeId(nodes);
        let scripts = failing.workload.sessions.iter();
        let used = scripts
            .flat_map(|script| script.operations.iter().map(|op| op.node.unwrap_or(script.node)))
            .any(|node| node == gone);
        if used {
            return failing;
        }
        let setting = Setting { nodes, ..failing.setting.clone() };
        let chosen = failing.chosen();
        match failing.again(subject, setting, failing.workload.clone(), &chosen) {
            Some(smaller) if smaller.chosen().len() <= chosen.len() => failing = smaller,
            _ => return failing,
        }
    }
    failing
}
