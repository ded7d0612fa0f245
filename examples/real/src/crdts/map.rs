//! A `Map` of `MVReg`.
//!
//! Where several values are left of concurrent writes, a read answers the largest.
//! Actors are the numbers of nodes. Nothing is removed, so the hash table of
//! removals that wait for their additions, whose order is random, stays empty.

use crdts::{CmRDT, CvRDT, MVReg, Map, map};
use quiescence::history::{Call, NodeId, Value};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};

use super::by;

/// The map of a user.
type Registers = Map<String, MVReg<i64, u16>, u16>;
type Operation = map::Op<String, MVReg<i64, u16>, u16>;

/// A replica of the map.
pub struct Crdts<const BY: u8> {
    me: u16,
    others: Vec<NodeId>,
    map: Registers,
    out: Vec<(NodeId, Vec<u8>)>,
}

impl<const BY: u8> Crdts<BY> {
    fn broadcast(&mut self, bytes: &[u8]) {
        self.out.extend(self.others.iter().map(|to| (*to, bytes.to_vec())));
    }

    fn broadcast_state(&mut self) {
        let state = postcard::to_stdvec(&(None::<Operation>, Some(&self.map)));
        self.broadcast(&state.expect("a map can be written"));
    }
}

/// The values of a key that no other write has seen, ascending.
fn values(map: &Registers, key: &str) -> Vec<i64> {
    let register = map.get(&key.to_owned()).val.unwrap_or_default();
    let mut values = register.read().val;
    values.sort_unstable();
    values
}

/// Every key with its values, and how much of each actor the map has seen.
fn shown(map: &Registers) -> String {
    let keys = map.iter().map(|entry| entry.val.0.clone());
    let mut parts: Vec<_> = keys.map(|key| format!("{key}={:?}", values(map, &key))).collect();
    let seen = map.read_ctx().add_clock;
    parts.extend(seen.iter().map(|dot| format!("up to {}.{}", dot.actor, dot.counter)));
    parts.join(" ")
}

impl<const BY: u8> Core for Crdts<BY> {
    const TIMER: bool = BY == by::BOTH;

    fn new(node: NodeId, cluster: &Cluster) -> Self {
        let others = cluster.others(node).collect();
        Crdts { me: node.0, others, map: Map::new(), out: Vec::new() }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        let key = call.key.as_str();
        if call.is_read() {
            return Answer::Ok(
                values(&self.map, key).last().map_or(Value::Null, |last| (*last).into()),
            );
        }
        let value = crate::number(call);
        let context = self.map.read_ctx().derive_add_ctx(self.me);
        let operation = self.map.update(key, context, |register, ctx| register.write(value, ctx));
        self.map.apply(operation.clone());
        if BY == by::STATES {
            self.broadcast_state();
        } else {
            let bytes = postcard::to_stdvec(&(Some(operation), None::<Registers>));
            self.broadcast(&bytes.expect("an operation can be written"));
        }
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        let (operation, state) = read(bytes);
        if let Some(operation) = operation {
            self.map.apply(operation);
        }
        if let Some(state) = state {
            self.map.merge(state);
        }
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    fn timer(&mut self) {
        self.broadcast_state();
    }

    fn digest(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.map).expect("a map can be written")
    }

    fn show(&self) -> String {
        shown(&self.map)
    }

    fn label(bytes: &[u8]) -> String {
        match read(bytes) {
            (Some(Operation::Up { dot, key, op: crdts::mvreg::Op::Put { val, .. } }), _) => {
                format!("operation {}.{}: {key}={val}", dot.actor, dot.counter)
            }
            (_, state) => format!("state {}", shown(&state.expect("one of the two is sent"))),
        }
    }
}

fn read(bytes: &[u8]) -> (Option<Operation>, Option<Registers>) {
    postcard::from_bytes(bytes).expect("it was written by a node")
}
