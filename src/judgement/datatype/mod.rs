//! What operations mean: one sequential specification per datatype.
//!
//! A [`Datatype`] says which answers one object may give when its operations
//! are called one after the other. Everything else (which orders of calls
//! count) is the model's business. The datatypes of this crate are listed in
//! [`DESCRIBED`]; others are added by implementing the trait and handing
//! it to [`check_with`](super::checker::check_with).
//!
//! Invariant: `apply` is a function of its arguments. A failed operation took
//! no effect and is never applied.

mod context;
mod counter;
mod flag;
mod like;
mod lock;
mod log;
mod map;
mod max_register;
mod multi_register;
mod mv_register;
mod named;
mod opaque;
mod ordered;
mod queue;
mod register;
mod replicated_set;
mod semaphore;
mod sequence;
mod set;
mod stack;
mod text;
mod unique_id;
mod unordered_queue;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::history::{Call, Completion, History, Key, Menu, Operation, Value};

pub use context::Context;
pub use counter::Counter;
pub(crate) use counter::change;
pub use flag::Flag;
pub use like::{ANSWERING_COUNTER, CAS_REGISTER, DELETABLE_OPAQUE, DELETABLE_REGISTER, Like};
pub use lock::Lock;
pub use log::Log;
pub use map::Map;
pub use max_register::MaxRegister;
pub use multi_register::MultiRegister;
pub use mv_register::MvRegister;
pub use named::{DESCRIBED, Described, UnknownDatatype, named, with_article};
pub use opaque::Opaque;
pub use queue::Queue;
pub use register::Register;
pub(crate) use register::{MISMATCH, aborted, found, is_plain, left};
pub use replicated_set::ReplicatedSet;
pub use semaphore::Semaphore;
pub use sequence::Sequence;
pub use set::Set;
pub use stack::Stack;
pub use text::Text;
pub use unique_id::UniqueId;
pub use unordered_queue::UnorderedQueue;

/// A sequential specification of one object.
///
/// ```
/// use quiescence::history::{Call, Value};
/// use quiescence::judgement::datatype::{Datatype, Register};
///
/// let nothing = Register.initial(&"x".into());
/// let one = Register.apply(&nothing, &Call::write("x", 1), None).expect("a write is possible");
/// assert!(Register.apply(&one, &Call::read("x"), Some(&Value::Int(1))).is_some());
/// assert!(Register.apply(&one, &Call::read("x"), Some(&Value::Null)).is_none());
/// ```
pub trait Datatype: Sync {
    /// Its name. The name `register` is reserved for [`Register`].
    fn name(&self) -> &'static str;

