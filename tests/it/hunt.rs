//! The hunt as users rely on it: every promise is kept or broken as the table
//! says, every variant of the notebook is found to have its own bug, and what
//! is found is minimal and replays.
//!
//! `QUIESCENCE_PROFILE=deep` multiplies the effort: 200 seeds for each variant
//! and 1,000,000 runs for each row instead of 10 and 200.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proptest::strategy::{Strategy as Generator, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use quiescence::catalogue::Registry;
use quiescence::history::{Argument, Call, Item, Menu, Value};
use quiescence::hunt::both;
use quiescence::hunt::case::{Case, FoundBy, SearchName, read, replay};
use quiescence::hunt::cause::Cause;
use quiescence::hunt::exhaustive::{self, Decision};
use quiescence::hunt::minimise::Failing;
use quiescence::hunt::promise::{Expected, Promise};
use quiescence::hunt::property::{Flaw, Judgement, Property, judge, looked_at};
use quiescence::hunt::random::{Hunt, Plan, Sampled, Shrunk, hunt};
use quiescence::hunt::{Subject, served};
use quiescence::judgement::datatype::{Counter, Datatype, Queue, Register, ReplicatedSet};
use quiescence::judgement::{Kind, Model};
use quiescence::replication::crdt::delta_based::{DeltaBased, Intervals};
use quiescence::replication::crdt::lww_set::LwwSet;
use quiescence::search::exhaustive::{Limits, Open, Reduce};
use quiescence::search::random::{Scope, scenario};
use quiescence::world::{FaultKind, Faults, Network, Setting, Step, execute, re_execute};

use crate::support::{case_file, effort, overwrites, searched};

fn strategy(name: &str) -> Box<dyn Subject> {
    let mut all = Registry::standard().parse(name).expect("the strategy exists");
    assert_eq!(all.len(), 1, "{name} names one strategy");
    all.remove(0)
}

fn plan(setting: &Setting, properties: Vec<Property>, runs: u64, seed: u64) -> Plan {
    let scope = Scope { setting: setting.clone(), ..Scope::default() };
    Plan { scope, properties, datatype: &Register, sought: vec![], runs, seed }
}

/// Hunts with the calls of the datatype that the strategy replicates.
fn go(subject: &dyn Subject, plan: &Plan) -> Hunt {
    let datatype = Registry::standard().datatype_of(subject).expect("it is known");
    let menu = served(subject, plan.scope.setting.nodes, datatype, 2);
    let scope = Scope { menu, ..plan.scope.clone() };
    hunt(subject, &Plan { scope, datatype, ..plan.clone() }, &|_| false)
}

fn finding(hunt: Hunt) -> Shrunk {
    match hunt.found.into_iter().next().expect("one property was judged").outcome {
        Sampled::Violated(finding) => *finding,
        other => panic!("nothing was found: {other:?}"),
    }
}

fn convict(name: &str, seed: u64) -> (Box<dyn Subject>, Shrunk) {
    let registry = Registry::standard();
    let setting = registry.family("notebook").expect("it exists").setting.clone();
    let subject = strategy(name);
    let eventual = vec![Property::Model(Model::EVENTUAL)];
    let found = finding(go(&*subject, &plan(&setting, eventual, 2_000, seed)));
    (subject, found)
}

#[test]
fn where_everything_is_violated_nothing_is_said_to_be_missing() {
    // Such a hunt ends with the first failures, so what it has not seen means nothing.
    let mut setting = Setting::calm(2, Network::Unordered);
    setting.faults.budget[FaultKind::Operator] = 1;
    let random = Some(plan(&setting, vec![], 2_000, 1));
    let unreached = |properties| {
        let plan = both::Plan { properties, exhaustive: None, random: random.clone() };
        both::hunt(&*strategy("notebook:storing"), &plan, &|_| false, &|_| false).unreached
    };
    let eventual = Property::Model(Model::EVENTUAL);
    assert!(unreached(vec![eventual.clone()]).is_empty());
    assert_eq!(unreached(vec![eventual, Property::NoPanic]).faults, [FaultKind::Operator]);
}

/// A strategy in a setting, with its promises there.
type Group = (String, Setting, Vec<(Property, Expected)>);

