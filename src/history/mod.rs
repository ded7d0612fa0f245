//! What clients saw: operations, the histories they form, and the one-line
//! notation in which tests, documents and case files write them down.
//!
//! Both halves of the crate depend on this module, and it knows neither.
//! Replication uses it because clients invoke a [`Call`] and receive a
//! [`Completion`]; judgement uses it because a [`History`] is all that a
//! consistency model may look at.
//!
//! Sources of histories produce [`Event`]s; the [`Rules`] decide which of them
//! can follow each other. A [`History`] holds only what has passed the rules:
//! input becomes either a history or a [`Malformed`] with the place, the rule
//! and the reason. A malformed recording is therefore never mistaken for a
//! violation.
//!
//! Read next: [`Rules`], [`notation`] for the text form, [`formats`] for files.

mod builder;
pub mod escape;
mod event;
pub mod formats;
mod menu;
pub mod nearest;
pub mod notation;
mod operation;
mod request;
mod rules;

pub use builder::{Builder, History};
pub use event::{Event, What};
pub use menu::{Argument, Item, Menu};
pub use operation::{Call, Completion, Function, Key, NodeId, Operation, ProcessId, Value};
pub use request::Request;
pub use rules::{Malformed, Rule, Rules};