    /// The name of the type of the object with this key.
    fn name_of(&self, key: &Key) -> &'static str {
        let _ = key;
        self.name()
    }

    /// Whether it gives a meaning to this call with this answer (`None`: the
    /// answer is not known).
    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool;

    /// Whether operations on the object with this key are transactions: lists of
    /// micro-operations. Elsewhere such lists have no meaning.
    fn transacts(&self, key: &Key) -> bool {
        let _ = key;
        false
    }

    /// Whether this call, where its answer is possible, leaves the object as it
    /// is. `false` is always safe to say.
    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        let _ = answer;
        call.is_read()
    }

    /// Whether this answer to a call can be wrong; `None`: whether any can. `true` is
    /// always safe to say.
    fn answers(&self, call: &Call, answer: Option<&Value>) -> bool {
        let _ = (call, answer);
        true
    }

    /// Whether a call can leave a value that does not [grow](Self::grows_to)
    /// out of what the object held before. `true` is always safe to say.
    fn overwrites(&self, call: &Call) -> bool {
        let _ = call;
        true
    }

    /// Whether what an object holds after `call` does not depend on what it held before.
    /// `false` is always safe to say.
    fn replaces(&self, call: &Call) -> bool {
        let _ = call;
        false
    }

    /// Whether an object that holds `held` can come to answer `answer` to `call` by
    /// calls that do not [overwrite](Self::overwrites) it. `true` is always safe to
    /// say.
    fn grows_to(&self, call: &Call, held: &Value, answer: &Value) -> bool {
        let _ = (call, held, answer);
        true
    }

    /// What a new object holds that has this key.
    fn initial(&self, key: &Key) -> Value;

    /// The internal value of an object that is said to hold `value`; `None` if
    /// no object can hold that.
    fn holding(&self, value: &Value) -> Option<Value> {
        Some(value.clone())
    }

    /// What the object holds after `call` was answered with `answer` (`None`:
    /// with whatever it answers); `None` if it would not answer that.
    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value>;

    /// What `call` answers if it sees these updates: the meaning of concurrent
    /// updates. `None`, the default, gives them none; then only models that ask
    /// for orders say anything about the type.
    ///
    /// The answer must depend on the call and the context alone, and what it says
    /// about one of the [`parts`](Self::parts) on the updates of that part alone. The
    /// context of an update does not contain the update.
    fn merged(&self, call: &Call, context: &Context<'_>) -> Option<Value> {
        let _ = (call, context);
        None
    }

    /// Whether models of visibility are judged by [`merged`](Self::merged).
    /// Registers have a faster way of their own.
    fn is_replicated(&self) -> bool {
        self.name() != "register" && self.merged(&Call::read(""), &Context::empty()).is_some()
    }

    /// An answer in the form in which [`merged`](Self::merged) gives it: elements of
    /// a set in order, for example.
    fn normal(&self, call: &Call, answer: &Value) -> Value {
        let _ = call;
        answer.clone()
    }

    /// Whether what this update had seen matters to those who see it: a remove
    /// that had seen an add cancels it, for example. Such an update reads, as far
    /// as session guarantees are concerned.
    fn depends(&self, update: &Call) -> bool {
        let _ = update;
        false
    }

    /// Whether it matters to those who see both that `update` had seen `other`.
    /// `true` is safe to say of updates that [depend](Self::depends) on what they
    /// had seen.
    fn matters(&self, update: &Call, other: &Call) -> bool {
        let _ = other;
        self.depends(update)
    }

    /// Whether `call` may answer this, given that it would answer `few` if updates had
    /// seen as few others as possible, and `many` if they had seen as many as possible.
    /// `true` is always safe to say; a search ends sooner where `false` is said.
    fn is_between(&self, call: &Call, answer: &Value, few: &Value, many: &Value) -> bool {
        let _ = (call, answer, few, many);
        true
    }

    /// How much of the order of updates matters to what the object answers that has
    /// this key.
    fn arbitration(&self, key: &Key) -> Arbitration {
        let _ = key;
        Arbitration::Ignored
    }

    /// The part of the object that this update is about: the element of a set.
    /// Without an override, objects have one part.
    fn part(&self, update: &Call) -> Value {
        let _ = update;
        Value::Null
    }

    /// The parts of the object of which this answer to `call` tells something, each with
    /// what the answer would be if only that part had been updated. Parts that look as
    /// in a new object may be left out.
    fn parts(&self, call: &Call, answer: &Value) -> Vec<(Value, Value)> {
        let _ = call;
        vec![(Value::Null, answer.clone())]
    }

    /// The one part of the object that answers to this call are about; `None` if they
    /// are about all parts.
    fn asks(&self, call: &Call) -> Option<Value> {
        let _ = call;
        None
    }

    /// Whether this update makes the part that it is about, which only one update can
    /// do: the insert of an element in a text. A second one has no meaning.
    fn makes(&self, update: &Call) -> bool {
        let _ = update;
        false
    }

    /// Whether these answers of one object can be true together, whatever was
    /// visible: there is one order of the elements of a text, for example. `undone` are
    /// the parts that an update of the history takes back ([`undoes`](Self::undoes)):
    /// an answer that does not show one may be of somebody who had seen it. If some
    /// answers can be true together, so must any of them, with the same parts undone.
    fn agree(&self, answers: &[(&Call, &Value)], undone: &BTreeSet<Value>) -> bool {
        let _ = (answers, undone);
        true
    }

    /// What an answer says about some parts, as it would be if no other part had
    /// been updated.
    fn answer_about(&self, call: &Call, answer: &Value, about: &dyn Fn(&Value) -> bool) -> Value {
        let _ = (call, about);
        answer.clone()
    }

    /// What an operation with this answer is about (`None`: the answer is not known), as
    /// far as orders of operations are concerned.
    ///
    /// Take any sequence of operations that an object can answer so, and leave out those
    /// [about](About::Part) some parts, whichever, and what [`answer_about`](Self::answer_about)
    /// takes out of the other answers then. The object must be able to answer what is
    /// left. [`About::Object`], the default, is always safe to say.
    fn about(&self, call: &Call, answer: Option<&Value>) -> About {
        let _ = (call, answer);
        About::Object
    }

    /// Whether each part of the object with this key is like an object of its own:
    /// operations [about](Self::about) it answer and do the same, whatever operations
    /// about other parts have done. `false` is always safe to say.
    fn is_composed(&self, key: &Key) -> bool {
        let _ = key;
        false
    }

    /// A new object with this key that is changed in place, where that is faster than
    /// [`apply`](Self::apply). It must do the same.
    fn running(&self, key: &Key) -> Option<Box<dyn Running>> {
        let _ = key;
        None
    }

    /// Whether this update takes back what others did: a remove, a disable.
    fn undoes(&self, update: &Call) -> bool {
        let _ = update;
        false
    }

    /// Whether `call` may be answered this if it sees all of `certain` and any of
    /// `possible` besides. `true` is always safe to say; a search ends sooner
    /// where `false` is said.
    fn may_answer(
        &self,
        call: &Call,
        answer: &Value,
        certain: &[&Call],
        possible: &[&Call],
    ) -> bool {
        let _ = (call, answer, certain, possible);
        true
    }

    /// What clients ask in a search, simplest first; `arguments` says among how
    /// many elements or amounts they choose, where they do. By default they ask
    /// nothing, so that such a type is judged in recordings only.
    fn menu(&self, arguments: usize) -> Menu {
        let _ = arguments;
        Menu::default()
    }
}

