//! Who chooses what happens next.
//!
//! A search makes choices; the world carries them out. Searches know nothing
//! of consistency models: what they find is judged elsewhere.
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
