//! Semi-synchronous replication: a write waits until enough replicas have
//! received it, and an operator promotes one of them.
//!
//! The source (`n1` at first) writes to its binary log and sends it. A replica
//! acknowledges what it has *received*, and applies it a little later. When
//! enough have acknowledged, the source answers. With `wait=after-sync` it waits
//! before it commits, so that nobody reads what a failover may lose; with
//! `wait=after-commit` others read it meanwhile. With `timeout=falls-back` a
//! source that has waited for long goes on without acknowledgements until
//! replicas have caught up, and tells nobody.
//!
//! A promoted replica stops its replication from the old source and begins an
//! epoch. Nodes of an earlier epoch take its log for their own, and answer that
//! the outcome of what they still waited for is unknown. Nothing stops the old source
//! from answering reads until it hears of it.
//!
//! Source: the MySQL reference manual on semisynchronous replication; Noach 2020 on
//! what it promises, Sougoumarane 2022 on restarts. Deviations: the whole log is sent
//! each time, and what is known of it is skipped; logs are durable at once; epochs,
//! which MySQL leaves to the tools of its operators, are part of the protocol;
//! writes at replicas are refused.

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, TimerId, Visible, shown,
};

/// When the source waits for acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Before it commits.
    AfterSync,
    /// When it has committed, before it answers.
    AfterCommit,
}

/// What a source does that has waited for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// It waits on.
    Never,
    /// It becomes asynchronous until enough replicas have caught up.
    FallsBack,
}

/// When a replica acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledges {
    /// When it has received an event.
    Received,
    /// When it shows it.
    Applied,
}

/// What a source does after a crash with what was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It waits for acknowledgements again.
    Waits,
    /// It commits.
    Commits,
}

/// Which nodes answer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Every node.
    Any,
    /// The source.
    Source,
}

/// Semi-synchronous replication.
#[derive(Clone, Copy, Debug)]
pub struct SemiSync {
    /// When the source waits.
    pub wait: Wait,
    /// For how many replicas.
    pub count: usize,
    /// What it does when that takes long.
    pub timeout: Timeout,
    /// When a replica acknowledges.
    pub acknowledges: Acknowledges,
    /// What a source does after a crash.
    pub restart: Restart,
    /// Which nodes answer reads.
    pub reads: Reads,
}

/// A write, and the epoch in which a source took it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    epoch: u32,
    operation: OperationId,
    key: Key,
    value: Value,
}

/// The source or a replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    epoch: u32,
    source: NodeId,
    log: Vec<Event>,
    /// How many events reads take into account.
    applied: usize,
    /// At the source: how many are answered.
    answered: usize,
    /// At the source: how many each node has acknowledged.
    acknowledged: Vec<usize>,
    /// At the source: whether it has fallen back.
    asynchronous: bool,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The log of the source of this epoch.
    Log(u32, Vec<Event>),
    /// To that source: how many events the sender has.
    Acknowledge(u32, usize),
    /// A replica was down and asks for the log.
    Fetch,
    /// To itself: apply what has been received.
    Apply,
}

const PATIENCE: TimerId = TimerId(0);

impl Replica {
    fn is_source(&self) -> bool {
        self.source == self.me
    }

    fn log_message(&self) -> Message {
        Message::Log(self.epoch, self.log.clone())
    }

    fn send_log(&self, effects: &mut Effects<SemiSync>) {
        effects.broadcast(self.cluster.others(self.me), &self.log_message());
    }

    /// Makes the first `until` events visible to reads.
    fn apply(&mut self, until: usize, effects: &mut Effects<SemiSync>) {
        for (at, event) in self.log.iter().enumerate().take(until).skip(self.applied) {
            effects.visible(event.operation, Stamp { counter: at as u64, tie: event.epoch });
        }
        self.applied = self.applied.max(until);
    }

    /// Commits the first `until` events and answers whoever waits for them.
    fn commit(&mut self, until: usize, effects: &mut Effects<SemiSync>) {
        self.apply(until, effects);
        while self.answered < until {
            effects.ok(self.log[self.answered].operation, Value::Null);
            self.answered += 1;
        }
        if self.answered == self.log.len() {
            effects.disarm(PATIENCE);
        }
    }

    /// Becomes a replica of the source of a later epoch, with its log.
    fn follow(
        &mut self,
        (epoch, source): (u32, NodeId),
        log: Vec<Event>,
        effects: &mut Effects<SemiSync>,
    ) {
        if self.is_source() {
            for event in &self.log[self.answered..] {
                effects.reply(event.operation, Completion::Info);
            }
            effects.disarm(PATIENCE);
        }
        (self.epoch, self.source, self.log, self.applied) = (epoch, source, log, 0);
        (self.answered, self.asynchronous) = (0, false);
        self.apply(self.log.len(), effects);
    }
}

