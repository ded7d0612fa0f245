//! The only clock of the crate, and its only source of chance.
//!
//! Everything below the command line is given a time limit as a question that
//! it asks (`stop`), and a seed as a number, so that the same call gives the
//! same result.
#![expect(clippy::disallowed_methods, reason = "what all others must take from here")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// The time now, which never goes back.
pub fn now() -> Instant {
    Instant::now()
}

/// Lets this much time pass.
pub fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// A number that differs from run to run.
pub fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}
