//! What the numbers of a row stand for, and what has been remembered of them.
//!
//! A row has one number for each node (with its inbox) and one for the rest:
//! sessions and spent faults. A handler runs once for each component and
//! input; its result is kept as numbers. This is the only part of the search
//! that knows the strategy, and it is asked only on a miss.
//!
//! Invariant: every step is [`local_step`] of the world, so there is one
//! interpreter of strategies and not two.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::history::{Completion, NodeId, Value};
use crate::replication::{Cluster, Effects, OperationId, Strategy};
use crate::world::component::{LocalInput, NodeOf, Panicked, boot, local_step};
use crate::world::{Network, Setting, Workload};

/// A step at one node, as numbers.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// The node's component afterwards.
    pub(super) next: u32,
    /// What it means for the rest; 0 is nothing.
    pub(super) event: u32,
    /// Receiver and message of what it sends.
    pub(super) sends: SmallVec<[(u16, u32); 2]>,
}

/// What a step means for sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Event<T> {
    invoked: Option<(OperationId, NodeId)>,
    answered: Vec<(OperationId, Completion, T)>,
}

/// Where a session stands, and what it has been told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Standing<T> {
    next: u16,
    open: Option<u16>,
    token: T,
    /// Answers, but for writes that were simply acknowledged.
    answers: Vec<(u16, Completion)>,
}

/// One numbering: values by number, and numbers by value. Each value is kept
/// once; the index has only its number.
struct Numbered<V> {
    values: Vec<V>,
    numbers: HashTable<u32>,
}

impl<V: Eq + Hash> Numbered<V> {
    fn new() -> Self {
        Numbered { values: Vec::new(), numbers: HashTable::new() }
    }

    fn number(&mut self, value: V) -> u32 {
        let values = &self.values;
        let hash = FxBuildHasher.hash_one(&value);
        let same = |number: &u32| values[*number as usize] == value;
        let rehash = |number: &u32| FxBuildHasher.hash_one(&values[*number as usize]);
        match self.numbers.entry(hash, same, rehash) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let number = u32::try_from(values.len()).expect("fewer than 2^32 components");
                free.insert(number);
                self.values.push(value);
                number
            }
        }
    }
}

/// A table of numbers that fills as it is asked; missing entries are
/// [`UNKNOWN`].
#[derive(Default)]
struct Table(Vec<Vec<u32>>);

/// Not asked yet.
const UNKNOWN: u32 = u32::MAX;

impl Table {
    fn get(&self, row: u32, column: u32) -> u32 {
        let entry = self.0.get(row as usize).and_then(|row| row.get(column as usize));
        entry.copied().unwrap_or(UNKNOWN)
    }

    fn set(&mut self, row: u32, column: u32, value: u32) {
        let (row, column) = (row as usize, column as usize);
        if self.0.len() <= row {
            self.0.resize_with(row + 1, Vec::new);
        }
        if self.0[row].len() <= column {
            self.0[row].resize(column + 1, UNKNOWN);
        }
        self.0[row][column] = value;
    }
}

/// The components of one node.
struct Place<S: Strategy> {
    components: Numbered<NodeOf<S>>,
    /// Whether the inbox is empty, by component.
    quiet: Vec<bool>,
    /// Deliveries of a component: a range of moves.
    deliveries: Vec<Option<(u32, u32)>>,
    /// By component and message: the component with the message in its inbox.
    append: Table,
    /// By component and request: the move.
    requests: Table,
}

/// All numberings and all that is remembered.
pub(super) struct Tables<'a, S: Strategy> {
    strategy: &'a S,
    setting: &'a Setting,
    workload: &'a Workload,
    places: Vec<Place<S>>,
    moves: Vec<Move>,
    /// Messages with their senders.
    messages: Numbered<(NodeId, S::Message)>,
    requests: Numbered<(OperationId, S::Token)>,
    rest: Numbered<Vec<Standing<S::Token>>>,
    /// By rest: place and request of each operation that may be invoked, as a
    /// range of `starts`.
    startable: Vec<Option<(u32, u32)>>,
    starts: Vec<(usize, u32)>,
    events: Numbered<Event<S::Token>>,
    after: Table,
    effects: Effects<S>,
    /// How often a handler ran.
    pub(super) local_steps: u64,
    /// Whether any node has a timer armed.
    pub(super) arms_timers: bool,
}

