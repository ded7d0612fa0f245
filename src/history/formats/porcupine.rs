//! The logs of Porcupine's tests.
//!
//! Those of etcd are lines of Jepsen's log, tabs between the fields:
//!
//! ```text
//! INFO  jepsen.util - 3	:invoke	:cas	[0 3]
//! INFO  jepsen.util - 3	:ok	:cas	[0 3]
//! INFO  jepsen.util - 4	:info	:write	:timed-out
//! ```
//!
//! One compare-and-set register, `nil` at first. `:fail :cas` means that the
//! register held something else: a compare-and-set that answers `mismatch`. An
//! operation that timed out may still happen. Those of the kv tests are maps of
//! EDN with a `:key`, and functions `:get`, `:put` and `:append`.

use std::io::BufRead;

use super::edn::{self, Event, Reader};
use super::edn_text::{Edn, Forms};
use super::lines::{Lines, Options};
use super::{Format, Recording};
use crate::history::{Malformed, Value};

/// Reads a history from such a log. See the [module](self).
///
/// # Errors
/// If a line cannot be read or cannot be part of a history, with the line.
///
/// ```
/// use quiescence::history::{formats::porcupine, notation};
///
/// let text = "INFO  jepsen.util - 3\t:invoke\t:cas\t[0 3]\nINFO  jepsen.util - 3\t:fail\t:cas\t[0 3]\n";
/// let history = porcupine::read(text.as_bytes())?.history;
/// assert_eq!(notation::write(&history), "[cas]x=[0,3]:\"mismatch\" @ 00");
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn read(input: impl BufRead) -> Result<Recording, Malformed> {
    read_from(&mut Lines::new(input), Options::default())
}

/// As [`read`], with options.
pub(super) fn read_from<R: BufRead>(
    lines: &mut Lines<R>,
    options: Options,
) -> Result<Recording, Malformed> {
    let mut reader = Reader::new(options);
    if lines.next()?.is_none() {
        return reader.finish(Format::Porcupine);
    }
    lines.again();
    if lines.text().trim_ascii_start().first() == Some(&b'{') {
        let recording = edn::read_from(lines, options)?;
        return Ok(Recording { format: Format::Porcupine, ..recording });
    }
    while let Some(line) = lines.next()? {
        let text = String::from_utf8_lossy(lines.text()).into_owned();
        let done = event(&mut reader, line, text.trim_end());
        reader.or_skip(done)?;
    }
    reader.finish(Format::Porcupine)
}

fn event(reader: &mut Reader, line: usize, text: &str) -> Result<(), Malformed> {
    let complain = |reason: String| Err(Malformed { line, reason });
    let Some((_, rest)) = text.split_once(" - ") else {
        return complain("a line of the log has ` - ` before its fields".to_owned());
    };
    let fields: Vec<&str> = rest.split('\t').map(str::trim).collect();
    let [process, kind, f, value] = fields[..] else {
        reader.all.mark(line, rest);
        return Ok(());
    };
    let Ok(process) = process.parse::<u32>() else {
        reader.all.mark(line, rest);
        return Ok(());
    };
    let (kind, f) = (kind.trim_start_matches(':'), f.trim_start_matches(':'));
    if kind == "fail" && f == "cas" {
        return reader.mismatch(line, process);
    }
    let value = match Forms::new(value.as_bytes()).next_form() {
        Some(Edn::Nil) | None => Value::Null,
        Some(Edn::Int(number)) => Value::Int(number),
        Some(Edn::List(list)) => {
            let number = |form: &Edn| match form {
                Edn::Int(number) => Value::Int(*number),
                _ => Value::Null,
            };
            Value::List(list.iter().map(number).collect())
        }
        Some(Edn::Keyword(word) | Edn::Word(word) | Edn::Text(word)) => Value::from(word.as_str()),
        Some(Edn::Set(_) | Edn::Map(_)) => {
            return complain("this value has no meaning here".to_owned());
        }
    };
    let (f, value) = (Some(f), Some(value));
    reader.take(
        line,
        Event { process, kind, f, key: None, value, time: None, node: None, last: false },
    )
}
