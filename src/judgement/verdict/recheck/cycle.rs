//! Replays proofs about orders: that operations would have to come before each
//! other in a cycle.
//!
//! Written from the predicates: what every order of a model keeps, which reads
//! it must explain, and who is in it. Each step is verified against that and
//! the steps before it, so a proof that passes is one about every order that
//! the model allows. Where a read has several possible sources, or two
//! operations may come in either order, there must be a proof for each. A
//! compare-and-set that took effect is a read and a write at once; nothing is
//! concluded from one that found another value.

use std::collections::BTreeSet;

use crate::history::{Completion, History, Operation};

use super::facts::{Facts, Sources, sourceless};
use super::unsound::{Replayed, Unsound};
use crate::judgement::model::Model;
use crate::judgement::verdict::reason::{Place, Reason, Source, Why};

/// Replays a reason why no order explains the answers; what shows that
/// something happened or was a cause is looked for in `part` only.
pub(super) fn replay(history: &History, model: Model, part: &[usize], reason: &Reason) -> Replayed {
    let facts = Facts::of(history);
    Orders { history, facts, model, part, sources: Sources::of(facts), assumed: Vec::new() }
        .reason(reason)
}

struct Orders<'a> {
    history: &'a History,
    facts: Facts<'a>,
    model: Model,
    part: &'a [usize],
    sources: Sources<'a>,
    /// Orders of two operations assumed in this branch.
    assumed: Vec<(Option<usize>, usize, usize)>,
}

