//! What a client asks in one operation.
//!
//! Today that is one call on one object. Code that only passes requests on
//! (events, rules, the builder, readers) holds this type and asks it what it
//! needs to know. A request of several calls would therefore change only this
//! file and the code that judges operations; docs/architecture.md gives the
//! reason.

use std::fmt;

use super::{Call, Value};

/// What a client asks in one operation: one call.
///
/// ```
/// use quiescence::history::{Call, Request};
///
/// let request = Request::from(Call::read("x"));
/// assert!(request.only_reads());
/// assert_eq!(request.to_string(), "read x");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request(Call);

impl Request {
    /// The call.
    pub fn call(&self) -> &Call {
        &self.0
    }

    /// The call, by value.
    pub fn into_call(self) -> Call {
        self.0
    }

    /// Whether the request only reads, as a final read must.
    pub fn only_reads(&self) -> bool {
        self.0.is_read()
    }

    /// The same request with another argument.
    pub(super) fn with_argument(self, argument: Value) -> Request {
        Request(Call { argument, ..self.0 })
    }
}

impl From<Call> for Request {
    fn from(call: Call) -> Self {
        Request(call)
    }
}

impl fmt::Display for Request {
    /// As the call: `write x=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
