//! The states that have been seen: rows of component numbers, exact, in the
//! order in which they were found.
//!
//! Invariant: no two rows are equal, and a row's parent was found before it.
//! A state costs its row, its parent, a note, and an index slot of four bytes;
//! nothing is hashed away, so two states are the same only if their rows are.
//! Of the parents that a state has on the level before, it keeps one with the
//! smallest note. It does not know what the numbers stand for.
//!
//! Looking up a row costs cache misses, and misses are what a search waits
//! for. So rows are looked up in batches: first the slots of all candidates
//! are read, then the rows behind matching tags, so that the misses overlap.
//! Looking up changes nothing and is done by many threads ([`Outbox`]). What
//! is not known yet is sorted by hash into [`PARTS`], and each part is added to
//! by one thread, in the order of outboxes. There are as many parts on any
//! number of threads, so numbers do not depend on it.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Into how many parts the states are divided; a power of two.
pub(super) const PARTS: usize = 8;

/// Rows in a chunk; a power of two.
const CHUNK: usize = 1 << 13;

/// How many candidates are looked up together.
const BATCH: usize = 256;

/// Candidates that are remembered for as long as a round lasts; a power of two.
const RECENT: usize = 1 << 12;

/// A state: its place in its part times [`PARTS`], plus the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct State(u32);

impl State {
    /// The parent of the first state, which is then its own.
    pub(super) const NOBODY: State = State(u32::MAX);

    /// The plain number, as it stands in a candidate.
    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// Its place in a list with room for every number of a state.
    #[inline]
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Candidates of one thread. Each is a row, its parent and its [`tail`].
pub(super) struct Outbox {
    width: usize,
    batch: Vec<u32>,
    hashes: Vec<u64>,
    probes: Vec<u32>,
    /// Those that are not in the store, by part.
    unknown: [Unknown; PARTS],
    /// By a few bits of the hash: the last one among them, plus one.
    recent: Vec<u32>,
}

/// Candidates that one part does not have.
#[derive(Default)]
struct Unknown {
    candidates: Vec<u32>,
    hashes: Vec<u64>,
}

/// The last number of a candidate: its level, and a note of at most 255 that
/// is kept with a new state.
#[inline]
pub(super) fn tail(level: u32, note: u8) -> u32 {
    level << 8 | u32::from(note)
}

/// The note of a tail.
#[inline]
fn note_of(tail: u32) -> u8 {
    tail.to_le_bytes()[0]
}

impl Outbox {
    pub(super) fn new(width: usize) -> Self {
        Outbox {
            width,
            batch: Vec::new(),
            hashes: Vec::new(),
            probes: Vec::new(),
            unknown: Default::default(),
            recent: vec![0; RECENT],
        }
    }

    /// Adds a candidate, and looks up a batch of them if there are enough.
    #[inline]
    pub(super) fn push(&mut self, candidate: &[u32], store: &Store) {
        debug_assert_eq!(candidate.len(), self.width + 2);
        self.batch.extend_from_slice(candidate);
        self.hashes.push(hash(&candidate[..self.width]));
        if self.hashes.len() == BATCH {
            self.look_up(store);
        }
    }

    /// Drops the candidates of the batch that are known.
    pub(super) fn look_up(&mut self, store: &Store) {
        let size = self.width + 2;
        self.probes.clear();
        // These reads do not depend on each other.
        self.probes.extend(self.hashes.iter().map(|&hash| store.part(hash).first_slot(hash)));
        for (probe, &hash) in self.probes.iter_mut().zip(&self.hashes) {
            *probe = store.part(hash).tagged(*probe, hash);
        }
        for (at, (probe, &hash)) in self.probes.iter_mut().zip(&self.hashes).enumerate() {
            if *probe != 0 {
                // Neither do these; the answer is used below.
                let row = &self.batch[at * size..at * size + self.width];
                let part = store.part(hash);
                let place = part.place(*probe);
                if is_same(part.row(place), row) {
                    let note = note_of(self.batch[at * size + self.width + 1]);
                    *probe = if part.is_cheaper(place, note) { CHEAPER } else { SEEN };
                }
            }
        }
        for at in 0..self.hashes.len() {
            // A lower level may count although the state is known.
            if self.probes[at] != SEEN || store.weighted {
                self.keep(at, store);
            }
        }
        self.batch.clear();
        self.hashes.clear();
    }

