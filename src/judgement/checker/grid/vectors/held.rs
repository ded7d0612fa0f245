//! The tables for long histories: the prefixes that are visible or behind, the
//! items by key and session, and the items that show why a write is visible.
//!
//! It orders nothing and decides nothing: `seen` and `each_read` compute what
//! reads require, and the module above decides.

use crate::judgement::checker::rows::join;
use crate::judgement::checker::view::{Source, View};
use crate::judgement::model::{Grid, Guarantees};
use crate::judgement::number::{index, number_of};

/// Is called with a read (an item) and the row of what is visible to it.
pub(super) type Each<'f, 'a> = dyn FnMut(&Vectors<'a>, u32, &[u32]) -> Result<(), Vec<u32>> + 'f;

/// For each key and session, its items in order, with their places in the
/// session. The lists of one key are adjacent.
pub(super) struct Lists {
    starts: Vec<u32>,
    all: Vec<(u32, u32)>,
}

impl Lists {
    /// Sorts triples of list, place and item into their lists.
    fn of(lists: usize, items: &[(u32, u32, u32)]) -> Lists {
        let mut starts = vec![0_u32; lists + 1];
        for (list, ..) in items {
            starts[index(*list) + 1] += 1;
        }
        for list in 0..lists {
            starts[list + 1] += starts[list];
        }
        let mut fill = starts.clone();
        let mut all = vec![(0, 0); items.len()];
        for &(list, place, item) in items {
            let next = &mut fill[index(list)];
            all[index(*next)] = (place, item);
            *next += 1;
        }
        Lists { starts, all }
    }

    pub(super) fn get(&self, list: usize) -> &[(u32, u32)] {
        self.several(list, 1)
    }

    /// The items of so many consecutive lists, from `first` on.
    pub(super) fn several(&self, first: usize, lists: usize) -> &[(u32, u32)] {
        &self.all[index(self.starts[first])..index(self.starts[first + lists])]
    }
}

pub(super) struct Vectors<'a> {
    pub(super) view: &'a View,
    pub(super) grid: Grid,
    pub(super) sources: Vec<Source>,
    /// By item: the read at quiescence because of which it sees every write; the
    /// item itself or, under MR, an earlier one of its process.
    full: Vec<Option<u32>>,
    /// By number of the write: whether it happened.
    pub(super) kept: Vec<bool>,
    /// The place of each item, from 1, among the reads or the kept writes of
    /// its session.
    pub(super) place: Vec<u32>,
    /// The reads and the kept writes of each session and key.
    pub(super) reads: Lists,
    pub(super) writes: Lists,
    /// The length of a row: a count of writes for each session, then, without
    /// MW, a count of reads for each session.
    pub(super) width: usize,
    /// What is *behind* each write, as rows: the writes that are visible to
    /// every read that sees this write, and that are arbitrated before it.
    pub(super) behind: Vec<u32>,
    /// Edges of arbitration: `read` saw `older` and answered `newer`.
    pub(super) edges: Vec<Edge>,
    /// The number of nodes: items first, then nodes that stand for several
    /// writes.
    pub(super) nodes: usize,
}

/// By item: the read at quiescence because of which it sees every write.
fn full(view: &View, grid: Grid) -> Vec<Option<u32>> {
    let mut full = vec![None; view.items.len()];
    let mut of_session: Vec<Option<u32>> = vec![None; view.sessions];
    for (at, item) in view.items.iter().enumerate().filter(|(_, item)| item.write.is_none()) {
        let known = &mut of_session[index(item.session)];
        if item.last && grid.eventual {
            full[at] = Some(number_of(at));
            *known = known.or(full[at]);
        } else if grid.asks(Guarantees::MR) {
            full[at] = *known;
        }
    }
    full
}

#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) older: u32,
    pub(super) newer: u32,
    pub(super) read: u32,
}

