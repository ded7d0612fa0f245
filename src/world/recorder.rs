//! Performs the actions of a run and remembers what they showed.
//!
//! It does not know who chooses the actions, nor when a run ends: choosing,
//! settling and repeating a cycle all record with it.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::replication::erased::AnyReplica;
use crate::replication::{Invariant, When};

use super::agreement::Agreement;
use super::component::Panicked;
use super::finals::Visit;
use super::perform::{NotEnabled, World};
use super::{Action, Facts, Strike};

/// One step of a run, with the number by which its messages are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Unique within the run and ascending, from 1.
    pub number: u32,
    /// What happened.
    pub action: Action,
    /// Whether it was recomputed while settling, not chosen.
    pub settling: bool,
}

/// An `always` invariant that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub name: &'static str,
    /// After how many steps of the schedule.
    pub step: usize,
}

/// What a run that is executed again is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows<'a> {
    /// All that goes wrong in it, in rounds of settling too that change nothing.
    All,
    /// That this `always` invariant breaks: then it is over.
    Broken(&'a str),
    /// What clients saw and how it ends: rounds that change nothing are no part
    /// of it.
    End,
    /// The same, if links that are cut when it settles stay cut for ever. What they
    /// hold back is lost then.
    Severed,
}

/// The states that runs pass through, by their hashes.
#[derive(Clone, Debug, Default)]
pub struct Visited(FxHashSet<u64>);

impl Visited {
    /// How many there are. Two states whose hashes are equal count as one.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Performs actions and remembers them.
pub(super) struct Recorder<'r> {
    pub(super) schedule: Vec<Step>,
    number: u32,
    invariants: &'r [Invariant<AnyReplica>],
    shows: Shows<'r>,
    pub(super) reached: BTreeSet<usize>,
    pub(super) broken: Vec<Broken>,
    pub(super) agreement: Agreement,
    pub(super) visits: Option<Vec<Visit>>,
    visited: Option<(&'r mut Visited, Vec<u64>)>,
}

impl<'r> Recorder<'r> {
    pub(super) fn new(
        world: &World<'_>,
        invariants: &'r [Invariant<AnyReplica>],
        shows: Shows<'r>,
        visited: Option<&'r mut Visited>,
    ) -> Self {
        let visited = visited
            .map(|set| (set, world.cluster().nodes().map(|n| world.fingerprint(n)).collect()));
        let mut recorder = Recorder {
            schedule: Vec::new(),
            number: 0,
            invariants,
            shows,
            reached: BTreeSet::new(),
            broken: Vec::new(),
            agreement: Agreement::default(),
            visits: None,
            visited,
        };
        recorder.look(world);
        recorder
    }

    pub(super) fn length(&self) -> usize {
        self.schedule.len()
    }

    pub(super) fn forget_after(&mut self, length: usize) {
        self.schedule.truncate(length);
    }

    /// Whether links that are cut when the run settles stay cut.
    pub(super) fn is_severed(&self) -> bool {
        self.shows == Shows::Severed
    }

    /// Whether what the run was to show has been shown.
    pub(super) fn is_over(&self) -> bool {
        self.broke().is_some()
    }

    /// The invariant that the run was to break, if it has.
    pub(super) fn broke(&self) -> Option<&Broken> {
        self.broken.iter().find(|broken| self.shows == Shows::Broken(broken.name))
    }

    /// After how many steps the run has shown what it is to show, apart from
    /// how it ends.
    pub(super) fn shown(&self) -> usize {
        if self.is_severed() || self.shows == Shows::End {
            return 0;
        }
        let broken = self.broken.iter().map(|broken| broken.step);
        let disagreement = self.agreement.found.iter().map(|found| found.step);
        broken.chain(disagreement).max().unwrap_or(0)
    }

    pub(super) fn perform(
        &mut self,
        world: &mut World<'_>,
        action: &Action,
        settling: bool,
    ) -> Result<(), NotEnabled> {
        self.perform_as(world, action, self.number + 1, settling)
    }

