//! Causal memory, PRAM and slow memory: what one process must believe.
//!
//! Each process p must put some operations into an order in which its own
//! reads answer the last write: for PRAM its operations and all writes, in
//! session order; for slow memory the same for each key; for causal memory its
//! causal past, in causal order. Where sources are known the order exists if
//! and only if this has no cycle: the order that must be kept, and, for as
//! long as anything follows, `w1` before `w2` where `w1` is before a read of p
//! of the same key that answered `w2`; and no write is before a read of p that
//! found its key initial. (Bouajjani et al., POPL 2017, for causal memory; the
//! past of the last operation of p is enough, since it contains the others.)
//!
//! What is before an operation is, for each session, a prefix of its writes:
//! one number per session. O(n·k) for one round of one of k processes, and
//! rounds until nothing changes.

use crate::judgement::checker::sources::{kept, try_all};
use crate::judgement::checker::view::{Source, View};
use crate::judgement::checker::whole::{Decision, Meter};
use crate::judgement::model::{Orders, Shared};
use crate::judgement::number::{count, index, number_of};
use crate::judgement::verdict::Witness;

/// How many numbers a witness has at most.
const WITNESS_MAX: usize = 1 << 25;

/// Decides for a whole history or a part of it.
pub(in crate::judgement::checker) fn decide(
    view: &View,
    asked: &Orders,
    meter: &mut Meter,
) -> Decision {
    try_all(view, meter, &|_| true, &mut |sources, meter| given(view, sources, asked, meter))
}

fn given(view: &View, sources: &[Source], asked: &Orders, meter: &mut Meter) -> Decision {
    let world = World::of(view, sources);
    let causes = match asked.shared {
        Shared::Causes => match world.causes(meter) {
            Ok(causes) => Some(causes),
            Err(decision) => return decision,
        },
        _ => None,
    };
    let mut views = Vec::new();
    let mut length = 0;
    for process in 0..view.sessions {
        let keys = if asked.is_by_key() { 0..view.keys } else { 0..1 };
        for key in keys {
            let only = asked.is_by_key().then_some(number_of(key));
            match world.believe(process, only, causes.as_ref(), meter) {
                Ok(order) => {
                    length += order.len();
                    views.push(order);
                }
                Err(decision) => return decision,
            }
            if length > WITNESS_MAX {
                return Decision::unknown("the evidence would be too large to write down");
            }
        }
    }
    Decision::Holds(Witness::Views(views))
}

/// The writes that happened, by session, and the reads with their sources.
struct World<'a> {
    view: &'a View,
    sources: &'a [Source],
    /// Items of the writes of each session that happened, in order.
    writes: Vec<Vec<u32>>,
    /// The place of each write in its session, from 1; 0 if it did not happen.
    place: Vec<u32>,
    /// Items of the reads of each session that have a source.
    reads: Vec<Vec<u32>>,
    /// The places of the writes of each session to each key.
    of_key: Vec<Vec<Vec<u32>>>,
}

/// For each write, how many writes of each session are before it.
#[derive(Clone)]
struct Before {
    sessions: usize,
    counts: Vec<u32>,
}

impl Before {
    fn row(&self, write: usize) -> &[u32] {
        &self.counts[write * self.sessions..][..self.sessions]
    }

    fn row_mut(&mut self, write: usize) -> &mut [u32] {
        &mut self.counts[write * self.sessions..][..self.sessions]
    }
}

fn join(row: &mut [u32], other: &[u32]) -> bool {
    let mut grew = false;
    for (mine, more) in row.iter_mut().zip(other) {
        grew |= *more > *mine;
        *mine = (*mine).max(*more);
    }
    grew
}

