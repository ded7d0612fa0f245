//! Linearizability of registers: is there an order of all operations that
//! keeps real time and in which every read answers the last write?
//!
//! The search of Wing and Gong (1993) with the memory of visited positions of
//! Lowe (2017), key by key, since linearizability is local (Herlihy and Wing
//! 1990). It also decides where values repeat; a write of unknown outcome may
//! be placed anywhere after its invocation, or nowhere. Two shortcuts cut
//! nothing off: a read that can be placed and answers what the register holds
//! is placed at once (it changes nothing), and a value is not overwritten while
//! reads of it are left that nothing could answer any more.
//!
//! Besides returns-before the order keeps session order. They differ only if
//! an operation returns at the very instant at which its process invokes the
//! next; such a history is not local and is searched as a whole.
//!
//! Exponential in the number of overlapping writes in the worst case (the
//! problem is NP-complete, Gibbons and Korach 1997), then Unknown; in practice
//! about O(n) configurations for n operations. Knows no visibility.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashSet;

use super::super::verdict::{Budget, Counterexample, Kind, Reason, Unknown, Verdict, Witness};
use super::view::{Item, Source, View};
use super::{Meter, grid, minimise};
use crate::history::History;

/// Judges by linearizability.
pub(super) fn check(history: &History, budget: Budget) -> Verdict {
    let mut meter = Meter::new(budget);
    let view = View::of(history);
    match decide(history, &view, &mut meter) {
        Decision::Linear(order) => Verdict::Holds(Witness::Linear(order)),
        Decision::Unknown => Verdict::Unknown(Unknown {
            reason: "the budget ended before all orders were tried".to_owned(),
            spent: meter.spent(),
        }),
        Decision::None(part) => Verdict::Violated(counterexample(history, part, budget)),
    }
}

enum Decision {
    /// An order, by position in the history.
    Linear(Vec<usize>),
    /// There is none; the operations of one key already have none.
    None(Vec<usize>),
    Unknown,
}

fn counterexample(history: &History, part: Vec<usize>, budget: Budget) -> Counterexample {
    if let Some(illegal) = grid::illegal(history, &View::of(history), budget) {
        return illegal;
    }
    let mut meter = Meter::new(budget);
    let (operations, minimal) = minimise::minimise(history, part, |part| {
        match decide(history, &View::of_part(history, part), &mut meter) {
            Decision::None(_) => Some(true),
            Decision::Linear(_) => Some(false),
            Decision::Unknown => None,
        }
    });
    // Where the whole was too much for the first question, the part may not be.
    if let Some(illegal) = grid::illegal(history, &View::of_part(history, &operations), budget) {
        return illegal;
    }
    Counterexample { kind: Kind::Unexplained, operations, minimal, reason: Reason::NoOrder }
}

fn decide(history: &History, view: &View, meter: &mut Meter) -> Decision {
    let mut orders = Vec::new();
    for group in groups(history, view) {
        let part = || group.iter().map(|item| item.at).collect();
        if group.iter().any(|item| item.write.is_none() && view.sources(item).is_empty()) {
            return Decision::None(part());
        }
        match Search::of(history, view, &group).run(meter) {
            Outcome::Order(order) => orders.push(order),
            Outcome::NoOrder => return Decision::None(part()),
            Outcome::Spent => return Decision::Unknown,
        }
    }
    Decision::Linear(merged(history, &orders))
}

/// The operations of each key; all in one where session order is not part of
/// returns-before.
fn groups(history: &History, view: &View) -> Vec<Vec<Item>> {
    let local = is_local(history, view);
    let mut groups = vec![Vec::new(); if local { view.keys } else { 1 }];
    for item in &view.items {
        groups[if local { item.key as usize } else { 0 }].push(*item);
    }
    groups
}

fn is_local(history: &History, view: &View) -> bool {
    let operations = history.operations();
    let mut last: Vec<Option<usize>> = vec![None; view.sessions];
    view.items.iter().all(|item| {
        let before = last[item.session as usize].replace(item.at);
        before.is_none_or(|before| operations[before].returns_before(&operations[item.at]))
    })
}

