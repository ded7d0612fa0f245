//! The exam of the tool: a paper is passed by nobody who does not deserve it.

use std::sync::LazyLock;

use quiescence::catalogue::{Bug, Family, Mutant, Registry, Variants};
use quiescence::history::Menu;
use quiescence::hunt::both::{Hunt, Plan, hunt};
use quiescence::hunt::exam::{Complaint, Paper, enough_by_random, status};
use quiescence::hunt::outcome::Status;
use quiescence::hunt::property::{Flaw, Property};
use quiescence::hunt::{exhaustive, random};
use quiescence::judgement::datatype::Register;
use quiescence::judgement::{Kind, Model};
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::search::exhaustive::{Limits, Reduce};
use quiescence::search::random::Scope;
use quiescence::world::{Network, Setting};

const OVERWRITES: Bug = Bug {
    title: "the last that arrives is kept",
    story: "Two messages cross.",
    source: "a notebook",
    repaired: "multi-primary-lww",
    keeps: &["ev_vis"],
    actions: 4,
};

/// The notebook's `storing`, with what is said of it.
fn said(bug: Bug, property: Property, flaw: Flaw) -> Mutant {
    let pair = Setting::calm(2, Network::Unordered);
    let variants = Variants::of(Notebook { variant: Variant::Storing });
    let family = Family::new("notebook:storing", "it", &pair, variants);
    family.mutant("", bug, &pair, property, flaw).mutants.remove(0)
}

/// Hunts for these properties: every run of small scopes if `searched`, then random ones.
fn found(strategy: &str, properties: &[Property], searched: bool, runs: u64) -> Hunt {
    let subject = Registry::standard().parse(strategy).expect("it exists").remove(0);
    let setting = Setting::calm(2, Network::Unordered);
    let scope = Scope { setting: setting.clone(), ..Scope::default() };
    let every = exhaustive::Plan {
        setting,
        scopes: exhaustive::ladder(),
        menu: Menu::register(),
        datatype: &Register,
        properties: vec![],
        reduce: Reduce::ALL,
        limits: Limits { states: 2_000, ..Limits::default() },
        enough: None,
        jobs: 1,
    };
    let some = random::Plan {
        scope,
        properties: vec![],
        datatype: &Register,
        sought: vec![],
        runs,
        seed: 1,
    };
    let exhaustive = searched.then_some(every);
    let random = (runs > 0).then_some(some);
    let plan = Plan { properties: properties.to_vec(), exhaustive, random };
    hunt(&*subject, &plan, &|_| false, &|_| false)
}

static EVENTUAL: LazyLock<Property> = LazyLock::new(|| Model::EVENTUAL.into());

/// The paper on a mutant that is the notebook's `storing`.
fn graded(mutant: &Mutant) -> (Vec<Complaint>, Status) {
    let violated = std::slice::from_ref(&mutant.property);
    let searched = &found("notebook:storing", violated, true, 0);
    let sampled = &found("notebook:storing", violated, false, 100);
    let kept = &found("notebook:storing", &mutant.keeps, true, 100);
    let repaired = &found(mutant.bug.repaired, violated, true, 100);
    let paper = Paper { mutant, searched, sampled, kept, repaired };
    (paper.complaints(), status(&[paper]))
}

#[test]
fn a_mutant_that_is_what_is_said_of_it_passes() {
    let mutant = said(OVERWRITES, EVENTUAL.clone(), Kind::Diverged.into());
    assert_eq!(graded(&mutant), (vec![], Status::Holds));
}

#[test]
fn what_is_said_wrongly_of_a_mutant_is_found_out() {
    let cases = [
        (Bug { actions: 3, ..OVERWRITES }, Kind::Diverged, Complaint::Longer(4)),
        (OVERWRITES, Kind::Lost, Complaint::NotConvicted),
        (
            Bug { keeps: &["ev_vis", "linearizable"], ..OVERWRITES },
            Kind::Diverged,
            Complaint::Breaks(Model::Linearizable.into()),
        ),
        (Bug { repaired: "notebook:as-written", ..OVERWRITES }, Kind::Diverged, Complaint::Accused),
    ];
    for (bug, kind, complaint) in cases {
        let mutant = said(bug, EVENTUAL.clone(), kind.into());
        assert_eq!(graded(&mutant), (vec![complaint], Status::Violated), "{bug:?}");
    }
    let innocent = said(OVERWRITES, Model::READ_YOUR_WRITES.into(), Kind::Unexplained.into());
    let held = &found("multi-primary-lww", std::slice::from_ref(&innocent.property), true, 100);
    let kept = &found("multi-primary-lww", &innocent.keeps, true, 100);
    let paper = Paper { mutant: &innocent, searched: held, sampled: held, kept, repaired: held };
    assert_eq!(paper.complaints(), [Complaint::NotConvicted]);
}

/// What the hunts find of the notebook's `storing`: every run, random runs, what it keeps,
/// and what they find of a strategy that is without the bug.
fn hunted() -> [Hunt; 4] {
    let violated = std::slice::from_ref(&*EVENTUAL);
    let kept: [Property; 1] = ["ev_vis".parse().expect("a model")];
    [
        found("notebook:storing", violated, true, 0),
        found("notebook:storing", violated, false, 100),
        found("notebook:storing", &kept, true, 100),
        found("multi-primary-lww", violated, true, 100),
    ]
}

#[test]
fn hunts_that_are_cut_short_pass_nobody_and_fail_nobody() {
    let mutant = &said(OVERWRITES, EVENTUAL.clone(), Kind::Diverged.into());
    let whole = hunted();
    for cut in [vec![0, 1], vec![2], vec![3]] {
        let mut hunts = whole.clone();
        for at in &cut {
            hunts[*at].sampled.cut_short = true;
            hunts[*at].conclusions.iter_mut().for_each(|found| found.finding = None);
        }
        let [searched, sampled, kept, repaired] = &hunts;
        let paper = Paper { mutant, searched, sampled, kept, repaired };
        assert_eq!(paper.complaints(), [Complaint::Unfinished], "{cut:?}");
        assert_eq!(status(&[paper]), Status::Unknown);
    }
    assert_eq!(status(&[]), Status::Nothing);
    // What judged nothing acquits nobody and shows that nothing is kept.
    for at in [2, 3] {
        let mut hunts = whole.clone();
        let property = hunts[at].conclusions[0].property.clone();
        hunts[at] = found("multi-primary-lww", &[property], false, 0);
        let [searched, sampled, kept, repaired] = &hunts;
        let paper = Paper { mutant, searched, sampled, kept, repaired };
        assert_eq!(paper.complaints(), [Complaint::Unfinished], "{at}");
    }
}

/// Nine of ten have to be found by random runs.
#[test]
fn a_tool_whose_random_runs_find_too_little_fails() {
    let mutant = &said(OVERWRITES, EVENTUAL.clone(), Kind::Diverged.into());
    let [searched, sampled, kept, repaired] = &hunted();
    let missed = &found("multi-primary-lww", std::slice::from_ref(&mutant.property), false, 10);
    let paper = |sampled| Paper { mutant, searched, sampled, kept, repaired };
    let many = |found: usize, all: usize| -> Vec<_> {
        (0..all).map(|at| paper(if at < found { sampled } else { missed })).collect()
    };
    assert!(paper(missed).by_random().is_none() && paper(missed).by_search().is_some());
    assert!(enough_by_random(&many(9, 10)) && !enough_by_random(&many(8, 10)));
    assert_eq!(status(&many(9, 10)), Status::Holds);
    assert_eq!(status(&many(8, 10)), Status::Violated);
}
