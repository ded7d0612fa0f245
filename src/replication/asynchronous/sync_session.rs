//! Peers that remember, for each connection, what they have sent and been told.
//!
//! Every node holds a set of changes; of the changes of a key the one with the largest
//! stamp is answered. With each peer a node has a *session*: which changes the peer has
//! said that it has, and which were sent to it. What the peer lacks is sent once. A message
//! carries changes, and the names of all changes that its sender has.
//!
//! A connection delivers in order and loses nothing while it lasts. It ends when a node
//! crashes: then what was on its way to that node is lost. A node that is back connects
//! again and says what it has. With `sessions=reset` both sides begin a new session then;
//! with `sessions=kept` the side that did not crash goes on with the old one, and does not
//! send again what it believes to have sent. With `answers=difference` a peer that has
//! something else is told so, and not only sent what it lacks.
//!
//! Changes are durable, sessions are not.
//!
//! Source: the sync protocol of Automerge, with automerge-repo pulls 206 and 368.
//! Deviations: all names are sent, not heads and a filter of what is below them; nothing is
//! written to disk with a session.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// What becomes of a session when its peer connects again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// A new one begins.
    Reset,
    /// Bug: it goes on.
    Kept,
}

/// When a message is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// If the peer lacks something that was not sent yet.
    News,
    /// If the peer has more or less than this node.
    Difference,
}

/// Peers with sessions.
#[derive(Clone, Copy, Debug)]
pub struct SyncSession {
    /// What becomes of a session when its peer connects again.
    pub sessions: Sessions,
    /// When a message is answered.
    pub answers: Answers,
}

/// A write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    stamp: Stamp,
    key: Key,
    value: Value,
}

/// Writes by name.
pub type Changes = BTreeMap<OperationId, Change>;

/// What a node knows of a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// What the peer has said that it has.
    has: BTreeSet<OperationId>,
    /// What was sent to it.
    sent: BTreeSet<OperationId>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    changes: Changes,
    sessions: BTreeMap<NodeId, Session>,
}

/// What peers say to each other: all that the sender has, by name, and:
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// It has connected again.
    Hello(BTreeSet<OperationId>),
    /// These are for the receiver.
    Sync(BTreeSet<OperationId>, Changes),
}

impl Replica {
    fn has(&self) -> BTreeSet<OperationId> {
        self.changes.keys().copied().collect()
    }

    fn add(&mut self, name: OperationId, change: Change, effects: &mut Effects<SyncSession>) {
        effects.visible(name, change.stamp);
        self.changes.insert(name, change);
    }

    /// Sends a peer what it lacks and was not sent yet; nothing of that, if it `must`.
    fn send(&mut self, peer: NodeId, must: bool, effects: &mut Effects<SyncSession>) {
        let session = self.sessions.entry(peer).or_default();
        let known = |name: &OperationId| session.has.contains(name) || session.sent.contains(name);
        let news = self.changes.iter().filter(|(name, _)| !known(name));
        let news: Changes = news.map(|(name, change)| (*name, change.clone())).collect();
        if must || !news.is_empty() {
            session.sent.extend(news.keys());
            effects.send(peer, Message::Sync(self.has(), news));
        }
    }

    fn last(&self, key: &Key) -> Option<&Change> {
        let of = self.changes.values().filter(|change| change.key == *key);
        of.max_by_key(|change| change.stamp)
    }
}

impl SyncSession {
    fn receive(
        self,
        replica: &mut Replica,
        (from, message): (NodeId, Message),
        effects: &mut Effects<Self>,
    ) {
        let session = replica.sessions.entry(from).or_default();
        match message {
            Message::Hello(has) => {
                if self.sessions == Sessions::Reset {
                    *session = Session::default();
                }
                session.has = has;
                replica.send(from, true, effects);
            }
            Message::Sync(has, changes) => {
                session.has.extend(&has);
                for (name, change) in changes {
                    if !replica.changes.contains_key(&name) {
                        replica.add(name, change, effects);
                    }
                }
                let differs = self.answers == Answers::Difference && has != replica.has();
                replica.send(from, differs, effects);
                for peer in replica.cluster.others(replica.me).filter(|peer| *peer != from) {
                    replica.send(peer, false, effects);
                }
            }
        }
    }
}

impl Strategy for SyncSession {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        let (changes, sessions) = (BTreeMap::new(), BTreeMap::new());
        Replica { me: node, cluster: *cluster, changes, sessions }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_write() => {
                let counters = replica.changes.values().map(|change| change.stamp.counter);
                let counter = counters.max().unwrap_or(0) + 1;
                let stamp = Stamp { counter, tie: u32::from(replica.me.0) };
                let change = Change { stamp, key: call.key, value: call.argument };
                replica.add(operation, change, effects);
                for peer in replica.cluster.others(replica.me) {
                    replica.send(peer, false, effects);
                }
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, call, .. } => {
                let last = replica.last(&call.key);
                let value = last.map(|change| change.value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { from, message, .. } => {
                self.receive(replica, (from, message), effects);
            }
            Input::Recovered => {
                for (name, change) in &replica.changes {
                    effects.visible(*name, change.stamp);
                }
                let hello = Message::Hello(replica.has());
                effects.broadcast(replica.cluster.others(replica.me), &hello);
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { sessions: BTreeMap::new(), ..replica.clone() }
    }

    fn label(&self, message: &Message) -> String {
        let named = |has: &BTreeSet<OperationId>| match has.is_empty() {
            true => "nothing".to_owned(),
            false => has.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        };
        match message {
            Message::Hello(has) => format!("hello, has {}", named(has)),
            Message::Sync(has, changes) => {
                let one = |change: &Change| format!("{}={}", change.key, change.value);
                let changes: Vec<_> = changes.values().map(one).collect();
                format!("sync [{}], has {}", changes.join(", "), named(has))
            }
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let keys: BTreeSet<&Key> = replica.changes.values().map(|change| &change.key).collect();
        let last = |key: &Key| replica.last(key).map(|change| shown(&change.value));
        let mut parts: Vec<_> =
            keys.into_iter().filter_map(|key| Some(Part::Key(key.clone(), last(key)?))).collect();
        for (peer, session) in &replica.sessions {
            let sent: Vec<_> = session.sent.iter().map(ToString::to_string).collect();
            parts.push(Part::Field(format!("sent to {peer}"), sent.join(" ")));
        }
        Some(parts)
    }
}
