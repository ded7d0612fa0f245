//! Processor consistency: PRAM with one order of the writes of each key.
//!
//! Given those orders it is easy to decide: for each process, its operations
//! and all writes must be acyclic under session order, the orders of the keys,
//! reads after their sources, and reads before what is newer than their
//! sources. The orders are found by a search. What the order of one process
//! must contain about two writes of a key holds for all processes, so the
//! beliefs of all are closed together; two writes of a key that nothing orders
//! are tried both ways.
//!
//! Exponential in the number of such pairs in the worst case, where the budget
//! ends it. For parts of a few hundred operations, because it uses rows of
//! bits.

use crate::judgement::checker::sources::{kept, try_all};
use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::{Decision, Meter};
use crate::judgement::number::{count, index};
use crate::judgement::relation::{Set, Wide, order};
use crate::judgement::verdict::Witness;

/// How many operations are accepted; more are too many for rows of bits.
const ITEMS_MAX: usize = 600;

/// Decides for a whole history or a part of it.
pub(in crate::judgement::checker) fn decide(view: &View, meter: &mut Meter) -> Decision {
    if view.items.len() > ITEMS_MAX {
        return Decision::unknown("the history is too long for this search");
    }
    try_all(view, meter, &|_| true, &mut |sources, meter| {
        let mut beliefs = Beliefs::of(view, sources);
        match beliefs.search(meter) {
            Some(true) => Decision::Holds(Witness::Views(beliefs.orders())),
            Some(false) => Decision::Fails(view.items.iter().map(|item| item.at).collect()),
            None => {
                Decision::unknown("the budget ended before all orders of the writes were tried")
            }
        }
    })
}

/// The beliefs of each process, which are what its order must contain:
/// `before[process][b]` has all `a` that come before `b`.
#[derive(Clone)]
struct Beliefs<'a> {
    view: &'a View,
    sources: &'a [Source],
    /// The items that each process puts into an order.
    members: Vec<Wide>,
    before: Vec<Vec<Wide>>,
    /// Pairs of writes of one key that happened.
    pairs: Vec<(usize, usize)>,
}

impl<'a> Beliefs<'a> {
    fn of(view: &'a View, sources: &'a [Source]) -> Self {
        let n = view.items.len();
        let kept = kept(view, sources);
        let happened = |at: &usize| view.items[*at].write.is_some_and(|write| kept[index(write)]);
        let writes: Vec<usize> = (0..n).filter(happened).collect();
        let mut members = Vec::new();
        let mut before = Vec::new();
        for process in 0..view.sessions {
            let own =
                |at: usize| index(view.items[at].session) == process && sources[at] != Source::Open;
            let mut inside = Wide::empty(n);
            (0..n).filter(|at| happened(at) || own(*at)).for_each(|at| inside.insert(at));
            let mut rows = vec![Wide::empty(n); n];
            let mut last = vec![None; view.sessions];
            for at in inside.numbers() {
                let earlier = last[index(view.items[at].session)].replace(at);
                if let Some(earlier) = earlier {
                    rows[at].insert(earlier);
                }
                if let Source::Write(write) = sources[at] {
                    rows[at].insert(index(view.writes[index(write)]));
                }
            }
            members.push(inside);
            before.push(rows);
        }
        let same_key = |(a, b): &(usize, usize)| view.items[*a].key == view.items[*b].key;
        let pairs = writes.iter().enumerate();
        let pairs = pairs.flat_map(|(nth, a)| writes[nth + 1..].iter().map(move |b| (*a, *b)));
        let pairs = pairs.filter(same_key).collect();
        Beliefs { view, sources, members, before, pairs }
    }

    /// Derives all consequences; false if the beliefs of a process have a
    /// cycle.
    fn close(&mut self, meter: &mut Meter) -> Option<bool> {
        loop {
            let n = self.view.items.len();
            if !meter.spend(count(n * n * self.view.sessions / 64 + 1)) {
                return None;
            }
            for (rows, inside) in self.before.iter_mut().zip(&self.members) {
                let Ok(order) = order(rows, inside) else { return Some(false) };
                for at in order {
                    let mut row = rows[at].clone();
                    for earlier in rows[at].numbers() {
                        row.unite(&rows[earlier]);
                    }
                    rows[at] = row;
                }
            }
            if !self.consequences()? {
                return Some(true);
            }
        }
    }

    /// Derives what follows in one step; true if anything new does. A read that
    /// found its key initial is before all writes of it.
    fn consequences(&mut self) -> Option<bool> {
        let mut grew = false;
        for process in 0..self.before.len() {
            for read in self.members[process].clone().numbers() {
                let item = self.view.items[read];
                let source = match self.sources[read] {
                    _ if item.write.is_some() => continue,
                    Source::Write(write) => Some(index(self.view.writes[index(write)])),
                    _ => None,
                };
                for other in self.members[process].clone().numbers() {
                    let write = self.view.items[other];
                    if write.write.is_none() || write.key != item.key || Some(other) == source {
                        continue;
                    }
                    match source {
                        Some(source) if self.before[process][read].contains(other) => {
                            grew |= self.agree(other, source);
                        }
                        Some(source) if !self.before[process][other].contains(source) => {}
                        _ if self.before[process][other].contains(read) => {}
                        _ => {
                            self.before[process][other].insert(read);
                            grew = true;
                        }
                    }
                }
            }
        }
        for at in 0..self.pairs.len() {
            let (a, b) = self.pairs[at];
            if self.before.iter().any(|rows| rows[b].contains(a)) {
                grew |= self.agree(a, b);
            }
            if self.before.iter().any(|rows| rows[a].contains(b)) {
                grew |= self.agree(b, a);
            }
        }
        Some(grew)
    }

    /// Makes all processes believe that `first` is before `second`; true if
    /// that is new to one.
    fn agree(&mut self, first: usize, second: usize) -> bool {
        let mut grew = false;
        for rows in &mut self.before {
            grew |= !rows[second].contains(first);
            rows[second].insert(first);
        }
        grew
    }

    /// Searches for orders of the writes of all keys; `None` if the budget
    /// ended.
    fn search(&mut self, meter: &mut Meter) -> Option<bool> {
        if !self.close(meter)? {
            return Some(false);
        }
        let open = |(a, b): &&(usize, usize)| {
            !self.before[0][*b].contains(*a) && !self.before[0][*a].contains(*b)
        };
        let Some(&(a, b)) = self.pairs.iter().find(open) else { return Some(true) };
        for (first, second) in [(a, b), (b, a)] {
            let mut more = self.clone();
            more.agree(first, second);
            if more.search(meter)? {
                *self = more;
                return Some(true);
            }
        }
        Some(false)
    }

    fn orders(&self) -> Vec<Vec<usize>> {
        let views = self.before.iter().zip(&self.members);
        let ordered = views.map(|(rows, inside)| order(rows, inside).expect("it was closed"));
        ordered.map(|order| order.iter().map(|at| self.view.items[*at].at).collect()).collect()
    }
}
