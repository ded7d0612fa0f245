//! The way to a state, as steps of a world.
//!
//! States know only their parents. The way is found by following the rows of
//! the ancestors in a world: at each one the world takes the action, or with
//! macro-steps the few actions, that lead to the next. So a schedule never
//! says more than a world can do.

use crate::history::NodeId;
use crate::replication::{OperationId, Stamp};
use crate::world::component::{Node, Panicked};
use crate::world::{Action, NotEnabled, Step, Workload, World};

use super::numbered::Id;
use super::numbers::Label;
use super::parts::{Rest, components, rest_of};
use super::store::{State, Store};
use super::tables::Tables;

/// The steps to a state and on to `target`, if that is another row in which
/// everything has been delivered.
pub(super) fn way_to(
    tables: &Tables<'_>,
    store: &Store,
    workload: &Workload,
    state: State,
    target: Option<&[u32]>,
) -> Result<Vec<Step>, Panicked> {
    let mut ancestors = vec![state];
    while let Some(&last) = ancestors.last()
        && store.parent(last) != last
    {
        ancestors.push(store.parent(last));
    }
    let world = begin(tables, workload)?;
    let mut walk = Walk { tables, world, steps: Vec::new() };
    for &next in ancestors.iter().rev().skip(1) {
        walk.to(store.row(next));
    }
    if let Some(target) = target {
        walk.drain(target);
    }
    Ok(walk.steps)
}

/// The world in which the search goes.
fn begin<'w>(tables: &Tables<'w>, workload: &'w Workload) -> Result<World<'w>, Panicked> {
    let mut world = World::new(tables.strategy, tables.setting, workload)?;
    if tables.plan.tracks.severed {
        world.sever();
    }
    Ok(world)
}

