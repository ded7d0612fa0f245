//! Events become operations: a completion closes what its process has open.
//!
//! Invariant: an operation is made of an invocation and a completion that do
//! not contradict each other; events are in order of time. Whatever breaks
//! this is malformed. A reader that is lenient goes on, and from then on knows
//! less, never something else: where a completion may belong to either of two
//! invocations it belongs to none. What files look like is not known here.

use rustc_hash::FxHashMap;

use super::assemble::Assembler;
use super::lines::Options;
use super::{Format, Recording};
use crate::history::{
    Call, Completion, Function, Key, Malformed, NodeId, Operation, ProcessId, Value,
};

/// Pairs invocations with completions.
pub(super) struct Pairs {
    pub(super) all: Assembler,
    options: Options,
    open: FxHashMap<u32, Open>,
    events: u64,
    /// Whether events have times.
    timed: Option<bool>,
    time: u64,
}

/// An operation that was invoked and not completed.
#[derive(Clone, Copy)]
struct Open {
    line: usize,
    at: usize,
    /// Whether a completion may belong to an earlier invocation as well.
    doubtful: bool,
    /// Whether it was announced as a read at quiescence.
    last: bool,
}

/// Where an event stands, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) line: usize,
    pub(super) process: u32,
    pub(super) time: Option<u64>,
    pub(super) node: Option<NodeId>,
}

/// What a completion says. What it repeats of its invocation must agree.
pub(super) struct Said {
    pub(super) f: Option<Function>,
    pub(super) key: Option<Key>,
    pub(super) argument: Option<Value>,
    pub(super) completion: Completion,
    /// Whether it is of a read at quiescence.
    pub(super) last: bool,
}

impl Said {
    /// Which field says something else than the invocation did.
    pub(super) fn contradicts(&self, call: &Call) -> Result<(), String> {
        let differs = |field| Err(format!("this completes `{call}`, but its `{field}` is another"));
        if self.f.as_ref().is_some_and(|f| *f != call.f) {
            return differs("f");
        }
        if self.key.as_ref().is_some_and(|key| *key != call.key) {
            return differs("key");
        }
        if self.argument.as_ref().is_some_and(|argument| *argument != call.argument) {
            return differs("value");
        }
        if self.last && !call.is_read() {
            return Err(format!("`{call}` is marked final; only a read can be a final read"));
        }
        Ok(())
    }
}

impl Pairs {
    pub(super) fn new(options: Options) -> Pairs {
        let all = Assembler::new();
        Pairs { all, options, open: FxHashMap::default(), events: 0, timed: None, time: 0 }
    }

    /// What is still open is pending.
    pub(super) fn finish(self, format: Format) -> Result<Recording, Malformed> {
        self.all.finish(format, self.options)
    }

    /// Skips what makes no sense, and counts it, if that was asked for.
    pub(super) fn or_skip(&mut self, done: Result<(), Malformed>) -> Result<(), Malformed> {
        match done {
            Err(_) if self.options.lenient => {
                self.all.skip();
                Ok(())
            }
            done => done,
        }
    }

    /// The time of an event; without times, their order is their time.
    fn time(&mut self, event: Event) -> Result<u64, Malformed> {
        self.events += 1;
        let timed = event.time.is_some();
        if *self.timed.get_or_insert(timed) != timed {
            let reason = "`time` stands on some events only; it belongs on all or on none";
            return complain(event.line, reason);
        }
        let time = event.time.unwrap_or(self.events);
        if time < self.time {
            let before = self.time;
            self.or_skip(complain(
                event.line,
                format!(
                    "time runs backwards: {time} after {before}; events stand in the order in \
                     which they happened"
                ),
            ))?;
        }
        self.time = self.time.max(time);
        Ok(self.time)
    }

    /// A process asks; `last` announces a read at quiescence.
    pub(super) fn invoke(&mut self, event: Event, call: Call, last: bool) -> Result<(), Malformed> {
        let invoked = self.time(event)?;
        let before = self.open.get(&event.process);
        if let Some(open) = before {
            let reason = format!(
                "process {} invokes `{call}` while its `{}` of line {} is open; a process is \
                 sequential",
                event.process,
                self.all.operation(open.at).call,
                open.line
            );
            self.or_skip(complain(event.line, reason))?;
        }
        let doubtful = self.open.contains_key(&event.process);
        let operation = Operation {
            process: ProcessId(event.process),
            node: event.node,
            call,
            invoked,
            returned: None,
            completion: Completion::Info,
            final_read: false,
        };
        let at = self.all.push(event.line, operation);
        self.open.insert(event.process, Open { line: event.line, at, doubtful, last });
        Ok(())
    }

    /// What a process has open.
    pub(super) fn open(&self, process: u32) -> Option<&Call> {
        self.open.get(&process).map(|open| &self.all.operation(open.at).call)
    }

    /// The argument of what a process has open, where only the completion
    /// knows it.
    pub(super) fn settle(&mut self, process: u32, argument: Value) {
        if let Some(open) = self.open.get(&process) {
            self.all.operation_mut(open.at).call.argument = argument;
        }
    }

    /// A process is answered, or gives up.
    pub(super) fn complete(&mut self, event: Event, said: Said) -> Result<(), Malformed> {
        let Event { line, process, node, .. } = event;
        let returned = self.time(event)?;
        let Some(open) = self.open.remove(&process) else {
            let reason = format!("process {process} completes an operation that it did not invoke");
            return complain(line, reason);
        };
        if open.doubtful {
            return complain(line, format!("process {process} had two operations open"));
        }
        let operation = self.all.operation_mut(open.at);
        said.contradicts(&operation.call).or_else(|reason| complain(line, reason))?;
        let answered = matches!(said.completion, Completion::Ok(_));
        operation.returned = (said.completion != Completion::Info).then_some(returned);
        operation.final_read = answered && (said.last || open.last);
        operation.completion = said.completion;
        operation.node = operation.node.or(node);
        Ok(())
    }
}

/// A complaint about a line.
pub(super) fn complain<T>(line: usize, reason: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { line, reason: reason.into() })
}
