//! Types that are replicated by sending whole states.

use crate::catalogue::bench::{self, Bench, Clients, Judged};
use crate::catalogue::family::Family;
use crate::catalogue::variants::Variants;
use crate::hunt::mutant::Bug;
use crate::hunt::property::{Flaw, Property};
use crate::judgement::datatype::DELETABLE_OPAQUE;
use crate::judgement::{Kind, Model};
use crate::replication::crdt::cl_set::{Adds, ClSet};
use crate::replication::crdt::flag::Flag;
use crate::replication::crdt::log::{Log, Order};
use crate::replication::crdt::lww_register::LwwRegister;
use crate::replication::crdt::lww_set::LwwSet;
use crate::replication::crdt::mv_register::MvRegister;
use crate::replication::crdt::or_map::{MapRemoves, OrMap};
use crate::replication::crdt::or_set::{OrSet, Removes};
use crate::replication::crdt::orswot::Orswot;
use crate::replication::crdt::pn_counter::{Merge, PnCounter};
use crate::replication::crdt::priority_register::{Answers, PriorityRegister};
use crate::replication::crdt::remove_wins_set::RemoveWinsSet;
use crate::replication::crdt::state_based::{Ids, StateBased};
use crate::replication::crdt::{Dropped, Lattice};
use crate::world::FaultKind;

use super::{STATES, convergent, nodes, with};

const SHAPIRO: &str = "Shapiro, Preguiça, Baquero & Zawirski 2011";

const ADDS: Bug = Bug {
    title: "states are joined by addition: what both contain counts twice",
    story: "States travel more than once and along several ways. A join that adds counts \
               what it has counted already, and every round of gossip makes the value larger.",
    source: "Shapiro et al. 2011, where a join is idempotent",
    repaired: "pn-counter",
    keeps: &["durable"],
    actions: 4,
};

const COLLIDE: Bug = Bug {
    title: "all nodes have the same id: of concurrent adds only one counts",
    story: "Two nodes were set up with the same id, from a copied image or a default. Both \
               count in one entry, and the join keeps the larger: all nodes agree on a value \
               that misses acknowledged adds.",
    source: "Shapiro et al. 2011, where ids are unique",
    repaired: "pn-counter",
    keeps: &["ryw", "strong-convergence"],
    actions: 4,
};

const DESCENDS: Bug = Bug {
    title: "a join drops a value where the other side descends from it, not only where it \
               descends strictly: what both have vanishes",
    story: "Both sides hold the same value. The join asks whether the other context covers \
               it, not whether the other side has dropped it, and throws it away.",
    source: "riak_dt issue 78",
    repaired: "mv-register",
    keeps: &["durable"],
    actions: 4,
};

const BY_VALUE: Bug = Bug {
    title: "a remove takes the element away, not the adds that it has seen",
    story: "A remove marks the element and not the adds that it has seen, so an add that \
               was concurrent is taken away as well, and no later add brings the element back.",
    source: "Shapiro et al. 2011; riak_kv issue 1360",
    repaired: "or-set",
    keeps: &["strong-convergence", "durable"],
    actions: 4,
};

const ALL: Bug = Bug {
    title: "a remove takes away all that was seen, under other keys too",
    story: "A remove of one key clears everything that the context covers. Other keys of \
               the map lose values that nobody removed.",
    source: "Almeida, Shoker & Baquero 2018",
    repaired: "or-map",
    keeps: &["strong-convergence", "durable"],
    actions: 4,
};

const EARLY: Bug = Bug {
    title: "entries are ordered by node: an entry may come before what its author had read",
    story: "Entries are sorted by the node that wrote them. A reply of the first node \
               stands above the question of the second one.",
    source: "Lamport 1978",
    repaired: "lamport-log",
    keeps: &["strong-convergence", "durable"],
    actions: 5,
};

const DROPS: Bug = Bug {
    title: "a join takes an add for removed where the other side knows it, though it may \
               have it still",
    story: "The set keeps no tombstones: an element that the other side knows and does not \
               hold was removed there. The join forgets the second half of that sentence.",
    source: "riak_dt issue 78; Bieniusa et al. 2012",
    repaired: "orswot",
    keeps: &["durable"],
    actions: 4,
};

const CREATED: Bug = Bug {
    title: "an element that is added again keeps the length of its removal",
    story: "The element was removed and is added again, and nothing says that the add is the \
            later one. Where it arrives after the removal it is there, where it arrives \
            before it is not. In cr-sqlite a row that was created again did not arrive at \
            other databases at all, until rows had causal lengths.",
    source: "cr-sqlite issue 271; Yu & Rostad 2020, where the add makes the length longer",
    repaired: "cl-set",
    keeps: &["durable"],
    actions: 6,
};

