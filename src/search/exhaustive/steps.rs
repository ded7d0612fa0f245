//! What can happen in a state: every candidate for a next one.
//!
//! It only reads what is remembered, so all threads may do it at once. What is
//! missing is told ([`Miss`]), and the state is read again when it is there.
//! It does not know which states there are already.

use super::Reduce;
use super::numbered::count;
use super::numbers::{Miss, Numbers, PANICS};
use super::skip::{self, Before};
use super::store::{Outbox, Store, tail};

/// One part of a round, on lines of its own: what one thread changes, no other
/// has to fetch again.
#[repr(align(128))]
pub(super) struct Lane {
    pub(super) outbox: Outbox,
    /// Candidates of the state that is being read.
    pub(super) room: Vec<u32>,
    pub(super) spare: Vec<u32>,
    /// States to show to the judge.
    pub(super) sights: Vec<u32>,
    /// States for which something was missing, and what.
    pub(super) missed: Vec<(u32, Miss)>,
    /// States in which a handler may panic, and by which request, if by one.
    pub(super) panics: Vec<(u32, Option<u32>)>,
    pub(super) transitions: u64,
}

/// Reads the parents' rows of these states, all at once, so that the waiting
/// for memory overlaps.
pub(super) fn touch(store: &Store, states: &[u32]) {
    let touched = states.iter().fold(0, |all, &state| all ^ store.row(store.parent(state))[0]);
    std::hint::black_box(touched);
}

/// What can happen in a state: every candidate, or what is missing to tell.
pub(super) fn expand(
    numbers: &Numbers,
    store: &Store,
    reduce: Reduce,
    state: u32,
    level: u32,
    lane: &mut Lane,
) -> Result<(), Miss> {
    let row = store.row(state);
    let width = row.len();
    lane.room.clear();
    let mut skipped = 0;
    if reduce.macro_steps {
        macro_steps(numbers, row, [state, level], &mut lane.room)?;
    } else {
        let before = Before::of(numbers, store, reduce, state)?;
        let taken = steps(numbers, reduce, row, [state, level], before, &mut lane.room)?;
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
    panic: Option<Option<u32>>,
}

/// Every step from a row except those that `before` lets it skip.
pub(super) fn steps(
    numbers: &Numbers,
    reduce: Reduce,
    row: &[u32],
    [state, level]: [u32; 2],
    before: Before<'_>,
    room: &mut Vec<u32>,
) -> Result<Taken, Miss> {
    let mut taken = Taken::default();
    let step = |room: &mut Vec<u32>, place: usize, number: u32, note: u8| {
        numbers.apply(candidate(room, row, [state, tail(level + 1, note)]), place, number)
    };
    let panics = |number: u32| numbers.moves[number as usize].next == PANICS;
    let rest = row[row.len() - 1];
    let starts = numbers.startable(rest)?;
    // Nobody sends or asks any more: where one node is served does not matter
    // to the others.
    let alone = reduce.persistent && starts.is_empty() && !numbers.waiting[rest as usize];
    for (place, &at) in row.iter().enumerate().take(row.len() - 1) {
        let (from, until) = numbers.local(place, at)?;
        let closes = before.closes(numbers, row, place)?;
        if closes.everything(numbers) {
            taken.skipped += u64::from(until - from);
            continue;
        }
        for (index, number) in (from..until).enumerate() {
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
        let Some(number) = numbers.request(place, row[place], start.request)? else { continue };
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
    [state, level]: [u32; 2],
    room: &mut Vec<u32>,
) -> Result<(), Miss> {
    for start in numbers.startable(row[row.len() - 1])? {
        let place = usize::from(start.place);
        let (from, until) = numbers.closure(place, row[place])?.all;
        for at in from..until {
            let component = numbers.places[place].reached[at as usize];
            let Some(number) = numbers.request(place, component, start.request)? else { continue };
            let sends = count(numbers.sent(number).len());
            let next = candidate(room, row, [state, tail(level + 1 + sends, skip::UNKNOWN)]);
            next[place] = component;
            numbers.apply(next, place, number)?;
        }
    }
    Ok(())
}
