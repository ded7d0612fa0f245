//! Asynchronous replication after Redis: what its users tune.
//!
//! The primary (`n1` at first) takes a write, shows it at once, and sends it on at its
//! offset. With `wait=0` it answers at once; with `wait=1` when one replica has
//! acknowledged it, as `WAIT 1` does. That undoes nothing: whoever reads sees the write
//! meanwhile. With `timeout=answers` the client goes on when it has waited for long,
//! without looking at how many have it.
//!
//! An operator promotes a replica, which begins a *history* of its own. A node that
//! hears of it asks to be brought up to date, and says its history and its offset. If
//! the primary has that history up to there, it sends what is missing, otherwise all
//! it holds. With `resync=offset` it looks at the offset alone.
//!
//! With `sessions=wait` a session carries the largest offset that it has seen, and a
//! node lets a read wait until it is there. With `order=ignored` a replica takes what
//! arrives as the next write.
//!
//! Source: the Redis documentation on replication and on WAIT; Terry et al. 1994 for
//! sessions. Deviations: an operator, not a sentinel, promotes; the backlog is never
//! too short; logs are durable at once; writes at replicas are refused.

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::lineage::{Lineage, Write, told};
use crate::replication::{
    Cluster, Effects, Input, Invariant, OperationId, Part, Strategy, TimerId,
};

/// What a client does that has waited for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// It waits on.
    Never,
    /// It takes the write for done.
    Answers,
}

/// When a replica gets only what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resync {
    /// If the primary has its history up to its offset.
    History,
    /// If the primary has its offset.
    Offset,
}

/// What a node does with a read of a session that has seen more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// It answers.
    AreServed,
    /// It waits until it has what the session has seen.
    Wait,
}

/// What a replica makes of a write that is not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It asks for what is missing.
    Checked,
    /// It takes it for the next one.
    Ignored,
}

/// Asynchronous replication after Redis.
#[derive(Clone, Copy, Debug)]
pub struct RedisLike {
    /// How many replicas a client waits for.
    pub wait: usize,
    /// What it does when that takes long.
    pub timeout: Timeout,
    /// When a replica gets only what it lacks.
    pub resync: Resync,
    /// What a node does with a read of a session that has seen more.
    pub sessions: Sessions,
    /// What a replica makes of a write that is not the next one.
    pub order: Order,
}

/// The primary or a replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    primary: NodeId,
    history: u32,
    /// The history before, and up to which offset it is shared.
    before: Option<(u32, usize)>,
    log: Lineage,
    /// At the primary: the offsets that replicas have acknowledged.
    acknowledged: Vec<usize>,
    /// Reads that wait, each for its offset.
    asked: Vec<(usize, OperationId, Key)>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Writes of this history, from this offset on.
    Stream(u32, usize, Vec<Write>),
    /// The sender is the primary of this history.
    Primary(u32),
    /// A replica is at this offset of this history.
    Psync(u32, usize),
    /// The same, and it shall go on in this history with these writes.
    Continue(u32, usize, Vec<Write>),
    /// It shall begin again with this history, and all that it holds.
    Full(u32, Vec<Write>),
    /// A replica has this offset of this history.
    Acknowledge(u32, usize),
}

const PATIENCE: TimerId = TimerId(0);

impl Replica {
    fn is_primary(&self) -> bool {
        self.primary == self.me
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.others(self.me)
    }

    /// Shows more writes, and answers the reads that waited for them.
    fn extend(
        &mut self,
        writes: impl IntoIterator<Item = Write>,
        effects: &mut Effects<RedisLike>,
    ) {
        self.log.extend(writes);
        self.log.show_all(effects);
        for (offset, operation, key) in std::mem::take(&mut self.asked) {
            self.read((operation, key), offset, effects);
        }
    }

    /// Answers a read, or lets it wait until this node is at `offset`.
    fn read(
        &mut self,
        (operation, key): (OperationId, Key),
        offset: usize,
        effects: &mut Effects<RedisLike>,
    ) {
        if self.log.len() < offset {
            return self.asked.push((offset, operation, key));
        }
        self.log.read(operation, &key, effects).with_token(self.log.len());
    }

    /// Answers the first `until` writes.
    fn answer(&mut self, until: usize, effects: &mut Effects<RedisLike>) {
        while let Some(operation) = self.log.next_answered(until) {
            let reply = effects.reply(operation, Completion::Ok(Value::Null));
            reply.with_token(self.log.answered());
        }
        if self.log.answered() == self.log.len() {
            effects.disarm(PATIENCE);
        }
    }

    fn psync(&self, effects: &mut Effects<RedisLike>) {
        effects.send(self.primary, Message::Psync(self.history, self.log.len()));
    }
}

impl RedisLike {
    fn request(
        &self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        token: usize,
        effects: &mut Effects<Self>,
    ) {
        if call.is_read() {
            let offset = if self.sessions == Sessions::Wait { token } else { 0 };
            return replica.read((operation, call.key), offset, effects);
        }
        if !replica.is_primary() {
            effects.reply(operation, Completion::Fail).with_token(token);
            return;
        }
        let (history, at) = (replica.history, replica.log.len());
        replica.log.take(history, operation, call);
        let stream = Message::Stream(history, at, replica.log.from(at).to_vec());
        effects.broadcast(replica.others(), &stream);
        replica.extend([], effects);
        if self.wait == 0 {
            replica.answer(at + 1, effects);
        } else if self.timeout == Timeout::Answers {
            effects.arm(PATIENCE);
        }
    }

