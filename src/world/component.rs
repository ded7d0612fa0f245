//! One node with its inbox: the component of which worlds are made.
//!
//! Invariant (the law of locality): [`local_step`] reads and writes one node and
//! its inbox; messages to other nodes leave as effects. A node contains no message
//! identities and no history, so two equal nodes behave equally for ever. This
//! allows a search to remember steps.

use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustc_hash::FxHasher;
use smallvec::SmallVec;

use crate::history::{Call, NodeId};
use crate::replication::erased::{AnyMessage, AnyReplica, AnyStrategy, AnyToken};
use crate::replication::{
    Arming, Cluster, Effects, ImageId, Input, OperationId, Strategy, TimerId,
};

use super::Network;
use super::clock::{Clock, Hands};
use super::disk::Disk;
use super::fault::{FaultPlan, InboxOnCrash, Kind as FaultKind, Strike};

/// A replica with its inbox, its armed timers and its condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What the strategy keeps here.
    pub replica: AnyReplica,
    /// Messages that have been sent and not yet delivered, oldest first.
    pub inbox: Vec<(NodeId, AnyMessage)>,
    /// Armed timers, ascending.
    pub(crate) timers: SmallVec<[TimerId; 2]>,
    /// Whether the node is running.
    pub up: bool,
    /// Whether it will never run again.
    pub gone: bool,
    /// Its disk, if the strategy writes to one.
    pub(crate) disk: Option<Disk>,
    /// Senders whose link to this node is cut, one bit per node.
    pub cut: u64,
    /// Nodes on the other side of a partition, one bit per node; none if there is none.
    pub parted: u64,
    /// How far the node's clock is off, in units of [`CLOCK_UNIT`] ticks.
    pub skew: i32,
    /// A clock that ticks by itself, if the strategy has deadlines; not off then.
    pub(crate) clock: Option<Clock>,
}

/// One unit of clock skew, in ticks: more than the actions of a short run,
/// each of which takes one tick.
pub const CLOCK_UNIT: i64 = 10_000;

/// What can happen at one node. Positions are positions in its inbox.
#[non_exhaustive]
pub enum LocalInput {
    /// The cluster begins.
    Start,
    /// A client asks.
    Request(OperationId, Call, AnyToken),
    /// A message is handed to the replica.
    Deliver(usize),
    /// A message is lost.
    Drop(usize),
    /// A message is there twice.
    Duplicate(usize),
    /// A timer fires.
    Fire(TimerId),
    /// The oldest image on its way to disk is flushed.
    Flush,
    /// The clock ticks.
    Tick,
    /// A fault strikes; a crash does this to waiting messages.
    Strike(Strike, InboxOnCrash),
    /// The node starts again.
    Recover,
    /// Messages from a node are let through again.
    Heal(NodeId),
    /// The partition is over.
    Unite,
    /// A client no longer waits.
    Cancel(OperationId),
}

/// A handler panicked; this is what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

/// The node as the cluster begins, before `Start`; the plan says how far clocks are
/// off.
pub fn boot(strategy: &AnyStrategy, node: NodeId, cluster: &Cluster, plan: &FaultPlan) -> Node {
    let offset = plan.offset(node);
    let ticks = strategy.has_deadlines();
    let clock = ticks.then(|| {
        let least = cluster.nodes().map(|node| plan.offset(node)).min().unwrap_or(offset);
        Clock::at(u64::from(offset.abs_diff(least)), plan.lose_clock)
    });
    let replica = strategy.boot(node, cluster);
    let disk = strategy.writes_disk().then(|| Disk::of(strategy.durable(&replica)));
    Node {
        replica,
        inbox: Vec::new(),
        timers: SmallVec::new(),
        up: true,
        gone: false,
        disk,
        cut: 0,
        parted: 0,
        skew: if ticks { 0 } else { offset },
        clock,
    }
}

