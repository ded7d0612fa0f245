//! The objects that a figure is about: those whose operations all fit it.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{History, Key, Operation};

/// The positions of the operations on each key on which all operations fit, by key; and how
/// many other keys there are.
pub(super) fn fitting(
    history: &History,
    fits: impl Fn(&Operation) -> bool,
) -> (Vec<Vec<usize>>, usize) {
    let mut known: BTreeMap<&Key, Vec<usize>> = BTreeMap::new();
    let mut others: BTreeSet<&Key> = BTreeSet::new();
    for (at, operation) in history.operations().iter().enumerate() {
        let key = &operation.call.key;
        match fits(operation) {
            true => known.entry(key).or_default().push(at),
            false => drop(others.insert(key)),
        }
    }
    known.retain(|key, _| !others.contains(key));
    (known.into_values().collect(), others.len())
}
