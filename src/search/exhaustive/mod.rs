//! Exhaustive search: every state of a small scope, breadth first, exact.
//!
//! A state is a row of numbers, one for each node with its inbox and one for
//! the sessions. Steps are remembered per component, so a handler runs once
//! for each (component, input) however many states have it; the search itself
//! knows only numbers. States are found in order of distance, so the first
//! violation that is found is a shortest one.
//!
//! A search ends complete or bounded, and the two are never confused. What it
//! covers: all orders of deliveries and invocations. What it leaves out, and
//! refuses or says: faults, timers, strategies that read clocks.
//!
//! Read next: `store` for the states, `tables` for what is remembered.

mod store;
mod tables;

use thiserror::Error;

use crate::replication::Strategy;
use crate::world::component::Panicked;
use crate::world::{Setting, Step, Workload, World};

use store::{BATCH, Batch, Store};
use tables::Tables;

/// How far a search may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// States that are kept, at most 2³² − 2.
    pub states: usize,
}

impl Default for Limits {
    /// 100 million states: a few gigabytes.
    fn default() -> Self {
        Limits { states: 100_000_000 }
    }
}

/// What a search found out.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Distinct states.
    pub states: u64,
    /// Steps between them, those to known states included.
    pub transitions: u64,
    /// How often a handler ran.
    pub local_steps: u64,
    /// How it ended.
    pub ending: Ending,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every state was seen, and the condition held in all that count.
    Complete,
    /// The limit was reached first.
    Bounded,
    /// The condition does not hold after these steps; no shorter way leads to
    /// a state in which it does not.
    Violated(Vec<Step>),
}

/// Why a search was not begun or not finished.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The setting or the strategy has something that is not explored.
    #[error("an exhaustive search does not cover {0} yet")]
    NotCovered(&'static str),
    /// A handler panicked.
    #[error("a handler panicked: {}", .0.0)]
    Panicked(Panicked),
}

impl From<Panicked> for Refused {
    fn from(panicked: Panicked) -> Self {
        Refused::Panicked(panicked)
    }
}

/// Visits every state of `workload` in `setting` and asks `quiet` in each in
/// which nothing is in flight, clients unfinished included; it is given the
/// replicas in node order.
///
/// Each state costs about 16 bytes and an index slot for up to 3 nodes, each
/// transition a look-up.
///
/// # Errors
/// [`Refused`] if the setting allows faults, if the strategy reads clocks or
/// arms a timer, or if a handler panics.
pub fn explore<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    workload: &Workload,
    limits: Limits,
    quiet: &mut dyn FnMut(&[&S::Replica]) -> bool,
) -> Result<Exploration, Refused> {
    if !setting.faults.budget.is_none() {
        return Err(Refused::NotCovered("faults"));
    }
    if strategy.reads_clock() {
        return Err(Refused::NotCovered("strategies that read clocks"));
    }
    let (mut tables, first) = Tables::new(strategy, setting, workload)?;
    let mut store = Store::new(first.len());
    let mut batch = Batch::new();
    batch.push(&first, 0, |_| {});
    store.add(&mut batch);
    let mut transitions = 0;
    let mut looked_at = 0;
    let mut expanded = 0;
    let mut row = first;
    let ending = loop {
        if let Some(bad) = violation(&mut tables, &store, &mut looked_at, quiet)? {
            let schedule = way_to(strategy, setting, workload, &tables, &store, bad)?;
            break Ending::Violated(schedule);
        }
        if store.len() > limits.states {
            break Ending::Bounded;
        }
        if expanded == store.len() {
            break Ending::Complete;
        }
        while batch.len() < BATCH && expanded < store.len() {
            let state = u32::try_from(expanded).expect("fewer than 2^32 states");
            row.copy_from_slice(store.row(state));
            expand(&mut tables, &row, state, &mut batch)?;
            expanded += 1;
        }
        transitions += batch.len() as u64;
        store.add(&mut batch);
    };
    Ok(Exploration {
        states: store.len() as u64,
        transitions,
        local_steps: tables.local_steps,
        ending,
    })
}

/// Adds every successor of a state to the batch.
fn expand<S: Strategy>(
    tables: &mut Tables<'_, S>,
    row: &[u32],
    state: u32,
    batch: &mut Batch,
) -> Result<(), Panicked> {
    let rest = row.len() - 1;
    for place in 0..rest {
        let (start, end) = tables.deliveries(place, row[place])?;
        for number in start..end {
            batch.push(row, state, |next| apply(tables, next, place, number));
        }
    }
    let (from, until) = tables.startable(row[rest]);
    for start in from..until {
        let (place, request) = tables.start(start);
        let number = tables.request(place, row[place], request)?;
        batch.push(row, state, |next| apply(tables, next, place, number));
    }
    Ok(())
}

/// What a move at a place makes of a row.
fn apply<S: Strategy>(tables: &mut Tables<'_, S>, row: &mut [u32], place: usize, number: u32) {
    let (next, event) = (tables.step_of(number).next, tables.step_of(number).event);
    row[place] = next;
    for at in 0..tables.step_of(number).sends.len() {
        let (to, message) = tables.step_of(number).sends[at];
        let to = usize::from(to);
        row[to] = tables.append(to, row[to], message);
    }
    let rest = row.len() - 1;
    row[rest] = tables.after(row[rest], event);
}

/// The first state from `looked_at` on in which nothing is in flight and the
/// condition does not hold.
fn violation<S: Strategy>(
    tables: &mut Tables<'_, S>,
    store: &Store,
    looked_at: &mut usize,
    quiet: &mut dyn FnMut(&[&S::Replica]) -> bool,
) -> Result<Option<u32>, Refused> {
    while *looked_at < store.len() {
        let state = u32::try_from(*looked_at).expect("fewer than 2^32 states");
        *looked_at += 1;
        let row = store.row(state);
        if tables.arms_timers {
            return Err(Refused::NotCovered("timers"));
        }
        if tables.is_quiet(row) {
            let nodes = tables.nodes(row);
            let replicas: Vec<_> = nodes.iter().map(|node| &node.replica).collect();
            if !quiet(&replicas) {
                return Ok(Some(state));
            }
        }
    }
    Ok(None)
}

/// The steps of a world that lead to a state, found by following its
/// ancestors: at each one the world takes the action that leads to the next.
fn way_to<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    workload: &Workload,
    tables: &Tables<'_, S>,
    store: &Store,
    state: u32,
) -> Result<Vec<Step>, Panicked> {
    let mut ancestors = vec![state];
    while let Some(&last) = ancestors.last()
        && store.parent(last) != last
    {
        ancestors.push(store.parent(last));
    }
    let mut world = World::new(strategy, setting, workload)?;
    let mut schedule = Vec::new();
    let mut enabled = Vec::new();
    for &next in ancestors.iter().rev().skip(1) {
        let row = store.row(next);
        world.enabled(&mut enabled);
        let number = world.steps() + 1;
        let reached = enabled.iter().find_map(|action| {
            let mut there = world.clone();
            there.perform(action, number).ok()?;
            let same = there.is_like(&tables.nodes(row), &tables.sessions(row));
            same.then_some((*action, there))
        });
        let (action, there) = reached.expect("what the search did, the world can do");
        schedule.push(Step { number, action, settling: false });
        world = there;
    }
    Ok(schedule)
}
