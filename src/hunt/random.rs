//! The random hunt: generates runs, judges them, and minimises the first
//! failures of each property.
//!
//! Runs are numbered from 1, and each has its own generator seeded by (seed,
//! number). So the result depends neither on the number of cores nor on which
//! other properties are judged.

use std::collections::{BTreeMap, BTreeSet};

use proptest::strategy::{Strategy as Generator, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::judgement::datatype::Datatype;
use crate::replication::When;
use crate::search::random::{Scope, scenario};
use crate::world::{FaultKind, Run, Scenario, Visited, execute};

use super::Subject;
use super::minimise::{Aim, Failing, minimise};
use super::property::{Judgement, Property, fit, judge, looked_at};
use super::unreached::Answered;

/// What to look for, where, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How large runs are and what may go wrong in them.
    pub scope: Scope,
    /// What is judged.
    pub properties: Vec<Property>,
    /// What the operations mean.
    pub datatype: &'static dyn Datatype,
    /// Those among them that are known to be violated. If no run has violated one
    /// of these yet, the hunt goes on for up to [`SOUGHT`] times as many runs.
    pub sought: Vec<Property>,
    /// How many runs.
    pub runs: u64,
    /// The seed of all runs.
    pub seed: u64,
}

/// What a hunt found about one property.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which property.
    pub property: Property,
    /// The result of the hunt for it.
    pub outcome: Sampled,
    /// Beside the run that is reported, the shortest of each other cause: it fails in another
    /// way, or takes other kinds of faults. A hunt that ends early has not seen all of them.
    pub others: Vec<Shrunk>,
    /// How many answers (or other facts) were judged, in all runs.
    pub looked_at: u64,
}

/// The result of hunting for a violation of one property.
#[derive(Clone, Debug)]
pub enum Sampled {
    /// No run violated it.
    None,
    /// A run violated it.
    Violated(Box<Shrunk>),
    /// No run violated it, but this many could not be decided; with the reason of
    /// the first of them.
    Unknown(u64, String),
}

/// A minimised failing run.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The minimised run.
    pub failing: Failing,
    /// The run that it was shrunk from.
    pub first: Failing,
    /// The number of that run.
    pub run: u64,
}

/// The coverage of a hunt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Runs done.
    pub runs: u64,
    /// Actions in all runs, including those of settling.
    pub actions: u64,
    /// Distinct states in all runs.
    pub states: u64,
    /// How often each kind of fault happened, for kinds that did.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Operations that were never answered, which constrain nothing.
    pub pending: u64,
    /// What was answered in some run, final reads apart.
    pub answered: Answered,
    /// Whether `stop` ended the hunt before all runs were done.
    pub cut_short: bool,
    /// `sometimes` invariants that never held.
    pub never_reached: Vec<&'static str>,
}

/// The result of a hunt.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// One entry for each property, in the order of the plan.
    pub found: Vec<Found>,
    /// What was covered.
    pub coverage: Sample,
}

/// By how much the number of runs is multiplied for a violation that is known
/// to exist.
pub const SOUGHT: u64 = 20;

/// How long a hunt continues after the first failure of a property, in runs and
/// in further failures. A minimised run is only a local minimum; another
/// failure may shrink further, and the shortest of them is reported.
const MORE_RUNS: u64 = 200;
const MORE_FAILURES: usize = 8;

/// How many failures of each other kind are shrunk, meanwhile.
const OTHER_FAILURES: usize = 3;

/// How many states are counted before counting stops: about 1 GB of memory.
const STATES_MAX: usize = 1 << 26;

