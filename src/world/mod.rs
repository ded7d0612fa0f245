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
//! Read next: [`component`] for a node's step, [`settle`](Run) for how a run
//! ends, [`trace`] for what is shown of it.

mod action;
mod agreement;
pub mod client;
pub mod component;
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
pub use facts::Facts;
pub(crate) use fault::Kinds as FaultKinds;
pub use fault::{FaultPlan, Faults, InboxOnCrash, Kind as FaultKind};
pub use finals::Visit;
pub(crate) use finals::ask;
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
