//! The kinds in which eventual consistency fails.
//!
//! Eventual consistency asks for base, one arbitration for all reads, and reads
//! at quiescence that see every write. If base holds, only reads at quiescence
//! can violate it: no other read must see more than its own source. So there
//! are two ways to fail: two reads at quiescence answer a key differently
//! (**diverged**), or one finds a key initial although a write to it happened
//! (**lost**). The first that applies is reported. Where several writes could
//! be the source of the reads at quiescence, any of them will do: only reads
//! follow such a read in its session, so it is in no cycle.
//!
//! Both kinds are proved by two or three operations. O(n²) in the worst case.

use std::collections::BTreeMap;

use crate::history::{Completion, History, Key, Operation, Value};
use crate::judgement::checker::view::View;
use crate::judgement::verdict::{Counterexample, Kind, Reason};

/// The counterexample, if reads at quiescence contradict each other or the
/// writes.
pub(in crate::judgement::checker) fn counterexample(
    history: &History,
    view: &View,
) -> Option<Counterexample> {
    let (kind, reason) = match diverged(history) {
        Some(reason) => (Kind::Diverged, reason),
        None => (Kind::Lost, lost(history)?),
    };
    let operations = view.closed(history, &reason.operations());
    Some(Counterexample { kind, operations, minimal: true, restricted: Vec::new(), reason })
}

fn final_reads(history: &History) -> impl Iterator<Item = (usize, &Operation)> {
    let operations = history.operations().iter().enumerate();
    operations.filter(|(_, op)| op.final_read && op.answer().is_some())
}

fn diverged(history: &History) -> Option<Reason> {
    let mut firsts: BTreeMap<&Key, (usize, &Operation)> = BTreeMap::new();
    final_reads(history).find_map(|(second, other)| {
        let (first, one) = *firsts.entry(&other.call.key).or_insert((second, other));
        (one.answer() != other.answer()).then_some(Reason::Diverged { first, second })
    })
}

fn lost(history: &History) -> Option<Reason> {
    let operations = || history.operations().iter().enumerate();
    final_reads(history).filter(|(_, op)| op.answer() == Some(&Value::Null)).find_map(
        |(read, r)| {
            let of_key = |op: &Operation| op.call.key == r.call.key;
            let acked = operations().find(|(_, op)| {
                of_key(op) && op.call.is_write() && matches!(op.completion, Completion::Ok(_))
            });
            if let Some((write, _)) = acked {
                return Some(Reason::Lost { read, write, seen_by: None });
            }
            operations().filter(|(_, op)| of_key(op)).find_map(|(seen_by, op)| {
                let value = op.answer().filter(|value| **value != Value::Null)?;
                let (write, _) = operations().find(|(_, w)| {
                    of_key(w) && w.call.is_write() && w.is_pending() && w.call.argument == *value
                })?;
                Some(Reason::Lost { read, write, seen_by: Some(seen_by) })
            })
        },
    )
}
