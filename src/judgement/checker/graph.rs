//! Finds a topological order of a graph, or a short cycle in it.
//!
//! Nodes are numbers; an edge leads from the node that comes first. For graphs
//! too large for rows of bits. The result depends only on the graph. Knows
//! nothing of operations.

use crate::judgement::number::{index, number_of};

/// A directed graph; its nodes are the numbers below `nodes`.
#[derive(Debug)]
pub(super) struct Graph {
    nodes: usize,
    edges: Vec<(u32, u32)>,
}

impl Graph {
    /// No edges between this many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        Graph { nodes, edges: Vec::new() }
    }

    /// A new node.
    pub(super) fn add_node(&mut self) -> u32 {
        self.nodes += 1;
        number_of(self.nodes) - 1
    }

    /// The first node comes before the second.
    pub(super) fn add(&mut self, first: u32, second: u32) {
        self.edges.push((first, second));
    }

    /// A topological order of all nodes (Kahn's algorithm), or the nodes of a
    /// short cycle in the direction of its edges. O(n + m).
    pub(super) fn order(&self) -> Result<Vec<u32>, Vec<u32>> {
        let mut starts = vec![0_u32; self.nodes + 1];
        for (first, _) in &self.edges {
            starts[index(*first) + 1] += 1;
        }
        for node in 0..self.nodes {
            starts[node + 1] += starts[node];
        }
        let mut heads = vec![0_u32; self.edges.len()];
        let mut fill = starts.clone();
        let mut waits = vec![0_u32; self.nodes];
        for (first, second) in &self.edges {
            let place = &mut fill[index(*first)];
            heads[index(*place)] = *second;
            *place += 1;
            waits[index(*second)] += 1;
        }
        let after = |node: u32| {
            let range = index(starts[index(node)])..index(starts[index(node) + 1]);
            &heads[range]
        };
        let mut ordered: Vec<u32> =
            (0..number_of(self.nodes)).filter(|node| waits[index(*node)] == 0).collect();
        let mut next = 0;
        while let Some(&node) = ordered.get(next) {
            next += 1;
            for &head in after(node) {
                waits[index(head)] -= 1;
                if waits[index(head)] == 0 {
                    ordered.push(head);
                }
            }
        }
        if ordered.len() == self.nodes {
            return Ok(ordered);
        }
        let cycle = self.cycle(&waits);
        let step = cycle.len().div_ceil(TRIES);
        let through = |start: &u32| shortest_through(*start, &after, &waits);
        let cycles = cycle.iter().step_by(step).map(through);
        Err(cycles.min_by_key(Vec::len).unwrap_or(cycle))
    }

    /// A cycle among the nodes that the topological order does not reach
    /// (`waits` above 0). Each has a predecessor that is not reached either, so
    /// walking back along predecessors must repeat a node.
    fn cycle(&self, waits: &[u32]) -> Vec<u32> {
        let mut before = vec![u32::MAX; self.nodes];
        for (first, second) in self.edges.iter().rev() {
            if waits[index(*first)] > 0 {
                before[index(*second)] = *first;
            }
        }
        let start = waits.iter().position(|waits| *waits > 0).expect("something waits");
        let mut seen = vec![false; self.nodes];
        let mut at = number_of(start);
        while !std::mem::replace(&mut seen[index(at)], true) {
            at = before[index(at)];
        }
        around(at, &before)
    }
}

/// The cycle through `start`, found by walking back along `before`; in the
/// direction of its edges.
fn around(start: u32, before: &[u32]) -> Vec<u32> {
    let mut cycle = vec![start];
    let mut at = before[index(start)];
    while at != start {
        cycle.push(at);
        at = before[index(at)];
    }
    cycle.reverse();
    cycle
}

/// From how many nodes of a cycle a shorter one is searched for.
const TRIES: usize = 4;

/// The shortest cycle through `start` among the nodes with `waits` above 0, by
/// breadth-first search. `start` must lie on a cycle.
fn shortest_through<'a>(start: u32, after: &impl Fn(u32) -> &'a [u32], waits: &[u32]) -> Vec<u32> {
    let mut before = vec![u32::MAX; waits.len()];
    let mut open = vec![start];
    let mut next = 0;
    while before[index(start)] == u32::MAX {
        let node = open[next];
        next += 1;
        for &head in after(node).iter().filter(|head| waits[index(**head)] > 0) {
            if before[index(head)] == u32::MAX {
                before[index(head)] = node;
                open.push(head);
            }
        }
    }
    around(start, &before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_has_an_order_or_a_cycle() {
        let mut graph = Graph::new(4);
        [(3, 1), (1, 2), (3, 2), (2, 0)].iter().for_each(|&(a, b)| graph.add(a, b));
        assert_eq!(graph.order(), Ok(vec![3, 1, 2, 0]));
        graph.add(0, 1);
        let cycle = graph.order().expect_err("1, 2 and 0 wait for each other");
        let turned = cycle.iter().position(|node| *node == 1).expect("1 is on it");
        let from_one: Vec<u32> = (0..3).map(|at| cycle[(turned + at) % 3]).collect();
        assert_eq!(from_one, [1, 2, 0]);
    }

    #[test]
    fn a_cycle_is_a_short_one() {
        // A cycle of four nodes, then an edge from the third back to the
        // second.
        let mut graph = Graph::new(4);
        (0..4).for_each(|node| graph.add(node, (node + 1) % 4));
        assert_eq!(graph.order().map_err(|cycle| cycle.len()), Err(4));
        graph.add(2, 1);
        assert_eq!(graph.order().map_err(|cycle| cycle.len()), Err(2));
    }
}
