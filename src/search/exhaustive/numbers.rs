//! What is remembered of steps, as numbers only.
//!
//! Invariant: an entry never changes once it is there, so threads may read
//! while nobody adds; whoever finds an entry missing says which
//! ([`Miss`]) and goes on with something else until it has been added. It
//! knows no strategy: what the numbers stand for is in `tables`.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::world::{FaultKind, FaultKinds, Hands};

use super::numbered::{Id, Numbered, count};
use super::parts::{
    Component, Event, Held, Message, Progress, Request, Rest, Sends, Stripping, at, components,
    rest_of,
};

/// An entry that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// What can happen at a place by itself: place, component.
    Local(usize, Id<Component>),
    /// A message at a component: place, component, message.
    Append(usize, Id<Component>, Id<Message>),
    /// A request at a component: place, component, request.
    Request(usize, Id<Component>, Id<Request>),
    /// What clients may do: rest.
    Starts(Id<Rest>),
    /// The rest after an event: rest, event.
    After(Id<Rest>, Id<Event>),
    /// The components that deliveries alone lead to: place, component.
    Closure(usize, Id<Component>),
    /// A component with nodes renamed: permutation, place, component.
    Renamed(usize, usize, Id<Component>),
    /// Which deliveries may as well come before: place, component, step.
    Swaps(usize, Id<Component>, Id<Move>),
    /// What is dropped of what came from a node: place, by what, rest.
    Strip(usize, Stripping, Id<Rest>),
}

/// A step at one node. As small as can be: a search reads little else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// The node's component afterwards.
    pub(super) next: Id<Component>,
    /// What it means for the rest; the first is nothing.
    pub(super) event: Id<Event>,
    /// What it sends; the first is nothing.
    pub(super) sends: Id<Sends>,
    /// The steps after it that lead to the same if they come before it, one
    /// bit each, by their places among the next component's; or [`UNASKED`].
    pub(super) swaps: u32,
}

/// The component after a step whose handler panics: there is none.
pub(super) const PANICS: Id<Component> = Id::of(u32::MAX);

/// It is not known yet which steps may as well come before.
pub(super) const UNASKED: u32 = u32::MAX;

/// What kind of step a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    /// A delivery of the message with this number.
    Deliver(Id<Message>),
    /// The timer with this number fires.
    Fire(u8),
    /// The oldest image on its way to disk is flushed.
    Flush,
    /// The clock of this node ticks.
    Tick(u16),
    /// A node recovers or a link heals.
    Repair,
    /// A client asks, asks again, or gives up.
    Client,
    /// A fault of this kind.
    Mishap(FaultKind),
}

/// A table of numbers that fills as it is asked. Low columns are looked up
/// directly, high ones in a hash table.
pub(super) struct Table<R, C, V> {
    /// Rows of `stride` columns each.
    low: Vec<u32>,
    stride: usize,
    high: FxHashMap<(Id<R>, Id<C>), Id<V>>,
}

impl<R, C, V> Default for Table<R, C, V> {
    fn default() -> Self {
        Table { low: Vec::new(), stride: 0, high: FxHashMap::default() }
    }
}

/// Not asked yet.
const UNKNOWN: u32 = u32::MAX;

/// Columns that are looked up directly, at most.
const LOW: usize = 64;

impl<R, C, V> Table<R, C, V> {
    #[inline]
    pub(super) fn get(&self, row: Id<R>, column: Id<C>) -> Option<Id<V>> {
        let at = column.index();
        if at < self.stride {
            let entry = self.low.get(row.index() * self.stride + at);
            return entry.copied().filter(|&entry| entry != UNKNOWN).map(Id::of);
        }
        if self.high.is_empty() { None } else { self.high.get(&(row, column)).copied() }
    }

