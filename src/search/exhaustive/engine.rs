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

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use crate::replication::Strategy;
use crate::replication::Subject;
use crate::replication::erased::AnyStrategy;
use crate::world::{FaultKind, Faults, Setting, Workload};

use super::answers::Drained;
use super::clients::Plainness;
use super::numbered::Id;
use super::numbers::Miss;
use super::parts::{Request, Rest, components, rest_of};
use super::path::{way_to, way_to_panic};
use super::quiet::Looks;
use super::settled::Settled;
use super::skip;
use super::stale;
use super::steps::{Lane, expand, touch};
use super::store::{Outbox, STATES_MAX, State, Store, shared, tail};
use super::tables::{REACTS, Tables};
use super::{Bound, Ending, Exploration, Found, Matter, Plan, Progress, Refused, Sight, Work};

mod cycles;
mod elsewhere;

/// Into how many parts a round is split, however many threads there are.
const LANES: usize = 16;

/// States of a round.
const ROUND: usize = 1 << 15;

/// Of how many states the parents are read together.
const AHEAD: usize = 32;

/// How many shortest ways to one matter are kept.
const WAYS: usize = 16;

/// States from which threads are worth their start.
const SHARED: usize = 1 << 10;

/// Judges what the search comes upon; the answer has a bit for each matter
/// that is violated.
pub type Judge<'j> = dyn FnMut(&Sight<'_>) -> u64 + 'j;

/// Visits every state that `plan` allows and shows each quiet one, unless its
/// like has been seen, to `judge`; histories that never come to quiet are
/// shown at the end. With timers a quiet state is shown if settling leads
/// nowhere else; where it settles is a state of its own.
///
/// `wanted` has a bit for each matter of the judge; the search ends when all
/// of them, and whatever else it was asked to look for, have been found.
/// A matter that was not found by a search that ended so is not known to hold.
///
/// A state costs about 4 bytes for each node and 12 more; a transition some
/// table look-ups.
///
/// # Errors
/// [`Refused::NotCovered`] if the strategy has more than 64 timers.
pub fn explore(
    strategy: &dyn Subject,
    setting: &Setting,
    plan: &Plan<'_>,
    wanted: u64,
    judge: &mut Judge<'_>,
) -> Result<Exploration, Refused> {
    let strategy = &strategy.erased();
    let mut reduce = plan.reduce;
    let mut declined = Vec::new();
    if let Some(why) = unfit(strategy, setting, plan)
        && (reduce.macro_steps || reduce.persistent)
    {
        declined.push((if reduce.macro_steps { "macro" } else { "persistent" }, why));
        (reduce.macro_steps, reduce.persistent) = (false, false);
    }
    if reduce.symmetry
        && let Some(why) = lopsided(strategy, setting, plan)
    {
        declined.push(("symmetry", why));
        reduce.symmetry = false;
    }
    if reduce.stale && (strategy.reads_clock() || strategy.has_deadlines()) {
        declined.push(("stale", "the strategy reads clocks"));
        reduce.stale = false;
    }
    if reduce.forget
        && let Some(why) = remembered(strategy, plan)
    {
        declined.push(("forget", why));
        reduce.forget = false;
    }
    loop {
        let plan = Plan { work: plan.work.clone(), reduce, ..*plan };
        match search(strategy, setting, &plan, wanted, judge) {
            Err(Refused::Reduction(name, why)) => {
                declined.push((name, why));
                match name {
                    "stale" => reduce.stale = false,
                    "symmetry" => reduce.symmetry = false,
                    "forget" => reduce.forget = false,
                    _ => (reduce.macro_steps, reduce.persistent) = (false, false),
                }
            }
            done => {
                return done.map(|done| Exploration { reduce, declined, ..done });
            }
        }
    }
}

