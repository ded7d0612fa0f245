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
mod documents;
mod drain;
pub mod edn;
mod edn_event;
mod edn_operations;
mod edn_text;
mod edn_value;
mod follow;
mod json;
pub mod json_lines;
mod lines;
mod log;
mod names;
pub mod operation_lines;
mod options;
mod pairs;
pub mod porcupine;
mod reader;
mod record;
mod scanner;
pub mod stream;
pub mod table;
mod typed;
mod unit;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead};

use super::{Function, History, Key, Malformed, Operation, ProcessId, Value, escape};

use documents::{Documents, Spread};
pub use follow::Follower;
use lines::{Lines, no_text};
pub use options::Options;
pub use record::FIELDS;
pub use typed::typed;
pub use unit::Unit;

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
    /// The maps of Porcupine's kv tests: [`porcupine`].
    Porcupine,
    /// Jepsen's `history.txt` and log, and the logs of Porcupine's etcd tests: [`porcupine`].
    Log,
    /// Rows of cells between commas or tabs: [`table`].
    Table,
    /// Not a file, but a text in the one-line [`notation`](super::notation): [`typed`].
    Notation,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Events => "JSON event lines",
            Format::Operations => "JSON operation lines",
            Format::Log => "Jepsen log",
            Format::Table => "table",
            Format::Edn => "Jepsen EDN",
            Format::Porcupine => "Porcupine log",
            Format::Notation => "one-line notation",
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
    /// The processes that have other numbers than in the file: the number there, and the
    /// line on which each continues a process that had ended, if it does.
    pub renumbered: BTreeMap<ProcessId, (u32, Option<usize>)>,
    /// How many lines were skipped because they could not be understood (only
    /// with [`Options::lenient`]).
    pub skipped: usize,
    /// The line of each operation: where it was invoked. Empty if operations
    /// have no lines. Of a text in the notation: which operation it is in the text, from 1.
    pub lines: Vec<u32>,
    /// Entries that are no operations of clients, each with its line: what the
    /// nemesis did, other lines of a log, and an `info` of a process that has
    /// nothing open. Only the first of the [`marks_seen`](Self::marks_seen),
    /// each shortened.
    pub marks: Vec<(usize, String)>,
    /// How many marks there are in all.
    pub marks_seen: usize,
    /// What the nemesis did, each with its line, in the order of events: of files whose lines
    /// stand in that order. Only the first of [`faults_seen`](Self::faults_seen), each
    /// shortened.
    pub faults: Vec<Fault>,
    /// How many of them there are in all.
    pub faults_seen: usize,
    /// Whether the file has times. If not, it is 1 ns from one event to the next.
    pub timed: bool,
    /// How many times ran backwards and were replaced, so that the order of the events
    /// counts.
    pub backwards: usize,
    /// The names of processes, by number, if the file has texts for them.
    pub processes: BTreeMap<u32, String>,
    /// The drains of queues that were read as dequeues.
    pub drains: Drains,
}

/// What the nemesis did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its line.
    pub line: usize,
    /// What it did.
    pub what: String,
    /// When it did so, if that can be compared with the times of the history.
    pub time: Option<u64>,
}

/// Drains of queues, and as what they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drains {
    /// How many there were.
    pub read: usize,
    /// How many dequeues of known values they are.
    pub dequeues: usize,
    /// How many of them may have taken more than they name.
    pub unfinished: usize,
    /// How many dequeues of unknown outcome stand for that.
    pub perhaps: usize,
    /// The names of the processes that stand for parts of a drain.
    pub parts: BTreeMap<ProcessId, String>,
    /// The keys that were drained, each with the place of the first drain that did not fail:
    /// `("line", 4)`.
    pub first: BTreeMap<Key, (&'static str, usize)>,
}

impl Recording {
    /// What the file calls a process: `process 3`, `process writer`, `process 0 (from line 7
    /// on)`. Shortened, without control characters.
    pub fn who(&self, process: ProcessId) -> String {
        format!("process {}", self.name_of(process))
    }

