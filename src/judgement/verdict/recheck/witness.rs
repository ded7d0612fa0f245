//! Replays a witness of a model of the grid: is this really a visibility with
//! arbitrations that the model accepts?
//!
//! Every conjunct of the predicate is verified and nothing is assumed: neither
//! that the sets contain only writes, nor that they are closed, nor that
//! sources are unique. The order of the conjuncts is that of the model's
//! definition.

use std::collections::BTreeMap;

use crate::history::{History, Operation, Value};

use super::facts::Facts;
use super::unsound::{Replayed, Unsound};
use crate::judgement::model::{Grid, Guarantees, Model, Scope};

/// Replays a visibility and its arbitrations.
pub(super) fn replay(
    history: &History,
    grid: Grid,
    visible: &[Vec<usize>],
    arbitration: &[Vec<usize>],
) -> Replayed {
    let claim = Claim::of(history, grid, visible, arbitration)?;
    claim.causes_do_not_run_in_a_cycle()?;
    claim.arbitrations_explain_every_answer()?;
    claim.sessions_keep_their_guarantees()?;
    claim.reads_at_quiescence_see_every_write()
}

struct Claim<'a> {
    history: &'a History,
    grid: Grid,
    visible: &'a [Vec<usize>],
    arbitration: &'a [Vec<usize>],
    /// What is visible as bits, one row for each operation.
    sees: Vec<Box<[u64]>>,
    /// The writes that happened, ascending.
    happened: Vec<usize>,
    /// The process of each operation, numbered in ascending order.
    process: Vec<usize>,
    processes: usize,
}

impl<'a> Claim<'a> {
    fn of(
        history: &'a History,
        grid: Grid,
        visible: &'a [Vec<usize>],
        arbitration: &'a [Vec<usize>],
    ) -> Result<Self, Unsound> {
        let facts = Facts::of(history);
        let ids = history.processes();
        let number = |op: &Operation| ids.binary_search(&op.process);
        let process = history.operations().iter().map(|op| number(op).expect("it is listed"));
        let orders = match grid.scope {
            Scope::Global => 1,
            Scope::Session => ids.len(),
            Scope::Read => (0..history.len()).filter(|&at| facts.answered(at)).count(),
        };
        if visible.len() != history.len() || arbitration.len() != orders {
            return Unsound::because(format!(
                "{} rows and {} orders do not fit {} operations and {orders} orders",
                visible.len(),
                arbitration.len(),
                history.len(),
            ));
        }
        let acked = || (0..history.len()).filter(|&at| facts.acked_write(at));
        let mut happened = arbitration.first().cloned().unwrap_or_else(|| acked().collect());
        happened.sort_unstable();
        if let Some(at) = happened.iter().find(|&&at| !facts.possible_write(at)) {
            return Unsound::because(format!("{at} is no write that can have happened"));
        }
        let missing = |at: &usize| happened.binary_search(at).is_err();
        if let Some(at) = acked().find(missing) {
            return Unsound::because(format!("acknowledged write {at} is not arbitrated"));
        }
        let sees = rows(facts, visible, &happened)?;
        let (process, processes) = (process.collect(), ids.len());
        Ok(Claim { history, grid, visible, arbitration, sees, happened, process, processes })
    }

    /// The reads that each arbitration must explain.
    fn readers(&self) -> Vec<Vec<usize>> {
        let mut readers = vec![Vec::new(); self.arbitration.len()];
        let operations = self.history.operations().iter().enumerate();
        let reads = operations.filter(|(_, op)| op.answer().is_some()).map(|(at, _)| at);
        for (nth, read) in reads.enumerate() {
            let order = match self.grid.scope {
                Scope::Global => 0,
                Scope::Session => self.process[read],
                Scope::Read => nth,
            };
            readers[order].push(read);
        }
        readers
    }

    /// Verifies that every read answers the last write visible to it, and that
    /// the arbitrations obey the axioms.
    fn arbitrations_explain_every_answer(&self) -> Replayed {
        let facts = Facts::of(self.history);
        let sessions = self.arbitrated_sessions();
        for (order, readers) in self.arbitration.iter().zip(self.readers()) {
            let ranks = ranks(facts, order, &self.happened)?;
            readers.iter().try_for_each(|&read| self.answered_the_last(read, &ranks))?;
            sessions.iter().try_for_each(|session| ascends(self.grid, session, &ranks))?;
        }
        Ok(())
    }

