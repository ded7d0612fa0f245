//! A history in the one-line [`notation`], as a recording: one that somebody has typed,
//! and not one that a test has logged.

use super::{Format, Recording};
use crate::history::{Malformed, notation};

/// Reads a history in the one-line notation. Its operations are numbered as they stand in
/// the text, from 1.
///
/// # Errors
/// As [`notation::parse`].
///
/// ```
/// use quiescence::history::formats::{Format, typed};
///
/// let recording = typed("wx1|rx1 rx0 @ 110011")?;
/// assert_eq!(recording.format, Format::Notation);
/// assert_eq!(recording.place(0), ("operation", 2));
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn typed(text: &str) -> Result<Recording, Malformed> {
    let history = notation::parse(text)?;
    // A process comes before the next one in the text, and does one thing after the other.
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|at| history.operations()[*at].process);
    let mut lines = vec![0; history.len()];
    for (number, at) in (1..).zip(order) {
        lines[at] = number;
    }
    Ok(Recording { history, lines, timed: false, ..Recording::empty(Format::Notation) })
}