/// Lets `input` happen at `node`, at true time `now` (in ticks). Empties `effects`
/// first, then leaves in it what the strategy wants done outside the node.
///
/// # Errors
/// [`Panicked`] if the strategy's handler panicked, sent to a node that is not
/// in the cluster, wrote to a disk that there is not, or set a deadline without a
/// clock; the node is then unusable.
pub fn local_step(
    strategy: &AnyStrategy,
    cluster: Cluster,
    node: &mut Node,
    input: LocalInput,
    now: u64,
    effects: &mut Effects<AnyStrategy>,
) -> Result<(), Panicked> {
    effects.clear();
    let clock = if let Some(clock) = &node.clock {
        clock.reading()
    } else if strategy.reads_clock() {
        now.saturating_add_signed(CLOCK_UNIT * (10 + i64::from(node.skew)))
    } else {
        0
    };
    let Some(input) = told(strategy, node, input, clock)? else { return Ok(()) };
    guard(|| strategy.step(&mut node.replica, input, effects))?;
    if let Some((to, _)) = effects.sends().iter().find(|(to, _)| to.index() >= cluster.size()) {
        return Err(Panicked(format!("a message was sent to {to}, which does not exist")));
    }
    set_timers(node, effects.timers())?;
    if !effects.images().is_empty() {
        let image = guard(|| strategy.durable(&node.replica))?;
        let Some(disk) = &mut node.disk else { return Err(Panicked(NO_DISK.to_owned())) };
        effects.images().iter().for_each(|id| disk.send(*id, image.clone()));
    }
    Ok(())
}

/// Lets `input` happen to the node, but for its replica, and says what the
/// strategy is told of it; `None` if nothing.
fn told(
    strategy: &AnyStrategy,
    node: &mut Node,
    input: LocalInput,
    clock: u64,
) -> Result<Option<Input<AnyStrategy>>, Panicked> {
    Ok(Some(match input {
        LocalInput::Start => Input::Start,
        LocalInput::Request(operation, call, token) => {
            Input::Request { operation, call, token, clock }
        }
        LocalInput::Deliver(position) => {
            let (from, message) = node.inbox.remove(position);
            Input::Receive { from, message, clock }
        }
        LocalInput::Fire(timer) => {
            node.timers.retain(|armed| *armed != timer);
            Input::Timer(timer)
        }
        LocalInput::Tick => {
            node.clock.as_mut().expect("a clock ticks").tick();
            return Ok(None);
        }
        LocalInput::Recover => {
            node.up = true;
            Input::Recovered
        }
        LocalInput::Cancel(operation) => Input::Cancelled(operation),
        LocalInput::Strike(Strike::Suspect(suspect), _) => Input::Suspect(suspect),
        LocalInput::Strike(Strike::Command(command), _) => Input::Command(command),
        LocalInput::Flush => Input::Persisted(flush(node, false)),
        LocalInput::Strike(Strike::LostFlush, _) => Input::Persisted(flush(node, true)),
        LocalInput::Strike(Strike::Crash, inbox) => {
            crash(strategy, node, inbox)?;
            return Ok(None);
        }
        LocalInput::Strike(Strike::Kill, _) => {
            (node.up, node.gone, node.cut) = (false, true, 0);
            node.forget_timers();
            node.discard_waiting();
            return Ok(None);
        }
        LocalInput::Drop(position) => {
            node.inbox.remove(position);
            return Ok(None);
        }
        LocalInput::Duplicate(position) => {
            let copy = node.inbox[position].clone();
            node.inbox.push(copy);
            return Ok(None);
        }
        LocalInput::Strike(Strike::Cut(from), _) => {
            node.cut |= 1 << from.0;
            return Ok(None);
        }
        LocalInput::Heal(from) => {
            node.cut &= !(1 << from.0);
            return Ok(None);
        }
        LocalInput::Strike(Strike::Partition(split), _) => {
            node.parted = split.across(NodeId(0));
            return Ok(None);
        }
        LocalInput::Unite => {
            node.parted = 0;
            return Ok(None);
        }
        LocalInput::Strike(Strike::Tick, _) => {
            node.skew += 1;
            return Ok(None);
        }
        LocalInput::Strike(Strike::JumpBack, _) => {
            node.skew -= 1;
            return Ok(None);
        }
    }))
}

/// The node goes down and keeps what is durable.
fn crash(strategy: &AnyStrategy, node: &mut Node, inbox: InboxOnCrash) -> Result<(), Panicked> {
    node.up = false;
    node.forget_timers();
    node.clock.iter_mut().for_each(Clock::crash);
    if inbox == InboxOnCrash::Lost {
        node.inbox.clear();
    }
    node.replica = match &mut node.disk {
        Some(disk) => disk.crash(),
        None => guard(|| strategy.durable(&node.replica))?,
    };
    Ok(())
}

/// How many commands an operator has.
pub(super) fn commands(strategy: &AnyStrategy, cluster: Cluster) -> u16 {
    u16::try_from(strategy.commands(&cluster).len()).unwrap_or(u16::MAX)
}

