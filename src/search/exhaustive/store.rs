//! The states that have been seen: rows of component numbers, exact, in the
//! order in which they were found.
//!
//! Invariant: no two rows are equal, and a row's parent was found before it.
//! A state costs its row, its parent and an index slot of four bytes; nothing
//! is hashed away, so two states are the same only if their rows are. It does
//! not know what the numbers stand for.
//!
//! Looking up a row costs cache misses, and misses are what a search waits
//! for. So rows are looked up in batches: first the slots of all candidates
//! are read, then the rows behind matching tags, so that the misses overlap.
//! Looking up changes nothing and is done by many threads ([`Outbox`]); what
//! is not known yet is added by one, and is little: a candidate that was met
//! a moment ago is dropped before.

/// Rows in a chunk; a power of two.
const CHUNK: usize = 1 << 16;

/// How many candidates are looked up together.
const BATCH: usize = 256;

/// Candidates that are remembered for as long as a round lasts; a power of two.
const RECENT: usize = 1 << 13;

/// Candidates of one thread. Each is a row, its parent and its level.
pub(super) struct Outbox {
    width: usize,
    batch: Vec<u32>,
    hashes: Vec<u64>,
    probes: Vec<u32>,
    /// Those that are not in the store.
    unknown: Vec<u32>,
    unknown_hashes: Vec<u64>,
    /// By a few bits of the hash: the last one among them, plus one.
    recent: Vec<u32>,
}

