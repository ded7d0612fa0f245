//! A text whose effects insert an element at a place of its own, or delete elements.
//!
//! A deleted element leaves a tombstone, because others may have been placed beside it.
//! An update answers the list that its author sees then. How places are ordered, the
//! algorithms say ([`Placement`]), one file each.
//!
//! Source: Attiya et al., PODC 2016, for what is asked of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use crate::history::{Call, Key, Value};
use crate::replication::Stamp;

use super::Operations;

pub mod fractional;
pub mod fugue;
pub mod rga;

/// Where elements are put, so that all nodes put them in the same order.
pub trait Placement: Clone + Send + Sync + 'static {
    /// What is remembered of where an element was inserted.
    type Place: Clone + Ord + Hash + Debug + Send + Sync;

    /// The place of a new element to the right of `left` (`None`: at the front), given all
    /// others and their order, deleted ones included.
    fn place(
        &self,
        nodes: &Nodes<Self::Place>,
        order: &[Stamp],
        left: Option<Stamp>,
        stamp: Stamp,
    ) -> Self::Place;

    /// All elements whose place is known, in order, deleted ones included.
    fn order(&self, nodes: &Nodes<Self::Place>) -> Vec<Stamp>;
}

/// Elements and their places, under the stamps of their inserts.
pub type Nodes<P> = BTreeMap<Stamp, (Value, P)>;

/// A text.
#[derive(Clone, Copy, Debug)]
pub struct Text<P> {
    /// Where elements are put.
    pub placement: P,
    /// What is asked of the order of elements.
    pub asked: Asked,
}

/// What is asked of the order of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// That it is one order.
    Order,
    /// And that what was typed in one go stays together.
    Together,
}

/// What a text holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State<P> {
    nodes: Nodes<P>,
    deleted: BTreeSet<Stamp>,
}

impl<P> Default for State<P> {
    fn default() -> Self {
        State { nodes: BTreeMap::new(), deleted: BTreeSet::new() }
    }
}

/// What an update does to a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect<P> {
    /// Puts an element at a place.
    Insert(Stamp, Value, P),
    /// Takes an element away: those with these stamps.
    Delete(Value, BTreeSet<Stamp>),
}

impl<P: Placement> Text<P> {
    /// The stamps of the elements that are shown, in order.
    fn shown(&self, state: &State<P::Place>) -> Vec<Stamp> {
        let mut order = self.placement.order(&state.nodes);
        order.retain(|stamp| !state.deleted.contains(stamp));
        order
    }
}

impl<P: Placement> Operations for Text<P> {
    type State = State<P::Place>;
    type Effect = Effect<P::Place>;

    fn datatype(&self) -> &'static str {
        match self.asked {
            Asked::Order => "text",
            Asked::Together => "text:together",
        }
    }

    fn prepare(&self, state: &Self::State, stamp: Stamp, call: &Call) -> Self::Effect {
        let shown = self.shown(state);
        match (call.f.as_str(), &call.argument) {
            ("insert", Value::List(both)) if let [element, Value::Int(position)] = &both[..] => {
                let position = usize::try_from(*position).unwrap_or(0).min(shown.len());
                let left = position.checked_sub(1).map(|before| shown[before]);
                let order = self.placement.order(&state.nodes);
                let place = self.placement.place(&state.nodes, &order, left, stamp);
                Effect::Insert(stamp, element.clone(), place)
            }
            (_, element) => {
                let is = |stamp: &Stamp| state.nodes[stamp].0 == *element;
                Effect::Delete(element.clone(), shown.into_iter().filter(is).collect())
            }
        }
    }

    fn apply(&self, state: &mut Self::State, effect: &Self::Effect) {
        match effect {
            Effect::Insert(stamp, element, place) => {
                state.nodes.insert(*stamp, (element.clone(), place.clone()));
            }
            Effect::Delete(_, stamps) => state.deleted.extend(stamps),
        }
    }

    fn read(&self, state: &Self::State) -> Value {
        let shown = self.shown(state);
        shown.iter().map(|stamp| state.nodes[stamp].0.clone()).collect::<Vec<_>>().into()
    }

    fn told(&self, state: &Self::State) -> Value {
        self.read(state)
    }

    fn tell(&self, key: &Key, effect: &Self::Effect) -> String {
        match effect {
            Effect::Insert(stamp, element, _) => format!("insert {key}={element} as {stamp}"),
            Effect::Delete(element, _) => format!("delete {key}={element}"),
        }
    }
}
