//! Primary-backup with views: Viewstamped Replication, whose view changes an
//! operator begins.
//!
//! The primary of a view sends its log to all; what a majority has acknowledged is
//! committed and answered. Other nodes forward what they are asked. A read goes
//! through the log like a write (`reads=confirmed`). With `acknowledges=applied` a node
//! applies what it acknowledges, and answers the reads that it is asked.
//!
//! An operator tells a node to take over. It asks all to join a new view. Whoever
//! joins stops listening to earlier views and sends its log. Of a majority the node
//! takes the log of the latest view, and of these the longest, and is the primary.
//! So it has all that was answered, and the one before it can answer no more.
//!
//! Source: Oki & Liskov 1988; Liskov & Cowling 2012. Deviations: an operator, not a
//! timer, begins a view change; the whole log is sent each time; logs are on disk,
//! so there is no recovery protocol; a client learns nothing from a primary that has
//! been replaced but that the outcome is unknown.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, Invariant, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Whether nodes stop listening to earlier views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fencing {
    /// They do.
    Views,
    /// Whoever sends a log is believed, and a primary remains one.
    None,
}

/// How a read is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// When a majority has acknowledged it.
    Confirmed,
    /// From what the primary has committed, without asking.
    Local,
}

/// What an acknowledgement stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// The length of log that it names.
    Positions,
    /// Whatever the primary has sent last.
    Latest,
}

/// By what logs are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compares {
    /// By their views, then by their lengths.
    Views,
    /// By their lengths.
    Lengths,
}

/// What is done with a request that was asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// It is answered with what it was answered before.
    Recognised,
    /// It is done again.
    Applied,
}

/// What a node has done with its log when it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledges {
    /// On disk.
    Flushed,
    /// In memory.
    Received,
    /// On disk, and it answers reads from it.
    Applied,
}

/// Primary-backup with views.
#[derive(Clone, Copy, Debug)]
pub struct ViewChange {
    /// Whether nodes stop listening to earlier views.
    pub fencing: Fencing,
    /// How a read is answered.
    pub reads: Reads,
    /// What an acknowledgement stands for.
    pub counts: Counts,
    /// By what logs are compared.
    pub compares: Compares,
    /// What is done with a request that was asked before.
    pub retries: Retries,
    /// What a node has done with its log when it acknowledges.
    pub acknowledges: Acknowledges,
}

type Log = Vec<(OperationId, Call)>;

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    view: u32,
    /// The view in which the log was the primary's.
    normal: u32,
    log: Log,
    /// At the primary: how many entries are answered.
    committed: usize,
    /// At the primary: how many each node has acknowledged.
    acknowledged: Vec<usize>,
    /// At a node that takes over: the logs of those that have joined.
    joined: BTreeMap<NodeId, (u32, Log)>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the primary: a client asks.
    Forward(OperationId, Call),
    /// The log of the primary of this view.
    Prepare(u32, Log),
    /// To that primary: how many entries the sender has.
    Acknowledge(u32, usize),
    /// Asks to join this view.
    Invite(u32),
    /// To the node that asked: the log of the sender, and its view.
    Join(u32, u32, Log),
    /// A node was down and asks what the others know.
    Fetch,
}

impl Replica {
    /// The primary of a view, who is the only one that begins it.
    fn leader(&self, view: u32) -> NodeId {
        let size = u32::try_from(self.cluster.size()).expect("nodes are few");
        NodeId(u16::try_from(view % size).expect("nodes are few"))
    }

    fn leads(&self) -> bool {
        self.leader(self.view) == self.me
    }

    fn is_primary(&self) -> bool {
        self.leads() && self.normal == self.view
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.others(self.me)
    }

    /// What a node of an earlier view has to hear, if this node leads.
    fn news(&self) -> Option<Message> {
        match (self.leads(), self.is_primary()) {
            (_, true) => Some(Message::Prepare(self.view, self.log.clone())),
            (true, false) => Some(Message::Invite(self.view)),
            (false, _) => None,
        }
    }

