//! Histories in files. Formats read from anything that implements
//! [`std::io::BufRead`]; opening files is the command line's business.
//!
//! Which format a file has is told by its first line that is not blank. A
//! reader streams: it keeps what it has understood, not the text.
//!
//! Invariant: a reader is total. Whatever the bytes are, the answer is a
//! [`Recording`] or a [`Malformed`] with the line.
//!
//! Read next: [`json_lines`] and [`operation_lines`] for our own formats.

mod assemble;
pub mod edn;
mod edn_text;
mod json;
pub mod json_lines;
mod lines;
mod names;
pub mod operation_lines;
pub mod porcupine;
mod scanner;

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use super::{History, Malformed, Operation, ProcessId};

use lines::Lines;
pub use lines::Options;

/// How a recording is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A history that was read, and what had to be done to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What was recorded.
    pub history: History,
    /// How it was written down.
    pub format: Format,
    /// How often a process went on after an operation of unknown outcome and
    /// was given a new number, because a process ends there.
    pub continued: usize,
    /// How many lines were skipped because they made no sense (only if that
    /// was asked for).
    pub skipped: usize,
    /// The line of each operation: where it was invoked. Empty if operations
    /// have no lines.
    pub lines: Vec<u32>,
    /// What is no operation of a client: what the nemesis did, and functions
    /// without a meaning. By line.
    pub marks: Vec<(usize, String)>,
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
        }
    }
}

/// Reads a history in whatever format it has.
///
/// # Errors
/// With the line, if the text is in none of the formats or makes no sense in
/// the one that its first line has.
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
    let Some(line) = lines.next()? else {
        return Ok(Recording::empty(Format::Events));
    };
    let Some(format) = detect(lines.text()) else {
        return Err(Malformed {
            line,
            reason: "this is neither a JSON event or operation, nor Jepsen's EDN, nor a Porcupine \
                     log"
            .to_owned(),
        });
    };
    lines.again();
    match format {
        Format::Events => json_lines::read_from(&mut lines, options),
        Format::Operations => operation_lines::read_from(&mut lines, options),
        Format::Edn => edn::read_from(&mut lines, options),
        Format::Porcupine => porcupine::read_from(&mut lines, options),
    }
}

/// The format that begins with this line.
fn detect(line: &[u8]) -> Option<Format> {
    let text = line.trim_ascii_start();
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    match text.first()? {
        b'{' if has(b":process") || has(b":type") => {
            // Both Jepsen and Porcupine's kv tests write maps of EDN.
            Some(if has(b":f :get") || has(b":f :put") || has(b":f :append") {
                Format::Porcupine
            } else {
                Format::Edn
            })
        }
        b'{' if has(b"\"invoke\":") || has(b"\"invoke\" :") => Some(Format::Operations),
        b'{' => Some(Format::Events),
        b';' | b'[' | b'#' | b'(' => Some(Format::Edn),
        b'I' | b'W' if has(b"jepsen.util") => Some(Format::Porcupine),
        _ => None,
    }
}

/// An invocation or a completion.
struct HalfOperation<'a> {
    time: u64,
    invocation: bool,
    operation: &'a Operation,
}

/// The events of a history in order of time; at one time completions of other
/// processes come after invocations, so that operations that touch overlap.
fn events(history: &History) -> impl Iterator<Item = HalfOperation<'_>> {
    let mut events = Vec::with_capacity(2 * history.len());
    let mut returned: BTreeMap<ProcessId, u64> = BTreeMap::new();
    for (at, operation) in history.operations().iter().enumerate() {
        let end = operation.returned.unwrap_or(operation.invoked);
        let before = returned.insert(operation.process, end);
        let touches = [operation.returned, before].contains(&Some(operation.invoked));
        events.push((operation.invoked, touches, at, true));
        // An operation of unknown outcome ends as soon as its process goes on.
        events.push((end, operation.returned.is_some(), at, false));
    }
    events.sort_by_key(|&(time, late, at, invocation)| (time, late, at, !invocation));
    events.into_iter().map(|(time, _, at, invocation)| {
        let operation = &history.operations()[at];
        HalfOperation { time, invocation, operation }
    })
}
