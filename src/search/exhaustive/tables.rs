//! Components and what happens to them: the one part of the search that calls
//! the strategy, and only when a component meets an input for the first time.
//!
//! Invariant: two components have the same number exactly if they are equal,
//! so a remembered step is the step. Everything is kept by the entry that
//! [`Numbers`] missed; it does not know which states there are.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::history::NodeId;
use crate::replication::erased::AnyStrategy;
use crate::replication::{Cluster, Effects, Strategy, TimerId};
use crate::world::component::{LocalInput, Node, Panicked, boot, local_step};
use crate::world::{Action, FaultKind, Network, Setting, Split, Strike, World};

use super::answers::Answers;
use super::clients::Clients;
use super::numbered::{Id, Numbered, count};
use super::numbers::{IMPOSSIBLE, Label, Miss, Move, Numbers, PANICS, Place, Sort, Span, UNASKED};
use super::parts::{
    Ask, Component, Event, Held, Inbox, Message, Request, Rest, Sends, Through, at, components,
};
use super::underway::Underway;
use super::{Matter, Open, Plan, Refused, Work};

/// What a handler did: it depends on the node and the input, not on the rest
/// of the inbox.
#[derive(Clone, Debug)]
pub(super) struct Reaction {
    pub(super) held: Id<Held>,
    pub(super) sends: Sends,
    pub(super) event: Id<Event>,
}

/// What a handler is given at a place that holds something.
type Given = (u16, Id<Held>, Handed);

/// What a handler is given beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Handed {
    Message(Id<Message>),
    Request(Id<Request>),
}

/// All numberings, and the steps between what they number.
pub(super) struct Tables<'a> {
    pub(super) strategy: &'a AnyStrategy,
    pub(super) setting: &'a Setting,
    pub(super) plan: &'a Plan<'a>,
    pub(super) numbers: Numbers,
    pub(super) held: Numbered<Held>,
    pub(super) places: Vec<Numbered<Component>>,
    pub(super) messages: Numbered<Message>,
    pub(super) timers: Numbered<(NodeId, TimerId)>,
    /// How partitions have split the cluster.
    pub(super) splits: Vec<Split>,
    reactions: FxHashMap<Given, Reaction>,
    pub(super) clients: Clients<'a>,
    effects: Effects<AnyStrategy>,
    /// The time of the next step, if time is part of a state.
    pub(super) now: u64,
    /// The time of the state that is looked at: final reads are asked then.
    pub(super) moment: u64,
    /// What went wrong where only settling comes, since somebody looked last.
    pub(super) passed: BTreeSet<Matter>,
    /// How often a handler ran.
    pub(super) local_steps: u64,
    pub(super) answers: Answers,
    pub(super) underway: Underway,
}

/// Why deliveries cannot be put off.
pub(super) const REACTS: &str = "a delivery sends or answers something, or there are timers";

/// Whether timers wait until nothing is in flight.
fn patience(plan: &Plan<'_>) -> bool {
    plan.patient || matches!(plan.work, Work::Open(Open { patient: true, .. }, _))
}

/// More timers than one number holds.
const TIMERS_MAX: usize = 64;

impl<'a> Tables<'a> {
    /// The numberings and the row of the first state.
    pub(super) fn new(
        strategy: &'a AnyStrategy,
        setting: &'a Setting,
        plan: &'a Plan<'a>,
    ) -> Result<(Self, Vec<u32>), Refused> {
        let cluster = Cluster::of(setting.nodes);
        let mut tables = Tables {
            strategy,
            setting,
            plan,
            numbers: Numbers::default(),
            held: Numbered::default(),
            places: cluster.nodes().map(|_| Numbered::default()).collect(),
            messages: Numbered::default(),
            timers: Numbered::default(),
            splits: Vec::new(),
            reactions: FxHashMap::default(),
            clients: Clients::new(setting, plan),
            effects: Effects::new(),
            now: 0,
            moment: 0,
            passed: BTreeSet::new(),
            local_steps: 0,
            answers: Answers::default(),
            underway: Underway::default(),
        };
        let reduce = plan.reduce;
        let puts_off = reduce.macro_steps || reduce.persistent;
        tables.numbers.stale = reduce.stale && !puts_off && !strategy.reads_clock();
        tables.numbers.places = cluster.nodes().map(|_| Place::default()).collect();
        tables.numbers.sends.number(Sends::new());
        tables.numbers.ticks = strategy.reads_clock();
        // What a flush does may go on for ever, as what a delivery sends may.
        tables.numbers.reacts = strategy.writes_disk();
        let first = tables.clients.first();
        tables.know_rest(first);
        tables.numbers.apart = setting.faults.apart();
        let mut row = Vec::new();
        for node in cluster.nodes() {
            let node = boot(strategy, node, &cluster, &setting.faults);
            let (visible, flushing) = (Vec::new(), SmallVec::new());
            let held = tables.hold(Held { node, visible, flushing });
            let component = tables.component(row.len(), Component::without_inbox(held));
            row.push(component.number());
        }
        row.push(first.number());
        for place in 0..cluster.size() {
            let Component { held, inbox } = tables.places[place][at(&row, place)].clone();
            let calm = Happening::default();
            let started = tables.react(place, held, LocalInput::Start, None, calm)?;
            let component = Component { held: started.held, inbox };
            row[place] = tables.component(place, component).number();
            for (to, message) in started.sends {
                let to = usize::from(to);
                row[to] = tables.append(to, at(&row, to), message)?.number();
            }
        }
        // The start takes no time.
        tables.now = 1;
        tables.find_permutations();
        Ok((tables, row))
    }

