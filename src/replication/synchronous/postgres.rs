//! Physical replication of PostgreSQL: the levels of `synchronous_commit`.
//!
//! The primary (`n1` at first) appends a write to its write-ahead log, flushes it,
//! and sends what it has flushed. A standby writes it, flushes it, and replays it.
//! The level says what a client waits for: nothing (`off`), the flush of the primary
//! (`local`), or that enough standbys have written (`remote-write`), flushed (`on`)
//! or replayed (`remote-apply`) it. Until then nobody sees the write at the primary;
//! a standby shows it as soon as it has replayed it.
//!
//! A wait can end early. After a crash the primary replays all of its log, with what
//! it waited for. If the client cancels, PostgreSQL commits at the primary all the
//! same (`cancelled=commits`); with `cancelled=waits` the write stays hidden until
//! enough standbys have it.
//!
//! An operator promotes a standby: it begins a new timeline, and whoever hears of it
//! rewinds to it and follows.
//!
//! Source: the PostgreSQL manual, sections 20.5 and 26.2. Deviations: the whole log
//! is sent each time, and what is known of it is skipped; a standby that has lost its
//! place is rewound at once; a wait that is cancelled shows what came before it, too; a
//! write that is cancelled before it is flushed waits on;
//! writes at standbys are refused; the first standby of `FIRST 1` counts as connected,
//! always.

use crate::history::{Call, Completion, NodeId, Value};
use crate::replication::lineage::{Lineage, Write, told};
use crate::replication::{Cluster, Effects, ImageId, Input, OperationId, Part, Strategy};

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// That the primary has flushed the write.
    Local,
    /// That standbys have written it.
    RemoteWrite,
    /// That standbys have flushed it.
    On,
    /// That standbys show it.
    RemoteApply,
}

/// How many standbys a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standbys {
    /// `ANY 1`.
    One,
    /// `FIRST 1`: the first node but the primary.
    First,
    /// All of them.
    All,
}

/// What becomes of a write whose client no longer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It waits on, unseen.
    Waits,
    /// It is committed at the primary.
    Commits,
}

/// Physical replication.
#[derive(Clone, Copy, Debug)]
pub struct Postgres {
    /// What a client waits for.
    pub level: Level,
    /// For how many standbys.
    pub standbys: Standbys,
    /// What becomes of a write whose client no longer waits.
    pub cancelled: Cancelled,
}

/// The primary or a standby.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    timeline: u32,
    primary: NodeId,
    log: Lineage,
    /// How many records are on disk.
    flushed: usize,
    /// At the primary: how many each standby has reported.
    reported: Vec<usize>,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// What the primary of this timeline has flushed.
    Log(u32, Vec<Write>),
    /// To that primary: how far the sender is, as the level asks.
    Report(u32, usize),
    /// A standby was down and asks for the log.
    Fetch,
    /// To itself: replay what has been flushed.
    Replay,
}

impl Replica {
    fn is_primary(&self) -> bool {
        self.primary == self.me
    }

    fn log_message(&self) -> Message {
        Message::Log(self.timeline, self.log.until(self.flushed).to_vec())
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        self.cluster.others(self.me)
    }

    /// Sends the log to disk. The image is known by its timeline and its length.
    fn flush(&self, effects: &mut Effects<Postgres>) {
        let length = u32::try_from(self.log.len()).expect("a log is short");
        effects.persist(ImageId(self.timeline << 16 | length));
    }

    /// Rewinds to a later timeline, and follows its primary.
    fn follow(
        &mut self,
        (timeline, primary): (u32, NodeId),
        log: Vec<Write>,
        effects: &mut Effects<Postgres>,
    ) {
        if self.is_primary() {
            self.log.give_up(effects);
        }
        (self.timeline, self.primary, self.flushed) = (timeline, primary, 0);
        self.log.replace(log);
        self.log.show_all(effects);
    }
}

impl Postgres {
    fn request(
        &self,
        replica: &mut Replica,
        operation: OperationId,
        call: Call,
        effects: &mut Effects<Self>,
    ) {
        if call.is_read() {
            replica.log.read(operation, &call.key, effects);
        } else if !replica.is_primary() {
            effects.reply(operation, Completion::Fail);
        } else if let Some(at) = replica.log.position(operation) {
            if at < replica.log.answered() {
                effects.ok(operation, Value::Null);
            }
        } else {
            replica.log.take(replica.timeline, operation, call);
            if self.level == Level::Off {
                replica.log.commit(replica.log.len(), effects);
            }
            replica.flush(effects);
        }
    }

    /// How far a standby is, as the level asks.
    fn place(&self, replica: &Replica) -> Option<usize> {
        match self.level {
            Level::Off | Level::Local => None,
            Level::RemoteWrite => Some(replica.log.len()),
            Level::On => Some(replica.flushed),
            Level::RemoteApply => Some(replica.log.shown().min(replica.flushed)),
        }
    }

