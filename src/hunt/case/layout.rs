//! The layout of a case file: one line for each field, and one for each element
//! of a list that is a field, so that a case is easy to read and to compare. The fields of
//! the run as it was found are laid out in the same way, one level deeper.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::history::escape;

/// Writes a value in this layout, with a newline at the end.
pub(super) fn to_text<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut bytes, Layout { level: 1, ..Layout::default() });
    value.serialize(&mut serializer).expect("the shapes of a case are serialisable");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

#[derive(Default)]
struct Layout {
    depth: usize,
    /// How deep the fields are that have lines of their own: those of the case, or those of
    /// the run as it was found.
    level: usize,
    /// Whether the name of a field of the case is being written.
    naming: bool,
    /// Whether the elements of the current list have lines of their own.
    broken: bool,
}

impl Layout {
    fn line<W: ?Sized + io::Write>(&self, writer: &mut W, indent: usize) -> io::Result<()> {
        writer.write_all(b"\n")?;
        writer.write_all("  ".repeat(indent).as_bytes())
    }
}

/// The field whose value has fields with lines of their own.
const DEEP: &str = "full";

impl Formatter for Layout {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if std::mem::take(&mut self.naming) && fragment == DEEP {
            self.level = 2;
        }
        writer.write_all(escape::in_json(fragment).as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.depth == self.level && std::mem::take(&mut self.broken) {
            self.line(writer, self.depth)?;
        }
        writer.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if self.depth == self.level + 1 {
            writer.write_all(if first { b"" } else { b"," })?;
            self.broken = true;
            return self.line(writer, self.depth);
        }
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.depth + 1 == self.level {
            self.line(writer, self.depth)?;
            self.level = self.depth;
        }
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if self.depth == self.level {
            self.naming = self.level == 1;
            writer.write_all(if first { b"" } else { b"," })?;
            return self.line(writer, self.depth);
        }
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_an_escape_and_reads_back_as_itself() {
        let said = "x\n\u{1b}[2J\u{9b}\u{202e}\u{2028}";
        let text = to_text(&[said]);
        assert!(!text.trim_end().contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(!text.contains(['\u{202e}', '\u{2028}']), "{text:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).expect("it is JSON"), [said]);
    }
}