impl<'a> World<'a> {
    fn of(view: &'a View, sources: &'a [Source]) -> Self {
        let kept = kept(view, sources);
        let mut world = World {
            view,
            sources,
            writes: vec![Vec::new(); view.sessions],
            place: vec![0; view.writes.len()],
            reads: vec![Vec::new(); view.sessions],
            of_key: vec![Vec::new(); view.sessions],
        };
        for (at, item) in view.items.iter().enumerate() {
            let session = index(item.session);
            match item.write {
                Some(write) if kept[index(write)] => {
                    world.writes[session].push(number_of(at));
                    world.place[index(write)] = number_of(world.writes[session].len());
                }
                Some(_) => {}
                None if sources[at] == Source::Open => {}
                None => world.reads[session].push(number_of(at)),
            }
        }
        for (session, writes) in world.writes.iter().enumerate() {
            let mut of_key: Vec<(u32, u32)> = (writes.iter().zip(1..))
                .map(|(item, place)| (view.items[index(*item)].key, place))
                .collect();
            of_key.sort_unstable();
            let mut lists = vec![Vec::new(); view.keys];
            for (key, place) in of_key {
                lists[index(key)].push(place);
            }
            world.of_key[session] = lists;
        }
        world
    }

    fn nothing(&self) -> Before {
        let sessions = self.view.sessions;
        Before { sessions, counts: vec![0; self.view.writes.len() * sessions] }
    }

    fn everything(&self) -> Decision {
        Decision::Fails(self.view.items.iter().map(|item| item.at).collect())
    }

    /// What is before each item in causal order: the writes, as counts.
    fn causes(&self, meter: &mut Meter) -> Result<Before, Decision> {
        let sessions = self.view.sessions;
        let mut before = self.nothing();
        loop {
            let mut grew = false;
            let mut past = vec![vec![0_u32; sessions]; sessions];
            if !meter.spend(count(self.view.items.len() * sessions) / 16 + 1) {
                return Err(Decision::unknown("the budget ended before causes were known"));
            }
            for (at, item) in self.view.items.iter().enumerate() {
                let session = index(item.session);
                match (item.write, self.sources[at]) {
                    (Some(write), _) if self.place[index(write)] > 0 => {
                        let write = index(write);
                        grew |= join(before.row_mut(write), &past[session]);
                        if before.row(write)[session] >= self.place[write] {
                            return Err(self.everything());
                        }
                        past[session].copy_from_slice(before.row(write));
                        past[session][session] = self.place[write];
                    }
                    (None, Source::Write(write)) => {
                        let write = index(write);
                        join(&mut past[session], before.row(write));
                        let of = index(self.view.write(write).session);
                        past[session][of] = past[session][of].max(self.place[write]);
                    }
                    _ => {}
                }
            }
            if !grew {
                return Ok(before);
            }
        }
    }

