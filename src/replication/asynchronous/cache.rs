//! Caches in front of a store.
//!
//! `n1` is the store. Every other node has a cache and sends what it cannot answer from
//! it to the store. A read that misses fetches the value, answers it and fills the cache.
//! A write goes to the store, which applies it and tells all caches: with
//! `writes=around` that their entry is invalid, with `writes=through` the new value. The
//! node that was asked changes its own cache before it answers its client.
//!
//! The danger is a *stale fill*: a value that was fetched before a write arrives after
//! the news of that write, and stays. With `fills=leased` a miss takes a lease on its
//! key; any news of the key, and any later miss, takes it away, and a fill without its
//! lease is not kept. With `fills=versioned` values and news carry the store's version,
//! and nothing older than what is known is kept.
//!
//! With `misses=replica` the second node has no cache: it is a replica of the store, which
//! sends it every new version, and misses are fetched from there. It may lag behind: a
//! cache that was told of a write misses, takes a lease, and is filled with the value
//! before that write. Only the version that came with the news tells that it is too old.
//!
//! With `expires=after-fill` an entry has a *time to live*: one tick of the clock of its node
//! after it was filled or updated it is no longer answered from, and goes. So whatever made
//! it stale, be it lost news or a stale fill, is made up for. Without, it stays.
//!
//! The store is durable, as its replica is; caches are not.
//!
//! Source: Nishtala et al. 2013 (Scaling Memcache at Facebook), section 3.2.1 for leases;
//! on fills from replicas that lag, Logflare pull 3883 and chobbledotcom/tickets pull 1859;
//! Gray & Cheriton 1989 call an entry that expires a lease of the datum.
//! Deviations: each cache belongs to one node; the store itself sends the news, as their
//! `mcsqueal` does from its log. How stale an answer is at most is not judged, only that
//! no entry stays stale: an expiry that each hit puts off (*sliding*) is no variant here,
//! since at quiescence nobody reads any more and such an entry goes, too.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// Caches in front of a store.
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// What caches are told of a write.
    pub writes: Writes,
    /// Which fetched values a cache keeps.
    pub fills: Fills,
    /// Which is changed first, the store or the caches.
    pub first: First,
    /// Where a cache fetches what it misses.
    pub misses: Misses,
    /// When an entry of a cache expires.
    pub expires: Expires,
}

/// What caches are told of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// That their entry is invalid: cache-aside.
    Around,
    /// The new value.
    Through,
}

/// Which fetched values a cache keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fills {
    /// One whose miss still holds the lease.
    Leased,
    /// One that is not older than what is known.
    Versioned,
    /// Bug: all.
    Unchecked,
}

/// Which is changed first, the store or the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The store, which then tells the caches.
    Store,
    /// Bug: the caches, by the node that was asked for the write.
    Caches,
}

/// Where a cache fetches what it misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misses {
    /// At the store.
    Store,
    /// At a replica of the store, which may lag behind.
    Replica,
}

/// When an entry of a cache expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expires {
    /// It does not.
    Never,
    /// Some time after it was filled or updated.
    AfterFill,
    /// Bug: so, unless it is read meanwhile: a hit writes it back without its time to live.
    UnlessRead,
}

/// For how many ticks an entry that expires is good.
const TIME_TO_LIVE: u64 = 1;

/// The entry that expires first has done so.
const EXPIRED: TimerId = TimerId(0);

const STORE: NodeId = NodeId(0);
const REPLICA: NodeId = NodeId(1);

/// A version of a value: its place in the store's order, then what was written.
type Version = (Stamp, Value);

/// The store, or a node with a cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    /// At the store all there is, at its replica what has arrived, elsewhere what is cached.
    entries: BTreeMap<Key, Version>,
    /// The reads that wait for the store.
    misses: BTreeMap<OperationId, Key>,
    /// Which read may fill the cache.
    leases: BTreeMap<Key, OperationId>,
    /// With versioned fills: the newest version that was heard of.
    known: BTreeMap<Key, Stamp>,
    /// Which reading of its clock ends an entry that expires.
    ends: BTreeMap<Key, u64>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the store or its replica: a read that missed.
    Get(OperationId, Key),
    /// Answers [`Message::Get`].
    Fill(OperationId, Key, Version),
    /// To the store: a write.
    Put(OperationId, Key, Value),
    /// Answers [`Message::Put`].
    Done(OperationId, Key, Version),
    /// To a cache: the entry of this key is older than this version.
    Invalid(Key, Option<Stamp>),
    /// To a cache or the replica: the new version of this key.
    Update(Key, Version),
}

