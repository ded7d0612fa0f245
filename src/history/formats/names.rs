//! Finds the process that a number in a file stands for. A process ends after
//! an operation of unknown outcome, but recordings continue under the same
//! number.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::{ProcessId, Rules};

/// A process, as a file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Process {
    Number(u32),
    Text(String),
}

impl Process {
    /// Whether the file has a number for it.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Process::Number(_))
    }

    /// Whether it is nobody's client: `nemesis`, `:nemesis`, or another keyword.
    pub(super) fn is_no_client(&self) -> bool {
        matches!(self, Process::Text(name) if name == "nemesis" || name.starts_with(':'))
    }
}

/// The numbers of processes that a file names by texts. Names that are one word and a number,
/// all the same word (`c0`, `c1`), have that number; others have the next that is free.
#[derive(Debug, Default)]
pub(super) struct Processes {
    numbers: FxHashMap<String, u32>,
    /// The names, by number.
    texts: BTreeMap<u32, String>,
    /// Whether the file has numbers; `None` before the first operation that is understood.
    numbered: Option<bool>,
    word: Option<String>,
    /// No number below this is free.
    free: u32,
}

impl Processes {
    /// The number of a process. Whether the file has numbers is decided by the first operation
    /// that [`begins`](Self::begins): a line that is skipped decides nothing.
    pub(super) fn number(&mut self, process: Process) -> Result<u32, String> {
        let numbered = process.is_number();
        if self.numbered.is_some_and(|decided| decided != numbered) {
            return Err("`process` is a number on some lines and a text on others".to_owned());
        }
        let name = match process {
            Process::Number(number) => return Ok(number),
            Process::Text(name) => name,
        };
        if let Some(number) = self.numbers.get(&name) {
            return Ok(*number);
        }
        let number = match self.own(&name) {
            Some(number) => number,
            None => {
                let mut above = self.free..=u32::MAX;
                let free = above.find(|number| !self.texts.contains_key(number));
                self.free = free.ok_or("there are more processes than numbers")?;
                self.free
            }
        };
        self.numbers.insert(name.clone(), number);
        self.texts.insert(number, name);
        Ok(number)
    }

    /// Notes that an operation was understood whose process is a number, or a text.
    pub(super) fn begins(&mut self, numbered: bool) {
        self.numbered.get_or_insert(numbered);
    }

    /// The number that a name ends with, if the word before it is that of the first name and
    /// no other process has the number.
    fn own(&mut self, name: &str) -> Option<u32> {
        let word = name.trim_end_matches(|it: char| it.is_ascii_digit());
        let number = name[word.len()..].parse().ok()?;
        let first = self.word.get_or_insert_with(|| word.to_owned());
        (first == word && !self.texts.contains_key(&number)).then_some(number)
    }

    /// The names, by number.
    pub(super) fn into_texts(self) -> BTreeMap<u32, String> {
        // Those of a file with numbers were on lines that are skipped.
        if self.numbered == Some(true) { BTreeMap::new() } else { self.texts }
    }
}

/// Processes by the number that the file gives them.
#[derive(Default)]
pub(super) struct Names {
    current: FxHashMap<u32, ProcessId>,
    taken: FxHashSet<ProcessId>,
    highest: u32,
    pub(super) continued: usize,
    /// The number in the file of each process that has another one, and whether another
    /// process had had it before.
    others: BTreeMap<ProcessId, (u32, bool)>,
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

    /// Whether a process has another number than in the file.
    pub(super) fn is_other(&self, process: ProcessId) -> bool {
        self.others.contains_key(&process)
    }

    /// The processes that have other numbers than in the file: those, and the line on which
    /// each continues another one. `lines` has the process and the line of each operation, at
    /// least of the first one of each of those processes.
    pub(super) fn into_others(
        self,
        lines: impl Iterator<Item = (ProcessId, u32)>,
    ) -> BTreeMap<ProcessId, (u32, Option<usize>)> {
        let mut others = BTreeMap::new();
        if self.others.is_empty() {
            return others;
        }
        for (process, line) in lines {
            if let Some((number, continues)) = self.others.get(&process) {
                let line = usize::try_from(line).ok().filter(|_| *continues);
                others.entry(process).or_insert((*number, line));
            }
        }
        others
    }

    fn take(&mut self, number: u32, wish: Option<ProcessId>) -> ProcessId {
        let free = |process: &ProcessId| !self.taken.contains(process);
        let process = wish.filter(free).unwrap_or_else(|| {
            let above = self.highest.checked_add(1).map(ProcessId).filter(free);
            above.or_else(|| (0..=u32::MAX).map(ProcessId).find(free)).unwrap_or(ProcessId(number))
        });
        self.highest = self.highest.max(process.0);
        if process.0 != number {
            self.others.insert(process, (number, wish.is_none()));
        }
        self.taken.insert(process);
        self.current.insert(number, process);
        process
    }
}
