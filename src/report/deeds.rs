//! Operations of a recording in a few words, with its own names for processes and
//! lines.

use crate::history::{History, ProcessId, escape};
use crate::judgement::verdict::deed;

/// Tells what operations did, by position in the history.
pub struct Deeds<'a> {
    /// The operations.
    pub history: &'a History,
    /// What a process is called, for example `process 3`.
    pub who: &'a dyn Fn(ProcessId) -> String,
    /// The place of an operation in the recording, for example `etcd.log:4081`.
    pub place: &'a dyn Fn(usize) -> String,
}

impl Deeds<'_> {
    /// `process 3 read x at n3 and saw 4 (etcd.log:17)`.
    pub fn did(&self, at: usize) -> String {
        let who = (self.who)(self.history.operations()[at].process);
        format!("{who} {} ({})", deed(self.history, at), (self.place)(at))
    }
}

/// A key or a value, shortened if it is long, without control characters.
pub(super) fn short(text: &dyn ToString) -> String {
    escape::short(&text.to_string()).into_owned()
}