/// Why nothing can be dropped from replicas in this search, if it cannot.
fn remembered(strategy: &AnyStrategy, plan: &Plan<'_>) -> Option<&'static str> {
    if plan.tracks.invariants {
        Some("invariants may look at what is dropped")
    } else if strategy.writes_disk() {
        Some("images on disk hold what is dropped")
    } else {
        None
    }
}

/// Why nodes cannot stand for each other in this search, if they cannot.
fn lopsided(strategy: &AnyStrategy, setting: &Setting, plan: &Plan<'_>) -> Option<&'static str> {
    if matches!(plan.work, Work::Open(..)) || setting.faults.budget[FaultKind::Retry] > 0 {
        Some("every node may be used by a client")
    } else if plan.tracks.every_state() {
        Some("what is looked at in every state may know nodes by number")
    } else if plan.tracks.visible {
        Some("stamps may know nodes by number")
    } else if strategy.writes_disk() {
        Some("images on disk may know nodes by number")
    } else if setting.faults.budget[FaultKind::Operator] > 0 {
        Some("commands may name nodes")
    } else if setting.faults.budget[FaultKind::Partition] > 0 {
        Some("partitions name nodes")
    } else if strategy.has_deadlines() {
        Some("clocks tell nodes apart")
    } else {
        None
    }
}

/// Why deliveries cannot be put off in this setting, if they cannot.
fn unfit(strategy: &AnyStrategy, setting: &Setting, plan: &Plan<'_>) -> Option<&'static str> {
    if !setting.faults.budget.is_none() {
        Some("there are faults")
    } else if strategy.reads_clock() {
        Some("the strategy reads clocks")
    } else if strategy.has_deadlines() {
        Some("clocks tick")
    } else if strategy.writes_disk() {
        Some("the strategy writes to a disk")
    } else if plan.tracks.every_state() {
        Some("every state is looked at")
    } else {
        None
    }
}

struct Engine<'a> {
    tables: Tables<'a>,
    store: Store,
    lanes: Vec<Lane>,
    /// States that wait, by level.
    pending: BTreeMap<u32, Vec<State>>,
    depth: u32,
    /// Matters of the judge that have not been found.
    wanted: u64,
    /// Whether anything was asked for.
    asked: bool,
    /// Whether a state that recurs for ever could not be judged.
    unasked: bool,
    unsettled: bool,
    waiting: bool,
    /// What has been found on earlier levels.
    known: BTreeSet<Matter>,
    /// What has been found on this level, each with its plainest ways.
    fresh: BTreeMap<Matter, Vec<Way>>,
    found: Vec<Found>,
    reached: BTreeSet<usize>,
}

/// A way to a matter that has been found.
struct Way {
    plainness: Plainness,
    state: State,
    /// Where deliveries lead to from the state, with macro-steps.
    target: Option<Vec<u32>>,
    /// The request that comes next, if its handler panics.
    request: Option<Id<Request>>,
}

fn search(
    strategy: &AnyStrategy,
    setting: &Setting,
    plan: &Plan<'_>,
    wanted: u64,
    judge: &mut Judge<'_>,
) -> Result<Exploration, Refused> {
    let (tables, first) = match Tables::new(strategy, setting, plan) {
        Err(Refused::Panicked(_)) => return Ok(stillborn(plan)),
        made => made?,
    };
    let width = first.len();
    let lane = |_| Lane {
        outbox: Outbox::new(width),
        room: Vec::new(),
        spare: Vec::new(),
        sights: Vec::new(),
        missed: Vec::new(),
        panics: Vec::new(),
        transitions: 0,
    };
    let breakable = plan.tracks.invariants && !tables.musts().is_empty();
    let asked = wanted != 0 || breakable || plan.tracks.agreement || plan.panics;
    let mut engine = Engine {
        tables,
        store: Store::new(width, plan.reduce.macro_steps),
        lanes: (0..LANES).map(lane).collect(),
        pending: BTreeMap::new(),
        depth: 0,
        wanted,
        asked,
        unasked: false,
        unsettled: false,
        waiting: false,
        known: BTreeSet::new(),
        fresh: BTreeMap::new(),
        found: Vec::new(),
        reached: BTreeSet::new(),
    };
    let mut first = first;
    engine.reduce(&mut first)?;
    first.extend([State::NOBODY.number(), tail(0, skip::UNKNOWN)]);
    engine.lanes[0].outbox.push(&first, &engine.store);
    engine.lanes[0].outbox.look_up(&engine.store);
    engine.add(&[])?;
    let ending = engine.run(judge)?;
    engine.tell()?;
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
        unasked: engine.unasked,
        unsettled: engine.unsettled,
        waiting: engine.waiting,
        timers: engine.tables.numbers.timers,
        reduce: plan.reduce,
        declined: Vec::new(),
        ending,
        found: engine.found,
    })
}

