//! What is told about a failing run besides the run itself: the nearest run that passes,
//! what fails at each step, and other causes. The first two are compared with slower ways
//! to find them, for every committed case.

use std::fs;
use std::path::Path;

use quiescence::catalogue::Registry;
use quiescence::history::{Builder, Call, Completion, History, NodeId, ProcessId};
use quiescence::hunt::Subject;
use quiescence::hunt::case::replay::{Replay, replay};
use quiescence::hunt::case::{Case, read};
use quiescence::hunt::landmarks::landmarks;
use quiescence::hunt::neighbour::{Change, nearest};
use quiescence::hunt::property::{Judgement, judge, looked_at};
use quiescence::hunt::random::{Plan, Sampled, Shrunk, causes, hunt};
use quiescence::hunt::so_far::{STEPS_MAX, violated_so_far};
use quiescence::judgement::datatype::Register;
use quiescence::judgement::{Model, oracle};
use quiescence::search::random::Scope;
use quiescence::world::trace::trace;
use quiescence::world::{
    Action, Ending, FaultKind, Faults, Network, Planned, Run, Scenario, Script, Setting, Step,
    Workload, execute, re_execute,
};

/// Calls `look` with every committed case and its replay; returns how many there are.
fn every_case(mut look: impl FnMut(&str, &Case, &dyn Subject, &Replay)) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1");
    let entries = fs::read_dir(folder).expect("there are cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("one").path()).collect();
    paths.sort();
    let registry = Registry::standard();
    for path in &paths {
        let text = fs::read_to_string(path).expect("a case can be read");
        let case = read::read(&text).expect("it is one");
        let subject = registry.named(&case.strategy).expect("its strategy exists");
        let datatype = registry.datatype(&case.datatype).expect("it is known");
        let replayed = replay(&case, &*subject, datatype).expect("every step is possible");
        look(&path.display().to_string(), &case, &*subject, &replayed);
    }
    paths.len()
}

/// Whether the case passes when these are its chosen steps, all of them possible.
fn passes(case: &Case, subject: &dyn Subject, replay: &Replay, chosen: &[Step]) -> bool {
    let (property, datatype) = (&case.property, replay.datatype);
    let run = re_execute(subject, &case.setting, &case.workload, chosen, property.shows());
    let invocations = |steps: &[Step]| {
        steps.iter().filter(|step| matches!(step.action, Action::Invoke(_))).count()
    };
    run.schedule.iter().filter(|step| !step.settling).count() == chosen.len()
        && invocations(&run.schedule) == invocations(&replay.run.schedule)
        && judge(&run, property, datatype) == Judgement::Holds
        && looked_at(&run, property, datatype) > 0
}

/// How many others the step passes in the nearest run that passes and has one step in another
/// place, by trying every place of every step.
fn least_move(case: &Case, subject: &dyn Subject, replay: &Replay) -> Option<usize> {
    let all = &replay.run.schedule;
    let chosen = all.iter().filter(|step| !step.settling).count();
    let mut least: Option<usize> = None;
    for from in 0..all.len() {
        for to in (0..chosen).filter(|to| *to != from) {
            let mut steps = all.clone();
            let moved = Step { settling: false, ..steps.remove(from) };
            steps.insert(to, moved);
            steps.retain(|step| !step.settling);
            let distance = from.abs_diff(to);
            if least.is_none_or(|least| distance < least) && passes(case, subject, replay, &steps) {
                least = Some(distance);
            }
        }
    }
    least
}

/// Longer runs are left out, because trying everything takes too long.
const LONG: usize = 20;

