//! Turns the command line into searches.
//!
//! Invariant: properties of one strategy in one setting share one set of runs,
//! and the order of rows is that of the registry or of the command line.

use crate::catalogue::{Family, Registry};
use crate::hunt::Subject;
use crate::hunt::both::Plan;
use crate::hunt::exhaustive::Enough;
use crate::hunt::mutant::Mutant;
use crate::hunt::promise::{Expected, Promise};
use crate::hunt::property::Property;
use crate::hunt::{exhaustive, random, served};
use crate::judgement::Model;
use crate::judgement::datatype::Datatype;
use crate::replication::Strategy;
use crate::search::exhaustive::Open;
use crate::search::random::Scope;
use crate::world::{FaultKind, Setting};

use super::args::CheckArgs;
use super::exit::Failure;
use super::values;

/// One set of runs, and the properties to judge in it.
pub struct Search {
    /// The strategy to run.
    pub subject: Box<dyn Subject>,
    /// Its short name.
    pub short: String,
    /// What its operations mean.
    pub datatype: &'static dyn Datatype,
    /// The setting.
    pub setting: Setting,
    /// How to search, and what to judge.
    pub plan: Plan,
    /// What was promised of each property of the plan.
    pub expected: Vec<Option<Expected>>,
}

impl Search {
    fn asks(&mut self, property: &Property, expected: Option<Expected>) {
        if !self.plan.properties.contains(property) {
            if matches!(expected, Some(Expected::Violated(_))) {
                let random = self.plan.random.iter_mut().map(|random| &mut random.sought);
                let exhaustive = self.plan.exhaustive.iter_mut();
                let enough = exhaustive.filter_map(|it| it.enough.as_mut());
                for sought in random.chain(enough.map(|enough| &mut enough.sought)) {
                    sought.push(property.clone());
                }
            }
            self.plan.properties.push(property.clone());
            self.expected.push(expected);
        }
    }
}

/// How many times as many states a scope has at least as the one before it, nearly always.
/// Where promises are proved again, a larger scope is not begun if it would not end.
const GROWTH: u64 = 4;

/// The searches for these promises.
pub fn promised<'p>(
    args: &CheckArgs,
    registry: &Registry,
    promises: impl Iterator<Item = &'p Promise>,
    seed: u64,
) -> Result<Vec<Search>, Failure> {
    let mut searches: Vec<Search> = Vec::new();
    for promise in promises {
        for subject in registry.parse(&promise.strategy).map_err(Failure::new)? {
            let short = registry.short(&subject.strategy_name());
            let same = |other: &Search| {
                other.short == short && other.setting == overridden(args, &promise.setting)
            };
            let at = match searches.iter().position(same) {
                Some(at) => at,
                None => {
                    searches.push(empty(args, registry, subject, &promise.setting, seed)?);
                    searches.len() - 1
                }
            };
            let search = &mut searches[at];
            if let (Some(exhaustive), Some(states), None, false) =
                (&mut search.plan.exhaustive, promise.states, args.states, args.deep)
            {
                let none = || Enough { states: 0, sought: Vec::new() };
                let enough = exhaustive.enough.get_or_insert_with(none);
                enough.states = enough.states.max(states / GROWTH);
                exhaustive.limits.states = enough.states * GROWTH;
            }
            search.asks(&promise.property, Some(promise.expected));
        }
    }
    Ok(searches)
}

/// The searches for the strategies on the command line.
pub fn named(args: &CheckArgs, registry: &Registry, seed: u64) -> Result<Vec<Search>, Failure> {
    let mut searches = Vec::new();
    for text in &args.strategies {
        let subjects = registry.parse(text).map_err(|error| {
            Failure::new(error).remedy("`list` shows the strategies and their parameters")
        })?;
        for subject in subjects {
            searches.extend(searches_of(args, registry, subject, text, seed)?);
        }
    }
    Ok(searches)
}

