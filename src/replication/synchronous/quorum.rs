//! A register on partial quorums: `w` nodes confirm a write, `r` answer a read.
//!
//! The node that is asked coordinates, and counts its own copy first. Write: stamp the
//! value, send it to all, answer when `w` nodes have it. Read: ask all, wait for `r`
//! copies, answer the newest. A node keeps the copy with the largest stamp. With
//! `answers=digests` nodes answer a read with the stamps of their copies alone, and the
//! coordinator fetches one that is newer than what it has.
//!
//! If `r + w` is more than the number of nodes, a read meets every write that was
//! answered before it. What else holds depends on three choices:
//!
//! - *Repair.* If the `r` copies differ, the newest is sent to the nodes whose copies are
//!   older. Only if the read waits for them (`blocking`) does a later read, at other
//!   nodes, see at least as much.
//! - *Stamps.* Readings of the coordinator's clock keep the order of writes in time as
//!   long as clocks agree. A counter of the coordinator's copy, or one that the client
//!   carries along, does not: a write may be stamped below one that was answered before.
//!   Readings that are raised above the coordinator's copy (`hybrid`) keep at least the order
//!   in which a session that stays at one node writes a key.
//! - *Quorums.* With `r=1` reads compare nothing, so there is nothing to repair: a write
//!   in progress may be seen at one node and then be missed at another.
//!
//! Sources: `DeCandia` et al. 2007 (Dynamo); Gifford 1979 for `r + w > n`; Cassandra for
//! stamps from clocks and for reads that wait for their repair. Deviations: ties are
//! broken by operation; versions are stamps, not vectors; all nodes are asked, and no
//! hints are kept for nodes that are down. Copies are durable, operations in progress are
//! not, and nothing is sent again. A client that asks again runs its operation twice.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// The register on partial quorums.
#[derive(Clone, Copy, Debug)]
pub struct Quorum {
    /// How many copies a read waits for; at most all.
    pub r: usize,
    /// How many copies a write waits for; at most all.
    pub w: usize,
    /// What a read does about nodes whose copies are older than its answer.
    pub repair: Repair,
    /// What nodes answer to a read.
    pub answers: Answers,
    /// Where the stamps of writes come from.
    pub stamps: Stamps,
    /// What is counted until there are enough.
    pub counts: Counts,
    /// What happens to a write that waits for long.
    pub timeout: Timeout,
}

/// What a read does about nodes whose copies are older than its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Sends them the newest copy, and waits until they have it.
    Blocking,
    /// Sends them the newest copy, and does not wait.
    Background,
    /// Nothing.
    None,
    /// Bug: writes what it has read once more, under a new stamp.
    Restamped,
}

/// What nodes answer to a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Their copies.
    Copies,
    /// The stamps of their copies; those that are newer are fetched.
    Digests,
}

/// Where the stamps of writes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// The clock of the coordinator.
    Coordinator,
    /// One more than the coordinator's own copy has.
    Lamport,
    /// The clock of the coordinator, or one more than its own copy has if that is more.
    Hybrid,
    /// One more than all that the session has read and written.
    Client,
}

/// What is counted until there are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// The nodes that have answered.
    Nodes,
    /// Bug: the answers, of which the network may deliver one twice.
    Answers,
}

/// What happens to a write that waits for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// It goes on waiting.
    Never,
    /// Bug: the client is told that it failed, though some nodes have it.
    Fails,
    /// Bug: the client is told that it is done, though too few nodes have it.
    Succeeds,
}

/// Gives up on the writes in progress.
const TIMEOUT: TimerId = TimerId(0);

/// A node: its copies, and the operations that it coordinates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    copies: BTreeMap<Key, (Stamp, Value)>,
    operations: BTreeMap<OperationId, Progress>,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Progress {
    key: Key,
    phase: Phase,
    /// The nodes that have answered in this phase and the stamps of their copies.
    answers: Vec<(NodeId, Stamp)>,
    /// How many answers are enough.
    enough: usize,
    /// What is written, or the newest copy that was read.
    newest: (Stamp, Value),
    /// What the session had read and written before.
    token: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Writing,
    Reading,
    Repairing,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Asks for the copy of a key, or for its stamp.
    Ask(OperationId, Key),
    /// Asks for the copy whose stamp the receiver has answered.
    Fetch(OperationId, Key),
    /// Answers [`Message::Ask`] and [`Message::Fetch`] with the stamp of the copy, and with
    /// its value unless it was asked for the stamp.
    Have(OperationId, Stamp, Option<Value>),
    /// Asks the receiver to keep this unless it has something newer.
    Store(OperationId, Key, Stamp, Value),
    /// Confirms that the sender has that copy or a newer one.
    Stored(OperationId),
}

impl Replica {
    fn copy(&self, key: &Key) -> (Stamp, Value) {
        self.copies.get(key).cloned().unwrap_or_default()
    }

