//! Generators for proptest: workloads, fault plans, choices, scenarios.
//!
//! They are ordinary `proptest` strategies, called generators here because a
//! *strategy* is a replication method. Use them in a `proptest!` of your own:
//!
//! ```
//! use proptest::prelude::*;
//! use quiescence::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
//! use quiescence::search::random::{Scope, scenario};
//! use quiescence::world::{Ending, execute};
//!
//! let lww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: false };
//! proptest!(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() },
//!     |(scenario in scenario(&Scope::default()))| {
//!         let run = execute(&lww, &scenario, None);
//!         prop_assert_eq!(run.ending, Ending::Settled);
//!     });
//! ```
//!
//! Shrinking makes scenarios smaller and more ordinary: fewer operations,
//! fewer faults, fewer choices, and choices closer to 0, the ordinary one.

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;

use crate::history::{Menu, NodeId};
use crate::search::key;
use crate::world::{
    FaultPlan, Faults, Network, Planned, Routing, Scenario, Script, Setting, Workload,
};

/// How large the scenarios of a search are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The cluster; its fault plan is the most that may go wrong in a run.
    pub setting: Setting,
    /// The most sessions.
    pub sessions: usize,
    /// The most operations of one session.
    pub operations: usize,
    /// How many keys there are, named `x`, `y`, `z`, `k3`, ….
    pub keys: usize,
    /// The most choices before the ordinary order goes on.
    pub choices: usize,
    /// What clients choose from.
    pub menu: Menu,
}

impl Default for Scope {
    /// Three nodes, an unordered network without faults, sticky sessions,
    /// registers.
    fn default() -> Self {
        Scope {
            setting: Setting {
                nodes: 3,
                network: Network::Unordered,
                faults: FaultPlan::default(),
                routing: Routing::Sticky,
            },
            sessions: 3,
            operations: 4,
            keys: 2,
            choices: 40,
            menu: Menu::register(),
        }
    }
}

/// One operation before it is a call: what and on which key, and a node for sessions
/// that roam.
type Draft = (u8, u16);

/// Generates workloads: updates and queries of the menu, about as many of each.
/// New numbers are 1, 2, 3, … in order of session. Shrinking moves calls towards
/// the first update of the menu.
pub fn workload(scope: &Scope) -> impl Strategy<Value = Workload> + use<> {
    let nodes = scope.setting.nodes;
    let keys = scope.keys.max(1);
    let routing = scope.setting.routing;
    let menu = scope.menu.clone();
    let operation = (any::<u8>(), 0..nodes);
    let session = (0..nodes, vec(operation, 1..=scope.operations.max(1)));
    (vec(session, 1..=scope.sessions.max(1)), any::<u8>()).prop_map(move |(drafts, draw)| {
        // Clients that meet on one key find more than clients that miss each
        // other on many: two workloads in three use a single key.
        let keys = if draw < 171 { 1 } else { keys };
        build(&menu, drafts, keys, routing)
    })
}

fn build(menu: &Menu, drafts: Vec<(u16, Vec<Draft>)>, keys: usize, routing: Routing) -> Workload {
    let mut new = 0;
    let mut planned = |(kind, node): Draft| {
        // The lowest bit chooses between updates and queries, so that 0 is an
        // update: a workload without updates shows nothing.
        let (first, second) = match kind & 1 {
            0 => (&menu.updates, &menu.queries),
            _ => (&menu.queries, &menu.updates),
        };
        let items = if first.is_empty() { second } else { first };
        let item = items.get(usize::from(kind >> 1) % items.len().max(1))?;
        let key = key(usize::from(kind >> 1) / items.len() % keys);
        new += i64::from(menu.updates(&item.call(key.clone(), 0)));
        let node = (routing == Routing::Roaming).then_some(NodeId(node));
        Some(Planned { call: item.call(key, new), node })
    };
    let sessions = drafts.into_iter().map(|(node, operations)| Script {
        node: NodeId(node),
        operations: operations.into_iter().filter_map(&mut planned).collect(),
    });
    Workload { sessions: sessions.collect() }
}

/// Generates fault plans within `most`, shrinking towards no faults.
pub fn fault_plan(most: &FaultPlan) -> impl Strategy<Value = FaultPlan> + use<> {
    let most = most.clone();
    // A plan without faults is common in life and useless in a search: the
    // budget is used in full in three runs out of four.
    any::<u8>().prop_map(move |draw| {
        let budget = if draw & 3 == 0 && draw != 0 { Faults::NONE } else { most.budget };
        FaultPlan { budget, ..most.clone() }
    })
}

/// Generates choices: see [`Scenario::choices`].
pub fn choices(length: impl Into<SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), length)
}

/// Generates priorities: see [`Scenario::priorities`]. One scenario in three
/// has none.
pub fn priorities() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), any::<[u8; 16]>())
        .prop_map(|(draw, priorities)| if draw < 86 { Vec::new() } else { priorities.to_vec() })
}

/// Generates everything that a run needs.
pub fn scenario(scope: &Scope) -> impl Strategy<Value = Scenario> + use<> {
    let setting = scope.setting.clone();
    let faults = fault_plan(&scope.setting.faults);
    (workload(scope), faults, choices(0..=scope.choices), priorities()).prop_map(
        move |(workload, faults, choices, priorities)| Scenario {
            setting: Setting { faults, ..setting.clone() },
            workload,
            choices,
            priorities,
        },
    )
}