    /// Tells the primary how far a standby is, if it has all that it was sent.
    fn report(&self, replica: &Replica, effects: &mut Effects<Self>) {
        if self.place(replica) == Some(replica.log.len()) {
            let report = Message::Report(replica.timeline, replica.log.len());
            effects.send(replica.primary, report);
        }
    }

    fn flushed(&self, replica: &mut Replica, image: ImageId, effects: &mut Effects<Self>) {
        if image.0 >> 16 != replica.timeline {
            return;
        }
        let length = usize::try_from(image.0 & 0xffff).expect("a log is short");
        replica.flushed = replica.flushed.max(length);
        if !replica.is_primary() {
            if replica.log.shown() < replica.flushed {
                effects.send(replica.me, Message::Replay);
            }
            if self.level != Level::RemoteWrite {
                self.report(replica, effects);
            }
            return;
        }
        effects.broadcast(replica.others(), &replica.log_message());
        if self.level == Level::Local || replica.cluster.size() == 1 {
            replica.log.commit(replica.flushed, effects);
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
            Message::Log(timeline, _) if timeline < replica.timeline => {
                if replica.is_primary() {
                    effects.send(from, replica.log_message());
                }
            }
            Message::Log(timeline, log) => {
                if timeline > replica.timeline {
                    replica.follow((timeline, from), log, effects);
                    replica.flush(effects);
                } else if log.len() > replica.log.len() {
                    replica.log.lengthen(log);
                    replica.flush(effects);
                }
                self.report(replica, effects);
            }
            Message::Report(timeline, length) => {
                if timeline == replica.timeline && replica.is_primary() {
                    let known = &mut replica.reported[from.index()];
                    *known = length.max(*known);
                    let by_enough = match self.standbys {
                        Standbys::One => replica.reported.iter().max(),
                        Standbys::First => {
                            replica.others().next().map(|it| &replica.reported[it.index()])
                        }
                        Standbys::All => {
                            replica.others().map(|it| &replica.reported[it.index()]).min()
                        }
                    };
                    let by_enough = by_enough.copied().unwrap_or(0);
                    replica.log.commit(by_enough, effects);
                }
            }
            Message::Fetch if replica.is_primary() => effects.send(from, replica.log_message()),
            Message::Fetch => {}
            Message::Replay => {
                replica.log.show_until(replica.flushed, effects);
                if self.level == Level::RemoteApply {
                    self.report(replica, effects);
                }
            }
        }
    }
}

impl Strategy for Postgres {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            timeline: 0,
            primary: NodeId(0),
            log: Lineage::default(),
            flushed: 0,
            reported: vec![0; cluster.size()],
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                self.request(replica, operation, call, effects);
            }
            Input::Receive { from, message, .. } => self.receive(replica, from, message, effects),
            Input::Persisted(image) => self.flushed(replica, image, effects),
            Input::Cancelled(operation) if self.cancelled == Cancelled::Commits => {
                let at = replica.log.position(operation);
                if let Some(at) = at.filter(|at| replica.is_primary() && *at < replica.flushed) {
                    replica.log.show_until(at + 1, effects);
                }
            }
            Input::Command(_) if !replica.is_primary() => {
                (replica.timeline, replica.primary) = (replica.timeline + 1, replica.me);
                replica.log.show_all(effects);
                replica.log.owe_nothing();
                replica.reported.fill(0);
                replica.flush(effects);
            }
            Input::Recovered => {
                replica.log.hide();
                replica.log.show_all(effects);
                let message = match replica.is_primary() {
                    true => replica.log_message(),
                    false => Message::Fetch,
                };
                effects.broadcast(replica.others(), &message);
            }
            _ => {}
        }
    }

    /// Recovery replays all of the log.
    fn durable(&self, replica: &Replica) -> Replica {
        let mut image = Replica { flushed: replica.log.len(), ..replica.clone() };
        image.log.show_all(&mut Effects::<Self>::new());
        image
    }

    fn writes_disk(&self) -> bool {
        true
    }

    fn commands(&self, _: &Cluster) -> Vec<String> {
        vec!["promote".to_owned()]
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Log(timeline, log) if log.is_empty() => format!("log of timeline {timeline}:"),
            Message::Log(timeline, log) => format!("log of timeline {timeline}: {}", told(log)),
            Message::Report(timeline, length) => format!("has {length} of timeline {timeline}"),
            Message::Fetch => "fetch".to_owned(),
            Message::Replay => "replay".to_owned(),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let field = |name: &str, text: String| Part::Field(name.to_owned(), text);
        Some(vec![
            field("timeline", replica.timeline.to_string()),
            field("primary", replica.primary.to_string()),
            replica.log.part(),
            field("flushed", replica.flushed.to_string()),
            field("applied", replica.log.shown().to_string()),
        ])
    }
}
