//! Objects on a primary that are changed, not overwritten: counters, sets, and registers
//! with compare-and-set. An update is answered when every backup has it.
//!
//! The primary (`n1`) puts updates into a log and sends them to all backups. When all
//! have acknowledged one, it is applied and answered. Other nodes forward what they are
//! asked. The primary alone answers reads, so the objects are linearizable.
//!
//! A client that does not get an answer sends its request again. With
//! `retries=recognised` the primary answers an update that it knows without applying it
//! again. With `retries=applied` it is applied twice: harmless for a write, and wrong for
//! an add or a compare-and-set.
//!
//! Logs are durable. Links are FIFO, and nothing is sent again.
//!
//! Source: Alsberg & Day 1976; recognised retries: Birrell & Nelson 1984.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Objects on a primary.
#[derive(Clone, Copy, Debug)]
pub struct PrimaryObject {
    /// What is replicated.
    pub object: Object,
    /// What is done with an update that was asked before.
    pub retries: Retries,
}

/// What is replicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A counter.
    Counter,
    /// A counter that answers what it holds after an add.
    AnsweringCounter,
    /// A set that answers whether an element was absent that was added.
    Set,
    /// A register with compare-and-set.
    CasRegister,
}

/// What is done with an update that was asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// It is answered, and not applied again.
    Recognised,
    /// Bug: it is applied again.
    Applied,
}

const PRIMARY: NodeId = NodeId(0);

/// The primary or a backup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    me: NodeId,
    cluster: Cluster,
    log: Vec<(OperationId, Call)>,
    /// At the primary: how many entries each node has.
    acknowledged: Vec<usize>,
    /// At the primary: the answers to the updates that were applied, in order.
    applied: Vec<Value>,
    objects: BTreeMap<Key, Value>,
}

/// What nodes send each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To the primary: a client asks.
    Forward(OperationId, Call),
    /// To a backup: the next entry of the log.
    Append(OperationId, Call),
    /// To the primary: how many entries the sender has.
    Acknowledge(usize),
}

impl PrimaryObject {
    /// What an object holds after an update, and what is answered.
    fn changed(self, held: Option<&Value>, call: &Call) -> (Value, Value) {
        let held = held.cloned().unwrap_or_else(|| self.initial());
        match (self.object, &held, &call.argument) {
            (Object::Counter | Object::AnsweringCounter, Value::Int(sum), Value::Int(by)) => {
                let sum = Value::Int(sum.saturating_add(*by));
                let told = call.f.as_str() == "add-and-get";
                (sum.clone(), if told { sum } else { Value::Null })
            }
            (Object::Set, Value::List(elements), element) => {
                let mut elements: BTreeSet<Value> = elements.iter().cloned().collect();
                let told = match call.f.as_str() {
                    "remove" => {
                        elements.remove(element);
                        Value::Null
                    }
                    _ => Value::from(i64::from(elements.insert(element.clone()))),
                };
                (elements.into_iter().collect::<Vec<_>>().into(), told)
            }
            (_, _, Value::List(pair)) if call.f.as_str() == "cas" && pair.len() == 2 => {
                match held == pair[0] {
                    true => (pair[1].clone(), Value::Null),
                    false => (held, Value::from("mismatch")),
                }
            }
            (_, _, argument) => (argument.clone(), Value::Null),
        }
    }

    fn initial(self) -> Value {
        match self.object {
            Object::Counter | Object::AnsweringCounter => Value::Int(0),
            Object::Set => Vec::new().into(),
            Object::CasRegister => Value::Null,
        }
    }

    fn asked(
        self,
        replica: &mut Replica,
        (operation, call): (OperationId, Call),
        effects: &mut Effects<Self>,
    ) {
        if replica.me != PRIMARY {
            return effects.send(PRIMARY, Message::Forward(operation, call));
        }
        if call.is_read() {
            let held = replica.objects.get(&call.key).cloned();
            let value = held.unwrap_or_else(|| self.initial());
            effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            return;
        }
        let known = replica.log.iter().position(|(known, _)| *known == operation);
        if let (Some(at), Retries::Recognised) = (known, self.retries) {
            if let Some(answer) = replica.applied.get(at) {
                effects.ok(operation, answer.clone());
            }
            return;
        }
        let message = Message::Append(operation, call.clone());
        effects.broadcast(replica.cluster.others(replica.me), &message);
        replica.log.push((operation, call));
        self.apply(replica, effects);
    }

    /// Applies the updates that all backups have.
    fn apply(self, replica: &mut Replica, effects: &mut Effects<Self>) {
        let backups = replica.acknowledged.iter().skip(1).copied();
        let by_all = backups.min().unwrap_or(replica.log.len());
        while replica.applied.len() < by_all {
            let at = replica.applied.len();
            let (operation, call) = replica.log[at].clone();
            let (held, answer) = self.changed(replica.objects.get(&call.key), &call);
            replica.objects.insert(call.key, held);
            replica.applied.push(answer.clone());
            effects.visible(operation, Stamp { counter: at as u64 + 1, tie: 0 });
            effects.reply(operation, Completion::Ok(answer)).seeing(Visible::Here);
        }
    }
}

impl Strategy for PrimaryObject {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica {
        Replica {
            me: node,
            cluster: *cluster,
            log: Vec::new(),
            acknowledged: vec![0; cluster.size()],
            applied: Vec::new(),
            objects: BTreeMap::new(),
        }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } => {
                self.asked(replica, (operation, call), effects);
            }
            Input::Receive { message: Message::Forward(operation, call), .. } => {
                self.asked(replica, (operation, call), effects);
            }
            Input::Receive { from, message: Message::Append(operation, call), .. } => {
                replica.log.push((operation, call));
                effects.send(from, Message::Acknowledge(replica.log.len()));
            }
            Input::Receive { from, message: Message::Acknowledge(entries), .. } => {
                let known = &mut replica.acknowledged[from.index()];
                *known = entries.max(*known);
                self.apply(replica, effects);
            }
            Input::Recovered => {
                for (at, (operation, _)) in
                    replica.log.iter().take(replica.applied.len()).enumerate()
                {
                    effects.visible(*operation, Stamp { counter: at as u64 + 1, tie: 0 });
                }
            }
            _ => {}
        }
    }

    fn datatype(&self) -> &'static str {
        match self.object {
            Object::Counter => "counter",
            Object::AnsweringCounter => "answering-counter",
            Object::Set => "set",
            Object::CasRegister => "cas-register",
        }
    }

    fn serves(&self, _: &Call, node: NodeId, _: &Cluster) -> bool {
        node == PRIMARY
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Forward(operation, call) => format!("{operation} asks {call}"),
            Message::Append(operation, call) => format!("append {operation} {call}"),
            Message::Acknowledge(entries) => format!("has {entries}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = vec![Part::Field("log".to_owned(), replica.log.len().to_string())];
        for (key, held) in &replica.objects {
            parts.push(Part::Key(key.clone(), shown(held)));
        }
        Some(parts)
    }
}
