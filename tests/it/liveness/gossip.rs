//! Small strategies with timers: one that converges in every fair run, one that
//! converges only by chance, one whose answers change for ever.

use quiescence::history::{Completion, NodeId, Value};
use quiescence::replication::{Cluster, Effects, Input, Strategy, StrategyName, TimerId};

/// The variants of gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gossip {
    /// One timer for each other node; each sends to that node.
    Fair,
    /// Two timers; whichever fires first stops the other, and only one of them
    /// sends. A third timer arms both again.
    Chance,
    /// A timer hides the written value, then shows it again.
    Swing,
}

/// The largest value heard of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Heard {
    me: NodeId,
    cluster: Cluster,
    value: Value,
    hidden: bool,
}

const SEND: TimerId = TimerId(0);
const IDLE: TimerId = TimerId(1);
const AGAIN: TimerId = TimerId(2);

impl Strategy for Gossip {
    type Replica = Heard;
    type Message = Value;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("gossip")
    }

    fn boot(&self, me: NodeId, cluster: &Cluster) -> Heard {
        Heard { me, cluster: *cluster, value: Value::Null, hidden: false }
    }

    fn step(&self, heard: &mut Heard, input: Input<Self>, effects: &mut Effects<Self>) {
        let others = heard.cluster.others(heard.me);
        match (self, input) {
            (Gossip::Fair, Input::Start) => {
                others.for_each(|other| effects.arm(TimerId(u32::from(other.0))));
            }
            (Gossip::Fair, Input::Timer(timer)) => {
                let to = NodeId(u16::try_from(timer.0).expect("a node"));
                effects.send(to, heard.value.clone());
                effects.arm(timer);
            }
            (Gossip::Chance, Input::Start | Input::Timer(AGAIN)) => {
                effects.arm(SEND);
                effects.arm(IDLE);
            }
            (Gossip::Chance, Input::Timer(timer)) => {
                effects.disarm(SEND);
                effects.disarm(IDLE);
                effects.arm(AGAIN);
                if timer == SEND {
                    effects.broadcast(others, &heard.value);
                }
            }
            (Gossip::Swing, Input::Start) => effects.arm(AGAIN),
            (Gossip::Swing, Input::Timer(timer)) => {
                heard.hidden = !heard.hidden && heard.value != Value::Null;
                effects.arm(timer);
            }
            (_, Input::Request { operation, call, .. }) => {
                let answer = if call.is_write() {
                    heard.value = call.argument.max(heard.value.clone());
                    if *self == Gossip::Swing {
                        effects.broadcast(others, &heard.value);
                    }
                    Value::Null
                } else if heard.hidden {
                    Value::Null
                } else {
                    heard.value.clone()
                };
                effects.reply(operation, Completion::Ok(answer));
            }
            (_, Input::Receive { message, .. }) => {
                heard.value = message.max(heard.value.clone());
            }
            _ => {}
        }
    }

    fn durable(&self, heard: &Heard) -> Heard {
        heard.clone()
    }

    fn label(&self, value: &Value) -> String {
        format!("heard {value}")
    }
}
