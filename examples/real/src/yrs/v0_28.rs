//! Version 0.28.1.

use ::yrs as library;

#[path = "replica.rs"]
mod replica;

pub use replica::Yrs;
