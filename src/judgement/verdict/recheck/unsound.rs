//! The error for evidence that does not show what it claims.

use thiserror::Error;

/// The result of replaying a part of some evidence.
pub(super) type Replayed = Result<(), Unsound>;

/// Why evidence does not show what it claims.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the evidence does not hold: {reason}")]
pub struct Unsound {
    /// The first thing that is wrong with it.
    pub reason: String,
    /// Whether nothing wrong was found, but the evidence is too large to be
    /// replayed.
    pub too_large: bool,
}

impl Unsound {
    pub(super) fn because<T>(reason: impl Into<String>) -> Result<T, Unsound> {
        Err(Unsound { reason: reason.into(), too_large: false })
    }

    pub(super) fn too_large<T>(reason: impl Into<String>) -> Result<T, Unsound> {
        Err(Unsound { reason: reason.into(), too_large: true })
    }
}