/// Hunts for violations. Calls `stop` regularly with the number of runs done;
/// if that returns true, the hunt is cut short. A hunt also ends when every
/// property has been violated and enough failures of each were seen to choose
/// the shortest from.
pub fn hunt(subject: &dyn Subject, plan: &Plan, stop: &dyn Fn(u64) -> bool) -> Hunt {
    let generator = scenario(&plan.scope);
    let mut found: Vec<Found> = plan
        .properties
        .iter()
        .map(|property| Found {
            property: property.clone(),
            outcome: Sampled::None,
            others: Vec::new(),
            looked_at: 0,
        })
        .collect();
    let mut coverage = Sample::default();
    let mut visited = Visited::default();
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    let mut failures: Vec<Vec<Shrunk>> = vec![Vec::new(); found.len()];
    for number in 1..=plan.runs.saturating_mul(SOUGHT) {
        let done = |(entry, hunted): (&Found, &Vec<Shrunk>)| {
            let sought = hunted.is_empty() && plan.sought.contains(&entry.property);
            is_done(hunted, number) || (number > plan.runs && !sought)
        };
        let over: Vec<bool> = found.iter().zip(&failures).map(done).collect();
        // Without any property the runs are still executed, to count states and
        // to evaluate `sometimes` invariants.
        if over.iter().all(|over| *over) && (number > plan.runs || !over.is_empty()) {
            break;
        }
        if number % 64 == 1 && stop(number - 1) {
            coverage.cut_short = true;
            break;
        }
        let scenario = generate(&generator, plan.seed, number).current();
        let counting = (visited.count() < STATES_MAX).then_some(&mut visited);
        let run = execute(subject, &scenario, counting);
        coverage.runs = number;
        coverage.actions += run.schedule.len() as u64;
        coverage.pending += run.pending as u64;
        reached.extend(&run.reached);
        coverage.answered.hear(&run.history);
        for (kind, count) in run.faults.each().filter(|(_, count)| *count > 0) {
            *coverage.faults.entry(kind).or_default() += u64::from(count);
        }
        let each = found.iter_mut().zip(&mut failures).zip(over).zip(&plan.properties);
        for (((entry, hunted), over), property) in each {
            if over {
                continue;
            }
            let place = (&scenario.setting, &scenario.workload);
            let run = fit(subject, place, &run, property);
            let (looked_at, judgement) = judged(subject, &run, property, plan.datatype);
            entry.looked_at += if hunted.is_empty() { looked_at } else { 0 };
            note(entry, hunted, judgement, |judgement| {
                let mut tree = generate(&generator, plan.seed, number);
                let judged = (property, plan.datatype);
                let failing = failing(&scenario, run.into_owned(), judged, judgement)?;
                Some(small(subject, &mut tree, failing, number))
            });
        }
    }
    for (entry, hunted) in found.iter_mut().zip(failures) {
        let all = hunted.iter().chain(&entry.others).cloned().collect();
        if let Some(shortest) = hunted.into_iter().min_by_key(length) {
            entry.others = causes(&shortest, all);
            entry.outcome = Sampled::Violated(Box::new(shortest));
        }
    }
    coverage.states = visited.count() as u64;
    let conditions = (0..).zip(subject.conditions());
    coverage.never_reached = conditions
        .filter(|(at, (_, when))| *when == When::Sometimes && !reached.contains(at))
        .map(|(_, (name, _))| name)
        .collect();
    Hunt { found, coverage }
}

/// Takes note of what a run says of a property. `shrunk` makes a failing run small.
fn note(
    entry: &mut Found,
    hunted: &mut Vec<Shrunk>,
    judgement: Judgement,
    shrunk: impl FnOnce(Judgement) -> Option<Shrunk>,
) {
    match &judgement {
        Judgement::Holds => {}
        Judgement::Unknown(why) => match &mut entry.outcome {
            Sampled::Unknown(count, _) => *count += 1,
            outcome => *outcome = Sampled::Unknown(1, why.clone()),
        },
        Judgement::Violated(flaw, _) => {
            let is_alike = |one: &&Shrunk| one.failing.flaw == *flaw;
            let alike = entry.others.iter().filter(is_alike).count();
            if hunted.first().is_none_or(|first| is_alike(&first)) {
                hunted.extend(shrunk(judgement));
            } else if alike < OTHER_FAILURES {
                entry.others.extend(shrunk(judgement));
            }
        }
    }
}

