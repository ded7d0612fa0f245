//! Answers that no order in real time explains: from the future, from a write
//! that failed, from nobody.
//!
//! A read is from the **future** if every write that could be its source was
//! invoked after the read had returned (models without real time allow that).
//! It is **aborted** if no write that happened, or may have, explains it but a
//! failed one does, and **thin** if none at all does. O(n).

use super::record::{Answer, Record, failed_writes};

/// The reads with one kind of strange answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strange {
    /// How many reads.
    pub count: usize,
    /// The worst of them: of reads from the future the one that was furthest
    /// ahead, of the others the first.
    pub worst: Option<StrangeRead>,
}

/// A read with a strange answer. Operations by position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrangeRead {
    /// The read.
    pub read: usize,
    /// The write that came too late, or failed; `None` if nobody wrote it.
    pub write: Option<usize>,
    /// How long before the write's invocation the read had returned, in
    /// nanoseconds; 0 for the other kinds.
    pub ahead: u64,
}

/// The three kinds: from the future, aborted, thin.
pub(super) fn measure(record: &Record<'_>) -> [Strange; 3] {
    let [mut future, mut aborted, mut thin] = [(); 3].map(|()| Strange::default());
    let nobody = record.answers.contains(&Answer::Nobody);
    let failed = if nobody { failed_writes(record.history) } else { Default::default() };
    for read in record.reads() {
        let at = record.at(read);
        match record.answers[read] {
            Answer::Future(write) => {
                let write = record.write(write);
                let ahead = record.invoked(write) - record.returned(read);
                future.add(StrangeRead { read: at, write: Some(record.at(write)), ahead });
            }
            Answer::Nobody => {
                let operation = record.operation(read);
                let answer = operation.answer().expect("the reads of a view are answered");
                let write = failed.get(&(&operation.call.key, answer)).copied();
                let in_time = |write: &usize| {
                    record.history.operations()[*write].invoked <= record.returned(read)
                };
                let write = write.filter(in_time);
                let kind = if write.is_some() { &mut aborted } else { &mut thin };
                kind.add(StrangeRead { read: at, write, ahead: 0 });
            }
            _ => {}
        }
    }
    [future, aborted, thin]
}

impl Strange {
    fn add(&mut self, read: StrangeRead) {
        self.count += 1;
        if self.worst.is_none_or(|worst| worst.ahead < read.ahead) {
            self.worst = Some(read);
        }
    }
}
