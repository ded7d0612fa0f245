//! Clients and their histories: the part of a state that is not a node.
//!
//! Every session is a component of its own: where it stands and, if a
//! property needs it, what it asked and was answered. With real time, each
//! operation also carries how many operations of every session had ended when
//! it began; that is all of real time that a model can see. A row has one
//! number for all sessions and the spent faults together.
//!
//! Invariant: equal numbers mean the same future and the same history as far
//! as it is asked for. It knows no strategy but for what is served.

use crate::replication::erased::AnyToken;
use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::history::{
    self, Builder, Call, Completion, History, Item, Key, Menu, NodeId, ProcessId,
};
use crate::replication::erased::AnyStrategy;
use crate::replication::{Cluster, OperationId, Stamp, Strategy};
use crate::search::key;
use crate::world::client::Client;
use crate::world::{
    FaultKind, FaultKinds, Faults, Planned, Routing, Script, SessionView, Setting, Told, Workload,
};

use super::numbered::{Id, Numbered, count};
use super::numbers::Start;
use super::parts::{Ask, Asked, Event, Progress, Request, Rest, Standing};
use super::{Open, Plan, Work};

/// How much a story has in it: sessions, nodes and keys used, faults; and
/// which sessions and nodes, the first ones first.
pub(super) type Plainness = ([usize; 4], Vec<usize>, Vec<NodeId>);

/// The numberings of all that clients do.
pub(super) struct Clients<'a> {
    setting: &'a Setting,
    plan: &'a Plan<'a>,
    rests: Numbered<Rest>,
    standings: Numbered<Standing>,
    calls: Numbered<Call>,
    requests: Numbered<Request>,
    events: Numbered<Event>,
}

impl<'a> Clients<'a> {
    pub(super) fn new(setting: &'a Setting, plan: &'a Plan<'a>) -> Self {
        let mut events = Numbered::default();
        events.number(Event::default());
        Clients {
            setting,
            plan,
            rests: Numbered::default(),
            standings: Numbered::default(),
            calls: Numbered::default(),
            requests: Numbered::default(),
            events,
        }
    }

    /// How many sessions there are.
    pub(super) fn sessions(&self) -> usize {
        match &self.plan.work {
            Work::Scripted(workload) => workload.sessions.len(),
            Work::Open(open, _) => open.sessions,
        }
    }

    /// The rest before anything happened.
    pub(super) fn first(&mut self) -> Id<Rest> {
        let new = Standing { client: Client::default(), home: None, asked: Vec::new() };
        let new = self.standings.number(new);
        let sessions = SmallVec::from_elem(new, self.sessions());
        self.rests.number(Rest { sessions, spent: Faults::NONE, now: 0, stamps: Vec::new() })
    }

    pub(super) fn event(&mut self, event: Event) -> Id<Event> {
        self.events.number(event)
    }

    /// What an event means.
    pub(super) fn meaning(&self, event: Id<Event>) -> &Event {
        &self.events[event]
    }

    pub(super) fn request(&self, number: Id<Request>) -> &Request {
        &self.requests[number]
    }

    pub(super) fn call(&self, number: Id<Call>) -> &Call {
        &self.calls[number]
    }

    /// Which kinds of faults may still strike, and whether any client waits.
    pub(super) fn standing(&self, rest: Id<Rest>) -> (FaultKinds, bool) {
        let rest = &self.rests[rest];
        let left = self.setting.faults.budget.left(rest.spent);
        let waits = |session: &Id<Standing>| self.standings[*session].client.open().is_some();
        (left, rest.sessions.iter().any(waits))
    }

    /// What clients have done: by session how many operations it has begun or left
    /// out, and how many of these are over.
    pub(super) fn progress(&self, rest: Id<Rest>) -> Progress {
        let progress = |standing: &Standing| {
            let begun = standing.client.next();
            (begun, standing.client.open().map_or(begun, |(open, _)| open))
        };
        self.standings_of(rest).map(progress).collect()
    }