/// The steps to a state, and the one in which a handler panics. There are no
/// macro-steps here: a panic ends them.
pub(super) fn way_to_panic(
    tables: &Tables<'_>,
    store: &Store,
    workload: &Workload,
    state: State,
) -> Result<Vec<Step>, Panicked> {
    let mut steps = way_to(tables, store, workload, state, None)?;
    let mut world = begin(tables, workload)?;
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

/// The steps of a cycle that begins where `stem` ends; `None` if they lead back to
/// where they began only as far as the search distinguishes replicas: with
/// `forget` a part of them that nobody can observe may have changed.
pub(super) fn cycle(
    tables: &Tables<'_>,
    store: &Store,
    workload: &Workload,
    stem: &[Step],
    walk: &[(Label, State)],
) -> Result<Option<Vec<Step>>, Panicked> {
    let mut world = begin(tables, workload)?;
    for step in stem {
        world.perform(&step.action, step.number).expect("a world has just done this");
    }
    let start = world.state();
    let mut walker = Walk { tables, world, steps: Vec::new() };
    for &(label, state) in walk {
        let wanted = Wanted::row(tables, store.row(state));
        let mut enabled = Vec::new();
        walker.world.enabled(&mut enabled);
        enabled.retain(|action| tables.is_labelled(&walker.world, action, label));
        let done = enabled.iter().any(|action| walker.try_step(action, &wanted));
        assert!(done, "what the search did, a world can do");
    }
    Ok((walker.world.state() == start).then_some(walker.steps))
}

/// What a world is to come to.
struct Wanted {
    nodes: Vec<Node>,
    /// What is visible at each node, with its highest stamp there, if that is
    /// part of a state: two orders of deliveries may lead to the same nodes and
    /// to different claims of what is visible.
    visible: Vec<Vec<(OperationId, Stamp)>>,
    rest: Id<Rest>,
}

impl Wanted {
    fn row(tables: &Tables<'_>, row: &[u32]) -> Wanted {
        let visible = |(place, at)| tables.held[tables.held_at(place, at)].visible.clone();
        Wanted {
            nodes: tables.nodes(row),
            visible: components(row).map(visible).collect(),
            rest: rest_of(row),
        }
    }

    /// Whether no write has a higher stamp in a world than is wanted.
    fn bounds(&self, tables: &Tables<'_>, world: &World<'_>) -> bool {
        let known = tables.clients.stamps(self.rest).iter();
        let all = || known.clone().chain(self.visible.iter().flatten());
        all().all(|(write, _)| {
            let highest = all().filter(|(other, _)| other == write).map(|(_, stamp)| *stamp).max();
            world.facts().stamp(*write) <= highest
        })
    }

    /// Whether what is visible at a node is what is wanted at a place. Worlds
    /// know the highest stamp of a write only, so a node may have a lower one:
    /// if none is too high ([`bounds`](Self::bounds)), the highest ones are
    /// those that are wanted.
    fn sees(&self, tables: &Tables<'_>, world: &World<'_>, node: usize, place: usize) -> bool {
        let wanted = &self.visible[place];
        let (here, stamps) = visible(tables, world, node);
        here.iter().eq(wanted.iter().map(|(write, _)| write))
            && stamps.iter().zip(wanted).all(|(stamp, (_, least))| *stamp >= Some(*least))
    }
}

/// The writes that are visible at a node, ascending, and their highest stamps
/// anywhere; none if that is not part of a state.
fn visible(
    tables: &Tables<'_>,
    world: &World<'_>,
    node: usize,
) -> (Vec<OperationId>, Vec<Option<Stamp>>) {
    if !tables.plan.tracks.visible {
        return (Vec::new(), Vec::new());
    }
    let node = world.cluster().nodes().nth(node).expect("it is in the cluster");
    let mut writes = world.facts().taken(node).to_vec();
    writes.sort_unstable();
    writes.dedup();
    let stamps = writes.iter().map(|write| world.facts().stamp(*write)).collect();
    (writes, stamps)
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
        let wanted = Wanted::row(self.tables, row);
        let mut enabled = Vec::new();
        self.world.enabled(&mut enabled);
        for action in &enabled {
            if self.try_step(action, &wanted) {
                return;
            }
        }
        // A macro-step: deliveries at one node, then a client there.
        assert!(self.tables.plan.reduce.macro_steps, "what the search did, a world can do");
        let invocations: Vec<_> =
            enabled.iter().filter(|action| matches!(action, Action::Invoke(_))).copied().collect();
        for invoke in invocations {
            let place = self.world.place(&invoke);
            for (world, way) in delivered(self.tables, &self.world, place) {
                let before = (std::mem::replace(&mut self.world, world), self.steps.len());
                self.steps.extend(way);
                if self.try_step(&invoke, &wanted) {
                    return;
                }
                self.world = before.0;
                self.steps.truncate(before.1);
            }
        }
        unreachable!("what the search did, a world can do");
    }

    /// Takes a step if it leads to what is wanted.
    fn try_step(&mut self, action: &Action, wanted: &Wanted) -> bool {
        let number = self.world.steps() + 1;
        let mut next = self.world.clone();
        if next.perform(action, number).is_err() {
            return false;
        }
        let sees = |node, place| wanted.sees(self.tables, &next, node, place);
        let same = self.has_rest(&next, wanted.rest)
            && wanted.bounds(self.tables, &next)
            && self.tables.are_like(next.nodes(), &wanted.nodes, sees);
        if same {
            self.steps.push(Step { number, action: *action, settling: false });
            self.world = next;
        }
        same
    }

    /// Whether clients and faults are where this rest says, and no session was
    /// answered differently: two steps may lead to the same nodes and differ in
    /// what they answer.
    fn has_rest(&self, world: &World<'_>, rest: Id<Rest>) -> bool {
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
        let wanted = Wanted::row(self.tables, row);
        let cluster = self.world.cluster();
        for node in cluster.nodes() {
            let there = |world: &World<'_>| {
                // Only this node has changed: what it is to be stands in its
                // own place, whatever the others are.
                let (place, now) = (node.index(), &world.nodes()[node.index()]);
                let sees = |node, place| wanted.sees(self.tables, world, node, place);
                now.inbox.is_empty()
                    && wanted.bounds(self.tables, world)
                    && self.tables.is_one_of(now, &wanted.nodes, place, sees)
            };
            let mut all = delivered(self.tables, &self.world, node).into_iter();
            let found = all.find(|(world, _)| there(world));
            let (world, way) = found.expect("what the search did, a world can do");
            self.world = world;
            self.steps.extend(way);
        }
    }
}

/// A world some deliveries on, with these deliveries.
type Further<'a> = (World<'a>, Vec<Step>);

/// Every world to which deliveries at one node lead, nearest first.
fn delivered<'a>(tables: &Tables<'_>, world: &World<'a>, node: NodeId) -> Vec<Further<'a>> {
    let state = |world: &World<'a>| (world.state(), visible(tables, world, node.index()));
    let mut all: Vec<Further<'a>> = vec![(world.clone(), Vec::new())];
    let mut seen = vec![state(world)];
    let mut next = 0;
    while next < all.len() {
        let mut deliveries = Vec::new();
        all[next].0.deliveries(&mut deliveries);
        deliveries.retain(|action| matches!(action, Action::Deliver(to, _) if *to == node));
        for action in deliveries {
            let (mut further, mut way) = all[next].clone();
            let number = further.steps() + 1;
            if further.perform(&action, number).is_ok() && !seen.contains(&state(&further)) {
                seen.push(state(&further));
                way.push(Step { number, action, settling: false });
                all.push((further, way));
            }
        }
        next += 1;
    }
    all
}
