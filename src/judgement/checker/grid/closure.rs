//! Computes the least visibility that a model of the grid allows, and its
//! arbitrations.
//!
//! Given the source of every read (or of some of them), the axioms are Horn
//! clauses over "this write is visible to that read", and every conclusion
//! about an item follows from items before it in session order and reads-from.
//! So one pass in a topological order of `so ∪ rf` computes the least
//! visibility. If `so ∪ rf` has a cycle, no visibility is acyclic. Every
//! constraint grows with the visibility, so a history that some larger
//! visibility explains is explained by the least one too.
//!
//! What remains to check: a read that found its key initial sees no write of
//! that key, and the writes have an arbitration. That is an order that obeys
//! the axioms and puts each visible write of a key before the write that the
//! read answered.
//!
//! The characterisation by bad patterns is that of Bouajjani, Enea, Guerraoui
//! and Hamza (POPL 2017), extended from causal models to the grid. O(n²/64) for
//! n operations.

use crate::judgement::checker::view::{Source, View};
use crate::judgement::model::{Grid, Guarantees, Scope};
use crate::judgement::number::{index, number_of};
use crate::judgement::relation::{Set, order};

/// The least visibility for one choice of sources.
pub(in crate::judgement::checker) struct Closure<'a, S> {
    pub(in crate::judgement::checker) view: &'a View,
    pub(in crate::judgement::checker) grid: Grid,
    /// The source of each item that is a read.
    pub(in crate::judgement::checker) sources: &'a [Source],
    /// The writes that happened: acknowledged, or the source of some read.
    pub(in crate::judgement::checker) kept: S,
    /// By item. For a read, the writes visible to it; for a write, those that
    /// are visible to every read that sees it, and arbitrated before it.
    pub(in crate::judgement::checker) rows: Vec<S>,
}

/// Why there is no arbitration.
pub(in crate::judgement::checker) enum Conflict {
    /// This read found its key initial but sees this write (item, write).
    Initial(usize, usize),
    /// A cycle of writes, each before the next, forced by the axioms and these
    /// reads (items).
    Cycle(Vec<usize>, Vec<u32>),
}

/// The writes that happened.
fn kept<S: Set>(view: &View, sources: &[Source]) -> S {
    let mut kept = S::empty(view.writes.len());
    for item in &view.items {
        if let Some(write) = item.write
            && !item.pending
        {
            kept.insert(index(write));
        }
    }
    for source in sources {
        if let Source::Write(write) = source {
            kept.insert(index(*write));
        }
    }
    kept
}

/// What one session has written and seen so far.
#[derive(Clone)]
struct Past<S> {
    /// Its writes, and the writes that every read of them must see too.
    written: S,
    /// What its reads saw.
    seen: S,
}

impl<'a, S: Set> Closure<'a, S> {
    /// The closure, or the items around a cycle of `so ∪ rf`.
    pub(in crate::judgement::checker) fn of(
        view: &'a View,
        grid: Grid,
        sources: &'a [Source],
    ) -> Result<Self, Vec<usize>> {
        let none = S::empty(view.writes.len());
        let rows = vec![none.clone(); view.items.len()];
        let mut closure = Closure { view, grid, sources, kept: kept(view, sources), rows };
        let mut pasts = vec![Past { written: none.clone(), seen: none }; view.sessions];
        if forward(view, sources) {
            (0..view.items.len()).for_each(|item| closure.visit(item, &mut pasts));
        } else {
            causal_order(view, sources)?
                .into_iter()
                .for_each(|item| closure.visit(item, &mut pasts));
        }
        Ok(closure)
    }

    /// Computes the row of an item from the rows of what is before it.
    fn visit(&mut self, at: usize, pasts: &mut [Past<S>]) {
        let item = self.view.items[at];
        let past = &mut pasts[index(item.session)];
        let asks = |guarantee| self.grid.asks(guarantee);
        if let Some(write) = item.write {
            let row = &mut self.rows[at];
            if asks(Guarantees::MW) {
                row.unite(&past.written);
            }
            if asks(Guarantees::WFR) {
                row.unite(&past.seen);
            }
            past.written.unite(row);
            past.written.insert(index(write));
            return;
        }
        let mut row = match self.sources[at] {
            Source::Write(write) => {
                let mut row = self.rows[index(self.view.writes[index(write)])].clone();
                row.insert(index(write));
                row
            }
            Source::Initial | Source::Open => self.rows[at].clone(),
        };
        if asks(Guarantees::RYW) {
            row.unite(&past.written);
        }
        if asks(Guarantees::MR) {
            row.unite(&past.seen);
        }
        if item.last && self.grid.eventual {
            row.unite(&self.kept);
        }
        past.seen.unite(&row);
        self.rows[at] = row;
    }

