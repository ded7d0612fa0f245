//! Last-writer-wins registers that can be deleted.

use crate::hunt::property::Property;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::tombstones::{Collect, Tombstones};
use crate::world::{Network, Setting};

use super::family::Family;
use super::variants::Variants;

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
    let early = "a tombstone is collected while an older write is on its way, which comes back";
    let overtaken = "on links that are not FIFO an older write comes after the tombstone is gone";
    Family::new("tombstones", about, &fifo, variants)
        .states(200_000)
        .sources("Johnson & Thomas 1975 (RFC 677); the grace period of Cassandra")
        .keeps("", &unordered, [Model::EVENTUAL])
        .keeps("", &unordered, [Property::StrongConvergence])
        .keeps("collect=stable", &fifo, [Model::EVENTUAL])
        .mutant("collect=time", early, &fifo, Model::EVENTUAL, Kind::Diverged)
        .mutant("collect=stable", overtaken, &unordered, Model::EVENTUAL, Kind::Diverged)
        .hint(
            "collect=time",
            Kind::Diverged,
            "collect a tombstone when all hold it",
            "quiescence check tombstones:collect=stable",
        )
}
