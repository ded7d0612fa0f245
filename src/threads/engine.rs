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
use crate::replication::erased::{AnyMessage, AnyStrategy, AnyToken};
use crate::replication::{Cluster, Effects, OperationId, Reply, Strategy};
use crate::world::client;
use crate::world::component::{LocalInput, Node, Panicked, boot, guard, local_step};
use crate::world::{Action, MessageName, SessionId, Setting};

use super::journal::{Answer, Entry, Journal, Observer};
use super::slots::{Slot, Word, lock_all};
use super::sync::{Arc, Condvar, Mutex, Outside, lock, thread, wait};

/// A running cluster.
pub(super) struct Engine {
    pub(super) strategy: AnyStrategy,
    pub(super) cluster: Cluster,
    keep_token: bool,
    places: Vec<Place>,
    /// Held by steps of strategies that read clocks: time is shared, so their
    /// steps do not commute.
    clock: Mutex<()>,
    slots: Outside<Vec<Arc<Slot>>>,
    pub(super) journal: Outside<Journal>,
    quiet: (Mutex<()>, Condvar),
}

/// A replica with its mailbox.
struct Place {
    local: Mutex<Local>,
    letters: Mutex<VecDeque<Letter>>,
    arrived: Condvar,
}

/// What is behind a replica's lock.
struct Local {
    node: Node,
    /// Messages sent so far, to each node.
    sent: Vec<u32>,
    /// Images that the start has sent to disk, until its thread flushes them.
    began: usize,
    effects: Effects<AnyStrategy>,
}

enum Letter {
    Message(MessageName, AnyMessage),
    Stop,
}

/// A session on its own thread, or on that of whoever drives it.
pub(super) struct Client {
    pub(super) session: SessionId,
    progress: client::Client,
    slot: Arc<Slot>,
}

/// What a client learns about its operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The answer.
    Answer(Completion),
    /// No answer has come, and no message in flight can bring one. The operation
    /// stays open and its session waits: a timer, an operation of another
    /// session, or the settling of the record in the world may still answer it.
    Waits,
    /// The node does not serve the call, so nothing was asked.
    Refused,
    /// The record has ended ([`CutShort`](super::CutShort)).
    Ended,
}

