//! Landmarks: well-known models by which a reported failing run is also judged,
//! so that a reader sees which of them still hold.
//!
//! They are judged once for each run, whichever property it fails.

use crate::judgement::datatype::{Datatype, answered};
use crate::judgement::{Budget, Model, Verdict, check_with};
use crate::world::{Ending, Run};

use super::property::Property;

/// The landmarks, strongest first.
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

/// The verdicts of the landmarks on a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landmarks {
    /// The landmarks that were decided, and whether each holds.
    known: Vec<(Model, bool)>,
}

impl Landmarks {
    /// Judges a run by all landmarks. None is judged if the run ended early or
    /// nothing was read, because such a run is no evidence that a model holds.
    pub fn of(run: &Run, datatype: &dyn Datatype) -> Landmarks {
        let reads = run.history.operations().iter().any(|op| answered(op, datatype));
        if !reads || matches!(run.ending, Ending::Panicked(_) | Ending::Broken(_)) {
            return Landmarks::default();
        }
        // `eventual` depends also on how the run ends.
        let settled = run.ending == Ending::Settled;
        let asked = landmarks().into_iter().filter(|model| settled || *model != Model::EVENTUAL);
        let known = asked.filter_map(|model| {
            match check_with(&run.history, model, datatype, Budget::default()) {
                Verdict::Violated(_) => Some((model, false)),
                Verdict::Holds(_) => Some((model, true)),
                Verdict::Unknown(_) => None,
            }
        });
        Landmarks { known: known.collect() }
    }

    /// The landmarks that were decided, strongest first, and whether each holds.
    pub fn known(&self) -> &[(Model, bool)] {
        &self.known
    }

    /// The landmarks other than this property that hold, or that do not.
    pub fn besides(&self, property: &Property, hold: bool) -> impl Iterator<Item = Model> {
        let known = self.known.iter().filter(move |(_, holds)| *holds == hold);
        known.map(|(model, _)| *model).filter(move |model| *property != Property::Model(*model))
    }
}
