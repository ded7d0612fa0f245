//! Last-writer-wins registers that can be deleted.
//!
//! A delete writes `null` under a stamp of its own, a *tombstone*: as long as a node
//! holds it, an older write that comes late changes nothing. When the tombstone may be
//! collected is the question:
//!
//! - `collect=never`: it stays.
//! - `collect=stable`: every node that holds a tombstone tells all others, and it is
//!   collected where all have told. Links are FIFO and counters only grow, so no older
//!   write can come any more.
//! - `collect=time`: after some time, which is a bet that no message takes longer.
//!
//! Registers and counters are durable.
//!
//! Sources: Johnson & Thomas 1975 (RFC 677), who keep deleted entries until all have
//! confirmed; the grace period of Cassandra's tombstones.
//! Deviation: confirmations are sent by themselves, and nothing is sent again.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// Last-writer-wins registers that can be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Tombstones {
    /// When a tombstone is collected.
    pub collect: Collect,
}

/// When a tombstone is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    /// Never.
    Never,
    /// When all nodes have told that they hold it.
    Stable,
    /// Bug: when a timer fires.
    Time,
}

const COLLECT: TimerId = TimerId(0);

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    counter: u64,
    registers: BTreeMap<Key, Stamped>,
    /// Which nodes have told that they hold a tombstone, by key and stamp.
    told: BTreeMap<(Key, Stamp), BTreeSet<NodeId>>,
}

/// A value with its place in the order of writes; `null` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamped {
    stamp: Stamp,
    value: Value,
    write: OperationId,
}

/// What nodes send each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Store this unless you have something newer.
    Store(Key, Stamped),
    /// I hold this tombstone, or something newer.
    Holds(Key, Stamp),
}

impl Tombstones {
    fn keep(
        self,
        replica: &mut Replica,
        (key, stamped): (Key, Stamped),
        effects: &mut Effects<Self>,
    ) {
        replica.counter = replica.counter.max(stamped.stamp.counter);
        let (stamp, dead) = (stamped.stamp, stamped.value == Value::Null);
        if replica.registers.get(&key).is_none_or(|held| held.stamp < stamp) {
            effects.visible(stamped.write, stamp);
            replica.registers.insert(key.clone(), stamped);
        }
        match self.collect {
            Collect::Stable if dead => {
                let holds = Message::Holds(key.clone(), stamp);
                effects.broadcast(replica.cluster.others(replica.me), &holds);
                Self::hear(replica, replica.me, (key, stamp));
            }
            Collect::Time if dead => effects.arm(COLLECT),
            _ => {}
        }
    }

    /// A node holds a tombstone. If all do, it is collected here.
    fn hear(replica: &mut Replica, from: NodeId, (key, stamp): (Key, Stamp)) {
        replica.counter = replica.counter.max(stamp.counter);
        let told = replica.told.entry((key.clone(), stamp)).or_default();
        told.insert(from);
        if told.len() == replica.cluster.size() {
            replica.told.remove(&(key.clone(), stamp));
            if replica.registers.get(&key).is_some_and(|held| held.stamp == stamp) {
                replica.registers.remove(&key);
            }
        }
    }
}

impl Strategy for Tombstones {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        let (registers, told) = (BTreeMap::new(), BTreeMap::new());
        Replica { me: node, cluster: *cluster, counter: 0, registers, told }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_write() => {
                let stamp = Stamp { counter: replica.counter + 1, tie: u32::from(replica.me.0) };
                let stamped = Stamped { stamp, value: call.argument, write: operation };
                let store = Message::Store(call.key.clone(), stamped.clone());
                effects.broadcast(replica.cluster.others(replica.me), &store);
                self.keep(replica, (call.key, stamped), effects);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, call, .. } => {
                let held = replica.registers.get(&call.key);
                let value = held.map(|held| held.value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { message: Message::Store(key, stamped), .. } => {
                self.keep(replica, (key, stamped), effects);
            }
            Input::Receive { from, message: Message::Holds(key, stamp), .. } => {
                Self::hear(replica, from, (key, stamp));
            }
            Input::Timer(COLLECT) => {
                replica.registers.retain(|_, held| held.value != Value::Null);
            }
            Input::Recovered => {
                for held in replica.registers.values() {
                    effects.visible(held.write, held.stamp);
                }
                let dead = replica.registers.values().any(|held| held.value == Value::Null);
                if dead && self.collect == Collect::Time {
                    effects.arm(COLLECT);
                }
            }
            _ => {}
        }
    }

    fn datatype(&self) -> &'static str {
        "deletable-register"
    }

    fn serves(&self, call: &Call, _: NodeId, _: &Cluster) -> bool {
        call.is_read() || call.is_write()
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Store(key, Stamped { stamp, value: Value::Null, .. }) => {
                format!("delete {key} at {stamp}")
            }
            Message::Store(key, Stamped { stamp, value, .. }) => {
                format!("store {key}={value} at {stamp}")
            }
            Message::Holds(key, stamp) => format!("holds the tombstone of {key} at {stamp}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = vec![Part::Field("counter".to_owned(), replica.counter.to_string())];
        for (key, Stamped { stamp, value, write }) in &replica.registers {
            parts.push(Part::Key(key.clone(), shown(value)));
            parts.push(Part::Field(format!("{key} written by"), format!("{write} at {stamp}")));
        }
        Some(parts)
    }
}
