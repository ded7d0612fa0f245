//! Builds a history from whole operations that come in any order.
//!
//! Sorts the operations by invocation, resolves the process that each number in
//! the file stands for, and checks the result against the rules.

use super::log::Log;
use super::names::Names;
use super::options::Options;
use super::{Format, Recording};
use crate::history::rules::Place;
use crate::history::{History, Malformed, Operation, Rules};

/// Collects operations. Their processes are the numbers in the file.
#[derive(Debug)]
pub(super) struct Assembler {
    operations: Vec<Operation>,
    sorted: bool,
    pub(super) log: Log,
}

impl Assembler {
    pub(super) fn new(options: &Options) -> Self {
        Assembler { operations: Vec::new(), sorted: true, log: Log::new(options) }
    }

    /// Takes one line: an operation, or the reason why it could not be read.
    pub(super) fn take(
        &mut self,
        line: usize,
        read: Result<Operation, String>,
    ) -> Result<(), Malformed> {
        let operation = match read {
            Ok(operation) => operation,
            Err(reason) => return self.log.or_skip(Err(Malformed::unreadable(line, reason))),
        };
        let after = |last: &Operation| last.invoked <= operation.invoked;
        self.sorted &= self.operations.last().is_none_or(after);
        self.operations.push(operation);
        self.log.operation(line);
        Ok(())
    }

    /// Sorts the operations by invocation, and by line where the times are
    /// equal. Works in place, without a second copy of the operations.
    fn sort(&mut self) {
        // The position keeps two operations of one line in order.
        let lines = &mut self.log.lines;
        let invoked = self.operations.iter().map(|operation| operation.invoked);
        let keys = invoked.zip(&*lines).map(|(invoked, line)| (invoked, *line));
        let mut sorted: Vec<((u64, u32), usize)> = keys.zip(0..).collect();
        sorted.sort_unstable();
        let mut order: Vec<usize> = sorted.into_iter().map(|(_, at)| at).collect();
        // Fill one place after the other. If an earlier swap moved the
        // operation that belongs here, follow the swaps to where it is now.
        for place in 0..order.len() {
            let mut from = order[place];
            while from < place {
                from = order[from];
            }
            order[place] = from;
            self.operations.swap(place, from);
            lines.swap(place, from);
        }
    }

    /// The recording of all operations.
    pub(super) fn finish(mut self, format: Format) -> Result<Recording, Malformed> {
        if !self.sorted {
            self.sort();
        }
        let Assembler { operations, mut log, .. } = self;
        let mut lines = std::mem::take(&mut log.lines);
        let mut names = Names::default();
        let mut wrong = Vec::new();
        let place = |at: usize, operation: &mut Operation, rules: &Rules| {
            let process = operation.process.0;
            operation.process = names.invoking(process, rules);
            Place { line: usize::try_from(lines[at]).unwrap_or(usize::MAX), process }
        };
        let history = History::screened(operations, place, |at, refused| {
            wrong.push(at);
            log.or_skip(Err(refused))
        })?;
        if !wrong.is_empty() {
            let mut positions = 0..lines.len();
            lines.retain(|_| positions.next().is_some_and(|at| wrong.binary_search(&at).is_err()));
        }
        log.lines = lines;
        Ok(log.finish(history, format, names))
    }
}
