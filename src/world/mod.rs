//! What runs strategies: cluster, network and clients, one action at a time.
//!
//! A [`World`] is the one interpreter of strategies. It is built on
//! [`local_step`](component::local_step), which touches one node and its inbox
//! and nothing else (the *law of locality*): the state of a world is a product
//! of nodes with their inboxes, sessions and spent faults, and actions at
//! different nodes commute.
//!
//! Invariant: all that can happen next is listed by [`World::enabled`], in a
//! canonical order whose first entry is the most ordinary one; nothing else
//! happens. It chooses nothing itself, cannot know what is allowed, and has no
//! clock and no source of chance.
//!
//! A run without choices takes what is most ordinary at every step:
//!
//! ```
//! use quiescence::history::notation;
//! use quiescence::prelude::*;
//! use quiescence::replication::notebook::{Notebook, Variant};
//! use quiescence::world::{Ending, Planned, Scenario, Script, Workload, execute};
//!
//! let write = |node, value| Script {
//!     node: NodeId(node),
//!     operations: vec![Planned { call: Call::write("x", value), node: None }],
//! };
//! let scenario = Scenario {
//!     setting: Setting::calm(2, Network::Fifo),
//!     workload: Workload { sessions: vec![write(0, 1), write(1, 2)] },
//!     choices: Vec::new(),
//!     priorities: Vec::new(),
//! };
//! let run = execute(&Notebook { variant: Variant::Storing }, &scenario, None);
//! assert_eq!(run.ending, Ending::Settled);
//! // Two writes, then a final read of x at each node.
//! assert!(notation::write(&run.history).starts_with("wx1|wx2|rx"));
//! ```
//!
//! Read next: [`component`] for a node's step, [`settle`](Run) for how a run
//! ends, [`trace`] for what is shown of it.

mod action;
mod agreement;
pub mod client;
mod clock;
pub mod component;
mod disk;
mod enabled;
mod facts;
mod fault;
mod finals;
mod limits;
mod perform;
mod recorder;
mod repeat;
mod run;
mod session;
mod settle;
pub mod trace;
mod workload;

pub use action::{Action, MessageId, MessageName};
pub use agreement::Disagreement;
pub(crate) use clock::Hands;
pub use facts::Facts;
pub(crate) use fault::Kinds as FaultKinds;
pub use fault::{FaultPlan, Faults, InboxOnCrash, Kind as FaultKind, Split, Strike};
pub(crate) use finals::ask;
pub use finals::{Lack, Told, Visit};
pub use limits::SettleLimits;
pub use perform::{NotEnabled, Report, State, World};
pub use recorder::{Broken, Shows, Step, Visited};
pub use repeat::repeat;
pub use run::{Run, Scenario, close, execute, re_execute};
pub use session::SessionId;
pub(crate) use session::SessionView;
pub use settle::Ending;
pub(crate) use settle::{Round, Rounds};
pub use workload::{Planned, Routing, Script, Setting, Workload};

use serde::{Deserialize, Serialize};

/// In which order messages on a link may arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Network {
    /// In the order in which they were sent, link by link.
    Fifo,
    /// In any order.
    Unordered,
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Network::Fifo => "FIFO",
            Network::Unordered => "unordered",
        })
    }
}