    /// Whether it still asks for copies for this operation.
    fn reads(&self, operation: &OperationId) -> bool {
        self.operations.get(operation).is_some_and(|it| it.phase == Phase::Reading)
    }

    fn store(&mut self, key: &Key, (stamp, value): (Stamp, Value), effects: &mut Effects<Quorum>) {
        if stamp > self.copy(key).0 {
            self.copies.insert(key.clone(), (stamp, value));
        }
        effects.visible(OperationId::from_tie(stamp.tie), stamp);
    }
}

impl Quorum {
    fn stamp(self, operation: OperationId, own: Stamp, token: u64, clock: u64) -> Stamp {
        let counter = match self.stamps {
            Stamps::Coordinator => clock,
            Stamps::Lamport => own.counter + 1,
            Stamps::Hybrid => clock.max(own.counter + 1),
            Stamps::Client => token + 1,
        };
        Stamp { counter, tie: operation.as_tie() }
    }

    fn begin(
        self,
        replica: &mut Replica,
        (operation, call, token): (OperationId, Call, u64),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        if replica.operations.contains_key(&operation) {
            return; // A retry of what is already under way.
        }
        let own = replica.copy(&call.key);
        let key = call.key.clone();
        let (phase, enough, newest, message) = if call.is_write() {
            let stamp = self.stamp(operation, own.0, token, clock);
            let value = call.argument;
            let store = Message::Store(operation, call.key, stamp, value.clone());
            (Phase::Writing, self.w, (stamp, value), store)
        } else {
            (Phase::Reading, self.r, own.clone(), Message::Ask(operation, call.key))
        };
        if phase == Phase::Writing {
            replica.store(&key, newest.clone(), effects);
            if self.timeout != Timeout::Never {
                effects.arm(TIMEOUT);
            }
        }
        let enough = enough.min(replica.cluster.size());
        let held = newest.0;
        let progress = Progress { key, phase, answers: Vec::new(), enough, newest, token };
        replica.operations.insert(operation, progress);
        effects.broadcast(replica.cluster.others(replica.me), &message);
        self.answer(replica, operation, (replica.me, held), clock, effects);
    }

    /// A node has answered; goes on if that is enough.
    fn answer(
        self,
        replica: &mut Replica,
        operation: OperationId,
        (from, held): (NodeId, Stamp),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        let Some(progress) = replica.operations.get_mut(&operation) else { return };
        let known = progress.answers.iter().any(|(node, _)| *node == from);
        if known && self.counts == Counts::Nodes {
            return;
        }
        progress.answers.push((from, held));
        progress.answers.sort_unstable();
        if progress.answers.len() < progress.enough {
            return;
        }
        match progress.phase {
            Phase::Reading => self.compare(replica, operation, clock, effects),
            Phase::Writing | Phase::Repairing => self.finish(replica, operation, effects),
        }
    }

    /// Enough copies have been read: the newest is sent to whom has an older one.
    fn compare(
        self,
        replica: &mut Replica,
        operation: OperationId,
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        let me = replica.me;
        let progress = replica.operations.get_mut(&operation).expect("it is in progress");
        let (mut stamp, value) = progress.newest.clone();
        let older = |(node, held): &(NodeId, Stamp)| (*held < stamp).then_some(*node);
        let mut stale: Vec<NodeId> = progress.answers.iter().filter_map(older).collect();
        if stale.is_empty() || self.repair == Repair::None {
            self.finish(replica, operation, effects);
            return;
        }
        if self.repair == Repair::Restamped {
            stamp.counter = self.stamp(operation, stamp, stamp.counter, clock).counter;
        }
        let key = progress.key.clone();
        if stale.contains(&me) {
            replica.store(&key, (stamp, value.clone()), effects);
            stale.retain(|node| *node != me);
        }
        let store = Message::Store(operation, key, stamp, value);
        effects.broadcast(stale.iter().copied(), &store);
        if stale.is_empty() || self.repair != Repair::Blocking {
            self.finish(replica, operation, effects);
        } else {
            let progress = replica.operations.get_mut(&operation).expect("it is in progress");
            progress.phase = Phase::Repairing;
            progress.answers.clear();
            progress.enough = stale.len();
        }
    }

    fn finish(self, replica: &mut Replica, operation: OperationId, effects: &mut Effects<Self>) {
        let progress = replica.operations.remove(&operation).expect("it is in progress");
        let writes = |progress: &Progress| progress.phase == Phase::Writing;
        if self.timeout != Timeout::Never && !replica.operations.values().any(writes) {
            effects.disarm(TIMEOUT);
        }
        let (stamp, value) = progress.newest;
        let value = if progress.phase == Phase::Writing { Value::Null } else { value };
        let token = match self.stamps {
            Stamps::Client => progress.token.max(stamp.counter),
            Stamps::Coordinator | Stamps::Lamport | Stamps::Hybrid => 0,
        };
        let reply = effects.reply(operation, Completion::Ok(value));
        reply.seeing(Visible::UpTo(stamp)).with_token(token);
    }

