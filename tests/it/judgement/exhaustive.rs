//! The checkers against the oracle, on every small history.
//!
//! Every verdict is also replayed, and the oracle judges every counterexample
//! again: the part alone fails in the same way.
//!
//! Up to 4 operations the space is complete: two processes, two keys, pending
//! writes and reads, reads at quiescence, reads of values that nobody wrote.
//! With 5 operations every read is answered, and with a value that has a
//! possible source; reads at quiescence occur only for models about them. Of
//! the grid, only models with a name are compared, and the others where neither
//! pending writes nor reads at quiescence occur. One in eight of these
//! histories is drawn. `QUIESCENCE_PROFILE=deep` takes all of them, and goes through the
//! complete space of 5 operations with every model (hours).

use quiescence::history::{History, notation};
use quiescence::judgement::checker::least;
use quiescence::judgement::model::nodes;
use quiescence::judgement::{Budget, Model, Reason, Verdict, check, oracle, recheck};

use super::dice::Dice;
use super::effort;
use super::space::{Space, each_history, merges};

const UNIQUE: Space = Space {
    operations: 0,
    failures: false,
    values: None,
    pending: true,
    reads: &["", "?", "!"],
    thin: true,
};
const REPEATED: Space = Space { values: Some(&["1", "2", "null"]), ..UNIQUE };
/// Every read answers a value that was written, or nothing.
const SOURCED: Space = Space { operations: 5, reads: &[""], thin: false, ..UNIQUE };

/// Compares the verdicts on one history. Returns how many were compared.
fn agree(text: &str, models: &[Model]) -> usize {
    let history = notation::parse(text).expect("the text is in the notation");
    for &model in models {
        let verdict = check(&history, model, Budget::default());
        let expected = oracle::judge(&history, model).err();
        let decided = !matches!(verdict, Verdict::Unknown(_));
        assert!(decided && verdict.kind() == expected, "{text} {model}: {verdict:?}");
        let replayed = recheck(&history, model, &verdict);
        assert_eq!(replayed, Ok(()), "{text} {model}: {verdict:?}");
        part_fails_alike(&history, model, &verdict);
    }
    models.len()
}

fn part_fails_alike(history: &History, model: Model, verdict: &Verdict) {
    if let Verdict::Violated(found) = verdict {
        assert!(found.minimal, "{} {model}", notation::write(history));
        // With so few operations there is always a better reason than that no
        // order was found.
        let reasoned = !matches!(found.reason, Reason::NoOrder { .. });
        assert!(reasoned, "{} {model}: no reason", notation::write(history));
        if found.operations.len() < history.len() {
            let part = history.restricted_to(&found.operations);
            assert_eq!(oracle::judge(&part, model), Err(found.kind), "{}", notation::write(&part));
        }
    }
}

/// In which orders in real time each history is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Orders {
    /// All of them.
    All,
    /// Only process after process. Enough for models that ignore real time.
    One,
}

/// Compares on all histories of up to `most` operations. Returns how many
/// verdicts.
fn agree_up_to(most: usize, space: Space, orders: Orders, models: &[Model]) -> usize {
    (0..=most).map(|operations| agree_on(Space { operations, ..space }, orders, models)).sum()
}

/// Compares on all histories of a space. Returns how many verdicts.
fn agree_on(space: Space, orders: Orders, models: &[Model]) -> usize {
    let (histories, compared) = agree_on_one_in(1, space, orders, models);
    assert_eq!(compared, histories * models.len());
    compared
}

/// Compares on one in `share` histories of a space. Returns how many histories
/// the space has, and how many verdicts were compared.
fn agree_on_one_in(share: usize, space: Space, orders: Orders, models: &[Model]) -> (usize, usize) {
    let (mut histories, mut compared, mut dice) = (0, 0, Dice(5));
    let mut one = |text: &str| {
        histories += 1;
        if dice.one_in(share) {
            compared += agree(text, models);
        }
    };
    each_history(space, &mut |lanes, events| {
        let lanes = lanes.join("|");
        if orders == Orders::One {
            one(&lanes);
            return;
        }
        for order in merges(events) {
            one(&format!("{lanes} @ {order}"));
        }
    });
    println!("{compared} verdicts compared, on one in {share} of {histories} histories");
    (histories, compared)
}

/// Compares on a share of a space of histories of 5 operations. Returns how
/// many histories the space has.
fn agree_on_5(space: Space, orders: Orders, models: &[Model]) -> usize {
    agree_on_share(usize::try_from(effort(8, 1)).expect("small"), space, orders, models)
}

/// Compares on one in `share` histories of a space. Returns how many it has.
fn agree_on_share(share: usize, space: Space, orders: Orders, models: &[Model]) -> usize {
    let (histories, compared) = agree_on_one_in(share, space, orders, models);
    assert!(compared * share > histories * models.len() * 9 / 10, "a fair share is drawn");
    histories
}

fn grid() -> Vec<Model> {
    Model::all().filter(|model| matches!(model, Model::Grid(_))).collect()
}

/// The models outside the grid that ignore real time, or those that do not.
fn others(timed: bool) -> Vec<Model> {
    let wanted = |model: &Model| !matches!(model, Model::Grid(_)) && model.sees_time() == timed;
    Model::all().filter(wanted).collect()
}

/// Models of the grid ignore real time: compare a few of them in every order.
#[test]
fn order_in_real_time_is_nothing_to_the_grid_on_all_histories_of_3_operations() {
    let models = [Model::EVENTUAL, Model::READ_YOUR_WRITES, Model::MONOTONIC_READS, Model::BASE];
    assert_eq!(agree_up_to(3, UNIQUE, Orders::All, &models), 4 * 6_138);
}

