//! A sloppy quorum with hinted handoff: a write is accepted even if its homes do not answer.
//!
//! The first two nodes are the homes of all keys. The node that is asked coordinates. Write:
//! stamp the value, keep a *hint* for each home that has not confirmed it, send it to all
//! homes, answer when `w` have confirmed. When a timer fires, the hints are handed over once
//! more, and with `counts=hints` they count as copies, so that the write is answered though
//! no home has it. A home that confirms ends its hint. Read: ask the homes, wait for `r`
//! copies, answer the newest. A home keeps the copy with the largest stamp.
//!
//! So `r + w` may be more than the number of homes, and a read misses a write that was
//! answered before it: that is what *sloppy* means, and no bug. What is promised is that
//! every hint arrives. Anti-entropy (a home sends the other all that it holds) makes up for
//! hints that were lost.
//!
//! With `window=closes` hints are kept for some time only: a timer discards all that the
//! coordinator has, and what no home has confirmed by then has an unknown outcome. Then only
//! anti-entropy brings the write to a home that missed it, provided that another home has it.
//!
//! Copies and hints are durable, operations in progress are not.
//!
//! Sources: `DeCandia` et al. 2007 (Dynamo), section 4.6; hints at the coordinator, and their
//! window, after Cassandra. Deviations: the coordinator keeps the hint and no third node; the
//! search chooses when a window closes, and it closes for all homes at once; stamps are
//! counters and not vectors; reads repair nothing and are asked once.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// The register on a sloppy quorum.
#[derive(Clone, Copy, Debug)]
pub struct SloppyQuorum {
    /// How many copies a read waits for.
    pub r: usize,
    /// How many copies a write waits for.
    pub w: usize,
    /// What counts as a copy.
    pub counts: Counts,
    /// What a crash leaves of hints.
    pub hints: Hints,
    /// When a hint is deleted.
    pub deletes: Deletes,
    /// Whether homes send each other all that they hold.
    pub anti_entropy: bool,
    /// For how long hints are kept.
    pub window: Window,
}

/// What counts as a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Those of homes, and hints.
    Hints,
    /// Those of homes.
    Copies,
}

/// What a crash leaves of hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hints {
    /// All.
    Durable,
    /// Bug: none.
    Volatile,
}

/// When a hint is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletes {
    /// When the home has confirmed it.
    Confirmed,
    /// Bug: when it has been handed over, whether it arrives or not.
    Sent,
}

/// For how long hints are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Until they are delivered.
    Open,
    /// For some time; a bug without anti-entropy.
    Closes,
}

/// How many homes there are, in a cluster that is not smaller.
const HOMES: u16 = 2;
/// Hints are handed over.
const HANDOFF: TimerId = TimerId(0);
/// A home sends the other what it holds.
const ENTROPY: TimerId = TimerId(1);
/// The window in which hints are kept closes.
const CLOSES: TimerId = TimerId(2);

/// A copy: its place in the order of writes, and what was written.
type Version = (Stamp, Value);

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    /// The largest counter that it has seen.
    counter: u64,
    copies: BTreeMap<Key, Version>,
    /// What homes have not confirmed.
    hints: BTreeMap<(OperationId, NodeId), (Key, Version)>,
    /// The writes that are not answered.
    writes: BTreeSet<OperationId>,
    /// The reads that are not answered: how many copies were read, and the newest.
    reads: BTreeMap<OperationId, (usize, Version)>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To a home: a copy to keep unless there is a newer one.
    Store(OperationId, Key, Version),
    /// The sender has that copy or a newer one.
    Stored(OperationId),
    /// To a home: asks for its copy.
    Ask(OperationId, Key),
    /// Answers [`Message::Ask`].
    Have(OperationId, Version),
    /// To a home: all that the other one holds.
    Holds(BTreeMap<Key, Version>),
}

impl Replica {
    fn homes(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.nodes().take_while(|node| node.0 < HOMES)
    }

    fn is_home(&self) -> bool {
        self.me.0 < HOMES
    }

    fn other_homes(&self) -> impl Iterator<Item = NodeId> + use<> {
        let me = self.me;
        self.homes().filter(move |node| *node != me)
    }

    fn keep(&mut self, key: Key, copy: Version, effects: &mut Effects<SloppyQuorum>) {
        self.counter = self.counter.max(copy.0.counter);
        effects.visible(OperationId::from_tie(copy.0.tie), copy.0);
        if self.copies.get(&key).is_none_or(|held| held.0 < copy.0) {
            self.copies.insert(key, copy);
        }
    }
}

impl SloppyQuorum {
    fn write(
        self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        effects: &mut Effects<Self>,
    ) {
        if replica.writes.contains(&operation) {
            return; // A retry of what is under way.
        }
        replica.counter += 1;
        let stamp = Stamp { counter: replica.counter, tie: operation.as_tie() };
        let copy = (stamp, call.argument);
        replica.writes.insert(operation);
        for home in replica.other_homes() {
            replica.hints.insert((operation, home), (call.key.clone(), copy.clone()));
            effects.send(home, Message::Store(operation, call.key.clone(), copy.clone()));
            self.wait(effects);
        }
        if replica.is_home() {
            replica.keep(call.key, copy, effects);
        }
        self.answer(replica, operation, effects);
    }

