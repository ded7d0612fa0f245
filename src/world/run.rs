//! A whole run: choices until the clients are done, settling, final reads.
//!
//! Invariant: a run always has a schedule that reproduces it. [`execute`]
//! makes one from choices; [`re_execute`] makes one from a schedule, leaving
//! out what is not possible (this is how minimisation tries a smaller one).

use crate::history::History;
use crate::replication::{Invariant, OperationId, Strategy, When};

use super::agreement::{Disagreement, disagreement};
use super::perform::{NotEnabled, World};
use super::settle::{Lasso, SettleLimits, Stop, final_reads, settle};
use super::{Action, Facts, Faults, Setting, Workload};

/// What a search chose: who asks what, and what happens when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// The cluster, and what may go wrong.
    pub setting: Setting,
    /// What clients ask.
    pub workload: Workload,
    /// One choice a step, picking from what is enabled: 0 is the most
    /// ordinary. When the list ends, the ordinary order goes on.
    pub choices: Vec<u8>,
    /// Who goes first, if anybody does. Without priorities a choice picks
    /// from all that is enabled. With them, seven choices in eight, and the
    /// order after the last choice, take the enabled delivery or invocation of
    /// the link or session with the highest priority, so that the lowest ones
    /// are held back for as long as anything else can happen (Burckhardt et
    /// al. 2010); the others pick from all.
    pub priorities: Vec<u8>,
}

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

/// How a run ended. `from` is a length of the schedule: the steps after it
/// are the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Quiet; final reads were issued.
    Settled,
    /// Deliveries alone go on for ever.
    NeverQuiet {
        /// Where the cycle begins.
        from: usize,
    },
    /// Timers change replicas back and forth for ever.
    Oscillating {
        /// Where the cycle begins.
        from: usize,
    },
    /// A chosen cycle that can go on for ever. See [`super::repeat`].
    Cycle {
        /// Where the cycle begins.
        from: usize,
        /// Whether nothing but deliveries happens in it.
        deliveries_only: bool,
        /// Whether final reads are answered differently along it.
        answers_change: bool,
        /// Whether settling would lead to other answers: then the cluster can
        /// leave the cycle, though nothing makes it.
        way_out: bool,
    },
    /// A handler panicked, saying this.
    Panicked(String),
    /// An `always` invariant with this name broke.
    Broken(&'static str),
    /// Settling took too long; nothing is known.
    Unsettled(String),
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was chosen, then what settling did.
    pub schedule: Vec<Step>,
    /// What clients saw, final reads included.
    pub history: History,
    /// Which operation stands at each position of the history.
    pub operations: Vec<OperationId>,
    /// What the strategy recorded of visibility and order.
    pub facts: Facts,
    /// How it ended.
    pub ending: Ending,
    /// The faults that struck.
    pub faults: Faults,
    /// Operations of the workload that were asked and never answered, whoever
    /// is to blame.
    pub pending: usize,
    /// Final reads that got no answer.
    pub unanswered: usize,
    /// The first two nodes that took the same writes into account and answer
    /// differently, if there were any.
    pub disagreement: Option<Disagreement>,
    /// How often two nodes could be compared so.
    pub compared: u64,
    /// Which `sometimes` invariants were seen to hold, one bit each in order
    /// of [`Strategy::invariants`].
    pub reached: u64,
}

/// Counts the states that runs pass through.
pub type Visited = rustc_hash::FxHashSet<u64>;

/// Performs actions and remembers them.
pub(super) struct Recorder<'r, S: Strategy> {
    schedule: Vec<Step>,
    number: u32,
    invariants: &'r [Invariant<S::Replica>],
    reached: u64,
    broken: Option<&'static str>,
    disagreement: Option<Disagreement>,
    compared: u64,
    visited: Option<(&'r mut Visited, Vec<u64>)>,
}

