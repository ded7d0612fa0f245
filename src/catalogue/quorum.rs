//! The register on partial quorums.

use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::quorum::{Counts, Quorum, Repair, Stamps, Timeout};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const PLAIN: Quorum = Quorum {
    r: 2,
    w: 2,
    repair: Repair::Blocking,
    stamps: Stamps::Coordinator,
    counts: Counts::Nodes,
    timeout: Timeout::Never,
};

pub(super) fn family() -> Family {
    let roaming = Setting::calm(3, Network::Unordered).roaming();
    let skewed = roaming.clone().with_faults(Faults::NONE.with(FaultKind::Skew, 1));
    let lossy = Faults::NONE.with(FaultKind::Drop, 1).with(FaultKind::Duplicate, 1);
    let lossy = roaming.clone().with_faults(lossy);
    let sticky = Setting::calm(3, Network::Unordered);
    let pair = Setting::calm(2, Network::Unordered);
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let (linearizable, unexplained) = (Model::Linearizable, Kind::Unexplained);
    let causal: Model = "causal".parse().expect("a model of the grid");
    let about = "synchronous: a register on partial quorums, with read repair";
    let flickers = "a read answers before enough nodes have what it saw, and a later read may \
                    miss it";
    let renewed = "a repair stamps what it has read anew, and wins over a write that was answered \
                   in the meantime";
    let again = "an answer that is delivered twice counts twice, so a write is answered before \
                 enough nodes have it";
    let refuted = "a write that takes long is answered `fail`, though some nodes have it";
    let assumed = "a write that takes long is answered `ok`, though too few nodes have it";
    Family::new("quorum", about, &sticky, variants())
        .states(20_000)
        .sources("DeCandia et al. 2007 (Dynamo); Gifford 1979; Lakshman & Malik 2010 (Cassandra)")
        .keeps("", &roaming, [eventual, ryw, mr, linearizable])
        .keeps("", &roaming, [Property::Durable])
        .breaks("", &skewed, linearizable, unexplained)
        .keeps("stamps=client", &roaming, [causal])
        .breaks("stamps=client", &roaming, linearizable, unexplained)
        .breaks("stamps=lamport", &roaming, causal, unexplained)
        .keeps("r=1,w=3", &roaming, [ryw, Model::Regular])
        .breaks("r=1,w=3", &roaming, mr, unexplained)
        .breaks("r=1,w=1", &roaming, ryw, unexplained)
        .keeps("repair=none", &roaming, [eventual, Model::Regular])
        .mutant("repair=none", flickers, &roaming, mr, unexplained)
        .mutant("repair=restamped", renewed, &pair, linearizable, unexplained)
        .mutant("counts=answers,r=1,w=3", again, &lossy, Property::Durable, Flaw::LostWrite)
        .mutant("timeout=fails", refuted, &pair, eventual, Kind::Illegal)
        .mutant("timeout=succeeds", assumed, &roaming, ryw, unexplained)
        .hint(
            "repair=none",
            unexplained,
            "wait until nodes that are behind have what was read",
            "quiescence check quorum",
        )
}

fn variants() -> Variants<Quorum> {
    Variants::of(PLAIN)
        .parameter(
            "r",
            "how many copies a read waits for",
            [("2", |it| it.r = 2), ("1", |it| it.r = 1), ("3", |it| it.r = 3)],
        )
        .parameter(
            "w",
            "how many copies a write waits for",
            [("2", |it| it.w = 2), ("1", |it| it.w = 1), ("3", |it| it.w = 3)],
        )
        .parameter(
            "repair",
            "what a read does about nodes that are behind",
            [
                ("blocking", |it| it.repair = Repair::Blocking),
                ("background", |it| it.repair = Repair::Background),
                ("none", |it| it.repair = Repair::None),
                ("restamped", |it| it.repair = Repair::Restamped),
            ],
        )
        .parameter(
            "stamps",
            "where the order of writes comes from",
            [
                ("coordinator", |it| it.stamps = Stamps::Coordinator),
                ("lamport", |it| it.stamps = Stamps::Lamport),
                ("client", |it| it.stamps = Stamps::Client),
            ],
        )
        .parameter(
            "counts",
            "what is counted until there are enough",
            [
                ("nodes", |it| it.counts = Counts::Nodes),
                ("answers", |it| it.counts = Counts::Answers),
            ],
        )
        .parameter(
            "timeout",
            "what happens to a write that takes long",
            [
                ("never", |it| it.timeout = Timeout::Never),
                ("fails", |it| it.timeout = Timeout::Fails),
                ("succeeds", |it| it.timeout = Timeout::Succeeds),
            ],
        )
}
