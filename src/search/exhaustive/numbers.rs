//! What is remembered of steps, as numbers only.
//!
//! Invariant: an entry never changes once it is there, so threads may read
//! while nobody adds; whoever finds an entry missing says which
//! ([`Miss`]) and goes on with something else until it has been added. It
//! knows no strategy: what the numbers stand for is in `tables`.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::world::{FaultKind, FaultKinds};

use super::numbered::Numbered;

/// An entry that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// What can happen at a place by itself: place, component.
    Local(usize, u32),
    /// A message at a component: place, component, message.
    Append(usize, u32, u32),
    /// A request at a component: place, component, request.
    Request(usize, u32, u32),
    /// What clients may do: rest.
    Starts(u32),
    /// The rest after an event: rest, event.
    After(u32, u32),
    /// The components that deliveries alone lead to: place, component.
    Closure(usize, u32),
    /// A component with nodes renamed: permutation, place, component.
    Renamed(usize, usize, u32),
    /// Which deliveries may as well come before: place, component, step.
    Swaps(usize, u32, u32),
}

/// A step at one node. As small as can be: a search reads little else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// The node's component afterwards.
    pub(super) next: u32,
    /// What it means for the rest; 0 is nothing.
    pub(super) event: u32,
    /// The number of what it sends, plus one; 0 is nothing.
    pub(super) sends: u32,
    /// The steps after it that lead to the same if they come before it, one
    /// bit each, by their places among the next component's; or [`UNASKED`].
    pub(super) swaps: u32,
}

/// The component after a step whose handler panics: there is none.
pub(super) const PANICS: u32 = u32::MAX;

/// It is not known yet which steps may as well come before.
pub(super) const UNASKED: u32 = u32::MAX;

/// Receivers and messages.
pub(super) type Sends = SmallVec<[(u16, u32); 2]>;

/// What kind of step a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    /// A delivery of the message with this number.
    Deliver(u32),
    /// The timer with this number fires.
    Fire(u8),
    /// A node recovers or a link heals.
    Repair,
    /// A client asks, asks again, or gives up.
    Client,
    /// A fault of this kind.
    Mishap(FaultKind),
}

/// A table of numbers that fills as it is asked. Low columns are looked up
/// directly, high ones in a hash table.
#[derive(Default)]
pub(super) struct Table {
    /// Rows of `stride` columns each.
    low: Vec<u32>,
    stride: usize,
    high: FxHashMap<(u32, u32), u32>,
}

/// Not asked yet.
const UNKNOWN: u32 = u32::MAX;

/// Columns that are looked up directly, at most.
const LOW: usize = 64;

impl Table {
    #[inline]
    pub(super) fn get(&self, row: u32, column: u32) -> Option<u32> {
        let at = column as usize;
        if at < self.stride {
            let entry = self.low.get(row as usize * self.stride + at);
            return entry.copied().filter(|&entry| entry != UNKNOWN);
        }
        if self.high.is_empty() { None } else { self.high.get(&(row, column)).copied() }
    }

    pub(super) fn set(&mut self, row: u32, column: u32, value: u32) {
        let (at, start) = (row as usize, column as usize);
        if start >= LOW {
            self.high.insert((row, column), value);
            return;
        }
        if start >= self.stride {
            self.widen((start + 1).next_power_of_two());
        }
        let wanted = (at + 1) * self.stride;
        if self.low.len() < wanted {
            self.low.resize(wanted, UNKNOWN);
        }
        self.low[at * self.stride + start] = value;
    }

    fn widen(&mut self, stride: usize) {
        let before = self.stride.max(1);
        let mut low = vec![UNKNOWN; self.low.len() / before * stride];
        for (wide, narrow) in low.chunks_exact_mut(stride).zip(self.low.chunks_exact(before)) {
            wide[..before].copy_from_slice(narrow);
        }
        (self.low, self.stride) = (low, stride);
    }

    pub(super) fn clear(&mut self) {
        self.low.clear();
        self.high.clear();
    }

    /// Bytes, roughly.
    pub(super) fn bytes(&self) -> usize {
        4 * self.low.len() + 16 * self.high.len()
    }
}

/// What happens on an edge: where, and which kind of step.
pub(super) type Label = (usize, Sort);