    /// The same without the word: `3`, `writer`, `0 (from line 7 on)`.
    pub fn name_of(&self, process: ProcessId) -> String {
        if let Some(part) = self.drains.parts.get(&process) {
            return part.clone();
        }
        let &(number, line) = self.renumbered.get(&process).unwrap_or(&(process.0, None));
        let name = self
            .processes
            .get(&number)
            .map_or_else(|| number.to_string(), |text| escape::short(text).into_owned());
        match line {
            Some(line) => format!("{name} (from line {line} on)"),
            None => name,
        }
    }

    fn empty(format: Format) -> Recording {
        let history = History::default();
        Recording {
            history,
            format,
            continued: 0,
            renumbered: BTreeMap::new(),
            skipped: 0,
            lines: Vec::new(),
            marks: Vec::new(),
            marks_seen: 0,
            faults: Vec::new(),
            faults_seen: 0,
            timed: true,
            backwards: 0,
            processes: BTreeMap::new(),
            drains: Drains::default(),
        }
    }

    /// Where the operation at a position of the history stands: `("line", 4)`, or
    /// `("operation", 2)` where there are no lines.
    pub fn place(&self, at: usize) -> (&'static str, usize) {
        match self.lines.get(at) {
            Some(line) if self.format == Format::Notation => ("operation", *line as usize),
            Some(line) => ("line", *line as usize),
            None => ("operation", at + 1),
        }
    }

    /// What the nemesis did around these operations: the last before the first of them was
    /// invoked, and all until the last of them returned; or, where times do not tell when that
    /// was, until the last of them was invoked. Nothing where that is not known.
    pub fn faults_around(&self, operations: &[usize]) -> (Option<&Fault>, &[Fault]) {
        let lines = || operations.iter().filter_map(|at| self.lines.get(*at));
        let (Some(first), Some(last)) = (lines().min(), lines().max()) else {
            return (None, &[]);
        };
        let before = |line: u32| self.faults.partition_point(|fault| fault.line < line as usize);
        let (from, to) = (before(*first), before(*last));
        let all = operations.iter().filter_map(|at| self.history.operations().get(*at));
        let end = all.map(|one| one.returned.unwrap_or(one.invoked)).max().unwrap_or(0);
        let in_time = |fault: &&Fault| fault.time.is_some_and(|time| time < end);
        // Times that ran backwards were replaced.
        let timed = self.backwards == 0;
        let later = self.faults[to..].iter().take_while(|fault| timed && in_time(fault)).count();
        let to = to + later;
        // Only the first ones are kept.
        match to < self.faults.len() || self.faults_seen == self.faults.len() {
            true => (self.faults[..from].last(), &self.faults[from..to]),
            false => (None, &[]),
        }
    }

