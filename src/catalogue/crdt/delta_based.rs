//! Types that are replicated by sending what updates add to their states.

use crate::catalogue::family::Family;
use crate::catalogue::variants::Variants;
use crate::hunt::mutant::Bug;
use crate::hunt::property::Property;
use crate::judgement::{Kind, Model};
use crate::replication::crdt::delta_based::{DeltaBased, Intervals};
use crate::replication::crdt::orswot::Orswot;
use crate::replication::crdt::pn_counter::{Merge, PnCounter};
use crate::replication::crdt::{Dropped, Lattice};
use crate::world::FaultKind;

use super::{STATES, convergent, nodes, with};

const ASSUMED: Bug = Bug {
    title: "what was sent counts as received: a lost interval is never sent again",
    story: "A delta is sent and forgotten. If the message is lost, the receiver gets the \
               next interval, has a gap, and nobody sends what is missing. Acknowledgements \
               have to come from the receiver.",
    source: "Almeida, Shoker & Baquero 2018",
    repaired: "",
    keeps: &["ryw", "strong-convergence"],
    actions: 2,
};

fn family<L: Lattice>(name: &'static str, about: &'static str, lattice: L) -> Family {
    let plain = DeltaBased { lattice, intervals: Intervals::Causal };
    let variants = Variants::of(plain).parameter(
        "intervals",
        "which deltas are sent, and when",
        [
            ("causal", |it| it.intervals = Intervals::Causal),
            ("basic", |it| it.intervals = Intervals::Basic),
            ("assumed", |it| it.intervals = Intervals::Assumed),
        ],
    );
    let lost = with(&nodes(2), FaultKind::Drop);
    Family::new(name, about, &nodes(2), variants)
        .sources("Almeida, Shoker & Baquero 2018")
        .states(STATES)
        .keeps("", &nodes(2), convergent())
        .keeps("", &lost, [Model::EVENTUAL])
        .keeps("", &with(&nodes(2), FaultKind::Cut), [Property::Available])
        .keeps("intervals=basic", &nodes(3), [Model::EVENTUAL])
        .breaks("intervals=basic", &lost, Model::EVENTUAL, Kind::Diverged)
        .mutant(
            "intervals=assumed",
            Bug { repaired: name, ..ASSUMED },
            &lost,
            Model::EVENTUAL,
            Kind::Diverged,
        )
}

/// All of them, in the order in which they are listed.
pub(in crate::catalogue) fn families() -> Vec<Family> {
    let counter = PnCounter { merge: Merge::Larger };
    let set = Orswot { dropped: Dropped::Removed };
    vec![
        family("delta-counter", "delta-based: a counter with an entry for each node", counter),
        family("delta-set", "delta-based: an observed-remove set without tombstones", set),
    ]
}
