//! A register that can be deleted: a put adds a value under a tag of its own, a delete
//! takes away the tags that its node has seen. Of the values that are left the one with
//! the greatest tag is answered.
//!
//! A put replaces nothing: values that came before it stay, until they are deleted.
//!
//! Source: the keys of go-ds-crdt, where tags are nodes of a Merkle DAG and their heights
//! come first. Deviations: tags are stamps; whole states are sent, not a DAG.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::Lattice;

/// A register of tagged values.
#[derive(Clone, Copy, Debug)]
pub struct PriorityRegister {
    /// Which value is answered, if one is left.
    pub answers: Answers,
}

/// Which value is answered, if one is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The greatest of those that are left.
    Left,
    /// Bug: the greatest that was ever left, though it may be deleted since.
    Kept,
}

/// What a register holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    put: BTreeMap<Stamp, Value>,
    deleted: BTreeSet<Stamp>,
    /// The greatest tag that was ever left.
    kept: Option<Stamp>,
}

impl State {
    fn greatest(&self) -> Option<Stamp> {
        self.put.keys().rfind(|tag| !self.deleted.contains(tag)).copied()
    }
}

impl Lattice for PriorityRegister {
    type State = State;

    /// No type says what heights mean, so only agreement is judged.
    fn datatype(&self) -> &'static str {
        "opaque"
    }

    fn delta(&self, state: &State, stamp: Stamp, call: &Call) -> State {
        let mut delta = State::default();
        match call.argument {
            Value::Null => delta.deleted.extend(state.put.keys()),
            ref value => {
                delta.put.insert(stamp, value.clone());
            }
        }
        delta
    }

    fn join(&self, state: &mut State, other: &State) {
        state.put.extend(other.put.iter().map(|(tag, value)| (*tag, value.clone())));
        state.deleted.extend(&other.deleted);
        if self.answers == Answers::Kept {
            state.kept = state.kept.max(state.greatest());
        }
    }

    fn read(&self, state: &State) -> Value {
        let answered = match (self.answers, state.greatest()) {
            (Answers::Kept, Some(_)) => state.kept,
            (_, greatest) => greatest,
        };
        answered.and_then(|tag| state.put.get(&tag)).cloned().unwrap_or_default()
    }
}