impl Engine {
    /// A cluster whose nodes have handled `Start`; no thread runs yet.
    pub(super) fn new(
        strategy: AnyStrategy,
        setting: &Setting,
        events_max: usize,
        observer: Option<Observer>,
    ) -> Self {
        assert!(setting.faults.budget.is_none(), "nothing goes wrong on threads but their order");
        assert!(!strategy.has_deadlines(), "clocks do not tick on threads");
        let cluster = Cluster::of(setting.nodes);
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
        let mut locals: Vec<Local> = Vec::new();
        let mut letters: Vec<VecDeque<Letter>> = Vec::new();
        for node in cluster.nodes() {
            locals.push(Local {
                node: boot(&engine.strategy, node, &cluster, &setting.faults),
                sent: vec![0; cluster.size()],
                began: 0,
                effects: Effects::new(),
            });
            letters.push(VecDeque::new());
        }
        let mut sends = 0;
        let mut panicked = None;
        for (node, local) in cluster.nodes().zip(&mut locals) {
            match engine.step(node, local, LocalInput::Start) {
                Ok(messages) => {
                    local.began = local.node.flushing();
                    sends += messages.len() + local.began;
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

    /// Starts one thread per replica, which delivers its messages.
    pub(super) fn serve(self: &Arc<Self>) -> Vec<thread::JoinHandle<()>> {
        let serve = |node| {
            let engine = Arc::clone(self);
            thread::spawn(move || engine.deliver(node))
        };
        self.cluster.nodes().map(serve).collect()
    }

    /// A new session; its number follows that of the last one.
    pub(super) fn client(&self) -> Client {
        let slot = Arc::new(Slot::new());
        let session = self.slots.with(|slots| {
            slots.push(Arc::clone(&slot));
            SessionId(u16::try_from(slots.len() - 1).expect("sessions are few"))
        });
        Client { session, progress: client::Client::default(), slot }
    }

    /// Sends operation `number` to `node`, which must serve the call. Returns
    /// whether the record accepts it.
    pub(super) fn ask(&self, client: &mut Client, number: u16, node: NodeId, call: &Call) -> bool {
        let operation = OperationId { session: client.session.0, number };
        let input = LocalInput::Request(operation, call.clone(), client.progress.token().clone());
        let mut local = lock(&self.places[node.index()].local);
        let taken = self.happen(node, &mut local, Action::Invoke(operation), Some(call), input);
        if taken {
            client.progress.invoke(number, node);
        }
        taken
    }

    /// Waits for the answer to an operation, as long as something can still
    /// bring one.
    pub(super) fn wait(&self, client: &mut Client) -> Heard {
        match client.slot.wait() {
            Word::Answer(completion, token) => {
                self.answered(client, &completion, token);
                Heard::Answer(completion)
            }
            Word::Idle => self.unanswered(),
        }
    }

    /// What the client of an open operation is told.
    pub(super) fn unanswered(&self) -> Heard {
        match self.journal.with(|journal| journal.cut_short.is_some()) {
            true => Heard::Ended,
            false => Heard::Waits,
        }
    }

    /// Whether the client still waits for the answer to its last operation.
    pub(super) fn waits(&self, client: &mut Client) -> bool {
        if client.progress.open().is_some()
            && let Some(Word::Answer(completion, token)) = client.slot.look()
        {
            self.answered(client, &completion, token);
        }
        client.progress.open().is_some()
    }

    fn answered(&self, client: &mut Client, completion: &Completion, token: AnyToken) {
        if let Some((number, _)) = client.progress.open() {
            client.progress.hear(number, completion, token, self.keep_token);
        }
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

    /// A client asks nothing more for the time being.
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

    /// Lets the delivering threads end once their inboxes are empty.
    pub(super) fn stop(&self) {
        for place in &self.places {
            place.put(Letter::Stop);
        }
    }

    fn deliver(&self, node: NodeId) {
        let place = &self.places[node.index()];
        {
            // What the start has sent to disk. There may be more on its way, of
            // events that the record has not taken and does not count on.
            let mut local = lock(&place.local);
            let images = std::mem::take(&mut local.began);
            self.flush(node, &mut local, images);
        }
        while let Letter::Message(name, message) = place.take() {
            let mut local = lock(&place.local);
            local.node.inbox.push((name.from, message));
            let action = Action::Deliver(node, name);
            self.happen(node, &mut local, action, None, LocalInput::Deliver(0));
        }
    }

    /// Performs one event at a replica whose lock is held, then flushes what it
    /// has sent to disk: on threads a disk takes no time. Returns whether the
    /// record accepts the event.
    fn happen(
        &self,
        node: NodeId,
        local: &mut Local,
        action: Action<MessageName>,
        asked: Option<&Call>,
        input: LocalInput,
    ) -> bool {
        let before = local.node.flushing();
        let taken = self.event(node, local, action, asked, input);
        if taken {
            self.flush(node, local, local.node.flushing().saturating_sub(before));
        }
        taken
    }

    /// Flushes so many images, and those that are sent meanwhile. The record
    /// counts on every one of them, even if it has ended.
    fn flush(&self, node: NodeId, local: &mut Local, mut images: usize) {
        while images > 0 {
            images -= 1;
            let rest = local.node.flushing() - 1;
            if self.event(node, local, Action::Flush(node), None, LocalInput::Flush) {
                images += local.node.flushing() - rest;
            }
        }
    }

    /// Performs one event at a replica whose lock is held, records it, and
    /// carries out its effects. Returns whether the record accepts it.
    fn event(
        &self,
        node: NodeId,
        local: &mut Local,
        action: Action<MessageName>,
        asked: Option<&Call>,
        input: LocalInput,
    ) -> bool {
        let label = self.label(local, &action);
        let time = self.strategy.reads_clock().then(|| lock(&self.clock));
        let (messages, panicked) = match self.step(node, local, input) {
            Ok(messages) => (messages, None),
            Err(panicked) => (Vec::new(), Some(panicked)),
        };
        let answers: Vec<_> = local.effects.replies.drain(..).map(Answer::of).collect();
        let slots = self.slots_of(&action, &answers);
        let mut locked = lock_all(&slots);
        let sends = messages.len() + std::mem::take(&mut local.effects.images).len();
        let entry = Entry { action, node, asked, label, sends, answers, panicked };
        let receipt = self.journal.with(|journal| journal.write(entry));
        drop(time);
        for Answer { operation, completion, token } in receipt.heard {
            let slot = locked.get_mut(&operation.session).expect("slots of answers are locked");
            slot.put(Word::Answer(completion, token));
        }
        drop(locked);
        // What was sent goes into inboxes in order.
        for (name, message) in messages.into_iter().filter(|_| receipt.taken) {
            self.places[name.to.index()].put(Letter::Message(name, message));
        }
        if receipt.quiet {
            self.now_quiet();
        }
        receipt.taken
    }

    /// Takes one step of the world at this node. Returns the messages that it
    /// sends, with their names.
    fn step(
        &self,
        node: NodeId,
        local: &mut Local,
        input: LocalInput,
    ) -> Result<Vec<(MessageName, AnyMessage)>, Panicked> {
        let now = match input {
            LocalInput::Start => 0,
            _ => 1 + self.journal.with(|journal| journal.schedule.len()),
        };
        let now = u64::try_from(now).expect("events are countable");
        let Local { node: state, sent, effects, .. } = local;
        if let Err(panicked) = local_step(&self.strategy, self.cluster, state, input, now, effects)
        {
            effects.clear();
            return Err(panicked);
        }
        let mut messages = Vec::with_capacity(effects.sends.len());
        for (to, message) in effects.sends.drain(..) {
            let number = &mut sent[to.index()];
            *number += 1;
            messages.push((MessageName { from: node, to, number: *number, copy: 0 }, message));
        }
        Ok(messages)
    }

    /// The slots that an event touches: that of the asking session, and those of
    /// the sessions that it answers.
    fn slots_of(
        &self,
        action: &Action<MessageName>,
        answers: &[Answer],
    ) -> BTreeMap<u16, Arc<Slot>> {
        let asking = match action {
            Action::Invoke(operation) => Some(operation.session),
            _ => None,
        };
        let sessions = answers.iter().map(|answer| answer.operation.session).chain(asking);
        self.slots.with(|slots| {
            let slot = |session: u16| Some((session, Arc::clone(slots.get(usize::from(session))?)));
            sessions.filter_map(slot).collect()
        })
    }

    /// The message about to be handled, in words, if there is an observer.
    fn label(&self, local: &Local, action: &Action<MessageName>) -> String {
        match (action, local.node.inbox.first()) {
            (Action::Deliver(..), Some((_, message))) if self.journal.with(|j| j.is_observed()) => {
                // The world panics here when the record is replayed. If a thread of
                // the cluster panicked, its clients would wait for ever.
                guard(|| self.strategy.label(message)).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    /// Called when nothing can happen any more. If a client waits for an answer,
    /// it is released without one and goes on; otherwise the thread that waits
    /// for quiet is woken.
    fn now_quiet(&self) {
        while let Some(session) = self.journal.with(|journal| journal.idle()) {
            let slot = self.slots.with(|slots| Arc::clone(&slots[usize::from(session)]));
            let mut slot = slot.lock();
            // A timer may have brought the answer just now.
            if self.journal.with(|journal| journal.release(session)) {
                return slot.put(Word::Idle);
            }
        }
        let (quiet, changed) = &self.quiet;
        let _guard = lock(quiet);
        changed.notify_all();
    }
}

impl Answer {
    pub(super) fn of(reply: Reply<AnyStrategy>) -> Self {
        let Reply { operation, completion, token, .. } = reply;
        Answer { operation, completion, token }
    }
}

impl Place {
    fn put(&self, letter: Letter) {
        lock(&self.letters).push_back(letter);
        self.arrived.notify_one();
    }

    fn take(&self) -> Letter {
        let mut letters = lock(&self.letters);
        loop {
            match letters.pop_front() {
                Some(letter) => return letter,
                None => letters = wait(&self.arrived, letters),
            }
        }
    }
}
