//! A counter: for each node what it has added and what it has taken away; the value
//! is the difference of the sums.
//!
//! Source: the PN-counter of Shapiro et al., 2011, section 3.1.

use std::collections::BTreeMap;

use crate::history::{Call, Value};
use crate::replication::Stamp;

use super::Lattice;

/// A counter.
#[derive(Clone, Copy, Debug)]
pub struct PnCounter {
    /// How two entries of one node are joined.
    pub merge: Merge,
}

/// How two entries of one node are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The larger one, which contains the smaller one.
    Larger,
    /// Bug: the sum. What both contain counts twice.
    Sum,
}

/// What each node, by its id, has added and taken away.
type Entries = BTreeMap<u32, (i64, i64)>;

impl Lattice for PnCounter {
    type State = Entries;

    fn datatype(&self) -> &'static str {
        "counter"
    }

    fn delta(&self, state: &Entries, stamp: Stamp, call: &Call) -> Entries {
        let by = match (call.f.as_str(), &call.argument) {
            ("dec", _) => -1,
            (_, Value::Int(by)) => *by,
            _ => 1,
        };
        let change = (by.max(0), by.min(0).saturating_neg());
        let (added, taken) = match self.merge {
            Merge::Larger => state.get(&stamp.tie).copied().unwrap_or_default(),
            Merge::Sum => (0, 0),
        };
        let sum = (added.saturating_add(change.0), taken.saturating_add(change.1));
        BTreeMap::from([(stamp.tie, sum)])
    }

    fn join(&self, state: &mut Entries, other: &Entries) {
        for (node, (added, taken)) in other {
            let own = state.entry(*node).or_default();
            *own = match self.merge {
                Merge::Larger => (own.0.max(*added), own.1.max(*taken)),
                Merge::Sum => (own.0.saturating_add(*added), own.1.saturating_add(*taken)),
            };
        }
    }

    fn read(&self, state: &Entries) -> Value {
        let differences = state.values().map(|(added, taken)| added.saturating_sub(*taken));
        Value::Int(differences.fold(0, i64::saturating_add))
    }
}
