//! What is known of a variant with a bug: the kind of entry, not the entries.
//!
//! Invariant: everything that can be checked is stated so that it can be: where the bug
//! shows, in which way, in how few actions, what holds in spite of it, and which strategy
//! is without it. [`exam`](super::exam) checks it.

use crate::world::Setting;

use super::property::{Flaw, Property};

/// A mistake that a protocol can have, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    /// What is wrong, in one line.
    pub title: &'static str,
    /// How it shows, and who has met it, in a few sentences.
    pub story: &'static str,
    /// Where it was reported or described.
    pub source: &'static str,
    /// The strategy without it, as on the command line: a variant of the same one, or
    /// another one that does the job.
    pub repaired: &'static str,
    /// The strongest properties that hold in spite of it, where it is shown; empty if
    /// not even `base` does.
    pub keeps: &'static [&'static str],
    /// How many actions its shortest counterexample has.
    pub actions: usize,
}

/// A variant with one bug, and how the bug shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The variant, as on the command line.
    pub strategy: String,
    /// What is wrong with it.
    pub bug: Bug,
    /// Where the bug shows.
    pub setting: Setting,
    /// What it violates there.
    pub property: Property,
    /// In which way.
    pub flaw: Flaw,
    /// What holds there in spite of it.
    pub keeps: Vec<Property>,
}
