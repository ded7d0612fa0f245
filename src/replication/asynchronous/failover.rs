//! An asynchronous primary that an operator replaces.
//!
//! The primary (`n1` at first) takes writes, answers when its disk has them,
//! and then sends them on. Every node answers reads from what it holds. An
//! operator may *promote* a node: it begins a new epoch, in which it is the
//! primary, and hands all that it holds to the others. Nodes take the state of a
//! higher epoch for their own and ignore what comes from a lower one.
//!
//! Nodes agree in the end. A promotion loses acknowledged writes that had not
//! arrived at the new primary: that is what asynchronous means. With
//! `fencing=none` nobody looks at epochs, so that two primaries serve side by
//! side. With `answers=received` a write is answered and sent before the disk has
//! it, and a crash makes the primary forget what others have seen.
//!
//! Source: the failover of asynchronous replicas as operators of MySQL,
//! PostgreSQL and Redis know it; fencing by epoch after Gray & Cheriton 1989 and
//! Chubby (Burrows 2006). Deviations: no detector decides, an operator does; a
//! promoted node is believed without votes; writes at other nodes are refused.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, ImageId, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Whether nodes look at epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fencing {
    /// What comes from a lower epoch is ignored, and its primary steps down.
    Epochs,
    /// Everything is believed.
    None,
}

/// When a write is answered and sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// When the disk of the primary has it.
    Flushed,
    /// At once.
    Received,
}

/// A primary that can be replaced.
#[derive(Clone, Copy, Debug)]
pub struct Failover {
    /// Whether nodes look at epochs.
    pub fencing: Fencing,
    /// When a write is answered and sent on.
    pub answers: Answers,
}

/// A write and its place: the epoch, and the position in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    epoch: u32,
    position: u32,
    operation: OperationId,
    value: Value,
}

impl Entry {
    fn stamp(&self) -> Stamp {
        Stamp { counter: self.epoch.into(), tie: self.position }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    epoch: u32,
    primary: NodeId,
    entries: BTreeMap<Key, Entry>,
    /// How many writes this node has placed in its epoch as its primary.
    placed: u32,
    /// Writes that the disk does not have yet, oldest first.
    waiting: Vec<(Key, Entry)>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A write of the primary of this epoch.
    Store(u32, Key, Entry),
    /// All that the primary of this epoch holds.
    Take(u32, BTreeMap<Key, Entry>),
    /// A node that was down asks for that.
    Fetch,
}

impl Replica {
    fn is_primary(&self) -> bool {
        self.primary == self.me
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.others(self.me)
    }

    /// Holds an entry if it is newer than what is there.
    fn hold(&mut self, key: Key, entry: Entry, effects: &mut Effects<Failover>) {
        let place = |entry: &Entry| (entry.epoch, entry.position);
        if self.entries.get(&key).is_none_or(|held| place(held) < place(&entry)) {
            effects.visible(entry.operation, entry.stamp());
            self.entries.insert(key, entry);
        }
    }

    /// Makes an entry known, and answers whoever asked for it.
    fn publish(&mut self, key: Key, entry: Entry, effects: &mut Effects<Failover>) {
        let store = Message::Store(self.epoch, key.clone(), entry.clone());
        let operation = entry.operation;
        self.hold(key, entry, effects);
        effects.broadcast(self.others(), &store);
        effects.ok(operation, Value::Null);
    }

    /// Follows the primary of a higher epoch. The outcome of what it was about to
    /// do itself is unknown.
    fn follow(&mut self, epoch: u32, primary: NodeId, effects: &mut Effects<Failover>) {
        (self.epoch, self.primary, self.placed) = (epoch, primary, 0);
        for (_, entry) in std::mem::take(&mut self.waiting) {
            effects.reply(entry.operation, Completion::Info);
        }
    }
}

impl Failover {
    fn request(
        &self,
        replica: &mut Replica,
        operation: OperationId,
        call: Call,
        effects: &mut Effects<Self>,
    ) {
        if call.is_read() {
            let held = replica.entries.get(&call.key);
            let value = held.map_or(Value::Null, |entry| entry.value.clone());
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
        } else if !replica.is_primary() {
            effects.reply(operation, Completion::Fail);
        } else {
            replica.placed += 1;
            let (epoch, position) = (replica.epoch, replica.placed);
            let entry = Entry { epoch, position, operation, value: call.argument };
            match self.answers {
                Answers::Received => replica.publish(call.key, entry, effects),
                Answers::Flushed => replica.waiting.push((call.key, entry)),
            }
            effects.persist(ImageId(position));
        }
    }

