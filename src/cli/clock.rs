//! The only clock of the crate, and its only source of randomness.
//!
//! All code below the command line gets its time limit as a function to call
//! (`stop`), and its seed as a number, so that the same call gives the same
//! result.
#![expect(clippy::disallowed_methods, reason = "what all others must take from here")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// The time now, which never goes back.
pub fn now() -> Instant {
    Instant::now()
}

/// Waits for this time.
pub fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// A random number, different in each process.
pub fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}
