//! Linearizability: not decided yet.

use super::super::verdict::{Budget, Unknown, Verdict};
use crate::history::History;

/// Answers Unknown.
pub(super) fn check(_history: &History, _budget: Budget) -> Verdict {
    Verdict::Unknown(Unknown { reason: "no checker for linearizable yet".to_owned(), spent: 0 })
}
