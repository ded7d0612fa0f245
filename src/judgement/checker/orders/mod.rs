//! Models that ask for orders of operations: one of all of them, or one for
//! each process or key.
//!
//! `search` looks for an order of any datatype; `keys` splits a history and
//! puts orders together again; the other files decide one model or a few that
//! are alike. `cycle` tells why there is no order. Where a register can be
//! decided from its times alone, `registers` is asked first.

pub(super) mod cycle;
pub(super) mod delta_atomic;
pub(super) mod k_atomic;
pub(super) mod keys;
pub(super) mod linearizable;
pub(super) mod prefix;
pub(super) mod processor;
pub(super) mod quiescent;
mod search;
pub(super) mod sequential;
pub(super) mod views;
