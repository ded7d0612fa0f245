//! A history in the one-line [`notation`], as a recording: one that somebody has typed,
//! and not one that a test has logged.

use super::drain::{self, is_drain};
use super::options::Options;
use super::{Format, Recording};
use crate::history::{Completion, History, Malformed, notation};

/// Reads a history in the one-line notation. Its operations are numbered as they stand in
/// the text, from 1. Drains of queues are read as the `dequeue`s that they did.
///
/// # Errors
/// As [`notation::parse`], or if a drain answers or names what it cannot.
///
/// ```
/// use quiescence::history::formats::{Format, Options, typed};
///
/// let recording = typed("wx1|rx1 rx0 @ 110011", &Options::default())?;
/// assert_eq!(recording.format, Format::Notation);
/// assert_eq!(recording.place(0), ("operation", 2));
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn typed(text: &str, options: &Options) -> Result<Recording, Malformed> {
    let history = notation::parse(text)?;
    // A process comes before the next one in the text, and does one thing after the other.
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|at| history.operations()[*at].process);
    let mut lines = vec![0; history.len()];
    for (number, at) in (1..).zip(order) {
        lines[at] = number;
    }
    let mut operations = history.operations().to_vec();
    for (operation, line) in operations.iter_mut().zip(&lines) {
        if is_drain(&operation.call.f) {
            let named = &mut operation.call.argument;
            drain::check(&operation.completion, named)
                .map_err(|reason| Malformed::unreadable(*line as usize, reason))?;
            if operation.completion == Completion::Info {
                *named = drain::noted(named.clone(), None);
            }
        }
    }
    let history = History::of(operations)?;
    let typed = Recording { history, lines, timed: false, ..Recording::empty(Format::Notation) };
    Ok(drain::expand(typed, options.held))
}
