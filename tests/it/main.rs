//! Tests of the library and of the command line. They are one binary, so that
//! it is linked once and its tests keep all cores busy until the end.
//! `tests/loom.rs` explores every interleaving of threads.
//!
//! `cargo test --test it judgement::` runs one file of it.

// Nothing here uses what loom replaces.
#![cfg(not(loom))]

mod architecture;
#[path = "../../fuzz/bodies.rs"]
mod bodies;
mod browser;
mod cases;
mod catalogue;
mod cli;
mod deadlines;
mod demo;
mod dice;
mod docs;
mod documents;
mod ends;
mod exam;
mod exhaustive;
mod foreign;
mod formats;
mod full;
mod hunt;
mod judgement;
mod liveness;
mod page;
mod picture;
mod protocols;
mod reductions;
mod regressions;
mod release;
mod repairs;
mod stories;
mod support;
mod threads;
mod world;