impl Orders<'_> {
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
        // Reads have no place in the orders of regular registers: that one is
        // not before its source is all that can be said.
        let writes = cycle.iter().all(|&at| self.facts.left(at).is_some());
        let reader =
            |step: &Place| if let Why::Finished { read } = step.why { Some(read) } else { None };
        let readers: BTreeSet<usize> = steps.iter().filter_map(reader).collect();
        match self.model {
            _ if cycle.is_empty() => Unsound::because("there is no cycle"),
            _ if self.is_regular() && cycle.len() > 2 && !writes => {
                Unsound::because("a read has no place in an order of writes")
            }
            Model::RegularWeak if readers.len() > 1 => {
                Unsound::because("the cycle mixes orders that may differ")
            }
            _ => Ok(()),
        }
    }

    fn too_old(&self, read: usize, newer: &[(usize, Vec<usize>)], steps: &[Place]) -> Replayed {
        let Model::KAtomic(k) = self.model else {
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
            let fits = starts && path.last() == Some(&read) && path.contains(write);
            let of_key = self.facts.left(*write).is_some() && self.facts.same_key(*write, read);
            if !fits || !of_key || !self.is_path(None, path, steps) || !known.insert(*write) {
                return Unsound::because(format!("{write} is not shown to be newer"));
            }
        }
        match known.len() >= k as usize {
            true => Ok(()),
            false => Unsound::because(format!("a read may be older than {} writes", known.len())),
        }
    }

    /// Whether each is before the next in this order.
    fn is_path(&self, of: Option<usize>, path: &[usize], steps: &[Place]) -> bool {
        path.windows(2).all(|pair| self.precedes(of, pair[0], pair[1], steps))
    }

    /// Whether this is what every order keeps, or was shown.
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
        // Whether the order must explain this read, and it answered that.
        let reads = |read: usize, source: Source| {
            self.explains(of, read) && self.source(read) == Some(source)
        };
        let path = |from: usize, to: usize, path: &[usize]| {
            path.first() == Some(&from) && path.last() == Some(&to) && self.is_path(of, path, known)
        };
        // A read may be older than its source where it may be stale.
        let last = !self.is_regular() && !matches!(self.model, Model::KAtomic(2..));
        match why {
            // Everybody's reads are behind their causes in causal memory.
            Why::Source if self.model == Model::CausalMemory => {
                self.source(second) == Some(Source::Write(first))
            }
            Why::Source => reads(second, Source::Write(first)),
            Why::Initial => {
                let regular = self.is_regular() && self.is_bound(first);
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
                self.is_regular()
                    && write(first)
                    && facts.same_key(first, *read)
                    && self.keeps(first, *read)
                    && reads(*read, Source::Write(second))
            }
            Why::Agreed { of: whose, path: through } => {
                self.model == Model::Processor
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

    /// Whether an operation took effect: it was answered, or one that did found
    /// what it left.
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

    fn is_regular(&self) -> bool {
        matches!(self.model, Model::Regular | Model::RegularWeak | Model::Safe)
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
            && !(self.model == Model::Safe && (0..facts.len()).any(overlaps))
    }

    /// Whether this order must explain the read.
    fn explains(&self, of: Option<usize>, read: usize) -> bool {
        self.is_bound(read)
            && match (self.model, of) {
                (Model::Pram | Model::Slow | Model::Processor, Some(of)) => {
                    self.same_process(of, read)
                }
                (Model::CausalMemory, Some(of)) => self.same_process(of, read) && read <= of,
                (Model::Pram | Model::Slow | Model::Processor | Model::CausalMemory, None) => false,
                _ => of.is_none(),
            }
    }

    fn same_process(&self, one: usize, other: usize) -> bool {
        let process = |at: usize| self.facts.get(at).map(|op| op.process);
        process(one).is_some() && process(one) == process(other)
    }

    /// Whether the operation has a place in this order: it happened, and it is
    /// one of those that are ordered.
    fn is_inside(&self, of: Option<usize>, at: usize) -> bool {
        self.happened(at)
            && match (self.model, of) {
                // What all agree on is about writes.
                (Model::Processor, None) => self.facts.left(at).is_some(),
                (Model::Pram | Model::Slow | Model::Processor, Some(of)) => {
                    self.facts.left(at).is_some() || self.same_process(of, at)
                }
                (Model::CausalMemory, Some(of)) => self.is_cause(at, of),
                (Model::Pram | Model::Slow | Model::CausalMemory, None) => false,
                _ => of.is_none(),
            }
    }

    /// Whether one of the two must come before the other in this order.
    fn are_ordered(&self, of: Option<usize>, first: usize, second: usize) -> bool {
        let inside = self.is_inside(of, first) && self.is_inside(of, second);
        // Some models have an order for each key, or agree on no more.
        let by_key = match self.model {
            Model::Cache | Model::Slow => true,
            Model::Processor => of.is_none(),
            _ => false,
        };
        let together = !by_key || self.facts.same_key(first, second);
        first != second && inside && together && !self.is_regular()
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

    /// Whether every order that has both keeps the first before the second.
    fn keeps(&self, first: usize, second: usize) -> bool {
        let operations = self.history.operations();
        let (Some(a), Some(b)) = (operations.get(first), operations.get(second)) else {
            return false;
        };
        let session = self.facts.session_order(first, second);
        let writes = [a.call.is_write(), b.call.is_write()];
        match self.model {
            Model::Linearizable
            | Model::KAtomic(_)
            | Model::Regular
            | Model::RegularWeak
            | Model::Safe => session || a.returns_before(b),
            Model::DeltaAtomic(delta) => {
                let back = if b.call.is_read() { i128::from(delta) } else { 0 };
                let begins = i128::from(b.invoked) - back;
                let before = a.returned.is_some_and(|at| i128::from(at) < begins);
                before || (delta == 0 && session)
            }
            Model::Sequential | Model::CausalMemory | Model::Pram | Model::Processor => session,
            Model::Cache | Model::Slow => session && self.facts.same_key(first, second),
            Model::PrefixMonotonic => session && (!writes[0] || writes[1]),
            Model::Prefix => session && writes[1],
            Model::PrefixRealTime => {
                (session && writes[1]) || (writes == [true; 2] && a.returns_before(b))
            }
            Model::Quiescent => self.quiet_between(first, second),
            Model::Grid(_) => false,
        }
    }

    /// Whether at some instant, after the first and before the second, nothing
    /// is open: what began before it returned before it.
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