/// What an operation is about, as far as orders of operations are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The object, which has no parts that could be told apart.
    Object,
    /// This part of it alone: an element of a set, a value in a queue.
    Part(Value),
    /// All parts, and the answer can be restricted to some: the elements of a set.
    Parts,
    /// One part, but it is not known which: a dequeue that was not answered.
    Unknown,
}

/// An object whose operations are applied one after the other, in place.
pub trait Running {
    /// Applies a call that was answered so (`None`: with whatever it answers). False,
    /// and the object may hold anything, if it would not have answered that.
    fn step(&mut self, call: &Call, answer: Option<&Value>) -> bool;
}

impl fmt::Debug for dyn Datatype + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether an operation changes its object, if it happens.
pub fn updates(operation: &Operation, datatype: &dyn Datatype) -> bool {
    let answer = match &operation.completion {
        Completion::Ok(answer) => Some(answer),
        Completion::Info | Completion::Fail => None,
    };
    !datatype.only_reads(&operation.call, answer)
}

/// Whether the answer of an operation has to be explained.
pub fn answered(operation: &Operation, datatype: &dyn Datatype) -> bool {
    let Completion::Ok(answer) = &operation.completion else { return false };
    datatype.answers(&operation.call, Some(answer))
}

/// The parts of each object that are taken back anywhere in a history, if not by what
/// failed.
pub(in crate::judgement) struct Undone<'o>(BTreeMap<&'o Key, BTreeSet<Value>>);

impl<'o> Undone<'o> {
    /// Those of these operations.
    pub(in crate::judgement) fn of(operations: &'o [Operation], datatype: &dyn Datatype) -> Self {
        let mut undone: BTreeMap<&Key, BTreeSet<Value>> = BTreeMap::new();
        for Operation { call, completion, .. } in operations {
            if *completion != Completion::Fail && datatype.undoes(call) {
                undone.entry(&call.key).or_default().insert(datatype.part(call));
            }
        }
        Undone(undone)
    }

    /// The parts of this object.
    pub(in crate::judgement) fn parts(&self, key: &Key) -> &BTreeSet<Value> {
        static NONE: BTreeSet<Value> = BTreeSet::new();
        self.0.get(key).unwrap_or(&NONE)
    }
}

/// Whether it matters what an operation had seen: its answer has to be
/// explained, or the answers of others depend on it.
pub fn reads(operation: &Operation, datatype: &dyn Datatype) -> bool {
    answered(operation, datatype)
        || (updates(operation, datatype) && datatype.depends(&operation.call))
}

