//! What is remembered of answers to final reads, by number.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::history::{Call, Key, NodeId, Value};

use super::numbered::Numbered;

/// Final reads with their answers.
pub(super) type Finals = Vec<(NodeId, Call, Option<Value>)>;

/// Answers that are known, by number.
#[derive(Default)]
pub(super) struct Answers {
    /// The answers a node gives at once, by keys, place and what is held, and
    /// whether these are all.
    pub(super) local: FxHashMap<(u32, usize, u32), (u32, bool)>,
    pub(super) locals: Numbered<Finals>,
    pub(super) finals: Numbered<Finals>,
    /// By what answers depend on: the keys, and the answers of each node or
    /// what is held.
    pub(super) known: FxHashMap<(u32, bool, SmallVec<[u32; 8]>), u32>,
    /// Sets of keys, and by rest the keys that were asked about: no other is
    /// part of the run.
    pub(super) keys: Numbered<Vec<Key>>,
    pub(super) asked: FxHashMap<u32, u32>,
    /// What has been judged: rest and answers, or rest alone; and what is held
    /// everywhere, if what is visible counts.
    pub(super) judged: FxHashSet<(u32, Option<u32>, SmallVec<[u32; 8]>)>,
    pub(super) rests: FxHashSet<u32>,
    /// What a component comes to once all has been delivered.
    pub(super) drained: FxHashMap<(usize, u32), SmallVec<[u32; 4]>>,
    /// What has been looked at, with the invariants that it breaks.
    pub(super) looked: FxHashMap<SmallVec<[u32; 8]>, Vec<usize>>,
    pub(super) agree: FxHashMap<(u32, usize, u32, usize, u32), bool>,
    /// How often two nodes could be compared.
    pub(super) compared: u64,
}

impl Answers {
    /// Forgets what was answered, because time has moved on.
    pub(super) fn forget(&mut self) {
        self.local.clear();
        self.known.clear();
        self.agree.clear();
    }
}