impl Cache {
    /// A write at the store: applies it and tells all caches but that of `from`.
    fn put(
        self,
        replica: &mut Replica,
        from: NodeId,
        (operation, key, value): (OperationId, Key, Value),
        effects: &mut Effects<Self>,
    ) -> Version {
        let held = replica.entries.get(&key).map_or(0, |(stamp, _)| stamp.counter);
        let stamp = Stamp { counter: held + 1, tie: operation.as_tie() };
        let version = (stamp, value);
        replica.entries.insert(key.clone(), version.clone());
        effects.visible(operation, stamp);
        if self.misses == Misses::Replica {
            effects.send(REPLICA, Message::Update(key.clone(), version.clone()));
        }
        if self.first == First::Store {
            let caches = self.caches(replica.cluster).filter(|node| *node != from);
            effects.broadcast(caches, &self.news(key, version.clone()));
        }
        version
    }

    /// Whether a node is a replica of the store, and has no cache.
    fn replicates(self, node: NodeId) -> bool {
        self.misses == Misses::Replica && node == REPLICA
    }

    fn caches(self, cluster: Cluster) -> impl Iterator<Item = NodeId> {
        cluster.others(STORE).filter(move |node| !self.replicates(*node))
    }

    /// Where a cache fetches what it misses.
    fn source(self) -> NodeId {
        match self.misses {
            Misses::Store => STORE,
            Misses::Replica => REPLICA,
        }
    }

    fn news(self, key: Key, version: Version) -> Message {
        match self.writes {
            Writes::Around => Message::Invalid(key, Some(version.0)),
            Writes::Through => Message::Update(key, version),
        }
    }

    /// Waits for the next entry to expire.
    fn wait(self, replica: &Replica, effects: &mut Effects<Self>) {
        if self.expires != Expires::Never {
            match replica.ends.values().min() {
                Some(end) => effects.arm_at(EXPIRED, *end),
                None => effects.disarm(EXPIRED),
            }
        }
    }

    /// The first end has come: what ends then goes.
    fn expire(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let first = replica.ends.values().min().copied();
        let ended = replica.ends.extract_if(.., |_, end| Some(*end) == first);
        for (key, _) in ended {
            replica.entries.remove(&key);
        }
        self.wait(replica, effects);
    }

    /// What this node can answer a read from. An entry that has come to its end is no
    /// longer good, though its timer may fire later.
    fn hit(
        self,
        replica: &mut Replica,
        (key, clock): (&Key, u64),
        effects: &mut Effects<Self>,
    ) -> Option<Version> {
        let held = replica.entries.get(key).cloned()?;
        if replica.ends.get(key).is_some_and(|end| *end <= clock) {
            return None;
        }
        if self.expires == Expires::UnlessRead {
            replica.ends.remove(key);
            self.wait(replica, effects);
        }
        Some(held)
    }

    /// Keeps a version, unless something newer is known.
    fn keep(
        self,
        replica: &mut Replica,
        (key, version): (Key, Version),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        if self.fills == Fills::Versioned || self.replicates(replica.me) {
            let known = replica.known.entry(key.clone()).or_default();
            if version.0 < *known {
                return;
            }
            *known = version.0;
        }
        hear(version.0, effects);
        if self.expires != Expires::Never && !self.replicates(replica.me) {
            replica.ends.insert(key.clone(), clock + TIME_TO_LIVE);
            self.wait(replica, effects);
        }
        replica.entries.insert(key, version);
    }

    /// There is news of a key: the entry goes, and no fill that is under way may be kept.
    /// Without a version everything is older.
    fn invalidate(
        self,
        replica: &mut Replica,
        key: &Key,
        stamp: Option<Stamp>,
        effects: &mut Effects<Self>,
    ) {
        replica.leases.remove(key);
        if let (Fills::Versioned, Some(stamp)) = (self.fills, stamp) {
            let known = replica.known.entry(key.clone()).or_default();
            *known = stamp.max(*known);
            if replica.entries.get(key).is_some_and(|held| held.0 >= stamp) {
                return;
            }
        }
        hear(stamp.unwrap_or_default(), effects);
        replica.entries.remove(key);
        replica.ends.remove(key);
        self.wait(replica, effects);
    }

    fn update(
        self,
        replica: &mut Replica,
        (key, version): (Key, Version),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        replica.leases.remove(&key);
        self.keep(replica, (key, version), clock, effects);
    }

