//! What a reader notes besides the history: lines, marks, and what it skipped.

use super::drain;
use super::names::{Names, Processes};
use super::options::Options;
use super::{Fault, Format, Recording};
use crate::history::{History, Malformed, escape};

/// How many marks are kept; all are counted.
const MARKS_MAX: usize = 1_000;

/// What was skipped, the marks (entries that are no operations of clients), and
/// the line of each operation.
#[derive(Debug)]
pub(super) struct Log {
    lenient: bool,
    /// How many values queues hold at first.
    held: usize,
    pub(super) lines: Vec<u32>,
    skipped: usize,
    marks: Vec<(usize, String)>,
    marks_seen: usize,
    /// What the nemesis did, in the order of events.
    faults: Vec<Fault>,
    faults_seen: usize,
    processes: Processes,
    /// How many times ran backwards.
    pub(super) backwards: usize,
}

impl Log {
    pub(super) fn new(options: &Options) -> Log {
        Log {
            lenient: options.lenient,
            held: options.held,
            lines: Vec::new(),
            skipped: 0,
            marks: Vec::new(),
            marks_seen: 0,
            faults: Vec::new(),
            faults_seen: 0,
            processes: Processes::default(),
            backwards: 0,
        }
    }

    /// The numbers of processes.
    pub(super) fn processes(&mut self) -> &mut Processes {
        &mut self.processes
    }

    /// Whether the reader skips what it cannot understand.
    pub(super) fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// Notes the line at which an operation was invoked.
    pub(super) fn operation(&mut self, line: usize) {
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// Counts and drops an error, if the reader is lenient.
    pub(super) fn or_skip(&mut self, done: Result<(), Malformed>) -> Result<(), Malformed> {
        match done {
            Err(_) if self.lenient => {
                self.skipped += 1;
                Ok(())
            }
            done => done,
        }
    }

    /// Notes an entry that is no operation of a client.
    pub(super) fn mark(&mut self, line: usize, text: impl AsRef<str>) {
        self.marks_seen += 1;
        if self.marks.len() < MARKS_MAX {
            self.marks.push((line, escape::short(text.as_ref()).into_owned()));
        }
    }

    /// Notes what the nemesis did, where lines stand in the order of events.
    pub(super) fn fault(&mut self, line: usize, time: Option<u64>, text: impl AsRef<str>) {
        self.faults_seen += 1;
        if self.faults.len() < MARKS_MAX {
            let what = escape::short(text.as_ref().trim()).into_owned();
            self.faults.push(Fault { line, what, time });
        }
    }

    /// The same without what the nemesis did, for files whose lines stand in any order.
    pub(super) fn without_faults(self) -> Log {
        Log { faults: Vec::new(), faults_seen: 0, ..self }
    }

    /// The recording of this history.
    pub(super) fn finish(self, history: History, format: Format, names: Names) -> Recording {
        let lines = self.lines.iter().copied();
        let first = history.operations().iter().map(|operation| operation.process).zip(lines);
        let (continued, renumbered) = (names.continued, names.into_others(first));
        let held = self.held;
        let noted = self.without_history(format);
        drain::expand(Recording { history, continued, renumbered, ..noted }, held)
    }

    /// What was noted, without a history.
    pub(super) fn without_history(self, format: Format) -> Recording {
        let Log { lines, skipped, marks, marks_seen, faults, faults_seen, backwards, .. } = self;
        let processes = self.processes.into_texts();
        Recording {
            skipped,
            lines,
            marks,
            marks_seen,
            faults,
            faults_seen,
            backwards,
            processes,
            ..Recording::empty(format)
        }
    }
}
