//! What became of writes of unknown outcome.
//!
//! Each has one fate, the first that applies: it was **seen** if a read answers its
//! value and no other write explains that; **perhaps** seen if a read answers its
//! value and another write could explain it, too; **unseen** if no read does, though
//! one of its key was invoked after it; **unread** if there is no such read. O(n).

use rustc_hash::FxHashSet;

use super::record::{Answer, NEVER, Record};
use crate::judgement::checker::view::Source;
use crate::judgement::number::{index, number_of};

/// How many writes of unknown outcome had which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// A read shows that it happened.
    pub seen: usize,
    /// A read shows its value, which another write could have left.
    pub perhaps: usize,
    /// Later reads of its key show other values.
    pub unseen: usize,
    /// Its key was not read later.
    pub unread: usize,
}

pub(super) fn measure(record: &Record<'_>) -> Fates {
    let writes = record.view.writes.len();
    let (mut seen, mut perhaps) = (vec![false; writes], vec![false; writes]);
    let mut last_read = vec![None; record.view.keys];
    // Reads of the same value have the same sources.
    let mut known: FxHashSet<u32> = FxHashSet::default();
    for read in record.reads() {
        let last = &mut last_read[record.key(read)];
        *last = (*last).max(Some(record.invoked(read)));
        let sources = record.view.sources(&record.view.items[read]);
        let of_write = |source: &Source| match source {
            Source::Write(write) => Some(*write),
            _ => None,
        };
        match record.answers[read] {
            Answer::Write(write) => seen[index(write)] = true,
            Answer::Several | Answer::Future(_) => {
                let Some(first) = sources.iter().find_map(of_write) else { continue };
                if known.insert(first) {
                    let all = sources.iter().filter_map(of_write);
                    all.for_each(|write| perhaps[index(write)] = true);
                }
            }
            Answer::Initial | Answer::Nobody | Answer::None => {}
        }
    }
    let mut fates = Fates::default();
    for write in 0..writes {
        let item = record.write(number_of(write));
        if record.returned(item) != NEVER {
            continue;
        }
        let was_read = last_read[record.key(item)] > Some(record.invoked(item));
        let fate = match () {
            () if seen[write] => &mut fates.seen,
            () if perhaps[write] => &mut fates.perhaps,
            () if was_read => &mut fates.unseen,
            () => &mut fates.unread,
        };
        *fate += 1;
    }
    fates
}
