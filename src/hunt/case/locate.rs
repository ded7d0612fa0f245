//! The line and column of a value in a JSON text, for errors about values that are
//! well-formed JSON but not valid in a case.

/// One step of a path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Key(&'static str),
    Index(usize),
}

/// The line and column (from 1) of the value at `path` in `text`, or of the
/// last part of the path that exists. `text` must be well-formed JSON.
pub(super) fn locate(text: &str, path: &[At]) -> (usize, usize) {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.blanks();
    for part in path {
        let here = scanner.at;
        if !scanner.enter(part) {
            scanner.at = here;
            break;
        }
    }
    let before = &text[..scanner.at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Moves to a member of the value that begins here. Whether it exists.
    fn enter(&mut self, part: &At) -> bool {
        let open = match part {
            At::Key(_) => b'{',
            At::Index(_) => b'[',
        };
        if self.peek() != open {
            return false;
        }
        self.at += 1;
        let mut index = 0;
        loop {
            self.blanks();
            if matches!(self.peek(), b'}' | b']' | 0) {
                return false;
            }
            let found = match part {
                At::Key(key) => {
                    let start = self.at;
                    self.value();
                    let is_it = self.bytes[start..self.at] == *format!("\"{key}\"").as_bytes();
                    self.blanks();
                    self.at += 1; // the colon
                    is_it
                }
                At::Index(wanted) => index == *wanted,
            };
            self.blanks();
            if found {
                return true;
            }
            self.value();
            self.blanks();
            if self.peek() == b',' {
                self.at += 1;
            }
            index += 1;
        }
    }

    /// Moves past the value that begins here.
    fn value(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                0 => return,
                b'"' => {
                    self.at += 1;
                    while !matches!(self.peek(), b'"' | 0) {
                        self.at += if self.peek() == b'\\' { 2 } else { 1 };
                    }
                    self.at += 1;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b' ' | b'\n' | b'\r' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while !matches!(
                        self.peek(),
                        b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t' | 0
                    ) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "{ \"a\": [1, {\"b\\\"]\": \"x\"},\n  {\"k\" : null}],\n \"c\": {\"d\": 7} }";

    #[test]
    fn a_value_is_found_by_its_path() {
        assert_eq!(locate(TEXT, &[]), (1, 1));
        assert_eq!(locate(TEXT, &[At::Key("a"), At::Index(1)]), (1, 12));
        assert_eq!(locate(TEXT, &[At::Key("a"), At::Index(2), At::Key("k")]), (2, 10));
        assert_eq!(locate(TEXT, &[At::Key("c"), At::Key("d")]), (3, 13));
    }

    #[test]
    fn a_path_that_ends_early_gives_the_last_place_that_exists() {
        assert_eq!(locate(TEXT, &[At::Key("c"), At::Key("nothing")]), (3, 7));
        assert_eq!(locate(TEXT, &[At::Key("a"), At::Index(9)]), (1, 8));
    }
}
