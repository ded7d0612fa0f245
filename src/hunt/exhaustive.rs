//! The exhaustive hunt: judges every run within a scope.
//!
//! Whatever a state remembers of the past multiplies the number of states. So
//! properties are grouped by what they need to remember, and each group has a
//! search of its own: read-your-writes does not pay for the real time that
//! linearizability needs. A scope is searched only after all smaller ones were
//! complete; a property is proved for the largest complete one. A violation is
//! executed again in a world and judged again before it is reported.
//!
//! Invariant: a property is *proved* only by a complete search that judged at
//! least one answer. This module knows no strategy and prints nothing.

use std::collections::BTreeSet;

use crate::history::{History, Menu};
use crate::judgement::datatype::{Datatype, answered};
use crate::judgement::{Budget, Model, Verdict, check_with};
use crate::replication::When;
use crate::search::exhaustive::explore;
use crate::search::exhaustive::{
    Bound, Ending, Exploration, Found as Way, Limits, MISDECLARED, Matter, Open, Plan as Search,
    Progress, Reduce, Sight, Tracks, Work,
};
use crate::world::{FaultKind, Faults, Lack, Run, Setting, re_execute, repeat};

use super::Subject;
use super::durable::loss_in;
use super::minimise::{Aim, Failing, minimise};
use super::property::{Property, judge, refusals};
use super::unreached::Answered;

/// What to prove, where, and how far to go.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cluster, and the faults that may happen.
    pub setting: Setting,
    /// The scopes to try, from the smallest.
    pub scopes: Vec<Open>,
    /// What clients choose from.
    pub menu: Menu,
    /// What the operations mean.
    pub datatype: &'static dyn Datatype,
    /// What is judged.
    pub properties: Vec<Property>,
    /// The reductions that may be used.
    pub reduce: Reduce,
    /// How far one search may go.
    pub limits: Limits,
    /// When not to try a larger scope; without it, every scope is tried until one meets
    /// a limit.
    pub enough: Option<Enough>,
    /// How many threads one search uses.
    pub jobs: usize,
}

/// When not to try a larger scope: it would most likely meet a limit, as each scope has
/// several times as many states as the one before it.
#[derive(Clone, Debug)]
pub struct Enough {
    /// So many states are enough of a scope.
    pub states: u64,
    /// As long as one of these is not violated, larger scopes are tried.
    pub sought: Vec<Property>,
}

/// The result for one property.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It holds in every run of these scopes: the largest complete one, and
    /// perhaps a larger one with patient timers. The doubts say why larger
    /// scopes are not proved.
    Proved(Vec<Proof>, Vec<Doubt>),
    /// It is violated, by a shortest run that was minimised.
    Violated(Box<Shortest>),
    /// It is undecided, for these reasons. Without a reason, nothing was
    /// searched.
    Unknown(Vec<Doubt>),
    /// It cannot be searched exhaustively, for this reason.
    NotCovered(&'static str),
}

/// A complete search that found no violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The scope in which every run was searched.
    pub scope: Open,
    /// Distinct states.
    pub states: u64,
    /// How many answers (or other facts) were judged; with none, nothing was
    /// proved.
    pub looked_at: u64,
}

/// Why something is not proved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// The search of a scope was not complete.
    Bounded {
        /// The scope.
        scope: Open,
        /// The limit that it met.
        bound: Bound,
        /// Distinct states found so far.
        states: u64,
        /// The most actions on a shortest path to a state.
        actions: u64,
    },
    /// The search of a scope was not begun, as the one before it was [enough](Enough).
    NotBegun {
        /// The scope.
        scope: Open,
        /// Distinct states of the one before it.
        before: u64,
    },
    /// Another reason, in words.
    Because(String),
}

impl From<String> for Doubt {
    fn from(why: String) -> Doubt {
        Doubt::Because(why)
    }
}

/// A failing run; none in its scope is shorter.
#[derive(Clone, Debug)]
pub struct Shortest {
    /// The run.
    pub failing: Failing,
    /// The scope in which it was found.
    pub scope: Open,
    /// How many states had been seen.
    pub states: u64,
}