    /// What `process` must believe, with an order that it may believe in.
    fn believe(
        &self,
        process: usize,
        only: Option<u32>,
        causes: Option<&Before>,
        meter: &mut Meter,
    ) -> Result<Vec<usize>, Decision> {
        let view = self.view;
        let sessions = view.sessions;
        let of_key = |item: u32| only.is_none_or(|key| view.items[index(item)].key == key);
        let mut before = causes.cloned().unwrap_or_else(|| self.nothing());
        let mut rows: Vec<Vec<u32>> = vec![vec![0; sessions]; self.reads[process].len()];
        // What was joined into each row already, and when rows grew last.
        let mut joined = before.clone();
        let mut changed = vec![0_u32; view.writes.len()];
        for round in 1_u32.. {
            let mut grew = false;
            if !meter.spend(count(view.items.len() * sessions) / 8 + 1) {
                return Err(Decision::unknown(
                    "the budget ended before the beliefs of every process were known",
                ));
            }
            // Writes: what is before a write, and what is before that.
            let mut own = self.reads[process].iter().enumerate().peekable();
            let mut past = vec![0_u32; sessions];
            let mut last = vec![0_u32; sessions];
            for (at, item) in view.items.iter().enumerate() {
                let session = index(item.session);
                if let Some((nth, _)) = own.next_if(|(_, read)| **read == number_of(at)) {
                    if !of_key(number_of(at)) {
                        continue;
                    }
                    let mut row = std::mem::take(&mut rows[nth]);
                    grew |= join(&mut row, &past);
                    if let Source::Write(write) = self.sources[at] {
                        let write = index(write);
                        let of = index(view.write(write).session);
                        grew |= join(&mut row, before.row(write));
                        grew |= row[of] < self.place[write];
                        row[of] = row[of].max(self.place[write]);
                    }
                    past.copy_from_slice(&row);
                    rows[nth] = row;
                    continue;
                }
                let Some(write) = item.write.map(index) else { continue };
                if self.place[write] == 0 || !of_key(number_of(at)) {
                    continue;
                }
                let place = self.place[write];
                let row_start = write * sessions;
                let mut more = session == process && join(before.row_mut(write), &past);
                if before.counts[row_start + session] < last[session] {
                    before.counts[row_start + session] = last[session];
                    more = true;
                }
                if more {
                    grew = true;
                    changed[write] = round;
                }
                last[session] = place;
                for of in 0..sessions {
                    let count = before.counts[row_start + of];
                    if count == 0 {
                        continue;
                    }
                    let earlier = self.writes[of][index(count) - 1];
                    let earlier = index(view.items[index(earlier)].write.expect("a write"));
                    let known = count == joined.counts[row_start + of];
                    if earlier == write || (known && changed[earlier] + 1 < round) {
                        continue;
                    }
                    joined.counts[row_start + of] = count;
                    let other = before.row(earlier).to_vec();
                    if join(before.row_mut(write), &other) {
                        grew = true;
                        changed[write] = round;
                    }
                }
                if before.counts[row_start + session] >= place {
                    return Err(self.everything());
                }
                if session == process {
                    past.copy_from_slice(before.row(write));
                    past[session] = place;
                }
            }
            // Reads: what is before them and of their key is older than their source.
            for (nth, &read) in self.reads[process].iter().enumerate() {
                if !of_key(read) {
                    continue;
                }
                let key = index(view.items[index(read)].key);
                for (of, &seen) in rows[nth].iter().enumerate().filter(|(_, seen)| **seen > 0) {
                    let places = &self.of_key[of][key];
                    let mut known = places.partition_point(|place| *place <= seen);
                    let source = match self.sources[index(read)] {
                        Source::Write(write) => index(write),
                        _ if known > 0 => return Err(self.everything()),
                        _ => continue,
                    };
                    if known > 0
                        && index(view.write(source).session) == of
                        && places[known - 1] == self.place[source]
                    {
                        known -= 1;
                    }
                    if known > 0 {
                        let count = &mut before.counts[source * sessions + of];
                        if *count < places[known - 1] {
                            *count = places[known - 1];
                            grew = true;
                            changed[source] = round;
                        }
                    }
                }
            }
            if !grew {
                return Ok(self.order(process, only, causes.is_some(), &before, &rows));
            }
        }
        unreachable!("rounds end when nothing grows")
    }

    /// An order for the process: before each of its reads exactly what must be
    /// before it, of which the source is the last of its key; then the rest.
    fn order(
        &self,
        process: usize,
        only: Option<u32>,
        past_only: bool,
        before: &Before,
        rows: &[Vec<u32>],
    ) -> Vec<usize> {
        let view = self.view;
        let of_key = |item: u32| only.is_none_or(|key| view.items[index(item)].key == key);
        let mut done = vec![0_u32; view.sessions];
        let mut order = Vec::new();
        for (row, &read) in rows.iter().zip(&self.reads[process]).filter(|(_, read)| of_key(**read))
        {
            self.place(row, only, before, &mut done, &mut order);
            order.push(view.items[index(read)].at);
        }
        let mut ends: Vec<u32> = self.writes.iter().map(|list| number_of(list.len())).collect();
        if past_only {
            // What the last operation of the process has in its past.
            let mut past = done.clone();
            if let Some(&item) = self.writes[process].last() {
                let write = view.items[index(item)].write.expect("a write");
                join(&mut past, before.row(index(write)));
            }
            past[process] = ends[process];
            ends = past;
        }
        self.place(&ends, only, before, &mut done, &mut order);
        order
    }

    /// Places the writes of each session up to these places, each after what
    /// is before it.
    fn place(
        &self,
        ends: &[u32],
        only: Option<u32>,
        before: &Before,
        done: &mut [u32],
        order: &mut Vec<usize>,
    ) {
        loop {
            let mut moved = false;
            for session in 0..done.len() {
                while done[session] < ends[session] {
                    let item = self.writes[session][index(done[session])];
                    let item = &self.view.items[index(item)];
                    if only.is_none_or(|key| item.key == key) {
                        let row = before.row(index(item.write.expect("a write")));
                        let ready = |of: usize| of == session || row[of] <= done[of];
                        if !(0..done.len()).all(ready) {
                            break;
                        }
                        order.push(item.at);
                    }
                    done[session] += 1;
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }
}