    /// Keeps a candidate of the batch, unless it was met a moment ago or is
    /// known after all.
    #[inline]
    fn keep(&mut self, at: usize, store: &Store) {
        let size = self.width + 2;
        let hash = self.hashes[at];
        let candidate = &self.batch[at * size..(at + 1) * size];
        let row = &candidate[..self.width];
        let part = part_of(hash);
        let unknown = &mut self.unknown[part];
        let recent = (hash >> 20) as usize & (RECENT / PARTS - 1);
        let recent = &mut self.recent[part * (RECENT / PARTS) + recent];
        if !store.weighted && self.probes[at] != CHEAPER {
            if *recent != 0 {
                let start = (*recent as usize - 1) * size;
                let known = &mut unknown.candidates[start..start + size];
                if is_same(&known[..self.width], row) {
                    if note_of(candidate[self.width + 1]) < note_of(known[self.width + 1]) {
                        known.copy_from_slice(candidate);
                    }
                    return;
                }
            }
            // Another row has the same tag; look further.
            if self.probes[at] != 0
                && self.probes[at] != CHEAPER
                && store.part(hash).find(row, hash).is_some()
            {
                return;
            }
        }
        *recent = u32::try_from(unknown.hashes.len()).expect("a round is small") + 1;
        unknown.candidates.extend_from_slice(candidate);
        unknown.hashes.push(hash);
    }

    /// How many candidates are to be added.
    pub(super) fn len(&self) -> usize {
        self.unknown.iter().map(|unknown| unknown.hashes.len()).sum()
    }

