//! Final reads: every key is read at every node that serves it and is not gone
//! for good, when the cluster
//! is quiet, or in some state without delivering what is in flight.
//!
//! Invariant: each read runs in a copy of the same state, so no read changes what
//! another one finds, neither the replicas nor the time. This module does not
//! know when a cluster is quiet.

use std::rc::Rc;

use crate::history::{Call, Completion, Event, History, Key, NodeId, Operation, ProcessId, Value};
use crate::replication::erased::{AnyStrategy, AnyToken};
use crate::replication::{Cluster, Effects, OperationId, Strategy, Visible};

use super::clock::{Clock, Hands};
use super::component::{LocalInput, Node, Panicked, local_step};
use super::perform::World;
use super::{Facts, SettleLimits};

/// What became of a final read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// It was answered.
    Answer(Value),
    /// The node refused it.
    Refused,
    /// No answer came.
    Nothing,
}

impl Told {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&Value> {
        match self {
            Told::Answer(value) => Some(value),
            Told::Refused | Told::Nothing => None,
        }
    }

    /// What the first answer of a step to this operation says, if it says
    /// anything.
    pub(crate) fn first(operation: OperationId, effects: &Effects<AnyStrategy>) -> Option<Told> {
        let reply = effects.replies.iter().find(|reply| reply.operation == operation)?;
        Some(Told::from(&reply.completion))
    }
}

impl From<&Completion> for Told {
    fn from(completion: &Completion) -> Self {
        match completion {
            Completion::Ok(value) => Told::Answer(value.clone()),
            Completion::Fail => Told::Refused,
            Completion::Info => Told::Nothing,
        }
    }
}

/// What final reads lack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// How many brought no answer. A refused one does not count as long as
    /// another node answers for its key.
    pub answers: usize,
    /// Whether some key is refused by every node that was asked for it; `None`
    /// if no answer came for some key, and not every node refused.
    pub service: Option<bool>,
}

impl Lack {
    /// How many answers are missing, in words.
    pub fn told(&self) -> String {
        format!("{} final reads got no answer", self.answers)
    }

    /// What these reads lack.
    pub fn of<'r>(reads: impl Iterator<Item = (&'r Key, &'r Told)>) -> Lack {
        let reads: Vec<_> = reads.collect();
        let mut lack = Lack { answers: 0, service: Some(false) };
        for (key, told) in &reads {
            let mut alike = reads.iter().filter(|(other, _)| other == key);
            match told {
                Told::Answer(_) => {}
                Told::Nothing => lack.answers += 1,
                Told::Refused => {
                    let answered = alike.clone().any(|(_, told)| told.answer().is_some());
                    lack.answers += usize::from(!answered);
                }
            }
            let refused = alike.clone().all(|(_, told)| **told == Told::Refused);
            let silent = alike.all(|(_, told)| told.answer().is_none());
            if refused {
                lack.service = Some(true);
            } else if silent && lack.service == Some(false) {
                lack.service = None;
            }
        }
        lack
    }
}

