//! Types that are replicated by sending the effects of updates.

use crate::catalogue::family::Family;
use crate::catalogue::variants::Variants;
use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::crdt::operation_based::counter::Counter;
use crate::replication::crdt::operation_based::or_set::OrSet;
use crate::replication::crdt::operation_based::{Delivery, OperationBased, Operations};
use crate::replication::crdt::or_set::Removes;
use crate::world::FaultKind;

use super::{STATES, convergent, nodes, with};

const AGAIN: Bug = Bug {
    title: "an effect that arrives twice is applied twice",
    story: "An effect arrives twice and is applied twice: one node has counted 1, the other \
               2. DefraDB counted retransmitted updates twice.",
    source: "Shapiro et al. 2011; defradb issue 2179",
    repaired: "op-counter",
    keeps: &["durable"],
    actions: 4,
};

const EARLY: Bug = Bug {
    title: "a remove may be applied before the add that it removes, which then stays",
    story: "A node adds an element, another one has seen that and removes it. At a third \
               node the remove comes first, finds nothing, and the add stays. CRDT-Redis had \
               this until delivery became causal.",
    source: "Shapiro et al. 2011; CRDT-Redis issue 2",
    repaired: "op-set",
    keeps: &["ryw", "durable"],
    actions: 4,
};

const BY_VALUE: Bug = Bug {
    title: "a remove takes away whatever adds of the element are there, unseen ones too",
    story: "Each node removes every add of the element that it happens to have. Two nodes \
               have different adds, so the same remove leaves different sets.",
    source: "Shapiro et al. 2011, where a remove names the adds that it has seen",
    repaired: "op-set",
    keeps: &["durable"],
    actions: 4,
};

fn family<T: Operations>(
    name: &'static str,
    about: &'static str,
    variants: Variants<OperationBased<T>>,
) -> Family {
    let twice = with(&nodes(2), FaultKind::Duplicate);
    let variants = variants
        .parameter(
            "delivery",
            "when effects are applied",
            [
                ("causal", |it| it.delivery = Delivery::Causal),
                ("fifo", |it| it.delivery = Delivery::Fifo),
                ("raw", |it| it.delivery = Delivery::Raw),
            ],
        )
        .parameter(
            "dedup",
            "whether an effect that arrives again is dropped",
            [("on", |it| it.dedup = true), ("off", |it| it.dedup = false)],
        );
    Family::new(name, about, &nodes(3), variants)
        .sources("Shapiro, Preguiça, Baquero & Zawirski 2011; Birman, Schiper & Stephenson 1991")
        .states(STATES)
        .keeps("", &nodes(3), convergent())
        .keeps("", &twice, [Model::EVENTUAL])
        .keeps("", &with(&nodes(2), FaultKind::Cut), [Property::Available])
}

/// All of them, in the order in which they are listed.
pub(in crate::catalogue) fn families() -> Vec<Family> {
    vec![counter(), or_set()]
}

fn counter() -> Family {
    let plain = OperationBased { operations: Counter, delivery: Delivery::Causal, dedup: true };
    let twice = with(&nodes(2), FaultKind::Duplicate);
    family("op-counter", "operation-based: a counter", Variants::of(plain))
        .keeps("delivery=raw", &nodes(3), [Model::EVENTUAL])
        .keeps("delivery=raw", &twice, [Model::EVENTUAL])
        .mutant("dedup=off", AGAIN, &twice, Property::StrongConvergence, Flaw::Disagreed)
}

fn or_set() -> Family {
    let operations = OrSet { removes: Removes::Tags };
    let plain = OperationBased { operations, delivery: Delivery::Causal, dedup: true };
    let variants = Variants::of(plain).parameter(
        "removes",
        "what a remove takes away",
        [
            ("tags", |it| it.operations.removes = Removes::Tags),
            ("value", |it| it.operations.removes = Removes::Value),
        ],
    );
    family("op-set", "operation-based: an observed-remove set", variants)
        .mutant("delivery=raw", EARLY, &nodes(2), Model::EVENTUAL, Kind::Diverged)
        .mutant(
            "delivery=fifo",
            Bug { actions: 6, ..EARLY },
            &nodes(3),
            Model::EVENTUAL,
            Kind::Diverged,
        )
        .mutant("removes=value", BY_VALUE, &nodes(2), Model::EVENTUAL, Kind::Diverged)
}
