//! Every strategy of the registry with every setting of the search: reductions
//! and threads change no verdict, no length of a shortest run, and no outcome
//! of a quiet cluster. The other properties of a search do not change them
//! either.

mod stale;

use std::collections::BTreeSet;

use quiescence::catalogue::{Family, Registry};
use quiescence::hunt::exhaustive::Decision;
use quiescence::hunt::property::{Flaw, Property};
use quiescence::hunt::{Subject, served};
use quiescence::judgement::Model;
use quiescence::search::exhaustive::{
    Limits, MISDECLARED, Open, Plan, Reduce, Sight, Tracks, Work, explore,
};
use quiescence::world::{FaultKind, FaultPlan, Faults, Network, Setting};

use crate::support::{effort, searched};

/// The settings of the search: its reductions and threads, one by one and
/// together.
fn settings() -> Vec<(Reduce, usize)> {
    let none = Reduce::NONE;
    vec![
        (none, 1),
        (Reduce { persistent: true, ..none }, 2),
        (Reduce { macro_steps: true, ..none }, 1),
        (Reduce { symmetry: true, forget: true, stale: true, ..none }, 2),
        (Reduce::ALL, 1),
    ]
}

/// Every strategy of the registry with every value of every parameter; of a family of
/// many variants, those that promise something. (What has timers, and time in its states,
/// would have infinitely many states: `multi-primary-lww:clock=wall,anti-entropy=on`.)
fn strategies() -> Vec<(String, Setting)> {
    let registry = Registry::standard();
    registry.families().iter().flat_map(variants).collect()
}

/// The most variants of a family that are all searched.
const VARIANTS_MAX: usize = 5;