/// Reads every key at every node that serves reads, each in a world of its
/// own, as operations of fresh processes. Returns what they lack.
pub(super) fn final_reads(world: &mut World<'_>) -> Result<Lack, Panicked> {
    let cluster = world.cluster();
    // All are asked at the same time, although the history lists them one after
    // the other: with clocks, a later read could otherwise find another answer.
    let now = world.now;
    let mut session = u16::try_from(world.sessions.len()).expect("sessions are few");
    let mut asked = Vec::new();
    for key in &*Rc::clone(&world.keys) {
        for node in cluster.nodes() {
            let call = Call::read(key.clone());
            let gone = world.nodes[node.index()].gone;
            if gone || !world.strategy.serves(&call, node, &cluster) {
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
    let told = asked.iter().map(|(.., call, heard)| (&call.key, &heard.told));
    let lack = Lack::of(told);
    for (operation, node, call, heard) in asked {
        let process = ProcessId(world.next_process());
        let time = world.later();
        let event = Event::invoke(process, time, call).at(node);
        world.history.event(event).expect("a fresh process at the end");
        world.operations.push(operation);
        heard.record(&mut world.facts, operation);
        match heard.told {
            Told::Answer(value) => {
                let time = world.later();
                world.history.ok_final(process, time, value).expect("the read is open");
            }
            Told::Refused => {
                let time = world.later();
                world.history.fail(process, time).expect("the read is open");
            }
            Told::Nothing => {}
        }
    }
    Ok(lack)
}

/// Issues final reads without delivering what is in flight.
pub(super) fn ask_everybody(world: &mut World<'_>) -> Result<Lack, Panicked> {
    for (node, flights) in world.nodes.iter_mut().zip(&mut world.flights) {
        node.discard_waiting();
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
    /// What final reads lack.
    pub lack: Lack,
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
        let lack = ask_everybody(&mut asked)?;
        let finals = asked.operations.len() - before;
        let World { history, operations, facts, .. } = asked;
        Ok(Visit { history: history.finish(), operations, facts, lack, finals })
    }

    /// The final reads.
    pub(crate) fn finals(&self) -> &[Operation] {
        &self.history.operations()[self.operations.len() - self.finals..]
    }
}

/// What is heard of one final read.
pub(crate) struct Heard {
    pub(crate) told: Told,
    visible: Visible,
    /// Who answered.
    node: NodeId,
    /// What was visible in the fork; none if the answer came at once.
    facts: Option<Facts>,
}

impl Heard {
    /// No answer came.
    fn nothing(node: NodeId) -> Heard {
        Heard { told: Told::Nothing, visible: Visible::Unrecorded, node, facts: None }
    }

    /// Adds to `facts` what the answer took into account, if there is one.
    pub(crate) fn record(&self, facts: &mut Facts, operation: OperationId) {
        if self.told.answer().is_none() {
            return;
        }
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
) -> Result<Heard, Panicked> {
    let limits = SettleLimits::default();
    let cluster = Cluster::of(u16::try_from(nodes.len()).expect("nodes are few"));
    let mut effects = Effects::new();
    let request = LocalInput::Request(operation, call.clone(), AnyToken::default());
    // Most protocols answer a read in the first step; then it is enough to copy
    // one node instead of all.
    let mut asked = nodes[node.index()].clone();
    local_step(strategy, cluster, &mut asked, request, now, &mut effects)?;
    if let Some((told, visible)) = answer(operation, &effects) {
        return Ok(Heard { told, visible, node, facts: None });
    }
    let mut fork =
        Fork { strategy, cluster, now, nodes: nodes.to_vec(), facts: facts(), waiting: Vec::new() };
    fork.nodes[node.index()] = asked;
    fork.carry_out(node, &mut effects);
    for _ in 0..limits.rounds {
        let (mut delivered, mut mark) = (0, None);
        while delivered < fork.waiting.len() {
            let (to, input) = match fork.waiting[delivered] {
                Waits::Message(to) => (to, LocalInput::Deliver(0)),
                Waits::Image(at) => (at, LocalInput::Flush),
            };
            delivered += 1;
            let in_flight = fork.waiting.len() + 1 - delivered;
            if delivered > limits.deliveries || in_flight > limits.in_flight {
                return Ok(Heard::nothing(node));
            }
            if let Some(heard) = fork.step(to, input, operation, &mut effects)? {
                return Ok(heard);
            }
            // No clock ticks here, so what recurs goes on for ever.
            if fork.recurs(delivered, &mut mark) {
                return Ok(Heard::nothing(node));
            }
        }
        fork.waiting.clear();
        if fork.nodes.iter().all(|local| local.timers.is_empty()) {
            return Ok(Heard::nothing(node));
        }
        let before = fork.nodes.clone();
        fork.tick();
        for to in (0..).take(nodes.len()).map(NodeId) {
            // Timers of nodes that are down were cleared.
            let due: Vec<_> = fork.nodes[to.index()].due().collect();
            for timer in due {
                // An earlier one of this round may have disarmed it.
                if fork.nodes[to.index()].due().all(|other| other != timer) {
                    continue;
                }
                let fire = LocalInput::Fire(timer);
                if let Some(heard) = fork.step(to, fire, operation, &mut effects)? {
                    return Ok(heard);
                }
            }
        }
        // A timer may have to fire several times before it sends something.
        if fork.waiting.is_empty() && fork.nodes == before {
            return Ok(Heard::nothing(node));
        }
    }
    Ok(Heard::nothing(node))
}

/// A copy of the settled cluster in which one final read runs.
struct Fork<'s> {
    strategy: &'s AnyStrategy,
    cluster: Cluster,
    now: u64,
    nodes: Vec<Node>,
    facts: Facts,
    /// What is in flight or on its way to disk, in order of sending. Nothing was
    /// when the fork was made, so the oldest message to a receiver is the first
    /// in its inbox.
    waiting: Vec<Waits>,
}

/// What waits in a fork.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// A message to this node.
    Message(NodeId),
    /// An image of this node.
    Image(NodeId),
}

/// What stood in a fork once: its nodes, and what waited.
type Mark = (Vec<Node>, Vec<Waits>);

/// After so many deliveries a fork is looked at for what recurs. Most reads need fewer.
const MARKED_FROM: usize = 32;

impl Fork<'_> {
    /// Whether all that decides what happens next stood here before, at the mark. The mark is
    /// set anew after twice as many deliveries, so it lies in a cycle of any length at last
    /// (Brent, An improved Monte Carlo factorization algorithm, 1980).
    fn recurs(&self, delivered: usize, mark: &mut Option<Mark>) -> bool {
        let waiting = &self.waiting[delivered..];
        let stood = |(nodes, waited): &Mark| waited == waiting && *nodes == self.nodes;
        if mark.as_ref().is_some_and(stood) {
            return true;
        }
        if delivered >= MARKED_FROM && delivered.is_power_of_two() {
            *mark = Some((self.nodes.clone(), waiting.to_vec()));
        }
        false
    }

    /// Lets something happen at a node. Returns what is heard if it answers this read.
    fn step(
        &mut self,
        node: NodeId,
        input: LocalInput,
        operation: OperationId,
        effects: &mut Effects<AnyStrategy>,
    ) -> Result<Option<Heard>, Panicked> {
        let local = &mut self.nodes[node.index()];
        local_step(self.strategy, self.cluster, local, input, self.now, effects)?;
        let answer = answer(operation, effects);
        self.carry_out(node, effects);
        Ok(answer.map(|(told, visible)| {
            let facts = Some(self.facts.clone());
            Heard { told, visible, node, facts }
        }))
    }

    /// The lowest clocks tick, if a deadline is ahead.
    fn tick(&mut self) {
        let mut lowest = None;
        while let Some(place) =
            Hands::to_tick(self.nodes.iter().filter_map(Node::hands), &mut lowest)
        {
            self.nodes[place].clock.iter_mut().for_each(Clock::tick);
        }
    }

    fn carry_out(&mut self, node: NodeId, effects: &mut Effects<AnyStrategy>) {
        for (write, stamp) in effects.visible.drain(..) {
            self.facts.visible(node, write, stamp);
        }
        for (to, message) in effects.sends.drain(..) {
            // A link that is cut here is cut for ever: else the cluster has healed.
            if !self.nodes[to.index()].is_lost(node, true) {
                self.nodes[to.index()].inbox.push((node, message));
                self.waiting.push(Waits::Message(to));
            }
        }
        self.waiting.extend(effects.images.drain(..).map(|_| Waits::Image(node)));
    }
}

/// What a step says of an operation, and what that took into account.
fn answer(operation: OperationId, effects: &Effects<AnyStrategy>) -> Option<(Told, Visible)> {
    let reply = effects.replies.iter().find(|reply| reply.operation == operation)?;
    Some((Told::from(&reply.completion), reply.visible.clone()))
}
