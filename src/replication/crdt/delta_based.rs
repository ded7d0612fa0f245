//! Delta-based replication: nodes send what their updates add to their states, not
//! whole states.
//!
//! With `intervals=basic` a node sends each delta once, when it is made. Deltas may
//! arrive in any order and any number of times, and none may be lost.
//!
//! With `intervals=causal` a node numbers its deltas, those that it has received from
//! others included, and sends each other node the join of all that this node has not
//! acknowledged; without deltas, after a crash, its whole state. So nobody ever receives
//! a delta before those that it depends on, and what is lost is sent again by a timer
//! that runs while an acknowledgement is missing.
//!
//! States and the number of the next delta are durable; deltas and acknowledgements are
//! not.
//!
//! Source: Almeida, Shoker and Baquero, *Delta State Replicated Data Types*, 2018,
//! algorithms 1 and 2.
//! Deviation: intervals are sent to all nodes at once, not to one that is drawn.

use std::collections::BTreeMap;

use crate::history::{NodeId, Value};
use crate::replication::{Cluster, Effects, Input, Part, Strategy, TimerId};

use super::{Lattice, Objects};

/// Delta-based replication of a type.
#[derive(Clone, Copy, Debug)]
pub struct DeltaBased<L> {
    /// The type.
    pub lattice: L,
    /// Which deltas are sent, and when.
    pub intervals: Intervals,
}

/// Which deltas are sent, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervals {
    /// Each once.
    Basic,
    /// All that were not acknowledged.
    Causal,
    /// Bug: all that were not sent.
    Assumed,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica<S> {
    me: NodeId,
    cluster: Cluster,
    objects: Objects<S>,
    next: u64,
    deltas: BTreeMap<u64, Objects<S>>,
    /// For each other node: the deltas before this one are known there.
    known: BTreeMap<NodeId, u64>,
}

/// What nodes send each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message<S> {
    /// Join this: all deltas before this number that the receiver may not know.
    Join(Objects<S>, u64),
    /// All deltas before this number have arrived.
    Arrived(u64),
}

const RESEND: TimerId = TimerId(0);

impl<L: Lattice> DeltaBased<L> {
    /// Keeps a delta, and sends what others may not know.
    fn spread(
        &self,
        replica: &mut Replica<L::State>,
        delta: Objects<L::State>,
        effects: &mut Effects<Self>,
    ) {
        if self.intervals == Intervals::Basic {
            let message = Message::Join(delta, 0);
            return effects.broadcast(replica.cluster.others(replica.me), &message);
        }
        replica.deltas.insert(replica.next, delta);
        replica.next += 1;
        self.send_intervals(replica, effects);
    }

    fn send_intervals(&self, replica: &mut Replica<L::State>, effects: &mut Effects<Self>) {
        for node in replica.cluster.others(replica.me) {
            let known = replica.known.get(&node).copied().unwrap_or(0);
            if known == replica.next {
                continue;
            }
            let first = replica.deltas.keys().next().copied();
            let interval = if first.is_some_and(|first| first <= known) {
                let mut interval = Objects::default();
                for delta in replica.deltas.range(known..).map(|(_, delta)| delta) {
                    interval.join(&self.lattice, delta, &mut Effects::<Self>::new());
                }
                interval
            } else {
                replica.objects.clone()
            };
            effects.send(node, Message::Join(interval, replica.next));
            if self.intervals == Intervals::Assumed {
                replica.known.insert(node, replica.next);
            }
        }
        self.watch(replica, effects);
    }

    /// Forgets the deltas that all know; the timer runs as long as there are others.
    fn watch(&self, replica: &mut Replica<L::State>, effects: &mut Effects<Self>) {
        let known = |node| replica.known.get(&node).copied().unwrap_or(0);
        let by_all = replica.cluster.others(replica.me).map(known).min().unwrap_or(replica.next);
        replica.deltas.retain(|number, _| *number >= by_all);
        if by_all < replica.next {
            effects.arm(RESEND);
        } else {
            effects.disarm(RESEND);
        }
    }

    fn join(
        &self,
        replica: &mut Replica<L::State>,
        from: NodeId,
        (delta, number): (Objects<L::State>, u64),
        effects: &mut Effects<Self>,
    ) {
        let before = replica.objects.clone();
        replica.objects.join(&self.lattice, &delta, effects);
        if self.intervals == Intervals::Basic {
            return;
        }
        effects.send(from, Message::Arrived(number));
        if replica.objects != before {
            self.spread(replica, delta, effects);
        }
    }
}

impl<L: Lattice> Strategy for DeltaBased<L> {
    type Replica = Replica<L::State>;
    type Message = Message<L::State>;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica<L::State> {
        let (deltas, known) = (BTreeMap::new(), BTreeMap::new());
        let objects = Objects::default();
        Replica { me: node, cluster: *cluster, objects, next: 0, deltas, known }
    }

    fn step(
        &self,
        replica: &mut Replica<L::State>,
        input: Input<Self>,
        effects: &mut Effects<Self>,
    ) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                replica.objects.answer(&self.lattice, operation, &call.key, effects);
            }
            Input::Request { operation, call, .. } => {
                let stamp = replica.objects.next(u32::from(replica.me.0));
                let delta = replica.objects.delta(&self.lattice, (operation, stamp), &call);
                replica.objects.join(&self.lattice, &delta, effects);
                self.spread(replica, delta, effects);
                effects.ok(operation, Value::Null);
            }
            Input::Receive { from, message: Message::Join(delta, number), .. } => {
                self.join(replica, from, (delta, number), effects);
            }
            Input::Receive { from, message: Message::Arrived(number), .. } => {
                let known = replica.known.entry(from).or_default();
                *known = number.max(*known);
                self.watch(replica, effects);
            }
            Input::Timer(RESEND) => self.send_intervals(replica, effects),
            Input::Recovered => {
                replica.objects.say(effects);
                if replica.next > 0 {
                    self.send_intervals(replica, effects);
                }
            }
            _ => {}
        }
    }

    fn durable(&self, replica: &Replica<L::State>) -> Replica<L::State> {
        let (deltas, known) = (BTreeMap::new(), BTreeMap::new());
        Replica { deltas, known, ..replica.clone() }
    }

    fn datatype(&self) -> &'static str {
        self.lattice.datatype()
    }

    fn label(&self, message: &Message<L::State>) -> String {
        match message {
            Message::Join(delta, 0) => format!("join {}", delta.tell(&self.lattice)),
            Message::Join(delta, number) => {
                format!("join {}, all before {number}", delta.tell(&self.lattice))
            }
            Message::Arrived(number) => format!("all before {number} arrived"),
        }
    }

    fn show(&self, replica: &Replica<L::State>) -> Option<Vec<Part>> {
        let mut parts = replica.objects.parts(&self.lattice);
        parts.push(Part::Field("deltas".to_owned(), replica.next.to_string()));
        for (node, known) in &replica.known {
            parts.push(Part::Field(format!("known at {node}"), known.to_string()));
        }
        Some(parts)
    }
}
