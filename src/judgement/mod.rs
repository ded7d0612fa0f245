//! What is allowed: consistency models, the procedures that decide them, and
//! verdicts with evidence.
//!
//! A [`Model`] is data, [`check`] decides whether a
//! [`History`](crate::history::History) is allowed by it, and [`recheck`]
//! replays the evidence with other code. This tower sees what clients saw and
//! nothing else: it does not know what ran, nor how, and it has no clock, no
//! thread, no random number and no order that depends on a hash.
//!
//! Read next: [`verdict`] for what a judgement says, [`checker`] for how it is
//! reached.

pub mod apart;
pub mod checker;
pub mod datatype;
pub mod distance;
pub mod elements;
pub mod initial;
pub mod live;
#[cfg(test)]
mod lot;
mod measured;
pub mod model;
mod number;
pub mod oracle;
mod relation;
pub mod sums;
pub mod verdict;

pub use checker::{Judge, Survey, check, check_with};
pub use distance::Distance;
pub use elements::Elements;
pub use initial::Begun;
pub use live::Live;
pub use model::{Grid, Guarantees, Model, Scope, UnknownModel};
pub use sums::Sums;
pub use verdict::{
    Budget, Counterexample, Kind, Reason, Unknown, Unsound, Verdict, Witness, recheck, recheck_with,
};
