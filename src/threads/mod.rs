//! The same strategies on real threads.
//!
//! Three ways to run a cluster: [`mailbox`] runs scripts to their end, one
//! thread a client and one a replica; [`live`] lets the caller ask as it goes;
//! [`nested`] makes the call to a peer while the caller's lock is held, as the
//! student's notebook does, and can deadlock. Under `--cfg loom` the locks are
//! loom's, and a model of a run explores its interleavings.
//!
//! Invariant: a step of a replica is the world's own, and what happens to it is
//! written down while its lock is held. So every run of `mailbox` and `live`
//! is a [`ThreadRun`]: a schedule that the world replays, event by event,
//! without threads. How a run ends (timers, final reads) is never done on
//! threads: [`ThreadRun::replay`] settles it in the world.
//!
//! Nothing here knows what is allowed, the time, or a file. Only `sync.rs`
//! names the standard library's threads and locks, or loom's.
//!
//! Deviations from a cluster of processes: nothing is lost and nothing crashes,
//! links are FIFO, and what waits at a replica from several senders is
//! delivered in order of arrival.

mod engine;
mod journal;
pub mod live;
pub mod locks;
pub mod mailbox;
pub mod nested;
mod sync;

use std::collections::BTreeMap;

pub use journal::{CutShort, Event, Observer};

use crate::history::Completion;
use crate::replication::{OperationId, Strategy};
use crate::world::trace::{Trace, follow};
use crate::world::{
    Action, Ending, MessageName, NotEnabled, Run, Setting, Step, Workload, re_execute,
};

/// A finished run on threads: all that replaying it in the world needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ThreadRun {
    /// Where.
    pub setting: Setting,
    /// What clients asked.
    pub workload: Workload,
    /// What happened, in an order in which it can happen in the world.
    pub schedule: Vec<Action<MessageName>>,
    /// What clients were told on threads. An operation without an answer is
    /// not among them.
    pub answers: BTreeMap<OperationId, Completion>,
    /// Why the record ends early, if it does.
    pub cut_short: Option<CutShort>,
}

/// How the world departs from what happened on threads: a defect of this tool
/// or a strategy that is not a function of its inputs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Departure {
    /// An event is not possible in the world.
    #[error("event {event} of the thread run is not possible in the world: {why}")]
    Event {
        /// Which event, from 1.
        event: usize,
        /// What the world says.
        why: String,
    },
    /// A client is told something else in the world.
    #[error("a client was told {threads:?} on threads and {world:?} in the world ({operation:?})")]
    Answer {
        /// Which operation.
        operation: OperationId,
        /// The answer on threads.
        threads: Completion,
        /// The answer in the world.
        world: Completion,
    },
}

impl ThreadRun {
    /// Replays the run in the world and ends it there: settling, final reads.
    ///
    /// # Errors
    /// [`Departure`] if an event is not possible, or an answer is not the same.
    pub fn replay<S: Strategy>(&self, strategy: &S) -> Result<Run, Departure> {
        let recorded: Vec<_> = self.schedule.iter().map(|action| (*action, false)).collect();
        let trace = follow(strategy, &self.setting, &self.workload, &recorded);
        let steps = self.steps(&trace)?;
        let run = re_execute(strategy, &self.setting, &self.workload, &steps);
        self.compare(&run)?;
        Ok(run)
    }

    /// The events as steps of the world, given the trace of following them.
    fn steps(&self, trace: &Trace) -> Result<Vec<Step>, Departure> {
        if let Some(NotEnabled::Impossible(why)) = trace.stuck {
            return Err(Departure::Event { event: trace.steps.len() + 1, why: why.to_owned() });
        }
        Ok(trace.steps.iter().map(|step| step.step).collect())
    }

    /// Whether clients were told the same in `run`.
    fn compare(&self, run: &Run) -> Result<(), Departure> {
        // A broken invariant ends a run in the world, and not one on threads.
        if let Ending::Broken(_) = run.ending {
            return Ok(());
        }
        let told = run.history.operations().iter().zip(&run.operations);
        let told: BTreeMap<_, _> = told.map(|(op, id)| (*id, &op.completion)).collect();
        for (&operation, threads) in &self.answers {
            let world = told.get(&operation).copied().unwrap_or(&Completion::Info);
            if world != threads {
                let (threads, world) = (threads.clone(), world.clone());
                return Err(Departure::Answer { operation, threads, world });
            }
        }
        Ok(())
    }
}
