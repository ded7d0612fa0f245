//! An `Orswot` or a `PNCounter` for each key.
//!
//! A set keeps its elements in hash tables whose order is random. So states are
//! written with their maps and sets sorted; the library reads them as they are.

use std::collections::BTreeMap;

use ciborium::Value as Cbor;
use crdts::{CmRDT, CvRDT, Dot, Orswot, PNCounter, orswot, pncounter};
use quiescence::history::{Call, NodeId, Value};
use quiescence::replication::foreign::{Answer, Core};
use quiescence::replication::{Cluster, OperationId};
use serde::{Serialize, de::DeserializeOwned};

use super::by;

/// An object of the library, with the calls that a user makes on it.
pub trait Object:
    CmRDT<Op: Clone + Serialize + DeserializeOwned>
    + CvRDT
    + Clone
    + Default
    + Serialize
    + DeserializeOwned
    + 'static
{
    /// What it is, by name.
    const DATATYPE: &'static str;

    /// The operation of an update by this actor.
    fn operation(&self, actor: u16, call: &Call) -> Self::Op;

    /// What a read answers.
    fn value(&self) -> Value;

    /// What it has seen of each actor.
    fn seen(&self) -> String;

    /// An operation, for people.
    fn told(operation: &Self::Op) -> String;
}

impl Object for Orswot<i64, u16> {
    const DATATYPE: &'static str = "set:add-wins";

    fn operation(&self, actor: u16, call: &Call) -> Self::Op {
        let element = crate::number(call);
        if call.f.as_str() == "add" {
            self.add(element, self.read_ctx().derive_add_ctx(actor))
        } else {
            self.rm(element, self.contains(&element).derive_rm_ctx())
        }
    }

    fn value(&self) -> Value {
        let mut elements: Vec<_> = self.read().val.into_iter().collect();
        elements.sort_unstable();
        elements.into_iter().map(Value::Int).collect::<Vec<_>>().into()
    }

    fn seen(&self) -> String {
        dots(self.clock().into_iter())
    }

    fn told(operation: &Self::Op) -> String {
        match operation {
            orswot::Op::Add { dot, members } => {
                format!("{}.{} add {members:?}", dot.actor, dot.counter)
            }
            orswot::Op::Rm { clock, members } => {
                format!("remove {members:?} of {}", dots(clock.clone().into_iter()))
            }
        }
    }
}

impl Object for PNCounter<u16> {
    const DATATYPE: &'static str = "counter";

    fn operation(&self, actor: u16, call: &Call) -> Self::Op {
        let amount = crate::number(call);
        match amount < 0 {
            true => self.dec_many(actor, amount.unsigned_abs()),
            false => self.inc_many(actor, amount.unsigned_abs()),
        }
    }

    fn value(&self) -> Value {
        Value::Int(self.read().try_into().expect("a sum of few small numbers"))
    }

    fn seen(&self) -> String {
        // There is no way to ask for an entry but to add nothing to it.
        let up = dots((0..16).map(|actor| self.inc_many(actor, 0).dot));
        let down = dots((0..16).map(|actor| self.dec_many(actor, 0).dot));
        format!("{up} down {down}")
    }

    fn told(operation: &Self::Op) -> String {
        let way = if matches!(operation.dir, pncounter::Dir::Pos) { "up" } else { "down" };
        format!("{}.{} {way}", operation.dot.actor, operation.dot.counter)
    }
}

/// `0.2 1.1`: what is not 0.
fn dots(all: impl Iterator<Item = Dot<u16>>) -> String {
    let some = all.filter(|dot| dot.counter > 0);
    some.map(|dot| format!("{}.{}", dot.actor, dot.counter)).collect::<Vec<_>>().join(" ")
}

/// A replica: an object for each key.
pub struct Objects<T, const BY: u8> {
    me: u16,
    others: Vec<NodeId>,
    held: BTreeMap<String, T>,
    out: Vec<(NodeId, Vec<u8>)>,
}