    /// Whether timers wait until nothing is in flight.
    pub(super) fn patient(&self) -> bool {
        patience(self.plan)
    }

    /// Adds an entry that was missed.
    pub(super) fn resolve(&mut self, miss: Miss) -> Result<(), Refused> {
        match miss {
            Miss::Local(place, component) => {
                let span = self.local(place, component)?;
                self.numbers.places[place].local[component.index()] = Some(span);
            }
            Miss::Append(place, component, message) => {
                self.append(place, component, message)?;
            }
            Miss::Request(place, component, request) => {
                let number = self.request(place, component, request)?;
                self.numbers.places[place].requests.set(component, request, number);
            }
            Miss::Starts(rest) => {
                let from = self.numbers.starts.len();
                let starts = self.clients.starts(self.strategy, rest);
                self.numbers.starts.extend(starts);
                let span = Span::between(from, self.numbers.starts.len());
                self.numbers.startable[rest.index()] = Some(span);
            }
            Miss::After(rest, event) => {
                let next = self.clients.after(rest, event, self.numbers.ticks);
                self.know_rest(next);
                self.numbers.after.set(rest, event, next);
            }
            Miss::Closure(place, component) => {
                let closure = self.closure(place, component)?;
                self.numbers.places[place].closure[component.index()] = Some(closure);
            }
            Miss::Renamed(permutation, place, component) => {
                self.rename(permutation, place, component)?;
            }
            Miss::Swaps(place, component, step) => {
                let swaps = self.swaps(place, component, step)?;
                self.numbers.moves[step.index()].swaps = swaps;
            }
            Miss::Strip(place, key, rest) => self.strip(place, key, rest)?,
        }
        Ok(())
    }

    /// Lets a tick pass, if time counts: what was remembered of steps is then
    /// out of date.
    pub(super) fn tick(&mut self) {
        if self.numbers.ticks {
            self.moment = self.now;
            self.now += 1;
            self.numbers.forget_steps();
            self.forget_reactions();
        }
    }

    /// Moves time to where clients are at this number, if time counts.
    pub(super) fn look_from(&mut self, rest: Id<Rest>) {
        let moment = self.clients.now(rest);
        self.moment_is(moment + 1, moment);
    }

    /// Moves time, with which remembered reactions and answers become out of
    /// date.
    pub(super) fn moment_is(&mut self, now: u64, moment: u64) {
        if self.numbers.ticks && (self.now, self.moment) != (now, moment) {
            (self.now, self.moment) = (now, moment);
            self.forget_reactions();
        }
    }

    /// Forgets what depends on the time.
    fn forget_reactions(&mut self) {
        self.reactions.clear();
        self.answers.forget();
    }

    /// Makes room in the tables for a rest.
    fn know_rest(&mut self, rest: Id<Rest>) {
        let numbers = &mut self.numbers;
        if numbers.startable.len() <= rest.index() {
            numbers.startable.push(None);
            let (affordable, waiting) = self.clients.standing(rest);
            numbers.affordable.push(affordable);
            numbers.waiting.push(waiting);
            let progress = self.progress_of(rest);
            self.numbers.progress.push(progress);
        }
    }

