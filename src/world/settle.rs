//! How a run ends: nobody asks any more, all is mended, and the cluster is
//! given the chance to become quiet. Then everybody is asked once more.
//!
//! Settling recovers and heals, *drains* (delivers, oldest first, until
//! nothing is in flight), then goes in *rounds* (fires every armed timer once,
//! drains) until replicas, waiting clients and armed timers repeat. All of it is recomputed from the state:
//! nothing here is chosen.
//!
//! A drain that repeats a state goes on for ever, and is told with its lasso.
//! So is one that comes back to the same replicas with more in flight, if the
//! network is unordered: what could be delivered then can be delivered again.

use crate::history::{Completion, NodeId, ProcessId, Value};
use smallvec::SmallVec;

use crate::replication::{Effects, OperationId, Strategy, TimerId, Visible};

use super::component::{LocalInput, NodeOf, Panicked, local_step};
use super::perform::{NotEnabled, World};
use super::run::{Ending, Recorder};
use super::{Action, Network};

/// How long settling may take before it is given up as undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleLimits {
    /// Deliveries in one drain.
    pub deliveries: usize,
    /// Messages in flight at one time.
    pub in_flight: usize,
    /// Rounds of timers.
    pub rounds: usize,
}

impl Default for SettleLimits {
    fn default() -> Self {
        SettleLimits { deliveries: 10_000, in_flight: 1_000, rounds: 64 }
    }
}

/// Deliveries in one drain after which it is worth looking for a lasso. A
/// drain is then started over with the search switched on from its beginning,
/// so that the lasso told is the earliest that the search finds.
const LONG_DRAIN: usize = 64;

/// Whether a drain looks for lassos.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasso {
    Ignore,
    Find,
}

/// Settling ended early.
pub(super) enum Stop {
    Ending(Ending),
    /// The drain is long: settle again, looking for a lasso.
    Long,
}

impl From<NotEnabled> for Stop {
    fn from(error: NotEnabled) -> Self {
        match error {
            NotEnabled::Panicked(Panicked(text)) => Stop::Ending(Ending::Panicked(text)),
            NotEnabled::Impossible(why) => {
                unreachable!("settling does only what is enabled: {why}")
            }
        }
    }
}

/// Settles; says how that ended.
pub(super) fn settle<S: Strategy>(
    world: &mut World<'_, S>,
    recorder: &mut Recorder<'_, S>,
    limits: SettleLimits,
    lasso: Lasso,
) -> Result<(), Stop> {
    let mut actions = Vec::new();
    world.repairs(&mut actions);
    // Recoveries first: a healed link then finds its receiver running.
    actions.sort_by_key(|action| matches!(action, Action::Heal(..)));
    for action in actions {
        recorder.perform(world, &action, true)?;
    }
    drain(world, recorder, limits, lasso)?;
    let mut drained = vec![standing(world)];
    let mut ends = vec![recorder.length()];
    loop {
        let mut timers = Vec::new();
        world.timers(&mut timers);
        if timers.is_empty() {
            recorder.forget_after(ends[first_alike(&drained, drained.len() - 1)]);
            return Ok(());
        }
        for timer in timers {
            // An earlier one of this round may have disarmed it.
            match recorder.perform(world, &timer, true) {
                Err(NotEnabled::Impossible(_)) | Ok(()) => {}
                Err(panicked) => return Err(panicked.into()),
            }
        }
        drain(world, recorder, limits, lasso)?;
        let now = standing(world);
        if let Some(before) = drained.iter().position(|earlier| *earlier == now) {
            let last = drained.len() - 1;
            if first_alike(&drained, last) <= before {
                // Whatever timers still do, replicas and clients stay as they
                // are: those rounds are not part of the story.
                recorder.forget_after(ends[first_alike(&drained, before)]);
                return Ok(());
            }
            return Err(Stop::Ending(Ending::Oscillating { from: ends[before] }));
        }
        if drained.len() > limits.rounds {
            let why = format!("timers still changed something after {} rounds", limits.rounds);
            return Err(Stop::Ending(Ending::Unsettled(why)));
        }
        drained.push(now);
        ends.push(recorder.length());
    }
}

/// How a drained cluster stands: its replicas, how many operations wait, and
/// which timers are armed. Timers count because one may arm another that
/// changes more than it did.
type Drained<R> = (Vec<R>, usize, Vec<SmallVec<[TimerId; 2]>>);

