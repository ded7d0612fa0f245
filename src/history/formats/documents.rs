//! JSON objects one after the other, however they are spread over lines: one on each line, or
//! with line breaks inside, or as the elements of an array.
//!
//! Invariant: it holds one object, whose length is limited like that of a line.

use std::io::BufRead;

use super::lines::{LINE_MAX, Lines};
use super::options::Options;
use super::record::Record;
use crate::history::Malformed;

/// Where objects come from.
pub(super) enum Documents<'a, R> {
    /// One on each line.
    Lines(&'a mut Lines<R>),
    /// Anywhere.
    Spread(Spread<'a, R>),
}

impl<R: BufRead> Documents<'_, R> {
    /// Moves to the next object; the line in which it begins, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<usize>, Malformed> {
        match self {
            Documents::Lines(lines) => lines.next(),
            Documents::Spread(spread) => spread.next(),
        }
    }

    /// The current object.
    pub(super) fn text(&self) -> &[u8] {
        match self {
            Documents::Lines(lines) => lines.text(),
            Documents::Spread(spread) => &spread.text,
        }
    }
}

/// Objects that lines do not separate.
pub(super) struct Spread<'a, R> {
    lines: &'a mut Lines<R>,
    /// How much of the current part was looked at.
    at: usize,
    line: usize,
    text: Vec<u8>,
    /// The line in which the array around them begins, if there is one.
    array: Option<usize>,
    /// Whether the array has ended.
    ended: bool,
    /// Whether an element is to follow a comma, or may.
    comma: bool,
    /// Whether to return the current object once more.
    again: bool,
}

impl<'a, R: BufRead> Spread<'a, R> {
    pub(super) fn new(lines: &'a mut Lines<R>) -> Self {
        Spread {
            lines,
            at: usize::MAX,
            line: 0,
            text: Vec::new(),
            array: None,
            ended: false,
            comma: true,
            again: false,
        }
    }

    /// Whether the first object is an operation, and not an event. It is read again.
    pub(super) fn first(&mut self, options: &Options) -> Result<bool, Malformed> {
        let there = self.next()?.is_some();
        self.again = there;
        let record = Record::parse(&self.text, options);
        Ok(there && record.is_ok_and(|mut record| record.take("invoke").is_some()))
    }

    /// The next byte of the file.
    fn byte(&mut self) -> Result<Option<u8>, Malformed> {
        loop {
            if let Some(byte) = self.lines.text().get(self.at) {
                self.at += 1;
                return Ok(Some(*byte));
            }
            let Some(line) = self.lines.part()? else { return Ok(None) };
            (self.line, self.at) = (line, 0);
        }
    }

    fn next(&mut self) -> Result<Option<usize>, Malformed> {
        if std::mem::take(&mut self.again) {
            return Ok(Some(self.line));
        }
        self.text.clear();
        loop {
            let Some(byte) = self.byte()? else {
                return match self.array.filter(|_| !self.ended) {
                    None => Ok(None),
                    Some(line) => {
                        self.refuse(line, "the file ends inside the array that begins here")
                    }
                };
            };
            match byte {
                _ if byte.is_ascii_whitespace() => {}
                _ if self.ended => {
                    return self.refuse(self.line, "the array has ended before this");
                }
                b'[' if self.array.is_none() && self.comma => self.array = Some(self.line),
                b']' if self.array.is_some() => self.ended = true,
                b',' if self.array.is_some() && !self.comma => self.comma = true,
                b'{' if self.comma || self.array.is_none() => return self.object().map(Some),
                _ => {
                    let found = char::from(byte).escape_default();
                    return self
                        .refuse(self.line, &format!("an object is to follow here, not `{found}`"));
                }
            }
        }
    }

    /// Reads an object whose bracket was read; the line in which it begins.
    fn object(&mut self) -> Result<usize, Malformed> {
        let begun = self.line;
        self.comma = false;
        let (mut depth, mut quoted, mut escaped) = (1_usize, false, false);
        self.text.push(b'{');
        while depth > 0 {
            let Some(byte) = self.byte()? else {
                return self.refuse(begun, "the file ends inside the object that begins here");
            };
            self.text.push(byte);
            if self.text.len() > LINE_MAX {
                return self.refuse(begun, "the object is longer than 16 MiB");
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => depth -= 1,
                _ => {}
            }
        }
        self.line = begun;
        Ok(begun)
    }

    fn refuse<T>(&self, line: usize, why: &str) -> Result<T, Malformed> {
        Err(Malformed::unreadable(line, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(usize, String)>, String> {
        let mut lines = Lines::new(text.as_bytes());
        let mut spread = Spread::new(&mut lines);
        let mut all = Vec::new();
        while let Some(line) = spread.next().map_err(|malformed| malformed.to_string())? {
            all.push((line, String::from_utf8_lossy(&spread.text).into_owned()));
        }
        Ok(all)
    }

    #[test]
    fn objects_are_found_in_arrays_and_one_after_the_other() {
        for (text, expected) in [
            ("[]", vec![]),
            ("[{},{}]", vec![(1, "{}"), (1, "{}")]),
            (
                " [\n{\"a\":\n\"}\\\"\"} ,\n\n{\"b\":[{}]}\n]\n",
                vec![(2, "{\"a\":\n\"}\\\"\"}"), (5, "{\"b\":[{}]}")],
            ),
            ("{\n\"a\": 1\n}\n{}{}", vec![(1, "{\n\"a\": 1\n}"), (4, "{}"), (4, "{}")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(at, it)| (*at, (*it).to_owned())).collect();
            assert_eq!(all(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused_with_its_line() {
        for (text, expected) in [
            ("[\n{}", "line 1: the file ends inside the array"),
            ("[{}]\n{}", "line 2: the array has ended"),
            ("[{}\n{}]", "line 2: an object is to follow here, not `{`"),
            ("[{},\n,{}]", "line 2: an object is to follow here, not `,`"),
            ("[\n1]", "line 2: an object is to follow here, not `1`"),
            ("[{\n\"a", "line 1: the file ends inside the object"),
            ("{},{}", "line 1: an object is to follow here, not `,`"),
            ("[[{}]]", "line 1: an object is to follow here, not `[`"),
        ] {
            let refused = all(text).expect_err(text);
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