impl SemiSync {
    fn request(
        &self,
        replica: &mut Replica,
        operation: OperationId,
        call: Call,
        effects: &mut Effects<Self>,
    ) {
        if !replica.is_source() && (call.is_write() || self.reads == Reads::Source) {
            effects.reply(operation, Completion::Fail);
        } else if call.is_read() {
            let shown = &replica.log[..replica.applied];
            let value = shown.iter().rfind(|event| event.key == call.key);
            let value = value.map_or(Value::Null, |event| event.value.clone());
            let seen = shown.iter().map(|event| event.operation).collect();
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::These(seen));
        } else if let Some(at) = replica.log.iter().position(|it| it.operation == operation) {
            if at < replica.answered {
                effects.ok(operation, Value::Null);
            }
        } else {
            let (epoch, Call { key, argument: value, .. }) = (replica.epoch, call);
            replica.log.push(Event { epoch, operation, key, value });
            replica.send_log(effects);
            if replica.asynchronous {
                replica.commit(replica.log.len(), effects);
            } else {
                self.wait(replica, effects);
            }
        }
    }

    /// Begins to wait for acknowledgements of all that is not answered.
    fn wait(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        if self.wait == Wait::AfterCommit {
            replica.apply(replica.log.len(), effects);
        }
        if self.timeout == Timeout::FallsBack && replica.answered < replica.log.len() {
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
            Message::Log(epoch, _) if epoch < replica.epoch => {
                if replica.is_source() {
                    effects.send(from, replica.log_message());
                }
            }
            Message::Log(epoch, log) => {
                if epoch > replica.epoch {
                    replica.follow((epoch, from), log, effects);
                } else if log.len() > replica.log.len() {
                    replica.log = log;
                    match self.acknowledges {
                        Acknowledges::Received => effects.send(replica.me, Message::Apply),
                        Acknowledges::Applied => replica.apply(replica.log.len(), effects),
                    }
                }
                effects.send(from, Message::Acknowledge(epoch, replica.log.len()));
            }
            Message::Acknowledge(epoch, count) => {
                if epoch == replica.epoch && replica.is_source() {
                    let known = &mut replica.acknowledged[from.index()];
                    *known = count.max(*known);
                    self.count(replica, effects);
                }
            }
            Message::Fetch if replica.is_source() => effects.send(from, replica.log_message()),
            Message::Fetch => {}
            Message::Apply => replica.apply(replica.log.len(), effects),
        }
    }

    /// Commits what enough replicas have.
    fn count(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let mut counts = replica.acknowledged.clone();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let by_enough = counts.get(self.count - 1).copied().unwrap_or(0);
        if by_enough > replica.answered {
            replica.commit(by_enough, effects);
        }
        replica.asynchronous &= by_enough < replica.log.len();
    }

    fn recover(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let shown = std::mem::take(&mut replica.applied);
        if !replica.is_source() {
            replica.apply(replica.log.len(), effects);
            effects.broadcast(replica.cluster.others(replica.me), &Message::Fetch);
            return;
        }
        replica.apply(shown, effects);
        if self.restart == Restart::Commits {
            replica.commit(replica.log.len(), effects);
        }
        self.wait(replica, effects);
        replica.send_log(effects);
    }
}

impl Strategy for SemiSync {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            epoch: 0,
            source: NodeId(0),
            log: Vec::new(),
            applied: 0,
            answered: 0,
            acknowledged: vec![0; cluster.size()],
            asynchronous: false,
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                self.request(replica, operation, call, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Timer(_) => {
                replica.asynchronous = true;
                replica.commit(replica.log.len(), effects);
            }
            Input::Command(_) if !replica.is_source() => {
                (replica.epoch, replica.source) = (replica.epoch + 1, replica.me);
                replica.apply(replica.log.len(), effects);
                replica.answered = replica.log.len();
                replica.acknowledged.fill(0);
                replica.send_log(effects);
            }
            Input::Recovered => self.recover(replica, effects),
            _ => {}
        }
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        vec!["promote".to_owned()]
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Log(epoch, log) => {
                let all = log.iter().map(|event| format!(" {}={}", event.key, event.value));
                format!("log of epoch {epoch}:{}", all.collect::<String>())
            }
            Message::Acknowledge(epoch, count) => format!("has {count} of epoch {epoch}"),
            Message::Fetch => "fetch".to_owned(),
            Message::Apply => "apply".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let log: Vec<_> =
            replica.log.iter().map(|it| format!("{}={}", it.key, shown(&it.value))).collect();
        let field = |name: &str, text: String| Part::Field(name.to_owned(), text);
        Some(vec![
            field("epoch", replica.epoch.to_string()),
            field("source", replica.source.to_string()),
            field("log", format!("[{}]", log.join(", "))),
            field("applied", replica.applied.to_string()),
        ])
    }
}
