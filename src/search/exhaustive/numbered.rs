//! Numberings: equal values have one number, and each is kept once.

use std::hash::{BuildHasher, Hash};
use std::ops::Index;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

/// One numbering: values by number, and numbers by value. Each value is kept
/// once; the index has only its number.
pub(super) struct Numbered<V> {
    pub(super) values: Vec<V>,
    numbers: HashTable<u32>,
}

impl<V> Default for Numbered<V> {
    fn default() -> Self {
        Numbered { values: Vec::new(), numbers: HashTable::new() }
    }
}

/// The value with a number.
impl<V> Index<u32> for Numbered<V> {
    type Output = V;

    fn index(&self, number: u32) -> &V {
        &self.values[number as usize]
    }
}

impl<V: Eq + Hash> Numbered<V> {
    /// The number of a value, if it has one.
    pub(super) fn find(&self, value: &V) -> Option<u32> {
        let hash = FxBuildHasher.hash_one(value);
        self.numbers.find(hash, |number| self.values[*number as usize] == *value).copied()
    }

    pub(super) fn number(&mut self, value: V) -> u32 {
        let values = &self.values;
        let hash = FxBuildHasher.hash_one(&value);
        let same = |number: &u32| values[*number as usize] == value;
        let rehash = |number: &u32| FxBuildHasher.hash_one(&values[*number as usize]);
        match self.numbers.entry(hash, same, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let number = count(values.len());
                free.insert(number);
                self.values.push(value);
                number
            }
        }
    }
}

/// A length as a number.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2^32 of anything")
}
