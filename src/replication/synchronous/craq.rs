//! Chain replication with apportioned queries: every node of the chain answers reads.
//!
//! Writes go down the chain from the head `n1` to the tail, the last node, which commits
//! and answers them. A node thus holds several versions of an object: up to the newest
//! one that it knows to be committed they are *clean*, the others *dirty*. The tail's
//! acknowledgement goes back up the chain and makes versions clean. A read is answered at
//! once where the newest version is clean; otherwise the node asks the tail which version
//! is the last committed one, and answers that.
//!
//! Of what nodes know to be committed one is always the beginning of the other
//! (`committed-agree`): else two clean versions differ.
//!
//! The log, with what is known to be committed, is durable. A node that recovers asks its
//! predecessor for entries and its successor for acknowledgements that it missed.
//!
//! An operator tells a node to *leave* the chain, or the spare one to *join* it. Who leaves
//! answers no more and tells the others, which send their neighbours in the new chain what
//! may have been under way. Who joins asks the tail for its log; when it has all of it, the
//! tail makes it the new tail. Messages carry who has joined and left; of a message of an
//! older chain only the request in it counts, and what it says is committed.
//!
//! Source: Terrace & Freedman 2009. Deviations: a node leaves by itself, where the paper's
//! coordination service detects failures (a node that was removed and does not know it
//! would answer what is out of date); it does not come back, and one at most is added; a
//! version is known by its place in the log of all objects, and none is thrown away; any
//! node takes writes and forwards them to the head.

use std::collections::BTreeMap;

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::log::Entry;
use crate::replication::members::{Members, Spares};
use crate::replication::{
    Cluster, CommandId, Effects, Input, Invariant, OperationId, Part, Stamp, Strategy, Visible,
    shown,
};

/// Chain replication with apportioned queries.
#[derive(Clone, Copy, Debug)]
pub struct Craq {
    /// What a node does that is asked for an object whose newest version is dirty.
    pub dirty: Dirty,
    /// What a node makes of an entry that is not the next one.
    pub places: Places,
    /// Which nodes are not in the chain at first.
    pub spares: Spares,
    /// When a node that joins is in the chain.
    pub joins: Joins,
}

/// When a node that joins is in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joins {
    /// When it has the log of the tail.
    CaughtUp,
    /// Bug: as soon as it asks.
    AtOnce,
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

const LEAVE: CommandId = CommandId(0);
const JOIN: CommandId = CommandId(1);

/// A node of the chain, or one that is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    members: Members,
    entries: Vec<Entry>,
    /// How many entries are known to be committed.
    committed: usize,
    /// Entries that arrived before an earlier one.
    early: BTreeMap<usize, Entry>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// Who is in the chain, as far as the sender knows.
    members: Members,
    said: Said,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Said {
    /// To the head: a client writes.
    Write(Entry),
    /// To the head, from a node that is not in the chain: a client reads.
    Read(OperationId, Key),
    /// To the successor, or to a node that joins: the entry at a position of the log.
    Append(usize, Entry),
    /// To the predecessor: how many entries are committed.
    Commit(usize),
    /// To the tail: how many entries are committed? It is for a read of this key.
    Query(OperationId, Key),
    /// Answers [`Said::Query`].
    Version(OperationId, Key, usize),
    /// To both neighbours: how many entries the sender has, how many of them it knows to
    /// be committed, and a request for what it missed.
    Fetch(usize, usize),
    /// To the tail: this node joins, and has so many entries.
    Join(NodeId, usize),
    /// Nothing more than who is in the chain.
    News,
}

impl Replica {
    fn successor(&self) -> Option<NodeId> {
        self.members.successor(self.me)
    }

    fn send(&self, to: NodeId, said: Said, effects: &mut Effects<Craq>) {
        effects.send(to, Message { members: self.members.clone(), said });
    }

    /// Sends the entries from a position on.
    fn catch_up(&self, to: NodeId, from: usize, effects: &mut Effects<Craq>) {
        for (position, entry) in self.entries.iter().enumerate().skip(from) {
            self.send(to, Said::Append(position, entry.clone()), effects);
        }
    }

