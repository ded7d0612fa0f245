//! Does my merge function converge? [`Merge`] makes a strategy of four functions:
//! an empty object, an update, a merge and a value.
//!
//! The replication is the plainest there is for state: after an update, a node
//! sends the whole object to every other node, which merges it. Nothing is sent
//! again. So a merge has to cope with what a network does: old states arrive after
//! new ones if it does not keep their order, and twice if it duplicates messages.
//!
//! Two counters: one joins by adding up, the other one has an entry for each node
//! and keeps the larger entry. The first is convicted in a small scope, the second
//! is proved there:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use quiescence::hunt::exhaustive::{Decision, Plan, hunt};
//! use quiescence::hunt::served;
//! use quiescence::judgement::datatype::Counter;
//! use quiescence::prelude::*;
//! use quiescence::replication::merge::{Merge, Merged};
//! use quiescence::search::exhaustive::{Limits, Open, Reduce};
//!
//! #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
//! struct Sum(i64);
//!
//! impl Merged for Sum {
//!     fn datatype() -> &'static str { "counter" }
//!     fn new(_: NodeId) -> Self { Sum(0) }
//!     fn apply(&mut self, _: &Call) { self.0 += 1; }
//!     fn merge(&mut self, other: &Self) { self.0 += other.0; }
//!     fn value(&self) -> Value { self.0.into() }
//! }
//!
//! #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
//! struct Entries { me: NodeId, of: BTreeMap<NodeId, i64> }
//!
//! impl Merged for Entries {
//!     fn datatype() -> &'static str { "counter" }
//!     fn new(me: NodeId) -> Self { Entries { me, of: BTreeMap::new() } }
//!     fn apply(&mut self, _: &Call) { *self.of.entry(self.me).or_default() += 1; }
//!     fn merge(&mut self, other: &Self) {
//!         for (node, theirs) in &other.of {
//!             let mine = self.of.entry(*node).or_default();
//!             *mine = (*mine).max(*theirs);
//!         }
//!     }
//!     fn value(&self) -> Value { self.of.values().sum::<i64>().into() }
//! }
//!
//! fn decide<T: Merged>() -> Decision {
//!     let counter = Merge::<T>::new();
//!     let plan = Plan {
//!         setting: Setting::calm(2, Network::Unordered),
//!         scopes: vec![Open { sessions: 2, writes: 2, reads: 1, keys: 1, patient: false }],
//!         menu: served(&counter, 2, &Counter, 1),
//!         datatype: &Counter,
//!         properties: vec![Model::EVENTUAL.into()],
//!         reduce: Reduce::ALL,
//!         limits: Limits::default(),
//!         enough: None,
//!         jobs: 1,
//!     };
//!     hunt(&counter, &plan, &|_| false).found.remove(0).1
//! }
//!
//! let Decision::Violated(found) = decide::<Sum>() else { panic!("it counts twice") };
//! assert_eq!(found.failing.flaw, Flaw::History(Kind::Illegal), "nobody added so much");
//! assert!(matches!(decide::<Entries>(), Decision::Proved(proofs, _) if proofs.len() == 1));
//! ```
//!
//! Invariant: every node merges exactly what arrives; what is sent is the object
//! after the update. Objects of different keys do not know of each other.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use crate::history::{Call, Key, NodeId, Value};

use super::strategy::REGISTER;
use super::{Cluster, Effects, Input, Part, Strategy, StrategyName, shown};

/// An object that is replicated by merging states.
pub trait Merged: Clone + Ord + Hash + Debug + Send + Sync + 'static {
    /// The datatype of the object, by name: what clients ask, and what the answers
    /// are judged by.
    fn datatype() -> &'static str {
        REGISTER
    }

    /// The object of `node` before anything happened.
    fn new(node: NodeId) -> Self;

    /// An update, at the node that was asked for it.
    fn apply(&mut self, call: &Call);

    /// The state of another node arrives.
    fn merge(&mut self, other: &Self);

    /// What a read answers. It is the only query; `Null` is what a register holds
    /// before the first write.
    fn value(&self) -> Value;
}

/// The strategy of objects that are merged, one for each key.
pub struct Merge<T>(PhantomData<fn() -> T>);

/// All that a node knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Objects<T> {
    me: NodeId,
    cluster: Cluster,
    objects: BTreeMap<Key, T>,
}

