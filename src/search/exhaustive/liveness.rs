//! Fair cycles: what may go on for ever although nothing goes wrong.
//!
//! Once clients ask nothing more and faults are over, what can still happen
//! are deliveries, timers and repairs. A run of these is just if each message
//! content at a node is delivered or absent again and again, each timer fired
//! or disarmed, each node up and each link whole. A strongly connected
//! component of states meets this for ever exactly if it meets each single
//! condition somewhere, so looking at whole components is enough (Emerson &
//! Lei 1987). What holds in a just component holds again and again in some
//! just run: if only deliveries happen in it, the cluster is never quiet; if
//! answers differ, they go back and forth; else its answers are judged.
//!
//! Invariant: the states are those of a complete search without reductions.
//! It does not know what right answers are.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::replication::Strategy;

use super::numbers::{Numbers, Sort};
use super::store::Store;
use super::tables::Tables;

/// What happens on an edge: where, and which kind of step.
pub(super) type Label = (usize, Sort);

/// A state of a component with its edges inside it.
type Inside = Vec<(usize, Label)>;

/// A component that can be stayed in for ever.
pub(super) struct Just {
    /// Its states, the first to be found first.
    pub(super) states: Vec<u32>,
    /// By state: edges to other states of it, by position in `states`.
    edges: Vec<Inside>,
    /// Whether nothing but deliveries happens in it.
    pub(super) deliveries_only: bool,
}

/// Calls `each` with every edge of a state that needs no client and no fault.
fn edges(numbers: &Numbers, store: &Store, state: u32, mut each: impl FnMut(u32, Label)) {
    let row = store.row(state);
    let mut next = row.to_vec();
    for (place, &at) in row.iter().enumerate().take(row.len() - 1) {
        let (from, until) = numbers.local(place, at).expect("the search is complete");
        for number in from..until {
            let sort = numbers.sorts[number as usize];
            if matches!(sort, Sort::Mishap(_) | Sort::Client) || !numbers.may(row, number) {
                continue;
            }
            next.copy_from_slice(row);
            numbers.apply(&mut next, place, number).expect("the search is complete");
            let to = store.find(&next).expect("the search is complete");
            each(to, (place, sort));
        }
    }
}

/// Every just component, and every state in which nothing can happen any
/// more, in an order that depends on nothing but the states. Takes time in
/// proportion to states and transitions, and 13 bytes a state (Tarjan 1972).
pub(super) fn just_components<S: Strategy>(tables: &Tables<'_, S>, store: &Store) -> Vec<Just> {
    let numbers = &tables.numbers;
    let states = store.end();
    let mut found = Vec::new();
    let mut index = vec![0_u32; states];
    let mut low = vec![0_u32; states];
    let mut done = vec![false; states];
    let mut next_index = 1;
    let mut stack = Vec::new();
    // A state, its successors, and how many of them have been seen.
    let mut path: Vec<(u32, Vec<u32>, usize)> = Vec::new();
    let successors = |state: u32| {
        let mut all = Vec::new();
        edges(numbers, store, state, |to, _| all.push(to));
        all
    };
    for root in store.states() {
        if index[root as usize] != 0 {
            continue;
        }
        path.push((root, successors(root), 0));
        (index[root as usize], low[root as usize]) = (next_index, next_index);
        next_index += 1;
        stack.push(root);
        while let Some((state, all, seen)) = path.last_mut() {
            let state = *state;
            if let Some(&to) = all.get(*seen) {
                *seen += 1;
                let at = to as usize;
                if index[at] == 0 {
                    (index[at], low[at]) = (next_index, next_index);
                    next_index += 1;
                    stack.push(to);
                    path.push((to, successors(to), 0));
                } else if !done[at] {
                    low[state as usize] = low[state as usize].min(index[at]);
                }
                continue;
            }
            let ends = all.is_empty();
            let loops = all.contains(&state);
            path.pop();
            if let Some((above, ..)) = path.last() {
                let above = *above as usize;
                low[above] = low[above].min(low[state as usize]);
            }
            if low[state as usize] == index[state as usize] {
                let from = stack.iter().rposition(|&other| other == state).expect("on the stack");
                let mut component = stack.split_off(from);
                component.sort_unstable_by_key(|&member| store.order(member));
                component.iter().for_each(|&member| done[member as usize] = true);
                if component.len() > 1 || loops || ends {
                    found.extend(just(tables, store, component));
                }
            }
        }
    }
    found.sort_by_key(|component| store.order(component.states[0]));
    found
}

/// The component with its edges, if it is just.
fn just<S: Strategy>(tables: &Tables<'_, S>, store: &Store, states: Vec<u32>) -> Option<Just> {
    let position: FxHashMap<u32, usize> =
        states.iter().enumerate().map(|(at, state)| (*state, at)).collect();
    let mut inside: Vec<Inside> = Vec::new();
    for &state in &states {
        let mut own = Inside::new();
        edges(&tables.numbers, store, state, |to, label| {
            own.extend(position.get(&to).map(|at| (*at, label)));
        });
        inside.push(own);
    }
    let happens: FxHashSet<Label> = inside.iter().flatten().map(|(_, label)| *label).collect();
    let mut due = tables.dues(store.row(states[0]));
    for &state in &states {
        let here = tables.dues(store.row(state));
        due.retain(|label| here.contains(label));
    }
    let is_just = due.iter().all(|label| happens.contains(label));
    let deliveries_only =
        !happens.is_empty() && happens.iter().all(|(_, sort)| matches!(sort, Sort::Deliver(_)));
    is_just.then_some(Just { states, edges: inside, deliveries_only })
}

impl Just {
    /// A just walk from a state of the component back to it, as states with
    /// what happens before each; empty if nothing can happen.
    pub(super) fn walk<S: Strategy>(
        &self,
        tables: &Tables<'_, S>,
        store: &Store,
        from: u32,
    ) -> Vec<(Label, u32)> {
        let at = |state: &u32| store.order(*state);
        let start = self.states.binary_search_by_key(&at(&from), at);
        let start = start.expect("a state of the component");
        let dues = |at: usize| tables.dues(store.row(self.states[at]));
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
