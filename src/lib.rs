//! A property-tested consistency model checker for replicated data.
#[cfg(feature = "cli")]
pub mod cli;
pub mod history;
pub mod hunt;
pub mod judgement;
pub mod replication;
pub mod report;
pub mod search;
pub mod threads;
pub mod world;
