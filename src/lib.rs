//! A property-tested consistency model checker for replicated data.
pub mod history;
pub mod judgement;
