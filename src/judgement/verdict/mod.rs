//! Verdicts and their evidence.
//!
//! Invariant: there is no verdict without evidence. [`Verdict::Holds`] carries
//! a [`Witness`], [`Verdict::Violated`] a [`Counterexample`], and [`recheck()`]
//! replays either of them without the code of the checkers (this module imports
//! none of them). It does not know how evidence is found.
//!
//! Read next: [`Reason`] for the proof inside a counterexample, `recheck` for
//! how evidence is replayed.

mod evidence;
mod explain;
mod pattern;
mod reason;
mod recheck;
mod ring;

pub use super::model::Kind;
pub use evidence::{Budget, Counterexample, Unknown, Verdict, Witness};
pub use explain::deed;
pub use pattern::{Pattern, Shape};
pub use reason::{Because, Fact, Place, Reason, Source, Step, Why};
pub use recheck::{Unsound, recheck, recheck_with};
pub use ring::{Case, Link, Order, Ring};
