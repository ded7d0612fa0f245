//! Synchronous primary-backup.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::primary_backup::{PrimaryBackup, Reads};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::bench::{Bench, Clients, Judged};
use super::family::Family;
use super::variants::Variants;

const EARLY: Bug = Bug {
    title: "a backup answers reads, and shows a write before another one has it",
    story: "One backup has the write and shows it, another one has not and answers the old \
               value to a read that begins later. Each read alone looks fine; together they \
               are new, then old.",
    source: "Budhiraja et al. 1993; jepsen.io/analyses/voltdb-6-3",
    repaired: "primary-backup",
    keeps: &["sequential", "ccv_ev", "regular", "eventual-rt"],
    actions: 7,
};

pub(super) fn family() -> Family {
    let fifo = Setting::calm(3, Network::Fifo);
    let one_crash = crashing(3);
    let cut = fifo.clone().with_faults(Faults::NONE.with(FaultKind::Cut, 1));
    let variants = Variants::of(PrimaryBackup { reads: Reads::Primary }).parameter(
        "reads",
        "which node answers reads",
        [("primary", |it| it.reads = Reads::Primary), ("local", |it| it.reads = Reads::Local)],
    );
    let about = "synchronous: a write is answered when every backup has it";
    let local = "reads=local";
    Family::new("primary-backup", about, &fifo, variants)
        .states(1_200_000)
        .sources("Alsberg & Day 1976; Budhiraja et al. 1993")
        .stands("", &one_crash, &[("answered", Flaw::Stuck)])
        .breaks("", &cut, Property::Available, Flaw::Stuck)
        .keeps(local, &fifo, [Model::EVENTUAL, Model::MONOTONIC_READS])
        .mutant(local, EARLY, &fifo, Model::Linearizable, Kind::Unexplained)
        .breaks(local, &fifo.roaming(), Model::MONOTONIC_READS, Kind::Unexplained)
}

fn crashing(nodes: u16) -> Setting {
    Setting::calm(nodes, Network::Fifo).with_faults(Faults::NONE.with(FaultKind::Crash, 1))
}

/// With one crash.
pub(super) const BENCH: Bench = Bench {
    word: "backup",
    clients: Clients::WritersAndReaders,
    subject: || Box::new(PrimaryBackup { reads: Reads::Primary }),
    setting: crashing,
    judged: Judged::Model(Model::Linearizable),
    patient: false,
};
