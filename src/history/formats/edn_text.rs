//! A small EDN reader that reads one form at a time.
//!
//! Reads what histories are made of: `nil`, booleans, numbers, strings,
//! characters, keywords, symbols, vectors, lists, sets and maps. Skips comments
//! and `#_` forms, and drops the tag of a tagged form. Numbers other than
//! 64-bit integers stay text. A map must not have a key twice. One vector or
//! list may enclose all forms. Bounded: forms nest at most [`DEPTH_MAX`] deep
//! and have at most 16 MiB. Every byte is read once, however forms are spread
//! over lines; only a lenient reader goes back, to the line after the one in
//! which a broken form began. It does not know what an event is.

use std::collections::VecDeque;
use std::io::BufRead;

use smol_str::SmolStr;

use super::json::NESTING_MAX;
use super::lines::Lines;
use crate::history::Malformed;

/// A form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edn {
    Nil,
    Int(i64),
    Text(SmolStr),
    /// Without its colon.
    Keyword(SmolStr),
    /// A symbol, a boolean, a character with its backslash, or a number of
    /// another kind.
    Word(SmolStr),
    /// A vector or a list.
    List(Vec<Edn>),
    Set(Vec<Edn>),
    Map(Vec<(Edn, Edn)>),
}

impl Edn {
    /// The value under a keyword, if this is a map.
    pub(super) fn get(&self, key: &str) -> Option<&Edn> {
        let Edn::Map(pairs) = self else { return None };
        let is_key = |(name, _): &&(Edn, Edn)| matches!(name, Edn::Keyword(word) if word == key);
        pairs.iter().find(is_key).map(|(_, value)| value)
    }
}

/// Why no form could be read.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// The text ends inside the form.
    Short,
    /// The text is not a form, in this line.
    Wrong(Malformed),
    /// The file cannot be read further; even a lenient reader stops.
    Unreadable(Malformed),
}

/// How deep forms may nest: a value, inside `[k v]`, inside an event.
const DEPTH_MAX: usize = NESTING_MAX + 2;

/// How long a form may be, in bytes.
const FORM_MAX: usize = 16 << 20;

/// A line, or as much of it as is read at once.
#[derive(Default)]
struct Part {
    line: usize,
    /// How many bytes of the line come before this part.
    before: usize,
    text: Vec<u8>,
}

/// Reads forms one after the other.
pub(super) struct Forms<'a, R> {
    lines: &'a mut Lines<R>,
    lenient: bool,
    part: Part,
    at: usize,
    /// How many bytes of the current form are in earlier parts.
    length: usize,
    /// The byte that closes the vector or list around all forms, and the line
    /// in which that was opened.
    around: Option<(u8, usize)>,
    /// For a lenient reader only: the parts of the current form that were read,
    /// and the parts to be read again.
    kept: Vec<Part>,
    back: VecDeque<Part>,
    /// How often a line was skipped.
    pub(super) skipped: usize,
}

impl<'a, R: BufRead> Forms<'a, R> {
    pub(super) fn new(lines: &'a mut Lines<R>, lenient: bool) -> Self {
        Forms {
            lines,
            lenient,
            part: Part::default(),
            at: 0,
            length: 0,
            around: None,
            kept: Vec::new(),
            back: VecDeque::new(),
            skipped: 0,
        }
    }

    /// The next form at the top level, or directly in the vector or list around
    /// all forms, with the line in which it begins. `None` if only blanks are
    /// left.
    pub(super) fn next(&mut self) -> Result<Option<(usize, Edn)>, Malformed> {
        loop {
            self.kept.clear();
            self.length = 0;
            let mut first = self.part.line;
            let tried = self.top(&mut first);
            let refused = match tried {
                Ok(form) => return Ok(form.map(|form| (first, form))),
                Err(Stop::Unreadable(malformed)) => return Err(malformed),
                Err(Stop::Wrong(malformed)) => malformed,
                Err(Stop::Short) => {
                    let reason = "the file ends inside the form that begins here".to_owned();
                    Malformed::unreadable(first, reason)
                }
            };
            if !self.lenient {
                return Err(refused);
            }
            self.skip(first);
        }
    }

    /// The form that is all of the text, if it can be read.
    pub(super) fn whole(&mut self) -> Option<Edn> {
        let form = self.form(0).ok().flatten()?;
        self.blanks().ok()?;
        self.peek().ok()?.is_none().then_some(form)
    }

