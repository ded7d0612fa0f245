//! Where the towers meet: runs are searched, judged, and what fails becomes a
//! case that replays.
//!
//! Everything here is between strategies, which know no model, and models,
//! which know no strategy. It does no input or output: it takes texts and
//! gives values. It does not print, and a search asks `stop` instead of a
//! clock.
//!
//! Read next: [`property`] for what is judged, [`random`] for the hunt,
//! [`exhaustive`] for proofs, [`minimise`] for the shortest story, [`case`] for the file.

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
