//! The order of events, kept outside loom.
//!
//! Invariant: what is written down is a schedule of the world. An event is
//! written while the lock of its replica is held and before anything that it
//! sends can be taken, so every event comes after its causes; events at
//! different replicas commute, so any such order is as good as the real one.
//! Only the journal knows which operations are open, and so which answers count:
//! an answer after the end of the record does not.
//!
//! The journal also counts what can still act: messages in flight, images on
//! their way to disk, and clients
//! that do not wait for an answer. At zero nothing can happen any more.
//! It knows no lock, no thread and no strategy.

use crate::replication::erased::AnyToken;
use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Call, Completion, NodeId};
use crate::replication::OperationId;
use crate::world::component::{Panicked, guard};
use crate::world::trace::{Answered, Happening};
use crate::world::{Action, MessageName};

/// Called with every event, one at a time, in the order of the record. Locks are
/// held during the call, so it must not call the cluster.
pub type Observer = Box<dyn Fn(&Happening) + Send + Sync>;

/// Why a record ends before the cluster was quiet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CutShort {
    /// The handler of the last event panicked.
    #[error("a handler panicked: {0}")]
    Panicked(String),
    /// The limit of events was reached, and there would have been more.
    #[error("the limit of {0} events was reached")]
    Full(usize),
}

/// An event as the engine reports it.
pub(super) struct Entry<'c> {
    pub(super) action: Action<MessageName>,
    pub(super) node: NodeId,
    /// What an invocation asks.
    pub(super) asked: Option<&'c Call>,
    /// The message that was handled, in words.
    pub(super) label: String,
    /// How many messages and images it sends.
    pub(super) sends: usize,
    pub(super) answers: Vec<Answer>,
    pub(super) panicked: Option<Panicked>,
}

/// An answer, and what its session carries on.
pub(super) struct Answer {
    pub(super) operation: OperationId,
    pub(super) completion: Completion,
    pub(super) token: AnyToken,
}

/// What the journal made of an event.
pub(super) struct Receipt {
    /// Whether it counts. If not, its effects must not be carried out.
    pub(super) taken: bool,
    /// The answers that count: those to operations that were open until now.
    pub(super) heard: Vec<Answer>,
    /// Whether nothing can happen any more.
    pub(super) quiet: bool,
}

/// The record while it is being written.
pub(super) struct Journal {
    pub(super) schedule: Vec<Action<MessageName>>,
    pub(super) answers: BTreeMap<OperationId, Completion>,
    pub(super) cut_short: Option<CutShort>,
    /// Operations without an answer so far, with their calls.
    open: BTreeMap<OperationId, Call>,
    /// Sessions whose client waits for an answer.
    blocked: BTreeSet<u16>,
    active: usize,
    events_max: usize,
    observer: Option<Observer>,
}

impl Journal {
    pub(super) fn new(events_max: usize, observer: Option<Observer>) -> Self {
        Journal {
            schedule: Vec::new(),
            answers: BTreeMap::new(),
            cut_short: None,
            open: BTreeMap::new(),
            blocked: BTreeSet::new(),
            active: 0,
            events_max,
            observer,
        }
    }

    /// Whether messages are described in words for an observer.
    pub(super) fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// Begins the record; the start of the cluster sent this many messages and
    /// images.
    pub(super) fn started(&mut self, sends: usize, panicked: Option<Panicked>) {
        self.active += sends;
        self.cut_short = panicked.map(|Panicked(text)| CutShort::Panicked(text));
    }

    /// Writes an event down, unless the record has ended.
    pub(super) fn write(&mut self, mut entry: Entry<'_>) -> Receipt {
        let comes = matches!(entry.action, Action::Deliver(..) | Action::Flush(_));
        self.active -= usize::from(comes);
        if self.cut_short.is_none() && self.schedule.len() >= self.events_max {
            self.cut_short = Some(CutShort::Full(self.events_max));
        }
        let taken = self.cut_short.is_none();
        let heard = if taken { self.account_for(&mut entry) } else { Vec::new() };
        Receipt { taken, heard, quiet: self.active == 0 }
    }

    fn account_for(&mut self, entry: &mut Entry<'_>) -> Vec<Answer> {
        self.schedule.push(entry.action);
        self.active += entry.sends;
        if let (Action::Invoke(operation), Some(call)) = (entry.action, entry.asked) {
            self.open.insert(operation, call.clone());
            self.blocked.insert(operation.session);
            self.active -= 1;
        }
        let (mut heard, mut answers) = (Vec::new(), Vec::new());
        for answer in entry.answers.drain(..) {
            let Some(call) = self.open.remove(&answer.operation) else { continue };
            self.active += usize::from(self.blocked.remove(&answer.operation.session));
            self.answers.insert(answer.operation, answer.completion.clone());
            let completion = answer.completion.clone();
            answers.push(Answered { operation: answer.operation, call, completion });
            heard.push(answer);
        }
        let panicked = entry.panicked.take().map(|Panicked(why)| why);
        if let Some(why) = &panicked {
            self.cut_short = Some(CutShort::Panicked(why.clone()));
        }
        if let Some(observer) = &self.observer {
            let (asked, label) = (entry.asked.cloned(), std::mem::take(&mut entry.label));
            let Entry { action, node, .. } = *entry;
            let happened = Happening { action, node, asked, label, answers, panicked };
            if guard(|| observer(&happened)).is_err() {
                self.observer = None;
            }
        }
        heard
    }

    /// This many clients begin to act.
    pub(super) fn enter(&mut self, clients: usize) {
        self.active += clients;
    }

    /// A client has nothing more to ask. Returns whether nothing can happen any
    /// more.
    pub(super) fn leave(&mut self) -> bool {
        self.active -= 1;
        self.active == 0
    }

    /// Whether nothing can happen any more.
    pub(super) fn is_quiet(&self) -> bool {
        self.active == 0
    }

    /// A session whose client waits while nothing can happen any more.
    pub(super) fn idle(&self) -> Option<u16> {
        self.blocked.first().copied().filter(|_| self.active == 0)
    }

    /// Lets the client of this session stop waiting; its operation stays open.
    /// False if it was answered already, or still may be.
    pub(super) fn release(&mut self, session: u16) -> bool {
        let released = self.active == 0 && self.blocked.remove(&session);
        self.active += usize::from(released);
        released
    }
}
