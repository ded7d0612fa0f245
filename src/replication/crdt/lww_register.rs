//! A register that keeps the value with the largest stamp.
//!
//! Source: the LWW-register of Shapiro et al., 2011, section 3.2.1; Thomas 1979.

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::Lattice;

/// A last-writer-wins register.
#[derive(Clone, Copy, Debug)]
pub struct LwwRegister;

impl Lattice for LwwRegister {
    type State = Option<(Stamp, Value)>;

    fn datatype(&self) -> &'static str {
        "register"
    }

    fn delta(&self, _: &Self::State, stamp: Stamp, call: &Call) -> Self::State {
        Some((stamp, call.argument.clone()))
    }

    fn join(&self, state: &mut Self::State, other: &Self::State) {
        if *state < *other {
            state.clone_from(other);
        }
    }

    fn read(&self, state: &Self::State) -> Value {
        state.as_ref().map(|(_, value)| value.clone()).unwrap_or_default()
    }
}
