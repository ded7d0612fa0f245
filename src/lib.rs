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

/// The code in the documents compiles and runs; see tests/docs.rs.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../docs/cases.md")]
    struct Cases;
    #[doc = include_str!("../docs/histories.md")]
    struct Histories;
    #[doc = include_str!("../docs/tutorial.md")]
    struct Tutorial;
}
