//! Positions between positions: each element gets an identifier between those of its
//! neighbours, as a list of digits, each with the node that chose it.
//!
//! All nodes order identifiers alike, so the text converges. But two authors who type
//! at the same place choose from the same interval, and their letters mix.
//!
//! Source: Weiss, Urso and Molli, *Logoot*, 2009. Deviation: the digit in the middle is
//! chosen, not a random one.

use crate::replication::Stamp;

use super::{Nodes, Placement};

/// Positions between positions.
#[derive(Clone, Copy, Debug)]
pub struct Fractional;

/// The digits of an identifier, each with the node that chose it.
type Digits = Vec<(u32, u32)>;

/// Digits are below this.
const BASE: u32 = 8;

/// An identifier between two others.
fn between(left: &[(u32, u32)], right: Option<&[(u32, u32)]>, node: u32) -> Digits {
    let mut right = right;
    let mut digits = Digits::new();
    loop {
        let at = digits.len();
        let low = left.get(at).copied().unwrap_or((0, 0));
        let high = right.and_then(|right| right.get(at)).map_or(BASE, |(digit, _)| *digit);
        if high > low.0 + 1 {
            digits.push((u32::midpoint(low.0, high), node));
            return digits;
        }
        // From here on, whatever begins like this is below the right one.
        if right.is_some_and(|right| right.get(at) != Some(&low)) {
            right = None;
        }
        digits.push(low);
    }
}

impl Placement for Fractional {
    type Place = Digits;

    fn place(
        &self,
        nodes: &Nodes<Digits>,
        order: &[Stamp],
        left: Option<Stamp>,
        stamp: Stamp,
    ) -> Digits {
        let next = match left {
            Some(left) => order.iter().position(|other| *other == left).map_or(0, |at| at + 1),
            None => 0,
        };
        let digits = |stamp: &Stamp| nodes[stamp].1.as_slice();
        let low = left.map_or(&[][..], |left| digits(&left));
        between(low, order.get(next).map(digits), stamp.tie)
    }

    fn order(&self, nodes: &Nodes<Digits>) -> Vec<Stamp> {
        let mut order: Vec<Stamp> = nodes.keys().copied().collect();
        order.sort_by(|one, other| nodes[one].1.cmp(&nodes[other].1).then(one.cmp(other)));
        order
    }
}
