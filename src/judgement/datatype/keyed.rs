//! Objects of several types in one history, told apart by their keys.

use std::collections::BTreeMap;

use crate::history::{Call, History, Key, Value};

use super::{Arbitration, Context, Datatype, Register, first_knowing};

/// For each key a datatype of its own.
#[derive(Clone)]
pub struct Keyed {
    of: BTreeMap<Key, &'static dyn Datatype>,
    /// That of all other keys.
    rest: &'static dyn Datatype,
    replicated: bool,
}

impl Keyed {
    /// Its name as a datatype.
    pub const NAME: &str = "datatypes by key";

    /// These types, and that of all other keys; `None`: each of these has the first type
    /// that knows all its operations.
    ///
    /// # Errors
    /// The position of the first operation that no datatype knows beside what came
    /// before on its key.
    pub fn new(
        history: &History,
        of: BTreeMap<Key, &'static dyn Datatype>,
        rest: Option<&'static dyn Datatype>,
    ) -> Result<Keyed, usize> {
        let mut keyed = Keyed { of, rest: rest.unwrap_or(&Register), replicated: false };
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
        keyed.replicated = history.operations().iter().all(|op| {
            let datatype = keyed.of(&op.call.key);
            let call = &op.call;
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

impl Datatype for Keyed {
    fn name(&self) -> &'static str {
        Keyed::NAME
    }

    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        self.of(&call.key).knows(call, answer)
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

    fn grows_to(&self, call: &Call, held: &Value, answer: &Value) -> bool {
        self.of(&call.key).grows_to(call, held, answer)
    }

    fn initial(&self, key: &Key) -> Value {
        self.of(key).initial(key)
    }

    /// Objects of different types share no value.
    fn holding(&self, _: &Value) -> Option<Value> {
        None
    }

    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        self.of(&call.key).apply(held, call, answer)
    }

    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        self.of(&call.key).merged(call, context)
    }

    fn is_replicated(&self) -> bool {
        self.replicated
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

    fn agree(&self, answers: &[(&Call, &Value)]) -> bool {
        answers.first().is_none_or(|(call, _)| self.of(&call.key).agree(answers))
    }

    fn answer_about(&self, call: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        self.of(&call.key).answer_about(call, answer, about)
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
}
