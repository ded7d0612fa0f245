//! Operations of a recording in a few words, with its own names for processes and
//! lines.

use crate::history::{Function, History, ProcessId, Value, escape};

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
        let operation = &self.history.operations()[at];
        let node = operation.node.map_or_else(String::new, |node| format!(" at {node}"));
        let (who, key) = ((self.who)(operation.process), short(&operation.call.key));
        let deed = match operation.answer() {
            Some(Value::Null) => format!("read {key}{node} and saw nothing"),
            Some(value) => format!("read {key}{node} and saw {}", short(value)),
            None => {
                let f = match &operation.call.f {
                    Function::Other(f) => format!("called {}", short(f)),
                    _ => "wrote".to_owned(),
                };
                let argument = match &operation.call.argument {
                    Value::Null => String::new(),
                    argument => format!("={}", short(argument)),
                };
                format!("{f} {key}{argument}{node}")
            }
        };
        format!("{who} {deed} ({})", (self.place)(at))
    }
}

/// A key or a value, shortened if it is long, without control characters.
pub(super) fn short(text: &dyn ToString) -> String {
    escape::short(&text.to_string()).into_owned()
}
