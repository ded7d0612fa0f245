//! A register on a majority, for several writers and readers.
//!
//! The node that is asked coordinates. Write: ask a majority for its stamps,
//! take a larger one, store it at a majority, answer. Read: ask a majority
//! for its values, take the newest, *store it at a majority* (write back),
//! answer. Linearizable as long as a majority is reachable, whatever the
//! network loses, repeats or reorders; a timer sends again what is missing.
//! With `write-back=never` reads answer after the first round: cheaper, and no
//! longer linearizable.
//!
//! Source: Attiya, Bar-Noy & Dolev 1995; multi-writer form: Lynch &
//! Shvartsman 1997. Deviations: ties are broken by operation, not by node,
//! so that a coordinator that crashed in the middle of a write cannot give
//! its stamp to another write; stored registers are durable, operations in
//! progress are not. A client that retries at a second node runs the
//! operation twice: not promised.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// The majority register.
#[derive(Clone, Copy, Debug)]
pub struct Abd {
    /// Whether a read stores what it answers at a majority first.
    pub write_back: WriteBack,
}

/// Whether reads write back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBack {
    /// Every read does: linearizable.
    Always,
    /// No read does: a read may see a write that a later read misses.
    Never,
}

/// Sends again what has not been answered.
const RETRANSMIT: TimerId = TimerId(0);

/// A node: its registers, and the operations that it coordinates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    registers: BTreeMap<Key, (Stamp, Value)>,
    operations: BTreeMap<OperationId, Progress>,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Progress {
    key: Key,
    /// The value to write; none for a read.
    write: Option<Value>,
    phase: Phase,
    /// The nodes that have answered in this phase, one bit each, so that a
    /// duplicated answer counts once.
    answered: u64,
    /// The newest seen while asking; what is stored while storing.
    newest: (Stamp, Value),
    /// Whether this is a read that answers without storing.
    one_round: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Asking,
    Storing,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Asks for the stored value of a key.
    Ask {
        /// For which operation.
        operation: OperationId,
        /// Of which key.
        key: Key,
    },
    /// Answers [`Message::Ask`] with the stored value and its stamp.
    Have {
        /// For which operation.
        operation: OperationId,
        /// Written at.
        stamp: Stamp,
        /// The value.
        value: Value,
    },
    /// Asks the receiver to store this unless it has something newer.
    Store {
        /// For which operation.
        operation: OperationId,
        /// Which key.
        key: Key,
        /// Written at.
        stamp: Stamp,
        /// The value.
        value: Value,
    },
    /// Confirms that the sender has that value or a newer one.
    Stored {
        /// For which operation.
        operation: OperationId,
    },
}

impl Replica {
    fn register(&self, key: &Key) -> (Stamp, Value) {
        self.registers.get(key).cloned().unwrap_or_default()
    }

    fn store(&mut self, key: &Key, stamp: Stamp, value: &Value, effects: &mut Effects<Abd>) {
        if stamp > self.register(key).0 {
            self.registers.insert(key.clone(), (stamp, value.clone()));
        }
        // A write that arrives late is older than the stored one, and is ordered
        // below it.
        effects.visible(OperationId::from_tie(stamp.tie), stamp);
    }

    /// The message of the present phase, to all that have not answered it.
    fn transmit(&self, operation: OperationId, effects: &mut Effects<Abd>) {
        let progress = &self.operations[&operation];
        let key = progress.key.clone();
        let message = match progress.phase {
            Phase::Asking => Message::Ask { operation, key },
            Phase::Storing => {
                let (stamp, value) = progress.newest.clone();
                Message::Store { operation, key, stamp, value }
            }
        };
        let silent = |node: &NodeId| progress.answered & (1 << node.0) == 0;
        effects.broadcast(self.cluster.others(self.me).filter(silent), &message);
    }

    fn begin(
        &mut self,
        operation: OperationId,
        call: Call,
        write_back: WriteBack,
        effects: &mut Effects<Abd>,
    ) {
        if self.operations.contains_key(&operation) {
            return; // A retry of what is already under way.
        }
        let newest = self.register(&call.key);
        let write = call.is_write().then_some(call.argument);
        let one_round = write_back == WriteBack::Never && write.is_none();
        let phase = Phase::Asking;
        let progress = Progress { key: call.key, write, phase, answered: 0, newest, one_round };
        self.operations.insert(operation, progress);
        effects.arm(RETRANSMIT);
        self.transmit(operation, effects);
        self.answer(operation, Phase::Asking, self.me, effects);
    }

