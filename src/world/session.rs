//! Clients: each runs its script, one operation at a time.

use std::fmt;

use crate::history::{Completion, NodeId, ProcessId};
use crate::replication::erased::AnyToken;

/// A session: one client with its token, shown as `A`, `B`, …, `Z`, `S27`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u16);

impl SessionId {
    /// The session's position in the workload, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The session with this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut letters = name.chars();
        match (letters.next(), letters.next()) {
            (Some(letter @ 'A'..='Z'), None) => Some(SessionId(letter as u16 - u16::from(b'A'))),
            (Some('S'), Some('1'..='9')) => {
                let number: u16 = name[1..].parse().ok()?;
                (number > 26).then(|| SessionId(number - 1))
            }
            _ => None,
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..=25 => write!(f, "{}", char::from(b'A' + u8::try_from(self.0).expect("below 26"))),
            more => write!(f, "S{}", u32::from(more) + 1),
        }
    }
}

/// The progress of a session.
#[derive(Clone)]
pub(super) struct Session {
    /// The next operation of its script.
    pub(super) next: u16,
    /// The operation that waits for an answer, and the node it waits at.
    pub(super) open: Option<(u16, NodeId)>,
    /// As which process the session acts now.
    pub(super) process: ProcessId,
    pub(super) token: AnyToken,
}

/// What distinguishes sessions in a search: progress, token, and how each operation
/// ended (an open one counts as unknown).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SessionView {
    pub(crate) next: u16,
    pub(crate) open: Option<u16>,
    pub(crate) token: AnyToken,
    pub(crate) told: Vec<(u16, Completion)>,
}
