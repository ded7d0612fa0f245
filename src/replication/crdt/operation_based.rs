//! Operation-based replication: a node that is asked for an update prepares an effect
//! and sends it to all others, who apply it once it may be delivered.
//!
//! Delivery is *raw* (on arrival), *FIFO* (after all earlier effects of the same node)
//! or *causal* (after all effects that its node had applied before). An effect that
//! arrives twice is applied twice unless duplicates are dropped. Nothing is sent again,
//! so no message may be lost.
//!
//! Replicas are durable.
//!
//! Sources: Shapiro et al., 2011, section 2.3; causal delivery: Birman, Schiper and
//! Stephenson 1991.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

use super::Seen;

pub mod counter;
pub mod indexed_text;
pub mod or_set;
pub mod text;

/// A type whose updates are sent as effects.
pub trait Operations: Clone + Send + Sync + 'static {
    /// What one object holds. The default is a new object.
    type State: Clone + Eq + Hash + Debug + Default + Send + Sync;
    /// What an update does to an object, wherever it is applied.
    type Effect: Clone + Ord + Hash + Debug + Send + Sync;

    /// The datatype, by name.
    fn datatype(&self) -> &'static str;

    /// The effect of this update, at the node that is asked for it. No other update
    /// has this stamp.
    fn prepare(&self, state: &Self::State, stamp: Stamp, call: &Call) -> Self::Effect;

    /// Applies an effect.
    fn apply(&self, state: &mut Self::State, effect: &Self::Effect);

    /// What a read answers.
    fn read(&self, state: &Self::State) -> Value;

    /// What an update answers that was applied to a state.
    fn told(&self, state: &Self::State) -> Value {
        let _ = state;
        Value::Null
    }

    /// An effect on this object, for people.
    fn tell(&self, key: &Key, effect: &Self::Effect) -> String;
}

/// Operation-based replication of a type.
#[derive(Clone, Copy, Debug)]
pub struct OperationBased<T> {
    /// The type.
    pub operations: T,
    /// When effects are applied.
    pub delivery: Delivery,
    /// Whether an effect that arrives again is dropped.
    pub dedup: bool,
}

/// When effects are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// When they arrive.
    Raw,
    /// After all earlier ones of the same node.
    Fifo,
    /// After all that their node had applied before.
    Causal,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica<S, E> {
    me: NodeId,
    cluster: Cluster,
    objects: BTreeMap<Key, S>,
    /// How many effects of each node were applied, in its order of sending.
    applied: BTreeMap<NodeId, u64>,
    /// With raw delivery: the effects that were applied, by node and number.
    arrived: BTreeSet<(NodeId, u64)>,
    waiting: BTreeSet<Message<E>>,
    counter: u64,
    seen: Seen,
}

/// An effect on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message<E> {
    from: NodeId,
    /// Its number among the effects of its node, from 1.
    number: u64,
    /// How many effects of each node were applied where it was prepared, for causal
    /// delivery.
    after: BTreeMap<NodeId, u64>,
    key: Key,
    effect: E,
    operation: OperationId,
    stamp: Stamp,
}

type Held<T> = Replica<<T as Operations>::State, <T as Operations>::Effect>;

impl<T: Operations> OperationBased<T> {
    /// Applies an effect.
    fn apply(
        &self,
        replica: &mut Held<T>,
        message: Message<T::Effect>,
        effects: &mut Effects<Self>,
    ) {
        let Message { from, number, key, effect, operation, stamp, .. } = message;
        self.operations.apply(replica.objects.entry(key).or_default(), &effect);
        let applied = replica.applied.entry(from).or_default();
        *applied = number.max(*applied);
        if self.delivery == Delivery::Raw && self.dedup {
            replica.arrived.insert((from, number));
        }
        replica.counter = replica.counter.max(stamp.counter);
        replica.seen.join(&Seen::one(operation, stamp), effects);
    }

