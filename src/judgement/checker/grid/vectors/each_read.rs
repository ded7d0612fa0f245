//! The scope `r`: each read alone, with an arbitration of its own.

use super::{Vectors, conflict, join};
use crate::judgement::checker::view::Source;
use crate::judgement::model::Guarantees;

/// For single reads: whether a source is behind what else is visible.
pub(super) struct EachRead {
    /// Where WFR counts without MW: for each list of reads, what is behind the
    /// sources of its first so many, one row after the other.
    joined: Vec<Vec<u32>>,
    /// By write: the reads that answered it, by session and place; the first
    /// of each session.
    readers: Vec<Vec<(u32, u32)>>,
}

impl EachRead {
    pub(super) fn of(vectors: &Vectors<'_>) -> EachRead {
        let view = vectors.view;
        let deep = vectors.by_reads() && vectors.asks(Guarantees::WFR);
        let (mut joined, mut readers) = (Vec::new(), Vec::new());
        if deep {
            readers = vec![Vec::new(); view.writes.len()];
            for number in 0..view.sessions * view.keys {
                let list = vectors.reads.get(number);
                let mut rows = Vec::with_capacity(list.len() * vectors.width);
                let mut row = vec![0; vectors.width];
                for (place, at) in list {
                    if let Source::Write(write) = vectors.sources[*at as usize] {
                        join(&mut row, vectors.behind(write as usize));
                        let session = view.items[*at as usize].session;
                        let readers: &mut Vec<(u32, u32)> = &mut readers[write as usize];
                        if readers.last().is_none_or(|(last, _)| *last != session) {
                            readers.push((session, *place));
                        }
                    }
                    rows.extend(&row);
                }
                joined.push(rows);
            }
        }
        EachRead { joined, readers }
    }

    pub(super) fn read(
        &mut self,
        vectors: &Vectors<'_>,
        read: u32,
        row: &[u32],
    ) -> Result<(), Vec<u32>> {
        let Source::Write(source) = vectors.sources[read as usize] else { return Ok(()) };
        if vectors.behind.is_empty() {
            return Ok(());
        }
        let view = vectors.view;
        let source = source as usize;
        let item = &view.items[read as usize];
        let sessions = view.sessions;
        for (column, &upto) in row.iter().enumerate().filter(|(_, upto)| **upto > 0) {
            let (of_reads, session) = match column.checked_sub(sessions) {
                Some(session) => (true, session),
                None => (false, column),
            };
            let number = vectors.lists(item.key, session);
            let list =
                if of_reads { vectors.reads.get(number) } else { vectors.writes.get(number) };
            let end = list.partition_point(|(place, _)| *place <= upto);
            if end == 0 {
                continue;
            }
            if of_reads {
                let joined = &self.joined[number][(end - 1) * vectors.width..][..vectors.width];
                if self.is_in(vectors, source, joined) {
                    let mut others = list[..end].iter().filter_map(|(_, at)| {
                        match vectors.sources[*at as usize] {
                            Source::Write(write) => Some(write as usize),
                            _ => None,
                        }
                    });
                    let other = others.find(|other| vectors.is_behind(source, *other));
                    return Err(conflict(vectors, read, source, other.expect("it was joined")));
                }
                continue;
            }
            // What is behind writes of a session only grows.
            let last = list[end - 1].1;
            let other = view.items[last as usize].write.expect("it is a write") as usize;
            if other != source && self.is_in(vectors, source, vectors.behind(other)) {
                return Err(conflict(vectors, read, source, other));
            }
        }
        Ok(())
    }

    /// Whether a row has this write.
    fn is_in(&self, vectors: &Vectors<'_>, write: usize, row: &[u32]) -> bool {
        let item = vectors.view.writes[write] as usize;
        let sessions = vectors.view.sessions;
        row[vectors.view.items[item].session as usize] >= vectors.place[item]
            || self.readers.get(write).is_some_and(|readers| {
                { readers.iter() }.any(|(session, place)| {
                    row.get(sessions + *session as usize).is_some_and(|known| known >= place)
                })
            })
    }
}