    /// Goes back to the line after `line`.
    fn skip(&mut self, line: usize) {
        self.skipped += 1;
        let part = std::mem::take(&mut self.part);
        (self.part.line, self.at) = (part.line, 0);
        let read = self.kept.drain(..).chain([part]);
        let again: Vec<Part> = read.filter(|part| part.line > line).collect();
        again.into_iter().rev().for_each(|part| self.back.push_front(part));
    }

    fn top(&mut self, first: &mut usize) -> Result<Option<Edn>, Stop> {
        loop {
            self.blanks()?;
            self.kept.clear();
            *first = self.part.line;
            match (self.peek()?, self.around) {
                (None, None) => return Ok(None),
                (None, Some((_, line))) => {
                    self.around = None;
                    let reason = "the file ends inside the vector or list that begins here";
                    return Err(Stop::Wrong(Malformed::unreadable(line, reason)));
                }
                (Some(open @ (b'[' | b'(')), None) => {
                    self.around = Some((if open == b'[' { b']' } else { b')' }, *first));
                    self.at += 1;
                }
                (Some(byte), Some((close, _))) if byte == close => {
                    self.around = None;
                    self.at += 1;
                }
                (Some(_), _) => {
                    let form = self.form(0)?;
                    if form.is_some() {
                        return Ok(form);
                    }
                }
            }
        }
    }

    fn wrong<T>(&self, reason: impl std::fmt::Display) -> Result<T, Stop> {
        let (line, column) = (self.part.line, self.part.before + self.at + 1);
        Err(Stop::Wrong(Malformed::unreadable(line, format!("column {column}: {reason}"))))
    }

    fn peek(&mut self) -> Result<Option<u8>, Stop> {
        while self.at == self.part.text.len() {
            if !self.refill()? {
                return Ok(None);
            }
        }
        Ok(Some(self.part.text[self.at]))
    }

    /// The next byte, which a form needs: the end of the file is an error.
    fn need(&mut self) -> Result<u8, Stop> {
        self.peek()?.ok_or(Stop::Short)
    }

    /// Moves to the next part. Whether there is one.
    fn refill(&mut self) -> Result<bool, Stop> {
        self.length += self.part.text.len();
        if self.length > FORM_MAX {
            return self.wrong("a form is longer than 16 MiB");
        }
        let next = match self.back.pop_front() {
            Some(part) => part,
            None => {
                let Some(line) = self.lines.part().map_err(Stop::Unreadable)? else {
                    return Ok(false);
                };
                let goes_on = line == self.part.line;
                let before = if goes_on { self.part.before + self.part.text.len() } else { 0 };
                let mut text = Vec::new();
                if !self.lenient {
                    text = std::mem::take(&mut self.part.text);
                    text.clear();
                }
                text.extend_from_slice(self.lines.text());
                Part { line, before, text }
            }
        };
        let part = std::mem::replace(&mut self.part, next);
        if self.lenient {
            self.kept.push(part);
        }
        self.at = 0;
        Ok(true)
    }

    /// Skips blanks, commas and comments.
    fn blanks(&mut self) -> Result<(), Stop> {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r' | b',');
        while self.peek()?.is_some() {
            let rest = &self.part.text[self.at..];
            match rest.iter().position(|byte| !blank(byte)) {
                Some(at) if rest[at] == b';' => {
                    self.at += at;
                    self.comment()?;
                }
                Some(at) => {
                    self.at += at;
                    return Ok(());
                }
                None => self.at = self.part.text.len(),
            }
        }
        Ok(())
    }

    /// Skips up to the end of the line, however many parts it has.
    fn comment(&mut self) -> Result<(), Stop> {
        while self.peek()?.is_some_and(|byte| byte != b'\n') {
            let rest = &self.part.text[self.at..];
            self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        }
        Ok(())
    }