impl<'a, S: Strategy> Tables<'a, S> {
    /// The numberings and the row of the first state.
    pub(super) fn new(
        strategy: &'a S,
        setting: &'a Setting,
        workload: &'a Workload,
    ) -> Result<(Self, Vec<u32>), Panicked> {
        let cluster = Cluster::of(setting.nodes);
        let place = |_| Place {
            components: Numbered::new(),
            quiet: Vec::new(),
            deliveries: Vec::new(),
            append: Table::default(),
            requests: Table::default(),
        };
        let mut tables = Tables {
            strategy,
            setting,
            workload,
            places: cluster.nodes().map(place).collect(),
            moves: Vec::new(),
            messages: Numbered::new(),
            requests: Numbered::new(),
            rest: Numbered::new(),
            startable: Vec::new(),
            starts: Vec::new(),
            events: Numbered::new(),
            after: Table::default(),
            effects: Effects::new(),
            local_steps: 0,
            arms_timers: false,
        };
        tables.events.number(Event { invoked: None, answered: Vec::new() });
        let sessions = workload.sessions.iter().map(|_| Standing {
            next: 0,
            open: None,
            token: S::Token::default(),
            answers: Vec::new(),
        });
        let rest = tables.rest.number(sessions.collect());
        let booted: Vec<_> = cluster
            .nodes()
            .map(|node| tables.component(node.index(), boot(strategy, node, &cluster, 0)))
            .collect();
        let mut row: Vec<u32> = booted.into_iter().chain([rest]).collect();
        for place in 0..cluster.size() {
            let started = tables.step(place, row[place], LocalInput::Start, None)?;
            let started = tables.moves[started as usize].clone();
            row[place] = started.next;
            for (to, message) in started.sends {
                let to = usize::from(to);
                row[to] = tables.append(to, row[to], message);
            }
        }
        Ok((tables, row))
    }

    /// The number of a node's component, with its inbox in an order that
    /// tells nothing.
    fn component(&mut self, place: usize, mut node: NodeOf<S>) -> u32 {
        match self.setting.network {
            Network::Fifo => node.inbox.sort_by_key(|(from, _)| *from),
            Network::Unordered => node.inbox.sort(),
        }
        let quiet = node.inbox.is_empty();
        let place = &mut self.places[place];
        let number = place.components.number(node);
        if place.quiet.len() <= number as usize {
            place.quiet.push(quiet);
            place.deliveries.push(None);
        }
        number
    }

    /// Runs the handler and remembers the result as a move.
    fn step(
        &mut self,
        place: usize,
        component: u32,
        input: LocalInput<S>,
        invoked: Option<(OperationId, NodeId)>,
    ) -> Result<u32, Panicked> {
        let mut node = self.places[place].components.values[component as usize].clone();
        let mut effects = std::mem::take(&mut self.effects);
        self.local_steps += 1;
        local_step(self.strategy, &mut node, input, 0, &mut effects)?;
        let from = NodeId(u16::try_from(place).expect("nodes are few"));
        let mut sends = SmallVec::new();
        for (to, message) in effects.sends.drain(..) {
            if to.index() >= self.places.len() {
                return Err(Panicked(format!("a message was sent to {to}, which does not exist")));
            }
            sends.push((to.0, self.messages.number((from, message))));
        }
        let answered = effects.replies.drain(..);
        let answered = answered.map(|reply| (reply.operation, reply.completion, reply.token));
        let event = Event { invoked, answered: answered.collect() };
        self.effects = effects;
        let event = self.events.number(event);
        self.arms_timers |= !node.timers.is_empty();
        let next = self.component(place, node);
        self.moves.push(Move { next, event, sends });
        Ok(u32::try_from(self.moves.len() - 1).expect("fewer than 2^32 moves"))
    }

    /// The deliveries of a component, as a range of moves.
    #[inline]
    pub(super) fn deliveries(
        &mut self,
        place: usize,
        component: u32,
    ) -> Result<(u32, u32), Panicked> {
        if let Some(range) = self.places[place].deliveries[component as usize] {
            return Ok(range);
        }
        let node = &self.places[place].components.values[component as usize];
        let mut positions: Vec<_> = node.deliverable(self.setting.network).collect();
        if self.setting.network == Network::Unordered {
            // Equal messages are one: delivering either leads to one state.
            positions.dedup_by(|a, b| node.inbox[*a] == node.inbox[*b]);
        }
        let inputs = positions.into_iter().map(LocalInput::Deliver).collect::<Vec<_>>();
        let start = u32::try_from(self.moves.len()).expect("fewer than 2^32 moves");
        for input in inputs {
            self.step(place, component, input, None)?;
        }
        let end = u32::try_from(self.moves.len()).expect("fewer than 2^32 moves");
        self.places[place].deliveries[component as usize] = Some((start, end));
        Ok((start, end))
    }

    /// A remembered move.
    #[inline]
    pub(super) fn step_of(&self, number: u32) -> &Move {
        &self.moves[number as usize]
    }

