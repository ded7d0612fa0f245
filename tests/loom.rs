//! Every interleaving of threads, within a bound: runs under `--cfg loom` only.
//!
//! What is asserted is the *set of outcomes* (answers and final reads), against
//! the set that an enumeration of the world gives for the same scripts. Every
//! exploration prints how many executions it took, and COMPLETE or BOUNDED.
#![cfg(loom)]

#[path = "it/dice.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod dice;
#[path = "loom/diverging.rs"]
mod diverging;
#[path = "it/documents.rs"]
mod documents;
#[path = "loom/edges.rs"]
mod edges;
#[path = "loom/explore.rs"]
mod explore;
#[path = "loom/mutants.rs"]
mod mutants;
#[path = "loom/nested.rs"]
mod nested;
#[path = "loom/outcomes.rs"]
mod outcomes;
#[path = "loom/random.rs"]
mod random;
#[path = "loom/scripts.rs"]
mod scripts;
#[path = "it/protocols/strategy.rs"]
mod strategy;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;
#[path = "loom/torn.rs"]
mod torn;
#[path = "it/threads/unruly.rs"]
mod unruly;