    /// What clients may do next.
    pub(super) fn starts(&mut self, strategy: &AnyStrategy, rest: Id<Rest>) -> Vec<Start> {
        let (left, _) = self.standing(rest);
        let rest = self.rests[rest].clone();
        let mut starts = Vec::new();
        let cluster = Cluster::of(self.setting.nodes);
        for (session, &standing) in (0_u16..).zip(&rest.sessions) {
            let standing = self.standings[standing].clone();
            let Some((number, at)) = standing.client.open() else {
                for (number, call, node) in self.choices(strategy, session, &standing, &rest) {
                    let call = self.calls.number(call);
                    let operation = OperationId { session, number };
                    let ask = Ask::Invoke(operation, call, node);
                    starts.push(self.start(node, ask, standing.client.token()));
                }
                continue;
            };
            let operation = OperationId { session, number };
            if left.contains(FaultKind::GiveUp) {
                starts.push(self.start(at, Ask::GiveUp(operation), &AnyToken::default()));
            }
            if left.contains(FaultKind::Retry) {
                let call = self.call_of(&standing, operation);
                for node in cluster.nodes() {
                    let ask = Ask::Retry(operation, call, node);
                    starts.push(self.start(node, ask, standing.client.token()));
                }
            }
        }
        starts
    }

    fn start(&mut self, node: NodeId, ask: Ask, token: &AnyToken) -> Start {
        let request = self.requests.number(Request { ask, token: token.clone() });
        Start { place: node.0, request }
    }

    fn call_of(&mut self, standing: &Standing, operation: OperationId) -> Id<Call> {
        match &self.plan.work {
            Work::Scripted(workload) => {
                let script = &workload.sessions[usize::from(operation.session)];
                let call = script.operations[usize::from(operation.number)].call.clone();
                self.calls.number(call)
            }
            Work::Open(..) => standing.asked.last().expect("an open operation was asked").call,
        }
    }

    /// What an idle session may ask.
    fn choices(
        &self,
        strategy: &AnyStrategy,
        session: u16,
        standing: &Standing,
        rest: &Rest,
    ) -> Vec<(u16, Call, NodeId)> {
        let cluster = Cluster::of(self.setting.nodes);
        let (open, menu) = match &self.plan.work {
            Work::Scripted(workload) => {
                let script = &workload.sessions[usize::from(session)];
                let next = script.served(strategy, cluster, standing.client.next()).next();
                let next = next.map(|(number, call, node)| (number, call.clone(), node));
                return next.into_iter().collect();
            }
            Work::Open(open, menu) => (open, menu),
        };
        let (writes, reads) = self.asked(rest, menu);
        let mut calls = Vec::new();
        for number in 0..open.keys {
            let new = 100 * i64::from(session) + i64::from(standing.client.next()) + 1;
            let all = |items: &[Item], left: bool| {
                let items = items.iter().filter(move |_| left);
                items.map(|item| item.call(key(number), new)).collect::<Vec<_>>()
            };
            calls.extend(all(&menu.updates, writes < open.writes));
            calls.extend(all(&menu.queries, reads < open.reads));
        }
        let nodes = cluster.nodes().filter(|node| standing.home.is_none_or(|home| home == *node));
        let all = nodes.flat_map(|node| calls.iter().map(move |call| (call.clone(), node)));
        all.filter(|(call, node)| strategy.serves(call, *node, &cluster))
            .map(|(call, node)| (standing.client.next(), call, node))
            .collect()
    }

    /// How many updates and queries were asked in all.
    fn asked(&self, rest: &Rest, menu: &Menu) -> (usize, usize) {
        let standings = rest.sessions.iter().map(|at| &self.standings[*at]);
        let asked = standings.flat_map(|standing| &standing.asked);
        let (writes, reads): (Vec<_>, _) =
            asked.partition::<Vec<_>, _>(|asked| menu.updates(self.call(asked.call)));
        (writes.len(), reads.len())
    }