impl Outbox {
    pub(super) fn new(width: usize) -> Self {
        Outbox {
            width,
            batch: Vec::new(),
            hashes: Vec::new(),
            probes: Vec::new(),
            unknown: Vec::new(),
            unknown_hashes: Vec::new(),
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
        let mask = store.slots.len() - 1;
        self.probes.clear();
        // These reads do not depend on each other.
        self.probes.extend(self.hashes.iter().map(|&hash| store.slots[hash as usize & mask]));
        for (probe, &hash) in self.probes.iter_mut().zip(&self.hashes) {
            let mut slot = hash as usize & mask;
            // The next slots are mostly on the line that was just read.
            while *probe != 0 && !store.has_tag(*probe, hash) {
                slot = (slot + 1) & mask;
                *probe = store.slots[slot];
            }
        }
        for (at, probe) in self.probes.iter_mut().enumerate() {
            if *probe != 0 {
                // Neither do these; the answer is used below.
                let row = &self.batch[at * size..at * size + self.width];
                let same = is_same(store.row(store.state(*probe)), row);
                *probe = if same { SEEN } else { *probe };
            }
        }
        for at in 0..self.hashes.len() {
            // A lower level may count although the state is known.
            if self.probes[at] == SEEN && store.levels.is_none() {
                continue;
            }
            let hash = self.hashes[at];
            let candidate = &self.batch[at * size..(at + 1) * size];
            let row = &candidate[..self.width];
            let recent = &mut self.recent[(hash >> 20) as usize & (RECENT - 1)];
            if store.levels.is_none() {
                if *recent != 0 {
                    let start = (*recent as usize - 1) * size;
                    if is_same(&self.unknown[start..start + self.width], row) {
                        continue;
                    }
                }
                // Another row has the same tag; look further.
                if self.probes[at] != 0 && store.find_hashed(row, hash).is_some() {
                    continue;
                }
            }
            *recent = u32::try_from(self.unknown_hashes.len()).expect("a round is small") + 1;
            self.unknown.extend_from_slice(candidate);
            self.unknown_hashes.push(hash);
        }
        self.batch.clear();
        self.hashes.clear();
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

/// Whether two rows are equal, without a call for so few numbers.
#[inline]
fn is_same(a: &[u32], b: &[u32]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// A slot that no state can have: its row is known to be in the store.
const SEEN: u32 = u32::MAX;

/// All states.
pub(super) struct Store {
    width: usize,
    /// Chunks of [`CHUNK`] rows each, so that growing moves nothing.
    rows: Vec<Vec<u32>>,
    parents: Vec<Vec<u32>>,
    /// The level of each state, if levels can fall.
    levels: Option<Vec<u16>>,
    states: usize,
    /// Number of the row plus one in the lower bits, as many as are needed,
    /// and a tag in the others; 0 is empty. A power of two of them, at most
    /// four in five used.
    slots: Vec<u32>,
    /// How many bits of a slot are the number.
    bits: u32,
}

impl Store {
    /// No states yet. With `weighted`, a state can be reached again on a lower
    /// level, and is then fresh again.
    pub(super) fn new(width: usize, weighted: bool) -> Self {
        Store {
            width,
            rows: Vec::new(),
            parents: Vec::new(),
            levels: weighted.then(Vec::new),
            states: 0,
            slots: vec![0; 1 << 10],
            bits: 11,
        }
    }

    /// How many states there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.states
    }

    /// Bytes that states and index take, not counting room for more.
    pub(super) fn bytes(&self) -> usize {
        let levels = if self.levels.is_some() { 2 } else { 0 };
        self.states * (4 * self.width + 4 + levels) + 4 * self.slots.len()
    }

    /// The row of a state.
    #[inline]
    pub(super) fn row(&self, state: u32) -> &[u32] {
        let state = state as usize;
        let start = state % CHUNK * self.width;
        &self.rows[state / CHUNK][start..start + self.width]
    }

    /// The state from which a state was first reached; the first is its own.
    pub(super) fn parent(&self, state: u32) -> u32 {
        let state = state as usize;
        self.parents[state / CHUNK][state % CHUNK]
    }

    /// Whether this is (still) the level of a state.
    pub(super) fn is_at(&self, state: u32, level: u32) -> bool {
        let known = self.levels.as_ref().map(|levels| u32::from(levels[state as usize]));
        known.is_none_or(|known| known == level)
    }

    /// The number of the state with this row, if there is one.
    pub(super) fn find(&self, row: &[u32]) -> Option<u32> {
        self.find_hashed(row, hash(row))
    }

    fn find_hashed(&self, row: &[u32], hash: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let found = self.slots[slot];
            if found == 0 {
                return None;
            }
            if self.has_tag(found, hash) && is_same(self.row(self.state(found)), row) {
                return Some(self.state(found));
            }
            slot = (slot + 1) & mask;
        }
    }

    #[inline]
    fn has_tag(&self, slot: u32, hash: u64) -> bool {
        slot >> self.bits == self.tag(hash)
    }

    /// What tells most rows apart without looking at them.
    #[inline]
    fn tag(&self, hash: u64) -> u32 {
        u32::try_from(hash >> 32 >> self.bits).expect("32 bits fit")
    }

    #[inline]
    fn state(&self, slot: u32) -> u32 {
        (slot & ((1 << self.bits) - 1)) - 1
    }

    /// Adds the candidates that are new, in order, and empties the outbox. The
    /// level and number of each state that is new, or on a lower level than
    /// before, goes to `fresh`.
    pub(super) fn add(&mut self, outbox: &mut Outbox, fresh: &mut Vec<(u32, u32)>) {
        self.reserve(outbox.unknown_hashes.len());
        let size = self.width + 2;
        let mask = self.slots.len() - 1;
        let batches = outbox.unknown.chunks(size * BATCH).zip(outbox.unknown_hashes.chunks(BATCH));
        for (candidates, hashes) in batches {
            // Read the slots before they are needed, all at once.
            outbox.probes.clear();
            outbox.probes.extend(hashes.iter().map(|&hash| self.slots[hash as usize & mask]));
            for (candidate, &hash) in candidates.chunks_exact(size).zip(hashes) {
                fresh.extend(self.add_one(candidate, hash));
            }
        }
        outbox.unknown.clear();
        outbox.unknown_hashes.clear();
        outbox.recent.fill(0);
    }

    fn add_one(&mut self, candidate: &[u32], hash: u64) -> Option<(u32, u32)> {
        let (row, rest) = candidate.split_at(self.width);
        let [parent, level] = [rest[0], rest[1]];
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let found = self.slots[slot];
            if found == 0 {
                break;
            }
            if self.has_tag(found, hash) && is_same(self.row(self.state(found)), row) {
                let known = self.state(found);
                return self.lower(known, parent, level).then_some((level, known));
            }
            slot = (slot + 1) & mask;
        }
        let state = u32::try_from(self.states).expect("fewer than 2^32 states");
        self.slots[slot] = (self.tag(hash) << self.bits) | (state + 1);
        if self.states.is_multiple_of(CHUNK) {
            // The first chunk grows as it is needed, for searches that are small.
            let room = if self.states == 0 { 0 } else { CHUNK };
            self.rows.push(Vec::with_capacity(room * self.width));
            self.parents.push(Vec::with_capacity(room));
        }
        let last = self.rows.len() - 1;
        self.rows[last].extend_from_slice(row);
        // The first state is its own parent.
        self.parents[last].push(if state == 0 { 0 } else { parent });
        if let Some(levels) = &mut self.levels {
            levels.push(u16::try_from(level).unwrap_or(u16::MAX));
        }
        self.states += 1;
        Some((level, state))
    }

    /// A known state is reached again; whether that was on a shorter way.
    fn lower(&mut self, state: u32, parent: u32, level: u32) -> bool {
        let Some(levels) = &mut self.levels else { return false };
        let at = state as usize;
        if level >= u32::from(levels[at]) {
            return false;
        }
        levels[at] = u16::try_from(level).unwrap_or(u16::MAX);
        self.parents[at / CHUNK][at % CHUNK] = parent;
        true
    }

    /// Makes room in the index for `more` states.
    fn reserve(&mut self, more: usize) {
        let wanted = (self.states + more) * 5 / 4 + 1;
        if wanted <= self.slots.len() {
            return;
        }
        let slots = wanted.next_power_of_two();
        // Give the old index back before the new one is asked for.
        self.slots = Vec::new();
        self.slots = vec![0; slots];
        // The numbers of as many states as can come, and one more.
        self.bits = (slots * 4 / 5 + 2).next_power_of_two().trailing_zeros().min(31);
        let mask = slots - 1;
        for state in 0..u32::try_from(self.states).expect("fewer than 2^32 states") {
            let hash = hash(self.row(state));
            let mut slot = hash as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = (self.tag(hash) << self.bits) | (state + 1);
        }
    }
}

/// The most states a store holds.
pub(super) const STATES_MAX: usize = (1 << 31) - (1 << 24);

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &mut Store, outbox: &mut Outbox) -> Vec<(u32, u32)> {
        let mut fresh = Vec::new();
        outbox.look_up(store);
        store.add(outbox, &mut fresh);
        fresh
    }

    #[test]
    fn a_row_is_kept_once_and_rows_are_told_apart_exactly() {
        let mut store = Store::new(2, false);
        let mut outbox = Outbox::new(2);
        for round in 0..3_u32 {
            for a in 0..200 {
                for b in 0..100 {
                    outbox.push(&[a, b, round, 1], &store);
                    outbox.push(&[a, b, round, 1], &store);
                }
                put(&mut store, &mut outbox);
            }
        }
        assert_eq!(store.len(), 20_000);
        let rows: std::collections::BTreeSet<_> =
            (0..20_000).map(|state| store.row(state).to_vec()).collect();
        assert_eq!(rows.len(), 20_000);
        assert!((0..20_000).all(|state| store.parent(state) == 0), "first come, first kept");
        assert!((0..20_000).all(|state| store.find(store.row(state)) == Some(state)));
        assert_eq!(store.find(&[200, 0]), None);
    }

    #[test]
    fn a_lower_level_takes_a_state_over_and_a_higher_one_does_not() {
        let mut store = Store::new(1, true);
        let mut outbox = Outbox::new(1);
        outbox.push(&[8, 0, 0], &store);
        for (parent, level) in [(1, 5), (2, 7), (3, 4)] {
            outbox.push(&[9, parent, level], &store);
        }
        assert_eq!(put(&mut store, &mut outbox), [(0, 0), (5, 1), (4, 1)]);
        assert_eq!((store.len(), store.parent(1)), (2, 3));
        assert!(store.is_at(1, 4) && !store.is_at(1, 5));
    }
}
