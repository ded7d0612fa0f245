//! Histories in files. Formats are read from anything that implements
//! [`std::io::BufRead`]; only the command line opens files.
//!
//! The first line of a file that is not blank decides its format. Readers
//! stream: they keep what they have understood, not the text.
//!
//! Invariant: a reader is total. For any bytes it returns a [`Recording`] or a
//! [`Malformed`] with the line.
//!
//! Read next: [`json_lines`] and [`operation_lines`] for our own formats.

mod assemble;
pub mod edn;
mod edn_text;
mod edn_value;
mod follow;
mod json;
pub mod json_lines;
mod lines;
mod log;
mod names;
pub mod operation_lines;
mod pairs;
pub mod porcupine;
mod scanner;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead};

use super::{Function, History, Malformed, Operation, ProcessId};

pub use follow::Follower;
use lines::Lines;
pub use lines::Options;

/// The format of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON, one event per line: [`json_lines`].
    Events,
    /// JSON, one operation per line: [`operation_lines`].
    Operations,
    /// Jepsen's EDN: [`edn`].
    Edn,
    /// The logs of Porcupine's etcd and kv tests: [`porcupine`].
    Porcupine,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Events => "JSON event lines",
            Format::Operations => "JSON operation lines",
            Format::Edn => "Jepsen EDN",
            Format::Porcupine => "Porcupine log",
        })
    }
}

/// A history from a file, and what its reader noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What was recorded.
    pub history: History,
    /// How it was written down.
    pub format: Format,
    /// How often a process went on after an operation of unknown outcome and
    /// was given a new number, because a process ends there.
    pub continued: usize,
    /// How many lines were skipped because they could not be understood (only
    /// with [`Options::lenient`]).
    pub skipped: usize,
    /// The line of each operation: where it was invoked. Empty if operations
    /// have no lines.
    pub lines: Vec<u32>,
    /// Entries that are no operations of clients, each with its line: what the
    /// nemesis did, other lines of a log, and an `info` of a process that has
    /// nothing open. Only the first of the [`marks_seen`](Self::marks_seen),
    /// each shortened.
    pub marks: Vec<(usize, String)>,
    /// How many marks there are in all.
    pub marks_seen: usize,
}

impl Recording {
    fn empty(format: Format) -> Recording {
        let history = History::default();
        Recording {
            history,
            format,
            continued: 0,
            skipped: 0,
            lines: Vec::new(),
            marks: Vec::new(),
            marks_seen: 0,
        }
    }
}

/// Reads a history in whatever format it has.
///
/// # Errors
/// If the text has none of the formats, or breaks the format that its first
/// line has; with the line.
///
/// ```
/// use quiescence::history::formats::{self, Format, Options};
///
/// let text = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5,"type":"ok"}"#;
/// let recording = formats::read(text.as_bytes(), Options::default())?;
/// assert_eq!(recording.format, Format::Operations);
/// assert_eq!(recording.history.len(), 1);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn read(input: impl BufRead, options: Options) -> Result<Recording, Malformed> {
    let mut lines = Lines::new(input);
    let mut strange = None;
    let mut skipped = 0;
    let format = loop {
        let Some(line) = lines.part()? else {
            return strange.map_or_else(|| Ok(Recording::empty(Format::Events)), Err);
        };
        if lines.text().iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Some(format) = detect(lines.text()) {
            break format;
        }
        let reason = "this is neither a JSON event or operation, nor Jepsen's EDN, nor a Porcupine \
                      log";
        let refused = strange.get_or_insert(Malformed::unreadable(line, reason));
        if !options.lenient {
            return Err(refused.clone());
        }
        skipped += 1;
        lines.again();
        lines.next()?;
    };
    lines.again();
    let recording = match format {
        Format::Events => json_lines::read_from(&mut lines, options),
        Format::Operations => operation_lines::read_from(&mut lines, options),
        Format::Edn => edn::read_from(&mut lines, options),
        Format::Porcupine => porcupine::read_from(&mut lines, options),
    }?;
    Ok(Recording { skipped: recording.skipped + skipped, ..recording })
}

/// The format of a file that begins with this line.
fn detect(line: &[u8]) -> Option<Format> {
    let text = line.trim_ascii();
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    match text.first()? {
        b'{' if text[1..].trim_ascii_start().first() != Some(&b'"') && text != b"{" => {
            // Porcupine's kv tests write maps of EDN too; only they have these
            // functions.
            let text_register = [&b":f :get"[..], b":f :put", b":f :append"].into_iter().any(has);
            Some(if text_register { Format::Porcupine } else { Format::Edn })
        }
        b'{' if has_field(text, b"invoke") => Some(Format::Operations),
        b'{' => Some(Format::Events),
        b';' | b'[' | b'#' | b'(' => Some(Format::Edn),
        b'I' | b'W' | b'E' | b'D' if has(b" jepsen.") && has(b" - ") => Some(Format::Porcupine),
        _ => None,
    }
}