    /// The component with one more message in its inbox.
    #[inline]
    pub(super) fn append(&mut self, place: usize, component: u32, message: u32) -> u32 {
        let known = self.places[place].append.get(component, message);
        if known != UNKNOWN {
            return known;
        }
        let mut node = self.places[place].components.values[component as usize].clone();
        node.inbox.push(self.messages.values[message as usize].clone());
        let next = self.component(place, node);
        self.places[place].append.set(component, message, next);
        next
    }

    /// A place and a request that may be made there.
    #[inline]
    pub(super) fn start(&self, number: u32) -> (usize, u32) {
        self.starts[number as usize]
    }

    /// What may be invoked, as a range of starts.
    #[inline]
    pub(super) fn startable(&mut self, rest: u32) -> (u32, u32) {
        if let Some(Some(known)) = self.startable.get(rest as usize) {
            return *known;
        }
        self.find_startable(rest)
    }

    fn find_startable(&mut self, rest: u32) -> (u32, u32) {
        let at = rest as usize;
        let from = u32::try_from(self.starts.len()).expect("fewer than 2^32 starts");
        let cluster = Cluster::of(self.setting.nodes);
        let standings = self.rest.values[at].clone();
        for ((session, standing), script) in (0u16..).zip(&standings).zip(&self.workload.sessions) {
            if standing.open.is_some() {
                continue;
            }
            let left = (standing.next..).zip(script.operations.iter().skip(standing.next.into()));
            let next = left
                .map(|(number, planned)| (number, planned, planned.node.unwrap_or(script.node)));
            let served = next
                .into_iter()
                .find(|(_, planned, node)| self.strategy.serves(&planned.call, *node, &cluster));
            if let Some((number, _, node)) = served {
                let operation = OperationId { session, number };
                let request = self.requests.number((operation, standing.token.clone()));
                self.starts.push((node.index(), request));
            }
        }
        let until = u32::try_from(self.starts.len()).expect("fewer than 2^32 starts");
        if self.startable.len() <= at {
            self.startable.resize(at + 1, None);
        }
        self.startable[at] = Some((from, until));
        (from, until)
    }

    /// The move that a request makes at a component.
    pub(super) fn request(
        &mut self,
        place: usize,
        component: u32,
        request: u32,
    ) -> Result<u32, Panicked> {
        let known = self.places[place].requests.get(component, request);
        if known != UNKNOWN {
            return Ok(known);
        }
        let (operation, token) = self.requests.values[request as usize].clone();
        let script = &self.workload.sessions[usize::from(operation.session)];
        let call = script.operations[usize::from(operation.number)].call.clone();
        let node = NodeId(u16::try_from(place).expect("nodes are few"));
        let input = LocalInput::Request(operation, call, token);
        let number = self.step(place, component, input, Some((operation, node)))?;
        self.places[place].requests.set(component, request, number);
        Ok(number)
    }

    /// The rest after an event.
    #[inline]
    pub(super) fn after(&mut self, rest: u32, event: u32) -> u32 {
        if event == 0 {
            return rest;
        }
        let known = self.after.get(rest, event);
        if known != UNKNOWN {
            return known;
        }
        let mut standings = self.rest.values[rest as usize].clone();
        let Event { invoked, answered } = self.events.values[event as usize].clone();
        if let Some((operation, _)) = invoked {
            let standing = &mut standings[usize::from(operation.session)];
            standing.next = operation.number + 1;
            standing.open = Some(operation.number);
        }
        for (operation, completion, token) in answered {
            let Some(standing) = standings.get_mut(usize::from(operation.session)) else {
                continue;
            };
            if standing.open != Some(operation.number) {
                continue;
            }
            standing.open = None;
            standing.token = token;
            if completion != Completion::Ok(Value::Null) {
                standing.answers.push((operation.number, completion));
            }
        }
        let next = self.rest.number(standings);
        self.after.set(rest, event, next);
        next
    }

    /// Whether nothing is in flight.
    #[inline]
    pub(super) fn is_quiet(&self, row: &[u32]) -> bool {
        let mut places = self.places.iter().zip(row);
        places.all(|(place, &component)| place.quiet[component as usize])
    }

    /// The nodes of a row.
    pub(super) fn nodes(&self, row: &[u32]) -> Vec<&NodeOf<S>> {
        let places = self.places.iter().zip(row);
        places.map(|(place, &component)| &place.components.values[component as usize]).collect()
    }

    /// Where the sessions of a row stand: next operation and open operation.
    pub(super) fn sessions(&self, row: &[u32]) -> Vec<(u16, Option<u16>)> {
        let rest = *row.last().expect("a row ends with the rest");
        let standings = &self.rest.values[rest as usize];
        standings.iter().map(|standing| (standing.next, standing.open)).collect()
    }
}