/// The coverage of all searches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Distinct states, of all searches together.
    pub states: u64,
    /// Transitions between states.
    pub transitions: u64,
    /// The most faults of each kind in one run.
    pub faults: Faults,
    /// Reductions that were asked for and could not be used, with the reason.
    pub declined: Vec<(&'static str, &'static str)>,
    /// The positions of `sometimes` invariants that held in some state.
    pub reached: BTreeSet<usize>,
    /// What was answered in some run, final reads apart; `None` if no history was judged.
    pub answered: Option<Answered>,
    /// Whether the caller stopped a search.
    pub stopped: bool,
}

impl Explored {
    /// What is wrong about what the strategy declares, if a search has found that.
    pub fn misdeclared(&self) -> Option<&'static str> {
        let mut whys = self.declined.iter().map(|(_, why)| *why);
        whys.find(|why| *why == MISDECLARED)
    }
}

/// The progress of a hunt.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// The progress of the current search.
    pub progress: &'a Progress,
    /// The scope that is searched.
    pub scope: Open,
    /// The part of the hunt that the search belongs to, from 0. Each group of
    /// properties that need to remember the same things is one part.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
}

/// The result of an exhaustive hunt.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// One entry for each property, in the order of the plan.
    pub found: Vec<(Property, Decision)>,
    /// What was covered.
    pub coverage: Explored,
}

/// Searches every scope for violations, smallest first.
///
/// Calls `stop` regularly. If it returns true, the current part of the hunt
/// ends, and a property whose search was not complete by then is unknown.
pub fn hunt(subject: &dyn Subject, plan: &Plan, stop: &dyn Fn(Stage<'_>) -> bool) -> Hunt {
    let mut coverage = Explored::default();
    let mut found: Vec<_> = plan
        .properties
        .iter()
        .map(|property| (property.clone(), Decision::Unknown(Vec::new())))
        .collect();
    let tracks_of = |property: &Property| tracks(subject, &plan.setting, property);
    let mut needs: Vec<Tracks> = Vec::new();
    for (property, outcome) in &mut found {
        match tracks_of(property) {
            Ok(tracks) if !needs.contains(&tracks) => needs.push(tracks),
            Ok(_) => {}
            Err(why) => *outcome = Decision::NotCovered(why),
        }
    }
    let parts = u32::try_from(needs.len()).expect("memories are of a few kinds");
    for (part, tracks) in (0..).zip(needs) {
        let stop = |scope: Open, progress: &Progress| stop(Stage { progress, scope, part, parts });
        let mut all: Vec<&mut (Property, Decision)> =
            found.iter_mut().filter(|(property, _)| tracks_of(property) == Ok(tracks)).collect();
        for together in all.chunks_mut(TOGETHER) {
            let group = together.iter_mut().map(|entry| &mut **entry).collect();
            climb(subject, plan, tracks, group, &mut coverage, &stop);
        }
    }
    Hunt { found, coverage }
}

/// Searches one scope after the other for the properties of a group.
fn climb(
    subject: &dyn Subject,
    plan: &Plan,
    tracks: Tracks,
    mut group: Vec<&mut (Property, Decision)>,
    coverage: &mut Explored,
    stop: &dyn Fn(Open, &Progress) -> bool,
) {
    let mut patient = false;
    let mut rungs = plan.scopes.iter().copied();
    let mut next = rungs.next();
    while let Some(scope) = next {
        group.retain(|(_, outcome)| !matches!(outcome, Decision::Violated(_)));
        if group.is_empty() {
            break;
        }
        let scope = Open { patient: patient || scope.patient, ..scope };
        let stop = |progress: &Progress| stop(scope, progress);
        let timers = match search(subject, plan, tracks, scope, &mut group, coverage, &stop) {
            Ended::Complete { states, timers } => {
                next = rungs.next();
                let Some(larger) = next.filter(|_| is_enough(plan, (scope, states), &group)) else {
                    continue;
                };
                let scope = Open { patient: scope.patient, ..larger };
                group.retain(|(_, outcome)| !matches!(outcome, Decision::Violated(_)));
                for (_, outcome) in &mut group {
                    outcome.doubt(Doubt::NotBegun { scope, before: states });
                }
                timers
            }
            Ended::Bounded { timers } => timers,
        };
        // Free timers made the scope too large. Search it again with patient timers: that
        // is a weaker claim, but often small enough.
        if !timers || scope.patient {
            break;
        }
        patient = true;
    }
}

/// Whether no scope larger than this one is to be tried for these properties.
fn is_enough(
    plan: &Plan,
    (scope, states): (Open, u64),
    group: &[&mut (Property, Decision)],
) -> bool {
    let Some(enough) = &plan.enough else { return false };
    let is_done = |(property, outcome): &(Property, Decision)| match outcome {
        Decision::Violated(_) => true,
        Decision::Proved(proofs, _) => {
            let here = proofs.last().is_some_and(|proof| proof.scope == scope);
            here && !enough.sought.contains(property)
        }
        Decision::Unknown(_) | Decision::NotCovered(_) => false,
    };
    states > enough.states && group.iter().all(|entry| is_done(entry))
}

/// What a state has to remember of the past for the property to be judged.
fn tracks(
    subject: &dyn Subject,
    setting: &Setting,
    property: &Property,
) -> Result<Tracks, &'static str> {
    // Evaluate a `sometimes` invariant in every state, whatever property is
    // judged: if it never holds, the search is vacuous.
    let invariants = subject.conditions().iter().any(|(_, when)| *when == When::Sometimes);
    let history = Tracks { history: true, invariants, ..Tracks::default() };
    if let Some(why) = property.unfit_for(subject) {
        return Err(why);
    }
    match property {
        Property::Model(model) if model.sees_time() => Ok(Tracks { real_time: true, ..history }),
        Property::Model(_) | Property::NoPanic | Property::Answered => Ok(history),
        Property::Available => {
            // Without cuts nothing is different if they stay.
            let budget = setting.faults.budget;
            let severed = budget[FaultKind::Cut] + budget[FaultKind::Partition] > 0;
            Ok(Tracks { severed, ..history })
        }
        Property::Durable => Ok(Tracks { visible: true, ..history }),
        Property::StrongConvergence => Ok(Tracks { visible: true, agreement: true, ..history }),
        Property::WhiteBox(_) => Err("states do not contain what a strategy records"),
        Property::Always(_) | Property::AtQuiescence(_) => {
            Ok(Tracks { invariants: true, ..history })
        }
    }
}

