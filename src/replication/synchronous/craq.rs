//! Chain replication with apportioned queries: every node of the chain answers reads.
//!
//! Writes go down the chain from the head `n1` to the tail, the last node, which commits
//! and answers them. A node thus holds several versions of an object: up to the newest
//! one that it knows to be committed they are *clean*, the others *dirty*. The tail's
//! acknowledgement goes back up the chain and makes versions clean. A read is answered at
//! once where the newest version is clean; otherwise the node asks the tail which version
//! is the last committed one, and answers that.
//!
//! The log, with what is known to be committed, is durable. A node that recovers asks its
//! predecessor for entries and its successor for acknowledgements that it missed.
//!
//! Source: Terrace & Freedman 2009. Deviations: the chain stays as it is; a version is
//! known by its place in the log of all objects, and none is thrown away; any node takes
//! writes and forwards them to the head.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::log::Entry;
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Chain replication with apportioned queries.
#[derive(Clone, Copy, Debug)]
pub struct Craq {
    /// What a node does that is asked for an object whose newest version is dirty.
    pub dirty: Dirty,
    /// What a node makes of an entry that is not the next one.
    pub places: Places,
}

/// What a node does that is asked for an object whose newest version is dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dirty {
    /// It asks the tail which version is committed.
    Asked,
    /// Bug: it answers that version.
    Shown,
    /// It answers the newest version that it knows to be committed.
    Hidden,
}

/// What a node makes of an entry that is not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// It waits for the entries before.
    Checked,
    /// Bug: it takes entries in the order in which they arrive.
    Ignored,
}

const HEAD: NodeId = NodeId(0);

/// A node of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    entries: Vec<Entry>,
    /// How many entries are known to be committed.
    committed: usize,
    /// Entries that arrived before an earlier one.
    early: BTreeMap<usize, Entry>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the head: a client writes.
    Write(Entry),
    /// To the successor: the entry at a position of the log.
    Append(usize, Entry),
    /// To the predecessor: how many entries are committed.
    Commit(usize),
    /// To the tail: how many entries are committed? It is for a read of this key.
    Query(OperationId, Key),
    /// Answers [`Message::Query`].
    Version(OperationId, Key, usize),
    /// To both neighbours: how many entries the sender has, how many of them it knows to
    /// be committed, and a request for what it missed.
    Fetch(usize, usize),
}

impl Replica {
    fn tail(&self) -> NodeId {
        self.cluster.nodes().last().expect("a cluster has a node")
    }

    fn successor(&self) -> Option<NodeId> {
        (self.me != self.tail()).then(|| NodeId(self.me.0 + 1))
    }

    fn predecessor(&self) -> Option<NodeId> {
        self.me.0.checked_sub(1).map(NodeId)
    }

    /// The newest version of a key among the first `until` entries.
    fn version(&self, key: &Key, until: usize) -> Option<(usize, &Entry)> {
        let until = until.min(self.entries.len());
        let of_key = |(_, entry): &(usize, &Entry)| entry.key == *key;
        self.entries[..until].iter().enumerate().rev().find(of_key)
    }

    fn answer(&self, operation: OperationId, key: &Key, until: usize, effects: &mut Effects<Craq>) {
        let version = self.version(key, until);
        let value = version.map(|(_, entry)| entry.value.clone()).unwrap_or_default();
        let seen = self.entries.iter().take(until).map(|entry| entry.operation).collect();
        effects.reply(operation, Completion::Ok(value)).seeing(Visible::These(seen));
    }

    /// The first `entries` are committed, and the predecessor shall know.
    fn commit(&mut self, entries: usize, effects: &mut Effects<Craq>) {
        if entries > self.committed {
            self.committed = entries;
            if let Some(predecessor) = self.predecessor() {
                effects.send(predecessor, Message::Commit(entries));
            }
        }
    }
}

impl Craq {
    fn read(
        self,
        replica: &Replica,
        operation: OperationId,
        key: Key,
        effects: &mut Effects<Self>,
    ) {
        let newest = replica.version(&key, replica.entries.len());
        let dirty = newest.is_some_and(|(position, _)| position >= replica.committed);
        match self.dirty {
            Dirty::Asked if dirty => {
                effects.send(replica.tail(), Message::Query(operation, key));
            }
            Dirty::Shown => replica.answer(operation, &key, replica.entries.len(), effects),
            Dirty::Asked | Dirty::Hidden => {
                replica.answer(operation, &key, replica.committed, effects);
            }
        }
    }

