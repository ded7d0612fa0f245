//! All that happened inside a run, as data.
//!
//! Invariant: the same schedule gives the same trace on every machine and in
//! every build. The only texts in it are what the strategy says of itself: the
//! labels of messages, how replicas are shown, and what a handler said when it
//! panicked. They may contain anything, so they are never parsed. Sentences
//! are made above, where they are needed.

use crate::history::{Call, Completion, NodeId};
use crate::replication::erased::{AnyReplica, AnyStrategy};
use crate::replication::{CommandId, OperationId, Part, Strategy, Subject};

use super::perform::{NotEnabled, Report, World};
use super::recorder::Step;
use super::{Action, MessageName, Setting, Strike, Workload};

/// What happened in one step at one node, in a world or on threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// What happened.
    pub action: Action<MessageName>,
    /// The node at which it happened.
    pub node: NodeId,
    /// What an invocation asks.
    pub asked: Option<Call>,
    /// The message or the command that it is about, in the strategy's words, or what
    /// a clock shows that has ticked; empty if it is about none of these.
    pub label: String,
    /// The answers that were given and that somebody waited for, in order.
    pub answers: Vec<Answered>,
    /// What the handler said when it panicked, if it did.
    pub panicked: Option<String>,
}

/// An answer to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// To which operation.
    pub operation: OperationId,
    /// What had been asked.
    pub call: Call,
    /// The answer.
    pub completion: Completion,
}

/// A replica as the strategy shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Part by part.
    Parts(Vec<Part>),
    /// As `Debug` prints it.
    Debug(String),
}

/// One step with its causes and its effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// The step, with its message known by cause.
    pub step: Step,
    /// What happened.
    pub happened: Happening,
    /// What was sent: the message and its label.
    pub sends: Vec<(MessageName, String)>,
    /// The writes that the node takes into account from here on and did not
    /// before, as far as the strategy records it.
    pub visible: Vec<OperationId>,
    /// The replica of the node before.
    pub before: Shown,
    /// The replica of the node afterwards.
    pub after: Shown,
    /// Whether the two differ. They may, though they are shown alike.
    pub is_changed: bool,
}

/// All that happened, as far as the schedule went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What nodes sent when they started.
    pub start: Vec<(MessageName, String)>,
    /// The replica of each node when all had started.
    pub boot: Vec<Shown>,
    /// The steps. One whose handler panics is the last.
    pub steps: Vec<TraceStep>,
    /// If a step of the schedule was impossible: how many steps were performed
    /// before it.
    pub stuck: Option<NotEnabled>,
}

/// Performs the steps of a run and records what happens.
pub fn trace(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    schedule: &[Step],
) -> Trace {
    record_all(&strategy.erased(), setting, workload, schedule, |_, step| Some(*step))
}

/// Performs recorded steps and records what happens.
pub fn follow(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    schedule: &[(Action<MessageName>, bool)],
) -> Trace {
    let mut number = 0;
    record_all(&strategy.erased(), setting, workload, schedule, |world, (action, settling)| {
        number += 1;
        let action = action.rename(|_, name| world.message_named(*name))?;
        Some(Step { number, action, settling: *settling })
    })
}

fn record_all<T>(
    strategy: &AnyStrategy,
    setting: &Setting,
    workload: &Workload,
    schedule: &[T],
    mut next: impl FnMut(&World<'_>, &T) -> Option<Step>,
) -> Trace {
    let mut trace = Trace::default();
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(panicked) => {
            trace.stuck = Some(NotEnabled::Panicked(panicked));
            return trace;
        }
    };
    trace.boot = world.nodes().iter().map(|node| show(strategy, &node.replica)).collect();
    trace.start = world.in_flight().map(|(name, m)| (name, strategy.label(m))).collect();
    for step in schedule {
        let outcome = match next(&world, step) {
            Some(step) => record(strategy, &mut world, &step, &mut trace.steps),
            None => Err(NotEnabled::Impossible("the message is not in flight")),
        };
        if let Err(why) = outcome {
            trace.stuck = Some(why);
            return trace;
        }
    }
    trace
}

fn show(strategy: &AnyStrategy, replica: &AnyReplica) -> Shown {
    match strategy.show(replica) {
        Some(parts) => Shown::Parts(parts),
        None => Shown::Debug(format!("{replica:?}")),
    }
}

/// Performs one step and records what happened.
fn record(
    strategy: &AnyStrategy,
    world: &mut World<'_>,
    step: &Step,
    steps: &mut Vec<TraceStep>,
) -> Result<(), NotEnabled> {
    let message = step.action.message().and_then(|(to, id)| world.message(to, *id));
    let (name, label) = match message {
        Some((name, content)) => (Some(name), strategy.label(content)),
        None => (None, command(strategy, world, &step.action)),
    };
    let node = world.place(&step.action);
    let before = world.nodes()[node.index()].replica.clone();
    let taken = world.facts().taken(node).to_vec();
    let (report, panicked) = match world.perform(&step.action, step.number) {
        Ok(report) => (report, None),
        Err(NotEnabled::Panicked(panicked)) => {
            (Report { node, sent: Vec::new(), replies: Vec::new() }, Some(panicked))
        }
        Err(impossible) => return Err(impossible),
    };
    let action = step.action.rename(|_, _| name).expect("a message in flight has a name");
    // What is sent to a node that is gone is lost at once.
    let sends = report.sent.iter().filter_map(|name| {
        let (_, content) = world.in_flight().find(|(other, _)| other == name)?;
        Some((*name, strategy.label(content)))
    });
    let sends = sends.collect();
    let heard = report.replies.into_iter().filter(|(.., heard)| *heard);
    let answers = heard.map(|(operation, completion, _)| {
        let call = call_of(world.workload(), operation).clone();
        Answered { operation, call, completion }
    });
    let asked = match action {
        Action::Invoke(operation) => Some(call_of(world.workload(), operation).clone()),
        _ => None,
    };
    let mut visible: Vec<OperationId> = Vec::new();
    for write in world.facts().taken(node) {
        if !taken.contains(write) && !visible.contains(write) {
            visible.push(*write);
        }
    }
    let answers = answers.collect();
    let after = &world.nodes()[node.index()].replica;
    let panic = panicked.as_ref().map(|panicked| panicked.0.clone());
    steps.push(TraceStep {
        step: *step,
        happened: Happening { action, node, asked, label, answers, panicked: panic },
        sends,
        visible,
        is_changed: before != *after,
        before: show(strategy, &before),
        after: show(strategy, after),
    });
    panicked.map_or(Ok(()), |panicked| Err(NotEnabled::Panicked(panicked)))
}

/// The command that an operator gives, in the strategy's words, or what a clock is about
/// to show; empty if it is neither.
fn command(strategy: &AnyStrategy, world: &World<'_>, action: &Action) -> String {
    match action {
        Action::Strike(_, Strike::Command(CommandId(number))) => {
            let mut all = strategy.commands(&world.cluster()).into_iter();
            all.nth(usize::from(*number)).unwrap_or_default()
        }
        Action::Tick(node) => {
            let clock = world.nodes().get(node.index()).and_then(|node| node.clock.as_ref());
            clock.map_or_else(String::new, |clock| (clock.reading() + 1).to_string())
        }
        _ => String::new(),
    }
}

fn call_of(workload: &Workload, operation: OperationId) -> &Call {
    let script = &workload.sessions[usize::from(operation.session)];
    &script.operations[usize::from(operation.number)].call
}
