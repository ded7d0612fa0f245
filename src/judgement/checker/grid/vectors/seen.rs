//! Turns what reads see into edges between writes: every write of its key that
//! a read sees, other than its source, is older than the source. Most of these
//! edges follow from others and are left out: those from writes behind the
//! source; under MR, those from writes for which an earlier read of the process
//! already has edges, because the source of that read is visible too; under MW,
//! those from all but the last visible write of a session. The rest, with the
//! edges of the axioms, implies them all.

use rustc_hash::FxHashMap;

use super::held::{Edge, Vectors};
use crate::judgement::checker::view::Source;
use crate::judgement::model::Guarantees;
use crate::judgement::number::{index, number_of};

/// The edges, and how much of each list each process already has edges for.
pub(super) struct Seen {
    pub(super) edges: Vec<Edge>,
    /// Under MR, by process, key and column: the length of the prefix of the
    /// list that already has its edges.
    known: Vec<u32>,
    /// By process and key, for its own writes: without MR and MW.
    own: FxHashMap<(u32, u32), Own>,
    /// The number of the next node that is not an item.
    pub(super) next: u32,
}

/// Which of the first own writes of a process to a key have edges.
#[derive(Clone, Copy)]
struct Own {
    /// An own write that a read answered; the rest of the first `among` have
    /// edges to it.
    newest: Option<u32>,
    among: u32,
    /// A node that the first `gathered` have edges to.
    all: Option<u32>,
    gathered: u32,
}

impl Seen {
    pub(super) fn new(vectors: &Vectors<'_>) -> Seen {
        let view = vectors.view;
        let size = view.sessions * view.keys * vectors.width;
        let known = vectors.asks(Guarantees::MR) && size <= 1 << 26;
        let known = vec![0; if known { size } else { 0 }];
        let next = number_of(view.items.len());
        Seen { edges: Vec::new(), known, own: FxHashMap::default(), next }
    }

    pub(super) fn read(
        &mut self,
        vectors: &Vectors<'_>,
        read: u32,
        row: &[u32],
    ) -> Result<(), Vec<u32>> {
        let view = vectors.view;
        let item = &view.items[index(read)];
        let source = match vectors.sources[index(read)] {
            Source::Write(write) => Some(index(write)),
            _ => None,
        };
        let newer = source.map(|write| view.writes[write]);
        let behind = source.map_or(&[][..], |write| vectors.behind(write));
        let start = (index(item.session) * view.keys + index(item.key)) * vectors.width;
        for (column, &upto) in row.iter().enumerate() {
            let past = behind.get(column).copied().unwrap_or(0);
            if upto == 0 || (source.is_some() && upto <= past) {
                continue;
            }
            let (of_reads, session) = vectors.column(column);
            let lists = if of_reads { &vectors.reads } else { &vectors.writes };
            let list = lists.get(vectors.lists(item.key, session));
            let end = list.partition_point(|(place, _)| *place <= upto);
            let older = |at: u32| match vectors.sources[index(at)] {
                _ if !of_reads => Some(at),
                Source::Write(write) => Some(view.writes[index(write)]),
                _ => None,
            };
            let Some(newer) = newer else {
                match list[..end].iter().find_map(|(_, at)| older(*at)) {
                    Some(write) => return Err(vectors.reason_of(write, read)),
                    None => continue,
                }
            };
            let mut begin = if vectors.asks(Guarantees::MW) {
                // The last one is after all before it, by MW.
                match list[..end].last() {
                    Some((place, last)) if *place > past && *last != newer => end - 1,
                    _ => continue,
                }
            } else {
                list.partition_point(|(place, _)| *place <= past)
            };
            if let Some(known) = self.known.get_mut(start + column) {
                begin = begin.max(index(*known));
                *known = (*known).max(number_of(end));
            } else if !of_reads
                && !vectors.asks(Guarantees::MR)
                && !vectors.asks(Guarantees::MW)
                && session == index(item.session)
            {
                // It is in the list if it is an own write and not after it.
                let is_own = view.items[index(newer)].session == item.session
                    && list[..end].last().is_some_and(|(_, last)| newer <= *last);
                self.own_writes(&list[..end], (item.session, item.key), (newer, is_own), read);
                continue;
            }
            for (_, at) in &list[begin.min(end)..end] {
                if let Some(older) = older(*at).filter(|older| *older != newer) {
                    self.edges.push(Edge { older, newer, read });
                }
            }
        }
        Ok(())
    }

    /// Adds edges from the own writes that a read sees to its source: through a
    /// chain of nodes if the source is another process's, one by one if it is
    /// its own. Either way each own write gets one edge, not one for each read.
    fn own_writes(
        &mut self,
        list: &[(u32, u32)],
        of: (u32, u32),
        (newer, is_own): (u32, bool),
        read: u32,
    ) {
        let none = Own { newest: None, among: 0, all: None, gathered: 0 };
        let mut own = *self.own.entry(of).or_insert(none);
        if is_own {
            if let Some(older) = own.newest.filter(|older| *older != newer) {
                self.edges.push(Edge { older, newer, read });
            }
            let fresh = list[index(own.among)..].iter().filter(|(_, at)| *at != newer);
            self.edges.extend(fresh.map(|(_, older)| Edge { older: *older, newer, read }));
            own.newest = Some(newer);
            own.among = number_of(list.len());
        } else {
            if (index(own.gathered)) < list.len() {
                let node = self.next;
                self.next += 1;
                let fresh = list[index(own.gathered)..].iter().map(|(_, at)| *at);
                let all = fresh.chain(own.all.replace(node));
                self.edges.extend(all.map(|older| Edge { older, newer: node, read }));
                own.gathered = number_of(list.len());
            }
            self.edges.extend(own.all.map(|older| Edge { older, newer, read }));
        }
        self.own.insert(of, own);
    }
}
