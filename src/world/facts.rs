//! White-box facts of a run: which writes each read took into account, and in
//! which order the strategy puts writes.
//!
//! They are the strategy's own claims. As a candidate witness they can show that
//! a model holds, because the witness is checked against the history; that a model
//! is violated they cannot show.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::history::{Key, NodeId};
use crate::replication::{OperationId, Stamp, Visible};

/// What was recorded beside the history.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The apply log of each node; a crash begins a new one.
    logs: Vec<Vec<Vec<OperationId>>>,
    /// For each node, a sum of hashes of the writes that it has taken into
    /// account: if the sums of two nodes differ, so do the writes.
    sums: Vec<u64>,
    /// The highest stamp under which each write became visible anywhere.
    stamps: FxHashMap<OperationId, Stamp>,
    /// What was visible where each write first became so: what it had seen.
    origins: FxHashMap<OperationId, Seen>,
    /// What each answered operation saw, in order of answering.
    seen: Vec<(OperationId, Seen)>,
}

#[derive(Clone, Debug)]
enum Seen {
    Unrecorded,
    /// A prefix of an apply log: node, which log, how long.
    Log(usize, usize, usize),
    UpTo(Stamp),
    These(Vec<OperationId>),
}

impl Facts {
    pub(crate) fn of(nodes: usize) -> Self {
        let logs = vec![vec![Vec::new()]; nodes];
        Facts { logs, sums: vec![0; nodes], ..Facts::default() }
    }

    /// The writes that a node has taken into account since it last came up, in
    /// that order.
    pub fn taken(&self, node: NodeId) -> &[OperationId] {
        self.logs[node.index()].last().expect("there is always a log")
    }

    /// Whether two nodes may have taken the same writes into account. Cheap: it
    /// compares sums of hashes.
    pub(super) fn may_have_same_writes(&self, one: NodeId, other: NodeId) -> bool {
        self.sums[one.index()] == self.sums[other.index()]
    }

    /// Whether two nodes have taken the same writes into account. O(n²).
    pub(super) fn same_writes(&self, one: NodeId, other: NodeId) -> bool {
        let (one, other) = (self.taken(one), self.taken(other));
        one.iter().all(|write| other.contains(write))
            && other.iter().all(|write| one.contains(write))
    }

    pub(crate) fn visible(&mut self, node: NodeId, write: OperationId, stamp: Stamp) {
        let (last, length) = (self.logs[node.index()].len() - 1, self.taken(node).len());
        if !self.taken(node).contains(&write) {
            let sum = &mut self.sums[node.index()];
            *sum = sum.wrapping_add(FxBuildHasher.hash_one(write));
            self.logs[node.index()][last].push(write);
        }
        self.origins.entry(write).or_insert(Seen::Log(node.index(), last, length));
        self.stamped(write, stamp);
    }

    /// Records a stamp. If a write gets several (after a retry, for example), the
    /// highest counts, whatever the order in which they became visible.
    pub(crate) fn stamped(&mut self, write: OperationId, stamp: Stamp) {
        let known = self.stamps.entry(write).or_insert(stamp);
        *known = stamp.max(*known);
    }

    pub(super) fn crashed(&mut self, node: NodeId) {
        self.logs[node.index()].push(Vec::new());
        self.sums[node.index()] = 0;
    }

    pub(crate) fn answered(&mut self, node: NodeId, operation: OperationId, visible: &Visible) {
        let logs = &self.logs[node.index()];
        let seen = match visible {
            Visible::Unrecorded => Seen::Unrecorded,
            Visible::Here => {
                let last = logs.len() - 1;
                Seen::Log(node.index(), last, logs[last].len())
            }
            Visible::UpTo(stamp) => Seen::UpTo(*stamp),
            Visible::These(writes) => Seen::These(writes.clone()),
        };
        self.seen.push((operation, seen));
    }

    /// As [`answered`](Self::answered), with what was visible in `fork`.
    pub(crate) fn answered_elsewhere(
        &mut self,
        fork: &Facts,
        node: NodeId,
        operation: OperationId,
        visible: &Visible,
    ) {
        let visible = match visible {
            Visible::Here => {
                let log = fork.logs[node.index()].last().expect("there is always a log");
                Visible::These(log.clone())
            }
            other => other.clone(),
        };
        self.answered(node, operation, &visible);
    }

    /// The highest stamp under which `write` became visible anywhere.
    pub fn stamp(&self, write: OperationId) -> Option<Stamp> {
        self.stamps.get(&write).copied()
    }

    /// The writes that `read` took into account, ascending, as far as the
    /// strategy recorded it; `writes` are all writes of the run with keys.
    pub fn visible_to(
        &self,
        read: OperationId,
        key: &Key,
        writes: &[(OperationId, Key)],
    ) -> Option<Vec<OperationId>> {
        let (_, seen) = self.seen.iter().find(|(operation, _)| *operation == read)?;
        self.resolve(seen, key, writes)
    }

    /// The writes that `write` had seen, ascending: those that were visible at the
    /// node where it first became visible. `None` if it never did.
    pub fn seen_by_write(&self, write: OperationId) -> Option<Vec<OperationId>> {
        let key = Key::new("");
        let mut seen = self.resolve(self.origins.get(&write)?, &key, &[])?;
        seen.retain(|other| *other != write);
        Some(seen)
    }

    fn resolve(
        &self,
        seen: &Seen,
        key: &Key,
        writes: &[(OperationId, Key)],
    ) -> Option<Vec<OperationId>> {
        let mut all: Vec<_> = match seen {
            Seen::Unrecorded => return None,
            Seen::Log(node, log, length) => self.logs[*node][*log][..*length].to_vec(),
            Seen::UpTo(limit) => writes
                .iter()
                .filter(|(write, of)| {
                    of == key && self.stamp(*write).is_some_and(|stamp| stamp <= *limit)
                })
                .map(|(write, _)| *write)
                .collect(),
            Seen::These(writes) => writes.clone(),
        };
        all.sort_unstable();
        all.dedup();
        Some(all)
    }
}
