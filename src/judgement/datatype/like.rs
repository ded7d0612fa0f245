//! Datatypes that are like others, but for what clients ask in searches, for what objects
//! hold at first, or because each key has another.
//!
//! This is the only place where a datatype passes on what it is asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, History, Item, Key, Menu, Value};

use super::counter::ADD_AND_GET;
use super::{
    About, Arbitration, Context, Counter, Datatype, Opaque, Register, Running, first_knowing,
};

/// A datatype that is like another in all that is not said here.
#[derive(Clone)]
pub struct Like {
    /// Its name, if it has one of its own.
    name: Option<&'static str>,
    /// The datatypes of some keys.
    of: BTreeMap<Key, &'static dyn Datatype>,
    /// That of all other keys.
    rest: &'static dyn Datatype,
    /// What objects hold at first.
    held: Option<Value>,
    /// Whether concurrent updates have the meaning that they have there, or none.
    concurrent: bool,
    /// What clients ask in searches.
    menu: Option<fn(usize) -> Menu>,
}

/// A register that is also deleted: written `null`, which is what a new one holds.
pub static DELETABLE_REGISTER: Like = Like::new(&Register, true, Some(deletes));

/// An object of which nothing is known but that it is also deleted: written `null`.
pub static DELETABLE_OPAQUE: Like = Like::new(&Opaque, true, Some(deletes));

/// A register with compare-and-sets. They and the writes choose among few values, so
/// that some find what they compare with.
pub static CAS_REGISTER: Like = Like::new(&Register, false, Some(compare_and_sets));

/// A counter of which clients ask `add-and-get` in searches.
pub static ANSWERING_COUNTER: Like = Like::new(&Counter, true, Some(adds_and_gets));

fn deletes(arguments: usize) -> Menu {
    let mut menu = Register.menu(arguments);
    menu.updates.push(Item::plain("write"));
    menu
}

fn compare_and_sets(arguments: usize) -> Menu {
    let values = || (1..).take(arguments.max(2));
    let mut updates: Vec<Item> = values().map(|value: i64| Item::with("write", value)).collect();
    for from in values() {
        for to in values().filter(|to| *to != from) {
            let pair: Value = [from, to].map(Value::from).to_vec().into();
            updates.push(Item::with("cas", pair));
        }
    }
    Menu::with_reads(updates)
}

fn adds_and_gets(arguments: usize) -> Menu {
    let amounts = (1..).take(arguments);
    Menu::with_reads(amounts.map(|amount: i64| Item::with(ADD_AND_GET, amount)).collect())
}

impl Like {
    /// Its name, if each key has another.
    pub const BY_KEY: &str = "datatypes by key";

    const fn new(
        rest: &'static dyn Datatype,
        concurrent: bool,
        menu: Option<fn(usize) -> Menu>,
    ) -> Like {
        Like { name: None, of: BTreeMap::new(), rest, held: None, concurrent, menu }
    }

    /// A datatype whose objects hold something else at first. Then nothing is known of
    /// its concurrent updates.
    pub fn beginning(datatype: &'static dyn Datatype, held: Value) -> Like {
        Like { held: Some(held), ..Like::new(datatype, false, None) }
    }

    /// For each key a datatype of its own: these, and that of all other keys; `None`: each
    /// of these has the first type that knows all its operations.
    ///
    /// # Errors
    /// The position of the first operation that no datatype knows beside what came
    /// before on its key.
    pub fn by_key(
        history: &History,
        of: BTreeMap<Key, &'static dyn Datatype>,
        rest: Option<&'static dyn Datatype>,
    ) -> Result<Like, usize> {
        let name = Some(Like::BY_KEY);
        let mut keyed = Like { name, of, ..Like::new(rest.unwrap_or(&Register), true, None) };
        if rest.is_none() {
            let mut positions: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
            for (at, op) in history.operations().iter().enumerate() {
                positions.entry(&op.call.key).or_default().push(at);
            }
            for (key, all) in positions {
                if !keyed.of.contains_key(key) {
                    let part = history.restricted_to(&all);
                    let known = first_knowing(&part).map_err(|at| all[at])?;
                    keyed.of.insert(key.clone(), known);
                }
            }
        }
        keyed.concurrent = history.operations().iter().all(|op| {
            let (datatype, call) = (keyed.of(&op.call.key), &op.call);
            // A compare-and-set has no meaning where it is concurrent.
            let plain = call.is_read() || call.is_write();
            datatype.is_replicated() || (datatype.name() == Register.name() && plain)
        });
        Ok(keyed)
    }

