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

/// The search for a disagreement in one run.
#[derive(Default)]
pub(super) struct Agreement {
    /// The first one.
    pub(super) found: Option<Disagreement>,
    /// How often two nodes could be compared.
    pub(super) compared: u64,
    /// What nodes answer, as far as it was asked since it can have changed.
    answers: Vec<((NodeId, Key), Option<Value>)>,
}

impl Agreement {
    /// Compares nodes after a step at `node`, the last of `step` steps. Without clocks it is
    /// enough to compare that node with the others, since only its answers can have
    /// changed; with clocks, time may have changed the answers of all.
    pub(super) fn look(&mut self, world: &World<'_>, node: NodeId, step: usize) {
        if self.found.is_some() {
            return;
        }
        let all = world.strategy.reads_clock();
        self.answers.retain(|((at, _), _)| !all && *at != node);
        let mut nodes = world.cluster().nodes().filter(|&at| all || at == node);
        self.found = nodes.find_map(|node| self.compare(world, node, step));
    }

    /// Compares one node with all others.
    fn compare(&mut self, world: &World<'_>, node: NodeId, step: usize) -> Option<Disagreement> {
        let has_writes =
            |at: NodeId| world.nodes[at.index()].up && !world.facts.taken(at).is_empty();
        if !has_writes(node) {
            return None;
        }
        for other in world.cluster().others(node).filter(|&other| has_writes(other)) {
            if !world.facts.may_have_same_writes(node, other) {
                continue;
            }
            for key in &*world.keys {
                let Some(mine) = self.answer(world, node, key) else { continue };
                let Some(theirs) = self.answer(world, other, key) else { continue };
                self.compared += 1;
                if mine != theirs && world.facts.same_writes(node, other) {
                    let (key, nodes, answers) = (key.clone(), (node, other), (mine, theirs));
                    return Some(Disagreement { step, nodes, key, answers });
                }
            }
        }
        None
    }

    fn answer(&mut self, world: &World<'_>, node: NodeId, key: &Key) -> Option<Value> {
        let known = self.answers.iter().find(|((at, of), _)| *at == node && of == key);
        if let Some((_, answer)) = known {
            return answer.clone();
        }
        let answer = local_answer(world, &world.nodes[node.index()], node, key);
        self.answers.push(((node, key.clone()), answer.clone()));
        answer
    }
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
