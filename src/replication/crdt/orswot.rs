//! An observed-remove set without tombstones: it remembers which tags it knows, so a tag
//! that it knows and does not hold was removed.
//!
//! Source: Bieniusa et al., *An optimized conflict-free replicated set*, 2012; as in Riak.

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Dots, Dropped, Lattice, sorted};

/// An observed-remove set without tombstones.
#[derive(Clone, Copy, Debug)]
pub struct Orswot {
    /// What a join takes for removed.
    pub dropped: Dropped,
}

impl Lattice for Orswot {
    type State = Dots;

    fn datatype(&self) -> &'static str {
        "set:add-wins"
    }

    fn delta(&self, state: &Dots, stamp: Stamp, call: &Call) -> Dots {
        let element = call.argument.clone();
        let put = (call.f.as_str() == "add").then(|| (stamp, element.clone()));
        state.replacing(|held| *held == element, put)
    }

    fn join(&self, state: &mut Dots, other: &Dots) {
        state.join(other, self.dropped);
    }

    fn read(&self, state: &Dots) -> Value {
        sorted(state.values())
    }
}
