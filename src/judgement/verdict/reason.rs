//! The proof inside a counterexample.
//!
//! A proof is a list of [`Step`]s and a contradiction that they lead to. Each
//! step is a [`Fact`] about every visibility and arbitration that the model
//! would accept, with the rule by which it follows. For models of orders the
//! steps are [`Place`]s. Where a value was written more than once, the proof
//! has a case for every write that could have been the [`Source`] of a read.
//! Operations are named by their position in the history.

use super::super::model::Model;
use super::pattern::Pattern;

/// Why no visibility and arbitration, or no order, explains the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// `read` answered what nobody wrote.
    Thin {
        /// The read.
        read: usize,
    },
    /// `read` answered what only a failed write wrote.
    FailedWriteSeen {
        /// The read.
        read: usize,
        /// One failed write of that value.
        write: usize,
    },
    /// `read`, or a compare-and-set that took effect, found a value that only
    /// the compare-and-sets `among` leave. Each of these would have had to find
    /// a value that only they leave, so none can have been the first.
    Unfounded {
        /// The read or the compare-and-set.
        read: usize,
        /// The compare-and-sets, ascending; none if nobody leaves the value.
        among: Vec<usize>,
    },
    /// Each operation comes before the next (and the last before the first):
    /// earlier in the same session, or the source of the next.
    CausalCycle {
        /// The operations around the cycle.
        cycle: Vec<usize>,
    },
    /// `read` found the key initial, but must have seen `write` of that key.
    InitialRead {
        /// The read.
        read: usize,
        /// The write that is visible to it by the last step.
        write: usize,
        /// Why.
        steps: Vec<Step>,
    },
    /// The writes must be arbitrated in a cycle.
    ArbitrationCycle {
        /// The writes around the cycle, each before the next.
        cycle: Vec<usize>,
        /// Why; every arbitration around the cycle is one of these facts.
        steps: Vec<Step>,
    },
    /// Two reads of one key at quiescence differ, so no last write explains both.
    Diverged {
        /// One read.
        first: usize,
        /// The other.
        second: usize,
    },
    /// A read at quiescence found its key initial although `write` happened.
    Lost {
        /// The read at quiescence.
        read: usize,
        /// A write of the key.
        write: usize,
        /// The read that proves that `write` (or another of the same value)
        /// happened; `None` if it was acknowledged.
        seen_by: Option<usize>,
    },
    /// Reads at quiescence are explained if `update`, which happened, need not be
    /// visible to `read`, and not otherwise.
    Missing {
        /// A read at quiescence.
        read: usize,
        /// The update, which takes nothing back.
        update: usize,
    },
    /// The same, where the update takes back another: it is a remove.
    Resurrected {
        /// A read at quiescence.
        read: usize,
        /// The remove.
        update: usize,
    },
    /// The answers cannot be true together, whatever was visible: they show elements
    /// in different orders.
    Contradictory,
    /// No order that the model allows explains the answers: all were tried.
    NoOrder {
        /// The model.
        model: Model,
        /// A pattern that shows it, if the part has one that is known. Its operations are
        /// positions in the part.
        shows: Option<Pattern>,
    },
    /// In an order that the model allows, each of these operations would come
    /// before the next, and the last before the first.
    OrderCycle {
        /// Whose order; see [`Place::of`].
        of: Option<usize>,
        /// The operations around the cycle: each is placed before the next by
        /// one of the steps, or by what every such order keeps.
        cycle: Vec<usize>,
        /// Why.
        steps: Vec<Place>,
    },
    /// Too many writes of its key come between the source of a read and the
    /// read.
    TooOld {
        /// The read.
        read: usize,
        /// Each of these writes, with a path through it from the source to the
        /// read (from the write, if the read found the key initial).
        newer: Vec<(usize, Vec<usize>)>,
        /// Why.
        steps: Vec<Place>,
    },
    /// One of two operations must come before the other, but neither can.
    Either {
        /// In whose order; see [`Place::of`].
        of: Option<usize>,
        /// One of them.
        first: usize,
        /// The other.
        second: usize,
        /// Why the first cannot come before the second, and why the second
        /// cannot come before the first.
        cases: Box<[Reason; 2]>,
    },
    /// Each possible source of `read` leads to a contradiction.
    Sources {
        /// A read whose answer has several possible sources.
        read: usize,
        /// Each possible source with its proof.
        cases: Vec<(Source, Reason)>,
    },
}

/// Where the answer of a read came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The initial value.
    Initial,
    /// The write at this position.
    Write(usize),
}

/// A fact, and the rule by which it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// What follows.
    pub fact: Fact,
    /// From what.
    pub because: Because,
}

/// What every visibility and arbitration accepted by the model has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fact {
    /// The write is visible to the read.
    Visible {
        /// The write.
        write: usize,
        /// The read.
        read: usize,
    },
    /// The first write is arbitrated before the second.
    Before {
        /// The older write.
        first: usize,
        /// The newer write.
        second: usize,
    },
}

