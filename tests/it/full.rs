//! The run as it was found: a case that was shrunk keeps it, and whoever reads the case can go
//! to it and back.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use proptest::prelude::*;
use quiescence::catalogue::Registry;
use quiescence::history::{Call, NodeId};
use quiescence::hunt::case::replay::{Fidelity, Replay, replay, replay_full};
use quiescence::hunt::case::write::why;
use quiescence::hunt::case::{Case, FULL_MAX, FoundBy, NotACase, read};
use quiescence::hunt::minimise::Failing;
use quiescence::hunt::promise::{Expected, Promise};
use quiescence::hunt::random::{Plan, Sampled, Shrunk, hunt};
use quiescence::hunt::{Subject, served};
use quiescence::judgement::Model;
use quiescence::judgement::datatype::{Datatype, Register};
use quiescence::replication::OperationId;
use quiescence::search::random::{Scope, scenario};
use quiescence::world::{
    Action, FaultKind, Faults, Network, Planned, Scenario, Script, Setting, Shows, Step, Workload,
    execute, re_execute,
};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::docs::schema::complaints_of;

fn storing() -> Box<dyn Subject> {
    Registry::standard().parse("notebook:storing").expect("it exists").remove(0)
}

/// What random runs find that violates a promise.
fn found(promise: &Promise) -> (Box<dyn Subject>, Shrunk) {
    let registry = Registry::standard();
    let subject = registry.parse(&promise.strategy).expect("it exists").remove(0);
    let datatype = registry.datatype_of(&*subject).expect("it is known");
    let setting = promise.setting.clone();
    let menu = served(&*subject, setting.nodes, datatype, 2);
    let plan = Plan {
        scope: Scope { setting, menu, ..Scope::default() },
        properties: vec![promise.property.clone()],
        datatype,
        sought: vec![],
        runs: 500,
        seed: 0x5eed,
    };
    let hunted = hunt(&*subject, &plan, &|_| false).found.remove(0);
    let Sampled::Violated(found) = hunted.outcome else { panic!("{promise:?} is violated") };
    (subject, *found)
}

/// The case of a failing run that was shrunk from another.
fn case(subject: &dyn Subject, failing: &Failing, first: &Failing) -> Case {
    Case::of(subject, failing, true, FoundBy::default()).shrunk_from(subject, first)
}

/// A run of the notebook that diverges, of a scenario, if it does.
fn diverging(scenario: &Scenario) -> Option<Failing> {
    let Scenario { setting, workload, .. } = scenario.clone();
    let chosen = execute(&*storing(), scenario, None).schedule;
    let run = re_execute(&*storing(), &setting, &workload, &chosen, Shows::End);
    Failing::of(setting, workload, run, (Model::EVENTUAL.into(), &Register))
}

fn scope() -> Scope {
    let mut setting = Setting::calm(2, Network::Unordered);
    setting.faults.budget = Faults::once(&[FaultKind::Drop, FaultKind::Duplicate]);
    let menu = served(&*storing(), 2, &Register, 2);
    Scope { setting, menu, ..Scope::default() }
}