    fn holds(&self, entry: &Entry) -> bool {
        self.entries.iter().any(|known| known.operation == entry.operation)
    }

    /// Takes an entry as the next one, and gives its position.
    fn hold(&mut self, entry: Entry, effects: &mut Effects<Craq>) -> usize {
        let position = self.entries.len();
        effects.visible(entry.operation, stamp(position));
        self.entries.push(entry);
        position
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
            self.tell_committed(effects);
        }
    }

    fn tell_committed(&self, effects: &mut Effects<Craq>) {
        if let Some(predecessor) = self.members.predecessor(self.me) {
            self.send(predecessor, Said::Commit(self.committed), effects);
        }
    }

    /// What the tail has is committed, and answered.
    fn commit_all(&mut self, effects: &mut Effects<Craq>) {
        for entry in &self.entries[self.committed..] {
            effects.ok(entry.operation, Value::Null);
        }
        self.commit(self.entries.len(), effects);
    }

    /// Whether this is the spare, which has not joined.
    fn is_spare(&self) -> bool {
        !self.members.has(self.me) && !self.members.removed(self.me)
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
        if !replica.members.has(replica.me) {
            replica.send(replica.members.head(), Said::Read(operation, key), effects);
            return;
        }
        let newest = replica.version(&key, replica.entries.len());
        let dirty = newest.is_some_and(|(position, _)| position >= replica.committed);
        match self.dirty {
            Dirty::Asked if dirty => {
                replica.send(replica.members.tail(), Said::Query(operation, key), effects);
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
        let position = replica.hold(entry.clone(), effects);
        match replica.successor() {
            Some(successor) => replica.send(successor, Said::Append(position, entry), effects),
            None => {
                effects.ok(entry.operation, Value::Null);
                replica.commit(position + 1, effects);
            }
        }
    }

    /// Brings a write to the head.
    fn write(self, replica: &mut Replica, entry: Entry, effects: &mut Effects<Self>) {
        let head = replica.members.head();
        if replica.me != head {
            replica.send(head, Said::Write(entry), effects);
        } else if !replica.holds(&entry) {
            self.append(replica, entry, effects);
        }
    }

    /// Learns who is in the chain. Even the neighbours of before no longer obey what was
    /// said in the old one.
    fn learn(self, replica: &mut Replica, members: &Members, effects: &mut Effects<Self>) {
        if !replica.members.learn(members) {
            return;
        }
        if replica.members.has(replica.me) {
            match replica.successor() {
                Some(successor) => replica.catch_up(successor, 0, effects),
                None => replica.commit_all(effects),
            }
            replica.tell_committed(effects);
        }
        for entry in std::mem::take(&mut replica.early).into_values() {
            self.write(replica, entry, effects);
        }
    }

    /// Changes who is in the chain, and tells all.
    fn change(self, replica: &mut Replica, members: &Members, effects: &mut Effects<Self>) {
        self.learn(replica, members, effects);
        let message = Message { members: replica.members.clone(), said: Said::News };
        effects.broadcast(replica.cluster.others(replica.me), &message);
    }

    /// A node wants to join, and has so many entries.
    fn join(
        self,
        replica: &mut Replica,
        (node, has): (NodeId, usize),
        effects: &mut Effects<Self>,
    ) {
        let tail = replica.members.tail();
        if replica.me != tail {
            replica.send(tail, Said::Join(node, has), effects);
        } else if node != tail && has == replica.entries.len() {
            self.change(replica, &replica.members.clone().with(node), effects);
        } else if let Some(entry) = replica.entries.get(has) {
            replica.send(node, Said::Append(has, entry.clone()), effects);
        }
    }

    fn receive(
        self,
        replica: &mut Replica,
        from: NodeId,
        Message { members, said }: Message,
        effects: &mut Effects<Self>,
    ) {
        self.learn(replica, &members, effects);
        let current = replica.members == members;
        match said {
            Said::Append(position, entry) if replica.is_spare() => {
                if position == replica.entries.len() {
                    replica.hold(entry, effects);
                    let has = replica.entries.len();
                    replica.send(from, Said::Join(replica.me, has), effects);
                }
            }
            Said::Append(position, entry) if current => {
                self.arrive(replica, position, entry, effects);
            }
            Said::Append(_, entry) if replica.holds(&entry) => {}
            Said::Write(entry) | Said::Append(_, entry) => self.write(replica, entry, effects),
            Said::Commit(entries) => replica.commit(entries.min(replica.entries.len()), effects),
            Said::Query(operation, key) if current => {
                let version = Said::Version(operation, key, replica.committed);
                replica.send(from, version, effects);
            }
            Said::Read(operation, key) | Said::Query(operation, key) => {
                self.read(replica, operation, key, effects);
            }
            Said::Version(operation, key, entries) => {
                replica.answer(operation, &key, entries, effects);
            }
            Said::Fetch(entries, committed) => {
                if !current {
                    replica.send(from, Said::News, effects);
                }
                if replica.successor() == Some(from) {
                    replica.catch_up(from, entries, effects);
                } else if replica.committed > committed {
                    replica.send(from, Said::Commit(replica.committed), effects);
                }
            }
            Said::Join(node, has) => self.join(replica, (node, has), effects),
            Said::News => {}
        }
    }
}

impl Strategy for Craq {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            members: self.spares.members(cluster),
            entries: Vec::new(),
            committed: 0,
            early: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                self.read(replica, operation, call.key, effects);
            }
            Input::Request { operation, call, .. } => {
                let entry = Entry { operation, key: call.key, value: call.argument };
                self.write(replica, entry, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Recovered => {
                for (position, entry) in replica.entries.iter().enumerate() {
                    effects.visible(entry.operation, stamp(position));
                }
                let fetch = Said::Fetch(replica.entries.len(), replica.committed);
                let predecessor = replica.members.predecessor(replica.me);
                for neighbour in predecessor.into_iter().chain(replica.successor()) {
                    replica.send(neighbour, fetch.clone(), effects);
                }
            }
            Input::Command(LEAVE) if replica.members.has(replica.me) => {
                let members = replica.members.clone().without(replica.me);
                self.change(replica, &members, effects);
            }
            Input::Command(JOIN) if replica.is_spare() && self.joins == Joins::AtOnce => {
                let members = replica.members.clone().with(replica.me);
                self.change(replica, &members, effects);
            }
            Input::Command(JOIN) if replica.is_spare() => {
                let join = Said::Join(replica.me, replica.entries.len());
                replica.send(replica.members.tail(), join, effects);
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { early: BTreeMap::new(), ..replica.clone() }
    }

    fn commands(&self, cluster: &Cluster) -> Vec<String> {
        let joins = self.spares.node(cluster).map(|_| "join the chain".to_owned());
        std::iter::once("leave the chain".to_owned()).chain(joins).collect()
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        // Nodes know of different numbers of committed entries, but of no different ones.
        let agree = |nodes: &[&Replica]| {
            let all: Vec<_> = nodes.iter().map(|node| &node.entries[..node.committed]).collect();
            let longest = all.iter().max_by_key(|entries| entries.len());
            longest.is_none_or(|longest| all.iter().all(|entries| longest.starts_with(entries)))
        };
        vec![Invariant::always("committed-agree", agree)]
    }

    fn label(&self, message: &Message) -> String {
        let said = match &message.said {
            Said::Write(entry) => format!("forward write {entry}"),
            Said::Read(_, key) => format!("forward read {key}"),
            Said::Append(position, entry) => format!("append #{position} {entry}"),
            Said::Commit(entries) => format!("committed {entries}"),
            Said::Query(_, key) => format!("which version of {key}"),
            Said::Version(_, key, entries) => format!("{key} as of {entries}"),
            Said::Fetch(entries, committed) => format!("fetch after {entries}, {committed}"),
            Said::Join(node, entries) => format!("{node} joins with {entries}"),
            Said::News => return format!("chain{}", message.members),
        };
        message.members.told(said)
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
