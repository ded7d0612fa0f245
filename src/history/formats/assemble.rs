//! Whole operations become a history.
//!
//! The operations may come in any order. What [`Builder`](crate::history::Builder)
//! demands of events is demanded here of operations: a process is sequential,
//! ends after an unknown outcome (and goes on as another), and issues nothing
//! but final reads after a final read.

use rustc_hash::FxHashMap;

use super::lines::Options;
use super::names::Names;
use super::{Format, Recording};
use crate::history::escape;
use crate::history::{Completion, History, Malformed, Operation, ProcessId};

/// How many marks are kept: all are counted.
const MARKS_MAX: usize = 1_000;

/// Collects operations. Their processes are the numbers in the file.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    operations: Vec<Operation>,
    /// The line of each.
    lines: Vec<u32>,
    sorted: bool,
    skipped: usize,
    marks: Vec<(usize, String)>,
    marks_seen: usize,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Assembler { sorted: true, ..Assembler::default() }
    }

    /// One more operation; its place among those so far.
    pub(super) fn push(&mut self, line: usize, operation: Operation) -> usize {
        let after = |last: &Operation| last.invoked <= operation.invoked;
        self.sorted &= self.operations.last().is_none_or(after);
        self.operations.push(operation);
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        self.operations.len() - 1
    }

    /// The operation at a place.
    pub(super) fn operation(&self, at: usize) -> &Operation {
        &self.operations[at]
    }

    /// The operation at a place, to be completed.
    pub(super) fn operation_mut(&mut self, at: usize) -> &mut Operation {
        &mut self.operations[at]
    }

    /// A line was skipped.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Something that is no operation of a client.
    pub(super) fn mark(&mut self, line: usize, text: impl AsRef<str>) {
        self.marks_seen += 1;
        if self.marks.len() < MARKS_MAX {
            self.marks.push((line, escape::short(text.as_ref()).into_owned()));
        }
    }

    /// Puts operations into order of invocation, those of one instant in order
    /// of their lines, without room for a second copy of them.
    fn sort(&mut self) {
        // Of two operations of one line the first stays first.
        let invoked = self.operations.iter().map(|operation| operation.invoked);
        let keys = invoked.zip(&self.lines).map(|(invoked, line)| (invoked, *line));
        let mut sorted: Vec<((u64, u32), u32)> = keys.zip(0..).collect();
        sorted.sort_unstable();
        let mut order: Vec<u32> = sorted.into_iter().map(|(_, at)| at).collect();
        // Place by place: what belongs here may have been swapped away, to
        // where its own place was filled from.
        for place in 0..order.len() {
            let mut from = order[place] as usize;
            while from < place {
                from = order[from] as usize;
            }
            order[place] = from as u32;
            self.operations.swap(place, from);
            self.lines.swap(place, from);
        }
    }

    /// The history of all operations.
    pub(super) fn finish(
        mut self,
        format: Format,
        options: Options,
    ) -> Result<Recording, Malformed> {
        if !self.sorted {
            self.sort();
        }
        let mut names = Names::default();
        let mut lasts: FxHashMap<u32, Last> = FxHashMap::default();
        let mut wrong = Vec::new();
        for (at, operation) in self.operations.iter_mut().enumerate() {
            let number = operation.process.0;
            let last = lasts.entry(number).or_default();
            if let Err(reason) = last.follows(operation) {
                if !options.lenient {
                    return Err(Malformed { line: self.lines[at] as usize, reason });
                }
                wrong.push(at);
                continue;
            }
            operation.process = *last.name.get_or_insert_with(|| names.invoking(number));
            last.returned = operation.returned.unwrap_or(0).max(operation.invoked);
            last.quiet |= operation.final_read;
            if operation.completion == Completion::Info {
                names.ended.insert(number);
                *last = Last { returned: operation.invoked, ..Last::default() };
            }
        }
        if !wrong.is_empty() {
            let mut at = 0;
            self.operations.retain(|_| {
                at += 1;
                wrong.binary_search(&(at - 1)).is_err()
            });
            at = 0;
            self.lines.retain(|_| {
                at += 1;
                wrong.binary_search(&(at - 1)).is_err()
            });
        }
        Ok(Recording {
            history: History::assembled(self.operations),
            format,
            continued: names.continued,
            skipped: self.skipped + wrong.len(),
            lines: self.lines,
            marks: self.marks,
            marks_seen: self.marks_seen,
        })
    }
}

/// What a process did last.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    /// Who it is, from its first operation on.
    name: Option<ProcessId>,
    returned: u64,
    /// Whether it has issued a final read.
    quiet: bool,
}

impl Last {
    fn follows(&self, operation: &Operation) -> Result<(), String> {
        let (process, call) = (operation.process.0, &operation.call);
        if operation.invoked < self.returned {
            return Err(format!(
                "process {process} invokes `{call}` at {} while another operation of it is open \
                 until {}; a process is sequential",
                operation.invoked, self.returned
            ));
        }
        if operation.returned.is_some_and(|returned| returned < operation.invoked) {
            return Err(format!("`{call}` of process {process} returns before it is invoked"));
        }
        if operation.final_read && !call.is_read() {
            return Err(format!("`{call}` is marked final; only a read can be a final read"));
        }
        if self.quiet && !call.is_read() {
            return Err(format!(
                "process {process} invokes `{call}` after its final read; a final read is issued \
                 at quiescence"
            ));
        }
        Ok(())
    }
}
