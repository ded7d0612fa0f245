//! The register on a majority.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::abd::{Abd, WriteBack};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::bench::{self, Bench, Clients, Judged};
use super::family::Family;
use super::variants::Variants;

const FLICKERS: Bug = Bug {
    title: "a read answers before a majority has what it saw, and a later read may miss it",
    story: "One reader asks a majority that has a write in progress, the next one a \
               majority that has not: new, then old. The read has to store what it answers \
               first. Cassandra had the same without blocking read repair.",
    source: "Attiya, Bar-Noy & Dolev 1995; CASSANDRA-14635",
    repaired: "abd",
    keeps: &["regular", "eventual-rt"],
    actions: 19,
};

pub(super) fn family() -> Family {
    let unordered = Setting::calm(3, Network::Unordered);
    let roaming = unordered.clone().roaming();
    let split = unordered.clone().with_faults(Faults::NONE.with(FaultKind::Partition, 1));
    let mess = Faults::NONE
        .with(FaultKind::Drop, 1)
        .with(FaultKind::Duplicate, 1)
        .with(FaultKind::Crash, 1);
    let mess = roaming.clone().with_faults(mess);
    let variants = Variants::of(Abd { write_back: WriteBack::Always }).parameter(
        "write-back",
        "whether a read stores what it answers at a majority first",
        [
            ("always", |it| it.write_back = WriteBack::Always),
            ("never", |it| it.write_back = WriteBack::Never),
        ],
    );
    let about = "synchronous: a register on a majority, reads write back";
    let never = "write-back=never";
    Family::new("abd", about, &unordered, variants)
        .states(140_000)
        .sources("Attiya, Bar-Noy & Dolev 1995; Lynch & Shvartsman 1997 for several writers")
        .stands("", &mess, &[])
        .breaks("", &split, Property::Available, Flaw::Stuck)
        .keeps(never, &roaming, [Model::EVENTUAL])
        .mutant(never, FLICKERS, &roaming, Model::Linearizable, Kind::Unexplained)
}

/// Timers wait until nothing is in flight: on a network that loses nothing,
/// whatever they send earlier is redundant.
pub(super) const BENCH: Bench = Bench {
    word: "abd",
    clients: Clients::WritersAndReaders,
    subject: || Box::new(Abd { write_back: WriteBack::Always }),
    setting: bench::setting,
    judged: Judged::Model(Model::Linearizable),
    patient: true,
};
