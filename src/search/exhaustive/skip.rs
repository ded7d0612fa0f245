//! Steps that lead to known states: the other sides of diamonds.
//!
//! Two steps that do not depend on each other can be taken in either order,
//! and lead to the same state. So if a state was first reached by one step, and
//! another was possible before, what both lead to is reached as well by the
//! other one first. The order of *labels* (the node, and there the number of the
//! message) decides which of the two orders is looked up: a step is skipped if
//! it comes after one with a lower label. The step that is left to
//! do the work has the lower label, and if it is skipped in its turn, that is
//! for one with a still lower label; there are only so many. (These are sleep
//! sets for one step back, Godefroid 1996, with the state and its parent
//! instead of a set.)
//!
//! Steps at different nodes never depend on each other, but what one sends
//! changes the other's inbox: what was there before can still be taken first.
//! Two deliveries at one node are looked up both ways once
//! ([`Numbers::swaps`]), unless one of them sends to the node itself.
//!
//! Invariant: every state is still reached, on its level. Nothing is skipped
//! where a step at one node may forbid or change one at another: faults, which
//! share budgets, timers, which may have to wait, and ticks, which other clocks and
//! deadlines hinder or allow, are always taken; so is
//! everything with clocks, which share time, and where states are merged
//! (symmetry) or left out (macro, persistent). It does not know what handlers
//! do.

use super::numbered::Id;
use super::numbers::{Miss, Move, Numbers, PANICS, Sort, UNASKED};
use super::parts::{Component, Message, at};
use super::store::{State, Store};
use super::tables::Tables;
use super::{Reduce, Refused};

/// Nothing is known of the step to a state.
pub(super) const UNKNOWN: u8 = u8::MAX;

/// The lower bits of a note tell the step at the node.
const BITS: u32 = 5;

/// A client's request, among the lower bits.
const REQUEST: usize = (1 << BITS) - 2;

/// The note of a state that is reached by this one of a node's own steps.
#[inline]
pub(super) fn note(place: usize, index: usize) -> u8 {
    if index < REQUEST { u8::try_from(place << BITS | index).unwrap_or(UNKNOWN) } else { UNKNOWN }
}

/// The note of a state that is reached by a client's request.
#[inline]
pub(super) fn note_of_request(place: usize) -> u8 {
    u8::try_from(place << BITS | REQUEST).unwrap_or(UNKNOWN)
}

/// Which steps at a node need not be taken.
#[derive(Clone, Copy)]
pub(super) enum Closes<'n> {
    /// Each is taken.
    None,
    /// None of them is; if told, all that mean something to the clients are.
    All { told: bool },
    /// Those with their bit set are not.
    Those(u32),
    /// Those that are among these are not; if told, unless they mean something
    /// to the clients.
    Old { sorts: &'n [Sort], told: bool },
}

impl Closes<'_> {
    /// Whether none of a node's own steps needs to be taken.
    #[inline]
    pub(super) fn everything(&self, numbers: &Numbers) -> bool {
        matches!(self, Closes::All { told: false }) && !numbers.conditional
    }

    /// Whether this one, in this place among a node's steps, is skipped.
    #[inline]
    pub(super) fn holds(&self, numbers: &Numbers, index: usize, number: Id<Move>) -> bool {
        let silent = |told: bool| !told || numbers.moves[number.index()].event == Id::FIRST;
        match *self {
            _ if !numbers.is_free(number) => false,
            Closes::None => false,
            Closes::All { told } => silent(told),
            Closes::Those(bits) => index < SWAPS && bits & (1 << index) != 0,
            Closes::Old { sorts, told } => {
                silent(told) && sorts.contains(&numbers.sorts[number.index()])
            }
        }
    }
}

/// How a state was first reached.
#[derive(Clone, Copy)]
pub(super) struct Before<'r> {
    /// The row of its parent.
    row: &'r [u32],
    /// The node of the step.
    place: usize,
    /// The step among the node's own; `None` for a client's request.
    step: Option<Id<Move>>,
    /// Whether the step meant something to the clients.
    told: bool,
}

impl<'r> Before<'r> {
    /// Nothing is skipped.
    pub(super) const NONE: Before<'static> =
        Before { row: &[], place: usize::MAX, step: None, told: false };