fn is_lively(property: &Property) -> bool {
    let eventual = matches!(property, Property::Model(model) if model.is_eventual());
    let ends = matches!(property, Property::Durable | Property::Answered | Property::Available);
    eventual || ends
}

/// Whether every final read takes every acknowledged write into account.
fn keeps(sight: &Sight<'_>, datatype: &dyn Datatype) -> Result<bool, String> {
    let facts = sight.facts.ok_or("what final reads take into account was not recorded")?;
    let seen = (sight.history, sight.operations);
    let lost = loss_in(seen, facts, lack(sight), datatype)?;
    Ok(lost.is_none())
}

/// What final reads lack.
fn lack(sight: &Sight<'_>) -> Lack {
    Lack::of(sight.answers.iter().map(|(_, call, told)| (&call.key, told)))
}

/// Whether every operation is answered in the end.
fn answers_all(sight: &Sight<'_>) -> Result<bool, String> {
    if sight.open > 0 {
        return Ok(false);
    }
    match lack(sight) {
        // What recurs may yet be answered in another state.
        _ if sight.recurs => Ok(true),
        Lack { service: Some(refused), .. } => Ok(!refused),
        lack => Err(lack.told()),
    }
}

/// Whether every operation is answered and none refused; `None` if that is not known
/// before the end.
fn is_available(sight: &Sight<'_>) -> Option<bool> {
    let asked = sight.operations.len() - sight.answers.len();
    let refused = refusals(sight.history, asked).next().is_some();
    if refused {
        return Some(false);
    }
    sight.quiet.then_some(sight.open == 0)
}

/// How many properties one search can judge: one bit each.
const TOGETHER: usize = 64;

/// How a search ended.
enum Ended {
    /// After so many distinct states.
    Complete { states: u64, timers: bool },
    /// Whether any node had a timer armed, so that patient timers may help.
    Bounded { timers: bool },
}

