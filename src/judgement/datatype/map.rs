//! A map: keys within one object, each of which holds something.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Argument, Call, Item, Key, Menu, Value};

use super::{Arbitration, Context, Counter, Datatype, MvRegister, Register, ReplicatedSet};

/// Holds an object of another type for each key, none at first. Updates are those of
/// that type, with the key before the argument: `write ["a", 1]`, `add ["a", 1]`,
/// `inc ["a"]`. `remove` with a key takes it out, `read` answers a list of pairs of a
/// key and what it holds, in any order.
///
/// Concurrent updates: a key is there if an update of it is visible that no visible
/// remove of it had seen, and it holds what all such updates make of it. So an update
/// wins over a remove that had not seen it, and what the remove had seen is gone.
///
/// Source: *observed-remove maps* as in Almeida, Shoker and Baquero, *Delta State
/// Replicated Data Types*, JPDC 2018.
#[derive(Clone, Copy)]
pub struct Map {
    name: &'static str,
    of: &'static dyn Datatype,
}

const REMOVE: &str = "remove";

impl Map {
    /// Of registers; the last update wins.
    pub const REGISTERS: Map = Map::new("map:register", &Register);
    /// Of registers that keep all values that nobody has replaced.
    pub const MV_REGISTERS: Map = Map::new("map:mv-register", &MvRegister);
    /// Of counters.
    pub const COUNTERS: Map = Map::new("map:counter", &Counter);
    /// Of sets; of a concurrent add and remove the add wins.
    pub const SETS: Map = Map::new("map:set:add-wins", &ReplicatedSet::AddWins);

    /// A map of objects of a replicated type. Queries of that type but `read` are not
    /// asked.
    pub const fn new(name: &'static str, of: &'static dyn Datatype) -> Self {
        Map { name, of }
    }

    /// The key within the map that an update is about.
    fn key(call: &Call) -> Option<&Value> {
        match &call.argument {
            key if call.f.as_str() == REMOVE && !matches!(key, Value::List(_)) => Some(key),
            Value::List(all) => all.first(),
            _ => None,
        }
    }

    fn removes(call: &Call) -> bool {
        call.f.as_str() == REMOVE && !matches!(call.argument, Value::List(_))
    }

    /// The call on what the key holds.
    fn inner(call: &Call) -> Call {
        let argument = match &call.argument {
            Value::List(all) if !call.is_read() => all.get(1).cloned().unwrap_or_default(),
            argument => argument.clone(),
        };
        Call { argument, ..call.clone() }
    }

    /// The pairs of an answer; `None` if it has none.
    pub(super) fn pairs(answer: &Value) -> Option<BTreeMap<Value, Value>> {
        let Value::List(all) = answer else { return None };
        let pair = |value: &Value| match value {
            Value::List(pair) if pair.len() == 2 => Some((pair[0].clone(), pair[1].clone())),
            _ => None,
        };
        let pairs: BTreeMap<_, _> = all.iter().map(pair).collect::<Option<_>>()?;
        (pairs.len() == all.len()).then_some(pairs)
    }

    pub(super) fn of_pairs(pairs: impl IntoIterator<Item = (Value, Value)>) -> Value {
        pairs.into_iter().map(|(key, held)| vec![key, held].into()).collect::<Vec<_>>().into()
    }
}

