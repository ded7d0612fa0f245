//! Asynchronous replication after Redis.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::redis_like::{Order, RedisLike, Resync, Sessions, Timeout};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const COUNTED: Bug = Bug {
    title: "a client does not look at how many replicas WAIT has counted",
    story: "The client waits for one replica, the time is up, and WAIT returns 0. The \
            client goes on as if the write were safe. A replica that does not have it is \
            promoted. WAIT takes nothing back.",
    source: "Redis documentation, WAIT",
    repaired: "redis-like:wait=1",
    keeps: &["prefix_rt"],
    actions: 7,
};

const OFFSETS: Bug = Bug {
    title: "a replica of another history goes on at its offset",
    story: "The old primary has a write that nobody else has, the new one another write at \
            the same offset. The old one comes back as a replica, its offset fits, and \
            nothing is sent. Their data differ for good. Redis names histories by \
            replication ids for this.",
    source: "Redis documentation, replication ID explained",
    repaired: "redis-like",
    keeps: &["prefix_rt"],
    actions: 8,
};

const MOVED: Bug = Bug {
    title: "a session that goes to another node does not see what it has seen",
    story: "A balancer sends the reads of one client to several replicas, and one of them \
            is behind. A session that carries an offset, as with the causal sessions of \
            MongoDB, lets the node wait.",
    source: "Terry et al. 1994; MongoDB manual, causal consistency",
    repaired: "redis-like",
    keeps: &["eventual", "durable", "prefix_rt"],
    actions: 4,
};

const ARRIVAL: Bug = Bug {
    title: "a replica applies writes as they arrive",
    story: "Two writes change places on the way, and the replica keeps the older one for \
            good. Hazelcast applied a backup that came early without moving on its \
            version, and could no longer tell that a later one was stale.",
    source: "hazelcast pull 9205",
    repaired: "redis-like",
    keeps: &["durable", "ryw", "prefix_rt"],
    actions: 4,
};

fn with(kinds: &[FaultKind]) -> Setting {
    Setting::calm(2, Network::Fifo).with_faults(Faults::once(kinds))
}

pub(super) fn family() -> Family {
    let promoted = with(&[FaultKind::Operator]);
    let crashed = with(&[FaultKind::Crash]);
    let roaming = with(&[]).roaming();
    let unordered = Setting::calm(2, Network::Unordered);
    let same_data = || Property::AtQuiescence("same-data".to_owned());
    let (eventual, durable) = (Model::EVENTUAL, Property::Durable);
    let (ryw, mr, unexplained) =
        (Model::READ_YOUR_WRITES, Model::MONOTONIC_READS, Kind::Unexplained);
    let about = "asynchronous: a stream with offsets, replicas to wait for; an operator promotes";
    Family::new("redis-like", about, &with(&[]), variants())
        .states(15_000)
        .sources("Redis documentation, replication and WAIT; Terry et al. 1994")
        .keeps("", &promoted, [same_data()])
        .breaks("", &promoted, durable.clone(), Flaw::LostWrite)
        .breaks("", &promoted, Property::Answered, Flaw::Stuck)
        .keeps("sessions=are-served", &promoted, [Property::Answered])
        .stands("", &crashed, &[("linearizable", UNEXPLAINED)])
        .keeps("wait=1", &promoted, [Property::Durable])
        .breaks("wait=1", &promoted, eventual, Kind::Lost)
        .keeps("", &roaming, [ryw, mr])
        .keeps("", &unordered, [eventual])
        .mutant("timeout=answers,wait=1", COUNTED, &promoted, durable, Flaw::LostWrite)
        .mutant("resync=offset", OFFSETS, &promoted, same_data(), Flaw::Broken)
        .mutant("sessions=are-served", MOVED, &roaming, mr, unexplained)
        .mutant("order=ignored", ARRIVAL, &unordered, eventual, Kind::Diverged)
}

fn variants() -> Variants<RedisLike> {
    let plain = RedisLike {
        wait: 0,
        timeout: Timeout::Never,
        resync: Resync::History,
        sessions: Sessions::Wait,
        order: Order::Checked,
    };
    Variants::of(plain)
        .parameter(
            "wait",
            "how many replicas a client waits for",
            [("0", |it| it.wait = 0), ("1", |it| it.wait = 1)],
        )
        .parameter(
            "timeout",
            "what it does when that takes long: it waits on, or takes the write for done",
            [
                ("never", |it| it.timeout = Timeout::Never),
                ("answers", |it| it.timeout = Timeout::Answers),
            ],
        )
        .parameter(
            "resync",
            "when a replica gets only what it lacks: by its history, or by its offset",
            [
                ("history", |it| it.resync = Resync::History),
                ("offset", |it| it.resync = Resync::Offset),
            ],
        )
        .parameter(
            "sessions",
            "what a node does with a read of a session that has seen more",
            [
                ("wait", |it| it.sessions = Sessions::Wait),
                ("are-served", |it| it.sessions = Sessions::AreServed),
            ],
        )
        .parameter(
            "order",
            "what a replica makes of a write that is not the next one",
            [
                ("checked", |it| it.order = Order::Checked),
                ("ignored", |it| it.order = Order::Ignored),
            ],
        )
}