/// Whether the history of a state obeys a property. `None` if this state cannot
/// decide that.
fn judged(
    sight: &Sight<'_>,
    property: &Property,
    datatype: &dyn Datatype,
) -> Option<Result<bool, String>> {
    match property {
        // A history without final reads cannot satisfy a model about final
        // reads, but it can already violate it: no final read can make up for
        // an answer that nobody wrote.
        Property::Model(model) if is_lively(property) && !sight.quiet => {
            Some(allowed(sight, *model, datatype)).filter(|allowed| *allowed == Ok(false))
        }
        Property::Available => is_available(sight).map(Ok),
        Property::Durable | Property::Answered if !sight.quiet => None,
        Property::Model(model) => Some(allowed(sight, *model, datatype)),
        Property::Durable => Some(keeps(sight, datatype)),
        Property::Answered => Some(answers_all(sight)),
        _ => None,
    }
}

/// One search for all properties of a group.
fn search(
    subject: &dyn Subject,
    plan: &Plan,
    tracks: Tracks,
    scope: Open,
    group: &mut [&mut (Property, Decision)],
    coverage: &mut Explored,
    stop: &dyn Fn(&Progress) -> bool,
) -> Ended {
    let properties: Vec<Property> = group.iter().map(|(property, _)| property.clone()).collect();
    let bits = |wanted: &dyn Fn(&Property) -> bool| {
        let all = properties.iter().enumerate().filter(|(_, property)| wanted(property));
        all.fold(0_u64, |bits, (at, _)| bits | 1 << at)
    };
    let mut looked_at = vec![0_u64; properties.len()];
    let mut undecided: Vec<Option<String>> = vec![None; properties.len()];
    let by_sight =
        |property: &Property| matches!(property, Property::Model(_)) || is_lively(property);
    let wanted = bits(&by_sight);
    let answered = &mut coverage.answered;
    let mut judge = |sight: &Sight<'_>| {
        answered.get_or_insert_default().hear(sight.history);
        let mut violated = 0;
        for (at, property) in properties.iter().enumerate() {
            let Some(allowed) = judged(sight, property, plan.datatype) else { continue };
            looked_at[at] += answers(sight.history, property, plan.datatype);
            match allowed {
                Ok(true) => {}
                Ok(false) => violated |= 1 << at,
                Err(why) => undecided[at] = Some(why),
            }
        }
        violated
    };
    let search = Search {
        work: Work::Open(scope, plan.menu.clone()),
        tracks,
        reduce: plan.reduce,
        limits: plan.limits,
        lively: bits(&is_lively),
        quieting: bits(&|property| matches!(property, Property::Model(_)) && is_lively(property)),
        panics: properties.contains(&Property::NoPanic),
        patient: scope.patient,
        jobs: plan.jobs,
        stop,
    };
    let explored = match explore(subject, &plan.setting, &search, wanted, &mut judge) {
        Ok(explored) => explored,
        Err(refused) => {
            group.iter_mut().for_each(|(_, outcome)| outcome.doubt(refused.to_string()));
            return Ended::Bounded { timers: false };
        }
    };
    cover(coverage, &explored);
    let (states, timers) = (explored.states, explored.timers);
    let ways = ways(subject, &explored, &properties);
    for (at, entry) in group.iter_mut().enumerate() {
        let (property, outcome) = &mut **entry;
        let ways = ways.iter().filter(|(of, _)| *of == at);
        let stories = ways.filter_map(|(_, way)| confirmed(subject, plan, property, way));
        let finding = stories.min_by_key(|story| (story.run.schedule.len(), story.plainness()));
        if let Some(failing) = finding {
            *outcome = Decision::Violated(Box::new(Shortest { failing, scope, states }));
        } else if let Some(why) = doubt(&explored, scope, property, undecided[at].as_deref()) {
            outcome.doubt(why);
        } else {
            let looked_at = match property {
                property if by_sight(property) => looked_at[at],
                Property::StrongConvergence => explored.compared,
                _ => states,
            };
            outcome.prove(Proof { scope, states, looked_at });
        }
    }
    match explored.ending {
        Ending::Bounded(Bound::Stopped) => Ended::Bounded { timers: false },
        Ending::Bounded(_) => Ended::Bounded { timers },
        Ending::Complete | Ending::Settled => Ended::Complete { states, timers },
    }
}

