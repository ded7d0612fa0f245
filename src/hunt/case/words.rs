//! What happened in a step, in words: what case files record of it, and what
//! reports and demonstrations say.
//!
//! Invariant: this is the only place that makes such sentences. Labels and
//! calls in them may contain anything, so a sentence is never read back:
//! [`Told`] keeps its parts apart for whoever needs them.

use crate::history::{Call, Completion, Value};
use crate::world::trace::{Answered, Happening};
use crate::world::{Action, SessionId};

/// A sentence in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened: `A writes x=1 at n1: ok`, `store x=1`, `n2 crashes`.
    pub head: String,
    /// What else came of it: answers to others (`B reads x: 1`), and what the
    /// handler said when it panicked.
    pub rest: Vec<String>,
}

impl Told {
    /// As one sentence, as it stands in case files.
    pub fn text(self) -> String {
        std::iter::once(self.head).chain(self.rest).collect::<Vec<_>>().join(" · ")
    }
}

/// What happened, in words.
pub fn told(happened: &Happening) -> Told {
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
    Told { head, rest }
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
pub fn asks(call: &Call) -> String {
    match (call.is_read(), call.is_write()) {
        (true, _) => format!("reads {}", call.key),
        (_, true) => format!("writes {}={}", call.key, call.argument),
        _ => format!("calls {call}"),
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
