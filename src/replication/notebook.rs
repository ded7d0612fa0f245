//! The student's notebook: two nodes that list each other as replicas, each
//! variant with one of its bugs.
//!
//! As in the notebook, `write_data` stores locally, then calls every replica;
//! the client is answered at once, because the call to the replica is made
//! while the network is still carrying it. What the receiver does differs by
//! variant. Nothing orders two writers, nothing is durable.
//!
//! Source: the notebook itself; Almeida et al. call the storing variant
//! "naive" replication. Deviations: keys and values are the caller's.

use std::collections::BTreeMap;

use crate::history::{Completion, Key, NodeId, Value};

use super::{Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown};

/// The notebook with one of its bugs.
#[derive(Clone, Copy, Debug)]
pub struct Notebook {
    /// Which bug.
    pub variant: Variant,
}

/// What the notebook gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The receiver looks the key up and stores nothing.
    AsWritten,
    /// The receiver stores, but writes use another key than reads.
    WrongKey,
    /// The method called on the replica is misspelt: the write is stored
    /// locally, then the call raises and the client is told of a failure.
    CallError,
    /// The receiver stores whatever arrives, so the last arrival wins.
    Storing,
    /// The receiver stores by calling `write_data`, which replicates again.
    Echo,
}

/// A `DatabaseNode`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatabaseNode {
    replicas: Vec<NodeId>,
    data: BTreeMap<Key, Value>,
}

impl DatabaseNode {
    /// Whether both nodes hold the same values under the same keys.
    pub fn has_the_data_of(&self, other: &DatabaseNode) -> bool {
        self.data == other.data
    }
}

/// `recieve_replication`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replicate {
    write: OperationId,
    key: Key,
    value: Value,
}

impl Notebook {
    /// The key under which a write is stored: the notebook writes ` k - 0`
    /// and reads `key0`.
    fn stored_under(self, key: &Key) -> Key {
        match self.variant {
            Variant::WrongKey => Key::new(format!(" k - {key}")),
            _ => key.clone(),
        }
    }

    fn store(self, node: &mut DatabaseNode, write: &Replicate, effects: &mut Effects<Self>) {
        node.data.insert(self.stored_under(&write.key), write.value.clone());
        // Nothing orders writes, so they all carry the same stamp.
        effects.visible(write.write, Stamp::default());
    }
}

impl Strategy for Notebook {
    type Replica = DatabaseNode;
    type Message = Replicate;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> DatabaseNode {
        DatabaseNode { replicas: cluster.others(node).collect(), data: BTreeMap::new() }
    }

    fn step(&self, node: &mut DatabaseNode, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_write() => {
                let write = Replicate { write: operation, key: call.key, value: call.argument };
                self.store(node, &write, effects);
                if self.variant == Variant::CallError {
                    effects.reply(operation, Completion::Fail);
                    return;
                }
                effects.broadcast(node.replicas.iter().copied(), &write);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, call, .. } => {
                let value = node.data.get(&call.key).cloned().unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { message, .. } => match self.variant {
                Variant::AsWritten | Variant::CallError => {}
                Variant::WrongKey | Variant::Storing => self.store(node, &message, effects),
                Variant::Echo => {
                    self.store(node, &message, effects);
                    effects.broadcast(node.replicas.iter().copied(), &message);
                }
            },
            _ => {}
        }
    }

    fn durable(&self, node: &DatabaseNode) -> DatabaseNode {
        DatabaseNode { replicas: node.replicas.clone(), data: BTreeMap::new() }
    }

    fn label(&self, message: &Replicate) -> String {
        format!("store {}={}", message.key, message.value)
    }

    fn show(&self, node: &DatabaseNode) -> Option<Vec<Part>> {
        let data = node.data.iter().map(|(key, value)| Part::Key(key.clone(), shown(value)));
        Some(data.collect())
    }
}