    /// An entry has arrived: takes all that are next in order, and hands them on.
    fn arrive(
        self,
        replica: &mut Replica,
        position: usize,
        entry: Entry,
        effects: &mut Effects<Self>,
    ) {
        if self.places == Places::Ignored {
            self.append(replica, entry, effects);
        } else if position >= replica.entries.len() {
            replica.early.insert(position, entry);
            while let Some(entry) = replica.early.remove(&replica.entries.len()) {
                self.append(replica, entry, effects);
            }
        }
    }

    fn append(self, replica: &mut Replica, entry: Entry, effects: &mut Effects<Self>) {
        let position = replica.entries.len();
        replica.entries.push(entry.clone());
        effects.visible(entry.operation, stamp(position));
        match replica.successor() {
            Some(successor) => effects.send(successor, Message::Append(position, entry)),
            None => {
                effects.ok(entry.operation, Value::Null);
                replica.commit(position + 1, effects);
            }
        }
    }

    fn write(self, replica: &mut Replica, entry: Entry, effects: &mut Effects<Self>) {
        // Not a retry of what is already on its way, or has been answered.
        if !replica.entries.iter().any(|known| known.operation == entry.operation) {
            self.append(replica, entry, effects);
        }
    }

    fn request(
        self,
        replica: &mut Replica,
        operation: OperationId,
        call: Call,
        effects: &mut Effects<Self>,
    ) {
        if call.is_read() {
            self.read(replica, operation, call.key, effects);
            return;
        }
        let entry = Entry { operation, key: call.key, value: call.argument };
        if replica.me == HEAD {
            self.write(replica, entry, effects);
        } else {
            effects.send(HEAD, Message::Write(entry));
        }
    }

    fn receive(
        self,
        replica: &mut Replica,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Write(entry) => self.write(replica, entry, effects),
            Message::Append(position, entry) => self.arrive(replica, position, entry, effects),
            Message::Commit(entries) => replica.commit(entries, effects),
            Message::Query(operation, key) => {
                effects.send(from, Message::Version(operation, key, replica.committed));
            }
            Message::Version(operation, key, entries) => {
                replica.answer(operation, &key, entries, effects);
            }
            Message::Fetch(entries, committed) => {
                if from > replica.me {
                    for (position, entry) in replica.entries.iter().enumerate().skip(entries) {
                        effects.send(from, Message::Append(position, entry.clone()));
                    }
                } else if replica.committed > committed {
                    effects.send(from, Message::Commit(replica.committed));
                }
            }
        }
    }
}

impl Strategy for Craq {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        let (entries, early) = (Vec::new(), BTreeMap::new());
        Replica { me: node, cluster: *cluster, entries, committed: 0, early }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                self.request(replica, operation, call, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Recovered => {
                for (position, entry) in replica.entries.iter().enumerate() {
                    effects.visible(entry.operation, stamp(position));
                }
                let fetch = Message::Fetch(replica.entries.len(), replica.committed);
                let neighbours = replica.predecessor().into_iter().chain(replica.successor());
                effects.broadcast(neighbours, &fetch);
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { early: BTreeMap::new(), ..replica.clone() }
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Write(entry) => format!("forward write {entry}"),
            Message::Append(position, entry) => format!("append #{position} {entry}"),
            Message::Commit(entries) => format!("committed {entries}"),
            Message::Query(_, key) => format!("which version of {key}"),
            Message::Version(_, key, entries) => format!("{key} as of {entries}"),
            Message::Fetch(entries, committed) => format!("fetch after {entries}, {committed}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let entries: Vec<_> = replica.entries.iter().map(ToString::to_string).collect();
        let mut parts = vec![
            Part::Field("log".to_owned(), format!("[{}]", entries.join(", "))),
            Part::Field("committed".to_owned(), replica.committed.to_string()),
        ];
        let keys: BTreeMap<_, _> =
            replica.entries.iter().map(|entry| (&entry.key, &entry.value)).collect();
        parts.extend(keys.into_iter().map(|(key, value)| Part::Key(key.clone(), shown(value))));
        Some(parts)
    }
}

fn stamp(position: usize) -> Stamp {
    Stamp { counter: u64::try_from(position).expect("a log fits in 64 bits"), tie: 0 }
}