const BURIED: Bug = Bug {
    title: "the greatest value is stored, and not looked for again when it is deleted",
    story: "One node puts twice and deletes, another one puts at the same time. The second \
            value survives, since the delete has not seen it. But the first node still has \
            the greater one that it deleted, and answers it, because something is left. In \
            go-ds-crdt two nodes with the same operations answered differently.",
    source: "go-ds-crdt issue 238, repaired by pull 241",
    repaired: "priority-register",
    keeps: &["durable"],
    actions: 6,
};

fn plain<L>(lattice: L) -> StateBased<L> {
    StateBased { lattice, ids: Ids::Own, anti_entropy: false }
}

/// What all of these can be told.
fn variants<L: Lattice>(lattice: L) -> Variants<StateBased<L>> {
    Variants::of(plain(lattice)).parameter(
        "anti-entropy",
        "whether a timer repairs what was lost",
        [("off", |it| it.anti_entropy = false), ("on", |it| it.anti_entropy = true)],
    )
}

/// A family with the promises that all of these make.
fn family<L: Lattice>(
    name: &'static str,
    about: &'static str,
    sources: &'static str,
    variants: Variants<StateBased<L>>,
) -> Family {
    kept(convergent(), name, about, sources, variants)
}

/// A state-based type that keeps these properties.
fn kept<L: Lattice>(
    properties: impl IntoIterator<Item = Property>,
    name: &'static str,
    about: &'static str,
    sources: &'static str,
    variants: Variants<StateBased<L>>,
) -> Family {
    Family::new(name, about, &nodes(3), variants)
        .sources(sources)
        .states(STATES)
        .keeps("", &nodes(3), properties)
        .keeps("", &with(&nodes(2), FaultKind::Duplicate), [Model::EVENTUAL])
        .keeps("", &with(&nodes(2), FaultKind::Cut), [Property::Available])
}

/// All of them, in the order in which they are listed.
pub(in crate::catalogue) fn families() -> Vec<Family> {
    vec![
        pn_counter(),
        family(
            "lww-register",
            "state-based: the largest stamp wins",
            SHAPIRO,
            variants(LwwRegister),
        ),
        mv_register(),
        priority_register(),
        family(
            "ew-flag",
            "state-based: of concurrent updates of a flag, enable wins",
            SHAPIRO,
            variants(Flag::EnableWins),
        ),
        family(
            "dw-flag",
            "state-based: of concurrent updates of a flag, disable wins",
            SHAPIRO,
            variants(Flag::DisableWins),
        ),
        or_set(),
        orswot(),
        family(
            "rw-set",
            "state-based: a set in which the remove wins",
            SHAPIRO,
            variants(RemoveWinsSet),
        ),
        family(
            "lww-set",
            "state-based: a set in which the last add or remove of an element decides",
            SHAPIRO,
            variants(LwwSet),
        ),
        cl_set(),
        or_map(),
        log(),
    ]
}

fn pn_counter() -> Family {
    let variants = variants(PnCounter { merge: Merge::Larger })
        .parameter(
            "merge",
            "how two entries of one node are joined",
            [
                ("larger", |it| it.lattice.merge = Merge::Larger),
                ("sum", |it| it.lattice.merge = Merge::Sum),
            ],
        )
        .parameter(
            "ids",
            "what tells the entries of nodes apart",
            [("own", |it| it.ids = Ids::Own), ("same", |it| it.ids = Ids::Same)],
        );
    let lost = with(&nodes(2), FaultKind::Drop);
    family("pn-counter", "state-based: a counter with an entry for each node", SHAPIRO, variants)
        .mutant("merge=sum", ADDS, &nodes(2), Property::StrongConvergence, Flaw::Disagreed)
        .mutant("ids=same", COLLIDE, &nodes(2), Model::EVENTUAL, Kind::Lost)
        .breaks("", &lost, Model::EVENTUAL, Kind::Diverged)
        .keeps("anti-entropy=on", &lost, [Model::EVENTUAL])
        .hint(
            "",
            Kind::Diverged,
            "repair what was lost",
            "quiescence check pn-counter:anti-entropy=on --faults drop=1",
        )
}

fn mv_register() -> Family {
    let variants = variants(MvRegister { dropped: Dropped::Removed }).parameter(
        "dropped",
        "which values a join takes for replaced",
        [
            ("removed", |it| it.lattice.dropped = Dropped::Removed),
            ("known", |it| it.lattice.dropped = Dropped::Known),
        ],
    );
    let twice = with(&nodes(2), FaultKind::Duplicate);
    let sources = "DeCandia et al. 2007; Preguiça et al. 2010";
    family("mv-register", "state-based: a register that keeps concurrent values", sources, variants)
        .mutant("dropped=known", DESCENDS, &twice, Model::EVENTUAL, Kind::Diverged)
}

