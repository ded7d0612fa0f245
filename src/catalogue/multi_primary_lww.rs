//! Several primaries, last writer wins.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::bench::{Bench, Clients, Judged};
use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const PLAIN: MultiPrimaryLww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };

const MISORDERS: Bug = Bug {
    title: "stamps are clock readings: where clocks disagree, a write may lose against one \
               that its session made earlier",
    story: "A session writes at a node whose clock is behind. The stamp is smaller than \
               that of the value which it replaces, so the write is acknowledged and never \
               seen. With such clocks Riak dropped between 30 and 70 percent of acknowledged \
               writes.",
    source: "Lamport 1978; aphyr.com/posts/285 (Riak)",
    repaired: "multi-primary-lww",
    keeps: &["ryw", "eventual"],
    actions: 8,
};

pub(super) fn family() -> Family {
    let unordered = Setting::calm(3, Network::Unordered);
    let skewed = unordered.clone().with_faults(Faults::NONE.with(FaultKind::Skew, 1));
    let one_drop = dropping(3);
    let cut =
        Setting { nodes: 2, ..unordered.clone() }.with_faults(Faults::NONE.with(FaultKind::Cut, 1));
    let variants = Variants::of(PLAIN)
        .parameter(
            "clock",
            "where the order of writes comes from",
            [
                ("lamport", |it| it.clock = Clock::Lamport),
                ("wall", |it| it.clock = Clock::Wall),
                ("hybrid", |it| it.clock = Clock::Hybrid),
            ],
        )
        .parameter(
            "anti-entropy",
            "whether a timer repairs what was lost",
            [("off", |it| it.anti_entropy = false), ("on", |it| it.anti_entropy = true)],
        );
    let (eventual, ryw) = (Model::EVENTUAL, Model::READ_YOUR_WRITES);
    let (wall, repairing) = ("clock=wall", "anti-entropy=on");
    // If clocks disagree, a session may not see its own write. But the order of
    // stamps still explains every answer, so what clients saw shows the
    // violation only together with another guarantee. The strategy's own record
    // shows it alone.
    let own_record = Property::WhiteBox(ryw);
    let with_wfr: Model = "ryw+wfr.g".parse().expect("a model of the grid");
    let about = "asynchronous: every node accepts writes, the last writer wins";
    Family::new("multi-primary-lww", about, &unordered, variants)
        .states(700_000)
        .sources("Johnson & Thomas 1975 (RFC 677); Thomas 1979; Lamport 1978; Kulkarni et al. 2014")
        .stands(
            "",
            &unordered,
            &[("causal", UNEXPLAINED), ("eventual-rt", UNEXPLAINED), ("linearizable", UNEXPLAINED)],
        )
        .keeps(wall, &unordered, [eventual, ryw])
        .keeps("", &unordered, [own_record.clone(), Property::StrongConvergence])
        .keeps("", &cut, [Property::Available])
        .keeps(wall, &unordered, [own_record.clone()])
        .mutant(wall, MISORDERS, &skewed, own_record, Flaw::Recorded)
        .breaks(wall, &skewed, with_wfr, Kind::Unexplained)
        .keeps(wall, &skewed, [ryw])
        .keeps("clock=hybrid", &skewed, [Property::WhiteBox(ryw), eventual.into()])
        .breaks("", &one_drop, eventual, Kind::Diverged)
        .breaks("", &one_drop, Property::Durable, Flaw::LostWrite)
        .states(130_000)
        .keeps(repairing, &one_drop, [eventual])
        .hint(
            "",
            Kind::Diverged,
            "repair what was lost",
            "quiescence check multi-primary-lww:anti-entropy=on --faults drop=1",
        )
        .hint(
            wall,
            Flaw::Recorded,
            "order writes by counters, not clocks",
            "quiescence check multi-primary-lww --faults skew=1",
        )
}

fn dropping(nodes: u16) -> Setting {
    Setting::calm(nodes, Network::Unordered).with_faults(Faults::NONE.with(FaultKind::Drop, 1))
}

/// With one drop and anti-entropy.
pub(super) const BENCH: Bench = Bench {
    word: "gossip",
    clients: Clients::TwoWriters,
    subject: || Box::new(MultiPrimaryLww { anti_entropy: true, ..PLAIN }),
    setting: dropping,
    judged: Judged::Model(Model::EVENTUAL),
    patient: false,
};
