//! A strategy whose types have been forgotten.
//!
//! This is the one place where types are erased: from here on a strategy is
//! something that can be run. Every [`Strategy`] is a [`Subject`].

use crate::history::{Call, NodeId};
use crate::replication::{Cluster, Strategy, StrategyName, When};
use crate::search::exhaustive::{Exploration, Judge, Plan, Refused, explore};
use crate::threads::live::{self, Live};
use crate::threads::{Departure, Observer, ThreadRun};
use crate::world::trace::{Trace, follow, trace};
use crate::world::{
    Action, MessageName, Run, Scenario, Setting, Shows, Step, Visited, Workload, execute,
    re_execute, repeat,
};

/// Something that can be run in a world.
pub trait Subject: Send + Sync {
    /// The strategy's name and parameters.
    fn strategy_name(&self) -> StrategyName;

    /// Runs a scenario. See [`execute`].
    fn execute(&self, scenario: &Scenario, visited: Option<&mut Visited>) -> Run;

    /// Runs a schedule as far as possible, for what it is to show. See
    /// [`re_execute`].
    fn re_execute(
        &self,
        setting: &Setting,
        workload: &Workload,
        chosen: &[Step],
        shows: Shows<'_>,
    ) -> Run;

    /// Runs a stem and a cycle. See [`repeat`].
    fn repeat(&self, setting: &Setting, workload: &Workload, stem: &[Step], cycle: &[Step]) -> Run;

    /// Tells what happened in a run. See [`trace`].
    fn trace(&self, setting: &Setting, workload: &Workload, schedule: &[Step]) -> Trace;

    /// Performs recorded steps. See [`follow`].
    fn follow(
        &self,
        setting: &Setting,
        workload: &Workload,
        schedule: &[(Action<MessageName>, bool)],
    ) -> Trace;

    /// Starts a cluster on real threads. See [`live::start`].
    fn live(&self, setting: &Setting, events_max: usize, observer: Observer) -> Box<dyn Live>;

    /// Replays and ends a thread run in the world. See [`ThreadRun::replay`].
    ///
    /// # Errors
    /// If the world departs from what happened on threads.
    fn replay_threads(&self, recorded: &ThreadRun) -> Result<Run, Departure>;

    /// Visits every state. See [`explore`].
    ///
    /// # Errors
    /// As [`explore`].
    fn explore(
        &self,
        setting: &Setting,
        plan: &Plan<'_>,
        wanted: u64,
        judge: &mut Judge<'_>,
    ) -> Result<Exploration, Refused>;

    /// Whether `node` accepts `call`.
    fn accepts(&self, call: &Call, node: NodeId, nodes: u16) -> bool;

    /// The invariants, by name.
    fn conditions(&self) -> Vec<(&'static str, When)>;
}

impl<S: Strategy> Subject for S {
    fn strategy_name(&self) -> StrategyName {
        self.name()
    }

    fn execute(&self, scenario: &Scenario, visited: Option<&mut Visited>) -> Run {
        execute(self, scenario, visited)
    }

    fn re_execute(
        &self,
        setting: &Setting,
        workload: &Workload,
        chosen: &[Step],
        shows: Shows<'_>,
    ) -> Run {
        re_execute(self, setting, workload, chosen, shows)
    }

    fn repeat(&self, setting: &Setting, workload: &Workload, stem: &[Step], cycle: &[Step]) -> Run {
        repeat(self, setting, workload, stem, cycle)
    }

    fn trace(&self, setting: &Setting, workload: &Workload, schedule: &[Step]) -> Trace {
        trace(self, setting, workload, schedule)
    }

    fn follow(
        &self,
        setting: &Setting,
        workload: &Workload,
        schedule: &[(Action<MessageName>, bool)],
    ) -> Trace {
        follow(self, setting, workload, schedule)
    }

    fn live(&self, setting: &Setting, events_max: usize, observer: Observer) -> Box<dyn Live> {
        live::start(self, setting, events_max, observer)
    }

    fn replay_threads(&self, recorded: &ThreadRun) -> Result<Run, Departure> {
        recorded.replay(self)
    }

    fn explore(
        &self,
        setting: &Setting,
        plan: &Plan<'_>,
        wanted: u64,
        judge: &mut Judge<'_>,
    ) -> Result<Exploration, Refused> {
        explore(self, setting, plan, wanted, judge)
    }

    fn accepts(&self, call: &Call, node: NodeId, nodes: u16) -> bool {
        self.serves(call, node, &Cluster::of(nodes))
    }

    fn conditions(&self) -> Vec<(&'static str, When)> {
        self.invariants().iter().map(|invariant| (invariant.name, invariant.when)).collect()
    }
}
