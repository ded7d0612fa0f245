//! How a run ends: clients ask nothing more, all nodes recover and links heal,
//! and the cluster may become quiet. Then the final reads are asked.
//!
//! Settling recovers and heals, *drains* (flushes and delivers, oldest first,
//! until nothing is in flight or on its way to disk), then goes in *rounds* (lets the
//! lowest clocks tick if a deadline is ahead of any, fires every timer that is due once,
//! drains) until replicas, readings, waiting clients and armed timers repeat. If every
//! node gives the same answers in all states of that cycle, the cluster is
//! quiet, even if timers go on changing state that no client can see; otherwise
//! it oscillates. Nothing here is chosen: settling follows from the state.
//!
//! A drain that repeats a state goes on for ever. It is reported as a lasso: the
//! way to the cycle, and the cycle. On an unordered network a drain also goes on
//! for ever if it comes back to the same replicas with more in flight, because
//! the deliveries that led there are all possible again.

use crate::history::NodeId;
use crate::replication::erased::AnyMessage;

use super::clock::Hands;
use super::component::{Node, Panicked};
use super::finals::answers_of;
use super::perform::{NotEnabled, World};
use super::recorder::Recorder;
use super::{Action, Network, SettleLimits};

/// How a run ended. `from` is a length of the schedule: the steps after it
/// are the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Quiet; final reads were issued.
    Settled,
    /// Deliveries alone go on for ever.
    NeverQuiet {
        /// Where the cycle begins.
        from: usize,
        /// Whether more is in flight after it than before. Then it goes on for
        /// ever, but not for ever in the same way.
        grows: bool,
    },
    /// Timers change replicas back and forth for ever.
    Oscillating {
        /// Where the cycle begins.
        from: usize,
    },
    /// A chosen cycle that can go on for ever. See [`super::repeat`].
    Cycle {
        /// Where the cycle begins.
        from: usize,
        /// Whether nothing but deliveries happens in it.
        deliveries_only: bool,
        /// Whether final reads are answered differently along it.
        answers_change: bool,
        /// Whether settling would lead to other answers: then the cluster can
        /// leave the cycle, though nothing makes it.
        way_out: bool,
    },
    /// A handler panicked, saying this.
    Panicked(String),
    /// The run was to break this `always` invariant, and did.
    Broken(&'static str),
    /// Settling took too long; nothing is known.
    Unsettled(String),
}

/// Deliveries in one drain after which it is worth looking for a lasso, which
/// costs a copy of the world. The run is then executed again, with the search for
/// a lasso from the beginning of the drain, so that the reported lasso is early.
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
    /// What the run was to show has been shown.
    Over,
    /// The action was not possible.
    Impossible,
}

impl From<Panicked> for Stop {
    fn from(Panicked(text): Panicked) -> Self {
        Stop::Ending(Ending::Panicked(text))
    }
}

impl From<NotEnabled> for Stop {
    fn from(error: NotEnabled) -> Self {
        match error {
            NotEnabled::Panicked(panicked) => panicked.into(),
            NotEnabled::Impossible(_) => Stop::Impossible,
        }
    }
}