    fn answered_the_last(&self, read: usize, ranks: &[Option<usize>]) -> Replayed {
        let operations = self.history.operations();
        let of_key = |write: &&usize| operations[**write].call.key == operations[read].call.key;
        let last = self.visible[read].iter().filter(of_key).max_by_key(|write| ranks[**write]);
        let expected = last.map_or(&Value::Null, |&write| &operations[write].call.argument);
        if operations[read].answer() != Some(expected) {
            return Unsound::because(format!(
                "read {read} should have answered {expected}, the last write visible to it"
            ));
        }
        Ok(())
    }

    /// For each session a list of writes that says what MW and WFR require of
    /// arbitration: every write marked as its own comes after those before it
    /// in the list.
    fn arbitrated_sessions(&self) -> Vec<Vec<(usize, bool)>> {
        let mut sessions = vec![Vec::new(); self.processes];
        let mut saw = vec![vec![0_u64; self.history.len().div_ceil(64)]; self.processes];
        for (at, &process) in self.process.iter().enumerate() {
            if self.happened.binary_search(&at).is_ok() {
                sessions[process].push((at, true));
            }
            if self.grid.asks(Guarantees::WFR) {
                let new = |write: &&usize| saw[process][**write / 64] >> (**write % 64) & 1 == 0;
                let seen = self.visible[at].iter().filter(new).map(|&write| (write, false));
                sessions[process].extend(seen.collect::<Vec<_>>());
                unite(&mut saw[process], &self.sees[at]);
            }
        }
        if !self.grid.asks(Guarantees::MW) && !self.grid.asks(Guarantees::WFR) {
            sessions.clear();
        }
        sessions
    }

    /// Verifies by a topological sort that `so ∪ vis` has no cycle.
    fn causes_do_not_run_in_a_cycle(&self) -> Replayed {
        let operations = self.history.operations();
        let mut waits = vec![0_usize; operations.len()];
        let mut wakes = vec![Vec::new(); operations.len()];
        let mut last = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            let previous = last.insert(operation.process, at);
            for before in previous.into_iter().chain(self.visible[at].iter().copied()) {
                waits[at] += 1;
                wakes[before].push(at);
            }
        }
        let mut free: Vec<_> = (0..operations.len()).filter(|&at| waits[at] == 0).collect();
        let mut taken = 0;
        while let Some(at) = free.pop() {
            taken += 1;
            for &next in &wakes[at] {
                waits[next] -= 1;
                if waits[next] == 0 {
                    free.push(next);
                }
            }
        }
        if taken < operations.len() {
            return Unsound::because("session order and visibility run in a cycle");
        }
        Ok(())
    }

    fn sessions_keep_their_guarantees(&self) -> Replayed {
        let words = self.history.len().div_ceil(64);
        let mut sessions = vec![Session::empty(words); self.processes];
        let mut behind: BTreeMap<usize, Session> = BTreeMap::new();
        for (at, operation) in self.history.operations().iter().enumerate() {
            let session = &mut sessions[self.process[at]];
            if operation.answer().is_some() {
                self.ask(Guarantees::RYW, at, &session.wrote, at)?;
                self.ask(Guarantees::MR, at, &session.saw, at)?;
                unite(&mut session.saw, &self.sees[at]);
            } else if self.happened.binary_search(&at).is_ok() {
                behind.insert(at, session.clone());
                session.wrote[at / 64] |= 1 << (at % 64);
            }
        }
        // A read that sees a write must see what the write's session had
        // written (MW) and seen (WFR) before it. That only grows along a
        // session, so of each session the last write that the read sees is
        // enough. If a read sees x=1 and x=2, both written by A, all that A had
        // before x=1 is required by x=2.
        let mut last = vec![None; self.processes];
        for (read, seen) in self.visible.iter().enumerate() {
            last.fill(None);
            for &write in seen {
                let last = &mut last[self.process[write]];
                *last = (*last).max(Some(write));
            }
            for &write in last.iter().flatten() {
                self.ask(Guarantees::MW, read, &behind[&write].wrote, write)?;
                self.ask(Guarantees::WFR, read, &behind[&write].saw, write)?;
            }
        }
        Ok(())
    }

    /// Under this guarantee `read` must see all of `owed`, because of `cause`.
    fn ask(&self, guarantee: Guarantees, read: usize, owed: &[u64], cause: usize) -> Replayed {
        let missing = owed.iter().zip(&self.sees[read]).any(|(owed, seen)| owed & !seen != 0);
        if self.grid.asks(guarantee) && missing {
            return Unsound::because(format!(
                "read {read} does not see all that {} demands because of {cause}",
                Model::Grid(Grid { guarantees: guarantee, scope: Scope::Global, eventual: false })
            ));
        }
        Ok(())
    }

    fn reads_at_quiescence_see_every_write(&self) -> Replayed {
        for (read, operation) in self.history.operations().iter().enumerate() {
            let counts = operation.final_read && operation.answer().is_some();
            // Rows have no duplicates and hold only writes that happened.
            if self.grid.eventual && counts && self.visible[read].len() != self.happened.len() {
                return Unsound::because(format!(
                    "read {read} at quiescence does not see every write"
                ));
            }
        }
        Ok(())
    }
}

