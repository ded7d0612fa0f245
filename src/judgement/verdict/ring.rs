//! The cycle inside a counterexample, where its proof is one: which operation comes before
//! which, and by which order.

use crate::history::Operation;

use super::reason::{Because, Fact, Place, Reason, Source, Why};

/// Operations of which each comes before the next, and the last before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// What is assumed where this is one of several cases of a proof, outermost first.
    pub cases: Vec<Case>,
    /// Whose order it would be; see [`Place::of`].
    pub of: Option<usize>,
    /// The cycle, link by link.
    pub links: Vec<Link>,
}

/// What a case of a proof assumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Where the answer of a read came from.
    Saw {
        /// The read.
        read: usize,
        /// Where its answer came from.
        source: Source,
    },
    /// Which of two operations comes first.
    Before {
        /// The first of them.
        first: usize,
        /// The second.
        second: usize,
    },
}

/// That one operation comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What comes first.
    pub first: usize,
    /// What comes second.
    pub second: usize,
    /// By which order.
    pub order: Order,
    /// The other operations that it follows from, the read that shows it first.
    pub by: Vec<usize>,
}

/// The order by which one operation comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// One session did both.
    Session,
    /// The first had returned when the second began.
    RealTime,
    /// The second is a read at quiescence.
    Quiescence,
    /// The second read what the first wrote.
    ReadsFrom,
    /// The first read what was there before the second.
    Unseen,
    /// A read saw the second although the first is not after it.
    Overwritten,
    /// The session of the second had seen the first.
    FollowsRead,
    /// It is so in the order of one process, and all agree.
    Agreed,
    /// It is what this case assumes.
    Assumed,
}

impl Order {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Order::Session => "session order",
            Order::RealTime => "real time",
            Order::Quiescence => "read at quiescence",
            Order::ReadsFrom => "read by",
            Order::Unseen => "does not see",
            Order::Overwritten => "overwritten by",
            Order::FollowsRead => "seen before",
            Order::Agreed => "agreed by all",
            Order::Assumed => "assumed",
        }
    }
}

impl Reason {
    /// The cycles that the proof ends in: one, or one for each case that does. None if it
    /// does not end in a cycle.
    pub fn rings(&self, operations: &[Operation]) -> Vec<Ring> {
        let mut all = Vec::new();
        self.collect(operations, &mut Vec::new(), &mut all);
        all
    }

    fn collect(&self, operations: &[Operation], cases: &mut Vec<Case>, all: &mut Vec<Ring>) {
        let around = |cycle: &[usize], link: &dyn Fn(usize, usize) -> Link| {
            let next = cycle.iter().cycle().skip(1);
            cycle.iter().zip(next).map(|(first, second)| link(*first, *second)).collect()
        };
        let mut ring = |of, links| all.push(Ring { cases: cases.clone(), of, links });
        match self {
            Reason::CausalCycle { cycle } => ring(
                None,
                around(cycle, &|first, second| {
                    let session = is_session(operations, first, second);
                    let order = if session { Order::Session } else { Order::ReadsFrom };
                    Link { first, second, order, by: Vec::new() }
                }),
            ),
            Reason::ArbitrationCycle { cycle, steps } => {
                ring(
                    None,
                    around(cycle, &|first, second| {
                        let fact = Fact::Before { first, second };
                        let step = steps.iter().find(|step| step.fact == fact);
                        let (order, by) = match step.map(|step| step.because) {
                            Some(Because::Overwritten { read }) => (Order::Overwritten, vec![read]),
                            Some(Because::FollowsRead { read }) => (Order::FollowsRead, vec![read]),
                            _ => (Order::Session, Vec::new()),
                        };
                        Link { first, second, order, by }
                    }),
                );
            }
            Reason::OrderCycle { of, cycle, steps } => ring(
                *of,
                around(cycle, &|first, second| {
                    let step = steps.iter().find(|step| step.shows(*of, first, second));
                    let (order, by) = step.map_or_else(
                        || (kept(operations, first, second), Vec::new()),
                        |step| (step.order(), step.by()),
                    );
                    Link { first, second, order, by }
                }),
            ),
            Reason::Sources { read, cases: sources } => {
                for (source, reason) in sources {
                    cases.push(Case::Saw { read: *read, source: *source });
                    reason.collect(operations, cases, all);
                    cases.pop();
                }
            }
            Reason::Either { first, second, cases: both, .. } => {
                for (reason, (first, second)) in
                    both.iter().zip([(*first, *second), (*second, *first)])
                {
                    cases.push(Case::Before { first, second });
                    reason.collect(operations, cases, all);
                    cases.pop();
                }
            }
            _ => {}
        }
    }
}

impl Place {
    /// Whether this step places the first before the second in this order.
    pub(super) fn shows(&self, of: Option<usize>, first: usize, second: usize) -> bool {
        (self.first, self.second) == (first, second) && (self.of.is_none() || self.of == of)
    }

    fn order(&self) -> Order {
        match self.why {
            Why::Source => Order::ReadsFrom,
            Why::Initial | Why::Newer { .. } => Order::Unseen,
            Why::Older { .. } | Why::Finished { .. } => Order::Overwritten,
            Why::Agreed { .. } => Order::Agreed,
            Why::Assumed => Order::Assumed,
        }
    }

    fn by(&self) -> Vec<usize> {
        let read = match self.why {
            Why::Older { read, .. } | Why::Finished { read } => Some(read),
            _ => None,
        };
        let mut by = Vec::new();
        for at in read.into_iter().chain(self.path().iter().copied()) {
            if ![self.first, self.second].contains(&at) && !by.contains(&at) {
                by.push(at);
            }
        }
        by
    }
}

fn is_session(operations: &[Operation], first: usize, second: usize) -> bool {
    operations[first].process == operations[second].process && first < second
}

/// The order that every order of a model keeps.
fn kept(operations: &[Operation], first: usize, second: usize) -> Order {
    match () {
        () if is_session(operations, first, second) => Order::Session,
        // Also where the model does not know real time.
        () if operations[second].final_read => Order::Quiescence,
        () => Order::RealTime,
    }
}
