//! Is there an order of some operations that a sequential object explains?
//!
//! The search of Wing and Gong (1993) with Lowe's memo of visited positions
//! (2017), for any datatype. What an order must keep is a parameter: real time
//! and the order of sessions, the order of sessions alone, or that order except
//! that a read need not wait for earlier writes of its session. An operation of
//! unknown outcome may be placed anywhere after its invocation, or nowhere.
//!
//! Five shortcuts skip only what cannot make a difference:
//!
//! 1. An operation that can be placed, must be placed and only reads is placed
//!    at once: all that may follow without it may also follow it.
//! 2. So operations that only read are not tried as alternatives to each other.
//! 3. A value of a register is not overwritten while there are unplaced reads
//!    of it and no unplaced write of it: nothing could answer those reads any
//!    more.
//! 4. If time counts, of several operations that can be placed and have the
//!    same effect, only the one that returned first is tried. In an order that
//!    has another one here the two can be exchanged: what is between them was
//!    invoked before the first of them returned, hence before the other did.
//! 5. What an object holds must be able to grow into its next answer, unless an
//!    operation that overwrites the object may come in between.
//!
//! Exponential in the worst case (the problem is NP-complete, Gibbons and
//! Korach 1997), where the meter ends it; in practice it visits about as many
//! positions as there are operations. Knows no model by name.

use rustc_hash::FxHashSet;

use super::objects::{Keep, NONE, Numbers, Objects, Op};
use crate::history::{Completion, Operation};
use crate::judgement::checker::whole::Meter;
use crate::judgement::datatype::Datatype;
use crate::judgement::number::{count, index, number_of};

/// How many bytes of visited positions are kept at most.
const BYTES_MAX: usize = 640 << 20;

/// The result of a search.
#[derive(Debug)]
pub(in crate::judgement::checker) enum Found {
    /// An order, by position in the history.
    Order(Vec<usize>),
    /// There is none.
    NoOrder,
    /// The budget, or the memory for visited positions, ended.
    Spent,
}

/// A placed operation, with what it takes to undo it.
struct Frame {
    op: u32,
    /// What its key held before.
    held: u32,
    /// Where the alternatives to it begin in `choices`.
    base: usize,
}

/// Looks for an order of these operations, given by position.
pub(in crate::judgement::checker) fn search(
    operations: &[Operation],
    part: &[usize],
    datatype: &dyn Datatype,
    keep: Keep,
    meter: &mut Meter,
) -> Found {
    Search::of(operations, part, datatype, keep).run(meter)
}

struct Search<'a> {
    objects: Objects<'a>,
    keep: Keep,
    /// Those that must be placed, in order of invocation; then those that may be.
    ops: Vec<Op>,
    /// By key: the answers that what it holds must grow into (shortcut 5).
    growing: Vec<Growing>,
    /// How many must be placed.
    required: usize,
    /// How many of those are left.
    left: usize,
    /// The required ones that are not placed, as a circular list whose head is
    /// `required`.
    next: Vec<u32>,
    previous: Vec<u32>,
    /// The placed operations, as bits; the optional ones begin at a word of
    /// their own.
    placed: Vec<u64>,
    /// What each key holds.
    held: Vec<u32>,
    /// By value of a key: how many unplaced operations find it, and leave it.
    unread: Vec<u32>,
    unwritten: Vec<u32>,
    sessions: usize,
    /// How many reads and how many others of each session are placed.
    done: Vec<[u32; 2]>,
    frames: Vec<Frame>,
    choices: Vec<u32>,
    visited: FxHashSet<Box<[u64]>>,
    bytes: usize,
    /// The number of the current call of `look`. Entries with another number
    /// are outdated, so that nothing needs to be cleared.
    look: u64,
    /// By session, with the number of the look: bit 0 if an earlier operation
    /// is unplaced, bit 1 if a read is.
    waiting: Vec<(u64, u8)>,
    /// By effect, with the number of the look: the place in `choices` of the
    /// one that has it.
    tried: Vec<(u64, u32)>,
}

/// The reads of one object that can grow, and what overwrites it; empty if it
/// cannot grow.
#[derive(Default)]
struct Growing {
    answers: Left,
    /// What overwrites it: the required and the optional operations.
    overwrite: [Left; 2],
}

