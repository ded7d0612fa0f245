//! Import cycles.
//!
//! In every module the child modules are compared with each other, each
//! together with everything below it, so that the same rule holds for files and
//! for whole folders.
//!
//! A child uses what its parent's file defines, and the parent calls its
//! children. If that file were one node of the graph, almost every folder would
//! be a cycle; if it were left out, cycles through it would be missed. So every
//! item of the parent's file is a node of its own: a type that children share
//! closes no cycle, but a function that calls a child which calls it back does.
//!
//! A `mod` line is not an import. Neither is a `use` line in the parent's file
//! for something below it: it only gives a shorter name, and each use of that
//! name is counted where it occurs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::names::{End, Names};
use super::source::{Path, Tree};

/// A node of the graph of one module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Child(String),
    Item(String),
}

type Graph = BTreeMap<Node, BTreeSet<Node>>;

/// Which children of a module form a cycle; its own items are in parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    pub at: String,
    pub nodes: String,
}

impl fmt::Display for Cycle {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.at, self.nodes)
    }
}

/// All cycles, sorted.
pub fn cycles(tree: &Tree, names: &Names<'_>) -> Vec<Cycle> {
    let mut found = Vec::new();
    for (module, graph) in &graphs(tree, names) {
        for component in components(graph) {
            if component.iter().any(|node| matches!(node, Node::Child(_))) {
                let nodes = component.iter().map(|node| match node {
                    Node::Child(name) => name.clone(),
                    Node::Item(name) => format!("({name})"),
                });
                let nodes = nodes.collect::<Vec<_>>().join(" ");
                found.push(Cycle { at: module.join("::"), nodes });
            }
        }
    }
    found
}

/// For every module, which of its nodes name which other nodes.
fn graphs(tree: &Tree, names: &Names<'_>) -> BTreeMap<Path, Graph> {
    let mut graphs: BTreeMap<Path, Graph> = BTreeMap::new();
    for mention in &tree.mentions {
        let from = &tree.scopes[mention.scope].module;
        for end in names.follow(mention).ends {
            let End::Inside { module: to, item } = end else { continue };
            // Both are compared in the innermost module that contains both.
            let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
            let node = |module: &Path, item: &Option<String>| match module.get(shared) {
                Some(child) => Some(Node::Child(child.clone())),
                None => item.clone().map(Node::Item),
            };
            let (one, other) = (node(from, &mention.item), node(&to, &item));
            if let (Some(one), Some(other)) = (one, other)
                && shared > 0
                && one != other
            {
                let graph = graphs.entry(from[..shared].to_vec()).or_default();
                graph.entry(one).or_default().insert(other);
            }
        }
    }
    graphs
}

/// The strongly connected components of more than one node. Two nodes are in
/// the same component if each reaches the other; the graphs are small enough to
/// test that directly.
fn components(graph: &Graph) -> Vec<BTreeSet<Node>> {
    let reached: BTreeMap<&Node, BTreeSet<&Node>> =
        graph.keys().map(|node| (node, reach(graph, node))).collect();
    let mut found: Vec<BTreeSet<Node>> = Vec::new();
    for (node, reaches) in &reached {
        if found.iter().any(|component| component.contains(node)) {
            continue;
        }
        let back = |other: &&&Node| reached.get(*other).is_some_and(|far| far.contains(node));
        let component: BTreeSet<Node> =
            reaches.iter().filter(back).map(|&other| other.clone()).collect();
        if component.len() > 1 {
            found.push(component);
        }
    }
    found
}

fn reach<'g>(graph: &'g Graph, from: &'g Node) -> BTreeSet<&'g Node> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}
