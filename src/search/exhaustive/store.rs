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
    rows: Vec<u32>,
    parents: Vec<u32>,
    /// Tag in the upper half, number of the row plus one in the lower; 0 is
    /// empty. A power of two of them, at most three in four used.
    slots: Vec<u64>,
}

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
        Store { width, rows: Vec::new(), parents: Vec::new(), slots: vec![0; 1 << 10] }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The row of a state.
    pub(super) fn row(&self, state: u32) -> &[u32] {
        let start = state as usize * self.width;
        &self.rows[start..start + self.width]
    }

    /// The state from which a state was first reached; the first is its own.
    pub(super) fn parent(&self, state: u32) -> u32 {
        self.parents[state as usize]
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
        let state = u64::try_from(self.parents.len()).expect("a count fits in 64 bits");
        self.slots[at] = (tag(hash) << 32) | (state + 1);
        self.rows.extend_from_slice(row);
        self.parents.push(parent);
    }

    /// Makes room in the index for `more` states.
    fn reserve(&mut self, more: usize) {
        let wanted = (self.len() + more) * 4 / 3 + 1;
        if wanted <= self.slots.len() {
            return;
        }
        let mask = wanted.next_power_of_two() - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for state in 0..self.parents.len() {
            let hash = hash(&self.rows[state * self.width..(state + 1) * self.width]);
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
