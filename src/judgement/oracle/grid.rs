//! The 96 models of the grid: every visibility and every arbitration.
//!
//! An operation is an update if it changes its object. It reads if it was
//! answered and its answer could be wrong, or if what it had seen matters to
//! others (a remove from an observed-remove set). For registers updates are the
//! writes, and reads the reads.

use crate::history::{Completion, Operation};

use super::super::datatype::{Arbitration, Context, Datatype, Undone};
use super::super::model::{Grid, Guarantees, Model, Scope};
use super::permutations;

/// How many pairs of an update and an operation that reads are tried.
const PAIRS_MAX: usize = 16;

/// Whether a fate, the operations that are taken to have happened, is allowed by
/// a point of the grid; `None` if there are too many pairs to try.
///
/// # Panics
/// If the datatype gives no meaning to concurrent updates.
pub(super) fn allowed(
    operations: &[&Operation],
    grid: Grid,
    datatype: &dyn Datatype,
    undone: &Undone<'_>,
) -> Option<bool> {
    allowed_but(operations, grid, datatype, undone, &|_| false)
}

/// As [`allowed`], where reads at quiescence need not see excused updates.
pub(super) fn allowed_but(
    operations: &[&Operation],
    grid: Grid,
    datatype: &dyn Datatype,
    undone: &Undone<'_>,
    excused: &dyn Fn(&Operation) -> bool,
) -> Option<bool> {
    let fate = Fate::new(operations, datatype, undone, excused);
    (fate.updates.len() * fate.readers.len() <= PAIRS_MAX).then(|| fate.allowed(grid))
}

/// As [`allowed`], for eventual consistency in real time.
pub(super) fn allowed_in_time(
    operations: &[&Operation],
    datatype: &dyn Datatype,
    undone: &Undone<'_>,
) -> Option<bool> {
    let Model::Grid(eventual) = Model::EVENTUAL else { unreachable!("it is in the grid") };
    let fate = Fate { timed: true, ..Fate::new(operations, datatype, undone, &|_| false) };
    (fate.updates.len() * fate.readers.len() <= PAIRS_MAX).then(|| fate.allowed(eventual))
}

struct Fate<'a> {
    operations: &'a [&'a Operation],
    datatype: &'a dyn Datatype,
    /// What is taken back anywhere in the history.
    undone: &'a Undone<'a>,
    excused: &'a dyn Fn(&Operation) -> bool,
    updates: Vec<usize>,
    readers: Vec<usize>,
    arbitrations: Vec<Vec<usize>>,
    /// Whether arbitration extends real time, session order and visibility.
    timed: bool,
}

/// Which updates each operation sees: `vis[reader][update]`.
type Visibility = Vec<Vec<bool>>;

