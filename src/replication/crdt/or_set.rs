//! An observed-remove set with tombstones: an add puts an element there under a tag of
//! its own, a remove takes away the tags that its node has observed.
//!
//! Source: the OR-set of Shapiro et al., 2011, section 3.3.5.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Lattice, sorted};

/// An observed-remove set with tombstones.
#[derive(Clone, Copy, Debug)]
pub struct OrSet {
    /// What a remove takes away.
    pub removes: Removes,
}

/// What a remove takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removes {
    /// The tags of the element that were observed.
    Tags,
    /// Bug: the element, with all tags that it ever gets.
    Value,
}

/// What a set holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    added: BTreeMap<Stamp, Value>,
    removed: BTreeSet<Stamp>,
    /// Elements that were removed by value.
    gone: BTreeSet<Value>,
}

impl Lattice for OrSet {
    type State = State;

    fn datatype(&self) -> &'static str {
        "set:add-wins"
    }

    fn delta(&self, state: &State, stamp: Stamp, call: &Call) -> State {
        let element = call.argument.clone();
        let mut delta = State::default();
        match (call.f.as_str(), self.removes) {
            ("add", _) => {
                delta.added.insert(stamp, element);
            }
            (_, Removes::Tags) => {
                let of = state.added.iter().filter(|(_, added)| **added == element);
                delta.removed.extend(of.map(|(tag, _)| *tag));
            }
            (_, Removes::Value) => {
                delta.gone.insert(element);
            }
        }
        delta
    }

    fn join(&self, state: &mut State, other: &State) {
        state.added.extend(other.added.iter().map(|(tag, value)| (*tag, value.clone())));
        state.removed.extend(&other.removed);
        state.gone.extend(other.gone.iter().cloned());
    }

    fn read(&self, state: &State) -> Value {
        let there = state.added.iter().filter(|(tag, _)| !state.removed.contains(tag));
        sorted(there.map(|(_, value)| value).filter(|value| !state.gone.contains(value)))
    }
}