/// Settles; says how that ended.
pub(super) fn settle(
    world: &mut World<'_>,
    recorder: &mut Recorder<'_>,
    limits: SettleLimits,
    lasso: Lasso,
) -> Result<(), Stop> {
    let mut actions = Vec::new();
    world.repairs(&mut actions);
    // Recoveries first: a healed link then finds its receiver running.
    actions.sort_by_key(Action::heals);
    for action in actions {
        go(world, recorder, &action)?;
    }
    drain(world, recorder, limits, lasso)?;
    let mut rounds = Rounds::default();
    let mut drained: Vec<(World<'_>, usize)> = Vec::new();
    loop {
        let nodes = world.nodes.iter();
        let replicas: Vec<_> =
            nodes.clone().map(|node| (node.replica.clone(), node.hands())).collect();
        let timers: Vec<_> = nodes.map(|node| (node.timers.clone(), node.clock.clone())).collect();
        let calm = timers.iter().all(|(armed, _)| armed.is_empty());
        if calm && drained.is_empty() {
            return Ok(());
        }
        drained.push((world.clone(), recorder.length()));
        let end = match rounds.add((replicas, world.unanswered()), timers, calm) {
            Round::Another if drained.len() > limits.rounds => {
                let why = format!("timers still changed something after {} rounds", limits.rounds);
                return Err(Stop::Ending(Ending::Unsettled(why)));
            }
            Round::Another => {
                tick_and_fire(world, recorder)?;
                drain(world, recorder, limits, lasso)?;
                continue;
            }
            Round::Ends(at) => at,
            Round::Repeats(from) => {
                same_answers(&drained[from..], recorder)?;
                from
            }
        };
        // The rounds that changed nothing are dropped from the schedule: they
        // would only lengthen it. But if what the run has to show (a broken
        // invariant, say) happened in one of them, they are kept up to there.
        // Final reads are asked in the settled state either way.
        let shown = recorder.shown();
        let kept = (end..drained.len()).find(|at| drained[*at].1 >= shown).unwrap_or(end);
        recorder.forget_after(drained[kept].1);
        *world = drained.swap_remove(end).0;
        return Ok(());
    }
}

/// Begins a round: the lowest clocks tick, then every timer that is due fires.
fn tick_and_fire(world: &mut World<'_>, recorder: &mut Recorder<'_>) -> Result<(), Stop> {
    let mut lowest = None;
    while let Some(place) = Hands::to_tick(world.nodes.iter().filter_map(Node::hands), &mut lowest)
    {
        let node = world.cluster().nodes().nth(place).expect("it has a clock");
        go(world, recorder, &Action::Tick(node))?;
    }
    let mut due = Vec::new();
    world.timers(&mut due);
    for timer in due {
        // An earlier one of this round may have disarmed it.
        match go(world, recorder, &timer) {
            Err(Stop::Impossible) | Ok(()) => {}
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// Fails with [`Ending::Oscillating`] unless every node gives the same answers in
/// each of these drained states. They are a cycle: the last equals the first.
fn same_answers(cycle: &[(World<'_>, usize)], recorder: &mut Recorder<'_>) -> Result<(), Stop> {
    let [(first, from), .., (last, _)] = cycle else { unreachable!("it comes back to the first") };
    let answers = answers_of(first)?;
    for (world, _) in cycle {
        if answers_of(world)? != answers {
            recorder.visit(first, *from, &last.facts)?;
            return Err(Stop::Ending(Ending::Oscillating { from: *from }));
        }
    }
    Ok(())
}

/// Takes a step of settling.
fn go(world: &mut World<'_>, recorder: &mut Recorder<'_>, action: &Action) -> Result<(), Stop> {
    recorder.perform(world, action, true)?;
    if recorder.is_over() { Err(Stop::Over) } else { Ok(()) }
}

/// The drained states that settling goes through, each a round of timers after the
/// one before. Two states are equal if replicas (or numbers that stand for them),
/// waiting operations and armed timers are equal. Timers have to be compared
/// because a timer may change nothing except arm another one, which changes a
/// replica in the next round.
pub(crate) struct Rounds<A, T> {
    seen: Vec<(A, T)>,
}

/// What comes after a drained state.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Another round.
    Another,
    /// The end. This is the position of the first state from which on timers
    /// changed no replica.
    Ends(usize),
    /// The states from this position on repeat, and their replicas differ.
    Repeats(usize),
}

impl<A, T> Default for Rounds<A, T> {
    fn default() -> Self {
        Rounds { seen: Vec::new() }
    }
}

impl<A: PartialEq, T: PartialEq> Rounds<A, T> {
    /// Adds a drained state. `calm` says that no timer is armed in it.
    pub(crate) fn add(&mut self, matters: A, timers: T, calm: bool) -> Round {
        let state = (matters, timers);
        let before = self.seen.iter().position(|earlier| *earlier == state);
        self.seen.push(state);
        let last = self.seen.len() - 1;
        match before {
            _ if calm => Round::Ends(self.first_alike(last)),
            None => Round::Another,
            Some(before) if self.first_alike(last) <= before => {
                Round::Ends(self.first_alike(before))
            }
            Some(before) => Round::Repeats(before),
        }
    }

    /// The first of the unbroken series of states up to `last` that differ from
    /// it in timers only.
    fn first_alike(&self, last: usize) -> usize {
        let alike = |state: &&(A, T)| state.0 == self.seen[last].0;
        last - self.seen[..last].iter().rev().take_while(alike).count()
    }
}

fn drain(
    world: &mut World<'_>,
    recorder: &mut Recorder<'_>,
    limits: SettleLimits,
    lasso: Lasso,
) -> Result<(), Stop> {
    let network = world.setting.network;
    let mut deliveries = Vec::new();
    // Brent's algorithm finds a cycle by comparing with one earlier state, which
    // is replaced after 1, 2, 4, … deliveries.
    let mut anchor = (lasso == Lasso::Find).then(|| (world.clone(), recorder.length()));
    let mut next_anchor = 1;
    // The messages delivered since then: receiver, sender and content.
    let mut delivered = Vec::new();
    for count in 1..=limits.deliveries {
        deliveries.clear();
        world.deliveries(&mut deliveries);
        let Some(oldest) = deliveries.first() else { return Ok(()) };
        let in_flight = world.nodes.iter().map(|node| node.inbox.len()).sum::<usize>();
        if in_flight > limits.in_flight {
            let why = format!("more than {} messages are in flight", limits.in_flight);
            return Err(Stop::Ending(Ending::Unsettled(why)));
        }
        if anchor.is_some() {
            delivered.extend(content(world, oldest));
        }
        go(world, recorder, oldest)?;
        match &anchor {
            None if count == LONG_DRAIN => return Err(Stop::Long),
            Some((earlier, from))
                if repeats(&earlier.nodes, &world.nodes, network)
                    && is_just(earlier, &delivered) =>
            {
                recorder.visit(earlier, *from, &world.facts)?;
                let inboxes = earlier.nodes.iter().zip(&world.nodes);
                let grows = inboxes.into_iter().any(|(a, b)| a.inbox.len() < b.inbox.len());
                return Err(Stop::Ending(Ending::NeverQuiet { from: *from, grows }));
            }
            _ => {}
        }
        if anchor.is_some() && count == next_anchor {
            anchor = Some((world.clone(), recorder.length()));
            next_anchor *= 2;
            delivered.clear();
        }
    }
    let why = format!("messages still arrived after {} deliveries", limits.deliveries);
    Err(Stop::Ending(Ending::Unsettled(why)))
}

/// A message by receiver, sender and content. Justice is about contents: which of
/// two equal messages is delivered makes no difference.
type Content<M> = (NodeId, NodeId, M);

fn content(world: &World<'_>, action: &Action) -> Option<Content<AnyMessage>> {
    let (to, id) = action.message()?;
    let (name, message) = world.message(to, *id)?;
    Some((to, name.from, message.clone()))
}

/// Whether every message in flight where a cycle begins is delivered in it. If one
/// is not, its delivery might end the cycle, so this is not proof of an endless
/// run: two nodes may play ping-pong while a third message says "stop".
fn is_just(begins: &World<'_>, delivered: &[Content<AnyMessage>]) -> bool {
    begins.in_flight().all(|(name, message)| {
        delivered
            .iter()
            .any(|(to, from, other)| (*to, *from) == (name.to, name.from) && other == message)
    })
}

/// Whether the deliveries that led from `earlier` to `now` are all possible again
/// from `now`: replicas and timers are equal, and at least the same messages are
/// in flight (on FIFO links exactly the same, in the same order).
fn repeats(earlier: &[Node], now: &[Node], network: Network) -> bool
where
    Node: Clone,
{
    let same = |(a, b): (&Node, &Node)| {
        let grown = match network {
            Network::Fifo => a.inbox.len() == b.inbox.len(),
            Network::Unordered => a.inbox.len() <= b.inbox.len(),
        };
        grown
            && a.replica == b.replica
            && a.timers == b.timers
            && a.disk == b.disk
            && a.clock == b.clock
    };
    let contents = |(a, b): (&Node, &Node)| {
        let (a, b) = (a.canonical_inbox(network), b.canonical_inbox(network));
        match network {
            Network::Fifo => a == b,
            Network::Unordered => includes(&b, &a),
        }
    };
    earlier.iter().zip(now).all(same) && earlier.iter().zip(now).all(contents)
}

/// Whether the sorted `large` contains the sorted `small`, as multisets.
fn includes<T: Ord>(large: &[T], small: &[T]) -> bool {
    let mut large = large.iter();
    small.iter().all(|wanted| large.any(|have| have == wanted))
}