fn variants(family: &Family) -> Vec<(String, Setting)> {
    let mut all = vec![Vec::new()];
    for parameter in &family.parameters {
        let longer = |chosen: &Vec<String>| {
            let value = |value: &&str| format!("{}={value}", parameter.name);
            parameter.values.iter().map(|v| [&chosen[..], &[value(v)]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    if all.len() > VARIANTS_MAX {
        let promised = family.promises.iter().map(|promise| promise.strategy.clone());
        let promised: BTreeSet<_> = promised.collect();
        return promised.into_iter().map(|name| (name, family.setting.clone())).collect();
    }
    let named = |chosen: &Vec<String>| {
        let colon = if chosen.is_empty() { "" } else { ":" };
        (format!("{}{colon}{}", family.name, chosen.join(",")), family.setting.clone())
    };
    all.iter().map(named).collect()
}

fn subject(name: &str) -> Box<dyn Subject> {
    Registry::standard().parse(name).expect("it is registered").remove(0)
}

/// Patient timers keep the state spaces of quorum protocols small.
const SMALL: Open = Open { sessions: 2, writes: 1, reads: 1, keys: 1, patient: true };
const TWO: Open = Open { writes: 2, ..SMALL };

fn properties() -> Vec<Property> {
    let models =
        [Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS, Model::Linearizable];
    let mut all: Vec<_> = models.map(Property::Model).into();
    all.extend([Property::Durable, Property::StrongConvergence, Property::NoPanic]);
    all
}

fn is_grid(property: &Property) -> bool {
    matches!(property, Property::Model(Model::Grid(_)))
}

/// Whether nothing is known of this property of a strategy: models of visibility say nothing
/// of compare-and-sets and of sequential sets, and only agreement is judged of opaque objects.
fn is_not_judged(name: &str, property: &Property) -> bool {
    let is_named = |part: &str| name.contains(part);
    let is_model = matches!(property, Property::Model(_));
    (is_named("cas-register") || is_named("object=set")) && is_grid(property)
        || is_named("priority-register") && is_model && *property != Model::EVENTUAL.into()
}

/// How a property is violated, and in how many actions at least.
type Verdict = Option<(Flaw, usize)>;

fn verdicts(
    name: &str,
    setting: &Setting,
    scope: Open,
    properties: &[Property],
    (reduce, jobs): (Reduce, usize),
) -> Vec<Verdict> {
    let found = searched(&*subject(name), setting, scope, properties, (reduce, jobs));
    let verdict = |(property, outcome): &(Property, Decision)| match outcome {
        Decision::Violated(finding) => {
            Some((finding.failing.flaw, finding.failing.run.schedule.len()))
        }
        Decision::Proved(_, doubts) if doubts.is_empty() => None,
        Decision::Unknown(_) if is_not_judged(name, property) => None,
        other => panic!("{property} of {name} with {reduce}: {other:?}"),
    };
    found.iter().map(verdict).collect()
}

/// Where each strategy is searched: in the setting of its family, on two nodes
/// with two writes, and on two nodes with one fault.
fn places(name: &str, setting: &Setting) -> Vec<(Setting, Open)> {
    let pair = Setting { nodes: 2, ..setting.clone() };
    let kind = if name.starts_with("abd") { FaultKind::Drop } else { FaultKind::Crash };
    let budget = Faults::NONE.with(kind, 1);
    let faults = FaultPlan { budget, ..FaultPlan::default() };
    let faulty = Setting { faults, ..pair.clone() };
    vec![(setting.clone(), SMALL), (pair, TWO), (faulty, SMALL)]
}

/// The settings to compare at one of many places: without reductions, with one of those between
/// in turn, and with all together; `QUIESCENCE_PROFILE=deep` compares all of them.
fn settings_at(place: usize) -> Vec<(Reduce, usize)> {
    let all = settings();
    let between = all.len() - 2;
    // A strategy has as many places: another setting for each, and for the next strategy.
    let turn = 1 + (place + place / between) % between;
    let is_told = |at: usize| at == 0 || at > between || at == turn || effort(0, 1) == 1;
    (0..all.len()).filter(|at| is_told(*at)).map(|at| all[at]).collect()
}

#[test]
fn no_setting_of_the_search_changes_a_verdict_or_the_length_of_its_story() {
    let properties = properties();
    let (mut violated, mut place) = (0, 0);
    for (turn, (name, setting)) in strategies().into_iter().enumerate() {
        for (at, (setting, scope)) in places(&name, &setting).into_iter().enumerate() {
            place += 1;
            // Two of the three places of each strategy, others of the next; all if it is deep.
            if at == turn % 3 && effort(0, 1) == 0 {
                continue;
            }
            let all = settings_at(place);
            let plain = verdicts(&name, &setting, scope, &properties, all[0]);
            violated += plain.iter().flatten().count();
            for how in &all[1..] {
                let other = verdicts(&name, &setting, scope, &properties, *how);
                assert_eq!(other, plain, "{name} with {} in {setting:?}", how.0);
            }
        }
    }
    assert!(violated > 20, "there is something to find: {violated}");
}

/// One property in seven of each strategy, and another of the next;
/// `QUIESCENCE_PROFILE=deep` looks for all of them.
#[test]
fn a_story_is_the_shortest_whatever_else_is_looked_for() {
    let properties = properties();
    for (turn, (name, setting)) in strategies().into_iter().enumerate() {
        let pair = Setting { nodes: 2, ..setting };
        // Without reductions all of them together are told the same: the test before this.
        let together = verdicts(&name, &pair, TWO, &properties, (Reduce::ALL, 1));
        let each = properties.iter().zip(together).enumerate();
        let is_told = |at: usize| (at + turn).is_multiple_of(7) || effort(0, 1) == 1;
        for (_, (property, of_all)) in each.filter(|(at, _)| is_told(*at)) {
            let alone =
                verdicts(&name, &pair, TWO, std::slice::from_ref(property), (Reduce::ALL, 1));
            assert_eq!(alone, [of_all], "{property} of {name}");
        }
    }
}

/// The possible answers to clients and to final reads when the cluster is
/// quiet.
fn outcomes(name: &str, setting: &Setting, how: (Reduce, usize)) -> (BTreeSet<String>, Reduce) {
    let mut seen = BTreeSet::new();
    let mut judge = |sight: &Sight<'_>| {
        if sight.quiet {
            seen.insert(format!("{:?} {:?}", sight.history, sight.answers));
        }
        0
    };
    let subject = subject(name);
    let datatype = Registry::standard().datatype_of(&*subject).expect("it is known");
    let plan = Plan {
        work: Work::Open(SMALL, served(&*subject, setting.nodes, datatype, 1)),
        tracks: Tracks { history: true, ..Tracks::default() },
        reduce: how.0,
        limits: Limits::default(),
        lively: 1,
        quieting: 1,
        panics: true,
        patient: true,
        jobs: how.1,
        stop: &|_| false,
    };
    let found = explore(&*subject, setting, &plan, 1, &mut judge).expect("it is covered");
    assert!(found.declined.iter().all(|(_, why)| *why != MISDECLARED), "{name} declares wrongly");
    (seen, found.reduce)
}

#[test]
fn quiet_clusters_have_the_same_outcomes_in_every_setting() {
    let (mut reduced, mut place) = (0, 0);
    for (name, setting) in strategies() {
        for network in [Network::Fifo, Network::Unordered] {
            let is_long = name.starts_with("chain-membership");
            if is_long && network == Network::Unordered {
                continue; // It is made for links that keep the order, and asks again without end.
            }
            // On three nodes it has too many outcomes to go through them all.
            let nodes = if is_long { 2 } else { setting.nodes };
            let setting = Setting { network, nodes, ..setting.clone() };
            place += 1;
            let all = settings_at(place);
            let (plain, _) = outcomes(&name, &setting, all[0]);
            assert!(!plain.is_empty() || name == "notebook:variant=echo", "{name}");
            for how in &all[1..] {
                let (seen, used) = outcomes(&name, &setting, *how);
                assert_eq!(seen, plain, "{name} on {network:?} with {}", how.0);
                reduced += usize::from(used.macro_steps || used.persistent);
            }
        }
    }
    assert!(reduced > 10, "reductions were used: {reduced}");
}