/// What a session has written and seen, as bits.
#[derive(Clone)]
struct Session {
    wrote: Box<[u64]>,
    saw: Box<[u64]>,
}

impl Session {
    fn empty(words: usize) -> Self {
        let none = vec![0; words].into_boxed_slice();
        Session { wrote: none.clone(), saw: none }
    }
}

fn unite(row: &mut [u64], other: &[u64]) {
    row.iter_mut().zip(other).for_each(|(word, more)| *word |= more);
}

/// Verifies that every own write of the session comes after those before it in
/// the list, under the axioms that are asked.
fn ascends(grid: Grid, session: &[(usize, bool)], ranks: &[Option<usize>]) -> Replayed {
    let mut latest = None;
    for &(write, own) in session {
        if own && latest >= ranks[write] {
            return Unsound::because(format!("write {write} is arbitrated too early"));
        }
        if !own || grid.asks(Guarantees::MW) {
            latest = latest.max(ranks[write]);
        }
    }
    Ok(())
}

/// Ranks of an arbitration: a permutation of the writes that happened.
fn ranks(
    facts: Facts<'_>,
    order: &[usize],
    happened: &[usize],
) -> Result<Vec<Option<usize>>, Unsound> {
    let mut ranks = vec![None; facts.len()];
    for (rank, &write) in order.iter().enumerate() {
        if !facts.possible_write(write) || ranks[write].is_some() {
            return Unsound::because(format!("{write} does not belong here in an order of writes"));
        }
        ranks[write] = Some(rank);
    }
    if order.len() != happened.len() || happened.iter().any(|write| ranks[*write].is_none()) {
        return Unsound::because("two arbitrations order different writes");
    }
    Ok(ranks)
}

fn rows(
    facts: Facts<'_>,
    visible: &[Vec<usize>],
    happened: &[usize],
) -> Result<Vec<Box<[u64]>>, Unsound> {
    let words = facts.len().div_ceil(64);
    let mut rows = Vec::with_capacity(visible.len());
    for (at, seen) in visible.iter().enumerate() {
        if !seen.is_empty() && !facts.answered(at) {
            return Unsound::because(format!(
                "operation {at} answered nothing, so it sees nothing"
            ));
        }
        let mut row = vec![0; words].into_boxed_slice();
        for &write in seen {
            if happened.binary_search(&write).is_err() {
                return Unsound::because(format!(
                    "read {at} sees {write}, which is no write that happened"
                ));
            }
            if row[write / 64] >> (write % 64) & 1 == 1 {
                return Unsound::because(format!("read {at} sees write {write} twice"));
            }
            row[write / 64] |= 1 << (write % 64);
        }
        rows.push(row);
    }
    Ok(rows)
}