    /// Forgets all candidates, because they have been added.
    pub(super) fn clear(&mut self) {
        debug_assert!(self.hashes.is_empty(), "all were looked up");
        if self.len() == 0 {
            return;
        }
        for unknown in &mut self.unknown {
            unknown.candidates.clear();
            unknown.hashes.clear();
        }
        self.recent.fill(0);
    }
}

/// Mixes all numbers of a row (the multiplier of Knuth's hashing, with the
/// shift of SplitMix64 at the end).
#[inline]
fn hash(row: &[u32]) -> u64 {
    let mut hash = 0_u64;
    for &number in row {
        hash = (hash.rotate_left(23) ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash ^ (hash >> 32)
}

/// The part that has a row: bits that neither slots nor tags use first.
#[inline]
fn part_of(hash: u64) -> usize {
    (hash >> 29) as usize & (PARTS - 1)
}

/// Whether two rows are equal, without a call for so few numbers.
#[inline]
fn is_same(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// A slot that no state can have: its row is known to be in the store.
const SEEN: u32 = u32::MAX;

/// The same, but the candidate's note is a smaller one.
const CHEAPER: u32 = u32::MAX - 1;

/// All states.
pub(super) struct Store {
    weighted: bool,
    parts: Vec<Part>,
}

/// The states whose hashes have the same few bits. On lines of its own: what
/// one thread changes, no other has to fetch again.
#[repr(align(128))]
struct Part {
    number: u32,
    width: usize,
    /// How many states there were when each level began.
    begun: Vec<usize>,
    /// Chunks of [`CHUNK`] rows each, so that growing moves nothing.
    rows: Vec<Vec<u32>>,
    parents: Vec<Vec<State>>,
    notes: Vec<Vec<u8>>,
    /// The level of each state, if levels can fall.
    levels: Option<Vec<u16>>,
    states: usize,
    /// Place of the row plus one in the lower bits, as many as are needed,
    /// and a tag in the others; 0 is empty. A power of two of them, at most
    /// four in five used.
    slots: Vec<u32>,
    /// How many bits of a slot are the place.
    bits: u32,
    /// How many slots there are to be; the index is made anew if it has fewer.
    room: usize,
    /// Level and number of what was added last.
    fresh: Vec<(u32, State)>,
}

impl Store {
    /// No states yet. With `weighted`, a state can be reached again on a lower
    /// level, and is then fresh again.
    pub(super) fn new(width: usize, weighted: bool) -> Self {
        let part = |number| Part {
            number,
            width,
            begun: Vec::new(),
            rows: Vec::new(),
            parents: Vec::new(),
            notes: Vec::new(),
            levels: weighted.then(Vec::new),
            states: 0,
            slots: vec![0; 1 << 8],
            bits: 9,
            room: 1 << 8,
            fresh: Vec::new(),
        };
        let parts = u32::try_from(PARTS).expect("a few");
        Store { weighted, parts: (0..parts).map(part).collect() }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.states).sum()
    }

    /// One more than the largest number of a state.
    pub(super) fn end(&self) -> usize {
        self.parts.iter().map(|part| part.states).max().unwrap_or(0) * PARTS
    }

    /// Bytes that states and index take, not counting room for more.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(Part::bytes).sum()
    }

    /// A level begins: what is added from now on is further away.
    pub(super) fn begin_level(&mut self) {
        self.parts.iter_mut().for_each(|part| part.begun.push(part.states));
    }

    /// All states, in the order of levels if these cannot fall.
    pub(super) fn states(&self) -> impl Iterator<Item = State> + '_ {
        let levels = self.parts[0].begun.len() + 1;
        (0..levels).flat_map(move |level| {
            self.parts.iter().flat_map(move |part| part.level(level).map(|place| part.state(place)))
        })
    }

    /// The place of a state in the order of [`Store::states`].
    pub(super) fn order(&self, state: State) -> (usize, usize, State) {
        let (part, place) = split(state);
        let level = self.parts[part].begun.partition_point(|begun| *begun <= place);
        (level, part, state)
    }

    /// The row of a state.
    #[inline]
    pub(super) fn row(&self, state: State) -> &[u32] {
        let (part, place) = split(state);
        self.parts[part].row(place)
    }

    /// The state from which a state was first reached; the first is its own.
    #[inline]
    pub(super) fn parent(&self, state: State) -> State {
        let (part, place) = split(state);
        self.parts[part].parents[place / CHUNK][place % CHUNK]
    }

    /// The note that came with a state.
    #[inline]
    pub(super) fn note(&self, state: State) -> u8 {
        let (part, place) = split(state);
        self.parts[part].notes[place / CHUNK][place % CHUNK]
    }

    /// Whether this is (still) the level of a state.
    pub(super) fn is_at(&self, state: State, level: u32) -> bool {
        let (part, place) = split(state);
        let levels = self.parts[part].levels.as_ref();
        levels.is_none_or(|levels| u32::from(levels[place]) == level)
    }

    /// The number of the state with this row, if there is one.
    pub(super) fn find(&self, row: &[u32]) -> Option<State> {
        let hash = hash(row);
        let part = self.part(hash);
        part.find(row, hash).map(|place| part.state(place))
    }

    #[inline]
    fn part(&self, hash: u64) -> &Part {
        &self.parts[part_of(hash)]
    }

    /// Adds the candidates that are new, part by part in the order of
    /// outboxes, on so many threads; this one does something else first. Each
    /// state that is new, or on a lower level than before, waits then on its
    /// level.
    pub(super) fn add<R>(
        &mut self,
        outboxes: &[&Outbox],
        jobs: usize,
        waiting: &mut BTreeMap<u32, Vec<State>>,
        meanwhile: impl FnOnce() -> R,
    ) -> R {
        // Memory is asked for by one thread: the others would each get it from
        // a corner of their own.
        self.parts.iter_mut().for_each(|part| part.make_room(outboxes));
        let add = |part: &mut Part| {
            part.fill_index();
            outboxes.iter().for_each(|outbox| part.add(outbox));
        };
        let done = shared(self.parts.iter_mut(), jobs, add, meanwhile);
        for part in &mut self.parts {
            for states in part.fresh.chunk_by(|(a, _), (b, _)| a == b) {
                let level = waiting.entry(states[0].0).or_default();
                level.extend(states.iter().map(|(_, state)| *state));
            }
            part.fresh.clear();
        }
        done
    }
}

/// Part and place of a state.
#[inline]
fn split(state: State) -> (usize, usize) {
    (state.index() % PARTS, state.index() / PARTS)
}

impl Part {
    fn bytes(&self) -> usize {
        let levels = if self.levels.is_some() { 2 } else { 0 };
        self.states * (4 * self.width + 5 + levels) + 4 * self.slots.len()
    }

    #[inline]
    fn row(&self, place: usize) -> &[u32] {
        let start = place % CHUNK * self.width;
        &self.rows[place / CHUNK][start..start + self.width]
    }

    fn state(&self, place: usize) -> State {
        State(u32::try_from(place * PARTS).expect("fewer than 2^32 states") + self.number)
    }

    /// The places that were added on a level.
    fn level(&self, level: usize) -> std::ops::Range<usize> {
        let begins = |level: usize| self.begun.get(level).copied().unwrap_or(self.states);
        level.checked_sub(1).map_or(0, begins)..begins(level)
    }

    #[inline]
    fn first_slot(&self, hash: u64) -> u32 {
        self.slots[hash as usize & (self.slots.len() - 1)]
    }

    /// The first slot with the tag of this hash from `found` on, which is the
    /// first of all; 0 if there is none.
    #[inline]
    fn tagged(&self, mut found: u32, hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        // The next slots are mostly on the line that was just read.
        while found != 0 && !self.has_tag(found, hash) {
            slot = (slot + 1) & mask;
            found = self.slots[slot];
        }
        found
    }

