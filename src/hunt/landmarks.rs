//! Landmarks among the models: what they say of a failing run that is reported,
//! so that a reader sees how far it goes.
//!
//! They are judged once a run, whichever property it fails.

use crate::judgement::{Budget, Model, Verdict, check};
use crate::world::{Ending, Run};

use super::property::Property;

/// The landmarks, from the strongest.
pub fn landmarks() -> [Model; 9] {
    let named = |name: &str| name.parse().expect("the model exists");
    [
        Model::Linearizable,
        Model::Regular,
        Model::Safe,
        Model::Sequential,
        named("ccv"),
        named("sess3"),
        Model::READ_YOUR_WRITES,
        Model::MONOTONIC_READS,
        Model::EVENTUAL,
    ]
}

/// What the landmarks say of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landmarks {
    /// Those that are decided, and whether they hold.
    known: Vec<(Model, bool)>,
}

impl Landmarks {
    /// Judges a run by all of them. A run that was broken off, or in which
    /// nothing was read, says nothing in favour of any model.
    pub fn of(run: &Run) -> Landmarks {
        let reads = run.history.operations().iter().any(|op| op.answer().is_some());
        if !reads || matches!(run.ending, Ending::Panicked(_) | Ending::Broken(_)) {
            return Landmarks::default();
        }
        // Whether it is eventual depends on how it ends.
        let settled = run.ending == Ending::Settled;
        let asked = landmarks().into_iter().filter(|model| settled || *model != Model::EVENTUAL);
        let known = asked.filter_map(|model| match check(&run.history, model, Budget::default()) {
            Verdict::Violated(_) => Some((model, false)),
            Verdict::Holds(_) => Some((model, true)),
            Verdict::Unknown(_) => None,
        });
        Landmarks { known: known.collect() }
    }

    /// Those besides this property that hold, or that do not.
    pub fn besides(&self, property: &Property, hold: bool) -> impl Iterator<Item = Model> {
        let known = self.known.iter().filter(move |(_, holds)| *holds == hold);
        known.map(|(model, _)| *model).filter(move |model| *property != Property::Model(*model))
    }
}
