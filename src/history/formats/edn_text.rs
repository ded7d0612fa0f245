//! A small reader of EDN, form by form.
//!
//! Reads what histories are made of: `nil`, booleans, numbers, texts,
//! characters, keywords, symbols, vectors, lists, sets and maps; comments and
//! `#_` are skipped, tags are dropped from what they tag. Numbers that are no
//! integers of 64 bits stay text. Bounded: forms nest 64 deep at most.

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edn {
    Nil,
    Int(i64),
    Text(String),
    /// Without its colon.
    Keyword(String),
    /// A symbol, a boolean, a character, or a number of another kind.
    Word(String),
    /// A vector or a list.
    List(Vec<Edn>),
    Set(Vec<Edn>),
    Map(Vec<(Edn, Edn)>),
}

impl Edn {
    /// The value under a keyword of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Edn> {
        let Edn::Map(pairs) = self else { return None };
        let is_key = |(name, _): &&(Edn, Edn)| matches!(name, Edn::Keyword(word) if word == key);
        pairs.iter().find(is_key).map(|(_, value)| value)
    }
}

/// Why there is no form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text ends first.
    Short,
    /// It is no form, at this byte.
    Wrong(usize, String),
}

/// How deep forms may nest.
const DEPTH_MAX: usize = 64;