    /// What this recording is called where people are told of it, if this was its name on
    /// the command line: a text in the notation stands between quotes, and is shortened.
    pub fn called<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.format {
            Format::Notation => Cow::Owned(format!("`{}`", escape::short(name))),
            _ => Cow::Borrowed(name),
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
/// let recording = formats::read(text.as_bytes(), &Options::default())?;
/// assert_eq!(recording.format, Format::Operations);
/// assert_eq!(recording.history.len(), 1);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn read(input: impl BufRead, options: &Options) -> Result<Recording, Malformed> {
    let mut lines = Lines::new(input);
    let (shape, skipped) = shape(&mut lines, options)?;
    let Some(shape) = shape else { return Ok(Recording::empty(Format::Events)) };
    let recording = match shape {
        Shape::Lines(Format::Edn) => edn::read_from(&mut lines, options),
        Shape::Lines(Format::Porcupine | Format::Log) => porcupine::read_from(&mut lines, options),
        Shape::Lines(Format::Operations) => {
            operation_lines::read_from(Documents::Lines(&mut lines), options)
        }
        Shape::Lines(_) => json_lines::read_from(Documents::Lines(&mut lines), options),
        Shape::Table(columns, separator) => {
            table::read_from(&mut lines, (&columns, separator), options)
        }
        Shape::Spread => {
            let mut spread = Spread::new(&mut lines);
            let is_operation = spread.first(options)?;
            match is_operation {
                true => operation_lines::read_from(Documents::Spread(spread), options),
                false => json_lines::read_from(Documents::Spread(spread), options),
            }
        }
    }?;
    let recording = Recording { skipped: recording.skipped + skipped, ..recording };
    let any = !recording.history.is_empty() || recording.drains.read > 0;
    told(recording, any)
}

/// The recording, unless it has lines and none of them tells of an operation.
fn told(recording: Recording, any: bool) -> Result<Recording, Malformed> {
    let others = recording.skipped + recording.marks_seen;
    if !any && others > 0 {
        let first = recording.marks.first().map_or(1, |(line, _)| *line);
        return Err(tells_nothing(first, others));
    }
    Ok(recording)
}

/// The complaint about a file without operations that has so many other lines or entries.
fn tells_nothing(first: usize, others: usize) -> Malformed {
    let reason = format!("none of the {others} lines or entries here tells of an operation");
    Malformed::unreadable(first, reason)
}

/// What a file looks like.
#[derive(Debug, PartialEq)]
enum Shape {
    /// It is read line by line, or form by form.
    Lines(Format),
    /// A table with these columns, and what is between cells.
    Table(Vec<String>, u8),
    /// JSON objects over several lines, or in an array.
    Spread,
}

/// What a file looks like, `None` if it is blank; and how many lines before were skipped. The
/// first line that is not blank is read again.
fn shape<R: BufRead>(
    lines: &mut Lines<R>,
    options: &Options,
) -> Result<(Option<Shape>, usize), Malformed> {
    let mut strange = None;
    let mut skipped = 0;
    loop {
        let Some(line) = lines.part()? else {
            return match strange {
                Some(_) if options.lenient => Err(tells_nothing(1, skipped)),
                strange => strange.map_or(Ok((None, 0)), Err),
            };
        };
        if let Some(reason) = no_text(lines.text()).filter(|_| line == 1) {
            return Err(Malformed::unreadable(line, reason));
        }
        if lines.text().iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if begins_object(lines.text()) {
            // Which fields it has, the whole of it tells.
            lines.rest()?;
        }
        if let Some(shape) = detect(lines, options) {
            lines.again();
            return Ok((Some(shape), skipped));
        }
        let reason = "this is neither a JSON event or operation, nor Jepsen's EDN, nor a line of \
                      its log, nor the head of a table";
        let refused = strange.get_or_insert(Malformed::unreadable(line, reason));
        if !options.lenient {
            return Err(refused.clone());
        }
        skipped += 1;
        lines.again();
        lines.next()?;
    }
}

/// What a file looks like that begins with the current line.
fn detect<R: BufRead>(lines: &mut Lines<R>, options: &Options) -> Option<Shape> {
    let invoke = options.theirs("invoke").as_bytes();
    let is_whole = lines.text().ends_with(b"\n");
    let text = lines.text().trim_ascii().to_vec();
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let shape = match text.first()? {
        b'{' if !begins_object(&text) => {
            // Porcupine's kv tests write maps of EDN too; only they have these
            // functions.
            let text_register = [&b":f :get"[..], b":f :put", b":f :append"].into_iter().any(has);
            Shape::Lines(if text_register { Format::Porcupine } else { Format::Edn })
        }
        b'{' if is_whole && is_cut(&text) && goes_on(lines.ahead()) => Shape::Spread,
        b'{' if options.lenient && !is_told(&text, options) => return None,
        b'{' if has_field(&text, invoke) => Shape::Lines(Format::Operations),
        b'{' => Shape::Lines(Format::Events),
        b'[' if begins_json(&[&text[1..], lines.ahead()].concat()) => Shape::Spread,
        b';' | b'[' | b'#' | b'(' => Shape::Lines(Format::Edn),
        _ if porcupine::is_line(&text) => Shape::Lines(Format::Log),
        _ => match table::columns(&text, options) {
            Some((columns, separator)) => Shape::Table(columns, separator),
            // A log may begin with other lines.
            None => porcupine::is_log(lines.ahead()).then_some(Shape::Lines(Format::Log))?,
        },
    };
    Some(shape)
}

/// Whether this is the beginning of an object of JSON.
fn begins_object(text: &[u8]) -> bool {
    let inside = text.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| matches!(inside.first(), Some(b'"') | None))
}