impl<'r, S: Strategy> Recorder<'r, S> {
    pub(super) fn new(
        world: &World<'_, S>,
        invariants: &'r [Invariant<S::Replica>],
        visited: Option<&'r mut Visited>,
    ) -> Self {
        let visited = visited
            .map(|set| (set, world.cluster().nodes().map(|n| world.fingerprint(n)).collect()));
        let mut recorder = Recorder {
            schedule: Vec::new(),
            number: 0,
            invariants,
            reached: 0,
            broken: None,
            disagreement: None,
            compared: 0,
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

    pub(super) fn perform(
        &mut self,
        world: &mut World<'_, S>,
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
        world: &mut World<'_, S>,
        action: &Action,
        number: u32,
        settling: bool,
    ) -> Result<(), NotEnabled> {
        let step = Step { number, action: *action, settling };
        let taken = world.facts.length(world.place(action));
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
            let touched = report.sent.iter().map(|name| name.to);
            for node in touched.chain([report.node]) {
                prints[node.index()] = world.fingerprint(node);
            }
        }
        if self.disagreement.is_none() && world.facts.length(report.node) != taken {
            let step = self.schedule.len();
            self.disagreement = disagreement(world, report.node, step, &mut self.compared);
        }
        self.look(world);
        Ok(())
    }

    /// Looks at the state that has been reached.
    fn look(&mut self, world: &World<'_, S>) {
        if let Some((visited, prints)) = &mut self.visited {
            visited.insert(world.state_print(prints));
        }
        if self.invariants.is_empty() {
            return;
        }
        let replicas: Vec<_> = world.nodes().iter().map(|node| &node.replica).collect();
        for (at, invariant) in self.invariants.iter().enumerate() {
            let holds = (invariant.holds)(&replicas);
            match invariant.when {
                When::Sometimes if holds => self.reached |= 1 << at,
                When::Always if !holds => self.broken = self.broken.or(Some(invariant.name)),
                _ => {}
            }
        }
    }
}

/// How many more steps a run may take, after its choices are used up, for
/// each operation before it settles: a guard against strategies that never
/// become quiet.
const ORDINARY_STEPS: usize = 24;

/// Runs a scenario to its end.
///
/// Time is that of the steps; each costs as much as the strategy's handler
/// and a few hash-table operations. The states passed through are added to
/// `visited`, if given.
pub fn execute<S: Strategy>(
    strategy: &S,
    scenario: &Scenario,
    visited: Option<&mut Visited>,
) -> Run {
    let invariants = strategy.invariants();
    let (setting, workload) = (&scenario.setting, &scenario.workload);
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(panicked) => return stillborn(panicked.0),
    };
    let mut recorder = Recorder::new(&world, &invariants, visited);
    let chosen = choose(&mut world, &mut recorder, scenario);
    match conclude(world, recorder, chosen, Lasso::Ignore) {
        Ok(run) => run,
        Err(schedule) => re_execute_looking(strategy, setting, workload, &schedule, Lasso::Find)
            .unwrap_or_else(|_| unreachable!("a search for lassos does not ask for another")),
    }
}

/// Ends a run here: settles and issues final reads. The schedule of the
/// result is only what settling did.
pub fn close<S: Strategy>(world: World<'_, S>) -> Run {
    let invariants = world.strategy.invariants();
    let mut recorder = Recorder::new(&world, &invariants, None);
    recorder.number = world.steps();
    conclude(world, recorder, Ok(()), Lasso::Find)
        .unwrap_or_else(|_| unreachable!("a search for lassos does not ask for another"))
}

/// Runs a schedule: its chosen steps as far as they are possible, then
/// settling. Steps keep their numbers, so messages keep their names.
pub fn re_execute<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    workload: &Workload,
    chosen: &[Step],
) -> Run {
    re_execute_looking(strategy, setting, workload, chosen, Lasso::Ignore).unwrap_or_else(
        |schedule| {
            re_execute_looking(strategy, setting, workload, &schedule, Lasso::Find)
                .unwrap_or_else(|_| unreachable!("a search for lassos does not ask for another"))
        },
    )
}

fn re_execute_looking<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    workload: &Workload,
    chosen: &[Step],
    lasso: Lasso,
) -> Result<Run, Vec<Step>> {
    let invariants = strategy.invariants();
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(panicked) => return Ok(stillborn(panicked.0)),
    };
    let mut recorder = Recorder::new(&world, &invariants, None);
    let mut outcome = Ok(());
    for step in chosen.iter().filter(|step| !step.settling) {
        match recorder.perform_as(&mut world, &step.action, step.number, false) {
            Ok(()) | Err(NotEnabled::Impossible(_)) => {}
            Err(panicked) => {
                outcome = Err(panicked);
                break;
            }
        }
        if recorder.broken.is_some() {
            break;
        }
    }
    // Settling steps are numbered after all that was chosen, even if the last
    // of it was left out: their messages must not take over a chosen name.
    recorder.number = chosen.iter().map(|step| step.number).max().unwrap_or(0);
    conclude(world, recorder, outcome, lasso)
}