    /// How this state was reached, if that allows to skip anything.
    #[inline]
    pub(super) fn of(
        numbers: &Numbers,
        store: &'r Store,
        reduce: Reduce,
        state: State,
    ) -> Result<Before<'r>, Miss> {
        let note = store.note(state);
        if note == UNKNOWN || numbers.ticks || reduce.persistent || !numbers.permutations.is_empty()
        {
            return Ok(Before::NONE);
        }
        let (place, index) = (usize::from(note) >> BITS, usize::from(note) & ((1 << BITS) - 1));
        let row = store.row(store.parent(state));
        if index == REQUEST {
            return Ok(Before { row, place, step: None, told: true });
        }
        let local = numbers.local(place, at(row, place))?;
        let step = Id::of(local.from.number() + u32::from(note) % (1 << BITS));
        if !numbers.is_free(step) {
            return Ok(Before::NONE);
        }
        let told = numbers.moves[step.index()].event != Id::FIRST;
        Ok(Before { row, place, step: Some(step), told })
    }

    /// Which of a node's own steps close a diamond.
    #[inline]
    pub(super) fn closes<'n>(
        &self,
        numbers: &'n Numbers,
        row: &[u32],
        place: usize,
    ) -> Result<Closes<'n>, Miss> {
        // Most steps are at the first node or leave the others alone.
        if place < self.place || self.row.is_empty() {
            return Ok(Closes::None);
        }
        let before = at(self.row, place);
        if place == self.place {
            return match self.step {
                // Where messages were dropped, bits would mean others.
                Some(step) if numbers.moves[step.index()].next != at(row, place) => {
                    Ok(Closes::None)
                }
                Some(step) => numbers.swaps(place, before, step).map(Closes::Those),
                None => Ok(Closes::None),
            };
        }
        let told = self.told;
        if at(row, place) == before {
            return Ok(Closes::All { told });
        }
        let sorts = numbers.local(place, before)?.of(&numbers.sorts);
        Ok(Closes::Old { sorts, told })
    }

    /// Whether a client's request at a node closes a diamond.
    #[inline]
    pub(super) fn closes_request(&self, row: &[u32], place: usize) -> bool {
        // A request means something to the clients.
        place > self.place && !self.told && row[place] == self.row[place]
    }
}

impl Numbers {
    /// Whether a move is possible whatever happens elsewhere: it is no fault,
    /// which others may use up, no timer, which may have to wait, and no tick, for which
    /// others may be too far behind.
    #[inline]
    fn is_free(&self, number: Id<Move>) -> bool {
        !self.conditional
            || !matches!(
                self.sorts[number.index()],
                Sort::Fire(_) | Sort::Mishap(_) | Sort::Tick(_)
            )
    }

    /// The steps after this one, of a component at a place, that lead to the
    /// same if they come before it, one bit each.
    #[inline]
    fn swaps(&self, place: usize, component: Id<Component>, step: Id<Move>) -> Result<u32, Miss> {
        let swaps = self.moves[step.index()].swaps;
        if swaps == UNASKED { Err(Miss::Swaps(place, component, step)) } else { Ok(swaps) }
    }
}

/// How many steps after one are looked at.
const SWAPS: usize = 31;

impl Tables<'_> {
    /// Which deliveries after a step lead to the same as before it: they were
    /// possible before, have a higher label, and both orders have the same
    /// effects and the same end. At most one of the two may mean something to
    /// the clients, and one of them send something: then the order in which
    /// that is told or sent is the same, too.
    pub(super) fn swaps(
        &mut self,
        place: usize,
        at: Id<Component>,
        step: Id<Move>,
    ) -> Result<u32, Refused> {
        let Sort::Deliver(label) = self.numbers.sorts[step.index()] else { return Ok(0) };
        let first = self.numbers.moves[step.index()];
        let mut swaps = 0;
        // What a node sends to itself is in the inbox of the next component,
        // and takes a place among its steps: there bits would mean others.
        if self.sends_to_itself(place, first) {
            return Ok(0);
        }
        let after = self.span(place, first.next)?;
        for (index, number) in after.each().take(SWAPS).enumerate() {
            let Sort::Deliver(other) = self.numbers.sorts[number.index()] else { continue };
            if other <= label {
                continue;
            }
            let second = self.numbers.moves[number.index()];
            let Some(sooner) = self.delivery(place, at, other)? else { continue };
            if sooner.next == PANICS || self.sends_to_itself(place, second) {
                continue;
            }
            let Some(later) = self.delivery(place, sooner.next, label)? else { continue };
            let one_is_told = first.event == Id::FIRST || second.event == Id::FIRST;
            let one_sends = first.sends == Id::FIRST || second.sends == Id::FIRST;
            let effects = |step: Move| (step.event, step.sends);
            let same = later.next == second.next
                && effects(later) == effects(first)
                && effects(sooner) == effects(second);
            if same && one_is_told && one_sends {
                swaps |= 1 << index;
            }
        }
        Ok(swaps)
    }

    fn sends_to_itself(&self, place: usize, step: Move) -> bool {
        let sent = self.numbers.sent_by(step);
        sent.iter().any(|(to, _)| usize::from(*to) == place)
    }

    /// The delivery of this message at a component.
    fn delivery(
        &mut self,
        place: usize,
        at: Id<Component>,
        message: Id<Message>,
    ) -> Result<Option<Move>, Refused> {
        let span = self.span(place, at)?;
        let wanted = Sort::Deliver(message);
        let found = span.each().find(|number| self.numbers.sorts[number.index()] == wanted);
        Ok(found.map(|number| self.numbers.moves[number.index()]))
    }
}
