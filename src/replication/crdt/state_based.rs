//! State-based replication: after each update a node sends all that it holds to all
//! others, who join it with what they hold.
//!
//! Joins may come in any order and any number of times. With `anti-entropy=on` a timer
//! sends the state again from time to time, so that a lost message is made up for.
//!
//! A client's retry is a new update: where a type counts, it counts twice.
//!
//! States are durable.
//!
//! Source: Shapiro et al., 2011, section 2.2.

use crate::history::{NodeId, Value};
use crate::replication::{Cluster, Effects, Input, Part, Strategy, TimerId};

use super::{Lattice, Objects};

/// State-based replication of a type.
#[derive(Clone, Copy, Debug)]
pub struct StateBased<L> {
    /// The type.
    pub lattice: L,
    /// What tells the stamps of nodes apart.
    pub ids: Ids,
    /// Whether a timer repairs what was lost.
    pub anti_entropy: bool,
}

/// What tells the stamps of nodes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The number of the node.
    Own,
    /// Bug: all nodes have the same number, as after copying a configuration file.
    Same,
}

impl Ids {
    /// The id of a node.
    pub fn of(self, node: NodeId) -> u32 {
        match self {
            Ids::Own => u32::from(node.0),
            Ids::Same => 0,
        }
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica<S> {
    me: NodeId,
    cluster: Cluster,
    objects: Objects<S>,
}

const ANTI_ENTROPY: TimerId = TimerId(0);

impl<L: Lattice> StateBased<L> {
    fn send(replica: &Replica<L::State>, effects: &mut Effects<Self>) {
        if replica.objects != Objects::default() {
            effects.broadcast(replica.cluster.others(replica.me), &replica.objects);
        }
    }
}

impl<L: Lattice> Strategy for StateBased<L> {
    type Replica = Replica<L::State>;
    type Message = Objects<L::State>;
    type Token = ();

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica<L::State> {
        Replica { me: node, cluster: *cluster, objects: Objects::default() }
    }

    fn step(
        &self,
        replica: &mut Replica<L::State>,
        input: Input<Self>,
        effects: &mut Effects<Self>,
    ) {
        match input {
            Input::Start if self.anti_entropy => effects.arm(ANTI_ENTROPY),
            Input::Request { operation, call, .. } if call.is_read() => {
                replica.objects.answer(&self.lattice, operation, &call.key, effects);
            }
            Input::Request { operation, call, .. } => {
                let stamp = replica.objects.next(self.ids.of(replica.me));
                let delta = replica.objects.delta(&self.lattice, (operation, stamp), &call);
                replica.objects.join(&self.lattice, &delta, effects);
                Self::send(replica, effects);
                effects.ok(operation, Value::Null);
            }
            Input::Receive { message, .. } => {
                replica.objects.join(&self.lattice, &message, effects);
            }
            Input::Timer(ANTI_ENTROPY) => {
                Self::send(replica, effects);
                effects.arm(ANTI_ENTROPY);
            }
            Input::Recovered => {
                replica.objects.say(effects);
                if self.anti_entropy {
                    effects.arm(ANTI_ENTROPY);
                }
            }
            _ => {}
        }
    }

    fn datatype(&self) -> &'static str {
        self.lattice.datatype()
    }

    fn label(&self, message: &Objects<L::State>) -> String {
        format!("join {}", message.tell(&self.lattice))
    }

    fn show(&self, replica: &Replica<L::State>) -> Option<Vec<Part>> {
        Some(replica.objects.parts(&self.lattice))
    }
}
