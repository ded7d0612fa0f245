//! Expands a short witness to the least visibility that the axioms allow.
//!
//! Derives the consequences of the axioms until nothing is new, with plain sets
//! and without regard to order or speed, and passes the result to `witness`,
//! which verifies every conjunct. Where each read may have an arbitration of
//! its own and none was given, one is made by repeatedly taking a write that no
//! remaining write must precede.

use std::collections::BTreeSet;

use crate::history::History;

use super::facts::Facts;
use super::unsound::Unsound;
use super::witness;
use crate::judgement::model::{Grid, Guarantees, Scope};
use crate::judgement::verdict::reason::Source;

/// How many pairs of a write and a read are looked at, at most.
const PAIRS_MAX: usize = 1 << 22;

/// Replays the orders with the least visibility.
pub(super) fn replay(history: &History, grid: Grid, orders: &[Vec<usize>]) -> Result<(), Unsound> {
    let facts = Facts::of(history);
    let reads: Vec<usize> = (0..facts.len()).filter(|&at| facts.answered(at)).collect();
    let mut happened: BTreeSet<usize> =
        (0..facts.len()).filter(|&at| facts.acked_write(at)).collect();
    let mut sees: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); facts.len()];
    for &read in &reads {
        match facts.sources(read)[..] {
            [Source::Write(write)] => drop((happened.insert(write), sees[read].insert(write))),
            [Source::Initial] => {}
            _ => return Unsound::because(format!("read {read} has not one possible source")),
        }
    }
    if happened.len() * reads.len() > PAIRS_MAX {
        return Unsound::too_large("the history is too long to spell the visibility out");
    }
    for &read in reads.iter().filter(|read| grid.eventual && facts.final_read(**read)) {
        sees[read].extend(&happened);
    }
    while grow(facts, grid, &happened, &reads, &mut sees) {}
    let visible: Vec<Vec<usize>> =
        sees.iter().map(|writes| writes.iter().copied().collect()).collect();
    let processes = history.processes();
    let arbitration: Vec<Vec<usize>> = match (grid.scope, orders) {
        (Scope::Global, _) => orders.to_vec(),
        (Scope::Session, [one]) => vec![one.clone(); processes.len()],
        (Scope::Read, [one]) => vec![one.clone(); reads.len()],
        (Scope::Session, _) => {
            // One for each process of which some operation matters.
            let matter =
                (0..facts.len()).filter(|&at| facts.answered(at) || facts.possible_write(at));
            let matter: BTreeSet<_> = matter.map(|at| history.operations()[at].process).collect();
            let mut orders = orders.iter();
            let mut given = |process| match matter.contains(process) {
                true => orders.next().cloned().unwrap_or_default(),
                false => happened.iter().copied().collect(),
            };
            processes.iter().map(&mut given).collect()
        }
        (Scope::Read, _) => {
            let axioms = axioms(facts, grid, &happened, &reads, &sees);
            let each = |read: &usize| own_order(facts, *read, &axioms, &sees[*read], &happened);
            reads.iter().map(each).collect()
        }
    };
    witness::replay(history, grid, &visible, &arbitration)
}

/// Adds to what each read sees what the guarantees make it see in one step;
/// true if that added anything.
fn grow(
    facts: Facts<'_>,
    grid: Grid,
    happened: &BTreeSet<usize>,
    reads: &[usize],
    sees: &mut [BTreeSet<usize>],
) -> bool {
    let session = |first: usize, second: usize| facts.session_order(first, second);
    let mut grew = false;
    for &read in reads {
        let mut more: BTreeSet<usize> = BTreeSet::new();
        if grid.asks(Guarantees::RYW) {
            more.extend(happened.iter().filter(|write| session(**write, read)));
        }
        if grid.asks(Guarantees::MR) {
            let earlier = reads.iter().filter(|earlier| session(**earlier, read));
            earlier.for_each(|earlier| more.extend(&sees[*earlier]));
        }
        for &write in &sees[read] {
            if grid.asks(Guarantees::MW) {
                more.extend(happened.iter().filter(|earlier| session(**earlier, write)));
            }
            if grid.asks(Guarantees::WFR) {
                let earlier = reads.iter().filter(|earlier| session(**earlier, write));
                earlier.for_each(|earlier| more.extend(&sees[*earlier]));
            }
        }
        let before = sees[read].len();
        sees[read].extend(more);
        grew |= sees[read].len() > before;
    }
    grew
}

/// For each write the writes that the axioms arbitrate before it.
fn axioms(
    facts: Facts<'_>,
    grid: Grid,
    happened: &BTreeSet<usize>,
    reads: &[usize],
    sees: &[BTreeSet<usize>],
) -> Vec<BTreeSet<usize>> {
    let mut before = vec![BTreeSet::new(); facts.len()];
    for &write in happened {
        if grid.asks(Guarantees::MW) {
            let earlier = happened.iter().filter(|first| facts.session_order(**first, write));
            before[write].extend(earlier);
        }
        if grid.asks(Guarantees::WFR) {
            for read in reads.iter().filter(|read| facts.session_order(**read, write)) {
                before[write].extend(&sees[*read]);
            }
        }
    }
    before
}

/// An order of the writes in which what `read` sees of its key is older than
/// its source. If there is none, some writes are left out, and `witness`
/// rejects it.
fn own_order(
    facts: Facts<'_>,
    read: usize,
    axioms: &[BTreeSet<usize>],
    sees: &BTreeSet<usize>,
    happened: &BTreeSet<usize>,
) -> Vec<usize> {
    let source = facts.sources(read).into_iter().find_map(|source| match source {
        Source::Write(write) => Some(write),
        Source::Initial => None,
    });
    let mut left = happened.clone();
    let mut order = Vec::new();
    loop {
        let waits = |write: &usize| {
            let older = |other: &usize| facts.same_key(*other, read) && other != write;
            axioms[*write].iter().any(|other| left.contains(other))
                || (Some(*write) == source
                    && sees.iter().any(|other| older(other) && left.contains(other)))
        };
        let Some(next) = left.iter().copied().find(|write| !waits(write)) else { return order };
        left.remove(&next);
        order.push(next);
    }
}