/// The settings of the promise table, each with its rows.
fn rows_by_setting() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in Registry::standard().promises() {
        let promised = (row.property.clone(), row.expected);
        match groups.iter_mut().find(|(name, at, _)| *name == row.strategy && *at == row.setting) {
            Some((.., rows)) => rows.push(promised),
            None => groups.push((row.strategy.clone(), row.setting.clone(), vec![promised])),
        }
    }
    groups
}

/// What is promised to be violated is found by
/// `the_committed_cases_are_what_the_hunt_finds`.
#[test]
fn every_promise_is_kept_in_random_runs_in_which_all_faults_strike() {
    let runs = effort(200, 1_000_000);
    let mut wrong = Vec::new();
    for (name, setting, rows) in rows_by_setting() {
        let kept = rows.iter().filter(|(_, expected)| *expected == Expected::Holds);
        let properties: Vec<_> = kept.map(|(property, _)| property.clone()).collect();
        if properties.is_empty() {
            continue;
        }
        let hunt = go(&*strategy(&name), &plan(&setting, properties.clone(), runs, 0x5eed));
        for (found, property) in hunt.found.iter().zip(&properties) {
            assert!(found.looked_at > 0, "{name}: nothing was checked for {property}");
            if !matches!(found.outcome, Sampled::None) {
                wrong.push(format!("{name}, {property}: {found:?}"));
            }
        }
        assert_eq!(hunt.coverage.runs, runs);
        for (kind, budget) in setting.faults.budget.each() {
            let struck = hunt.coverage.faults.get(&kind).copied().unwrap_or(0);
            assert!(budget == 0 || struck > 0, "{name}: {kind} is allowed and never struck");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_variant_of_the_notebook_is_convicted_of_its_own_bug_from_every_seed() {
    let expected = [
        ("notebook:as-written", Flaw::History(Kind::Diverged), 2),
        // The other node receives a message about the write, so it stays in the
        // run.
        ("notebook:wrong-key", Flaw::History(Kind::Lost), 2),
        ("notebook:call-error", Flaw::History(Kind::Illegal), 1),
        ("notebook:storing", Flaw::History(Kind::Diverged), 4),
        ("notebook:echo", Flaw::NeverQuiet, 5),
    ];
    for (name, flaw, steps) in expected {
        let mut lengths = Vec::new();
        for seed in 0..effort(10, 200) {
            let (_, found) = convict(name, seed);
            assert_eq!(found.failing.flaw, flaw, "{name} from seed {seed}");
            lengths.push(found.failing.run.schedule.len());
        }
        assert_eq!(lengths.iter().min(), Some(&steps), "the shortest story of {name}");
    }
}

#[test]
fn the_bug_of_the_storing_notebook_takes_four_actions_from_every_seed() {
    for seed in 0..20 {
        let (_, found) = convict("notebook:storing", seed);
        assert_eq!(found.failing.run.schedule.len(), 4, "seed {seed}");
        // Two writers whose writes cross, or one writer whose writes are
        // reordered.
        assert!((2..=3).contains(&found.failing.chosen().len()), "seed {seed}");
    }
}

/// The definition of minimal, implemented again: without any one chosen step,
/// the same property no longer fails in the same way.
fn assert_minimal(subject: &dyn Subject, failing: &Failing) {
    let chosen: Vec<Step> = failing.chosen();
    for left_out in 0..chosen.len() {
        let mut fewer = chosen.clone();
        fewer.remove(left_out);
        let run = re_execute(
            subject,
            &failing.setting,
            &failing.workload,
            &fewer,
            failing.property.shows(),
        );
        let as_short = run.schedule.iter().filter(|step| !step.settling).count() < chosen.len();
        let judged = (failing.property.clone(), failing.datatype);
        let (setting, workload) = (failing.setting.clone(), failing.workload.clone());
        // Minimising keeps the cause: another violation is another story.
        let cause = |it: &Failing| Cause::of(&it.run, &it.judgement(), it.datatype);
        let other = Failing::of(setting, workload, run, judged);
        let same = other.filter(|it| it.flaw == failing.flaw && cause(it) == cause(failing));
        assert!(same.is_none() || !as_short, "step {left_out} of {chosen:?} can be left out");
    }
}

/// What is found where a violation is promised, and how. Two tests look at it.
fn convicted() -> &'static [(Promise, Failing, FoundBy)] {
    static ALL: OnceLock<Vec<(Promise, Failing, FoundBy)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let registry = Registry::standard();
        let violated = registry.promises().filter(|row| row.expected != Expected::Holds);
        let found = |row: &Promise| {
            // Where random runs meet nothing, they take the longest.
            let case = fs::read_to_string(committed(row)).ok().and_then(|it| read::read(&it).ok());
            let rare = case.is_some_and(|it| it.found.search == Some(SearchName::Exhaustive));
            let met = if rare { None } else { by_random(row, 0x5eed) };
            let (failing, how) = met.unwrap_or_else(|| by_search(row));
            (row.clone(), failing, how)
        };
        violated.map(found).collect()
    })
}

