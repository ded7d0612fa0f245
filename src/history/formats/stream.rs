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
use std::collections::{BTreeMap, BinaryHeap};
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
use super::{Documents, Format, Recording, Shape, shape};
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
    renumbered: Renumbered,
    source: Source,
}

enum Source {
    Events(Events),
    Operations(Operations),
}

/// What is known of event lines.
struct Events {
    all: All,
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
    rules: Rules,
    names: Names,
    /// Those that may not be the next, by invocation and line; the process is the number in
    /// the file.
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// How many bytes their lines have.
    bytes: usize,
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
    /// Looks at the first line. Malformed lines are errors, whatever the options say.
    ///
    /// # Errors
    /// If the text has no format that can be read operation by operation, or none at all.
    pub fn open(input: R, options: &Options) -> Result<Stream<R>, NotStreamed> {
        let options = Options { lenient: false, ..options.clone() };
        let mut lines = Lines::new(input);
        let (shape, _) = shape(&mut lines, &options)?;
        let source = match shape {
            Some(Shape::Lines(Format::Operations)) => Source::Operations(Operations::new(&options)),
            Some(Shape::Lines(Format::Events)) | None => Source::Events(Events::new(&options)),
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
        Ok(Stream { lines, options, renumbered: BTreeMap::new(), source })
    }

    /// The next operation that is complete, or `None` at the end. Operations of unknown outcome
    /// may come late.
    ///
    /// # Errors
    /// If a line cannot be read, or cannot be part of the history; with the line. If the
    /// operation is a drain.
    pub fn operation(&mut self) -> Result<Option<Streamed>, NotStreamed> {
        let Stream { lines, options, renumbered, source } = self;
        let next = match source {
            Source::Events(events) => events.next(lines, options, renumbered),
            Source::Operations(operations) => operations.next(lines, options, renumbered),
        }?;
        match next {
            Some(one) if is_drain(&one.operation.call.f) => {
                Err(NotStreamed::Whole("a recording with drains"))
            }
            next => Ok(next),
        }
    }

    /// What was noted besides the operations: a recording without any.
    pub fn finish(self) -> Recording {
        let (format, log, names, timed) = match self.source {
            Source::Events(Events { all, .. }) => {
                let Pairs { log, sayings, .. } = all.reader.pairs;
                (Format::Events, log, sayings.names, sayings.timed != Some(false))
            }
            Source::Operations(Operations { log, names, .. }) => {
                (Format::Operations, log, names, true)
            }
        };
        let continued = names.continued;
        let renumbered = names.into_others(self.renumbered.into_iter());
        Recording { continued, renumbered, timed, ..log.without_history(format) }
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
        Events { all, invoked: 0, open: BTreeMap::new(), rest: None }
    }

    fn next<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        options: &Options,
        renumbered: &mut Renumbered,
    ) -> Result<Option<Streamed>, Malformed> {
        while let Some(line) = lines.next()? {
            let fields = match json_lines::fields_with(lines.text(), options) {
                Ok(fields) => fields,
                Err(Refused::Unknown(names)) => {
                    let read = |text: &[u8]| json_lines::fields_with(text, options);
                    return Err(all_unknown(&mut Documents::Lines(lines), (line, names), read));
                }
                Err(refused) => return complain(line, refused.in_words()),
            };
            if fields.is_keyless() && !fields.process.is_no_client() {
                return complain(line, if self.invoked > 0 { SOME_KEYS } else { KEYLESS });
            }
            self.all.take(line, lines.text(), fields)?;
            // Since keys are known, no event waits for another line.
            for event in self.all.reader.pairs.said() {
                if let Some(done) = self.event(in_file(line), event?, renumbered) {
                    return Ok(Some(done));
                }
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
            rules: Rules::default(),
            names: Names::default(),
            waiting: BinaryHeap::new(),
            bytes: 0,
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
        let fits =
            |waiting: usize, bytes: usize| waiting <= DISORDER_MAX && bytes <= DISORDER_BYTES;
        while !self.ended && fits(self.waiting.len(), self.bytes) {
            let Some(line) = lines.next()? else {
                self.ended = true;
                break;
            };
            let parts = match operation_lines::parts_with(lines.text(), options) {
                Ok(parts) => parts,
                Err(Refused::Unknown(names)) => {
                    let read = |text: &[u8]| operation_lines::parts_with(text, options);
                    return Err(all_unknown(&mut Documents::Lines(lines), (line, names), read));
                }
                Err(refused) => return complain(line, refused.in_words()),
            };
            if parts.process.is_no_client() {
                self.log.mark(line, String::from_utf8_lossy(lines.text()).trim());
                continue;
            }
            if parts.key.is_none() {
                let any = self.passed > 0 || !self.waiting.is_empty();
                return complain(line, if any { SOME_KEYS } else { KEYLESS });
            }
            let operation = operation_lines::operation(parts, self.log.processes())
                .or_else(|reason| complain(line, reason))?;
            if operation.invoked < self.rules.time() {
                let reason = format!(
                    "this was invoked before what stands more than {DISORDER_MAX} lines or {} MiB \
                     above; sort the lines by `invoke`",
                    DISORDER_BYTES >> 20
                );
                return complain(line, reason);
            }
            let bytes = lines.text().len();
            self.bytes += bytes;
            self.waiting.push(Reverse(Waiting { line, bytes, operation }));
        }
        let Some(Reverse(Waiting { line, bytes, mut operation })) = self.waiting.pop() else {
            return Ok(None);
        };
        self.bytes -= bytes;
        let process = operation.process.0;
        operation.process = self.names.invoking(process, &self.rules);
        self.rules.accept_whole(Place { line, process }, &operation)?;
        let line = in_file(line);
        note(renumbered, &self.names, operation.process, line);
        let number = self.passed;
        self.passed += 1;
        Ok(Some(Streamed { number, line, operation }))
    }
}