/// One order from the orders of the keys: always the operation that was
/// invoked first among the next of each key. That one never has to wait: if it
/// came after the return of some operation left, so would what precedes that
/// operation in its key's order, which keeps real time.
fn merged(history: &History, orders: &[Vec<usize>]) -> Vec<usize> {
    let head = |key: usize, next: usize| {
        let at = *orders[key].get(next)?;
        Some(Reverse((history.operations()[at].invoked, at, key, next)))
    };
    let mut heads: BinaryHeap<_> = (0..orders.len()).filter_map(|key| head(key, 0)).collect();
    let mut whole = Vec::with_capacity(orders.iter().map(Vec::len).sum());
    while let Some(Reverse((_, at, key, next))) = heads.pop() {
        whole.push(at);
        heads.extend(head(key, next + 1));
    }
    whole
}

/// What a key holds that no read in question answered.
const UNREAD: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Op {
    at: usize,
    session: u32,
    key: u32,
    /// The value, by number.
    value: u32,
    write: bool,
    invoked: u64,
    /// When it returned; `u64::MAX` if nobody knows.
    returned: u64,
}

enum Outcome {
    Order(Vec<usize>),
    NoOrder,
    Spent,
}

/// A placed operation, with what it takes to undo it.
struct Frame {
    op: usize,
    /// What the key held before.
    held: u32,
    /// Where the alternatives to it begin.
    base: usize,
}

/// A position of the search: the first operation that is not placed, which of
/// the later ones are, and what the keys hold.
type Position = (u32, Box<[u64]>, Box<[u32]>);

struct Search {
    /// Those that must be placed, in order of invocation; then those that may be.
    ops: Vec<Op>,
    /// How many must be placed.
    required: usize,
    /// How many of those are left.
    left: usize,
    /// The required ones that are not placed, as a ring through `required`.
    next: Vec<u32>,
    previous: Vec<u32>,
    placed: Vec<u64>,
    /// What each key holds.
    held: Vec<u32>,
    /// By value: reads, and writes, that are left.
    unread: Vec<u32>,
    unwritten: Vec<u32>,
    frames: Vec<Frame>,
    choices: Vec<u32>,
    visited: FxHashSet<Position>,
}

impl Search {
    fn of(history: &History, view: &View, group: &[Item]) -> Search {
        let values = view.values();
        let (mut unread, mut unwritten) = (vec![0; values], vec![0; values]);
        let mut held = vec![UNREAD; view.keys];
        for item in group.iter().filter(|item| item.write.is_none()) {
            unread[item.value() as usize] += 1;
            if view.sources(item).contains(&Source::Initial) {
                held[item.key as usize] = item.value();
            }
        }
        let op = |item: &Item| {
            let operation = &history.operations()[item.at];
            Op {
                at: item.at,
                session: item.session,
                key: item.key,
                value: item.value(),
                write: item.write.is_some(),
                invoked: operation.invoked,
                returned: operation.returned.unwrap_or(u64::MAX),
            }
        };
        let mut ops: Vec<Op> = group.iter().filter(|item| !item.pending).map(op).collect();
        let required = ops.len();
        // A write of unknown outcome that nobody read changes nothing by not happening.
        let read = |item: &&Item| item.pending && unread[item.value() as usize] > 0;
        ops.extend(group.iter().filter(read).map(op));
        for op in ops.iter().filter(|op| op.write) {
            unwritten[op.value as usize] += 1;
        }
        let ring = required as u32 + 1;
        Search {
            required,
            left: required,
            next: (0..ring).map(|at| (at + 1) % ring).collect(),
            previous: (0..ring).map(|at| (at + ring - 1) % ring).collect(),
            placed: vec![0; ops.len().div_ceil(64)],
            ops,
            held,
            unread,
            unwritten,
            frames: Vec::new(),
            choices: Vec::new(),
            visited: FxHashSet::default(),
        }
    }

