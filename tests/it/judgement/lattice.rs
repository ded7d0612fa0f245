//! The lattice against the verdicts of the corpus, and its laws on longer
//! histories.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use quiescence::history::{Builder, Call, History, ProcessId};
use quiescence::judgement::checker::least;
use quiescence::judgement::model::{implies, nodes};
use quiescence::judgement::{Budget, Judge, Model, Survey, Verdict, check};

use super::conformance::{corpus, expectations};
use super::dice::Dice;
use super::small::{Small, each_small};
use super::{effort, history, model};

/// Whether every write returned before the first read at quiescence began.
fn is_quiet(history: &History) -> bool {
    let finals = history.operations().iter().filter(|op| op.final_read);
    let first = finals.map(|op| op.invoked).min().unwrap_or(u64::MAX);
    let writes = history.operations().iter().filter(|op| op.call.is_write());
    { writes }.all(|op| op.returned.is_some_and(|returned| returned < first))
}

#[test]
fn every_pair_of_models_is_implied_or_told_apart_by_a_history_of_the_corpus() {
    let corpus: Vec<_> = corpus()
        .into_iter()
        .map(|(name, (history, last))| (name, is_quiet(&history), expectations(&last)))
        .collect();
    let mut separated = 0;
    for stronger in nodes() {
        for weaker in nodes() {
            let apart = corpus.iter().find(|(_, _, verdicts)| {
                let holds = |model| verdicts.contains(&(model, true));
                holds(stronger) && !holds(weaker)
            });
            match apart {
                Some((name, quiet, _)) => {
                    assert!(
                        !implies(stronger, weaker, *quiet),
                        "{stronger} does not imply {weaker}: {name}"
                    );
                    separated += 1;
                }
                None => assert!(
                    implies(stronger, weaker, true),
                    "nothing tells {stronger} from {weaker}"
                ),
            }
        }
    }
    println!("{separated} pairs told apart");
    assert!(separated > 540);
}

/// What the corpus does not tell, because one of the two has no verdict there that
/// differs from those of all models with a name; and whether it holds only where all is
/// quiet.
const UNNAMED: [(&str, &str, bool); 9] = [
    ("base", "mw+wfr.g", false),
    ("mw+wfr.g", "base", false),
    ("ryw+mw.r", "ryw+mw.s", false),
    ("prefix_mr", "mr+mw+wfr.g", false),
    ("regular", "ryw+mw.g", false),
    ("regular", "quiescent", false),
    ("regular_weak", "ryw+mw.r", false),
    ("regular", "ryw+mw.g!", true),
    ("regular_weak", "ryw+mw.r!", true),
];

#[test]
fn what_models_imply_of_those_without_a_name_holds_on_all_histories_of_4_operations() {
    let pairs = UNNAMED.map(|(one, other, late)| (model(one), model(other), late));
    let budget = Budget { minimise: 0, ..Budget::default() };
    let (mut held, mut dice, share) = ([0; UNNAMED.len()], Dice(7), effort(24, 1) as usize);
    for operations in 1..=4 {
        let (thin, pending, finals, overlap) = (true, true, true, true);
        let space = Small { operations, thin, pending, finals, overlap, keys: operations };
        each_small(space, &mut |text| {
            if operations == 4 && !dice.one_in(share) {
                return;
            }
            let history = history(text);
            let judge = Judge::of(&history);
            let quiet = is_quiet(&history);
            for (held, (one, other, late)) in held.iter_mut().zip(&pairs) {
                if (quiet || !late) && judge.check(*one, budget).holds() {
                    assert!(judge.check(*other, budget).holds(), "{one}, not {other}: {text}");
                    *held += 1;
                }
            }
        });
    }
    assert!(held.iter().all(|held| *held > 1_000), "{held:?}");
    for (one, other, late) in pairs {
        assert!(implies(one, other, true) && implies(one, other, false) != late, "{one}, {other}");
    }
}

#[test]
fn what_models_imply_of_those_without_a_name_holds_on_larger_histories() {
    let pairs = UNNAMED.map(|(one, other, _)| (model(one), model(other)));
    let held = std::cell::Cell::new(0);
    run(effort(2_000, 200_000).try_into().expect("it is small"), 12, |history| {
        for (one, other) in pairs {
            if check(&history, one, Budget::default()).holds() {
                held.set(held.get() + 1);
                let other_holds = check(&history, other, Budget::default()).holds();
                prop_assert!(other_holds, "{one} holds, {other} fails");
            }
        }
        Ok(())
    });
    assert!(held.get() > 5_000, "{}", held.get());
}

