//! Chain replication, plain and with reads at every node.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::members::Spares;
use crate::replication::synchronous::chain::{Answers, Chain, Reads};
use crate::replication::synchronous::craq::{Craq, Dirty, Joins, Places};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const AHEAD: Bug = Bug {
    title: "a node before the tail answers reads, and shows a write that the tail has not",
    story: "A write that is still on its way down the chain is shown by a node in the \
               middle; a session that reads at the tail next does not find it. VoltDB showed \
               such reads where a replica answered by itself.",
    source: "van Renesse & Schneider 2004; jepsen.io/analyses/voltdb-6-3",
    repaired: "chain",
    keeps: &["regular", "eventual-rt"],
    actions: 5,
};

const EARLY: Bug = Bug {
    title: "the head answers a write, which a read at the tail then misses",
    story: "The head answers as soon as it has the write. The client reads at the tail, and \
               the write is not there yet.",
    source: "van Renesse & Schneider 2004",
    repaired: "chain",
    keeps: &["prefix_mr", "eventual-rt"],
    actions: 4,
};

const SHOWN: Bug = Bug {
    title: "a node answers a version that is not committed, and a later read misses it",
    story: "A node that has a write which is not committed yet answers with it. The next \
               read is answered by a node further down, which has the older value. The paper \
               offers this as a mode for those who ask for eventual consistency only.",
    source: "Terrace & Freedman 2009, section 2.4",
    repaired: "craq",
    keeps: &["regular", "eventual-rt"],
    actions: 7,
};

const REORDERED: Bug = Bug {
    title: "a node takes entries as they arrive, and the order of its log is not that of \
               the head",
    story: "Two writes change places on a link that is not FIFO, and a node numbers them as \
               they come. Its last value is not that of the others, and nobody compares them \
               again.",
    source: "van Renesse & Schneider 2004, which asks for FIFO links",
    repaired: "craq",
    keeps: &["ev_vis"],
    actions: 9,
};

const EMPTY: Bug = Bug {
    title: "a node that joins answers reads before it has the log",
    story: "The operator adds a node at the end of the chain. It is the tail as soon as it has \
               asked, and answers what it does not have yet. The papers let the old tail go on \
               until the new one has everything.",
    source: "van Renesse & Schneider 2004, section 3, on extending a chain; Terrace & Freedman \
             2009, section 3.3",
    repaired: "craq:spares=one",
    keeps: &["prefix_rt", "eventual-rt", "durable", "answered"],
    actions: 12,
};

fn crashing() -> Setting {
    let one = Faults::NONE.with(FaultKind::Crash, 1);
    Setting::calm(3, Network::Fifo).roaming().with_faults(one)
}

/// Chain replication.
pub(super) fn chain() -> Family {
    let roaming = Setting::calm(3, Network::Fifo).roaming();
    let cut = roaming.clone().with_faults(Faults::NONE.with(FaultKind::Cut, 1));
    let variants = Variants::of(Chain { reads: Reads::Tail, answers: Answers::Tail })
        .parameter(
            "reads",
            "which node answers reads",
            [("tail", |it| it.reads = Reads::Tail), ("local", |it| it.reads = Reads::Local)],
        )
        .parameter(
            "answers",
            "which node answers writes",
            [("tail", |it| it.answers = Answers::Tail), ("head", |it| it.answers = Answers::Head)],
        );
    let about = "synchronous: a write goes down a chain of nodes, the last one answers";
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    Family::new("chain", about, &roaming, variants)
        .states(30_000)
        .sources("van Renesse & Schneider 2004")
        .stands("", &crashing(), &[("answered", Flaw::Stuck)])
        .breaks("", &cut, Property::Available, Flaw::Stuck)
        .keeps("reads=local", &roaming, [eventual, ryw])
        .mutant("reads=local", AHEAD, &roaming, mr, Kind::Unexplained)
        .keeps("answers=head", &roaming, [eventual, mr])
        .mutant("answers=head", EARLY, &roaming, ryw, Kind::Unexplained)
}

/// Chain replication with apportioned queries.
pub(super) fn craq() -> Family {
    let roaming = Setting::calm(3, Network::Fifo).roaming();
    let unordered = Setting::calm(3, Network::Unordered).roaming();
    let of = |faults: Faults| roaming.clone().with_faults(faults);
    let changed = of(Faults::NONE.with(FaultKind::Operator, 1));
    let twice = of(Faults::NONE.with(FaultKind::Operator, 2));
    let changed_and_crashed = of(Faults::once(&[FaultKind::Operator, FaultKind::Crash]));
    let plain = Craq {
        dirty: Dirty::Asked,
        places: Places::Checked,
        spares: Spares::None,
        joins: Joins::CaughtUp,
    };
    let variants = Variants::of(plain)
        .parameter(
            "dirty",
            "what is answered where a write is still on its way to the tail",
            [
                ("asked", |it| it.dirty = Dirty::Asked),
                ("shown", |it| it.dirty = Dirty::Shown),
                ("hidden", |it| it.dirty = Dirty::Hidden),
            ],
        )
        .parameter(
            "places",
            "what a node does with an entry that is not the next one",
            [
                ("checked", |it| it.places = Places::Checked),
                ("ignored", |it| it.places = Places::Ignored),
            ],
        )
        .parameter(
            "spares",
            "whether the last node waits until it is told to join",
            [("none", |it| it.spares = Spares::None), ("one", |it| it.spares = Spares::One)],
        )
        .parameter(
            "joins",
            "when a node that joins is in the chain: when it has the log of the tail, or at once",
            [
                ("caught-up", |it| it.joins = Joins::CaughtUp),
                ("at-once", |it| it.joins = Joins::AtOnce),
            ],
        );
    let about = "synchronous: a chain of nodes, each of which answers reads";
    let agree = Property::Always("committed-agree".to_owned());
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    Family::new("craq", about, &roaming, variants)
        .states(60_000)
        .sources("Terrace & Freedman 2009")
        .stands("", &crashing(), &[("answered", Flaw::Stuck)])
        .keeps("", &unordered, [Property::Model(Model::Linearizable), agree.clone()])
        .stands("", &changed, &[])
        .states(100_000)
        .keeps("", &twice, [Model::Linearizable])
        .stands("spares=one", &changed, &[])
        .keeps("spares=one", &twice, [Model::Linearizable])
        .states(300_000)
        .keeps(
            "",
            &changed_and_crashed,
            [Property::Model(Model::Linearizable), Property::Durable, agree.clone()],
        )
        .keeps("spares=one", &changed_and_crashed, [Property::Model(Model::Linearizable), agree])
        .states(60_000)
        .keeps("dirty=hidden", &roaming, [eventual])
        .breaks("dirty=hidden", &roaming, ryw, Kind::Unexplained)
        .keeps("dirty=shown", &roaming, [eventual, ryw])
        .mutant("dirty=shown", SHOWN, &roaming, mr, Kind::Unexplained)
        .mutant("places=ignored", REORDERED, &unordered, eventual, Kind::Diverged)
        .mutant("joins=at-once,spares=one", EMPTY, &changed, ryw, Kind::Unexplained)
}
