//! The dumb oracle: try everything, straight from the predicates.
//!
//! For a model of the grid it goes through every fate of the writes of unknown
//! outcome, every visibility and every arbitration; for linearizability through
//! every order of the operations. It shares no code with the other checkers
//! and knows no theorem: not that a least visibility exists, not that an
//! answer has a source, not that keys are independent. Its only use is to be
//! believed, on histories of a few operations.
//!
//! O(2^(w·r) · w!) for w writes and r reads; O(n!) for linearizability.

use crate::history::{Completion, History, Operation, Value};

use super::super::model::{Grid, Guarantees, Model, Scope};
use super::super::verdict::Kind;

/// Whether a history is allowed, and if not, how it fails.
///
/// # Errors
/// The kind of the violation.
///
/// # Panics
/// If there are more than 16 pairs of a write and a read, or more than 8
/// operations: nobody would wait for the answer.
pub fn judge(history: &History, model: Model) -> Result<(), Kind> {
    assert!(history.len() <= 8, "trying everything takes too long");
    let allowed = |model| match model {
        Model::Grid(grid) => fates(history).iter().any(|fate| Fate::new(fate).allowed(grid)),
        Model::Linearizable => fates(history).iter().any(|fate| linearizable(fate)),
    };
    if allowed(model) {
        return Ok(());
    }
    if !allowed(Model::BASE) {
        return Err(Kind::Illegal);
    }
    if model == Model::EVENTUAL {
        return Err(kind(history));
    }
    Err(Kind::Unexplained)
}

/// The first of the kinds of eventual consistency that applies, given base.
fn kind(history: &History) -> Kind {
    let operations = history.operations();
    let finals: Vec<_> =
        operations.iter().filter(|op| op.final_read && op.answer().is_some()).collect();
    for a in &finals {
        for b in &finals {
            if a.call.key == b.call.key && a.answer() != b.answer() {
                return Kind::Diverged;
            }
        }
    }
    for read in finals.iter().filter(|read| read.answer() == Some(&Value::Null)) {
        for other in operations.iter().filter(|op| op.call.key == read.call.key) {
            let acked = other.call.is_write() && matches!(other.completion, Completion::Ok(_));
            if acked || other.answer().is_some_and(|value| *value != Value::Null) {
                return Kind::Lost;
            }
        }
    }
    Kind::Unexplained
}

type Fated<'a> = Vec<&'a Operation>;

/// What may have happened: what was answered, and any of the pending writes.
fn fates(history: &History) -> Vec<Fated<'_>> {
    let mut fates: Vec<Fated> = vec![Vec::new()];
    for operation in history.operations() {
        match operation.completion {
            Completion::Fail => {}
            Completion::Ok(_) => fates.iter_mut().for_each(|fate| fate.push(operation)),
            Completion::Info if operation.call.is_write() => {
                for at in 0..fates.len() {
                    let mut happened = fates[at].clone();
                    happened.push(operation);
                    fates.push(happened);
                }
            }
            Completion::Info => {}
        }
    }
    fates
}

struct Fate<'a> {
    operations: &'a [&'a Operation],
    writes: Vec<usize>,
    reads: Vec<usize>,
    arbitrations: Vec<Vec<usize>>,
}

/// Which writes each read sees: `vis[read][write]`, by operation.
type Visibility = Vec<Vec<bool>>;

