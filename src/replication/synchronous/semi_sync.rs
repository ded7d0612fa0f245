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

use crate::history::{Call, Completion, NodeId, Value};
use crate::replication::lineage::{Lineage, Write, told};
use crate::replication::{Cluster, Effects, Input, OperationId, Part, Strategy, TimerId};

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

/// The source or a replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    epoch: u32,
    source: NodeId,
    log: Lineage,
    /// At the source: how many each node has acknowledged.
    acknowledged: Vec<usize>,
    /// At the source: whether it has fallen back.
    asynchronous: bool,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The log of the source of this epoch.
    Log(u32, Vec<Write>),
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
        Message::Log(self.epoch, self.log.from(0).to_vec())
    }

    fn send_log(&self, effects: &mut Effects<SemiSync>) {
        effects.broadcast(self.cluster.others(self.me), &self.log_message());
    }

    /// Commits the first `until` events and answers whoever waits for them.
    fn commit(&mut self, until: usize, effects: &mut Effects<SemiSync>) {
        self.log.commit(until, effects);
        if self.log.answered() == self.log.len() {
            effects.disarm(PATIENCE);
        }
    }

    /// Becomes a replica of the source of a later epoch, with its log.
    fn follow(
        &mut self,
        (epoch, source): (u32, NodeId),
        log: Vec<Write>,
        effects: &mut Effects<SemiSync>,
    ) {
        if self.is_source() {
            self.log.give_up(effects);
            effects.disarm(PATIENCE);
        }
        (self.epoch, self.source, self.asynchronous) = (epoch, source, false);
        self.log.replace(log);
        self.log.show_all(effects);
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
            replica.log.read(operation, &call.key, effects);
        } else if let Some(at) = replica.log.position(operation) {
            if at < replica.log.answered() {
                effects.ok(operation, Value::Null);
            }
        } else {
            replica.log.take(replica.epoch, operation, call);
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
            replica.log.show_all(effects);
        }
        if self.timeout == Timeout::FallsBack && replica.log.answered() < replica.log.len() {
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
                    replica.log.lengthen(log);
                    match self.acknowledges {
                        Acknowledges::Received => effects.send(replica.me, Message::Apply),
                        Acknowledges::Applied => replica.log.show_all(effects),
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
            Message::Apply => replica.log.show_all(effects),
        }
    }

    /// Commits what enough replicas have.
    fn count(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let mut counts = replica.acknowledged.clone();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let by_enough = counts.get(self.count - 1).copied().unwrap_or(0);
        if by_enough > replica.log.answered() {
            replica.commit(by_enough, effects);
        }
        replica.asynchronous &= by_enough < replica.log.len();
    }

    fn recover(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let shown = replica.log.hide();
        if !replica.is_source() {
            replica.log.show_all(effects);
            effects.broadcast(replica.cluster.others(replica.me), &Message::Fetch);
            return;
        }
        replica.log.show_until(shown, effects);
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
            log: Lineage::default(),
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
                replica.log.show_all(effects);
                replica.log.owe_nothing();
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
            Message::Log(epoch, log) if log.is_empty() => format!("log of epoch {epoch}:"),
            Message::Log(epoch, log) => format!("log of epoch {epoch}: {}", told(log)),
            Message::Acknowledge(epoch, count) => format!("has {count} of epoch {epoch}"),
            Message::Fetch => "fetch".to_owned(),
            Message::Apply => "apply".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let field = |name: &str, text: String| Part::Field(name.to_owned(), text);
        Some(vec![
            field("epoch", replica.epoch.to_string()),
            field("source", replica.source.to_string()),
            replica.log.part(),
            field("applied", replica.log.shown().to_string()),
        ])
    }
}
