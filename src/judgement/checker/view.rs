//! A history as a checker wants it: numbers instead of names.
//!
//! Keeps the operations that can matter (answered reads; writes that were
//! acknowledged or whose outcome is unknown), numbers sessions, keys and
//! writes from 0, and lists for every read the writes that could have been its
//! source. Knows no model. O(n log n) comparisons of keys and values.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::history::{Completion, History, Key, Operation, Value};

use crate::judgement::datatype::aborted;
use crate::judgement::number::{index, number_of};
use crate::judgement::verdict::Source as Origin;

/// Where the answer of a read came from, by number of the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) enum Source {
    /// Not chosen yet; also the entry of a write.
    Open,
    Initial,
    Write(u32),
}

/// One operation that matters.
#[derive(Clone, Copy, Debug)]
pub(in crate::judgement) struct Item {
    /// Its position in the history.
    pub(in crate::judgement) at: usize,
    pub(in crate::judgement) session: u32,
    pub(in crate::judgement) key: u32,
    /// The number of the write, or `None` for a read.
    pub(in crate::judgement) write: Option<u32>,
    /// Whether it is a read at quiescence.
    pub(in crate::judgement) last: bool,
    /// Whether it is a write of unknown outcome.
    pub(in crate::judgement) pending: bool,
    /// The range of its possible sources in [`View::pool`].
    sources: (u32, u32),
}

/// A history, or a part of it, in numbers.
#[derive(Debug)]
pub(in crate::judgement) struct View {
    /// In order of invocation.
    pub(in crate::judgement) items: Vec<Item>,
    /// The item of each write.
    pub(in crate::judgement) writes: Vec<u32>,
    pub(in crate::judgement) sessions: usize,
    pub(in crate::judgement) keys: usize,
    pool: Vec<Source>,
}

impl View {
    /// The whole history.
    pub(in crate::judgement) fn of(history: &History) -> View {
        View::build(history, history.operations().iter().enumerate())
    }

    /// The operations at these positions (ascending).
    pub(in crate::judgement) fn of_part(history: &History, positions: &[usize]) -> View {
        View::build(history, positions.iter().map(|&at| (at, &history.operations()[at])))
    }

    fn build<'a>(
        history: &'a History,
        operations: impl Iterator<Item = (usize, &'a Operation)>,
    ) -> View {
        let mut items = Vec::with_capacity(operations.size_hint().1.unwrap_or(0));
        let mut writes = Vec::with_capacity(items.capacity());
        for (at, operation) in operations {
            let is_write = operation.call.is_write();
            match (is_write, &operation.completion) {
                (true, Completion::Ok(_) | Completion::Info) | (false, Completion::Ok(_)) => {}
                _ => continue,
            }
            let write = is_write.then_some(number_of(writes.len()));
            if is_write {
                writes.push(number_of(items.len()));
            }
            items.push(Item {
                at,
                session: operation.process.0,
                key: 0,
                write,
                last: operation.final_read,
                pending: operation.is_pending(),
                sources: (0, 0),
            });
        }
        let mut view = View { items, writes, sessions: 0, keys: 0, pool: Vec::new() };
        view.number_sessions();
        view.number_keys_and_sources(history);
        view
    }

    /// Numbers sessions in ascending order of their processes.
    fn number_sessions(&mut self) {
        let mut known = FxHashSet::default();
        let new = |id: &u32| known.insert(*id);
        let mut ids: Vec<u32> = self.items.iter().map(|item| item.session).filter(new).collect();
        ids.sort_unstable();
        let numbers: FxHashMap<u32, u32> =
            ids.iter().zip(0..).map(|(id, number)| (*id, number)).collect();
        for item in &mut self.items {
            item.session = numbers[&item.session];
        }
        self.sessions = ids.len();
    }

    /// The possible sources of a value are all writes of it, and the initial
    /// value if it is null and was read.
    fn number_keys_and_sources(&mut self, history: &History) {
        let classes = match self.items.len() {
            0..=64 => Classes::by_scanning(&self.items, history),
            _ => Classes::by_hashing(&self.items, history),
        };
        self.keys = classes.keys;
        let mut sizes = vec![(0_u32, false); classes.of_value.len()];
        for (item, &class) in self.items.iter().zip(&classes.of_item) {
            let (writes, null) = &mut sizes[index(class)];
            match item.write {
                Some(_) => *writes += 1,
                None => *null |= *answer_or_argument(item, history) == Value::Null,
            }
        }
        let mut start = 0;
        let range = |(writes, null): &(u32, bool)| {
            let begin = start;
            start += writes + u32::from(*null);
            (begin, start)
        };
        let ranges: Vec<(u32, u32)> = sizes.iter().map(range).collect();
        // The places that no write takes keep the initial value.
        self.pool = vec![Source::Initial; index(start)];
        let mut next: Vec<u32> = ranges.iter().map(|(begin, _)| *begin).collect();
        for (item, &class) in self.items.iter_mut().zip(&classes.of_item) {
            let class = index(class);
            item.key = classes.of_value[class];
            item.sources = ranges[class];
            if let Some(write) = item.write {
                self.pool[index(next[class])] = Source::Write(write);
                next[class] += 1;
            }
        }
    }

    /// What can have been the source of this read.
    pub(in crate::judgement) fn sources(&self, item: &Item) -> &[Source] {
        let (start, end) = item.sources;
        &self.pool[index(start)..index(end)]
    }

