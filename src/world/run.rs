//! A whole run: choices until the clients are done, settling, final reads.
//!
//! Invariant: a run always has a schedule that reproduces it. [`execute`]
//! makes one from choices; [`re_execute`] makes one from a schedule, leaving
//! out what is not possible (this is how minimisation tries a smaller one).

use std::collections::BTreeSet;

use crate::history::{History, NodeId};
use crate::replication::Subject;
use crate::replication::{OperationId, Strategy};

use super::agreement::Disagreement;
use super::finals::{Lack, Visit, final_reads};
use super::perform::{NotEnabled, World};
use super::recorder::{Broken, Recorder, Shows, Step, Visited};
use super::settle::{Ending, Lasso, Stop, settle};
use super::{Action, Facts, Faults, Setting, SettleLimits, Workload};

/// What a search chose: the setting, what clients ask, and the order of events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// The cluster, and what may go wrong.
    pub setting: Setting,
    /// What clients ask.
    pub workload: Workload,
    /// One choice per step, which picks from the enabled actions: 0 is the most
    /// ordinary one. When the list ends, the ordinary actions follow.
    pub choices: Vec<u8>,
    /// Priorities of links and sessions, perhaps none. Without them a choice picks
    /// from all enabled actions. With them, seven choices in eight, and all steps
    /// after the last choice, take the delivery or invocation with the highest
    /// priority; the others pick from all. So links and sessions of low priority
    /// are delayed for as long as anything else can happen, which finds bugs that
    /// need one very late message (Burckhardt et al. 2010).
    pub priorities: Vec<u8>,
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
    /// Operations of the workload that were asked and never answered, whether the
    /// client gave up, a node crashed or the strategy never answered.
    pub pending: usize,
    /// Those that stay open for ever, each with the node that was asked last: it
    /// is not gone, or its client would know that no answer comes. `None` if some
    /// are open and may yet be answered, for example because of a timer that does
    /// not fire in the cycle that the run ends with.
    pub stuck: Option<Vec<(OperationId, NodeId)>>,
    /// What final reads lack.
    pub lack: Lack,
    /// The first two nodes that took the same writes into account and answer
    /// differently, if there were any.
    pub disagreement: Option<Disagreement>,
    /// How often two nodes could be compared so.
    pub compared: u64,
    /// Which `sometimes` invariants were seen to hold, by their places in
    /// [`Strategy::invariants`].
    pub reached: BTreeSet<usize>,
    /// Which `always` invariants broke, in order of breaking.
    pub broken: Vec<Broken>,
    /// Which invariants did not hold when the cluster was quiet, and had to.
    pub unmet: Vec<&'static str>,
    /// The states that recur for ever in an endless run; `None` if the run is not
    /// endless, or if there are too many of them.
    pub visits: Option<Vec<Visit>>,
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
pub fn execute(strategy: &dyn Subject, scenario: &Scenario, visited: Option<&mut Visited>) -> Run {
    let invariants = strategy.erased().invariants();
    let (setting, workload) = (&scenario.setting, &scenario.workload);
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(panicked) => return stillborn(panicked.0),
    };
    let mut recorder = Recorder::new(&world, &invariants, Shows::All, visited);
    let chosen = choose(&mut world, &mut recorder, scenario);
    match conclude(world, recorder, chosen, Lasso::Ignore) {
        Ok(run) => run,
        Err(schedule) => {
            let all = Shows::All;
            re_execute_looking(strategy, setting, workload, &schedule, all, Lasso::Find)
                .unwrap_or_else(|_| unreachable!("a search for lassos does not ask for another"))
        }
    }
}

/// Ends a run here: settles and issues final reads. The schedule of the
/// result is only what settling did.
pub fn close(world: World<'_>) -> Run {
    let invariants = world.strategy.erased().invariants();
    let mut recorder = Recorder::new(&world, &invariants, Shows::All, None);
    recorder.continue_from(world.steps());
    conclude(world, recorder, Ok(()), Lasso::Find)
        .unwrap_or_else(|_| unreachable!("a search for lassos does not ask for another"))
}

/// Runs a schedule: its chosen steps as far as they are possible, then
/// settling. Steps keep their numbers, so messages keep their names.
pub fn re_execute(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    chosen: &[Step],
    shows: Shows<'_>,
) -> Run {
    let run = |chosen: &[Step], lasso| {
        re_execute_looking(strategy, setting, workload, chosen, shows, lasso)
    };
    run(chosen, Lasso::Ignore).unwrap_or_else(|schedule| {
        run(&schedule, Lasso::Find)
            .unwrap_or_else(|_| unreachable!("a search for lassos does not ask for another"))
    })
}

fn re_execute_looking(
    strategy: &dyn Subject,
    setting: &Setting,
    workload: &Workload,
    chosen: &[Step],
    shows: Shows<'_>,
    lasso: Lasso,
) -> Result<Run, Vec<Step>> {
    let invariants = strategy.erased().invariants();
    let mut world = match World::new(strategy, setting, workload) {
        Ok(world) => world,
        Err(panicked) => return Ok(stillborn(panicked.0)),
    };
    let mut recorder = Recorder::new(&world, &invariants, shows, None);
    let mut outcome = Ok(());
    for step in chosen.iter().filter(|step| !step.settling) {
        if recorder.is_over() {
            break;
        }
        match recorder.perform_as(&mut world, &step.action, step.number, false) {
            Ok(()) | Err(NotEnabled::Impossible(_)) => {}
            Err(panicked) => {
                outcome = Err(panicked);
                break;
            }
        }
    }
    // Number settling steps after all chosen steps, even those that were left
    // out: a message is named by its step, and a message of settling must not
    // get the name of a message that an omitted step would have sent.
    recorder.continue_from(chosen.iter().map(|step| step.number).max().unwrap_or(0));
    conclude(world, recorder, outcome, lasso)
}