    fn run(mut self, meter: &mut Meter) -> Outcome {
        while self.left > 0 {
            let mut base = self.choices.len();
            if let Some(read) = self.look() {
                self.choices.truncate(base);
                self.place(read, base);
                continue;
            }
            loop {
                match self.choose(base, meter) {
                    None => return Outcome::Spent,
                    Some(true) => break,
                    Some(false) => {}
                }
                match self.undo() {
                    Some(earlier) => base = earlier,
                    None => return Outcome::NoOrder,
                }
            }
        }
        Outcome::Order(self.frames.iter().map(|frame| self.ops[frame.op].at).collect())
    }

    /// A read that can be placed at once; if there is none, the writes that can
    /// be placed are now choices, the best last.
    fn look(&mut self) -> Option<usize> {
        let base = self.choices.len();
        let mut deadline = u64::MAX;
        let mut waiting = Vec::new();
        let mut at = self.next[self.required] as usize;
        while at != self.required && self.ops[at].invoked <= deadline {
            let op = self.ops[at];
            deadline = deadline.min(op.returned);
            if !waiting.contains(&op.session) {
                if !op.write && self.held[op.key as usize] == op.value {
                    return Some(at);
                }
                if op.write && !self.strands(op) {
                    self.choices.push(at as u32);
                }
            }
            waiting.push(op.session);
            at = self.next[at] as usize;
        }
        for at in self.required..self.ops.len() {
            let op = self.ops[at];
            let placed = self.placed[at / 64] >> (at % 64) & 1 == 1;
            if !placed
                && op.invoked <= deadline
                && !waiting.contains(&op.session)
                && !self.strands(op)
            {
                self.choices.push(at as u32);
            }
        }
        self.choices[base..].reverse();
        None
    }

    /// Whether placing this write leaves reads that nothing can answer.
    fn strands(&self, op: Op) -> bool {
        let held = self.held[op.key as usize];
        held != UNREAD
            && held != op.value
            && self.unread[held as usize] > 0
            && self.unwritten[held as usize] == 0
    }

    /// Places one of the choices from `base` on that leads to a new position.
    fn choose(&mut self, base: usize, meter: &mut Meter) -> Option<bool> {
        while self.choices.len() > base {
            let op = self.choices.pop().expect("there are choices left") as usize;
            self.place(op, base);
            let position = self.position();
            if !meter.spend(1 + position.1.len() as u64 / 8) {
                return None;
            }
            if self.visited.insert(position) {
                return Some(true);
            }
            self.undo();
        }
        Some(false)
    }

    fn position(&self) -> Position {
        let head = self.next[self.required];
        let end = self.placed.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        let start = (head as usize / 64).min(end);
        (head, self.placed[start..end].into(), self.held.as_slice().into())
    }

    fn place(&mut self, at: usize, base: usize) {
        let op = self.ops[at];
        let held = self.held[op.key as usize];
        self.frames.push(Frame { op: at, held, base });
        self.placed[at / 64] |= 1 << (at % 64);
        if at < self.required {
            self.left -= 1;
            let (before, after) = (self.previous[at], self.next[at]);
            self.next[before as usize] = after;
            self.previous[after as usize] = before;
        }
        if op.write {
            self.held[op.key as usize] = op.value;
            self.unwritten[op.value as usize] -= 1;
        } else {
            self.unread[op.value as usize] -= 1;
        }
    }

    /// Takes the last operation back; where the alternatives to it begin.
    fn undo(&mut self) -> Option<usize> {
        let Frame { op: at, held, base } = self.frames.pop()?;
        let op = self.ops[at];
        self.placed[at / 64] &= !(1 << (at % 64));
        if at < self.required {
            self.left += 1;
            let (before, after) = (self.previous[at], self.next[at]);
            self.next[before as usize] = at as u32;
            self.previous[after as usize] = at as u32;
        }
        self.held[op.key as usize] = held;
        if op.write {
            self.unwritten[op.value as usize] += 1;
        } else {
            self.unread[op.value as usize] += 1;
        }
        Some(base)
    }
}