    /// The rest after an event, which takes one tick if time counts.
    pub(super) fn after(&mut self, rest: Id<Rest>, event: Id<Event>, ticks: bool) -> Id<Rest> {
        let mut rest = self.rests[rest].clone();
        let Event { ask, answered, fault, crashed, stamped } = self.events[event].clone();
        rest.now += u32::from(ticks);
        for (write, stamp) in stamped {
            match rest.stamps.binary_search_by_key(&write, |(write, _)| *write) {
                Ok(at) => rest.stamps[at].1 = stamp.max(rest.stamps[at].1),
                Err(at) => rest.stamps.insert(at, (write, stamp)),
            }
        }
        if let Some(kind) = fault.or(ask.and_then(Ask::fault)) {
            rest.spent[kind] += 1;
        }
        match ask {
            Some(Ask::Invoke(operation, call, node)) => {
                self.invoke(&mut rest, operation, call, node)
            }
            Some(Ask::Retry(operation, _, node)) => {
                self.change(&mut rest, operation.session, |standing| {
                    standing.client.retry(node);
                });
            }
            Some(Ask::GiveUp(operation)) => {
                self.lose_track(&mut rest, operation.session);
            }
            None => {}
        }
        for (operation, completion, token) in answered {
            self.hear(&mut rest, operation, completion, token);
        }
        if let Some(node) = crashed {
            for session in 0..count(rest.sessions.len()) {
                let session = u16::try_from(session).expect("sessions are few");
                let standing = rest.sessions[usize::from(session)];
                if self.standings[standing].client.waits_at(node) {
                    self.lose_track(&mut rest, session);
                }
            }
        }
        self.rests.number(rest)
    }

    fn change(&mut self, rest: &mut Rest, session: u16, change: impl FnOnce(&mut Standing)) {
        let number = &mut rest.sessions[usize::from(session)];
        let mut standing = self.standings[*number].clone();
        change(&mut standing);
        *number = self.standings.number(standing);
    }

    fn invoke(&mut self, rest: &mut Rest, operation: OperationId, call: Id<Call>, node: NodeId) {
        let ended = |at: &Id<Standing>| {
            let asked = self.standings[*at].asked.iter();
            u16::try_from(asked.filter(|asked| asked.ended.is_some()).count()).expect("few")
        };
        let tracks = self.plan.tracks;
        let before = if tracks.real_time {
            rest.sessions.iter().map(ended).collect()
        } else {
            SmallVec::new()
        };
        let stays =
            self.setting.routing == Routing::Sticky && matches!(self.plan.work, Work::Open(..));
        let number = operation.number;
        self.change(rest, operation.session, |standing| {
            standing.client.invoke(number, node);
            standing.home = stays.then_some(node);
            if tracks.history {
                standing.asked.push(Asked { number, call, node, ended: None, before });
            }
        });
    }

    /// The client of an open operation will never learn its outcome.
    fn lose_track(&mut self, rest: &mut Rest, session: u16) {
        let keep = self.setting.faults.keep_token;
        self.change(rest, session, |standing| {
            standing.client.lose_track(keep);
            standing.end(Completion::Info);
        });
    }

    /// An answer arrives, which counts if its client still waits for it.
    fn hear(
        &mut self,
        rest: &mut Rest,
        operation: OperationId,
        completion: Completion,
        token: AnyToken,
    ) {
        let Some(&at) = rest.sessions.get(usize::from(operation.session)) else { return };
        if !self.standings[at].client.waits_for(operation.number) {
            return;
        }
        let keep = self.setting.faults.keep_token;
        self.change(rest, operation.session, |standing| {
            standing.client.hear(operation.number, &completion, token, keep);
            standing.end(completion);
        });
    }

    fn standings_of(&self, rest: Id<Rest>) -> impl Iterator<Item = &Standing> {
        let sessions = self.rests[rest].sessions.iter();
        sessions.map(|at| &self.standings[*at])
    }

    /// What tells the sessions apart; nothing of what they were told, if that
    /// is not tracked.
    pub(super) fn views(&self, rest: Id<Rest>) -> Vec<SessionView> {
        let told = |asked: &Asked| (asked.number, asked.ended.clone().unwrap_or(Completion::Info));
        let view = |standing: &Standing| {
            (standing.client.clone(), standing.asked.iter().map(told).collect())
        };
        self.standings_of(rest).map(view).collect()
    }

