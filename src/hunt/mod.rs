//! Joins the two halves of the crate: searches make runs, models judge them,
//! and a failing run becomes a case that replays.
//!
//! Strategies know no model, and models know no strategy; only this module
//! knows both. It does no input or output and reads no clock: it takes texts,
//! returns values, and calls `stop` to learn whether its time is up.
//!
//! ```
//! use quiescence::hunt::exhaustive::{self, Decision, Plan};
//! use quiescence::prelude::*;
//! use quiescence::search::exhaustive::{Limits, Reduce};
//!
//! let storing = Registry::standard().parse("notebook:storing")?.remove(0);
//! let plan = Plan {
//!     setting: Setting::calm(2, Network::Unordered),
//!     scopes: exhaustive::ladder(),
//!     properties: vec![Model::EVENTUAL.into()],
//!     reduce: Reduce::ALL,
//!     limits: Limits::default(),
//!     jobs: 1,
//! };
//! let hunt = exhaustive::hunt(&*storing, &plan, &|_| false);
//! let (_, Decision::Violated(found)) = &hunt.found[0] else { panic!("{hunt:?}") };
//! assert_eq!(found.failing.flaw, Flaw::History(Kind::Diverged));
//! assert_eq!(found.failing.run.schedule.len(), 4);
//! # Ok::<(), quiescence::catalogue::UnknownStrategy>(())
//! ```
//!
//! Read next: [`property`] for what is judged, [`outcome`] for what a result
//! means, [`random`] for the hunt, [`exhaustive`] for proofs, [`minimise`] for
//! making runs small, [`case`] for the file.

#[cfg(feature = "proptest")]
pub mod both;
pub mod case;
pub mod cause;
mod durable;
pub mod exhaustive;
pub mod landmarks;
pub mod minimise;
#[cfg(feature = "proptest")]
pub mod outcome;
pub mod promise;
pub mod property;
#[cfg(feature = "proptest")]
pub mod random;

pub use crate::replication::Subject;
