//! Causal memory, PRAM and slow memory: one order for each process.
//!
//! Each process p must have an order of some operations in which its own reads
//! answer the last write: for PRAM of its operations and all writes, in session
//! order; for slow memory the same for each key; for causal memory of its
//! causal past, in causal order. What p *believes* is what every such order
//! contains: the order that must be kept, and, to a fixed point, `w1` before
//! `w2` where `w1` is before a read of p of the same key that answered `w2`. If
//! sources are known, the order exists if and only if the belief has no cycle
//! and puts no write before a read of p that found its key initial. (Bouajjani
//! et al., POPL 2017, for causal memory; the past of the last operation of p is
//! enough, since it contains the others.)
//!
//! The writes before an operation are, for each session, a prefix of its
//! writes: one number per session. One round for one of k processes takes
//! O(n·k), and there are rounds until nothing changes. Where there is no order, `conflict`
//! finds the few operations that show it.

mod conflict;

use crate::judgement::checker::rows::join;
use crate::judgement::checker::sources::{kept, try_all};
use crate::judgement::checker::view::{Item, Source, View};
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
    let all = Sessions::of(view, sources);
    let causes = match asked.shared {
        Shared::Causes => match all.causes(meter) {
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
            match all.believe(process, only, causes.as_ref(), meter) {
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
struct Sessions<'a> {
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

    /// Joins the row of `other` into that of `write`; true if that grew.
    fn join(&mut self, write: usize, other: usize) -> bool {
        let mut grew = false;
        for of in 0..self.sessions {
            let more = self.counts[other * self.sessions + of];
            let mine = &mut self.counts[write * self.sessions + of];
            grew |= more > *mine;
            *mine = (*mine).max(more);
        }
        grew
    }
}

/// What one process believes so far; see the head of this file. It grows round
/// by round until a round adds nothing.
struct Belief<'a> {
    all: &'a Sessions<'a>,
    process: usize,
    /// The only key that counts, if not all do.
    only: Option<u32>,
    /// For each write the writes before it.
    before: Before,
    /// For each read of the process the writes before it.
    rows: Vec<Vec<u32>>,
    /// For each write and session: the last write of that session whose row was
    /// joined into the row of the write. A row is joined again only if it has
    /// grown since; else most rounds would repeat all the work of the first.
    joined: Before,
    /// The round in which the row of each write grew last.
    changed: Vec<u32>,
    /// The number of this round, from 1.
    round: u32,
    /// Whether anything grew in it.
    grew: bool,
    /// Which write was put before the source of which read (items), in this order.
    put: Vec<(u32, u32)>,
}

/// Why nothing can be believed any more (items).
#[derive(Clone, Copy)]
enum Conflict {
    /// A write is before itself.
    Cycle(u32),
    /// A write is before a read that found its key initial.
    NotInitial(u32, u32),
}

impl<'a> Belief<'a> {
    fn of(
        all: &'a Sessions<'a>,
        process: usize,
        only: Option<u32>,
        causes: Option<&Before>,
    ) -> Self {
        let before = causes.cloned().unwrap_or_else(|| all.nothing());
        Belief {
            all,
            process,
            only,
            rows: vec![vec![0; all.view.sessions]; all.reads[process].len()],
            joined: before.clone(),
            before,
            changed: vec![0; all.view.writes.len()],
            round: 0,
            grew: true,
            put: Vec::new(),
        }
    }

    fn counts(&self, item: &Item) -> bool {
        self.only.is_none_or(|key| item.key == key)
    }

    /// Adds to the row of each operation what is before it, and what is before
    /// that, in one pass.
    fn spread(&mut self) -> Result<(), Conflict> {
        let (all, sessions) = (self.all, self.all.view.sessions);
        // The past of the process, and the last write of each session, so far.
        let mut past = vec![0_u32; sessions];
        let mut last = vec![0_u32; sessions];
        let mut reads = 0..;
        for (at, item) in all.view.items.iter().enumerate() {
            match item.write.map(index) {
                None if index(item.session) != self.process || all.sources[at] == Source::Open => {}
                None => {
                    let nth = reads.next().expect("there is a number for each read");
                    if self.counts(item) {
                        self.spread_to_read(nth, all.sources[at], &mut past);
                    }
                }
                Some(write) if all.place[write] > 0 && self.counts(item) => {
                    self.spread_to_write(write, index(item.session), &mut past, &mut last)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Before a read come the past of the process, the source, and what is
    /// before the source.
    fn spread_to_read(&mut self, nth: usize, source: Source, past: &mut [u32]) {
        let row = &mut self.rows[nth];
        self.grew |= join(row, past);
        if let Source::Write(write) = source {
            let write = index(write);
            let of = index(self.all.view.write(write).session);
            self.grew |= join(row, self.before.row(write)) | (row[of] < self.all.place[write]);
            row[of] = row[of].max(self.all.place[write]);
        }
        past.copy_from_slice(row);
    }

    /// Before a write come the writes of its session so far (for the process
    /// itself its whole past), and what is before any write in the row.
    fn spread_to_write(
        &mut self,
        write: usize,
        session: usize,
        past: &mut [u32],
        last: &mut [u32],
    ) -> Result<(), Conflict> {
        let (all, own) = (self.all, session == self.process);
        let place = all.place[write];
        let mut more = own && join(self.before.row_mut(write), past);
        let of_session = &mut self.before.row_mut(write)[session];
        if *of_session < last[session] {
            *of_session = last[session];
            more = true;
        }
        last[session] = place;
        self.note(write, more);
        for of in 0..all.view.sessions {
            let until = self.before.row(write)[of];
            if until == 0 {
                continue;
            }
            let item = all.writes[of][index(until) - 1];
            let earlier = index(all.view.items[index(item)].write.expect("a write"));
            let known = until == self.joined.row(write)[of];
            if earlier == write || (known && self.changed[earlier] + 1 < self.round) {
                continue;
            }
            self.joined.row_mut(write)[of] = until;
            let more = self.before.join(write, earlier);
            self.note(write, more);
        }
        if self.before.row(write)[session] >= place {
            return Err(Conflict::Cycle(all.writes[session][index(place) - 1]));
        }
        if own {
            past.copy_from_slice(self.before.row(write));
            past[session] = place;
        }
        Ok(())
    }

    /// Notes that the row of a write grew, if it did.
    fn note(&mut self, write: usize, grew: bool) {
        if grew {
            self.grew = true;
            self.changed[write] = self.round;
        }
    }

    /// Puts the writes of its key that are before a read before its source too,
    /// since the read answers the last.
    fn put_sources_last(&mut self) -> Result<(), Conflict> {
        let all = self.all;
        for (nth, &read) in all.reads[self.process].iter().enumerate() {
            let item = &all.view.items[index(read)];
            if !self.counts(item) {
                continue;
            }
            for of in 0..all.view.sessions {
                let seen = self.rows[nth][of];
                let places = &all.of_key[of][index(item.key)];
                let mut known = places.partition_point(|place| *place <= seen);
                if known == 0 {
                    continue;
                }
                let item = |known: usize| all.writes[of][index(places[known - 1]) - 1];
                let Source::Write(source) = all.sources[index(read)] else {
                    return Err(Conflict::NotInitial(item(known), read));
                };
                let source = index(source);
                let own = index(all.view.write(source).session) == of;
                if own && places[known - 1] == all.place[source] {
                    known -= 1;
                }
                let older = if known > 0 { places[known - 1] } else { 0 };
                let until = &mut self.before.row_mut(source)[of];
                let more = *until < older;
                *until = (*until).max(older);
                if more {
                    self.put.push((item(known), read));
                }
                self.note(source, more);
            }
        }
        Ok(())
    }
}

impl<'a> Sessions<'a> {
    fn of(view: &'a View, sources: &'a [Source]) -> Self {
        let kept = kept(view, sources);
        let mut all = Sessions {
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
                    all.writes[session].push(number_of(at));
                    all.place[index(write)] = number_of(all.writes[session].len());
                }
                Some(_) => {}
                None if sources[at] == Source::Open => {}
                None => all.reads[session].push(number_of(at)),
            }
        }
        for (session, writes) in all.writes.iter().enumerate() {
            let mut of_key: Vec<(u32, u32)> = (writes.iter().zip(1..))
                .map(|(item, place)| (view.items[index(*item)].key, place))
                .collect();
            of_key.sort_unstable();
            let mut lists = vec![Vec::new(); view.keys];
            for (key, place) in of_key {
                lists[index(key)].push(place);
            }
            all.of_key[session] = lists;
        }
        all
    }

    fn nothing(&self) -> Before {
        let sessions = self.view.sessions;
        Before { sessions, counts: vec![0; self.view.writes.len() * sessions] }
    }

    fn everything(&self) -> Decision {
        Decision::Fails(self.view.items.iter().map(|item| item.at).collect())
    }

    /// For each write, the writes before it in causal order, as counts.
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

    /// Computes what `process` believes, of one key or of all, and returns an
    /// order that it allows.
    fn believe(
        &self,
        process: usize,
        only: Option<u32>,
        causes: Option<&Before>,
        meter: &mut Meter,
    ) -> Result<Vec<usize>, Decision> {
        let mut belief = Belief::of(self, process, only, causes);
        let round = count(self.view.items.len() * self.view.sessions) / 8 + 1;
        while belief.grew {
            if !meter.spend(round) {
                return Err(Decision::unknown(
                    "the budget ended before the beliefs of every process were known",
                ));
            }
            belief.grew = false;
            belief.round += 1;
            if let Err(found) = belief.spread().and_then(|()| belief.put_sources_last()) {
                let part = belief.explain(found, causes.is_some(), meter);
                return Err(part.map_or_else(|| self.everything(), Decision::Fails));
            }
        }
        Ok(self.order(process, only, causes.is_some(), &belief.before, &belief.rows))
    }

    /// An order for the process: before each of its reads exactly the writes
    /// that must be before it, of which the source is the last of its key; then
    /// the rest.
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