    fn tell_all(&self, effects: &mut Effects<ViewChange>) {
        if let Some(news) = self.news() {
            effects.broadcast(self.others(), &news);
        }
    }

    /// Enters a view. The outcome of what waited here is unknown.
    fn enter(&mut self, view: u32, effects: &mut Effects<ViewChange>) {
        if self.is_primary() {
            for (operation, _) in &self.log[self.committed..] {
                effects.reply(*operation, Completion::Info);
            }
        }
        self.view = view;
        self.committed = 0;
        self.acknowledged.fill(0);
        self.joined.clear();
    }

    /// Answers an entry of the log from what is before it.
    fn answer(&self, at: usize, effects: &mut Effects<ViewChange>) {
        let (operation, call) = &self.log[at];
        if call.is_write() {
            effects.ok(*operation, Value::Null);
        } else {
            read((*operation, call), &self.log[..at], effects);
        }
    }

    /// Commits and answers the first `until` entries.
    fn commit(&mut self, until: usize, effects: &mut Effects<ViewChange>) {
        while self.committed < until {
            let (operation, call) = &self.log[self.committed];
            if call.is_write() {
                let stamp = Stamp { counter: self.committed as u64, tie: self.normal };
                effects.visible(*operation, stamp);
            }
            self.answer(self.committed, effects);
            self.committed += 1;
        }
    }
}

/// Answers a read from a log.
fn read(
    (operation, call): (OperationId, &Call),
    log: &[(OperationId, Call)],
    effects: &mut Effects<ViewChange>,
) {
    let writes = || log.iter().filter(|(_, other)| other.is_write());
    let last = writes().rfind(|(_, other)| other.key == call.key);
    let value = last.map_or(Value::Null, |(_, other)| other.argument.clone());
    let seen = writes().map(|(write, _)| *write).collect();
    effects.reply(operation, Completion::Ok(value)).seeing(Visible::These(seen));
}

impl ViewChange {
    fn request(
        &self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        effects: &mut Effects<Self>,
    ) {
        let known = replica.log.iter().position(|(known, _)| *known == operation);
        if call.is_read() && self.reads == Reads::Local {
            return read((operation, &call), &replica.log[..replica.committed], effects);
        }
        match known.filter(|_| self.retries == Retries::Recognised) {
            Some(at) if at < replica.committed => replica.answer(at, effects),
            Some(_) => {}
            None => {
                replica.log.push((operation, call));
                replica.tell_all(effects);
            }
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
            Message::Forward(operation, call) if replica.is_primary() => {
                self.request(replica, (operation, call), effects);
            }
            Message::Forward(operation, _) => {
                effects.reply(operation, Completion::Info);
            }
            Message::Prepare(view, log) => self.prepare(replica, (view, from), log, effects),
            Message::Acknowledge(view, length) if view == replica.view && replica.is_primary() => {
                let length = match self.counts {
                    Counts::Positions => length.min(replica.log.len()),
                    Counts::Latest => replica.log.len(),
                };
                let known = &mut replica.acknowledged[from.index()];
                *known = length.max(*known);
                let mut lengths = replica.acknowledged.clone();
                lengths[replica.me.index()] = replica.log.len();
                lengths.sort_unstable_by(|one, other| other.cmp(one));
                replica.commit(lengths[replica.cluster.majority() - 1], effects);
            }
            Message::Acknowledge(..) => {}
            Message::Invite(view) if view > replica.view => {
                let join = Message::Join(view, replica.normal, replica.log.clone());
                if self.fencing == Fencing::Views {
                    replica.enter(view, effects);
                }
                effects.send(from, join);
            }
            Message::Join(view, normal, log) if view == replica.view && !replica.is_primary() => {
                replica.joined.insert(from, (normal, log));
                self.take_over(replica, effects);
            }
            Message::Invite(_) | Message::Join(..) => {}
            Message::Fetch => {
                if let Some(news) = replica.news() {
                    effects.send(from, news);
                }
            }
        }
    }

