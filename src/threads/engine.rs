//! Replicas behind locks, fed by threads: what `mailbox` and `live` share.
//!
//! A replica is a [`Mutex`] around the world's own node; whatever happens to it
//! is one [`local_step`], the same as in a world. One thread a replica takes
//! letters from its inbox; clients step a replica with their own thread.
//!
//! Locks are taken in this order, and only so: a replica, the clock, reply
//! slots by session; then, with the slots free again, inboxes one at a time.
//! A client that waits for an answer holds its slot alone. So no two threads
//! can wait for each other.
//!
//! It knows neither consistency nor time: a clock reading is the number of
//! events so far, as in the world.

use std::collections::{BTreeMap, VecDeque};

use crate::history::{Call, Completion, NodeId};
use crate::replication::{Cluster, Effects, OperationId, Strategy};
use crate::world::component::{LocalInput, NodeOf, Panicked, boot, local_step};
use crate::world::trace::{asks, outcome};
use crate::world::{Action, MessageName, SessionId, Setting};

use super::journal::{Entry, Event, Journal, Observer, Receipt};
use super::sync::{Arc, Condvar, Mutex, MutexGuard, Outside, lock, thread, wait};

/// A running cluster.
pub(super) struct Engine<S: Strategy> {
    pub(super) strategy: S,
    pub(super) cluster: Cluster,
    keep_token: bool,
    places: Vec<Place<S>>,
    /// Held by steps of strategies that read clocks: time is shared, so their
    /// steps do not commute.
    clock: Mutex<()>,
    slots: Outside<Vec<Arc<Slot<S>>>>,
    pub(super) journal: Outside<Journal>,
    quiet: (Mutex<()>, Condvar),
}

/// A replica with its mailbox.
struct Place<S: Strategy> {
    local: Mutex<Local<S>>,
    letters: Mutex<VecDeque<Letter<S>>>,
    arrived: Condvar,
}

/// What is behind a replica's lock.
struct Local<S: Strategy> {
    node: NodeOf<S>,
    /// Messages sent so far, to each node.
    sent: Vec<u32>,
    effects: Effects<S>,
}

enum Letter<S: Strategy> {
    Message(MessageName, S::Message),
    Stop,
}

/// Where the answer to a session's operation is put.
struct Slot<S: Strategy> {
    state: Mutex<SlotState<S>>,
    answered: Condvar,
}

struct SlotState<S: Strategy> {
    /// The operation that waits, by its number, and what it asks.
    open: Option<(u16, Call)>,
    answer: Option<(Completion, S::Token)>,
    given_up: bool,
}

/// A session on its own thread, or on that of whoever drives it.
pub(super) struct Client<S: Strategy> {
    pub(super) session: SessionId,
    /// How many operations it has invoked.
    pub(super) invoked: u16,
    token: S::Token,
    slot: Arc<Slot<S>>,
}

impl<S: Strategy> Engine<S> {
    /// A cluster whose nodes have handled `Start`, with no thread yet.
    pub(super) fn new(
        strategy: S,
        setting: &Setting,
        events_max: usize,
        observer: Option<Observer>,
    ) -> Self {
        assert!(setting.faults.budget.is_none(), "nothing goes wrong on threads but their order");
        let cluster = Cluster::of(setting.nodes);
        let skew = |node: NodeId| setting.faults.clocks.get(node.index()).copied().unwrap_or(0);
        let mut engine = Engine {
            cluster,
            keep_token: setting.faults.keep_token,
            places: Vec::new(),
            clock: Mutex::new(()),
            slots: Outside::new(Vec::new()),
            journal: Outside::new(Journal::new(events_max, observer)),
            quiet: (Mutex::new(()), Condvar::new()),
            strategy,
        };
        let mut locals: Vec<Local<S>> = Vec::new();
        let mut letters: Vec<VecDeque<Letter<S>>> = Vec::new();
        for node in cluster.nodes() {
            locals.push(Local {
                node: boot(&engine.strategy, node, &cluster, skew(node)),
                sent: vec![0; cluster.size()],
                effects: Effects::new(),
            });
            letters.push(VecDeque::new());
        }
        let mut sends = 0;
        let mut panicked = None;
        for (node, local) in cluster.nodes().zip(&mut locals) {
            match engine.step(node, local, LocalInput::Start) {
                Ok(messages) => {
                    sends += messages.len();
                    for (name, message) in messages {
                        letters[name.to.index()].push_back(Letter::Message(name, message));
                    }
                }
                Err(panic) => panicked = panicked.or(Some(panic)),
            }
        }
        engine.journal.with(|journal| journal.started(sends, panicked));
        let places = locals.into_iter().zip(letters).map(|(local, letters)| Place {
            local: Mutex::new(local),
            letters: Mutex::new(letters),
            arrived: Condvar::new(),
        });
        engine.places = places.collect();
        engine
    }

