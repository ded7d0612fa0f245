//! The lattice: which model implies which.
//!
//! All of it is about registers that are read and written.
//!
//! 30 models are nodes of their own; the edges are those of a transitive
//! reduction that was compared with every small history (see
//! `tests/it/judgement/lattice.rs`). In addition, a point of the grid implies
//! every point that asks less, and what a named model among these implies.
//!
//! Five models allow the same histories although their predicates differ: base,
//! mw, wfr, mw+wfr and prefix. (What a read sees is its source and what is before
//! that by sessions and causes, so any order that extends these explains it.) The edges into models with `!` hold only where no write
//! is pending and every read at quiescence was invoked after every write had
//! returned; the caller of [`implies`] says whether that is so.

use super::grid::{Grid, Guarantees, Scope};
use super::list::Model;
use super::names::NAMED;
use crate::history::{Completion, History};

/// A stronger model with the models directly below it.
type Edge = (Model, &'static [Model]);

const fn grid(guarantees: Guarantees, scope: Scope, eventual: bool) -> Model {
    Model::Grid(Grid { guarantees, scope, eventual })
}

const CAUSAL_SESSION: Model = grid(Guarantees::ALL, Scope::Session, false);
const ALL_BUT_RYW: Guarantees = Guarantees::ALL.without(Guarantees::RYW);
const MW_WFR: Guarantees = ALL_BUT_RYW.without(Guarantees::MR);
const MW_WFR_EV: Model = grid(MW_WFR, Scope::Global, true);
const RYW_MW: Guarantees = Guarantees::ALL.without(Guarantees::MR).without(Guarantees::WFR);
const CCV_EV: Model = grid(Guarantees::ALL, Scope::Global, true);

/// Implications that do not follow from the points of the grid alone.
static EDGES: [Edge; 15] = [
    (Model::Linearizable, &[Model::Sequential, Model::Regular]),
    (
        Model::Sequential,
        &[Model::CAUSAL, Model::CausalMemory, Model::Processor, Model::PrefixMonotonic],
    ),
    (Model::CAUSAL, &[Model::Cache]),
    (CAUSAL_SESSION, &[Model::Slow]),
    (Model::CausalMemory, &[CAUSAL_SESSION, Model::Pram]),
    (Model::Pram, &[Model::Slow]),
    // Under base a read need not see more than its source, so that the scope of
    // the arbitration does not matter.
    (grid(Guarantees::NONE, Scope::Read, false), &[Model::BASE]),
    (Model::Cache, &[Model::Slow]),
    (Model::Processor, &[Model::Pram, Model::Cache]),
    // What a read has seen comes before what its process writes later, or a read would
    // see what it causes. So the order keeps causes.
    (Model::PrefixMonotonic, &[grid(ALL_BUT_RYW, Scope::Global, false), Model::Prefix]),
    // All that the reads of a process ask of its own writes is that they keep their order
    // and come before writes of others. So the orders of its reads fit together.
    (grid(RYW_MW, Scope::Read, false), &[grid(RYW_MW, Scope::Session, false)]),
    // A read answers a write of the same stretch between two quiet instants, or else the
    // last one before it. So every stretch has an order: first the reads of what was
    // there before it, then the writes in their order, each with its reads.
    (
        Model::Regular,
        &[grid(RYW_MW, Scope::Global, false), Model::RegularWeak, Model::Safe, Model::Quiescent],
    ),
    (Model::RegularWeak, &[grid(RYW_MW, Scope::Read, false), Model::PrefixRealTime]),
    (Model::PrefixRealTime, &[Model::Prefix]),
    (Model::EventualRealTime, &[MW_WFR_EV, Model::PrefixRealTime]),
];

/// Models that allow the same histories.
static EQUAL: [Model; 5] = [
    Model::BASE,
    grid(Guarantees::MW, Scope::Global, false),
    grid(Guarantees::WFR, Scope::Global, false),
    grid(MW_WFR, Scope::Global, false),
    Model::Prefix,
];

/// Edges into models of eventual visibility, for histories in which every
/// write returned before the first read at quiescence was invoked.
static QUIET_EDGES: [Edge; 3] = [
    (Model::Linearizable, &[CCV_EV, Model::EventualRealTime]),
    (Model::Regular, &[grid(RYW_MW, Scope::Global, true)]),
    (Model::RegularWeak, &[grid(RYW_MW, Scope::Read, true)]),
];

/// The 30 models that are nodes of the lattice: the named points of the grid,
/// then the other models, each in the order of their table.
pub fn nodes() -> impl Iterator<Item = Model> {
    let placed = |model: &Model| *model != Model::Quiescent;
    let others = super::other::OTHERS.iter().map(|other| other.model).filter(placed);
    NAMED.iter().map(|named| Model::Grid(named.grid)).chain(others)
}

/// Whether every history that `stronger` allows is allowed by `weaker`.
///
/// `quiet`: every write of the history returned before the first read at
/// quiescence was invoked (true where there is no such read).
pub fn implies(stronger: Model, weaker: Model, quiet: bool) -> bool {
    let mut seen = vec![stronger];
    let mut next = 0;
    while let Some(&model) = seen.get(next) {
        next += 1;
        if below(model, weaker) {
            return true;
        }
        let equal = EQUAL.iter().filter(|_| EQUAL.contains(&model));
        let along = |edges: &'static [Edge]| {
            edges.iter().filter(move |(from, _)| below(model, *from)).flat_map(|(_, to)| *to)
        };
        let late = along(if quiet { &QUIET_EDGES } else { &[] });
        for &model in equal.chain(along(&EDGES)).chain(late) {
            if !seen.contains(&model) {
                seen.push(model);
            }
        }
    }
    false
}

