//! Caches in front of a store.

use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::cache::{Cache, Fills, First, Writes};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const PLAIN: Cache = Cache { writes: Writes::Around, fills: Fills::Leased, first: First::Store };

pub(super) fn family() -> Family {
    let (fifo, unordered) = (Setting::calm(3, Network::Fifo), Setting::calm(3, Network::Unordered));
    let with = |setting: &Setting, kind| setting.clone().with_faults(Faults::NONE.with(kind, 1));
    let variants = Variants::of(PLAIN)
        .parameter(
            "writes",
            "what caches are told of a write",
            [
                ("around", |it| it.writes = Writes::Around),
                ("through", |it| it.writes = Writes::Through),
            ],
        )
        .parameter(
            "fills",
            "which fetched values a cache keeps",
            [
                ("leased", |it| it.fills = Fills::Leased),
                ("versioned", |it| it.fills = Fills::Versioned),
                ("unchecked", |it| it.fills = Fills::Unchecked),
            ],
        )
        .parameter(
            "first",
            "which is changed first, the store or the caches",
            [("store", |it| it.first = First::Store), ("caches", |it| it.first = First::Caches)],
        );
    let about = "asynchronous: caches in front of a store";
    let stale = "a value that was fetched before a write fills the cache after the write was told, \
                 and stays";
    let early = "the caches are told before the store has the write, and fetch the old value again";
    let overtaken = "an update without a version is kept as it arrives, an older one after a newer";
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let versioned = "fills=versioned";
    Family::new("cache", about, &unordered, variants)
        .states(60_000)
        .sources("Nishtala et al. 2013 (Scaling Memcache at Facebook)")
        .keeps("", &with(&unordered, FaultKind::Crash), [eventual, ryw])
        .breaks("", &unordered, Model::Linearizable, Kind::Unexplained)
        .breaks("", &unordered, mr, Kind::Unexplained)
        .breaks("", &with(&unordered, FaultKind::Drop), eventual, Kind::Diverged)
        .keeps(versioned, &unordered, [eventual, ryw, mr])
        .keeps("writes=through", &fifo, [eventual, ryw, mr])
        .keeps("fills=versioned,writes=through", &unordered, [eventual, ryw, mr])
        .keeps("fills=unchecked", &fifo, [eventual])
        .mutant("fills=unchecked", stale, &unordered, eventual, Kind::Diverged)
        .mutant("first=caches", early, &unordered, eventual, Kind::Diverged)
        .mutant("writes=through", overtaken, &unordered, eventual, Kind::Diverged)
        .hint(
            "fills=unchecked",
            Kind::Diverged,
            "keep a fill only while its miss holds the lease",
            "quiescence check cache",
        )
}
