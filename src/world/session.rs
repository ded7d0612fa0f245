//! Clients: each runs its script, one operation at a time.

use std::fmt;

use crate::history::{Completion, ProcessId};
use crate::replication::session_name;

use super::client::Client;

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
        f.write_str(&session_name(self.0))
    }
}

/// A client, and the process as which it acts now.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) process: ProcessId,
}

/// What distinguishes sessions in a search: the client, and how each operation
/// ended (an open one counts as unknown).
pub(crate) type SessionView = (Client, Vec<(u16, Completion)>);