/// A search of nothing: a handler panics at the start.
fn stillborn(plan: &Plan<'_>) -> Exploration {
    let workload = Workload::default();
    let (stem, cycle) = (Vec::new(), Vec::new());
    Exploration {
        states: 0,
        transitions: 0,
        local_steps: 0,
        depth: 0,
        bytes: 0,
        judged: 0,
        faults: Faults::NONE,
        reached: BTreeSet::new(),
        compared: 0,
        unasked: false,
        unsettled: false,
        waiting: false,
        timers: false,
        reduce: plan.reduce,
        declined: Vec::new(),
        ending: Ending::Settled,
        found: vec![Found { matter: Matter::Panic, workload, stem, cycle }],
    }
}

impl Engine<'_> {
    /// Leaves out of the first row what is left out of all.
    fn reduce(&mut self, first: &mut [u32]) -> Result<(), Refused> {
        let tables = &mut self.tables;
        if !tables.numbers.permutations.is_empty() {
            let mut room = Vec::new();
            while let Err(miss) = tables.numbers.least(first, &mut room) {
                tables.resolve(miss)?;
            }
            if tables.numbers.stale {
                return Err(Refused::Reduction("stale", "nodes stand for each other"));
            }
        }
        let nothing = vec![u32::MAX; first.len()];
        while let Err(miss) = tables.numbers.strip(first, &nothing) {
            tables.resolve(miss)?;
        }
        Ok(())
    }

    fn run(&mut self, judge: &mut Judge<'_>) -> Result<Ending, Refused> {
        while let Some((level, states)) = self.pending.pop_first() {
            self.depth = level;
            self.store.begin_level();
            for (round, chunk) in states.chunks(ROUND).enumerate() {
                if let Some(bound) = self.bound(states.len() - round * ROUND) {
                    return Ok(Ending::Bounded(bound));
                }
                self.read(chunk, level);
                self.complete(level)?;
                self.show(judge)?;
                let numbers = &self.tables.numbers;
                let reduce = self.tables.plan.reduce;
                let puts_off = reduce.macro_steps || reduce.persistent;
                if puts_off && (numbers.reacts || numbers.timers) {
                    return Err(Refused::Reduction("macro", REACTS));
                }
            }
            self.tell()?;
            if self.is_settled() {
                return Ok(Ending::Settled);
            }
            self.tables.tick();
        }
        self.judge_elsewhere(judge)?;
        self.judge_rest(judge)?;
        self.tell()?;
        self.live(judge)?;
        Ok(Ending::Complete)
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
    fn read(&mut self, states: &[State], level: u32) {
        let part = states.len().div_ceil(LANES).max(1);
        let jobs = self.jobs(states.len());
        let (numbers, store) = (&self.tables.numbers, &self.store);
        let reduce = self.tables.plan.reduce;
        let all = reduce.macro_steps || self.tables.plan.tracks.every_state();
        let read = |lane: &mut Lane, states: &[State]| {
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
    fn complete(&mut self, level: u32) -> Result<(), Refused> {
        loop {
            let missed: Vec<_> = self.lanes.iter().flat_map(|lane| &lane.missed).copied().collect();
            self.add(&missed)?;
            if missed.is_empty() {
                return Ok(());
            }
            self.read_missed(level);
        }
    }

    /// Shows what there is to be judged.
    fn show(&mut self, judge: &mut Judge<'_>) -> Result<(), Refused> {
        for at in 0..LANES {
            for (state, request) in std::mem::take(&mut self.lanes[at].panics) {
                self.offer(Matter::Panic, state, None, request);
            }
            for state in std::mem::take(&mut self.lanes[at].sights) {
                match self.look(state, judge) {
                    // It was in a final read.
                    Err(Refused::Panicked(panicked)) => match self.tables.panicked(panicked) {
                        Refused::Panicked(_) => self.offer(Matter::Panic, state, None, None),
                        refused => return Err(refused),
                    },
                    looked => looked?,
                }
            }
        }
        Ok(())
    }

    /// Shows a state to the judge.
    fn look(&mut self, state: State, judge: &mut Judge<'_>) -> Result<(), Refused> {
        let row = self.store.row(state).to_vec();
        let plan = self.tables.plan;
        if plan.tracks.invariants {
            let (broken, reached) = self.tables.invariants(&row);
            self.reached.extend(reached);
            for at in broken {
                self.offer(Matter::Invariant(at), state, None, None);
            }
        }
        if plan.tracks.agreement && !self.tables.agrees(&row) {
            self.offer(Matter::Agreement, state, None, None);
        }
        if plan.reduce.macro_steps {
            let mut drained = Vec::new();
            let mut choices = Vec::new();
            for (place, at) in components(&row) {
                choices.push(self.tables.drained(place, at)?);
            }
            product(&choices, &mut drained);
            for mut target in drained {
                target.push(rest_of(&row).number());
                let violated = self.tables.judge(&target, Looks::Quiet, judge)?;
                self.note(violated, state, Some(&target));
            }
        } else if self.tables.numbers.is_quiet(&row) {
            let settled = self.tables.settled(&row)?;
            for matter in std::mem::take(&mut self.tables.passed) {
                self.offer(matter, state, None, None);
            }
            if settled == Settled::Here {
                self.meet(&row, state);
                let violated = self.tables.judge(&row, Looks::Quiet, judge)?;
                self.note(violated, state, None);
            }
        }
        Ok(())
    }

    /// Notes which invariants a quiet row does not meet, to which settling leads
    /// from a state.
    fn meet(&mut self, row: &[u32], state: State) {
        if self.tables.plan.tracks.invariants {
            for at in self.tables.unmet(row) {
                self.offer(Matter::Invariant(at), state, None, None);
            }
        }
    }

    /// Notes what is violated in a state.
    fn note(&mut self, violated: u64, state: State, target: Option<&[u32]>) {
        let violated = violated & self.wanted;
        for bit in (0..64).filter(|bit| violated & (1 << bit) != 0) {
            self.offer(Matter::Judged(bit), state, target, None);
        }
    }

    /// Notes a way to a matter, if none was found on an earlier level. Of the
    /// shortest ways the plainest are kept, so that the plainest can be reported.
    fn offer(
        &mut self,
        matter: Matter,
        state: State,
        target: Option<&[u32]>,
        request: Option<Id<Request>>,
    ) {
        if self.known.contains(&matter) {
            return;
        }
        let plainness = self.tables.clients.plainness(self.rest_of(state));
        let ways = self.fresh.entry(matter).or_default();
        let at = ways.partition_point(|way| way.plainness <= plainness);
        if at < WAYS {
            let target = target.map(<[u32]>::to_vec);
            ways.insert(at, Way { plainness, state, target, request });
            ways.truncate(WAYS);
        }
    }

    /// Keeps what has been found on this level.
    fn tell(&mut self) -> Result<(), Refused> {
        self.is_told_whole(!self.fresh.is_empty(), stale::FOUND)?;
        for (matter, ways) in std::mem::take(&mut self.fresh) {
            self.known.insert(matter);
            if let Matter::Judged(bit) = matter {
                self.wanted &= !(1 << bit);
            }
            for way in ways {
                self.keep(matter, &way)?;
            }
        }
        Ok(())
    }

    /// Begins again with all messages if something has to be told by a run and some
    /// were dropped.
    fn is_told_whole(&self, told: bool, why: &'static str) -> Result<(), Refused> {
        if told && self.tables.underway.is_used() {
            return Err(Refused::Reduction("stale", why));
        }
        Ok(())
    }

    fn keep(&mut self, matter: Matter, way: &Way) -> Result<(), Refused> {
        let workload = self.tables.clients.workload(self.rest_of(way.state), way.request);
        let (tables, store) = (&self.tables, &self.store);
        let stem = if matter == Matter::Panic {
            way_to_panic(tables, store, &workload, way.state)?
        } else {
            way_to(tables, store, &workload, way.state, way.target.as_deref())?
        };
        self.found.push(Found { matter, workload, stem, cycle: Vec::new() });
        Ok(())
    }

    /// Whether all that was asked for has been found.
    fn is_settled(&self) -> bool {
        let plan = self.tables.plan;
        let known = |matter| self.known.contains(&matter);
        let whole = |at: &usize| !known(Matter::Invariant(*at));
        let looks = (plan.tracks.invariants && self.tables.musts().iter().any(whole))
            || (plan.tracks.agreement && !known(Matter::Agreement))
            || (plan.panics && !known(Matter::Panic));
        self.asked && self.wanted == 0 && !looks
    }

    /// Shows histories that never came to quiet, without final reads.
    fn judge_rest(&mut self, judge: &mut Judge<'_>) -> Result<(), Refused> {
        if self.wanted == 0 || self.tables.all_judged() {
            return Ok(());
        }
        // Nothing but the rest is judged: one state for each is enough.
        let mut known = FxHashSet::default();
        let fresh = |state: &State| {
            let rest = self.rest_of(*state);
            !self.tables.is_judged(rest) && known.insert(rest)
        };
        let states: Vec<State> = self.store.states().filter(fresh).collect();
        for state in states {
            let row = self.store.row(state).to_vec();
            let violated = self.tables.judge(&row, Looks::Busy, judge)?;
            self.note(violated, state, None);
        }
        Ok(())
    }

    /// Adds the candidates of all lanes on all threads, and meanwhile, on this
    /// one, what was missing in these states.
    fn add(&mut self, missed: &[(State, Miss)]) -> Result<(), Refused> {
        let outboxes: Vec<_> = self.lanes.iter().map(|lane| &lane.outbox).collect();
        let jobs = self.jobs(outboxes.iter().map(|outbox| outbox.len()).sum());
        let tables = &mut self.tables;
        let meanwhile = || {
            for &(_, miss) in missed {
                if tables.numbers.lacks(miss) {
                    tables.resolve(miss)?;
                }
            }
            Ok(())
        };
        let done = self.store.add(&outboxes, jobs, &mut self.pending, meanwhile);
        self.lanes.iter_mut().for_each(|lane| lane.outbox.clear());
        done
    }

    /// What clients have done in a state.
    fn rest_of(&self, state: State) -> Id<Rest> {
        rest_of(self.store.row(state))
    }

    /// The most of each kind of fault that struck in one state.
    fn faults(&self) -> Faults {
        self.tables.clients.most_spent()
    }
}

/// Every combination of one choice a place.
fn product(choices: &[Drained], into: &mut Vec<Vec<u32>>) {
    into.push(Vec::new());
    for choice in choices {
        let longer = |row: &Vec<u32>| {
            choice.iter().map(|at| [row.as_slice(), &[at.number()]].concat()).collect::<Vec<_>>()
        };
        *into = into.iter().flat_map(longer).collect();
    }
}