    /// The number of a node without its inbox.
    pub(super) fn hold(&mut self, mut held: Held) -> Id<Held> {
        debug_assert!(held.node.inbox.is_empty(), "messages are kept as numbers");
        if self.plan.reduce.forget
            && let Some(less) = self.strategy.observable(&held.node.replica)
        {
            held.node.replica = less;
        }
        self.numbers.timers |= !held.node.timers.is_empty();
        self.held.number(held)
    }

    /// The number of a component.
    pub(super) fn component(&mut self, place: usize, mut component: Component) -> Id<Component> {
        let messages = &self.messages;
        match self.setting.network {
            Network::Fifo => component.inbox.sort_by_key(|message| messages[*message].from),
            Network::Unordered => component.inbox.sort_unstable(),
        }
        let number = self.places[place].number(component);
        let known = &mut self.numbers.places[place];
        if known.quiet.len() <= number.index() {
            let component = &self.places[place][number];
            let Held { node, flushing, .. } = &self.held[component.held];
            known.quiet.push(component.inbox.is_empty() && node.is_calm(self.plan.tracks.severed));
            let waits = !component.inbox.is_empty() || !flushing.is_empty();
            let timer = |message: &Id<Message>| messages[*message].timer;
            let patient = patience(self.plan);
            let none = if patient && waits { u64::MAX } else { 0 };
            let timers = component.inbox.iter().filter_map(timer);
            let timers = timers.chain(flushing.iter().copied().flatten());
            known.pending.push(timers.fold(none, |bits, timer| bits | 1_u64 << timer));
            let bit = |message: &Id<Message>| 1_u64 << messages[*message].from.0;
            let senders = component.inbox.iter().fold(0, |bits, message| bits | bit(message));
            known.senders.push(if node.up { senders & !node.held_back() } else { 0 });
            known.held.push(component.held);
            known.hands.extend(node.hands());
            known.local.push(None);
            known.closure.push(None);
        }
        number
    }

    /// Runs the handler. `timer` is the timer because of which it runs, if one is.
    pub(super) fn react(
        &mut self,
        place: usize,
        held: Id<Held>,
        input: LocalInput,
        timer: Option<u8>,
        happening: Happening,
    ) -> Result<Reaction, Refused> {
        let held = self.held[held].clone();
        self.react_of(place, held, input, timer, happening)
    }

    fn react_of(
        &mut self,
        place: usize,
        mut held: Held,
        input: LocalInput,
        timer: Option<u8>,
        happening: Happening,
    ) -> Result<Reaction, Refused> {
        let begins = matches!(input, LocalInput::Start);
        let crashes = matches!(input, LocalInput::Strike(strike, _) if strike.stops());
        // What follows from a timer's image is the timer's, too.
        let timer = match input {
            LocalInput::Flush | LocalInput::Strike(Strike::LostFlush, _) => held.flushing.remove(0),
            _ => timer,
        };
        let mut effects = std::mem::take(&mut self.effects);
        self.local_steps += 1;
        if let Err(panicked) = local_step(
            self.strategy,
            Cluster::of(self.setting.nodes),
            &mut held.node,
            input,
            self.now,
            &mut effects,
        ) {
            return Err(self.panicked(panicked));
        }
        let from = NodeId(u16::try_from(place).expect("nodes are few"));
        let mut sends = SmallVec::new();
        for (to, content) in effects.sends.drain(..) {
            sends.push((to.0, self.messages.number(Message { from, content, timer })));
        }
        held.flushing.extend(effects.images.drain(..).map(|_| timer));
        if crashes {
            held.visible.clear();
            held.flushing.clear();
        }
        let mut stamped = Vec::new();
        if self.plan.tracks.visible {
            let budget = self.setting.faults.budget;
            if budget[FaultKind::Crash] + budget[FaultKind::Kill] > 0 {
                stamped.clone_from(&effects.visible);
            }
            for (write, stamp) in effects.visible.drain(..) {
                match held.visible.binary_search_by_key(&write, |(write, _)| *write) {
                    Ok(at) => held.visible[at].1 = stamp.max(held.visible[at].1),
                    Err(at) => held.visible.insert(at, (write, stamp)),
                }
            }
        }
        let answered = effects.replies.drain(..).filter(|_| !begins);
        let answered =
            answered.map(|reply| (reply.operation, reply.completion, reply.token)).collect();
        self.effects = effects;
        let crashed = crashes.then_some(from);
        let Happening { ask, fault } = happening;
        let event = self.clients.event(Event { ask, answered, fault, crashed, stamped });
        Ok(Reaction { held: self.hold(held), sends, event })
    }

