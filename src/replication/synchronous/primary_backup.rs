//! Synchronous primary-backup: a write is answered when *every* backup has it.
//!
//! The primary (`n1`) gives each write a position in its log and sends it to
//! all backups; a backup appends and applies in order and acknowledges; when
//! all have acknowledged, the primary applies and answers. Other nodes
//! forward writes, and with `reads=primary` also reads, to the primary.
//!
//! With `reads=primary` it is linearizable. With `reads=local` a backup shows
//! a write before another one has it, so two sessions may see new then old.
//!
//! The log and the applied position are durable. A node that recovers asks,
//! or is asked, how far it got, and the primary sends the rest; no view
//! change: while a node is down, writes wait.
//!
//! Source: Alsberg & Day 1976; Budhiraja et al. 1993. Deviation: acknowledged
//! by log length, so an acknowledgement covers everything before it.

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::log::{Entry, Log};
use crate::replication::{Cluster, Effects, Input, OperationId, Part, Strategy, Visible};

/// Which node answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The primary only; other nodes forward.
    Primary,
    /// The node that was asked.
    Local,
}

/// All-acknowledge primary-backup replication.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryBackup {
    /// Which node answers reads.
    pub reads: Reads,
}

const PRIMARY: NodeId = NodeId(0);

/// The primary or a backup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    log: Log,
    /// At the primary: how many entries each node is known to have.
    acknowledged: Vec<usize>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the primary: a client asks.
    Forward {
        /// Which operation.
        operation: OperationId,
        /// Of which key.
        key: Key,
        /// The value of a write; none for a read.
        write: Option<Value>,
    },
    /// To a backup: the entry at a position of the log.
    Append {
        /// The position, from 0.
        position: usize,
        /// The write.
        entry: Entry,
    },
    /// To the primary: how many entries the sender has.
    Acknowledge {
        /// How many.
        entries: usize,
    },
    /// To a backup: asks how many entries it has.
    Probe,
    /// To the primary: how many entries the sender has, and a request for the rest.
    Fetch {
        /// How many.
        entries: usize,
    },
}

impl PrimaryBackup {
    fn request(
        replica: &mut Replica,
        operation: OperationId,
        call: Call,
        effects: &mut Effects<Self>,
    ) {
        if call.is_read() {
            let value = replica.log.read(&call.key);
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            return;
        }
        match replica.log.position(operation) {
            Some(position) if position < replica.log.applied() => {
                effects.ok(operation, Value::Null);
            }
            Some(_) => {}
            None => {
                let entry = Entry { operation, key: call.key, value: call.argument };
                let position = replica.log.append(entry.clone());
                let append = Message::Append { position, entry };
                effects.broadcast(replica.cluster.others(PRIMARY), &append);
                Self::commit(replica, effects);
            }
        }
    }

    /// Applies and answers what every node has.
    fn commit(replica: &mut Replica, effects: &mut Effects<Self>) {
        let others = replica.cluster.others(PRIMARY);
        let everywhere = others.map(|node| replica.acknowledged[node.index()]).min();
        let everywhere = everywhere.unwrap_or(replica.log.len());
        for operation in replica.log.apply(everywhere.max(replica.log.applied()), effects) {
            effects.ok(operation, Value::Null);
        }
    }

    fn acknowledge(
        replica: &mut Replica,
        from: NodeId,
        entries: usize,
        effects: &mut Effects<Self>,
    ) {
        let known = &mut replica.acknowledged[from.index()];
        *known = entries.max(*known);
        Self::commit(replica, effects);
    }

    fn receive(replica: &mut Replica, from: NodeId, message: Message, effects: &mut Effects<Self>) {
        match message {
            Message::Forward { operation, key, write } => {
                let call = match write {
                    Some(value) => Call::write(key, value),
                    None => Call::read(key),
                };
                Self::request(replica, operation, call, effects);
            }
            Message::Append { position, entry } => {
                if position > replica.log.len() {
                    // Entries before this one were lost in a crash.
                    effects.send(PRIMARY, Message::Fetch { entries: replica.log.len() });
                    return;
                }
                if position == replica.log.len() {
                    replica.log.append(entry);
                    replica.log.apply(position + 1, effects);
                }
                effects.send(PRIMARY, Message::Acknowledge { entries: replica.log.len() });
            }
            Message::Acknowledge { entries } => Self::acknowledge(replica, from, entries, effects),
            Message::Probe => {
                effects.send(PRIMARY, Message::Fetch { entries: replica.log.len() });
            }
            Message::Fetch { entries } => {
                for (position, entry) in replica.log.from(entries) {
                    effects.send(from, Message::Append { position, entry: entry.clone() });
                }
                Self::acknowledge(replica, from, entries, effects);
            }
        }
    }
}

impl Strategy for PrimaryBackup {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            log: Log::default(),
            acknowledged: vec![0; cluster.size()],
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                let here = replica.me == PRIMARY || (call.is_read() && self.reads == Reads::Local);
                if here {
                    Self::request(replica, operation, call, effects);
                } else {
                    let write = call.is_write().then_some(call.argument);
                    let forward = Message::Forward { operation, key: call.key, write };
                    effects.send(PRIMARY, forward);
                }
            }
            Input::Receive { from, message, .. } => Self::receive(replica, from, message, effects),
            Input::Recovered => {
                replica.log.announce(effects);
                if replica.me == PRIMARY {
                    effects.broadcast(replica.cluster.others(PRIMARY), &Message::Probe);
                } else {
                    effects.send(PRIMARY, Message::Fetch { entries: replica.log.len() });
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { acknowledged: vec![0; replica.cluster.size()], ..replica.clone() }
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Forward { key, write: Some(value), .. } => {
                format!("forward write {key}={value}")
            }
            Message::Forward { key, write: None, .. } => format!("forward read {key}"),
            Message::Append { position, entry } => format!("append #{position} {entry}"),
            Message::Acknowledge { entries } => format!("acknowledge {entries}"),
            Message::Probe => "probe".to_owned(),
            Message::Fetch { entries } => format!("fetch after {entries}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = replica.log.show();
        if replica.me == PRIMARY {
            let acknowledged = format!("{:?}", replica.acknowledged);
            parts.push(Part::Field("acknowledged".to_owned(), acknowledged));
        }
        Some(parts)
    }
}
