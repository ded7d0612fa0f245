//! A register that keeps all values that no later write has replaced.
//!
//! Sources: DeCandia et al., *Dynamo*, SOSP 2007; with dots, so that two writes through
//! one node are not taken for one: Preguiça et al., *Dotted version vectors*, 2010.
//! Deviation: a write replaces all that its node holds; clients carry no context.

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::{Dots, Dropped, Lattice, sorted};

/// A multi-value register.
#[derive(Clone, Copy, Debug)]
pub struct MvRegister {
    /// What a join takes for replaced.
    pub dropped: Dropped,
}

impl Lattice for MvRegister {
    type State = Dots;

    fn datatype(&self) -> &'static str {
        "mv-register"
    }

    fn delta(&self, state: &Dots, stamp: Stamp, call: &Call) -> Dots {
        state.replacing(|_| true, Some((stamp, call.argument.clone())))
    }

    fn join(&self, state: &mut Dots, other: &Dots) {
        state.join(other, self.dropped);
    }

    fn read(&self, state: &Dots) -> Value {
        sorted(state.values())
    }
}
