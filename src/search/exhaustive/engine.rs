//! The search: level by level, each level in rounds.
//!
//! A round reads, then adds. Reading (what can happen in each of many states)
//! changes nothing and is split into [`LANES`], which threads share. Then the
//! rows that were found are added on all threads, and meanwhile, by one, what
//! was missing; the states that missed something are read again. How a round
//! is split does not depend on the number of threads, so neither does any
//! number, nor what is found first.
//!
//! Invariant: states are looked at in order of their level, the number of
//! actions to them (with macro-steps: to quiet), so what is found first is
//! found on a shortest way. It knows only rows; `tables` asks the strategy.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::replication::Strategy;
use crate::world::{Faults, Setting};

use super::liveness::{Just, just_components};
use super::numbered::count;
use super::numbers::{Miss, Numbers};
use super::path::{self, way_to, way_to_panic};
use super::skip::{self, Before};
use super::store::{NOBODY, Outbox, STATES_MAX, Store, shared, tail};
use super::tables::{REACTS, Tables};
use super::{
    Bound, Ending, Exploration, Found, Matter, Plan, Progress, Reduce, Refused, Sight, Work,
};

/// Into how many parts a round is split, however many threads there are.
const LANES: usize = 16;

/// States of a round.
const ROUND: usize = 1 << 15;

/// Of how many states the parents are read together.
const AHEAD: usize = 32;

/// How many shortest ways to one matter are kept.
const WAYS: usize = 8;

/// States from which threads are worth their start.
const SHARED: usize = 1 << 10;

/// One part of a round, on lines of its own: what one thread changes, no other
/// has to fetch again.
#[repr(align(128))]
struct Lane {
    outbox: Outbox,
    /// Candidates of the state that is being read.
    room: Vec<u32>,
    spare: Vec<u32>,
    /// States to show to the judge.
    sights: Vec<u32>,
    /// States for which something was missing, and what.
    missed: Vec<(u32, Miss)>,
    transitions: u64,
}

/// Judges what the search comes upon; the answer has a bit for each matter
/// that is violated.
pub type Judge<'j> = dyn FnMut(&Sight<'_>) -> u64 + 'j;

/// Visits every state that `plan` allows and shows each quiet one, unless its
/// like has been seen, to `judge`; histories that never come to quiet are
/// shown at the end. With timers, nothing is known of quiet here: histories
/// are shown without final reads.
///
/// `wanted` has a bit for each matter of the judge; the search ends when all
/// of them, and whatever else it was asked to look for, have been found.
///
/// A state costs about 4 bytes for each node and 12 more; a transition some
/// table look-ups.
///
/// # Errors
/// [`Refused::NotCovered`] if the strategy has more than 64 timers.
pub fn explore<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    plan: &Plan<'_>,
    wanted: u64,
    judge: &mut Judge<'_>,
) -> Result<Exploration, Refused> {
    let mut reduce = plan.reduce;
    let mut declined = Vec::new();
    if let Some(why) = unfit(strategy, setting, plan)
        && (reduce.macro_steps || reduce.persistent)
    {
        declined.push((if reduce.macro_steps { "macro" } else { "persistent" }, why));
        (reduce.macro_steps, reduce.persistent) = (false, false);
    }
    if reduce.symmetry && (matches!(plan.work, Work::Open(_)) || setting.faults.budget.retry > 0) {
        declined.push(("symmetry", "every node may be used by a client"));
        reduce.symmetry = false;
    }
    loop {
        let plan = Plan { work: plan.work.clone(), reduce, ..*plan };
        match search(strategy, setting, &plan, wanted, judge) {
            Err(Refused::Reduction(name, why)) => {
                declined.push((name, why));
                if name == "symmetry" {
                    reduce.symmetry = false;
                } else {
                    (reduce.macro_steps, reduce.persistent) = (false, false);
                }
            }
            done => {
                return done.map(|done| Exploration { reduce, declined, ..done });
            }
        }
    }
}

