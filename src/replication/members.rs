//! The nodes of a chain, some of which join it and some of which are removed.
//!
//! Invariant: what is known of them only grows, and what two nodes know of them can
//! always be put together. A node that was removed does not come back.

use std::collections::BTreeSet;
use std::fmt;

use crate::history::NodeId;

use super::Cluster;

/// Which nodes are not in a chain at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spares {
    /// Every node is.
    None,
    /// The last one waits until it is told to join.
    One,
}

impl Spares {
    /// The node that may join.
    pub(super) fn node(self, cluster: &Cluster) -> Option<NodeId> {
        (self == Spares::One).then(|| cluster.nodes().last()).flatten()
    }

    /// The chain, before anything changed.
    pub(super) fn members(self, cluster: &Cluster) -> Members {
        Members::of(cluster.nodes().filter(|node| Some(*node) != self.node(cluster)))
    }
}

/// Who is in a chain: nodes follow each other in their order, from the head to the tail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Members {
    first: BTreeSet<NodeId>,
    joined: BTreeSet<NodeId>,
    removed: BTreeSet<NodeId>,
}

impl Members {
    /// These nodes, before anything changed.
    pub(super) fn of(nodes: impl Iterator<Item = NodeId>) -> Self {
        Members { first: nodes.collect(), joined: BTreeSet::new(), removed: BTreeSet::new() }
    }

    /// These, when a node has joined.
    pub(super) fn with(mut self, node: NodeId) -> Self {
        self.joined.insert(node);
        self
    }

    /// These, when a node was removed.
    pub(super) fn without(mut self, node: NodeId) -> Self {
        self.removed.insert(node);
        self
    }

    /// Whether a node was removed.
    pub(super) fn removed(&self, node: NodeId) -> bool {
        self.removed.contains(&node)
    }

    /// Whether all that another knows is known here.
    pub(super) fn know(&self, other: &Members) -> bool {
        other.joined.is_subset(&self.joined) && other.removed.is_subset(&self.removed)
    }

    /// Puts together what is known here and there, unless no node would be left; whether
    /// there was anything new.
    pub(super) fn learn(&mut self, other: &Members) -> bool {
        let joined = &self.joined | &other.joined;
        let all = Members { joined, removed: &self.removed | &other.removed, ..self.clone() };
        let fresh = !self.know(other) && all.chain().next().is_some();
        if fresh {
            *self = all;
        }
        fresh
    }

    /// From the head to the tail.
    pub(super) fn chain(&self) -> impl DoubleEndedIterator<Item = NodeId> {
        self.first
            .union(&self.joined)
            .copied()
            .filter(|node| !self.removed(*node))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Whether a node is in the chain.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.chain().any(|other| other == node)
    }

    /// The first node.
    pub(super) fn head(&self) -> NodeId {
        self.chain().next().expect("a node is left")
    }

    /// The last one.
    pub(super) fn tail(&self) -> NodeId {
        self.chain().next_back().expect("a node is left")
    }

    /// The node after one of the chain.
    pub(super) fn successor(&self, of: NodeId) -> Option<NodeId> {
        self.chain().find(|node| *node > of).filter(|_| self.has(of))
    }

    /// What is said in this chain, for people.
    pub(super) fn told(&self, said: String) -> String {
        match self.to_string() {
            changes if changes.is_empty() => said,
            changes => format!("{said} in the chain{changes}"),
        }
    }

    /// The node before one of the chain.
    pub(super) fn predecessor(&self, of: NodeId) -> Option<NodeId> {
        self.chain().rfind(|node| *node < of).filter(|_| self.has(of))
    }
}

/// ` with n3 without n1 n2`: what has changed.
impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, nodes) in [("with", &self.joined), ("without", &self.removed)] {
            if !nodes.is_empty() {
                let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
                write!(f, " {word} {}", nodes.join(" "))?;
            }
        }
        Ok(())
    }
}
