//! What clients ask, and in which setting.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::history::{Call, Key, Malformed, NodeId, notation};
use crate::replication::erased::AnyStrategy;
use crate::replication::{Cluster, Strategy};

use super::{FaultPlan, Faults, Network};

/// Whether a session stays at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Routing {
    /// Every operation goes to the session's own node.
    Sticky,
    /// Each operation may go to another node.
    Roaming,
}

impl std::fmt::Display for Routing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Routing::Sticky => "sticky",
            Routing::Roaming => "roaming",
        })
    }
}

/// Where a search looks: the cluster, its network, what may go wrong, and
/// how sessions choose nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Setting {
    /// How many nodes.
    pub nodes: u16,
    /// What order the network keeps.
    pub network: Network,
    /// What may go wrong.
    pub faults: FaultPlan,
    /// How sessions choose nodes.
    pub routing: Routing,
}

impl Setting {
    /// No faults, and every session stays at its node.
    pub fn calm(nodes: u16, network: Network) -> Self {
        Setting { nodes, network, faults: FaultPlan::default(), routing: Routing::Sticky }
    }

    /// Whether it has at most the nodes and the faults of another one, and is the same
    /// otherwise: a smaller run of the other may be in it.
    pub fn is_part_of(&self, other: &Setting) -> bool {
        let budget = other.faults.budget;
        let grown = FaultPlan { budget, ..self.faults.clone() };
        let grown = Setting { nodes: other.nodes, faults: grown, ..self.clone() };
        let mut kinds = self.faults.budget.each();
        grown == *other && self.nodes <= other.nodes && kinds.all(|(kind, n)| n <= budget[kind])
    }

    /// The same, where sessions go from node to node.
    #[must_use]
    pub fn roaming(self) -> Self {
        Setting { routing: Routing::Roaming, ..self }
    }

    /// The same, where at most these faults strike.
    #[must_use]
    pub fn with_faults(self, budget: Faults) -> Self {
        Setting { faults: FaultPlan { budget, ..self.faults }, ..self }
    }

    /// The same, where clocks that tick by themselves are at most so many ticks apart;
    /// with 0, as far as they like.
    #[must_use]
    pub fn with_clocks(self, bounded: u16) -> Self {
        let bounded = NonZeroU16::new(bounded);
        Setting { faults: FaultPlan { bounded, ..self.faults }, ..self }
    }
}

/// The scripts of all clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Workload {
    /// One script per session.
    pub sessions: Vec<Script>,
}

/// What one client asks, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script {
    /// The session's own node.
    pub node: NodeId,
    /// Its operations.
    pub operations: Vec<Planned>,
}

/// One operation of a script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Planned {
    /// What is asked.
    pub call: Call,
    /// Which node is asked, if not the session's own.
    pub node: Option<NodeId>,
}

impl Script {
    /// The operations from number `from` on that their nodes serve, each with
    /// its number and its node. The others are never asked.
    pub fn served<'a>(
        &'a self,
        strategy: &'a AnyStrategy,
        cluster: Cluster,
        from: u16,
    ) -> impl Iterator<Item = (u16, &'a Call, NodeId)> {
        let left = self.operations.iter().skip(usize::from(from));
        let all = (from..)
            .zip(left)
            .map(|(number, planned)| (number, &planned.call, planned.node.unwrap_or(self.node)));
        all.filter(move |(_, call, node)| strategy.serves(call, *node, &cluster))
    }
}

/// Clients separated by `|`; what each asks, as in histories, but without
/// answers: `n1: wx1 rx | n2: [add]s=3 rx@n1`. Before a colon stands the node
/// of a client (otherwise the first is at n1, the second at n2, and so on),
/// after `@` the node that one call goes to.
///
/// ```
/// use quiescence::history::{Call, NodeId};
/// use quiescence::world::Workload;
///
/// let workload: Workload = "n2: wx1 rx@n1 | rx".parse()?;
/// let first = &workload.sessions[0];
/// assert_eq!((first.node, workload.sessions[1].node), (NodeId(1), NodeId(1)));
/// assert_eq!(first.operations[0].call, Call::write("x", 1));
/// assert_eq!(first.operations[1].node, Some(NodeId(0)));
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
impl std::str::FromStr for Workload {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let script = |(home, (node, calls)): (u16, notation::Asked)| Script {
            node: node.unwrap_or(NodeId(home)),
            operations: calls.into_iter().map(|(call, node)| Planned { call, node }).collect(),
        };
        Ok(Workload { sessions: (0..).zip(notation::asked(text)?).map(script).collect() })
    }
}

impl Workload {
    /// The keys that occur, ascending.
    pub fn keys(&self) -> Vec<Key> {
        let planned = self.sessions.iter().flat_map(|script| &script.operations);
        let mut keys: Vec<_> = planned.map(|planned| planned.call.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// How many operations there are in all scripts.
    pub fn len(&self) -> usize {
        self.sessions.iter().map(|script| script.operations.len()).sum()
    }

    /// Whether there is no operation.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
