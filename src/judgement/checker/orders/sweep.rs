//! The first instant at which a history of one object stops being linearizable.
//!
//! Goes through invocations and returns in order of time (just-in-time
//! linearization, Lowe 2017) and keeps every *position* in which the object can
//! be: what it holds, which of the operations that are open have taken effect,
//! and which of those of unknown outcome. An operation takes effect at the latest
//! when it returns, and others only before it. Where no position is left, there is
//! no order of what was invoked by then, whatever comes later. So one pass finds
//! the shortest failing beginning, where a search in depth would try all orders of
//! what follows a wrong turn.
//!
//! Six shortcuts skip only what cannot make a difference:
//!
//! 1. An operation that only reads takes effect as soon as its answer is right.
//! 2. A position is dropped if another one holds the same, the same changes have
//!    taken effect and at least the same reads, and it has used no more operations
//!    of unknown outcome: those may still be used, or not.
//! 3. Of several operations that may take effect and do the same, only the one
//!    that returns first does: in an order that has another one here the two can
//!    be exchanged.
//! 4. What the object holds must be able to grow into the next answer, unless
//!    something that overwrites it may come in between.
//! 5. What cannot grow into any answer at all is the same, whatever it is, if nothing
//!    but what replaces it can make a difference.
//! 6. After the last answer that can be wrong, everything can take effect.
//!
//! Each step of the meter is one change that is tried in one position. Up to 64
//! operations may be open at once, and up to 128 of unknown outcome. Finds no
//! order, only that there is none: the two searches are compared by tests. Knows no
//! model.

use rustc_hash::FxHashMap;

use super::objects::{Keep, NONE, Numbers, Objects, Op};
use crate::history::Operation;
use crate::judgement::checker::whole::Meter;
use crate::judgement::datatype::Datatype;
use crate::judgement::number::{index, number_of};

/// How many positions are kept at most.
const POSITIONS_MAX: usize = 1 << 18;

/// What a pass found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement::checker) enum Swept {
    /// There is an order.
    Through,
    /// There is no order of what was invoked when the operation at this position
    /// of the history returned.
    Stuck(usize),
    /// The budget or the memory ended, or too many operations are open at once.
    Spent,
}

/// The operations of one object, prepared to be swept through, whole or in part.
pub(in crate::judgement::checker) struct Sweep<'a> {
    objects: Objects<'a>,
    /// What the object holds at first.
    held: u32,
    /// In order of position.
    ops: Vec<Op>,
    /// Invocations and returns in order of time, by number of the operation.
    events: Vec<Event>,
    /// Whether it grows: some change keeps what was there.
    grows: bool,
    /// The answers that it must grow into, in order of return.
    answers: Vec<u32>,
    /// What overwrites it.
    overwrite: Vec<u32>,
    /// Whether contents that cannot grow into an answer do not differ (shortcut 5).
    merges: bool,
    /// By number of the operation: whether its answer can be wrong.
    telling: Vec<bool>,
}

#[derive(Clone, Copy)]
enum Event {
    Invoked(u32),
    Returned(u32),
}

/// Where the object can be.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Position {
    held: u32,
    /// The open operations that have taken effect, by slot.
    done: u64,
    /// The operations of unknown outcome that have.
    used: u128,
}

