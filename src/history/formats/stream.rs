//! Reads a recording operation by operation, in memory that does not grow with it.
//!
//! For recordings that are larger than memory: their operations are passed on as soon as they
//! are complete, and the rules of well-formedness are checked on the way, for all keys
//! together. What is kept grows with the processes, the operations that are open at the same
//! time, and the disorder of the lines.
//!
//! Only files whose lines stand for themselves can be read like that: event lines and
//! operation lines of JSON that name a key. Operation lines may stand in any order; here no
//! line may stand more than [`DISORDER_MAX`] lines or 64 MiB after one that was invoked later.
//!
//! A recording with drains is none of them: how many dequeues they are, all of it tells.
//!
//! Invariant: the operations of a file, ordered by number, are the history that
//! [`read`](super::read) finds in it, and a file that it refuses is refused here, too.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io::BufRead;

use super::drain::is_drain;
use super::json_lines::{self, All, SOME_KEYS, all_unknown};
use super::lines::Lines;
use super::log::Log;
use super::names::Names;
use super::operation_lines;
use super::options::Options;
use super::pairs::{Pairs, complain};
use super::reader::Reader;
use super::record::Refused;
use super::{Documents, Format, Recording, Shape, shape, told};
use crate::history::rules::Place;
use crate::history::{Completion, Event, Malformed, Operation, ProcessId, Rules, What};

/// How far operation lines may be from the order in which they were invoked, in lines.
pub const DISORDER_MAX: usize = 100_000;

/// The same, in bytes of lines: so many are kept in memory.
const DISORDER_BYTES: usize = 64 << 20;

/// One operation of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// Its position in the history.
    pub number: u64,
    /// The line where it was invoked.
    pub line: u32,
    /// The operation.
    pub operation: Operation,
}

/// Why a recording is not read operation by operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStreamed {
    /// It is no recording.
    Malformed(Malformed),
    /// It has to be read as a whole; what it is, in words.
    Whole(&'static str),
}

impl From<Malformed> for NotStreamed {
    fn from(malformed: Malformed) -> Self {
        NotStreamed::Malformed(malformed)
    }
}

/// Reads a recording operation by operation.
///
/// ```
/// use quiescence::history::formats::{Options, stream::{NotStreamed, Stream}};
///
/// let text = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5}"#;
/// let mut stream = Stream::open(text.as_bytes(), &Options::default())?;
/// let first = stream.operation()?.expect("there is one operation");
/// assert_eq!((first.number, first.line), (0, 1));
/// assert_eq!(stream.operation()?, None);
/// # Ok::<(), NotStreamed>(())
/// ```
pub struct Stream<R> {
    lines: Lines<R>,
    options: Options,
    /// How many lines before the first were skipped.
    skipped: usize,
    /// How many operations were passed on.
    passed: u64,
    renumbered: Renumbered,
    source: Source,
}

enum Source {
    Events(Box<Events>),
    Operations(Box<Operations>),
}

/// What is known of event lines.
struct Events {
    all: All,
    /// The events of a line that were not looked at yet, with it.
    said: VecDeque<(u32, Event)>,
    /// How many operations were invoked.
    invoked: u64,
    /// The operations that are open, each with its number and line.
    open: BTreeMap<ProcessId, Streamed>,
    /// Those that nothing completed, at the end.
    rest: Option<Vec<Streamed>>,
}

/// What is known of operation lines.
struct Operations {
    log: Log,
    /// Whether operations name their object; `None` before the first.
    keyed: Option<bool>,
    rules: Rules,
    names: Names,
    /// Those that may not be the next, by invocation and line; the process is the number in
    /// the file.
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// How many bytes their lines have.
    bytes: usize,
    /// When the last one was invoked that no longer waits.
    reached: u64,
    /// How many were passed on.
    passed: u64,
    ended: bool,
}

struct Waiting {
    line: usize,
    bytes: usize,
    operation: Operation,
}

