//! The world itself: what an action does.
//!
//! Besides the state (nodes, sessions, spent faults) a world records the
//! identities of messages, the history that clients see and the white-box facts.
//! None of these records influences what happens next.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use rustc_hash::FxHasher;

use crate::history::{Builder, Completion, Event, History, Key, NodeId, ProcessId};
use crate::replication::erased::{AnyMessage, AnyStrategy, Subject};
use crate::replication::{Cluster, CommandId, Effects, OperationId, Reply, Strategy};

use super::client::Client;
use super::clock::Hands;
use super::component::{LocalInput, Node, Panicked, boot, commands, local_step};
use super::session::{Session, SessionView};
use super::{
    Action, Facts, Faults, MessageId, MessageName, SessionId, Setting, Split, Strike, Workload,
};

/// A cluster with its network and its clients, in the middle of a run.
pub struct World<'a> {
    pub(super) strategy: AnyStrategy,
    pub(super) setting: &'a Setting,
    pub(super) workload: &'a Workload,
    /// Of the workload.
    pub(super) keys: Rc<[Key]>,
    pub(super) nodes: Vec<Node>,
    pub(super) sessions: Vec<Session>,
    pub(super) spent: Faults,
    /// Whether links that are cut stay cut for ever, and lose what they hold back.
    severed: bool,
    /// The identities of the messages in each inbox, position by position.
    pub(super) flights: Vec<Vec<Flight>>,
    /// Messages sent so far: on each link, and on all.
    sent: Vec<u32>,
    sent_in_all: u32,
    /// True time in ticks: one an action.
    pub(super) now: u64,
    steps: u32,
    next_process: u32,
    pub(super) history: Builder,
    pub(super) operations: Vec<OperationId>,
    pub(super) facts: Facts,
    effects: Effects<AnyStrategy>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) id: MessageId,
    name: MessageName,
    /// When it was sent, in messages sent before it.
    pub(super) age: u32,
}

/// What an action did, beyond its own node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The node at which it happened.
    pub node: NodeId,
    /// The messages it sent, in order. Those to nodes that are gone for good
    /// are lost at once.
    pub sent: Vec<MessageName>,
    /// The answers it gave; `false` if no client waited for one any more.
    pub replies: Vec<(OperationId, Completion, bool)>,
}

impl Report {
    fn of(node: NodeId) -> Self {
        Report { node, sent: Vec::new(), replies: Vec::new() }
    }
}

/// Why an action could not be performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotEnabled {
    /// It is not enabled.
    Impossible(&'static str),
    /// It was enabled, but the strategy's handler panicked.
    Panicked(Panicked),
}

impl fmt::Display for NotEnabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotEnabled::Impossible(why) => f.write_str(why),
            NotEnabled::Panicked(Panicked(text)) => write!(f, "the handler panicked: {text}"),
        }
    }
}

impl From<Panicked> for NotEnabled {
    fn from(panicked: Panicked) -> Self {
        NotEnabled::Panicked(panicked)
    }
}

/// The state of a world: exactly what decides what can happen next. Message
/// identities, history and facts are not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    nodes: Vec<Node>,
    sessions: Vec<Client>,
    spent: Faults,
    /// True time, if the strategy reads clocks.
    now: u64,
}

/// How long an action takes in a history, in virtual nanoseconds.
const ACTION_NS: u64 = 1_000_000;