/// Whether what follows a bracket is an object of JSON, or the end.
fn begins_json(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let inside = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inside.is_some_and(|inside| matches!(inside.first(), Some(b'"' | b'}')))
}

/// Whether this line is JSON that tells what it is: one that a lenient reader skips does not say
/// what the others are.
fn is_told(text: &[u8], options: &Options) -> bool {
    let has = |ours| has_field(text, options.theirs(ours).as_bytes());
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    is_json && (has("invoke") || has("type"))
}

/// Whether this JSON ends too early.
fn is_cut(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

/// Whether an object may go on so, and not the next one begin.
fn goes_on(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'"' | b'}'))
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
    let others = ["add", "remove", "enqueue", "push", "put", "append"];
    *f == Function::Write || others.contains(&f.as_str())
}

/// Functions that take no argument and answer something.
fn only_asks(f: &Function) -> bool {
    *f == Function::Read || matches!(f.as_str(), "get" | "dequeue" | "drain" | "pop" | "generate")
}

/// What a function is called that deletes an object.
const DELETE: &str = "delete";

/// Whether a call deletes an object, which is a write of `null`.
fn deletes(f: &Function, argument: &Value) -> bool {
    f.as_str() == DELETE && *argument == Value::Null
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_told_by_its_first_line() {
        let told = |line: &str| {
            let mut lines = Lines::new(line.as_bytes());
            lines.part().expect("memory can be read");
            detect(&mut lines, &Options::default())
        };
        for (line, format) in [
            (r#"{"process":0,"type":"invoke","f":"read","key":"x"}"#, Format::Events),
            (r#"{"value":"\"invoke\":","type":"invoke"}"#, Format::Events),
            (r#"{"error":{"invoke":1},"type":"invoke","f":"read"}"#, Format::Events),
            (r#"{"error":["\\",{"invoke":1}],"value":"\"invoke","#, Format::Events),
            (r#" { "invoke" : 4, "f":"read"}"#, Format::Operations),
            (r#"{"error":{"a":["}"]},"invoke":4}"#, Format::Operations),
            ("{:process 0, :type :invoke", Format::Edn),
            ("{ :f :write", Format::Edn),
            ("#jepsen.history.Op{:index 0", Format::Edn),
            ("; a comment", Format::Edn),
            ("[", Format::Edn),
            ("{:process 0, :type :invoke, :f :get", Format::Porcupine),
            ("INFO  jepsen.util - 3\t:invoke\t:cas\t[0 3]", Format::Log),
            ("WARN  jepsen.core - Process 3 crashed", Format::Log),
            ("0\t:invoke\t:write\t7", Format::Log),
            (":nemesis\t:info\t:start\tnil", Format::Log),
        ] {
            assert_eq!(told(line), Some(Shape::Lines(format)), "{line}");
        }
        for line in ["\0\0", "<html>", "INFO all is well"] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn a_file_without_anything_is_a_history_without_operations() {
        for text in ["", "\n \r\n", "\u{feff}"] {
            let recording = read(text.as_bytes(), &Options::default());
            assert_eq!(recording, Ok(Recording::empty(Format::Events)), "{text:?}");
        }
    }

    #[test]
    fn a_strange_beginning_is_refused_or_skipped() {
        let text = "what\n{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"key\":1}\n";
        let refused = read(text.as_bytes(), &Options::default()).expect_err("strange");
        assert!(refused.to_string().starts_with("line 1: this is neither"), "{refused}");
        let read = read(text.as_bytes(), &Options { lenient: true, ..Options::default() })
            .expect("skipped");
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