impl Waiting {
    fn key(&self) -> (u64, usize) {
        (self.operation.invoked, self.line)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<R: BufRead> Stream<R> {
    /// Looks at the first line.
    ///
    /// # Errors
    /// If the text has no format that can be read operation by operation, or none at all.
    pub fn open(input: R, options: &Options) -> Result<Stream<R>, NotStreamed> {
        let mut lines = Lines::new(input);
        let (shape, skipped) = shape(&mut lines, options)?;
        let source = match shape {
            Some(Shape::Lines(Format::Operations)) => {
                Source::Operations(Box::new(Operations::new(options)))
            }
            Some(Shape::Lines(Format::Events)) | None => {
                Source::Events(Box::new(Events::new(options)))
            }
            Some(Shape::Lines(Format::Edn)) => return Err(NotStreamed::Whole("Jepsen's EDN")),
            Some(Shape::Lines(Format::Porcupine)) => {
                return Err(NotStreamed::Whole("a log of Porcupine"));
            }
            Some(Shape::Lines(_)) => return Err(NotStreamed::Whole("a log")),
            Some(Shape::Table(..)) => return Err(NotStreamed::Whole("a table")),
            Some(Shape::Spread) => {
                return Err(NotStreamed::Whole("JSON in an array or over several lines"));
            }
        };
        let (options, renumbered) = (options.clone(), BTreeMap::new());
        Ok(Stream { lines, options, skipped, passed: 0, renumbered, source })
    }

    /// The next operation that is complete, or `None` at the end. Operations of unknown outcome
    /// may come late.
    ///
    /// # Errors
    /// If a line cannot be read, or cannot be part of the history; with the line. If the
    /// operation is a drain.
    pub fn operation(&mut self) -> Result<Option<Streamed>, NotStreamed> {
        let Stream { lines, options, renumbered, source, .. } = self;
        let next = match source {
            Source::Events(events) => events.next(lines, options, renumbered),
            Source::Operations(operations) => operations.next(lines, options, renumbered),
        }?;
        match next {
            Some(one) if is_drain(&one.operation.call.f) => {
                Err(NotStreamed::Whole("a recording with drains"))
            }
            next => {
                self.passed += u64::from(next.is_some());
                Ok(next)
            }
        }
    }

    /// What was noted besides the operations: a recording without any.
    ///
    /// # Errors
    /// If there was none, but other lines.
    pub fn finish(self) -> Result<Recording, Malformed> {
        let (format, log, names, timed) = match self.source {
            Source::Events(events) => {
                let Pairs { log, sayings, .. } = events.all.reader.pairs;
                (Format::Events, log, sayings.names, sayings.timed != Some(false))
            }
            Source::Operations(operations) => {
                let Operations { log, names, .. } = *operations;
                (Format::Operations, log, names, true)
            }
        };
        let continued = names.continued;
        let renumbered = names.into_others(self.renumbered.into_iter());
        let noted = log.without_history(format);
        let skipped = noted.skipped + self.skipped;
        told(Recording { continued, renumbered, timed, skipped, ..noted }, self.passed > 0)
    }
}

/// The first line of each process that has another number than in the file.
type Renumbered = BTreeMap<ProcessId, u32>;

/// Notes the first line of a process that has another number than in the file.
fn note(renumbered: &mut Renumbered, names: &Names, process: ProcessId, line: u32) {
    if names.is_other(process) {
        renumbered.entry(process).or_insert(line);
    }
}

fn in_file(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// Why a recording without keys is not split.
const KEYLESS: &str = "no `key` is named here, and one object cannot be split";

impl Events {
    fn new(options: &Options) -> Events {
        let all = All::new(Reader::growing(options));
        Events { all, said: VecDeque::new(), invoked: 0, open: BTreeMap::new(), rest: None }
    }

    fn next<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        options: &Options,
        renumbered: &mut Renumbered,
    ) -> Result<Option<Streamed>, Malformed> {
        loop {
            while let Some((line, event)) = self.said.pop_front() {
                if let Some(done) = self.event(line, event, renumbered) {
                    return Ok(Some(done));
                }
            }
            let Some(line) = lines.next()? else { break };
            self.line(line, lines, options)?;
            // Since keys are known, no event waits for another line.
            for event in self.all.reader.pairs.said() {
                self.said.push_back((in_file(line), event?));
            }
        }
        let open = &mut self.open;
        let rest = self.rest.get_or_insert_with(|| {
            let mut rest: Vec<Streamed> = std::mem::take(open).into_values().collect();
            rest.sort_unstable_by_key(|streamed| Reverse(streamed.number));
            rest
        });
        Ok(rest.pop())
    }

    /// Takes the current line.
    fn line<R: BufRead>(
        &mut self,
        line: usize,
        lines: &mut Lines<R>,
        options: &Options,
    ) -> Result<(), Malformed> {
        let taken = match json_lines::fields_with(lines.text(), options) {
            Ok(fields) => {
                let keyless = fields.is_keyless() && !fields.process.is_no_client();
                let taken = self.all.take(line, lines.text(), fields);
                if self.all.is_keyless() {
                    return complain(line, KEYLESS);
                }
                taken.or_else(
                    |refused| if keyless { complain(line, SOME_KEYS) } else { Err(refused) },
                )
            }
            Err(Refused::Unknown(names)) if !options.lenient => {
                let read = |text: &[u8]| json_lines::fields_with(text, options);
                return Err(all_unknown(&mut Documents::Lines(lines), (line, names), read));
            }
            Err(refused) => complain(line, refused.in_words()),
        };
        self.all.reader.pairs.log.or_skip(taken)
    }

    /// Takes an event; the operation that it completes.
    fn event(&mut self, line: u32, event: Event, renumbered: &mut Renumbered) -> Option<Streamed> {
        let process = event.process;
        let final_read = matches!(event.what, What::OkFinal(_));
        let what = match event.what {
            What::Invoke(request) => {
                note(renumbered, &self.all.reader.pairs.sayings.names, process, line);
                let operation = Operation {
                    process,
                    node: event.node,
                    call: request.into_call(),
                    invoked: event.time,
                    returned: None,
                    completion: Completion::Info,
                    final_read: false,
                };
                let number = self.invoked;
                self.invoked += 1;
                self.open.insert(process, Streamed { number, line, operation });
                return None;
            }
            what => what,
        };
        let mut done = self.open.remove(&process).expect("the rules know what is open");
        let operation = &mut done.operation;
        operation.completion = what.into_completion().expect("it is no invocation");
        operation.returned = (!operation.is_pending()).then_some(event.time);
        operation.final_read = final_read;
        operation.node = operation.node.or(event.node);
        Some(done)
    }
}

impl Operations {
    fn new(options: &Options) -> Operations {
        Operations {
            log: Log::new(options),
            keyed: None,
            rules: Rules::default(),
            names: Names::default(),
            waiting: BinaryHeap::new(),
            bytes: 0,
            reached: 0,
            passed: 0,
            ended: false,
        }
    }

    fn next<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        options: &Options,
        renumbered: &mut Renumbered,
    ) -> Result<Option<Streamed>, Malformed> {
        loop {
            self.fill(lines, options)?;
            let Some(Reverse(Waiting { line, bytes, mut operation })) = self.waiting.pop() else {
                return Ok(None);
            };
            self.bytes -= bytes;
            self.reached = operation.invoked;
            let process = operation.process.0;
            operation.process = self.names.invoking(process, &self.rules);
            let accepted = self.rules.accept_whole(Place { line, process }, &operation);
            if accepted.is_err() {
                self.log.or_skip(accepted)?;
                continue;
            }
            let line = in_file(line);
            note(renumbered, &self.names, operation.process, line);
            let number = self.passed;
            self.passed += 1;
            return Ok(Some(Streamed { number, line, operation }));
        }
    }

    /// Reads on until no line further below can tell of what was invoked before all that wait.
    fn fill<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        options: &Options,
    ) -> Result<(), Malformed> {
        while !self.ended && self.waiting.len() <= DISORDER_MAX && self.bytes <= DISORDER_BYTES {
            let Some(line) = lines.next()? else {
                self.ended = true;
                break;
            };
            let parts = match operation_lines::parts_with(lines.text(), options) {
                Ok(parts) => parts,
                Err(Refused::Unknown(names)) if !options.lenient => {
                    let read = |text: &[u8]| operation_lines::parts_with(text, options);
                    return Err(all_unknown(&mut Documents::Lines(lines), (line, names), read));
                }
                Err(refused) => {
                    self.log.or_skip(complain(line, refused.in_words()))?;
                    continue;
                }
            };
            if parts.process.is_no_client() {
                self.log.mark(line, String::from_utf8_lossy(lines.text()).trim());
                continue;
            }
            let named = operation_lines::named(parts, &mut self.keyed, self.log.processes());
            if self.keyed == Some(false) {
                return complain(line, KEYLESS);
            }
            let operation = match named {
                Ok(operation) => operation,
                Err(reason) => {
                    self.log.or_skip(complain(line, reason))?;
                    continue;
                }
            };
            if operation.invoked < self.reached {
                return complain(line, too_late());
            }
            let bytes = lines.text().len();
            self.bytes += bytes;
            self.waiting.push(Reverse(Waiting { line, bytes, operation }));
        }
        Ok(())
    }
}

/// Why an operation is refused that stands too far behind others.
fn too_late() -> String {
    format!(
        "this was invoked before what stands more than {DISORDER_MAX} lines or {} MiB above; sort \
         the lines by `invoke`",
        DISORDER_BYTES >> 20
    )
}