    /// Whether the operations of sessions and their answers are part of a rest.
    pub(super) fn tracks_history(&self) -> bool {
        self.plan.tracks.history
    }

    /// How many operations are open.
    pub(super) fn open(&self, rest: Id<Rest>) -> usize {
        self.standings_of(rest).filter(|standing| standing.client.open().is_some()).count()
    }

    /// True time, if it is part of a state; else 0.
    pub(super) fn now(&self, rest: Id<Rest>) -> u64 {
        u64::from(self.rests[rest].now)
    }

    /// The highest stamps of writes, where they are remembered.
    pub(super) fn stamps(&self, rest: Id<Rest>) -> &[(OperationId, Stamp)] {
        &self.rests[rest].stamps
    }

    /// The keys that clients have asked about so far; with scripts, those
    /// that they may ask about.
    pub(super) fn keys(&self, rest: Id<Rest>) -> Vec<Key> {
        match &self.plan.work {
            Work::Scripted(workload) => workload.keys(),
            Work::Open(..) => {
                let asked = self.standings_of(rest).flat_map(|standing| &standing.asked);
                asked.map(|asked| self.call(asked.call).key.clone()).collect()
            }
        }
    }

    /// How much there is in the story of this rest.
    pub(super) fn plainness(&self, rest: Id<Rest>) -> Plainness {
        let asked = || self.standings_of(rest).flat_map(|standing| &standing.asked);
        let standings = self.standings_of(rest).enumerate();
        let used = standings.filter(|(_, standing)| !standing.asked.is_empty());
        let sessions: Vec<_> = used.map(|(session, _)| session).collect();
        let nodes: BTreeSet<_> = asked().map(|asked| asked.node).collect();
        let keys: BTreeSet<_> = asked().map(|asked| &self.call(asked.call).key).collect();
        let faults = self.spent(rest).total();
        let sizes = [sessions.len(), nodes.len(), keys.len(), faults];
        (sizes, sessions, nodes.into_iter().collect())
    }

    /// The faults that had struck.
    pub(super) fn spent(&self, rest: Id<Rest>) -> Faults {
        self.rests[rest].spent
    }

    /// The most of each kind of fault that had struck in any rest.
    pub(super) fn most_spent(&self) -> Faults {
        let mut most = Faults::NONE;
        for rest in &self.rests.values {
            for (kind, count) in rest.spent.each() {
                most[kind] = count.max(most[kind]);
            }
        }
        most
    }

    /// The scripts that this rest has come from, and the operation that is
    /// asked next, if one is.
    pub(super) fn workload(&self, rest: Id<Rest>, next: Option<Id<Request>>) -> Workload {
        let mut workload = self.scripts(rest);
        if let (Work::Open(..), Some(request)) = (&self.plan.work, next)
            && let Ask::Invoke(operation, call, node) = self.request(request).ask
        {
            let script = &mut workload.sessions[usize::from(operation.session)];
            if script.operations.is_empty() {
                script.node = node;
            }
            let roams = self.setting.routing == Routing::Roaming;
            let call = self.call(call).clone();
            script.operations.push(Planned { call, node: roams.then_some(node) });
        }
        workload
    }

    /// The scripts that this rest has come from.
    fn scripts(&self, rest: Id<Rest>) -> Workload {
        if let Work::Scripted(workload) = &self.plan.work {
            return workload.clone();
        }
        let script = |at: &Id<Standing>| {
            let standing = &self.standings[*at];
            let node = standing.asked.first().map_or(NodeId(0), |first| first.node);
            let planned = |asked: &Asked| Planned {
                call: self.call(asked.call).clone(),
                node: (self.setting.routing == Routing::Roaming).then_some(asked.node),
            };
            Script { node, operations: standing.asked.iter().map(planned).collect() }
        };
        Workload { sessions: self.rests[rest].sessions.iter().map(script).collect() }
    }

