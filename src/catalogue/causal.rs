//! Causal consistency, by vector clocks and by dependencies.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::causal_broadcast::{CausalBroadcast, Conflicts, Delivery};
use crate::replication::asynchronous::cops::{Cops, Dependencies, Sessions};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const EARLY: Bug = Bug {
    title: "a write is delivered before one that its node had seen, and a read sees the \
               effect without the cause",
    story: "A reply reaches a node before the message that it answers, as the two come from \
               different nodes. FIFO links do not help; somebody has to know what the author \
               had seen.",
    source: "Birman, Schiper & Stephenson 1991",
    repaired: "causal-broadcast",
    keeps: &["eventual", "strong-convergence"],
    actions: 8,
};

const MOVED: Bug = Bug {
    title: "a session that goes to another node is served before its own write is there",
    story: "The session writes at one node and goes on at another one, to which nobody says \
               what it has seen. MongoDB kept its causal sessions only if reads and writes \
               asked for majorities.",
    source: "Lloyd et al. 2011; jepsen.io/analyses/mongodb-3-6-4",
    repaired: "cops",
    keeps: &["mw_ev", "wfr_ev"],
    actions: 4,
};

const UNHEEDED: Bug = Bug {
    title: "a write is applied before what its session had seen, and a read sees the effect \
               without the cause",
    story: "A session reads a value and writes another one because of it. The second write \
               overtakes the first at a third node, where somebody sees the answer without the \
               question.",
    source: "Lloyd et al. 2011; jepsen.io/analyses/mongodb-3-6-4",
    repaired: "cops",
    keeps: &["mw_ev", "wfr_ev"],
    actions: 7,
};

fn model(name: &str) -> Model {
    name.parse().expect("a model of the list")
}

/// Causal broadcast.
pub(super) fn broadcast() -> Family {
    let unordered = Setting::calm(3, Network::Unordered);
    let cut =
        Setting { nodes: 2, ..unordered.clone() }.with_faults(Faults::NONE.with(FaultKind::Cut, 1));
    let plain = CausalBroadcast { delivery: Delivery::Causal, conflicts: Conflicts::Stamps };
    let variants = Variants::of(plain)
        .parameter(
            "delivery",
            "when a message is delivered",
            [
                ("causal", |it| it.delivery = Delivery::Causal),
                ("fifo", |it| it.delivery = Delivery::Fifo),
                ("raw", |it| it.delivery = Delivery::Raw),
            ],
        )
        .parameter(
            "conflicts",
            "which of two concurrent writes wins",
            [
                ("stamps", |it| it.conflicts = Conflicts::Stamps),
                ("arrival", |it| it.conflicts = Conflicts::Arrival),
            ],
        );
    let about = "asynchronous: writes are delivered in causal order, by vector clocks";
    let (eventual, causal) = (Model::EVENTUAL, model("causal"));
    // For clients this takes two keys, three sessions and a rare run; by the strategy's own
    // record a read of one key shows it.
    let own_record = Property::WhiteBox(causal);
    Family::new("causal-broadcast", about, &unordered, variants)
        .states(30_000)
        .sources("Birman, Schiper & Stephenson 1991; Ahamad et al. 1995")
        .stands("", &unordered, &[("eventual-rt", UNEXPLAINED), ("linearizable", UNEXPLAINED)])
        .keeps("", &unordered, [Property::StrongConvergence])
        .keeps("", &cut, [Property::Available])
        .breaks("", &unordered.clone().roaming(), Model::READ_YOUR_WRITES, Kind::Unexplained)
        .keeps("conflicts=arrival", &unordered, [model("cm")])
        .breaks("conflicts=arrival", &unordered, eventual, Kind::Diverged)
        .keeps("delivery=fifo", &unordered, [eventual])
        .mutant(
            "delivery=fifo",
            Bug { actions: 10, ..EARLY },
            &unordered,
            own_record,
            Flaw::Recorded,
        )
        .mutant("delivery=raw", EARLY, &unordered, causal, Kind::Unexplained)
}

/// Causal consistency by dependencies.
pub(super) fn cops() -> Family {
    let unordered = Setting::calm(3, Network::Unordered);
    let roaming = unordered.clone().roaming();
    let plain = Cops { dependencies: Dependencies::Nearest, sessions: Sessions::Wait };
    let variants = Variants::of(plain)
        .parameter(
            "dependencies",
            "which dependencies a write takes along",
            [
                ("nearest", |it| it.dependencies = Dependencies::Nearest),
                ("all", |it| it.dependencies = Dependencies::All),
                ("none", |it| it.dependencies = Dependencies::None),
            ],
        )
        .parameter(
            "sessions",
            "what is done for a session that depends on what has not arrived",
            [
                ("wait", |it| it.sessions = Sessions::Wait),
                ("are-served", |it| it.sessions = Sessions::AreServed),
            ],
        );
    let about = "asynchronous: a write waits for the versions that it depends on";
    let causal = model("causal");
    Family::new("cops", about, &roaming, variants)
        .states(30_000)
        .sources("Lloyd, Freedman, Kaminsky & Andersen 2011 (COPS)")
        .stands("", &roaming, &[("eventual-rt", UNEXPLAINED), ("linearizable", UNEXPLAINED)])
        .keeps("", &roaming, [Property::StrongConvergence])
        .keeps("dependencies=all", &roaming, [causal])
        .mutant("dependencies=none", UNHEEDED, &roaming, causal, Kind::Unexplained)
        .keeps("sessions=are-served", &unordered, [causal])
        .mutant("sessions=are-served", MOVED, &roaming, Model::READ_YOUR_WRITES, Kind::Unexplained)
}
