//! Asynchronous primary: a write is answered as soon as the primary has it.
//!
//! The primary (`n1`) appends to its log, applies, answers, and streams the
//! entries; the others apply them in order. Reads are served where they are
//! asked. Every node shows a prefix of the primary's log, so replicas
//! converge and a session that stays at one node never goes backwards; but it
//! may not see its own write, and one that moves may go back.
//!
//! The log is durable; whoever recovers fetches what it missed.
//!
//! Source: the log shipping of MongoDB, Redis and PostgreSQL (asynchronous);
//! Terry et al. 1994 for what sessions can and cannot see. Deviation: no
//! failover.

use std::collections::BTreeMap;

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::log::{Entry, Log};
use crate::replication::{Cluster, Effects, Input, OperationId, Part, Strategy, Visible};

/// Asynchronous log shipping from one primary.
#[derive(Clone, Copy, Debug)]
pub struct AsyncPrimary;

const PRIMARY: NodeId = NodeId(0);

/// The primary or a follower.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    log: Log,
    /// Entries that arrived before an earlier one.
    early: BTreeMap<usize, Entry>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the primary: a client writes.
    Forward {
        /// Which operation.
        operation: OperationId,
        /// To which key.
        key: Key,
        /// Which value.
        value: Value,
    },
    /// To a follower: the entry at a position of the log.
    Stream {
        /// The position, from 0.
        position: usize,
        /// The write.
        entry: Entry,
    },
    /// To the primary: how many entries the sender has, and a request for the rest.
    Fetch {
        /// How many.
        entries: usize,
    },
}

impl AsyncPrimary {
    fn write(replica: &mut Replica, entry: Entry, effects: &mut Effects<Self>) {
        let operation = entry.operation;
        if replica.log.position(operation).is_none() {
            let position = replica.log.append(entry.clone());
            replica.log.apply(position + 1, effects);
            effects
                .broadcast(replica.cluster.others(PRIMARY), &Message::Stream { position, entry });
        }
        effects.ok(operation, Value::Null);
    }

    fn follow(replica: &mut Replica, position: usize, entry: Entry, effects: &mut Effects<Self>) {
        if position < replica.log.len() {
            return;
        }
        replica.early.insert(position, entry);
        while let Some(entry) = replica.early.remove(&replica.log.len()) {
            replica.log.append(entry);
        }
        replica.log.apply(replica.log.len(), effects);
    }
}

impl Strategy for AsyncPrimary {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica { me: node, cluster: *cluster, log: Log::default(), early: BTreeMap::new() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                let value = replica.log.read(&call.key);
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Request { operation, call, .. } if replica.me == PRIMARY => {
                let entry = Entry { operation, key: call.key, value: call.argument };
                Self::write(replica, entry, effects);
            }
            Input::Request { operation, call, .. } => {
                let forward = Message::Forward { operation, key: call.key, value: call.argument };
                effects.send(PRIMARY, forward);
            }
            Input::Receive { from, message, .. } => match message {
                Message::Forward { operation, key, value } => {
                    Self::write(replica, Entry { operation, key, value }, effects);
                }
                Message::Stream { position, entry } => {
                    Self::follow(replica, position, entry, effects);
                }
                Message::Fetch { entries } => {
                    for (position, entry) in replica.log.from(entries) {
                        effects.send(from, Message::Stream { position, entry: entry.clone() });
                    }
                }
            },
            Input::Recovered => {
                replica.log.announce(effects);
                if replica.me != PRIMARY {
                    effects.send(PRIMARY, Message::Fetch { entries: replica.log.len() });
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { early: BTreeMap::new(), ..replica.clone() }
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Forward { key, value, .. } => format!("forward write {key}={value}"),
            Message::Stream { position, entry } => format!("stream #{position} {entry}"),
            Message::Fetch { entries } => format!("fetch after {entries}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let early = replica
            .early
            .iter()
            .map(|(position, entry)| Part::Field(format!("early #{position}"), entry.to_string()));
        Some(replica.log.show().into_iter().chain(early).collect())
    }
}
