//! A set in which each element has a *causal length*: how many adds and removes of it
//! follow each other. It is there if that is odd.
//!
//! An add of what is there changes nothing, nor does a remove of what is not. Of two
//! lengths the larger one is kept, so an element that was removed and added again is there
//! again. No tags or tombstones are needed.
//!
//! Source: Yu & Rostad 2020 (A Low-Cost Set CRDT Based on Causal Lengths), as in the crate
//! `causal-length`; rows of cr-sqlite have one. Deviation: a length comes with whether the
//! element is there, which is told from the length alone.

use std::collections::BTreeMap;

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Lattice, sorted};

/// A set of causal lengths.
#[derive(Clone, Copy, Debug)]
pub struct ClSet {
    /// What an add does to the length of an element that was removed.
    pub adds: Adds,
}

/// What an add does to the length of an element that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adds {
    /// It makes it longer by one.
    Lengthen,
    /// Bug: nothing. The element is there again, at the length of its removal.
    Keep,
}

impl Lattice for ClSet {
    /// The length of each element, and whether it is there.
    type State = BTreeMap<Value, (u64, bool)>;

    /// The add or remove with the largest length decides, as the last one does elsewhere.
    fn datatype(&self) -> &'static str {
        "set:last-writer"
    }

    fn delta(&self, state: &Self::State, _: Stamp, call: &Call) -> Self::State {
        let (length, there) = state.get(&call.argument).copied().unwrap_or_default();
        let add = call.f.as_str() == "add";
        let length = match self.adds {
            _ if add == there => length,
            Adds::Keep if add && length > 0 => length,
            _ => length + 1,
        };
        BTreeMap::from([(call.argument.clone(), (length, add))])
    }

    /// Of equal lengths the second one stays.
    fn join(&self, state: &mut Self::State, other: &Self::State) {
        for (element, theirs) in other {
            let own = state.entry(element.clone()).or_insert(*theirs);
            if own.0 <= theirs.0 {
                *own = *theirs;
            }
        }
    }

    fn read(&self, state: &Self::State) -> Value {
        sorted(state.iter().filter(|(_, (_, there))| *there).map(|(element, _)| element))
    }
}
