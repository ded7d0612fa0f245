//! Anti-entropy: from time to time a node compares what it holds with its neighbour.
//!
//! A write is stamped, kept and answered where it is asked; nothing is sent then. When
//! its timer fires, a node sends its neighbour a *digest*: the stamps of all that it
//! holds. The neighbour answers with what it holds that is newer (*pull*), asks for what
//! is newer at the node (*push*), or does both. Newer versions win everywhere, a delete
//! being a version like any other. Since each node's neighbour is the next one, in a
//! ring, everything reaches everyone, and lost messages are made up for.
//!
//! With `digest=tree` nodes first find out where they differ. Keys are the leaves of a
//! *Merkle tree*: each leaf has a hash of its keys with their stamps, and the root a hash of
//! its leaves. A node sends the hash of its root; a neighbour whose root has another one
//! answers with the hashes of its leaves; and the node sends the stamps of the leaves that
//! differ, and of no others. From there all is as with a whole digest.
//!
//! Registers are durable.
//!
//! Source: Demers et al. 1987; digests: van Renesse, Dumitriu, Gough & Thomas 2008; trees:
//! Merkle 1987, `DeCandia` et al. 2007 (Dynamo), section 4.7.
//! Deviations: the neighbour is not drawn but always the same, and the search chooses when
//! timers fire; tombstones stay; a tree has one root and two leaves, and is computed anew
//! each time; a hash stands for itself, so two are equal only if what is hashed is equal.

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
    /// A tree of hashes first, and then the versions where hashes differ.
    Tree,
    /// Bug: the same, but hashes are of keys without their versions.
    TreeOfKeys,
}

const GOSSIP: TimerId = TimerId(0);

/// How many leaves a tree has.
const LEAVES: usize = 2;

/// The leaf to which a key belongs: the last letter of its name decides.
fn leaf_of(key: &Key) -> usize {
    key.as_str().bytes().last().map_or(0, usize::from) % LEAVES
}

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

/// The hash of a part of a tree: what is hashed, and nobody looks into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hashed(BTreeMap<Key, Option<Stamp>>);

/// What neighbours say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The stamps of all that the sender holds.
    Holds(BTreeMap<Key, Stamp>),
    /// The sender lacks the newest versions of these keys.
    Wants(Vec<Key>),
    /// Versions that the receiver lacks.
    Versions(BTreeMap<Key, Version>),
    /// The hash of the sender's tree.
    Root(Hashed),
    /// The trees differ; the hash of each leaf of the sender's.
    Leaves([Hashed; LEAVES]),
    /// This leaf differs; the stamps of all that the sender holds in it.
    Leaf(usize, BTreeMap<Key, Stamp>),
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
        let told =
            |version: &Version| self.digest != Digest::Values || version.value != Value::Null;
        let held = replica.registers.iter().filter(|(_, version)| told(version));
        held.map(|(key, version)| (key.clone(), version.stamp)).collect()
    }

    fn stamps_of_leaf(self, replica: &Replica, leaf: usize) -> BTreeMap<Key, Stamp> {
        let mut stamps = self.digest(replica);
        stamps.retain(|key, _| leaf_of(key) == leaf);
        stamps
    }

    fn hash(self, stamps: BTreeMap<Key, Stamp>) -> Hashed {
        let told = |stamp| (self.digest != Digest::TreeOfKeys).then_some(stamp);
        Hashed(stamps.into_iter().map(|(key, stamp)| (key, told(stamp))).collect())
    }

    fn root(self, replica: &Replica) -> Hashed {
        self.hash(self.digest(replica))
    }

    fn leaves(self, replica: &Replica) -> [Hashed; LEAVES] {
        std::array::from_fn(|leaf| self.hash(self.stamps_of_leaf(replica, leaf)))
    }

    /// What a node begins a comparison with.
    fn opening(self, replica: &Replica) -> Message {
        match self.digest {
            Digest::All | Digest::Values => Message::Holds(self.digest(replica)),
            Digest::Tree | Digest::TreeOfKeys => Message::Root(self.root(replica)),
        }
    }

    /// The neighbour has told what it holds, as this node holds `mine`: answers with what
    /// it lacks, and asks for what is lacking here.
    fn compare(
        self,
        replica: &Replica,
        from: NodeId,
        (mine, theirs): (&BTreeMap<Key, Stamp>, &BTreeMap<Key, Stamp>),
        effects: &mut Effects<Self>,
    ) {
        let (mut versions, mut wants) = (BTreeMap::new(), Vec::new());
        for (key, stamp) in mine {
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

    fn receive(
        self,
        replica: &mut Replica,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Holds(theirs) => {
                self.compare(replica, from, (&self.digest(replica), &theirs), effects);
            }
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
            Message::Root(theirs) if theirs == self.root(replica) => {}
            Message::Root(_) => effects.send(from, Message::Leaves(self.leaves(replica))),
            Message::Leaves(theirs) => {
                for (leaf, mine) in self.leaves(replica).into_iter().enumerate() {
                    if mine != theirs[leaf] {
                        let stamps = self.stamps_of_leaf(replica, leaf);
                        effects.send(from, Message::Leaf(leaf, stamps));
                    }
                }
            }
            Message::Leaf(leaf, theirs) => {
                let mine = self.stamps_of_leaf(replica, leaf);
                self.compare(replica, from, (&mine, &theirs), effects);
            }
        }
    }
}

/// Names with commas between them, or that there are none.
fn list(parts: Vec<String>) -> String {
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

/// What is held, in words.
fn stamped(stamps: &BTreeMap<Key, Stamp>) -> String {
    list(stamps.iter().map(|(key, stamp)| format!("{key} at {stamp}")).collect())
}

impl Hashed {
    fn label(&self) -> String {
        let told = self.0.iter().map(|(key, stamp)| match stamp {
            Some(stamp) => format!("{key} at {stamp}"),
            None => key.to_string(),
        });
        format!("hash({})", list(told.collect()))
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
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Timer(GOSSIP) => {
                let next = (replica.me.index() + 1) % replica.cluster.size();
                let neighbour = replica.cluster.nodes().nth(next).expect("it is a node");
                if neighbour != replica.me {
                    effects.send(neighbour, self.opening(replica));
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
        match message {
            Message::Holds(stamps) => format!("holds {}", stamped(stamps)),
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
            Message::Root(hash) => format!("root {}", hash.label()),
            Message::Leaves(hashes) => {
                format!("leaves {}", hashes.iter().map(Hashed::label).collect::<Vec<_>>().join(" "))
            }
            Message::Leaf(leaf, stamps) => format!("leaf {leaf} holds {}", stamped(stamps)),
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
