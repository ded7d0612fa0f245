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

use rustc_hash::{FxHashMap, FxHashSet};

use crate::history::{Call, Completion, Function, History, Key, Operation, Value};
use crate::judgement::datatype::{Datatype, MISMATCH};

/// For each operation of a part, what a smaller part with it must contain.
pub(super) struct Sources {
    /// Their positions in the history, ascending.
    positions: Vec<usize>,
    /// For each: the range of its sources in `pool`.
    of: Vec<(u32, u32)>,
    pool: Vec<usize>,
    /// Where an operation of another datatype than a register may need all
    /// that is not a read: the positions of what is none.
    changes: Option<Vec<usize>>,
}

impl Sources {
    /// Looks at the operations at these positions only. A failed operation
    /// counts only if nothing else explains a read.
    pub(super) fn within(history: &History, part: &[usize], datatype: &dyn Datatype) -> Sources {
        let operations = || part.iter().map(|at| (*at, &history.operations()[*at]));
        let positions = part.to_vec();
        if datatype.name() != "register" {
            let changes = operations().filter(|(_, op)| !datatype.only_reads(&op.call, None));
            let changes = Some(changes.map(|(at, _)| at).collect());
            return Sources { positions, of: vec![(0, 0); part.len()], pool: Vec::new(), changes };
        }
        let mut lists: Vec<Vec<usize>> = Vec::new();
        let mut places: FxHashMap<(bool, &Key, &Value), usize> = FxHashMap::default();
        for (at, op) in operations() {
            let Some(value) = leaves(&op.call) else { continue };
            let failed = op.completion == Completion::Fail;
            let place = places.entry((failed, &op.call.key, value)).or_insert(lists.len());
            if *place == lists.len() {
                lists.push(Vec::new());
            }
            lists[*place].push(at);
        }
        // A compare-and-set that found another value may need all changes.
        let missed = |op: &Operation| op.completion == Completion::Ok(Value::from(MISMATCH));
        let mut changes: FxHashMap<&Key, usize> = FxHashMap::default();
        if operations().any(|(_, op)| missed(op)) {
            for (at, op) in operations() {
                if leaves(&op.call).is_some() && op.completion != Completion::Fail {
                    let place = *changes.entry(&op.call.key).or_insert(lists.len());
                    if place == lists.len() {
                        lists.push(Vec::new());
                    }
                    lists[place].push(at);
                }
            }
        }
        let mut starts = Vec::with_capacity(lists.len());
        let mut pool = Vec::new();
        for list in &lists {
            starts.push((pool.len() as u32, (pool.len() + list.len()) as u32));
            pool.extend(list);
        }
        let of = operations().map(|(_, op)| {
            if missed(op) && matches!(op.call.f, Function::Other(_)) {
                return changes.get(&op.call.key).map_or((0, 0), |at| starts[*at]);
            }
            let value = match (&op.call.f, &op.call.argument, &op.completion) {
                (Function::Read, _, Completion::Ok(value)) => value,
                (Function::Other(_), Value::List(pair), Completion::Ok(_)) => &pair[0],
                _ => return (0, 0),
            };
            let get = |failed| places.get(&(failed, &op.call.key, value)).map(|at| starts[*at]);
            let failed = || if *value == Value::Null { None } else { get(true) };
            get(false).or_else(failed).unwrap_or((0, 0))
        });
        Sources { positions, of: of.collect(), pool, changes: None }
    }

    fn get(&self, at: usize) -> &[usize] {
        let place = self.positions.binary_search(&at).expect("it is in the part");
        let (start, end) = self.of[place];
        &self.pool[start as usize..end as usize]
    }

    /// What is left of a closed part without `out` and all that needs one of `out`.
    fn without(&self, part: &[usize], out: &[usize]) -> Vec<usize> {
        if let Some(changes) = &self.changes
            && out.iter().any(|at| changes.binary_search(at).is_ok())
        {
            return Vec::new();
        }
        let mut gone = out.to_vec();
        loop {
            let is_gone = |at: &usize| gone.binary_search(at).is_ok();
            let needs = |at: &&usize| !is_gone(at) && self.get(**at).iter().any(is_gone);
            let more: Vec<usize> = part.iter().filter(needs).copied().collect();
            if more.is_empty() {
                let stays = |at: &usize| gone.binary_search(at).is_err();
                return part.iter().copied().filter(stays).collect();
            }
            gone.extend(more);
            gone.sort_unstable();
        }
    }
}

/// These operations of a history and what they could have found, ascending.
pub(super) fn closed(
    history: &History,
    positions: &[usize],
    datatype: &dyn Datatype,
) -> Vec<usize> {
    let all: Vec<usize> = (0..history.len()).collect();
    let sources = Sources::within(history, &all, datatype);
    let mut known: FxHashSet<usize> = positions.iter().copied().collect();
    let mut closed = positions.to_vec();
    let mut next = 0;
    // A compare-and-set is found and finds.
    while let Some(&at) = closed.get(next) {
        next += 1;
        closed.extend(sources.get(at).iter().filter(|source| known.insert(**source)));
    }
    closed.sort_unstable();
    closed.dedup();
    closed
}

/// The value that an operation of a register leaves.
fn leaves(call: &Call) -> Option<&Value> {
    match (&call.f, &call.argument) {
        (Function::Write, value) => Some(value),
        (Function::Other(_), Value::List(pair)) => pair.get(1),
        _ => None,
    }
}

/// A minimal closed part of `part` (closed, failing) that still fails.
///
/// `fails` says whether a closed part fails, `None` if it cannot tell; it is
/// asked about the result last. The second answer is whether the result is
/// known to be minimal.
pub(super) fn minimise(
    sources: &Sources,
    part: Vec<usize>,
    mut fails: impl FnMut(&[usize]) -> Option<bool>,
) -> (Vec<usize>, bool) {
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
