//! Replays proofs about orders: that operations would have to come before each
//! other in a cycle.
//!
//! Written from the predicates, without the code of the checkers: what every
//! order of a model keeps, which reads it must explain, and which operations it
//! contains. Each step is verified against that and the steps before it, so a
//! proof that passes is one about every order that the model allows. Where a
//! read has several possible sources, or two operations may come in either
//! order, there must be a proof for each. A compare-and-set that took effect is
//! a read and a write at once; nothing is concluded from one that found another
//! value.

use std::collections::BTreeSet;

use crate::history::{Completion, History, Operation};

use super::facts::{Facts, Sources, sourceless};
use super::unsound::{Replayed, Unsound};
use crate::judgement::model::{Model, Orders, Reads, Shared, Time, Views};
use crate::judgement::verdict::reason::{Place, Reason, Source, Why};

/// Replays a reason why no order explains the answers. What shows that an
/// operation happened, or was a cause, must be in `part`.
pub(super) fn replay(
    history: &History,
    facts: Facts<'_>,
    model: Model,
    part: &[usize],
    reason: &Reason,
) -> Replayed {
    let Some(asked) = model.orders() else {
        return Unsound::because("this reason is not about orders");
    };
    Replay { history, facts, asked, part, sources: Sources::of(facts), assumed: Vec::new() }
        .reason(reason)
}

struct Replay<'a> {
    history: &'a History,
    facts: Facts<'a>,
    /// What the model asks of orders.
    asked: Orders,
    part: &'a [usize],
    sources: Sources<'a>,
    /// The orders assumed in this branch: whose, what is first, what is second.
    assumed: Vec<(Option<usize>, usize, usize)>,
}

