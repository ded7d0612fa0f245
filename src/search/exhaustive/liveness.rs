//! Fair cycles: what may go on for ever although nothing goes wrong.
//!
//! Once clients ask nothing more and faults are over, what can still happen
//! are deliveries, flushes, timers and repairs. A run of these is just if each message
//! content at a node is delivered or absent again and again, each timer fired
//! or disarmed, each image flushed, each node up (or gone) and each link whole. A strongly connected
//! component of states meets this for ever exactly if it meets each single
//! condition somewhere, so looking at whole components is enough (Emerson &
//! Lei 1987). What holds in a just component holds again and again in some
//! just run: if answers differ, they go back and forth; else its answers are
//! judged.
//!
//! A cluster is never quiet if deliveries alone go on for ever, just to every
//! message, whatever timers are armed: for that, components of deliveries are
//! looked for inside the others.
//!
//! Invariant: the states are those of a complete search without reductions.
//! It does not know what right answers are.

use rustc_hash::{FxHashMap, FxHashSet};

use super::numbers::{Label, Numbers, PANICS, Sort};
use super::parts::components;
use super::store::{State, Store};
use super::tables::Tables;

/// A state of a component with its edges inside it.
type Inside = Vec<(usize, Label)>;

/// What may happen in a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    /// Deliveries, timers and repairs.
    All,
    /// Deliveries alone; timers may wait.
    Deliveries,
}

impl Kinds {
    fn happens(self, sort: Sort) -> bool {
        match sort {
            // Only a crash, which is none either, sets a clock back: no tick is part of a cycle.
            Sort::Mishap(_) | Sort::Client | Sort::Tick(_) => false,
            Sort::Deliver(_) | Sort::Flush => true,
            Sort::Fire(_) | Sort::Repair => self == Kinds::All,
        }
    }

    /// What justice asks for in a row.
    fn dues(self, tables: &Tables<'_>, row: &[u32]) -> Vec<Label> {
        let mut dues = tables.dues(row);
        if self == Kinds::Deliveries {
            dues.retain(|(_, sort)| !matches!(sort, Sort::Fire(_)));
        }
        dues
    }
}

/// A component that can be stayed in for ever.
pub(super) struct Just {
    /// Its states, the first to be found first.
    pub(super) states: Vec<State>,
    /// By state: edges to other states of it, by position in `states`.
    edges: Vec<Inside>,
    /// What happens in it.
    pub(super) kinds: Kinds,
}

/// Calls `each` with every edge of a state that needs no client and no fault.
fn edges(numbers: &Numbers, store: &Store, state: State, mut each: impl FnMut(State, Label)) {
    let row = store.row(state);
    let mut next = row.to_vec();
    for (place, at) in components(row) {
        let local = numbers.local(place, at).expect("the search is complete");
        for number in local.each() {
            let sort = match numbers.sorts[number.index()] {
                Sort::Deliver(message) => Sort::Deliver(numbers.contents[message.index()]),
                sort => sort,
            };
            let panics = numbers.moves[number.index()].next == PANICS;
            if panics || !Kinds::All.happens(sort) || !numbers.may(row, number) {
                continue;
            }
            next.copy_from_slice(row);
            let stripped = numbers.apply(&mut next, place, number);
            let stripped = stripped.and_then(|()| numbers.strip(&mut next, row));
            stripped.expect("the search is complete");
            let to = store.find(&next).expect("the search is complete");
            each(to, (place, sort));
        }
    }
}

/// Every just component, and every state in which nothing can happen any
/// more, in an order that depends on nothing but the states. Takes time in
/// proportion to states and transitions, and 9 bytes a state.
pub(super) fn just_components(tables: &Tables<'_>, store: &Store) -> Vec<Just> {
    let numbers = &tables.numbers;
    let mut found = Vec::new();
    let successors = |state: State| {
        let mut all = Vec::new();
        edges(numbers, store, state, |to, _| all.push(to));
        all
    };
    let roots = store.states();
    strong_components(store.end(), roots, State::index, successors, |mut states, stays| {
        states.sort_unstable_by_key(|&state| store.order(state));
        let inside = inside(numbers, store, &states);
        if stays {
            found.extend(of_deliveries(tables, store, &states, &inside));
        }
        found.extend(just(tables, store, Kinds::All, states, inside));
    });
    found.sort_by_key(|component: &Just| {
        (store.order(component.states[0]), component.kinds == Kinds::All)
    });
    found
}

/// The strongly connected components of a graph that can be stayed in, and the
/// nodes from which no edge leads anywhere: `found` is told which it is. Nodes
/// have numbers below `size` (Tarjan 1972).
fn strong_components<N: Copy + Eq>(
    size: usize,
    roots: impl Iterator<Item = N>,
    number: impl Fn(N) -> usize,
    successors: impl Fn(N) -> Vec<N>,
    mut found: impl FnMut(Vec<N>, bool),
) {
    let mut index = vec![0_u32; size];
    let mut low = vec![0_u32; size];
    let mut done = vec![false; size];
    let mut next_index = 1;
    let mut stack = Vec::new();
    // A node, its successors, and how many of them have been seen.
    let mut path: Vec<(N, Vec<N>, usize)> = Vec::new();
    for root in roots {
        let at = number(root);
        if index[at] != 0 {
            continue;
        }
        path.push((root, successors(root), 0));
        (index[at], low[at]) = (next_index, next_index);
        next_index += 1;
        stack.push(root);
        while let Some((node, all, seen)) = path.last_mut() {
            let node = *node;
            let here = number(node);
            if let Some(&to) = all.get(*seen) {
                *seen += 1;
                let at = number(to);
                if index[at] == 0 {
                    (index[at], low[at]) = (next_index, next_index);
                    next_index += 1;
                    stack.push(to);
                    path.push((to, successors(to), 0));
                } else if !done[at] {
                    low[here] = low[here].min(index[at]);
                }
                continue;
            }
            let ends = all.is_empty();
            let loops = all.contains(&node);
            path.pop();
            if let Some((above, ..)) = path.last() {
                let above = number(*above);
                low[above] = low[above].min(low[here]);
            }
            if low[here] == index[here] {
                let from = stack.iter().rposition(|&other| other == node).expect("on the stack");
                let component = stack.split_off(from);
                component.iter().for_each(|&member| done[number(member)] = true);
                let stays = component.len() > 1 || loops;
                if stays || ends {
                    found(component, stays);
                }
            }
        }
    }
}

