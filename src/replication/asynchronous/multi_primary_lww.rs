//! Several primaries, last writer wins.
//!
//! Every node accepts writes, stamps them `(clock, node)`, answers at once and sends
//! them to all others; each node keeps the value with the largest stamp of each key.
//! With `clock=lamport` a write is stamped above everything its node has
//! seen. With `clock=wall` it is stamped by the node's own clock: if clocks
//! disagree, a session does not even see its own write. With `clock=hybrid` it is the
//! reading of the clock, unless the node has seen that or more: then one more than that.
//!
//! With `anti-entropy=on` a timer sends all that a node holds to everybody
//! from time to time, so that convergence survives lost messages.
//!
//! Registers are durable, and so is the Lamport counter.
//!
//! Source: Thomas 1979; Johnson & Thomas 1975 (RFC 677); Lamport 1978; hybrid clocks:
//! Kulkarni, Demirbas, Madappa, Avva & Leone 2014.
//! Deviations: anti-entropy pushes full state instead of exchanging digests; a hybrid stamp
//! is one number, so it does not tell how much of it is the clock's.

use std::collections::BTreeMap;

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// Where stamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// One more than all the node has seen.
    Lamport,
    /// The node's own clock.
    Wall,
    /// The node's own clock, or one more than all it has seen if that is more.
    Hybrid,
}

/// Last-writer-wins replication with a primary at every node.
#[derive(Clone, Copy, Debug)]
pub struct MultiPrimaryLww {
    /// Where stamps come from.
    pub clock: Clock,
    /// Whether a timer repairs what was lost.
    pub anti_entropy: bool,
}

const ANTI_ENTROPY: TimerId = TimerId(0);

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    counter: u64,
    registers: BTreeMap<Key, Stamped>,
}

/// A value with its place in the order of writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamped {
    stamp: Stamp,
    value: Value,
    write: OperationId,
}

/// Asks the receiver to store this unless it has something newer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Store {
    key: Key,
    stamped: Stamped,
}

impl MultiPrimaryLww {
    fn keep(replica: &mut Replica, store: Store, effects: &mut Effects<Self>) {
        let Store { key, stamped } = store;
        replica.counter = replica.counter.max(stamped.stamp.counter);
        // A write with a smaller stamp than the stored one never becomes visible
        // here, so it is not recorded as such.
        if replica.registers.get(&key).is_none_or(|held| held.stamp < stamped.stamp) {
            effects.visible(stamped.write, stamped.stamp);
            replica.registers.insert(key, stamped);
        }
    }
}

impl Strategy for MultiPrimaryLww {
    type Replica = Replica;
    type Message = Store;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica { me: node, cluster: *cluster, counter: 0, registers: BTreeMap::new() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Start if self.anti_entropy => effects.arm(ANTI_ENTROPY),
            Input::Request { operation, call, clock, .. } if call.is_write() => {
                let counter = match self.clock {
                    Clock::Lamport => replica.counter + 1,
                    Clock::Wall => clock,
                    Clock::Hybrid => clock.max(replica.counter + 1),
                };
                let stamp = Stamp { counter, tie: u32::from(replica.me.0) };
                let stamped = Stamped { stamp, value: call.argument, write: operation };
                let store = Store { key: call.key, stamped };
                effects.broadcast(replica.cluster.others(replica.me), &store);
                Self::keep(replica, store, effects);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, call, .. } => {
                let held = replica.registers.get(&call.key);
                let value = held.map(|held| held.value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { message, .. } => Self::keep(replica, message, effects),
            Input::Timer(ANTI_ENTROPY) => {
                for (key, stamped) in &replica.registers {
                    let store = Store { key: key.clone(), stamped: stamped.clone() };
                    effects.broadcast(replica.cluster.others(replica.me), &store);
                }
                effects.arm(ANTI_ENTROPY);
            }
            Input::Recovered => {
                for held in replica.registers.values() {
                    effects.visible(held.write, held.stamp);
                }
                if self.anti_entropy {
                    effects.arm(ANTI_ENTROPY);
                }
            }
            _ => {}
        }
    }

    fn reads_clock(&self) -> bool {
        self.clock != Clock::Lamport
    }

    fn label(&self, message: &Store) -> String {
        let Store { key, stamped: Stamped { stamp, value, .. } } = message;
        format!("store {key}={value} at {stamp}")
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
