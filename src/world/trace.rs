//! All that happened inside a run, as text: for people and for case files.
//!
//! Invariant: the same schedule gives the same trace, byte for byte, on every
//! machine and in every build. Texts come from the strategy's labels and from
//! actions; nothing is formatted with `Debug` but replica states, which are
//! shown and never compared.

use crate::history::{Call, Completion, NodeId, Value};
use crate::replication::Subject;
use crate::replication::erased::AnyStrategy;
use crate::replication::{OperationId, Strategy};

use super::perform::{NotEnabled, Report, World};
use super::recorder::Step;
use super::{Action, MessageName, SessionId, Setting, Workload};

/// One step as shown and as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// The step, with its message known by cause.
    pub step: Step,
    /// What happened.
    pub action: Action<MessageName>,
    /// Whether it was recomputed while settling.
    pub settling: bool,
    /// The node at which it happened.
    pub node: NodeId,
    /// The session that acted or was answered, if one was.
    pub session: Option<SessionId>,
    /// What happened, in words.
    pub text: String,
    /// What was sent: the message and its content in words.
    pub sends: Vec<(MessageName, String)>,
    /// The replica of `node` afterwards, as `Debug` shows it.
    pub state: String,
}

/// All that happened, as far as the schedule went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What nodes sent when they started.
    pub start: Vec<(MessageName, String)>,
    /// The replica of each node when all had started, as `Debug` shows it.
    pub boot: Vec<String>,
    /// The steps. One whose handler panics is the last.
    pub steps: Vec<TraceStep>,
    /// If a step of the schedule was impossible: how many steps were performed
    /// before it.
    pub stuck: Option<NotEnabled>,
}

/// Performs the steps of a run and tells what happens.
pub fn trace(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    schedule: &[Step],
) -> Trace {
    tell_all(&strategy.erased(), setting, workload, schedule, |_, step| Some(*step))
}

/// Performs recorded steps and tells what happens.
pub fn follow(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    schedule: &[(Action<MessageName>, bool)],
) -> Trace {
    let mut number = 0;
    tell_all(&strategy.erased(), setting, workload, schedule, |world, (action, settling)| {
        number += 1;
        let action = action.rename(|_, name| world.message_named(*name))?;
        Some(Step { number, action, settling: *settling })
    })
}

fn tell_all<T>(
    strategy: &AnyStrategy,
    setting: &Setting,
    workload: &Workload,
    schedule: &[T],
    mut next: impl FnMut(&World<'_>, &T) -> Option<Step>,
) -> Trace {
    let mut told = Trace::default();
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(panicked) => {
            told.stuck = Some(NotEnabled::Panicked(panicked));
            return told;
        }
    };
    told.boot = world.nodes().iter().map(|node| format!("{:?}", node.replica)).collect();
    told.start = world.in_flight().map(|(name, m)| (name, strategy.label(m))).collect();
    for step in schedule {
        let outcome = match next(&world, step) {
            Some(step) => tell(strategy, &mut world, &step, &mut told.steps),
            None => Err(NotEnabled::Impossible("the message is not in flight")),
        };
        if let Err(why) = outcome {
            told.stuck = Some(why);
            return told;
        }
    }
    told
}

