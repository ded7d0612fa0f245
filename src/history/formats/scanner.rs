//! A scanner for plain JSON lines.
//!
//! Reads what almost all lines consist of: strings without escapes, 64-bit
//! integers, booleans, `null`. For anything else, valid or not, it returns
//! `None`, and then `serde_json` reads the line. Invariant: what it reads,
//! `serde_json` would read alike; the readers of lines test that. It knows no
//! fields and keeps nothing.

use crate::history::{Key, Value};

/// A line, and how far it was read.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// A plain value.
pub(super) enum Token<'a> {
    Null,
    Number(i64),
    Text(&'a str),
}

impl Token<'_> {
    /// This token as a key; `None` for `null`.
    pub(super) fn key(self) -> Option<Key> {
        match self {
            Token::Text(text) => Some(Key::new(text)),
            Token::Number(number) => Some(Key::new(number.to_string())),
            Token::Null => None,
        }
    }

    /// This token as a value.
    pub(super) fn value(self) -> Value {
        match self {
            Token::Null => Value::Null,
            Token::Number(number) => Value::Int(number),
            Token::Text(text) => Value::from(text),
        }
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Scanner { text, at: 0 }
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        self.blanks();
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    pub(super) fn end(&mut self) -> Option<()> {
        self.blanks();
        (self.at == self.text.len()).then_some(())
    }

    /// A text without escapes.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' | 0..0x20 => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(&self.text[start..self.at - 1])
    }

    pub(super) fn number(&mut self) -> Option<i64> {
        self.blanks();
        let negative = self.text.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        let start = self.at;
        let mut number = 0_i64;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            number = number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
            self.at += 1;
        }
        let digits = self.at - start;
        let padded = digits > 1 && self.text[start] == b'0';
        let goes_on = matches!(self.text.get(self.at), Some(b'.' | b'e' | b'E'));
        if digits == 0 || padded || goes_on || (negative && number == 0) {
            return None;
        }
        Some(if negative { -number } else { number })
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.blanks();
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        self.blanks();
        match self.text.get(self.at)? {
            b't' => self.word(b"true").map(|()| true),
            _ => self.word(b"false").map(|()| false),
        }
    }

    pub(super) fn token(&mut self) -> Option<Token<'a>> {
        self.blanks();
        match self.text.get(self.at)? {
            b'n' => self.word(b"null").map(|()| Token::Null),
            b'"' => std::str::from_utf8(self.string()?).ok().map(Token::Text),
            _ => self.number().map(Token::Number),
        }
    }
}

/// Asserts that the scanner reads every plain line, and that whatever it reads,
/// also of lines cut short or changed at one byte, `parse` reads alike.
#[cfg(test)]
pub(super) fn read_alike<T: PartialEq + std::fmt::Debug>(
    plain: &[&str],
    odd: &[&str],
    scan: impl Fn(&[u8]) -> Option<T>,
    parse: impl Fn(&[u8]) -> Result<T, String>,
) {
    let compare = |bytes: &[u8]| {
        if let Some(scanned) = scan(bytes) {
            assert_eq!(parse(bytes), Ok(scanned), "{}", String::from_utf8_lossy(bytes));
        }
    };
    for line in plain {
        assert!(scan(line.as_bytes()).is_some(), "{line} is plain");
    }
    for line in plain.iter().chain(odd).map(|line| line.as_bytes()) {
        compare(line);
        for at in 0..line.len() {
            compare(&line[..at]);
            for new in *b"\"\\{},:0-9.en \xff" {
                let mut bytes = line.to_vec();
                bytes[at] = new;
                compare(&bytes);
            }
        }
    }
}
