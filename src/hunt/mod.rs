//! Joins the two halves of the crate: searches make runs, models judge them,
//! and a failing run becomes a case that replays.
//!
//! Strategies know no model, and models know no strategy; only this module
//! knows both. It does no input or output and reads no clock: it takes texts,
//! returns values, and calls `stop` to learn whether its time is up.
//!
//! ```
//! use quiescence::history::Menu;
//! use quiescence::hunt::exhaustive::{self, Decision, Plan};
//! use quiescence::judgement::datatype::Register;
//! use quiescence::prelude::*;
//! use quiescence::search::exhaustive::{Limits, Reduce};
//!
//! let storing = Registry::standard().parse("notebook:storing")?.remove(0);
//! let plan = Plan {
//!     setting: Setting::calm(2, Network::Unordered),
//!     scopes: exhaustive::ladder(),
//!     menu: Menu::register(),
//!     datatype: &Register,
//!     properties: vec![Model::EVENTUAL.into()],
//!     reduce: Reduce::ALL,
//!     limits: Limits::default(),
//!     enough: None,
//!     jobs: 1,
//! };
//! let hunt = exhaustive::hunt(&*storing, &plan, &|_| false);
//! let (_, Decision::Violated(found)) = &hunt.found[0] else { panic!("{hunt:?}") };
//! assert_eq!(found.failing.flaw, Flaw::History(Kind::Diverged));
//! assert_eq!(found.failing.run.schedule.len(), 4);
//! # Ok::<(), quiescence::catalogue::UnknownStrategy>(())
//! ```
//!
//! Read next: [`property`] for what is judged, [`outcome`] for what a result
//! means, [`random`] for the hunt, [`exhaustive`] for proofs, [`minimise`] for
//! making runs small, [`case`] for the file.

#[cfg(feature = "proptest")]
pub mod both;
pub mod case;
pub mod cause;
mod durable;
#[cfg(feature = "proptest")]
pub mod exam;
pub mod exhaustive;
pub mod landmarks;
pub mod minimise;
pub mod mutant;
pub mod neighbour;
#[cfg(feature = "proptest")]
pub mod outcome;
pub mod promise;
pub mod property;
#[cfg(feature = "proptest")]
pub mod random;
pub mod so_far;
pub mod unreached;

use crate::history::Menu;
use crate::judgement::datatype::Datatype;
use crate::replication::{Cluster, Strategy};

pub use crate::replication::Subject;

/// What clients ask in a search: the calls of a datatype that some node serves.
/// They choose among so many `arguments`, where the datatype lets them.
///
/// ```
/// use quiescence::hunt::served;
/// use quiescence::judgement::datatype::ReplicatedSet;
/// use quiescence::prelude::*;
///
/// let set = Registry::standard().parse("or-set")?.remove(0);
/// let menu = served(&*set, 3, &ReplicatedSet::AddWins, 2);
/// assert_eq!(menu.to_string(), "add 1, remove 1, add 2, remove 2; read");
/// # Ok::<(), quiescence::catalogue::UnknownStrategy>(())
/// ```
pub fn served(
    subject: &dyn Subject,
    nodes: u16,
    datatype: &dyn Datatype,
    arguments: usize,
) -> Menu {
    let (strategy, cluster) = (subject.erased(), Cluster::of(nodes));
    datatype.menu(arguments).only(|item| {
        let call = item.call("x", 1);
        cluster.nodes().any(|node| strategy.serves(&call, node, &cluster))
    })
}
