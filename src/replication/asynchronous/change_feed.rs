//! A store with a feed of its changes, and copies that follow it by a cursor.
//!
//! `n1` is the store. A write is a transaction there: it begins, and when it commits it
//! changes the row, adds a change to the log and is answered. Transactions may commit in
//! another order than they began. Every other node holds a copy that answers reads. When
//! its timer fires it asks the store for the changes behind its cursor, takes them up as
//! one batch, and later applies the batch.
//!
//! A change has a number. With `numbers=commit` it gets it when it commits, so whoever
//! has seen a number has seen all smaller ones. With `numbers=start` the transaction draws
//! it when it begins, and a small one may turn up behind a cursor that has passed it. With
//! `cursor=applied` the cursor moves with the batch that is applied, with `cursor=read`
//! when the batch arrives.
//!
//! The log and the rows are durable, and so is a cursor. Transactions in progress and
//! batches that are not applied are not.
//!
//! Source: juicefs issue 7521 on numbers, pouchdb issue 1240 on cursors; the polled outbox
//! is described by Dudycz 2022. Deviations: a transaction writes one row and takes no
//! locks; the log is never cut off.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// When a change gets its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// When its transaction commits.
    Commit,
    /// Bug: when its transaction begins.
    Start,
}

/// When a cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// When the changes are applied.
    Applied,
    /// Bug: when they have arrived.
    Read,
}

/// A store with a feed of its changes, and copies that follow it.
#[derive(Clone, Copy, Debug)]
pub struct ChangeFeed {
    /// When a change gets its number.
    pub numbers: Numbers,
    /// When a cursor moves.
    pub cursor: Cursor,
}

const STORE: NodeId = NodeId(0);
const FOLLOW: TimerId = TimerId(0);

/// A change of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    number: u64,
    /// Its place in the order in which transactions committed.
    place: Stamp,
    key: Key,
    value: Value,
    write: OperationId,
}

/// The store, or a node with a copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    /// The last change of each row.
    rows: BTreeMap<Key, Change>,
    /// At the store: transactions in progress, with the numbers that they have drawn.
    open: BTreeMap<OperationId, (u64, Call)>,
    /// At the store: how many numbers were drawn.
    drawn: u64,
    /// At the store: all changes, as they were committed.
    log: Vec<Change>,
    /// At a copy: the largest number that it need not be told again.
    cursor: u64,
    /// At a copy: changes that are not applied yet.
    batch: Vec<Change>,
}

/// What nodes say to each other, and to themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the store itself: this transaction commits.
    Commit(OperationId),
    /// To the store: which changes have larger numbers than this?
    Follow(u64),
    /// These have, in the order in which they were committed.
    Changes(Vec<Change>),
    /// To a copy itself: apply the batch.
    Apply,
}

impl ChangeFeed {
    fn commit(self, replica: &mut Replica, write: OperationId, effects: &mut Effects<Self>) {
        let Some((drawn, call)) = replica.open.remove(&write) else { return };
        let number = match self.numbers {
            Numbers::Start => drawn,
            Numbers::Commit => {
                replica.drawn += 1;
                replica.drawn
            }
        };
        let counter = replica.log.last().map_or(0, |change| change.place.counter) + 1;
        let place = Stamp { counter, tie: 0 };
        let change = Change { number, place, key: call.key, value: call.argument, write };
        replica.log.push(change.clone());
        replica.apply(change, effects);
        effects.ok(write, Value::Null);
    }

    fn receive(
        self,
        replica: &mut Replica,
        (from, message): (NodeId, Message),
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Commit(write) => self.commit(replica, write, effects),
            Message::Follow(cursor) => {
                let behind = replica.log.iter().filter(|change| change.number > cursor);
                let changes: Vec<_> = behind.cloned().collect();
                if !changes.is_empty() {
                    effects.send(from, Message::Changes(changes));
                }
            }
            Message::Changes(mut changes) => {
                changes.retain(|change| change.number > replica.cursor);
                if !changes.is_empty() {
                    changes.retain(|change| !replica.batch.contains(change));
                    replica.batch.extend(changes);
                    if self.cursor == Cursor::Read {
                        replica.advance();
                    }
                    effects.send(replica.me, Message::Apply);
                }
            }
            Message::Apply => {
                replica.advance();
                for change in std::mem::take(&mut replica.batch) {
                    replica.apply(change, effects);
                }
            }
        }
    }
}

impl Replica {
    fn apply(&mut self, change: Change, effects: &mut Effects<ChangeFeed>) {
        effects.visible(change.write, change.place);
        self.rows.insert(change.key.clone(), change);
    }

    /// Moves the cursor to the end of the batch.
    fn advance(&mut self) {
        let last = self.batch.iter().map(|change| change.number).max();
        self.cursor = last.unwrap_or(0).max(self.cursor);
    }
}

impl Strategy for ChangeFeed {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, _: &Cluster) -> Replica {
        let (rows, open) = (BTreeMap::new(), BTreeMap::new());
        Replica { me: node, rows, open, drawn: 0, log: Vec::new(), cursor: 0, batch: Vec::new() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Start if replica.me != STORE => effects.arm(FOLLOW),
            Input::Request { operation, call, .. } if call.is_write() => {
                if self.numbers == Numbers::Start {
                    replica.drawn += 1;
                }
                replica.open.insert(operation, (replica.drawn, call));
                effects.send(STORE, Message::Commit(operation));
            }
            Input::Request { operation, call, .. } => {
                let held = replica.rows.get(&call.key);
                let value = held.map(|change| change.value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { from, message, .. } => {
                self.receive(replica, (from, message), effects);
            }
            Input::Timer(FOLLOW) => {
                effects.send(STORE, Message::Follow(replica.cursor));
                effects.arm(FOLLOW);
            }
            Input::Recovered => {
                let log = replica.log.iter().chain(replica.rows.values());
                log.for_each(|change| effects.visible(change.write, change.place));
                if replica.me != STORE {
                    effects.arm(FOLLOW);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { open: BTreeMap::new(), batch: Vec::new(), ..replica.clone() }
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        call.is_read() || (call.is_write() && node == STORE)
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Commit(write) => format!("commit {write}"),
            Message::Follow(cursor) => format!("follow after #{cursor}"),
            Message::Changes(changes) => {
                let one =
                    |change: &Change| format!("#{} {}={}", change.number, change.key, change.value);
                format!("changes {}", changes.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            Message::Apply => "apply".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let row = |change: &Change| Part::Key(change.key.clone(), shown(&change.value));
        let mut parts: Vec<_> = replica.rows.values().map(row).collect();
        for (write, (number, call)) in &replica.open {
            let held = match self.numbers {
                Numbers::Start => format!("#{number} {}={}", call.key, call.argument),
                Numbers::Commit => format!("{}={}", call.key, call.argument),
            };
            parts.push(Part::Field(format!("open {write}"), held));
        }
        if replica.me != STORE {
            parts.push(Part::Field("cursor".to_owned(), replica.cursor.to_string()));
            parts.push(Part::Field("to apply".to_owned(), replica.batch.len().to_string()));
        }
        Some(parts)
    }
}
