//! The smallest part of a history that still fails.
//!
//! Invariant: every part is *closed*: whatever could have written what one of
//! its reads answered is in it. A closed part of an allowed history is
//! allowed, by every model here (restrict the witness), so a closed part that
//! fails proves that the whole fails; and failing is inherited by larger parts,
//! so a part is minimal as soon as no single removal (a read; a write with the
//! reads that it could have answered) leaves one that fails.
//!
//! Large parts are first cut in halves, quarters, … (Zeller and Hildebrandt,
//! TSE 2002). It does not know what failing means.

use std::collections::BTreeMap;

use crate::history::{Completion, History, Key, Value};

/// For each operation of a history, the writes that a part with it must contain.
struct Sources {
    of: Vec<Vec<usize>>,
}

impl Sources {
    /// A failed write counts only if nothing else explains a read.
    fn of(history: &History) -> Sources {
        let operations = history.operations();
        let mut writes: BTreeMap<(bool, &Key, &Value), Vec<usize>> = BTreeMap::new();
        for (at, op) in operations.iter().enumerate().filter(|(_, op)| op.call.is_write()) {
            let failed = op.completion == Completion::Fail;
            writes.entry((failed, &op.call.key, &op.call.argument)).or_default().push(at);
        }
        let of = operations.iter().map(|op| {
            let Some(value) = op.answer() else { return Vec::new() };
            let get = |failed| writes.get(&(failed, &op.call.key, value)).cloned();
            let failed = || if *value == Value::Null { None } else { get(true) };
            get(false).or_else(failed).unwrap_or_default()
        });
        Sources { of: of.collect() }
    }

    /// What is left of a closed part without `out` and all reads that need one of `out`.
    fn without(&self, part: &[usize], out: &[usize]) -> Vec<usize> {
        let gone = |at: &usize| out.binary_search(at).is_ok();
        let stays = |at: &usize| !gone(at) && !self.of[*at].iter().any(gone);
        part.iter().copied().filter(stays).collect()
    }
}

/// These operations and the writes that their reads could have answered, ascending.
pub(super) fn closed(history: &History, positions: &[usize]) -> Vec<usize> {
    let sources = Sources::of(history);
    let mut all = positions.to_vec();
    for &at in positions {
        all.extend(&sources.of[at]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// A minimal closed part of `part` (closed, failing) that still fails.
///
/// `fails` says whether a closed part fails, `None` if it cannot tell; it is
/// asked about the result last. The second answer is whether the result is
/// known to be minimal.
pub(super) fn minimise(
    history: &History,
    part: Vec<usize>,
    mut fails: impl FnMut(&[usize]) -> Option<bool>,
) -> (Vec<usize>, bool) {
    let sources = Sources::of(history);
    let mut part = part;
    let mut size = part.len().next_power_of_two() / 2;
    let mut certain = true;
    while size > 0 {
        let before = part.len();
        let mut end = part.len();
        if size == 1 {
            certain = true;
        }
        while end > 0 {
            let start = end.saturating_sub(size);
            let less = sources.without(&part, &part[start..end]);
            match fails(&less) {
                Some(true) => {
                    part = less;
                    end = start.min(part.len());
                }
                Some(false) => end = start,
                None => {
                    certain = false;
                    end = start;
                }
            }
        }
        if size > 1 || part.len() == before {
            size /= 2;
        }
    }
    let confirmed = fails(&part) == Some(true);
    (part, certain && confirmed)
}
