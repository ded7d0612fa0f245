//! What a search has dropped and may in truth still be under way, and where nodes come
//! meanwhile.
//!
//! Invariant: what is kept in mind while a node holds something is kept in mind in all
//! that the node is known to come to from there, unless no run goes that way with it. It
//! does not know what is tested there.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::numbered::{Id, Numbered};
use super::parts::{Ask, Held, Message, Progress, Through};

/// A message that has been dropped, at this place.
pub(super) type Dropped = (usize, Id<Message>);

/// A place with what is held there.
pub(super) type HeldAt = (usize, Id<Held>);

/// What is kept in mind while a node holds something.
#[derive(Default)]
pub(super) struct Mind {
    /// By number of what has been dropped: whether it may be under way, one bit each.
    pub(super) dropped: Vec<u64>,
    /// What the node may come to hold next.
    pub(super) leads: Vec<(Id<Held>, Through)>,
}

/// All that has been dropped, and where nodes have come.
#[derive(Default)]
pub(super) struct Underway {
    pub(super) dropped: Numbered<Dropped>,
    /// The least that clients had done when it was dropped.
    pub(super) since: Vec<Progress>,
    /// What may be answered to it.
    pub(super) answers: Vec<SmallVec<[Id<Message>; 2]>>,
    /// What nodes have held, by number, and what is kept in mind there.
    held: Numbered<HeldAt>,
    minds: Vec<Mind>,
    /// Deliveries that were seen to do nothing at all.
    pub(super) silent: FxHashSet<(HeldAt, Id<Message>)>,
    pub(super) progress: Numbered<Progress>,
}

impl Underway {
    /// Whether anything has been dropped.
    pub(super) fn is_used(&self) -> bool {
        !self.since.is_empty()
    }

    fn has(&self, held: HeldAt, number: usize) -> bool {
        let mind = self.held.find(&held).map(|at| &self.minds[at.index()]);
        let word = mind.and_then(|mind| mind.dropped.get(number / 64));
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// What is kept in mind while a node holds this.
    pub(super) fn mind(&mut self, held: HeldAt) -> &mut Mind {
        let number = self.held.number(held).index();
        if number == self.minds.len() {
            self.minds.push(Mind::default());
        }
        &mut self.minds[number]
    }

    /// Keeps in mind that this may be under way; whether that is new.
    pub(super) fn note(&mut self, held: HeldAt, number: usize) -> bool {
        let dropped = &mut self.mind(held).dropped;
        if dropped.len() <= number / 64 {
            dropped.resize(number / 64 + 1, 0);
        }
        let word = &mut dropped[number / 64];
        let new = *word & (1 << (number % 64)) == 0;
        *word |= 1 << (number % 64);
        new
    }

    /// Whether what was dropped may still be under way after this.
    pub(super) fn outlives(&self, number: usize, place: usize, through: Through) -> bool {
        let since = |ask: Ask| self.since[number][usize::from(ask.operation().session)];
        match through {
            Through::Client(ask @ Ask::Invoke(operation, ..)) => since(ask).0 <= operation.number,
            Through::Client(ask @ Ask::Retry(operation, ..)) => since(ask).1 <= operation.number,
            Through::Step | Through::Client(Ask::GiveUp(_)) => true,
            Through::Loss => self.dropped.values[number].0 != place,
        }
    }

    /// Where a place is while this may be under way, in the order of finding.
    pub(super) fn places(&self, number: usize) -> Vec<HeldAt> {
        self.held.values.iter().copied().filter(|held| self.has(*held, number)).collect()
    }
}
