//! All outcomes of a small workload: depth first, every enabled action.
//!
//! This is the yardstick for runs on threads: whatever a thread run can
//! produce must be among these outcomes. It is a plain search over plain
//! states, exponential in the number of messages, meant for two or three
//! operations; a state that was visited is not visited again.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::OperationId;
use crate::replication::Subject;
use crate::world::component::Panicked;
use crate::world::{Action, Run, Setting, State, Workload, World, close};

/// The answers that clients got, and what every node answers in the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// How each operation of the scripts ended, in order of operation.
    pub clients: Answers,
    /// Final reads: node, key and answer (none if the read was not answered).
    pub finals: Vec<(NodeId, Key, Option<Value>)>,
}

impl Outcome {
    /// The outcome of a run that has ended.
    pub fn of(run: &Run, workload: &Workload) -> Self {
        let mut outcome = Outcome { clients: Vec::new(), finals: Vec::new() };
        for (operation, id) in run.history.operations().iter().zip(&run.operations) {
            if usize::from(id.session) < workload.sessions.len() {
                outcome.clients.push((*id, operation.completion.clone()));
            } else {
                let node = operation.node.expect("final reads know their node");
                let answer = operation.answer().cloned();
                outcome.finals.push((node, operation.call.key.clone(), answer));
            }
        }
        outcome.clients.sort();
        outcome.finals.sort();
        outcome
    }
}

/// The answers that clients got so far, in order of operation.
type Answers = Vec<(OperationId, Completion)>;

/// Every outcome of `workload` in `setting`: all orders of deliveries and
/// invocations (and of faults, if the setting allows any), each settled.
/// Timers fire only while settling.
///
/// # Errors
/// [`Panicked`] if the strategy panics in some order.
pub fn outcomes(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
) -> Result<BTreeSet<Outcome>, Panicked> {
    let mut found = BTreeSet::new();
    let mut visited: FxHashSet<(State, Answers)> = FxHashSet::default();
    let mut stack = vec![(World::new(strategy, setting, workload)?, Vec::new())];
    let mut enabled = Vec::new();
    while let Some((world, answers)) = stack.pop() {
        if !visited.insert((world.state(), answers.clone())) {
            continue;
        }
        world.enabled(&mut enabled);
        enabled.retain(|action| !matches!(action, Action::Fire(..)));
        if enabled.is_empty() {
            found.insert(Outcome::of(&close(world), workload));
            continue;
        }
        for action in &enabled {
            let mut next = world.clone();
            let report = match next.perform(action, world.steps() + 1) {
                Ok(report) => report,
                Err(crate::world::NotEnabled::Panicked(panicked)) => return Err(panicked),
                Err(why) => unreachable!("only enabled actions are tried: {why}"),
            };
            let mut answers: Answers = answers.clone();
            let heard = report.replies.into_iter().filter(|(.., heard)| *heard);
            answers.extend(heard.map(|(operation, completion, _)| (operation, completion)));
            answers.sort();
            stack.push((next, answers));
        }
    }
    Ok(found)
}