impl<'a> Vectors<'a> {
    pub(super) fn of(view: &'a View, grid: Grid) -> Result<Self, Vec<u32>> {
        let mut sources = vec![Source::Open; view.items.len()];
        for (at, item) in view.items.iter().enumerate().filter(|(_, item)| item.write.is_none()) {
            match view.sources(item) {
                [only] => sources[at] = *only,
                _ => return Err(vec![number_of(at)]),
            }
        }
        let kept = view.kept();
        let mut place = vec![0; view.items.len()];
        let mut counts = vec![[0_u32; 2]; view.sessions];
        let lists = view.sessions * view.keys;
        let (mut reads, mut writes) = (Vec::new(), Vec::with_capacity(view.writes.len()));
        for (at, item) in view.items.iter().enumerate() {
            if item.write.is_some_and(|write| !kept[index(write)]) {
                continue;
            }
            let count = &mut counts[index(item.session)][usize::from(item.write.is_none())];
            *count += 1;
            place[at] = *count;
            let list = index(item.key) * view.sessions + index(item.session);
            let of_sort = if item.write.is_some() { &mut writes } else { &mut reads };
            of_sort.push((number_of(list), *count, number_of(at)));
        }
        let (reads, writes) = (Lists::of(lists, &reads), Lists::of(lists, &writes));
        let asks = |guarantee| grid.asks(guarantee);
        let width = view.sessions * if asks(Guarantees::MW) { 1 } else { 2 };
        let deep = asks(Guarantees::MW) || asks(Guarantees::WFR);
        let behind = vec![0; if deep { view.writes.len() * width } else { 0 }];
        Ok(Vectors {
            view,
            grid,
            sources,
            full: full(view, grid),
            kept,
            place,
            reads,
            writes,
            width,
            behind,
            edges: Vec::new(),
            nodes: view.items.len(),
        })
    }

    pub(super) fn asks(&self, guarantee: Guarantees) -> bool {
        self.grid.asks(guarantee)
    }

    /// Whether rows count reads too.
    pub(super) fn by_reads(&self) -> bool {
        self.width > self.view.sessions
    }

    pub(super) fn behind(&self, write: usize) -> &[u32] {
        if self.behind.is_empty() { &[] } else { &self.behind[write * self.width..][..self.width] }
    }

    pub(super) fn lists(&self, key: u32, session: usize) -> usize {
        index(key) * self.view.sessions + session
    }

    /// What a column of a row counts: whether reads or writes, and of which
    /// session.
    pub(super) fn column(&self, column: usize) -> (bool, usize) {
        match column.checked_sub(self.view.sessions) {
            Some(session) => (true, session),
            None => (false, column),
        }
    }

