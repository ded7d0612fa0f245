//! Causal broadcast: a write is delivered after all that its node had delivered before.
//!
//! A write is applied where it is asked, answered at once, and broadcast with the vector
//! clock of its node: how many writes of each node had been delivered there. A node holds
//! a message back until it has delivered as much of every other node, and all earlier
//! writes of the sender. Of concurrent writes the one with the larger stamp wins, so
//! replicas converge; the stamp counts what the vector counts, and thus grows along
//! causality.
//!
//! With `conflicts=arrival` the write that is delivered last wins: still a causal memory,
//! but replicas may disagree for ever.
//!
//! Replicas are durable.
//!
//! Sources: Birman, Schiper & Stephenson 1991; Ahamad et al. 1995 for the memory without
//! convergence; Lloyd et al. 2011 for the one with it. Deviation: one group of all nodes,
//! and nothing is sent again.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Registers over causal broadcast.
#[derive(Clone, Copy, Debug)]
pub struct CausalBroadcast {
    /// When a message is delivered.
    pub delivery: Delivery,
    /// Which of two concurrent writes wins.
    pub conflicts: Conflicts,
}

/// When a message is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// After all that its sender had delivered before.
    Causal,
    /// Bug: after the earlier ones of its sender only.
    Fifo,
    /// Bug: when it arrives.
    Raw,
}

/// Which of two concurrent writes wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflicts {
    /// The one with the larger stamp.
    Stamps,
    /// The one that is delivered last.
    Arrival,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    registers: BTreeMap<Key, (Stamp, Value)>,
    /// How many writes of each node were delivered: the vector clock.
    delivered: Vec<u64>,
    /// The stamps of these writes.
    stamps: BTreeSet<Stamp>,
    /// Messages that are held back.
    waiting: BTreeSet<Message>,
}

/// A write on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    from: NodeId,
    /// The vector clock of its node, this write included.
    clock: Vec<u64>,
    operation: OperationId,
    key: Key,
    value: Value,
}

impl Message {
    /// The sum of a vector clock is larger where the clock is.
    fn stamp(&self) -> Stamp {
        Stamp { counter: self.clock.iter().sum(), tie: self.operation.as_tie() }
    }
}

impl CausalBroadcast {
    /// Whether a message is the next one to be delivered.
    fn is_due(self, replica: &Replica, message: &Message) -> bool {
        let here = |node: usize| replica.delivered[node];
        let from = message.from.index();
        let others = || (0..message.clock.len()).filter(|node| *node != from);
        match self.delivery {
            Delivery::Raw => true,
            Delivery::Fifo => message.clock[from] == here(from) + 1,
            Delivery::Causal => {
                message.clock[from] == here(from) + 1
                    && others().all(|node| message.clock[node] <= here(node))
            }
        }
    }

    fn receive(self, replica: &mut Replica, message: Message, effects: &mut Effects<Self>) {
        let known = message.clock[message.from.index()] <= replica.delivered[message.from.index()];
        if known && self.delivery != Delivery::Raw {
            return;
        }
        replica.waiting.insert(message);
        while let Some(due) = replica.waiting.iter().find(|one| self.is_due(replica, one)) {
            let due = due.clone();
            replica.waiting.remove(&due);
            self.deliver(replica, due, effects);
        }
    }

    fn deliver(self, replica: &mut Replica, message: Message, effects: &mut Effects<Self>) {
        let count = &mut replica.delivered[message.from.index()];
        *count = message.clock[message.from.index()].max(*count);
        let stamp = message.stamp();
        replica.stamps.insert(stamp);
        effects.visible(message.operation, stamp);
        let held = replica.registers.get(&message.key);
        if self.conflicts == Conflicts::Arrival || held.is_none_or(|(held, _)| *held < stamp) {
            replica.registers.insert(message.key, (stamp, message.value));
        }
    }
}

impl Strategy for CausalBroadcast {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            registers: BTreeMap::new(),
            delivered: vec![0; cluster.size()],
            stamps: BTreeSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_write() => {
                let mut clock = replica.delivered.clone();
                clock[replica.me.index()] += 1;
                let (from, key, value) = (replica.me, call.key, call.argument);
                let message = Message { from, clock, operation, key, value };
                effects.broadcast(replica.cluster.others(replica.me), &message);
                self.deliver(replica, message, effects);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, call, .. } => {
                let held = replica.registers.get(&call.key);
                let value = held.map(|(_, value)| value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { message, .. } => self.receive(replica, message, effects),
            Input::Recovered => {
                for stamp in &replica.stamps {
                    effects.visible(OperationId::from_tie(stamp.tie), *stamp);
                }
            }
            _ => {}
        }
    }

    fn label(&self, message: &Message) -> String {
        let Message { clock, key, value, .. } = message;
        let clock: Vec<_> = clock.iter().map(ToString::to_string).collect();
        format!("store {key}={value} at [{}]", clock.join(" "))
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let delivered: Vec<_> = replica.delivered.iter().map(ToString::to_string).collect();
        let waiting: Vec<_> = replica.waiting.iter().map(|one| self.label(one)).collect();
        let held = replica.registers.iter();
        let held = held.map(|(key, (_, value))| Part::Key(key.clone(), shown(value)));
        let mut parts: Vec<_> = held.collect();
        parts.push(Part::Field("delivered".to_owned(), format!("[{}]", delivered.join(" "))));
        parts.push(Part::Field("waiting".to_owned(), waiting.join(", ")));
        Some(parts)
    }
}
