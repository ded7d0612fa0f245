//! Numberings: equal values have one number, and each is kept once.
//!
//! A number is of the type of what it stands for: the number of a message is no
//! component, though both have 32 bits. In rows of states stand plain numbers,
//! because they are hashed and compared as a whole.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Index;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

/// The number of a `V`.
pub(super) struct Id<V>(u32, PhantomData<fn() -> V>);

impl<V> Id<V> {
    /// The first of all.
    pub(super) const FIRST: Id<V> = Id::of(0);

    /// What a plain number stands for, as it stands in a row or a table.
    pub(super) const fn of(number: u32) -> Self {
        Id(number, PhantomData)
    }

    /// The plain number.
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// Its place in a list of all.
    #[inline]
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl<V> Copy for Id<V> {}

impl<V> Clone for Id<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> PartialEq for Id<V> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<V> Eq for Id<V> {}

impl<V> PartialOrd for Id<V> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<V> Ord for Id<V> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<V> Hash for Id<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<V> fmt::Debug for Id<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One numbering: values by number, and numbers by value. Each value is kept
/// once; the index has only its number.
pub(super) struct Numbered<V> {
    pub(super) values: Vec<V>,
    numbers: HashTable<Id<V>>,
}

impl<V> Default for Numbered<V> {
    fn default() -> Self {
        Numbered { values: Vec::new(), numbers: HashTable::new() }
    }
}

/// The value with a number.
impl<V> Index<Id<V>> for Numbered<V> {
    type Output = V;

    #[inline]
    fn index(&self, number: Id<V>) -> &V {
        &self.values[number.index()]
    }
}

impl<V: Eq + Hash> Numbered<V> {
    /// The number of a value, if it has one.
    pub(super) fn find(&self, value: &V) -> Option<Id<V>> {
        let hash = FxBuildHasher.hash_one(value);
        self.numbers.find(hash, |number| self[*number] == *value).copied()
    }

    pub(super) fn number(&mut self, value: V) -> Id<V> {
        let values = &self.values;
        let hash = FxBuildHasher.hash_one(&value);
        let same = |number: &Id<V>| values[number.index()] == value;
        let rehash = |number: &Id<V>| FxBuildHasher.hash_one(&values[number.index()]);
        match self.numbers.entry(hash, same, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let number = Id::of(count(values.len()));
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