impl<'a> World<'a> {
    /// The beginning: every node is up and has handled `Start` (this is step
    /// 0), no client has asked anything.
    ///
    /// # Errors
    /// [`Panicked`] if a node panics at the start.
    pub fn new(
        strategy: &dyn Subject,
        setting: &'a Setting,
        workload: &'a Workload,
    ) -> Result<Self, Panicked> {
        let strategy = strategy.erased();
        let cluster = Cluster::of(setting.nodes);
        let begin = |node: NodeId| boot(&strategy, node, &cluster, &setting.faults);
        let nodes: Vec<_> = cluster.nodes().map(begin).collect();
        let sessions = (0u32..)
            .zip(&workload.sessions)
            .map(|(at, _)| Session { client: Client::default(), process: ProcessId(at) })
            .collect::<Vec<_>>();
        let mut world = World {
            strategy,
            setting,
            workload,
            keys: workload.keys().into(),
            flights: vec![Vec::new(); nodes.len()],
            sent: vec![0; nodes.len() * nodes.len()],
            sent_in_all: 0,
            facts: Facts::of(nodes.len()),
            next_process: u32::try_from(sessions.len()).expect("sessions are few"),
            nodes,
            sessions,
            spent: Faults::NONE,
            severed: false,
            now: 0,
            steps: 0,
            history: Builder::new(),
            operations: Vec::new(),
            effects: Effects::new(),
        };
        for node in cluster.nodes() {
            let report = world.at(node, LocalInput::Start, 0)?;
            debug_assert!(report.replies.is_empty(), "nobody has asked yet");
        }
        Ok(world)
    }

    /// The cluster.
    pub fn cluster(&self) -> Cluster {
        Cluster::of(self.setting.nodes)
    }

    /// The nodes with their inboxes, in node order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The faults that have struck.
    pub fn spent(&self) -> Faults {
        self.spent
    }

    /// How many operations got an unknown outcome or no answer so far.
    pub(super) fn unanswered(&self) -> usize {
        let open = self.sessions.iter().filter(|session| session.client.open().is_some()).count();
        let lost = self.next_process as usize - self.sessions.len();
        open + lost
    }

