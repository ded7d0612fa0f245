//! A property-tested consistency model checker for replicated data.
//!
//! *Quiescence* is the moment at which eventual consistency is judged: the
//! writes have stopped and every message has arrived. Do the replicas agree,
//! and on the right value?
//!
//! # The theory on one screen
//!
//! - A **strategy** is a replication protocol as a pure function from a replica
//!   and an input to a replica and effects: [`replication::Strategy`].
//! - A **world** is a cluster of such replicas with its network and its
//!   clients. It moves one **action** at a time, every action at one node:
//!   [`world::World`]. A **schedule** is the list of actions that were chosen;
//!   it reproduces the run.
//! - A run ends by **settling** (recover nodes, heal links, deliver messages and
//!   fire timers until nothing changes) and by **final reads** at every node. What clients saw is the
//!   **history**: [`history::History`].
//! - A **model** says which histories are allowed: there must be a visibility
//!   and an arbitration that explain every answer and obey the model's axioms,
//!   or, for linearizability, one order within real time: [`judgement::Model`].
//! - A **verdict** holds, is violated, or is unknown, always with evidence,
//!   and [`judgement::recheck`] replays the evidence with other code.
//! - A failing run is minimised by re-execution and becomes a **case**, a small
//!   file that replays: [`hunt::case::Case`].
//!
//! # The ways in
//!
//! - Judge a history: [`judgement::check`].
//! - Check a protocol of your own: import [`prelude`], implement
//!   [`replication::Strategy`], then
//!   hunt with [`hunt::random::hunt`], use [`search::random::scenario`] in a
//!   `proptest!` of yours, or get the whole command line for it with
//!   [`cli::main`]. docs/tutorial.md walks through all three.
//! - Run it on threads, under loom or live: [`threads`].
//!
//! ```
//! use quiescence::history::notation;
//! use quiescence::judgement::{Budget, Kind, Model, check, recheck};
//!
//! // Two clients write at two nodes; at quiescence the nodes disagree.
//! let history = notation::parse("wx1|wx2|rx2!|rx1! @ 00112233")?;
//! let verdict = check(&history, Model::EVENTUAL, Budget::default());
//! assert_eq!(verdict.kind(), Some(Kind::Diverged));
//! recheck(&history, Model::EVENTUAL, &verdict).expect("the evidence stands");
//! # Ok::<(), quiescence::history::Malformed>(())
//! ```
//!
//! # The map
//!
//! Two towers do not import each other: what runs ([`replication`],
//! [`world`], [`search`], [`threads`]) and what is allowed ([`judgement`]).
//! They stand on [`history`] and meet in [`hunt`]; what is known of each
//! strategy is in [`catalogue`]; [`report`] and [`cli`] are the face. docs/architecture.md has every module and every absence.

// Documentation on docs.rs, which a nightly toolchain makes, says what needs which feature.
#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom, test))))]
// Unit tests use nothing that loom replaces: they run without it, and there is no second copy
// of the library to compile with it.
#![cfg(not(all(test, loom)))]
// What cannot be written is an error and no panic: see `cli::screen`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod catalogue;
#[cfg(feature = "cli")]
pub mod cli;
pub mod history;
pub mod hunt;
pub mod judgement;
pub mod prelude;
pub mod replication;
pub mod report;
pub mod search;
pub mod threads;
pub mod world;

/// The code in the documents compiles and runs, and some of it uses the command line; see
/// tests/it/docs.rs.
#[cfg(all(doctest, feature = "cli"))]
mod documents {
    #[doc = include_str!("../docs/cases.md")]
    struct Cases;
    #[doc = include_str!("../docs/histories.md")]
    struct Histories;
    #[doc = include_str!("../docs/tutorial.md")]
    struct Tutorial;
}
