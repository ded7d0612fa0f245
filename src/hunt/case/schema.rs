//! The JSON of `quiescence-case/1`, field by field.
//!
//! These types are the format; they change only with its version.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::history::{Function, Key, Value};
use crate::replication::StrategyName;
use crate::world::{Faults, Network, Routing};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub format: String,
    pub tool: String,
    pub strategy: StrategyName,
    #[serde(default = "register", skip_serializing_if = "is_register")]
    pub datatype: String,
    pub cluster: ClusterShape,
    #[serde(default)]
    pub faults: FaultsShape,
    pub routing: Routing,
    pub workload: Vec<SessionShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start: Vec<String>,
    pub schedule: Vec<StepShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<usize>,
    pub history: String,
    pub model: String,
    pub verdict: VerdictWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default)]
    pub evidence: Json,
    #[serde(default)]
    pub minimal: bool,
    #[serde(default)]
    pub found: FoundShape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<FullShape>,
}

/// The run as it was found. Its cluster and its faults are those of the case if they are left
/// out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullShape {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultsShape>,
    pub workload: Vec<SessionShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start: Vec<String>,
    pub schedule: Vec<StepShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<usize>,
    pub history: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum VerdictWord {
    Holds,
    Violated,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterShape {
    pub nodes: u64,
    pub network: Network,
}

/// [`Faults`] refuses the names of unknown kinds of faults.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct FaultsShape {
    #[serde(flatten)]
    pub budget: Faults,
    #[serde(skip_serializing_if = "is_default")]
    pub inbox: crate::world::InboxOnCrash,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<i32>,
    #[serde(skip_serializing_if = "is_default")]
    pub keep_token: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounded: Option<std::num::NonZeroU16>,
    #[serde(skip_serializing_if = "is_default")]
    pub lose_clock: bool,
}

/// What is replicated where a case does not say.
fn register() -> String {
    "register".to_owned()
}

fn is_register(name: &String) -> bool {
    *name == register()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionShape {
    pub session: String,
    pub node: String,
    pub operations: Vec<OperationShape>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationShape {
    pub f: Function,
    pub key: Key,
    #[serde(default, skip_serializing_if = "is_default")]
    pub value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepShape {
    pub r#do: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Its number from 1; without it, the session's next operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The two sides of a partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<String>,
    /// Its number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<u16>,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sends: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub settling: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FoundShape {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub search: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shrunk_from: Option<usize>,
}