/// Why a strategy cannot write to a disk.
const NO_DISK: &str = "an image was sent to a disk, and the strategy does not say that it has one";

/// Ends the oldest flush of a node.
fn flush(node: &mut Node, lost: bool) -> ImageId {
    node.disk.as_mut().expect("a flush needs a disk").flush(lost)
}

/// Why a strategy cannot set a deadline.
const NO_CLOCK: &str = "a deadline was set, and the strategy does not say that it has any";

/// Arms and disarms timers in the order in which that was asked for.
fn set_timers(node: &mut Node, wanted: &[Arming]) -> Result<(), Panicked> {
    for &arming in wanted {
        match arming {
            Arming::Armed(timer) => node.arm(timer),
            Arming::ArmedAt(timer, deadline) => {
                let Some(clock) = &mut node.clock else {
                    return Err(Panicked(NO_CLOCK.to_owned()));
                };
                clock.wait(timer, deadline);
                node.arm(timer);
            }
            Arming::Disarmed(timer) => {
                node.timers.retain(|armed| *armed != timer);
                node.clock.iter_mut().for_each(|clock| clock.forget(timer));
            }
        }
    }
    Ok(())
}

/// Runs a strategy's code and turns a panic into a value.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Panicked(text.unwrap_or_else(|| "a panic without a message".to_owned()))
    })
}

/// Why nothing can happen to a node.
const GONE: &str = "the node is gone for good";

