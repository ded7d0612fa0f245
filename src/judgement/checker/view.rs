//! A history as a checker wants it: numbers instead of names.
//!
//! Keeps the operations that can matter (answered reads; writes that were
//! acknowledged or whose outcome is unknown), numbers sessions, keys and
//! writes from 0, and lists for every read the writes that could have been its
//! source. Knows no model. O(n log n) comparisons of keys and values.

use crate::history::{Completion, History, Operation, Value};

use super::super::verdict::Source as Origin;

/// Where the answer of a read came from, by number of the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Not decided yet (and what stands for a write).
    Open,
    Initial,
    Write(u32),
}

/// One operation that matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its position in the history.
    pub(super) at: usize,
    pub(super) session: u32,
    pub(super) key: u32,
    /// The number of the write, or `None` for a read.
    pub(super) write: Option<u32>,
    /// Whether it is a read at quiescence.
    pub(super) last: bool,
    /// Whether it is a write of unknown outcome.
    pub(super) pending: bool,
    /// Its part of [`View::pool`].
    sources: (u32, u32),
}

impl Item {
    /// The number of its key and value: equal for a read and its possible sources.
    ///
    /// Means nothing for a read that has none.
    pub(super) fn value(&self) -> u32 {
        self.sources.0
    }
}

/// A history, or a part of it, in numbers.
#[derive(Debug)]
pub(super) struct View {
    /// In order of invocation.
    pub(super) items: Vec<Item>,
    /// The item that each write is.
    pub(super) writes: Vec<u32>,
    pub(super) sessions: usize,
    pub(super) keys: usize,
    pool: Vec<Source>,
}

impl View {
    /// The whole history.
    pub(super) fn of(history: &History) -> View {
        View::build(history, history.operations().iter().enumerate())
    }

    /// The operations at these positions (ascending).
    pub(super) fn of_part(history: &History, positions: &[usize]) -> View {
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

    fn number_sessions(&mut self) {
        let mut ids: Vec<u32> = self.items.iter().map(|item| item.session).collect();
        ids.sort_unstable();
        ids.dedup();
        for item in &mut self.items {
            item.session =
                ids.binary_search(&item.session).expect("every session is listed") as u32;
        }
        self.sessions = ids.len();
    }

    /// Sorted by key and value, each group is the writes of one value to one
    /// key, then the reads that answered it.
    fn number_keys_and_sources(&mut self, history: &History) {
        let object = |item: &Item| &history.operations()[item.at].call.key;
        let value = |item: &Item| match item.write {
            Some(_) => &history.operations()[item.at].call.argument,
            None => history.operations()[item.at].answer().expect("reads here are answered"),
        };
        let mut sorted: Vec<u32> = (0..self.items.len() as u32).collect();
        sorted.sort_unstable_by(|&a, &b| {
            let (one, two) = (&self.items[a as usize], &self.items[b as usize]);
            object(one)
                .cmp(object(two))
                .then_with(|| value(one).cmp(value(two)))
                .then_with(|| one.write.is_none().cmp(&two.write.is_none()))
                .then_with(|| a.cmp(&b))
        });
        self.pool.reserve(sorted.len());
        let (mut key, mut start, mut read_before) = (0, 0, false);
        for at in 0..sorted.len() {
            let this = self.items[sorted[at] as usize];
            if at > 0 {
                let before = &self.items[sorted[at - 1] as usize];
                let same_key = object(before) == object(&this);
                key += u32::from(!same_key);
                if !same_key || value(before) != value(&this) {
                    (start, read_before) = (self.pool.len(), false);
                }
            }
            match this.write {
                Some(write) => self.pool.push(Source::Write(write)),
                None if !read_before && *value(&this) == Value::Null => {
                    self.pool.push(Source::Initial);
                }
                None => {}
            }
            read_before = this.write.is_none();
            let end = self.pool.len();
            let item = &mut self.items[sorted[at] as usize];
            item.key = key;
            item.sources = (start as u32, end as u32);
        }
        self.keys = if sorted.is_empty() { 0 } else { key as usize + 1 };
    }

    /// What can have been the source of this read.
    pub(super) fn sources(&self, item: &Item) -> &[Source] {
        let (start, end) = item.sources;
        &self.pool[start as usize..end as usize]
    }

    /// A bound of [`Item::value`].
    pub(super) fn values(&self) -> usize {
        self.pool.len() + 1
    }

    /// The item that is this write.
    pub(super) fn write(&self, number: usize) -> &Item {
        &self.items[self.writes[number] as usize]
    }

    /// A source by position in the history.
    pub(super) fn origin(&self, source: Source) -> Option<Origin> {
        match source {
            Source::Open => None,
            Source::Initial => Some(Origin::Initial),
            Source::Write(write) => Some(Origin::Write(self.write(write as usize).at)),
        }
    }
}