    /// The place of this row; or the slot where it would be.
    #[inline]
    fn seek(&self, row: &[u32], hash: u64) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let found = self.slots[slot];
            if found == 0 {
                return Err(slot);
            }
            if self.has_tag(found, hash) && is_same(self.row(self.place(found)), row) {
                return Ok(self.place(found));
            }
            slot = (slot + 1) & mask;
        }
    }

    fn find(&self, row: &[u32], hash: u64) -> Option<usize> {
        self.seek(row, hash).ok()
    }

    #[inline]
    fn has_tag(&self, slot: u32, hash: u64) -> bool {
        slot >> self.bits == self.tag(hash)
    }

    /// A hash that distinguishes most rows without reading them.
    #[inline]
    fn tag(&self, hash: u64) -> u32 {
        u32::try_from(hash >> 32 >> self.bits).expect("32 bits fit")
    }

    #[inline]
    fn place(&self, slot: u32) -> usize {
        (slot & ((1 << self.bits) - 1)) as usize - 1
    }

    /// Adds the candidates that are new.
    fn add(&mut self, outbox: &Outbox) {
        let Unknown { candidates, hashes } = &outbox.unknown[self.number as usize];
        let size = self.width + 2;
        let batches = candidates.chunks(size * BATCH).zip(hashes.chunks(BATCH));
        for (candidates, hashes) in batches {
            // Read the slots before they are needed, all at once.
            let touched = hashes.iter().fold(0, |all, &hash| all | self.first_slot(hash));
            std::hint::black_box(touched);
            for (candidate, &hash) in candidates.chunks_exact(size).zip(hashes) {
                self.add_one(candidate, hash);
            }
        }
    }

    fn add_one(&mut self, candidate: &[u32], hash: u64) {
        let (row, rest) = candidate.split_at(self.width);
        let (parent, level, note) = (State(rest[0]), rest[1] >> 8, note_of(rest[1]));
        let slot = match self.seek(row, hash) {
            Ok(place) => {
                if self.is_cheaper(place, note) {
                    self.parents[place / CHUNK][place % CHUNK] = parent;
                    self.notes[place / CHUNK][place % CHUNK] = note;
                }
                if self.lower(place, parent, level) {
                    self.fresh.push((level, self.state(place)));
                }
                return;
            }
            Err(slot) => slot,
        };
        let place = u32::try_from(self.states).expect("fewer than 2^32 states");
        let state = self.state(self.states);
        self.slots[slot] = (self.tag(hash) << self.bits) | (place + 1);
        let chunk = self.states / CHUNK;
        self.rows[chunk].extend_from_slice(row);
        self.parents[chunk].push(if parent == State::NOBODY { state } else { parent });
        self.notes[chunk].push(note);
        if let Some(levels) = &mut self.levels {
            levels.push(u16::try_from(level).unwrap_or(u16::MAX));
        }
        self.states += 1;
        self.fresh.push((level, state));
    }

    /// Whether this is a smaller note for a state of the newest level.
    #[inline]
    fn is_cheaper(&self, place: usize, note: u8) -> bool {
        self.begun.last().is_some_and(|begun| place >= *begun)
            && note < self.notes[place / CHUNK][place % CHUNK]
    }

    /// A known state is reached again; whether that was on a shorter way.
    fn lower(&mut self, place: usize, parent: State, level: u32) -> bool {
        let Some(levels) = &mut self.levels else { return false };
        if level >= u32::from(levels[place]) {
            return false;
        }
        levels[place] = u16::try_from(level).unwrap_or(u16::MAX);
        self.parents[place / CHUNK][place % CHUNK] = parent;
        true
    }

    /// Makes room for what is in these outboxes.
    fn make_room(&mut self, outboxes: &[&Outbox]) {
        let of = |outbox: &&Outbox| outbox.unknown[self.number as usize].hashes.len();
        let wanted = self.states + outboxes.iter().map(of).sum::<usize>();
        while self.rows.len() * CHUNK < wanted {
            // The first chunk grows as it is needed, for searches that are small.
            let room = if self.rows.is_empty() { 0 } else { CHUNK };
            self.rows.push(Vec::with_capacity(room * self.width));
            self.parents.push(Vec::with_capacity(room));
            self.notes.push(Vec::with_capacity(room));
        }
        self.fresh.reserve(wanted - self.states);
        if wanted * 5 / 4 < self.slots.len() {
            return;
        }
        self.room = (wanted * 5 / 4 + 1).next_power_of_two();
        // Give the old index back before the new one is asked for.
        self.slots = Vec::new();
        self.slots = Vec::with_capacity(self.room);
        // The places of as many states as can come, and one more.
        self.bits = (self.room * 4 / 5 + 2).next_power_of_two().trailing_zeros().min(31);
    }

    /// Fills the index, if it is a new one.
    fn fill_index(&mut self) {
        if self.slots.len() == self.room {
            return;
        }
        // Written, not only asked for: pages that are read before they are
        // written are made twice, and the second time all threads wait.
        self.slots.resize(self.room, 0);
        let mask = self.slots.len() - 1;
        for place in 0..self.states {
            let hash = hash(self.row(place));
            let mut slot = hash as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            let number = u32::try_from(place + 1).expect("fewer than 2^32 states");
            self.slots[slot] = (self.tag(hash) << self.bits) | number;
        }
    }
}

