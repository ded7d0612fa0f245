//! A run that never ends: a stem, then a chosen cycle that repeats for ever.
//!
//! Settling follows one order of events, but a cluster may follow another one.
//! Here the order is given, and this module checks what is claimed of the cycle:
//! it needs no client and no fault, it leads back to the same state, and it is
//! just. Just means that at some point of the cycle every message is delivered
//! or absent, every timer fires or is not armed, every disk flushes or has
//! nothing on its way, every node is up (or gone) and every link is whole (or cut
//! for ever). Such a cycle can repeat for ever.
//!
//! Invariant: if the given steps are not such a cycle, the run settles like any
//! other run.

use crate::history::{NodeId, Value};
use crate::replication::Subject;
use crate::replication::erased::AnyMessage;
use crate::replication::{Strategy, TimerId};

use super::component::Panicked;
use super::finals::{Lack, answers_of, ask_everybody};
use super::perform::World;
use super::recorder::{Recorder, Shows, Step, is_busy};
use super::run::{Run, ended, re_execute, stillborn};
use super::settle::{Ending, Lasso, settle};
use super::{Action, Setting, SettleLimits, Workload};

/// Runs the stem, then the cycle. The run ends with [`Ending::Cycle`] if the cycle
/// can repeat for ever. Final reads are asked in the state where the cycle begins,
/// without delivering what is in flight there. If severed runs are asked for, links
/// that are cut where the cycle begins stay cut.
pub fn repeat(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    (stem, cycle): (&[Step], &[Step]),
    shows: Shows<'_>,
) -> Run {
    let shows = if shows == Shows::Severed { shows } else { Shows::All };
    match go_round(strategy, setting, workload, (stem, cycle), shows) {
        Ok(Some(run)) => run,
        Ok(None) => {
            let all: Vec<_> = stem.iter().chain(cycle).copied().collect();
            re_execute(strategy, setting, workload, &all, shows)
        }
        Err(Panicked(text)) => stillborn(text),
    }
}

fn go_round(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    (stem, cycle): (&[Step], &[Step]),
    shows: Shows<'_>,
) -> Result<Option<Run>, Panicked> {
    let invariants = strategy.erased().invariants();
    let mut world = World::new(strategy, setting, workload)?;
    let mut recorder = Recorder::new(&world, &invariants, shows, None);
    for step in stem {
        if recorder.perform_as(&mut world, &step.action, step.number, false).is_err() {
            return Ok(None);
        }
    }
    if recorder.is_severed() {
        world.sever();
    }
    let from = recorder.length();
    let mut first = world.clone();
    let mut due = dues(&world);
    let deliveries_only = is_busy(cycle);
    let asks = |world: &World<'_>| match answers_of(world) {
        Err(_) if deliveries_only => Ok(None),
        answers => answers.map(Some),
    };
    let answers = asks(&world)?;
    let mut answers_change = false;
    for step in cycle {
        let ordinary = matches!(
            step.action,
            Action::Deliver(..)
                | Action::Fire(..)
                | Action::Flush(_)
                | Action::Recover(_)
                | Action::Heal(..)
                | Action::Unite
        );
        let done = due_of(&world, &step.action);
        if !ordinary || recorder.perform_as(&mut world, &step.action, step.number, false).is_err() {
            return Ok(None);
        }
        let here = dues(&world);
        due.retain(|due| Some(due) != done.as_ref() && here.contains(due));
        answers_change |= asks(&world)? != answers;
    }
    let stays = !due.iter().any(|due| matches!(due, Due::Timer(..)));
    if deliveries_only {
        // Timers have no durations: between two firings any number of messages
        // may be delivered. So a cycle of deliveries alone need not fire any.
        due.retain(|due| !matches!(due, Due::Timer(..)));
    }
    if cycle.is_empty() || !due.is_empty() || world.state() != first.state() {
        return Ok(None);
    }
    recorder.visit(&first, from, &world.facts)?;
    // If a final read panics there are no answers to judge, but a cycle of
    // deliveries alone is a violation without them.
    let way_out = answers.as_ref().map_or(Ok(false), |answers| way_out(&first, answers))?;
    let lack = answers.map_or(Ok(Lack::default()), |_| ask_everybody(&mut first))?;
    let ending = Ending::Cycle { from, deliveries_only, answers_change, way_out };
    Ok(Some(ended(first, recorder, ending, (lack, stays))))
}

/// A condition of justice: a message is to be delivered, a timer is to fire, a
/// disk is to flush, a node is to recover, a link is to heal.
#[derive(PartialEq)]
enum Due<M> {
    Message(NodeId, NodeId, M),
    Timer(NodeId, TimerId),
    Flush(NodeId),
    Repair(NodeId),
    /// A partition is to end.
    Whole,
}

fn dues(world: &World<'_>) -> Vec<Due<AnyMessage>> {
    let mut dues = Vec::new();
    for (node, id) in world.nodes().iter().zip(world.cluster().nodes()) {
        let message =
            |(from, message): &(NodeId, AnyMessage)| Due::Message(id, *from, message.clone());
        dues.extend(node.inbox.iter().map(message));
        dues.extend(node.timers.iter().map(|timer| Due::Timer(id, *timer)));
        if node.flushing() > 0 {
            dues.push(Due::Flush(id));
        }
        let whole = node.cut == 0 || world.is_severed();
        let broken = !(node.up && whole);
        if broken && !node.gone {
            dues.push(Due::Repair(id));
        }
        if id == NodeId(0) && node.parted != 0 && !world.is_severed() {
            dues.push(Due::Whole);
        }
    }
    dues
}

/// The condition that an action meets.
fn due_of(world: &World<'_>, action: &Action) -> Option<Due<AnyMessage>> {
    match *action {
        Action::Deliver(to, id) => {
            let (name, message) = world.message(to, id)?;
            Some(Due::Message(to, name.from, message.clone()))
        }
        Action::Fire(node, timer) => Some(Due::Timer(node, timer)),
        Action::Flush(node) => Some(Due::Flush(node)),
        Action::Recover(node) | Action::Heal(_, node) => Some(Due::Repair(node)),
        Action::Unite => Some(Due::Whole),
        _ => None,
    }
}

/// Whether settling from here leads to other answers.
fn way_out(world: &World<'_>, answers: &[Option<Value>]) -> Result<bool, Panicked> {
    let mut world = world.clone();
    let mut recorder = Recorder::new(&world, &[], Shows::All, None);
    recorder.continue_from(world.steps());
    match settle(&mut world, &mut recorder, SettleLimits::default(), Lasso::Find) {
        Ok(()) => Ok(answers_of(&world)? != answers),
        Err(_) => Ok(false),
    }
}