fn committed(row: &Promise) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1").join(case_file(row))
}

fn by_random(row: &Promise, seed: u64) -> Option<(Failing, FoundBy)> {
    let plan = plan(&row.setting, vec![row.property.clone()], 20_000, seed);
    let found = go(&*strategy(&row.strategy), &plan).found.remove(0);
    let Sampled::Violated(found) = found.outcome else { return None };
    let how = FoundBy {
        search: Some(SearchName::Random),
        seed: Some(seed),
        run: Some(found.run),
        shrunk_from: Some(found.first.run.schedule.len()),
    };
    Some((found.failing, how))
}

/// What random runs hardly ever meet.
fn by_search(row: &Promise) -> (Failing, FoundBy) {
    let how = FoundBy { search: Some(SearchName::Exhaustive), ..FoundBy::default() };
    let (subject, property) = (strategy(&row.strategy), [row.property.clone()]);
    let found = exhaustive::ladder().into_iter().find_map(|scope| {
        let found = searched(&*subject, &row.setting, scope, &property, (Reduce::ALL, 2));
        match found.into_iter().next()?.1 {
            Decision::Violated(shortest) => Some(shortest.failing),
            _ => None,
        }
    });
    (found.unwrap_or_else(|| panic!("nothing is found: {row:?}")), how)
}

#[test]
fn what_is_found_is_minimal_and_replays_from_its_text() {
    let (mut shown, mut chosen) = (BTreeSet::new(), 0);
    for (row, failing, how) in convicted() {
        let (name, subject) = (&row.strategy, strategy(&row.strategy));
        // What an exhaustive search finds has the fewest actions of all, settling included.
        if how.search == Some(SearchName::Random) {
            assert_minimal(&*subject, failing);
        }
        // Other seeds find other runs.
        for (other, _) in (0..effort(0, 10)).filter_map(|seed| by_random(row, seed)) {
            assert_minimal(&*subject, &other);
        }
        chosen += assert_nearest(&*subject, failing);
        let case = Case::of(&*subject, failing, true, FoundBy::default());
        let text = case.to_text();
        let again = read::read(&text).expect("a case that was written can be read");
        assert_eq!(again.to_text(), text, "reading and writing changes nothing");
        let replayed =
            replay::replay(&again, &*subject, failing.datatype).expect("its steps are possible");
        assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced, "{name}");
        shown.insert(text);
    }
    assert!(shown.len() >= 12, "the table has rows that expect violations");
    assert!(chosen > 0, "clients choose numbers in some of them");
}

#[test]
fn the_same_seed_gives_the_same_case_to_the_letter() {
    let text = || {
        let (subject, found) = convict("notebook:storing", 3);
        Case::of(&*subject, &found.failing, true, FoundBy::default()).to_text()
    };
    assert_eq!(text(), text());
}

#[test]
fn every_committed_case_replays() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the folder of committed cases exists")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "there are committed cases");
    for path in paths {
        let text = fs::read_to_string(&path).expect("a committed case can be read");
        let case = read::read(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let registry = Registry::standard();
        let subject = registry.named(&case.strategy).expect("its strategy exists");
        let datatype = registry.datatype(&case.datatype).expect("it is known");
        let replayed = replay::replay(&case, &*subject, datatype)
            .unwrap_or_else(|(step, why)| panic!("{} at {step}: {why}", path.display()));
        assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced, "{}", path.display());
        assert_eq!(replayed.judgement.flaw(), case.kind);
    }
}

