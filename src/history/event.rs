//! One step of a recording: an operation was invoked, or it ended.
//!
//! All sources of histories (the builder, readers of files, a recording that is
//! followed) produce the same events. Only [`Rules`](super::Rules) decides
//! whether events form a history.

use super::{Completion, NodeId, ProcessId, Request, Value};

/// Something that happened to an operation. Events come in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The process whose operation it is.
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
    /// The completion that this event gives its operation, final read or not.
    /// `None` for an invocation.
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

    /// `process` invokes `request`.
    pub fn invoke(process: ProcessId, time: u64, request: impl Into<Request>) -> Event {
        Event::new(process, time, What::Invoke(request.into()))
    }

    /// The open operation of `process` is answered with this value.
    pub fn ok(process: ProcessId, time: u64, value: impl Into<Value>) -> Event {
        Event::new(process, time, What::Ok(value.into()))
    }

    /// As [`ok`](Self::ok), for a read issued at quiescence.
    pub fn ok_final(process: ProcessId, time: u64, value: impl Into<Value>) -> Event {
        Event::new(process, time, What::OkFinal(value.into()))
    }

    /// The open operation of `process` certainly took no effect.
    pub fn fail(process: ProcessId, time: u64) -> Event {
        Event::new(process, time, What::Fail)
    }

    /// The outcome of the open operation of `process` will never be known.
    pub fn info(process: ProcessId, time: u64) -> Event {
        Event::new(process, time, What::Info)
    }

    /// The same event, for an operation that was sent to this node.
    #[must_use]
    pub fn at(self, node: impl Into<Option<NodeId>>) -> Event {
        Event { node: node.into(), ..self }
    }
}