/// How much of the order of updates matters to what a read answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arbitration {
    /// Nothing.
    Ignored,
    /// Which update of a part is the last.
    Last,
    /// All of it. The search tries every order of the updates of a part.
    Whole,
    /// All of it: answers list the parts in the order of the updates that made them.
    /// There is one order for all answers; it extends session order and visibility.
    Listed,
}

/// The position of the first operation of a history to which a datatype gives no
/// meaning. Failed ones need none, unless `failed` asks for it; a transaction on
/// several objects has none elsewhere than on a multi-register, nor has the second update that makes the same part of an
/// object.
pub fn stranger(history: &History, datatype: &dyn Datatype, failed: bool) -> Option<usize> {
    let mut made = BTreeSet::new();
    history.operations().iter().position(|op| {
        let (counts, answer) = match &op.completion {
            Completion::Ok(answer) => (true, Some(answer)),
            Completion::Info => (true, None),
            Completion::Fail => (failed, None),
        };
        let all = || answer.into_iter().chain([&op.call.argument]);
        let mut again = |call: &Call| {
            datatype.makes(call) && !made.insert((call.key.clone(), datatype.part(call)))
        };
        counts
            && (all().any(Value::is_transaction) && !datatype.transacts(&op.call.key)
                || !datatype.knows(&op.call, answer)
                || again(&op.call))
    })
}

/// The datatypes that are guessed from the operations of a history, in the order in
/// which they are tried.
pub static ALL: [&dyn Datatype; 8] =
    [&Register, &Set, &Counter, &Queue, &Stack, &Text, &Lock, &UniqueId];

/// The first datatype that knows every operation of a history, failed ones
/// included; if none does, the first that knows every one that did not fail.
///
/// # Errors
/// The first operation unknown to the datatype that knows the longest beginning of
/// the history.
pub fn of(history: &History) -> Result<&'static dyn Datatype, &Operation> {
    first_knowing(history).map_err(|at| &history.operations()[at])
}

/// Another datatype that a history may have meant which was taken for this one: it
/// gives a meaning to the same operations, and is never guessed.
pub fn mistaken(history: &History, guessed: &str) -> Option<&'static dyn Datatype> {
    let others: &[&'static dyn Datatype] = match guessed {
        "lock" => &[&Semaphore],
        "queue" => &[&UnorderedQueue],
        // Values of a register can be lists, but if what is read was never written?
        "register" if reads_unwritten_lists(history) => &[&Map::REGISTERS, &MvRegister],
        _ => &[],
    };
    others.iter().copied().find(|other| stranger(history, *other, false).is_none())
}

/// Whether some read answered a list with elements, and none of these lists was written.
fn reads_unwritten_lists(history: &History) -> bool {
    let is_list = |value: &&Value| matches!(value, Value::List(all) if !all.is_empty());
    let operations = || history.operations().iter();
    let answers = operations().filter_map(Operation::answer).filter(is_list);
    let read: BTreeSet<&Value> = answers.collect();
    let written = operations().filter(|op| op.call.is_write()).map(|op| &op.call.argument);
    !read.is_empty() && !{ written }.any(|value| read.contains(value))
}

/// As [`of`], with the position of the operation.
fn first_knowing(history: &History) -> Result<&'static dyn Datatype, usize> {
    let all = history.operations();
    let mut furthest = 0;
    for failed in [true, false] {
        for datatype in ALL {
            match stranger(history, datatype, failed) {
                None => return Ok(datatype),
                Some(at) => furthest = furthest.max(at),
            }
        }
        if all.iter().all(|op| op.completion != Completion::Fail) {
            break;
        }
        furthest = 0;
    }
    Err(furthest)
}

/// What an object holds after a read: what it held before; `None` if it would not
/// have answered that.
fn after_read(held: &Value, answer: Option<&Value>) -> Option<Value> {
    answer.is_none_or(|answer| answer == held).then(|| held.clone())
}

/// The elements of a list, ascending, each once; `None` if it is none.
fn sorted(value: &Value) -> Option<Value> {
    let Value::List(elements) = value else { return None };
    let mut elements = elements.to_vec();
    elements.sort_unstable();
    elements.dedup();
    Some(elements.into())
}

/// A list of these elements, ascending.
fn sorted_all(elements: &[Value]) -> Value {
    let mut elements = elements.to_vec();
    elements.sort_unstable();
    elements.into()
}

/// The integer that an argument or an answer is, if it is one.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}
