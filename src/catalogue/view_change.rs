//! Primary-backup with views.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::view_change::{
    Acknowledges, Compares, Counts, Fencing, Reads, Retries, ViewChange,
};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const SPLIT: Bug = Bug {
    title: "a primary that was replaced goes on, and others listen to it",
    story: "Nobody looks at views. The old primary still finds a majority for its writes \
            beside the new one, and what one of them has answered is gone when the other \
            is asked. RethinkDB 2.2 could get there when its cluster was reconfigured.",
    source: "Oki & Liskov 1988; jepsen.io/analyses/rethinkdb-2-2-3-reconfiguration",
    repaired: "view-change",
    keeps: &["prefix_rt"],
    actions: 11,
};

const DEPOSED: Bug = Bug {
    title: "a primary that was replaced, and does not know it, answers reads",
    story: "A new primary has answered a write. The one before it has not heard of the new \
            view, and answers a read from what it has. VoltDB and RethinkDB served such \
            reads.",
    source: "jepsen.io/analyses/voltdb-6-3; Liskov & Cowling 2012, section 6",
    repaired: "view-change",
    keeps: &["eventual", "durable", "prefix_rt"],
    actions: 14,
};

const LATE: Bug = Bug {
    title: "a late acknowledgement of one write counts for the next",
    story: "The second backup acknowledges the first write when the primary already waits \
            for the second. The primary counts it, and answers a write that nobody else \
            has.",
    source: "Oki & Liskov 1988, which numbers acknowledgements",
    repaired: "view-change",
    keeps: &["prefix_rt"],
    actions: 16,
};

const LENGTHS: Bug = Bug {
    title: "logs are compared by their lengths, not by their views",
    story: "The old primary has an entry that nobody else has. The new one puts another \
            entry at the same place. The logs are of the same length, so the old one keeps \
            its own. Kafka truncated without looking at epochs until version 0.11.",
    source: "KIP-101",
    repaired: "view-change",
    keeps: &["linearizable", "durable"],
    actions: 11,
};

const TWICE: Bug = Bug {
    title: "a request that was asked before is done again",
    story: "The client asks again, gets the answer to its first request, and writes \
            something else. Then the second request arrives and is done as well. Aerospike \
            could apply a write twice when it sent it again.",
    source: "Liskov & Cowling 2012, section 4, on the client table",
    repaired: "view-change",
    keeps: &["eventual", "durable", "ryw", "prefix_rt"],
    actions: 10,
};

const FORGETFUL: Bug = Bug {
    title: "a node acknowledges from memory, and forgets in a crash",
    story: "A majority has acknowledged a write, one of them crashes and comes back empty. \
            It joins a new view with one that never had the write. Viewstamped Replication \
            without disks needs its recovery protocol for this.",
    source: "Liskov & Cowling 2012, section 4.3",
    repaired: "view-change",
    keeps: &["prefix_rt"],
    actions: 12,
};

fn with(kinds: &[FaultKind]) -> Setting {
    Setting::calm(3, Network::Fifo).with_faults(Faults::once(kinds))
}

pub(super) fn family() -> Family {
    let promoted = with(&[FaultKind::Operator]);
    let crashed = with(&[FaultKind::Crash]);
    let retried = Setting { nodes: 2, ..with(&[FaultKind::Retry]) };
    let of_two = Setting { nodes: 2, ..with(&[]) };
    let one_log = || Property::AtQuiescence("one-log-a-view".to_owned());
    let linearizable = Model::Linearizable;
    let (durable, unexplained) = (Property::Durable, Kind::Unexplained);
    let about = "synchronous: primary-backup with views, which an operator changes";
    Family::new("view-change", about, &with(&[]), variants())
        .states(35_000)
        .sources("Oki & Liskov 1988; Liskov & Cowling 2012 (Viewstamped Replication)")
        .stands("", &promoted, &[])
        .keeps("", &promoted, [one_log()])
        .keeps("", &crashed, [Property::Durable])
        .keeps("", &retried, [linearizable])
        .keeps("acknowledges=applied", &of_two, [linearizable])
        .keeps("acknowledges=applied", &with(&[]), [Model::EVENTUAL, Model::MONOTONIC_READS])
        .breaks("acknowledges=applied", &with(&[]), Model::READ_YOUR_WRITES, unexplained)
        .mutant("fencing=none", SPLIT, &promoted, linearizable, unexplained)
        .mutant("reads=local", DEPOSED, &promoted, linearizable, unexplained)
        .mutant("counts=latest", LATE, &promoted, durable.clone(), Flaw::LostWrite)
        .mutant("compares=lengths", LENGTHS, &promoted, one_log(), Flaw::Broken)
        .mutant("retries=applied", TWICE, &retried, linearizable, unexplained)
        .mutant("acknowledges=received", FORGETFUL, &crashed, durable, Flaw::LostWrite)
}

fn variants() -> Variants<ViewChange> {
    let plain = ViewChange {
        fencing: Fencing::Views,
        reads: Reads::Confirmed,
        counts: Counts::Positions,
        compares: Compares::Views,
        retries: Retries::Recognised,
        acknowledges: Acknowledges::Flushed,
    };
    Variants::of(plain)
        .parameter(
            "fencing",
            "whether nodes stop listening to earlier views",
            [
                ("views", |it| it.fencing = Fencing::Views),
                ("none", |it| it.fencing = Fencing::None),
            ],
        )
        .parameter(
            "reads",
            "when a read is answered: when a majority has acknowledged it, or at once",
            [
                ("confirmed", |it| it.reads = Reads::Confirmed),
                ("local", |it| it.reads = Reads::Local),
            ],
        )
        .parameter(
            "counts",
            "what an acknowledgement stands for: the place that it names, or the latest",
            [
                ("positions", |it| it.counts = Counts::Positions),
                ("latest", |it| it.counts = Counts::Latest),
            ],
        )
        .parameter(
            "compares",
            "by what logs are compared: by their views first, or by their lengths alone",
            [
                ("views", |it| it.compares = Compares::Views),
                ("lengths", |it| it.compares = Compares::Lengths),
            ],
        )
        .parameter(
            "retries",
            "what is done with a request that was asked before",
            [
                ("recognised", |it| it.retries = Retries::Recognised),
                ("applied", |it| it.retries = Retries::Applied),
            ],
        )
        .parameter(
            "acknowledges",
            "what a node has done with its log when it acknowledges: it is on disk, or in \
             memory, or applied, so that reads are answered from it",
            [
                ("flushed", |it| it.acknowledges = Acknowledges::Flushed),
                ("received", |it| it.acknowledges = Acknowledges::Received),
                ("applied", |it| it.acknowledges = Acknowledges::Applied),
            ],
        )
}