/// Reads forms from the beginning of a text.
pub(super) struct Forms<'a> {
    text: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Forms<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Forms { text, at: 0 }
    }

    fn wrong<T>(&self, reason: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Wrong(self.at, reason.into()))
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips blanks, commas and comments.
    fn blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x0c => self.at += 1,
                b';' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// The next form outside of any other: brackets of a vector or list around
    /// everything are skipped. `None` if only blanks are left.
    pub(super) fn next(&mut self) -> Result<Option<Edn>, Stop> {
        loop {
            self.blanks();
            match self.peek() {
                None => return Ok(None),
                Some(b'[' | b']' | b'(' | b')') => self.at += 1,
                Some(_) => match self.form(0)? {
                    Some(form) => return Ok(Some(form)),
                    None => continue,
                },
            }
        }
    }

    /// The form at the beginning, whatever it is.
    pub(super) fn next_form(&mut self) -> Option<Edn> {
        self.form(0).ok().flatten()
    }

    /// One form; `None` if it was discarded.
    fn form(&mut self, depth: usize) -> Result<Option<Edn>, Stop> {
        self.blanks();
        if depth > DEPTH_MAX {
            return self.wrong(format!("forms nest more than {DEPTH_MAX} deep"));
        }
        let Some(byte) = self.peek() else { return Err(Stop::Short) };
        match byte {
            b'"' => self.string().map(Some),
            b'[' => self.list(b']', depth).map(|list| Some(Edn::List(list))),
            b'(' => self.list(b')', depth).map(|list| Some(Edn::List(list))),
            b'{' => self.map(depth).map(Some),
            b'#' => self.dispatch(depth),
            b'\\' => {
                self.at += 1;
                let start = self.at;
                self.at += 1;
                self.word_end();
                self.slice(start).map(|text| Some(Edn::Word(text)))
            }
            b']' | b')' | b'}' => self.wrong(format!("`{}` closes nothing", byte as char)),
            _ => self.word().map(Some),
        }
    }

    fn list(&mut self, end: u8, depth: usize) -> Result<Vec<Edn>, Stop> {
        self.at += 1;
        let mut list = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None => return Err(Stop::Short),
                Some(byte) if byte == end => {
                    self.at += 1;
                    return Ok(list);
                }
                Some(_) => list.extend(self.form(depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Edn, Stop> {
        let start = self.at;
        let mut forms = self.list(b'}', depth)?.into_iter();
        let mut pairs = Vec::new();
        while let Some(key) = forms.next() {
            let Some(value) = forms.next() else {
                self.at = start;
                return self.wrong("a map has a key without a value");
            };
            pairs.push((key, value));
        }
        Ok(Edn::Map(pairs))
    }

    fn dispatch(&mut self, depth: usize) -> Result<Option<Edn>, Stop> {
        self.at += 1;
        match self.peek() {
            None => Err(Stop::Short),
            Some(b'{') => self.list(b'}', depth).map(|list| Some(Edn::Set(list))),
            Some(b'_') => {
                self.at += 1;
                while self.form(depth + 1)?.is_none() {}
                Ok(None)
            }
            Some(b'#') => self.word().map(Some),
            Some(b'"') => self.string().map(Some),
            Some(_) => {
                // A tag, and what it tags.
                self.word_end();
                loop {
                    if let Some(form) = self.form(depth + 1)? {
                        return Ok(Some(form));
                    }
                }
            }
        }
    }

    fn string(&mut self) -> Result<Edn, Stop> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.peek() {
                None => return Err(Stop::Short),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        None => return Err(Stop::Short),
                        Some(b'n') => text.push(b'\n'),
                        Some(b't') => text.push(b'\t'),
                        Some(b'r') => text.push(b'\r'),
                        Some(b'u') => {
                            let digits = self.text.get(self.at + 1..self.at + 5);
                            let Some(digits) = digits else { return Err(Stop::Short) };
                            let digits = std::str::from_utf8(digits).unwrap_or("");
                            let letter =
                                u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                            let Some(letter) = letter else {
                                return self.wrong("no such character");
                            };
                            text.extend(letter.to_string().bytes());
                            self.at += 4;
                        }
                        Some(byte) => text.push(byte),
                    }
                }
                Some(byte) => text.push(byte),
            }
            self.at += 1;
        }
        self.at += 1;
        String::from_utf8(text).map(Edn::Text).or_else(|_| self.wrong("a text is not UTF-8"))
    }

    fn word_end(&mut self) {
        while let Some(byte) = self.peek() {
            if byte.is_ascii_whitespace() || b",;\"[](){}".contains(&byte) {
                return;
            }
            self.at += 1;
        }
    }

    fn slice(&self, start: usize) -> Result<String, Stop> {
        let end = self.at.min(self.text.len());
        match std::str::from_utf8(&self.text[start.min(end)..end]) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.wrong("a word is not UTF-8"),
        }
    }

    fn word(&mut self) -> Result<Edn, Stop> {
        let start = self.at;
        self.word_end();
        if self.at == start {
            return self.wrong("this is no form");
        }
        let word = self.slice(start)?;
        if let Some(name) = word.strip_prefix(':') {
            return Ok(Edn::Keyword(name.to_owned()));
        }
        if word == "nil" {
            return Ok(Edn::Nil);
        }
        let number = word.strip_suffix('N').unwrap_or(&word);
        Ok(number.parse().map_or_else(|_| Edn::Word(word.clone()), Edn::Int))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Edn>, Stop> {
        let mut forms = Forms::new(text.as_bytes());
        std::iter::from_fn(|| forms.next().transpose()).collect()
    }

    #[test]
    fn forms_of_histories_are_read() {
        let key = |name: &str| Edn::Keyword(name.to_owned());
        assert_eq!(
            all("{:type :ok, :value [1 nil -3N], #_ :gone #_{:a 1}} ; end\n"),
            Ok(vec![Edn::Map(vec![
                (key("type"), key("ok")),
                (key("value"), Edn::List(vec![Edn::Int(1), Edn::Nil, Edn::Int(-3)])),
            ])])
        );
        assert_eq!(all("[1 2]"), Ok(vec![Edn::Int(1), Edn::Int(2)]));
        assert_eq!(
            all("#object[java.lang.Object 0x1 \"x\"] #{1}"),
            Ok(vec![
                Edn::List(vec![
                    Edn::Word("java.lang.Object".into()),
                    Edn::Word("0x1".into()),
                    Edn::Text("x".into())
                ]),
                Edn::Set(vec![Edn::Int(1)])
            ])
        );
        assert_eq!(
            all(r#"#inst "2020" "a\"\u0041\n" \newline 1.5 99999999999999999999 true"#),
            Ok(vec![
                Edn::Text("2020".into()),
                Edn::Text("a\"A\n".into()),
                Edn::Word("newline".into()),
                Edn::Word("1.5".into()),
                Edn::Word("99999999999999999999".into()),
                Edn::Word("true".into()),
            ])
        );
    }

    #[test]
    fn what_is_no_form_is_told_from_what_is_cut_short() {
        for text in ["{:a", "{:a 1", "\"abc", "#{1", "#_", "#tag", "\"\\", "(1 [2"] {
            let cut = Forms::new(text.as_bytes()).form(0);
            assert_eq!(cut, Err(Stop::Short), "{text}");
        }
        assert!(matches!(all("{:a}"), Err(Stop::Wrong(0, _))));
        assert!(matches!(all("{:a 1 ]}"), Err(Stop::Wrong(6, _))));
        assert!(matches!(all("\"\\uZZZZ\""), Err(Stop::Wrong(..))));
        let deep = "{:a ".repeat(10_000);
        assert!(matches!(all(&deep), Err(Stop::Wrong(..))));
    }
}