    /// Starts one delivering thread a replica.
    pub(super) fn serve(self: &Arc<Self>) -> Vec<thread::JoinHandle<()>> {
        let serve = |node| {
            let engine = Arc::clone(self);
            thread::spawn(move || engine.deliver(node))
        };
        self.cluster.nodes().map(serve).collect()
    }

    /// A new session, which counts from the last one.
    pub(super) fn client(&self) -> Client<S> {
        let state = SlotState { open: None, answer: None, given_up: false };
        let slot = Arc::new(Slot { state: Mutex::new(state), answered: Condvar::new() });
        let session = self.slots.with(|slots| {
            slots.push(Arc::clone(&slot));
            SessionId(u16::try_from(slots.len() - 1).expect("sessions are few"))
        });
        Client { session, invoked: 0, token: S::Token::default(), slot }
    }

    /// Asks `node`; waits for the answer. None if there will not be any: the
    /// node does not serve the call, the record has ended, or nothing can
    /// happen any more. The session is then at its end.
    pub(super) fn call(
        &self,
        client: &mut Client<S>,
        node: NodeId,
        call: &Call,
    ) -> Option<Completion> {
        if !self.strategy.serves(call, node, &self.cluster) {
            return None;
        }
        let operation = OperationId { session: client.session.0, number: client.invoked };
        let input = LocalInput::Request(operation, call.clone(), client.token.clone());
        let asked = Some((operation, call));
        let mut local = lock(&self.places[node.index()].local);
        let taken = self.happen(node, &mut local, Action::Invoke(operation), asked, input);
        drop(local);
        if !taken {
            return None;
        }
        client.invoked += 1;
        let mut slot = lock(&client.slot.state);
        let (completion, token) = loop {
            if let Some(answer) = slot.answer.take() {
                break answer;
            }
            if slot.given_up {
                drop(slot);
                self.journal.with(|journal| journal.enter(1));
                return None;
            }
            slot = wait(&client.slot.answered, slot);
        };
        let forgets = completion == Completion::Info && !self.keep_token;
        client.token = if forgets { S::Token::default() } else { token };
        Some(completion)
    }

    /// Fires every timer that is armed, node by node.
    pub(super) fn fire_timers(&self) {
        for (node, place) in self.cluster.nodes().zip(&self.places) {
            let mut local = lock(&place.local);
            for timer in local.node.timers.clone() {
                if local.node.timers.contains(&timer) {
                    let action = Action::Fire(node, timer);
                    self.happen(node, &mut local, action, None, LocalInput::Fire(timer));
                }
            }
        }
    }

    /// A client will not ask any more, for the time being.
    pub(super) fn leave(&self) {
        if self.journal.with(Journal::leave) {
            self.now_quiet();
        }
    }

    /// Waits until nothing can happen any more.
    pub(super) fn quiesce(&self) {
        let (quiet, changed) = &self.quiet;
        let mut guard = lock(quiet);
        while !self.journal.with(|journal| journal.is_quiet()) {
            guard = wait(changed, guard);
        }
    }

    /// Lets the delivering threads end when they have delivered what is there.
    pub(super) fn stop(&self) {
        for place in &self.places {
            place.put(Letter::Stop);
        }
    }

