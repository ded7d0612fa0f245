//! `crdts`: objects replicated by operations, by states, or by both.

pub mod map;
pub mod objects;

/// What nodes send.
pub mod by {
    /// The operation, at once.
    pub const OPERATIONS: u8 = 0;
    /// The whole state, at once.
    pub const STATES: u8 = 1;
    /// The operation at once, and the whole state now and then.
    pub const BOTH: u8 = 2;
}
