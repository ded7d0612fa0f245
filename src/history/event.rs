//! What a recording says, one step at a time: an operation was invoked, or it
//! ended.
//!
//! Every source of histories (the builder, readers of files, a recording that
//! is followed) says the same events; whether they can be part of a history is
//! decided by [`Rules`](super::Rules) alone.

use super::{Completion, NodeId, ProcessId, Request, Value};

/// Something that happened to an operation. Events come in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose operation.
    pub process: ProcessId,
    /// When, in nanoseconds.
    pub time: u64,
    /// The node the operation was sent to, if that is known.
    pub node: Option<NodeId>,
    /// What happened.
    pub what: What,
}

/// What happened to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was invoked.
    Invoke(Request),
    /// It was answered (with `Null` if nothing came back).
    Ok(Value),
    /// As `Ok`, and it was a read issued at quiescence.
    OkFinal(Value),
    /// It certainly took no effect.
    Fail,
    /// Its outcome will never be known; the process ends.
    Info,
}

impl What {
    /// How an operation ended that was completed in this way, final read or
    /// not. `None` for an invocation.
    pub(crate) fn into_completion(self) -> Option<Completion> {
        match self {
            What::Invoke(_) => None,
            What::Ok(value) | What::OkFinal(value) => Some(Completion::Ok(value)),
            What::Fail => Some(Completion::Fail),
            What::Info => Some(Completion::Info),
        }
    }
}

impl Event {
    fn new(process: ProcessId, time: u64, what: What) -> Event {
        Event { process, time, node: None, what }
    }

    /// `process` asks for this.
    pub fn invoke(process: ProcessId, time: u64, request: impl Into<Request>) -> Event {
        Event::new(process, time, What::Invoke(request.into()))
    }

    /// `process` is answered with this value.
    pub fn ok(process: ProcessId, time: u64, value: impl Into<Value>) -> Event {
        Event::new(process, time, What::Ok(value.into()))
    }

    /// As [`ok`](Self::ok), for a read issued at quiescence.
    pub fn ok_final(process: ProcessId, time: u64, value: impl Into<Value>) -> Event {
        Event::new(process, time, What::OkFinal(value.into()))
    }

    /// What `process` asked for certainly took no effect.
    pub fn fail(process: ProcessId, time: u64) -> Event {
        Event::new(process, time, What::Fail)
    }

    /// The outcome of what `process` asked for will never be known.
    pub fn info(process: ProcessId, time: u64) -> Event {
        Event::new(process, time, What::Info)
    }

    /// The same event, of an operation that was sent to this node.
    #[must_use]
    pub fn at(self, node: impl Into<Option<NodeId>>) -> Event {
        Event { node: node.into(), ..self }
    }
}