fn searches_of(
    args: &CheckArgs,
    registry: &Registry,
    subject: Box<dyn Subject>,
    text: &str,
    seed: u64,
) -> Result<Vec<Search>, Failure> {
    let name = subject.strategy_name();
    let short = registry.short(&name);
    let rows = rows_of(registry, &name);
    let hold = |row: &&&Promise| row.expected == Expected::Holds && matters(args, row);
    let hold: Vec<_> = rows.iter().filter(hold).collect();
    // Who names a mutant wants to see its bug.
    let mut mutants = registry.families().iter().flat_map(|family| &family.mutants);
    let whole = args.models.is_empty() && mutants.any(|it| it.strategy == short);
    let rows = if hold.is_empty() || whole { rows.iter().collect() } else { hold };
    let mut found: Vec<(Setting, Vec<Property>)> = Vec::new();
    for row in rows {
        let setting = overridden(args, &row.setting);
        match found.iter_mut().find(|(known, _)| *known == setting) {
            Some((_, properties)) => properties.push(row.property.clone()),
            None => found.push((setting, vec![row.property.clone()])),
        }
    }
    if found.is_empty() {
        let family = registry.family(&name.name).map_err(Failure::new)?;
        let eventual = vec![Property::Model(Model::EVENTUAL)];
        found.push((overridden(args, &family.setting), eventual));
    }
    let search = |(setting, properties): (Setting, Vec<Property>)| {
        // Each search needs a subject of its own, which cannot be cloned.
        let subject =
            registry.named(&name).map_err(|error| Failure::new(format!("{text}: {error}")))?;
        let mut search = empty(args, registry, subject, &setting, seed)?;
        let asked = if args.models.is_empty() { properties } else { args.models.clone() };
        for property in asked.iter().chain([&Property::NoPanic]) {
            has_invariant(&*search.subject, &search.short, property)?;
            search.asks(property, None);
        }
        for (condition, when) in search.subject.conditions() {
            if let Some(property) = Property::of_invariant(condition, when) {
                search.asks(&property, None);
            }
        }
        Ok(search)
    };
    found.into_iter().map(search).collect()
}

/// The searches of the exam: four for each mutant that the command line names, or for
/// each one.
pub struct Exam<'r> {
    /// All searches.
    pub searches: Vec<Search>,
    /// For each mutant, which of them are about it: every run, random runs, what it keeps,
    /// the strategy without the bug.
    pub mutants: Vec<(&'r Mutant, [usize; 4])>,
}

/// What a mutant keeps is searched for in this part of the states.
const KEPT: u64 = 10;

/// Plans the exam.
pub fn exam<'r>(args: &CheckArgs, registry: &'r Registry, seed: u64) -> Result<Exam<'r>, Failure> {
    let mut exam = Exam { searches: Vec::new(), mutants: Vec::new() };
    for mutant in asked(args, registry)? {
        let one = |strategy: &str| {
            let mut all = registry.parse(strategy).map_err(Failure::new)?;
            let subject = all.pop().filter(|_| all.is_empty());
            let subject = subject.ok_or_else(|| Failure::new(format!("{strategy} is several")))?;
            empty(args, registry, subject, &mutant.setting, seed)
        };
        let convicted = Some(Expected::Violated(mutant.flaw));
        let mut searched = one(&mutant.strategy)?;
        searched.plan.random = None;
        // Some bugs show later than most: as many states as where the promise is checked.
        if let (Some(exhaustive), None) = (&mut searched.plan.exhaustive, args.states) {
            let states = states_of(registry, mutant).unwrap_or(0);
            exhaustive.limits.states = exhaustive.limits.states.max(states);
        }
        searched.asks(&mutant.property, convicted);
        let mut sampled = one(&mutant.strategy)?;
        sampled.plan.exhaustive = None;
        sampled.asks(&mutant.property, convicted);
        let mut kept = one(&mutant.strategy)?;
        // What holds is searched for in every state, so a smaller scope has to do.
        if let Some(exhaustive) = &mut kept.plan.exhaustive {
            exhaustive.limits.states = exhaustive.limits.states.div_ceil(KEPT);
        }
        mutant.keeps.iter().for_each(|it| kept.asks(it, Some(Expected::Holds)));
        let repaired = one(mutant.bug.repaired)?;
        let same = |other: &usize| {
            let other = &exam.searches[*other];
            (&other.short, &other.setting) == (&repaired.short, &repaired.setting)
        };
        let first = exam.searches.len();
        let known = exam.mutants.iter().map(|(_, [.., repaired])| *repaired).find(same);
        exam.searches.extend([searched, sampled, kept]);
        if known.is_none() {
            exam.searches.push(repaired);
        }
        let last = known.unwrap_or(first + 3);
        exam.searches[last].asks(&mutant.property, Some(Expected::Holds));
        exam.mutants.push((mutant, [first, first + 1, first + 2, last]));
    }
    Ok(exam)
}

