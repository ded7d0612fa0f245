//! Plans that several enactors carry out, and that are cleaned up behind them.
//!
//! `n1` makes plans and holds them, and has the table that clients look names up in. A
//! write is a new plan for its key, with a number; it is answered at once, and handed to
//! one of the enactors, which are the other nodes and take turns. An enactor applies the
//! plan: from then on lookups are answered by it. When it has been told that this is done,
//! it has older plans cleaned up. A lookup whose plan is gone finds nothing.
//!
//! Links are FIFO, but one enactor may be much slower than another. With `applies=newer`
//! the table compares the number of a plan with that of the plan in use when it is
//! applied. With `applies=given` that was compared when it was handed out, and is not
//! compared again. With `cleanup=unused` the plan in use stays, however old it is; with
//! `cleanup=older` all older plans go.
//!
//! `n1` is durable; enactors hold nothing.
//!
//! Source: the report of AWS on the disruption of DynamoDB on 19 and 20 October 2025.
//! Deviations: a table has one plan a key, not a tree of records; plans are cleaned up
//! when they are one generation older; planner and table are one node; nothing is tried
//! again.

use std::collections::BTreeMap;

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Stamp, Strategy, Visible, shown,
};

/// Which plans replace the plan in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// Newer ones.
    Newer,
    /// Bug: any that was handed to an enactor, since it was the newest one then.
    Given,
}

/// Which plans are cleaned up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// Older ones that are not in use.
    Unused,
    /// Older ones.
    Older,
}

/// Plans, enactors and cleanup.
#[derive(Clone, Copy, Debug)]
pub struct Plans {
    /// Which plans replace the plan in use.
    pub applies: Applies,
    /// Which plans are cleaned up.
    pub cleanup: Cleanup,
}

const TABLE: NodeId = NodeId(0);

/// What to answer, and who wanted it so.
type Plan = (Value, OperationId);

/// The planner with its table, or an enactor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    cluster: Cluster,
    /// How many plans were made.
    made: u64,
    /// The plans that are not cleaned up, by key and number.
    plans: BTreeMap<(Key, u64), Plan>,
    /// Which plan is in use.
    table: BTreeMap<Key, u64>,
}

/// What planner and enactors say to each other about a plan: its key and its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// To an enactor: carry it out.
    Enact(Key, u64),
    /// To the table: use it.
    Apply(Key, u64),
    /// To an enactor: that is done.
    Applied(Key, u64),
    /// To the planner: older plans are no longer needed.
    CleanUp(Key, u64),
}

impl Plans {
    fn receive(
        self,
        replica: &mut Replica,
        (from, message): (NodeId, Message),
        effects: &mut Effects<Self>,
    ) {
        match message {
            Message::Enact(key, number) => effects.send(TABLE, Message::Apply(key, number)),
            Message::Apply(key, number) => {
                let used = replica.table.get(&key).copied().unwrap_or(0);
                let stale = self.applies == Applies::Newer && number < used;
                let plan = replica.plans.get(&(key.clone(), number));
                if let Some((_, write)) = plan.filter(|_| !stale) {
                    effects.visible(*write, Stamp { counter: number, tie: 0 });
                    replica.table.insert(key.clone(), number);
                    effects.send(from, Message::Applied(key, number));
                }
            }
            Message::Applied(key, number) => effects.send(TABLE, Message::CleanUp(key, number)),
            Message::CleanUp(key, number) => {
                let used = replica.table.get(&key).copied();
                let stays = |plan: u64| self.cleanup == Cleanup::Unused && Some(plan) == used;
                replica.plans.retain(|(of, plan), _| *of != key || *plan >= number || stays(*plan));
            }
        }
    }
}

impl Strategy for Plans {
    type Replica = Replica;
    type Message = Message;
    type Token = ();

    fn boot(&self, _: NodeId, cluster: &Cluster) -> Replica {
        Replica { cluster: *cluster, made: 0, plans: BTreeMap::new(), table: BTreeMap::new() }
    }

    fn step(&self, replica: &mut Replica, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_write() => {
                replica.made += 1;
                let number = replica.made;
                let enactors: Vec<_> = replica.cluster.others(TABLE).collect();
                replica.plans.insert((call.key.clone(), number), (call.argument, operation));
                effects.ok(operation, Value::Null);
                let turn = usize::try_from(number - 1).expect("plans are few");
                if let Some(enactor) = enactors.get(turn % enactors.len().max(1)) {
                    effects.send(*enactor, Message::Enact(call.key, number));
                }
            }
            Input::Request { operation, call, .. } => {
                let used = replica.table.get(&call.key);
                let plan = used.and_then(|number| replica.plans.get(&(call.key, *number)));
                let value = plan.map(|(value, _)| value.clone()).unwrap_or_default();
                effects.reply(operation, Completion::Ok(value)).seeing(Visible::Here);
            }
            Input::Receive { from, message, .. } => {
                self.receive(replica, (from, message), effects);
            }
            _ => {}
        }
    }

    fn serves(&self, call: &Call, node: NodeId, _: &Cluster) -> bool {
        (call.is_read() || call.is_write()) && node == TABLE
    }

    fn label(&self, message: &Message) -> String {
        match message {
            Message::Enact(key, number) => format!("enact plan {number} of {key}"),
            Message::Apply(key, number) => format!("apply plan {number} of {key}"),
            Message::Applied(key, number) => format!("applied plan {number} of {key}"),
            Message::CleanUp(key, number) => format!("clean up before plan {number} of {key}"),
        }
    }

    fn show(&self, replica: &Replica) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        for (key, number) in &replica.table {
            let plan = replica.plans.get(&(key.clone(), *number));
            let value = plan.map_or(Value::Null, |(value, _)| value.clone());
            parts.push(Part::Key(key.clone(), shown(&value)));
            parts.push(Part::Field(format!("{key} uses"), format!("plan {number}")));
        }
        for ((key, number), (value, _)) in &replica.plans {
            let plan = format!("{key}={value}");
            parts.push(Part::Field(format!("plan {number}"), plan));
        }
        Some(parts)
    }
}
