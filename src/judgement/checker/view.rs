//! A history as a checker wants it: numbers instead of names.
//!
//! Keeps the operations that can matter (answered reads; writes that were
//! acknowledged or whose outcome is unknown), numbers sessions, keys and
//! writes from 0, and lists for every read the writes that could have been its
//! source. Knows no model. O(n log n) comparisons of keys and values.

use rustc_hash::FxHashMap;

use crate::history::{Completion, History, Key, Operation, Value};

use super::super::verdict::Source as Origin;

/// Where the answer of a read came from, by number of the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judgement) enum Source {
    /// Not decided yet (and what stands for a write).
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
    /// Its part of [`View::pool`].
    sources: (u32, u32),
}

/// A history, or a part of it, in numbers.
#[derive(Debug)]
pub(in crate::judgement) struct View {
    /// In order of invocation.
    pub(in crate::judgement) items: Vec<Item>,
    /// The item that each write is.
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
            let write = is_write.then_some(writes.len() as u32);
            if is_write {
                writes.push(items.len() as u32);
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
        let mut ids: Vec<u32> = self.items.iter().map(|item| item.session).collect();
        ids.sort_unstable();
        ids.dedup();
        let numbers: FxHashMap<u32, u32> =
            ids.iter().zip(0..).map(|(id, number)| (*id, number)).collect();
        for item in &mut self.items {
            item.session = numbers[&item.session];
        }
        self.sessions = ids.len();
    }

    /// The possible sources of a value are all writes of it, and nothing if it
    /// is null and was read.
    fn number_keys_and_sources(&mut self, history: &History) {
        let classes = match self.items.len() {
            0..=64 => Classes::by_scanning(&self.items, history),
            _ => Classes::by_hashing(&self.items, history),
        };
        self.keys = classes.keys;
        let mut sizes = vec![(0_u32, false); classes.of_value.len()];
        for (item, &class) in self.items.iter().zip(&classes.of_item) {
            let (writes, null) = &mut sizes[class as usize];
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
        // What is left over after the writes is the initial value.
        self.pool = vec![Source::Initial; start as usize];
        let mut next: Vec<u32> = ranges.iter().map(|(begin, _)| *begin).collect();
        for (item, &class) in self.items.iter_mut().zip(&classes.of_item) {
            let class = class as usize;
            item.key = classes.of_value[class];
            item.sources = ranges[class];
            if let Some(write) = item.write {
                self.pool[next[class] as usize] = Source::Write(write);
                next[class] += 1;
            }
        }
    }

    /// What can have been the source of this read.
    pub(in crate::judgement) fn sources(&self, item: &Item) -> &[Source] {
        let (start, end) = item.sources;
        &self.pool[start as usize..end as usize]
    }

    /// Whether no read could have had several sources.
    pub(in crate::judgement) fn has_known_sources(&self) -> bool {
        self.items.iter().all(|item| item.write.is_some() || self.sources(item).len() <= 1)
    }

    /// The item that is this write.
    pub(in crate::judgement) fn write(&self, number: usize) -> &Item {
        &self.items[self.writes[number] as usize]
    }

    /// A source by position in the history.
    pub(in crate::judgement) fn origin(&self, source: Source) -> Option<Origin> {
        match source {
            Source::Open => None,
            Source::Initial => Some(Origin::Initial),
            Source::Write(write) => Some(Origin::Write(self.write(write as usize).at)),
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

/// Keys with values, numbered.
struct Classes {
    keys: usize,
    /// The key of each class.
    of_value: Vec<u32>,
    /// The class of each item.
    of_item: Vec<u32>,
}

impl Classes {
    /// For few items: compares each with one of every class.
    fn by_scanning(items: &[Item], history: &History) -> Classes {
        let object = |item: &Item| &history.operations()[item.at].call.key;
        let mut keys: Vec<&Key> = Vec::with_capacity(4);
        let mut values: Vec<(u32, &Value)> = Vec::with_capacity(items.len());
        let mut of_item = Vec::with_capacity(items.len());
        for item in items {
            let key = keys.iter().position(|key| *key == object(item)).unwrap_or_else(|| {
                keys.push(object(item));
                keys.len() - 1
            }) as u32;
            let value = answer_or_argument(item, history);
            let class = values.iter().position(|class| *class == (key, value));
            of_item.push(class.unwrap_or_else(|| {
                values.push((key, value));
                values.len() - 1
            }) as u32);
        }
        let of_value = values.into_iter().map(|(key, _)| key).collect();
        Classes { keys: keys.len(), of_value, of_item }
    }

    /// For many: looks each up. Numbers are given in order of appearance.
    fn by_hashing(items: &[Item], history: &History) -> Classes {
        let mut key_numbers: FxHashMap<&Key, u32> = FxHashMap::default();
        let mut value_numbers: FxHashMap<(u32, &Value), u32> = FxHashMap::default();
        value_numbers.reserve(items.len());
        let (mut of_value, mut of_item) = (Vec::new(), Vec::with_capacity(items.len()));
        for item in items {
            let new = key_numbers.len() as u32;
            let key = *key_numbers.entry(&history.operations()[item.at].call.key).or_insert(new);
            let new = of_value.len() as u32;
            let value = answer_or_argument(item, history);
            let class = *value_numbers.entry((key, value)).or_insert(new);
            if class == new {
                of_value.push(key);
            }
            of_item.push(class);
        }
        Classes { keys: key_numbers.len(), of_value, of_item }
    }
}