/// A range of moves, starts or components.
pub(super) type Span = (u32, u32);

/// What is known of the components of one place.
#[derive(Default)]
pub(super) struct Place {
    /// Whether the node is up and connected and its inbox empty, by component.
    pub(super) quiet: Vec<bool>,
    /// Messages in the inbox that timers sent, one bit a timer, by component.
    pub(super) pending: Vec<u64>,
    /// All that can happen by itself, as moves.
    pub(super) local: Vec<Option<Span>>,
    /// What deliveries alone lead to, as a range of `reached`.
    pub(super) closure: Vec<Option<Closure>>,
    /// Components that closures speak of.
    pub(super) reached: Vec<u32>,
    /// By component and message: the component with the message in its inbox.
    pub(super) append: Table,
    /// By component and request: the move; one more than a move is impossible.
    pub(super) requests: Table,
}

/// What deliveries alone lead to from a component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closure {
    /// Every component on the way, the first included.
    pub(super) all: Span,
    /// Those with an empty inbox.
    pub(super) drained: Span,
}

/// What a client may do: where, by which request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) place: u16,
    pub(super) request: u32,
}

/// All that is remembered.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) places: Vec<Place>,
    pub(super) moves: Vec<Move>,
    /// By move: what kind of step it is.
    pub(super) sorts: Vec<Sort>,
    /// What moves send.
    pub(super) sends: Numbered<Sends>,
    /// By rest: what clients may do.
    pub(super) startable: Vec<Option<Span>>,
    pub(super) starts: Vec<Start>,
    /// By rest: the kinds of faults that may still strike.
    pub(super) affordable: Vec<FaultKinds>,
    /// By rest: whether some client waits for an answer.
    pub(super) waiting: Vec<bool>,
    pub(super) after: Table,
    /// By permutation, then by place: the component with nodes renamed.
    pub(super) renamed: Vec<Vec<FxHashMap<u32, u32>>>,
    /// Permutations of places that change nothing: by place, where it goes.
    pub(super) permutations: Vec<Vec<usize>>,
    /// By message: the first with the same sender and content, whatever timer
    /// sent it. Filled for what justice asks for, which knows contents only.
    pub(super) contents: Vec<u32>,
    /// Whether every event changes the rest, because time is part of it.
    pub(super) ticks: bool,
    /// Whether any node ever had a timer armed.
    pub(super) timers: bool,
    /// Whether any move may be possible in one row and not in another.
    pub(super) conditional: bool,
    /// Whether any delivery sent or answered something.
    pub(super) reacts: bool,
}

/// A request that is not possible at a component.
pub(super) const IMPOSSIBLE: u32 = u32::MAX - 1;

impl Numbers {
    /// Whether this entry is (still) not there.
    pub(super) fn lacks(&self, miss: Miss) -> bool {
        match miss {
            Miss::Local(place, component) => self.local(place, component).is_err(),
            Miss::Append(place, component, message) => {
                self.append(place, component, message).is_err()
            }
            Miss::Request(place, component, request) => {
                self.request(place, component, request).is_err()
            }
            Miss::Starts(rest) => self.startable(rest).is_err(),
            Miss::After(rest, event) => self.after(rest, event).is_err(),
            Miss::Closure(place, component) => self.closure(place, component).is_err(),
            Miss::Renamed(permutation, place, component) => {
                !self.renamed[permutation][place].contains_key(&component)
            }
            Miss::Swaps(.., step) => self.moves[step as usize].swaps == UNASKED,
        }
    }

    #[inline]
    pub(super) fn local(&self, place: usize, component: u32) -> Result<Span, Miss> {
        let known = self.places[place].local[component as usize];
        known.ok_or(Miss::Local(place, component))
    }

    #[inline]
    pub(super) fn append(&self, place: usize, component: u32, message: u32) -> Result<u32, Miss> {
        let known = self.places[place].append.get(component, message);
        known.ok_or(Miss::Append(place, component, message))
    }

    #[inline]
    pub(super) fn startable(&self, rest: u32) -> Result<&[Start], Miss> {
        let (from, until) = self.startable[rest as usize].ok_or(Miss::Starts(rest))?;
        Ok(&self.starts[from as usize..until as usize])
    }

