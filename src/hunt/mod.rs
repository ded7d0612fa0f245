//! Where the two towers meet: searches make runs, models judge them, and a failing
//! run becomes a case that replays.
//!
//! Strategies know no model, and models know no strategy; only this module knows
//! both. It does no input or output and reads no clock: it takes texts, returns
//! values, and calls `stop` to learn whether its time is up.
//!
//! Read next: [`property`] for what is judged, [`random`] for the hunt,
//! [`exhaustive`] for proofs, [`minimise`] for making runs small, [`case`] for the file.

pub mod bench;
#[cfg(feature = "proptest")]
pub mod both;
pub mod case;
pub mod cause;
mod durable;
pub mod exhaustive;
pub mod minimise;
pub mod promise;
pub mod property;
#[cfg(feature = "proptest")]
pub mod random;
mod registry;

pub use crate::replication::Subject;
pub use registry::{Family, Parameter, Registry, UnknownStrategy};
