//! The scope `r`: each read has an arbitration of its own. It has none exactly
//! if it sees a write of its key that has the read's source behind it.

use super::held::Vectors;
use crate::judgement::checker::rows::join;
use crate::judgement::checker::view::Source;
use crate::judgement::model::Guarantees;
use crate::judgement::number::index;

/// Tells of single reads whether the source is behind another visible write.
pub(super) struct EachRead {
    /// Only under WFR without MW. For each list of reads, a row for each of its
    /// prefixes: what is behind the sources of the reads in the prefix.
    joined: Vec<Vec<u32>>,
    /// By write: the first read of each session that answered it, as session
    /// and place.
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
                    if let Source::Write(write) = vectors.sources[index(*at)] {
                        join(&mut row, vectors.behind(index(write)));
                        let session = view.items[index(*at)].session;
                        let readers: &mut Vec<(u32, u32)> = &mut readers[index(write)];
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
        let Source::Write(source) = vectors.sources[index(read)] else { return Ok(()) };
        if vectors.behind.is_empty() {
            return Ok(());
        }
        let view = vectors.view;
        let source = index(source);
        let item = &view.items[index(read)];
        for (column, &upto) in row.iter().enumerate().filter(|(_, upto)| **upto > 0) {
            let (of_reads, session) = vectors.column(column);
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
                        match vectors.sources[index(*at)] {
                            Source::Write(write) => Some(index(write)),
                            _ => None,
                        }
                    });
                    let other = others.find(|other| vectors.is_behind(source, *other));
                    return Err(vectors.conflict(read, source, other.expect("it was joined")));
                }
                continue;
            }
            // What is behind a write grows along its session, so the last
            // visible write has the most behind it.
            let last = list[end - 1].1;
            let other = index(view.items[index(last)].write.expect("it is a write"));
            if other != source && self.is_in(vectors, source, vectors.behind(other)) {
                return Err(vectors.conflict(read, source, other));
            }
        }
        Ok(())
    }

    /// Whether a row contains this write, directly or as the source of a read.
    fn is_in(&self, vectors: &Vectors<'_>, write: usize, row: &[u32]) -> bool {
        let item = index(vectors.view.writes[write]);
        let sessions = vectors.view.sessions;
        row[index(vectors.view.items[item].session)] >= vectors.place[item]
            || self.readers.get(write).is_some_and(|readers| {
                { readers.iter() }.any(|(session, place)| {
                    row.get(sessions + index(*session)).is_some_and(|known| known >= place)
                })
            })
    }
}