    fn deliver(&self, node: NodeId) {
        let place = &self.places[node.index()];
        while let Letter::Message(name, message) = place.take() {
            let mut local = lock(&place.local);
            local.node.inbox.push((name.from, message));
            let action = Action::Deliver(node, name);
            self.happen(node, &mut local, action, None, LocalInput::Deliver(0));
        }
    }

    /// Lets something happen at a replica whose lock is held, writes it down,
    /// and carries out its effects. Whether it counts.
    fn happen(
        &self,
        node: NodeId,
        local: &mut Local<S>,
        action: Action<MessageName>,
        asked: Option<(OperationId, &Call)>,
        input: LocalInput<S>,
    ) -> bool {
        let label = self.label(local, &action);
        let time = self.strategy.reads_clock().then(|| lock(&self.clock));
        let (messages, panicked) = match self.step(node, local, input) {
            Ok(messages) => (messages, None),
            Err(panicked) => (Vec::new(), Some(panicked)),
        };
        let slots = self.slots_of(asked, &local.effects);
        let mut open = lock_all(&slots);
        if let (Some((operation, call)), Some(slot)) =
            (asked, asked.and_then(|(operation, _)| open.get_mut(&operation.session)))
        {
            slot.open = Some((operation.number, call.clone()));
        }
        let answers = answers(local, &mut open);
        let told = label.map(|label| {
            let mut text = words(&action, node, asked, &label);
            report(&action, &answers, panicked.as_ref(), &mut text);
            Event { action, node, text }
        });
        let heard = answers.iter().map(|a| (a.operation, a.completion.clone())).collect();
        let entry = Entry { action, sends: messages.len(), heard, panicked };
        let receipt = self.journal.with(|journal| journal.write(entry, told));
        drop(time);
        if receipt.taken {
            for answer in answers {
                let session = answer.operation.session;
                let slot = open.get_mut(&session).expect("slots of answers are locked");
                slot.answer = Some((answer.completion, answer.token));
                slots[&session].answered.notify_one();
            }
        }
        drop(open);
        self.post(&receipt, messages);
        receipt.taken
    }

    /// Puts what was sent into inboxes, in order; says so if nothing was and
    /// all is quiet.
    fn post(&self, receipt: &Receipt, messages: Vec<(MessageName, S::Message)>) {
        if receipt.taken {
            for (name, message) in messages {
                self.places[name.to.index()].put(Letter::Message(name, message));
            }
        }
        if receipt.quiet {
            self.now_quiet();
        }
    }

    /// One step of the world at this node; what it sends, named.
    fn step(
        &self,
        node: NodeId,
        local: &mut Local<S>,
        input: LocalInput<S>,
    ) -> Result<Vec<(MessageName, S::Message)>, Panicked> {
        let now = match input {
            LocalInput::Start => 0,
            _ => 1 + self.journal.with(|journal| journal.schedule.len()),
        };
        let now = u64::try_from(now).expect("events are countable");
        let Local { node: state, sent, effects } = local;
        if let Err(panicked) = local_step(&self.strategy, state, input, now, effects) {
            effects.clear();
            return Err(panicked);
        }
        let mut messages = Vec::with_capacity(effects.sends.len());
        for (to, message) in effects.sends.drain(..) {
            let Some(number) = sent.get_mut(to.index()) else {
                effects.replies.clear();
                return Err(Panicked(format!("a message was sent to {to}, which does not exist")));
            };
            *number += 1;
            messages.push((MessageName { from: node, to, number: *number, copy: 0 }, message));
        }
        Ok(messages)
    }

    /// The slots that a step touches.
    fn slots_of(
        &self,
        asked: Option<(OperationId, &Call)>,
        effects: &Effects<S>,
    ) -> BTreeMap<u16, Arc<Slot<S>>> {
        let replied = effects.replies.iter().map(|reply| reply.operation.session);
        let sessions = replied.chain(asked.map(|(operation, _)| operation.session));
        self.slots.with(|slots| {
            let slot = |session: u16| Some((session, Arc::clone(slots.get(usize::from(session))?)));
            sessions.filter_map(slot).collect()
        })
    }

