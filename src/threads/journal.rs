//! The order of events, kept outside loom.
//!
//! Invariant: what is written down is a schedule of the world. An event is
//! written while the lock of its replica is held and before anything that it
//! sends can be taken, so every event comes after its causes; events at
//! different replicas commute, so any such order is as good as the real one.
//!
//! The journal also counts what can still act: messages in flight and clients
//! that do not wait for an answer. At zero nothing can happen any more.
//! It knows no lock, no thread and no strategy.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Completion, NodeId};
use crate::replication::OperationId;
use crate::world::component::{Panicked, guard};
use crate::world::{Action, MessageName};

/// One event at one replica, as it is told while it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub action: Action<MessageName>,
    /// The replica at which it happened.
    pub node: NodeId,
    /// What happened, in words.
    pub text: String,
}

/// Is told every event, one at a time, in the order of the record. It is
/// called while locks are held and must not call the cluster.
pub type Observer = Box<dyn Fn(&Event) + Send + Sync>;

/// Why a record ends before the cluster was quiet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CutShort {
    /// The handler of the last event panicked.
    #[error("a handler panicked: {0}")]
    Panicked(String),
    /// As many events as were allowed have happened.
    #[error("the limit of {0} events was reached")]
    Full(usize),
}

/// An event as the engine hands it in.
pub(super) struct Entry {
    pub(super) action: Action<MessageName>,
    pub(super) sends: usize,
    /// The answers that somebody waited for.
    pub(super) heard: Vec<(OperationId, Completion)>,
    pub(super) panicked: Option<Panicked>,
}

/// What came of handing an event in.
pub(super) struct Receipt {
    /// Whether it counts. If not, nothing that it wants done may be done.
    pub(super) taken: bool,
    /// Whether nothing can happen any more.
    pub(super) quiet: bool,
}

/// The record while it is being written.
pub(super) struct Journal {
    pub(super) schedule: Vec<Action<MessageName>>,
    pub(super) answers: BTreeMap<OperationId, Completion>,
    pub(super) cut_short: Option<CutShort>,
    /// Operations that wait for an answer.
    waiting: BTreeSet<OperationId>,
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
            waiting: BTreeSet::new(),
            active: 0,
            events_max,
            observer,
        }
    }

    /// Whether anybody wants to be told in words.
    pub(super) fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// The beginning: these many messages were sent by the start.
    pub(super) fn started(&mut self, sends: usize, panicked: Option<Panicked>) {
        self.active += sends;
        self.cut_short = panicked.map(|Panicked(text)| CutShort::Panicked(text));
    }

    /// Writes an event down, unless the record has ended.
    pub(super) fn write(&mut self, entry: Entry, told: Option<Event>) -> Receipt {
        self.active -= usize::from(matches!(entry.action, Action::Deliver(..)));
        let taken = self.cut_short.is_none();
        if taken {
            self.schedule.push(entry.action);
            self.account_for(&entry);
            if let (Some(observer), Some(event)) = (&self.observer, &told)
                && guard(|| observer(event)).is_err()
            {
                self.observer = None;
            }
        }
        Receipt { taken, quiet: self.active == 0 }
    }

    fn account_for(&mut self, entry: &Entry) {
        self.active += entry.sends;
        if let Action::Invoke(operation) = entry.action {
            self.waiting.insert(operation);
            self.active -= 1;
        }
        for (operation, completion) in &entry.heard {
            self.waiting.remove(operation);
            self.active += 1;
            self.answers.insert(*operation, completion.clone());
        }
        if let Some(Panicked(text)) = &entry.panicked {
            self.cut_short = Some(CutShort::Panicked(text.clone()));
        } else if self.schedule.len() >= self.events_max {
            self.cut_short = Some(CutShort::Full(self.events_max));
        }
    }

    /// These many clients begin to act.
    pub(super) fn enter(&mut self, clients: usize) {
        self.active += clients;
    }

    /// A client has nothing more to ask; whether nothing can happen any more.
    pub(super) fn leave(&mut self) -> bool {
        self.active -= 1;
        self.active == 0
    }

    /// Whether nothing can happen any more.
    pub(super) fn is_quiet(&self) -> bool {
        self.active == 0
    }

    /// The operations that wait although nothing can happen any more.
    pub(super) fn give_up(&mut self) -> BTreeSet<OperationId> {
        if self.active == 0 { std::mem::take(&mut self.waiting) } else { BTreeSet::new() }
    }
}
