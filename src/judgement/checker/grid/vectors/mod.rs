//! Decides the 96 models of the grid for long histories, in O(n·k) for n
//! operations of k processes, where every answer has one possible source.
//!
//! Besides its source, a read sees for each session a prefix of its writes and
//! the sources of a prefix of its reads (under MW, a prefix of its writes
//! alone). Every axiom of the grid only makes prefixes longer, so a row of k or
//! 2·k lengths describes all that is visible, and rows are joined along session
//! order and reads-from as in [`closure`](super::closure).
//!
//! An *arbitration* is then a topological order of a graph over the writes. MW
//! orders the writes of a session; WFR puts what a session's reads saw before
//! its later writes; and each read puts the writes of its key that it sees
//! before its source. A write that is behind the source needs no edge for that.
//! Under MR neither does a write that an earlier read of the process put before
//! its own source, because that source is visible too. One graph decides the
//! scope `g`, one for each session the scope `s`. For a single read all added
//! edges lead to its source, so there a cycle is a visible write of its key
//! that has the source behind it.
//!
//! A conflict names the few items that cause it; the closure, an independent
//! procedure, then finds the proof on those items.

use crate::judgement::checker::graph::Graph;
use crate::judgement::checker::view::{Item, Source, View};
use crate::judgement::model::{Grid, Guarantees, Scope};
use crate::judgement::number::{index, number_of};

mod each_read;
mod held;
mod seen;

use each_read::EachRead;
use held::{Edge, Vectors};
use seen::Seen;

/// What was found.
pub(in crate::judgement::checker) enum Outcome {
    /// Arbitrations of the writes that happened, by number, oldest first: one
    /// if it explains all reads; else one for each session under the scope `s`,
    /// and none under `r`.
    Holds(Vec<Vec<u32>>),
    /// Items that contradict each other, with those that show why.
    Fails(Vec<u32>),
    /// The tables or the graph would be too large.
    TooMany,
}

/// How many numbers are kept at most (2 GiB). A row has an entry or two for
/// every process, and every unknown outcome ends a process, so there may be
/// many.
const SIZE_MAX: usize = 1 << 29;

/// How many numbers the tables would have.
fn size(view: &View, grid: Grid) -> usize {
    let asks = |guarantee| grid.asks(guarantee);
    let width = view.sessions * if asks(Guarantees::MW) { 1 } else { 2 };
    let deep = asks(Guarantees::MW) || asks(Guarantees::WFR);
    let rows = 2 * view.sessions + if deep { view.writes.len() } else { 0 };
    let lists = view.sessions.saturating_mul(view.keys);
    rows.saturating_mul(width).saturating_add(lists.saturating_mul(12))
}

/// Decides base: each read sees only its source, so any order of the writes
/// will do.
fn base(view: &View) -> Outcome {
    let sourceless = |item: &&Item| item.write.is_none() && view.sources(item).is_empty();
    if let Some(item) = view.items.iter().position(|item| sourceless(&item)) {
        return Outcome::Fails(vec![number_of(item)]);
    }
    if let Err(cycle) = causal_order(view) {
        return Outcome::Fails(cycle);
    }
    let kept = view.kept();
    let writes = 0..number_of(view.writes.len());
    Outcome::Holds(vec![writes.filter(|write| kept[index(*write)]).collect()])
}

/// An order of the items that extends session order and reads-from.
fn causal_order(view: &View) -> Result<Vec<u32>, Vec<u32>> {
    if view.is_forward() {
        return Ok((0..number_of(view.items.len())).collect());
    }
    let mut graph = Graph::new(view.items.len());
    let mut last = vec![None; view.sessions];
    for (at, item) in view.items.iter().enumerate() {
        if let Some(before) = last[index(item.session)].replace(number_of(at)) {
            graph.add(before, number_of(at));
        }
        if let (None, [Source::Write(write)]) = (item.write, view.sources(item)) {
            graph.add(view.writes[index(*write)], number_of(at));
        }
    }
    graph.order()
}

/// How many edges a graph may have.
const EDGES_MAX: usize = 1 << 27;

