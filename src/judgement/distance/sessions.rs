//! Reads that answer something older than what their own process had before.
//!
//! A read **misses a write of its own** if its process had written the same key,
//! and what the read answers is certainly older than that write. It **goes back** if
//! its process had read the same key, and what the read answers is certainly older
//! than the write that the process had read. Both sources must be known, and not
//! from the future.
//!
//! These are figures in real time, not verdicts: a store that orders writes by
//! clocks may place the older value after the newer one, and then it keeps the
//! session guarantees of the same names. O(n).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::record::Record;
use crate::history::ProcessId;
use crate::judgement::number::index;

/// Reads that answer something older than what their own process had before, by
/// process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Reads that miss a write of their own.
    pub own_writes: BTreeMap<ProcessId, WentBack>,
    /// Reads that go back behind a read of their own.
    pub own_reads: BTreeMap<ProcessId, WentBack>,
}

/// How often a process met something too old, and the first time. Operations by
/// position in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WentBack {
    /// How many reads.
    pub reads: usize,
    /// What it had written or read before.
    pub earlier: usize,
    /// The first of the reads.
    pub read: usize,
}

/// The newest that a process has written and read of a key: when its write was
/// invoked, and the item that wrote or read it.
#[derive(Clone, Copy, Default)]
struct Newest {
    written: Option<(u64, usize)>,
    read: Option<(u64, usize)>,
}

/// The newest of each session and key: in a plain list, unless that would be too long.
enum Table {
    List { keys: usize, all: Vec<Newest> },
    Map(FxHashMap<(u32, u32), Newest>),
}

impl Table {
    fn of(record: &Record<'_>) -> Table {
        let (sessions, keys) = (record.view.sessions, record.view.keys);
        match sessions.checked_mul(keys).filter(|cells| *cells <= record.view.items.len() / 8) {
            Some(cells) => Table::List { keys, all: vec![Newest::default(); cells] },
            None => Table::Map(FxHashMap::default()),
        }
    }

    fn of_session(&mut self, session: u32, key: u32) -> &mut Newest {
        match self {
            Table::List { keys, all } => &mut all[index(session) * *keys + index(key)],
            Table::Map(all) => all.entry((session, key)).or_default(),
        }
    }
}

pub(super) fn measure(record: &Record<'_>) -> Sessions {
    let mut sessions = Sessions::default();
    let mut table = Table::of(record);
    for (item, about) in record.view.items.iter().enumerate() {
        let newest = table.of_session(about.session, about.key);
        if about.write.is_some() {
            newest.written = newest.written.max(Some((record.invoked(item), item)));
            continue;
        }
        let Some((write, there)) = record.known(item) else { continue };
        let process = record.operation(item).process;
        let note = |told: &mut BTreeMap<ProcessId, WentBack>, before: Option<(u64, usize)>| {
            let older = |(invoked, _): &(u64, usize)| there.is_none_or(|there| there < *invoked);
            let Some((_, earlier)) = before.filter(older) else { return };
            let first = WentBack { reads: 0, earlier: record.at(earlier), read: record.at(item) };
            told.entry(process).or_insert(first).reads += 1;
        };
        note(&mut sessions.own_writes, newest.written);
        note(&mut sessions.own_reads, newest.read);
        if let Some(write) = write {
            let invoked = record.invoked(index(record.view.writes[index(write)]));
            newest.read = newest.read.max(Some((invoked, item)));
        }
    }
    sessions
}