    pub(super) fn set(&mut self, row: Id<R>, column: Id<C>, value: Id<V>) {
        let (at, start) = (row.index(), column.index());
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
        self.low[at * self.stride + start] = value.number();
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

/// A range of things that were numbered one after the other.
pub(super) struct Span<V> {
    pub(super) from: Id<V>,
    pub(super) until: Id<V>,
}

impl<V> Span<V> {
    /// Between two lengths of a list.
    pub(super) fn between(from: usize, until: usize) -> Self {
        Span { from: Id::of(count(from)), until: Id::of(count(until)) }
    }

    #[inline]
    pub(super) fn len(self) -> u32 {
        self.until.number() - self.from.number()
    }

    /// Each number, in order.
    #[inline]
    pub(super) fn each(self) -> impl Iterator<Item = Id<V>> {
        (self.from.number()..self.until.number()).map(Id::of)
    }

    /// What a list of all has in this range.
    #[inline]
    pub(super) fn of<T>(self, all: &[T]) -> &[T] {
        &all[self.from.index()..self.until.index()]
    }
}

impl<V> Copy for Span<V> {}

impl<V> Clone for Span<V> {
    fn clone(&self) -> Self {
        *self
    }
}

/// What is known of the components of one place.
#[derive(Default)]
pub(super) struct Place {
    /// Whether the node is calm (see [`Node::is_calm`]) and its inbox empty, by
    /// component.
    ///
    /// [`Node::is_calm`]: crate::world::component::Node::is_calm
    pub(super) quiet: Vec<bool>,
    /// What timers sent and is still in the inbox or on its way to disk, one bit
    /// a timer, by component.
    pub(super) pending: Vec<u64>,
    /// What decides whether clocks may tick, by component; nothing if none ticks.
    pub(super) hands: Vec<Hands>,
    /// All that can happen by itself, as moves.
    pub(super) local: Vec<Option<Span<Move>>>,
    /// What deliveries alone lead to, as a range of `reached`.
    pub(super) closure: Vec<Option<Closure>>,
    /// Components that closures speak of.
    pub(super) reached: Vec<Id<Component>>,
    /// By component and message: the component with the message in its inbox.
    pub(super) append: Table<Component, Message, Component>,
    /// By component and request: the move; one more than a move is impossible.
    pub(super) requests: Table<Component, Request, Move>,
    /// By component: what the node holds.
    pub(super) held: Vec<Id<Held>>,
    /// By component: from whom messages can be delivered, one bit each.
    pub(super) senders: Vec<u64>,
    /// The component without what can no longer make a difference.
    pub(super) strip: FxHashMap<Stripping, Id<Component>>,
    /// What has been dropped, and what clients had done then.
    pub(super) stripped: FxHashSet<(Stripping, Id<Progress>)>,
}

/// What deliveries alone lead to from a component, as ranges of
/// [`Place::reached`].
#[derive(Clone, Copy)]
pub(super) struct Closure {
    /// Every component on the way, the first included.
    pub(super) all: Span<Reached>,
    /// Those with an empty inbox.
    pub(super) drained: Span<Reached>,
}

/// An entry of [`Place::reached`].
pub(super) enum Reached {}

/// What a client may do: where, by which request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) place: u16,
    pub(super) request: Id<Request>,
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
    pub(super) startable: Vec<Option<Span<Start>>>,
    pub(super) starts: Vec<Start>,
    /// By rest: the kinds of faults that may still strike.
    pub(super) affordable: Vec<FaultKinds>,
    /// By rest: whether some client waits for an answer.
    pub(super) waiting: Vec<bool>,
    pub(super) after: Table<Rest, Event, Rest>,
    /// By permutation, then by place: the component with nodes renamed.
    pub(super) renamed: Vec<Vec<FxHashMap<Id<Component>, Id<Component>>>>,
    /// Permutations of places that change nothing: by place, where it goes.
    pub(super) permutations: Vec<Vec<usize>>,
    /// By message: the first with the same sender and content, whatever timer
    /// sent it. Filled for what justice asks for, which knows contents only.
    pub(super) contents: Vec<Id<Message>>,
    /// Whether every event changes the rest, because time is part of it.
    pub(super) ticks: bool,
    /// Whether any node ever had a timer armed.
    pub(super) timers: bool,
    /// Whether any move may be possible in one row and not in another.
    pub(super) conditional: bool,
    /// Whether any delivery sent or answered something.
    pub(super) reacts: bool,
    /// Whether messages that can no longer make a difference are dropped.
    pub(super) stale: bool,
    /// By rest: what clients have done, where messages are dropped.
    pub(super) progress: Vec<Id<Progress>>,
    /// How many ticks two clocks may be apart.
    pub(super) apart: u64,
}

/// A request that is not possible at a component.
pub(super) const IMPOSSIBLE: Id<Move> = Id::of(u32::MAX - 1);

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
            Miss::Swaps(.., step) => self.moves[step.index()].swaps == UNASKED,
            Miss::Strip(place, key, rest) => self.lacks_strip(place, key, rest),
        }
    }

    #[inline]
    pub(super) fn local(&self, place: usize, component: Id<Component>) -> Result<Span<Move>, Miss> {
        let known = self.places[place].local[component.index()];
        known.ok_or(Miss::Local(place, component))
    }

    #[inline]
    pub(super) fn append(
        &self,
        place: usize,
        component: Id<Component>,
        message: Id<Message>,
    ) -> Result<Id<Component>, Miss> {
        let known = self.places[place].append.get(component, message);
        known.ok_or(Miss::Append(place, component, message))
    }

    #[inline]
    pub(super) fn startable(&self, rest: Id<Rest>) -> Result<&[Start], Miss> {
        let starts = self.startable[rest.index()].ok_or(Miss::Starts(rest))?;
        Ok(starts.of(&self.starts))
    }

    /// The move of a request; `None` if it is not possible there.
    #[inline]
    pub(super) fn request(
        &self,
        place: usize,
        component: Id<Component>,
        request: Id<Request>,
    ) -> Result<Option<Id<Move>>, Miss> {
        let known = self.places[place].requests.get(component, request);
        let number = known.ok_or(Miss::Request(place, component, request))?;
        Ok((number != IMPOSSIBLE).then_some(number))
    }

    #[inline]
    pub(super) fn after(&self, rest: Id<Rest>, event: Id<Event>) -> Result<Id<Rest>, Miss> {
        if event == Id::FIRST && !self.ticks {
            return Ok(rest);
        }
        self.after.get(rest, event).ok_or(Miss::After(rest, event))
    }

    #[inline]
    pub(super) fn closure(&self, place: usize, component: Id<Component>) -> Result<Closure, Miss> {
        let known = self.places[place].closure[component.index()];
        known.ok_or(Miss::Closure(place, component))
    }

    /// What a move sends.
    #[inline]
    pub(super) fn sent(&self, number: Id<Move>) -> &[(u16, Id<Message>)] {
        self.sent_by(self.moves[number.index()])
    }

    #[inline]
    pub(super) fn sent_by(&self, step: Move) -> &[(u16, Id<Message>)] {
        &self.sends[step.sends]
    }

    /// Does a move at a place to a row.
    #[inline]
    pub(super) fn apply(
        &self,
        row: &mut [u32],
        place: usize,
        number: Id<Move>,
    ) -> Result<(), Miss> {
        let step = self.moves[number.index()];
        row[place] = step.next.number();
        for &(to, message) in self.sent(number) {
            let to = usize::from(to);
            row[to] = self.append(to, at(row, to), message)?.number();
        }
        let rest = row.len() - 1;
        row[rest] = self.after(rest_of(row), step.event)?.number();
        Ok(())
    }

    /// Whether every node is up and connected and nothing is in flight.
    #[inline]
    pub(super) fn is_quiet(&self, row: &[u32]) -> bool {
        components(row).all(|(place, at)| self.places[place].quiet[at.index()])
    }

    /// Whether a move may happen in this row: its fault can be afforded, its
    /// timer has nothing left in flight, its clock may tick.
    #[inline]
    pub(super) fn may(&self, row: &[u32], number: Id<Move>) -> bool {
        if !self.conditional {
            return true;
        }
        match self.sorts[number.index()] {
            Sort::Deliver(_) | Sort::Flush | Sort::Repair | Sort::Client => true,
            Sort::Mishap(kind) => self.affordable[rest_of(row).index()].contains(kind),
            Sort::Tick(place) => {
                let hands =
                    |(place, at): (usize, Id<Component>)| self.places[place].hands[at.index()];
                Hands::may_tick(usize::from(place), components(row).map(hands), self.apart)
            }
            Sort::Fire(timer) => {
                let bit = 1 << timer;
                components(row).all(|(place, at)| self.places[place].pending[at.index()] & bit == 0)
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
                let at = at(row, place);
                let renamed = self.renamed[number][place].get(&at);
                room[to] = renamed.ok_or(Miss::Renamed(number, place, at))?.number();
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
        let place = |place: &Place| {
            let stripped = 32 * place.strip.len() + 32 * place.stripped.len();
            42 * place.quiet.len() + stripped + place.append.bytes() + place.requests.bytes()
        };
        let places: usize = self.places.iter().map(place).sum();
        places + 24 * self.moves.len() + self.after.bytes() + 16 * self.startable.len()
    }
}
