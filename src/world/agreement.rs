//! Strong convergence: nodes that have taken the same writes into account give
//! the same answers, in every state and not only in quiet ones (Shapiro et al.
//! 2011).
//!
//! Only nodes that are up and have taken at least one write into account are
//! compared, and only answers that a node gives without asking another one.

use crate::history::{Call, Completion, Key, NodeId, Value};
use crate::replication::erased::AnyToken;
use crate::replication::{Effects, OperationId, Strategy};

use super::component::{LocalInput, Node, local_step};
use super::perform::World;

/// Two nodes that answer a read differently although they took the same
/// writes into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// After how many steps of the schedule.
    pub step: usize,
    /// The nodes.
    pub nodes: (NodeId, NodeId),
    /// Which key is read.
    pub key: Key,
    /// What they answer.
    pub answers: (Value, Value),
}

/// Compares nodes after a step at `node`, and counts the comparable pairs in
/// `compared`. Without clocks it is enough to compare that node with the others,
/// since only its answers can have changed; with clocks, time may have changed the
/// answers of all.
pub(super) fn disagreement(
    world: &World<'_>,
    node: NodeId,
    step: usize,
    compared: &mut u64,
) -> Option<Disagreement> {
    if !world.strategy.reads_clock() {
        return compare(world, node, step, compared);
    }
    world.cluster().nodes().find_map(|node| compare(world, node, step, compared))
}

/// Compares one node with all others.
fn compare(
    world: &World<'_>,
    node: NodeId,
    step: usize,
    compared: &mut u64,
) -> Option<Disagreement> {
    let up = |node: NodeId| world.nodes[node.index()].up;
    let taken = world.facts.taken(node);
    if taken.is_empty() || !up(node) {
        return None;
    }
    let mut known: Option<Vec<_>> = None;
    for other in world.cluster().others(node).filter(|&other| up(other)) {
        let theirs = world.facts.taken(other);
        if theirs.is_empty() || !world.facts.may_have_same_writes(node, other) {
            continue;
        }
        for key in &*world.keys {
            let answer = |at: NodeId| local_answer(world, &world.nodes[at.index()], at, key);
            let known = known.get_or_insert_with(Vec::new);
            let mine = match known.iter().find(|(of, _)| of == key) {
                Some((_, answer)) => Option::clone(answer),
                None => {
                    known.push((key.clone(), answer(node)));
                    known.last().and_then(|(_, answer)| answer.clone())
                }
            };
            if let (Some(mine), Some(other_answer)) = (mine, answer(other)) {
                *compared += 1;
                if mine != other_answer && world.facts.same_writes(node, other) {
                    let answers = (mine, other_answer);
                    let (key, nodes) = (key.clone(), (node, other));
                    return Some(Disagreement { step, nodes, key, answers });
                }
            }
        }
    }
    None
}

/// What a node answers to a read in the same step, if it does.
fn local_answer(world: &World<'_>, node: &Node, id: NodeId, key: &Key) -> Option<Value> {
    let call = Call::read(key.clone());
    if !world.strategy.serves(&call, id, &world.cluster()) {
        return None;
    }
    let operation = OperationId { session: u16::MAX, number: 0 };
    let mut effects = Effects::new();
    let request = LocalInput::Request(operation, call, AnyToken::default());
    local_step(
        &world.strategy,
        world.cluster(),
        &mut node.clone(),
        request,
        world.now,
        &mut effects,
    )
    .ok()?;
    effects.replies.into_iter().find_map(|reply| match reply.completion {
        Completion::Ok(value) if reply.operation == operation => Some(value),
        _ => None,
    })
}
