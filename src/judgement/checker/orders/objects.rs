//! Operations as numbers, and the states of objects as numbers with a memo of the
//! steps between them, for searches over any datatype.
//!
//! Knows no model and no search.

use rustc_hash::FxHashMap;

use crate::history::{Call, Completion, Function, Key, Operation, ProcessId, Value};
use crate::judgement::datatype::Datatype;
use crate::judgement::number::{index, number_of};

/// Stands for no value.
pub(super) const NONE: u32 = u32::MAX;

/// What an order must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement::checker) enum Keep {
    /// Returns-before alone.
    Time,
    /// Returns-before, and the order of sessions.
    RealTime,
    /// The order of sessions.
    Sessions,
    /// The order of sessions, except that reads need not wait for earlier
    /// writes of their session.
    WaitingReads,
}

impl Keep {
    pub(super) fn sees_time(self) -> bool {
        matches!(self, Keep::Time | Keep::RealTime)
    }
}

/// An operation in numbers.
pub(super) struct Op {
    pub(super) at: usize,
    pub(super) session: u32,
    pub(super) key: u32,
    /// Operations of a key with equal calls and answers are of one class.
    pub(super) class: u32,
    /// Operations of one effect do the same where both are possible: those of
    /// one class, or equal calls of a register.
    pub(super) effect: u32,
    /// The value that it finds and the value that it leaves, for registers.
    pub(super) finds: u32,
    pub(super) leaves: u32,
    pub(super) only_reads: bool,
    pub(super) is_read: bool,
    pub(super) invoked: u64,
    /// When it returned; `u64::MAX` if that is unknown or time does not count.
    pub(super) returned: u64,
}

/// The states of objects, numbered, and a memo of the steps between them.
pub(super) struct Objects<'a> {
    pub(super) datatype: &'a dyn Datatype,
    /// The states, each with its key.
    pub(super) states: Vec<(u32, Value)>,
    pub(super) numbers: FxHashMap<(u32, Value), u32>,
    /// One call and answer of each class.
    pub(super) classes: Vec<(&'a Call, Option<&'a Value>)>,
    /// The state that a class leads to from a state; `None` if it is
    /// impossible.
    pub(super) steps: FxHashMap<(u32, u32), Option<u32>>,
}

impl<'a> Objects<'a> {
    pub(super) fn number(&mut self, key: u32, state: Value) -> u32 {
        let state = (key, state);
        let new = number_of(self.states.len());
        match self.numbers.get(&state) {
            Some(number) => *number,
            None => {
                self.numbers.insert(state.clone(), new);
                self.states.push(state);
                new
            }
        }
    }

    pub(super) fn step(&mut self, held: u32, class: u32) -> Option<u32> {
        if let Some(next) = self.steps.get(&(held, class)) {
            return *next;
        }
        let (call, answer) = self.classes[index(class)];
        let (key, state) = &self.states[index(held)];
        let (key, next) = (*key, self.datatype.apply(state, call, answer));
        let next = next.map(|next| self.number(key, next));
        self.steps.insert((held, class), next);
        next
    }
}

/// The value that an operation of a register finds, and the one it leaves.
fn finds_and_leaves<'a>(
    call: &'a Call,
    answer: Option<&'a Value>,
    only_reads: bool,
) -> (Option<&'a Value>, Option<&'a Value>) {
    match (&call.f, &call.argument) {
        (Function::Read, _) => (answer, None),
        (Function::Write, value) => (None, Some(value)),
        (Function::Other(_), Value::List(pair)) if !only_reads && pair.len() == 2 => {
            (answer.map(|_| &pair[0]), Some(&pair[1]))
        }
        _ => (None, None),
    }
}

/// What makes a class: the key, the call, what it answered where that says
/// something, and whether it was answered at all.
type Sort<'a> = (u32, &'a Function, &'a Value, Option<&'a Value>, bool);

/// Gives numbers to sessions, keys, classes, effects and values, in order of
/// appearance.
pub(super) struct Numbers<'a> {
    pub(super) keep: Keep,
    pub(super) is_register: bool,
    pub(super) objects: Objects<'a>,
    /// What each key holds at first.
    pub(super) held: Vec<u32>,
    pub(super) sessions: FxHashMap<ProcessId, u32>,
    pub(super) keys: FxHashMap<&'a Key, u32>,
    pub(super) classes: FxHashMap<Sort<'a>, u32>,
    pub(super) effects: FxHashMap<(u32, &'a Function, &'a Value), u32>,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(datatype: &'a dyn Datatype, keep: Keep) -> Self {
        let objects = Objects {
            datatype,
            states: Vec::new(),
            numbers: FxHashMap::default(),
            classes: Vec::new(),
            steps: FxHashMap::default(),
        };
        Numbers {
            keep,
            is_register: datatype.name() == "register",
            objects,
            held: Vec::new(),
            sessions: FxHashMap::default(),
            keys: FxHashMap::default(),
            classes: FxHashMap::default(),
            effects: FxHashMap::default(),
        }
    }

    /// An operation in numbers; `None` if it cannot matter.
    pub(super) fn op(&mut self, at: usize, operation: &'a Operation) -> Option<Op> {
        let answer = match &operation.completion {
            Completion::Ok(answer) => Some(answer),
            Completion::Info => None,
            Completion::Fail => return None,
        };
        let call = &operation.call;
        let only_reads = self.objects.datatype.only_reads(call, answer);
        if answer.is_none() && only_reads {
            return None;
        }
        let key = self.key(&call.key);
        // The answer of a write carries no information.
        let said = answer.filter(|_| !call.is_write());
        let new = number_of(self.objects.classes.len());
        let sort = (key, &call.f, &call.argument, said, answer.is_some());
        let class = *self.classes.entry(sort).or_insert(new);
        if class == new {
            self.objects.classes.push((call, answer));
        }
        let (mut effect, mut finds, mut leaves) = (class, NONE, NONE);
        if self.is_register {
            effect = *self.effects.entry((key, &call.f, &call.argument)).or_insert(class);
            let values = finds_and_leaves(call, answer, only_reads);
            let mut number = |value: Option<&Value>| {
                value.map_or(NONE, |value| self.objects.number(key, value.clone()))
            };
            (finds, leaves) = (number(values.0), number(values.1));
        }
        let new_session = number_of(self.sessions.len());
        let timed = self.keep.sees_time();
        Some(Op {
            at,
            session: *self.sessions.entry(operation.process).or_insert(new_session),
            key,
            class,
            effect,
            finds,
            leaves,
            only_reads,
            is_read: call.is_read(),
            invoked: if timed { operation.invoked } else { 0 },
            returned: operation.returned.filter(|_| timed).unwrap_or(u64::MAX),
        })
    }

    fn key(&mut self, key: &'a Key) -> u32 {
        let new = number_of(self.keys.len());
        let number = *self.keys.entry(key).or_insert(new);
        if number == new {
            let initial = self.objects.datatype.initial(key);
            self.held.push(self.objects.number(number, initial));
        }
        number
    }
}
