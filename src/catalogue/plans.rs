//! Plans that are carried out and cleaned up.

use crate::hunt::mutant::Bug;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::plans::{Applies, Cleanup, Plans};
use crate::world::{Network, Setting};

use super::family::Family;
use super::variants::Variants;

const OVER: Bug = Bug {
    title: "an enactor that is late applies its older plan over a newer one",
    story: "A plan was the newest one when the enactor took it. It is applied long after a \
            newer one, and nobody compares them again.",
    source: "the report of AWS on the disruption of DynamoDB in October 2025",
    repaired: "plans",
    keeps: &["eventual"],
    actions: 10,
};

const EMPTY: Bug = Bug {
    title: "a late enactor applies an old plan, and the cleanup behind a newer one deletes it \
            while it is in use",
    story: "One enactor applies the newest plan and has older ones cleaned up. Meanwhile \
            another one, which is late, applies an old plan over it. The cleanup deletes the \
            plan that is now in use, and lookups find nothing. This left the endpoint of \
            DynamoDB in one region without addresses in October 2025.",
    source: "the report of AWS on the disruption of DynamoDB in October 2025",
    repaired: "plans:cleanup=older",
    keeps: &["base"],
    actions: 10,
};

pub(super) fn family() -> Family {
    let calm = Setting::calm(3, Network::Fifo);
    let variants = Variants::of(Plans { applies: Applies::Newer, cleanup: Cleanup::Unused })
        .parameter(
            "applies",
            "which plans replace the plan in use: newer ones, or any that was handed out",
            [
                ("newer", |it| it.applies = Applies::Newer),
                ("given", |it| it.applies = Applies::Given),
            ],
        )
        .parameter(
            "cleanup",
            "which plans are cleaned up: older ones that are not in use, or all older ones",
            [
                ("unused", |it| it.cleanup = Cleanup::Unused),
                ("older", |it| it.cleanup = Cleanup::Older),
            ],
        );
    let about = "asynchronous: enactors carry out plans and clean up behind them";
    let (eventual, in_time) = (Model::EVENTUAL, Model::EventualRealTime);
    Family::new("plans", about, &calm, variants)
        .states(20_000)
        .sources("the report of AWS on the disruption of DynamoDB in October 2025")
        .keeps("", &calm, [eventual, in_time, Model::MONOTONIC_READS])
        .keeps("", &Setting::calm(3, Network::Unordered), [in_time])
        .breaks("", &calm, Model::READ_YOUR_WRITES, Kind::Unexplained)
        .keeps("cleanup=older", &calm, [in_time])
        .mutant("applies=given", OVER, &calm, in_time, Kind::Unexplained)
        .mutant("applies=given,cleanup=older", EMPTY, &calm, eventual, Kind::Lost)
        .hint(
            "applies=given,cleanup=older",
            Kind::Lost,
            "compare plans when they are applied",
            "quiescence check plans:cleanup=older",
        )
}
