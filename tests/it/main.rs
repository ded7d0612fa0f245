//! What the library and the command line do, in one binary: it is linked once,
//! and its tests keep all cores busy until the last one ends. What happens on
//! threads in every interleaving is in `tests/loom.rs`.
//!
//! `cargo test --test it judgement::` runs one file of it.

// Nothing here touches what loom replaces.
#![cfg(not(loom))]

mod architecture;
#[path = "../../fuzz/bodies.rs"]
mod bodies;
mod cases;
mod cli;
mod demo;
mod dice;
mod docs;
mod exhaustive;
mod formats;
mod hunt;
mod judgement;
mod liveness;
mod picture;
mod protocols;
mod reductions;
mod regressions;
mod support;
mod threads;
mod world;
