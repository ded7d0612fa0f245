//! Final reads: every key is read at every node that serves it, when the cluster
//! is quiet, or in some state without delivering what is in flight.
//!
//! Invariant: each read runs in a copy of the same state, so no read changes what
//! another one finds, neither the replicas nor the time. This module does not
//! know when a cluster is quiet.

use std::rc::Rc;

use crate::history::{Call, Completion, Event, History, NodeId, Operation, ProcessId, Value};
use crate::replication::erased::{AnyStrategy, AnyToken};
use crate::replication::{Cluster, Effects, OperationId, Strategy, Visible};

use super::component::{LocalInput, Node, Panicked, local_step};
use super::perform::World;
use super::{Facts, SettleLimits};

/// Reads every key at every node that serves reads, each in a world of its
/// own, as operations of fresh processes. Returns how many were not answered.
pub(super) fn final_reads(world: &mut World<'_>) -> Result<usize, Panicked> {
    let cluster = world.cluster();
    // All are asked at the same time, although the history lists them one after
    // the other: with clocks, a later read could otherwise find another answer.
    let now = world.now;
    let mut session = u16::try_from(world.sessions.len()).expect("sessions are few");
    let mut asked = Vec::new();
    for key in &*Rc::clone(&world.keys) {
        for node in cluster.nodes() {
            let call = Call::read(key.clone());
            if !world.strategy.serves(&call, node, &cluster) {
                continue;
            }
            let operation = OperationId { session, number: 0 };
            session += 1;
            let facts = || world.facts.clone();
            let answer = ask(&world.strategy, &world.nodes, now, operation, node, &call, facts)?;
            asked.push((operation, node, call, answer));
        }
    }
    // Recorded only after every read has ended without a panic: a history must
    // have all final reads or none.
    let mut unanswered = 0;
    for (operation, node, call, answer) in asked {
        let process = ProcessId(world.next_process());
        let time = world.later();
        let event = Event::invoke(process, time, call).at(node);
        world.history.event(event).expect("a fresh process at the end");
        world.operations.push(operation);
        match answer {
            Some(answer) => {
                answer.record(&mut world.facts, operation);
                let time = world.later();
                let value = answer.value;
                world.history.ok_final(process, time, value).expect("the read is open");
            }
            None => unanswered += 1,
        }
    }
    Ok(unanswered)
}

/// Issues final reads without delivering what is in flight.
pub(super) fn ask_everybody(world: &mut World<'_>) -> Result<usize, Panicked> {
    for (node, flights) in world.nodes.iter_mut().zip(&mut world.flights) {
        node.inbox.clear();
        flights.clear();
    }
    final_reads(world)
}

/// The answers of all final reads in this state; `None` for one without an answer.
pub(super) fn answers_of(world: &World<'_>) -> Result<Vec<Option<Value>>, Panicked> {
    let visit = Visit::of(world)?;
    Ok(visit.finals().iter().map(|read| read.answer().cloned()).collect())
}

/// A state that recurs for ever in an endless run, with the final reads that would
/// be answered there.
#[derive(Clone, Debug)]
pub struct Visit {
    /// What clients saw, final reads included.
    pub history: History,
    /// Which operation stands at each position of the history.
    pub operations: Vec<OperationId>,
    /// What the strategy recorded of visibility and order.
    pub facts: Facts,
    /// Final reads that got no answer.
    pub unanswered: usize,
    /// How many final reads there are, at the end of the history.
    finals: usize,
}

impl Visit {
    /// The final reads in this state of a world, without delivering what is in
    /// flight.
    ///
    /// # Errors
    /// If a handler panics.
    pub fn of(world: &World<'_>) -> Result<Visit, Panicked> {
        let mut asked = world.clone();
        let before = asked.operations.len();
        let unanswered = ask_everybody(&mut asked)?;
        let finals = asked.operations.len() - before;
        let World { history, operations, facts, .. } = asked;
        Ok(Visit { history: history.finish(), operations, facts, unanswered, finals })
    }

    /// The final reads.
    pub(crate) fn finals(&self) -> &[Operation] {
        &self.history.operations()[self.operations.len() - self.finals..]
    }
}

/// The answer to one final read.
pub(crate) struct FinalAnswer {
    pub(crate) value: Value,
    visible: Visible,
    /// Who answered.
    node: NodeId,
    /// What was visible in the fork; none if the answer came at once.
    facts: Option<Facts>,
}

