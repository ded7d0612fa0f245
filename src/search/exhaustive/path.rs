//! The way to a state, as steps of a world.
//!
//! States know only their parents. The way is found by following the rows of
//! the ancestors in a world: at each one the world takes the action, or with
//! macro-steps the few actions, that lead to the next. So a schedule never
//! says more than a world can do.

use crate::history::NodeId;

use crate::world::component::{Node, Panicked};
use crate::world::{Action, NotEnabled, Step, Workload, World};

use super::numbers::Label;
use super::store::Store;
use super::tables::Tables;

/// The steps to a state and on to `target`, if that is another row in which
/// everything has been delivered.
pub(super) fn way_to(
    tables: &Tables<'_>,
    store: &Store,
    workload: &Workload,
    state: u32,
    target: Option<&[u32]>,
) -> Result<Vec<Step>, Panicked> {
    let mut ancestors = vec![state];
    while let Some(&last) = ancestors.last()
        && store.parent(last) != last
    {
        ancestors.push(store.parent(last));
    }
    let world = World::new(tables.strategy, tables.setting, workload)?;
    let mut walk = Walk { tables, world, steps: Vec::new() };
    for &next in ancestors.iter().rev().skip(1) {
        walk.to(store.row(next));
    }
    if let Some(target) = target {
        walk.drain(target);
    }
    Ok(walk.steps)
}

/// The steps to a state, and the one in which a handler panics. There are no
/// macro-steps here: a panic ends them.
pub(super) fn way_to_panic(
    tables: &Tables<'_>,
    store: &Store,
    workload: &Workload,
    state: u32,
) -> Result<Vec<Step>, Panicked> {
    let mut steps = way_to(tables, store, workload, state, None)?;
    let mut world = World::new(tables.strategy, tables.setting, workload)?;
    for step in &steps {
        world.perform(&step.action, step.number).expect("a world has just done this");
    }
    let mut enabled = Vec::new();
    world.enabled(&mut enabled);
    let number = world.steps() + 1;
    let panics = |action: &&Action| {
        matches!(world.clone().perform(action, number), Err(NotEnabled::Panicked(_)))
    };
    // If none does, a final read is what panics.
    if let Some(action) = enabled.iter().find(panics) {
        steps.push(Step { number, action: *action, settling: false });
    }
    Ok(steps)
}

/// The steps of a cycle that begins where `stem` ends.
pub(super) fn cycle(
    tables: &Tables<'_>,
    store: &Store,
    workload: &Workload,
    stem: &[Step],
    walk: &[(Label, u32)],
) -> Result<Vec<Step>, Panicked> {
    let mut world = World::new(tables.strategy, tables.setting, workload)?;
    for step in stem {
        world.perform(&step.action, step.number).expect("a world has just done this");
    }
    let mut walker = Walk { tables, world, steps: Vec::new() };
    for &(label, state) in walk {
        let row = store.row(state);
        let (wanted, rest) = (tables.nodes(row), row[row.len() - 1]);
        let mut enabled = Vec::new();
        walker.world.enabled(&mut enabled);
        enabled.retain(|action| tables.is_labelled(&walker.world, action, label));
        let done = enabled.iter().any(|action| walker.try_step(action, &wanted, rest));
        assert!(done, "what the search did, a world can do");
    }
    Ok(walker.steps)
}

/// A world on its way.
struct Walk<'w, 'a> {
    tables: &'w Tables<'a>,
    world: World<'w>,
    steps: Vec<Step>,
}

impl Walk<'_, '_> {
    /// Takes the steps that lead to a row.
    fn to(&mut self, row: &[u32]) {
        let wanted = self.tables.nodes(row);
        let rest = row[row.len() - 1];
        let mut enabled = Vec::new();
        self.world.enabled(&mut enabled);
        for action in &enabled {
            if self.try_step(action, &wanted, rest) {
                return;
            }
        }
        // A macro-step: deliveries at one node, then a client there.
        assert!(self.tables.plan.reduce.macro_steps, "what the search did, a world can do");
        let invocations: Vec<_> =
            enabled.iter().filter(|action| matches!(action, Action::Invoke(_))).copied().collect();
        for invoke in invocations {
            let place = self.world.place(&invoke);
            for (world, way) in delivered(&self.world, place) {
                let before = (std::mem::replace(&mut self.world, world), self.steps.len());
                self.steps.extend(way);
                if self.try_step(&invoke, &wanted, rest) {
                    return;
                }
                self.world = before.0;
                self.steps.truncate(before.1);
            }
        }
        unreachable!("what the search did, a world can do");
    }

    /// Takes a step if it leads to what is wanted.
    fn try_step(&mut self, action: &Action, wanted: &[Node], rest: u32) -> bool {
        let number = self.world.steps() + 1;
        let mut next = self.world.clone();
        if next.perform(action, number).is_err() {
            return false;
        }
        let same = self.tables.are_like(next.nodes(), wanted) && self.has_rest(&next, rest);
        if same {
            self.steps.push(Step { number, action: *action, settling: false });
            self.world = next;
        }
        same
    }

    /// Whether clients and faults are where this rest says, and no session was
    /// told anything else: two steps may lead to the same nodes and differ in
    /// what they answer.
    fn has_rest(&self, world: &World<'_>, rest: u32) -> bool {
        let clients = &self.tables.clients;
        let mut views = world.session_views();
        if !clients.tracks_history() {
            views.iter_mut().for_each(|(_, told)| told.clear());
        }
        let stamps = clients.stamps(rest).iter();
        views == clients.views(rest)
            && world.spent() == clients.spent(rest)
            && stamps.into_iter().all(|(write, stamp)| world.facts().stamp(*write) == Some(*stamp))
    }

    /// Delivers everything so that each node ends as in the row.
    fn drain(&mut self, row: &[u32]) {
        let wanted = self.tables.nodes(row);
        let cluster = self.world.cluster();
        for node in cluster.nodes() {
            let there = |world: &World<'_>| {
                // Only this node has changed: what it is to be stands in its
                // own place, whatever the others are.
                let now = &world.nodes()[node.index()];
                now.inbox.is_empty() && self.tables.is_one_of(now, &wanted, node.index())
            };
            let found = delivered(&self.world, node).into_iter().find(|(world, _)| there(world));
            let (world, way) = found.expect("what the search did, a world can do");
            self.world = world;
            self.steps.extend(way);
        }
    }
}

/// A world some deliveries on, with these deliveries.
type Further<'a> = (World<'a>, Vec<Step>);

/// Every world to which deliveries at one node lead, nearest first.
fn delivered<'a>(world: &World<'a>, node: NodeId) -> Vec<Further<'a>> {
    let mut all: Vec<Further<'a>> = vec![(world.clone(), Vec::new())];
    let mut seen = vec![world.state()];
    let mut next = 0;
    while next < all.len() {
        let mut deliveries = Vec::new();
        all[next].0.deliveries(&mut deliveries);
        deliveries.retain(|action| matches!(action, Action::Deliver(to, _) if *to == node));
        for action in deliveries {
            let (mut further, mut way) = all[next].clone();
            let number = further.steps() + 1;
            if further.perform(&action, number).is_ok() && !seen.contains(&further.state()) {
                seen.push(further.state());
                way.push(Step { number, action, settling: false });
                all.push((further, way));
            }
        }
        next += 1;
    }
    all
}