    /// Whether an effect was applied before.
    fn is_known(&self, replica: &Held<T>, message: &Message<T::Effect>) -> bool {
        match self.delivery {
            Delivery::Raw => replica.arrived.contains(&(message.from, message.number)),
            Delivery::Fifo | Delivery::Causal => {
                replica.applied.get(&message.from).is_some_and(|all| message.number <= *all)
            }
        }
    }

    /// Whether an effect, a known one or the next of its node, may be applied.
    fn is_due(&self, replica: &Held<T>, message: &Message<T::Effect>) -> bool {
        let applied = |node: &NodeId| replica.applied.get(node).copied().unwrap_or(0);
        let in_turn = message.number <= applied(&message.from) + 1;
        match self.delivery {
            Delivery::Raw => true,
            Delivery::Fifo => in_turn,
            Delivery::Causal => {
                in_turn && message.after.iter().all(|(node, number)| *number <= applied(node))
            }
        }
    }

    fn arrive(
        &self,
        replica: &mut Held<T>,
        message: Message<T::Effect>,
        effects: &mut Effects<Self>,
    ) {
        if self.dedup && (self.is_known(replica, &message) || replica.waiting.contains(&message)) {
            return;
        }
        if !self.is_due(replica, &message) {
            replica.waiting.insert(message);
            return;
        }
        self.apply(replica, message, effects);
        while let Some(next) = replica.waiting.iter().find(|next| self.is_due(replica, next)) {
            let next = next.clone();
            replica.waiting.remove(&next);
            self.apply(replica, next, effects);
        }
    }

    fn update(
        &self,
        replica: &mut Held<T>,
        (operation, call): (OperationId, Call),
        effects: &mut Effects<Self>,
    ) {
        let stamp = Stamp { counter: replica.counter + 1, tie: u32::from(replica.me.0) };
        let state = replica.objects.entry(call.key.clone()).or_default();
        let effect = self.operations.prepare(state, stamp, &call);
        let after = match self.delivery {
            Delivery::Causal => replica.applied.clone(),
            Delivery::Raw | Delivery::Fifo => BTreeMap::new(),
        };
        let number = replica.applied.get(&replica.me).copied().unwrap_or(0) + 1;
        let from = replica.me;
        let key = call.key.clone();
        let message = Message { from, number, after, key, effect, operation, stamp };
        effects.broadcast(replica.cluster.others(replica.me), &message);
        self.apply(replica, message, effects);
        let told = self.operations.told(&replica.objects[&call.key]);
        effects.reply(operation, Completion::Ok(told)).seeing(Visible::Here);
    }
}

impl<T: Operations> Strategy for OperationBased<T> {
    type Replica = Held<T>;
    type Message = Message<T::Effect>;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Held<T> {
        Replica {
            me: node,
            cluster: *cluster,
            objects: BTreeMap::new(),
            applied: BTreeMap::new(),
            arrived: BTreeSet::new(),
            waiting: BTreeSet::new(),
            counter: 0,
            seen: Seen::default(),
        }
    }

    fn step(&self, replica: &mut Held<T>, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                let state = replica.objects.get(&call.key).cloned().unwrap_or_default();
                let value = self.operations.read(&state);
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Request { operation, call, .. } => {
                self.update(replica, (operation, call), effects);
            }
            Input::Receive { message, .. } => self.arrive(replica, message, effects),
            Input::Recovered => replica.seen.say(effects),
            _ => {}
        }
    }

    fn datatype(&self) -> &'static str {
        self.operations.datatype()
    }

    fn label(&self, message: &Message<T::Effect>) -> String {
        self.operations.tell(&message.key, &message.effect)
    }

    fn show(&self, replica: &Held<T>) -> Option<Vec<Part>> {
        let held = replica.objects.iter();
        let held = held.map(|(key, state)| (key.clone(), shown(&self.operations.read(state))));
        let mut parts: Vec<_> = held.map(|(key, held)| Part::Key(key, held)).collect();
        let waiting = replica.waiting.iter().map(|message| self.label(message));
        let waiting = waiting.collect::<Vec<_>>().join(", ");
        parts.push(Part::Field("waiting".to_owned(), waiting));
        Some(parts)
    }
}