/// Whether every operation that may change something returned before the first read at
/// quiescence began.
pub fn is_quiet(history: &History) -> bool {
    let operations = history.operations();
    let finals = operations.iter().filter(|op| op.final_read && op.answer().is_some());
    let Some(first) = finals.map(|op| op.invoked).min() else { return true };
    operations.iter().filter(|op| !op.call.is_read()).all(|op| match op.completion {
        Completion::Ok(_) => op.returned.is_some_and(|returned| returned < first),
        Completion::Fail => true,
        Completion::Info => false,
    })
}

/// Whether one model implies the other by the values that they ask.
fn below(stronger: Model, weaker: Model) -> bool {
    match (stronger, weaker) {
        (Model::Grid(one), Model::Grid(other)) => {
            one.asks(other.guarantees)
                && one.scope <= other.scope
                && (one.eventual || !other.eventual)
        }
        (Model::KAtomic(k), Model::KAtomic(more)) => k <= more,
        (Model::Linearizable, Model::KAtomic(_) | Model::DeltaAtomic(_)) => true,
        // No read returns before its source is invoked, so causes have no
        // cycle. (With Δ > 0 session order does not count, and a process may
        // write what it read at the same instant.)
        (Model::KAtomic(_) | Model::DeltaAtomic(0), Model::Grid(_)) => is_base(weaker),
        (Model::DeltaAtomic(delta), Model::DeltaAtomic(more)) => delta <= more,
        _ => stronger == weaker,
    }
}

fn is_base(model: Model) -> bool {
    matches!(model, Model::Grid(Grid { guarantees: Guarantees::NONE, eventual: false, .. }))
}

/// The nearest models of the lattice above this one (they imply it) and below
/// it (it implies them). A model equal to this one is in both lists.
pub fn neighbours(model: Model) -> (Vec<Model>, Vec<Model>) {
    let all: Vec<Model> = nodes().chain([Model::Quiescent]).filter(|node| *node != model).collect();
    let above = all.iter().copied().filter(|node| implies(*node, model, true));
    let below = all.iter().copied().filter(|node| implies(model, *node, true));
    let (above, below): (Vec<_>, Vec<_>) = (above.collect(), below.collect());
    let nearest = |list: &[Model], upward: bool| {
        let between = |node: Model, other: Model| {
            let (far, near) = if upward { (node, other) } else { (other, node) };
            other != node && implies(far, near, true) && !implies(near, far, true)
        };
        let near = |node: &&Model| !list.iter().any(|other| between(**node, *other));
        list.iter().filter(near).copied().collect::<Vec<_>>()
    };
    (nearest(&above, true), nearest(&below, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_30_models_have_27_classes_and_as_many_implications_as_counted_by_hand() {
        let nodes: Vec<Model> = nodes().collect();
        assert_eq!(nodes.len(), 30);
        let equal = |a: Model, b: Model| implies(a, b, true) && implies(b, a, true);
        let mut classes: Vec<Model> = Vec::new();
        for node in nodes {
            if !classes.iter().any(|class| equal(*class, node)) {
                classes.push(node);
            }
        }
        assert_eq!(classes.len(), 27);
        let count = |quiet: bool| {
            let pairs = classes.iter().flat_map(|a| classes.iter().map(move |b| (*a, *b)));
            pairs.filter(|(a, b)| a != b && implies(*a, *b, quiet)).count()
        };
        assert_eq!(count(false), 111);
        assert_eq!(count(true), 121);
    }

    #[test]
    fn neighbours_are_the_nearest() {
        let names = |list: Vec<Model>| list.into_iter().map(Model::name).collect::<Vec<_>>();
        let (above, below) = neighbours(Model::CAUSAL);
        assert_eq!(names(above), ["ccv_ev", "sequential"]);
        assert_eq!(names(below), ["mr_wfr", "sess3", "causal_s", "cache"]);
    }
}
