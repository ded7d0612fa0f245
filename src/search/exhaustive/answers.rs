//! What is remembered of answers to final reads, by number.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::history::{Call, Key, NodeId};
use crate::world::Told;

use super::numbered::{Id, Numbered};
use super::parts::{Component, Held, Rest};

/// Final reads with their answers.
pub(super) type Finals = Vec<(NodeId, Call, Told)>;

/// The keys that were asked about.
pub(super) type Keys = Vec<Key>;

/// A place, and what is held there.
pub(super) type HeldAt = (usize, Id<Held>);

/// What is held at each node.
pub(super) type AllHeld = SmallVec<[Id<Held>; 8]>;

/// Where deliveries may lead at a node.
pub(super) type Drained = SmallVec<[Id<Component>; 4]>;

/// What the answers to all final reads depend on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Depends {
    /// The answers of each node, given at once.
    Answers(SmallVec<[Id<Finals>; 8]>),
    /// What all nodes hold.
    Held(AllHeld),
}

/// What is judged: rest and answers, or rest alone; what is held everywhere, if
/// what is visible counts; and how many operations stay open.
pub(super) type Judged = (Id<Rest>, Option<Id<Finals>>, AllHeld, usize);

/// Answers that are known, by number.
#[derive(Default)]
pub(super) struct Answers {
    /// The answers a node gives at once, by keys, place and what is held, and
    /// whether these are all.
    pub(super) local: FxHashMap<(Id<Keys>, HeldAt), (Id<Finals>, bool)>,
    pub(super) locals: Numbered<Finals>,
    pub(super) finals: Numbered<Finals>,
    pub(super) known: FxHashMap<(Id<Keys>, Depends), Id<Finals>>,
    /// Sets of keys, and by rest the keys that were asked about: no other is
    /// part of the run.
    pub(super) keys: Numbered<Keys>,
    pub(super) asked: FxHashMap<Id<Rest>, Id<Keys>>,
    /// What has been judged.
    pub(super) judged: FxHashSet<Judged>,
    pub(super) rests: FxHashSet<Id<Rest>>,
    /// What a component comes to once all has been delivered.
    pub(super) drained: FxHashMap<(usize, Id<Component>), Drained>,
    /// What has been looked at, with the invariants that it breaks.
    pub(super) looked: FxHashMap<AllHeld, Vec<usize>>,
    pub(super) agree: FxHashMap<(Id<Keys>, HeldAt, HeldAt), bool>,
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
