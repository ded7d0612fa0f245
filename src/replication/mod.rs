//! What is under test: replication strategies, and the one trait they implement.
//!
//! A [`Strategy`] is a pure function from (replica, input) to (replica,
//! effects). It has no access to the time, threads, sockets or random numbers:
//! everything that it may depend on arrives as an [`Input`], and everything that it
//! wants done leaves as an entry of [`Effects`]. So the same code runs in the
//! simulated world and on real threads, and every run replays.
//!
//! It never imports judgement: a strategy cannot know what is allowed.
//!
//! A step is tested by calling it. Here a follower of an asynchronous primary
//! answers a read that it was asked before it has heard of any write:
//!
//! ```
//! use quiescence::prelude::*;
//! use quiescence::replication::asynchronous::async_primary::AsyncPrimary;
//!
//! let mut follower = AsyncPrimary.boot(NodeId(1), &Cluster::of(3));
//! let operation = OperationId { session: 0, number: 0 };
//! let read = Input::Request { operation, call: Call::read("x"), token: (), clock: 0 };
//! let mut effects = Effects::new();
//! AsyncPrimary.step(&mut follower, read, &mut effects);
//! assert_eq!(effects.replies()[0].completion(), &Completion::Ok(Value::Null));
//! assert!(effects.sends().is_empty());
//! ```
//!
//! Read next: `notebook.rs` for the smallest strategies, then
//! `asynchronous/multi_primary_lww.rs`.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::hash::Hash;

use crate::history::NodeId;

pub mod asynchronous;
pub mod crdt;
pub mod erased;
pub mod foreign;
mod invariant;
mod lineage;
mod log;
pub mod members;
pub mod merge;
pub mod notebook;
mod show;
mod strategy;
pub mod synchronous;
pub mod yardstick;

pub use erased::Subject;
pub use invariant::{Invariant, When};
pub use show::{Part, shown};
pub use strategy::{Arming, Effects, Input, Reply, Strategy, Visible};

impl<S: Strategy> Input<S> {
    /// The same input for another strategy, with its message or token
    /// converted. A strategy that wraps another one hands it its inputs so,
    /// and takes its effects with [`Effects::pass_on`].
    pub fn map<T: Strategy>(
        self,
        message: impl FnOnce(S::Message) -> T::Message,
        token: impl FnOnce(S::Token) -> T::Token,
    ) -> Input<T> {
        match self {
            Input::Start => Input::Start,
            Input::Recovered => Input::Recovered,
            Input::Request { operation, call, token: carried, clock } => {
                Input::Request { operation, call, token: token(carried), clock }
            }
            Input::Receive { from, message: sent, clock } => {
                Input::Receive { from, message: message(sent), clock }
            }
            Input::Timer(timer) => Input::Timer(timer),
            Input::Persisted(image) => Input::Persisted(image),
            Input::Cancelled(operation) => Input::Cancelled(operation),
            Input::Suspect(node) => Input::Suspect(node),
            Input::Command(command) => Input::Command(command),
        }
    }
}

/// Which nodes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cluster {
    nodes: u16,
}

impl Cluster {
    /// The most nodes a cluster may have.
    pub const NODES_MAX: u16 = 64;

    /// A cluster of `nodes` nodes.
    ///
    /// # Panics
    /// If there are none, or more than [`Cluster::NODES_MAX`].
    pub fn of(nodes: u16) -> Self {
        assert!((1..=Self::NODES_MAX).contains(&nodes), "a cluster has 1 to 64 nodes, not {nodes}");
        Cluster { nodes }
    }

    /// How many nodes there are.
    pub fn size(self) -> usize {
        usize::from(self.nodes)
    }

    /// The smallest number of nodes that is more than half of them.
    pub fn majority(self) -> usize {
        self.size() / 2 + 1
    }

    /// All nodes, in order.
    pub fn nodes(self) -> impl Iterator<Item = NodeId> + Clone {
        (0..self.nodes).map(NodeId)
    }

    /// All nodes but `node`, in order.
    pub fn others(self, node: NodeId) -> impl Iterator<Item = NodeId> + Clone {
        self.nodes().filter(move |&other| other != node)
    }
}

/// Names one operation of one session for as long as the run lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId {
    /// The session, from 0.
    pub session: u16,
    /// The operation within the session, from 0.
    pub number: u16,
}

impl OperationId {
    /// A number that orders operations as they are ordered themselves; fit to
    /// break ties in a [`Stamp`].
    pub fn as_tie(self) -> u32 {
        (u32::from(self.session) << 16) | u32::from(self.number)
    }

    /// The operation with this [`as_tie`](Self::as_tie).
    pub fn from_tie(tie: u32) -> Self {
        let half = |bits: u32| u16::try_from(bits & 0xffff).expect("16 bits fit");
        OperationId { session: half(tie >> 16), number: half(tie) }
    }
}

impl fmt::Display for OperationId {
    /// The session as it is shown to people, then the number from 1: `A2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", session_name(self.session), u32::from(self.number) + 1)
    }
}

/// How the session with this number is shown: `A`, `B`, …, `Z`, `S27`, ….
pub(crate) fn session_name(session: u16) -> String {
    match u8::try_from(session) {
        Ok(letter @ 0..=25) => char::from(b'A' + letter).to_string(),
        _ => format!("S{}", u32::from(session) + 1),
    }
}

/// A timer of one node, told apart by a number that the strategy chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u32);

/// An image of a replica on its way to the disk of its node, told apart by a
/// number that the strategy chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(pub u32);

/// What an operator tells a node: a place, from 0, in the list of
/// [commands](Strategy::commands).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u16);

/// A place in the order in which a strategy arbitrates writes: by counter,
/// then by tie-break (a node, or an operation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// A Lamport counter, a clock reading or a log position.
    pub counter: u64,
    /// What decides between equal counters.
    pub tie: u32,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.counter, self.tie)
    }
}

/// A strategy's name with its parameters: `notebook:variant=storing`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct StrategyName {
    /// The family, for example `notebook`.
    pub name: String,
    /// Every parameter with its value, in order of name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

impl StrategyName {
    /// A name without parameters.
    pub fn new(name: impl Into<String>) -> Self {
        StrategyName { name: name.into(), parameters: BTreeMap::new() }
    }

    /// The same name with one more parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl fmt::Display) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_string());
        self
    }
}

impl fmt::Display for StrategyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (at, (parameter, value)) in self.parameters.iter().enumerate() {
            let separator = if at == 0 { ':' } else { ',' };
            if parameter == "variant" {
                write!(f, "{separator}{value}")?;
            } else {
                write!(f, "{separator}{parameter}={value}")?;
            }
        }
        Ok(())
    }
}