    fn of(&self, key: &Key) -> &'static dyn Datatype {
        self.of.get(key).copied().unwrap_or(self.rest)
    }
}

impl Datatype for Like {
    fn name(&self) -> &'static str {
        self.name.unwrap_or_else(|| self.rest.name())
    }

    fn name_of(&self, key: &Key) -> &'static str {
        self.of(key).name()
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        self.of(&call.key).knows(call, answer)
    }

    fn transacts(&self, key: &Key) -> bool {
        self.of(key).transacts(key)
    }

    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        self.of(&call.key).only_reads(call, answer)
    }

    fn answers(&self, call: &Call, answer: Option<&Value>) -> bool {
        self.of(&call.key).answers(call, answer)
    }

    fn overwrites(&self, call: &Call) -> bool {
        self.of(&call.key).overwrites(call)
    }

    fn replaces(&self, call: &Call) -> bool {
        self.of(&call.key).replaces(call)
    }

    fn grows_to(&self, call: &Call, held: &Value, answer: &Value) -> bool {
        self.of(&call.key).grows_to(call, held, answer)
    }

    fn initial(&self, key: &Key) -> Value {
        self.held.clone().unwrap_or_else(|| self.of(key).initial(key))
    }

    /// Objects of different types share no value.
    fn holding(&self, value: &Value) -> Option<Value> {
        self.of.is_empty().then(|| self.rest.holding(value)).flatten()
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        self.of(&call.key).apply(held, call, answer)
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        self.of(&call.key).merged(call, context).filter(|_| self.concurrent)
    }

    fn is_replicated(&self) -> bool {
        // By key, it was found out for all operations.
        let known = self.name == Some(Like::BY_KEY) || self.rest.is_replicated();
        self.concurrent && known && self.name() != Register.name()
    }

    fn normal(&self, call: &Call, answer: &Value) -> Value {
        self.of(&call.key).normal(call, answer)
    }

    fn depends(&self, update: &Call) -> bool {
        self.of(&update.key).depends(update)
    }

    fn matters(&self, update: &Call, other: &Call) -> bool {
        self.of(&update.key).matters(update, other)
    }

    fn is_between(&self, call: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        self.of(&call.key).is_between(call, answer, few, many)
    }

    fn arbitration(&self, key: &Key) -> Arbitration {
        self.of(key).arbitration(key)
    }

    fn part(&self, update: &Call) -> Value {
        self.of(&update.key).part(update)
    }

    fn parts(&self, call: &Call, answer: &Value) -> Vec<(Value, Value)> {
        self.of(&call.key).parts(call, answer)
    }

    fn asks(&self, call: &Call) -> Option<Value> {
        self.of(&call.key).asks(call)
    }

    fn makes(&self, update: &Call) -> bool {
        self.of(&update.key).makes(update)
    }

    fn agree(&self, answers: &[(&Call, &Value)], undone: &BTreeSet<Value>) -> bool {
        answers.first().is_none_or(|(call, _)| self.of(&call.key).agree(answers, undone))
    }

    fn answer_about(&self, call: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        self.of(&call.key).answer_about(call, answer, about)
    }

    /// What objects hold at first belongs to no operation.
    fn about(&self, call: &Call, answer: Option<&Value>) -> About {
        match self.held {
            Some(_) => About::Object,
            None => self.of(&call.key).about(call, answer),
        }
    }

    fn is_composed(&self, key: &Key) -> bool {
        self.of(key).is_composed(key)
    }

    fn running(&self, key: &Key) -> Option<Box<dyn Running>> {
        self.of(key).running(key).filter(|_| self.held.is_none())
    }

    fn undoes(&self, update: &Call) -> bool {
        self.of(&update.key).undoes(update)
    }

    fn may_answer(
        &self,
        call: &Call,
        answer: &Value,
        certain: &[&Call],
        possible: &[&Call],
    ) -> bool {
        self.of(&call.key).may_answer(call, answer, certain, possible)
    }

    fn menu(&self, arguments: usize) -> Menu {
        match self.menu {
            Some(menu) => menu(arguments),
            None => self.rest.menu(arguments),
        }
    }
}