impl<T: Merged> Merge<T> {
    /// The strategy of these objects.
    pub fn new() -> Self {
        Merge(PhantomData)
    }
}

impl<T: Merged> Default for Merge<T> {
    fn default() -> Self {
        Merge::new()
    }
}

// Derived, it would ask the same of the object.
impl<T> Clone for Merge<T> {
    fn clone(&self) -> Self {
        Merge(PhantomData)
    }
}

impl<T: Merged> Objects<T> {
    fn object(&mut self, key: &Key) -> &mut T {
        let me = self.me;
        self.objects.entry(key.clone()).or_insert_with(|| T::new(me))
    }
}

impl<T: Merged> Strategy for Merge<T> {
    type Replica = Objects<T>;
    type Message = (Key, T);
    type Token = ();

    fn name(&self) -> StrategyName {
        let path = std::any::type_name::<T>();
        let path = path.split('<').next().unwrap_or(path);
        StrategyName::new(path.rsplit("::").next().unwrap_or(path))
    }

    fn datatype(&self) -> &'static str {
        T::datatype()
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Objects<T> {
        Objects { me: node, cluster: *cluster, objects: BTreeMap::new() }
    }

    fn step(&self, node: &mut Objects<T>, input: Input<Self>, effects: &mut Effects<Self>) {
        match input {
            Input::Request { operation, call, .. } if call.is_read() => {
                let held = node.objects.get(&call.key);
                let value = held.map_or_else(|| T::new(node.me).value(), T::value);
                effects.ok(operation, value);
            }
            Input::Request { operation, call, .. } => {
                let object = node.object(&call.key);
                object.apply(&call);
                let state = (call.key, object.clone());
                effects.broadcast(node.cluster.others(node.me), &state);
                effects.ok(operation, Value::Null);
            }
            Input::Receive { message: (key, other), .. } => node.object(&key).merge(&other),
            _ => {}
        }
    }

    fn label(&self, (key, object): &(Key, T)) -> String {
        format!("{key} is {object:?}")
    }

    fn show(&self, node: &Objects<T>) -> Option<Vec<Part>> {
        let part = |(key, object): (&Key, &T)| Part::Key(key.clone(), shown(&object.value()));
        Some(node.objects.iter().map(part).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::OperationId;

    /// Keeps its own value.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    struct Mine(NodeId, Value);

    impl Merged for Mine {
        fn new(node: NodeId) -> Self {
            Mine(node, Value::Null)
        }

        fn apply(&mut self, call: &Call) {
            self.1 = call.argument.clone();
        }

        fn merge(&mut self, other: &Self) {
            if self.1 == Value::Null {
                self.1 = other.1.clone();
            }
        }

        fn value(&self) -> Value {
            self.1.clone()
        }
    }

    #[test]
    fn an_update_is_sent_to_all_others_and_merged_there() {
        let (merge, cluster) = (Merge::<Mine>::new(), Cluster::of(3));
        let asks = |number, call| Input::Request {
            operation: OperationId { session: 0, number },
            call,
            token: (),
            clock: 0,
        };
        let mut nodes: Vec<_> = cluster.nodes().map(|node| merge.boot(node, &cluster)).collect();
        let mut effects = Effects::new();
        merge.step(&mut nodes[1], asks(0, Call::write("x", 7)), &mut effects);
        let sends = effects.sends().to_vec();
        let state = ("x".into(), Mine(NodeId(1), 7.into()));
        assert_eq!(sends, [(NodeId(0), state.clone()), (NodeId(2), state.clone())]);
        for (to, message) in sends {
            let arrives = Input::Receive { from: NodeId(1), message, clock: 0 };
            merge.step(&mut nodes[to.index()], arrives, &mut Effects::new());
        }
        // An object is made by the node that holds it, not by the one that wrote first.
        assert_eq!(nodes[2].objects[&"x".into()], Mine(NodeId(2), 7.into()));
        for node in &mut nodes {
            let mut effects = Effects::new();
            merge.step(node, asks(1, Call::read("x")), &mut effects);
            merge.step(node, asks(2, Call::read("y")), &mut effects);
            let id = |number| OperationId { session: 0, number };
            assert_eq!(effects.answer(id(1)), Some(7.into()));
            assert_eq!(effects.answer(id(2)), Some(Value::Null));
        }
        assert_eq!(merge.label(&state), "x is Mine(NodeId(1), Int(7))");
        assert_eq!(merge.name(), StrategyName::new("Mine"));
    }
}
