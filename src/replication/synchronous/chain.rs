//! Chain replication: writes go through all nodes one after the other, the last one
//! answers.
//!
//! The nodes form a chain, from the *head* `n1` to the *tail*, the last one. The head
//! gives a write its place in the log and hands it to its successor, which does the same;
//! when the tail has it, every node has it, and the tail answers. Reads are answered by
//! the tail too, so both kinds of operations are in one order, that of the tail.
//!
//! The log is durable. A node that recovers asks its predecessor for what it missed.
//!
//! Source: van Renesse & Schneider 2004. Deviations: the chain stays as it is, so while a
//! node is down writes wait, and there is no master (`chain_membership.rs` changes the
//! chain); the tail sends no acknowledgements back; any node takes requests and forwards
//! them to the head or the tail.

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::log::{Entry, Log};
use crate::replication::{Cluster, Effects, Input, OperationId, Part, Strategy, Visible};

/// Chain replication.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// Which node answers reads.
    pub reads: Reads,
    /// Which node answers writes.
    pub answers: Answers,
}

/// Which node answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The tail; other nodes forward.
    Tail,
    /// Bug: the node that was asked, which may be ahead of the tail.
    Local,
}

/// Which node answers writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The tail, when every node has the write.
    Tail,
    /// Bug: the head, when it alone has it.
    Head,
}

const HEAD: NodeId = NodeId(0);

/// A node of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    log: Log,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the head: a client writes.
    Write(Entry),
    /// To the tail: a client reads.
    Read(OperationId, Key),
    /// To the successor: the entry at a position of the log.
    Append(usize, Entry),
    /// To the predecessor: how many entries the sender has, and a request for the rest.
    Fetch(usize),
}

impl Replica {
    fn tail(&self) -> NodeId {
        self.cluster.nodes().last().expect("a cluster has a node")
    }

    fn successor(&self) -> Option<NodeId> {
        (self.me != self.tail()).then(|| NodeId(self.me.0 + 1))
    }
}

impl Chain {
    /// A client's write has come to the head.
    fn write(self, replica: &mut Replica, entry: Entry, effects: &mut Effects<Self>) {
        // A retry of what is already on its way, or has been answered.
        if replica.log.position(entry.operation).is_none() {
            self.append(replica, replica.log.len(), entry, effects);
        }
    }

    /// Takes an entry that is next in order, and hands it on.
    fn append(
        self,
        replica: &mut Replica,
        position: usize,
        entry: Entry,
        effects: &mut Effects<Self>,
    ) {
        if position > replica.log.len() {
            // Entries before this one were lost in a crash.
            effects.send(NodeId(replica.me.0 - 1), Message::Fetch(replica.log.len()));
            return;
        }
        if position < replica.log.len() {
            return;
        }
        let operation = entry.operation;
        replica.log.append(entry.clone());
        replica.log.apply(position + 1, effects);
        let answers = match self.answers {
            Answers::Tail => replica.tail(),
            Answers::Head => HEAD,
        };
        if let Some(successor) = replica.successor() {
            effects.send(successor, Message::Append(position, entry));
        }
        if replica.me == answers {
            effects.ok(operation, Value::Null);
        }
    }

    fn read(replica: &Replica, operation: OperationId, key: &Key, effects: &mut Effects<Self>) {
        let value = replica.log.read(key);
        effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
    }
}

impl Strategy for Chain {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica { me: node, cluster: *cluster, log: Log::default() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                if self.reads == Reads::Local || replica.me == replica.tail() {
                    Self::read(replica, operation, &call.key, effects);
                } else {
                    effects.send(replica.tail(), Message::Read(operation, call.key));
                }
            }
            Input::Request { operation, call, .. } => {
                let entry = Entry { operation, key: call.key, value: call.argument };
                if replica.me == HEAD {
                    self.write(replica, entry, effects);
                } else {
                    effects.send(HEAD, Message::Write(entry));
                }
            }
            Input::Receive { from, message, .. } => match message {
                Message::Write(entry) => self.write(replica, entry, effects),
                Message::Read(operation, key) => Self::read(replica, operation, &key, effects),
                Message::Append(position, entry) => self.append(replica, position, entry, effects),
                Message::Fetch(entries) => {
                    for (position, entry) in replica.log.from(entries) {
                        effects.send(from, Message::Append(position, entry.clone()));
                    }
                }
            },
            Input::Recovered => {
                replica.log.announce(effects);
                if replica.me != HEAD {
                    let entries = replica.log.len();
                    effects.send(NodeId(replica.me.0 - 1), Message::Fetch(entries));
                }
            }
            _ => {}
        }
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Write(entry) => format!("forward write {entry}"),
            Message::Read(_, key) => format!("forward read {key}"),
            Message::Append(position, entry) => format!("append #{position} {entry}"),
            Message::Fetch(entries) => format!("fetch after {entries}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        Some(replica.log.show())
    }
}
