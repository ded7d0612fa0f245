//! An observed-remove set whose effects are tags to add and tags to remove.
//!
//! A remove must not be applied before the adds whose tags it removes, so delivery
//! has to be causal.
//!
//! Source: the op-based OR-set of Shapiro et al., 2011, section 3.3.5.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Key, Value};
use crate::replication::Stamp;

use super::Operations;
use crate::replication::crdt::or_set::Removes;
use crate::replication::crdt::sorted;

/// An observed-remove set.
#[derive(Clone, Copy, Debug)]
pub struct OrSet {
    /// What a remove takes away.
    pub removes: Removes,
}

/// What an update does to a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Puts an element there under a tag.
    Add(Value, Stamp),
    /// Takes these tags of an element away.
    Remove(Value, BTreeSet<Stamp>),
    /// Takes an element away, whatever its tags are.
    RemoveValue(Value),
}

impl Operations for OrSet {
    type State = BTreeMap<Stamp, Value>;
    type Effect = Effect;

    fn datatype(&self) -> &'static str {
        "set:add-wins"
    }

    fn prepare(&self, state: &Self::State, stamp: Stamp, call: &Call) -> Effect {
        let element = call.argument.clone();
        match (call.f.as_str(), self.removes) {
            ("add", _) => Effect::Add(element, stamp),
            (_, Removes::Value) => Effect::RemoveValue(element),
            (_, Removes::Tags) => {
                let tags = state.iter().filter(|(_, held)| **held == element);
                let tags = tags.map(|(tag, _)| *tag).collect();
                Effect::Remove(element, tags)
            }
        }
    }

    fn apply(&self, state: &mut Self::State, effect: &Effect) {
        match effect {
            Effect::Add(element, tag) => {
                state.insert(*tag, element.clone());
            }
            Effect::Remove(_, tags) => state.retain(|tag, _| !tags.contains(tag)),
            Effect::RemoveValue(element) => state.retain(|_, held| held != element),
        }
    }

    fn read(&self, state: &Self::State) -> Value {
        sorted(state.values())
    }

    fn tell(&self, key: &Key, effect: &Effect) -> String {
        match effect {
            Effect::Add(element, tag) => format!("add {key}={element} as {tag}"),
            Effect::Remove(element, tags) => {
                let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
                let tags = if tags.is_empty() { "nothing".to_owned() } else { tags.join(", ") };
                format!("remove {key}={element}: {tags}")
            }
            Effect::RemoveValue(element) => format!("remove {key}={element}"),
        }
    }
}