    fn give_up(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let waiting = replica.operations.iter();
        let writes = waiting.filter(|(_, progress)| progress.phase == Phase::Writing);
        for operation in writes.map(|(operation, _)| *operation).collect::<Vec<_>>() {
            if self.timeout == Timeout::Succeeds {
                self.finish(replica, operation, effects);
            } else {
                replica.operations.remove(&operation);
                effects.reply(operation, Completion::Fail);
            }
        }
    }
}

impl Strategy for Quorum {
    type Replica = Replica;
    type Message = Message;
    /// The largest counter that the session has read or written, if clients stamp.
    type Token = u64;

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        let (copies, operations) = (BTreeMap::new(), BTreeMap::new());
        Replica { me: node, cluster: *cluster, copies, operations }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, token, clock } => {
                self.begin(replica, (operation, call, token), clock, effects);
            }
            Input::Receive { from, message, clock } => match message {
                Message::Ask(operation, key) => {
                    let (stamp, value) = replica.copy(&key);
                    let value = (self.answers == Answers::Copies).then_some(value);
                    effects.send(from, Message::Have(operation, stamp, value));
                }
                Message::Fetch(operation, key) => {
                    let (stamp, value) = replica.copy(&key);
                    effects.send(from, Message::Have(operation, stamp, Some(value)));
                }
                Message::Have(operation, stamp, value) => {
                    let Some(progress) = replica.operations.get_mut(&operation) else { return };
                    if progress.phase != Phase::Reading {
                        return;
                    }
                    if stamp > progress.newest.0 {
                        let Some(value) = value else {
                            effects.send(from, Message::Fetch(operation, progress.key.clone()));
                            return;
                        };
                        progress.newest = (stamp, value);
                    }
                    self.answer(replica, operation, (from, stamp), clock, effects);
                }
                Message::Store(operation, key, stamp, value) => {
                    replica.store(&key, (stamp, value), effects);
                    effects.send(from, Message::Stored(operation));
                }
                Message::Stored(operation) => {
                    let Some(progress) = replica.operations.get(&operation) else { return };
                    if progress.phase != Phase::Reading {
                        let stamp = progress.newest.0;
                        self.answer(replica, operation, (from, stamp), clock, effects);
                    }
                }
            },
            Input::Timer(TIMEOUT) => self.give_up(replica, effects),
            Input::Recovered => {
                for &(stamp, _) in replica.copies.values() {
                    effects.visible(OperationId::from_tie(stamp.tie), stamp);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { operations: BTreeMap::new(), ..replica.clone() }
    }

    fn reads_clock(&self) -> bool {
        matches!(self.stamps, Stamps::Coordinator | Stamps::Hybrid)
    }

    fn ignores(&self, replica: &Replica, _: NodeId, message: &Message) -> Option<bool> {
        Some(match message {
            Message::Ask(..) | Message::Fetch(..) => true,
            Message::Have(operation, ..) => !replica.reads(operation),
            Message::Store(_, key, stamp, _) => replica.copy(key).0 >= *stamp,
            Message::Stored(operation) => {
                replica.reads(operation) || !replica.operations.contains_key(operation)
            }
        })
    }

    fn awaits(&self, replica: &Replica, _: NodeId, message: &Message) -> bool {
        match message {
            Message::Ask(operation, _) | Message::Fetch(operation, _) => replica.reads(operation),
            Message::Store(operation, ..) => replica.operations.contains_key(operation),
            Message::Have(..) | Message::Stored(_) => false,
        }
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Ask(_, key) => format!("ask {key}"),
            Message::Fetch(_, key) => format!("fetch {key}"),
            Message::Have(_, stamp, Some(value)) => format!("have {value} at {stamp}"),
            Message::Have(_, stamp, None) => format!("have something at {stamp}"),
            Message::Store(_, key, stamp, value) => format!("store {key}={value} at {stamp}"),
            Message::Stored(_) => "stored".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        for (key, (stamp, value)) in &replica.copies {
            parts.push(Part::Key(key.clone(), shown(value)));
            parts.push(Part::Field(format!("{key} written at"), stamp.to_string()));
        }
        for (operation, Progress { phase, key, answers, enough, .. }) in &replica.operations {
            let doing = match phase {
                Phase::Writing => "writes",
                Phase::Reading => "reads",
                Phase::Repairing => "repairs",
            };
            let told = format!("{doing} {key}, {} of {enough} answered", answers.len());
            parts.push(Part::Field(operation.to_string(), told));
        }
        Some(parts)
    }
}