/// Performs one step and tells what happened.
fn tell(
    strategy: &AnyStrategy,
    world: &mut World<'_>,
    step: &Step,
    told: &mut Vec<TraceStep>,
) -> Result<(), NotEnabled> {
    let message = step.action.message().and_then(|(to, id)| world.message(to, *id));
    let message = message.map(|(name, content)| (name, strategy.label(content)));
    let node = world.place(&step.action);
    let (report, outcome) = match world.perform(&step.action, step.number) {
        Ok(report) => (report, Ok(())),
        Err(NotEnabled::Panicked(panicked)) => {
            let nothing = Report { node, sent: Vec::new(), replies: Vec::new() };
            (nothing, Err(NotEnabled::Panicked(panicked)))
        }
        Err(impossible) => return Err(impossible),
    };
    let (name, label) = match message {
        Some((name, label)) => (Some(name), label),
        None => (None, String::new()),
    };
    let action = step.action.rename(|_, _| name).expect("a message in flight has a name");
    let mut text = words(world, &step.action, node, &label);
    answers(world, &step.action, &report, &mut text);
    if let Err(NotEnabled::Panicked(panicked)) = &outcome {
        text.push_str(&format!(" · panicked: {}", panicked.0));
    }
    let sends = report.sent.iter().map(|name| {
        let sent = world.in_flight().find(|(other, _)| other == name);
        let (_, content) = sent.expect("what was just sent is in flight");
        (*name, strategy.label(content))
    });
    let session = match step.action {
        Action::Invoke(operation) => Some(SessionId(operation.session)),
        Action::GiveUp(session) | Action::Retry(session, _) => Some(session),
        _ => {
            let heard = report.replies.iter().find(|(.., heard)| *heard);
            heard.map(|(operation, ..)| SessionId(operation.session))
        }
    };
    let sends = sends.collect();
    let state = format!("{:?}", world.nodes()[node.index()].replica);
    told.push(TraceStep {
        step: *step,
        action,
        settling: step.settling,
        node,
        session,
        text,
        sends,
        state,
    });
    outcome
}

fn words(world: &World<'_>, action: &Action, node: NodeId, label: &str) -> String {
    match action {
        Action::Invoke(operation) => {
            let session = SessionId(operation.session);
            format!("{session} {} at {node}", asks(call_of(world, *operation)))
        }
        Action::Deliver(..) => label.to_owned(),
        Action::Drop(..) => format!("lost: {label}"),
        Action::Duplicate(..) => format!("twice: {label}"),
        Action::Fire(node, timer) => format!("timer {} fires at {node}", timer.0),
        Action::Crash(node) => format!("{node} crashes"),
        Action::Recover(node) => format!("{node} recovers"),
        Action::Cut(from, to) => format!("link {from}→{to} is cut"),
        Action::Heal(from, to) => format!("link {from}→{to} is healed"),
        Action::Tick(node) => format!("the clock of {node} jumps ahead"),
        Action::JumpBack(node) => format!("the clock of {node} jumps back"),
        Action::GiveUp(session) => format!("{session} gives up waiting"),
        Action::Retry(session, node) => format!("{session} retries at {node}"),
        Action::Suspect(node, suspect) => format!("{node} suspects {suspect}"),
    }
}

/// `writes x=1`, `reads x`, `calls add x=3`.
pub(crate) fn asks(call: &Call) -> String {
    match (call.is_read(), call.is_write()) {
        (true, _) => format!("reads {}", call.key),
        (_, true) => format!("writes {}={}", call.key, call.argument),
        _ => format!("calls {call}"),
    }
}

/// How a call was answered: `ok`, a value, `fail`, `unknown`.
pub(crate) fn outcome(call: &Call, completion: &Completion) -> String {
    match completion {
        Completion::Ok(Value::Null) if !call.is_read() => "ok".to_owned(),
        Completion::Ok(value) => value.to_string(),
        Completion::Fail => "fail".to_owned(),
        Completion::Info => "unknown".to_owned(),
    }
}

fn answers(world: &World<'_>, action: &Action, report: &Report, text: &mut String) {
    for (operation, completion, heard) in &report.replies {
        if !heard {
            continue;
        }
        let call = call_of(world, *operation);
        let outcome = outcome(call, completion);
        if *action == Action::Invoke(*operation) {
            text.push_str(&format!(": {outcome}"));
        } else {
            let session = SessionId(operation.session);
            text.push_str(&format!(" · {session} {}: {outcome}", asks(call)));
        }
    }
}

fn call_of<'a>(world: &World<'a>, operation: OperationId) -> &'a Call {
    let script = &world.workload().sessions[usize::from(operation.session)];
    &script.operations[usize::from(operation.number)].call
}