fn choose(
    world: &mut World<'_>,
    recorder: &mut Recorder<'_>,
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
        if at >= choices.len() && world.clients_are_done() {
            break;
        }
    }
    Ok(())
}

/// The delivery, invocation or tick whose link, session or clock has the highest priority;
/// of several, the one that comes first in canonical order.
fn first_by_priority<'e>(
    world: &World<'_>,
    enabled: &'e [Action],
    priorities: &[u8],
) -> Option<&'e Action> {
    let nodes = world.nodes.len();
    let by_message = priorities.first().is_some_and(|first| first & 1 == 1);
    let clock = |node: &NodeId| nodes * nodes + world.sessions.len() + node.index();
    let priority = |action: &Action| {
        let actor = match action {
            // In some runs whole links are fast or slow, in others single
            // messages.
            Action::Deliver(_, id) if by_message => 7 * id.step as usize + usize::from(id.index),
            Action::Deliver(to, id) => world.sender(*to, *id)?.index() * nodes + to.index(),
            Action::Invoke(operation) => nodes * nodes + usize::from(operation.session),
            Action::Flush(node) => nodes * node.index() + node.index(),
            // Where clocks tick by themselves, some are fast and some are slow.
            Action::Tick(node) => clock(node),
            Action::Fire(node, _) if world.nodes[0].clock.is_some() => clock(node),
            _ => return None,
        };
        Some(actor.checked_rem(priorities.len()).map_or(0, |actor| priorities[actor]))
    };
    let ranked = enabled.iter().filter_map(|action| Some((priority(action)?, action)));
    // `max_by_key` takes the last of several.
    ranked.rev().max_by_key(|(priority, _)| *priority).map(|(_, action)| action)
}

/// Which of `options` a choice picks. 0 picks the first, and the square prefers
/// early ones: they are the more ordinary actions, and smaller choices, to which
/// shrinking leads, must make more ordinary runs.
fn pick(choice: u8, options: usize) -> usize {
    let choice = usize::from(choice);
    (choice * choice * options) >> 16
}

fn conclude(
    mut world: World<'_>,
    mut recorder: Recorder<'_>,
    chosen: Result<(), NotEnabled>,
    lasso: Lasso,
) -> Result<Run, Vec<Step>> {
    if recorder.is_severed() {
        world.sever();
    }
    let settled = match chosen {
        Err(error) => Err(Stop::from(error)),
        Ok(()) if recorder.is_over() => Err(Stop::Over),
        Ok(()) => settle(&mut world, &mut recorder, SettleLimits::default(), lasso),
    };
    let mut ending = match settled {
        Ok(()) => Ending::Settled,
        Err(Stop::Ending(ending)) => ending,
        Err(Stop::Over) => {
            let shown = recorder.broke().expect("it is over because this broke");
            Ending::Broken(shown.name)
        }
        Err(Stop::Long) => return Err(recorder.schedule),
        Err(Stop::Impossible) => unreachable!("settling does only what is enabled"),
    };
    let pending = world.unanswered();
    let mut lack = Lack::default();
    let mut unmet = Vec::new();
    if ending == Ending::Settled {
        unmet = recorder.unmet(&world);
        match final_reads(&mut world) {
            Ok(found) => lack = found,
            Err(panicked) => ending = Ending::Panicked(panicked.0),
        }
    }
    let calm = world.nodes.iter().all(|node| node.timers.is_empty());
    let stays = match ending {
        Ending::Settled | Ending::Oscillating { .. } => true,
        Ending::NeverQuiet { grows, .. } => calm && !grows,
        _ => false,
    };
    Ok(Run { pending, unmet, ..ended(world, recorder, ending, (lack, stays)) })
}

/// The run of a world in which final reads have been issued. They lack something,
/// and what is open may stay so for ever.
pub(super) fn ended(
    world: World<'_>,
    recorder: Recorder<'_>,
    ending: Ending,
    (lack, stays): (Lack, bool),
) -> Run {
    let open: Vec<_> =
        world.session_ids().filter_map(|session| world.open_operation(session)).collect();
    Run {
        pending: world.unanswered(),
        stuck: (stays || open.is_empty()).then_some(open),
        schedule: recorder.schedule,
        faults: world.spent,
        history: world.history.finish(),
        operations: world.operations,
        facts: world.facts,
        ending,
        lack,
        disagreement: recorder.agreement.found,
        compared: recorder.agreement.compared,
        reached: recorder.reached,
        broken: recorder.broken,
        unmet: Vec::new(),
        visits: recorder.visits,
    }
}

/// A run whose world panicked at the start.
pub(super) fn stillborn(panic: String) -> Run {
    Run {
        schedule: Vec::new(),
        history: History::default(),
        operations: Vec::new(),
        facts: Facts::default(),
        ending: Ending::Panicked(panic),
        faults: Faults::NONE,
        pending: 0,
        stuck: None,
        lack: Lack::default(),
        disagreement: None,
        compared: 0,
        reached: BTreeSet::new(),
        broken: Vec::new(),
        unmet: Vec::new(),
        visits: None,
    }
}