fn choose<S: Strategy>(
    world: &mut World<'_, S>,
    recorder: &mut Recorder<'_, S>,
    scenario: &Scenario,
) -> Result<(), NotEnabled> {
    let Scenario { choices, priorities, .. } = scenario;
    let mut enabled = Vec::new();
    let ordinary = ORDINARY_STEPS * world.workload.len();
    for at in 0..choices.len() + ordinary {
        world.enabled(&mut enabled);
        let action = match choices.get(at) {
            Some(&choice) if priorities.is_empty() => enabled.get(pick(choice, enabled.len())),
            Some(&choice @ 224..) => enabled.get(pick((choice - 224) << 3, enabled.len())),
            Some(_) => first_by_priority(world, &enabled, priorities).or(enabled.first()),
            None => first_by_priority(world, &enabled, priorities),
        };
        let Some(action) = action.copied() else { break };
        recorder.perform(world, &action, false)?;
        if recorder.broken.is_some() || (at >= choices.len() && world.clients_are_done()) {
            break;
        }
    }
    Ok(())
}

/// The delivery or invocation whose link or session has the highest priority;
/// of several, the one that comes first in canonical order.
fn first_by_priority<'e, S: Strategy>(
    world: &World<'_, S>,
    enabled: &'e [Action],
    priorities: &[u8],
) -> Option<&'e Action> {
    let nodes = world.nodes.len();
    let by_message = priorities.first().is_some_and(|first| first & 1 == 1);
    let priority = |action: &Action| {
        let actor = match action {
            // Either links or single messages are fast or slow, run by run.
            Action::Deliver(_, id) if by_message => 7 * id.step as usize + usize::from(id.index),
            Action::Deliver(to, id) => world.sender(*to, *id)?.index() * nodes + to.index(),
            Action::Invoke(operation) => nodes * nodes + usize::from(operation.session),
            _ => return None,
        };
        Some(actor.checked_rem(priorities.len()).map_or(0, |actor| priorities[actor]))
    };
    let ranked = enabled.iter().filter_map(|action| Some((priority(action)?, action)));
    // `max_by_key` takes the last of several.
    ranked.rev().max_by_key(|(priority, _)| *priority).map(|(_, action)| action)
}

/// Which of `options` a choice picks: 0 the first, and rather the early ones,
/// so that smaller choices make more ordinary runs.
fn pick(choice: u8, options: usize) -> usize {
    let choice = usize::from(choice);
    (choice * choice * options) >> 16
}

fn conclude<S: Strategy>(
    mut world: World<'_, S>,
    mut recorder: Recorder<'_, S>,
    chosen: Result<(), NotEnabled>,
    lasso: Lasso,
) -> Result<Run, Vec<Step>> {
    let limits = SettleLimits::default();
    let mut ending = match chosen {
        Err(error) => match Stop::from(error) {
            Stop::Ending(ending) => ending,
            Stop::Long => unreachable!("only a drain is long"),
        },
        Ok(()) if recorder.broken.is_some() => Ending::Settled,
        Ok(()) => match settle(&mut world, &mut recorder, limits, lasso) {
            Ok(()) => Ending::Settled,
            Err(Stop::Ending(ending)) => ending,
            Err(Stop::Long) => return Err(recorder.schedule),
        },
    };
    if let Some(name) = recorder.broken {
        ending = Ending::Broken(name);
    }
    let pending = world.unanswered();
    let mut unanswered = 0;
    if ending == Ending::Settled {
        match final_reads(&mut world, limits) {
            Ok(count) => unanswered = count,
            Err(panicked) => ending = Ending::Panicked(panicked.0),
        }
    }
    Ok(Run { pending, ..ended(world, recorder, ending, unanswered) })
}

/// The run of a world in which final reads have been issued.
pub(super) fn ended<S: Strategy>(
    world: World<'_, S>,
    recorder: Recorder<'_, S>,
    ending: Ending,
    unanswered: usize,
) -> Run {
    Run {
        pending: world.unanswered(),
        schedule: recorder.schedule,
        faults: world.spent,
        history: world.history.finish(),
        operations: world.operations,
        facts: world.facts,
        ending,
        unanswered,
        disagreement: recorder.disagreement,
        compared: recorder.compared,
        reached: recorder.reached,
    }
}

/// A run that ended before it began.
pub(super) fn stillborn(panic: String) -> Run {
    Run {
        schedule: Vec::new(),
        history: History::default(),
        operations: Vec::new(),
        facts: Facts::default(),
        ending: Ending::Panicked(panic),
        faults: Faults::NONE,
        pending: 0,
        unanswered: 0,
        disagreement: None,
        compared: 0,
        reached: 0,
    }
}