/// Decides. Every read must have at most one possible source.
pub(in crate::judgement::checker) fn decide(view: &View, grid: Grid) -> Outcome {
    if grid.guarantees == Guarantees::NONE && !grid.eventual {
        return base(view);
    }
    if size(view, grid) > SIZE_MAX {
        return Outcome::TooMany;
    }
    match Vectors::of(view, grid).and_then(Vectors::decide) {
        Ok(outcome) => outcome,
        Err(part) => Outcome::Fails(part),
    }
}

impl Vectors<'_> {
    fn decide(mut self) -> Result<Outcome, Vec<u32>> {
        let order = causal_order(self.view)?;
        let mut seen = Seen::new(&self);
        self.walk(&order, &mut |vectors, read, row| seen.read(vectors, read, row))?;
        self.see_everything(&mut seen)?;
        if seen.edges.len() > EDGES_MAX {
            return Ok(Outcome::TooMany);
        }
        self.nodes = index(seen.next);
        self.edges = seen.edges;
        // One arbitration that explains all reads also explains those of each
        // session, and each read alone, so it decides the weaker scopes too. If
        // there is none they may still hold: if A reads x=1, then x=2, and B
        // reads x=2, then x=1, each session has an arbitration, but not the same.
        let cycle = match self.graph(None).order() {
            Ok(order) => return Ok(Outcome::Holds(vec![self.arbitration(&order)])),
            Err(cycle) => cycle,
        };
        match self.grid.scope {
            Scope::Global => Err(self.core(&cycle, None)),
            Scope::Session => {
                let sessions = 0..number_of(self.view.sessions);
                let orders = sessions.map(|session| match self.graph(Some(session)).order() {
                    Ok(order) => Ok(self.arbitration(&order)),
                    Err(cycle) => Err(self.core(&cycle, Some(session))),
                });
                Ok(Outcome::Holds(orders.collect::<Result<_, _>>()?))
            }
            Scope::Read => {
                if let Some(part) = self.hopeless(None) {
                    return Err(part);
                }
                let mut each = EachRead::of(&self);
                self.walk(&order, &mut |vectors, read, row| each.read(vectors, read, row))?;
                self.each_full_read()?;
                Ok(Outcome::Holds(Vec::new()))
            }
        }
    }

    /// Finds a read that saw a write with the read's source behind it. Every
    /// arbitration puts that write after the source, so the read has no
    /// arbitration even for itself, which is a shorter reason than any cycle.
    /// Only under MW, where it is cheap to tell what is behind a write.
    fn hopeless(&self, session: Option<u32>) -> Option<Vec<u32>> {
        if !self.asks(Guarantees::MW) {
            return None;
        }
        let number = |item: u32| self.view.items.get(index(item))?.write;
        self.edges.iter().filter(|edge| self.is_of(edge, session)).find_map(|edge| {
            let (older, newer) = (number(edge.older)?, number(edge.newer)?);
            let hopeless = self.is_behind(index(newer), index(older));
            hopeless.then(|| self.conflict(edge.read, index(newer), index(older)))
        })
    }

    /// Whether the edge comes from a read of `session`, or from any if there is
    /// none.
    fn is_of(&self, edge: &Edge, session: Option<u32>) -> bool {
        session.is_none_or(|session| self.view.items[index(edge.read)].session == session)
    }

    fn arbitration(&self, order: &[u32]) -> Vec<u32> {
        let items = order.iter().filter_map(|node| self.view.items.get(index(*node)));
        let writes = items.filter_map(|item| item.write);
        writes.filter(|write| self.kept[index(*write)]).collect()
    }

    /// Adds the edges of reads that see every write: all other writes of the key
    /// are older than their source.
    fn see_everything(&self, seen: &mut Seen) -> Result<(), Vec<u32>> {
        let mut done = vec![Vec::new(); self.view.keys];
        for (read, source) in self.full_reads() {
            let key = self.view.items[index(read)].key;
            let Source::Write(write) = source else {
                match self.of_key(key).next() {
                    Some(write) => return Err(self.reason_of(write, read)),
                    None => continue,
                }
            };
            let newer = self.view.writes[index(write)];
            let session = self.view.items[index(read)].session;
            let mark = (newer, if self.grid.scope == Scope::Global { 0 } else { session });
            if !done[index(key)].contains(&mark) {
                done[index(key)].push(mark);
                let older = self.of_key(key).filter(|older| *older != newer);
                seen.edges.extend(older.map(|older| Edge { older, newer, read }));
            }
        }
        Ok(())
    }

    /// Checks that no source of a read that sees every write is behind another
    /// write of its key.
    fn each_full_read(&self) -> Result<(), Vec<u32>> {
        let mut done = Vec::new();
        for (read, source) in self.full_reads() {
            let Source::Write(write) = source else { continue };
            if done.contains(&write) {
                continue;
            }
            done.push(write);
            let key = self.view.items[index(read)].key;
            for other in self.of_key(key) {
                let number = self.view.items[index(other)].write.expect("it is a write");
                if self.is_behind(index(write), index(number)) {
                    let mut part = self.reason_of(other, read);
                    part.extend(self.path(other, self.view.writes[index(write)]));
                    return Err(part);
                }
            }
        }
        Ok(())
    }

    /// The graph of arbitration: the edges of the axioms, and those of all
    /// reads or of the reads of one session.
    fn graph(&self, session: Option<u32>) -> Graph {
        let [ryw, mw, wfr] = [Guarantees::RYW, Guarantees::MW, Guarantees::WFR]
            .map(|guarantee| self.asks(guarantee));
        let mut graph = Graph::new(self.nodes);
        let mut last_write = vec![None; self.view.sessions];
        let mut last_read = vec![None; self.view.sessions];
        let mut fresh: Vec<Vec<u32>> = vec![Vec::new(); self.view.sessions];
        for (at, item) in self.view.items.iter().enumerate() {
            let (node, of) = (number_of(at), index(item.session));
            match item.write {
                Some(write) if !self.kept[index(write)] => {}
                Some(_) => {
                    if mw && let Some(before) = last_write[of].replace(node) {
                        graph.add(before, node);
                    }
                    if wfr && let Some(read) = last_read[of] {
                        graph.add(read, node);
                    }
                    if ryw && wfr && !mw {
                        fresh[of].push(node);
                    }
                }
                None if !wfr => {}
                None => {
                    if let Source::Write(write) = self.sources[at] {
                        graph.add(self.view.writes[index(write)], node);
                    }
                    if let Some(before) = last_read[of].replace(node) {
                        graph.add(before, node);
                    }
                    fresh[of].drain(..).for_each(|write| graph.add(write, node));
                }
            }
        }
        for edge in self.edges.iter().filter(|edge| self.is_of(edge, session)) {
            graph.add(edge.older, edge.newer);
        }
        graph
    }

    /// The items that force a cycle: those on it, the reads that its edges come
    /// from, and the items that show why these reads see what they see.
    fn core(&self, cycle: &[u32], session: Option<u32>) -> Vec<u32> {
        if let Some(part) = self.hopeless(session) {
            return part;
        }
        let mut part: Vec<u32> = cycle.to_vec();
        part.retain(|node| (index(*node)) < self.view.items.len());
        let is_write =
            |node: u32| self.view.items.get(index(node)).is_some_and(|item| item.write.is_some());
        for (nth, &older) in cycle.iter().enumerate().filter(|(_, node)| is_write(**node)) {
            // A node that is not an item stands for several writes: the edge
            // leads through it to the next item.
            let mut last = nth;
            let mut next = (nth + 1) % cycle.len();
            while index(cycle[next]) >= self.view.items.len() {
                last = next;
                next = (next + 1) % cycle.len();
            }
            let fits = |edge: &&Edge| {
                edge.older == cycle[last] && edge.newer == cycle[next] && self.is_of(edge, session)
            };
            if let Some(edge) = self.edges.iter().find(fits).filter(|_| is_write(cycle[next])) {
                part.extend(self.reason_of(older, edge.read));
            }
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Builder, Call, History, ProcessId};
    use crate::judgement::Budget;
    use crate::judgement::checker::grid::closure_decides;
    use crate::judgement::checker::whole::Meter;
    use crate::judgement::lot::Lot;
    use crate::judgement::number::count;

    /// Some operations of up to 4 processes on up to 2 keys, one after the
    /// other, with any answers, pending writes and reads at quiescence.
    fn history(lot: &mut Lot) -> History {
        let length = 2 + lot.draw(11);
        let keys = 1 + lot.draw(2);
        let processes = 1 + lot.number(4);
        let mut plan = Vec::new();
        let mut values = [vec![], vec![]];
        for at in 0..length {
            let (process, key) = (lot.number(u64::from(processes)), lot.index(keys));
            let write = lot.draw(2) == 0;
            if write {
                values[key].push(at as i64 + 1);
            }
            plan.push((process, key, write, lot.draw(6)));
        }
        let mut events = Builder::new();
        let mut ended = [false; 5];
        let mut time = 0;
        let quiet = lot.draw(2) == 0;
        for (at, (process, key, write, mark)) in plan.into_iter().enumerate() {
            if ended[index(process)] {
                continue;
            }
            let id = ProcessId(process);
            let name = ["x", "y"][key];
            time += 2;
            let call = match write {
                true => Call::write(name, at as i64 + 1),
                false => Call::read(name),
            };
            events.invoke(id, time, call).expect("it is idle");
            if write && mark == 0 {
                events.info(id).expect("it is open");
                ended[index(process)] = true;
            } else if write {
                events.ok(id, time + 1, ()).expect("it is open");
            } else {
                let which = lot.index(count(values[key].len()) + 1);
                match values[key].get(which).filter(|_| mark > 0) {
                    Some(value) => events.ok(id, time + 1, *value).expect("it is open"),
                    None => events.ok(id, time + 1, ()).expect("it is open"),
                };
            }
        }
        for process in 0..u32::from(quiet) * 2 {
            let key = lot.index(keys);
            let which = lot.index(count(values[key].len()) + 1);
            let id = ProcessId(10 + process);
            time += 2;
            events.invoke(id, time, Call::read(["x", "y"][key])).expect("it is new");
            match values[key].get(which) {
                Some(value) => events.ok_final(id, time + 1, *value).expect("it is open"),
                None => events.ok_final(id, time + 1, ()).expect("it is open"),
            };
            // Ordinary reads may follow.
            for _ in 0..lot.draw(3) {
                let key = lot.index(keys);
                let which = lot.index(count(values[key].len()) + 1);
                time += 2;
                events.invoke(id, time, Call::read(["x", "y"][key])).expect("it is idle");
                match values[key].get(which) {
                    Some(value) => events.ok(id, time + 1, *value).expect("it is open"),
                    None => events.ok(id, time + 1, ()).expect("it is open"),
                };
            }
        }
        events.finish()
    }

    #[test]
    fn vectors_and_closure_agree_about_all_96_models() {
        let mut lot = Lot(7);
        let (mut holds, mut fails) = (0, 0);
        for _ in 0..6_000 {
            let history = history(&mut lot);
            let view = View::of(&history);
            for grid in Grid::all() {
                let mut meter = Meter::new(Budget::default());
                let expected = closure_decides(&history, &view, grid, &mut meter);
                let text = || crate::history::notation::write(&history);
                match decide(&view, grid) {
                    Outcome::Holds(_) => {
                        assert!(expected, "{} holds of {}", grid.name(), text());
                        holds += 1;
                    }
                    Outcome::Fails(part) => {
                        assert!(!expected, "{} fails of {}", grid.name(), text());
                        // The core alone fails too.
                        let mut at: Vec<usize> =
                            part.iter().map(|item| view.items[index(*item)].at).collect();
                        at.sort_unstable();
                        at.dedup();
                        let core = View::of_part(&history, &view.closed(&history, &at));
                        let mut meter = Meter::new(Budget::default());
                        let core = closure_decides(&history, &core, grid, &mut meter);
                        assert!(!core, "{} of the core {at:?} of {}", grid.name(), text());
                        fails += 1;
                    }
                    Outcome::TooMany => panic!("a small history has few edges"),
                }
            }
        }
        assert!(holds > 100_000 && fails > 100_000, "{holds} hold, {fails} fail");
    }
}