/// Writes the committed cases anew when asked to; otherwise compares them with
/// what the hunt finds today, so that a change of the search, of a strategy or
/// of the format shows as a difference to be explained.
#[test]
fn the_committed_cases_are_what_the_hunt_finds() {
    let mut files = BTreeSet::new();
    for (row, failing, how) in convicted() {
        let text = Case::of(&*strategy(&row.strategy), failing, true, how.clone()).to_text();
        let path = committed(row);
        assert!(files.insert(path.clone()), "two promises have the case {}", path.display());
        if overwrites() {
            fs::write(&path, &text).expect("a case can be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "{} (SNAPSHOTS=overwrite renews it)", path.display());
    }
}

/// A case written by hand need not record what was sent. An impossible action
/// is then an error of the file, wherever it is.
#[test]
fn an_impossible_action_is_the_fault_of_a_case_that_records_no_sends() {
    let text = include_str!("../cases/v1/notebook-storing-eventual-sticky.json");
    let bare: String = text
        .lines()
        .map(|line| match line.find(", \"sends\"") {
            Some(at) => {
                format!("{}}}{}\n", &line[..at], if line.ends_with(',') { "," } else { "" })
            }
            None => format!("{line}\n"),
        })
        .collect();
    let subject = strategy("notebook:storing");
    let whole = read::read(&bare).expect("it is a case");
    let replayed = replay::replay(&whole, &*subject, &Register).expect("its steps are possible");
    assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced);
    let wrong = bare.replace("n2→n1 #1", "n2→n1 #7");
    let wrong = read::read(&wrong).expect("it is well formed");
    let (step, why) = replay::replay(&wrong, &*subject, &Register).expect_err("nobody sent that");
    assert_eq!((step, why.as_str()), (3, "the message is not in flight"));
}

/// What is said of a datatype is not believed: answers that it cannot give are no
/// violations of it.
#[test]
fn answers_that_a_datatype_does_not_know_are_not_judged_by_it() {
    let setting = Setting::calm(2, Network::Unordered);
    let properties = ["eventual", "sequential", "durable", "white-box:eventual"]
        .map(|name| name.parse().expect("one"));
    let subject = strategy("pn-counter");
    // The counter adds 0, so that nothing but the name is wrong.
    let odd = Menu::with_reads(vec![Item::with("frob", 0)]);
    let said: [(&'static dyn Datatype, Menu); 3] = [
        (&ReplicatedSet::GrowOnly, ReplicatedSet::GrowOnly.menu(2)),
        (&Queue, Queue.menu(2)),
        (&Counter, odd),
    ];
    for (datatype, menu) in said {
        let plan = plan(&setting, properties.to_vec(), 50, 1);
        let scope = Scope { menu, ..plan.scope.clone() };
        let found = hunt(&*subject, &Plan { scope, datatype, ..plan }, &|_| false).found;
        for found in found {
            let unknown = matches!(&found.outcome, Sampled::Unknown(_, why) if why.contains("no operation of"));
            assert!(unknown, "{} as {}: {:?}", found.property, datatype.name(), found.outcome);
        }
    }
}

/// Durability of sets in which the last writer wins, decided again: each final read
/// takes into account each acknowledged update or a later one of the same element.
#[test]
fn an_update_of_another_element_makes_up_for_none_that_was_lost() {
    let (durable, set) = (Property::Durable, ReplicatedSet::LastWriter);
    let faults = Faults::NONE.with(FaultKind::Drop, 1);
    let setting = Setting::calm(2, Network::Unordered).with_faults(faults);
    let strategy = DeltaBased { lattice: LwwSet, intervals: Intervals::Basic };
    let scope = Scope { setting, keys: 1, menu: set.menu(2), ..Scope::default() };
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::XorShift));
    let (mut lost, mut by_others) = (0, 0);
    for _ in 0..1_000 {
        let scenario = scenario(&scope).new_tree(&mut runner).expect("nothing is rejected");
        let run = execute(&strategy, &scenario.current(), None);
        let operations = run.history.operations();
        let update = |at: &usize| !operations[*at].call.is_read();
        let updates: Vec<usize> = (0..operations.len()).filter(update).collect();
        let newer = |one: usize, other: usize| {
            run.facts.stamp(run.operations[one]) > run.facts.stamp(run.operations[other])
        };
        let same = |one: usize, other: usize| {
            operations[one].call.argument == operations[other].call.argument
        };
        // Whether a final read misses one, and whether it misses one if any newer update
        // makes up for it.
        let (mut misses, mut misses_all) = (false, false);
        for read in (0..operations.len()).filter(|at| operations[*at].final_read) {
            let key = &operations[read].call.key;
            let seen =
                run.facts.visible_to(run.operations[read], key, &[]).expect("it is recorded");
            for &one in &updates {
                let makes_up = |other: &&usize| {
                    seen.contains(&run.operations[**other])
                        && (**other == one || newer(**other, one))
                };
                let found: Vec<_> = updates.iter().filter(makes_up).collect();
                misses |= !found.iter().any(|other| **other == one || same(**other, one));
                misses_all |= found.is_empty();
            }
        }
        let flaw = judge(&run, &durable, &set).flaw();
        assert_eq!(flaw, misses.then_some(Flaw::LostWrite), "{:?}", run.history);
        lost += usize::from(misses);
        by_others += usize::from(misses && !misses_all);
    }
    assert!(lost > 50 && by_others > 10, "{lost}, {by_others}");
}

