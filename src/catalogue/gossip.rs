//! Anti-entropy between neighbours.

use crate::hunt::mutant::Bug;
use crate::hunt::property::Property;
use crate::judgement::{Kind, Model};
use crate::replication::asynchronous::gossip::{Digest, Gossip, Mode, Ties};
use crate::world::{FaultKind, Faults, Network, Setting};

use super::family::{Family, UNEXPLAINED};
use super::variants::Variants;

const PLAIN: Gossip = Gossip { mode: Mode::PushPull, ties: Ties::Node, digest: Digest::All };

const MINE: Bug = Bug {
    title: "of two versions with equal counters each node keeps its own",
    story: "Two nodes count to the same number at the same time, and each finds that its \
               own value is not older than the other. Both keep what they have, for ever. Ties \
               have to be broken in the same way everywhere, by the node or by the value.",
    source: "Thomas 1979, where sites break ties",
    repaired: "gossip",
    keeps: &["ryw", "mr"],
    actions: 2,
};

const DELETED: Bug = Bug {
    title: "a digest leaves out what was deleted, so the delete is never sent",
    story: "What was deleted has no value, so the digest does not name it, and the \
               neighbour that still has the value is not told. Anti-entropy has to compare \
               tombstones, too.",
    source: "Demers et al. 1987, on death certificates",
    repaired: "gossip",
    keeps: &["ryw", "mr"],
    actions: 2,
};

const KEYS: Bug = Bug {
    title: "the tree of hashes hashes keys without their versions, so that it looks the same",
    story: "Two nodes write the same key at the same time. Their trees are equal, since both \
            hold that key, and each repair finds that there is nothing to do. The hash of a \
            leaf has to change with each version and each delete. An audit of the repair of \
            Ferrosa found its trees to be like this.",
    source: "ferrosadb/ferrosa pull 47; DeCandia et al. 2007, section 4.7, on the trees",
    repaired: "gossip:digest=tree",
    keeps: &["ryw", "mr"],
    actions: 2,
};

pub(super) fn family() -> Family {
    let calm = Setting::calm(3, Network::Unordered);
    let lossy = |nodes| {
        let one = Faults::NONE.with(FaultKind::Drop, 1);
        Setting::calm(nodes, Network::Unordered).with_faults(one)
    };
    let pair = Setting::calm(2, Network::Unordered);
    let cut = pair.clone().with_faults(Faults::NONE.with(FaultKind::Cut, 1));
    let variants = Variants::of(PLAIN)
        .parameter(
            "mode",
            "which way versions go, seen from the node that begins",
            [
                ("push-pull", |it| it.mode = Mode::PushPull),
                ("push", |it| it.mode = Mode::Push),
                ("pull", |it| it.mode = Mode::Pull),
            ],
        )
        .parameter(
            "ties",
            "which of two versions with equal counters wins",
            [("node", |it| it.ties = Ties::Node), ("mine", |it| it.ties = Ties::Mine)],
        )
        .parameter(
            "digest",
            "what a digest tells",
            [
                ("all", |it| it.digest = Digest::All),
                ("values", |it| it.digest = Digest::Values),
                ("tree", |it| it.digest = Digest::Tree),
                ("tree-of-keys", |it| it.digest = Digest::TreeOfKeys),
            ],
        );
    let about = "asynchronous: neighbours compare digests and send what is newer";
    let (eventual, ryw) = (Model::EVENTUAL, Model::READ_YOUR_WRITES);
    Family::new("gossip", about, &calm, variants)
        .states(30_000)
        .sources(
            "Demers et al. 1987; van Renesse, Dumitriu, Gough & Thomas 2008; DeCandia et al. 2007",
        )
        .stands("", &lossy(3), &[("eventual-rt", UNEXPLAINED), ("linearizable", UNEXPLAINED)])
        .keeps("", &lossy(3), [Property::StrongConvergence])
        .keeps("", &cut, [Property::Available])
        .breaks("", &calm.clone().roaming(), ryw, Kind::Unexplained)
        .keeps("mode=push", &lossy(2), [eventual])
        .keeps("mode=pull", &lossy(2), [eventual])
        .keeps("digest=tree", &lossy(2), [eventual.into(), Property::StrongConvergence])
        .mutant("ties=mine", MINE, &pair, eventual, Kind::Diverged)
        .mutant("digest=values", DELETED, &pair, eventual, Kind::Diverged)
        .mutant("digest=tree-of-keys", KEYS, &pair, eventual, Kind::Diverged)
}
