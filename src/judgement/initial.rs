//! Objects whose initial value is not that of their datatype.
//!
//! A register that begins with 0 is one that begins with `null`, with 0 and
//! `null` exchanged everywhere, since models only ask whether values are equal.
//! So the checkers know one initial value, and only this module knows that
//! there are others. Objects of other datatypes begin with what is given.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::checker::Judge;
use super::datatype::{self, Datatype, Like, left, with_article};
use super::model::Model;
use super::verdict::{Unsound, Verdict, recheck, recheck_with};
use crate::history::{Call, Completion, Function, History, Key, Operation, Value};

/// A history with what its objects held at first.
///
/// ```
/// use quiescence::history::{Value, notation};
/// use quiescence::judgement::{Begun, Budget, Model};
///
/// let history = notation::parse("rx=5 wx1 rx1 @ 000000")?;
/// let five = Begun::with(&history, Some(&Value::Int(5))).expect("a register holds anything");
/// assert!(five.judge().check(Model::Linearizable, Budget::default()).holds());
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Begun<'a> {
    /// As it is judged.
    history: Cow<'a, History>,
    /// What its operations mean, unless the history tells.
    datatype: Option<Typed>,
}

/// What operations mean, if that was said.
#[derive(Clone)]
enum Typed {
    /// What this datatype says.
    As(&'static dyn Datatype),
    /// The same, but for some of it.
    Like(Box<Like>),
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.datatype().name())
    }
}

impl Typed {
    fn datatype(&self) -> &dyn Datatype {
        match self {
            Typed::As(datatype) => *datatype,
            Typed::Like(like) => &**like,
        }
    }
}

impl<'a> Begun<'a> {
    /// A history whose objects begin with this value; `None`: with that of
    /// their datatype.
    ///
    /// # Errors
    /// In words, if no object of the history's datatype can hold the value.
    pub fn with(history: &'a History, initial: Option<&Value>) -> Result<Begun<'a>, String> {
        Begun::typed(history, None, initial)
    }

    /// The same, where operations mean what this datatype says; `None`: what the
    /// first says that knows them all. Whether it knows them is told by
    /// [`stranger`](datatype::stranger).
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn typed(
        history: &'a History,
        said: Option<&'static dyn Datatype>,
        initial: Option<&Value>,
    ) -> Result<Begun<'a>, String> {
        let as_it_is = Begun { history: Cow::Borrowed(history), datatype: said.map(Typed::As) };
        let known = said.map_or_else(|| datatype::of(history), Ok);
        let (Some(initial), Ok(datatype)) = (initial, known) else {
            return Ok(as_it_is);
        };
        if datatype.name() == "register" {
            return Ok(Begun { history: Cow::Owned(exchange(history, initial)), ..as_it_is });
        }
        let Some(held) = datatype.holding(initial) else {
            return Err(format!(
                "{} cannot hold {initial} at first",
                with_article(datatype.name())
            ));
        };
        if held == datatype.initial(&Key::new("")) {
            return Ok(as_it_is);
        }
        let like = Like::beginning(datatype, held);
        Ok(Begun { datatype: Some(Typed::Like(Box::new(like))), ..as_it_is })
    }

    /// The same, where operations mean what the datatype of their key says.
    pub fn by_key(history: &'a History, keyed: Like) -> Begun<'a> {
        Begun { history: Cow::Borrowed(history), datatype: Some(Typed::Like(Box::new(keyed))) }
    }

    /// The history as it is judged: in registers the initial value is `null`.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The judge of this history.
    pub fn judge(&self) -> Judge<'_> {
        match &self.datatype {
            Some(typed) => Judge::with(&self.history, typed.datatype()),
            None => Judge::of(&self.history),
        }
    }

    /// Replays the evidence of a verdict on it.
    ///
    /// # Errors
    /// As [`recheck`](super::recheck()).
    pub fn recheck(&self, model: Model, verdict: &Verdict) -> Result<(), Unsound> {
        match &self.datatype {
            Some(typed) => recheck_with(&self.history, model, typed.datatype(), verdict),
            None => recheck(&self.history, model, verdict),
        }
    }
}

/// The value, with the initial one and `null` exchanged.
pub fn exchanged(value: Value, initial: &Value) -> Value {
    match value {
        Value::Null => initial.clone(),
        value if value == *initial => Value::Null,
        value => value,
    }
}

/// A call on a register, with the initial value and `null` exchanged.
pub fn exchanged_in(call: Call, initial: &Value) -> Call {
    let argument = match (&call.f, call.argument) {
        (Function::Write, value) => exchanged(value, initial),
        (Function::Other(f), Value::List(pair)) if f == "cas" => {
            pair.into_iter().map(|value| exchanged(value, initial)).collect::<Vec<_>>().into()
        }
        (_, argument) => argument,
    };
    Call { argument, ..call }
}