    /// The arbitrations that the scope asks for: one for all reads, one per
    /// session (in order of sessions) or one per read (in order of items).
    pub(in crate::judgement::checker) fn arbitrate(&self) -> Result<Vec<Vec<usize>>, Conflict> {
        let of_key = self.writes_of_keys();
        self.no_initial_read_sees_a_write(&of_key)?;
        let before: Vec<S> =
            self.view.writes.iter().map(|&item| self.rows[index(item)].clone()).collect();
        let reads = |session: Option<usize>| {
            let items = self.view.items.iter().enumerate();
            let of_session = move |item: u32| session.is_none_or(|session| index(item) == session);
            items
                .filter(move |(_, item)| item.write.is_none() && of_session(item.session))
                .map(|(at, _)| number_of(at))
        };
        let mut arbiter = Arbiter { closure: self, of_key, before, plain: None };
        match self.grid.scope {
            Scope::Global => Ok(vec![arbiter.order(&reads(None).collect::<Vec<_>>())?]),
            Scope::Session => (0..self.view.sessions)
                .map(|session| arbiter.order(&reads(Some(session)).collect::<Vec<_>>()))
                .collect(),
            Scope::Read => reads(None).map(|read| arbiter.order(&[read])).collect(),
        }
    }

    fn writes_of_keys(&self) -> Vec<S> {
        let mut of_key = vec![S::empty(self.view.writes.len()); self.view.keys];
        for write in self.kept.numbers() {
            of_key[index(self.view.write(write).key)].insert(write);
        }
        of_key
    }

    fn no_initial_read_sees_a_write(&self, of_key: &[S]) -> Result<(), Conflict> {
        for (at, item) in self.view.items.iter().enumerate() {
            if self.sources[at] == Source::Initial && item.write.is_none() {
                let seen = self.rows[at].common(&of_key[index(item.key)]);
                if let Some(write) = seen.numbers().next() {
                    return Err(Conflict::Initial(at, write));
                }
            }
        }
        Ok(())
    }
}

struct Arbiter<'a, 'b, S> {
    closure: &'a Closure<'b, S>,
    of_key: Vec<S>,
    /// For each write, the writes that the axioms put before it.
    before: Vec<S>,
    /// The order by the axioms alone, for reads that add nothing to them.
    plain: Option<Vec<usize>>,
}

impl<S: Set> Arbiter<'_, '_, S> {
    /// One order of the writes that explains all these reads.
    fn order(&mut self, reads: &[u32]) -> Result<Vec<usize>, Conflict> {
        let mut saved = Vec::new();
        for &read in reads {
            if let Source::Write(write) = self.closure.sources[index(read)] {
                self.put_before(index(write), index(read), &mut saved);
            }
        }
        if saved.is_empty()
            && let Some(plain) = &self.plain
        {
            return Ok(plain.clone());
        }
        let order = order(&self.before, &self.closure.kept);
        if saved.is_empty() {
            self.plain = order.as_ref().ok().cloned();
        }
        for (write, row) in saved.into_iter().rev() {
            self.before[write] = row;
        }
        order.map_err(|cycle| Conflict::Cycle(cycle, reads.to_vec()))
    }

    /// Puts every other write of the key that `read` sees before `write`, which
    /// it answered.
    fn put_before(&mut self, write: usize, read: usize, saved: &mut Vec<(usize, S)>) {
        let key = index(self.closure.view.write(write).key);
        let mut older = self.closure.rows[read].common(&self.of_key[key]);
        older.remove(write);
        if older.len() > 0 {
            saved.push((write, self.before[write].clone()));
            self.before[write].unite(&older);
        }
    }
}

/// Whether every read comes after its source in order of invocation.
fn forward(view: &View, sources: &[Source]) -> bool {
    sources.iter().enumerate().all(|(read, source)| match source {
        Source::Write(write) => (index(view.writes[index(*write)])) < read,
        Source::Initial | Source::Open => true,
    })
}

/// An order of the items that extends `so ∪ rf`, or the items around a cycle.
fn causal_order(view: &View, sources: &[Source]) -> Result<Vec<usize>, Vec<usize>> {
    let mut last = vec![None; view.sessions];
    let previous: Vec<Option<usize>> = (view.items.iter().enumerate())
        .map(|(at, item)| last[index(item.session)].replace(at))
        .collect();
    let source = |at: usize| match sources[at] {
        Source::Write(write) => Some(index(view.writes[index(write)])),
        Source::Initial | Source::Open => None,
    };
    let mut ordered = Vec::with_capacity(view.items.len());
    let mut done = vec![false; view.items.len()];
    let mut on_path = vec![false; view.items.len()];
    let mut path = Vec::new();
    for root in 0..view.items.len() {
        if !done[root] {
            path.push(root);
            on_path[root] = true;
        }
        while let Some(&item) = path.last() {
            let behind = [previous[item], source(item)].into_iter().flatten();
            match { behind }.find(|&item| !done[item]) {
                Some(earlier) if on_path[earlier] => {
                    let start = path.iter().position(|&on| on == earlier);
                    let start = start.expect("what is marked is on the path");
                    return Err(path.drain(start..).rev().collect());
                }
                Some(earlier) => {
                    path.push(earlier);
                    on_path[earlier] = true;
                }
                None => {
                    path.pop();
                    on_path[item] = false;
                    done[item] = true;
                    ordered.push(item);
                }
            }
        }
    }
    Ok(ordered)
}
