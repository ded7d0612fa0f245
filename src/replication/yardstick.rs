//! The yardstick: the smallest replicated register, with state counts on
//! which independent programs agree. A replica holds one stamp; a put takes a
//! stamp, stores it, and sends it to all others. It promises nothing and is
//! not registered: it is for measuring searches.

use super::{Cluster, Effects, Input, Stamp, Strategy};
use crate::history::{Completion, NodeId, Value};

/// What a replica does with a stamp that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// It keeps the larger one. Stamps are (held counter + 1, writer).
    Larger,
    /// It keeps what arrived last. Stamps are (own put number, writer).
    Last,
    /// It keeps the first that it hears of. Stamps as for the last.
    First,
}

/// One register of one stamp.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick(pub Keeps);

/// The stamp that is held; and, unless the larger one is kept, which node
/// this is does not show, so that equal nodes are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    me: NodeId,
    cluster: Cluster,
    /// What is held.
    pub stamp: Stamp,
}

impl Strategy for Yardstick {
    type Replica = Held;
    type Message = Stamp;
    type Token = ();

    fn boot(&self, me: NodeId, cluster: &Cluster) -> Held {
        Held { me, cluster: *cluster, stamp: Stamp::default() }
    }

    fn step(&self, held: &mut Held, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_write() => {
                let counter = match self.0 {
                    Keeps::Larger => held.stamp.counter + 1,
                    Keeps::Last | Keeps::First => u64::from(operation.number) + 1,
                };
                let stamp = Stamp { counter, tie: u32::from(held.me.0) + 1 };
                if self.0 != Keeps::First || held.stamp == Stamp::default() {
                    held.stamp = stamp;
                }
                effects.broadcast(held.cluster.others(held.me), &stamp);
                effects.ok(operation, Value::Null);
            }
            Input::Request { operation, .. } => {
                let counter = i64::try_from(held.stamp.counter).expect("small");
                let value = 100 * counter + i64::from(held.stamp.tie);
                effects.reply(operation, Completion::Ok(Value::Int(value)));
            }
            Input::Receive { message, .. } => {
                let keep = match self.0 {
                    Keeps::Larger => message > held.stamp,
                    Keeps::Last => true,
                    Keeps::First => held.stamp == Stamp::default(),
                };
                if keep {
                    held.stamp = message;
                }
            }
            _ => {}
        }
    }

    fn renamed(&self, held: &Held, name: &dyn Fn(NodeId) -> NodeId) -> Option<Held> {
        Some(Held { me: name(held.me), ..held.clone() })
    }

    fn renamed_message(&self, stamp: &Stamp, _: &dyn Fn(NodeId) -> NodeId) -> Option<Stamp> {
        // Writers are nodes with clients, and those keep their names.
        Some(*stamp)
    }

    fn label(&self, stamp: &Stamp) -> String {
        format!("stamp {stamp}")
    }
}
