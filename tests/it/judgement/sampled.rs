//! The checkers against the oracle, on samples of spaces that are too large to
//! enumerate: three and four processes, five and six operations.

use quiescence::history::{History, notation};
use quiescence::judgement::checker::least;
use quiescence::judgement::{Budget, Model, Verdict, check, oracle, recheck};

use super::simulated::{Dice, Draw, drawn};
use super::{effort, word};

const UNIQUE: Draw =
    Draw { operations: 0, processes: 0, keys: 2, values: 0, pending: 6, finals: true };
const REPEATED: Draw = Draw { values: 2, ..UNIQUE };

/// Whether the oracle can judge it in a short time.
fn is_small(history: &History) -> bool {
    let writes = history.operations().iter().filter(|op| op.call.is_write()).count();
    writes * (history.len() - writes) <= 9
}

/// Asserts that the verdict is that of the oracle, and that its evidence
/// replays.
fn agree(history: &History, model: Model) {
    let text = notation::write(history);
    let verdict = check(history, model, Budget::default());
    let expected = oracle::judge(history, model).err();
    let decided = !matches!(verdict, Verdict::Unknown(_));
    assert!(decided && verdict.kind() == expected, "{text} {model}: {verdict:?} {expected:?}");
    assert_eq!(recheck(history, model, &verdict), Ok(()), "{text} {model}: {verdict:?}");
}

/// Draws histories and compares verdicts. How many held, of how many.
fn sample(draw: Draw, seed: u64, cases: u64, models: &[Model]) -> (usize, usize) {
    let mut dice = Dice(seed);
    let (mut held, mut judged) = (0, 0);
    for _ in 0..effort(cases, 20 * cases) {
        let processes = 3 + dice.below(2);
        let history = drawn(&mut dice, Draw { processes, ..draw });
        if !is_small(&history) {
            continue;
        }
        for &model in models {
            agree(&history, model);
            held += usize::from(check(&history, model, Budget::default()).holds());
            judged += 1;
        }
    }
    println!("{held} of {judged} held");
    (held, judged)
}

/// A sample is useful only if models both hold and fail in it.
#[track_caller]
fn is_mixed((held, judged): (usize, usize)) {
    assert!(judged > 0 && held * 20 > judged && held * 20 < judged * 19, "{held} of {judged}");
}

fn grid() -> Vec<Model> {
    Model::all().filter(|model| matches!(model, Model::Grid(_))).collect()
}

/// All models outside the grid. The oracle for causal memory tries every
/// partial order, which is too slow for six operations.
fn others(operations: usize) -> Vec<Model> {
    let numbered =
        [Model::KAtomic(2), Model::KAtomic(3), Model::DeltaAtomic(1), Model::DeltaAtomic(3)];
    let wanted = |model: &Model| {
        !matches!(model, Model::Grid(_)) && (operations < 6 || *model != Model::CausalMemory)
    };
    Model::all().filter(wanted).chain(numbered).collect()
}

#[test]
fn every_model_of_the_grid_agrees_with_the_oracle_on_samples_of_more_processes() {
    is_mixed(sample(Draw { operations: 5, ..UNIQUE }, 1, 300, &grid()));
    is_mixed(sample(Draw { operations: 6, ..UNIQUE }, 2, 75, &grid()));
}

#[test]
fn the_grid_agrees_with_the_oracle_on_samples_where_values_repeat() {
    is_mixed(sample(Draw { operations: 5, ..REPEATED }, 3, 200, &grid()));
    is_mixed(sample(Draw { operations: 6, ..REPEATED }, 4, 50, &grid()));
}

#[test]
fn models_of_orders_and_of_time_agree_with_the_oracle_on_samples_of_more_processes() {
    is_mixed(sample(Draw { operations: 5, ..UNIQUE }, 5, 2_000, &others(5)));
    is_mixed(sample(Draw { operations: 6, ..UNIQUE }, 6, 3_000, &others(6)));
}

#[test]
fn models_of_orders_and_of_time_agree_with_the_oracle_where_values_repeat() {
    is_mixed(sample(Draw { operations: 5, ..REPEATED }, 7, 1_000, &others(5)));
    is_mixed(sample(Draw { operations: 6, ..REPEATED }, 8, 2_000, &others(6)));
}

#[test]
fn the_least_k_and_delta_agree_with_the_oracle_on_samples_of_more_processes() {
    for draw in [UNIQUE, REPEATED] {
        let mut dice = Dice(9);
        for _ in 0..effort(2_000, 100_000) {
            let processes = 3 + dice.below(2);
            let history = drawn(&mut dice, Draw { operations: 6, processes, keys: 1, ..draw });
            let (k, delta) = least(&history, Budget::default());
            let text = notation::write(&history);
            assert_eq!(k, Ok(oracle::least_k(&history)), "{text}");
            assert_eq!(delta, Ok(oracle::least_delta(&history)), "{text}");
        }
    }
}

#[test]
fn a_verdict_is_the_same_twice() {
    let mut dice = Dice(10);
    for _ in 0..200 {
        let history = drawn(&mut dice, Draw { operations: 12, processes: 4, ..REPEATED });
        for model in Model::all() {
            let budget = Budget::of(50_000);
            let (one, other) = (check(&history, model, budget), check(&history, model, budget));
            assert_eq!(one, other, "{model} {}", word(&one));
        }
    }
}

#[test]
fn what_is_decided_within_a_small_budget_is_right_where_values_repeat() {
    let mut dice = Dice(10);
    let (mut violated, mut undecided) = (0, 0);
    for _ in 0..effort(60, 2_000) {
        let processes = 3 + dice.below(2);
        let history = drawn(&mut dice, Draw { operations: 6, processes, ..REPEATED });
        if !is_small(&history) {
            continue;
        }
        let text = notation::write(&history);
        for model in grid().into_iter().chain(others(6)) {
            let expected = oracle::judge(&history, model);
            for steps in [1, 3, 5, 8] {
                let budget = Budget { steps, ..Budget::default() };
                let verdict = check(&history, model, budget);
                assert_eq!(recheck(&history, model, &verdict), Ok(()), "{text} {model} {steps}");
                match verdict {
                    Verdict::Unknown(_) => undecided += 1,
                    Verdict::Holds(_) => assert!(expected.is_ok(), "{text} {model} {steps}"),
                    Verdict::Violated(_) => {
                        assert!(expected.is_err(), "{text} {model} {steps}");
                        violated += 1;
                    }
                }
            }
        }
    }
    assert!(violated > 1_000 && undecided > 1_000, "{violated} {undecided}");
}