/// Why a search that found no violation does not prove a property; `None` if it
/// does.
fn doubt(
    explored: &Exploration,
    scope: Open,
    property: &Property,
    undecided: Option<&str>,
) -> Option<Doubt> {
    if let Ending::Bounded(bound) = explored.ending {
        Some(bounded(bound, scope, explored))
    } else if explored.ending == Ending::Settled {
        Some("the search ended when it had found all other violations".to_owned().into())
    } else if explored.found.iter().any(is_panic) && is_lively(property) {
        Some("a handler panics, and such a run never becomes quiet".to_owned().into())
    } else if explored.unasked && asks_in_cycles(property) {
        Some("a read panics in a state that recurs for ever".to_owned().into())
    } else if explored.waiting && matches!(property, Property::Answered | Property::Available) {
        Some("an operation is open for ever unless a patient timer answers it".to_owned().into())
    } else if explored.unsettled
        && (is_lively(property) || matches!(property, Property::AtQuiescence(_)))
    {
        Some(
            "settling took too long from a state, where timers need not be patient"
                .to_owned()
                .into(),
        )
    } else {
        undecided.map(|why| why.to_owned().into())
    }
}

/// Whether it is judged in states that recur for ever, where reads are asked.
fn asks_in_cycles(property: &Property) -> bool {
    matches!(property, Property::Durable | Property::Answered | Property::Available)
}

fn is_panic(way: &Way) -> bool {
    way.matter == Matter::Panic
}

impl Decision {
    /// Records why no larger scope is proved. Earlier proofs remain.
    fn doubt(&mut self, why: impl Into<Doubt>) {
        let (Decision::Proved(_, doubts) | Decision::Unknown(doubts)) = self else {
            unreachable!("what is violated or not covered is not searched");
        };
        let why = why.into();
        if !doubts.contains(&why) {
            doubts.push(why);
        }
    }

    /// Records a proof. It replaces that of a smaller scope with the same kind
    /// of timers. Proofs with free and with patient timers are different
    /// claims, so neither replaces the other.
    fn prove(&mut self, proof: Proof) {
        let (mut proofs, doubts) = match self {
            Decision::Proved(proofs, doubts) => (std::mem::take(proofs), std::mem::take(doubts)),
            Decision::Unknown(doubts) => (Vec::new(), std::mem::take(doubts)),
            _ => unreachable!("what is violated or not covered is not searched"),
        };
        proofs.retain(|smaller| smaller.scope.patient != proof.scope.patient);
        proofs.push(proof);
        *self = Decision::Proved(proofs, doubts);
    }
}

fn bounded(bound: Bound, scope: Open, explored: &Exploration) -> Doubt {
    Doubt::Bounded { scope, bound, states: explored.states, actions: explored.depth.into() }
}

/// A scope in words: `2 sessions, 2 writes, 1 read, 1 key`, or
/// `2 sessions, 2 updates (add 1, add -1), 1 read, 1 key`.
pub fn scope_text(scope: &Open, menu: &Menu) -> String {
    let many = |number: usize, word: &str| {
        let ending = if number == 1 { "" } else { "s" };
        format!("{number} {word}{ending}")
    };
    let updates = match *menu == Menu::register() {
        true => many(scope.writes, "write"),
        false => {
            let items: Vec<_> = menu.updates.iter().map(ToString::to_string).collect();
            format!("{} ({})", many(scope.writes, "update"), items.join(", "))
        }
    };
    let patient = if scope.patient { ", patient timers" } else { "" };
    format!(
        "{}, {updates}, {}, {}{patient}",
        many(scope.sessions, "session"),
        many(scope.reads, "read"),
        many(scope.keys, "key"),
    )
}

fn cover(coverage: &mut Explored, explored: &Exploration) {
    coverage.states += explored.states;
    coverage.transitions += explored.transitions;
    coverage.reached.extend(&explored.reached);
    for (kind, count) in explored.faults.each() {
        let known = &mut coverage.faults[kind];
        *known = count.max(*known);
    }
    for declined in &explored.declined {
        if !coverage.declined.contains(declined) {
            coverage.declined.push(*declined);
        }
    }
    coverage.stopped |= explored.ending == Ending::Bounded(Bound::Stopped);
}

