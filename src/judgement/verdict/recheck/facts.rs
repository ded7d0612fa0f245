//! What a history says directly: the facts that the replay of a proof rests on.
//!
//! Plain look-ups, written for clarity rather than speed. Knows no model.

use crate::history::{Completion, History, Operation, Value};

use super::unsound::Unsound;
use crate::judgement::datatype::{found, left};
use crate::judgement::verdict::reason::{Reason, Source};

/// The history under a proof.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    operations: &'a [Operation],
    /// When the last answer of a part was given, if only what was invoked in time
    /// explains an operation of it.
    last: Option<u64>,
    /// Whether an answer that nothing explains in time needs all that could explain it
    /// later.
    late: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        Facts { operations: history.operations(), last: None, late: true }
    }

    /// The same about this part of a history in which every operation takes effect
    /// between its invocation and its return. What was invoked later than an operation
    /// returned is no source of it, unless (`late`) nothing else is. What has an unknown outcome
    /// matters only if it took effect before an answer of the part.
    pub(super) fn in_time(self, part: &[usize], late: bool) -> Self {
        let operations = part.iter().filter_map(|&at| self.get(at));
        let answers = operations.filter(|op| matches!(op.completion, Completion::Ok(_)));
        let last = Some(answers.filter_map(|op| op.returned).max().unwrap_or(0));
        Facts { last, late, ..self }
    }

    pub(super) fn len(self) -> usize {
        self.operations.len()
    }

    pub(super) fn get(self, at: usize) -> Option<&'a Operation> {
        self.operations.get(at)
    }

    /// A read with an answer.
    pub(super) fn answered(self, at: usize) -> bool {
        self.get(at).is_some_and(|op| op.answer().is_some())
    }

    /// An answered read at quiescence.
    pub(super) fn final_read(self, at: usize) -> bool {
        self.answered(at) && self.operations[at].final_read
    }

    pub(super) fn acked_write(self, at: usize) -> bool {
        let acked = |op: &Operation| matches!(op.completion, Completion::Ok(_));
        self.get(at).is_some_and(|op| op.call.is_write() && acked(op))
    }

    /// A write that happened or may have.
    pub(super) fn possible_write(self, at: usize) -> bool {
        self.get(at).is_some_and(|op| op.call.is_write() && op.completion != Completion::Fail)
    }

    /// Whether the first comes before the second in their session.
    pub(super) fn session_order(self, first: usize, second: usize) -> bool {
        match (self.get(first), self.get(second)) {
            (Some(one), Some(two)) => first < second && one.process == two.process,
            _ => false,
        }
    }

    pub(super) fn same_key(self, first: usize, second: usize) -> bool {
        match (self.get(first), self.get(second)) {
            (Some(one), Some(two)) => one.call.key == two.call.key,
            _ => false,
        }
    }

    /// Whether `write` wrote what `read` answered, and was invoked before the
    /// read returned (failed writes included).
    pub(super) fn wrote_the_answer(self, write: usize, read: usize) -> bool {
        self.get(write).is_some_and(|op| {
            op.call.is_write()
                && self.same_key(write, read)
                && self.operations[read].answer() == Some(&op.call.argument)
                && self.operations[read].returned.is_some_and(|returned| op.invoked <= returned)
        })
    }

    /// What an operation found, if it took effect.
    pub(super) fn found(self, at: usize) -> Option<&'a Value> {
        self.get(at).and_then(found)
    }

    /// What an operation left, if it took effect.
    pub(super) fn left(self, at: usize) -> Option<&'a Value> {
        self.get(at).and_then(left)
    }

    /// The possible sources of what an operation found.
    pub(super) fn sources(self, at: usize) -> Vec<Source> {
        let Some(found) = self.found(at) else { return Vec::new() };
        let initial = (*found == Value::Null).then_some(Source::Initial);
        let wrote = |&other: &usize| {
            other != at && self.same_key(other, at) && self.left(other) == Some(found)
        };
        let mut all: Vec<usize> = (0..self.len()).filter(wrote).collect();
        if let Some(last) = self.last {
            let until = self.operations[at].returned.unwrap_or(last);
            let in_time = |other: &usize| self.operations[*other].invoked <= until;
            let late = self.late && self.operations[at].returned.is_some();
            if !late || initial.is_some() || all.iter().any(in_time) {
                all.retain(in_time);
            }
        }
        initial.into_iter().chain(all.into_iter().map(Source::Write)).collect()
    }
}

/// The sources of reads in one branch of a proof.
pub(super) struct Sources<'a> {
    facts: Facts<'a>,
    assumed: Vec<(usize, Source)>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(facts: Facts<'a>) -> Self {
        Sources { facts, assumed: Vec::new() }
    }

    /// The source of a read: its only possible one, or the one assumed.
    pub(super) fn source(&self, read: usize) -> Option<Source> {
        let assumed = self.assumed.iter().find(|(of, _)| *of == read);
        assumed.map(|(_, source)| *source).or_else(|| match self.facts.sources(read)[..] {
            [only] => Some(only),
            _ => None,
        })
    }

    /// Whether these are all possible sources of a read, of which none is
    /// assumed yet.
    pub(super) fn are_all(&self, read: usize, cases: &[(Source, Reason)]) -> bool {
        let mut claimed: Vec<_> = cases.iter().map(|(source, _)| *source).collect();
        claimed.sort_unstable();
        let known = self.assumed.iter().any(|(of, _)| *of == read);
        !known && claimed == self.facts.sources(read)
    }

    /// Takes this as the source of a read, until it is dropped again.
    pub(super) fn assume(&mut self, read: usize, source: Source) {
        self.assumed.push((read, source));
    }

    /// Drops what was assumed last.
    pub(super) fn drop_last(&mut self) {
        self.assumed.pop();
    }
}

/// Verifies that nothing that may have happened left what a read found: nobody
/// wrote it, or, if one is given, only failed writes did.
pub(super) fn sourceless(
    facts: Facts<'_>,
    read: usize,
    failed: Option<usize>,
) -> Result<(), Unsound> {
    if !facts.answered(read) || !facts.sources(read).is_empty() {
        return Unsound::because(format!("something explains read {read}"));
    }
    match failed {
        None if (0..facts.len()).any(|at| facts.wrote_the_answer(at, read)) => {
            Unsound::because("a write of this value was tried")
        }
        Some(write) if !facts.wrote_the_answer(write, read) => {
            Unsound::because("the failed write is of another value")
        }
        _ => Ok(()),
    }
}
