//! The register on partial quorums.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::synchronous::quorum::{Answers, Counts, Quorum, Repair, Stamps, Timeout};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const PLAIN: Quorum = Quorum {
    r: 2,
    w: 2,
    repair: Repair::Blocking,
    answers: Answers::Copies,
    stamps: Stamps::Coordinator,
    counts: Counts::Nodes,
    timeout: Timeout::Never,
};

const FLICKERS: Bug = Bug {
    title: "a read answers before enough nodes have what it saw, and a later read may miss \
               it",
    story: "A read finds a value at one of its nodes and answers it, while too few nodes \
               have it. The next read asks others and finds the older value. Cassandra and \
               ScyllaDB call their blocking read repair what makes quorum reads monotonic.",
    source: "CASSANDRA-14635; scylladb pull request 29387",
    repaired: "quorum",
    keeps: &["regular", "eventual-rt"],
    actions: 15,
};

const RENEWED: Bug = Bug {
    title: "a repair stamps what it has read anew, and wins over a write that was answered \
               in the meantime",
    story: "A repair should carry a version to nodes that lack it. Here it writes the old \
               value under a new stamp, so what was written after the read began loses against \
               what was there before.",
    source: "DeCandia et al. 2007, where a repair keeps the version",
    repaired: "quorum",
    keeps: &["eventual"],
    actions: 9,
};

const AGAIN: Bug = Bug {
    title: "an answer that is delivered twice counts twice, so a write is answered before \
               enough nodes have it",
    story: "The network delivers an acknowledgement twice, and the coordinator takes it for \
               that of two nodes. The write is answered, and the node that never got it is not \
               asked again.",
    source: "Lynch & Shvartsman 1997, where members are counted and not messages",
    repaired: "quorum:r=1,w=3",
    keeps: &["strong-convergence"],
    actions: 6,
};

const REFUTED: Bug = Bug {
    title: "a write that takes long is answered `fail`, though some nodes have it",
    story: "The coordinator gives up and says `fail`, while some node has stored the write. \
               Later reads see what officially never happened. ScyllaDB and Cassandra had such \
               writes resurface.",
    source: "scylladb issue 6299; CASSANDRA-12126",
    repaired: "quorum",
    keeps: &["durable"],
    actions: 4,
};

const ASSUMED: Bug = Bug {
    title: "a write that takes long is answered `ok`, though too few nodes have it",
    story: "The coordinator gives up waiting and says `ok`. MongoDB 2.4.3 reported network \
               errors of majority writes as successes.",
    source: "aphyr.com/posts/284 (MongoDB 2.4.3)",
    repaired: "quorum",
    keeps: &["eventual-rt"],
    actions: 11,
};

pub(super) fn family() -> Family {
    let roaming = Setting::calm(3, Network::Unordered).roaming();
    let skewed = roaming.clone().with_faults(Faults::NONE.with(FaultKind::Skew, 1));
    let lossy = Faults::NONE.with(FaultKind::Drop, 1).with(FaultKind::Duplicate, 1);
    let lossy = roaming.clone().with_faults(lossy);
    let sticky = Setting::calm(3, Network::Unordered);
    let unsure = sticky.clone().with_faults(Faults::NONE.with(FaultKind::Skew, 1));
    let split = sticky.clone().with_faults(Faults::NONE.with(FaultKind::Partition, 1));
    let pair = Setting::calm(2, Network::Unordered);
    let (eventual, ryw, mr) = (Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS);
    let (linearizable, unexplained) = (Model::Linearizable, Kind::Unexplained);
    let causal: Model = "causal".parse().expect("a model of the grid");
    let about = "synchronous: a register on partial quorums, with read repair";
    Family::new("quorum", about, &sticky, variants())
        .states(20_000)
        .sources("DeCandia et al. 2007 (Dynamo); Gifford 1979; Lakshman & Malik 2010 (Cassandra)")
        .stands("", &roaming, &[])
        .breaks("", &split, Property::Available, Flaw::Stuck)
        .breaks("", &skewed, linearizable, unexplained)
        .keeps("stamps=client", &roaming, [causal])
        .breaks("stamps=client", &roaming, linearizable, unexplained)
        .breaks("stamps=lamport", &roaming, causal, unexplained)
        .breaks("", &unsure, causal, unexplained)
        .breaks("stamps=hybrid", &skewed, linearizable, unexplained)
        .keeps("answers=digests", &roaming, [linearizable])
        .keeps("r=1,w=3", &roaming, [ryw, Model::Regular])
        .breaks("r=1,w=3", &roaming, mr, unexplained)
        .breaks("r=1,w=1", &roaming, ryw, unexplained)
        .keeps("repair=none", &roaming, [eventual, Model::Regular])
        .mutant("repair=none", FLICKERS, &roaming, mr, unexplained)
        .mutant("repair=restamped", RENEWED, &pair, linearizable, unexplained)
        .mutant("counts=answers,r=1,w=3", AGAIN, &lossy, Property::Durable, Flaw::LostWrite)
        .mutant("timeout=fails", REFUTED, &pair, eventual, Kind::Illegal)
        .mutant("timeout=succeeds", ASSUMED, &roaming, ryw, unexplained)
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
            "how many copies a read waits for: level ONE is 1, QUORUM and TWO 2, ALL 3",
            [("2", |it| it.r = 2), ("1", |it| it.r = 1), ("3", |it| it.r = 3)],
        )
        .parameter(
            "w",
            "how many copies a write waits for: level ONE is 1, QUORUM and TWO 2, ALL 3",
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
            "answers",
            "what nodes answer to a read",
            [
                ("copies", |it| it.answers = Answers::Copies),
                ("digests", |it| it.answers = Answers::Digests),
            ],
        )
        .parameter(
            "stamps",
            "where the order of writes comes from",
            [
                ("coordinator", |it| it.stamps = Stamps::Coordinator),
                ("lamport", |it| it.stamps = Stamps::Lamport),
                ("hybrid", |it| it.stamps = Stamps::Hybrid),
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