/// How many states a search for the violation visits at most, where all promises are checked.
fn states_of(registry: &Registry, mutant: &Mutant) -> Option<u64> {
    let is_it = |row: &&Promise| {
        (&row.strategy, &row.setting) == (&mutant.strategy, &mutant.setting)
            && row.property == mutant.property
    };
    registry.promises().find(is_it)?.states
}

/// The mutants that the command line names: by the name of their strategy, or in full.
fn asked<'r>(args: &CheckArgs, registry: &'r Registry) -> Result<Vec<&'r Mutant>, Failure> {
    let of = |family: &'r Family| family.mutants.iter();
    if args.strategies.is_empty() {
        return Ok(registry.families().iter().flat_map(of).collect());
    }
    let mut found = Vec::new();
    for text in &args.strategies {
        let name = text.split(':').next().unwrap_or_default();
        let family = registry.family(name).map_err(Failure::new)?;
        let subjects = registry.parse(text).map_err(Failure::new)?;
        let names: Vec<_> =
            subjects.iter().map(|subject| registry.short(&subject.strategy_name())).collect();
        let before = found.len();
        found.extend(of(family).filter(|it| text == name || names.contains(&it.strategy)));
        if found.len() == before {
            return Err(Failure::new(format!("no mutant is known of {text}"))
                .remedy("`list` shows which strategies have mutants"));
        }
    }
    Ok(found)
}

/// Whether the setting of a promise is one in which to search for what is asked. Where
/// links are cut only to see who still answers, nothing else is promised.
fn matters(args: &CheckArgs, row: &Promise) -> bool {
    let asked = &args.models;
    asked.is_empty() || row.property != Property::Available || asked.contains(&Property::Available)
}

/// The promises about exactly this strategy.
fn rows_of<'r>(
    registry: &'r Registry,
    name: &crate::replication::StrategyName,
) -> Vec<&'r Promise> {
    let about = |row: &&Promise| {
        let subjects = registry.parse(&row.strategy).unwrap_or_default();
        subjects.iter().any(|subject| subject.strategy_name() == *name)
    };
    registry.promises().filter(about).collect()
}

/// That a strategy has this invariant: nothing breaks one that it has not.
fn has_invariant(subject: &dyn Subject, short: &str, asked: &Property) -> Result<(), Failure> {
    let (Property::Always(_) | Property::AtQuiescence(_)) = asked else { return Ok(()) };
    let conditions = subject.conditions().into_iter();
    let known: Vec<_> =
        conditions.filter_map(|(name, when)| Property::of_invariant(name, when)).collect();
    if known.contains(asked) {
        return Ok(());
    }
    let remedy = match known.is_empty() {
        true => "it has none".to_owned(),
        false => {
            let names: Vec<_> = known.iter().map(ToString::to_string).collect();
            format!("it has {}", names.join(", "))
        }
    };
    Err(Failure::new(format!("{short} has no invariant `{asked}`")).remedy(remedy))
}