fn priority_register() -> Family {
    let variants = variants(PriorityRegister { answers: Answers::Left }).parameter(
        "answers",
        "which value is answered: the greatest that is left, or that ever was",
        [
            ("left", |it| it.lattice.answers = Answers::Left),
            ("kept", |it| it.lattice.answers = Answers::Kept),
        ],
    );
    let about = "state-based: a register whose deletes take away what they have seen";
    Family::new("priority-register", about, &nodes(2), variants)
        .sources("go-ds-crdt issue 238 and pull 241")
        .states(STATES)
        .datatype(&DELETABLE_OPAQUE)
        .keeps("", &nodes(2), [Model::EVENTUAL])
        .keeps("", &nodes(2), [Property::StrongConvergence, Property::Durable])
        .mutant("answers=kept", BURIED, &nodes(2), Model::EVENTUAL, Kind::Diverged)
}

/// With a client at each node.
pub(in crate::catalogue) const BENCH: Bench = Bench {
    word: "orset",
    clients: Clients::AtEachNode,
    subject: || Box::new(plain(OrSet { removes: Removes::Tags })),
    setting: bench::setting,
    judged: Judged::Agreement,
    patient: false,
};

fn or_set() -> Family {
    let variants = variants(OrSet { removes: Removes::Tags }).parameter(
        "removes",
        "what a remove takes away",
        [
            ("tags", |it| it.lattice.removes = Removes::Tags),
            ("value", |it| it.lattice.removes = Removes::Value),
        ],
    );
    let lost = with(&nodes(2), FaultKind::Drop);
    family("or-set", "state-based: an observed-remove set with tombstones", SHAPIRO, variants)
        .mutant("removes=value", BY_VALUE, &nodes(2), Model::EVENTUAL, Kind::Lost)
        .breaks("", &lost, Model::EVENTUAL, Kind::Diverged)
        .keeps("anti-entropy=on", &lost, [Model::EVENTUAL])
}

fn orswot() -> Family {
    let variants = variants(Orswot { dropped: Dropped::Removed }).parameter(
        "dropped",
        "which adds a join takes for removed",
        [
            ("removed", |it| it.lattice.dropped = Dropped::Removed),
            ("known", |it| it.lattice.dropped = Dropped::Known),
        ],
    );
    family(
        "orswot",
        "state-based: an observed-remove set without tombstones",
        "Bieniusa et al. 2012",
        variants,
    )
    .mutant("dropped=known", DROPS, &nodes(2), Model::EVENTUAL, Kind::Diverged)
}

fn cl_set() -> Family {
    let variants = variants(ClSet { adds: Adds::Lengthen }).parameter(
        "adds",
        "what an add does to the length of an element that was removed",
        [
            ("lengthen", |it| it.lattice.adds = Adds::Lengthen),
            ("keep", |it| it.lattice.adds = Adds::Keep),
        ],
    );
    // Lengths of one element say nothing of another one.
    let of_sessions = "ryw+mr.g!".parse().expect("a model of the grid");
    let [eventual, _, converges, durable] = convergent();
    kept(
        [eventual, Property::Model(of_sessions), converges, durable],
        "cl-set",
        "state-based: a set in which the longest chain of adds and removes decides",
        "Yu & Rostad 2020",
        variants,
    )
    .mutant("adds=keep", CREATED, &nodes(2), Model::EVENTUAL, Kind::Diverged)
}

fn or_map() -> Family {
    let variants = variants(OrMap { removes: MapRemoves::Key }).parameter(
        "removes",
        "what a remove takes away",
        [
            ("key", |it| it.lattice.removes = MapRemoves::Key),
            ("all", |it| it.lattice.removes = MapRemoves::All),
        ],
    );
    let sources = "Almeida, Shoker & Baquero 2018";
    family("or-map", "state-based: a map that keeps concurrent values of a key", sources, variants)
        .mutant("removes=all", ALL, &nodes(2), Model::EVENTUAL, Kind::Lost)
}

fn log() -> Family {
    let variants = variants(Log { order: Order::Stamps }).parameter(
        "order",
        "what entries are ordered by",
        [
            ("stamps", |it| it.lattice.order = Order::Stamps),
            ("nodes", |it| it.lattice.order = Order::Nodes),
        ],
    );
    family(
        "lamport-log",
        "state-based: a log in the order of Lamport stamps",
        "Lamport 1978",
        variants,
    )
    .mutant("order=nodes", EARLY, &nodes(2), Model::EVENTUAL, Kind::Illegal)
}
