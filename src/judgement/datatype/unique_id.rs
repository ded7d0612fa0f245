//! A source of names that are given only once.

use std::collections::BTreeSet;

use crate::history::{Call, Item, Key, Menu, Value};

use super::{About, Datatype, Running, sorted};

/// Holds the names that it has given. `generate` answers one that it has not given
/// before. One that was not answered can be left out: nobody has that name.
#[derive(Clone, Copy, Debug)]
pub struct UniqueId;

const GENERATE: &str = "generate";

impl Datatype for UniqueId {
    fn name(&self) -> &'static str {
        "unique-id"
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        call.f.as_str() == GENERATE && answer != Some(&Value::Null)
    }

    fn only_reads(&self, _: &Call, answer: Option<&Value>) -> bool {
        answer.is_none()
    }

    fn initial(&self, _: &Key) -> Value {
        Vec::new().into()
    }

    fn holding(&self, value: &Value) -> Option<Value> {
        sorted(value)
    }

    fn apply(&self, held: &Value, _: &Call, answer: Option<&Value>) -> Option<Value> {
        let Value::List(given) = held else { return None };
        let Some(answer) = answer else { return Some(held.clone()) };
        let mut given = given.to_vec();
        let place = given.binary_search(answer).err()?;
        given.insert(place, answer.clone());
        Some(given.into())
    }

    fn about(&self, _: &Call, answer: Option<&Value>) -> About {
        answer.map_or(About::Parts, |answer| About::Part(answer.clone()))
    }

    fn is_composed(&self, _: &Key) -> bool {
        true
    }

    fn running(&self, _: &Key) -> Option<Box<dyn Running>> {
        Some(Box::new(Given(BTreeSet::new())))
    }

    fn menu(&self, _: usize) -> Menu {
        Menu { updates: vec![Item::plain(GENERATE)], queries: Vec::new() }
    }
}

/// The names that were given, changed in place.
struct Given(BTreeSet<Value>);

impl Running for Given {
    fn step(&mut self, _: &Call, answer: Option<&Value>) -> bool {
        answer.is_none_or(|answer| self.0.insert(answer.clone()))
    }
}