    /// The message that is about to be handled, in words, if anybody listens.
    fn label(&self, local: &Local<S>, action: &Action<MessageName>) -> Option<String> {
        if !self.journal.with(|journal| journal.is_observed()) {
            return None;
        }
        match (action, local.node.inbox.first()) {
            (Action::Deliver(..), Some((_, message))) => Some(self.strategy.label(message)),
            _ => Some(String::new()),
        }
    }

    /// Nothing can happen any more: whoever waits for an answer gets none, and
    /// whoever waits for this is told.
    fn now_quiet(&self) {
        for operation in self.journal.with(Journal::give_up) {
            let slot = self.slots.with(|slots| Arc::clone(&slots[usize::from(operation.session)]));
            let mut state = lock(&slot.state);
            // A timer may have brought the answer just now.
            if state.open.as_ref().is_some_and(|(number, _)| *number == operation.number) {
                state.given_up = true;
                state.open = None;
                slot.answered.notify_one();
            }
        }
        let (quiet, changed) = &self.quiet;
        let _guard = lock(quiet);
        changed.notify_all();
    }
}

impl<S: Strategy> Place<S> {
    fn put(&self, letter: Letter<S>) {
        lock(&self.letters).push_back(letter);
        self.arrived.notify_one();
    }

    fn take(&self) -> Letter<S> {
        let mut letters = lock(&self.letters);
        loop {
            match letters.pop_front() {
                Some(letter) => return letter,
                None => letters = wait(&self.arrived, letters),
            }
        }
    }
}

/// An answer that somebody waited for.
struct Answer<S: Strategy> {
    operation: OperationId,
    call: Call,
    completion: Completion,
    token: S::Token,
}

type Open<'a, S> = BTreeMap<u16, MutexGuard<'a, SlotState<S>>>;

fn lock_all<S: Strategy>(slots: &BTreeMap<u16, Arc<Slot<S>>>) -> Open<'_, S> {
    slots.iter().map(|(session, slot)| (*session, lock(&slot.state))).collect()
}

/// The answers of a step that somebody waits for; from now on nobody does.
fn answers<S: Strategy>(local: &mut Local<S>, open: &mut Open<'_, S>) -> Vec<Answer<S>> {
    let mut heard = Vec::new();
    for reply in local.effects.replies.drain(..) {
        let Some(slot) = open.get_mut(&reply.operation.session) else { continue };
        match slot.open.take() {
            Some((number, call)) if number == reply.operation.number => heard.push(Answer {
                operation: reply.operation,
                call,
                completion: reply.completion,
                token: reply.token,
            }),
            other => slot.open = other,
        }
    }
    heard
}

/// What happened, in the words of a trace.
fn words(
    action: &Action<MessageName>,
    node: NodeId,
    asked: Option<(OperationId, &Call)>,
    label: &str,
) -> String {
    match (action, asked) {
        (Action::Fire(_, timer), _) => format!("timer {} fires at {node}", timer.0),
        (_, Some((operation, call))) => {
            format!("{} {} at {node}", SessionId(operation.session), asks(call))
        }
        _ => label.to_owned(),
    }
}

/// What came of it, in the words of a trace.
fn report<S: Strategy>(
    action: &Action<MessageName>,
    answers: &[Answer<S>],
    panicked: Option<&Panicked>,
    text: &mut String,
) {
    for answer in answers {
        let told = outcome(&answer.call, &answer.completion);
        if *action == Action::Invoke(answer.operation) {
            text.push_str(&format!(": {told}"));
        } else {
            let session = SessionId(answer.operation.session);
            text.push_str(&format!(" · {session} {}: {told}", asks(&answer.call)));
        }
    }
    if let Some(Panicked(why)) = panicked {
        text.push_str(&format!(" · panicked: {why}"));
    }
}