/// For each process, until when it is busy, and what it will be answered.
type Open = Vec<Option<(u64, Option<i64>)>>;

/// A history of registers. Each step has a process, a key, whether it is a
/// write, which earlier write is read, and how long it takes.
fn histories(most: usize) -> impl Strategy<Value = History> {
    let step = (0..4_u32, 0..3_u8, any::<bool>(), any::<prop::sample::Index>(), 0..4_u64);
    prop::collection::vec(step, 1..most).prop_map(|steps| {
        let mut events = Builder::new();
        let mut open: Open = vec![None; 4];
        let mut written: Vec<Vec<i64>> = vec![vec![]; 3];
        let mut time = 0;
        let close = |events: &mut Builder, process: usize, open: &mut Open, time| {
            if let Some((_, answer)) = open[process].take() {
                let id = ProcessId(process as u32);
                let done = match answer {
                    Some(value) => events.ok(id, time, value),
                    None => events.ok(id, time, ()),
                };
                done.expect("it is open");
            }
        };
        for (process, key, write, which, takes) in steps {
            time += 1;
            for other in 0..4 {
                if open[other].is_some_and(|(until, _)| until <= time) {
                    close(&mut events, other, &mut open, time);
                    time += 1;
                }
            }
            close(&mut events, process as usize, &mut open, time);
            time += 1;
            let name = ["x", "y", "z"][usize::from(key)];
            let values = &mut written[usize::from(key)];
            let (call, answer) = if write {
                values.push(time as i64);
                (Call::write(name, time as i64), None)
            } else {
                // Mostly the latest value, sometimes an earlier one.
                let back = which.index(8).saturating_sub(5);
                let at = values.len().checked_sub(1 + back);
                (Call::read(name), Some(at.map(|at| values[at])))
            };
            events.invoke(ProcessId(process), time, call).expect("it is idle");
            open[process as usize] = Some((time + takes * 3, answer.flatten()));
        }
        for process in 0..4 {
            time += 1;
            close(&mut events, process, &mut open, time);
        }
        events.finish()
    })
}

fn run(cases: u32, most: usize, law: impl Fn(History) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(&histories(most), law)
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn verdicts_on_histories_of_50_operations_obey_the_lattice() {
    run(150, 50, |history| {
        let budget = Budget::of(200_000);
        let verdicts: Vec<(Model, Verdict)> =
            nodes().map(|model| (model, check(&history, model, budget))).collect();
        for (stronger, one) in &verdicts {
            for (weaker, other) in &verdicts {
                let contradicts = one.holds() && other.kind().is_some();
                prop_assert!(
                    !(contradicts && implies(*stronger, *weaker, true)),
                    "{stronger} holds, {weaker} fails"
                );
            }
        }
        Ok(())
    });
}

#[test]
fn a_survey_says_what_each_checker_says() {
    run(60, 40, |history| {
        let budget = Budget::of(400_000);
        let survey = Survey::of(&history, budget);
        for model in Model::all() {
            let alone = check(&history, model, budget);
            let together = &survey.entry(model).expect("every model was judged").verdict;
            let decided = |verdict: &Verdict| !matches!(verdict, Verdict::Unknown(_));
            if decided(&alone) {
                prop_assert_eq!(alone.holds(), together.holds(), "{}", model);
                prop_assert!(decided(together), "{}", model);
            }
        }
        Ok(())
    });
}

#[test]
fn the_least_delta_and_k_are_enough_and_one_less_is_not() {
    let seen = std::cell::Cell::new(0);
    run(400, 120, |history| {
        let (k, delta) = least(&history, Budget::default());
        let holds = |model| check(&history, model, Budget::default()).holds();
        match delta {
            Ok(None) => prop_assert!(!holds(Model::DeltaAtomic(u64::from(u32::MAX)))),
            Ok(Some(delta)) => {
                prop_assert!(holds(Model::DeltaAtomic(delta)), "{delta}");
                prop_assert!(delta == 0 || !holds(Model::DeltaAtomic(delta - 1)), "{delta}");
                seen.set(seen.get() + usize::from(delta > 0));
            }
            Err(unknown) => prop_assert!(false, "{unknown}"),
        }
        if let Ok(Some(k)) = k {
            prop_assert!(holds(Model::KAtomic(k)), "{k}");
            prop_assert!(k == 1 || !holds(Model::KAtomic(k - 1)), "{k}");
        }
        Ok(())
    });
    assert!(seen.get() > 100, "{} of them are stale", seen.get());
}
