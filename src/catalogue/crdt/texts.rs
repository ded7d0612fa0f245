//! Texts, replicated by sending the effects of inserts and deletes.

use crate::catalogue::family::Family;
use crate::catalogue::variants::Variants;
use crate::hunt::mutant::Bug;
use crate::judgement::{Kind, Model};
use crate::replication::crdt::operation_based::indexed_text::IndexedText;
use crate::replication::crdt::operation_based::text::fractional::Fractional;
use crate::replication::crdt::operation_based::text::fugue::Fugue;
use crate::replication::crdt::operation_based::text::rga::{First, Rga};
use crate::replication::crdt::operation_based::text::{Asked, Placement, Text};
use crate::replication::crdt::operation_based::{Delivery, OperationBased};
use crate::world::FaultKind;

use super::{convergent, nodes, with};

/// The most states of a search where all promises are checked: there are several texts,
/// which are searched alike.
const STATES: u64 = 6_000;

const TOGETHER: &str = "asked=together";

const MISPLACED: Bug = Bug {
    title: "of the elements with the same left neighbour the oldest comes first: a new \
               element does not stand where it was inserted",
    story: "Somebody types a letter between two others, and it appears behind one that was \
               there before. RGA puts the newest of several elements with one left neighbour \
               first, so that what is typed stands where the cursor was.",
    source: "Roh, Jeon, Kim & Lee 2011",
    repaired: "rga",
    keeps: &["strong-convergence", "durable"],
    actions: 4,
};

const MOVED: Bug = Bug {
    title: "an element is put at the position that its author named, though its neighbours \
               have moved meanwhile",
    story: "Two authors edit the same text. One inserts at the beginning, and the position \
               that the other one sends means another place now. It is the puzzle that \
               operational transformation began with.",
    source: "Ellis & Gibbs 1989",
    repaired: "fugue",
    keeps: &["durable"],
    actions: 4,
};

fn family<P: Placement>(
    name: &'static str,
    about: &'static str,
    sources: &'static str,
    (placement, more): (
        P,
        impl FnOnce(Variants<OperationBased<Text<P>>>) -> Variants<OperationBased<Text<P>>>,
    ),
) -> Family {
    let operations = Text { placement, asked: Asked::Order };
    let plain = OperationBased { operations, delivery: Delivery::Causal, dedup: true };
    let variants = Variants::of(plain)
        .parameter(
            "asked",
            "whether also what was typed in one go has to stay together",
            [
                ("order", |it| it.operations.asked = Asked::Order),
                ("together", |it| it.operations.asked = Asked::Together),
            ],
        )
        .parameter(
            "delivery",
            "when effects are applied",
            [
                ("causal", |it| it.delivery = Delivery::Causal),
                ("raw", |it| it.delivery = Delivery::Raw),
            ],
        );
    Family::new(name, about, &nodes(2), more(variants))
        .sources(sources)
        .states(STATES)
        .keeps("", &nodes(2), convergent())
        .keeps("", &with(&nodes(2), FaultKind::Duplicate), [Model::EVENTUAL])
}

/// All of them, in the order in which they are listed.
pub(in crate::catalogue) fn families() -> Vec<Family> {
    vec![rga(), fugue(), fractional(), indexed()]
}

fn rga() -> Family {
    let first = |variants: Variants<OperationBased<Text<Rga>>>| {
        variants.parameter(
            "first",
            "which of the elements with the same left neighbour comes first",
            [
                ("newest", |it| it.operations.placement.first = First::Newest),
                ("oldest", |it| it.operations.placement.first = First::Oldest),
            ],
        )
    };
    let about =
        "operation-based: a text; each element is placed to the right of its left neighbour";
    let sources = "Roh, Jeon, Kim & Lee 2011; Attiya et al. 2016";
    family("rga", about, sources, (Rga { first: First::Newest }, first))
        .mutant("first=oldest", MISPLACED, &nodes(2), Model::EVENTUAL, Kind::Illegal)
        .breaks(TOGETHER, &nodes(2), Model::EVENTUAL, Kind::Illegal)
        .hint(
            TOGETHER,
            Kind::Illegal,
            "let what is typed backward be a branch of its own",
            "quiescence check fugue:asked=together",
        )
}

fn fugue() -> Family {
    let about = "operation-based: a text; what is typed in one go is a branch of a tree";
    family("fugue", about, "Weidner & Kleppmann 2023", (Fugue, |variants| variants)).keeps(
        TOGETHER,
        &nodes(2),
        [Model::EVENTUAL],
    )
}

fn fractional() -> Family {
    let about = "operation-based: a text; each element has an identifier between two others";
    family("fractional-text", about, "Weiss, Urso & Molli 2009", (Fractional, |variants| variants))
        .breaks(TOGETHER, &nodes(2), Model::EVENTUAL, Kind::Illegal)
        .hint(
            TOGETHER,
            Kind::Illegal,
            "authors who type at the same place choose identifiers from the same interval: let \
             what is typed in one go be a branch of its own",
            "quiescence check fugue:asked=together",
        )
}

fn indexed() -> Family {
    let plain = OperationBased { operations: IndexedText, delivery: Delivery::Causal, dedup: true };
    let about = "operation-based: positions are sent as they are, which is wrong";
    Family::new("indexed-text", about, &nodes(2), Variants::of(plain))
        .sources("Ellis & Gibbs 1989")
        .states(STATES)
        .mutant("", MOVED, &nodes(2), Model::EVENTUAL, Kind::Illegal)
}