impl Replay<'_> {
    fn reason(&mut self, reason: &Reason) -> Replayed {
        match reason {
            Reason::OrderCycle { of, cycle, steps } => self.cycle(*of, cycle, steps),
            Reason::TooOld { read, newer, steps } => self.too_old(*read, newer, steps),
            Reason::Either { of, first, second, cases } => {
                if !self.are_ordered(*of, *first, *second) {
                    return Unsound::because(format!(
                        "{first} and {second} need not come one before the other"
                    ));
                }
                let pairs = [(*first, *second), (*second, *first)];
                for (case, (one, other)) in cases.iter().zip(pairs) {
                    self.assumed.push((*of, one, other));
                    self.reason(case)?;
                    self.assumed.pop();
                }
                Ok(())
            }
            Reason::Sources { read, cases } => {
                let counts = self.is_bound(*read) && self.happened(*read);
                if !counts || !self.sources.are_all(*read, cases) {
                    return Unsound::because(format!(
                        "these are not the possible sources of read {read}"
                    ));
                }
                for (source, reason) in cases {
                    self.sources.assume(*read, *source);
                    self.reason(reason)?;
                    self.sources.drop_last();
                }
                Ok(())
            }
            &Reason::Thin { read } if self.is_bound(read) => sourceless(self.facts, read, None),
            &Reason::FailedWriteSeen { read, write } if self.is_bound(read) => {
                sourceless(self.facts, read, Some(write))
            }
            _ => Unsound::because("this reason is not about orders"),
        }
    }

    fn cycle(&self, of: Option<usize>, cycle: &[usize], steps: &[Place]) -> Replayed {
        self.steps(steps)?;
        let next = cycle.iter().cycle().skip(1);
        for (&first, &second) in cycle.iter().zip(next) {
            if !self.precedes(of, first, second, steps) {
                return Unsound::because(format!("{first} is not shown to be before {second}"));
            }
        }
        // The orders of regular registers contain no reads. All that can be
        // shown of a read is that it is before its source, a cycle of two.
        let writes = cycle.iter().all(|&at| self.facts.left(at).is_some());
        let reader =
            |step: &Place| if let Why::Finished { read } = step.why { Some(read) } else { None };
        let readers: BTreeSet<usize> = steps.iter().filter_map(reader).collect();
        match self.asked.views {
            _ if cycle.is_empty() => Unsound::because("there is no cycle"),
            _ if self.asked.is_regular() && cycle.len() > 2 && !writes => {
                Unsound::because("a read has no place in an order of writes")
            }
            Views::Read if readers.len() > 1 => {
                Unsound::because("the cycle mixes orders that may differ")
            }
            _ => Ok(()),
        }
    }

    fn too_old(&self, read: usize, newer: &[(usize, Vec<usize>)], steps: &[Place]) -> Replayed {
        let Reads::LastOf(k @ 2..) = self.asked.reads else {
            return Unsound::because("no read of this model may be so old");
        };
        self.steps(steps)?;
        let Some(source) = self.source(read) else {
            return Unsound::because(format!("read {read} has not one possible source"));
        };
        let mut known = BTreeSet::new();
        for (write, path) in newer {
            let starts = match source {
                Source::Write(source) => path.first() == Some(&source) && source != *write,
                Source::Initial => path.first() == Some(write),
            };
            // A compare-and-set is not a newer write than the one that it
            // found.
            let fits =
                starts && path.last() == Some(&read) && path.contains(write) && *write != read;
            let of_key = self.facts.left(*write).is_some() && self.facts.same_key(*write, read);
            if !fits || !of_key || !self.is_path(None, path, steps) || !known.insert(*write) {
                return Unsound::because(format!("{write} is not shown to be newer"));
            }
        }
        match usize::try_from(k).is_ok_and(|k| known.len() >= k) {
            true => Ok(()),
            false => Unsound::because(format!("a read may be older than {} writes", known.len())),
        }
    }

    /// Whether each is before the next in this order.
    fn is_path(&self, of: Option<usize>, path: &[usize], steps: &[Place]) -> bool {
        path.windows(2).all(|pair| self.precedes(of, pair[0], pair[1], steps))
    }

    /// Whether `first` is before `second`: every order keeps it, or a step
    /// shows it.
    fn precedes(&self, of: Option<usize>, first: usize, second: usize, steps: &[Place]) -> bool {
        let inside = self.is_inside(of, first) && self.is_inside(of, second);
        let shown = |step: &Place| {
            (step.first, step.second) == (first, second) && (step.of.is_none() || step.of == of)
        };
        inside && (self.keeps(first, second) || steps.iter().any(shown))
    }

    fn steps(&self, steps: &[Place]) -> Replayed {
        for (at, step) in steps.iter().enumerate() {
            let inside =
                self.is_inside(step.of, step.first) && self.is_inside(step.of, step.second);
            let follows = step.first != step.second && self.follows(step, &steps[..at]);
            if !inside || !follows {
                return Unsound::because(format!(
                    "{} before {} does not follow by {:?}",
                    step.first, step.second, step.why
                ));
            }
        }
        Ok(())
    }

    fn follows(&self, step: &Place, known: &[Place]) -> bool {
        let &Place { of, first, second, ref why } = step;
        let facts = self.facts;
        let write = |at: usize| self.facts.left(at).is_some();
        // Whether the order must explain this read, and this is its source.
        let reads = |read: usize, source: Source| {
            self.explains(of, read) && self.source(read) == Some(source)
        };
        let path = |from: usize, to: usize, path: &[usize]| {
            path.first() == Some(&from) && path.last() == Some(&to) && self.is_path(of, path, known)
        };
        // Where a read may be stale, other writes may come between it and its source.
        let last = !self.asked.is_regular() && !self.asked.may_be_stale();
        match why {
            // In causal memory every order puts all reads in it after their
            // sources.
            Why::Source if self.asked.shared == Shared::Causes => {
                self.source(second) == Some(Source::Write(first))
            }
            Why::Source => reads(second, Source::Write(first)),
            Why::Initial => {
                let regular = self.asked.is_regular() && self.is_bound(first);
                (last || regular)
                    && write(second)
                    && facts.same_key(first, second)
                    && reads(first, Source::Initial)
            }
            Why::Older { read, path: through } => {
                last && write(first)
                    && first != *read
                    && facts.same_key(first, *read)
                    && reads(*read, Source::Write(second))
                    && path(first, *read, through)
            }
            Why::Newer { path: through } => {
                let source = through.first().copied().unwrap_or(usize::MAX);
                last && write(second)
                    && second != source
                    && facts.same_key(first, second)
                    && reads(first, Source::Write(source))
                    && path(source, second, through)
            }
            Why::Finished { read } => {
                self.asked.is_regular()
                    && write(first)
                    && facts.same_key(first, *read)
                    && self.keeps(first, *read)
                    && reads(*read, Source::Write(second))
            }
            Why::Agreed { of: whose, path: through } => {
                self.asked.shared == Shared::WritesOfAKey
                    && of.is_none()
                    && write(first)
                    && write(second)
                    && facts.same_key(first, second)
                    && through.first() == Some(&first)
                    && through.last() == Some(&second)
                    && self.is_path(Some(*whose), through, known)
            }
            Why::Assumed => self.assumed.contains(&(of, first, second)),
        }
    }

    fn source(&self, read: usize) -> Option<Source> {
        self.sources.source(read)
    }

    /// Whether an operation took effect: it was answered, or it is the source
    /// of one that took effect.
    fn happened(&self, at: usize) -> bool {
        let (mut open, mut known) = (vec![at], BTreeSet::from([at]));
        while let Some(at) = open.pop() {
            let effect = self.facts.found(at).is_some() || self.facts.left(at).is_some();
            let answered = |op: &Operation| matches!(op.completion, Completion::Ok(_));
            if effect && self.facts.get(at).is_some_and(answered) {
                return true;
            }
            let saw = |&other: &usize| self.source(other) == Some(Source::Write(at));
            open.extend(self.part.iter().copied().filter(saw).filter(|other| known.insert(*other)));
        }
        false
    }

    /// Whether this is an answered read that the model says something about.
    fn is_bound(&self, read: usize) -> bool {
        let facts = self.facts;
        let overlaps = |at: usize| {
            self.facts.left(at).is_some()
                && facts.same_key(at, read)
                && !self.keeps(at, read)
                && !self.keeps(read, at)
        };
        self.facts.found(read).is_some()
            && !(self.asked.reads == Reads::RecentUnlessOverlapped
                && (0..facts.len()).any(overlaps))
    }

    /// Whether this order must explain the read.
    fn explains(&self, of: Option<usize>, read: usize) -> bool {
        let whose = match (self.asked.is_by_process(), of) {
            (true, Some(of)) => {
                let past = self.asked.shared != Shared::Causes || read <= of;
                past && self.same_process(of, read)
            }
            (by_process, of) => !by_process && of.is_none(),
        };
        whose && self.is_bound(read)
    }

    fn same_process(&self, one: usize, other: usize) -> bool {
        let process = |at: usize| self.facts.get(at).map(|op| op.process);
        process(one).is_some() && process(one) == process(other)
    }

    /// Whether the operation has a place in this order: it happened, and it is
    /// one of those that are ordered.
    fn is_inside(&self, of: Option<usize>, at: usize) -> bool {
        let write = self.facts.left(at).is_some();
        let member = match (self.asked.is_by_process(), of, self.asked.shared) {
            (false, of, _) => of.is_none(),
            (true, Some(of), Shared::Causes) => self.is_cause(at, of),
            (true, Some(of), _) => write || self.same_process(of, at),
            // All processes agree on the order of the writes of a key, and on
            // nothing else.
            (true, None, shared) => shared == Shared::WritesOfAKey && write,
        };
        member && self.happened(at)
    }

    /// Whether one of the two must come before the other in this order.
    fn are_ordered(&self, of: Option<usize>, first: usize, second: usize) -> bool {
        let inside = self.is_inside(of, first) && self.is_inside(of, second);
        // Operations on two keys are not ordered where each key has an order of
        // its own, nor by what the orders of all processes agree on.
        let agreed = self.asked.is_by_process() && of.is_none();
        let by_key = agreed || self.asked.is_by_key();
        let together = !by_key || self.facts.same_key(first, second);
        first != second && inside && together && !self.asked.is_regular()
    }

    /// Whether the first is the second or in its causal past.
    fn is_cause(&self, first: usize, second: usize) -> bool {
        let mut past = BTreeSet::from([second]);
        let mut open = vec![second];
        while let Some(at) = open.pop() {
            let source = self.source(at);
            let causes = self.part.iter().copied().filter(|&cause| {
                self.facts.session_order(cause, at) || source == Some(Source::Write(cause))
            });
            open.extend(causes.filter(|cause| past.insert(*cause)));
        }
        past.contains(&first)
    }

    /// Whether every order that has both puts the first before the second.
    fn keeps(&self, first: usize, second: usize) -> bool {
        let operations = self.history.operations();
        let (Some(a), Some(b)) = (operations.get(first), operations.get(second)) else {
            return false;
        };
        let session = self.asked.session && self.facts.session_order(first, second);
        let in_time = match self.asked.time {
            Time::Ignored => false,
            Time::ReturnsBefore { reads_earlier } => {
                let back = if b.call.is_read() { i128::from(reads_earlier) } else { 0 };
                let begins = i128::from(b.invoked) - back;
                a.returned.is_some_and(|at| i128::from(at) < begins)
            }
            Time::QuietInstants => self.quiet_between(first, second),
        };
        match (self.asked.reads, [a, b].map(|op| op.call.is_write())) {
            (Reads::Prefix { .. }, [true, true]) => session || in_time,
            // A read that sees a later write of its session makes a cycle of
            // causes.
            (Reads::Prefix { .. }, [false, true]) => session,
            (Reads::Prefix { monotonic, .. }, [false, false]) => session && monotonic,
            (Reads::Prefix { eventual, .. }, [true, false]) => eventual && b.final_read,
            _ if self.asked.is_by_key() => {
                (session || in_time) && self.facts.same_key(first, second)
            }
            _ => session || in_time,
        }
    }

    /// Whether at some instant, after the first and before the second, no
    /// operation is open: all that were invoked before it returned before it.
    fn quiet_between(&self, first: usize, second: usize) -> bool {
        let counts = |(_, op): &(usize, &Operation)| op.completion != Completion::Fail;
        let mut open_until = 0;
        for (at, op) in self.history.operations().iter().enumerate().filter(counts) {
            if at > first && op.invoked > open_until {
                return true;
            }
            if at == second {
                return false;
            }
            open_until = open_until.max(op.returned.unwrap_or(u64::MAX));
        }
        false
    }
}