    /// What clients ask.
    pub fn workload(&self) -> &'a Workload {
        self.workload
    }

    /// The node at which an action happens: the first, if it cannot happen.
    pub fn place(&self, action: &Action) -> NodeId {
        self.local(action).map_or(NodeId(0), |(node, _)| node)
    }

    /// The white-box facts so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The state, with inboxes in canonical order.
    pub fn state(&self) -> State {
        let mut nodes = self.nodes.clone();
        for node in &mut nodes {
            node.inbox = node.canonical_inbox(self.setting.network);
        }
        let sessions = self.sessions.iter().map(|session| session.client.clone()).collect();
        let now = if self.strategy.reads_clock() { self.now } else { 0 };
        State { nodes, sessions, spent: self.spent, now }
    }

    /// From here on links that are cut stay cut. What they hold back can never
    /// arrive, so it is lost, and so is what is sent on them.
    pub fn sever(&mut self) {
        self.severed = true;
        (0..self.nodes.len()).for_each(|place| self.lose_held(place));
    }

    /// Whether links that are cut stay cut.
    pub fn is_severed(&self) -> bool {
        self.severed
    }

    /// Loses what cut links to this node hold back.
    fn lose_held(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        let held = |from: NodeId| node.is_cut_off(from);
        self.flights[place].retain(|flight| !held(flight.name.from));
        node.lose_held();
    }

    /// Where it runs.
    pub fn setting(&self) -> &'a Setting {
        self.setting
    }

    /// What clients saw so far; what is open is pending.
    pub fn history(&self) -> History {
        self.history.clone().finish()
    }

    /// Which operation stands at each position of the history.
    pub fn operations(&self) -> &[OperationId] {
        &self.operations
    }

    /// The operation of a session that waits for an answer, and the node that
    /// was asked last.
    pub fn open_operation(&self, session: SessionId) -> Option<(OperationId, NodeId)> {
        let (number, node) = self.sessions.get(session.index())?.client.open()?;
        Some((OperationId { session: session.0, number }, node))
    }

    /// What tells the sessions apart.
    pub(crate) fn session_views(&self) -> Vec<SessionView> {
        let view = |session: &Session| (session.client.clone(), Vec::new());
        let mut views: Vec<SessionView> = self.sessions.iter().map(view).collect();
        let history = self.history();
        for (id, operation) in self.operations.iter().zip(history.operations()) {
            if let Some((_, told)) = views.get_mut(usize::from(id.session)) {
                told.push((id.number, operation.completion.clone()));
            }
        }
        views
    }

    /// How many steps have been performed; the next one has this number
    /// plus one.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// A hash of the state of `node`. See [`super::component::Node::fingerprint`].
    pub fn fingerprint(&self, node: NodeId) -> u64 {
        self.nodes[node.index()].fingerprint(self.setting.network)
    }

    /// The operation that `session` would invoke next, and where. Operations
    /// that their node does not serve are left out.
    pub fn next_operation(&self, session: SessionId) -> Option<(OperationId, NodeId)> {
        let script = &self.workload.sessions[session.index()];
        let from = self.sessions[session.index()].client.next();
        let (number, _, node) = script.served(&self.strategy, self.cluster(), from).next()?;
        Some((OperationId { session: session.0, number }, node))
    }

    /// A process that has not acted yet.
    pub(super) fn next_process(&mut self) -> u32 {
        self.next_process += 1;
        self.next_process - 1
    }

    /// The time of an event after all others, in virtual nanoseconds.
    pub(super) fn later(&mut self) -> u64 {
        self.now += 1;
        self.now * ACTION_NS
    }

    /// A hash of the whole state, given the fingerprints of the nodes.
    pub(super) fn state_print(&self, nodes: &[u64]) -> u64 {
        let mut hasher = FxHasher::default();
        nodes.hash(&mut hasher);
        self.spent.hash(&mut hasher);
        for session in &self.sessions {
            session.client.hash(&mut hasher);
        }
        hasher.finish()
    }

    pub(super) fn session_ids(&self) -> impl Iterator<Item = SessionId> + use<> {
        (0..u16::try_from(self.sessions.len()).expect("sessions are few")).map(SessionId)
    }

    /// The message with this name, if it is in flight.
    pub fn message_named(&self, name: MessageName) -> Option<MessageId> {
        let flights = self.flights.get(name.to.index())?;
        flights.iter().find(|flight| flight.name == name).map(|flight| flight.id)
    }

    /// The name and the content of a message in flight to `to`.
    pub fn message(&self, to: NodeId, id: MessageId) -> Option<(MessageName, &AnyMessage)> {
        let position = self.flights.get(to.index())?.iter().position(|f| f.id == id)?;
        Some((self.flights[to.index()][position].name, &self.nodes[to.index()].inbox[position].1))
    }

    /// Who sent a message in flight to `to`.
    pub(super) fn sender(&self, to: NodeId, id: MessageId) -> Option<NodeId> {
        self.flights[to.index()].iter().find(|flight| flight.id == id).map(|f| f.name.from)
    }

    /// Every message in flight with its content, in order of receiver and age.
    pub fn in_flight(&self) -> impl Iterator<Item = (MessageName, &AnyMessage)> {
        let inboxes = self.nodes.iter().zip(&self.flights);
        inboxes.flat_map(|(node, flights)| {
            flights.iter().zip(&node.inbox).map(|(flight, (_, message))| (flight.name, message))
        })
    }

    /// Performs `action`. The step gets the number `step`, by which later
    /// actions know the messages it sends; steps are numbered upwards from 1.
    ///
    /// # Errors
    /// If the action is not possible now (the world is unchanged), or if the
    /// strategy panicked (the world is then of no further use).
    pub fn perform(&mut self, action: &Action, step: u32) -> Result<Report, NotEnabled> {
        debug_assert!(step > 0, "step 0 is the start");
        let (node, input) = self.local(action)?;
        self.now += 1;
        self.steps = step;
        self.before(action);
        let report = self.at(node, input, step)?;
        self.after(action, node);
        Ok(report)
    }

    /// Where an action happens, and what it is there.
    fn local(&self, action: &Action) -> Result<(NodeId, LocalInput), NotEnabled> {
        let (node, input) = match *action {
            Action::Invoke(operation) => self.local_invoke(operation)?,
            Action::Deliver(to, message) => (to, LocalInput::Deliver(self.position(to, message)?)),
            Action::Drop(to, message) => (to, LocalInput::Drop(self.position(to, message)?)),
            Action::Duplicate(to, message) => {
                (to, LocalInput::Duplicate(self.position(to, message)?))
            }
            Action::Fire(node, timer) => (node, LocalInput::Fire(timer)),
            Action::Flush(node) => (node, LocalInput::Flush),
            Action::Tick(node) => (node, LocalInput::Tick),
            Action::Strike(node, strike) => {
                if let Some(other) = strike.other() {
                    self.other(other, node)?;
                }
                if let Strike::Command(CommandId(number)) = strike
                    && number >= commands(&self.strategy, self.cluster())
                {
                    return Err(NotEnabled::Impossible("the operator has no such command"));
                }
                if let Strike::Partition(split) = strike
                    && !(node == NodeId(0) && split.splits(self.cluster()))
                {
                    return Err(NotEnabled::Impossible("this does not split the cluster"));
                }
                (node, LocalInput::Strike(strike, self.setting.faults.inbox))
            }
            Action::Recover(node) => (node, LocalInput::Recover),
            Action::Heal(..) | Action::Unite if self.severed => {
                return Err(NotEnabled::Impossible("links that are cut stay cut"));
            }
            Action::Heal(from, to) => (to, LocalInput::Heal(self.other(from, to)?)),
            Action::Unite => (NodeId(0), LocalInput::Unite),
            Action::GiveUp(session) => {
                let (operation, node) = self.open(session)?;
                (node, LocalInput::Cancel(operation))
            }
            Action::Retry(session, node) => (node, self.request(self.open(session)?.0)),
        };
        let Some(at) = self.nodes.get(node.index()) else {
            return Err(NotEnabled::Impossible("there is no such node"));
        };
        if let Some(why) = at.refuses(&input, self.setting.network) {
            return Err(NotEnabled::Impossible(why));
        }
        if matches!(action, Action::Tick(_)) && !self.may_tick(node) {
            return Err(NotEnabled::Impossible("no deadline is ahead of it, or another is behind"));
        }
        let left = self.setting.faults.budget.left(self.spent);
        if action.fault().is_some_and(|kind| !left.contains(kind)) {
            let why = "the fault plan does not allow (more of) this fault";
            return Err(NotEnabled::Impossible(why));
        }
        Ok((node, input))
    }

    /// Whether the clock of a node may tick.
    pub(super) fn may_tick(&self, node: NodeId) -> bool {
        let all = self.nodes.iter().filter_map(Node::hands);
        Hands::may_tick(node.index(), all, self.setting.faults.apart())
    }

    /// A node that is there and is not `node`.
    fn other(&self, other: NodeId, node: NodeId) -> Result<NodeId, NotEnabled> {
        if other == node || other.index() >= self.nodes.len() {
            return Err(NotEnabled::Impossible("there is no such other node"));
        }
        Ok(other)
    }

    fn local_invoke(&self, operation: OperationId) -> Result<(NodeId, LocalInput), NotEnabled> {
        let impossible = |why| Err(NotEnabled::Impossible(why));
        let session = SessionId(operation.session);
        let Some(state) = self.sessions.get(session.index()) else {
            return impossible("there is no such session");
        };
        if let Some(why) = state.client.refuses(operation.number) {
            return impossible(why);
        }
        let script = &self.workload.sessions[session.index()];
        let Some(planned) = script.operations.get(usize::from(operation.number)) else {
            return impossible("the session has no operation left");
        };
        let node = planned.node.unwrap_or(script.node);
        match self.nodes.get(node.index()) {
            None => impossible("there is no such node"),
            Some(state) if !state.up => impossible("the node is down"),
            Some(_) if !self.strategy.serves(&planned.call, node, &self.cluster()) => {
                impossible("the node does not serve this call")
            }
            Some(_) => Ok((node, self.request(operation))),
        }
    }

    fn request(&self, operation: OperationId) -> LocalInput {
        let session = SessionId(operation.session).index();
        let planned = &self.workload.sessions[session].operations[usize::from(operation.number)];
        let token = self.sessions[session].client.token().clone();
        LocalInput::Request(operation, planned.call.clone(), token)
    }

    fn open(&self, session: SessionId) -> Result<(OperationId, NodeId), NotEnabled> {
        let Some(state) = self.sessions.get(session.index()) else {
            return Err(NotEnabled::Impossible("there is no such session"));
        };
        let Some((number, node)) = state.client.open() else {
            return Err(NotEnabled::Impossible("the session has no operation open"));
        };
        Ok((OperationId { session: session.0, number }, node))
    }

    fn position(&self, to: NodeId, message: MessageId) -> Result<usize, NotEnabled> {
        let flights = self.flights.get(to.index());
        flights
            .and_then(|flights| flights.iter().position(|flight| flight.id == message))
            .ok_or(NotEnabled::Impossible("the message is not in flight"))
    }

    /// What an action changes outside its node, before the node acts.
    fn before(&mut self, action: &Action) {
        if let Some(kind) = action.fault() {
            self.spent[kind] += 1;
        }
        match *action {
            Action::Invoke(operation) => {
                let session = usize::from(operation.session);
                let script = &self.workload.sessions[session];
                let planned = &script.operations[usize::from(operation.number)];
                let node = planned.node.unwrap_or(script.node);
                let state = &mut self.sessions[session];
                state.client.invoke(operation.number, node);
                let process = state.process;
                let time = self.now * ACTION_NS;
                self.history
                    .event(Event::invoke(process, time, planned.call.clone()).at(node))
                    .expect("a session is sequential and time moves on");
                self.operations.push(operation);
            }
            Action::Retry(session, node) => self.sessions[session.index()].client.retry(node),
            Action::Deliver(to, message) | Action::Drop(to, message) => {
                let position = self.position(to, message).expect("the action is enabled");
                self.flights[to.index()].remove(position);
            }
            Action::Duplicate(to, message) => {
                let flights = &mut self.flights[to.index()];
                let original = flights.iter().find(|flight| flight.id == message);
                let mut copy = *original.expect("the action is enabled");
                let same = |flight: &&Flight| {
                    (flight.id.step, flight.id.index) == (message.step, message.index)
                };
                let last = flights.iter().filter(same).map(|flight| flight.id.copy).max();
                copy.id.copy = last.expect("at least the original") + 1;
                copy.name.copy = copy.id.copy;
                flights.push(copy);
            }
            Action::GiveUp(session) => self.lose_track(session),
            Action::Strike(..)
            | Action::Fire(..)
            | Action::Flush(_)
            | Action::Tick(_)
            | Action::Recover(_)
            | Action::Heal(..)
            | Action::Unite => {}
        }
    }

    /// What an action changes outside its node, after the node has acted.
    fn after(&mut self, action: &Action, node: NodeId) {
        match *action {
            Action::Strike(_, Strike::Partition(split)) => self.part(Some(split)),
            Action::Unite => self.part(None),
            Action::Strike(_, Strike::Cut(_)) if self.severed => self.lose_held(node.index()),
            _ => {}
        }
        if let Action::Strike(_, strike) = action
            && strike.stops()
        {
            self.facts.crashed(node);
            let flights = &mut self.flights[node.index()];
            if self.nodes[node.index()].inbox.is_empty() {
                flights.clear();
            }
            for session in self.session_ids() {
                if self.sessions[session.index()].client.waits_at(node) {
                    self.lose_track(session);
                }
            }
        }
    }

    /// Splits the network, or makes it whole: n1 has been told, now the others are.
    fn part(&mut self, split: Option<Split>) {
        for (node, id) in self.nodes.iter_mut().zip(Cluster::of(self.setting.nodes).nodes()) {
            node.parted = split.map_or(0, |split| split.across(id));
        }
        if self.severed {
            self.sever();
        }
    }

    /// The open operation of `session` gets an unknown outcome; its client
    /// goes on as a new process.
    fn lose_track(&mut self, session: SessionId) {
        self.sessions[session.index()].client.lose_track(self.setting.faults.keep_token);
        self.change_process(session);
    }

    fn change_process(&mut self, session: SessionId) {
        let state = &mut self.sessions[session.index()];
        self.history.info(state.process).expect("the operation is open");
        state.process = ProcessId(self.next_process);
        self.next_process += 1;
    }

    /// Lets something happen at `node` and carries out its effects.
    fn at(&mut self, node: NodeId, input: LocalInput, step: u32) -> Result<Report, Panicked> {
        let mut effects = std::mem::take(&mut self.effects);
        let local = &mut self.nodes[node.index()];
        if matches!(input, LocalInput::Cancel(_)) && !local.up {
            self.effects = effects;
            return Ok(Report::of(node));
        }
        local_step(
            &self.strategy,
            Cluster::of(self.setting.nodes),
            local,
            input,
            self.now,
            &mut effects,
        )?;
        let mut report = Report::of(node);
        for (write, stamp) in effects.visible.drain(..) {
            self.facts.visible(node, write, stamp);
        }
        for (index, (to, message)) in effects.sends.drain(..).enumerate() {
            report.sent.push(self.send(node, to, message, step, index));
        }
        for (at, reply) in (1u64..).zip(effects.replies.drain(..)) {
            let heard = self.hear(node, &reply, at);
            report.replies.push((reply.operation, reply.completion, heard));
        }
        self.effects = effects;
        Ok(report)
    }

    fn send(
        &mut self,
        from: NodeId,
        to: NodeId,
        message: AnyMessage,
        step: u32,
        index: usize,
    ) -> MessageName {
        let link = from.index() * self.nodes.len() + to.index();
        let age = self.sent_in_all;
        self.sent_in_all += 1;
        self.sent[link] += 1;
        let name = MessageName { from, to, number: self.sent[link], copy: 0 };
        // All nodes send in step 0, so there a message needs its sender to be
        // identified.
        let index = if step == 0 { index * self.nodes.len() + from.index() } else { index };
        let index = u16::try_from(index).expect("a step sends fewer than 65,536 messages");
        if self.nodes[to.index()].is_lost(from, self.severed) {
            return name;
        }
        self.nodes[to.index()].inbox.push((from, message));
        self.flights[to.index()].push(Flight { id: MessageId { step, index, copy: 0 }, name, age });
        name
    }

    /// Gives an answer to its session. Returns whether the client waited for it.
    fn hear(&mut self, node: NodeId, reply: &Reply<AnyStrategy>, at: u64) -> bool {
        let operation = reply.operation;
        let Some(state) = self.sessions.get_mut(usize::from(operation.session)) else {
            return false;
        };
        let (token, keep) = (reply.token.clone(), self.setting.faults.keep_token);
        if !state.client.hear(operation.number, &reply.completion, token, keep) {
            return false;
        }
        let time = self.now * ACTION_NS + at;
        match &reply.completion {
            Completion::Ok(value) => self.history.ok(state.process, time, value.clone()),
            Completion::Fail => self.history.fail(state.process, time),
            Completion::Info => {
                self.change_process(SessionId(operation.session));
                return true;
            }
        }
        .expect("the operation is open and time moves on");
        self.facts.answered(node, operation, &reply.visible);
        true
    }
}

impl Clone for World<'_> {
    fn clone(&self) -> Self {
        World {
            strategy: self.strategy.clone(),
            setting: self.setting,
            workload: self.workload,
            keys: Rc::clone(&self.keys),
            nodes: self.nodes.clone(),
            sessions: self.sessions.clone(),
            spent: self.spent,
            severed: self.severed,
            flights: self.flights.clone(),
            sent: self.sent.clone(),
            sent_in_all: self.sent_in_all,
            now: self.now,
            steps: self.steps,
            next_process: self.next_process,
            history: self.history.clone(),
            operations: self.operations.clone(),
            facts: self.facts.clone(),
            effects: Effects::new(),
        }
    }
}