    fn request(
        self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        let Call { key, argument, .. } = &call;
        if call.is_read() {
            let held = self.hit(replica, (key, clock), effects);
            if held.is_none() && replica.me != STORE {
                replica.misses.insert(operation, key.clone());
                if self.fills == Fills::Leased {
                    replica.leases.insert(key.clone(), operation);
                }
                effects.send(self.source(), Message::Get(operation, key.clone()));
            } else {
                answer(operation, held.unwrap_or_default(), effects);
            }
            return;
        }
        let write = (operation, key.clone(), argument.clone());
        if self.first == First::Caches {
            let others = self.caches(replica.cluster).filter(|node| *node != replica.me);
            effects.broadcast(others, &Message::Invalid(key.clone(), None));
            if replica.me != STORE {
                self.invalidate(replica, key, None, effects);
            }
        }
        if replica.me == STORE {
            self.put(replica, STORE, write, effects);
            effects.ok(operation, Value::Null);
        } else {
            let (operation, key, value) = write;
            effects.send(STORE, Message::Put(operation, key, value));
        }
    }

    fn receive(
        self,
        replica: &mut Replica,
        (from, message): (NodeId, Message),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Get(operation, key) => {
                let version = replica.entries.get(&key).cloned().unwrap_or_default();
                effects.send(from, Message::Fill(operation, key, version));
            }
            Message::Fill(operation, key, version) => {
                if replica.misses.remove(&operation).is_none() {
                    return;
                }
                let leased = replica.leases.get(&key) == Some(&operation);
                if leased {
                    replica.leases.remove(&key);
                }
                if leased || self.fills != Fills::Leased {
                    self.keep(replica, (key, version.clone()), clock, effects);
                }
                answer(operation, version, effects);
            }
            Message::Put(operation, key, value) => {
                let version = self.put(replica, from, (operation, key.clone(), value), effects);
                effects.send(from, Message::Done(operation, key, version));
            }
            Message::Done(operation, key, version) => {
                match self.writes {
                    Writes::Through => self.update(replica, (key, version), clock, effects),
                    Writes::Around if self.first == First::Store => {
                        self.invalidate(replica, &key, Some(version.0), effects);
                    }
                    Writes::Around => {}
                }
                effects.ok(operation, Value::Null);
            }
            Message::Invalid(key, stamp) => self.invalidate(replica, &key, stamp, effects),
            Message::Update(key, version) => {
                self.update(replica, (key, version), clock, effects);
            }
        }
    }
}

/// Reads at a node take a write into account once its cache has it or has heard of it.
fn hear(stamp: Stamp, effects: &mut Effects<Cache>) {
    if stamp != Stamp::default() {
        effects.visible(OperationId::from_tie(stamp.tie), stamp);
    }
}

fn answer(operation: OperationId, (stamp, value): Version, effects: &mut Effects<Cache>) {
    effects.reply(operation, Completion::Ok(value)).seeing(Visible::UpTo(stamp));
}

impl Strategy for Cache {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            entries: BTreeMap::new(),
            misses: BTreeMap::new(),
            leases: BTreeMap::new(),
            known: BTreeMap::new(),
            ends: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, clock, .. } => {
                self.request(replica, (operation, call), clock, effects);
            }
            Input::Receive { from, message, clock } => {
                self.receive(replica, (from, message), clock, effects);
            }
            Input::Timer(EXPIRED) => self.expire(replica, effects),
            Input::Recovered => {
                for &(stamp, _) in replica.entries.values() {
                    effects.visible(OperationId::from_tie(stamp.tie), stamp);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        let empty = self.boot(replica.me, &replica.cluster);
        match replica.me {
            STORE => Replica { entries: replica.entries.clone(), ..empty },
            node if self.replicates(node) => {
                let (entries, known) = (replica.entries.clone(), replica.known.clone());
                Replica { entries, known, ..empty }
            }
            _ => empty,
        }
    }

    fn has_deadlines(&self) -> bool {
        self.expires != Expires::Never
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        (call.is_read() || call.is_write()) && !self.replicates(node)
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Get(_, key) => format!("get {key}"),
            Message::Fill(_, key, (stamp, value)) => format!("fill {key}={value} at {stamp}"),
            Message::Put(_, key, value) => format!("put {key}={value}"),
            Message::Done(_, key, (stamp, value)) => format!("done {key}={value} at {stamp}"),
            Message::Invalid(key, _) => format!("invalidate {key}"),
            Message::Update(key, (stamp, value)) => format!("update {key}={value} at {stamp}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let held = replica.entries.iter();
        let held = held.map(|(key, (_, value))| Part::Key(key.clone(), shown(value)));
        let mut parts: Vec<_> = held.collect();
        for (key, operation) in &replica.leases {
            parts.push(Part::Field(format!("lease of {key}"), operation.to_string()));
        }
        for (key, stamp) in &replica.known {
            parts.push(Part::Field(format!("known of {key}"), stamp.to_string()));
        }
        for (key, end) in &replica.ends {
            parts.push(Part::Field(format!("end of {key}"), end.to_string()));
        }
        Some(parts)
    }
}
