//! Fugue: a tree in which an element becomes a right child of its left neighbour or, if
//! that already has one, a left child of its right neighbour.
//!
//! What is typed in one go, forward or backward, usually becomes a branch of its own. In
//! the scopes that were searched nothing came between; FugueMax, of the same paper, is
//! the variant made to guarantee that.
//!
//! Source: Weidner and Kleppmann, *The Art of the Fugue: Minimizing Interleaving in
//! Collaborative Text Editing*, 2023, algorithm 1.

use crate::replication::Stamp;

use super::{Nodes, Placement};

/// Fugue.
#[derive(Clone, Copy, Debug)]
pub struct Fugue;

/// Where an element hangs in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// On which element; `None`: on the root.
    parent: Option<Stamp>,
    side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Left,
    Right,
}

/// The elements of a branch: left of its parent, the parent, right of it; on each side
/// in the order of stamps.
fn walk(nodes: &Nodes<Place>, parent: Option<Stamp>, order: &mut Vec<Stamp>) {
    let on = |side: Side| {
        let here = Place { parent, side };
        let all = nodes.iter().filter(move |(_, (_, place))| *place == here);
        all.map(|(stamp, _)| *stamp).collect::<Vec<_>>()
    };
    for child in on(Side::Left) {
        walk(nodes, Some(child), order);
    }
    order.extend(parent);
    for child in on(Side::Right) {
        walk(nodes, Some(child), order);
    }
}

impl Placement for Fugue {
    type Place = Place;

    fn place(&self, nodes: &Nodes<Place>, order: &[Stamp], left: Option<Stamp>, _: Stamp) -> Place {
        let right_of_left = Place { parent: left, side: Side::Right };
        if nodes.values().all(|(_, place)| *place != right_of_left) {
            return right_of_left;
        }
        let before = |stamp: Stamp| order.iter().position(|other| *other == stamp);
        let next = left.and_then(before).map_or(0, |at| at + 1);
        Place { parent: order.get(next).copied(), side: Side::Left }
    }

    fn order(&self, nodes: &Nodes<Place>) -> Vec<Stamp> {
        let mut order = Vec::new();
        walk(nodes, None, &mut order);
        order
    }
}
