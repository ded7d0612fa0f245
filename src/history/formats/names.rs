//! Finds the process that a number in a file stands for. A process ends after
//! an operation of unknown outcome, but recordings continue under the same
//! number.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::{ProcessId, Rules};

/// Processes by the number that the file gives them.
#[derive(Default)]
pub(super) struct Names {
    current: FxHashMap<u32, ProcessId>,
    taken: FxHashSet<ProcessId>,
    highest: u32,
    pub(super) continued: usize,
}

impl Names {
    /// The process that invokes under this number: a new one if the last one
    /// has ended. It gets the number in the file, unless another process has
    /// taken that.
    pub(super) fn invoking(&mut self, number: u32, rules: &Rules) -> ProcessId {
        match self.current.get(&number) {
            Some(process) if !rules.has_ended(*process) => *process,
            Some(_) => {
                self.continued += 1;
                self.take(number, None)
            }
            None => self.take(number, Some(ProcessId(number))),
        }
    }

    /// The process that has last invoked under this number.
    pub(super) fn current(&self, number: u32) -> Option<ProcessId> {
        self.current.get(&number).copied()
    }

    fn take(&mut self, number: u32, wish: Option<ProcessId>) -> ProcessId {
        let free = |process: &ProcessId| !self.taken.contains(process);
        let process = wish.filter(free).unwrap_or_else(|| {
            let above = self.highest.checked_add(1).map(ProcessId).filter(free);
            above.or_else(|| (0..=u32::MAX).map(ProcessId).find(free)).unwrap_or(ProcessId(number))
        });
        self.highest = self.highest.max(process.0);
        self.taken.insert(process);
        self.current.insert(number, process);
        process
    }
}
