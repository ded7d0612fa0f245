//! Faults and their budgets.
//!
//! Invariant: every fault is budgeted; a plan of zeros is a world without
//! faults. Two faults of one kind share a budget, so they depend on each
//! other wherever they strike.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How often each kind of fault may strike, or did.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Messages lost.
    #[serde(skip_serializing_if = "is_zero")]
    pub drop: u16,
    /// Messages delivered twice.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicate: u16,
    /// Nodes that stop, lose what is not durable, and may come back.
    #[serde(skip_serializing_if = "is_zero")]
    pub crash: u16,
    /// Links that hold messages back until healed.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut: u16,
    /// Clocks that jump one unit, ahead or back.
    #[serde(skip_serializing_if = "is_zero")]
    pub skew: u16,
    /// Clients that stop waiting.
    #[serde(skip_serializing_if = "is_zero")]
    pub give_up: u16,
    /// Clients that send an open request once more.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry: u16,
    /// Suspicions of a failure detector, right or wrong.
    #[serde(skip_serializing_if = "is_zero")]
    pub suspect: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &u16) -> bool {
    *count == 0
}

impl Faults {
    /// The kinds, by the names used on the command line and in files.
    pub const KINDS: [&'static str; 8] =
        ["drop", "duplicate", "crash", "cut", "skew", "give_up", "retry", "suspect"];

    /// No fault of any kind.
    pub const NONE: Faults = Faults {
        drop: 0,
        duplicate: 0,
        crash: 0,
        cut: 0,
        skew: 0,
        give_up: 0,
        retry: 0,
        suspect: 0,
    };

    /// The count of each kind, in the order of [`Faults::KINDS`].
    pub fn counts(&self) -> [u16; 8] {
        [
            self.drop,
            self.duplicate,
            self.crash,
            self.cut,
            self.skew,
            self.give_up,
            self.retry,
            self.suspect,
        ]
    }

    /// The count of the kind with this name.
    pub fn count_mut(&mut self, kind: &str) -> Option<&mut u16> {
        Some(match kind {
            "drop" => &mut self.drop,
            "duplicate" => &mut self.duplicate,
            "crash" => &mut self.crash,
            "cut" => &mut self.cut,
            "skew" => &mut self.skew,
            "give_up" => &mut self.give_up,
            "retry" => &mut self.retry,
            "suspect" => &mut self.suspect,
            _ => return None,
        })
    }

    /// Whether nothing may go wrong.
    pub fn is_none(&self) -> bool {
        *self == Faults::NONE
    }
}

impl fmt::Display for Faults {
    /// `drop 1, crash 2`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (kind, count) in Faults::KINDS.iter().zip(self.counts()) {
            if count > 0 {
                write!(f, "{separator}{kind} {count}")?;
                separator = ", ";
            }
        }
        if separator.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

/// What happens to the messages that wait at a node when it crashes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum InboxOnCrash {
    /// They are lost with it.
    #[default]
    Lost,
    /// They wait until it is back.
    Kept,
}

/// What may go wrong in a run, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultPlan {
    /// The budgets.
    pub budget: Faults,
    /// What a crash does to waiting messages.
    pub inbox: InboxOnCrash,
    /// How far the clock of each node is off from the start, in units;
    /// nodes beyond the end of the list are not off.
    pub clocks: Vec<i32>,
    /// Whether a client that goes on after an unknown outcome keeps its token.
    pub keep_token: bool,
}