/// A run of the notebook in which two clients write as often as this before any message
/// arrives.
fn long(writes: usize) -> Failing {
    let script = |node: u16| {
        let planned = |value: i64| Planned { call: Call::write("x", value), node: None };
        let first = i64::from(node) * 1_000;
        let operations = (first..).take(writes).map(planned).collect();
        Script { node: NodeId(node), operations }
    };
    let workload = Workload { sessions: vec![script(0), script(1)] };
    let setting = Setting::calm(2, Network::Unordered);
    let operations = (0..2).flat_map(|session| {
        let numbers = (0..).take(writes);
        numbers.map(move |number| OperationId { session, number })
    });
    let step = |(number, operation)| {
        let action = Action::Invoke(operation);
        Step { number, action, settling: false }
    };
    let chosen: Vec<_> = (1..).zip(operations).map(step).collect();
    let run = re_execute(&*storing(), &setting, &workload, &chosen, Shows::End);
    let judged = (Model::EVENTUAL.into(), &Register as &'static dyn Datatype);
    Failing::of(setting, workload, run, judged).expect("the last writes cross")
}

/// The case that a random search finds of the notebook.
fn small() -> Case {
    static SMALL: LazyLock<Case> = LazyLock::new(|| {
        let (subject, shrunk) = found(&promise("notebook:storing", "eventual"));
        case(&*subject, &shrunk.failing, &shrunk.first)
    });
    SMALL.clone()
}

fn promise(strategy: &str, property: &str) -> Promise {
    let registry = Registry::standard();
    let mut all = registry.promises().filter(|one| one.expected != Expected::Holds);
    let is_it = |one: &&Promise| one.strategy == strategy && one.property.to_string() == property;
    all.find(is_it).expect("there is such a promise").clone()
}

/// Runs the program on the case in a place of its own: what it says on both outputs, and its
/// exit code.
fn run(case: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let place = TempDir::new().expect("there is room for a case");
    fs::write(place.path().join("case.json"), case).expect("it can be written");
    let done = Command::new(env!("CARGO_BIN_EXE_quiescence"))
        .args(arguments)
        .current_dir(place.path())
        .output()
        .expect("the program can be run");
    let said = String::from_utf8([done.stdout, done.stderr].concat()).expect("it says text");
    (said, done.status.code())
}

#[test]
fn a_random_search_keeps_the_run_as_it_was_found() {
    let mut kept = 0;
    for (strategy, property) in [
        ("notebook:storing", "eventual"),
        ("notebook:echo", "eventual"),
        ("gossip:digest=values", "eventual"),
        ("quorum:r=1,w=1", "ryw"),
        ("failover", "durable"),
        ("primary-backup", "answered"),
        // Links that are cut stay cut, and an invariant that breaks does not end the run.
        ("quorum", "available"),
        ("raft:conflicts=unseen", "always:on-a-majority"),
    ] {
        let promise = promise(strategy, property);
        let (subject, shrunk) = found(&promise);
        let Shrunk { failing, first, .. } = &shrunk;
        let case = case(&*subject, failing, first);
        assert_eq!(case.found.shrunk_from, Some(first.run.schedule.len()), "{strategy}");
        let text = case.to_text();
        assert!(text.lines().all(|line| line.matches("\"do\": ").count() < 2), "{text}");
        let json = serde_json::from_str(&text).expect("a case is JSON");
        assert_eq!(complaints_of("case", &json), [""; 0], "{strategy}");
        let again = read::read(&text).unwrap_or_else(|error| panic!("{strategy}: {error}"));
        assert_eq!(again.to_text(), text, "{strategy}: reading and writing changes nothing");
        let replayed = replay(&again, &*subject, failing.datatype).expect("it is possible");
        assert_eq!(replayed.fidelity, Fidelity::Reproduced, "{strategy}");
        let Some(full) = replay_full(&again, &*subject, failing.datatype) else { continue };
        kept += 1;
        assert_eq!(full.replay.fidelity, Fidelity::Reproduced, "{strategy}");
        assert!(full.fails_so(), "{strategy}");
        assert_eq!(Some(full.replay.run.schedule.len()), case.found.shrunk_from, "{strategy}");
        assert!(case.chosen() <= full.case.chosen(), "{strategy}: the minimal one is no longer");
        assert_ne!(full.replay.run.schedule, replayed.run.schedule, "{strategy}");
        let Replay { run, judgement, .. } = &full.replay;
        let why = why(run, &again.property, judgement, failing.datatype);
        assert!(!why.is_empty(), "{strategy} {property}");
    }
    assert_eq!(kept, 8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_a_case_keeps_is_read_as_it_was_written(
        one in scenario(&scope()).prop_filter_map("its replicas agree", |it| diverging(&it)),
        other in scenario(&scope()).prop_filter_map("its replicas agree", |it| diverging(&it)),
    ) {
        let case = case(&*storing(), &one, &other);
        prop_assert_eq!(case.full.is_some(), one.run.schedule != other.run.schedule
            || one.workload != other.workload);
        let again = read::read(&case.to_text()).expect("it is a case");
        prop_assert_eq!(again.to_text(), case.to_text());
        if let Some(full) = replay_full(&again, &*storing(), &Register) {
            prop_assert_eq!(&full.replay.fidelity, &Fidelity::Reproduced);
            prop_assert_eq!(&full.case.setting, &other.setting);
        }
    }
}

#[test]
fn a_run_that_was_not_shrunk_is_not_kept_twice() {
    let (subject, shrunk) = found(&promise("notebook:storing", "eventual"));
    let case = case(&*subject, &shrunk.failing, &shrunk.failing);
    assert_eq!(case.full, None);
    assert!(!case.to_text().contains("\"full\""));
}

#[test]
fn a_very_long_run_is_left_out_and_that_is_said() {
    let small = small();
    let first = long(FULL_MAX / 4 + 1);
    let steps = first.run.schedule.len();
    assert!(steps > FULL_MAX);
    let case = small.shrunk_from(&*storing(), &first);
    assert_eq!(case.full, None);
    let text = case.to_text();
    let (said, code) = run(&text, &["replay", "case.json"]);
    assert!(
        said.contains(&format!("shrunk from  {steps} actions, more than the 300 that")),
        "{said}"
    );
    assert_eq!(code, Some(1));
    let (said, code) = run(&text, &["replay", "case.json", "--full"]);
    assert!(said.contains(&format!("it had {steps} actions, more than the 300")), "{said}");
    assert!(said.contains("`check` with the seed"), "{said}");
    assert_eq!(code, Some(2));
}

#[test]
fn check_saves_it_with_every_case_of_random_runs() {
    let place = TempDir::new().expect("there is room for cases");
    let check = |how: &str| {
        let command = format!("check notebook:storing --faults drop=1 --seed 7 {how}");
        let mut program = Command::new(env!("CARGO_BIN_EXE_quiescence"));
        let done = program.args(command.split(' ')).current_dir(place.path()).output();
        assert_eq!(done.expect("the program can be run").status.code(), Some(1));
        let cases = fs::read_dir(place.path().join("cases")).expect("it saved cases");
        let read = |entry: std::io::Result<fs::DirEntry>| {
            let text = fs::read_to_string(entry.expect("it is there").path());
            read::read(&text.expect("it can be read")).expect("it is a case")
        };
        let all: Vec<_> = cases.map(read).collect();
        fs::remove_dir_all(place.path().join("cases")).expect("it is ours");
        all
    };
    let cases = check("--search random --model linearizable --model eventual --runs 300");
    assert!(cases.len() > 2, "there are other causes");
    for case in cases {
        let full = case.full.expect("it was shrunk");
        assert_eq!(Some(full.schedule.len()), case.found.shrunk_from);
    }
    // What the exhaustive search finds is not shrunk.
    let cases = check("--search exhaustive --model eventual");
    assert!(cases.iter().all(|case| case.full.is_none()));
}

#[test]
fn one_can_go_to_the_run_as_it_was_found_and_back() {
    let case = small();
    let steps = case.found.shrunk_from.expect("it was shrunk");
    let text = case.to_text();
    let (said, code) = run(&text, &["replay", "case.json"]);
    assert!(said.contains(&format!("shrunk from  {steps} actions; --full shows them\n")), "{said}");
    assert_eq!(code, Some(1));
    let (said, code) = run(&text, &["replay", "case.json", "--full"]);
    let last = format!("\n{steps:>6}  ");
    assert!(said.contains(&last) && !said.contains(&format!("\n{:>6}  ", steps + 1)), "{said}");
    assert!(said.contains("FAIL  eventual (diverged)"), "{said}");
    assert!(said.contains("shrunk to    4 actions; without --full they are shown\n"), "{said}");
    assert!(said.ends_with("REPRODUCED\n"), "{said}");
    assert_eq!(code, Some(1));
    // One step after the other, too, and the first of them alone.
    let (walked, _) = run(&text, &["replay", "case.json", "--full", "--step"]);
    assert!(walked.contains(&said), "{walked}");
    let (until, _) = run(&text, &["replay", "case.json", "--full", "--until", "5"]);
    assert!(until.contains("\n     5  ") && !until.contains("\n     6  "), "{until}");
}

#[test]
fn a_case_without_it_says_so() {
    let mut case = small();
    case.full = None;
    let (said, _) = run(&case.to_text(), &["replay", "case.json"]);
    assert!(!said.contains("shrunk"), "{said}");
    let (said, code) = run(&case.to_text(), &["replay", "case.json", "--full"]);
    assert!(said.contains("case.json has no run as it was found\n"), "{said}");
    assert!(said.contains("without --full the case itself is shown"), "{said}");
    assert_eq!(code, Some(2));
}

/// The case, whose run as it was found is only its first step.
fn harmless() -> Case {
    let mut case = small();
    let full = case.full.as_mut().expect("it was shrunk");
    full.schedule.retain(|step| step.text.contains("n1"));
    full.schedule.truncate(1);
    case.found.shrunk_from = Some(1);
    case
}

#[test]
fn that_it_no_longer_fails_is_said_and_changes_no_verdict() {
    let text = harmless().to_text();
    let (said, code) = run(&text, &["replay", "case.json"]);
    assert!(
        said.contains("shrunk from  1 action, and that run NO LONGER fails in this way"),
        "{said}"
    );
    assert!(said.ends_with("REPRODUCED\n"), "{said}");
    assert_eq!(code, Some(1));
    let (said, code) = run(&text, &["replay", "case.json", "--full"]);
    assert!(said.contains("ok    eventual") && said.contains("DIFFERS AT STEP 2"), "{said}");
    assert_eq!(code, Some(1));
    let (said, _) = run(&text, &["replay", "case.json", "--format", "json"]);
    let told: Json = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!(complaints_of("results", &told), [""; 0]);
    let full = &told["replay"]["full"];
    assert_eq!((&full["verdict"], &full["outcome"]), (&"holds".into(), &"differs".into()));
    assert_eq!((&full["kind"], &full["actions"]), (&Json::Null, &1.into()));
    let (page, _) = run(&text, &["report", "case.json", "-o", "-"]);
    assert!(page.contains("<p class=\"differs\">1 action, and that run NO LONGER"), "{page}");
    // Nor does the suite of cases rest on it.
    let (said, code) = run(&text, &["test", "case.json"]);
    assert!(said.contains("1 of 1 cases are as expected"), "{said}");
    assert_eq!(code, Some(0));
}

#[test]
fn a_run_that_still_fails_in_another_way_of_going_is_told_apart() {
    let mut case = small();
    let full = case.full.as_mut().expect("it was shrunk");
    full.schedule[0].text.push_str(", they say");
    let (said, _) = run(&case.to_text(), &["replay", "case.json"]);
    let told = "in other texts (the first difference is at step 1); --full shows them";
    assert!(said.replace("\n               ", " ").contains(told), "{said}");
}

/// The complaint about the case with one text in the run as it was found replaced by another,
/// and what stands at the place to which it points.
fn refused(before: &str, after: &str) -> (String, String) {
    let text = small().to_text();
    let (minimal, full) = text.split_once("\"full\"").expect("it was shrunk");
    assert!(full.contains(before), "{before} is not in {full}");
    let text = format!("{minimal}\"full\"{}", full.replacen(before, after, 1));
    let NotACase { line, column, reason } = read::read(&text).expect_err("it is malformed");
    assert!(line > minimal.lines().count() - 1, "line {line}: {reason}");
    let line = text.lines().nth(line - 1).expect("the line exists");
    (reason, line.chars().skip(column - 1).collect())
}

#[test]
fn what_is_wrong_in_it_is_refused_at_its_place() {
    for (before, after, why, place) in [
        ("\"invoke\"", "\"invent\"", "step 1: there is no action `invent`; ", "\"invent\""),
        ("n1→n2 #1\"", "n1→n2 #9\"", "n1→n2 #9 is not in flight here", "{\"do\": \"deliver\""),
        ("\"session\": \"A\"", "\"session\": \"B\"", "sessions are named in order", "\"B\""),
        ("\"node\": \"n1\"", "\"node\": \"n7\"", "there is no node n7", "\"n7\""),
        ("\"history\": \"", "\"history\": \"?", "", "\"?"),
        ("\"schedule\"", "\"cycle\": 99, \"schedule\"", "a cycle has 1 to ", "99"),
        (
            "\"workload\"",
            "\"cluster\": {\"nodes\": 99, \"network\": \"fifo\"}, \"workload\"",
            "a cluster has 1 to 64 nodes, not 99",
            "99",
        ),
    ] {
        let (reason, found) = refused(before, after);
        assert!(reason.contains("in the run as it was found, "), "{reason}");
        assert!(reason.contains(why), "{reason}");
        assert!(found.starts_with(place), "{found}: {reason}");
    }
    for (before, after, why) in [
        ("\"schedule\"", "\"colour\": 1, \"schedule\"", "unknown field `colour`"),
        ("\"schedule\": [", "\"schedule\": 7, \"start\": [", "invalid type"),
        ("\"history\"", "\"cycle\"", ""),
    ] {
        let (reason, _) = refused(before, after);
        assert!(reason.contains(why), "{reason}");
    }
    // A run has as many steps as the case says.
    let text = small().to_text();
    let from = format!("\"shrunk_from\": {}", small().found.shrunk_from.expect("it was shrunk"));
    let error = read::read(&text.replace(&from, "\"shrunk_from\": 5")).expect_err("it is wrong");
    assert!(error.reason.contains("but the case was shrunk from 5"), "{error}");
}

#[test]
fn the_page_has_both_pictures_and_stays_small() {
    let page = |case: &Case| run(&case.to_text(), &["report", "case.json", "-o", "-"]).0;
    let small = small();
    let steps = small.found.shrunk_from.expect("it was shrunk");
    let summary = format!("<summary>The run as it was found ({steps} actions)</summary>");
    let told = page(&small);
    // The run, its nearest neighbour, and the run as it was found.
    assert!(told.contains(&summary) && told.matches("<svg class=\"run\"").count() == 3, "{told}");
    let mut without = small.clone();
    without.full = None;
    let without = page(&without);
    let why = told.split_once("Why it fails: ").expect("it fails, too").1;
    assert!(why.starts_with("a new client read x at n1 at quiescence and saw "), "{why}");
    assert_eq!(without.matches("<svg class=\"run\"").count(), 2);
    assert!(!without.contains("as it was found"));
    // As long as cases keep it.
    let first = long(FULL_MAX / 4);
    assert_eq!(first.run.schedule.len(), FULL_MAX);
    let long = page(&small.clone().shrunk_from(&*storing(), &first));
    assert!(long.contains("The run as it was found (300 actions)"), "it is named");
    assert!(long.contains("Its picture would be too large for this page"), "and left out");
    assert_eq!(long.matches("<svg class=\"run\"").count(), 2);
    assert!(long.len() < 200_000, "{}", long.len());
    let Some(mut browser) = Browser::start(1280, 800) else { return };
    let place = TempDir::new().expect("there is room for a page");
    let path = place.path().join("page.html");
    fs::write(&path, &told).expect("it can be written");
    browser.open(&address(&path));
    let shown = "document.querySelector('details svg').checkVisibility()";
    assert_eq!(browser.eval(shown), false, "it is folded at first");
    browser.click(".neighbour summary");
    assert_eq!(browser.eval(shown), true, "a click unfolds it");
    // The slider is about the run of the page alone.
    let marked = browser.eval("document.querySelectorAll('details svg [data-step]').length");
    assert_eq!(marked, 0);
    assert_eq!(browser.console(), Vec::<String>::new());
}

fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}
