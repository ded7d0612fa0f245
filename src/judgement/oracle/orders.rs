//! The models outside the grid: tries every order that the description of a
//! model asks for.

use super::permutations;
use super::search::Legal;
use crate::history::{Completion, History, Key, Operation, ProcessId, Value};
use crate::judgement::datatype::Datatype;
use crate::judgement::model::{Orders, Reads, Shared, Time, Views};

/// Whether a fate of `history` is allowed; `None` past the limit of steps.
pub(super) fn allowed(
    history: &History,
    part: &[usize],
    operations: &[&Operation],
    orders: &Orders,
    datatype: &dyn Datatype,
    steps: &mut u64,
) -> Option<bool> {
    let fate = Fate { history, part, operations, orders, datatype };
    match (orders.reads, orders.views) {
        (Reads::LastOf(_), Views::One) => fate.ordered(steps),
        (Reads::LastOf(_), Views::Key) => all(fate.keys(), |key| {
            let part = fate.part(|op| op.call.key == *key);
            Fate { operations: &part, ..fate }.ordered(steps)
        }),
        (Reads::LastOf(_), Views::Process) => match orders.shared {
            Shared::Nothing => all(fate.processes(), |process| fate.view(process, |_| true, steps)),
            Shared::WritesOfAKey => fate.agreeing(steps),
            Shared::Causes => fate.causal(steps),
        },
        (Reads::LastOf(_), Views::ProcessAndKey) => all(fate.processes(), |process| {
            all(fate.keys(), |key| fate.view(process, |op| op.call.key == *key, steps))
        }),
        (Reads::Prefix { monotonic, eventual }, _) => Some(fate.prefixes(monotonic, eventual)),
        (_, Views::Read) => {
            Some(fate.reads().all(|read| fate.some_order(&|order| fate.explains(read, order))))
        }
        _ => Some(fate.some_order(&|order| fate.reads().all(|read| fate.explains(read, order)))),
    }
}

/// Whether `each` is true of all; `None` if it does not know of one.
fn all<T>(
    list: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T) -> Option<bool>,
) -> Option<bool> {
    for item in list {
        if !each(item)? {
            return Some(false);
        }
    }
    Some(true)
}

#[derive(Clone, Copy)]
struct Fate<'a> {
    history: &'a History,
    /// The positions that are asked about.
    part: &'a [usize],
    operations: &'a [&'a Operation],
    orders: &'a Orders,
    datatype: &'a dyn Datatype,
}

impl<'a> Fate<'a> {
    fn so(&self, a: usize, b: usize) -> bool {
        a < b && self.operations[a].process == self.operations[b].process
    }

    fn rb(&self, a: usize, b: usize) -> bool {
        self.operations[a].returns_before(self.operations[b])
    }

    /// Whether an order that has both must keep `a` before `b`.
    fn kept(&self, a: usize, b: usize) -> bool {
        let in_time = match self.orders.time {
            Time::Ignored => false,
            Time::ReturnsBefore { reads_earlier } => self.rb_after(a, b, reads_earlier),
            Time::QuietInstants => self.quiet_between(a, b),
        };
        in_time || (self.orders.session && self.so(a, b))
    }

    /// Returns-before once reads are taken to begin `delta` earlier.
    fn rb_after(&self, a: usize, b: usize, delta: u64) -> bool {
        let later = self.operations[b];
        let back = if later.call.is_read() { i128::from(delta) } else { 0 };
        let begins = i128::from(later.invoked) - back;
        self.operations[a].returned.is_some_and(|at| i128::from(at) < begins)
    }

    /// Whether there is an instant after `a` and before `b` at which nothing
    /// is open: one that is just after a return and just before an invocation.
    fn quiet_between(&self, a: usize, b: usize) -> bool {
        let counts = |op: &&Operation| op.completion != Completion::Fail;
        let open = |instant: u64| {
            self.history.operations().iter().filter(counts).any(|op| {
                op.invoked <= instant && op.returned.is_none_or(|returned| returned > instant)
            })
        };
        let Some(from) = self.operations[a].returned else { return false };
        let until = self.operations[b].invoked;
        let ends = self.history.operations().iter().filter_map(|op| op.returned);
        { ends }.any(|end| from <= end && end < until && !open(end))
    }

    fn keys(&self) -> Vec<&'a Key> {
        let mut keys: Vec<_> = self.operations.iter().map(|op| &op.call.key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn processes(&self) -> Vec<ProcessId> {
        let mut all: Vec<_> = self.operations.iter().map(|op| op.process).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.operations.len()).filter(|&at| self.operations[at].answer().is_some())
    }