#[test]
fn the_nearest_run_that_passes_passes_and_none_is_nearer() {
    let (mut moves, mut without, mut none) = (0, 0, 0);
    let cases = every_case(|path, case, subject, replay| {
        if matches!(replay.run.ending, Ending::Cycle { .. }) || replay.run.schedule.len() > LONG {
            return;
        }
        let judged = (&case.property, replay.datatype);
        let found = nearest(subject, (&case.setting, &case.workload), &replay.run, judged);
        let least = least_move(case, subject, replay);
        match found.as_ref().map(|found| found.change) {
            Some(Change::Earlier { step, before }) => {
                moves += 1;
                assert_eq!(Some(step - before), least, "{path}");
            }
            Some(Change::Later { step, after }) => {
                moves += 1;
                assert_eq!(Some(after - step), least, "{path}");
            }
            Some(Change::Without(step)) => {
                without += 1;
                assert_eq!(least, None, "{path}");
                assert!(replay.run.schedule[step].action.fault().is_some(), "{path}");
            }
            None => {
                none += 1;
                assert_eq!(least, None, "{path}");
            }
        }
        if let Some(found) = found {
            assert_eq!(judge(&found.run, &case.property, replay.datatype), Judgement::Holds);
            assert_eq!(found.trace.steps.len(), found.run.schedule.len());
        }
    });
    // So that the comparison is not about nothing.
    assert!(cases > 50 && moves > 30 && without > 5, "{cases}: {moves}, {without}, {none}");
}

/// What clients saw in the first steps, event by event.
fn events(replay: &Replay, steps: usize) -> History {
    let mut events = Builder::new();
    let place = |id| replay.run.operations.iter().position(|one| *one == id).expect("it is there");
    let operation = |id| &replay.run.history.operations()[place(id)];
    for step in &replay.trace.steps[..steps] {
        if let Action::Invoke(id) = step.happened.action {
            let asked = operation(id);
            let request = quiescence::history::Request::from(asked.call.clone());
            events.invoke(asked.process, asked.invoked, request).expect("in order");
        }
        for answer in &step.happened.answers {
            let asked = operation(answer.operation);
            let process: ProcessId = asked.process;
            match (&answer.completion, asked.returned) {
                (Completion::Ok(value), Some(at)) => events.ok(process, at, value.clone()),
                (Completion::Fail, Some(at)) => events.fail(process, at),
                _ => events.info(process),
            }
            .expect("in order");
        }
    }
    events.finish()
}

#[test]
fn what_fails_so_far_is_what_the_oracle_says_of_the_events_so_far() {
    let (mut compared, mut failing) = (0, 0);
    every_case(|path, _, _, replay| {
        let all = violated_so_far(&replay.run, &replay.trace, replay.datatype);
        assert_eq!(all.len(), replay.trace.steps.len() + 1, "{path}");
        for (steps, told) in all.iter().enumerate() {
            let history = events(replay, steps);
            if history.len() > 4 {
                continue;
            }
            for model in landmarks() {
                // Of other datatypes these say nothing.
                let of_registers = matches!(model, Model::Regular | Model::Safe | Model::Grid(_));
                let has_views = replay.datatype.is_replicated() && matches!(model, Model::Grid(_));
                if of_registers && !has_views && replay.datatype.name() != "register" {
                    continue;
                }
                let fails = oracle::judge_with(&history, model, replay.datatype).is_err();
                let expected = fails && model != Model::EVENTUAL;
                assert_eq!(told.contains(&model), expected, "{path} at {steps}: {model:?}");
                compared += 1;
                failing += usize::from(expected);
            }
        }
    });
    assert!(compared > 3_000 && failing > 100, "{compared}, {failing}");
}

/// The kinds of faults that happen in a run.
fn struck(run: &Run) -> Vec<FaultKind> {
    run.faults.each().filter(|(_, count)| *count > 0).map(|(kind, _)| kind).collect()
}

