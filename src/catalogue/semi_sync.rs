//! Semi-synchronous replication.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::semi_sync::{
    Acknowledges, Reads, Restart, SemiSync, Timeout, Wait,
};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const SILENT: Bug = Bug {
    title: "a source that has waited for long answers without acknowledgements",
    story: "The replica is slow or cut off, and the source becomes asynchronous without \
            telling anybody. What it answers from then on is lost when the replica is \
            promoted. MySQL does so by default, after ten seconds.",
    source: "MySQL reference manual, rpl_semi_sync_source_timeout; Noach 2020",
    repaired: "semi-sync",
    keeps: &["prefix_rt"],
    actions: 8,
};

const PHANTOM: Bug = Bug {
    title: "a write is read before a replica has it",
    story: "The source commits, and then waits for the replica. Others read the row \
            meanwhile. The replica is promoted without it, and the row is gone. This was \
            the only way before MySQL 5.7.",
    source: "MySQL reference manual, rpl_semi_sync_source_wait_point",
    repaired: "semi-sync",
    keeps: &["durable", "ryw", "prefix_rt"],
    actions: 8,
};

const RESTARTED: Bug = Bug {
    title: "a source that was down commits what no replica has acknowledged",
    story: "The source writes its log, and stops before a replica has it. When it is back, \
            it finds the transaction in its log and commits it. A replica that was promoted \
            does not have it.",
    source: "Sougoumarane 2022, Consensus algorithms at scale, part 6",
    repaired: "semi-sync",
    keeps: &["durable", "prefix_rt"],
    actions: 9,
};

fn with(nodes: u16, kinds: &[FaultKind]) -> Setting {
    Setting::calm(nodes, Network::Fifo).with_faults(Faults::once(kinds))
}

pub(super) fn family() -> Family {
    let promoted = with(2, &[FaultKind::Operator]);
    let crashed = with(2, &[FaultKind::Crash, FaultKind::Operator]);
    let killed = with(2, &[FaultKind::Kill]);
    let of_three = with(3, &[FaultKind::Operator]);
    let roaming = with(2, &[]).roaming();
    let (eventual, linearizable) = (Model::EVENTUAL, Model::Linearizable);
    let (ryw, mr) = (Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let (applied, back, at_source) = ("acknowledges=applied", "timeout=falls-back", "reads=source");
    let about = "synchronous: a write waits until replicas have received it; an operator promotes";
    Family::new("semi-sync", about, &with(2, &[]), variants())
        .states(20_000)
        .sources("MySQL reference manual, semisynchronous replication; Noach 2020")
        .stands("", &promoted, &[("linearizable", UNEXPLAINED)])
        .keeps("", &crashed, [Property::Model(eventual), Property::Durable])
        .keeps(at_source, &with(2, &[]), [linearizable])
        .keeps("count=2", &of_three, [Property::Durable])
        .breaks("", &of_three, Property::Durable, Flaw::LostWrite)
        .breaks("", &killed, Property::Answered, Flaw::Stuck)
        .keeps(back, &killed, [Property::Answered])
        .breaks("", &roaming, ryw, Kind::Unexplained)
        .keeps(applied, &roaming, [ryw])
        .breaks(applied, &roaming, mr, Kind::Unexplained)
        .mutant(back, SILENT, &promoted, Property::Durable, Flaw::LostWrite)
        .mutant("wait=after-commit", PHANTOM, &promoted, eventual, Kind::Lost)
        .mutant("restart=commits", RESTARTED, &crashed, eventual, Kind::Lost)
        .hint(
            back,
            Flaw::LostWrite,
            "wait for as long as it takes",
            "quiescence check semi-sync --faults operator=1 --model durable",
        )
}

fn variants() -> Variants<SemiSync> {
    let plain = SemiSync {
        wait: Wait::AfterSync,
        count: 1,
        timeout: Timeout::Never,
        acknowledges: Acknowledges::Received,
        restart: Restart::Waits,
        reads: Reads::Any,
    };
    Variants::of(plain)
        .parameter(
            "wait",
            "when the source waits: before it commits, or after",
            [
                ("after-sync", |it| it.wait = Wait::AfterSync),
                ("after-commit", |it| it.wait = Wait::AfterCommit),
            ],
        )
        .parameter(
            "count",
            "how many acknowledgements it waits for",
            [("1", |it| it.count = 1), ("2", |it| it.count = 2)],
        )
        .parameter(
            "timeout",
            "what it does when that takes long: it waits on, or goes on without",
            [
                ("never", |it| it.timeout = Timeout::Never),
                ("falls-back", |it| it.timeout = Timeout::FallsBack),
            ],
        )
        .parameter(
            "acknowledges",
            "when a replica acknowledges an event",
            [
                ("received", |it| it.acknowledges = Acknowledges::Received),
                ("applied", |it| it.acknowledges = Acknowledges::Applied),
            ],
        )
        .parameter(
            "restart",
            "what a source does after a crash with what was not acknowledged",
            [
                ("waits", |it| it.restart = Restart::Waits),
                ("commits", |it| it.restart = Restart::Commits),
            ],
        )
        .parameter(
            "reads",
            "which node answers reads",
            [("any", |it| it.reads = Reads::Any), ("source", |it| it.reads = Reads::Source)],
        )
}