/// Why deliveries cannot be put off in this setting, if they cannot.
fn unfit<S: Strategy>(strategy: &S, setting: &Setting, plan: &Plan<'_>) -> Option<&'static str> {
    if !setting.faults.budget.is_none() {
        Some("there are faults")
    } else if strategy.reads_clock() {
        Some("the strategy reads clocks")
    } else if plan.tracks.every_state() {
        Some("every state is looked at")
    } else {
        None
    }
}

struct Engine<'a, S: Strategy> {
    tables: Tables<'a, S>,
    store: Store,
    lanes: Vec<Lane>,
    /// States that wait, by level.
    pending: BTreeMap<u32, Vec<u32>>,
    depth: u32,
    wanted: u64,
    /// What has been violated among it.
    violated: u64,
    /// Invariants that have been broken, one bit each.
    broken: u64,
    disagreed: bool,
    found: Vec<Found>,
    reached: u64,
}

fn search<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    plan: &Plan<'_>,
    wanted: u64,
    judge: &mut Judge<'_>,
) -> Result<Exploration, Refused> {
    let (tables, first) = Tables::new(strategy, setting, plan)?;
    let width = first.len();
    let lane = |_| Lane {
        outbox: Outbox::new(width),
        room: Vec::new(),
        spare: Vec::new(),
        sights: Vec::new(),
        missed: Vec::new(),
        transitions: 0,
    };
    let mut engine = Engine {
        tables,
        store: Store::new(width, plan.reduce.macro_steps),
        lanes: (0..LANES).map(lane).collect(),
        pending: BTreeMap::new(),
        depth: 0,
        wanted,
        violated: 0,
        broken: 0,
        disagreed: false,
        found: Vec::new(),
        reached: 0,
    };
    let mut first = first;
    if !engine.tables.numbers.permutations.is_empty() {
        let mut room = Vec::new();
        while let Err(miss) = engine.tables.numbers.least(&mut first, &mut room) {
            engine.tables.resolve(miss)?;
        }
    }
    first.extend([NOBODY, tail(0, skip::UNKNOWN)]);
    engine.lanes[0].outbox.push(&first, &engine.store);
    engine.lanes[0].outbox.look_up(&engine.store);
    engine.add(&[]).map_err(|(refused, ..)| refused)?;
    let ending = engine.run(judge)?;
    let faults = engine.faults();
    Ok(Exploration {
        states: engine.store.len() as u64,
        transitions: engine.lanes.iter().map(|lane| lane.transitions).sum(),
        local_steps: engine.tables.local_steps,
        depth: engine.depth,
        bytes: engine.bytes(),
        judged: engine.tables.judged() as u64,
        faults,
        reached: engine.reached,
        compared: engine.tables.answers.compared,
        timers: engine.tables.numbers.timers,
        reduce: plan.reduce,
        declined: Vec::new(),
        ending,
        found: engine.found,
    })
}