    fn writes(&self) -> Vec<usize> {
        (0..self.operations.len()).filter(|&at| self.operations[at].call.is_write()).collect()
    }

    fn part(&self, of: impl Fn(&Operation) -> bool) -> Vec<&'a Operation> {
        self.operations.iter().copied().filter(|op| of(op)).collect()
    }

    /// Whether a legal order of all operations keeps what it must.
    fn ordered(&self, steps: &mut u64) -> Option<bool> {
        self.legal(&|a, b| self.kept(a, b), &|_| true, steps)
    }

    /// Whether a legal order of all operations extends `before`, where only the
    /// answers for which `counts` says so must be right.
    fn legal(
        &self,
        before: &dyn Fn(usize, usize) -> bool,
        counts: &dyn Fn(usize) -> bool,
        steps: &mut u64,
    ) -> Option<bool> {
        let Reads::LastOf(last) = self.orders.reads else { return Some(false) };
        let last = usize::try_from(last).unwrap_or(usize::MAX);
        let (operations, datatype) = (self.operations, self.datatype);
        Legal { operations, before, counts, last, datatype }.exist(steps)
    }

    /// Whether the operations of a process and all writes, restricted to `of`,
    /// have an order that is legal for the process.
    fn view(
        &self,
        process: ProcessId,
        of: impl Fn(&Operation) -> bool,
        steps: &mut u64,
    ) -> Option<bool> {
        let part = self.part(|op| of(op) && (op.process == process || op.call.is_write()));
        Fate { operations: &part, ..*self }.ordered(steps)
    }

    /// Whether some partial order that contains what must be kept explains, for
    /// each operation, what is before it.
    fn causal(&self, steps: &mut u64) -> Option<bool> {
        let n = self.operations.len();
        let order: Vec<Vec<bool>> =
            (0..n).map(|a| (0..n).map(|b| self.kept(a, b)).collect()).collect();
        let open: Vec<(usize, usize)> = (0..n)
            .flat_map(|a| (a + 1..n).map(move |b| (a, b)))
            .filter(|&(a, b)| !self.kept(a, b))
            .collect();
        self.causal_orders(order, &open, steps)
    }

    fn causal_orders(
        &self,
        order: Vec<Vec<bool>>,
        open: &[(usize, usize)],
        steps: &mut u64,
    ) -> Option<bool> {
        *steps = steps.checked_sub(1)?;
        let Some((&(a, b), rest)) = open.split_first() else {
            let n = order.len();
            let through = |a: usize, b: usize| (0..n).any(|c| order[a][c] && order[c][b]);
            let transitive = (0..n).all(|a| (0..n).all(|b| !through(a, b) || order[a][b]));
            if !transitive || (0..n).any(|a| order[a][a]) {
                return Some(false);
            }
            return all(0..n, |last| self.past_explained(&order, last, steps));
        };
        for pair in [None, Some((a, b)), Some((b, a))] {
            let mut more = order.clone();
            if let Some((from, to)) = pair {
                more[from][to] = true;
            }
            if self.causal_orders(more, rest, steps)? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn past_explained(&self, order: &[Vec<bool>], last: usize, steps: &mut u64) -> Option<bool> {
        let past: Vec<usize> =
            (0..order.len()).filter(|&at| at == last || order[at][last]).collect();
        let operations: Vec<_> = past.iter().map(|&at| self.operations[at]).collect();
        let before = |a: usize, b: usize| order[past[a]][past[b]];
        let counts = |at: usize| operations[at].process == self.operations[last].process;
        Fate { operations: &operations, ..*self }.legal(&before, &counts, steps)
    }

    /// Whether some order of all writes is such that each process has a legal
    /// order that puts the writes of each key in that order.
    fn agreeing(&self, steps: &mut u64) -> Option<bool> {
        let mut found = Some(false);
        permutations(&mut self.writes(), 0, &mut |order| {
            if found == Some(false) {
                let rank = |at: usize| order.iter().position(|&write| write == at);
                found = all(self.processes(), |process| self.ordered_view(process, &rank, steps));
            }
        });
        found
    }

    fn ordered_view(
        &self,
        process: ProcessId,
        rank: &dyn Fn(usize) -> Option<usize>,
        steps: &mut u64,
    ) -> Option<bool> {
        let seen = |at: &usize| {
            self.operations[*at].process == process || self.operations[*at].call.is_write()
        };
        let part: Vec<usize> = (0..self.operations.len()).filter(seen).collect();
        let operations: Vec<_> = part.iter().map(|&at| self.operations[at]).collect();
        let before = |a: usize, b: usize| {
            let key = operations[a].call.key == operations[b].call.key;
            let writes = operations[a].call.is_write() && operations[b].call.is_write();
            self.kept(part[a], part[b]) || (key && writes && rank(part[a]) < rank(part[b]))
        };
        Fate { operations: &operations, ..*self }.legal(&before, &|_| true, steps)
    }

    /// Whether some order of the writes that keeps what it must satisfies `fits`.
    fn some_order(&self, fits: &dyn Fn(&[usize]) -> bool) -> bool {
        let mut found = false;
        permutations(&mut self.writes(), 0, &mut |order| {
            let keeps =
                |rank: usize| order[rank..].iter().all(|&late| !self.kept(late, order[rank]));
            found = found || ((0..order.len()).all(keeps) && fits(order));
        });
        found
    }

    /// Whether in some order every read sees a prefix that explains it. Only
    /// the shortest such prefix is tried: a longer one only adds causes.
    fn prefixes(&self, monotonic: bool, eventual: bool) -> bool {
        self.some_order(&|order| {
            let mut cuts = vec![0; self.operations.len()];
            self.reads().all(|read| {
                let earlier = (0..read).filter(|&at| monotonic && self.so(at, read));
                let all = eventual && self.operations[read].final_read;
                let seen = earlier.map(|at| cuts[at]).max().unwrap_or(0);
                let least = if all { order.len() } else { seen };
                let cut = (least..=order.len()).find(|&cut| self.answers(read, &order[..cut]));
                cuts[read] = cut.unwrap_or(0);
                cut.is_some()
            }) && self.causes_end(order, &cuts)
        })
    }

    /// Whether `read` answers the last write of its key among these.
    fn answers(&self, read: usize, writes: &[usize]) -> bool {
        let reader = self.operations[read];
        let last = writes.iter().rev().map(|&at| self.operations[at]);
        let last = { last }.find(|op| op.call.key == reader.call.key);
        reader.answer() == Some(last.map_or(&Value::Null, |op| &op.call.argument))
    }

    /// Whether session order and visibility are free of cycles.
    fn causes_end(&self, order: &[usize], cuts: &[usize]) -> bool {
        let n = self.operations.len();
        let sees = |write: usize, read: usize| {
            self.operations[read].answer().is_some() && order[..cuts[read]].contains(&write)
        };
        let mut reach: Vec<Vec<bool>> =
            (0..n).map(|a| (0..n).map(|b| self.so(a, b) || sees(a, b)).collect()).collect();
        for via in 0..n {
            for a in 0..n {
                for b in 0..n {
                    reach[a][b] = reach[a][b] || (reach[a][via] && reach[via][b]);
                }
            }
        }
        (0..n).all(|at| !reach[at][at])
    }

    /// Whether this order of the writes explains a read of a regular register.
    fn explains(&self, read: usize, order: &[usize]) -> bool {
        let excused = self.orders.reads == Reads::RecentUnlessOverlapped && self.overlapped(read);
        excused || self.recent(read, order)
    }

    /// Whether some write that `read` could have answered is not after it, and
    /// newer in this order than all of its key that returned before the read.
    fn recent(&self, read: usize, order: &[usize]) -> bool {
        let reader = self.operations[read];
        let of_key = |at: &&usize| self.operations[**at].call.key == reader.call.key;
        let of_key: Vec<usize> = order.iter().filter(of_key).copied().collect();
        let finished = of_key.iter().rposition(|&at| self.earlier(at, read));
        let sources = of_key.iter().enumerate().filter(|(_, at)| {
            reader.answer() == Some(&self.operations[**at].call.argument)
                && !self.earlier(read, **at)
        });
        { sources }.any(|(rank, _)| finished.is_none_or(|last| last <= rank))
            || (finished.is_none() && reader.answer() == Some(&Value::Null))
    }

    fn earlier(&self, a: usize, b: usize) -> bool {
        self.rb(a, b) || self.so(a, b)
    }

    /// Whether a write of its key is neither before nor after this read.
    fn overlapped(&self, read: usize) -> bool {
        let key = &self.operations[read].call.key;
        let inside = self.writes().into_iter().any(|at| {
            self.operations[at].call.key == *key
                && !self.earlier(at, read)
                && !self.earlier(read, at)
        });
        let reader = self.operations[read];
        let outside = |(at, op): (usize, &Operation)| {
            self.part.binary_search(&at).is_err()
                && op.call.is_write()
                && op.completion != Completion::Fail
                && op.call.key == *key
                && op.process != reader.process
                && !op.returns_before(reader)
                && !reader.returns_before(op)
        };
        inside || self.history.operations().iter().enumerate().any(outside)
    }
}