    fn prepare(
        &self,
        replica: &mut Replica,
        (view, from): (u32, NodeId),
        log: Log,
        effects: &mut Effects<Self>,
    ) {
        let fenced = self.fencing == Fencing::Views;
        if fenced && view < replica.view {
            return;
        }
        if !fenced && replica.is_primary() {
            return;
        }
        if view > replica.view {
            replica.enter(view, effects);
        }
        let longer = log.len() > replica.log.len();
        let newer = view != replica.normal && self.compares == Compares::Views;
        replica.normal = view;
        if longer || newer {
            replica.log = log;
        }
        if !replica.log.is_empty() {
            effects.send(from, Message::Acknowledge(view, replica.log.len()));
        }
    }

    /// Becomes the primary, if a majority has joined.
    fn take_over(&self, replica: &mut Replica, effects: &mut Effects<Self>) {
        if replica.joined.len() + 1 < replica.cluster.majority() {
            return;
        }
        let own = (replica.normal, std::mem::take(&mut replica.log));
        let logs = std::mem::take(&mut replica.joined).into_values().chain([own]);
        let best = logs.max_by_key(|(normal, log)| match self.compares {
            Compares::Views => (*normal, log.len()),
            Compares::Lengths => (0, log.len()),
        });
        replica.log = best.expect("there is at least its own").1;
        replica.normal = replica.view;
        replica.tell_all(effects);
    }
}

impl Strategy for ViewChange {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            view: 0,
            normal: 0,
            log: Vec::new(),
            committed: 0,
            acknowledged: vec![0; cluster.size()],
            joined: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if replica.is_primary() => {
                self.request(replica, (operation, call), effects);
            }
            Input::Request { operation, call, .. }
                if call.is_read() && self.acknowledges == Acknowledges::Applied =>
            {
                read((operation, &call), &replica.log, effects);
            }
            Input::Request { operation, call, .. } => {
                let leader = replica.leader(replica.view);
                effects.send(leader, Message::Forward(operation, call));
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Command(_) if !replica.leads() => {
                let mut view = replica.view + 1;
                while replica.leader(view) != replica.me {
                    view += 1;
                }
                replica.enter(view, effects);
                replica.tell_all(effects);
            }
            Input::Recovered => {
                for (at, (operation, _)) in replica.log.iter().take(replica.committed).enumerate() {
                    let stamp = Stamp { counter: at as u64, tie: replica.normal };
                    effects.visible(*operation, stamp);
                }
                replica.tell_all(effects);
                effects.broadcast(replica.others(), &Message::Fetch);
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        match self.acknowledges {
            Acknowledges::Flushed | Acknowledges::Applied => replica.clone(),
            Acknowledges::Received => self.boot(replica.me, &replica.cluster),
        }
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        vec!["take over".to_owned()]
    }

    fn invariants(&self) -> Vec<Invariant<Replica>> {
        let agree = |nodes: &[&Replica]| {
            let logs =
                |one: &Replica| nodes.iter().all(|it| it.normal != one.normal || it.log == one.log);
            nodes.iter().all(|one| logs(one))
        };
        vec![Invariant::at_quiescence("one-log-a-view", agree)]
    }

    fn label(&self, message: &Message) -> String {
        let told = |log: &Log| log.iter().map(|(_, call)| format!(" {call}")).collect::<String>();
        match message {
            Message::Forward(operation, call) => format!("{operation} asks {call}"),
            Message::Prepare(view, log) => format!("log of view {view}:{}", told(log)),
            Message::Acknowledge(view, length) => format!("has {length} of view {view}"),
            Message::Invite(view) => format!("join view {view}"),
            Message::Join(view, normal, log) => {
                format!("joins view {view} with the log of view {normal}:{}", told(log))
            }
            Message::Fetch => "fetch".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let log: Vec<_> = replica
            .log
            .iter()
            .map(|(_, call)| match call.is_write() {
                true => format!("{}={}", call.key, shown(&call.argument)),
                false => format!("read {}", call.key),
            })
            .collect();
        let field = |name: &str, text: String| Part::Field(name.to_owned(), text);
        Some(vec![
            field("view", replica.view.to_string()),
            field("log", format!("[{}]", log.join(", "))),
            field("committed", replica.committed.to_string()),
        ])
    }
}