/// By state of a component: the edges to other states of it.
fn inside(numbers: &Numbers, store: &Store, states: &[State]) -> Vec<Inside> {
    let position: FxHashMap<State, usize> =
        states.iter().enumerate().map(|(at, state)| (*state, at)).collect();
    let edges_of = |&state: &State| {
        let mut own = Inside::new();
        edges(numbers, store, state, |to, label| {
            own.extend(position.get(&to).map(|at| (*at, label)));
        });
        own
    };
    states.iter().map(edges_of).collect()
}

/// The just components of deliveries alone, inside a component.
fn of_deliveries(
    tables: &Tables<'_>,
    store: &Store,
    states: &[State],
    inside: &[Inside],
) -> Vec<Just> {
    let deliveries = |at: usize| {
        let all = inside[at].iter();
        all.filter(|(_, (_, sort))| Kinds::Deliveries.happens(*sort)).copied()
    };
    let successors = |at: usize| deliveries(at).map(|(to, _)| to).collect();
    let all = 0..states.len();
    let mut found = Vec::new();
    strong_components(
        states.len(),
        all,
        |at| at,
        successors,
        |mut part, stays| {
            if !stays {
                return;
            }
            part.sort_unstable();
            let position = |to: usize| part.binary_search(&to).ok();
            let own = |&at: &usize| {
                let all = deliveries(at);
                all.filter_map(|(to, label)| Some((position(to)?, label))).collect()
            };
            let edges = part.iter().map(own).collect();
            let states = part.iter().map(|at| states[*at]).collect();
            found.extend(just(tables, store, Kinds::Deliveries, states, edges));
        },
    );
    found
}

/// The component, if it is just.
fn just(
    tables: &Tables<'_>,
    store: &Store,
    kinds: Kinds,
    states: Vec<State>,
    edges: Vec<Inside>,
) -> Option<Just> {
    let happens: FxHashSet<Label> = edges.iter().flatten().map(|(_, label)| *label).collect();
    let mut due = kinds.dues(tables, store.row(states[0]));
    for &state in &states {
        let here = kinds.dues(tables, store.row(state));
        due.retain(|label| here.contains(label));
    }
    let is_just = due.iter().all(|label| happens.contains(label));
    is_just.then_some(Just { states, edges, kinds })
}

impl Just {
    /// A just walk from a state of the component back to it, as states with
    /// what happens before each; empty if nothing can happen.
    pub(super) fn walk(
        &self,
        tables: &Tables<'_>,
        store: &Store,
        from: State,
    ) -> Vec<(Label, State)> {
        let at = |state: &State| store.order(*state);
        let start = self.states.binary_search_by_key(&at(&from), at);
        let start = start.expect("a state of the component");
        let dues = |at: usize| self.kinds.dues(tables, store.row(self.states[at]));
        let mut walk: Vec<(Label, usize)> = Vec::new();
        loop {
            let mut due = dues(start);
            for &(label, at) in &walk {
                let here = dues(at);
                due.retain(|other| *other != label && here.contains(other));
            }
            let at = walk.last().map_or(start, |(_, at)| *at);
            if let Some(&unmet) = due.first() {
                let met = |label: Label, to: usize| label == unmet || !dues(to).contains(&unmet);
                walk.extend(self.way(at, met));
            } else if walk.is_empty() && !self.edges[start].is_empty() {
                // Something happens on every cycle.
                walk.extend(self.way(at, |_, _| true));
            } else {
                if at != start {
                    walk.extend(self.way(at, |_, to| to == start));
                }
                break;
            }
        }
        walk.into_iter().map(|(label, at)| (label, self.states[at])).collect()
    }

    /// The shortest way inside the component whose last edge is wanted.
    fn way(&self, from: usize, wanted: impl Fn(Label, usize) -> bool) -> Vec<(Label, usize)> {
        let mut before: FxHashMap<usize, (usize, Label)> = FxHashMap::default();
        let mut queue = vec![from];
        let mut next = 0;
        while next < queue.len() {
            let at = queue[next];
            next += 1;
            for &(to, label) in &self.edges[at] {
                if wanted(label, to) {
                    let mut way = vec![(label, to)];
                    let mut back = at;
                    while back != from {
                        let (earlier, label) = before[&back];
                        way.push((label, back));
                        back = earlier;
                    }
                    way.reverse();
                    return way;
                }
                if to != from && !before.contains_key(&to) {
                    before.insert(to, (at, label));
                    queue.push(to);
                }
            }
        }
        unreachable!("a component is strongly connected, and this one is just")
    }
}
