//! Steps that lead to known states: the other sides of diamonds.
//!
//! Two steps at different nodes can be taken in either order, and lead to the
//! same state. So if a state was first reached by a step at one node, a step
//! at a *later* node that was possible before has been, or will be, taken
//! there, and the first of the two after it: what both lead to need not be
//! looked up once more. The order of nodes makes sure that not both sides are
//! left out: the step that is left to do the work is at an earlier node, and
//! there are only so many. (These are sleep sets for one step back, Godefroid
//! 1996, with the state and its parent instead of a set.)
//!
//! Invariant: every state is still reached, on its level. Nothing is skipped
//! where a step at one node may forbid or change one at another: with faults,
//! timers and clocks, which share budgets and time; where states are merged
//! (symmetry) or left out (macro, persistent). It does not know what steps do.

use super::Reduce;
use super::numbers::{Move, Numbers};
use super::store::Store;

/// Nothing is known of the step to a state.
const UNKNOWN: u8 = 0;

/// The note of a state that is reached by this step.
#[inline]
pub(super) fn note(place: usize, step: &Move) -> u8 {
    let note = 2 * place + usize::from(step.event != 0) + 1;
    u8::try_from(note).unwrap_or(UNKNOWN)
}

/// Which steps at a node need not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closes {
    /// Each is taken.
    None,
    /// Those that mean nothing to the clients.
    Untold,
    /// All of them.
    All,
}

/// How a state was first reached.
#[derive(Clone, Copy)]
pub(super) struct Before<'r> {
    /// The row of its parent.
    row: &'r [u32],
    /// The node of the step.
    place: usize,
    /// Whether the step meant something to the clients.
    told: bool,
}

impl<'r> Before<'r> {
    /// Nothing is skipped.
    pub(super) const NONE: Before<'static> = Before { row: &[], place: usize::MAX, told: false };

    /// How this state was reached, if that allows to skip anything.
    #[inline]
    pub(super) fn of(
        numbers: &Numbers,
        store: &'r Store,
        reduce: Reduce,
        state: u32,
    ) -> Before<'r> {
        let note = store.note(state);
        let shared = numbers.conditional || numbers.ticks;
        if note == UNKNOWN || shared || reduce.persistent || !numbers.permutations.is_empty() {
            return Before::NONE;
        }
        let note = usize::from(note - 1);
        Before { row: store.row(store.parent(state)), place: note / 2, told: note % 2 == 1 }
    }

    /// Which steps at a node close a diamond: they were possible before the
    /// step to `row`, which was at an earlier node. If that one meant something
    /// to the clients, only those that do not.
    #[inline]
    pub(super) fn closes(&self, row: &[u32], place: usize) -> Closes {
        if place <= self.place || row[place] != self.row[place] {
            Closes::None
        } else if self.told {
            Closes::Untold
        } else {
            Closes::All
        }
    }
}
