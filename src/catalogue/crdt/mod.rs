//! Convergent data types: by whole states, by deltas, by operations.

use crate::hunt::property::Property;
use crate::judgement::Model;
use crate::world::{FaultKind, Faults, Network, Setting};

pub(super) mod delta_based;
pub(super) mod operation_based;
pub(super) mod state_based;
pub(super) mod texts;

/// The most states of a search where all promises are checked: whole states travel,
/// so scopes are large.
const STATES: u64 = 20_000;

/// Causal convergence, and that all updates are seen in the end.
fn causal() -> Model {
    "ccv_ev".parse().expect("a model of the grid")
}

/// What a type that converges keeps.
fn convergent() -> [Property; 4] {
    let models = [Model::EVENTUAL, causal()].map(Property::Model);
    let [eventual, causal] = models;
    [eventual, causal, Property::StrongConvergence, Property::Durable]
}

/// Nodes on an unordered network.
fn nodes(nodes: u16) -> Setting {
    Setting::calm(nodes, Network::Unordered)
}

/// The same, where a fault of this kind may strike once.
fn with(setting: &Setting, kind: FaultKind) -> Setting {
    setting.clone().with_faults(Faults::NONE.with(kind, 1))
}
