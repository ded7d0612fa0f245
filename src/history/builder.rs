//! The only way to a [`History`].
//!
//! Invariant: every history is well formed. A process has at most one open
//! operation, does nothing after an operation of unknown outcome, never
//! answers before it was asked, and issues nothing but final reads once it
//! has issued one. Whatever breaks this is [`Malformed`], with the line.

use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

use super::{Call, Completion, Operation, ProcessId, Value};

/// Why something is not a history, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct Malformed {
    /// The line (or event number) that cannot be part of a history, from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

/// What clients saw: operations in order of invocation.
///
/// Two histories are equal if they have the same operations in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    operations: Vec<Operation>,
}

impl History {
    /// The operations, in order of invocation.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is no operation at all.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The processes that occur, in ascending order.
    pub fn processes(&self) -> Vec<ProcessId> {
        let mut known = FxHashSet::default();
        let new = |process: &ProcessId| known.insert(*process);
        let mut all: Vec<_> = self.operations.iter().map(|op| op.process).filter(new).collect();
        all.sort_unstable();
        all
    }

    /// Whether any read is marked as issued at quiescence.
    pub fn has_final_reads(&self) -> bool {
        self.operations.iter().any(|op| op.final_read)
    }

    /// How many reads were answered: with none, nothing can be checked.
    pub fn answered_reads(&self) -> usize {
        self.operations.iter().filter(|op| op.answer().is_some()).count()
    }

    /// These operations, in order of invocation, which are known to be well
    /// formed.
    pub(crate) fn assembled(operations: Vec<Operation>) -> History {
        debug_assert!(operations.is_sorted_by_key(|op| op.invoked), "they are in order");
        History { operations }
    }

    /// These operations, in order of invocation, of processes that need not be
    /// sequential: for checkers that shift times.
    pub(crate) fn reordered(operations: Vec<Operation>) -> History {
        History { operations }
    }

    /// The history of the operations at these positions only (ascending).
    ///
    /// A part of a well-formed history is well formed.
    pub fn restricted_to(&self, positions: &[usize]) -> History {
        debug_assert!(positions.is_sorted(), "positions are ascending");
        History { operations: positions.iter().map(|&at| self.operations[at].clone()).collect() }
    }
}

/// Collects events in the order in which they happened.
///
/// ```
/// use quiescence::history::{Builder, Call, ProcessId};
///
/// let mut events = Builder::new();
/// events.invoke(ProcessId(0), 10, Call::write("x", 1))?;
/// events.ok(ProcessId(0), 20, ())?;
/// events.invoke(ProcessId(1), 30, Call::read("x"))?;
/// events.ok(ProcessId(1), 40, 1)?;
/// let history = events.finish();
/// assert_eq!(history.len(), 2);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    operations: Vec<Operation>,
    processes: FxHashMap<ProcessId, State>,
    /// Processes that have issued a final read.
    at_quiescence: FxHashSet<ProcessId>,
    line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// The position of the open operation.
    Open(usize),
    Ended,
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Null
    }
}

impl Builder {
    /// No events yet.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Says which line of the input the following events come from, so that a
    /// complaint can name it. Without it events are numbered from 1.
    pub fn at_line(&mut self, line: usize) -> &mut Self {
        self.line = line.saturating_sub(1);
        self
    }

    fn malformed(&self, reason: String) -> Malformed {
        Malformed { line: self.line, reason }
    }