fn standing<S: Strategy>(world: &World<'_, S>) -> Drained<S::Replica> {
    let replicas = world.nodes.iter().map(|node| node.replica.clone()).collect();
    let timers = world.nodes.iter().map(|node| node.timers.clone()).collect();
    (replicas, world.unanswered(), timers)
}

/// The first of the states before `last`, without a gap, that differ from it
/// in nothing but timers.
fn first_alike<R: PartialEq>(drained: &[Drained<R>], last: usize) -> usize {
    let alike = |state: &&Drained<R>| (&state.0, state.1) == (&drained[last].0, drained[last].1);
    last - drained[..last].iter().rev().take_while(alike).count()
}

fn drain<S: Strategy>(
    world: &mut World<'_, S>,
    recorder: &mut Recorder<'_, S>,
    limits: SettleLimits,
    lasso: Lasso,
) -> Result<(), Stop> {
    let network = world.setting.network;
    let mut deliveries = Vec::new();
    // Brent: compare with one earlier state, replaced at powers of two.
    let mut anchor = (lasso == Lasso::Find).then(|| (world.nodes.clone(), recorder.length()));
    let mut next_anchor = 1;
    for count in 1..=limits.deliveries {
        deliveries.clear();
        world.deliveries(&mut deliveries);
        let Some(oldest) = deliveries.first() else { return Ok(()) };
        let in_flight = world.nodes.iter().map(|node| node.inbox.len()).sum::<usize>();
        if in_flight > limits.in_flight {
            let why = format!("more than {} messages are in flight", limits.in_flight);
            return Err(Stop::Ending(Ending::Unsettled(why)));
        }
        recorder.perform(world, oldest, true)?;
        match &anchor {
            None if count == LONG_DRAIN => return Err(Stop::Long),
            Some((earlier, from)) if repeats::<S>(earlier, &world.nodes, network) => {
                return Err(Stop::Ending(Ending::NeverQuiet { from: *from }));
            }
            _ => {}
        }
        if anchor.is_some() && count == next_anchor {
            anchor = Some((world.nodes.clone(), recorder.length()));
            next_anchor *= 2;
        }
    }
    let why = format!("messages still arrived after {} deliveries", limits.deliveries);
    Err(Stop::Ending(Ending::Unsettled(why)))
}

/// Whether what led from `earlier` to `now` can happen again from `now`.
fn repeats<S: Strategy>(earlier: &[NodeOf<S>], now: &[NodeOf<S>], network: Network) -> bool
where
    NodeOf<S>: Clone,
{
    let same = |(a, b): (&NodeOf<S>, &NodeOf<S>)| {
        let grown = match network {
            Network::Fifo => a.inbox.len() == b.inbox.len(),
            Network::Unordered => a.inbox.len() <= b.inbox.len(),
        };
        grown && a.replica == b.replica && a.timers == b.timers
    };
    let contents = |(a, b): (&NodeOf<S>, &NodeOf<S>)| {
        let (a, b) = (a.canonical_inbox(network), b.canonical_inbox(network));
        match network {
            Network::Fifo => a == b,
            Network::Unordered => includes(&b, &a),
        }
    };
    earlier.iter().zip(now).all(same) && earlier.iter().zip(now).all(contents)
}

/// Whether the sorted `large` has everything in the sorted `small`, as often.
fn includes<T: Ord>(large: &[T], small: &[T]) -> bool {
    let mut large = large.iter();
    small.iter().all(|wanted| large.any(|have| have == wanted))
}

/// Reads every key at every node that serves reads, each in a world of its
/// own, as operations of fresh processes. Returns how many were not answered.
pub(super) fn final_reads<S: Strategy>(
    world: &mut World<'_, S>,
    limits: SettleLimits,
) -> Result<usize, Panicked> {
    let cluster = world.cluster();
    let mut session = u16::try_from(world.sessions.len()).expect("sessions are few");
    let mut unanswered = 0;
    for key in world.workload.keys() {
        for node in cluster.nodes() {
            let call = crate::history::Call::read(key.clone());
            if !world.strategy.serves(&call, node, &cluster) {
                continue;
            }
            let operation = OperationId { session, number: 0 };
            session += 1;
            let answer = final_read(world, operation, node, &call, limits)?;
            let process = ProcessId(world.next_process());
            let time = world.later();
            let recorded =
                world.history.invoke(process, time, call).expect("a fresh process at the end");
            recorded.node = Some(node);
            world.operations.push(operation);
            match answer {
                Some(value) => {
                    let time = world.later();
                    world.history.ok_final(process, time, value).expect("the read is open");
                }
                None => unanswered += 1,
            }
        }
    }
    Ok(unanswered)
}

