//! All that a protocol of one's own and its registry need, for
//! `use quiescence::prelude::*`.

pub use crate::catalogue::{Family, Registry, Variants};
pub use crate::history::{Call, Completion, Key, NodeId, Value};
pub use crate::hunt::property::{Flaw, Property};
pub use crate::judgement::{Kind, Model};
pub use crate::replication::{
    Cluster, CommandId, Effects, ImageId, Input, Invariant, OperationId, Part, Stamp, Strategy,
    StrategyName, TimerId, Visible, shown,
};
pub use crate::world::{FaultKind, Faults, Network, Routing, Setting};