impl<'a> Sweep<'a> {
    /// The operations at these positions (ascending), which are of one object.
    pub(in crate::judgement::checker) fn of(
        operations: &'a [Operation],
        part: &[usize],
        datatype: &'a dyn Datatype,
    ) -> Sweep<'a> {
        let mut numbers = Numbers::of(datatype, Keep::Time);
        let ops: Vec<Op> = part.iter().filter_map(|&at| numbers.op(at, &operations[at])).collect();
        let held = numbers.held.first().copied().unwrap_or(NONE);
        assert!(numbers.held.len() <= 1, "the operations are of one object");
        // A return at the instant of an invocation is not before it.
        let mut timed: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * ops.len());
        for (op, number) in ops.iter().zip(0..) {
            timed.push((op.invoked, false, number));
            if op.returned != u64::MAX {
                timed.push((op.returned, true, number));
            }
        }
        timed.sort_unstable();
        let event =
            |(_, returned, op)| if returned { Event::Returned(op) } else { Event::Invoked(op) };
        let events = timed.into_iter().map(event).collect();
        let objects = numbers.objects;
        let mut sweep = Sweep {
            objects,
            held,
            ops,
            events,
            grows: false,
            answers: Vec::new(),
            overwrite: Vec::new(),
            merges: true,
            telling: Vec::new(),
        };
        for (op, number) in sweep.ops.iter().zip(0..) {
            let (call, answer) = sweep.objects.classes[index(op.class)];
            let telling = answer.is_some() && sweep.objects.datatype.answers(call, answer);
            sweep.telling.push(telling);
            if op.only_reads && answer.is_some() {
                sweep.answers.push(number);
            } else if sweep.objects.datatype.overwrites(call) {
                sweep.overwrite.push(number);
                sweep.merges &= !telling && sweep.objects.datatype.replaces(call);
            } else {
                sweep.grows = true;
                sweep.merges &= !telling;
            }
        }
        sweep.answers.sort_by_key(|op| sweep.ops[index(*op)].returned);
        sweep
    }

    /// Sweeps through all operations.
    pub(in crate::judgement::checker) fn all(&mut self, meter: &mut Meter) -> Swept {
        let inside = vec![true; self.ops.len()];
        Pass::of(self, &inside).run(meter)
    }

    /// Sweeps through those at these positions (ascending).
    pub(in crate::judgement::checker) fn part(
        &mut self,
        part: &[usize],
        meter: &mut Meter,
    ) -> Swept {
        let inside: Vec<bool> =
            self.ops.iter().map(|op| part.binary_search(&op.at).is_ok()).collect();
        Pass::of(self, &inside).run(meter)
    }
}

/// Where an operation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Ahead,
    Open,
    Over,
}

/// One pass.
struct Pass<'p, 'a> {
    sweep: &'p mut Sweep<'a>,
    inside: &'p [bool],
    /// Where each operation has its bit: those that return in `done`, the others
    /// in `used`.
    slots: Vec<u32>,
    stages: Vec<Stage>,
    /// The slots that are free.
    free: u64,
    /// The slots of operations that only read.
    reads: u64,
    /// The open operations that return: changes, in order of return, and reads.
    changing: Vec<u32>,
    reading: Vec<u32>,
    /// Those of unknown outcome that were invoked, in order of invocation.
    optional: Vec<u32>,
    /// How many answers belong to operations that have returned.
    answered: usize,
    /// The latest return that was looked at: a position may be dropped because of an
    /// answer that is still to come.
    latest: u32,
    /// A content that cannot grow into any answer to come (shortcut 5).
    astray: Option<u32>,
    positions: Vec<Position>,
    room: Room,
}

/// The positions at an instant: for each content with its changes that have taken
/// effect, which reads have, and which operations of unknown outcome.
#[derive(Default)]
struct Room {
    numbers: FxHashMap<(u32, u64), u32>,
    lists: Vec<Vec<(u64, u128)>>,
}

impl Room {
    fn clear(&mut self) {
        self.numbers.clear();
        self.lists.clear();
    }

    /// Whether no position dominates this one; then it is remembered.
    fn enter(&mut self, position: Position, reads: u64) -> bool {
        let new = number_of(self.lists.len());
        let number = *self.numbers.entry((position.held, position.done & !reads)).or_insert(new);
        if number == new {
            self.lists.push(Vec::new());
        }
        let list = &mut self.lists[index(number)];
        let (read, used) = (position.done & reads, position.used);
        if list.iter().any(|(more, less)| read & !more == 0 && less & !used == 0) {
            return false;
        }
        list.push((read, used));
        true
    }
}