/// Operations in order of invocation, of which those before `from` are placed.
#[derive(Default)]
struct Left {
    ops: Vec<u32>,
    from: usize,
}

impl Left {
    /// The first that is not placed.
    fn first(&mut self, is_placed: impl Fn(usize) -> bool) -> Option<usize> {
        while let Some(op) = self.ops.get(self.from) {
            if !is_placed(index(*op)) {
                return Some(index(*op));
            }
            self.from += 1;
        }
        None
    }

    /// Notes that this one is not placed any more.
    fn take_back(&mut self, op: usize) {
        if let Ok(place) = self.ops.binary_search(&(number_of(op))) {
            self.from = self.from.min(place);
        }
    }
}

impl Growing {
    /// For each key; the first `required` operations must be placed.
    fn of(ops: &[Op], required: usize, keys: usize, objects: &Objects<'_>) -> Vec<Growing> {
        let mut growing: Vec<Growing> = (0..keys).map(|_| Growing::default()).collect();
        let mut grows = vec![false; keys];
        for (at, op) in ops.iter().enumerate() {
            let (key, (call, answer)) = (index(op.key), objects.classes[index(op.class)]);
            if op.only_reads && answer.is_some() {
                growing[key].answers.ops.push(number_of(at));
            } else if objects.datatype.overwrites(call) {
                growing[key].overwrite[usize::from(at >= required)].ops.push(number_of(at));
            } else {
                grows[key] = true;
            }
        }
        for (one, _) in growing.iter_mut().zip(grows).filter(|(_, grows)| !grows) {
            *one = Growing::default();
        }
        growing
    }
}

/// How often each value below `values` occurs.
fn tally(among: impl Iterator<Item = u32>, values: usize) -> Vec<u32> {
    let mut counts = vec![0; values];
    among.filter(|value| *value != NONE).for_each(|value| counts[index(value)] += 1);
    counts
}

impl<'a> Search<'a> {
    fn of(
        operations: &'a [Operation],
        part: &[usize],
        datatype: &'a dyn Datatype,
        keep: Keep,
    ) -> Self {
        let mut numbers = Numbers::of(datatype, keep);
        let (mut required, mut optional) = (Vec::new(), Vec::new());
        for &at in part {
            let answered = matches!(operations[at].completion, Completion::Ok(_));
            let of_sort = if answered { &mut required } else { &mut optional };
            of_sort.extend(numbers.op(at, &operations[at]));
        }
        let Numbers { objects, held, sessions, keys, .. } = numbers;
        let count = required.len();
        let words = count.div_ceil(64) + optional.len().div_ceil(64);
        let effects = objects.classes.len();
        let mut ops = required;
        ops.extend(optional);
        let values = objects.states.len();
        let growing = Growing::of(&ops, count, keys.len(), &objects);
        let unread = tally(ops.iter().map(|op| op.finds), values);
        let unwritten = tally(ops.iter().map(|op| op.leaves), values);
        let ring = number_of(count) + 1;
        Search {
            objects,
            keep,
            growing,
            required: count,
            left: count,
            next: (0..ring).map(|at| (at + 1) % ring).collect(),
            previous: (0..ring).map(|at| (at + ring - 1) % ring).collect(),
            placed: vec![0; words],
            held,
            unread,
            unwritten,
            sessions: sessions.len(),
            done: vec![[0; 2]; sessions.len()],
            ops,
            frames: Vec::new(),
            choices: Vec::new(),
            visited: FxHashSet::default(),
            bytes: 0,
            waiting: vec![(0, 0); sessions.len()],
            tried: vec![(0, 0); effects],
            look: 0,
        }
    }

    fn run(mut self, meter: &mut Meter) -> Found {
        while self.left > 0 {
            let mut base = self.choices.len();
            if let Some(read) = self.look() {
                self.choices.truncate(base);
                let held = self.held[index(self.ops[read].key)];
                self.place(read, base, held);
                continue;
            }
            loop {
                match self.choose(base, meter) {
                    None => return Found::Spent,
                    Some(true) => break,
                    Some(false) => {}
                }
                match self.undo() {
                    Some(earlier) => base = earlier,
                    None => return Found::NoOrder,
                }
            }
        }
        Found::Order(self.frames.iter().map(|frame| self.ops[index(frame.op)].at).collect())
    }

