//! Wrong on purpose: a text whose positions are sent as they are. An element that is
//! inserted at position 3 is put at position 3 everywhere, wherever its neighbours
//! have moved meanwhile.
//!
//! Source: the example with which Ellis and Gibbs, *Concurrency control in groupware
//! systems*, 1989, motivate operational transformation.

use crate::history::{Call, Key, Value};
use crate::replication::Stamp;

use super::Operations;

/// A text whose positions are sent as they are.
#[derive(Clone, Copy, Debug)]
pub struct IndexedText;

/// What an update does to a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Puts an element at a position, or at the end.
    Insert(usize, Value),
    /// Takes away what stands at a position; `None`: nothing.
    Delete(Option<usize>),
}

impl Operations for IndexedText {
    type State = Vec<Value>;
    type Effect = Effect;

    fn datatype(&self) -> &'static str {
        "text"
    }

    fn prepare(&self, state: &Vec<Value>, _: Stamp, call: &Call) -> Effect {
        match (call.f.as_str(), &call.argument) {
            ("insert", Value::List(both)) if let [element, Value::Int(position)] = &both[..] => {
                Effect::Insert(usize::try_from(*position).unwrap_or(0), element.clone())
            }
            (_, element) => Effect::Delete(state.iter().position(|held| held == element)),
        }
    }

    fn apply(&self, state: &mut Vec<Value>, effect: &Effect) {
        match effect {
            Effect::Insert(position, element) => {
                state.insert((*position).min(state.len()), element.clone());
            }
            Effect::Delete(Some(position)) if *position < state.len() => {
                state.remove(*position);
            }
            Effect::Delete(_) => {}
        }
    }

    fn read(&self, state: &Vec<Value>) -> Value {
        state.clone().into()
    }

    fn told(&self, state: &Vec<Value>) -> Value {
        self.read(state)
    }

    fn tell(&self, key: &Key, effect: &Effect) -> String {
        match effect {
            Effect::Insert(position, element) => format!("insert {key}={element} at {position}"),
            Effect::Delete(Some(position)) => format!("delete {key} at {position}"),
            Effect::Delete(None) => format!("delete nothing of {key}"),
        }
    }
}