    /// `process` asks at `time` (nanoseconds).
    ///
    /// # Errors
    /// If the process has an operation open, ended with one of unknown
    /// outcome, or has already issued a final read.
    pub fn invoke(
        &mut self,
        process: ProcessId,
        time: u64,
        call: Call,
    ) -> Result<&mut Operation, Malformed> {
        self.line += 1;
        let ProcessId(p) = process;
        match self.processes.get(&process) {
            Some(State::Open(at)) => {
                let open = &self.operations[*at].call;
                return Err(self.malformed(format!(
                    "process {p} invokes `{call}` while its `{open}` is open; a process is sequential"
                )));
            }
            Some(State::Ended) => {
                return Err(self.malformed(format!(
                    "process {p} invokes `{call}` after an operation of unknown outcome; a client that goes on does so as a new process"
                )));
            }
            Some(State::Idle) | None => {}
        }
        if !call.is_read() && self.at_quiescence.contains(&process) {
            return Err(self.malformed(format!(
                "process {p} invokes `{call}` after its final read; a final read is issued at quiescence"
            )));
        }
        if let Some(last) = self.operations.last()
            && last.invoked > time
        {
            return Err(self.malformed(format!(
                "invocations are not in order of time: {time} after {}",
                last.invoked
            )));
        }
        self.processes.insert(process, State::Open(self.operations.len()));
        self.operations.push(Operation {
            process,
            node: None,
            call,
            invoked: time,
            returned: None,
            completion: Completion::Info,
            final_read: false,
        });
        Ok(self.operations.last_mut().expect("an operation was just pushed"))
    }

    /// The open operation of `process` is answered with `value`.
    ///
    /// # Errors
    /// If the process has no open operation, or time ran backwards.
    pub fn ok(
        &mut self,
        process: ProcessId,
        time: u64,
        value: impl Into<Value>,
    ) -> Result<&mut Operation, Malformed> {
        self.complete(process, Some(time), Completion::Ok(value.into()))
    }

    /// As [`ok`](Self::ok), for a read issued at quiescence.
    ///
    /// # Errors
    /// As [`ok`](Self::ok), and if the operation is not a read.
    pub fn ok_final(
        &mut self,
        process: ProcessId,
        time: u64,
        value: impl Into<Value>,
    ) -> Result<&mut Operation, Malformed> {
        if let Some(State::Open(at)) = self.processes.get(&process)
            && !self.operations[*at].call.is_read()
        {
            let call = self.operations[*at].call.clone();
            self.line += 1;
            return Err(self
                .malformed(format!("`{call}` is marked final; only a read can be a final read")));
        }
        self.at_quiescence.insert(process);
        let operation = self.complete(process, Some(time), Completion::Ok(value.into()))?;
        operation.final_read = true;
        Ok(operation)
    }

    /// The open operation of `process` certainly took no effect.
    ///
    /// # Errors
    /// As [`ok`](Self::ok).
    pub fn fail(&mut self, process: ProcessId, time: u64) -> Result<&mut Operation, Malformed> {
        self.complete(process, Some(time), Completion::Fail)
    }

    /// The outcome of the open operation of `process` will never be known; the
    /// process ends here.
    ///
    /// # Errors
    /// If the process has no open operation.
    pub fn info(&mut self, process: ProcessId) -> Result<&mut Operation, Malformed> {
        self.complete(process, None, Completion::Info)
    }

    fn complete(
        &mut self,
        process: ProcessId,
        time: Option<u64>,
        completion: Completion,
    ) -> Result<&mut Operation, Malformed> {
        self.line += 1;
        let ProcessId(p) = process;
        let Some(State::Open(at)) = self.processes.get(&process).copied() else {
            return Err(self
                .malformed(format!("process {p} completes an operation that it did not invoke")));
        };
        let invoked = self.operations[at].invoked;
        if time.is_some_and(|time| time < invoked) {
            return Err(self.malformed(format!(
                "process {p} is answered before it asked (invoked at {invoked})"
            )));
        }
        let ended = completion == Completion::Info;
        self.processes.insert(process, if ended { State::Ended } else { State::Idle });
        let operation = &mut self.operations[at];
        operation.returned = time;
        operation.completion = completion;
        Ok(operation)
    }

    /// The history so far. Operations that are still open are pending.
    pub fn finish(self) -> History {
        History { operations: self.operations }
    }
}
