//! The client of a session: what it may ask next, what it waits for, and what
//! it carries from one operation to the next.
//!
//! Worlds, the exhaustive search, threads and the reader of case files all
//! move this one machine; each keeps its own record beside it.
//!
//! Invariant: a client asks its operations in the order of their numbers, may
//! leave some out, and waits for one at a time. An answer counts if the client
//! waits for it, and only once.

use crate::history::{Completion, NodeId};
use crate::replication::erased::AnyToken;

/// The progress of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client {
    next: u16,
    open: Option<(u16, NodeId)>,
    token: AnyToken,
}

impl Client {
    /// The number after that of the last operation that was asked.
    pub fn next(&self) -> u16 {
        self.next
    }

    /// The operation that the client waits for, and the node that was asked
    /// last.
    pub fn open(&self) -> Option<(u16, NodeId)> {
        self.open
    }

    /// What the next request carries.
    pub fn token(&self) -> &AnyToken {
        &self.token
    }

    /// Whether the client waits for the answer to this operation.
    pub fn waits_for(&self, number: u16) -> bool {
        self.open.is_some_and(|(open, _)| open == number)
    }

    /// Why the client cannot ask this operation now, if it cannot.
    pub fn refuses(&self, number: u16) -> Option<&'static str> {
        if self.open.is_some() {
            Some("the session's operation before is still open")
        } else {
            (number < self.next).then_some("the session has already gone past this operation")
        }
    }

    /// The client asks this operation of `node`.
    pub fn invoke(&mut self, number: u16, node: NodeId) {
        self.next = number + 1;
        self.open = Some((number, node));
    }

    /// The client sends its open request to `node` as well.
    pub fn retry(&mut self, node: NodeId) {
        if let Some((_, at)) = &mut self.open {
            *at = node;
        }
    }

    /// An answer arrives; whether the client waited for it. An answer replaces
    /// the token. One that leaves the outcome unknown clears it, unless the
    /// fault plan lets clients `keep` their tokens.
    pub fn hear(
        &mut self,
        number: u16,
        completion: &Completion,
        token: AnyToken,
        keep: bool,
    ) -> bool {
        if !self.waits_for(number) {
            return false;
        }
        self.open = None;
        self.token = token;
        if *completion == Completion::Info {
            self.lose_track(keep);
        }
        true
    }

    /// The client will never learn the outcome of its open operation.
    pub fn lose_track(&mut self, keep: bool) {
        self.open = None;
        if !keep {
            self.token = AnyToken::default();
        }
    }

    /// Whether a crash of `node` leaves the client without an answer.
    pub fn waits_at(&self, node: NodeId) -> bool {
        self.open.is_some_and(|(_, at)| at == node)
    }
}