impl<'a> Fate<'a> {
    fn new(operations: &'a [&'a Operation]) -> Self {
        let is_write = |at: &usize| operations[*at].call.is_write();
        let (writes, reads): (Vec<_>, Vec<_>) = (0..operations.len()).partition(is_write);
        assert!(writes.len() * reads.len() <= 16, "trying everything takes too long");
        let mut arbitrations = Vec::new();
        permutations(&mut writes.clone(), 0, &mut arbitrations);
        Fate { operations, writes, reads, arbitrations }
    }

    fn so(&self, a: usize, b: usize) -> bool {
        a < b && self.operations[a].process == self.operations[b].process
    }

    fn allowed(&self, grid: Grid) -> bool {
        let pairs = self.writes.len() * self.reads.len();
        (0_u32..1 << pairs).any(|bits| {
            let n = self.operations.len();
            let mut vis = vec![vec![false; n]; n];
            for (r, &read) in self.reads.iter().enumerate() {
                for (w, &write) in self.writes.iter().enumerate() {
                    vis[read][write] = bits >> (r * self.writes.len() + w) & 1 == 1;
                }
            }
            self.acyclic(&vis) && self.visibility_axioms(grid, &vis) && self.arbitrated(grid, &vis)
        })
    }

    fn acyclic(&self, vis: &Visibility) -> bool {
        let n = self.operations.len();
        let mut reach = vec![vec![false; n]; n];
        for a in 0..n {
            for b in 0..n {
                reach[a][b] = self.so(a, b) || vis[b][a];
            }
        }
        for via in 0..n {
            for a in 0..n {
                for b in 0..n {
                    reach[a][b] = reach[a][b] || (reach[a][via] && reach[via][b]);
                }
            }
        }
        (0..n).all(|a| !reach[a][a])
    }

    fn visibility_axioms(&self, grid: Grid, vis: &Visibility) -> bool {
        let (writes, reads) = (&self.writes, &self.reads);
        for &r in reads {
            for &w in writes {
                if vis[r][w] {
                    continue;
                }
                let ryw = grid.asks(Guarantees::RYW) && self.so(w, r);
                let mr = grid.asks(Guarantees::MR)
                    && reads.iter().any(|&earlier| self.so(earlier, r) && vis[earlier][w]);
                let mw = grid.asks(Guarantees::MW)
                    && writes.iter().any(|&later| self.so(w, later) && vis[r][later]);
                let wfr = grid.asks(Guarantees::WFR)
                    && reads.iter().any(|&by| {
                        vis[by][w] && writes.iter().any(|&next| self.so(by, next) && vis[r][next])
                    });
                let last = grid.eventual && self.operations[r].final_read;
                if ryw || mr || mw || wfr || last {
                    return false;
                }
            }
        }
        true
    }

    fn arbitrated(&self, grid: Grid, vis: &Visibility) -> bool {
        let explains = |reads: &[usize]| {
            self.arbitrations.iter().any(|ar| {
                self.arbitration_axioms(grid, vis, ar)
                    && reads.iter().all(|&read| self.explained(read, vis, ar))
            })
        };
        match grid.scope {
            Scope::Global => explains(&self.reads),
            Scope::Session => self.reads.iter().all(|&read| {
                let process = |at: usize| self.operations[at].process;
                let session: Vec<_> =
                    self.reads.iter().copied().filter(|&r| process(r) == process(read)).collect();
                explains(&session)
            }),
            Scope::Read => self.reads.iter().all(|&read| explains(&[read])),
        }
    }

    fn arbitration_axioms(&self, grid: Grid, vis: &Visibility, ar: &[usize]) -> bool {
        ar.iter().enumerate().all(|(rank, &newer)| {
            // What is not older than `newer`, `newer` included.
            ar[rank..].iter().all(|&other| {
                let mw = grid.asks(Guarantees::MW) && self.so(other, newer);
                let wfr = grid.asks(Guarantees::WFR)
                    && self.reads.iter().any(|&read| vis[read][other] && self.so(read, newer));
                !mw && !wfr
            })
        })
    }

    fn explained(&self, read: usize, vis: &Visibility, ar: &[usize]) -> bool {
        let reader = self.operations[read];
        let seen = |w: &&usize| vis[read][**w] && self.operations[**w].call.key == reader.call.key;
        let last = ar.iter().rev().find(seen).map(|&w| &self.operations[w].call.argument);
        reader.answer() == Some(last.unwrap_or(&Value::Null))
    }
}

/// Every order of `list[fixed..]` after `list[..fixed]`.
fn permutations(list: &mut Vec<usize>, fixed: usize, all: &mut Vec<Vec<usize>>) {
    if fixed == list.len() {
        all.push(list.clone());
    }
    for at in fixed..list.len() {
        list.swap(fixed, at);
        permutations(list, fixed + 1, all);
        list.swap(fixed, at);
    }
}

fn linearizable(operations: &[&Operation]) -> bool {
    let mut orders = Vec::new();
    permutations(&mut (0..operations.len()).collect(), 0, &mut orders);
    orders.iter().any(|order| keeps_time(operations, order) && legal(operations, order))
}

fn keeps_time(operations: &[&Operation], order: &[usize]) -> bool {
    order.iter().enumerate().all(|(rank, &later)| {
        order[..rank].iter().all(|&earlier| {
            let session = operations[earlier].process == operations[later].process;
            !(operations[later].returns_before(operations[earlier]) || (session && later < earlier))
        })
    })
}

fn legal(operations: &[&Operation], order: &[usize]) -> bool {
    order.iter().enumerate().all(|(rank, &at)| {
        let reader = operations[at];
        let writes = order[..rank].iter().rev().map(|&at| operations[at]);
        let last = { writes }.find(|op| op.call.is_write() && op.call.key == reader.call.key);
        reader
            .answer()
            .is_none_or(|answer| answer == last.map_or(&Value::Null, |op| &op.call.argument))
    })
}