/// The paths to violations that were found, each with the position of a
/// property that it violates.
fn ways<'e>(
    subject: &dyn Subject,
    explored: &'e Exploration,
    properties: &[Property],
) -> Vec<(usize, &'e Way)> {
    let conditions = subject.conditions();
    let mut all = Vec::new();
    for way in &explored.found {
        for (at, property) in properties.iter().enumerate() {
            let is_about = match way.matter {
                Matter::Judged(bit) => bit as usize == at,
                Matter::Invariant(number) => {
                    let (name, when) = conditions[number];
                    property.is_of(name, when)
                }
                Matter::Panic => *property == Property::NoPanic,
                Matter::NeverQuiet | Matter::Oscillating => {
                    matches!(property, Property::Model(_)) && is_lively(property)
                }
                Matter::Agreement => *property == Property::StrongConvergence,
            };
            if is_about {
                all.push((at, way));
            }
        }
    }
    all
}

/// Executes the path to a violation in a world, judges the run, and minimises
/// it.
///
/// The search judges rows of numbers; this run is the evidence. If it does not
/// fail, the search and the world disagree about what can happen, and no result
/// of the search can be trusted. So this function panics then.
fn confirmed(
    subject: &dyn Subject,
    plan: &Plan,
    property: &Property,
    way: &Way,
) -> Option<Failing> {
    let setting = &plan.setting;
    let settled = re_execute(subject, setting, &way.workload, &way.stem, property.shows());
    let judged = |run: Run| {
        let judgement = judge(&run, property, plan.datatype);
        (run, judgement)
    };
    let (mut run, mut judgement) = judged(settled);
    // A run that ends by settling is easier to read than one with a chosen
    // cycle, so it is preferred if it fails too. It often does: where two
    // timers undo each other's work, settling enters the same cycle.
    if !way.cycle.is_empty() && judgement.flaw().is_none() {
        let steps = (&way.stem[..], &way.cycle[..]);
        let cycling = repeat(subject, setting, &way.workload, steps, property.shows());
        (run, judgement) = judged(cycling);
    }
    assert!(
        judgement.flaw().is_some(),
        "what the search found of `{property}` is not found again: {run:?}"
    );
    let place = (setting.clone(), way.workload.clone());
    let failing = Failing::judged(place, run, (property.clone(), plan.datatype), judgement)?;
    Some(minimise(subject, Aim::FewestActions, failing))
}

/// Whether a model allows the history of this state; an error says why that is
/// unknown.
fn allowed(sight: &Sight<'_>, model: Model, datatype: &dyn Datatype) -> Result<bool, String> {
    let lack = lack(sight);
    match check_with(sight.history, model, datatype, Budget::default()) {
        Verdict::Violated(_) => Ok(false),
        Verdict::Unknown(unknown) => Err(unknown.to_string()),
        Verdict::Holds(_) if is_lively(&Property::Model(model)) && lack.answers > 0 => {
            Err(lack.told())
        }
        Verdict::Holds(_) => Ok(true),
    }
}

/// How many answers of a history the property can judge. If there are none in
/// any state, the search is vacuous.
fn answers(history: &History, property: &Property, datatype: &dyn Datatype) -> u64 {
    let answered = history.operations().iter().filter(|op| answered(op, datatype));
    let counted = answered.filter(|op| match property {
        Property::Model(model @ (Model::Grid(_) | Model::EventualRealTime)) => {
            op.final_read == model.is_eventual()
        }
        Property::Durable => op.final_read,
        _ => true,
    });
    counted.count() as u64
}

/// The scopes that are searched if none is asked for, smallest first.
pub fn ladder() -> Vec<Open> {
    let open =
        |(sessions, writes, reads)| Open { sessions, writes, reads, keys: 1, patient: false };
    [(1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 2, 2), (3, 2, 2), (3, 3, 2)].map(open).to_vec()
}

/// The smaller scopes that fit into this one, smallest first, then this one.
pub fn up_to(largest: Open) -> Vec<Open> {
    let fits = |scope: &Open| {
        let within = scope.sessions <= largest.sessions && scope.writes <= largest.writes;
        within && scope.reads <= largest.reads
    };
    let mut scopes: Vec<_> = ladder()
        .into_iter()
        .filter(fits)
        .map(|scope| Open { keys: largest.keys, patient: largest.patient, ..scope })
        .filter(|scope| *scope != largest)
        .collect();
    scopes.push(largest);
    scopes
}
