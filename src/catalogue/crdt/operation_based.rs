//! Types that are replicated by sending the effects of updates.

use crate::catalogue::family::Family;
use crate::catalogue::variants::Variants;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::crdt::operation_based::counter::Counter;
use crate::replication::crdt::operation_based::or_set::OrSet;
use crate::replication::crdt::operation_based::{Delivery, OperationBased, Operations};
use crate::replication::crdt::or_set::Removes;
use crate::world::FaultKind;

use super::{STATES, convergent, nodes, with};

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
}

/// All of them, in the order in which they are listed.
pub(in crate::catalogue) fn families() -> Vec<Family> {
    vec![counter(), or_set()]
}

fn counter() -> Family {
    let plain = OperationBased { operations: Counter, delivery: Delivery::Causal, dedup: true };
    let twice = with(&nodes(2), FaultKind::Duplicate);
    let again = "an effect that arrives twice is applied twice";
    family("op-counter", "operation-based: a counter", Variants::of(plain))
        .keeps("delivery=raw", &nodes(3), [Model::EVENTUAL])
        .keeps("delivery=raw", &twice, [Model::EVENTUAL])
        .mutant("dedup=off", again, &twice, Property::StrongConvergence, Flaw::Disagreed)
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
    let early = "a remove may be applied before the add that it removes, which then stays";
    let by_value = "a remove takes away whatever adds of the element are there, unseen ones too";
    family("op-set", "operation-based: an observed-remove set", variants)
        .mutant("delivery=raw", early, &nodes(2), Model::EVENTUAL, Kind::Diverged)
        .mutant("delivery=fifo", early, &nodes(3), Model::EVENTUAL, Kind::Diverged)
        .mutant("removes=value", by_value, &nodes(2), Model::EVENTUAL, Kind::Diverged)
}