/// Numbers that a client could choose nearer to 0 by one, in the argument of a call of this
/// menu: the arguments with them. What a call makes new is never among them.
fn nearer(call: &Call, menu: &Menu) -> Vec<Value> {
    let step = |value: &Value, least: i64| match value {
        Value::Int(number) if number.abs() > least => Some(Value::Int(number - number.signum())),
        _ => None,
    };
    let Some(item) = menu.updates.iter().find(|item| item.f == call.f) else { return vec![] };
    match (&call.argument, &item.argument) {
        (Value::List(all), Argument::List(items)) => {
            let chosen = (0..all.len()).filter(|at| matches!(items[*at], Argument::This(_)));
            let nearer = chosen.filter_map(|at| {
                let mut fewer = all.to_vec();
                let least = match &items[at] {
                    Argument::This(Value::Int(least)) if at > 0 => *least,
                    _ => 1,
                };
                fewer[at] = step(&all[at], least)?;
                Some(fewer.into())
            });
            nearer.collect()
        }
        (one, Argument::This(_)) => step(one, 1).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A found run fails otherwise or not at all if any number that clients chose is nearer to 0
/// by one.
fn assert_nearest(subject: &dyn Subject, failing: &Failing) -> usize {
    let menu = failing.datatype.menu(1);
    let chosen = failing.chosen();
    let mut tried = 0;
    for (session, script) in failing.workload.sessions.iter().enumerate() {
        for (number, planned) in script.operations.iter().enumerate() {
            for argument in nearer(&planned.call, &menu) {
                let mut workload = failing.workload.clone();
                workload.sessions[session].operations[number].call.argument = argument;
                let shows = failing.property.shows();
                let run = re_execute(subject, &failing.setting, &workload, &chosen, shows);
                let judged = (failing.property.clone(), failing.datatype);
                let other = Failing::of(failing.setting.clone(), workload, run, judged);
                let same = other.filter(|other| {
                    let cause = |it: &Failing| Cause::of(&it.run, &it.judgement(), it.datatype);
                    let as_short = other.chosen().len() <= chosen.len();
                    other.flaw == failing.flaw && cause(other) == cause(failing) && as_short
                });
                assert!(same.is_none(), "{}: {:?}", failing.property, failing.workload);
                tried += 1;
            }
        }
    }
    tried
}

/// Eventual consistency in real time is judged where eventual consistency is, at quiescence,
/// but by what came after what as well.
#[test]
fn in_real_time_the_same_reads_are_judged_and_more_is_remembered() {
    let [eventual, timed] = [Model::EVENTUAL, Model::EventualRealTime].map(Property::Model);
    let setting = Setting::calm(2, Network::Unordered);
    let proved = |name: &str, (sessions, writes, reads): (usize, usize, usize)| {
        let scope = Open { sessions, writes, reads, keys: 1, patient: false };
        let search = exhaustive::Plan {
            setting: setting.clone(),
            scopes: vec![scope],
            menu: Menu::register(),
            datatype: &Register,
            properties: vec![eventual.clone(), timed.clone()],
            reduce: Reduce::ALL,
            limits: Limits::default(),
            enough: None,
            jobs: 1,
        };
        let found = exhaustive::hunt(&*strategy(name), &search, &|_| false).found;
        let looked_at = found.iter().map(|(_, decision)| match decision {
            Decision::Proved(proofs, _) => Some(proofs[0].looked_at),
            Decision::Violated(_) => None,
            other => panic!("{name}: {other:?}"),
        });
        looked_at.collect::<Vec<_>>()
    };
    // Of three histories of one read the two answers at quiescence are judged, not the read.
    assert_eq!(proved("primary-backup", (1, 0, 1)), [Some(6), Some(6)]);
    // One session has but one order in time.
    let [one, other] = proved("primary-backup", (1, 1, 1))[..] else { panic!("two properties") };
    assert!(one.is_some() && one == other, "{one:?} {other:?}");
    let [one, other] = proved("multi-primary-lww", (2, 2, 0))[..] else { panic!("two properties") };
    assert!(one.is_some() && other.is_none(), "{one:?} {other:?}");
    // Writes answer nothing, other reads are not at quiescence.
    let calm = Scope { setting, ..Scope::default() };
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::XorShift));
    let scenario = scenario(&calm).new_tree(&mut runner).expect("nothing is rejected").current();
    let run = execute(&*strategy("multi-primary-lww"), &scenario, None);
    let reads = run.history.operations().iter().filter(|op| op.call.is_read());
    let (last, all) = (reads.clone().filter(|op| op.final_read).count(), reads.count());
    assert!(last < all && looked_at(&run, &timed, &Register) == last, "{last} of {all}");
}

