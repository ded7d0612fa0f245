//! Last-writer-wins registers that can be deleted.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Property;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::tombstones::{Collect, Tombstones};
use crate::world::{Network, Setting};

use super::family::Family;
use super::variants::Variants;

const EARLY: Bug = Bug {
    title: "a tombstone is collected while an older write is on its way, which comes back",
    story: "A delete leaves a tombstone so that older writes are recognised. It is \
               collected after a while, an older write arrives, and the deleted value is back. \
               Cassandra waits ten days, and a node that was away for longer brings data back.",
    source: "the documentation of Cassandra on gc_grace_seconds; scylladb issue 20916",
    repaired: "tombstones",
    keeps: &["ev_vis"],
    actions: 9,
};

const OVERTAKEN: Bug = Bug {
    title: "on links that are not FIFO an older write comes after the tombstone is gone",
    story: "All nodes have acknowledged the tombstone, so it is collected. On links that \
               are not FIFO an older write may still be on its way.",
    source: "Wuu & Bernstein 1984, who need to know that all others know",
    repaired: "tombstones",
    keeps: &["ev_vis"],
    actions: 12,
};

pub(super) fn family() -> Family {
    let (fifo, unordered) = (Setting::calm(3, Network::Fifo), Setting::calm(3, Network::Unordered));
    let variants = Variants::of(Tombstones { collect: Collect::Never }).parameter(
        "collect",
        "when a tombstone is collected",
        [
            ("never", |it| it.collect = Collect::Never),
            ("stable", |it| it.collect = Collect::Stable),
            ("time", |it| it.collect = Collect::Time),
        ],
    );
    let about = "asynchronous: last writer wins, deletes leave tombstones";
    Family::new("tombstones", about, &fifo, variants)
        .states(200_000)
        .sources("Johnson & Thomas 1975 (RFC 677); the grace period of Cassandra")
        .keeps("", &unordered, [Model::EVENTUAL])
        .keeps("", &unordered, [Property::StrongConvergence])
        .states(12_000)
        .keeps("collect=stable", &fifo, [Model::EVENTUAL])
        .states(40_000)
        .mutant("collect=time", EARLY, &fifo, Model::EVENTUAL, Kind::Diverged)
        .mutant("collect=stable", OVERTAKEN, &unordered, Model::EVENTUAL, Kind::Diverged)
        .hint(
            "collect=time",
            Kind::Diverged,
            "collect a tombstone when all hold it",
            "quiescence check tombstones:collect=stable",
        )
}
