//! Version 0.18.2.

use yrs_0_18 as library;

#[path = "replica.rs"]
mod replica;

pub use replica::Yrs;