impl FinalAnswer {
    /// Adds to `facts` what the answer took into account.
    pub(crate) fn record(&self, facts: &mut Facts, operation: OperationId) {
        match &self.facts {
            None => facts.answered(self.node, operation, &self.visible),
            Some(fork) => facts.answered_elsewhere(fork, self.node, operation, &self.visible),
        }
    }
}

/// Asks `node` in a fork of the cluster in which nothing is in flight. The
/// facts of the fork begin with what `facts` gives.
///
/// # Errors
/// If a handler panics.
pub(crate) fn ask(
    strategy: &AnyStrategy,
    nodes: &[Node],
    now: u64,
    operation: OperationId,
    node: NodeId,
    call: &Call,
    facts: impl FnOnce() -> Facts,
) -> Result<Option<FinalAnswer>, Panicked> {
    let limits = SettleLimits::default();
    let cluster = Cluster::of(u16::try_from(nodes.len()).expect("nodes are few"));
    let mut effects = Effects::new();
    let request = LocalInput::Request(operation, call.clone(), AnyToken::default());
    // Most protocols answer a read in the first step; then it is enough to copy
    // one node instead of all.
    let mut asked = nodes[node.index()].clone();
    local_step(strategy, cluster, &mut asked, request, now, &mut effects)?;
    if let Some((value, visible)) = answer(operation, &effects) {
        return Ok(Some(FinalAnswer { value, visible, node, facts: None }));
    }
    let mut fork = Fork { nodes: nodes.to_vec(), facts: facts(), waiting: Vec::new() };
    fork.nodes[node.index()] = asked;
    fork.carry_out(node, &mut effects)?;
    for _ in 0..limits.rounds {
        let mut delivered = 0;
        while delivered < fork.waiting.len() {
            let to = fork.waiting[delivered];
            delivered += 1;
            let in_flight = fork.waiting.len() + 1 - delivered;
            if delivered > limits.deliveries || in_flight > limits.in_flight {
                return Ok(None);
            }
            let receiver = &mut fork.nodes[to.index()];
            local_step(strategy, cluster, receiver, LocalInput::Deliver(0), now, &mut effects)?;
            if let Some((value, visible)) = answer(operation, &effects) {
                fork.carry_out(to, &mut effects)?;
                let facts = Some(fork.facts);
                return Ok(Some(FinalAnswer { value, visible, node: to, facts }));
            }
            fork.carry_out(to, &mut effects)?;
        }
        fork.waiting.clear();
        if fork.nodes.iter().all(|local| local.timers.is_empty()) {
            return Ok(None);
        }
        let before = fork.nodes.clone();
        for to in (0..).take(nodes.len()).map(NodeId) {
            for timer in fork.nodes[to.index()].timers.clone() {
                let local = &mut fork.nodes[to.index()];
                local_step(strategy, cluster, local, LocalInput::Fire(timer), now, &mut effects)?;
                fork.carry_out(to, &mut effects)?;
            }
        }
        // A timer may have to fire several times before it sends something.
        if fork.waiting.is_empty() && fork.nodes == before {
            return Ok(None);
        }
    }
    Ok(None)
}

/// A copy of the settled cluster in which one final read runs.
struct Fork {
    nodes: Vec<Node>,
    facts: Facts,
    /// The receivers of messages in flight, in order of sending. Inboxes were
    /// empty when the fork was made, so the oldest message to a receiver is the
    /// first in its inbox.
    waiting: Vec<NodeId>,
}

impl Fork {
    fn carry_out(
        &mut self,
        node: NodeId,
        effects: &mut Effects<AnyStrategy>,
    ) -> Result<(), Panicked> {
        for (write, stamp) in effects.visible.drain(..) {
            self.facts.visible(node, write, stamp);
        }
        for (to, message) in effects.sends.drain(..) {
            self.nodes[to.index()].inbox.push((node, message));
            self.waiting.push(to);
        }
        Ok(())
    }
}

fn answer(operation: OperationId, effects: &Effects<AnyStrategy>) -> Option<(Value, Visible)> {
    effects.replies.iter().find_map(|reply| match &reply.completion {
        Completion::Ok(value) if reply.operation == operation => {
            Some((value.clone(), reply.visible.clone()))
        }
        _ => None,
    })
}