#[test]
fn every_model_of_the_grid_agrees_with_the_oracle_on_all_histories_of_4_operations() {
    assert_eq!(agree_up_to(4, UNIQUE, Orders::One, &grid()), 96 * 25_416);
}

#[test]
fn models_of_orders_agree_with_the_oracle_on_all_histories_of_4_operations() {
    assert_eq!(agree_up_to(4, UNIQUE, Orders::One, &others(false)), 8 * 25_416);
}

/// One in three of those of 4 operations; `QUIESCENCE_PROFILE=deep` compares all of them.
#[test]
fn models_of_real_time_agree_with_the_oracle_on_histories_of_4_operations_in_every_order() {
    assert_eq!(agree_up_to(3, UNIQUE, Orders::All, &timed()), 10 * 6_138);
    let share = usize::try_from(effort(3, 1)).expect("small");
    let four = Space { operations: 4, ..UNIQUE };
    assert_eq!(agree_on_share(share, four, Orders::All, &timed()), 199_290 - 6_138);
}

/// The models that depend on real time, and some that have a parameter.
fn timed() -> Vec<Model> {
    let numbered = [Model::KAtomic(2), Model::DeltaAtomic(1), Model::DeltaAtomic(2)];
    others(true).into_iter().chain(numbered).collect()
}

/// The models of the grid that ask for `eventual`, or those that do not.
fn grid_with(eventual: bool) -> Vec<Model> {
    let wanted = |model: &Model| match model {
        Model::Grid(grid) => grid.eventual == eventual,
        _ => false,
    };
    grid().into_iter().filter(wanted).collect()
}

/// The models of the grid that have a name in the lattice.
fn named(models: Vec<Model>) -> Vec<Model> {
    models.into_iter().filter(|model| nodes().any(|node| node == *model)).collect()
}

#[test]
fn models_of_real_time_agree_with_the_oracle_on_histories_of_5_operations_in_every_order() {
    let models: Vec<Model> =
        timed().into_iter().filter(|model| *model != Model::DeltaAtomic(2)).collect();
    assert_eq!(agree_on_5(SOURCED, Orders::All, &models), 305_618);
}

#[test]
fn models_of_orders_agree_with_the_oracle_on_histories_of_5_operations() {
    assert_eq!(agree_on_5(SOURCED, Orders::One, &others(false)), 17_052);
}

#[test]
fn the_grid_agrees_with_the_oracle_on_histories_of_5_operations() {
    let settled = Space { pending: false, ..SOURCED };
    assert_eq!(agree_on_5(settled, Orders::One, &grid_with(false)), 8_871);
    assert_eq!(agree_on_5(SOURCED, Orders::One, &named(grid_with(false))), 17_052);
}

#[test]
fn the_grid_at_quiescence_agrees_with_the_oracle_on_histories_of_5_operations() {
    let space = Space { reads: &["", "!"], ..SOURCED };
    let models = named(grid_with(true));
    assert_eq!(agree_on_5(space, Orders::One, &models), 49_192);
}

/// Takes hours with the profile `deep`, and tries nearly nothing otherwise.
#[test]
fn the_full_space_of_5_operations_agrees_where_the_profile_is_deep() {
    let full = Space { operations: effort(1, 5) as usize, ..UNIQUE };
    let time = agree_on(full, Orders::All, &timed());
    let orders = agree_on(full, Orders::One, &others(false));
    let grid = agree_on(full, Orders::One, &grid());
    assert!(time > 0 && orders > 0 && grid > 0);
}

#[test]
fn repeated_values_agree_with_the_oracle_in_models_of_orders_on_all_histories_of_3_operations() {
    let space = Space { failures: true, ..REPEATED };
    assert!(agree_up_to(3, space, Orders::One, &others(false)) > 0);
    assert!(agree_up_to(3, REPEATED, Orders::All, &others(true)) > 0);
}

#[test]
fn the_least_k_and_delta_agree_with_the_oracle_on_all_histories_of_4_operations_in_every_order() {
    let mut compared = 0;
    for operations in 0..=4 {
        each_history(Space { operations, ..UNIQUE }, &mut |lanes, events| {
            for order in merges(events) {
                let text = format!("{} @ {order}", lanes.join("|"));
                let history = notation::parse(&text).expect("the text is in the notation");
                let (k, delta) = least(&history, Budget::default());
                assert_eq!(k, Ok(oracle::least_k(&history)), "{text}");
                assert_eq!(delta, Ok(oracle::least_delta(&history)), "{text}");
                compared += 1;
            }
        });
    }
    assert_eq!(compared, 199_290);
}

#[test]
fn failed_writes_agree_with_the_oracle_on_all_histories_of_3_operations() {
    let space = Space { failures: true, ..UNIQUE };
    assert_eq!(agree_up_to(3, space, Orders::One, &grid()), 96 * 2_985);
}

#[test]
fn repeated_values_agree_with_the_oracle_on_all_histories_of_3_operations() {
    let space = Space { failures: true, ..REPEATED };
    assert_eq!(agree_up_to(3, space, Orders::One, &grid()), 96 * 17_653);
}

#[test]
fn repeated_values_are_linearizable_if_the_oracle_says_so_in_every_order_of_3_operations() {
    assert!(agree_up_to(3, REPEATED, Orders::All, &[Model::Linearizable]) > 0);
}

#[test]
fn one_value_written_again_and_again_agrees_with_the_oracle_on_all_histories_of_4_operations() {
    let space = Space { values: Some(&["1"]), ..UNIQUE };
    let mut models = grid();
    models.retain(|model| matches!(model.name().as_str(), "eventual" | "ryw" | "mr" | "ccv_ev"));
    assert!(agree_up_to(4, space, Orders::One, &models) > 0);
    assert!(agree_up_to(4, space, Orders::All, &[Model::Linearizable]) > 0);
}
