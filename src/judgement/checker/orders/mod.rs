//! Models that ask for orders of operations: one order of all of them, or one
//! for each process or key.
//!
//! `search` finds an order, for any datatype, and `sweep` the first instant at which
//! there is none any more; `keys` splits a history by key and merges the orders; each
//! other file decides one model or a few similar ones. `cycle` derives why there is no order. A register that can be decided
//! from its times alone is left to `registers`.

pub(super) mod cycle;
pub(super) mod delta_atomic;
mod distinct;
pub(super) mod k_atomic;
pub(super) mod keys;
pub(super) mod linearizable;
mod objects;
pub(super) mod prefix;
pub(super) mod processor;
pub(super) mod quiescent;
mod search;
pub(super) mod sequential;
pub(super) mod sweep;
pub(super) mod views;
