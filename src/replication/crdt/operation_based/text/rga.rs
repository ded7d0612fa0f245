//! A replicated growable array: an element is placed to the right of the one that its
//! author saw on its left; of those that were placed to the right of the same one, the
//! newest comes first.
//!
//! So a new element stands next to its left neighbour, and what is typed forward stays
//! together. What is typed backward does not: all of it has the same left neighbour, and
//! is in the order of stamps, in which others can come between.
//!
//! Sources: Roh, Jeon, Kim and Lee, *Replicated abstract data types*, 2011; as a tree:
//! Attiya et al., PODC 2016; on interleaving: Weidner and Kleppmann, 2023.

use crate::replication::Stamp;

use super::{Nodes, Placement};

/// A replicated growable array.
#[derive(Clone, Copy, Debug)]
pub struct Rga {
    /// Which of the elements with the same left neighbour comes first.
    pub first: First,
}

/// Which of the elements with the same left neighbour comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The one with the largest stamp.
    Newest,
    /// Bug: the one with the smallest stamp, so that a new element does not stand where
    /// it was inserted.
    Oldest,
}

impl Rga {
    fn walk(self, nodes: &Nodes<Option<Stamp>>, behind: Option<Stamp>, order: &mut Vec<Stamp>) {
        let own = nodes.iter().filter(|(_, (_, left))| *left == behind);
        let mut own: Vec<Stamp> = own.map(|(stamp, _)| *stamp).collect();
        if self.first == First::Newest {
            own.reverse();
        }
        for stamp in own {
            order.push(stamp);
            self.walk(nodes, Some(stamp), order);
        }
    }
}

impl Placement for Rga {
    /// The element on the left; `None`: the front.
    type Place = Option<Stamp>;

    fn place(
        &self,
        _: &Nodes<Option<Stamp>>,
        _: &[Stamp],
        left: Option<Stamp>,
        _: Stamp,
    ) -> Option<Stamp> {
        left
    }

    fn order(&self, nodes: &Nodes<Option<Stamp>>) -> Vec<Stamp> {
        let mut order = Vec::new();
        self.walk(nodes, None, &mut order);
        order
    }
}