/// A history of registers, with the initial value and `null` exchanged; doing
/// it twice gives the same history.
pub fn exchange(history: &History, initial: &Value) -> History {
    let all = history.operations().iter().cloned().map(|operation| {
        let completion = match operation.completion {
            Completion::Ok(value) if operation.call.is_read() => {
                Completion::Ok(exchanged(value, initial))
            }
            completion => completion,
        };
        Operation { call: exchanged_in(operation.call, initial), completion, ..operation }
    });
    History::of(all.collect()).expect("no rule asks for values")
}

/// What early reads saw (those before any change was acknowledged) that no operation explains.
/// `None` stands for the initial value of the datatype, and for what no datatype knows.
pub fn seen(history: &History) -> BTreeSet<Option<Value>> {
    let Ok(datatype) = datatype::of(history) else { return BTreeSet::from([None]) };
    let unusual = |(key, value)| (value != datatype.initial(key)).then_some(value);
    early(history, datatype).into_iter().map(unusual).collect()
}

/// The initial value that objects seem to have had, if not that of their datatype: the only
/// one that was [`seen`].
pub fn suggested(mut seen: BTreeSet<Option<Value>>) -> Option<Value> {
    let first = seen.pop_first()?;
    first.filter(|_| seen.is_empty())
}

/// When the first change of an object was invoked, and when one first returned.
#[derive(Clone, Copy)]
struct Changes {
    invoked: u64,
    returned: u64,
}

/// The values that early reads saw and that only the initial value explains.
/// O(n).
fn early<'h>(history: &'h History, datatype: &dyn Datatype) -> Vec<(&'h Key, Value)> {
    let operations = history.operations();
    let mut changes: FxHashMap<&Key, Changes> = FxHashMap::default();
    for op in operations.iter().filter(|op| op.completion != Completion::Fail) {
        if datatype.only_reads(&op.call, answered(op)) {
            continue;
        }
        let none = Changes { invoked: u64::MAX, returned: u64::MAX };
        let first = changes.entry(&op.call.key).or_insert(none);
        first.invoked = first.invoked.min(op.invoked);
        first.returned = first.returned.min(op.returned.unwrap_or(u64::MAX));
    }
    let register = datatype.name() == "register";
    let begins = |op: &&Operation| {
        let asks = op.call.is_read() || op.call.f.as_str() == "get";
        let first = changes.get(&op.call.key);
        let before = first.is_none_or(|first| op.returned < Some(first.invoked));
        let beside = first.is_some_and(|first| op.invoked <= first.returned);
        let something = answered(op).is_some_and(|value| *value != Value::Null);
        asks && answered(op).is_some() && (before || register && beside && something)
    };
    let early: Vec<&Operation> = operations.iter().filter(begins).collect();
    let told = if register { tried(operations, &early) } else { FxHashMap::default() };
    let unexplained = |op: &&Operation| {
        let value = answered(op).expect("early reads are answered");
        let tried = told.get(&(&op.call.key, value));
        tried.is_none_or(|tried| op.returned.is_some_and(|returned| returned < *tried))
    };
    let seen = early.iter().filter(|op| unexplained(op));
    let held = |op: &&&'h Operation| Some((&op.call.key, datatype.holding(answered(op)?)?));
    seen.filter_map(|op| held(&op)).collect()
}

/// Since when an operation may explain what these reads of registers saw:
/// always if one that may have happened leaves it, else since the first failed
/// write of it was invoked.
fn tried<'a>(operations: &'a [Operation], reads: &[&'a Operation]) -> Times<'a> {
    let asked = |op: &&'a Operation| answered(op).map(|value| ((&op.call.key, value), u64::MAX));
    let mut first: Times<'a> = reads.iter().filter_map(asked).collect();
    for op in operations {
        let (failed, key) = (op.completion == Completion::Fail, &op.call.key);
        let value = if failed && op.call.is_write() { Some(&op.call.argument) } else { left(op) };
        if let Some(time) = value.and_then(|value| first.get_mut(&(key, value))) {
            *time = (*time).min(if failed { op.invoked } else { 0 });
        }
    }
    first
}

/// By key and value.
type Times<'a> = FxHashMap<(&'a Key, &'a Value), u64>;

fn answered(operation: &Operation) -> Option<&Value> {
    match &operation.completion {
        Completion::Ok(answer) => Some(answer),
        _ => None,
    }
}