    /// What a panic means. Where deliveries are put off it would be found late
    /// or not at all.
    pub(super) fn panicked(&self, panicked: Panicked) -> Refused {
        if self.plan.reduce.macro_steps || self.plan.reduce.persistent {
            Refused::Reduction("macro", "a handler panics")
        } else {
            Refused::Panicked(panicked)
        }
    }

    /// A step at a component. It is kept if the handler panics, too: whoever
    /// comes to a state in which it is possible has found that.
    pub(super) fn remember_at(
        &mut self,
        place: usize,
        inbox: Inbox,
        reaction: Result<Reaction, Refused>,
        sort: Sort,
    ) -> Result<Id<Move>, Refused> {
        match reaction {
            Ok(reaction) => {
                let next = self.component(place, Component { held: reaction.held, inbox });
                Ok(self.remember(next, reaction, sort))
            }
            Err(Refused::Panicked(_)) => {
                let nothing = Reaction { held: Id::FIRST, sends: Sends::new(), event: Id::FIRST };
                Ok(self.remember(PANICS, nothing, sort))
            }
            Err(refused) => Err(refused),
        }
    }

    fn remember(&mut self, next: Id<Component>, reaction: Reaction, sort: Sort) -> Id<Move> {
        let Reaction { event, sends, .. } = reaction;
        self.numbers.conditional |= matches!(sort, Sort::Fire(_) | Sort::Mishap(_) | Sort::Tick(_));
        let sends = self.numbers.sends.number(sends);
        self.numbers.moves.push(Move { next, event, sends, swaps: UNASKED });
        self.numbers.sorts.push(sort);
        Id::of(count(self.numbers.moves.len() - 1))
    }

    /// All that can happen at a component without a client, added if it is not
    /// there yet.
    pub(super) fn span(&mut self, place: usize, at: Id<Component>) -> Result<Span<Move>, Refused> {
        if let Err(miss) = self.numbers.local(place, at) {
            self.resolve(miss)?;
        }
        Ok(self.numbers.local(place, at).expect("it is there by now"))
    }

    /// All that can happen at a component without a client, as moves.
    fn local(&mut self, place: usize, at: Id<Component>) -> Result<Span<Move>, Refused> {
        let Component { held, inbox } = self.places[place][at].clone();
        let state = self.held[held].node.clone();
        let start = self.numbers.moves.len();
        let positions = self.deliverable(&state, &inbox);
        for &position in &positions {
            let message = inbox[position];
            let reaction = self.deliver(place, held, message);
            if let Ok(reaction) = &reaction {
                self.leads(place, (held, reaction.held), Through::Step)?;
            }
            let reacts = |step: &Reaction| !step.sends.is_empty() || step.event != Id::FIRST;
            self.numbers.reacts |= reaction.as_ref().is_ok_and(reacts);
            let mut left = inbox.clone();
            left.remove(position);
            self.remember_at(place, left, reaction, Sort::Deliver(message))?;
        }
        let node = NodeId(u16::try_from(place).expect("nodes are few"));
        let mut others: Vec<(LocalInput, Option<u8>, Sort)> = Vec::new();
        if state.flushing() > 0 {
            others.push((LocalInput::Flush, None, Sort::Flush));
        }
        if state.up {
            for &timer in &state.timers {
                // Those that wait for a deadline are known, too.
                self.timer_number(node, timer)?;
            }
            for timer in state.due() {
                let number = self.timer_number(node, timer)?;
                others.push((LocalInput::Fire(timer), Some(number), Sort::Fire(number)));
            }
        } else if !state.gone {
            others.push((LocalInput::Recover, None, Sort::Repair));
        }
        if state.clock.is_some() && !state.gone {
            others.push((LocalInput::Tick, None, Sort::Tick(node.0)));
        }
        let cluster = Cluster::of(self.setting.nodes);
        let cut = |from: &NodeId| state.cut & (1 << from.0) != 0;
        let heal = |from| (LocalInput::Heal(from), None, Sort::Repair);
        if !self.plan.tracks.severed {
            others.extend(cluster.nodes().filter(cut).map(heal));
            if place == 0 && state.parted != 0 {
                others.push((LocalInput::Unite, None, Sort::Repair));
            }
        }
        let plan = &self.setting.faults;
        for kind in FaultKind::ALL.into_iter().filter(|kind| plan.budget[*kind] > 0) {
            let all = state.mishaps(kind, node, cluster, self.strategy).into_iter();
            let input = |strike| LocalInput::Strike(strike, plan.inbox);
            others.extend(all.map(|strike| (input(strike), None, Sort::Mishap(kind))));
        }
        for other in others {
            self.of_itself(place, (held, &inbox), other)?;
        }
        let budget = self.setting.faults.budget;
        for &position in &positions {
            let mut fewer = inbox.clone();
            let message = fewer.remove(position);
            let mut more = inbox.clone();
            more.push(message);
            for (kind, inbox) in [(FaultKind::Duplicate, more), (FaultKind::Drop, fewer)] {
                if budget[kind] > 0 {
                    let happening = Event { fault: Some(kind), ..Event::default() };
                    let event = self.clients.event(happening);
                    let next = self.component(place, Component { held, inbox });
                    let reaction = Reaction { held, sends: Sends::new(), event };
                    self.remember(next, reaction, Sort::Mishap(kind));
                }
            }
        }
        Ok(Span::between(start, self.numbers.moves.len()))
    }

