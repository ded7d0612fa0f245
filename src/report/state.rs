//! Replica states for people: from their `Debug` text to short entries, and
//! what changed between two of them.
//!
//! Total: a text that does not read as `Debug` output is one entry. Wrappers
//! that say nothing are taken off (`Key("x")` is `x`, `Some(1)` is `1`).
//! Nothing here is ever compared with a recording.

/// One part of a state: where it stands, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Fields and keys from the outside in.
    pub path: Vec<String>,
    /// The value, in short.
    pub value: String,
}

impl Entry {
    /// `data.x = 1`.
    pub fn long(&self) -> String {
        if self.path.is_empty() {
            return self.value.clone();
        }
        format!("{} = {}", self.path.join("."), self.value)
    }

    /// `x=1`.
    pub fn short(&self) -> String {
        match self.path.last() {
            Some(name) => format!("{name}={}", self.value),
            None => self.value.clone(),
        }
    }
}

/// The entries of a state, in the order of its text.
pub fn entries(debug: &str) -> Vec<Entry> {
    let mut reader = Reader { text: debug, at: 0 };
    let shape = reader.shape(0);
    reader.blanks();
    match shape {
        Some(shape) if reader.at == debug.len() => {
            let mut entries = Vec::new();
            flatten(&shape, &mut Vec::new(), &mut entries);
            entries
        }
        _ => vec![Entry { path: Vec::new(), value: debug.to_owned() }],
    }
}

/// What is new or different in `after`, and what is gone.
pub fn changes(before: &str, after: &str) -> (Vec<Entry>, Vec<Entry>) {
    let (before, after) = (entries(before), entries(after));
    let new = after.iter().filter(|entry| !before.contains(entry)).cloned().collect();
    let gone = before.into_iter().filter(|old| !after.iter().any(|entry| entry.path == old.path));
    (new, gone.collect())
}

/// A value as `Debug` writes it.
enum Shape {
    /// A word, a number, a quoted text.
    Word(String),
    /// `Name(a, b)`, `(a, b)`.
    Tuple(String, Vec<Shape>),
    /// `[a, b]`, and a set.
    List(Vec<Shape>),
    /// `Name { field: value }`, and a map.
    Fields(String, Vec<(Shape, Shape)>),
}

fn flatten(shape: &Shape, path: &mut Vec<String>, entries: &mut Vec<Entry>) {
    match shape {
        Shape::Fields(name, fields) if !fields.is_empty() && whole(name, fields).is_none() => {
            for (key, value) in fields {
                path.push(short(key));
                flatten(value, path, entries);
                path.pop();
            }
        }
        other => entries.push(Entry { path: path.clone(), value: short(other) }),
    }
}

/// What stands for a whole struct of the core, which no reader wants in parts.
fn whole(name: &str, fields: &[(Shape, Shape)]) -> Option<String> {
    let values: Vec<_> = fields.iter().map(|(_, value)| short(value)).collect();
    match (name, values.as_slice()) {
        ("Stamp", [counter, tie]) => Some(format!("{counter}.{tie}")),
        ("OperationId", [session, number]) => {
            let session = crate::world::SessionId(session.parse().ok()?);
            Some(format!("{session}{}", number.parse::<u32>().ok()? + 1))
        }
        _ => None,
    }
}