    /// Numbers the steps from here on after this one.
    pub(super) fn continue_from(&mut self, number: u32) {
        self.number = number;
    }

    pub(super) fn perform_as(
        &mut self,
        world: &mut World<'_>,
        action: &Action,
        number: u32,
        settling: bool,
    ) -> Result<(), NotEnabled> {
        let step = Step { number, action: *action, settling };
        let report = match world.perform(action, number) {
            Ok(report) => report,
            Err(panicked @ NotEnabled::Panicked(_)) => {
                self.schedule.push(step);
                return Err(panicked);
            }
            Err(impossible) => return Err(impossible),
        };
        self.number = number;
        self.schedule.push(step);
        if let Some((_, prints)) = &mut self.visited {
            let all = matches!(action, Action::Unite | Action::Strike(_, Strike::Partition(_)));
            let touched = report.sent.iter().map(|name| name.to);
            let touched = touched.chain(world.cluster().nodes().filter(|_| all));
            for node in touched.chain([report.node]) {
                prints[node.index()] = world.fingerprint(node);
            }
        }
        self.agreement.look(world, report.node, self.schedule.len());
        self.look(world);
        Ok(())
    }

    /// Looks at the state that has been reached.
    fn look(&mut self, world: &World<'_>) {
        if let Some((visited, prints)) = &mut self.visited {
            visited.0.insert(world.state_print(prints));
        }
        if self.invariants.is_empty() {
            return;
        }
        let step = self.schedule.len();
        let replicas: Vec<_> = world.nodes().iter().map(|node| &node.replica).collect();
        for (at, Invariant { name, when, holds }) in self.invariants.iter().enumerate() {
            match when {
                When::Sometimes if !self.reached.contains(&at) && holds(&replicas) => {
                    self.reached.insert(at);
                }
                When::Always
                    if self.broken.iter().all(|known| known.name != *name) && !holds(&replicas) =>
                {
                    self.broken.push(Broken { name, step });
                }
                _ => {}
            }
        }
    }

    /// The invariants that have to hold in this state, which is quiet, and do
    /// not.
    pub(super) fn unmet(&self, world: &World<'_>) -> Vec<&'static str> {
        let replicas: Vec<_> = world.nodes().iter().map(|node| &node.replica).collect();
        let asked = self.invariants.iter().filter(|one| one.when == When::AtQuiescence);
        asked.filter(|one| !(one.holds)(&replicas)).map(|one| one.name).collect()
    }

    /// Remembers what would be answered in each state of a cycle: `world` is
    /// where it begins, after `from` steps, and the steps since then are it.
    /// What became visible in it, all that `facts` has, is visible ever after.
    pub(super) fn visit(
        &mut self,
        world: &World<'_>,
        from: usize,
        facts: &Facts,
    ) -> Result<(), Panicked> {
        let steps = &self.schedule[from..];
        if steps.len() > VISITS_MAX {
            return Ok(());
        }
        let busy = is_busy(steps);
        let mut world = world.clone();
        let mut visits = Vec::new();
        for step in steps {
            let mut here = world.clone();
            here.facts = facts.clone();
            match Visit::of(&here) {
                Ok(visit) => visits.push(visit),
                // It is endless all the same.
                Err(_) if busy => return Ok(()),
                Err(panicked) => return Err(panicked),
            }
            match world.perform(&step.action, step.number) {
                Ok(_) => {}
                Err(NotEnabled::Panicked(panicked)) => return Err(panicked),
                Err(NotEnabled::Impossible(why)) => unreachable!("it was performed before: {why}"),
            }
        }
        self.visits = Some(visits);
        Ok(())
    }
}

/// Whether a cycle consists of deliveries alone: then it never ends, whatever
/// final reads in it would answer.
pub(super) fn is_busy(cycle: &[Step]) -> bool {
    cycle.iter().all(|step| matches!(step.action, Action::Deliver(..) | Action::Flush(_)))
}

/// Cycles whose states are all looked at.
const VISITS_MAX: usize = 256;
