//! A set in which the last add or remove of an element decides.
//!
//! Source: the LWW-element-set of Shapiro et al., 2011, section 3.3.3; as in Cassandra
//! and Roshi.

use std::collections::BTreeMap;

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Lattice, sorted};

/// A last-writer-wins set.
#[derive(Clone, Copy, Debug)]
pub struct LwwSet;

impl Lattice for LwwSet {
    /// For each element the last update, and whether it was an add.
    type State = BTreeMap<Value, (Stamp, bool)>;

    fn datatype(&self) -> &'static str {
        "set:last-writer"
    }

    fn delta(&self, _: &Self::State, stamp: Stamp, call: &Call) -> Self::State {
        BTreeMap::from([(call.argument.clone(), (stamp, call.f.as_str() == "add"))])
    }

    fn join(&self, state: &mut Self::State, other: &Self::State) {
        for (element, update) in other {
            let own = state.entry(element.clone()).or_insert(*update);
            *own = (*own).max(*update);
        }
    }

    fn read(&self, state: &Self::State) -> Value {
        sorted(state.iter().filter(|(_, (_, there))| *there).map(|(element, _)| element))
    }
}
