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

use crate::history::{Call, NodeId};

pub mod asynchronous;
mod effects;
pub mod erased;
mod log;
pub mod notebook;
mod show;
pub mod synchronous;
pub mod yardstick;

pub use effects::{Arming, Effects, Reply, Visible};
pub use erased::Subject;
pub use show::{Part, shown};

/// A replication method: all that its nodes do, as one pure function.
pub trait Strategy: Clone + Send + Sync + 'static {
    /// All that one node knows.
    type Replica: Clone + Eq + Hash + Debug + Send + Sync;
    /// What nodes send each other.
    type Message: Clone + Ord + Hash + Debug + Send + Sync;
    /// What a session carries from one operation to the next, for example a
    /// causal context. Often `()`.
    type Token: Clone + Ord + Hash + Debug + Default + Send + Sync;

    /// The name and the parameters, as shown and as written in case files.
    /// The strategies of a registry go by the names that it gives them; others
    /// by their types, unless they say something else here.
    fn name(&self) -> StrategyName {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        StrategyName::new(path.rsplit("::").next().unwrap_or(path))
    }

    /// The state of `node` before anything happened.
    fn boot(&self, node: NodeId, cluster: &Cluster) -> Self::Replica;

    /// Handles one input. Pure and total: the new replica and the effects
    /// depend on nothing but the old replica and the input. A panic in here
    /// is reported as a violation of its own. A node may send to itself: the
    /// message waits in its own inbox, like any other.
    fn step(&self, replica: &mut Self::Replica, input: Input<Self>, effects: &mut Effects<Self>);

    /// What is left of a replica after a crash. Without an override all of it
    /// is. Timers never survive a crash.
    fn durable(&self, replica: &Self::Replica) -> Self::Replica {
        replica.clone()
    }

    /// Stable text for people and case files, for example `store x=1`. Without
    /// an override it is what [`Debug`] writes.
    fn label(&self, message: &Self::Message) -> String {
        format!("{message:?}")
    }

    /// What a replica holds, part by part, for people: pictures tell which part
    /// a step changed. `None` shows the replica as `Debug` prints it. Nothing
    /// is ever decided by what is shown.
    fn show(&self, replica: &Self::Replica) -> Option<Vec<Part>> {
        let _ = replica;
        None
    }

    /// Whether `node` accepts `call` from clients. Final reads are issued at
    /// every node that serves reads. Without an override every node serves
    /// reads and writes.
    fn serves(&self, call: &Call, node: NodeId, cluster: &Cluster) -> bool {
        let _ = (node, cluster);
        call.is_read() || call.is_write()
    }

    /// Whether handlers use clock readings. If not, every reading is 0, and time is
    /// not part of the state.
    fn reads_clock(&self) -> bool {
        false
    }

    /// The replica without the parts that no later step can observe. If this is the
    /// same for two replicas, they must answer, send and arm timers alike for ever;
    /// a wrong declaration gives wrong proofs. `None`, the default, drops nothing. An
    /// exhaustive search then counts such replicas as one state, unless it evaluates
    /// invariants, which may see the dropped parts.
    fn observable(&self, replica: &Self::Replica) -> Option<Self::Replica> {
        let _ = replica;
        None
    }

    /// The replica in a cluster whose nodes were renamed, for a strategy that treats
    /// all nodes without clients alike; a wrong declaration gives wrong proofs.
    /// `None`, the default, declares nothing. Otherwise an exhaustive search counts
    /// states that differ only in the names of such nodes as one.
    fn renamed(
        &self,
        replica: &Self::Replica,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<Self::Replica> {
        let _ = (replica, name);
        None
    }

    /// The same message in such a cluster.
    fn renamed_message(
        &self,
        message: &Self::Message,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<Self::Message> {
        let _ = (message, name);
        None
    }

    /// What must hold in every reachable state (`always`), and what must be
    /// reached at least once for a search to mean anything (`sometimes`).
    fn invariants(&self) -> Vec<Invariant<Self::Replica>> {
        Vec::new()
    }
}

/// A condition of one's own on the replicas of all nodes.
#[derive(Clone)]
pub struct Invariant<R> {
    pub(crate) name: &'static str,
    pub(crate) when: When,
    pub(crate) holds: erased::Condition<R>,
}

impl<R> Invariant<R> {
    /// What must hold in every state. The condition is given one replica per
    /// node, in node order; `name` is how verdicts name it.
    pub fn always(
        name: &'static str,
        holds: impl Fn(&[&R]) -> bool + Send + Sync + 'static,
    ) -> Self {
        Invariant { name, when: When::Always, holds: erased::condition(holds) }
    }

    /// What must hold in at least one state.
    pub fn sometimes(
        name: &'static str,
        holds: impl Fn(&[&R]) -> bool + Send + Sync + 'static,
    ) -> Self {
        Invariant { name, when: When::Sometimes, holds: erased::condition(holds) }
    }
}

/// When an [`Invariant`] must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// In every state of every run.
    Always,
    /// In at least one state of at least one run.
    Sometimes,
}

/// An input of a node. Clock readings are in ticks of the node's own clock, which may
/// differ from the clocks of other nodes.
#[non_exhaustive]
pub enum Input<S: Strategy> {
    /// The cluster begins. The place to arm timers.
    Start,
    /// This node is back after a crash, with what was durable.
    Recovered,
    /// A client asks.
    Request {
        /// Which operation this is; a retried request carries the same one.
        operation: OperationId,
        /// What is asked.
        call: Call,
        /// What the session carries.
        token: S::Token,
        /// This node's clock.
        clock: u64,
    },
    /// A message arrives.
    Receive {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: S::Message,
        /// This node's clock.
        clock: u64,
    },
    /// A timer that this node armed has fired; it is no longer armed.
    Timer(TimerId),
    /// The client of this operation no longer waits for it.
    Cancelled(OperationId),
    /// A failure detector, which may be wrong, suspects this node.
    Suspect(NodeId),
}

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
            Input::Cancelled(operation) => Input::Cancelled(operation),
            Input::Suspect(node) => Input::Suspect(node),
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
    /// The session as [`session_name`] has it, then the number from 1: `A2`.
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
