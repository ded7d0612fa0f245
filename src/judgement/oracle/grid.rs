//! The 96 models of the grid: every visibility and every arbitration.

use crate::history::{Operation, Value};

use super::super::model::{Grid, Guarantees, Scope};
use super::permutations;

/// Whether a fate, the operations that are taken to have happened, is allowed
/// by a point of the grid.
///
/// # Panics
/// If there are more than 16 pairs of a write and a read.
pub(super) fn allowed(operations: &[&Operation], grid: Grid) -> bool {
    Fate::new(operations).allowed(grid)
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
        permutations(&mut writes.clone(), 0, &mut |order| arbitrations.push(order.to_vec()));
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
