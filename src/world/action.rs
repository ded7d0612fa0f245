//! The steps of a world, by meaning.
//!
//! Inside the tool a message is known by its cause, so that a schedule still
//! means the same after another action was taken out of it; in files it is
//! known by its link and its number on that link (`n1→n2 #2`).

use std::fmt;

use crate::history::NodeId;
use crate::replication::{OperationId, TimerId};

use super::{FaultKind, SessionId, Strike};

/// A message by its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The step that sent it.
    pub step: u32,
    /// Which of the sends of that step.
    pub index: u16,
    /// 0 for the message itself; its copies are numbered from 1.
    pub copy: u16,
}

/// A message by its link: `n1→n2 #2`, a copy `n1→n2 #2+1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageName {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// The number on this link, from 1.
    pub number: u32,
    /// 0 for the message itself; its copies are numbered from 1.
    pub copy: u16,
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}→{} #{}", self.from, self.to, self.number)?;
        if self.copy > 0 {
            write!(f, "+{}", self.copy)?;
        }
        Ok(())
    }
}

/// One step of a world. Messages are known by cause ([`MessageId`]) inside the
/// tool and by link ([`MessageName`]) in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action<M = MessageId> {
    /// The operation's session issues it.
    Invoke(OperationId),
    /// A message is handed to its receiver.
    Deliver(NodeId, M),
    /// A message is lost.
    Drop(NodeId, M),
    /// A message is there twice.
    Duplicate(NodeId, M),
    /// A timer fires.
    Fire(NodeId, TimerId),
    /// The oldest image on its way to the disk of a node is flushed.
    Flush(NodeId),
    /// The clock of a node ticks, if clocks tick by themselves.
    Tick(NodeId),
    /// A fault strikes a node.
    Strike(NodeId, Strike),
    /// A node starts again.
    Recover(NodeId),
    /// Messages from the first node to the second are let through again.
    Heal(NodeId, NodeId),
    /// A network that was split is whole again.
    Unite,
    /// A client stops waiting; it will never know the outcome.
    GiveUp(SessionId),
    /// A client sends its open request again, to this node.
    Retry(SessionId, NodeId),
}

impl<M> Action<M> {
    /// Whether this is what happens when nothing goes wrong.
    pub fn is_ordinary(&self) -> bool {
        matches!(
            self,
            Action::Invoke(_)
                | Action::Deliver(..)
                | Action::Fire(..)
                | Action::Flush(_)
                | Action::Tick(_)
        )
    }

    /// The kind of fault that this is, if it is one.
    pub fn fault(&self) -> Option<FaultKind> {
        match self {
            Action::Drop(..) => Some(FaultKind::Drop),
            Action::Duplicate(..) => Some(FaultKind::Duplicate),
            Action::Strike(_, strike) => Some(strike.kind()),
            Action::GiveUp(_) => Some(FaultKind::GiveUp),
            Action::Retry(..) => Some(FaultKind::Retry),
            Action::Invoke(_)
            | Action::Deliver(..)
            | Action::Fire(..)
            | Action::Flush(_)
            | Action::Tick(_)
            | Action::Recover(_)
            | Action::Heal(..)
            | Action::Unite => None,
        }
    }

    /// Whether it lets messages through that were held back.
    pub fn heals(&self) -> bool {
        matches!(self, Action::Heal(..) | Action::Unite)
    }

    /// The message that this is about, and its receiver.
    pub fn message(&self) -> Option<(NodeId, &M)> {
        match self {
            Action::Deliver(to, message)
            | Action::Drop(to, message)
            | Action::Duplicate(to, message) => Some((*to, message)),
            _ => None,
        }
    }

    /// The same action with its message known in another way; `None` if
    /// `rename` does not know it.
    pub fn rename<N>(&self, rename: impl FnOnce(NodeId, &M) -> Option<N>) -> Option<Action<N>> {
        Some(match self {
            Action::Deliver(to, message) => Action::Deliver(*to, rename(*to, message)?),
            Action::Drop(to, message) => Action::Drop(*to, rename(*to, message)?),
            Action::Duplicate(to, message) => Action::Duplicate(*to, rename(*to, message)?),
            Action::Invoke(operation) => Action::Invoke(*operation),
            Action::Fire(node, timer) => Action::Fire(*node, *timer),
            Action::Flush(node) => Action::Flush(*node),
            Action::Tick(node) => Action::Tick(*node),
            Action::Strike(node, strike) => Action::Strike(*node, *strike),
            Action::Recover(node) => Action::Recover(*node),
            Action::Heal(from, to) => Action::Heal(*from, *to),
            Action::Unite => Action::Unite,
            Action::GiveUp(session) => Action::GiveUp(*session),
            Action::Retry(session, node) => Action::Retry(*session, *node),
        })
    }
}

impl std::str::FromStr for MessageName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (link, number) = text.split_once(" #")?;
            let (from, to) = link.split_once('→')?;
            let (number, copy) = match number.split_once('+') {
                Some((number, copy)) => (number, copy.parse().ok().filter(|copy| *copy > 0)?),
                None => (number, 0),
            };
            let number = number.parse().ok().filter(|number| *number > 0)?;
            Some(MessageName { from: from.parse().ok()?, to: to.parse().ok()?, number, copy })
        };
        parse().ok_or_else(|| {
            format!("`{text}` does not name a message; messages are named like `n1→n2 #1`")
        })
    }
}
