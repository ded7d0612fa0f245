//! Histories in files. Formats read from anything that implements
//! [`std::io::BufRead`]; opening files is the command line's business.
//!
//! Invariant: a reader is total. Whatever the bytes are, the answer is a
//! [`Recording`] or a [`Malformed`](super::Malformed) with the line.

pub mod json_lines;

use super::History;

/// A history that was read, and what had to be done to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What was recorded.
    pub history: History,
    /// How often a process went on after an operation of unknown outcome and
    /// was given a new number, because a process ends there.
    pub continued: usize,
}
