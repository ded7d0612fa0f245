//! Anti-entropy: from time to time a node compares what it holds with its neighbour.
//!
//! A write is stamped, kept and answered where it is asked; nothing is sent then. When
//! its timer fires, a node sends its neighbour a *digest*: the stamps of all that it
//! holds. The neighbour answers with what it holds that is newer (*pull*), asks for what
//! is newer at the node (*push*), or does both. Newer versions win everywhere, a delete
//! being a version like any other. Since each node's neighbour is the next one, in a
//! ring, everything reaches everyone, and lost messages are made up for.
//!
//! Registers are durable.
//!
//! Source: Demers et al. 1987; digests: van Renesse, Dumitriu, Gough & Thomas 2008.
//! Deviations: the neighbour is not drawn but always the same, and the search chooses when
//! timers fire; tombstones stay.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// Anti-entropy between neighbours.
#[derive(Clone, Copy, Debug)]
pub struct Gossip {
    /// Which way versions go.
    pub mode: Mode,
    /// Which of two versions with equal counters wins.
    pub ties: Ties,
    /// What a digest tells.
    pub digest: Digest,
}

/// Which way versions go, seen from the node whose timer has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Both ways.
    PushPull,
    /// To the neighbour.
    Push,
    /// From the neighbour.
    Pull,
}

/// Which of two versions with equal counters wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// That of the later node in order, everywhere.
    Node,
    /// Bug: the one that is held already.
    Mine,
}

/// What a digest tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// All versions.
    All,
    /// Bug: only values, so that it looks as if what was deleted had never been there.
    Values,
}

const GOSSIP: TimerId = TimerId(0);

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    registers: BTreeMap<Key, Version>,
}

/// A value with its place in the order of writes; `null` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    stamp: Stamp,
    value: Value,
    write: OperationId,
}

/// What neighbours say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The stamps of all that the sender holds.
    Holds(BTreeMap<Key, Stamp>),
    /// The sender lacks the newest versions of these keys.
    Wants(Vec<Key>),
    /// Versions that the receiver lacks.
    Versions(BTreeMap<Key, Version>),
}

impl Gossip {
    /// Whether a version with stamp `one` replaces one with stamp `other`.
    fn newer(self, one: Stamp, other: Stamp) -> bool {
        match self.ties {
            Ties::Node => one > other,
            Ties::Mine => one.counter > other.counter,
        }
    }

    fn keep(self, replica: &mut Replica, key: Key, version: Version, effects: &mut Effects<Self>) {
        let held = replica.registers.get(&key);
        if held.is_none_or(|held| self.newer(version.stamp, held.stamp)) {
            effects.visible(version.write, version.stamp);
            replica.registers.insert(key, version);
        }
    }

    fn digest(self, replica: &Replica) -> BTreeMap<Key, Stamp> {
        let told = |version: &Version| self.digest == Digest::All || version.value != Value::Null;
        let held = replica.registers.iter().filter(|(_, version)| told(version));
        held.map(|(key, version)| (key.clone(), version.stamp)).collect()
    }

    /// The neighbour has told what it holds: answers with what it lacks, and asks for what
    /// is lacking here.
    fn compare(
        self,
        replica: &Replica,
        from: NodeId,
        theirs: &BTreeMap<Key, Stamp>,
        effects: &mut Effects<Self>,
    ) {
        let (mut versions, mut wants) = (BTreeMap::new(), Vec::new());
        let mine = self.digest(replica);
        for (key, stamp) in &mine {
            if theirs.get(key).is_none_or(|other| self.newer(*stamp, *other)) {
                versions.insert(key.clone(), replica.registers[key].clone());
            }
        }
        for (key, stamp) in theirs {
            if mine.get(key).is_none_or(|other| self.newer(*stamp, *other)) {
                wants.push(key.clone());
            }
        }
        if self.mode != Mode::Push && !versions.is_empty() {
            effects.send(from, Message::Versions(versions));
        }
        if self.mode != Mode::Pull && !wants.is_empty() {
            effects.send(from, Message::Wants(wants));
        }
    }
}

impl Strategy for Gossip {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica { me: node, cluster: *cluster, registers: BTreeMap::new() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Start => effects.arm(GOSSIP),
            Input::Request { operation, call, .. } if call.is_write() => {
                let held = replica.registers.get(&call.key);
                let counter = held.map_or(0, |held| held.stamp.counter) + 1;
                let stamp = Stamp { counter, tie: u32::from(replica.me.0) };
                let version = Version { stamp, value: call.argument, write: operation };
                self.keep(replica, call.key, version, effects);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, call, .. } => {
                let held = replica.registers.get(&call.key);
                let value = held.map(|held| held.value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { from, message, .. } => match message {
                Message::Holds(theirs) => self.compare(replica, from, &theirs, effects),
                Message::Wants(keys) => {
                    let held = |key: Key| Some((key.clone(), replica.registers.get(&key)?.clone()));
                    let versions = keys.into_iter().filter_map(held).collect();
                    effects.send(from, Message::Versions(versions));
                }
                Message::Versions(versions) => {
                    for (key, version) in versions {
                        self.keep(replica, key, version, effects);
                    }
                }
            },
            Input::Timer(GOSSIP) => {
                let next = (replica.me.index() + 1) % replica.cluster.size();
                let neighbour = replica.cluster.nodes().nth(next).expect("it is a node");
                if neighbour != replica.me {
                    effects.send(neighbour, Message::Holds(self.digest(replica)));
                }
                effects.arm(GOSSIP);
            }
            Input::Recovered => {
                for held in replica.registers.values() {
                    effects.visible(held.write, held.stamp);
                }
                effects.arm(GOSSIP);
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
        let list = |parts: Vec<String>| match parts.is_empty() {
            true => "nothing".to_owned(),
            false => parts.join(", "),
        };
        match message {
            Message::Holds(stamps) => {
                let told = stamps.iter().map(|(key, stamp)| format!("{key} at {stamp}"));
                format!("holds {}", list(told.collect()))
            }
            Message::Wants(keys) => {
                format!("wants {}", list(keys.iter().map(ToString::to_string).collect()))
            }
            Message::Versions(versions) => {
                let told = versions.iter().map(|(key, Version { stamp, value, .. })| match value {
                    Value::Null => format!("delete {key} at {stamp}"),
                    value => format!("store {key}={value} at {stamp}"),
                });
                list(told.collect())
            }
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        for (key, Version { stamp, value, write }) in &replica.registers {
            parts.push(Part::Key(key.clone(), shown(value)));
            parts.push(Part::Field(format!("{key} written by"), format!("{write} at {stamp}")));
        }
        Some(parts)
    }
}
