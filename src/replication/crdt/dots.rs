//! Values under the stamps of the updates that put them there, with all stamps that
//! were ever known: who knows a stamp and no longer has its value knows that it was
//! removed. So removed values leave no tombstones.
//!
//! Source: the *dot stores* of Almeida, Shoker and Baquero, 2018; before that Bieniusa
//! et al., *An optimized conflict-free replicated set*, 2012.
//! Deviation: known stamps are a plain set, not a version vector with exceptions.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::Value;
use crate::replication::Stamp;

/// Values under stamps, and the stamps that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dots {
    live: BTreeMap<Stamp, Value>,
    known: BTreeSet<Stamp>,
}

/// What a join takes for removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// What the other side knows and no longer has.
    Removed,
    /// Bug: all that the other side knows, though it may have it still.
    Known,
}

impl Dots {
    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.live.values()
    }

    /// What must be joined to remove the values for which this is true, and to put
    /// one there.
    pub fn replacing(&self, removed: impl Fn(&Value) -> bool, put: Option<(Stamp, Value)>) -> Dots {
        let removed = self.live.iter().filter(|(_, value)| removed(value));
        let mut known: BTreeSet<Stamp> = removed.map(|(stamp, _)| *stamp).collect();
        known.extend(put.iter().map(|(stamp, _)| *stamp));
        Dots { live: put.into_iter().collect(), known }
    }

    /// Joins with others.
    pub fn join(&mut self, other: &Dots, dropped: Dropped) {
        let stays = |stamp: &Stamp, there: &Dots| {
            !there.known.contains(stamp)
                || (dropped == Dropped::Removed && there.live.contains_key(stamp))
        };
        let mut live = self.live.clone();
        live.retain(|stamp, _| stays(stamp, other));
        let theirs = other.live.iter().filter(|(stamp, _)| stays(stamp, self));
        live.extend(theirs.map(|(stamp, value)| (*stamp, value.clone())));
        self.live = live;
        self.known.extend(&other.known);
    }
}