    /// What clients saw, with these final reads at the end, and which
    /// operation stands at each position.
    pub(super) fn history(
        &self,
        rest: Id<Rest>,
        finals: &[(NodeId, Call, Told)],
    ) -> (History, Vec<OperationId>) {
        let mut tape = Tape::new(self.sessions());
        let sessions = &self.rests[rest].sessions;
        let asked = |session: usize| &self.standings[sessions[session]].asked;
        let mut all: Vec<(usize, usize)> = (0..sessions.len())
            .flat_map(|session| (0..asked(session).len()).map(move |at| (session, at)))
            .collect();
        // What had ended when operations began grows with time, so its sum
        // puts them in order. Without real time any order will do.
        let begun = |&(session, at): &(usize, usize)| {
            asked(session)[at].before.iter().map(|count| usize::from(*count)).sum::<usize>()
        };
        all.sort_by_key(|op| (begun(op), op.1, op.0));
        for (session, at) in all {
            let operation = &asked(session)[at];
            for (other, &count) in operation.before.iter().enumerate() {
                tape.end_until(other, usize::from(count), asked(other));
            }
            tape.end_until(session, at, asked(session));
            tape.begin(session, operation, self.call(operation.call));
        }
        for session in 0..sessions.len() {
            tape.end_until(session, asked(session).len(), asked(session));
        }
        tape.finish(finals)
    }
}

/// Writes a history from what is known of its order.
struct Tape {
    events: Builder,
    operations: Vec<OperationId>,
    processes: Vec<ProcessId>,
    next_process: u32,
    ended: Vec<usize>,
    time: u64,
}

impl Tape {
    fn new(sessions: usize) -> Self {
        Tape {
            events: Builder::new(),
            operations: Vec::new(),
            processes: (0..count(sessions)).map(ProcessId).collect(),
            next_process: count(sessions),
            ended: vec![0; sessions],
            time: 0,
        }
    }

    fn later(&mut self) -> u64 {
        self.time += 1;
        self.time
    }

    fn begin(&mut self, session: usize, asked: &Asked, call: &Call) {
        let time = self.later();
        let process = self.processes[session];
        let event = history::Event::invoke(process, time, call.clone()).at(asked.node);
        self.events.event(event).expect("a session is sequential");
        let session = u16::try_from(session).expect("sessions are few");
        self.operations.push(OperationId { session, number: asked.number });
    }

    /// Ends operations of a session until so many have ended.
    fn end_until(&mut self, session: usize, ended: usize, asked: &[Asked]) {
        while self.ended[session] < ended {
            let completion = asked[self.ended[session]].ended.as_ref();
            self.ended[session] += 1;
            let process = self.processes[session];
            let time = self.later();
            match completion {
                // Only the last operation of a session can be open.
                None => continue,
                Some(Completion::Ok(value)) => self.events.ok(process, time, value.clone()),
                Some(Completion::Fail) => self.events.fail(process, time),
                Some(Completion::Info) => {
                    self.processes[session] = ProcessId(self.next_process);
                    self.next_process += 1;
                    self.events.info(process)
                }
            }
            .expect("the operation is open and time moves on");
        }
    }

    fn finish(mut self, finals: &[(NodeId, Call, Told)]) -> (History, Vec<OperationId>) {
        let session = u16::try_from(self.processes.len()).expect("sessions are few");
        for (session, (node, call, value)) in (session..).zip(finals) {
            let process = ProcessId(self.next_process);
            self.next_process += 1;
            let time = self.later();
            let event = history::Event::invoke(process, time, call.clone()).at(*node);
            self.events.event(event).expect("a fresh process at the end");
            self.operations.push(OperationId { session, number: 0 });
            let time = self.later();
            match value {
                Told::Answer(value) => self.events.ok_final(process, time, value.clone()),
                Told::Refused => self.events.fail(process, time),
                Told::Nothing => continue,
            }
            .expect("the read is open");
        }
        (self.events.finish(), self.operations)
    }
}

impl Open {
    /// The keys that clients use.
    pub(super) fn keys(&self) -> Vec<crate::history::Key> {
        (0..self.keys).map(key).collect()
    }
}
