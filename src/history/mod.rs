//! What clients saw: operations, the histories they form, and the one-line
//! notation in which tests, documents and case files write them down.
//!
//! This is the ground both towers stand on. Replication speaks it because
//! clients call with a [`Call`] and are answered with a [`Completion`];
//! judgement speaks it because a [`History`] is all that a consistency model
//! may look at. It knows neither of them.
//!
//! Sources of histories say [`Event`]s; the [`Rules`] decide which of them can
//! follow each other. A [`History`] holds only what has passed them: events
//! become a history or a [`Malformed`] with the place, the rule and the reason.
//! A malformed recording is therefore never mistaken for a violation.
//!
//! Read next: [`Rules`], [`notation`] for the text form, [`formats`] for files.

mod builder;
pub mod escape;
mod event;
pub mod formats;
pub mod notation;
mod operation;
mod request;
mod rules;

pub use builder::{Builder, History};
pub use event::{Event, What};
pub use operation::{Call, Completion, Function, Key, NodeId, Operation, ProcessId, Value};
pub use request::Request;
pub use rules::{Malformed, Rule, Rules};