/// That clocks of this strategy can do what is asked of them.
fn clocks_fit(subject: &dyn Subject, short: &str, setting: &Setting) -> Result<(), Failure> {
    let tick = subject.erased().has_deadlines();
    if setting.faults.bounded.is_some() && !tick {
        let problem = format!("{short} has no deadlines, so its clocks do not tick by themselves");
        return Err(Failure::new(problem).remedy("--clock takes offsets here: --clock 1,0,-1"));
    }
    if setting.faults.lose_clock && !tick {
        let problem = format!("{short} has no deadlines, so its clocks do not tick by themselves");
        return Err(Failure::new(problem).remedy("leave --lose-clock out"));
    }
    if setting.faults.budget[FaultKind::Skew] > 0 && tick {
        let problem = format!("clocks of {short} tick by themselves and do not jump");
        return Err(Failure::new(problem).remedy("--clock bounded=2 lets them drift apart"));
    }
    Ok(())
}

fn overridden(args: &CheckArgs, setting: &Setting) -> Setting {
    let mut setting = setting.clone();
    setting.nodes = args.nodes.unwrap_or(setting.nodes);
    setting.network = args.network.map_or(setting.network, Into::into);
    setting.routing = args.routing.map_or(setting.routing, Into::into);
    let faults = &mut setting.faults;
    faults.budget = args.faults.unwrap_or(faults.budget);
    faults.inbox = args.inbox.map_or(faults.inbox, Into::into);
    if let Some(clocks) = &args.clock {
        faults.clocks.clone_from(&clocks.offsets);
        faults.bounded = clocks.bounded.unwrap_or(faults.bounded);
    }
    faults.keep_token |= args.keep_token;
    faults.lose_clock |= args.lose_clock;
    setting
}

fn empty(
    args: &CheckArgs,
    registry: &Registry,
    subject: Box<dyn Subject>,
    setting: &Setting,
    seed: u64,
) -> Result<Search, Failure> {
    let usual = Scope::default();
    let setting = overridden(args, setting);
    let short = registry.short(&subject.strategy_name());
    clocks_fit(&*subject, &short, &setting)?;
    let datatype = match args.datatype {
        Some(values::Said(said)) => said,
        None => registry
            .datatype_of(&*subject)
            .map_err(|unknown| Failure::new(format!("{short}: {unknown}")))?,
    };
    let menu = served(&*subject, setting.nodes, datatype, args.arguments);
    if menu.updates.is_empty() {
        let datatype = datatype.name();
        let problem = format!("no node of {short} serves an update of the datatype `{datatype}`");
        return Err(Failure::new(problem).remedy("without --datatype, it is asked what it says"));
    }
    let scope = Scope {
        setting: setting.clone(),
        sessions: args.sessions.unwrap_or(usual.sessions),
        operations: args.operations.unwrap_or(usual.operations),
        keys: args.keys.unwrap_or(usual.keys),
        menu: menu.clone(),
        ..usual
    };
    let (properties, sought) = (Vec::new(), Vec::new());
    let random = random::Plan { scope, properties, datatype, sought, runs: args.runs(), seed };
    let exhaustive = exhaustive::Plan {
        setting: setting.clone(),
        scopes: scopes(args),
        menu,
        datatype,
        properties: Vec::new(),
        reduce: args.reduce,
        limits: args.limits(),
        enough: None,
        jobs: 1,
    };
    let plan = Plan {
        properties: Vec::new(),
        exhaustive: args.search.is_exhaustive().then_some(exhaustive),
        random: args.search.is_random().then_some(random),
    };
    Ok(Search { subject, short, datatype, setting, plan, expected: Vec::new() })
}

/// The scopes of the exhaustive search, from small ones up to the one that was
/// asked for.
fn scopes(args: &CheckArgs) -> Vec<Open> {
    let asked = args.writes.is_some() || args.reads.is_some() || args.patient_timers;
    // If random runs are done too, --sessions and --keys apply to those.
    let alone = !args.search.is_random() && (args.sessions.is_some() || args.keys.is_some());
    if !asked && !alone {
        return exhaustive::ladder();
    }
    exhaustive::up_to(Open {
        sessions: args.sessions.unwrap_or(2),
        writes: args.writes.unwrap_or(2),
        reads: args.reads.unwrap_or(2),
        keys: args.keys.unwrap_or(1),
        patient: args.patient_timers,
    })
}