/// How much of a run a property looked at, and what it says of the run.
fn judged(
    subject: &dyn Subject,
    run: &Run,
    property: &Property,
    datatype: &dyn Datatype,
) -> (u64, Judgement) {
    match property.unfit_for(subject) {
        Some(why) => (0, Judgement::Unknown(why.to_owned())),
        None => (looked_at(run, property, datatype) as u64, judge(run, property, datatype)),
    }
}

/// The order of findings: fewest chosen steps, then fewest steps, then earliest
/// run.
fn length(finding: &Shrunk) -> (usize, usize, u64) {
    (finding.failing.chosen().len(), finding.failing.run.schedule.len(), finding.run)
}

/// The shortest of each cause but that of the run that is reported, shortest first. What
/// fails as one of those before it does and takes more kinds of faults is no other cause.
pub fn causes(reported: &Shrunk, mut all: Vec<Shrunk>) -> Vec<Shrunk> {
    let takes = |one: &Shrunk, kind: FaultKind| one.failing.run.faults[kind] > 0;
    let is_as = |one: &Shrunk, other: &Shrunk| {
        let mut kinds = FaultKind::ALL.into_iter();
        one.failing.flaw == other.failing.flaw
            && kinds.all(|kind| takes(one, kind) || !takes(other, kind))
    };
    all.sort_by_key(length);
    let mut found = vec![reported.clone()];
    for one in all {
        if !found.iter().any(|other| is_as(&one, other)) {
            found.push(one);
        }
    }
    found.remove(0);
    found
}

/// Whether a property needs no more runs, from run `number` on.
fn is_done(failures: &[Shrunk], number: u64) -> bool {
    failures.len() > MORE_FAILURES
        || failures.first().is_some_and(|first| number > first.run + MORE_RUNS)
}

/// The scenario of a run, ready to be shrunk.
fn generate<G: Generator<Value = Scenario>>(generator: &G, seed: u64, number: u64) -> G::Tree {
    generator.new_tree(&mut runner(seed, number)).expect("generators reject nothing")
}

/// How many candidates shrinking tries before minimising takes over.
const SHRINK_TRIES: usize = 2_000;

/// The run of a scenario, if the judgement says that it fails.
fn failing(
    scenario: &Scenario,
    run: Run,
    (property, datatype): (&Property, &'static dyn Datatype),
    judgement: Judgement,
) -> Option<Failing> {
    let place = (scenario.setting.clone(), scenario.workload.clone());
    Failing::judged(place, run, (property.clone(), datatype), judgement)
}

fn small(
    subject: &dyn Subject,
    tree: &mut impl ValueTree<Value = Scenario>,
    first: Failing,
    number: u64,
) -> Shrunk {
    let (property, datatype, flaw) = (first.property.clone(), first.datatype, first.flaw);
    let mut best = first.clone();
    let mut simpler = tree.simplify();
    for _ in 0..SHRINK_TRIES {
        if !simpler {
            break;
        }
        let scenario = tree.current();
        let run = execute(subject, &scenario, None);
        let run = fit(subject, (&scenario.setting, &scenario.workload), &run, &property);
        let judgement = judge(&run, &property, datatype);
        simpler = match failing(&scenario, run.into_owned(), (&property, datatype), judgement) {
            Some(smaller) if smaller.flaw == flaw => {
                best = smaller;
                tree.simplify()
            }
            _ => tree.complicate(),
        };
    }
    Shrunk { failing: minimise(subject, Aim::FewestChoices, best), first, run: number }
}

/// The random number generator of one run.
fn runner(seed: u64, number: u64) -> TestRunner {
    let mut bytes = [0; 16];
    let first = mix(seed ^ mix(number));
    bytes[..8].copy_from_slice(&first.to_le_bytes());
    bytes[8..].copy_from_slice(&mix(first).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
    TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng)
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The kinds of faults that happened, with counts: `drop 12, crash 3`.
pub fn faults_text(faults: &BTreeMap<FaultKind, u64>) -> String {
    let texts: Vec<_> = faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}
