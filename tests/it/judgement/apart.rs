//! Two models side by side: is what they are told apart by the smallest there is?

use std::collections::BTreeMap;

use quiescence::history::{History, notation};
use quiescence::judgement::apart::{Implied, apart};
use quiescence::judgement::model::{SEPARATING, implies, is_quiet};
use quiescence::judgement::{Budget, Judge, Model};

use super::small::{Small, each_small};
use super::{effort, history, model};

/// A set of models, by their place in [`Model::all`].
type Models = u128;

/// What judging all models needs.
struct Lattice {
    models: Vec<Model>,
    /// The models that each implies; and those by which each is implied. Where all is
    /// quiet, and elsewhere.
    below: [Vec<Models>; 2],
    above: [Vec<Models>; 2],
}

impl Lattice {
    fn new() -> Lattice {
        let models: Vec<Model> = Model::all().collect();
        let related = |of: &dyn Fn(Model, Model) -> bool| -> Vec<Models> {
            let row = |one: &Model| {
                (0..models.len())
                    .filter(|other| of(*one, models[*other]))
                    .fold(0, |set, at| set | 1 << at)
            };
            models.iter().map(row).collect()
        };
        let below = [false, true].map(|quiet| related(&|one, other| implies(one, other, quiet)));
        let above = [false, true].map(|quiet| related(&|one, other| implies(other, one, quiet)));
        Lattice { models, below, above }
    }

    /// The models that allow a history. What follows from another model is not judged.
    fn allowing(&self, history: &History) -> Models {
        let quiet = usize::from(is_quiet(history));
        let judge = Judge::of(history);
        let budget = Budget { minimise: 0, ..Budget::default() };
        let (mut yes, mut no): (Models, Models) = (0, 0);
        let first = ["base", "linearizable", "ccv", "sequential", "ccv_ev"].map(model);
        let first = first.map(|model| self.place(model));
        for at in first.into_iter().chain(0..self.models.len()) {
            if (yes | no) & 1 << at != 0 {
                continue;
            }
            let verdict = judge.check(self.models[at], budget);
            assert!(verdict.holds() || verdict.kind().is_some(), "{verdict:?}");
            match verdict.holds() {
                true => yes |= self.below[quiet][at],
                false => no |= self.above[quiet][at],
            }
        }
        assert_eq!(yes & no, 0, "the lattice is wrong about {}", notation::write(history));
        yes
    }

    fn place(&self, model: Model) -> usize {
        self.models.iter().position(|other| *other == model).expect("every model is listed")
    }
}

/// The examples, by how many operations they have: for each model that allows one, the
/// models that forbid one.
fn examples(lattice: &Lattice) -> BTreeMap<usize, Vec<Models>> {
    let mut all: BTreeMap<usize, Vec<Models>> = BTreeMap::new();
    for (nth, one) in lattice.models.iter().enumerate() {
        for (at, other) in lattice.models.iter().enumerate() {
            let apart = apart(*one, *other);
            let example = apart.example.as_ref();
            assert_eq!(apart.implied == Implied::Always, example.is_none(), "{one}, {other}");
            let Some(example) = example else { continue };
            assert!(example.smallest, "{one}, {other}");
            let plain = !one.sees_time() && !other.sees_time() && !other.is_eventual();
            assert!(plain || example.history.len() <= 4, "{one}, {other}");
            assert_eq!(
                apart.implied == Implied::WhereQuiet,
                !is_quiet(&example.history),
                "{one}, {other}"
            );
            let sets =
                all.entry(example.history.len()).or_insert_with(|| vec![0; lattice.models.len()]);
            sets[nth] |= 1 << at;
        }
    }
    all
}

#[test]
fn every_pair_of_models_is_implied_or_told_apart_by_the_smallest_history() {
    let lattice = Lattice::new();
    let examples = examples(&lattice);
    let sizes: Vec<usize> = examples.keys().copied().collect();
    assert_eq!(sizes, [2, 3, 4, 5, 6, 7]);
    // Models whose examples are larger than 4 operations know neither time nor quiescence,
    // and a write that is pending is one that was answered to them, or none.
    let deep = effort(0, 1) == 1;
    let most = if deep { 6 } else { 4 };
    for operations in 1..=most {
        let whole = operations <= 4;
        let space = Small {
            operations,
            overlap: operations <= 3 || deep && whole,
            thin: operations <= 3,
            pending: whole,
            finals: whole,
            keys: operations.min(5),
        };
        let mut histories = 0;
        // The pairs whose examples are larger.
        let larger =
            |at: usize| examples.range(operations + 1..).fold(0, |set, (_, sets)| set | sets[at]);
        let larger: Vec<Models> = (0..lattice.models.len()).map(larger).collect();
        each_small(space, &mut |text| {
            histories += 1;
            let history = history(text);
            let yes = lattice.allowing(&history);
            let quiet = is_quiet(&history);
            for (at, larger) in larger.iter().enumerate().filter(|(at, _)| yes & 1 << at != 0) {
                let wanted = if quiet {
                    larger & !lattice.below[1][at]
                } else {
                    larger & lattice.below[1][at]
                };
                assert_eq!(wanted & !yes, 0, "{text} is smaller for {}", lattice.models[at]);
            }
        });
        println!("{histories} histories of {operations} operations");
    }
}

#[test]
fn shorter_examples_come_first() {
    let sizes: Vec<usize> = SEPARATING.iter().map(|text| history(text).len()).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
}