/// The key of an object, and its operation or its state.
type Message<T> = (String, Option<<T as CmRDT>::Op>, Option<Cbor>);

impl<T: Object, const BY: u8> Objects<T, BY> {
    fn broadcast(&mut self, message: &Message<T>) {
        let bytes = encoded(message);
        self.out.extend(self.others.iter().map(|to| (*to, bytes.clone())));
    }

    fn broadcast_state(&mut self, key: &str) {
        let state = sorted(&self.held[key]);
        self.broadcast(&(key.to_owned(), None, Some(state)));
    }
}

impl<T: Object, const BY: u8> Core for Objects<T, BY> {
    const TIMER: bool = BY == by::BOTH;

    fn datatype() -> &'static str {
        T::DATATYPE
    }

    fn new(node: NodeId, cluster: &Cluster) -> Self {
        let others = cluster.others(node).collect();
        Objects { me: node.0, others, held: BTreeMap::new(), out: Vec::new() }
    }

    fn request(&mut self, _: OperationId, call: &Call) -> Answer {
        let key = call.key.as_str().to_owned();
        if call.is_read() {
            return Answer::Ok(self.held.get(&key).map_or_else(|| T::default().value(), T::value));
        }
        let object = self.held.entry(key.clone()).or_default();
        let operation = object.operation(self.me, call);
        object.apply(operation.clone());
        if BY == by::STATES {
            self.broadcast_state(&key);
        } else {
            self.broadcast(&(key, Some(operation), None));
        }
        Answer::Ok(Value::Null)
    }

    fn receive(&mut self, _: NodeId, bytes: &[u8]) {
        let (key, operation, state) = decoded::<T>(bytes);
        let object = self.held.entry(key).or_default();
        if let Some(operation) = operation {
            object.apply(operation);
        }
        if let Some(state) = state {
            object.merge(state.deserialized().expect("it was a state"));
        }
    }

    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> {
        std::mem::take(&mut self.out)
    }

    fn timer(&mut self) {
        for key in self.held.keys().cloned().collect::<Vec<_>>() {
            self.broadcast_state(&key);
        }
    }

    fn digest(&self) -> Vec<u8> {
        encoded(&self.held.iter().map(|(key, object)| (key, sorted(object))).collect::<Vec<_>>())
    }

    fn show(&self) -> String {
        let show = |(key, object): (&String, &T)| {
            format!("{key}={} seen {}", object.value(), object.seen())
        };
        self.held.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn label(bytes: &[u8]) -> String {
        let (key, operation, state) = decoded::<T>(bytes);
        match (operation, state.map(|state| state.deserialized::<T>())) {
            (Some(operation), _) => format!("operation {key} {}", T::told(&operation)),
            (_, Some(Ok(object))) => {
                format!("state {key}={} seen {}", object.value(), object.seen())
            }
            _ => panic!("one of the two is sent"),
        }
    }
}

fn encoded<M: Serialize>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(message, &mut bytes).expect("it can be written to memory");
    bytes
}

fn decoded<T: Object>(bytes: &[u8]) -> Message<T> {
    ciborium::from_reader(bytes).expect("it was written by a node")
}

/// A state with all maps and sets in order. It has no lists.
fn sorted<T: Serialize>(state: &T) -> Cbor {
    fn sort(value: &mut Cbor) {
        let compared = "there are no floating-point numbers";
        match value {
            Cbor::Array(set) => {
                set.iter_mut().for_each(sort);
                set.sort_by(|one, other| one.partial_cmp(other).expect(compared));
            }
            Cbor::Map(entries) => {
                for (key, value) in &mut *entries {
                    sort(key);
                    sort(value);
                }
                entries.sort_by(|one, other| one.partial_cmp(other).expect(compared));
            }
            _ => {}
        }
    }
    let mut value = Cbor::serialized(state).expect("a state can be written");
    sort(&mut value);
    value
}
