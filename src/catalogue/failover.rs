//! An asynchronous primary that an operator replaces.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::failover::{Answers, Failover, Fencing};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const SPLIT: Bug = Bug {
    title: "the old primary goes on beside the new one: split brain",
    story: "The operator promotes another node while the old primary is only out of sight. \
               Both accept writes. In October 2018 a partition of 43 seconds did this to \
               GitHub, and repairing it took a day.",
    source: "Gray & Cheriton 1989; the report of GitHub on 21 October 2018",
    repaired: "abd",
    keeps: &["ev_vis", "mr_wfr"],
    actions: 12,
};

const EARLY: Bug = Bug {
    title: "a write is answered and sent before the disk has it, and a crash forgets it",
    story: "The write is acknowledged, then the process dies before the disk has it. NATS \
               JetStream flushed every two minutes by default.",
    source: "nats-server issue 7564",
    repaired: "failover",
    keeps: &["strong-convergence"],
    actions: 7,
};

/// Two nodes, FIFO links, and one of each of these faults.
fn with(kinds: &[FaultKind]) -> Setting {
    Setting::calm(2, Network::Fifo).with_faults(Faults::once(kinds))
}

pub(super) fn family() -> Family {
    let promoted = with(&[FaultKind::Operator]);
    let crashed = with(&[FaultKind::Crash]);
    let lying = with(&[FaultKind::Crash, FaultKind::LostFlush]);
    let killed = with(&[FaultKind::Kill]);
    let usual = Failover { fencing: Fencing::Epochs, answers: Answers::Flushed };
    let variants = Variants::of(usual)
        .parameter(
            "fencing",
            "whether nodes look at epochs",
            [
                ("epochs", |it| it.fencing = Fencing::Epochs),
                ("none", |it| it.fencing = Fencing::None),
            ],
        )
        .parameter(
            "answers",
            "when a write is answered and sent on: after the disk has it, or at once",
            [
                ("flushed", |it| it.answers = Answers::Flushed),
                ("received", |it| it.answers = Answers::Received),
            ],
        );
    let about = "asynchronous: a primary with a disk, replaced by an operator";
    Family::new("failover", about, &promoted, variants)
        .states(60_000)
        .sources("Gray & Cheriton 1989; Burrows 2006 for fencing by epochs")
        .stands(
            "",
            &promoted,
            &[
                ("read-your-writes", UNEXPLAINED),
                ("monotonic-reads", UNEXPLAINED),
                ("causal", UNEXPLAINED),
                ("eventual", Flaw::History(Kind::Lost)),
                ("eventual-rt", UNEXPLAINED),
                ("linearizable", UNEXPLAINED),
                ("durable", Flaw::LostWrite),
            ],
        )
        .keeps("", &crashed, [Property::Model(Model::EVENTUAL), Property::Durable])
        .keeps("", &killed, [Property::Answered])
        .breaks("", &lying, Property::Durable, Flaw::LostWrite)
        .mutant("fencing=none", SPLIT, &promoted, Model::EVENTUAL, Kind::Diverged)
        .mutant("answers=received", EARLY, &crashed, Property::Durable, Flaw::LostWrite)
        .hint(
            "",
            Kind::Lost,
            "answer a write only when a majority has it",
            "quiescence check abd --faults kill=1 --model eventual",
        )
        .hint(
            "fencing=none",
            Kind::Diverged,
            "ignore what comes from a primary of an earlier epoch",
            "quiescence check failover",
        )
}