    /// One form; `None` if it was discarded (`#_`).
    fn form(&mut self, depth: usize) -> Result<Option<Edn>, Stop> {
        self.blanks()?;
        if depth > DEPTH_MAX {
            return self.wrong(format!("forms nest more than {DEPTH_MAX} deep"));
        }
        let byte = self.need()?;
        match byte {
            b'"' => self.string().map(Some),
            b'[' => self.list(b']', depth).map(|list| Some(Edn::List(list))),
            b'(' => self.list(b')', depth).map(|list| Some(Edn::List(list))),
            b'{' => self.map(depth).map(Some),
            b'#' => self.dispatch(depth),
            b'\\' => self.character().map(Some),
            b']' | b')' | b'}' => self.wrong(format!("`{}` closes nothing", byte as char)),
            _ => self.word().map(Some),
        }
    }

    fn list(&mut self, end: u8, depth: usize) -> Result<Vec<Edn>, Stop> {
        self.at += 1;
        let mut list = Vec::new();
        loop {
            self.blanks()?;
            if self.need()? == end {
                self.at += 1;
                return Ok(list);
            }
            list.extend(self.form(depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Edn, Stop> {
        let mut forms = self.list(b'}', depth)?.into_iter();
        let mut pairs = Vec::with_capacity(forms.len() / 2);
        while let Some(key) = forms.next() {
            let Some(value) = forms.next() else {
                return self.wrong("the map that ends here has a key without a value");
            };
            pairs.push((key, value));
        }
        let mut keys: Vec<&Edn> = pairs.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|two| two[0] == two[1]) {
            return self.wrong("the map that ends here has a key twice");
        }
        Ok(Edn::Map(pairs))
    }

    fn dispatch(&mut self, depth: usize) -> Result<Option<Edn>, Stop> {
        self.at += 1;
        match self.need()? {
            b'{' => self.list(b'}', depth).map(|list| Some(Edn::Set(list))),
            b'_' => {
                self.at += 1;
                while self.form(depth + 1)?.is_none() {}
                Ok(None)
            }
            b'#' => self.word().map(Some),
            b'"' => self.string().map(Some),
            _ => {
                // A tag, then the form that it tags.
                self.text_of_word()?;
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
            self.need()?;
            let rest = &self.part.text[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            text.extend_from_slice(&rest[..plain.unwrap_or(rest.len())]);
            self.at += plain.unwrap_or(rest.len());
            if plain.is_none() {
                continue;
            }
            let quote = self.part.text[self.at] == b'"';
            self.at += 1;
            if quote {
                break;
            }
            let letter = self.escaped()?;
            text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        match std::str::from_utf8(&text) {
            Ok(text) => Ok(Edn::Text(SmolStr::new(text))),
            Err(_) => self.wrong("a text is not UTF-8"),
        }
    }

    /// What follows a backslash in a string.
    fn escaped(&mut self) -> Result<char, Stop> {
        let byte = self.need()?;
        self.at += 1;
        let letter = match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' => byte as char,
            b'u' => {
                let mut units = vec![self.unit()?];
                if (0xd800..0xdc00).contains(&units[0]) {
                    for expected in *b"\\u" {
                        if self.need()? != expected {
                            return self.wrong("half a character");
                        }
                        self.at += 1;
                    }
                    units.push(self.unit()?);
                }
                match char::decode_utf16(units).next() {
                    Some(Ok(letter)) => letter,
                    _ => return self.wrong("no such character"),
                }
            }
            _ => return self.wrong("no such escape in a text"),
        };
        Ok(letter)
    }

    fn unit(&mut self) -> Result<u16, Stop> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = (self.need()? as char).to_digit(16) else {
                return self.wrong("no such character");
            };
            unit = unit * 16 + u16::try_from(digit).expect("it is one digit");
            self.at += 1;
        }
        Ok(unit)
    }

    /// A character, with its backslash.
    fn character(&mut self) -> Result<Edn, Stop> {
        self.at += 1;
        let first = self.need()?;
        let mut text = "\\".to_owned();
        if is_end(first) {
            self.at += 1;
            text.push(first as char);
        }
        text.push_str(&self.text_of_word()?);
        Ok(Edn::Word(SmolStr::new(text)))
    }

    /// The bytes up to the end of a word.
    fn text_of_word(&mut self) -> Result<SmolStr, Stop> {
        let mut whole: Vec<u8> = Vec::new();
        loop {
            let rest = &self.part.text[self.at..];
            let end = rest.iter().position(|byte| is_end(*byte));
            let word = &rest[..end.unwrap_or(rest.len())];
            self.at += word.len();
            if end.is_some() && whole.is_empty() {
                if let Ok(word) = std::str::from_utf8(word) {
                    return Ok(SmolStr::new(word));
                }
                return self.wrong("a word is not UTF-8");
            }
            whole.extend_from_slice(word);
            if end.is_some() || self.peek()?.is_none() {
                break;
            }
        }
        match std::str::from_utf8(&whole) {
            Ok(word) => Ok(SmolStr::new(word)),
            Err(_) => self.wrong("a word is not UTF-8"),
        }
    }

    fn word(&mut self) -> Result<Edn, Stop> {
        let word = self.text_of_word()?;
        if word.is_empty() {
            return self.wrong("this is no form");
        }
        if let Some(name) = word.strip_prefix(':') {
            if name.is_empty() {
                let json = "JSON is read one event a line, without brackets around them";
                return self.wrong(format!("a `:` without a name; {json}"));
            }
            return Ok(Edn::Keyword(SmolStr::new(name)));
        }
        if word == "nil" {
            return Ok(Edn::Nil);
        }
        Ok(integer(&word).unwrap_or(Edn::Word(word)))
    }
}

fn is_end(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'..=b'\r' | b',' | b';' | b'"' | b'[' | b']' | b'(' | b')' | b'{' | b'}'
    )
}

/// An integer. One of more than 64 bits becomes a word without the `N` of big
/// integers, so that both spellings are equal.
fn integer(word: &str) -> Option<Edn> {
    let number = word.strip_suffix('N').unwrap_or(word);
    let number = number.strip_prefix('+').unwrap_or(number);
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(number.parse().map_or_else(|_| Edn::Word(SmolStr::new(number)), Edn::Int))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_of(text: &[u8], lenient: bool) -> Result<(Vec<Edn>, usize), String> {
        let mut lines = Lines::new(text);
        let mut forms = Forms::new(&mut lines, lenient);
        let mut all = Vec::new();
        while let Some((_, form)) = forms.next().map_err(|malformed| malformed.to_string())? {
            all.push(form);
        }
        Ok((all, forms.skipped))
    }

    fn all(text: &str) -> Result<Vec<Edn>, String> {
        all_of(text.as_bytes(), false).map(|(all, _)| all)
    }

    fn word(word: &str) -> Edn {
        Edn::Word(word.into())
    }

    #[test]
    fn forms_of_histories_are_read() {
        let key = |name: &str| Edn::Keyword(name.into());
        assert_eq!(
            all("{:type :ok, :value [1 nil -3N], #_ :gone #_{:a 1}} ; end\n"),
            Ok(vec![Edn::Map(vec![
                (key("type"), key("ok")),
                (key("value"), Edn::List(vec![Edn::Int(1), Edn::Nil, Edn::Int(-3)])),
            ])])
        );
        assert_eq!(all("[1 +2]"), Ok(vec![Edn::Int(1), Edn::Int(2)]));
        assert_eq!(
            all("#object[java.lang.Object 0x1 \"x\"] #{1}"),
            Ok(vec![
                Edn::List(vec![word("java.lang.Object"), word("0x1"), Edn::Text("x".into())]),
                Edn::Set(vec![Edn::Int(1)])
            ])
        );
        assert_eq!(
            all(r#"#inst "2020" "a\"\u0041\n\ud83d\ude00" \newline \[ 1.5 true #long 5"#),
            Ok(vec![
                Edn::Text("2020".into()),
                Edn::Text("a\"A\n😀".into()),
                word("\\newline"),
                word("\\["),
                word("1.5"),
                word("true"),
                Edn::Int(5),
            ])
        );
        let huge = "99999999999999999999";
        assert_eq!(all(&format!("{huge} {huge}N")), Ok(vec![word(huge), word(huge)]));
        assert_eq!(all("-9223372036854775808"), Ok(vec![Edn::Int(i64::MIN)]));
    }

    #[test]
    fn forms_are_read_over_lines_and_parts() {
        let text = "x".repeat(200_000);
        let spread = format!("{{:a\n\n\"1\n\n2\"\n;\"\n:{text}\n\"{text}\"}}");
        let Ok(forms) = all(&spread) else { panic!("read") };
        let Edn::Map(pairs) = &forms[0] else { panic!("a map") };
        assert_eq!(pairs[0].1, Edn::Text("1\n\n2".into()));
        assert_eq!(pairs[1], (Edn::Keyword((&text).into()), Edn::Text((&text).into())));
        assert_eq!(all(&format!("{text}é{text}")).map(|all| all.len()), Ok(1));
    }

    #[test]
    fn what_is_no_form_is_told_from_what_is_cut_short() {
        for text in ["{:a", "{:a 1", "\"abc", "#{1", "#_", "#tag", "\"\\", "{:a (1 [2", "#", "\\"] {
            let cut = all(&format!("1\n{text}")).expect_err("cut short");
            assert_eq!(cut, "line 2: the file ends inside the form that begins here", "{text}");
        }
        for (text, complaint) in [
            ("{:a}", "line 1: column 5: the map that ends here has a key without a value"),
            ("\n{:a 1 ]}", "line 2: column 7: `]` closes nothing"),
            ("\"\\uZZZZ\"", "line 1: column 4: no such character"),
            ("\"\\ud83d\"", "line 1: column 8: half a character"),
            ("\"\\q\"", "line 1: column 4: no such escape in a text"),
        ] {
            assert_eq!(all(text), Err(complaint.to_owned()), "{text}");
        }
        assert!(all_of(b"\"\xff\"", false).is_err() && all_of(b"\xff ", false).is_err());
    }

    #[test]
    fn hostile_nesting_and_length_are_refused() {
        for open in ["{:a ", "#{", "#a ", "#_ ", "{:a [", "#_#_"] {
            let deep = all(&open.repeat(10_000)).expect_err("too deep");
            assert!(deep.contains("forms nest more than 102 deep"), "{open}: {deep}");
        }
        for open in ["[", "("] {
            let deep = all(&open.repeat(1_000_000)).expect_err("too deep");
            assert!(deep.contains("forms nest more than 102 deep"), "{open}: {deep}");
        }
        let long = all(&format!("{{:a \"{}", "long\n".repeat(4 << 20))).expect_err("too long");
        assert!(long.contains("a form is longer than 16 MiB"), "{long}");
    }

    #[test]
    fn one_vector_or_list_may_stand_around_all_and_ends_as_it_began() {
        for text in ["[1 2]", "(1 2)", "[1\n2]\n", "[1] [2]", "1 [2]", "[] 1 () 2"] {
            assert_eq!(all(text), Ok(vec![Edn::Int(1), Edn::Int(2)]), "{text}");
        }
        assert_eq!(all("[[1 2]]"), Ok(vec![Edn::List(vec![Edn::Int(1), Edn::Int(2)])]));
        for (text, complaint) in [
            ("1\n[1\n2", "line 2: the file ends inside the vector or list that begins here"),
            ("1 2]", "line 1: column 4: `]` closes nothing"),
            ("[1)", "line 1: column 3: `)` closes nothing"),
            ("[1]\n)", "line 2: column 1: `)` closes nothing"),
            ("{:a 1, :b 2, :a 1}", "line 1: column 19: the map that ends here has a key twice"),
            ("[{\"a\" 1 \"a\" 2}]", "line 1: column 15: the map that ends here has a key twice"),
        ] {
            assert_eq!(all(text), Err(complaint.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_on_is_malformed_even_for_a_lenient_reader() {
        struct Broken;
        impl std::io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        let text = std::io::Read::chain(&b"{:a\n"[..], Broken);
        let mut lines = Lines::new(std::io::BufReader::new(text));
        let mut forms = Forms::new(&mut lines, true);
        let refused = forms.next().expect_err("it cannot be read");
        assert_eq!(refused.to_string(), "line 2: cannot read on: the disk is gone");
    }

    #[test]
    fn a_lenient_reader_goes_on_in_the_next_line() {
        let read = |text: &str| all_of(text.as_bytes(), true);
        let one_two = vec![Edn::Int(1), Edn::Int(2)];
        assert_eq!(read("1\n{:a 7\n2"), Ok((one_two.clone(), 1)));
        assert_eq!(read("1\n\"abc\n2\n}\n"), Ok((one_two.clone(), 2)));
        assert_eq!(read("1 {:b}\n2 {"), Ok((one_two.clone(), 2)));
        assert_eq!(read("[1\n)\n2"), Ok((one_two, 2)));
        assert_eq!(read("[1\n2\n3"), Ok((vec![Edn::Int(1), Edn::Int(2), Edn::Int(3)], 1)));
    }
}
