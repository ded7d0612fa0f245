//! Causal consistency by dependencies: a write tells which versions it depends on.
//!
//! Each node is a whole data centre. A session carries a *context*: the versions that it
//! has read, and its last write. A write takes the context along as its dependencies, is
//! applied and answered where it is asked, and is sent to the other nodes. A node applies
//! it when it has applied all its dependencies. Of two versions of a key the one with the
//! larger stamp wins. After a write the context is that write alone, since it depends on
//! all the rest; so dependencies stay few and are still complete.
//!
//! A session that goes to another node waits there until what it depends on has arrived.
//!
//! Replicas are durable.
//!
//! Source: Lloyd, Freedman, Kaminsky & Andersen 2011 (COPS). Deviations: there, sessions
//! stay at one data centre; a dependency is met by that version itself, not by a newer one;
//! contexts are not collected; nothing is sent again.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Causal consistency by dependencies.
#[derive(Clone, Copy, Debug)]
pub struct Cops {
    /// Which dependencies a write takes along.
    pub dependencies: Dependencies,
    /// What a node does for a session that depends on what has not arrived.
    pub sessions: Sessions,
}

/// Which dependencies a write takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// The last write of the session, and what was read since.
    Nearest,
    /// All that the session has read and written.
    All,
    /// Bug: none.
    None,
}

/// What a node does for a session that depends on what has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// It waits for it.
    Wait,
    /// Bug: it serves the session at once.
    AreServed,
}

/// The versions that a session or a write depends on. A newer version of a key does not stand
/// for an older one: it need not depend on what that one depends on.
type Context = BTreeSet<(Key, Stamp)>;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    registers: BTreeMap<Key, (Stamp, Value)>,
    /// All versions that were applied, overwritten ones too.
    applied: BTreeSet<(Key, Stamp)>,
    /// Versions that wait for their dependencies.
    waiting: BTreeSet<Message>,
    /// Requests that wait for what their sessions depend on.
    asked: BTreeMap<OperationId, (Call, Context)>,
}

/// A version on its way, with what it depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    key: Key,
    stamp: Stamp,
    value: Value,
    dependencies: Context,
}

impl Replica {
    fn has_all(&self, context: &Context) -> bool {
        context.is_subset(&self.applied)
    }

    fn apply(&mut self, message: Message, effects: &mut Effects<Cops>) {
        let Message { key, stamp, value, .. } = message;
        effects.visible(OperationId::from_tie(stamp.tie), stamp);
        self.applied.insert((key.clone(), stamp));
        if self.registers.get(&key).is_none_or(|(held, _)| *held < stamp) {
            self.registers.insert(key, (stamp, value));
        }
    }

    /// A counter above all that is here and all that the session depends on.
    fn next_counter(&self, context: &Context) -> u64 {
        let here = self.registers.values().map(|(stamp, _)| stamp.counter);
        let known = context.iter().map(|(_, stamp)| stamp.counter);
        here.chain(known).max().unwrap_or(0) + 1
    }
}

impl Cops {
    fn ask(
        self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        mut context: Context,
        effects: &mut Effects<Self>,
    ) {
        if call.is_read() {
            let held = replica.registers.get(&call.key).cloned();
            let (stamp, value) = held.unwrap_or_default();
            if stamp != Stamp::default() {
                context.insert((call.key, stamp));
            }
            let reply = effects.reply(operation, Completion::Ok(value));
            reply.seeing(Visible::Here).with_token(context);
            return;
        }
        let counter = replica.next_counter(&context);
        let stamp = Stamp { counter, tie: operation.as_tie() };
        let dependencies = match self.dependencies {
            Dependencies::Nearest | Dependencies::All => context.clone(),
            Dependencies::None => Context::new(),
        };
        let (key, value) = (call.key.clone(), call.argument);
        let message = Message { key, stamp, value, dependencies };
        effects.broadcast(replica.cluster.others(replica.me), &message);
        replica.apply(message, effects);
        if self.dependencies != Dependencies::All {
            context.clear();
        }
        context.insert((call.key, stamp));
        effects.reply(operation, Completion::Ok(Value::Null)).with_token(context);
    }

    /// Applies and answers all that no longer has to wait.
    fn go_on(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let due = |replica: &Replica| {
            let mut waiting = replica.waiting.iter();
            waiting.find(|one| replica.has_all(&one.dependencies)).cloned()
        };
        while let Some(message) = due(replica) {
            replica.waiting.remove(&message);
            replica.apply(message, effects);
        }
        let due = |replica: &Replica| {
            let mut asked = replica.asked.iter();
            asked.find(|(_, (_, context))| replica.has_all(context)).map(|(id, _)| *id)
        };
        while let Some(operation) = due(replica) {
            let (call, context) = replica.asked.remove(&operation).expect("it was asked");
            self.ask(replica, (operation, call), context, effects);
        }
    }
}

impl Strategy for Cops {
    type Replica = Replica;
    type Message = Message;
    type Token = Context;

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            registers: BTreeMap::new(),
            applied: BTreeSet::new(),
            waiting: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, token, .. } => {
                if self.sessions == Sessions::Wait && !replica.has_all(&token) {
                    replica.asked.insert(operation, (call, token));
                } else {
                    self.ask(replica, (operation, call), token, effects);
                }
            }
            Input::Receive { message, .. } => {
                replica.waiting.insert(message);
                self.go_on(replica, effects);
            }
            Input::Recovered => {
                for (_, stamp) in &replica.applied {
                    effects.visible(OperationId::from_tie(stamp.tie), *stamp);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica) -> Replica {
        Replica { asked: BTreeMap::new(), ..replica.clone() }
    }

    fn label(&self, message: &Message) -> String {
        let Message { key, stamp, value, dependencies } = message;
        let after: Vec<_> =
            dependencies.iter().map(|(key, stamp)| format!("{key} at {stamp}")).collect();
        let after =
            if after.is_empty() { String::new() } else { format!(" after {}", after.join(", ")) };
        format!("store {key}={value} at {stamp}{after}")
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let waiting: Vec<_> = replica.waiting.iter().map(|one| self.label(one)).collect();
        let asked: Vec<_> = replica.asked.keys().map(ToString::to_string).collect();
        let mut parts = Vec::new();
        for (key, (stamp, value)) in &replica.registers {
            parts.push(Part::Key(key.clone(), shown(value)));
            parts.push(Part::Field(format!("{key} written at"), stamp.to_string()));
        }
        parts.push(Part::Field("waiting".to_owned(), waiting.join(", ")));
        parts.push(Part::Field("asked".to_owned(), asked.join(", ")));
        Some(parts)
    }
}
