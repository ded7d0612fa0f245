//! Convergent data types, and three ways to replicate them.
//!
//! A [`Lattice`] is a type whose states can be joined in any order, any number of
//! times; [`state_based`] sends whole states, [`delta_based`] only what an update
//! adds to one. [`operation_based`] sends the updates themselves, which asks more of
//! the network.
//!
//! Sources: Shapiro, Preguiça, Baquero and Zawirski, *A comprehensive study of
//! Convergent and Commutative Replicated Data Types*, 2011; Almeida, Shoker and
//! Baquero, *Delta State Replicated Data Types*, 2018.
//!
//! Deviation of all: states and messages carry the names of the updates that are in
//! them ([`Seen`]), so that runs can be judged by what replicas had seen. No answer
//! depends on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use crate::history::{Call, Completion, Key, Value};

use super::{Effects, OperationId, Part, Stamp, Strategy, Visible, shown};

pub mod cl_set;
pub mod delta_based;
mod dots;
pub mod flag;
pub mod log;
pub mod lww_register;
pub mod lww_set;
pub mod mv_register;
pub mod operation_based;
pub mod or_map;
pub mod or_set;
pub mod orswot;
pub mod pn_counter;
pub mod priority_register;
pub mod remove_wins_set;
pub mod state_based;

pub use dots::{Dots, Dropped};

/// A type whose states form a join-semilattice.
pub trait Lattice: Clone + Send + Sync + 'static {
    /// What one object holds. The default is a new object.
    type State: Clone + Ord + Hash + Debug + Default + Send + Sync;

    /// The datatype, by name.
    fn datatype(&self) -> &'static str;

    /// What this update adds to a state: joined with it, the state after the
    /// update. No other update has this stamp.
    fn delta(&self, state: &Self::State, stamp: Stamp, call: &Call) -> Self::State;

    /// Makes a state the least one that contains both.
    fn join(&self, state: &mut Self::State, other: &Self::State);

    /// What a read answers.
    fn read(&self, state: &Self::State) -> Value;
}

/// The updates that are in a state, with the stamps that were given to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen(BTreeMap<OperationId, Stamp>);

impl Seen {
    /// One update.
    pub fn one(operation: OperationId, stamp: Stamp) -> Self {
        Seen(BTreeMap::from([(operation, stamp)]))
    }

    /// Whether an update is among them.
    pub fn contains(&self, operation: OperationId) -> bool {
        self.0.contains_key(&operation)
    }

    /// Adds others, and records those that are new here.
    fn join<S: Strategy>(&mut self, other: &Seen, effects: &mut Effects<S>) {
        for (&operation, &stamp) in &other.0 {
            if self.0.insert(operation, stamp) != Some(stamp) {
                effects.visible(operation, stamp);
            }
        }
    }

    /// Records all of them.
    fn say<S: Strategy>(&self, effects: &mut Effects<S>) {
        for (&operation, &stamp) in &self.0 {
            effects.visible(operation, stamp);
        }
    }

    fn counter(&self) -> u64 {
        self.0.values().map(|stamp| stamp.counter).max().unwrap_or(0)
    }
}

/// One object: what it holds, and which updates are in that.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object<S> {
    state: S,
    seen: Seen,
}

/// Objects by key: all that a replica holds, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Objects<S>(BTreeMap<Key, Object<S>>);

impl<S> Default for Objects<S> {
    fn default() -> Self {
        Objects(BTreeMap::new())
    }
}

impl<S: Clone + Default> Objects<S> {
    /// A stamp above all that are in these objects.
    fn next(&self, tie: u32) -> Stamp {
        let counters = self.0.values().map(|object| object.seen.counter());
        Stamp { counter: counters.max().unwrap_or(0) + 1, tie }
    }

    /// What an update adds to these objects.
    fn delta<L: Lattice<State = S>>(
        &self,
        lattice: &L,
        (operation, stamp): (OperationId, Stamp),
        call: &Call,
    ) -> Self {
        let none = S::default();
        let state = self.0.get(&call.key).map_or(&none, |object| &object.state);
        let state = lattice.delta(state, stamp, call);
        let object = Object { state, seen: Seen::one(operation, stamp) };
        Objects(BTreeMap::from([(call.key.clone(), object)]))
    }

    fn join<L: Lattice<State = S>, T: Strategy>(
        &mut self,
        lattice: &L,
        other: &Objects<S>,
        effects: &mut Effects<T>,
    ) {
        for (key, object) in &other.0 {
            let own = self
                .0
                .entry(key.clone())
                .or_insert_with(|| Object { state: S::default(), seen: Seen::default() });
            lattice.join(&mut own.state, &object.state);
            own.seen.join(&object.seen, effects);
        }
    }

    /// Answers a read.
    fn answer<L: Lattice<State = S>, T: Strategy>(
        &self,
        lattice: &L,
        operation: OperationId,
        key: &Key,
        effects: &mut Effects<T>,
    ) {
        let none = S::default();
        let state = self.0.get(key).map_or(&none, |object| &object.state);
        effects.reply(operation, Completion::Ok(lattice.read(state))).seeing(Visible::Here);
    }

    fn say<T: Strategy>(&self, effects: &mut Effects<T>) {
        self.0.values().for_each(|object| object.seen.say(effects));
    }

    fn parts<L: Lattice<State = S>>(&self, lattice: &L) -> Vec<Part> {
        let part =
            |(key, object): (&Key, &Object<S>)| (key.clone(), shown(&lattice.read(&object.state)));
        self.0.iter().map(part).map(|(key, held)| Part::Key(key, held)).collect()
    }

    /// `x=[1,2], y=[3]`.
    fn tell<L: Lattice<State = S>>(&self, lattice: &L) -> String {
        let one =
            |(key, object): (&Key, &Object<S>)| format!("{key}={}", lattice.read(&object.state));
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Values as a list, ascending, each once.
fn sorted<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let values: BTreeSet<_> = values.collect();
    values.into_iter().cloned().collect::<Vec<_>>().into()
}
