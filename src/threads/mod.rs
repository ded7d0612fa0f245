//! The same strategies on real threads.
//!
//! Three ways to run a cluster: [`mailbox`] runs scripts to their end, one
//! thread a client and one a replica; [`live`] lets the caller ask as it goes;
//! [`nested`] makes the call to a peer while the caller's lock is held, as the
//! student's notebook does, and can deadlock. Under `--cfg loom` the locks are
//! loom's, and a model of a run explores its interleavings. None of them waits
//! for ever, whatever a strategy does, as long as its handlers end.
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
mod slots;
mod sync;

use std::collections::BTreeMap;

pub use engine::Heard;
pub use journal::{CutShort, Observer};

use crate::history::{Call, Completion, NodeId};
use crate::replication::Subject;
use crate::replication::erased::AnyStrategy;
use crate::replication::{Cluster, OperationId};
use crate::world::component::Panicked;
use crate::world::{
    Action, MessageName, NotEnabled, Run, Script, Setting, Shows, Step, Workload, World, re_execute,
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
    /// A client is told something else in the world, or only on one side.
    #[error("{operation:?}: a client was told {threads:?} on threads and {world:?} in the world")]
    Answer {
        /// Which operation.
        operation: OperationId,
        /// The answer on threads, if there was one.
        threads: Option<Completion>,
        /// The answer in the world, if there was one.
        world: Option<Completion>,
    },
    /// The record ends otherwise than the world does there.
    #[error("the record ends because {threads}; in the world {world}")]
    End {
        /// Why the record ends.
        threads: String,
        /// How the world is there.
        world: String,
    },
}

/// A world that has followed a record to its end.
struct Followed {
    steps: Vec<Step>,
    answers: BTreeMap<OperationId, Completion>,
    panicked: Option<String>,
    /// What can still happen there without a timer.
    next: Option<String>,
}

impl ThreadRun {
    /// Replays the run in the world and ends it there: settling, final reads.
    ///
    /// Up to the end of the record both sides must agree on every event, on
    /// every answer, and on whether anything can still happen. What settling
    /// adds, answers to operations that were open included, has no counterpart
    /// on threads.
    ///
    /// # Errors
    /// [`Departure`] if they do not.
    pub fn replay(&self, strategy: &dyn Subject) -> Result<Run, Departure> {
        let followed = self.follow(strategy)?;
        self.compare(&followed)?;
        Ok(re_execute(strategy, &self.setting, &self.workload, &followed.steps, Shows::All))
    }

    /// Performs the events in a world.
    fn follow(&self, strategy: &dyn Subject) -> Result<Followed, Departure> {
        let mut followed =
            Followed { steps: Vec::new(), answers: BTreeMap::new(), panicked: None, next: None };
        let mut world = match World::new(strategy, &self.setting, &self.workload) {
            Ok(world) => world,
            Err(Panicked(why)) => return Ok(Followed { panicked: Some(why), ..followed }),
        };
        for (number, named) in (1..).zip(&self.schedule) {
            let event = followed.steps.len() + 1;
            let impossible = |why: &str| Departure::Event { event, why: why.to_owned() };
            let action = named.rename(|_, name| world.message_named(*name));
            let action = action.ok_or_else(|| impossible("the message is not in flight"))?;
            let step = Step { number, action, settling: false };
            match world.perform(&action, number) {
                Ok(report) => {
                    let heard = report.replies.into_iter().filter(|(.., heard)| *heard);
                    followed.answers.extend(heard.map(|(id, completion, _)| (id, completion)));
                    followed.steps.push(step);
                }
                Err(NotEnabled::Impossible(why)) => return Err(impossible(why)),
                Err(NotEnabled::Panicked(Panicked(why))) => {
                    followed.steps.push(step);
                    return Ok(Followed { panicked: Some(why), ..followed });
                }
            }
        }
        let mut enabled = Vec::new();
        world.enabled(&mut enabled);
        let next = enabled.iter().find(|action| !matches!(action, Action::Fire(..)));
        followed.next = next.map(|action| format!("{action:?} can still happen"));
        Ok(followed)
    }

    /// Whether both sides tell the same.
    fn compare(&self, world: &Followed) -> Result<(), Departure> {
        let answered = self.answers.keys().chain(world.answers.keys());
        for &operation in answered {
            let of = |answers: &BTreeMap<_, _>| answers.get(&operation).cloned();
            let (threads, world) = (of(&self.answers), of(&world.answers));
            if threads != world {
                return Err(Departure::Answer { operation, threads, world });
            }
        }
        let all = world.steps.len() == self.schedule.len();
        let same = match (&self.cut_short, &world.panicked) {
            (Some(CutShort::Panicked(threads)), Some(world)) => all && threads == world,
            (Some(CutShort::Full(limit)), None) => self.schedule.len() == *limit,
            (None, None) => world.next.is_none(),
            _ => false,
        };
        if same {
            return Ok(());
        }
        let quiet = || "nothing can happen any more".to_owned();
        Err(Departure::End {
            threads: self.cut_short.as_ref().map_or_else(quiet, CutShort::to_string),
            world: match (&world.panicked, &world.next) {
                (Some(why), _) => {
                    format!("the handler of event {} panics: {why}", world.steps.len())
                }
                (None, next) => next.clone().unwrap_or_else(quiet),
            },
        })
    }
}

/// An operation of a script: its number, which node is asked, and what.
type Served = (u16, NodeId, Call);

/// The operations of a script that their nodes serve.
fn served(strategy: &AnyStrategy, setting: &Setting, script: &Script) -> Vec<Served> {
    let served = script.served(strategy, Cluster::of(setting.nodes), 0);
    served.map(|(number, call, node)| (number, node, call.clone())).collect()
}
