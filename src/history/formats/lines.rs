//! The lines of a file, one at a time.

use std::io::{BufRead, Read as _};

use crate::history::Malformed;

/// How long a line may be, in bytes.
const LINE_MAX: u64 = 16 << 20;

/// What a reader does with lines that make no sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Skips them and counts, instead of giving up.
    pub lenient: bool,
}

/// Lines that are not blank, with their numbers from 1.
pub(super) struct Lines<R> {
    input: R,
    number: usize,
    text: Vec<u8>,
    /// Whether the current line is to be told once more.
    again: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Lines { input, number: 0, text: Vec::new(), again: false }
    }

    /// Goes on to the next line; its number, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<usize>, Malformed> {
        if std::mem::take(&mut self.again) {
            return Ok(Some(self.number));
        }
        loop {
            self.number += 1;
            self.text.clear();
            let complain = |line, reason: String| Err(Malformed { line, reason });
            let mut limited = (&mut self.input).take(LINE_MAX + 1);
            match limited.read_until(b'\n', &mut self.text) {
                Err(error) => return complain(self.number, format!("cannot read on: {error}")),
                Ok(0) => return Ok(None),
                Ok(length) if length as u64 > LINE_MAX => {
                    return complain(self.number, "the line is longer than 16 MiB".to_owned());
                }
                Ok(_) if self.text.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Ok(Some(self.number)),
            }
        }
    }

    /// The current line.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Tells the current line once more.
    pub(super) fn again(&mut self) {
        self.again = true;
    }
}
