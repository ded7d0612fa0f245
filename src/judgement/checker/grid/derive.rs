//! Derives why a write is visible to a read, or arbitrated before another
//! write: the proof of a conflict.
//!
//! The closure computes *that* a fact follows. This walks back from the fact
//! along the rules and records *why*, premises first. The premises of a fact
//! about a read are about earlier reads in `so ∪ rf`, or about later writes
//! that the same read sees, so the walk ends. Runs only when a model is
//! violated.

use super::closure::{Closure, Conflict};
use crate::judgement::checker::view::Source;
use crate::judgement::model::Guarantees;
use crate::judgement::number::{index, number_of};
use crate::judgement::relation::Set;
use crate::judgement::verdict::{Because, Fact, Reason, Step};

/// The proof that this conflict cannot be avoided.
pub(in crate::judgement::checker) fn reason<S: Set>(
    closure: &Closure<'_, S>,
    conflict: Conflict,
) -> Reason {
    let mut proof = Proof { closure, steps: Vec::new() };
    match conflict {
        Conflict::Initial(read, write) => {
            proof.see(write, read);
            let (read, write) = (closure.view.items[read].at, closure.view.write(write).at);
            Reason::InitialRead { read, write, steps: proof.steps }
        }
        Conflict::Cycle(cycle, reads) => {
            for (at, &first) in cycle.iter().enumerate() {
                proof.put_before(first, cycle[(at + 1) % cycle.len()], &reads);
            }
            let cycle = cycle.into_iter().map(|write| closure.view.write(write).at).collect();
            Reason::ArbitrationCycle { cycle, steps: proof.steps }
        }
    }
}

struct Proof<'a, 'b, S> {
    closure: &'a Closure<'b, S>,
    steps: Vec<Step>,
}

/// A write (by number) that is visible to a read (by item).
type Sight = (usize, usize);

impl<S: Set> Proof<'_, '_, S> {
    fn knows(&self, fact: Fact) -> bool {
        self.steps.iter().any(|step| step.fact == fact)
    }

    fn visible(&self, (write, read): Sight) -> Fact {
        let view = self.closure.view;
        Fact::Visible { write: view.write(write).at, read: view.items[read].at }
    }

    /// Proves that `write` is visible to `read`.
    fn see(&mut self, write: usize, read: usize) {
        let mut goals = vec![((write, read), None)];
        while let Some((goal, rule)) = goals.pop() {
            let fact = self.visible(goal);
            match rule {
                _ if self.knows(fact) => {}
                Some(because) => self.steps.push(Step { fact, because }),
                None => {
                    let (because, premises) = self.rule(goal);
                    goals.push((goal, Some(because)));
                    goals.extend(premises.into_iter().flatten().map(|premise| (premise, None)));
                }
            }
        }
    }

    /// A rule by which the fact follows, with its premises. The rules without
    /// premises are tried first.
    fn rule(&self, (write, read): Sight) -> (Because, [Option<Sight>; 2]) {
        let Closure { view, grid, sources, .. } = self.closure;
        let (w, r) = (view.write(write), &view.items[read]);
        if sources[read] == Source::Write(number_of(write)) {
            return (Because::ReadsFrom, [None; 2]);
        }
        if r.last && grid.eventual {
            let reader = |source: &Source| *source == Source::Write(number_of(write));
            let seen_by = sources.iter().position(reader).filter(|_| w.pending);
            return (
                Because::FinalRead { seen_by: seen_by.map(|at| view.items[at].at) },
                [None; 2],
            );
        }
        if w.session == r.session && w.at < r.at && grid.asks(Guarantees::RYW) {
            return (Because::ReadYourWrites, [None; 2]);
        }
        if grid.asks(Guarantees::MR)
            && let Some(earlier) = self.first_seen(write, r.session, read)
        {
            let because = Because::MonotonicReads { earlier: view.items[earlier].at };
            return (because, [Some((write, earlier)), None]);
        }
        self.rule_through_a_write((write, read))
    }

    /// The rules MW and WFR: the read sees `write` because it sees another
    /// write.
    fn rule_through_a_write(&self, (write, read): Sight) -> (Because, [Option<Sight>; 2]) {
        let Closure { view, grid, rows, .. } = self.closure;
        let w = view.write(write);
        let seen: Vec<usize> = rows[read].numbers().collect();
        if grid.asks(Guarantees::MW) {
            let follows = |&&other: &&usize| {
                let other = view.write(other);
                other.session == w.session && other.at > w.at
            };
            if let Some(&later) = seen.iter().rev().find(follows) {
                let because = Because::MonotonicWrites { later: view.write(later).at };
                return (because, [Some((later, read)), None]);
            }
        }
        let through = seen.iter().find_map(|&later| {
            let item = index(view.writes[later]);
            if !rows[item].contains(write) {
                return None;
            }
            let earlier = self.first_seen(write, view.write(later).session, item)?;
            Some((later, earlier))
        });
        let (later, earlier) = through.expect("what is in the least closure follows by a rule");
        let because = Because::WritesFollowReads {
            earlier: view.items[earlier].at,
            later: view.write(later).at,
        };
        (because, [Some((write, earlier)), Some((later, read))])
    }

    /// The first read of a session before `end` that sees `write`.
    fn first_seen(&self, write: usize, session: u32, end: usize) -> Option<usize> {
        let Closure { view, rows, .. } = self.closure;
        (0..end).find(|&at| {
            let item = &view.items[at];
            item.write.is_none() && item.session == session && rows[at].contains(write)
        })
    }

    /// Proves that `first` is arbitrated before `second`, where the order must
    /// explain `reads`.
    fn put_before(&mut self, first: usize, second: usize, reads: &[u32]) {
        let Closure { view, grid, sources, rows, .. } = self.closure;
        let (a, b) = (view.write(first), view.write(second));
        let fact = Fact::Before { first: a.at, second: b.at };
        if self.knows(fact) {
            return;
        }
        let overwrites = |&&read: &&u32| {
            sources[index(read)] == Source::Write(number_of(second))
                && rows[index(read)].contains(first)
        };
        let because = if grid.asks(Guarantees::MW) && a.session == b.session && a.at < b.at {
            Because::SessionOrder
        } else if a.key == b.key
            && let Some(&read) = reads.iter().find(overwrites)
        {
            self.see(first, index(read));
            Because::Overwritten { read: view.items[index(read)].at }
        } else {
            let end = index(view.writes[second]);
            let read = self.first_seen(first, b.session, end);
            let read = read.expect("an arbitration follows by an axiom or from a read");
            self.see(first, read);
            Because::FollowsRead { read: view.items[read].at }
        };
        self.steps.push(Step { fact, because });
    }
}