    /// The move of a request; `None` if it is not possible there.
    #[inline]
    pub(super) fn request(
        &self,
        place: usize,
        component: u32,
        request: u32,
    ) -> Result<Option<u32>, Miss> {
        let known = self.places[place].requests.get(component, request);
        let number = known.ok_or(Miss::Request(place, component, request))?;
        Ok((number != IMPOSSIBLE).then_some(number))
    }

    #[inline]
    pub(super) fn after(&self, rest: u32, event: u32) -> Result<u32, Miss> {
        if event == 0 && !self.ticks {
            return Ok(rest);
        }
        self.after.get(rest, event).ok_or(Miss::After(rest, event))
    }

    #[inline]
    pub(super) fn closure(&self, place: usize, component: u32) -> Result<Closure, Miss> {
        let known = self.places[place].closure[component as usize];
        known.ok_or(Miss::Closure(place, component))
    }

    /// What a move sends.
    #[inline]
    pub(super) fn sent(&self, number: u32) -> &[(u16, u32)] {
        self.sent_by(self.moves[number as usize])
    }

    #[inline]
    pub(super) fn sent_by(&self, step: Move) -> &[(u16, u32)] {
        match step.sends {
            0 => &[],
            sends => &self.sends.values[sends as usize - 1],
        }
    }

    /// Does a move at a place to a row.
    #[inline]
    pub(super) fn apply(&self, row: &mut [u32], place: usize, number: u32) -> Result<(), Miss> {
        let step = self.moves[number as usize];
        row[place] = step.next;
        for &(to, message) in self.sent(number) {
            let to = usize::from(to);
            row[to] = self.append(to, row[to], message)?;
        }
        let rest = row.len() - 1;
        row[rest] = self.after(row[rest], step.event)?;
        Ok(())
    }

    /// Whether every node is up and connected and nothing is in flight.
    #[inline]
    pub(super) fn is_quiet(&self, row: &[u32]) -> bool {
        let mut places = self.places.iter().zip(row);
        places.all(|(place, &component)| place.quiet[component as usize])
    }

    /// Whether a move may happen in this row: its fault can be afforded, its
    /// timer has nothing left in flight.
    #[inline]
    pub(super) fn may(&self, row: &[u32], number: u32) -> bool {
        if !self.conditional {
            return true;
        }
        match self.sorts[number as usize] {
            Sort::Deliver(_) | Sort::Repair | Sort::Client => true,
            Sort::Mishap(kind) => {
                let rest = row[row.len() - 1];
                self.affordable[rest as usize].contains(kind)
            }
            Sort::Fire(timer) => {
                let mut places = self.places.iter().zip(row);
                places.all(|(place, &at)| place.pending[at as usize] & (1 << timer) == 0)
            }
        }
    }

    /// The least of the rows that differ from this one only by a renaming of
    /// nodes that changes nothing.
    pub(super) fn least(&self, row: &mut [u32], room: &mut Vec<u32>) -> Result<(), Miss> {
        let nodes = row.len() - 1;
        let mut least: SmallVec<[u32; 8]> = SmallVec::from_slice(row);
        for (number, permutation) in self.permutations.iter().enumerate() {
            room.clear();
            room.resize(row.len(), 0);
            room[nodes] = row[nodes];
            for (place, &to) in permutation.iter().enumerate() {
                let renamed = self.renamed[number][place].get(&row[place]).copied();
                room[to] = renamed.ok_or(Miss::Renamed(number, place, row[place]))?;
            }
            if room[..] < least[..] {
                least.copy_from_slice(room);
            }
        }
        row.copy_from_slice(&least);
        Ok(())
    }

    /// Forgets all steps, because time has moved on.
    pub(super) fn forget_steps(&mut self) {
        for place in &mut self.places {
            place.local.iter_mut().for_each(|known| *known = None);
            place.requests.clear();
        }
        self.moves.clear();
        self.sorts.clear();
    }

    /// Bytes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let place =
            |place: &Place| 30 * place.quiet.len() + place.append.bytes() + place.requests.bytes();
        let places: usize = self.places.iter().map(place).sum();
        places + 24 * self.moves.len() + self.after.bytes() + 16 * self.startable.len()
    }
}