/// Whether this JSON object, or the beginning of one, has this field at its top
/// level: not inside a value, and not as a string.
fn has_field(text: &[u8], name: &[u8]) -> bool {
    let (mut depth, mut at) = (0, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let start = at;
                while text.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                let rest = text.get(at + 1..).unwrap_or_default().trim_ascii_start();
                if depth == 1 && text.get(start..at) == Some(name) && rest.first() == Some(&b':') {
                    return true;
                }
                at += 1;
            }
            _ => {}
        }
    }
    false
}

/// An invocation or a completion.
struct HalfOperation<'a> {
    time: u64,
    invocation: bool,
    operation: &'a Operation,
}

/// The events of a history in order of time, with invocations in the order of
/// the operations. At equal times a completion comes as late as it can, so that
/// operations that touch in time also overlap in the order of the events.
fn events(history: &History) -> impl Iterator<Item = HalfOperation<'_>> {
    let operations = history.operations();
    let mut order: Vec<(u64, usize, bool)> = Vec::with_capacity(2 * history.len());
    // The completions still to come, by time; the last operation of each
    // process.
    let mut later: BTreeSet<(u64, usize)> = BTreeSet::new();
    let mut open: BTreeMap<ProcessId, (u64, usize)> = BTreeMap::new();
    for (at, operation) in operations.iter().enumerate() {
        let invoked = operation.invoked;
        while let Some(&(returned, before)) = later.first()
            && returned < invoked
        {
            later.pop_first();
            order.push((returned, before, false));
        }
        if let Some(own) = open.remove(&operation.process)
            && later.remove(&own)
        {
            order.push((own.0, own.1, false));
        }
        order.push((invoked, at, true));
        match operation.returned {
            Some(returned) => {
                later.insert((returned, at));
                open.insert(operation.process, (returned, at));
            }
            // Nobody will ever know the outcome, so `info` may come at once.
            None => order.push((invoked, at, false)),
        }
    }
    order.extend(later.into_iter().map(|(returned, at)| (returned, at, false)));
    order.into_iter().map(|(time, at, invocation)| HalfOperation {
        time,
        invocation,
        operation: &operations[at],
    })
}

/// What `write` writes, as text.
fn in_memory(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).expect("memory can be written");
    String::from_utf8(text).expect("writers write text")
}

/// Functions whose completion repeats their argument.
fn repeats(f: &Function) -> bool {
    let others = ["add", "remove", "enqueue", "put", "append"];
    *f == Function::Write || others.contains(&f.as_str())
}

/// Functions that take no argument and answer something.
fn only_asks(f: &Function) -> bool {
    *f == Function::Read || matches!(f.as_str(), "get" | "dequeue")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_first_line() {
        let told = |line: &str| detect(line.as_bytes());
        for (line, format) in [
            (r#"{"process":0,"type":"invoke","f":"read","key":"x"}"#, Format::Events),
            (r#"{"value":"\"invoke\":","type":"invoke"}"#, Format::Events),
            (r#"{"error":{"invoke":1},"type":"invoke","f":"read"}"#, Format::Events),
            (r#"{"error":["\\",{"invoke":1}],"value":"\"invoke","#, Format::Events),
            (r#" { "invoke" : 4, "f":"read"}"#, Format::Operations),
            (r#"{"error":{"a":["}"]},"invoke":4"#, Format::Operations),
            ("{:process 0, :type :invoke", Format::Edn),
            ("{ :f :write", Format::Edn),
            ("#jepsen.history.Op{:index 0", Format::Edn),
            ("; a comment", Format::Edn),
            ("[", Format::Edn),
            ("{:process 0, :type :invoke, :f :get", Format::Porcupine),
            ("INFO  jepsen.util - 3\t:invoke\t:cas\t[0 3]", Format::Porcupine),
            ("WARN  jepsen.core - Process 3 crashed", Format::Porcupine),
        ] {
            assert_eq!(told(line), Some(format), "{line}");
        }
        for line in ["process,type", "\0\0", "<html>", "INFO all is well"] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn a_file_without_anything_is_a_history_without_operations() {
        for text in ["", "\n \r\n", "\u{feff}"] {
            let recording = read(text.as_bytes(), Options::default());
            assert_eq!(recording, Ok(Recording::empty(Format::Events)), "{text:?}");
        }
    }

    #[test]
    fn a_strange_beginning_is_refused_or_skipped() {
        let text = "what\n{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"key\":1}\n";
        let refused = read(text.as_bytes(), Options::default()).expect_err("strange");
        assert!(refused.to_string().starts_with("line 1: this is neither"), "{refused}");
        let read = read(text.as_bytes(), Options { lenient: true }).expect("skipped");
        assert_eq!((read.history.len(), read.skipped), (1, 1));
    }

    #[test]
    fn events_keep_the_order_of_operations_and_overlap_where_they_touch() {
        let text = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":5,"return":5}
            {"process":1,"f":"read","key":"x","value":1,"invoke":5,"return":5}
            {"process":0,"f":"write","key":"x","value":2,"invoke":5,"return":6}"#;
        let history = operation_lines::read(text.as_bytes()).expect("well formed").history;
        let order: Vec<_> =
            events(&history).map(|it| (it.time, it.operation.process.0, it.invocation)).collect();
        let expected =
            [(5, 0, true), (5, 1, true), (5, 0, false), (5, 0, true), (5, 1, false), (6, 0, false)];
        assert_eq!(order, expected);
    }
}
