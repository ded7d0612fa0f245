//! Version 0.27.0.

use yrs_0_27 as library;

#[path = "replica.rs"]
mod replica;

pub use replica::Yrs;
