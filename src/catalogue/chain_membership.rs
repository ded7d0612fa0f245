//! Chain replication whose chain an operator shortens and extends.

use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::{Kind, Model};
use crate::replication::members::Spares;
use crate::replication::synchronous::chain_membership::{ChainMembership, Pending, Reads, Resends};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::Family;
use super::variants::Variants;

const REMOVED: Bug = Bug {
    title: "a tail that was removed, and does not know it, answers reads",
    story: "The operator takes a slow node for one that has stopped, and removes it. The \
            chain goes on without it, and the node still answers reads from what it has. \
            The paper takes for granted that this does not happen; PacificA needs leases \
            for it.",
    source: "van Renesse & Schneider 2004, section 3, on servers that are fail-stop; Lin et al. \
             2008 (PacificA)",
    repaired: "chain-membership",
    keeps: &["eventual-rt", "durable", "prefix_mr", "prefix_rt"],
    actions: 7,
};

const UNSENT: Bug = Bug {
    title: "the new successor is not sent what was under way",
    story: "A write was on its way through a node in the middle when that node was removed. \
            Its predecessor has sent it, its successor never gets it, and its client is \
            never answered. The paper keeps a list of such writes for this alone.",
    source: "van Renesse & Schneider 2004, section 3, on the list Sent",
    repaired: "chain-membership",
    keeps: &["linearizable", "durable"],
    actions: 6,
};

const PENDING: Bug = Bug {
    title: "a new tail treats what it holds as uncommitted",
    story: "The tail has answered a write, and is removed. The node before it has the write, \
            too, but is not told any more that the tail has it. It waits for that, and \
            answers reads without the write.",
    source: "van Renesse & Schneider 2004, section 3, on a tail that fails",
    repaired: "chain-membership",
    keeps: &["prefix_rt"],
    actions: 7,
};

fn with(kinds: &[FaultKind]) -> Setting {
    Setting::calm(3, Network::Fifo).with_faults(Faults::once(kinds))
}

pub(super) fn family() -> Family {
    let removed = with(&[FaultKind::Operator]);
    let twice =
        Setting::calm(3, Network::Fifo).with_faults(Faults::NONE.with(FaultKind::Operator, 2));
    let only_crashed = with(&[FaultKind::Crash]);
    let crashed = with(&[FaultKind::Crash, FaultKind::Operator]);
    let killed = with(&[FaultKind::Kill, FaultKind::Operator]);
    let (linearizable, durable) = (Model::Linearizable, Property::Durable);
    let about = "synchronous: a chain of nodes, which an operator shortens and extends";
    Family::new("chain-membership", about, &removed, variants())
        .states(35_000)
        .sources("van Renesse & Schneider 2004")
        .stands("", &removed, &[])
        .states(100_000)
        .keeps("", &crashed, [Property::Model(linearizable), durable.clone()])
        .breaks("", &crashed, Property::Answered, Flaw::Stuck)
        .keeps("", &twice, [linearizable])
        .states(131_000)
        .keeps("", &killed, [linearizable])
        .states(100_000)
        .stands("spares=one", &removed, &[])
        .keeps("spares=one", &crashed, [Property::Model(linearizable), durable.clone()])
        .states(35_000)
        .keeps("reads=tail", &only_crashed, [linearizable])
        .breaks("reads=tail,spares=one", &removed, linearizable, Kind::Unexplained)
        .mutant("reads=tail", REMOVED, &removed, linearizable, Kind::Unexplained)
        .mutant("resends=nothing", UNSENT, &removed, Property::Answered, Flaw::Stuck)
        .mutant("pending=waits", PENDING, &removed, durable, Flaw::LostWrite)
        .hint(
            "reads=tail",
            Kind::Unexplained,
            "let a read go down the whole chain",
            "quiescence check chain-membership",
        )
}

fn variants() -> Variants<ChainMembership> {
    let plain = ChainMembership {
        reads: Reads::Chain,
        resends: Resends::Log,
        pending: Pending::Committed,
        spares: Spares::None,
    };
    Variants::of(plain)
        .parameter(
            "reads",
            "how the tail answers a read: when the whole chain has passed it on, or at once",
            [("chain", |it| it.reads = Reads::Chain), ("tail", |it| it.reads = Reads::Tail)],
        )
        .parameter(
            "resends",
            "what a node sends its successor in a new chain",
            [
                ("log", |it| it.resends = Resends::Log),
                ("nothing", |it| it.resends = Resends::Nothing),
            ],
        )
        .parameter(
            "pending",
            "what a new tail does with the entries that it holds: it commits them, or lets them wait",
            [
                ("committed", |it| it.pending = Pending::Committed),
                ("waits", |it| it.pending = Pending::Waits),
            ],
        )
        .parameter(
            "spares",
            "whether the last node waits until it is told to join",
            [("none", |it| it.spares = Spares::None), ("one", |it| it.spares = Spares::One)],
        )
}