    /// The reads that see every write, each with its source.
    pub(super) fn full_reads(&self) -> impl Iterator<Item = (u32, Source)> + '_ {
        let items = self.full.iter().enumerate().filter(|(_, full)| full.is_some());
        items.map(|(at, _)| (number_of(at), self.sources[at]))
    }

    /// The kept writes of a key, as items.
    pub(super) fn of_key(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.lists(key, 0);
        self.writes.several(first, self.view.sessions).iter().map(|(_, at)| *at)
    }

    /// Whether the first write is behind the second.
    pub(super) fn is_behind(&self, first: usize, second: usize) -> bool {
        let row = self.behind(second);
        if row.is_empty() || first == second {
            return false;
        }
        let item = self.view.writes[first];
        let sessions = self.view.sessions;
        let key = self.view.items[index(item)].key;
        row[index(self.view.items[index(item)].session)] >= self.place[index(item)]
            || (self.by_reads()
                && (0..sessions).any(|session| {
                    let reads = self.reads.get(self.lists(key, session));
                    let known =
                        reads.iter().take_while(|(place, _)| *place <= row[sessions + session]);
                    { known }
                        .any(|(_, at)| self.sources[index(*at)] == Source::Write(number_of(first)))
                }))
    }

    /// Visits the items in `order`, a topological order of `so ∪ rf`: computes
    /// what is behind every write, and calls `each` with every read and what is
    /// visible to it, except for reads that see every write.
    pub(super) fn walk(&mut self, order: &[u32], each: &mut Each<'_, 'a>) -> Result<(), Vec<u32>> {
        let (sessions, width) = (self.view.sessions, self.width);
        let [ryw, mr, mw, wfr] = [Guarantees::RYW, Guarantees::MR, Guarantees::MW, Guarantees::WFR]
            .map(|guarantee| self.asks(guarantee));
        // By session: its writes with what is behind them, and what its reads
        // saw.
        let mut written = vec![vec![0_u32; width]; sessions];
        let mut seen = vec![vec![0_u32; width]; sessions];
        let mut row = vec![0_u32; width];
        for &at in order {
            let item = &self.view.items[index(at)];
            let session = index(item.session);
            if let Some(write) = item.write.map(index) {
                if !self.kept[write] {
                    continue;
                }
                if mw || wfr {
                    let behind = &mut self.behind[write * width..][..width];
                    if mw {
                        join(behind, &written[session]);
                    }
                    if wfr {
                        join(behind, &seen[session]);
                    }
                    join(&mut written[session], behind);
                }
                written[session][session] = self.place[index(at)];
                continue;
            }
            if self.full[index(at)].is_some() {
                // No row is needed: under MR the later reads of its session see
                // every write too, and only reads follow it.
                continue;
            }
            row.fill(0);
            if let Source::Write(write) = self.sources[index(at)]
                && (mw || wfr)
            {
                row.copy_from_slice(self.behind(index(write)));
                if mw {
                    let of = index(self.view.write(index(write)).session);
                    let place = self.place[index(self.view.writes[index(write)])];
                    row[of] = row[of].max(place);
                }
            }
            if ryw {
                join(&mut row, &written[session]);
            }
            if mr {
                join(&mut row, &seen[session]);
            }
            each(self, at, &row)?;
            if mr || wfr {
                join(&mut seen[session], &row);
                if !mw {
                    seen[session][sessions + session] = self.place[index(at)];
                }
            }
        }
        Ok(())
    }

    /// Why `read` sees `write`: the items on a shortest path of rules between
    /// them.
    pub(super) fn reason_of(&self, write: u32, read: u32) -> Vec<u32> {
        if let Some(quiescent) = self.full[index(read)] {
            // A pending write counts as happened only because a read answered
            // it.
            let number = self.view.items[index(write)].write.expect("it is a write");
            let by = self.sources.iter().position(|source| *source == Source::Write(number));
            return [write, read, quiescent].into_iter().chain(by.map(number_of)).collect();
        }
        let mut part = self.path(read, write);
        part.push(read);
        part
    }

    /// The items on a shortest path, along the rules of the axioms, from an
    /// item back to a write that is visible to it or behind it. Breadth-first
    /// search in O(n): a rule reaches a prefix of the reads, or of the writes,
    /// of a session, so each item is reached once.
    pub(super) fn path(&self, from: u32, to: u32) -> Vec<u32> {
        let mut parent: Vec<u32> = vec![u32::MAX; self.view.items.len()];
        let mut sessions = vec![[Vec::new(), Vec::new()]; self.view.sessions];
        for (at, item) in self.view.items.iter().enumerate() {
            if item.write.is_none_or(|write| self.kept[index(write)]) {
                sessions[index(item.session)][usize::from(item.write.is_some())]
                    .push(number_of(at));
            }
        }
        let mut reached = vec![[0_usize; 2]; self.view.sessions];
        parent[index(from)] = from;
        let mut open = vec![from];
        let mut next = 0;
        while let Some(&at) = open.get(next) {
            next += 1;
            if at == to {
                break;
            }
            let mut reach = |earlier: u32| {
                if parent[index(earlier)] == u32::MAX {
                    parent[index(earlier)] = at;
                    open.push(earlier);
                }
            };
            let item = &self.view.items[index(at)];
            if let Source::Write(write) = self.sources[index(at)] {
                reach(self.view.writes[index(write)]);
            }
            let rules = match item.write {
                None => [Guarantees::MR, Guarantees::RYW],
                Some(_) => [Guarantees::WFR, Guarantees::MW],
            };
            for (sort, rule) in rules.into_iter().enumerate() {
                let list = &sessions[index(item.session)][sort];
                let reached = &mut reached[index(item.session)][sort];
                while self.asks(rule) && list.get(*reached).is_some_and(|other| *other < at) {
                    reach(list[*reached]);
                    *reached += 1;
                }
            }
        }
        let mut part = vec![to];
        let mut at = to;
        while parent[index(at)] != u32::MAX && parent[index(at)] != at {
            at = parent[index(at)];
            part.push(at);
        }
        part
    }

    /// The items that show why `read` has no arbitration: it sees `other`,
    /// which has the read's source behind it.
    pub(super) fn conflict(&self, read: u32, source: usize, other: usize) -> Vec<u32> {
        let (source, other) = (self.view.writes[source], self.view.writes[other]);
        let mut part = self.reason_of(other, read);
        part.extend(self.path(other, source));
        part
    }
}
