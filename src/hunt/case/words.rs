//! What happened in a step, in words, for case files, reports and
//! demonstrations.
//!
//! Invariant: no other module makes such sentences. Labels and calls in them
//! may contain any text, so a sentence is never parsed: [`Sentence`] keeps its
//! parts separate.

use crate::history::{Call, Completion, NodeId, Value};
use crate::replication::CommandId;
use crate::world::trace::{Answered, Happening};
use crate::world::{Action, SessionId, Strike};

/// A sentence in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What happened: `A writes x=1 at n1: ok`, `store x=1`, `n2 crashes`.
    pub head: String,
    /// What else happened: answers to earlier requests (`B reads x: 1`), and
    /// the message of a panic.
    pub rest: Vec<String>,
}

impl Sentence {
    /// All parts in one line, as in case files.
    pub fn text(self) -> String {
        std::iter::once(self.head).chain(self.rest).collect::<Vec<_>>().join(" · ")
    }
}

/// Describes what happened.
pub fn sentence(happened: &Happening) -> Sentence {
    let mut head = head(happened);
    let mut rest = Vec::new();
    for answer in &happened.answers {
        if happened.action == Action::Invoke(answer.operation) {
            head.push_str(&format!(": {}", outcome(answer)));
        } else {
            let session = SessionId(answer.operation.session);
            rest.push(format!("{session} {}: {}", asks(&answer.call), outcome(answer)));
        }
    }
    rest.extend(happened.panicked.iter().map(|why| format!("panicked: {why}")));
    Sentence { head, rest }
}

fn head(happened: &Happening) -> String {
    let Happening { action, node, asked, label, .. } = happened;
    match action {
        Action::Invoke(operation) => {
            let session = SessionId(operation.session);
            format!("{session} {} at {node}", asked.as_ref().map_or_else(String::new, asks))
        }
        Action::Deliver(..) => label.clone(),
        Action::Drop(..) => format!("lost: {label}"),
        Action::Duplicate(..) => format!("twice: {label}"),
        Action::Fire(node, timer) => format!("timer {} fires at {node}", timer.0),
        Action::Flush(node) => format!("{node} flushes"),
        Action::Tick(node) => format!("the clock of {node} shows {label}"),
        Action::Strike(node, Strike::Command(_)) => {
            format!("the operator tells {node}: {label}")
        }
        Action::Strike(node, strike) => struck(*node, *strike),
        Action::Recover(node) => format!("{node} recovers"),
        Action::Heal(from, to) => format!("link {from}→{to} is healed"),
        Action::Unite => "the network is whole again".to_owned(),
        Action::GiveUp(session) => format!("{session} gives up waiting"),
        Action::Retry(session, node) => format!("{session} retries at {node}"),
    }
}

/// What a fault does to a node, in words.
fn struck(node: NodeId, strike: Strike) -> String {
    match strike {
        Strike::Crash => format!("{node} crashes"),
        Strike::Cut(from) => format!("link {from}→{node} is cut"),
        Strike::Tick => format!("the clock of {node} jumps ahead"),
        Strike::JumpBack => format!("the clock of {node} jumps back"),
        Strike::Suspect(suspect) => format!("{node} suspects {suspect}"),
        Strike::Kill => format!("{node} stops for good"),
        Strike::LostFlush => format!("a flush of {node} is reported and lost"),
        Strike::Command(CommandId(number)) => format!("command {} at {node}", number + 1),
        Strike::Partition(split) => format!("the network splits: {split}"),
    }
}

/// The effect of a fault, for the lane of its node in a picture.
pub fn struck_here(strike: Strike) -> String {
    match strike {
        Strike::Crash => "x crashes".to_owned(),
        Strike::Cut(from) => format!("x link from {from}"),
        Strike::Tick => "clock ahead".to_owned(),
        Strike::JumpBack => "clock back".to_owned(),
        Strike::Suspect(suspect) => format!("suspects {suspect}"),
        Strike::Kill => "x stops for good".to_owned(),
        Strike::LostFlush => "x flush lost".to_owned(),
        Strike::Command(CommandId(number)) => format!("command {}", number + 1),
        Strike::Partition(split) => format!("x split: {split}"),
    }
}

/// `writes x=1`, `deletes x`, `reads x`, `calls add x=3`.
pub fn asks(call: &Call) -> String {
    match (call.is_read(), call.is_write()) {
        (true, _) => format!("reads {}", call.key),
        (_, true) if call.argument == Value::Null => format!("deletes {}", call.key),
        (_, true) => format!("writes {}={}", call.key, call.argument),
        _ => format!("calls {call}"),
    }
}

/// `wrote x=1`, `deleted x`, `read x`, `called add x=3`.
pub(super) fn did(call: &Call) -> String {
    match (call.is_read(), call.is_write()) {
        (true, _) => format!("read {}", call.key),
        (_, true) if call.argument == Value::Null => format!("deleted {}", call.key),
        (_, true) => format!("wrote {}={}", call.key, call.argument),
        _ => format!("called {call}"),
    }
}

/// How a call was answered: `ok`, a value, `fail`, `unknown`.
pub fn outcome(answer: &Answered) -> String {
    match &answer.completion {
        Completion::Ok(Value::Null) if !answer.call.is_read() => "ok".to_owned(),
        Completion::Ok(value) => value.to_string(),
        Completion::Fail => "fail".to_owned(),
        Completion::Info => "unknown".to_owned(),
    }
}