fn final_read<S: Strategy>(
    world: &mut World<'_, S>,
    operation: OperationId,
    node: NodeId,
    call: &crate::history::Call,
    limits: SettleLimits,
) -> Result<Option<Value>, Panicked> {
    let facts = || world.facts.clone();
    let asked = ask(world.strategy, &world.nodes, world.now, operation, node, call, limits, facts)?;
    let Some(answer) = asked else { return Ok(None) };
    answer.record(&mut world.facts, operation);
    Ok(Some(answer.value))
}

/// The answer to one final read.
pub(crate) struct FinalAnswer {
    pub(crate) value: Value,
    visible: Visible,
    /// Who answered.
    node: NodeId,
    /// What was visible in the fork; none if the answer came at once.
    facts: Option<super::Facts>,
}

impl FinalAnswer {
    /// Adds to `facts` what the answer took into account.
    pub(crate) fn record(&self, facts: &mut super::Facts, operation: OperationId) {
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
#[expect(clippy::too_many_arguments, reason = "a question, and the cluster it is asked of")]
pub(crate) fn ask<S: Strategy>(
    strategy: &S,
    nodes: &[NodeOf<S>],
    now: u64,
    operation: OperationId,
    node: NodeId,
    call: &crate::history::Call,
    limits: SettleLimits,
    facts: impl FnOnce() -> super::Facts,
) -> Result<Option<FinalAnswer>, Panicked> {
    let mut effects = Effects::new();
    let request = LocalInput::Request(operation, call.clone(), S::Token::default());
    // Most protocols answer at once: then only one node need be copied.
    let mut asked = nodes[node.index()].clone();
    local_step(strategy, &mut asked, request, now, &mut effects)?;
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
            if delivered > limits.deliveries {
                return Ok(None);
            }
            let receiver = &mut fork.nodes[to.index()];
            local_step(strategy, receiver, LocalInput::Deliver(0), now, &mut effects)?;
            if let Some((value, visible)) = answer(operation, &effects) {
                fork.carry_out(to, &mut effects)?;
                let facts = Some(fork.facts);
                return Ok(Some(FinalAnswer { value, visible, node: to, facts }));
            }
            fork.carry_out(to, &mut effects)?;
        }
        fork.waiting.clear();
        for to in (0..).take(nodes.len()).map(NodeId) {
            for timer in fork.nodes[to.index()].timers.clone() {
                let local = &mut fork.nodes[to.index()];
                local_step(strategy, local, LocalInput::Fire(timer), now, &mut effects)?;
                fork.carry_out(to, &mut effects)?;
            }
        }
        if fork.waiting.is_empty() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// A copy of the settled cluster in which one final read runs.
struct Fork<S: Strategy> {
    nodes: Vec<NodeOf<S>>,
    facts: super::Facts,
    /// The receivers of messages in flight, in order of sending. Inboxes were
    /// empty, so a receiver's next message is its first.
    waiting: Vec<NodeId>,
}

impl<S: Strategy> Fork<S> {
    fn carry_out(&mut self, node: NodeId, effects: &mut Effects<S>) -> Result<(), Panicked> {
        for (write, stamp) in effects.visible.drain(..) {
            self.facts.visible(node, write, stamp);
        }
        for (to, message) in effects.sends.drain(..) {
            let Some(receiver) = self.nodes.get_mut(to.index()) else {
                return Err(Panicked(format!("a message was sent to {to}, which does not exist")));
            };
            receiver.inbox.push((node, message));
            self.waiting.push(to);
        }
        Ok(())
    }
}

fn answer<S: Strategy>(operation: OperationId, effects: &Effects<S>) -> Option<(Value, Visible)> {
    effects.replies.iter().find_map(|reply| match &reply.completion {
        Completion::Ok(value) if reply.operation == operation => {
            Some((value.clone(), reply.visible.clone()))
        }
        _ => None,
    })
}
