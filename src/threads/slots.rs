//! Reply slots: where a client waits for the answer to its operation, and what
//! is said of answers.
//!
//! Invariant: an operation is answered at most once; whether anybody still
//! waits for it is decided under the lock of its session's slot. A slot knows
//! no replica.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, NodeId};
use crate::replication::{Effects, OperationId, Strategy};
use crate::world::component::Panicked;
use crate::world::trace::{asks, outcome};
use crate::world::{Action, MessageName, SessionId};

use super::sync::{Arc, Condvar, Mutex, MutexGuard, lock};

/// Where the answer to a session's operation is put.
pub(super) struct Slot<S: Strategy> {
    pub(super) state: Mutex<SlotState<S>>,
    pub(super) answered: Condvar,
}

pub(super) struct SlotState<S: Strategy> {
    /// The operation that waits, by its number, and what it asks.
    pub(super) open: Option<(u16, Call)>,
    pub(super) answer: Option<(Completion, S::Token)>,
    pub(super) given_up: bool,
}

/// An answer that somebody waited for.
pub(super) struct Answer<S: Strategy> {
    pub(super) operation: OperationId,
    pub(super) call: Call,
    pub(super) completion: Completion,
    pub(super) token: S::Token,
}

pub(super) type Open<'a, S> = BTreeMap<u16, MutexGuard<'a, SlotState<S>>>;

pub(super) fn lock_all<S: Strategy>(slots: &BTreeMap<u16, Arc<Slot<S>>>) -> Open<'_, S> {
    slots.iter().map(|(session, slot)| (*session, lock(&slot.state))).collect()
}

/// The answers of a step that somebody waits for; from now on nobody does.
pub(super) fn answers<S: Strategy>(
    effects: &mut Effects<S>,
    open: &mut Open<'_, S>,
) -> Vec<Answer<S>> {
    let mut heard = Vec::new();
    for reply in effects.replies.drain(..) {
        let Some(slot) = open.get_mut(&reply.operation.session) else { continue };
        match slot.open.take() {
            Some((number, call)) if number == reply.operation.number => heard.push(Answer {
                operation: reply.operation,
                call,
                completion: reply.completion,
                token: reply.token,
            }),
            other => slot.open = other,
        }
    }
    heard
}

/// What happened, in the words of a trace.
pub(super) fn words(
    action: &Action<MessageName>,
    node: NodeId,
    asked: Option<(OperationId, &Call)>,
    label: &str,
) -> String {
    match (action, asked) {
        (Action::Fire(_, timer), _) => format!("timer {} fires at {node}", timer.0),
        (_, Some((operation, call))) => {
            format!("{} {} at {node}", SessionId(operation.session), asks(call))
        }
        _ => label.to_owned(),
    }
}

/// What came of it, in the words of a trace.
pub(super) fn report<S: Strategy>(
    action: &Action<MessageName>,
    answers: &[Answer<S>],
    panicked: Option<&Panicked>,
    text: &mut String,
) {
    for answer in answers {
        let told = outcome(&answer.call, &answer.completion);
        if *action == Action::Invoke(answer.operation) {
            text.push_str(&format!(": {told}"));
        } else {
            let session = SessionId(answer.operation.session);
            text.push_str(&format!(" · {session} {}: {told}", asks(&answer.call)));
        }
    }
    if let Some(Panicked(why)) = panicked {
        text.push_str(&format!(" · panicked: {why}"));
    }
}