    /// The number of a node's timer.
    pub(super) fn timer_number(&mut self, node: NodeId, timer: TimerId) -> Result<u8, Refused> {
        let number = self.timers.number((node, timer)).index();
        if number >= TIMERS_MAX {
            return Err(Refused::NotCovered("more than 64 timers"));
        }
        Ok(u8::try_from(number).expect("at most 64 timers"))
    }

    /// The positions of the messages that may be delivered next; of equal
    /// ones the first, because delivering either leads to one state.
    fn deliverable(&self, state: &Node, inbox: &Inbox) -> SmallVec<[usize; 8]> {
        let mut seen = state.held_back();
        let mut positions = SmallVec::new();
        for (position, &message) in inbox.iter().enumerate() {
            let bit = 1 << self.messages[message].from.0;
            let free = state.up && seen & bit == 0;
            match self.setting.network {
                Network::Fifo => seen |= bit,
                Network::Unordered if position > 0 && inbox[position - 1] == message => continue,
                Network::Unordered => {}
            }
            if free {
                positions.push(position);
            }
        }
        positions
    }

    /// What delivering a message does to what is held.
    pub(super) fn deliver(
        &mut self,
        place: usize,
        held: Id<Held>,
        message: Id<Message>,
    ) -> Result<Reaction, Refused> {
        let given = (u16::try_from(place).expect("nodes are few"), held, Handed::Message(message));
        if let Some(known) = self.reactions.get(&given) {
            return Ok(known.clone());
        }
        let Message { from, content, timer } = self.messages[message].clone();
        let mut node = self.held[held].clone();
        node.node.inbox.push((from, content));
        // What follows from a timer's message is the timer's, too.
        let calm = Happening::default();
        let reaction = self.react_of(place, node, LocalInput::Deliver(0), timer, calm)?;
        self.reactions.insert(given, reaction.clone());
        Ok(reaction)
    }

    /// The component with one more message in its inbox, or on its side of a partition.
    fn append(
        &mut self,
        place: usize,
        at: Id<Component>,
        message: Id<Message>,
    ) -> Result<Id<Component>, Refused> {
        let mut component = self.places[place][at].clone();
        if let Some(split) = self.parting(message) {
            self.part(place, &mut component, split)?;
        } else {
            let from = self.messages[message].from;
            if !self.held[component.held].node.is_lost(from, self.plan.tracks.severed) {
                component.inbox.push(message);
            }
        }
        let next = self.component(place, component);
        self.numbers.places[place].append.set(at, message, next);
        Ok(next)
    }