    /// Whether to listen to the primary of an epoch; follows it if it is new.
    fn heeds(
        &self,
        replica: &mut Replica,
        epoch: u32,
        from: NodeId,
        effects: &mut Effects<Self>,
    ) -> bool {
        if self.fencing == Fencing::None {
            return true;
        }
        if epoch > replica.epoch {
            replica.follow(epoch, from, effects);
        } else if epoch < replica.epoch && replica.is_primary() {
            // It may have been down when this epoch began.
            effects.send(from, Message::Take(replica.epoch, replica.entries.clone()));
        }
        epoch == replica.epoch
    }

    fn receive(
        &self,
        replica: &mut Replica,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Store(epoch, key, entry) => {
                if self.heeds(replica, epoch, from, effects) {
                    replica.hold(key, entry, effects);
                }
            }
            Message::Take(epoch, entries) => {
                if self.heeds(replica, epoch, from, effects) {
                    if self.fencing == Fencing::Epochs {
                        replica.entries.retain(|_, held| held.epoch >= epoch);
                    }
                    for (key, entry) in entries {
                        replica.hold(key, entry, effects);
                    }
                }
            }
            Message::Fetch if replica.is_primary() => {
                effects.send(from, Message::Take(replica.epoch, replica.entries.clone()));
            }
            Message::Fetch => {}
        }
        effects.persist(ImageId(0));
    }

    /// Begins an epoch with what this node holds.
    fn promote(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        if replica.is_primary() {
            return;
        }
        replica.primary = replica.me;
        if self.fencing == Fencing::Epochs {
            replica.epoch += 1;
            for (position, held) in (1..).zip(replica.entries.values_mut()) {
                (held.epoch, held.position) = (replica.epoch, position);
                effects.visible(held.operation, held.stamp());
            }
        }
        let positions = replica.entries.values().map(|held| held.position);
        replica.placed = positions.max().unwrap_or(0);
        let take = Message::Take(replica.epoch, replica.entries.clone());
        effects.broadcast(replica.others(), &take);
        effects.persist(ImageId(0));
    }
}

impl Strategy for Failover {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            epoch: 0,
            primary: NodeId(0),
            entries: BTreeMap::new(),
            placed: 0,
            waiting: Vec::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                self.request(replica, operation, call, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Persisted(ImageId(position)) => {
                // An image of a node that has stepped down brings nothing more.
                let found = replica.waiting.iter().position(|(_, it)| it.position == position);
                if let Some((key, entry)) = found.map(|at| replica.waiting.remove(at)) {
                    replica.publish(key, entry, effects);
                }
            }
            Input::Command(_) => self.promote(replica, effects),
            Input::Recovered => {
                for entry in replica.entries.values() {
                    effects.visible(entry.operation, entry.stamp());
                }
                let message = match replica.is_primary() {
                    true => Message::Take(replica.epoch, replica.entries.clone()),
                    false => Message::Fetch,
                };
                effects.broadcast(replica.others(), &message);
            }
            _ => {}
        }
    }

    /// What waits for the disk is on it together with the rest.
    fn durable(&self, replica: &Replica) -> Replica {
        let mut image = replica.clone();
        for (key, entry) in std::mem::take(&mut image.waiting) {
            image.hold(key, entry, &mut Effects::new());
        }
        image
    }

    fn writes_disk(&self) -> bool {
        true
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        vec!["promote".to_owned()]
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Store(epoch, key, entry) => {
                format!("store {key}={} of epoch {epoch}", entry.value)
            }
            Message::Take(epoch, entries) => {
                let all = entries.iter().map(|(key, entry)| format!("{key}={}", entry.value));
                match all.collect::<Vec<_>>().join(" ") {
                    none if none.is_empty() => format!("take nothing of epoch {epoch}"),
                    some => format!("take {some} of epoch {epoch}"),
                }
            }
            Message::Fetch => "fetch".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let entries = replica.entries.iter();
        let mut parts: Vec<_> =
            entries.map(|(key, entry)| Part::Key(key.clone(), shown(&entry.value))).collect();
        parts.push(Part::Field("epoch".to_owned(), replica.epoch.to_string()));
        parts.push(Part::Field("primary".to_owned(), replica.primary.to_string()));
        Some(parts)
    }
}
