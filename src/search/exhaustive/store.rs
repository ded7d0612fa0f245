//! The states that have been seen: rows of component numbers, exact, in the
//! order in which they were found.
//!
//! Invariant: no two rows are equal, and a row's parent was found before it.
//! A state costs its row, its parent and an index slot; nothing is hashed
//! away, so two states are the same only if their rows are. It does not know
//! what the numbers stand for.
//!
//! Looking up a row costs a cache miss, and misses are what a search waits
//! for. So rows are looked up in batches: first the slots of all candidates
//! are read, then the rows behind matching tags, so that the misses overlap.

/// Rows of `width` numbers each.
pub(super) struct Store {
    width: usize,
    /// Chunks of [`CHUNK`] rows each, so that growing moves nothing.
    rows: Vec<Vec<u32>>,
    parents: Vec<Vec<u32>>,
    states: usize,
    /// Tag in the upper half, number of the row plus one in the lower; 0 is
    /// empty. A power of two of them, at most four in five used.
    slots: Vec<u64>,
}

/// Rows in a chunk; a power of two.
const CHUNK: usize = 1 << 16;

/// Candidates that wait to be looked up.
pub(super) struct Batch {
    rows: Vec<u32>,
    hashes: Vec<u64>,
    parents: Vec<u32>,
    probes: Vec<u64>,
}

/// How many candidates are looked up together.
pub(super) const BATCH: usize = 256;

impl Batch {
    pub(super) fn new() -> Self {
        Batch { rows: Vec::new(), hashes: Vec::new(), parents: Vec::new(), probes: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// Adds a candidate that is `row` with what `change` does to it.
    pub(super) fn push(&mut self, row: &[u32], parent: u32, change: impl FnOnce(&mut [u32])) {
        let start = self.rows.len();
        self.rows.extend_from_slice(row);
        change(&mut self.rows[start..]);
        self.hashes.push(hash(&self.rows[start..]));
        self.parents.push(parent);
    }
}

/// Mixes all numbers of a row (the multiplier of Knuth's hashing, with the
/// shift of SplitMix64 at the end).
fn hash(row: &[u32]) -> u64 {
    let mut hash = 0_u64;
    for &number in row {
        hash = (hash.rotate_left(23) ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash ^ (hash >> 32)
}

impl Store {
    pub(super) fn new(width: usize) -> Self {
        let slots = vec![0; 1 << 10];
        Store { width, rows: Vec::new(), parents: Vec::new(), states: 0, slots }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.states
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

    /// Looks up all candidates in order, adds those that are new, and empties
    /// the batch.
    pub(super) fn add(&mut self, batch: &mut Batch) {
        self.reserve(batch.len());
        let mask = self.slots.len() - 1;
        batch.probes.clear();
        // These reads do not depend on each other.
        batch.probes.extend(batch.hashes.iter().map(|&hash| self.slots[hash as usize & mask]));
        for at in 0..batch.len() {
            let (probe, hash) = (batch.probes[at], batch.hashes[at]);
            if probe != 0 && tag(probe) == tag(hash) {
                // Neither do these; the answer is used below.
                let row = &batch.rows[at * self.width..(at + 1) * self.width];
                let same = self.row(number(probe)) == row;
                batch.probes[at] = if same { SEEN } else { probe };
            }
        }
        for at in 0..batch.len() {
            if batch.probes[at] != SEEN {
                let row = at * self.width..(at + 1) * self.width;
                self.add_one(&batch.rows[row], batch.hashes[at], batch.parents[at]);
            }
        }
        batch.rows.clear();
        batch.hashes.clear();
        batch.parents.clear();
    }

    fn add_one(&mut self, row: &[u32], hash: u64, parent: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            if tag(slot) == tag(hash) && self.row(number(slot)) == row {
                return;
            }
            at = (at + 1) & mask;
        }
        self.slots[at] = (tag(hash) << 32) | (self.states as u64 + 1);
        if self.states.is_multiple_of(CHUNK) {
            // The first chunk grows as it is needed, for searches that are small.
            let room = if self.states == 0 { 0 } else { CHUNK };
            self.rows.push(Vec::with_capacity(room * self.width));
            self.parents.push(Vec::with_capacity(room));
        }
        let last = self.rows.len() - 1;
        self.rows[last].extend_from_slice(row);
        self.parents[last].push(parent);
        self.states += 1;
    }

    /// Makes room in the index for `more` states.
    fn reserve(&mut self, more: usize) {
        let wanted = (self.len() + more) * 5 / 4 + 1;
        if wanted <= self.slots.len() {
            return;
        }
        let mask = wanted.next_power_of_two() - 1;
        // Give the old index back before the new one is asked for.
        self.slots = Vec::new();
        self.slots = vec![0; mask + 1];
        for state in 0..self.states {
            let hash = hash(self.row(u32::try_from(state).expect("fewer than 2^32 states")));
            let mut at = hash as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = (tag(hash) << 32) | (state as u64 + 1);
        }
    }
}

/// A slot that no state can have: its row is known to be in the store.
const SEEN: u64 = u64::MAX;

fn tag(bits: u64) -> u64 {
    bits >> 32
}

fn number(slot: u64) -> u32 {
    u32::try_from(slot & 0xffff_ffff).expect("32 bits fit") - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_kept_once_and_rows_are_told_apart_exactly() {
        let mut store = Store::new(2);
        let mut batch = Batch::new();
        for round in 0..3_u32 {
            for a in 0..200 {
                for b in 0..100 {
                    batch.push(&[a, b], round, |_| {});
                    if batch.len() == BATCH {
                        store.add(&mut batch);
                    }
                }
            }
        }
        store.add(&mut batch);
        assert_eq!(store.len(), 20_000);
        let rows: std::collections::BTreeSet<_> =
            (0..20_000).map(|state| store.row(state).to_vec()).collect();
        assert_eq!(rows.len(), 20_000);
        assert!((0..20_000).all(|state| store.parent(state) == 0), "first come, first kept");
    }
}
