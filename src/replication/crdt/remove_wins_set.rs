//! A set in which the remove wins against a concurrent add: it holds the removes that
//! no add has observed.
//!
//! Source: Shapiro et al., 2011, section 3.3; Baquero, Almeida and Shoker, *Pure
//! operation-based replicated data types*, 2017.

use std::collections::BTreeSet;

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Dots, Dropped, Lattice, sorted};

/// A remove-wins set.
#[derive(Clone, Copy, Debug)]
pub struct RemoveWinsSet;

/// What a set holds: the elements that were ever added, and the removes that no add
/// has observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    added: BTreeSet<Value>,
    removes: Dots,
}

impl Lattice for RemoveWinsSet {
    type State = State;

    fn datatype(&self) -> &'static str {
        "set:remove-wins"
    }

    fn delta(&self, state: &State, stamp: Stamp, call: &Call) -> State {
        let element = call.argument.clone();
        match call.f.as_str() {
            "add" => State {
                removes: state.removes.replacing(|removed| *removed == element, None),
                added: BTreeSet::from([element]),
            },
            _ => State {
                removes: state.removes.replacing(|_| false, Some((stamp, element))),
                added: BTreeSet::new(),
            },
        }
    }

    fn join(&self, state: &mut State, other: &State) {
        state.added.extend(other.added.iter().cloned());
        state.removes.join(&other.removes, Dropped::Removed);
    }

    fn read(&self, state: &State) -> Value {
        let removed: BTreeSet<_> = state.removes.values().collect();
        sorted(state.added.iter().filter(|element| !removed.contains(element)))
    }
}
