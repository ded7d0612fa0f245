//! A property-tested consistency model checker for replicated data.
pub mod history;
pub mod hunt;
pub mod judgement;
pub mod replication;
pub mod search;
pub mod threads;
pub mod world;