impl Node {
    /// Why `input` cannot happen here now, if it cannot.
    pub fn refuses(&self, input: &LocalInput, network: Network) -> Option<&'static str> {
        let needs_running = matches!(
            input,
            LocalInput::Request(..)
                | LocalInput::Deliver(_)
                | LocalInput::Fire(_)
                | LocalInput::Flush
                | LocalInput::Strike(
                    Strike::Crash | Strike::Suspect(_) | Strike::LostFlush | Strike::Command(_),
                    _,
                )
        );
        if needs_running && !self.up {
            return Some(if self.gone { GONE } else { "the node is down" });
        }
        match input {
            LocalInput::Strike(Strike::Partition(_), _) => {
                (self.parted != 0).then_some("the network is split already")
            }
            LocalInput::Unite => (self.parted == 0).then_some("the network is not split"),
            LocalInput::Strike(..) | LocalInput::Recover | LocalInput::Tick if self.gone => {
                Some(GONE)
            }
            LocalInput::Flush | LocalInput::Strike(Strike::LostFlush, _) => {
                (self.flushing() == 0).then_some("nothing is on its way to disk")
            }
            LocalInput::Deliver(position) => {
                let free = self.deliverable(network).any(|at| at == *position);
                (!free).then_some("the message is held back")
            }
            LocalInput::Fire(timer) if self.timers.contains(timer) => {
                (!self.is_due(*timer)).then_some("the deadline of the timer has not come")
            }
            LocalInput::Fire(_) => Some("the timer is not armed"),
            LocalInput::Tick => self.clock.is_none().then_some("clocks do not tick by themselves"),
            LocalInput::Strike(Strike::Tick | Strike::JumpBack, _) => {
                self.clock.is_some().then_some("clocks tick by themselves")
            }
            LocalInput::Recover => self.up.then_some("the node is not down"),
            LocalInput::Strike(Strike::Cut(from), _) => {
                self.has_cut(*from).then_some("the link is cut already")
            }
            LocalInput::Heal(from) => (!self.has_cut(*from)).then_some("the link is not cut"),
            _ => None,
        }
    }

    /// How many images are on their way to disk.
    pub fn flushing(&self) -> usize {
        self.disk.as_ref().map_or(0, Disk::waiting)
    }

    /// Discards the messages that wait here, and what is on its way to disk.
    pub(crate) fn discard_waiting(&mut self) {
        self.inbox.clear();
        self.disk.iter_mut().for_each(Disk::stop);
    }

    /// Discards the messages that cut links hold back.
    pub(crate) fn lose_held(&mut self) {
        let cut = self.held_back();
        self.inbox.retain(|(from, _)| cut & (1 << from.0) == 0);
    }

    /// Whether what is sent here from `from` is lost at once: the node is gone for
    /// good, or the link is cut and links that are cut stay cut (are `severed`).
    pub(crate) fn is_lost(&self, from: NodeId, severed: bool) -> bool {
        self.gone || (severed && self.is_cut_off(from))
    }

    /// Whether it is running and connected or gone for good, and nothing waits
    /// here but messages, if there are any. A link that is cut for ever
    /// (`severed`) is as good as none.
    pub(crate) fn is_calm(&self, severed: bool) -> bool {
        self.gone || (self.up && (severed || self.held_back() == 0) && self.flushing() == 0)
    }

    /// The armed timers, ascending.
    pub fn armed(&self) -> &[TimerId] {
        &self.timers
    }

    /// The armed timers that may fire, ascending: their deadlines have come, if they
    /// have any.
    pub fn due(&self) -> impl Iterator<Item = TimerId> + '_ {
        self.timers.iter().copied().filter(|timer| self.is_due(*timer))
    }

    fn is_due(&self, timer: TimerId) -> bool {
        self.clock.as_ref().is_none_or(|clock| clock.is_due(timer))
    }

    /// What decides whether clocks may tick; `None` if this one does not do so by
    /// itself.
    pub(crate) fn hands(&self) -> Option<Hands> {
        let clock = self.clock.as_ref()?;
        let reading = if self.gone { u64::MAX } else { clock.reading() };
        Some(Hands { reading, last: clock.last() })
    }

    fn arm(&mut self, timer: TimerId) {
        if let Err(place) = self.timers.binary_search(&timer) {
            self.timers.insert(place, timer);
        }
    }

    /// No timer is armed any more.
    fn forget_timers(&mut self) {
        self.timers.clear();
        self.clock.iter_mut().for_each(Clock::forget_all);
    }

    /// Whether messages from `from` are held back.
    pub fn is_cut_off(&self, from: NodeId) -> bool {
        self.held_back() & (1 << from.0) != 0
    }

    /// Whether the link from `from` is cut by itself.
    fn has_cut(&self, from: NodeId) -> bool {
        self.cut & (1 << from.0) != 0
    }

    /// The senders whose messages are held back, one bit per node.
    pub fn held_back(&self) -> u64 {
        self.cut | self.parted
    }

    /// The faults of a kind that may strike this node, called `me`, in
    /// canonical order.
    pub fn mishaps(
        &self,
        kind: FaultKind,
        me: NodeId,
        cluster: Cluster,
        strategy: &AnyStrategy,
    ) -> Vec<Strike> {
        let commands = || commands(strategy, cluster);
        let mut all = Strike::all(kind, cluster.others(me), commands);
        // Whether they may does not depend on the network, nor on the inbox.
        all.retain(|strike| {
            let input = LocalInput::Strike(*strike, InboxOnCrash::default());
            self.refuses(&input, Network::Unordered).is_none()
        });
        all
    }

    /// The inbox positions that may be delivered next: on a FIFO network the oldest
    /// message of each sender, otherwise all; none of a sender whose link is cut.
    pub fn deliverable(&self, network: Network) -> impl Iterator<Item = usize> + '_ {
        let mut seen = self.held_back();
        self.inbox.iter().enumerate().filter_map(move |(position, (from, _))| {
            let bit = 1 << from.0;
            let free = self.up && seen & bit == 0;
            if network == Network::Fifo {
                seen |= bit;
            }
            free.then_some(position)
        })
    }

    /// A hash of this node. The order of the inbox counts only as far as the
    /// network keeps it.
    pub fn fingerprint(&self, network: Network) -> u64 {
        let mut hasher = FxHasher::default();
        self.replica.hash(&mut hasher);
        self.timers.hash(&mut hasher);
        (self.up, self.gone, self.cut, self.parted, self.skew).hash(&mut hasher);
        (&self.disk, &self.clock).hash(&mut hasher);
        let mut contents = 0_u64;
        for (position, (from, message)) in self.inbox.iter().enumerate() {
            let mut one = FxHasher::default();
            (from, message).hash(&mut one);
            if network == Network::Fifo {
                self.inbox[..position]
                    .iter()
                    .filter(|(other, _)| other == from)
                    .count()
                    .hash(&mut one);
            }
            contents = contents.wrapping_add(one.finish().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        contents.hash(&mut hasher);
        hasher.finish()
    }

    /// The inbox in a canonical order: sorted by sender on a FIFO network, and
    /// entirely on an unordered one. Two inboxes from which the same deliveries
    /// are possible have the same canonical order.
    pub fn canonical_inbox(&self, network: Network) -> Vec<(NodeId, AnyMessage)> {
        let mut inbox = self.inbox.clone();
        match network {
            Network::Fifo => inbox.sort_by_key(|(from, _)| *from),
            Network::Unordered => inbox.sort(),
        }
        inbox
    }
}