    /// `from` has answered `phase` of `operation`; goes on if a majority has.
    fn answer(
        &mut self,
        operation: OperationId,
        phase: Phase,
        from: NodeId,
        effects: &mut Effects<Abd>,
    ) {
        let Some(progress) = self.operations.get_mut(&operation) else { return };
        if progress.phase != phase {
            return;
        }
        progress.answered |= 1 << from.0;
        if (progress.answered.count_ones() as usize) < self.cluster.majority() {
            return;
        }
        match phase {
            Phase::Asking if progress.one_round => self.finish(operation, effects),
            Phase::Asking => self.write_back(operation, effects),
            Phase::Storing => self.finish(operation, effects),
        }
    }

    fn write_back(&mut self, operation: OperationId, effects: &mut Effects<Abd>) {
        let progress = self.operations.get_mut(&operation).expect("the operation is in progress");
        if let Some(value) = &progress.write {
            let counter = progress.newest.0.counter + 1;
            progress.newest = (Stamp { counter, tie: operation.as_tie() }, value.clone());
        }
        progress.phase = Phase::Storing;
        progress.answered = 0;
        let (key, (stamp, value)) = (progress.key.clone(), progress.newest.clone());
        self.store(&key, stamp, &value, effects);
        self.transmit(operation, effects);
        self.answer(operation, Phase::Storing, self.me, effects);
    }

    fn finish(&mut self, operation: OperationId, effects: &mut Effects<Abd>) {
        let progress = self.operations.remove(&operation).expect("the operation is in progress");
        if self.operations.is_empty() {
            effects.disarm(RETRANSMIT);
        }
        let (stamp, value) = progress.newest;
        let answer = if progress.write.is_some() { Value::Null } else { value };
        effects.reply(operation, Completion::Ok(answer)).seeing(Visible::UpTo(stamp));
    }
}

impl Strategy for Abd {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            registers: BTreeMap::new(),
            operations: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                replica.begin(operation, call, self.write_back, effects);
            }
            Input::Receive { from, message, .. } => match message {
                Message::Ask { operation, key } => {
                    let (stamp, value) = replica.register(&key);
                    effects.send(from, Message::Have { operation, stamp, value });
                }
                Message::Have { operation, stamp, value } => {
                    if let Some(progress) = replica.operations.get_mut(&operation)
                        && progress.phase == Phase::Asking
                        && stamp > progress.newest.0
                    {
                        progress.newest = (stamp, value);
                    }
                    replica.answer(operation, Phase::Asking, from, effects);
                }
                Message::Store { operation, key, stamp, value } => {
                    replica.store(&key, stamp, &value, effects);
                    effects.send(from, Message::Stored { operation });
                }
                Message::Stored { operation } => {
                    replica.answer(operation, Phase::Storing, from, effects);
                }
            },
            Input::Timer(RETRANSMIT) => {
                for &operation in replica.operations.keys() {
                    replica.transmit(operation, effects);
                }
                effects.arm(RETRANSMIT);
            }
            Input::Recovered => {
                for &(stamp, _) in replica.registers.values() {
                    effects.visible(OperationId::from_tie(stamp.tie), stamp);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { operations: BTreeMap::new(), ..replica.clone() }
    }

    fn ignores(&self, replica: &Replica, _: NodeId, message: &Message) -> Option<bool> {
        let is_in = |operation, phase| {
            replica.operations.get(operation).is_some_and(|it| it.phase == phase)
        };
        Some(match message {
            Message::Ask { .. } => true,
            Message::Have { operation, .. } => !is_in(operation, Phase::Asking),
            Message::Store { key, stamp, .. } => replica.register(key).0 >= *stamp,
            Message::Stored { operation } => !is_in(operation, Phase::Storing),
        })
    }

    fn awaits(&self, replica: &Replica, _: NodeId, message: &Message) -> bool {
        let (operation, phase) = match message {
            Message::Ask { operation, .. } => (operation, Phase::Asking),
            Message::Store { operation, .. } => (operation, Phase::Storing),
            Message::Have { .. } | Message::Stored { .. } => return false,
        };
        replica.operations.get(operation).is_some_and(|it| it.phase == phase)
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Ask { key, .. } => format!("ask {key}"),
            Message::Have { stamp, value, .. } => format!("have {value} at {stamp}"),
            Message::Store { key, stamp, value, .. } => format!("store {key}={value} at {stamp}"),
            Message::Stored { .. } => "stored".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        for (key, (stamp, value)) in &replica.registers {
            parts.push(Part::Key(key.clone(), shown(value)));
            parts.push(Part::Field(format!("{key} written at"), stamp.to_string()));
        }
        for (operation, progress) in &replica.operations {
            let doing = match progress.phase {
                Phase::Asking => "asks for",
                Phase::Storing => "stores",
            };
            let answers = progress.answered.count_ones();
            let told = format!("{doing} {}, {answers} answered", progress.key);
            parts.push(Part::Field(operation.to_string(), told));
        }
        Some(parts)
    }
}
