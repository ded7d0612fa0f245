//! Coarse clocks: operations of one process that touch, and such that take no time.
//! Session order is then not contained in returns-before.

use quiescence::history::{History, notation};
use quiescence::judgement::checker::Judge;
use quiescence::judgement::checker::Survey;
use quiescence::judgement::{Budget, Model, Verdict, check, oracle, recheck};

use super::effort;
use super::simulated::{Dice, Draw, built, drawn};

/// The history by a clock that mostly stands still between two events.
fn touching(dice: &mut Dice, history: &History) -> History {
    let mut operations = history.operations().to_vec();
    let last = operations.iter().filter_map(|op| op.returned.max(Some(op.invoked))).max();
    let mut now = 0;
    let clock: Vec<u64> = (0..=last.unwrap_or(0))
        .map(|_| {
            now += u64::from(dice.one_in(2));
            now
        })
        .collect();
    let read = |at: u64| clock[usize::try_from(at).expect("times are small")];
    for operation in &mut operations {
        operation.invoked = read(operation.invoked);
        operation.returned = operation.returned.map(read);
    }
    built(operations)
}

/// Asserts of a verdict that it is what the oracle says, with evidence that replays.
fn agrees(history: &History, model: Model, verdict: &Verdict, expected: bool) {
    let text = || notation::write(history);
    assert!(!matches!(verdict, Verdict::Unknown(_)), "{model}: {verdict:?} {}", text());
    assert_eq!(verdict.holds(), expected, "{model}: {verdict:?} {}", text());
    assert_eq!(recheck(history, model, verdict), Ok(()), "{model}: {verdict:?} {}", text());
}

/// Every model alone, and all in one survey, where one implies another.
fn compare(draw: Draw, seed: u64, cases: u64) {
    let mut dice = Dice(seed);
    let numbered =
        [Model::KAtomic(2), Model::DeltaAtomic(0), Model::DeltaAtomic(1), Model::DeltaAtomic(3)];
    let slow = |model: &Model| *model == Model::CausalMemory && draw.operations > 4;
    let models: Vec<Model> = Model::all().filter(|model| !slow(model)).chain(numbered).collect();
    let (mut held, mut judged) = (0, 0);
    for _ in 0..cases {
        let history = drawn(&mut dice, draw);
        let history = touching(&mut dice, &history);
        let judge = Judge::of(&history);
        let budget = Budget::default();
        let survey = Survey::among(&judge, &models, |model| judge.check(model, budget));
        for entry in survey.entries() {
            let expected = oracle::judge(&history, entry.model).is_ok();
            agrees(&history, entry.from.unwrap_or(entry.model), &entry.verdict, expected);
            agrees(&history, entry.model, &check(&history, entry.model, budget), expected);
            held += usize::from(expected);
            judged += 1;
        }
    }
    println!("{held} of {judged} held");
    assert!(judged > 0 && held * 20 > judged && held * 20 < judged * 19, "{held} of {judged}");
}

#[test]
fn every_model_agrees_with_the_oracle_where_operations_of_a_process_touch() {
    let unique = Draw { operations: 4, processes: 2, keys: 2, values: 0, pending: 8, finals: true };
    compare(unique, 1, effort(300, 10_000));
    compare(Draw { values: 2, ..unique }, 2, effort(200, 10_000));
    compare(Draw { operations: 5, processes: 3, ..unique }, 3, effort(60, 3_000));
    compare(Draw { operations: 5, processes: 3, keys: 1, ..unique }, 4, effort(60, 3_000));
}
