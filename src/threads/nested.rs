//! The notebook's synchronous call: a message is handled by its receiver
//! while the sender's lock is held.
//!
//! There is no thread of a replica's own: a client locks the replica it asks
//! and steps it, and for every message locks the receiver and steps that,
//! before it lets go. Two clients that do so from both ends wait for each
//! other; one whose call comes back to a replica it holds waits for itself.
//! That is what this transport is for.
//!
//! A message of a replica to itself is no call: nobody else's lock is needed.
//! It waits in the replica's inbox, as in the world, and is handled when the
//! calls of the step before have returned, before the lock is let go.
//!
//! Invariant: every lock is written down before it is attempted, and one that
//! would close a cycle of clients that wait is not attempted: the run is over.
//! So a run always ends. [`super::locks`] reads the record.
//!
//! An operation that has no answer when its call returns has none: its client
//! asks no more. Timers never fire, and clocks stand still.

use std::collections::BTreeMap;

use crate::history::{Completion, NodeId};
use crate::replication::Subject;
use crate::replication::erased::{AnyMessage, AnyStrategy};
use crate::replication::{Cluster, Effects, OperationId, Strategy};
use crate::world::client::Client;
use crate::world::component::{LocalInput, Node, Panicked, boot, local_step};
use crate::world::{Setting, Workload};

use super::journal::{Answer, CutShort};
use super::locks::{Deadlock, Holder, Line, deadlock};
use super::sync::{Arc, Mutex, MutexGuard, Outside, lock, thread};
use super::{Served, served};

/// How many steps of replicas a run may have. It guards against strategies
/// whose replicas write to themselves for ever.
pub const STEPS_MAX: usize = 1_000;

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NestedRun {
    /// What clients were told.
    pub answers: BTreeMap<OperationId, Completion>,
    /// The record of locks, up to the end of the run.
    pub record: Vec<Line>,
    /// How it ended.
    pub ending: Ending,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Every client has asked all that it could.
    Done,
    /// Clients waited for each other.
    Deadlock(Deadlock),
    /// A handler panicked, or there was no end of steps.
    CutShort(CutShort),
}

/// What is written down of a run.
struct Record {
    answers: BTreeMap<OperationId, Completion>,
    lines: Vec<Line>,
    steps: usize,
    ending: Ending,
}

/// The run is over, for everybody.
struct Over;

struct Nested {
    strategy: AnyStrategy,
    cluster: Cluster,
    keep_token: bool,
    nodes: Vec<Mutex<Node>>,
    record: Outside<Record>,
}

/// Runs `workload` on threads, one a client, to its end.
///
/// # Panics
/// If the setting allows faults.
pub fn run(strategy: &dyn Subject, setting: &Setting, workload: &Workload) -> NestedRun {
    let strategy = &strategy.erased();
    assert!(setting.faults.budget.is_none(), "nothing goes wrong on threads but their order");
    assert!(!strategy.has_deadlines(), "clocks do not tick on threads");
    let cluster = Cluster::of(setting.nodes);
    let nodes =
        cluster.nodes().map(|node| Mutex::new(boot(strategy, node, &cluster, &setting.faults)));
    let (answers, lines) = (BTreeMap::new(), Vec::new());
    let nested = Arc::new(Nested {
        strategy: strategy.clone(),
        cluster,
        keep_token: setting.faults.keep_token,
        nodes: nodes.collect(),
        record: Outside::new(Record { answers, lines, steps: 0, ending: Ending::Done }),
    });
    if nested.start().is_ok() {
        let scripts = workload.sessions.iter().map(|script| served(strategy, setting, script));
        let ask = |(session, script): (u16, Vec<Served>)| {
            let nested = Arc::clone(&nested);
            thread::spawn(move || nested.ask_all(session, script))
        };
        let clients: Vec<_> = (0..).zip(scripts).map(ask).collect();
        for client in clients {
            // Whatever ended it is in the record.
            let _over = client.join().expect("clients do not panic");
        }
    }
    nested.record.with(|record| NestedRun {
        answers: std::mem::take(&mut record.answers),
        record: std::mem::take(&mut record.lines),
        ending: record.ending.clone(),
    })
}