/// What clients ask in a run that is found where they choose from this menu.
fn asked(name: &str, setting: &Setting, menu: Menu) -> Vec<String> {
    let subject = strategy(name);
    let datatype = Registry::standard().datatype_of(&*subject).expect("it is known");
    let plan = plan(setting, vec![Property::Model(Model::EVENTUAL)], 20_000, 7);
    let plan = Plan { scope: Scope { menu, ..plan.scope.clone() }, datatype, ..plan };
    let found = finding(hunt(&*subject, &plan, &|_| false));
    assert_minimal(&*subject, &found.failing);
    assert_nearest(&*subject, &found.failing);
    let scripts = found.failing.workload.sessions.iter();
    let planned = scripts.flat_map(|script| &script.operations);
    planned.map(|planned| planned.call.to_string()).collect()
}

/// Amounts and positions go to 0 as far as the failure allows; what a write calls new is
/// numbered from 1, and different values stay different.
#[test]
fn what_clients_chose_is_as_near_to_zero_as_the_failure_allows() {
    let calm = Setting::calm(2, Network::Unordered);
    let lossy = calm.clone().with_faults(Faults::NONE.with(FaultKind::Drop, 1));
    let add = |amount: i64| Item::with("add", amount);
    let amounts = Menu::with_reads(vec![add(70), add(-9)]);
    assert_eq!(asked("op-counter:delivery=raw", &lossy, amounts), ["add x=1"]);
    let insert = |position: i64| {
        let position = Argument::This(position.into());
        Item::new("insert", Argument::List(vec![Argument::New, position]))
    };
    let positions = Menu::with_reads(vec![insert(7), insert(3)]);
    let texts = asked("indexed-text", &calm, positions);
    assert!(texts.iter().all(|call| call.ends_with(",0]")), "{texts:?}");
    let new = asked("notebook:storing", &calm, Menu::register());
    assert_eq!(new, ["write x=1", "write x=2"]);
}

/// What a strategy does not say of itself is no property of its runs: that nothing broke
/// it shows nothing.
#[test]
fn an_invariant_that_a_strategy_does_not_have_is_neither_kept_nor_proved() {
    let subject = strategy("multi-primary-lww");
    let (setting, why) =
        (Setting::calm(2, Network::Unordered), "the strategy has no such invariant");
    let property = Property::Always("no such thing".to_owned());
    let found = go(&*subject, &plan(&setting, vec![property.clone()], 50, 1)).found;
    let Sampled::Unknown(runs, said) = &found[0].outcome else { panic!("{found:?}") };
    assert_eq!((*runs, said.as_str(), found[0].looked_at), (50, why, 0));
    let search = exhaustive::Plan {
        setting,
        scopes: exhaustive::ladder(),
        menu: Menu::register(),
        datatype: &Register,
        properties: vec![property.clone()],
        reduce: Reduce::ALL,
        limits: Limits::default(),
        enough: None,
        jobs: 1,
    };
    let proved = exhaustive::hunt(&*subject, &search, &|_| false).found;
    assert!(matches!(proved[0].1, Decision::NotCovered(said) if said == why), "{proved:?}");
    // A case of an invariant that is gone does not say that it holds now.
    let text = include_str!("../cases/v1/notebook-storing-eventual-sticky.json");
    let mut case = read::read(text).expect("it is a case");
    case.property = property;
    let storing = strategy("notebook:storing");
    let again = replay::replay(&case, &*storing, &Register).expect("its steps are possible");
    assert_eq!(again.judgement, Judgement::Unknown(why.to_owned()));
}