    /// Whether an operation must wait for an unplaced earlier one of its
    /// session.
    fn waits(&self, op: &Op) -> bool {
        let waiting = self.waiting_of(op.session);
        match self.keep {
            Keep::Time => false,
            Keep::WaitingReads if op.is_read => waiting & 2 != 0,
            _ => waiting != 0,
        }
    }

    fn waiting_of(&self, session: u32) -> u8 {
        match self.waiting[index(session)] {
            (look, waiting) if look == self.look => waiting,
            _ => 0,
        }
    }

    /// An operation that can be placed at once (shortcut 1). If there is none,
    /// makes all that can be placed choices; the one to try first is the last.
    fn look(&mut self) -> Option<usize> {
        let base = self.choices.len();
        let mut deadline = u64::MAX;
        self.look += 1;
        let mut blocked = 0;
        let mut at = index(self.next[self.required]);
        while at != self.required && self.ops[at].invoked <= deadline && blocked < self.sessions {
            let op = &self.ops[at];
            deadline = deadline.min(op.returned);
            if !self.waits(op) {
                let held = self.held[index(op.key)];
                let (class, only_reads) = (op.class, op.only_reads);
                let possible = self.objects.step(held, class).is_some();
                if possible && only_reads {
                    return Some(at);
                }
                if possible && !self.strands(&self.ops[at]) {
                    self.offer(at);
                }
            }
            let op = &self.ops[at];
            let before = self.waiting_of(op.session);
            let after = before | if op.is_read { 3 } else { 1 };
            let closed = |waiting: u8| match self.keep {
                Keep::Time => false,
                Keep::WaitingReads => waiting == 3,
                _ => waiting != 0,
            };
            blocked += usize::from(closed(after) && !closed(before));
            self.waiting[index(op.session)] = (self.look, after);
            at = index(self.next[at]);
        }
        self.look_at_optional(deadline);
        self.choices[base..].reverse();
        None
    }

    fn look_at_optional(&mut self, deadline: u64) {
        for at in self.required..self.ops.len() {
            let op = &self.ops[at];
            if op.invoked > deadline {
                break;
            }
            if self.is_placed(at) || self.waits(op) || self.strands(op) {
                continue;
            }
            let (held, class) = (self.held[index(op.key)], op.class);
            // An operation of unknown outcome that changes nothing here need
            // not be placed.
            if self.objects.step(held, class).is_some_and(|next| next != held) {
                self.offer(at);
            }
        }
    }

    /// Makes an operation a choice, unless a choice of the same effect returned
    /// earlier (shortcut 4). Of those of unknown outcome the first invoked
    /// counts.
    fn offer(&mut self, at: usize) {
        let op = &self.ops[at];
        let (look, choice) = self.tried[index(op.effect)];
        if self.keep.sees_time() && look == self.look {
            let other = index(self.choices[index(choice)]);
            let before = self.ops[other].returned;
            if before < op.returned || (before == op.returned && at >= self.required) {
                return;
            }
            if op.returned < before {
                self.choices[index(choice)] = number_of(at);
                return;
            }
        }
        self.tried[index(op.effect)] = (self.look, number_of(self.choices.len()));
        self.choices.push(number_of(at));
    }

    /// The word and the bit of an operation in `placed`.
    fn bit(&self, at: usize) -> (usize, u64) {
        let slot = match at.checked_sub(self.required) {
            None => at,
            Some(optional) => self.required.next_multiple_of(64) + optional,
        };
        (slot / 64, 1 << (slot % 64))
    }

    fn is_placed(&self, at: usize) -> bool {
        let (word, bit) = self.bit(at);
        self.placed[word] & bit != 0
    }

    /// Whether placing this leaves reads that nothing can answer any more
    /// (shortcut 3).
    fn strands(&self, op: &Op) -> bool {
        let held = index(self.held[index(op.key)]);
        op.leaves != NONE
            && index(op.leaves) != held
            && held < self.unread.len()
            && self.unread[held] > u32::from(index(op.finds) == held)
            && self.unwritten[held] == 0
    }