impl Datatype for Map {
    fn name(&self) -> &'static str {
        self.name
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        if call.is_read() {
            return answer.is_none_or(|answer| {
                let pairs = Map::pairs(answer);
                pairs.is_some_and(|all| all.values().all(|held| self.of.knows(call, Some(held))))
            });
        }
        let short = matches!(&call.argument, Value::List(all) if all.len() <= 2);
        Map::removes(call)
            || (short && Map::key(call).is_some() && {
                let inner = Map::inner(call);
                self.of.knows(&inner, answer) && !self.of.only_reads(&inner, answer)
            })
    }

    fn answers(&self, call: &Call, _: Option<&Value>) -> bool {
        call.is_read()
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        let held = Map::pairs(value)?;
        let inner = held.into_iter().map(|(key, held)| Some((key, self.of.holding(&held)?)));
        Some(Map::of_pairs(inner.collect::<Option<Vec<_>>>()?))
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        let mut pairs = Map::pairs(held)?;
        if call.is_read() {
            let Some(answer) = answer else { return Some(held.clone()) };
            let seen = Map::pairs(answer)?;
            let alike =
                |(one, other): (&Value, &Value)| self.of.apply(one, call, Some(other)).is_some();
            let keys = seen.keys().eq(pairs.keys());
            return (keys && pairs.values().zip(seen.values()).all(alike)).then(|| held.clone());
        }
        let key = Map::key(call)?;
        if Map::removes(call) {
            pairs.remove(key);
        } else {
            let before = pairs.remove(key).unwrap_or_else(|| self.of.initial(&call.key));
            pairs.insert(key.clone(), self.of.apply(&before, &Map::inner(call), answer)?);
        }
        Some(Map::of_pairs(pairs))
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        let updates = context.updates();
        let keys: BTreeSet<&Value> = updates.iter().filter_map(|call| Map::key(call)).collect();
        let mut pairs = Vec::new();
        for key in keys {
            let of = |at: &usize| Map::key(updates[*at]) == Some(key);
            let removed = |at: usize| {
                let removes = |by: &usize| Map::removes(updates[*by]) && of(by);
                (0..updates.len()).filter(removes).any(|by| context.saw(by, at))
            };
            let left = (0..updates.len()).filter(of).filter(|at| !Map::removes(updates[*at]));
            let left: Vec<usize> = left.filter(|at| !removed(*at)).collect();
            let inner: Vec<Call> = left.iter().map(|at| Map::inner(updates[*at])).collect();
            if !inner.is_empty() {
                let saw = |one: usize, other: usize| context.saw(left[one], left[other]);
                let context = Context::new(inner.iter().collect(), &saw);
                pairs.push((key.clone(), self.of.merged(call, &context)?));
            }
        }
        Some(Map::of_pairs(pairs))
    }

    fn normal(&self, call: &Call, answer: &Value) -> Value {
        let Some(pairs) = Map::pairs(answer) else { return answer.clone() };
        Map::of_pairs(pairs.into_iter().map(|(key, held)| (key, self.of.normal(call, &held))))
    }

    /// A remove takes out what it had seen.
    fn depends(&self, update: &Call) -> bool {
        Map::removes(update) || self.of.depends(&Map::inner(update))
    }

    fn matters(&self, update: &Call, other: &Call) -> bool {
        match (Map::removes(update), Map::removes(other)) {
            (removes, false) => removes || self.of.matters(&Map::inner(update), &Map::inner(other)),
            (_, true) => false,
        }
    }

    /// The more the removes had seen, the fewer keys are left. What is left under a key
    /// depends on both in more than one way.
    fn is_between(&self, _: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        let pairs = |value| Map::pairs(value).unwrap_or_default();
        let (answer, few, many) = (pairs(answer), pairs(few), pairs(many));
        many.keys().all(|key| answer.contains_key(key))
            && answer.keys().all(|key| few.contains_key(key))
    }

    fn arbitration(&self, key: &Key) -> Arbitration {
        match self.of.arbitration(key) {
            Arbitration::Ignored => Arbitration::Ignored,
            _ => Arbitration::Whole,
        }
    }

    fn part(&self, update: &Call) -> Value {
        Map::key(update).cloned().unwrap_or_default()
    }

    fn parts(&self, _: &Call, answer: &Value) -> Vec<(Value, Value)> {
        let pairs = Map::pairs(answer).unwrap_or_default();
        pairs.into_iter().map(|(key, held)| (key.clone(), Map::of_pairs([(key, held)]))).collect()
    }

    fn answer_about(&self, _: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        let Some(pairs) = Map::pairs(answer) else { return answer.clone() };
        Map::of_pairs(pairs.into_iter().filter(|(key, _)| about(key)))
    }

    fn undoes(&self, update: &Call) -> bool {
        Map::removes(update) || self.of.undoes(&Map::inner(update))
    }

    /// What a visible remove may have taken out may as well be invisible.
    fn may_answer(
        &self,
        call: &Call,
        answer: &Value,
        certain: &[&Call],
        possible: &[&Call],
    ) -> bool {
        let calls = || certain.iter().chain(possible).copied();
        let Some(pairs) = Map::pairs(answer) else { return true };
        let keys: BTreeSet<&Value> = calls().filter_map(Map::key).chain(pairs.keys()).collect();
        keys.into_iter().all(|key| {
            let own = |calls: &[&Call]| -> Vec<Call> {
                let own = calls.iter().filter(|call| Map::key(call) == Some(key));
                own.filter(|call| !Map::removes(call)).map(|call| Map::inner(call)).collect()
            };
            let is_removed = calls().any(|call| Map::removes(call) && Map::key(call) == Some(key));
            let (mut certain, mut possible) = (own(certain), own(possible));
            if is_removed {
                possible.append(&mut certain);
            }
            let Some(held) = pairs.get(key) else { return certain.is_empty() };
            let (certain, possible): (Vec<_>, Vec<_>) =
                (certain.iter().collect(), possible.iter().collect());
            !(certain.is_empty() && possible.is_empty())
                && self.of.may_answer(call, held, &certain, &possible)
        })
    }

    /// Updates and removes of the first key, then of the next.
    fn menu(&self, arguments: usize) -> Menu {
        let keys = (1..).take(arguments.min(2));
        let with_key = |key: i64, item: &Item| {
            let mut all = vec![Argument::This(key.into()), item.argument.clone()];
            all.retain(|argument| *argument != Argument::This(Value::Null));
            Item::new(item.f.as_str(), Argument::List(all))
        };
        let inner = self.of.menu(1);
        let updates = keys.flat_map(|key| {
            let mut all: Vec<Item> = inner.updates.iter().map(|one| with_key(key, one)).collect();
            all.push(Item::with(REMOVE, key));
            all
        });
        Menu::with_reads(updates.collect())
    }
}