impl<'a> Fate<'a> {
    fn new(
        operations: &'a [&'a Operation],
        datatype: &'a dyn Datatype,
        undone: &'a Undone<'a>,
        excused: &'a dyn Fn(&Operation) -> bool,
    ) -> Self {
        let all = || 0..operations.len();
        let updates: Vec<_> = all().filter(|at| updates(operations[*at], datatype)).collect();
        let readers: Vec<_> = all().filter(|at| reads(operations[*at], datatype)).collect();
        Fate {
            operations,
            datatype,
            undone,
            excused,
            updates,
            readers,
            arbitrations: Vec::new(),
            timed: false,
        }
    }

    fn so(&self, a: usize, b: usize) -> bool {
        a < b && self.operations[a].process == self.operations[b].process
    }

    fn allowed(mut self, grid: Grid) -> bool {
        if !self.agree() {
            return false;
        }
        let mut arbitrations = Vec::new();
        let mut updates = self.updates.clone();
        permutations(&mut updates, 0, &mut |order| arbitrations.push(order.to_vec()));
        self.arbitrations = arbitrations;
        // Who sees itself, or what its session does later, is on a cycle: not worth a try.
        let pairs: Vec<(usize, usize)> = (self.readers.iter())
            .flat_map(|&reader| self.updates.iter().map(move |&update| (reader, update)))
            .filter(|&(reader, update)| reader != update && !self.so(reader, update))
            .collect();
        let n = self.operations.len();
        let mut vis = vec![vec![false; n]; n];
        (0_u32..1 << pairs.len()).any(|bits| {
            for (at, &(reader, update)) in pairs.iter().enumerate() {
                vis[reader][update] = bits >> at & 1 == 1;
            }
            self.visibility_axioms(grid, &vis) && self.acyclic(&vis) && self.arbitrated(grid, &vis)
        })
    }

    /// Whether answers of the object of an operation list its updates in order.
    fn is_listed(&self, at: usize) -> bool {
        self.datatype.arbitration(&self.operations[at].call.key) == Arbitration::Listed
    }

    /// Whether the answers of each object can be true together.
    fn agree(&self) -> bool {
        let told = |of: &&Operation| {
            let own = self.operations.iter().filter(|op| op.call.key == of.call.key);
            let told = own.filter_map(|op| match &op.completion {
                Completion::Ok(answer) if self.datatype.answers(&op.call, Some(answer)) => {
                    Some((&op.call, answer))
                }
                _ => None,
            });
            self.datatype.agree(&told.collect::<Vec<_>>(), self.undone.parts(&of.call.key))
        };
        self.operations.iter().all(told)
    }

    fn extends_time_and_causes(&self, vis: &Visibility, ar: &[usize]) -> bool {
        let place = |at: usize| ar.iter().position(|other| *other == at);
        let older = |a: usize, b: usize| place(a).zip(place(b)).is_some_and(|(a, b)| a < b);
        let in_time = |a: usize, b: usize| self.operations[a].returns_before(self.operations[b]);
        let against = |&a: &usize| ar.iter().any(|&b| older(a, b) && in_time(b, a));
        !ar.iter().any(against) && self.no_cycle(&|a, b| vis[b][a] || older(a, b))
    }

    fn acyclic(&self, vis: &Visibility) -> bool {
        self.no_cycle(&|a, b| vis[b][a])
    }

    /// Whether session order and this relation have no cycle.
    fn no_cycle(&self, relation: &dyn Fn(usize, usize) -> bool) -> bool {
        let n = self.operations.len();
        let row = |a| (0..n).map(|b| self.so(a, b) || relation(a, b)).collect();
        let mut reach: Vec<Vec<bool>> = (0..n).map(row).collect();
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
        let (updates, readers) = (&self.updates, &self.readers);
        for &r in readers {
            for &u in updates {
                if vis[r][u] || r == u {
                    continue;
                }
                let ryw = grid.asks(Guarantees::RYW) && self.so(u, r);
                let mr = grid.asks(Guarantees::MR)
                    && readers.iter().any(|&earlier| self.so(earlier, r) && vis[earlier][u]);
                let mw = grid.asks(Guarantees::MW)
                    && updates.iter().any(|&later| self.so(u, later) && vis[r][later]);
                let wfr = grid.asks(Guarantees::WFR)
                    && readers.iter().any(|&by| {
                        let follows = |next: usize| by == next || self.so(by, next);
                        vis[by][u] && updates.iter().any(|&next| follows(next) && vis[r][next])
                    });
                let last = grid.eventual
                    && self.operations[r].final_read
                    && !(self.excused)(self.operations[u]);
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
                    && (!self.timed || self.extends_time_and_causes(vis, ar))
                    && reads.iter().all(|&read| self.explained(read, vis, ar))
            })
        };
        match grid.scope {
            Scope::Global => explains(&self.readers),
            Scope::Session => self.readers.iter().all(|&read| {
                let process = |at: usize| self.operations[at].process;
                let of_session = |r: &usize| process(*r) == process(read) || self.is_listed(*r);
                let session: Vec<_> = self.readers.iter().copied().filter(of_session).collect();
                explains(&session)
            }),
            Scope::Read => self.readers.iter().all(|&read| {
                let with = |r: &usize| *r == read || self.is_listed(*r);
                explains(&self.readers.iter().copied().filter(with).collect::<Vec<_>>())
            }),
        }
    }

    fn arbitration_axioms(&self, grid: Grid, vis: &Visibility, ar: &[usize]) -> bool {
        ar.iter().enumerate().all(|(rank, &newer)| {
            // What is not older than `newer`, `newer` included.
            ar[rank..].iter().all(|&other| {
                let follows = |read: usize| read == newer || self.so(read, newer);
                let listed = self.is_listed(newer);
                let mw = (grid.asks(Guarantees::MW) || listed) && self.so(other, newer);
                let wfr = (grid.asks(Guarantees::WFR) || listed)
                    && self.readers.iter().any(|&read| vis[read][other] && follows(read));
                !mw && !wfr
            })
        })
    }

    /// Whether an operation could answer what it did; what was not answered
    /// could.
    fn explained(&self, read: usize, vis: &Visibility, ar: &[usize]) -> bool {
        let reader = self.operations[read];
        let Completion::Ok(answer) = &reader.completion else { return true };
        if !self.datatype.answers(&reader.call, Some(answer)) {
            return true;
        }
        let seen = |u: &usize| vis[read][*u] && self.operations[*u].call.key == reader.call.key;
        let places: Vec<usize> = ar.iter().copied().filter(seen).collect();
        let saw = |one: usize, other: usize| vis[places[one]][places[other]];
        let calls = places.iter().map(|&u| &self.operations[u].call).collect();
        let merged = self.datatype.merged(&reader.call, &Context::new(calls, &saw));
        self.datatype.normal(&reader.call, answer)
            == merged.expect("the type gives concurrent updates a meaning")
    }
}

/// Whether an operation changes its object, if it happens.
fn updates(operation: &Operation, datatype: &dyn Datatype) -> bool {
    let answer = match &operation.completion {
        Completion::Ok(answer) => Some(answer),
        Completion::Info | Completion::Fail => None,
    };
    !datatype.only_reads(&operation.call, answer)
}

/// Whether it matters what an operation sees.
fn reads(operation: &Operation, datatype: &dyn Datatype) -> bool {
    let answered = match &operation.completion {
        Completion::Ok(answer) => datatype.answers(&operation.call, Some(answer)),
        Completion::Info | Completion::Fail => false,
    };
    answered || (updates(operation, datatype) && datatype.depends(&operation.call))
}