#[test]
fn of_each_cause_the_shortest_is_told_and_no_cause_twice() {
    let registry = Registry::standard();
    let subject = registry.parse("multi-primary-lww").expect("it exists").remove(0);
    let budget = Faults::once(&[FaultKind::Drop, FaultKind::Crash]);
    let mut setting = registry.family("multi-primary-lww").expect("it exists").setting.clone();
    setting.faults.budget = budget;
    let properties = vec![Model::Linearizable.into(), Model::EVENTUAL.into()];
    let scope = Scope { setting, ..Scope::default() };
    let plan = Plan { scope, properties, datatype: &Register, sought: vec![], runs: 300, seed: 3 };
    let hunt = hunt(&*subject, &plan, &|_| false);
    for found in &hunt.found {
        let Sampled::Violated(first) = &found.outcome else { panic!("{found:?}") };
        assert!(!found.others.is_empty(), "{}", found.property);
        let all: Vec<_> = std::iter::once(&**first).chain(&found.others).collect();
        for (at, one) in all.iter().enumerate() {
            let judged = judge(&one.failing.run, &found.property, &Register);
            assert_eq!(judged.flaw(), Some(one.failing.flaw));
            for before in &all[..at] {
                let (now, then) = (struck(&one.failing.run), struck(&before.failing.run));
                let is_more = then.iter().all(|kind| now.contains(kind));
                assert!(one.failing.flaw != before.failing.flaw || !is_more, "{then:?}, {now:?}");
            }
        }
    }
    // More kinds of faults are no other cause, and fewer are one, whatever their number.
    let Sampled::Violated(first) = &hunt.found[0].outcome else { panic!("it is violated") };
    let with = |faults: Faults| {
        let mut one = (**first).clone();
        one.failing.run.faults = faults;
        one
    };
    let drop = Faults::once(&[FaultKind::Drop]);
    let (none, crash) = (Faults::NONE, Faults::once(&[FaultKind::Crash]));
    let told = |reported: Faults, all: &[Faults]| {
        let all = all.iter().copied().map(with).collect();
        let kept: Vec<Shrunk> = causes(&with(reported), all);
        kept.iter().map(|one| one.failing.run.faults).collect::<Vec<_>>()
    };
    assert_eq!(told(drop, &[drop, budget, drop.with(FaultKind::Drop, 2)]), []);
    assert_eq!(told(drop, &[crash, budget, crash]), [crash]);
    assert_eq!(told(budget, &[none, drop]), [none]);
    // It is not linearizable even if nothing goes wrong, which the shortest run does not show.
    let [linearizable, _] = &hunt.found[..] else { panic!("two were asked") };
    assert!(linearizable.others.iter().any(|one| struck(&one.failing.run).is_empty()));
}

/// Two nodes that are written to again and again.
fn long_run() -> (Box<dyn Subject>, Setting, Workload, Run) {
    let subject = Registry::standard().parse("notebook:storing").expect("it exists").remove(0);
    let script = |node: u16| {
        let planned = |value: i64| Planned { call: Call::write("x", value), node: None };
        let first = i64::from(node) * 1_000;
        Script { node: NodeId(node), operations: (first..first + 150).map(planned).collect() }
    };
    let workload = Workload { sessions: vec![script(0), script(1)] };
    let setting = Setting::calm(2, Network::Unordered);
    let scenario = Scenario {
        setting: setting.clone(),
        workload: workload.clone(),
        choices: vec![0; 300],
        priorities: Vec::new(),
    };
    let run = execute(&*subject, &scenario, None);
    (subject, setting, workload, run)
}

#[test]
fn what_is_told_of_a_long_run_is_bounded() {
    let (subject, setting, workload, run) = long_run();
    assert!(run.schedule.len() > STEPS_MAX, "{}", run.schedule.len());
    let trace = trace(&*subject, &setting, &workload, &run.schedule);
    assert!(violated_so_far(&run, &trace, &Register).is_empty());
    let property = Model::EVENTUAL.into();
    // It is sought in bounded time, whether or not it is found.
    if let Some(found) = nearest(&*subject, (&setting, &workload), &run, (&property, &Register)) {
        assert_eq!(judge(&found.run, &property, &Register), Judgement::Holds);
    }
}
