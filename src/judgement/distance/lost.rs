//! Acknowledged writes of which nothing is left in the end.
//!
//! The *last answers* of a key are those of its reads that were invoked after
//! every acknowledged write of the key had returned; of the final ones only, if
//! any of these reads is final. An acknowledged write is **lost** if its key
//! has last answers and every one of them is certainly older than the write:
//! its value was there before the write was invoked, or it is the initial
//! value. So neither the write nor anything that could have overwritten it is
//! left, although real time requires that one of them is.
//!
//! A write of unknown outcome may overwrite anything, so if a last answer is of
//! such a write, no write counts as lost that was invoked before the first
//! reader of that value returned. An answer with several possible sources
//! counts as the newest of them; one that nobody wrote proves nothing. Without
//! final reads the last answers may be late rather than wrong, so keys with and
//! without final reads are counted apart.
//!
//! This is a figure, not a verdict: last-writer-wins with a clock that is ahead
//! loses writes and converges. O(n).

use super::record::{Answer, NEVER, Record};
use crate::judgement::checker::view::Source;
use crate::judgement::number::{index, number_of};

/// Acknowledged writes of which nothing is left in the end. Operations by
/// position in the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// The writes that are lost, ascending.
    pub writes: Vec<usize>,
    /// The newest lost write of the key that lost most (the first such key).
    pub worst: Option<LostWrite>,
    /// How many keys are measured by their final reads.
    pub keys_at_quiescence: usize,
    /// How many keys are measured by other reads after their last write.
    pub keys_by_last_reads: usize,
    /// How many keys have acknowledged writes and no later read: they are not
    /// measured.
    pub keys_unread: usize,
}

/// One lost write, and what the key holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostWrite {
    /// The write.
    pub write: usize,
    /// The read with the newest of the last answers.
    pub read: usize,
    /// The older write that it answered; `None` for the initial value. Of
    /// several possible ones the newest.
    pub source: Option<usize>,
    /// How many acknowledged writes this key lost.
    pub of_key: usize,
}

/// The newest of the last answers of a key.
#[derive(Clone, Copy)]
struct Newest {
    at_quiescence: bool,
    /// When its value was there: `None` for always; [`NEVER`] if it may be
    /// newer than anything.
    there: Option<u64>,
    source: Option<u32>,
    read: u32,
}

pub(super) fn measure(record: &Record<'_>) -> Lost {
    let newest = newest_answers(record);
    let mut lost = Lost::default();
    for (key, newest) in newest.iter().enumerate() {
        let Some(newest) = newest else {
            lost.keys_unread += usize::from(record.last_acked[key].is_some());
            continue;
        };
        match newest.at_quiescence {
            true => lost.keys_at_quiescence += 1,
            false => lost.keys_by_last_reads += 1,
        }
        let later = record.after(key, newest.there)..record.of_key(key).end;
        let acked = later.filter(|place| record.times_of_writes[*place].1 != NEVER);
        let at = |place: usize| record.at(record.write(record.writes[place]));
        let gone: Vec<usize> = acked.map(at).collect();
        if gone.len() > lost.worst.map_or(0, |worst| worst.of_key) {
            lost.worst = gone.last().map(|&write| LostWrite {
                write,
                read: record.at(index(newest.read)),
                source: newest.source.map(|source| record.at(record.write(source))),
                of_key: gone.len(),
            });
        }
        lost.writes.extend(gone);
    }
    lost.writes.sort_unstable();
    lost
}

fn newest_answers(record: &Record<'_>) -> Vec<Option<Newest>> {
    let mut newest: Vec<Option<Newest>> = vec![None; record.view.keys];
    // For values with several writes, by the first of these writes: the newest
    // source, computed once.
    let mut several = vec![None; record.view.writes.len()];
    for read in record.reads().filter(|&read| record.comes_last(read)) {
        let at_quiescence = record.view.items[read].last;
        let best = &mut newest[record.key(read)];
        if best.is_some_and(|best| best.at_quiescence && !at_quiescence) {
            continue;
        }
        let (there, source) = match record.answers[read] {
            Answer::Initial => (None, None),
            Answer::Write(write) => (Some(record.there[index(write)]), Some(write)),
            Answer::Several => newest_source(record, read, &mut several),
            Answer::Future(_) | Answer::Nobody | Answer::None => (Some(NEVER), None),
        };
        let first_final = best.is_some_and(|best| !best.at_quiescence) && at_quiescence;
        if first_final || best.is_none_or(|best| best.there < there) {
            *best = Some(Newest { at_quiescence, there, source, read: number_of(read) });
        }
    }
    newest
}

type NewestSource = (Option<u64>, Option<u32>);

/// The possible source that returned last.
fn newest_source(
    record: &Record<'_>,
    read: usize,
    known: &mut [Option<NewestSource>],
) -> NewestSource {
    let sources = record.view.sources(&record.view.items[read]);
    let writes = || {
        sources.iter().filter_map(|source| match source {
            Source::Write(write) => Some(*write),
            _ => None,
        })
    };
    let Some(first) = writes().next() else { return (None, None) };
    *known[index(first)].get_or_insert_with(|| {
        let returned = |write: u32| record.returned(record.write(write));
        let last = writes().max_by_key(|write| returned(*write));
        (last.map(returned), last)
    })
}
