//! Physical replication of PostgreSQL.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::postgres::{Cancelled, Level, Postgres, Standbys};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const CANCELLED: Bug = Bug {
    title: "a write whose client stops waiting is committed at the primary all the same",
    story: "The client cancels because the standby does not answer. The primary warns it, \
            and commits. Others read the write, the standby is promoted without it, and it \
            is gone. PostgreSQL is made so; operators of Patroni meet it.",
    source: "PostgreSQL manual, section 26.2.8; Patroni documentation, replication modes",
    repaired: "postgres",
    keeps: &["durable", "ryw", "prefix_rt"],
    actions: 13,
};

fn with(kinds: &[FaultKind]) -> Setting {
    Setting::calm(2, Network::Fifo).with_faults(Faults::once(kinds))
}

pub(super) fn family() -> Family {
    let promoted = with(&[FaultKind::Operator]);
    let crashed = with(&[FaultKind::Crash]);
    let both = with(&[FaultKind::Crash, FaultKind::Operator]);
    let cancelled = with(&[FaultKind::GiveUp, FaultKind::Operator]);
    let of_three = Setting { nodes: 3, ..promoted.clone() };
    let roaming = with(&[]).roaming();
    let (eventual, lost) = (Model::EVENTUAL, Flaw::LostWrite);
    let (ryw, mr) = (Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let (durable, unexplained) = (Property::Durable, Kind::Unexplained);
    let about = "synchronous: the levels of synchronous_commit; an operator promotes";
    Family::new("postgres", about, &with(&[]), variants())
        .states(20_000)
        .sources("PostgreSQL manual, sections 20.5 and 26.2")
        .stands("", &promoted, &[("linearizable", UNEXPLAINED)])
        .keeps("", &both, [Property::Durable])
        .breaks("", &both, eventual, Kind::Lost)
        .keeps("", &cancelled, [eventual])
        .breaks("", &of_three, durable.clone(), lost)
        .breaks("standbys=first", &of_three, durable.clone(), lost)
        .keeps("standbys=all", &of_three, [Property::Durable])
        .breaks("", &roaming, ryw, unexplained)
        .breaks("level=off", &crashed, durable.clone(), lost)
        .keeps("level=local", &crashed, [Property::Durable])
        .breaks("level=local", &promoted, durable.clone(), lost)
        .keeps("level=remote-write", &promoted, [Property::Durable])
        .keeps("level=remote-apply", &roaming, [ryw])
        .breaks("level=remote-apply", &roaming, mr, unexplained)
        .breaks("level=remote-write", &both, durable, lost)
        .mutant("cancelled=commits", CANCELLED, &cancelled, eventual, Kind::Lost)
}

fn variants() -> Variants<Postgres> {
    let plain = Postgres { level: Level::On, standbys: Standbys::One, cancelled: Cancelled::Waits };
    Variants::of(plain)
        .parameter(
            "level",
            "what a client waits for",
            [
                ("on", |it| it.level = Level::On),
                ("off", |it| it.level = Level::Off),
                ("local", |it| it.level = Level::Local),
                ("remote-write", |it| it.level = Level::RemoteWrite),
                ("remote-apply", |it| it.level = Level::RemoteApply),
            ],
        )
        .parameter(
            "standbys",
            "how many standbys it waits for",
            [
                ("one", |it| it.standbys = Standbys::One),
                ("first", |it| it.standbys = Standbys::First),
                ("all", |it| it.standbys = Standbys::All),
            ],
        )
        .parameter(
            "cancelled",
            "what becomes of a write whose client no longer waits",
            [
                ("waits", |it| it.cancelled = Cancelled::Waits),
                ("commits", |it| it.cancelled = Cancelled::Commits),
            ],
        )
}
