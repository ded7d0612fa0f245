//! A log whose entries are ordered by their stamps, which count on from all that their
//! node knows (Lamport clocks).
//!
//! Source: Lamport, *Time, Clocks, and the Ordering of Events in a Distributed System*,
//! CACM 1978; as the logs of OrbitDB.

use std::collections::BTreeMap;

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::Lattice;

/// A log.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// What entries are ordered by.
    pub order: Order,
}

/// What entries are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Their stamps.
    Stamps,
    /// Bug: the node first, so that an entry may come before what its author had read.
    Nodes,
}

impl Lattice for Log {
    type State = BTreeMap<Stamp, Value>;

    fn datatype(&self) -> &'static str {
        "log"
    }

    fn delta(&self, _: &Self::State, stamp: Stamp, call: &Call) -> Self::State {
        BTreeMap::from([(stamp, call.argument.clone())])
    }

    fn join(&self, state: &mut Self::State, other: &Self::State) {
        state.extend(other.iter().map(|(stamp, value)| (*stamp, value.clone())));
    }

    fn read(&self, state: &Self::State) -> Value {
        let mut entries: Vec<_> = state.iter().collect();
        if self.order == Order::Nodes {
            entries.sort_by_key(|(stamp, _)| (stamp.tie, stamp.counter));
        }
        entries.into_iter().map(|(_, value)| value.clone()).collect::<Vec<_>>().into()
    }
}
