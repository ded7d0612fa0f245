//! A primary that reads locally while it holds a lease.
//!
//! The primary (`n1`) sends writes to its backup (`n2`) and answers when the backup has
//! them. It answers reads from what it holds as long as it holds a lease; without one it
//! asks the backup, and the reads wait. The lease is a promise: the backup does not serve
//! before its own clock shows that reading. When an operator promotes the backup, it
//! grants nothing more, waits until all that it has promised has expired, and then serves
//! alone, and tells the old primary that it has been replaced.
//!
//! The two clocks do not agree. So the primary stops `margin` ticks before the end of its
//! lease. If clocks are never more ticks apart than that, the two never serve at once;
//! else the backup may take a write while the primary, whose clock is behind, still
//! answers reads from what it holds.
//!
//! Source: Gray & Cheriton 1989, where the holder of a lease allows for the difference of
//! clocks; Ongaro 2014 (Raft), section 6.4, on reads by a lease and the drift of clocks.
//! Deviations: one backup, FIFO links, an operator instead of a detector, and no way back
//! for a primary that was replaced; nodes beyond the second do nothing.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Function, Key, NodeId, Value};
use crate::replication::{Cluster, Effects, Input, OperationId, Part, Strategy, TimerId, shown};

/// For how many ticks the primary may count on a lease, if it gets it at once.
const GOOD: u64 = 1;

/// What the backup has promised has expired.
const EXPIRED: TimerId = TimerId(0);

const PRIMARY: NodeId = NodeId(0);
const BACKUP: NodeId = NodeId(1);

/// A primary with a lease.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// How many ticks before its end the primary no longer counts on its lease.
    pub margin: u64,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    /// Serves while it holds a lease.
    Primary,
    /// Holds writes, and grants leases.
    Backup,
    /// Waits until its promise has expired.
    Promoted,
    /// Serves alone.
    Successor,
    /// Serves no more.
    Replaced,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    role: Role,
    held: BTreeMap<Key, Value>,
    /// The end of the lease that this node holds or has granted.
    until: u64,
    /// Writes of the primary that the backup has not confirmed, oldest first.
    writes: Vec<(OperationId, Key, Value)>,
    /// Reads that wait for a lease.
    reads: Vec<(OperationId, Key)>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Hold this.
    Store(Key, Value),
    /// The oldest write that was not confirmed is held.
    Stored,
    /// Grant a lease until your clock shows this.
    Ask(u64),
    /// It is granted.
    Granted(u64),
    /// Another node serves.
    Replaced,
}

impl Replica {
    fn value(&self, key: &Key) -> Value {
        self.held.get(key).cloned().unwrap_or_default()
    }
}

impl Lease {
    /// Answers the reads that wait if the lease is good now, else asks for one.
    fn read(&self, replica: &mut Replica, clock: u64, effects: &mut Effects<Self>) {
        if clock + self.margin < replica.until {
            for (operation, key) in std::mem::take(&mut replica.reads) {
                effects.ok(operation, replica.value(&key));
            }
        } else if !replica.reads.is_empty() {
            effects.send(BACKUP, Message::Ask(clock + GOOD + self.margin));
        }
    }

    fn request(
        &self,
        replica: &mut Replica,
        (operation, Call { key, argument, f }): (OperationId, Call),
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        match (replica.role, f == Function::Read) {
            (Role::Primary, true) => {
                replica.reads.push((operation, key));
                self.read(replica, clock, effects);
            }
            (Role::Primary, false) => {
                effects.send(BACKUP, Message::Store(key.clone(), argument.clone()));
                replica.writes.push((operation, key, argument));
            }
            (Role::Successor, true) => effects.ok(operation, replica.value(&key)),
            (Role::Successor, false) => {
                replica.held.insert(key, argument);
                effects.ok(operation, Value::Null);
            }
            _ => {
                effects.reply(operation, Completion::Fail);
            }
        }
    }

    fn receive(
        &self,
        replica: &mut Replica,
        message: Message,
        clock: u64,
        effects: &mut Effects<Self>,
    ) {
        match (replica.role, message) {
            (Role::Backup | Role::Promoted, Message::Store(key, value)) => {
                replica.held.insert(key, value);
                effects.send(PRIMARY, Message::Stored);
            }
            (Role::Backup, Message::Ask(until)) => {
                replica.until = replica.until.max(until);
                effects.send(PRIMARY, Message::Granted(until));
            }
            (Role::Primary, Message::Stored) if !replica.writes.is_empty() => {
                let (operation, key, value) = replica.writes.remove(0);
                replica.held.insert(key, value);
                effects.ok(operation, Value::Null);
            }
            (Role::Primary, Message::Granted(until)) => {
                replica.until = replica.until.max(until);
                self.read(replica, clock, effects);
            }
            (Role::Primary, Message::Replaced) => {
                replica.role = Role::Replaced;
                for (operation, ..) in std::mem::take(&mut replica.writes) {
                    effects.reply(operation, Completion::Info);
                }
                for (operation, _) in std::mem::take(&mut replica.reads) {
                    effects.reply(operation, Completion::Fail);
                }
            }
            // A promoted node grants nothing; the primary hears of it when it serves.
            _ => {}
        }
    }
}

impl Strategy for Lease {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, _: &Cluster) -> Replica {
        let role = if node == PRIMARY { Role::Primary } else { Role::Backup };
        let (held, writes, reads) = (BTreeMap::new(), Vec::new(), Vec::new());
        Replica { role, held, until: 0, writes, reads }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, clock, .. } => {
                self.request(replica, (operation, call), clock, effects);
            }
            Input::Receive { message, clock, .. } => {
                self.receive(replica, message, clock, effects);
            }
            Input::Command(_) if replica.role == Role::Backup => {
                replica.role = Role::Promoted;
                effects.arm_at(EXPIRED, replica.until);
            }
            Input::Timer(EXPIRED) => {
                replica.role = Role::Successor;
                effects.send(PRIMARY, Message::Replaced);
            }
            _ => {}
        }
    }

    fn has_deadlines(&self) -> bool {
        true
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        vec!["promote".to_owned()]
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        (call.is_read() || call.is_write()) && node <= BACKUP
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Store(key, value) => format!("store {key}={value}"),
            Message::Stored => "stored".to_owned(),
            Message::Ask(until) => format!("ask for a lease until {until}"),
            Message::Granted(until) => format!("lease until {until}"),
            Message::Replaced => "replaced".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let held = replica.held.iter().map(|(key, value)| Part::Key(key.clone(), shown(value)));
        let role = Part::Field("role".to_owned(), format!("{:?}", replica.role).to_lowercase());
        let until = Part::Field("until".to_owned(), replica.until.to_string());
        Some(held.chain([role, until]).collect())
    }
}
