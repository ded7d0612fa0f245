//! What clients saw: operations, the histories they form, and the one-line
//! notation in which tests, documents and case files write them down.
//!
//! This is the ground both towers stand on. Replication speaks it because
//! clients call with a [`Call`] and are answered with a [`Completion`];
//! judgement speaks it because a [`History`] is all that a consistency model
//! may look at. It knows neither of them.
//!
//! A [`History`] can only be made by the [`Builder`], which is total: events
//! become a history or a [`Malformed`] with the place and the reason. A
//! malformed recording is therefore never mistaken for a violation.
//!
//! Read next: [`notation`] for the text form, [`formats`] for files.

mod builder;
pub mod escape;
pub mod formats;
pub mod notation;
mod operation;

pub use builder::{Builder, History, Malformed};
pub use operation::{Call, Completion, Function, Key, NodeId, Operation, ProcessId, Value};
