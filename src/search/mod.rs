//! Who chooses what happens next.
//!
//! A search makes choices; the world carries them out. Searches know nothing
//! of consistency models: what they find is judged elsewhere.
//!
//! An exhaustive search visits every state and asks in each quiet one whether
//! something is wrong there, here whether final reads differ:
//!
//! ```
//! use quiescence::catalogue::bench::{agree, puts};
//! use quiescence::prelude::*;
//! use quiescence::replication::yardstick::{Keeps, Yardstick};
//! use quiescence::search::exhaustive::{Ending, Limits, Plan, Reduce, Tracks, Work, explore};
//!
//! let plan = Plan {
//!     work: Work::Scripted(puts(4)),
//!     tracks: Tracks::default(),
//!     reduce: Reduce::NONE,
//!     limits: Limits::default(),
//!     lively: 0,
//!     quieting: 0,
//!     panics: false,
//!     patient: false,
//!     jobs: 1,
//!     stop: &|_| false,
//! };
//! let (three, mut judge) = (Setting::calm(3, Network::Unordered), agree);
//! let found = explore(&Yardstick(Keeps::Larger), &three, &plan, 1, &mut judge);
//! let found = found.expect("it has few timers");
//! assert_eq!((found.ending, found.states), (Ending::Complete, 1_712));
//! assert!(found.found.is_empty());
//! ```
//!
//! Read next: [`random`] (generators for proptest), [`enumerate`] (all
//! outcomes of a small workload), [`exhaustive`] (every state of a small scope).

pub mod enumerate;
pub mod exhaustive;
#[cfg(feature = "proptest")]
pub mod random;

use crate::history::Key;

/// The name of the key with this number.
pub fn key(number: usize) -> Key {
    match number {
        0 => Key::new("x"),
        1 => Key::new("y"),
        2 => Key::new("z"),
        more => Key::new(format!("k{more}")),
    }
}