/// Does something with each item on so many threads, of which this one does
/// something else first.
pub(super) fn shared<T: Send, R>(
    items: impl Iterator<Item = T> + Send,
    jobs: usize,
    each: impl Fn(T) + Sync,
    meanwhile: impl FnOnce() -> R,
) -> R {
    if jobs <= 1 {
        let done = meanwhile();
        items.for_each(each);
        return done;
    }
    let items = Mutex::new(items);
    let work = || {
        loop {
            let next = items.lock().expect("taking an item does not panic").next();
            let Some(item) = next else { break };
            each(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        let done = meanwhile();
        work();
        done
    })
}

/// The most states a store holds.
pub(super) const STATES_MAX: usize = (1 << 31) - (1 << 24);

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &mut Store, outbox: &mut Outbox, jobs: usize) -> Vec<(u32, State)> {
        let mut waiting = BTreeMap::new();
        outbox.look_up(store);
        store.add(&[outbox], jobs, &mut waiting, || ());
        outbox.clear();
        let on = |(level, states): (u32, Vec<State>)| {
            states.into_iter().map(move |state| (level, state))
        };
        waiting.into_iter().flat_map(on).collect()
    }

    #[test]
    fn a_row_is_kept_once_and_rows_are_told_apart_exactly() {
        for jobs in [1, 3] {
            let mut store = Store::new(2, false);
            let mut outbox = Outbox::new(2);
            for round in 0..3_u32 {
                for a in 0..200 {
                    for b in 0..100 {
                        outbox.push(&[a, b, round, tail(1, 7)], &store);
                        outbox.push(&[a, b, round, tail(1, 7)], &store);
                    }
                    put(&mut store, &mut outbox, jobs);
                }
            }
            assert_eq!(store.len(), 20_000);
            let rows: std::collections::BTreeSet<_> =
                store.states().map(|state| store.row(state).to_vec()).collect();
            assert_eq!(rows.len(), 20_000);
            let mut states = store.states();
            assert!(states.all(|state| store.parent(state) == State(0) && store.note(state) == 7));
            assert!(store.states().all(|state| store.find(store.row(state)) == Some(state)));
            assert_eq!(store.find(&[200, 0]), None);
        }
    }

    #[test]
    fn states_come_in_the_order_of_levels_whatever_their_numbers() {
        let mut store = Store::new(1, false);
        let mut outbox = Outbox::new(1);
        let mut level_of = Vec::new();
        for level in 0..5_u32 {
            for at in 0..40 * (level + 1) {
                outbox.push(&[1_000 * level + at, State::NOBODY.number(), tail(level, 0)], &store);
            }
            let fresh = put(&mut store, &mut outbox, 2);
            assert!(fresh.iter().all(|&(of, state)| of == level && store.parent(state) == state));
            store.begin_level();
            level_of.resize(store.end(), 0);
            fresh.iter().for_each(|&(_, state)| level_of[state.index()] = level);
        }
        let order: Vec<_> = store.states().collect();
        assert_eq!(order.len(), 600);
        assert!(order.is_sorted_by_key(|&state| level_of[state.index()]));
        assert!(order.is_sorted_by_key(|&state| store.order(state)));
    }

    #[test]
    fn a_lower_level_takes_a_state_over_and_a_higher_one_does_not() {
        let mut store = Store::new(1, true);
        let mut outbox = Outbox::new(1);
        for (parent, level) in [(1, 5), (2, 7), (3, 4)] {
            outbox.push(&[9, parent, tail(level, 0)], &store);
        }
        let fresh = put(&mut store, &mut outbox, 1);
        let state = store.find(&[9]).expect("it was added");
        assert_eq!(fresh, [(4, state), (5, state)]);
        assert_eq!((store.len(), store.parent(state)), (1, State(3)));
        assert!(store.is_at(state, 4) && !store.is_at(state, 5));
    }
}
