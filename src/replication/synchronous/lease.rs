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
//! A primary that comes back after a crash no longer counts on its lease: its clock may have
//! begun anew (`restart=forgets`). Nor does it count on one that it had asked for before: what
//! it asks and is granted carries how often it has come back.
//!
//! Source: Gray & Cheriton 1989, where the holder of a lease allows for the difference of
//! clocks; Ongaro 2014 (Raft), section 6.4, on reads by a lease and the drift of clocks.
//! Deviations: one backup, FIFO links, an operator instead of a detector, and no way back
//! for a primary that was replaced; nodes beyond the second do nothing.

use crate::history::{Call, Completion, Function, Key, NodeId, Value};
use crate::replication::log::{Entry, Log};
use crate::replication::{Cluster, Effects, Input, OperationId, Part, Strategy, TimerId, Visible};

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
    /// What becomes of the lease of a primary that crashes.
    pub restart: Restart,
}

/// What becomes of the lease of a primary that crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It is given up, also if it is granted only later.
    Forgets,
    /// Bug: what was asked for before is still taken, though it tells the time of a clock that
    /// has begun anew.
    Takes,
    /// Bug: it is on disk, and counts until the clock shows its end, whatever the clock
    /// shows now.
    Trusts,
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
    /// Applied as far as the backup has confirmed it; at the backup, all of it.
    log: Log,
    /// The end of the lease that this node holds or has granted.
    until: u64,
    /// How often this node has come back from a crash.
    life: u32,
    /// Reads that wait for a lease.
    reads: Vec<(OperationId, Key)>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Hold this.
    Store(Entry),
    /// The oldest write that was not confirmed is held.
    Stored,
    /// Grant a lease until your clock shows this, to me in this life.
    Ask(u64, u32),
    /// It is granted.
    Granted(u64, u32),
    /// Another node serves.
    Replaced,
}

impl Replica {
    fn answer(&self, read: OperationId, key: &Key, effects: &mut Effects<Lease>) {
        effects.reply(read, Completion::Ok(self.log.read(key))).seeing(Visible::Here);
    }

    /// Appends an entry, and applies all there are.
    fn store(&mut self, entry: Entry, effects: &mut Effects<Lease>) {
        self.log.append(entry);
        self.log.apply(self.log.len(), effects);
    }
}

impl Lease {
    /// Answers the reads that wait if the lease is good now, else asks for one.
    fn read(&self, replica: &mut Replica, clock: u64, effects: &mut Effects<Self>) {
        if clock + self.margin < replica.until {
            for (operation, key) in std::mem::take(&mut replica.reads) {
                replica.answer(operation, &key, effects);
            }
        } else if !replica.reads.is_empty() {
            effects.send(BACKUP, Message::Ask(clock + GOOD + self.margin, replica.life));
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
            // A client that asks again is answered by what it asked first.
            (Role::Primary | Role::Successor, false)
                if replica.log.position(operation).is_some() =>
            {
                if replica.log.position(operation) < Some(replica.log.applied()) {
                    effects.ok(operation, Value::Null);
                }
            }
            (Role::Primary, false) => {
                let entry = Entry { operation, key, value: argument };
                effects.send(BACKUP, Message::Store(entry.clone()));
                replica.log.append(entry);
            }
            (Role::Successor, true) => replica.answer(operation, &key, effects),
            (Role::Successor, false) => {
                replica.store(Entry { operation, key, value: argument }, effects);
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
            (Role::Backup | Role::Promoted, Message::Store(entry)) => {
                replica.store(entry, effects);
                effects.send(PRIMARY, Message::Stored);
            }
            (Role::Backup, Message::Ask(until, life)) => {
                replica.until = replica.until.max(until);
                effects.send(PRIMARY, Message::Granted(until, life));
            }
            (Role::Primary, Message::Stored) => {
                let confirmed = replica.log.len().min(replica.log.applied() + 1);
                for operation in replica.log.apply(confirmed, effects) {
                    effects.ok(operation, Value::Null);
                }
            }
            (Role::Primary, Message::Granted(until, life))
                if life == replica.life || self.restart != Restart::Forgets =>
            {
                replica.until = replica.until.max(until);
                self.read(replica, clock, effects);
            }
            (Role::Primary, Message::Replaced) => {
                replica.role = Role::Replaced;
                for (_, entry) in replica.log.from(replica.log.applied()) {
                    effects.reply(entry.operation, Completion::Info);
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
        Replica { role, log: Log::default(), until: 0, life: 0, reads: Vec::new() }
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
            Input::Recovered => {
                replica.life += 1;
                replica.log.announce(effects);
                if replica.role == Role::Promoted {
                    effects.arm_at(EXPIRED, replica.until);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        let mut left = Replica { reads: Vec::new(), ..replica.clone() };
        // What a backup has promised it has to keep.
        if left.role == Role::Primary && self.restart != Restart::Trusts {
            left.until = 0;
        }
        left
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
            Message::Store(entry) => format!("store {entry}"),
            Message::Stored => "stored".to_owned(),
            Message::Ask(until, _) => format!("ask for a lease until {until}"),
            Message::Granted(until, 0) => format!("lease until {until}"),
            Message::Granted(until, life) => format!("lease until {until} for life {life}"),
            Message::Replaced => "replaced".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let role = Part::Field("role".to_owned(), format!("{:?}", replica.role).to_lowercase());
        let until = Part::Field("until".to_owned(), replica.until.to_string());
        Some(replica.log.show().into_iter().chain([role, until]).collect())
    }
}
