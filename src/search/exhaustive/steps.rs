//! What can happen in a state: every candidate for a next one.
//!
//! It only reads what is remembered, so all threads may do it at once. What is
//! missing is told ([`Miss`]), and the state is read again when it is there.
//! It does not know which states there are already.

use super::Reduce;
use super::numbered::{Id, count};
use super::numbers::{Miss, Move, Numbers, PANICS};
use super::parts::{Request, at, components, rest_of};
use super::skip::{self, Before};
use super::store::{Outbox, State, Store, tail};

/// One part of a round, on lines of its own: what one thread changes, no other
/// has to fetch again.
#[repr(align(128))]
pub(super) struct Lane {
    pub(super) outbox: Outbox,
    /// Candidates of the state that is being read.
    pub(super) room: Vec<u32>,
    pub(super) spare: Vec<u32>,
    /// States to show to the judge.
    pub(super) sights: Vec<State>,
    /// States for which something was missing, and what.
    pub(super) missed: Vec<(State, Miss)>,
    /// States in which a handler may panic, and by which request, if by one.
    pub(super) panics: Vec<(State, Option<Id<Request>>)>,
    pub(super) transitions: u64,
}

/// Reads the parents' rows of these states, all at once, so that the waiting
/// for memory overlaps.
pub(super) fn touch(store: &Store, states: &[State]) {
    let touched = states.iter().fold(0, |all, &state| all ^ store.row(store.parent(state))[0]);
    std::hint::black_box(touched);
}

/// What can happen in a state: every candidate, or what is missing to tell.
pub(super) fn expand(
    numbers: &Numbers,
    store: &Store,
    reduce: Reduce,
    state: State,
    level: u32,
    lane: &mut Lane,
) -> Result<(), Miss> {
    let row = store.row(state);
    let width = row.len();
    lane.room.clear();
    let mut skipped = 0;
    if reduce.macro_steps {
        macro_steps(numbers, row, (state, level), &mut lane.room)?;
    } else {
        let before = Before::of(numbers, store, reduce, state)?;
        let taken = steps(numbers, reduce, row, (state, level), before, &mut lane.room)?;
        lane.panics.extend(taken.panic.map(|request| (state, request)));
        skipped = taken.skipped;
    }
    if !numbers.permutations.is_empty() {
        for candidate in lane.room.chunks_exact_mut(width + 2) {
            numbers.least(&mut candidate[..width], &mut lane.spare)?;
        }
    }
    for candidate in lane.room.chunks_exact(width + 2) {
        lane.outbox.push(candidate, store);
    }
    lane.transitions += (lane.room.len() / (width + 2)) as u64 + skipped;
    Ok(())
}

/// Adds a row to the room, with its parent and its tail.
#[inline]
fn candidate<'r>(room: &'r mut Vec<u32>, row: &[u32], of: [u32; 2]) -> &'r mut [u32] {
    let start = room.len();
    room.extend_from_slice(row);
    room.extend_from_slice(&of);
    &mut room[start..start + row.len()]
}

/// What came of taking the steps from a row, beside where they lead.
#[derive(Default)]
pub(super) struct Taken {
    /// How many were skipped.
    skipped: u64,
    /// Whether a handler panics, and by which request, if by one.
    panic: Option<Option<Id<Request>>>,
}

/// Every step from a row except those that `before` lets it skip.
pub(super) fn steps(
    numbers: &Numbers,
    reduce: Reduce,
    row: &[u32],
    (state, level): (State, u32),
    before: Before<'_>,
    room: &mut Vec<u32>,
) -> Result<Taken, Miss> {
    let mut taken = Taken::default();
    let step = |room: &mut Vec<u32>, place: usize, number: Id<Move>, note: u8| {
        let next = candidate(room, row, [state.number(), tail(level + 1, note)]);
        numbers.apply(next, place, number)?;
        numbers.strip(next, row)
    };
    let panics = |number: Id<Move>| numbers.moves[number.index()].next == PANICS;
    let rest = rest_of(row);
    let starts = numbers.startable(rest)?;
    // Nobody sends or asks any more: where one node is served does not matter
    // to the others.
    let alone = reduce.persistent && starts.is_empty() && !numbers.waiting[rest.index()];
    for (place, at) in components(row) {
        let local = numbers.local(place, at)?;
        let closes = before.closes(numbers, row, place)?;
        if closes.everything(numbers) {
            taken.skipped += u64::from(local.len());
            continue;
        }
        for (index, number) in local.each().enumerate() {
            if closes.holds(numbers, index, number) {
                taken.skipped += 1;
            } else if numbers.may(row, number) {
                if panics(number) {
                    taken.panic = Some(None);
                } else {
                    step(room, place, number, skip::note(place, index))?;
                }
            }
        }
        if alone && !room.is_empty() {
            return Ok(taken);
        }
    }
    for start in starts {
        let place = usize::from(start.place);
        let Some(number) = numbers.request(place, at(row, place), start.request)? else { continue };
        if panics(number) {
            taken.panic.get_or_insert(Some(start.request));
        } else if before.closes_request(row, place) {
            taken.skipped += 1;
        } else {
            step(room, place, number, skip::note_of_request(place))?;
        }
    }
    Ok(taken)
}

/// Deliveries at a node, then a client there. The level is the number of
/// actions until all that was sent has been delivered.
fn macro_steps(
    numbers: &Numbers,
    row: &[u32],
    (state, level): (State, u32),
    room: &mut Vec<u32>,
) -> Result<(), Miss> {
    for start in numbers.startable(rest_of(row))? {
        let place = usize::from(start.place);
        let reached = numbers.closure(place, at(row, place))?.all;
        for &component in reached.of(&numbers.places[place].reached) {
            let Some(number) = numbers.request(place, component, start.request)? else { continue };
            let sends = count(numbers.sent(number).len());
            let next =
                candidate(room, row, [state.number(), tail(level + 1 + sends, skip::UNKNOWN)]);
            next[place] = component.number();
            numbers.apply(next, place, number)?;
        }
    }
    Ok(())
}