    /// Whether what a key holds can never become its next answer (shortcut 5).
    fn is_hopeless(&mut self, key: usize) -> bool {
        if self.growing[key].answers.ops.is_empty() {
            return false;
        }
        let mut growing = std::mem::take(&mut self.growing[key]);
        let placed = |at: usize| self.is_placed(at);
        let next = growing.answers.first(placed);
        let others = growing.overwrite.each_mut().map(|left| left.first(placed));
        self.growing[key] = growing;
        let Some(next) = next else { return false };
        let before = |other: &usize| self.ops[*other].invoked <= self.ops[next].returned;
        let (_, held) = &self.objects.states[index(self.held[key])];
        let (call, answer) = self.objects.classes[index(self.ops[next].class)];
        let answer = answer.expect("it was answered");
        !others.iter().flatten().any(before) && !self.objects.datatype.grows_to(call, held, answer)
    }

    /// Places one of the choices from `base` on that leads to a new position.
    /// False if none does; `None` if the budget or the memory ended.
    fn choose(&mut self, base: usize, meter: &mut Meter) -> Option<bool> {
        while self.choices.len() > base {
            let op = index(self.choices.pop().expect("there are choices left"));
            let (held, class) = (self.held[index(self.ops[op].key)], self.ops[op].class);
            let next = self.objects.step(held, class).expect("a choice is possible");
            self.place(op, base, next);
            if self.is_hopeless(index(self.ops[op].key)) {
                self.undo();
                if !meter.spend(1) {
                    return None;
                }
                continue;
            }
            let position = self.position();
            self.bytes += position.len() * 8 + 40;
            if self.bytes > BYTES_MAX || !meter.spend(1 + count(position.len()) / 8) {
                return None;
            }
            if self.visited.insert(position) {
                return Some(true);
            }
            self.undo();
        }
        Some(false)
    }

    /// Which operations are placed and what the keys hold, packed.
    fn position(&self) -> Box<[u64]> {
        let held = self.held.chunks(2).map(|pair| {
            u64::from(pair[0]) | pair.get(1).map_or(0, |second| u64::from(*second) << 32)
        });
        if !self.keep.sees_time() {
            let done = self.done.iter().map(|[a, b]| u64::from(*a) | u64::from(*b) << 32);
            return done.chain(held).collect();
        }
        let head = self.next[self.required];
        let (required, optional) = self.placed.split_at(self.required.div_ceil(64));
        let end = |words: &[u64]| words.iter().rposition(|word| *word != 0).map_or(0, |at| at + 1);
        let start = (index(head) / 64).min(end(required));
        let window = &required[start..end(required)];
        let first = u64::from(head) | (count(window.len())) << 32;
        let optional = &optional[..end(optional)];
        let words = window.iter().chain(optional).copied();
        std::iter::once(first).chain(words).chain(held).collect()
    }

    /// Flips whether an operation counts as placed.
    fn set(&mut self, at: usize) {
        let (word, bit) = self.bit(at);
        self.placed[word] ^= bit;
    }

    fn place(&mut self, at: usize, base: usize, next: u32) {
        self.set(at);
        let op = &self.ops[at];
        let held = std::mem::replace(&mut self.held[index(op.key)], next);
        self.frames.push(Frame { op: number_of(at), held, base });
        self.done[index(op.session)][usize::from(op.is_read)] += 1;
        if at < self.required {
            self.left -= 1;
            let (before, after) = (self.previous[at], self.next[at]);
            self.next[index(before)] = after;
            self.previous[index(after)] = before;
        }
        if op.finds != NONE {
            self.unread[index(op.finds)] -= 1;
        }
        if op.leaves != NONE {
            self.unwritten[index(op.leaves)] -= 1;
        }
    }

    /// Takes back the operation placed last. Returns where the alternatives to
    /// it begin; `None` if nothing is placed.
    fn undo(&mut self) -> Option<usize> {
        let Frame { op: at, held, base } = self.frames.pop()?;
        let at = index(at);
        self.set(at);
        let op = &self.ops[at];
        self.done[index(op.session)][usize::from(op.is_read)] -= 1;
        if at < self.required {
            self.left += 1;
            let (before, after) = (self.previous[at], self.next[at]);
            self.next[index(before)] = number_of(at);
            self.previous[index(after)] = number_of(at);
        }
        self.held[index(op.key)] = held;
        if op.finds != NONE {
            self.unread[index(op.finds)] += 1;
        }
        if op.leaves != NONE {
            self.unwritten[index(op.leaves)] += 1;
        }
        let Growing { answers, overwrite: [required, optional] } = &mut self.growing[index(op.key)];
        for left in [answers, required, optional] {
            left.take_back(at);
        }
        Some(base)
    }
}