impl<S: Strategy> Engine<'_, S> {
    fn run(&mut self, judge: &mut Judge<'_>) -> Result<Ending, Refused> {
        while let Some((level, states)) = self.pending.pop_first() {
            self.depth = level;
            self.store.begin_level();
            for (round, chunk) in states.chunks(ROUND).enumerate() {
                if let Some(bound) = self.bound(states.len() - round * ROUND) {
                    return Ok(Ending::Bounded(bound));
                }
                self.read(chunk, level);
                if let Some(ending) = self.complete(level)? {
                    return Ok(ending);
                }
                if let Some(ending) = self.show(judge)? {
                    return Ok(ending);
                }
                let numbers = &self.tables.numbers;
                let reduce = self.tables.plan.reduce;
                let puts_off = reduce.macro_steps || reduce.persistent;
                if puts_off && (numbers.reacts || numbers.timers) {
                    return Err(Refused::Reduction("macro", REACTS));
                }
            }
            self.wanted &= !self.violated;
            if self.is_settled() {
                return Ok(Ending::Settled);
            }
            self.tables.tick();
        }
        self.judge_rest(judge)?;
        self.wanted &= !self.violated;
        self.live(judge)?;
        Ok(if self.is_settled() { Ending::Settled } else { Ending::Complete })
    }

    /// What bounds the search now, if anything does.
    fn bound(&self, frontier: usize) -> Option<Bound> {
        let limits = self.tables.plan.limits;
        let progress = Progress {
            states: self.store.len() as u64,
            frontier: frontier as u64,
            depth: self.depth,
            bytes: self.bytes(),
        };
        if progress.states > limits.states || self.store.len() > STATES_MAX {
            Some(Bound::States)
        } else if progress.bytes > limits.bytes {
            Some(Bound::Bytes)
        } else if (self.tables.plan.stop)(&progress) {
            Some(Bound::Stopped)
        } else {
            None
        }
    }

    fn bytes(&self) -> u64 {
        (self.store.bytes() + self.tables.numbers.bytes()) as u64
    }

    /// How many threads so much is worth.
    fn jobs(&self, work: usize) -> usize {
        if work < SHARED { 1 } else { self.tables.plan.jobs.clamp(1, LANES) }
    }

    /// Reads what can happen in each of these states, on all threads.
    fn read(&mut self, states: &[u32], level: u32) {
        let part = states.len().div_ceil(LANES).max(1);
        let jobs = self.jobs(states.len());
        let (numbers, store) = (&self.tables.numbers, &self.store);
        let reduce = self.tables.plan.reduce;
        let all = reduce.macro_steps || self.tables.plan.tracks.every_state();
        let read = |lane: &mut Lane, states: &[u32]| {
            for states in states.chunks(AHEAD) {
                touch(store, states);
                for &state in states.iter().filter(|state| store.is_at(**state, level)) {
                    let row = store.row(state);
                    if all || numbers.is_quiet(row) {
                        lane.sights.push(state);
                    }
                    if let Err(miss) = expand(numbers, store, reduce, state, level, lane) {
                        lane.missed.push((state, miss));
                    }
                }
            }
            lane.outbox.look_up(store);
        };
        let lanes = self.lanes.iter_mut().zip(states.chunks(part));
        shared(lanes, jobs, |(lane, states)| read(lane, states), || ());
    }

    /// Reads the states once more for which something was missing.
    fn read_missed(&mut self, level: u32) {
        let jobs = self.jobs(self.lanes.iter().map(|lane| lane.missed.len()).sum());
        let (numbers, store) = (&self.tables.numbers, &self.store);
        let reduce = self.tables.plan.reduce;
        let read = |lane: &mut Lane| {
            for (state, _) in std::mem::take(&mut lane.missed) {
                if let Err(miss) = expand(numbers, store, reduce, state, level, lane) {
                    lane.missed.push((state, miss));
                }
            }
            lane.outbox.look_up(store);
        };
        shared(self.lanes.iter_mut(), jobs, read, || ());
    }

    /// Adds what has been found, and what was missing to find more, until
    /// nothing is.
    fn complete(&mut self, level: u32) -> Result<Option<Ending>, Refused> {
        loop {
            let missed: Vec<_> = self.lanes.iter().flat_map(|lane| &lane.missed).copied().collect();
            if let Err((refused, state, miss)) = self.add(&missed) {
                return self.end(refused, state, miss).map(Some);
            }
            if missed.is_empty() {
                return Ok(None);
            }
            self.read_missed(level);
        }
    }

    /// Shows what there is to be judged.
    fn show(&mut self, judge: &mut Judge<'_>) -> Result<Option<Ending>, Refused> {
        for at in 0..LANES {
            for state in std::mem::take(&mut self.lanes[at].sights) {
                match self.look(state, judge) {
                    // It was in a final read.
                    Err(Refused::Panicked(_)) => {
                        self.keep(Matter::Panic, state, None)?;
                        return Ok(Some(Ending::Settled));
                    }
                    looked => looked?,
                }
            }
        }
        Ok(None)
    }

    /// Ends the search if a handler panicked.
    fn end(&mut self, refused: Refused, state: u32, miss: Miss) -> Result<Ending, Refused> {
        let Refused::Panicked(panicked) = refused else { return Err(refused) };
        let rest = *self.store.row(state).last().expect("a row ends with the rest");
        let workload = self.tables.clients.workload_and(rest, miss);
        let stem =
            way_to_panic(&self.tables, &self.store, &workload, state).map_err(|_| panicked)?;
        let cycle = Vec::new();
        self.found.push(Found { matter: Matter::Panic, workload, stem, cycle });
        Ok(Ending::Settled)
    }

    /// Shows a state to the judge.
    fn look(&mut self, state: u32, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let row = self.store.row(state).to_vec();
        let plan = self.tables.plan;
        if plan.tracks.invariants {
            let (broken, reached) = self.tables.invariants(&row);
            self.reached |= reached;
            let fresh = broken & !self.broken;
            self.broken |= broken;
            for at in (0..64).filter(|at| fresh & (1 << at) != 0) {
                self.keep(Matter::Invariant(at), state, None)?;
            }
        }
        if plan.tracks.agreement && !self.disagreed && !self.tables.agrees(&row)? {
            self.disagreed = true;
            self.keep(Matter::Agreement, state, None)?;
        }
        if plan.reduce.macro_steps {
            let mut drained = Vec::new();
            let mut choices = Vec::new();
            for (place, &at) in row.iter().enumerate().take(row.len() - 1) {
                choices.push(self.tables.drained(place, at)?);
            }
            product(&choices, &mut drained);
            for places in drained {
                let mut target = places;
                target.push(row[row.len() - 1]);
                let violated = self.tables.judge(&target, true, judge)?;
                self.note(violated, state, Some(&target))?;
            }
            return Ok(());
        }
        let violated = if self.tables.numbers.is_quiet(&row) && !self.tables.numbers.timers {
            self.tables.judge(&row, true, judge)?
        } else {
            0
        };
        self.note(violated, state, None)
    }

    /// Keeps what is violated, with the way to it. Several shortest ways are
    /// kept, so that the plainest can be told.
    fn note(&mut self, violated: u64, state: u32, target: Option<&[u32]>) -> Result<(), Refused> {
        let fresh = violated & self.wanted;
        self.violated |= fresh;
        for bit in (0..64).filter(|bit| fresh & (1 << bit) != 0) {
            let matter = Matter::Judged(bit);
            let ways = self.found.iter().filter(|found| found.matter == matter).count();
            if ways < WAYS {
                self.keep(matter, state, target)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, matter: Matter, state: u32, target: Option<&[u32]>) -> Result<(), Refused> {
        let rest = *self.store.row(state).last().expect("a row ends with the rest");
        let workload = self.tables.clients.workload(rest);
        let stem = way_to(&self.tables, &self.store, &workload, state, target)?;
        self.found.push(Found { matter, workload, stem, cycle: Vec::new() });
        Ok(())
    }

    /// Whether all that was asked for has been found.
    fn is_settled(&self) -> bool {
        let tracks = self.tables.plan.tracks;
        let whole = self.broken == self.tables.always();
        let looks = (tracks.invariants && !whole) || (tracks.agreement && !self.disagreed);
        self.wanted == 0 && !self.found.is_empty() && !looks
    }

    /// Looks for what may go on for ever, and judges the answers in it.
    fn live(&mut self, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let numbers = &self.tables.numbers;
        let asked = self.wanted & self.tables.plan.lively;
        // Without timers, deliveries that send nothing come to an end.
        if asked == 0 || !(numbers.timers || numbers.reacts) || numbers.ticks {
            return Ok(());
        }
        if !numbers.permutations.is_empty() {
            return Err(Refused::Reduction("symmetry", "fair cycles are looked for"));
        }
        let timers = numbers.timers;
        self.fill()?;
        for component in just_components(&self.tables, &self.store) {
            let mut answers = None;
            for &state in &component.states {
                let row = self.store.row(state).to_vec();
                let here = self.tables.finals(&row)?;
                let differ = here.is_some() && answers.is_some_and(|known| Some(known) != here);
                answers = answers.or(here);
                let matter = if component.deliveries_only {
                    Some(Matter::NeverQuiet)
                } else {
                    differ.then_some(Matter::Oscillating)
                };
                if let Some(matter) = matter {
                    self.keep_cycle(matter, &component, state)?;
                }
                if timers && here.is_some() {
                    let violated = self.tables.judge(&row, true, judge)?;
                    let fresh = violated & self.wanted & self.tables.plan.lively;
                    self.wanted &= !fresh;
                    for bit in (0..64).filter(|bit| fresh & (1 << bit) != 0) {
                        self.keep_cycle(Matter::Judged(bit), &component, state)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds what is missing to know every step of every state, the skipped
    /// ones included.
    fn fill(&mut self) -> Result<(), Refused> {
        let reduce = self.tables.plan.reduce;
        let mut room = Vec::new();
        for state in self.store.states() {
            let row = self.store.row(state);
            room.clear();
            while let Err(miss) =
                steps(&self.tables.numbers, reduce, row, [state, 0], Before::NONE, &mut room)
            {
                self.tables.resolve(miss)?;
                room.clear();
            }
        }
        Ok(())
    }

    /// Keeps what is violated in a component for the first time, with the way
    /// to it and round in it.
    fn keep_cycle(&mut self, matter: Matter, component: &Just, state: u32) -> Result<(), Refused> {
        if self.found.iter().any(|found| found.matter == matter) {
            return Ok(());
        }
        let rest = *self.store.row(state).last().expect("a row ends with the rest");
        let workload = self.tables.clients.workload(rest);
        let stem = way_to(&self.tables, &self.store, &workload, state, None)?;
        let walk = component.walk(&self.tables, &self.store, state);
        let cycle = path::cycle(&self.tables, &self.store, &workload, &stem, &walk)?;
        self.found.push(Found { matter, workload, stem, cycle });
        Ok(())
    }

    /// Shows histories that never came to quiet, without final reads.
    fn judge_rest(&mut self, judge: &mut Judge<'_>) -> Result<(), Refused> {
        if self.wanted == 0 || self.tables.all_judged() {
            return Ok(());
        }
        // Nothing but the rest is judged: one state for each is enough.
        let mut known = FxHashSet::default();
        let rest_of = |state| *self.store.row(state).last().expect("a row ends with the rest");
        let fresh =
            |state: &u32| !self.tables.is_judged(rest_of(*state)) && known.insert(rest_of(*state));
        let states: Vec<u32> = self.store.states().filter(fresh).collect();
        for state in states {
            let row = self.store.row(state).to_vec();
            let violated = self.tables.judge(&row, false, judge)?;
            self.note(violated, state, None)?;
        }
        Ok(())
    }

    /// Adds the candidates of all lanes on all threads, and meanwhile, on this
    /// one, what was missing in these states.
    fn add(&mut self, missed: &[(u32, Miss)]) -> Result<(), (Refused, u32, Miss)> {
        let outboxes: Vec<_> = self.lanes.iter().map(|lane| &lane.outbox).collect();
        let jobs = self.jobs(outboxes.iter().map(|outbox| outbox.len()).sum());
        let tables = &mut self.tables;
        let meanwhile = || {
            for &(state, miss) in missed {
                if tables.numbers.lacks(miss) {
                    tables.resolve(miss).map_err(|refused| (refused, state, miss))?;
                }
            }
            Ok(())
        };
        let done = self.store.add(&outboxes, jobs, &mut self.pending, meanwhile);
        self.lanes.iter_mut().for_each(|lane| lane.outbox.clear());
        done
    }

    /// The most of each kind of fault that struck in one state.
    fn faults(&self) -> Faults {
        self.tables.clients.most_spent()
    }
}

/// Reads the parents' rows of these states, all at once, so that the waiting
/// for memory overlaps.
fn touch(store: &Store, states: &[u32]) {
    let touched = states.iter().fold(0, |all, &state| all ^ store.row(store.parent(state))[0]);
    std::hint::black_box(touched);
}

/// What can happen in a state: every candidate, or what is missing to tell.
fn expand(
    numbers: &Numbers,
    store: &Store,
    reduce: Reduce,
    state: u32,
    level: u32,
    lane: &mut Lane,
) -> Result<(), Miss> {
    let row = store.row(state);
    let width = row.len();
    lane.room.clear();
    let mut skipped = 0;
    if reduce.macro_steps {
        macro_steps(numbers, row, [state, level], &mut lane.room)?;
    } else {
        let before = Before::of(numbers, store, reduce, state)?;
        skipped = steps(numbers, reduce, row, [state, level], before, &mut lane.room)?;
    }
    if !numbers.permutations.is_empty() {
        for candidate in lane.room.chunks_exact_mut(width + 2) {
            numbers.least(&mut candidate[..width], &mut lane.spare)?;
        }
    }
    for candidate in lane.room.chunks_exact(width + 2) {
        lane.outbox.push(candidate, store);
    }
    lane.transitions += (lane.room.len() / (width + 2)) as u64 + skipped;
    Ok(())
}

/// Adds a row to the room, with its parent and its tail.
#[inline]
fn candidate<'r>(room: &'r mut Vec<u32>, row: &[u32], of: [u32; 2]) -> &'r mut [u32] {
    let start = room.len();
    room.extend_from_slice(row);
    room.extend_from_slice(&of);
    &mut room[start..start + row.len()]
}

/// Every step from a row but those that `before` tells to skip, and how many
/// these are.
fn steps(
    numbers: &Numbers,
    reduce: Reduce,
    row: &[u32],
    [state, level]: [u32; 2],
    before: Before<'_>,
    room: &mut Vec<u32>,
) -> Result<u64, Miss> {
    let mut skipped = 0;
    let step = |room: &mut Vec<u32>, place: usize, number: u32, note: u8| {
        numbers.apply(candidate(room, row, [state, tail(level + 1, note)]), place, number)
    };
    let rest = row[row.len() - 1];
    let starts = numbers.startable(rest)?;
    // Nobody sends or asks any more: where one node is served does not matter
    // to the others.
    let alone = reduce.persistent && starts.is_empty() && !numbers.waiting[rest as usize];
    for (place, &at) in row.iter().enumerate().take(row.len() - 1) {
        let (from, until) = numbers.local(place, at)?;
        let closes = before.closes(numbers, row, place)?;
        if closes.everything(numbers) {
            skipped += u64::from(until - from);
            continue;
        }
        for (index, number) in (from..until).enumerate() {
            if closes.holds(numbers, index, number) {
                skipped += 1;
            } else if numbers.may(row, number) {
                step(room, place, number, skip::note(place, index))?;
            }
        }
        if alone && !room.is_empty() {
            return Ok(skipped);
        }
    }
    for start in starts {
        let place = usize::from(start.place);
        let Some(number) = numbers.request(place, row[place], start.request)? else { continue };
        if before.closes_request(row, place) {
            skipped += 1;
        } else {
            step(room, place, number, skip::note_of_request(place))?;
        }
    }
    Ok(skipped)
}

/// Deliveries at a node, then a client there. The level is the number of
/// actions until all that was sent has been delivered.
fn macro_steps(
    numbers: &Numbers,
    row: &[u32],
    [state, level]: [u32; 2],
    room: &mut Vec<u32>,
) -> Result<(), Miss> {
    for start in numbers.startable(row[row.len() - 1])? {
        let place = usize::from(start.place);
        let (from, until) = numbers.closure(place, row[place])?.all;
        for at in from..until {
            let component = numbers.places[place].reached[at as usize];
            let Some(number) = numbers.request(place, component, start.request)? else { continue };
            let sends = count(numbers.sent(number).len());
            let next = candidate(room, row, [state, tail(level + 1 + sends, skip::UNKNOWN)]);
            next[place] = component;
            numbers.apply(next, place, number)?;
        }
    }
    Ok(())
}

/// Every combination of one choice a place.
fn product(choices: &[SmallVec<[u32; 4]>], into: &mut Vec<Vec<u32>>) {
    into.push(Vec::new());
    for choice in choices {
        let longer = |row: &Vec<u32>| {
            choice.iter().map(|at| [row.as_slice(), &[*at]].concat()).collect::<Vec<_>>()
        };
        *into = into.iter().flat_map(longer).collect();
    }
}