    /// The move that a request makes at a component.
    fn request(
        &mut self,
        place: usize,
        at: Id<Component>,
        request: Id<Request>,
    ) -> Result<Id<Move>, Refused> {
        let Request { ask, token } = self.clients.request(request).clone();
        let Component { held, inbox } = self.places[place][at].clone();
        let up = self.held[held].node.up;
        let given = (u16::try_from(place).expect("nodes are few"), held, Handed::Request(request));
        let known = self.reactions.get(&given).cloned();
        let happening = Happening { ask: Some(ask), fault: None };
        let operation = ask.operation();
        let reaction = match (known, ask) {
            (Some(known), _) => Ok(known),
            (None, Ask::GiveUp(_)) if !up => {
                // The node is down and does not notice.
                let event = self.clients.event(Event { ask: Some(ask), ..Event::default() });
                Ok(Reaction { held, sends: Sends::new(), event })
            }
            (None, _) if !up => return Ok(IMPOSSIBLE),
            (None, Ask::GiveUp(_)) => {
                self.react(place, held, LocalInput::Cancel(operation), None, happening)
            }
            (None, Ask::Invoke(_, call, _) | Ask::Retry(_, call, _)) => {
                let call = self.clients.call(call).clone();
                let asked = LocalInput::Request(operation, call, token);
                self.react(place, held, asked, None, happening)
            }
        };
        if let Ok(reaction) = &reaction {
            self.reactions.insert(given, reaction.clone());
            self.leads(place, (held, reaction.held), Through::Client(ask))?;
        }
        self.remember_at(place, inbox, reaction, Sort::Client)
    }

    /// Finds the messages that differ only in the timer that sent them.
    pub(super) fn know_contents(&mut self) {
        let mut first = FxHashMap::default();
        let messages = (0..).map(Id::of).zip(&self.messages.values);
        let contents = messages.map(|(number, message)| {
            *first.entry((message.from, &message.content)).or_insert(number)
        });
        self.numbers.contents = contents.collect();
    }

    /// What justice asks for in a row: every message to be delivered, every
    /// armed timer to fire, every disk to flush, every node and link to be repaired. In order, each
    /// once.
    pub(super) fn dues(&self, row: &[u32]) -> Vec<Label> {
        let mut dues = Vec::new();
        for (place, at) in components(row) {
            let Component { held, inbox } = &self.places[place][at];
            let node = &self.held[*held].node;
            let content = |message: &Id<Message>| self.numbers.contents[message.index()];
            let mut messages: Inbox = inbox.iter().map(content).collect();
            messages.sort_unstable();
            messages.dedup();
            dues.extend(messages.into_iter().map(|message| (place, Sort::Deliver(message))));
            let id = NodeId(u16::try_from(place).expect("nodes are few"));
            for timer in &node.timers {
                let known = self.timers.find(&(id, *timer)).expect("an armed timer is known");
                dues.push((
                    place,
                    Sort::Fire(u8::try_from(known.index()).expect("at most 64 timers")),
                ));
            }
            if node.flushing() > 0 {
                dues.push((place, Sort::Flush));
            }
            let whole = node.cut == 0 || self.plan.tracks.severed;
            let split = place == 0 && node.parted != 0 && !self.plan.tracks.severed;
            let broken = !(node.up && whole);
            if split || (broken && !node.gone) {
                dues.push((place, Sort::Repair));
            }
        }
        dues
    }

    /// Whether an action of a world is what a label says.
    pub(super) fn is_labelled(&self, world: &World<'_>, action: &Action, label: Label) -> bool {
        let (place, sort) = label;
        match (action, sort) {
            (Action::Deliver(to, id), Sort::Deliver(message)) if to.index() == place => {
                let Message { from, content, .. } = &self.messages[message];
                let found = world.message(*to, *id);
                found.is_some_and(|(name, other)| name.from == *from && other == content)
            }
            (Action::Fire(node, timer), Sort::Fire(number)) if node.index() == place => {
                self.timers.values[usize::from(number)] == (*node, *timer)
            }
            (Action::Flush(node), Sort::Flush) => node.index() == place,
            (Action::Recover(node) | Action::Heal(_, node), Sort::Repair) => node.index() == place,
            (Action::Unite, Sort::Repair) => place == 0,
            _ => false,
        }
    }

    /// The nodes of a row.
    pub(super) fn nodes(&self, row: &[u32]) -> Vec<Node> {
        let node = |(place, at): (usize, Id<Component>)| {
            let component = &self.places[place][at];
            let mut node = self.held[component.held].node.clone();
            for message in &component.inbox {
                let Message { from, content, .. } = &self.messages[*message];
                node.inbox.push((*from, content.clone()));
            }
            node
        };
        components(row).map(node).collect()
    }

    /// What is held at a component.
    pub(super) fn held_at(&self, place: usize, at: Id<Component>) -> Id<Held> {
        self.places[place][at].held
    }
}

/// What comes with an input, for the clients.
#[derive(Clone, Copy, Default)]
pub(super) struct Happening {
    pub(super) ask: Option<Ask>,
    pub(super) fault: Option<FaultKind>,
}