    /// There are hints: they wait for a home to be there again, or for their window to close.
    fn wait(self, effects: &mut Effects<Self>) {
        effects.arm(HANDOFF);
        if self.window == Window::Closes {
            effects.arm(CLOSES);
        }
    }

    /// There are no hints any more.
    fn rest(self, effects: &mut Effects<Self>) {
        effects.disarm(HANDOFF);
        if self.window == Window::Closes {
            effects.disarm(CLOSES);
        }
    }

    /// The window closes: hints go. Who still waits for a write cannot know where it got to.
    fn close(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        replica.hints.clear();
        self.rest(effects);
        for operation in std::mem::take(&mut replica.writes) {
            effects.reply(operation, Completion::Info);
        }
    }

    /// Answers a write that enough homes have confirmed.
    fn answer(self, replica: &mut Replica, operation: OperationId, effects: &mut Effects<Self>) {
        let homes = replica.homes().count();
        let hints = replica.hints.keys().filter(|(hint, _)| *hint == operation).count();
        if homes - hints >= self.w.min(homes) && replica.writes.remove(&operation) {
            effects.ok(operation, Value::Null);
        }
    }

    /// Hands hints over once more, and counts them.
    fn hand_over(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        for ((operation, home), (key, copy)) in &replica.hints {
            effects.send(*home, Message::Store(*operation, key.clone(), copy.clone()));
        }
        if self.counts == Counts::Hints {
            for operation in std::mem::take(&mut replica.writes) {
                effects.ok(operation, Value::Null);
            }
        }
        if self.deletes == Deletes::Sent {
            replica.hints.clear();
        }
        if !replica.hints.is_empty() {
            effects.arm(HANDOFF);
        }
    }

    /// A copy has been read; answers if that is enough.
    fn have(
        self,
        replica: &mut Replica,
        operation: OperationId,
        copy: Version,
        effects: &mut Effects<Self>,
    ) {
        let enough = self.r.min(replica.homes().count());
        let Some((count, newest)) = replica.reads.get_mut(&operation) else { return };
        *count += 1;
        if copy.0 > newest.0 {
            *newest = copy;
        }
        if *count >= enough {
            let (stamp, value) = newest.clone();
            replica.reads.remove(&operation);
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::UpTo(stamp));
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
            Message::Store(operation, key, copy) => {
                replica.keep(key, copy, effects);
                effects.send(from, Message::Stored(operation));
            }
            Message::Stored(operation) => {
                replica.hints.remove(&(operation, from));
                self.answer(replica, operation, effects);
                if replica.hints.is_empty() {
                    self.rest(effects);
                }
            }
            Message::Ask(operation, key) => {
                let copy = replica.copies.get(&key).cloned().unwrap_or_default();
                effects.send(from, Message::Have(operation, copy));
            }
            Message::Have(operation, copy) => self.have(replica, operation, copy, effects),
            Message::Holds(copies) => {
                for (key, copy) in copies {
                    replica.keep(key, copy, effects);
                }
            }
        }
    }
}

impl Strategy for SloppyQuorum {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            counter: 0,
            copies: BTreeMap::new(),
            hints: BTreeMap::new(),
            writes: BTreeSet::new(),
            reads: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Start if self.anti_entropy && replica.is_home() => effects.arm(ENTROPY),
            Input::Request { operation, call, .. } if call.is_write() => {
                self.write(replica, (operation, call), effects);
            }
            Input::Request { operation, call, .. } => {
                replica.reads.insert(operation, (0, Version::default()));
                let ask = Message::Ask(operation, call.key.clone());
                effects.broadcast(replica.other_homes(), &ask);
                if replica.is_home() {
                    let copy = replica.copies.get(&call.key).cloned().unwrap_or_default();
                    self.have(replica, operation, copy, effects);
                }
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Timer(HANDOFF) => self.hand_over(replica, effects),
            Input::Timer(CLOSES) => self.close(replica, effects),
            Input::Timer(ENTROPY) => {
                let all = Message::Holds(replica.copies.clone());
                effects.broadcast(replica.other_homes(), &all);
                effects.arm(ENTROPY);
            }
            Input::Recovered => {
                for (stamp, _) in replica.copies.values() {
                    effects.visible(OperationId::from_tie(stamp.tie), *stamp);
                }
                if !replica.hints.is_empty() {
                    self.wait(effects);
                }
                if self.anti_entropy && replica.is_home() {
                    effects.arm(ENTROPY);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        let mut left = replica.clone();
        left.writes.clear();
        left.reads.clear();
        if self.hints == Hints::Volatile {
            left.hints.clear();
        }
        left
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Store(_, key, (stamp, value)) => format!("store {key}={value} at {stamp}"),
            Message::Stored(operation) => format!("stored {operation}"),
            Message::Ask(_, key) => format!("ask {key}"),
            Message::Have(_, (stamp, value)) => format!("have {value} at {stamp}"),
            Message::Holds(copies) => {
                let told =
                    copies.iter().map(|(key, (stamp, value))| format!("{key}={value} at {stamp}"));
                format!("holds {}", told.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let held = replica.copies.iter();
        let mut parts: Vec<_> =
            held.map(|(key, (_, value))| Part::Key(key.clone(), shown(value))).collect();
        for ((operation, home), (key, (_, value))) in &replica.hints {
            let hint = format!("{key}={value} for {home}");
            parts.push(Part::Field(format!("hint of {operation}"), hint));
        }
        Some(parts)
    }
}
