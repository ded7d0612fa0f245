//! Reads a file line by line, or part by part for a format in which lines mean
//! nothing.
//!
//! Invariant: it holds at most one line, and the length of a line is limited.
//! It skips a byte order mark at the beginning. It does not know what lines
//! mean.

use std::io::{BufRead, Read as _};

use crate::history::Malformed;

/// How long a line may be, in bytes.
pub(super) const LINE_MAX: usize = 16 << 20;

/// The most that [`Lines::part`] reads at once, in bytes.
const PART: usize = 64 << 10;

/// Why a file that begins like this cannot be read as text, if that is known.
pub(super) fn no_text(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("the file is in UTF-16, and recordings are in UTF-8")
        }
        _ => None,
    }
}

/// Lines that are not blank, with their numbers from 1.
pub(super) struct Lines<R> {
    input: R,
    number: usize,
    text: Vec<u8>,
    /// Whether to return the current part once more.
    again: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Lines { input, number: 0, text: Vec::new(), again: false }
    }

    /// Moves to the next line that is not blank. Its number, or `None` at the
    /// end.
    pub(super) fn next(&mut self) -> Result<Option<usize>, Malformed> {
        let mut fresh = !std::mem::take(&mut self.again);
        loop {
            if fresh {
                self.text.clear();
                self.number += 1;
            }
            fresh = true;
            self.extend(LINE_MAX + 1)?;
            if self.text.is_empty() {
                return Ok(None);
            }
            if self.text.len() > LINE_MAX {
                let reason = "the line is longer than 16 MiB".to_owned();
                return Err(Malformed::unreadable(self.number, reason));
            }
            if !self.text.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(self.number));
            }
        }
    }

    /// Moves to the next part of the file, blank or not: the rest of a line, or
    /// a piece of it. The number of its line, or `None` at the end.
    pub(super) fn part(&mut self) -> Result<Option<usize>, Malformed> {
        if std::mem::take(&mut self.again) {
            return Ok(Some(self.number));
        }
        self.number += usize::from(self.text.is_empty() || self.text.ends_with(b"\n"));
        self.text.clear();
        self.extend(PART)?;
        Ok(if self.text.is_empty() { None } else { Some(self.number) })
    }

    /// Reads the rest of the line of which the current part is a piece, as far as a line may
    /// be long.
    pub(super) fn rest(&mut self) -> Result<(), Malformed> {
        self.extend(LINE_MAX + 1)
    }

    /// Reads to the end of the line, or until the part has `limit` bytes.
    fn extend(&mut self, limit: usize) -> Result<(), Malformed> {
        if self.text.ends_with(b"\n") {
            return Ok(());
        }
        let first = self.number == 1 && self.text.is_empty();
        let room = limit.saturating_sub(self.text.len());
        let mut limited = (&mut self.input).take(u64::try_from(room).unwrap_or(u64::MAX));
        if let Err(error) = limited.read_until(b'\n', &mut self.text) {
            let reason = format!("cannot read on: {error}");
            return Err(Malformed::unreadable(self.number, reason));
        }
        if first && self.text.starts_with(b"\xef\xbb\xbf") {
            self.text.drain(..3);
        }
        Ok(())
    }

    /// What comes after the current line, as far as it is at hand.
    pub(super) fn ahead(&mut self) -> &[u8] {
        self.input.fill_buf().unwrap_or_default()
    }

    /// The current line or part.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Makes the next call return the current line or part once more.
    pub(super) fn again(&mut self) {
        self.again = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let mut lines = Lines::new(text);
        let mut all = Vec::new();
        while let Some(number) = lines.next().expect("readable") {
            all.push((number, lines.text().to_vec()));
        }
        all
    }

    #[test]
    fn blank_lines_are_skipped_and_counted_and_a_mark_is_no_text() {
        let text = b"\xef\xbb\xbfa\r\n\n  \r\nb";
        assert_eq!(lines(text), [(1, b"a\r\n".to_vec()), (4, b"b".to_vec())]);
        assert_eq!(lines(b"\xef\xbb\xbf"), []);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_that_was_looked_at_in_part_is_told_as_a_whole() {
        let long = "x".repeat(3 * PART);
        let text = format!("\n{long}\ny\n");
        let mut lines = Lines::new(text.as_bytes());
        assert_eq!((lines.part(), lines.text().len()), (Ok(Some(1)), 1));
        assert_eq!((lines.part(), lines.text().len()), (Ok(Some(2)), PART));
        lines.again();
        assert_eq!((lines.next(), lines.text().len()), (Ok(Some(2)), long.len() + 1));
        assert_eq!((lines.part(), lines.text()), (Ok(Some(3)), &b"y\n"[..]));
        assert_eq!(lines.part(), Ok(None));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let text = vec![b'x'; LINE_MAX + 2];
        let refused = Lines::new(&text[..]).next().expect_err("too long");
        assert_eq!(refused.to_string(), "line 1: the line is longer than 16 MiB");
    }
}
