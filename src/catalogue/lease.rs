//! A primary that reads locally while it holds a lease.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Property;
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::lease::{Lease, Restart};
use crate::world::{FaultKind, Faults, InboxOnCrash, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const TRUSTING: Bug = Bug {
    title: "the holder of a lease counts on it to the last tick of its own clock",
    story: "The clock of the primary is one tick behind. Its backup is promoted, waits until \
            the lease has expired by its own clock, and accepts a write. The primary still \
            believes in its lease and reads the old value.",
    source: "Gray & Cheriton 1989, section 2; Ongaro 2014, section 6.4",
    repaired: "lease",
    keeps: &["eventual", "answered"],
    actions: 9,
};

const TAKES: Bug = Bug {
    title: "a primary that comes back takes a lease that it had asked for before",
    story: "A primary asks for a lease, crashes, and its clock begins anew. The lease is granted \
            after all, until a time that lies far ahead by the new clock. Its backup is promoted \
            and waits as long as it promised, by its own clock, then accepts a write. The \
            primary still reads the old value. This strategy itself was so at first, until \
            82,154 random runs had found it.",
    source: "Gray & Cheriton 1989, on clocks that fail; this strategy, before it was mended",
    repaired: "lease",
    keeps: &["causal", "eventual", "durable", "answered"],
    actions: 13,
};

const TRUSTS: Bug = Bug {
    title: "a primary that comes back trusts the lease on its disk, by a clock that begins anew",
    story: "What is on disk tells when the lease ends by the clock that the primary had. A crash \
            takes the clock along, and by the new one the end is far ahead. Its backup is \
            promoted, waits as long as it promised, and accepts a write; the primary still reads \
            the old value.",
    source: "Gray & Cheriton 1989, on clocks that fail",
    repaired: "lease",
    keeps: &["causal", "eventual", "durable", "answered"],
    actions: 13,
};

pub(super) fn family() -> Family {
    let promoted =
        Setting::calm(2, Network::Fifo).with_faults(Faults::once(&[FaultKind::Operator]));
    let (close, apart) = (promoted.clone().with_clocks(1), promoted.with_clocks(2));
    let mut restarted = close.clone();
    restarted.faults.budget[FaultKind::Crash] = 1;
    (restarted.faults.inbox, restarted.faults.lose_clock) = (InboxOnCrash::Kept, true);
    let variants = Variants::of(Lease { margin: 1, restart: Restart::Forgets })
        .parameter(
            "margin",
            "how many ticks before its end the primary no longer counts on its lease",
            [("1", |it| it.margin = 1), ("0", |it| it.margin = 0), ("2", |it| it.margin = 2)],
        )
        .parameter(
            "restart",
            "what becomes of the lease of a primary that crashes",
            [
                ("forgets", |it| it.restart = Restart::Forgets),
                ("takes", |it| it.restart = Restart::Takes),
                ("trusts", |it| it.restart = Restart::Trusts),
            ],
        );
    let about = "synchronous: a primary reads locally while it holds a lease";
    Family::new("lease", about, &close, variants)
        .states(60_000)
        .sources("Gray & Cheriton 1989; Ongaro 2014, section 6.4")
        .stands("", &close, &[])
        .breaks("", &apart, Model::Linearizable, Kind::Unexplained)
        .keeps("margin=2", &apart, [Model::Linearizable])
        .mutant("margin=0", TRUSTING, &close, Model::Linearizable, Kind::Unexplained)
        .states(120_000)
        .keeps("", &restarted, [Property::Model(Model::Linearizable), Property::Durable])
        .states(400_000)
        .mutant("restart=takes", TAKES, &restarted, Model::Linearizable, Kind::Unexplained)
        .mutant("restart=trusts", TRUSTS, &restarted, Model::Linearizable, Kind::Unexplained)
        .hint(
            "margin=0",
            Kind::Unexplained,
            "stop as many ticks before the end as clocks may be apart",
            "quiescence check lease --clock bounded=1",
        )
        .hint(
            "",
            Kind::Unexplained,
            "stop as many ticks before the end as clocks may be apart",
            "quiescence check lease:margin=2 --clock bounded=2",
        )
}