fn short(shape: &Shape) -> String {
    let all = |parts: &[Shape]| parts.iter().map(short).collect::<Vec<_>>().join(", ");
    match shape {
        Shape::Word(word) => match word.as_str() {
            "Null" | "None" => "nothing".to_owned(),
            word => word.to_owned(),
        },
        Shape::Tuple(name, parts) => match (name.as_str(), parts.as_slice()) {
            ("Key", [Shape::Word(quoted)]) => quoted.trim_matches('"').to_owned(),
            ("NodeId", [Shape::Word(number)]) => match number.parse::<u32>() {
                Ok(number) => format!("n{}", number + 1),
                Err(_) => number.clone(),
            },
            ("Int" | "Text" | "Some" | "List", [inner]) => short(inner),
            ("", parts) => format!("({})", all(parts)),
            (name, parts) => format!("{name}({})", all(parts)),
        },
        Shape::List(parts) => format!("[{}]", all(parts)),
        Shape::Fields(name, fields) => whole(name, fields).unwrap_or_else(|| {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("{}={}", short(key), short(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }),
    }
}

/// Deeper texts are not taken apart.
const DEPTH_MAX: usize = 64;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn blanks(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn take(&mut self, letter: char) -> bool {
        self.blanks();
        let there = self.peek() == Some(letter);
        self.at += if there { letter.len_utf8() } else { 0 };
        there
    }

    fn shape(&mut self, depth: usize) -> Option<Shape> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.blanks();
        let name = self.word()?;
        match self.peek() {
            Some('(') => Some(Shape::Tuple(name, self.parts('(', ')', depth)?)),
            Some('[') if name.is_empty() => Some(Shape::List(self.parts('[', ']', depth)?)),
            Some('{') => self.fields(name, depth),
            Some(' ') if self.text[self.at..].starts_with(" {") => self.fields(name, depth),
            _ if name.is_empty() => None,
            _ => Some(Shape::Word(name)),
        }
    }

    /// A word or a quoted text; empty before a bracket.
    fn word(&mut self) -> Option<String> {
        let start = self.at;
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            self.at += 1;
            loop {
                let letter = self.peek()?;
                self.at += letter.len_utf8();
                match letter {
                    '\\' => self.at += self.peek()?.len_utf8(),
                    letter if letter == quote => break,
                    _ => {}
                }
            }
        } else {
            while self.peek().is_some_and(|c| !" ,:()[]{}\"".contains(c)) {
                self.at += self.peek().map_or(0, char::len_utf8);
            }
        }
        Some(self.text[start..self.at].to_owned())
    }

    fn parts(&mut self, open: char, close: char, depth: usize) -> Option<Vec<Shape>> {
        let mut parts = Vec::new();
        self.take(open);
        while !self.take(close) {
            parts.push(self.shape(depth + 1)?);
            self.take(',');
        }
        Some(parts)
    }

    fn fields(&mut self, name: String, depth: usize) -> Option<Shape> {
        let mut fields = Vec::new();
        let mut members = Vec::new();
        self.take('{');
        while !self.take('}') {
            let key = self.shape(depth + 1)?;
            if self.take(':') {
                fields.push((key, self.shape(depth + 1)?));
            } else {
                members.push(key);
            }
            self.take(',');
        }
        let set = fields.is_empty() && !members.is_empty();
        Some(if set { Shape::List(members) } else { Shape::Fields(name, fields) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"DatabaseNode { replicas: [NodeId(1)], data: {} }"#;
    const AFTER: &str = r#"DatabaseNode { replicas: [NodeId(1)], data: {Key("x"): Int(1)} }"#;

    #[test]
    fn a_state_is_told_in_short_entries() {
        let told: Vec<_> = entries(AFTER).iter().map(Entry::long).collect();
        assert_eq!(told, ["replicas = [n2]", "data.x = 1"]);
    }

    #[test]
    fn a_change_is_what_is_new_and_what_is_gone() {
        let (new, gone) = changes(BEFORE, AFTER);
        assert_eq!(new.iter().map(Entry::short).collect::<Vec<_>>(), ["x=1"]);
        assert_eq!(gone.iter().map(Entry::long).collect::<Vec<_>>(), ["data = {}"]);
    }

    #[test]
    fn a_text_that_is_not_debug_output_is_one_entry() {
        for odd in ["", "a: b", "Half(", "\"open", "{x", "}", "[1, 2"] {
            assert_eq!(entries(odd).len(), 1, "{odd}");
        }
        let deep = "(".repeat(100_000);
        assert_eq!(entries(&deep)[0].value, deep);
    }
}