    fn receive(
        &self,
        replica: &mut Replica,
        from: NodeId,
        message: Message,
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Stream(history, offset, writes) => {
                if history == replica.history && !replica.is_primary() {
                    self.take(replica, offset, writes, effects);
                }
            }
            Message::Primary(history) if history < replica.history => {
                if replica.is_primary() {
                    effects.send(from, Message::Primary(replica.history));
                }
            }
            Message::Primary(_) => {
                if replica.is_primary() {
                    replica.log.give_up(effects);
                    effects.disarm(PATIENCE);
                }
                replica.primary = from;
                replica.psync(effects);
            }
            Message::Psync(history, offset) => {
                let shared = |(known, until)| history == known && offset <= until;
                let own = shared((replica.history, replica.log.len()));
                let known = match self.resync {
                    Resync::History => own || replica.before.is_some_and(shared),
                    Resync::Offset => offset <= replica.log.len(),
                };
                let message = match known {
                    true => {
                        let missing = replica.log.from(offset).to_vec();
                        Message::Continue(replica.history, offset, missing)
                    }
                    false => Message::Full(replica.history, replica.log.from(0).to_vec()),
                };
                effects.send(from, message);
            }
            Message::Continue(history, offset, writes) => {
                replica.history = history;
                self.take(replica, offset, writes, effects);
            }
            Message::Full(history, log) => {
                replica.history = history;
                replica.log.replace(Vec::new());
                self.take(replica, 0, log, effects);
            }
            Message::Acknowledge(history, offset) => {
                if replica.is_primary() && history == replica.history {
                    let known = &mut replica.acknowledged[from.index()];
                    *known = offset.max(*known);
                    let until = replica.acknowledged.iter().copied().max().unwrap_or(0);
                    replica.answer(until, effects);
                }
            }
        }
    }

    /// Takes writes from this offset on.
    fn take(
        &self,
        replica: &mut Replica,
        offset: usize,
        writes: Vec<Write>,
        effects: &mut Effects<Self>,
    ) {
        let held = replica.log.len();
        match self.order {
            Order::Checked if offset > held => return replica.psync(effects),
            Order::Checked => {
                replica.extend(writes.into_iter().skip(held - offset), effects);
            }
            Order::Ignored => {
                let known = replica.log.from(0).to_vec();
                let fresh = writes.into_iter().filter(|write| !known.contains(write));
                replica.extend(fresh, effects);
            }
        }
        if self.wait > 0 && replica.log.len() > held {
            let acknowledge = Message::Acknowledge(replica.history, replica.log.len());
            effects.send(replica.primary, acknowledge);
        }
    }
}

impl Strategy for RedisLike {
    type Replica = Replica;
    type Message = Message;
    /// The offset up to which the session has seen writes.
    type Token = usize;

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            primary: NodeId(0),
            history: 0,
            before: None,
            log: Lineage::default(),
            acknowledged: vec![0; cluster.size()],
            asked: Vec::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, token, .. } => {
                self.request(replica, (operation, call), token, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Timer(_) => replica.answer(replica.log.len(), effects),
            Input::Command(_) if !replica.is_primary() => {
                replica.before = Some((replica.history, replica.log.len()));
                (replica.history, replica.primary) = (replica.history + 1, replica.me);
                replica.log.owe_nothing();
                replica.acknowledged.fill(0);
                effects.broadcast(replica.others(), &Message::Primary(replica.history));
            }
            Input::Recovered => {
                replica.log.hide();
                replica.log.show_all(effects);
                match replica.is_primary() {
                    true => {
                        let primary = Message::Primary(replica.history);
                        effects.broadcast(replica.others(), &primary);
                    }
                    false => replica.psync(effects),
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { asked: Vec::new(), ..replica.clone() }
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        vec!["promote".to_owned()]
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        let same =
            |nodes: &[&Replica]| nodes.iter().all(|node| node.log.from(0) == nodes[0].log.from(0));
        vec![Invariant::at_quiescence("same-data", same)]
    }

    fn label(&self, message: &Message) -> String {
        let told = |writes: &[Write]| match writes {
            [] => "nothing".to_owned(),
            some => told(some),
        };
        match message {
            Message::Stream(_, offset, writes) => format!("stream #{offset} {}", told(writes)),
            Message::Primary(history) => format!("primary of history {history}"),
            Message::Psync(history, offset) => format!("psync {history} {offset}"),
            Message::Continue(history, offset, writes) => {
                format!("continue {history} at #{offset} with {}", told(writes))
            }
            Message::Full(history, writes) => format!("begin {history} with {}", told(writes)),
            Message::Acknowledge(_, offset) => format!("has {offset}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let field = |name: &str, text: String| Part::Field(name.to_owned(), text);
        Some(vec![
            field("history", replica.history.to_string()),
            field("primary", replica.primary.to_string()),
            replica.log.part(),
        ])
    }
}