impl<'p, 'a> Pass<'p, 'a> {
    fn of(sweep: &'p mut Sweep<'a>, inside: &'p [bool]) -> Self {
        let start = Position { held: sweep.held, done: 0, used: 0 };
        Pass {
            slots: vec![0; sweep.ops.len()],
            stages: vec![Stage::Ahead; sweep.ops.len()],
            sweep,
            inside,
            free: u64::MAX,
            reads: 0,
            changing: Vec::new(),
            reading: Vec::new(),
            optional: Vec::new(),
            answered: 0,
            latest: NONE,
            astray: None,
            positions: vec![start],
            room: Room::default(),
        }
    }

    fn run(mut self, meter: &mut Meter) -> Swept {
        let ops = self.sweep.ops.iter().zip(&self.sweep.telling).zip(self.inside);
        let last = ops.filter(|((_, telling), inside)| **telling && **inside);
        let last = last.map(|((op, _), _)| op.returned).max().unwrap_or(0);
        for at in 0..self.sweep.events.len() {
            let ended = match self.sweep.events[at] {
                Event::Returned(op) if self.op(op).returned > last => return Swept::Through,
                Event::Invoked(op) if self.inside[index(op)] => self.invoke(op),
                Event::Returned(op) if self.inside[index(op)] => self.end(op, meter),
                _ => None,
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
        Swept::Through
    }

    fn op(&self, op: u32) -> &Op {
        &self.sweep.ops[index(op)]
    }

    /// The bit of an operation that returns.
    fn bit(&self, op: u32) -> u64 {
        1 << self.slots[index(op)]
    }

    fn invoke(&mut self, op: u32) -> Option<Swept> {
        self.stages[index(op)] = Stage::Open;
        if self.op(op).returned == u64::MAX {
            let slot = number_of(self.optional.len());
            self.slots[index(op)] = slot;
            self.optional.push(op);
            return (slot >= u128::BITS).then_some(Swept::Spent);
        }
        let slot = self.free.trailing_zeros();
        if slot == u64::BITS {
            return Some(Swept::Spent);
        }
        self.slots[index(op)] = slot;
        let bit = self.bit(op);
        self.free &= !bit;
        if !self.op(op).only_reads {
            let returned = self.op(op).returned;
            let place = self.changing.partition_point(|other| self.op(*other).returned <= returned);
            self.changing.insert(place, op);
            return None;
        }
        self.reads |= bit;
        self.reading.push(op);
        let class = self.op(op).class;
        for position in &mut self.positions {
            if self.sweep.objects.step(position.held, class).is_some() {
                position.done |= bit;
            }
        }
        None
    }

    /// An operation returns: it must have taken effect.
    fn end(&mut self, op: u32, meter: &mut Meter) -> Option<Swept> {
        let (bit, returned) = (self.bit(op), self.op(op).returned);
        let passed = |answer: &&u32| self.op(**answer).returned < returned;
        self.answered += self.sweep.answers[self.answered..].iter().take_while(passed).count();
        let all = std::mem::take(&mut self.positions);
        let (done, mut open): (Vec<Position>, Vec<Position>) =
            all.into_iter().partition(|position| position.done & bit != 0);
        self.positions = done;
        if !open.is_empty() {
            self.room.clear();
            let (room, reads) = (&mut self.room, self.reads);
            self.positions.retain(|position| room.enter(*position, reads));
            open.sort_unstable_by_key(|position| position.used.count_ones());
            open.retain(|position| room.enter(*position, reads));
            let mut next = 0;
            while let Some(&position) = open.get(next) {
                next += 1;
                let room = open.len() + self.positions.len() <= POSITIONS_MAX;
                if !room || !self.leave(position, bit, &mut open, meter) {
                    return Some(Swept::Spent);
                }
            }
        }
        if self.positions.is_empty() {
            self.look_at(op);
            return Some(Swept::Stuck(self.op(self.latest).at));
        }
        self.positions.iter_mut().for_each(|position| position.done &= !bit);
        self.stages[index(op)] = Stage::Over;
        self.free |= bit;
        self.reads &= !bit;
        self.changing.retain(|other| *other != op);
        self.reading.retain(|other| *other != op);
        None
    }

    /// Lets one more change take effect in a position, in every way. Where the
    /// operation with this bit has taken effect, the position is kept, else it stays
    /// open. False if the budget ended.
    fn leave(
        &mut self,
        from: Position,
        bit: u64,
        open: &mut Vec<Position>,
        meter: &mut Meter,
    ) -> bool {
        let mut tried: Vec<u32> = Vec::new();
        let changes = self.changing.len();
        for nth in 0..changes + self.optional.len() {
            let op = match nth.checked_sub(changes) {
                None => self.changing[nth],
                Some(nth) => self.optional[nth],
            };
            let (class, effect) = (self.op(op).class, self.op(op).effect);
            let slot = self.slots[index(op)];
            let mut next = from;
            let taken = match nth < changes {
                true => std::mem::replace(&mut next.done, from.done | 1 << slot) & 1 << slot != 0,
                false => std::mem::replace(&mut next.used, from.used | 1 << slot) & 1 << slot != 0,
            };
            // Changes come in order of return, so the first of an effect returns first.
            if taken || tried.contains(&effect) {
                continue;
            }
            tried.push(effect);
            if !meter.spend(1) {
                return false;
            }
            let Some(held) = self.sweep.objects.step(from.held, class) else { continue };
            // An operation of unknown outcome that changes nothing need not happen.
            if held == from.held && nth >= changes {
                continue;
            }
            next.held = held;
            self.read(&mut next);
            if self.is_hopeless(&mut next) || !self.room.enter(next, self.reads) {
                continue;
            }
            match next.done & bit != 0 {
                true => self.positions.push(next),
                false => open.push(next),
            }
        }
        true
    }

    /// Lets reads take effect whose answers are right.
    fn read(&mut self, position: &mut Position) {
        for nth in 0..self.reading.len() {
            let op = self.reading[nth];
            let class = self.op(op).class;
            if self.sweep.objects.step(position.held, class).is_some() {
                position.done |= self.bit(op);
            }
        }
    }

    /// Notes that what was found rests on the return of this operation.
    fn look_at(&mut self, op: u32) {
        if self.latest == NONE || self.op(self.latest).returned < self.op(op).returned {
            self.latest = op;
        }
    }

    /// Whether what the object holds can never become its next answer.
    fn is_hopeless(&mut self, position: &mut Position) -> bool {
        if !self.sweep.grows {
            return false;
        }
        let unread = |op: &&u32| {
            self.inside[index(**op)]
                && match self.stages[index(**op)] {
                    Stage::Ahead => true,
                    Stage::Open => position.done & self.bit(**op) == 0,
                    Stage::Over => false,
                }
        };
        let Some(&next) = self.sweep.answers[self.answered..].iter().find(unread) else {
            return false;
        };
        let returned = self.op(next).returned;
        let may_come = |op: &u32| {
            self.inside[index(*op)]
                && self.op(*op).invoked <= returned
                && self.is_left(*op, position)
        };
        if self.sweep.overwrite.iter().any(may_come) {
            if self.sweep.merges && self.is_astray(position.held) {
                position.held = *self.astray.get_or_insert(position.held);
            }
            return false;
        }
        let hopeless = !self.grows_to(position.held, next);
        if hopeless {
            self.look_at(next);
        }
        hopeless
    }

    /// Whether this content cannot grow into any answer to come, whoever waits for it.
    fn is_astray(&self, held: u32) -> bool {
        let mut answers = self.sweep.answers[self.answered..]
            .iter()
            .filter(|op| self.inside[index(**op)] && self.stages[index(**op)] != Stage::Over);
        self.astray == Some(held) || !answers.any(|op| self.grows_to(held, *op))
    }

    fn grows_to(&self, held: u32, answer: u32) -> bool {
        let (_, held) = &self.sweep.objects.states[index(held)];
        let (call, answer) = self.sweep.objects.classes[index(self.op(answer).class)];
        let answer = answer.expect("it was answered");
        self.sweep.objects.datatype.grows_to(call, held, answer)
    }

    /// Whether a change has not taken effect yet, and still may.
    fn is_left(&self, op: u32, position: &Position) -> bool {
        let slot = self.slots[index(op)];
        match self.stages[index(op)] {
            Stage::Ahead => true,
            Stage::Open if self.op(op).returned == u64::MAX => position.used & 1 << slot == 0,
            Stage::Open => position.done & 1 << slot == 0,
            Stage::Over => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Builder, Call, Completion, Event, Function, History, ProcessId, Value};
    use crate::judgement::Budget;
    use crate::judgement::datatype::{Counter, Queue, Register, Set, Text};
    use crate::judgement::lot::Lot;

    /// What is asked of one object, and what may be answered.
    struct Talk {
        datatype: &'static dyn Datatype,
        calls: Vec<Call>,
        answers: Vec<Value>,
    }

    fn call(f: &str, argument: impl Into<Value>) -> Call {
        Call { f: Function::named(f), key: "x".into(), argument: argument.into() }
    }

    fn list(numbers: &[i64]) -> Value {
        numbers.iter().copied().map(Value::from).collect::<Vec<_>>().into()
    }

    fn talks() -> [Talk; 5] {
        let texts = ["", "a", "b", "ab", "ba", "aa", "aab"].map(Value::from).to_vec();
        let numbers = |all: std::ops::Range<i64>| all.map(Value::from);
        let register = [
            call("write", 1),
            call("write", 2),
            call("cas", list(&[1, 2])),
            call("cas", list(&[2, 1])),
            call("read", ()),
        ];
        let set = [call("add", 1), call("add", 2), call("remove", 1), call("add-if-absent", 1)];
        let counter = [call("add", 1), call("add-and-get", 1), call("get-and-add", 2)];
        let queue = [call("enqueue", 1), call("enqueue", 2), call("dequeue", ())];
        let text = [call("put", "a"), call("append", "a"), call("append", "b"), call("get", ())];
        [
            Talk {
                datatype: &Register,
                calls: register.into(),
                answers: numbers(1..3).chain(["mismatch".into(), Value::Null]).collect(),
            },
            Talk {
                datatype: &Set,
                calls: set.into_iter().chain([call("read", ())]).collect(),
                answers: [list(&[]), list(&[1]), list(&[2]), list(&[1, 2]), Value::Null]
                    .into_iter()
                    .chain(numbers(0..2))
                    .collect(),
            },
            Talk {
                datatype: &Counter,
                calls: counter.into_iter().chain([call("read", ())]).collect(),
                answers: numbers(0..6).chain([Value::Null]).collect(),
            },
            Talk {
                datatype: &Queue,
                calls: queue.into(),
                answers: numbers(1..3).chain([Value::Null]).collect(),
            },
            Talk { datatype: &Text, calls: text.into(), answers: texts },
        ]
    }

    /// Some operations that overlap. Most answers are right at the moment at which they
    /// are given; some operations never return.
    fn history(talk: &Talk, lot: &mut Lot) -> History {
        let mut events = Builder::new();
        let mut held = talk.datatype.initial(&"x".into());
        // The call of each process; and what the object held when it took effect.
        let mut open: Vec<Option<(Call, Option<Value>)>> = vec![None; 5];
        let mut ended = [false; 5];
        for time in 0..8 + lot.draw(14) {
            let process = lot.index(5);
            let id = ProcessId(number_of(process));
            match open[process].take() {
                _ if ended[process] => {}
                None => {
                    let call = talk.calls[lot.index(talk.calls.len() as u64)].clone();
                    events.event(Event::invoke(id, time, call.clone())).expect("it is idle");
                    open[process] = Some((call, None));
                }
                Some((call, None)) => {
                    let before = held.clone();
                    held = talk.datatype.apply(&held, &call, None).unwrap_or(held);
                    open[process] = Some((call, Some(before)));
                }
                Some((call, Some(before))) => {
                    let right = |answer: &&Value| {
                        let known = talk.datatype.knows(&call, Some(answer));
                        known && talk.datatype.apply(&before, &call, Some(answer)).is_some()
                    };
                    let right = talk.answers.iter().find(right).cloned();
                    let any = &talk.answers[lot.index(talk.answers.len() as u64)];
                    let any = talk.datatype.knows(&call, Some(any)).then(|| any.clone());
                    let answer = if lot.draw(6) == 0 { any.or(right) } else { right.or(any) };
                    let event = match answer.filter(|_| lot.draw(5) > 0) {
                        Some(answer) => Event::ok(id, time, answer),
                        None => Event::info(id, time),
                    };
                    ended[process] = matches!(event.what, crate::history::What::Info);
                    events.event(event).expect("it is open");
                }
            }
        }
        events.finish()
    }

    /// Whether some order of what was invoked by an instant, and answers what it did,
    /// has all that had returned by then: tries them all.
    fn is_ordered(history: &History, datatype: &dyn Datatype, until: u64) -> bool {
        let all = history.operations().iter().filter(|op| op.invoked <= until);
        let all = all.filter(|op| op.completion != Completion::Fail);
        let all: Vec<&Operation> = all.collect();
        let is_done = |op: &Operation| op.returned.is_some_and(|returned| returned <= until);
        fn any(
            left: Vec<&Operation>,
            held: &Value,
            datatype: &dyn Datatype,
            is_done: &dyn Fn(&Operation) -> bool,
        ) -> bool {
            if !left.iter().any(|op| is_done(op)) {
                return true;
            }
            (0..left.len()).any(|at| {
                let mut rest = left.clone();
                let next = rest.remove(at);
                let answer = match &next.completion {
                    Completion::Ok(answer) => Some(answer),
                    Completion::Info | Completion::Fail => None,
                };
                let may = !rest.iter().any(|op| is_done(op) && op.returns_before(next));
                let then = may.then(|| datatype.apply(held, &next.call, answer)).flatten();
                then.is_some_and(|held| any(rest, &held, datatype, is_done))
            })
        }
        any(all, &datatype.initial(&"x".into()), datatype, &is_done)
    }

    #[test]
    fn a_sweep_is_stuck_where_no_order_is_left_and_nowhere_else() {
        let mut lot = Lot(31);
        for talk in talks() {
            let (mut stuck, mut through) = (0, 0);
            for _ in 0..6_000 {
                let history = history(&talk, &mut lot);
                let part: Vec<usize> = (0..history.len()).collect();
                if history.len() > 8 || part.is_empty() {
                    continue;
                }
                let text = || crate::history::notation::write(&history);
                let mut sweep = Sweep::of(history.operations(), &part, talk.datatype);
                let ordered = is_ordered(&history, talk.datatype, u64::MAX - 1);
                match sweep.all(&mut Meter::new(Budget::default())) {
                    Swept::Through => {
                        assert!(ordered, "{} passes", text());
                        through += 1;
                    }
                    Swept::Stuck(at) => {
                        let until = history.operations()[at].returned.expect("it returned");
                        assert!(!ordered, "{} is stuck", text());
                        assert!(!is_ordered(&history, talk.datatype, until), "{}: {at}", text());
                        stuck += 1;
                    }
                    Swept::Spent => panic!("{}: the budget is large", text()),
                }
            }
            let name = talk.datatype.name();
            assert!(stuck > 50 && through > 50, "{name}: {stuck} stuck, {through} through");
        }
    }
}