/// A rule. The facts it needs are earlier steps of the same proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Because {
    /// Visible: the read answered what this write wrote (its only possible
    /// source, or the one assumed in this branch of the proof).
    ReadsFrom,
    /// Visible, under RYW: the write is earlier in the reader's session.
    ReadYourWrites,
    /// Visible, under MR: `earlier`, a read of the same session, saw it.
    MonotonicReads {
        /// The earlier read.
        earlier: usize,
    },
    /// Visible, under MW: `later`, a later write of the same session, is
    /// visible to the same read.
    MonotonicWrites {
        /// The later write.
        later: usize,
    },
    /// Visible, under WFR: it was visible to `earlier`, which precedes `later`
    /// in their session, and `later` is visible to the same read.
    WritesFollowReads {
        /// The earlier read.
        earlier: usize,
        /// The write that followed it.
        later: usize,
    },
    /// Visible, under eventual visibility: the read is at quiescence, and the
    /// write happened: it was acknowledged, or is the source of `seen_by`.
    FinalRead {
        /// The read that answered the write, if it was not acknowledged.
        seen_by: Option<usize>,
    },
    /// Before, under MW: the same session wrote them in this order.
    SessionOrder,
    /// Before, under WFR: `read` saw the first, then its session wrote the second.
    FollowsRead {
        /// The read.
        read: usize,
    },
    /// Before: `read` saw the first and answered the second, of the same key.
    Overwritten {
        /// The read.
        read: usize,
    },
}

/// An operation comes before another in an order that the model allows.
///
/// A *path* is a list of operations of which each is before the next, by what
/// every such order keeps (session order, returns-before) or by an earlier
/// step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose order this is about, where each process has its own: that of the
    /// process of this operation (for causal memory: of its past). `None` for
    /// the one order of all, or where all orders agree.
    pub of: Option<usize>,
    /// What comes first.
    pub first: usize,
    /// What comes second.
    pub second: usize,
    /// Why.
    pub why: Why,
}

/// Why an operation comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The second, a read, answered the first.
    Source,
    /// The first, a read, found its key initial; the second wrote it.
    Initial,
    /// `read` answered the second, and the first, of the same key, is before it.
    Older {
        /// The read.
        read: usize,
        /// From the first to the read.
        path: Vec<usize>,
    },
    /// The second wrote the key after the source of the first, a read.
    Newer {
        /// From the source to the second.
        path: Vec<usize>,
    },
    /// The first finished before `read`, which answered the second, began.
    Finished {
        /// The read.
        read: usize,
    },
    /// All processes agree on the order of the writes of a key, and in the
    /// order of one the first comes before the second.
    Agreed {
        /// Whose order; see [`Place::of`].
        of: usize,
        /// From the first to the second.
        path: Vec<usize>,
    },
    /// It is what this branch of the proof assumes.
    Assumed,
}

impl Place {
    /// The path that it follows from; empty if it needs none.
    pub fn path(&self) -> &[usize] {
        match &self.why {
            Why::Older { path, .. } | Why::Newer { path } | Why::Agreed { path, .. } => path,
            Why::Source | Why::Initial | Why::Finished { .. } | Why::Assumed => &[],
        }
    }

    fn mention(&self, all: &mut Vec<usize>) {
        all.extend([self.first, self.second]);
        all.extend(self.of);
        all.extend(self.path());
        match self.why {
            Why::Older { read, .. } | Why::Finished { read } => all.push(read),
            Why::Agreed { of, .. } => all.push(of),
            Why::Source | Why::Initial | Why::Newer { .. } | Why::Assumed => {}
        }
    }
}

impl Reason {
    /// Every operation that the proof mentions, ascending.
    pub fn operations(&self) -> Vec<usize> {
        let mut all = Vec::new();
        self.mention(&mut all);
        all.sort_unstable();
        all.dedup();
        all
    }

    fn mention(&self, all: &mut Vec<usize>) {
        match self {
            Reason::Thin { read } => all.push(*read),
            Reason::FailedWriteSeen { read, write } => all.extend([*read, *write]),
            Reason::Unfounded { read, among } => {
                all.push(*read);
                all.extend(among);
            }
            Reason::CausalCycle { cycle } => all.extend(cycle),
            Reason::InitialRead { read, write, steps } => {
                all.extend([*read, *write]);
                steps.iter().for_each(|step| step.mention(all));
            }
            Reason::ArbitrationCycle { cycle, steps } => {
                all.extend(cycle);
                steps.iter().for_each(|step| step.mention(all));
            }
            Reason::Diverged { first, second } => all.extend([*first, *second]),
            Reason::Lost { read, write, seen_by } => {
                all.extend([*read, *write]);
                all.extend(seen_by);
            }
            Reason::Missing { read, update } | Reason::Resurrected { read, update } => {
                all.extend([*read, *update]);
            }
            Reason::NoOrder { .. } | Reason::Contradictory => {}
            Reason::OrderCycle { of, cycle, steps } => {
                all.extend(of);
                all.extend(cycle);
                steps.iter().for_each(|step| step.mention(all));
            }
            Reason::TooOld { read, newer, steps } => {
                all.push(*read);
                newer.iter().for_each(|(_, path)| all.extend(path));
                steps.iter().for_each(|step| step.mention(all));
            }
            Reason::Either { of, first, second, cases } => {
                all.extend(of);
                all.extend([first, second]);
                cases.iter().for_each(|case| case.mention(all));
            }
            Reason::Sources { read, cases } => {
                all.push(*read);
                for (source, reason) in cases {
                    if let Source::Write(write) = source {
                        all.push(*write);
                    }
                    reason.mention(all);
                }
            }
        }
    }
}

impl Step {
    fn mention(&self, all: &mut Vec<usize>) {
        match self.fact {
            Fact::Visible { write, read } => all.extend([write, read]),
            Fact::Before { first, second } => all.extend([first, second]),
        }
        match self.because {
            Because::ReadsFrom | Because::ReadYourWrites | Because::SessionOrder => {}
            Because::MonotonicReads { earlier } => all.push(earlier),
            Because::MonotonicWrites { later } => all.push(later),
            Because::WritesFollowReads { earlier, later } => all.extend([earlier, later]),
            Because::FinalRead { seen_by } => all.extend(seen_by),
            Because::FollowsRead { read } | Because::Overwritten { read } => all.push(read),
        }
    }
}