impl Nested {
    /// Starts every node; then what they sent is handled.
    fn start(&self) -> Result<(), Over> {
        let mut letters = Vec::new();
        for node in self.cluster.nodes() {
            let mut local = self.enter(Holder::START, node)?;
            let effects = self.step(&mut local, LocalInput::Start)?;
            letters.extend(effects.sends.into_iter().map(|(to, message)| (node, to, message)));
            self.tell(Line::Leaves(Holder::START, node))?;
        }
        for (from, to, message) in letters {
            self.visit(Holder::START, to, from, message, &mut Vec::new())?;
        }
        Ok(())
    }

    /// Asks all of a script, as far as there are answers.
    fn ask_all(&self, session: u16, script: Vec<Served>) -> Result<(), Over> {
        let who = Holder::of(session);
        let mut client = Client::default();
        for (number, node, call) in script {
            let operation = OperationId { session, number };
            let mut answers = Vec::new();
            let mut local = self.enter(who, node)?;
            self.work(
                who,
                node,
                &mut local,
                LocalInput::Request(operation, call, client.token().clone()),
                &mut answers,
            )?;
            drop(local);
            let answer = answers.into_iter().find(|answer| answer.operation == operation);
            let Some(Answer { completion, token, .. }) = answer else { break };
            client.invoke(number, node);
            client.hear(number, &completion, token, self.keep_token);
            self.record.with(|record| record.answers.insert(operation, completion));
        }
        Ok(())
    }

    /// Hands a message to `node`, and all that this makes others do.
    fn visit(
        &self,
        who: Holder,
        node: NodeId,
        from: NodeId,
        message: AnyMessage,
        answers: &mut Vec<Answer>,
    ) -> Result<(), Over> {
        let mut local = self.enter(who, node)?;
        local.inbox.push((from, message));
        self.work(who, node, &mut local, LocalInput::Deliver(0), answers)
    }

    /// Steps a node whose lock is held, and all that this makes others do,
    /// until its own inbox is empty. The lock can then be let go.
    fn work(
        &self,
        who: Holder,
        node: NodeId,
        local: &mut Node,
        input: LocalInput,
        answers: &mut Vec<Answer>,
    ) -> Result<(), Over> {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let effects = self.step(local, input)?;
            answers.extend(effects.replies.into_iter().map(Answer::of));
            for (to, message) in effects.sends {
                if to == node {
                    local.inbox.push((node, message));
                } else {
                    self.visit(who, to, node, message, answers)?;
                }
            }
            // On threads a disk takes no time.
            next = match local.flushing() {
                0 => (!local.inbox.is_empty()).then_some(LocalInput::Deliver(0)),
                _ => Some(LocalInput::Flush),
            };
        }
        self.tell(Line::Leaves(who, node))
    }

    /// One step of the world at this node.
    fn step(&self, local: &mut Node, input: LocalInput) -> Result<Effects<AnyStrategy>, Over> {
        let full = self.record.with(|record| {
            record.steps += 1;
            record.steps > STEPS_MAX
        });
        if full {
            return Err(self.over(Ending::CutShort(CutShort::Full(STEPS_MAX))));
        }
        let mut effects = Effects::new();
        match local_step(&self.strategy, self.cluster, local, input, 0, &mut effects) {
            Ok(()) => Ok(effects),
            Err(Panicked(why)) => Err(self.over(Ending::CutShort(CutShort::Panicked(why)))),
        }
    }

    /// Locks a node, unless that would be waiting for ever.
    fn enter(&self, who: Holder, node: NodeId) -> Result<MutexGuard<'_, Node>, Over> {
        self.tell(Line::Wants(who, node))?;
        if let Some(deadlock) = self.record.with(|record| deadlock(&record.lines)) {
            return Err(self.over(Ending::Deadlock(deadlock)));
        }
        let local = lock(&self.nodes[node.index()]);
        self.tell(Line::Has(who, node))?;
        Ok(local)
    }

    /// Writes a line down, unless the run is over.
    fn tell(&self, line: Line) -> Result<(), Over> {
        self.record.with(|record| match record.ending {
            Ending::Done => {
                record.lines.push(line);
                Ok(())
            }
            _ => Err(Over),
        })
    }

    /// Ends the run, unless it is over already.
    fn over(&self, ending: Ending) -> Over {
        self.record.with(|record| {
            if record.ending == Ending::Done {
                record.ending = ending;
            }
        });
        Over
    }
}