    /// Whether no read could have had several sources.
    pub(in crate::judgement) fn has_known_sources(&self) -> bool {
        self.items.iter().all(|item| item.write.is_some() || self.sources(item).len() <= 1)
    }

    /// Whether every read has one possible source, which was invoked before it.
    pub(super) fn is_forward(&self) -> bool {
        let forward = |(at, item): (usize, &Item)| match self.sources(item) {
            _ if item.write.is_some() => true,
            [Source::Write(write)] => (index(self.writes[index(*write)])) < at,
            [Source::Initial] => true,
            _ => false,
        };
        self.items.iter().enumerate().all(forward)
    }

    /// The writes that happened, where sources are known: acknowledged, or
    /// the source of a read.
    pub(super) fn kept(&self) -> Vec<bool> {
        let acknowledged = |item: &u32| !self.items[index(*item)].pending;
        let mut kept: Vec<bool> = self.writes.iter().map(acknowledged).collect();
        for item in self.items.iter().filter(|item| item.write.is_none()) {
            if let [Source::Write(write)] = self.sources(item) {
                kept[index(*write)] = true;
            }
        }
        kept
    }

    /// These operations (positions) and whatever could have written what one
    /// of them read, ascending.
    pub(super) fn closed(&self, history: &History, positions: &[usize]) -> Vec<usize> {
        let mut all = positions.to_vec();
        for &at in positions {
            let Ok(item) = self.items.binary_search_by_key(&at, |item| item.at) else { continue };
            let item = &self.items[item];
            let sources = if item.write.is_some() { &[] } else { self.sources(item) };
            all.extend(sources.iter().filter_map(|source| match source {
                Source::Write(write) => Some(self.write(index(*write)).at),
                _ => None,
            }));
            if item.write.is_none() && sources.is_empty() {
                let (read, operations) = (&history.operations()[at], history.operations());
                all.extend(operations.iter().position(|op| aborted(op, read)));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The item that is this write.
    pub(in crate::judgement) fn write(&self, number: usize) -> &Item {
        &self.items[index(self.writes[number])]
    }

    /// A source by position in the history.
    pub(in crate::judgement) fn origin(&self, source: Source) -> Option<Origin> {
        match source {
            Source::Open => None,
            Source::Initial => Some(Origin::Initial),
            Source::Write(write) => Some(Origin::Write(self.write(index(write)).at)),
        }
    }
}

/// What a write writes, or what a read answered.
fn answer_or_argument<'a>(item: &Item, history: &'a History) -> &'a Value {
    let operation = &history.operations()[item.at];
    match item.write {
        Some(_) => &operation.call.argument,
        None => operation.answer().expect("the reads of a view are answered"),
    }
}

/// Spreads half a hash over 64 bits: the table uses the highest and the lowest.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The pairs of a key and a value (classes), numbered.
struct Classes {
    keys: usize,
    /// The key of each class.
    of_value: Vec<u32>,
    /// The class of each item.
    of_item: Vec<u32>,
}

impl Classes {
    /// For few items: compares each with one item of every class.
    fn by_scanning(items: &[Item], history: &History) -> Classes {
        let object = |item: &Item| &history.operations()[item.at].call.key;
        let mut keys: Vec<&Key> = Vec::with_capacity(4);
        let mut values: Vec<(u32, &Value)> = Vec::with_capacity(items.len());
        let mut of_item = Vec::with_capacity(items.len());
        for item in items {
            let key =
                number_of(keys.iter().position(|key| *key == object(item)).unwrap_or_else(|| {
                    keys.push(object(item));
                    keys.len() - 1
                }));
            let value = answer_or_argument(item, history);
            let class = values.iter().position(|class| *class == (key, value));
            of_item.push(number_of(class.unwrap_or_else(|| {
                values.push((key, value));
                values.len() - 1
            })));
        }
        let of_value = values.into_iter().map(|(key, _)| key).collect();
        Classes { keys: keys.len(), of_value, of_item }
    }

    /// For many: looks each up in a hash table. Classes are numbered in order
    /// of appearance. The table stores only their numbers; a look-up compares
    /// with one item of the class.
    fn by_hashing(items: &[Item], history: &History) -> Classes {
        let mut key_numbers: FxHashMap<&Key, u32> = FxHashMap::default();
        let mut table: HashTable<u32> = HashTable::with_capacity(items.len() / 2);
        let (mut of_value, mut of_item) = (Vec::new(), Vec::with_capacity(items.len()));
        // By class: the hash, and an item.
        let mut classes: Vec<(u32, u32)> = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let new = number_of(key_numbers.len());
            let key = *key_numbers.entry(&history.operations()[item.at].call.key).or_insert(new);
            let value = answer_or_argument(item, history);
            // Half of the hash tells most classes apart, and takes half the
            // memory.
            let hash = FxBuildHasher.hash_one((key, value)) & u64::from(u32::MAX);
            let hash = u32::try_from(hash).expect("the upper half is cut off");
            let same = |class: &u32| {
                let (other_hash, other) = classes[index(*class)];
                let other = &items[index(other)];
                hash == other_hash
                    && of_value[index(*class)] == key
                    && answer_or_argument(other, history) == value
            };
            let class = match table.find(spread(hash), same) {
                Some(class) => *class,
                None => {
                    let class = number_of(classes.len());
                    classes.push((hash, number_of(at)));
                    of_value.push(key);
                    table.insert_unique(spread(hash), class, |class| {
                        spread(classes[index(*class)].0)
                    });
                    class
                }
            };
            of_item.push(class);
        }
        Classes { keys: key_numbers.len(), of_value, of_item }
    }
}
