//! Which procedure decides a model beside the grid, and what is said where it
//! fails: the smallest part that fails, and why.
//!
//! Read next: a file of `orders` or `registers`.

use super::orders::{
    cycle, delta_atomic, k_atomic, linearizable, prefix, processor, quiescent, sequential, views,
};
use super::registers::regular::{self, Strength};
use super::whole::{Decision, Meter, Whole};
use super::{grid, minimise, unfounded};
use crate::judgement::model::{Model, implies};
use crate::judgement::verdict::{Budget, Counterexample, Kind, Reason, Unknown, Verdict};
use views::Belief;

impl Whole<'_> {
    /// Judges by a model beside the grid.
    pub(in crate::judgement::checker) fn check(&self, model: Model, budget: Budget) -> Verdict {
        let mut meter = Meter::new(budget);
        let unfounded = match !self.plain && self.datatype.name() == "register" {
            true => unfounded::unfounded(self.history),
            false => None,
        };
        let decision = match (model, unfounded) {
            (_, Some(illegal)) if implies(model, Model::BASE, false) => {
                return Verdict::Violated(illegal);
            }
            (_, Some(illegal)) => Decision::Fails(illegal.operations),
            (Model::Quiescent, None) => {
                quiescent::decide(self.history, &(0..self.history.len()).collect::<Vec<_>>())
            }
            _ => self.decide(model, &|_| false, &mut meter),
        };
        match decision {
            Decision::Holds(witness) => Verdict::Holds(witness),
            Decision::Unknown(reason) => {
                Verdict::Unknown(Unknown { reason: reason.to_owned(), spent: meter.spent() })
            }
            Decision::Fails(part) => {
                let causal = self.plain && implies(model, Model::BASE, false);
                if causal && let Some(illegal) = grid::illegal(self.history, self.view(), budget) {
                    return Verdict::Violated(illegal);
                }
                Verdict::Violated(minimal(self, part, model, budget))
            }
        }
    }

    /// Decides by a model beside the grid; for *safe* some reads (by position)
    /// may be excused.
    fn decide(&self, model: Model, excused: &dyn Fn(usize) -> bool, meter: &mut Meter) -> Decision {
        match model {
            Model::Linearizable => linearizable::decide(self, meter),
            Model::Sequential => sequential::decide(self, meter),
            Model::Cache => sequential::cache(self, meter),
            Model::PrefixMonotonic => sequential::prefix_monotonic(self, meter),
            Model::CausalMemory => views::decide(self.view(), Belief::CausalMemory, meter),
            Model::Pram => views::decide(self.view(), Belief::Pram, meter),
            Model::Slow => views::decide(self.view(), Belief::Slow, meter),
            Model::Processor => processor::decide(self.view(), meter),
            Model::Prefix => prefix::decide(self, false, meter),
            Model::PrefixRealTime => prefix::decide(self, true, meter),
            Model::Regular => regular::decide(self, Strength::Regular, excused, meter),
            Model::RegularWeak => regular::decide(self, Strength::Weak, excused, meter),
            Model::Safe => regular::decide(self, Strength::Safe, excused, meter),
            Model::KAtomic(k) => k_atomic::decide(self, k, meter),
            Model::DeltaAtomic(delta) => delta_atomic::decide(self, delta, meter),
            Model::Grid(_) | Model::Quiescent => unreachable!("these have entrances of their own"),
        }
    }

    /// Decides for the operations at these positions.
    fn decide_part(&self, part: &[usize], model: Model, meter: &mut Meter) -> Decision {
        if model == Model::Quiescent {
            return quiescent::decide(self.history, part);
        }
        if part.len() == self.history.len() {
            return self.decide(model, &|_| false, meter);
        }
        let overlapped = match model {
            Model::Safe => regular::overlapped(self),
            _ => Vec::new(),
        };
        let excused = |at: usize| overlapped.binary_search(&part[at]).is_ok();
        let restricted = self.history.restricted_to(part);
        match Whole::of(&restricted, self.datatype).decide(model, &excused, meter) {
            Decision::Fails(inner) => Decision::Fails(inner.iter().map(|&at| part[at]).collect()),
            other => other,
        }
    }
}

/// A minimal part of a violated part that is violated too.
fn minimal(whole: &Whole<'_>, part: Vec<usize>, model: Model, budget: Budget) -> Counterexample {
    let part = match whole.plain {
        true => whole.view().closed(whole.history, &part),
        false => minimise::closed(whole.history, &part, whole.datatype),
    };
    let sources = minimise::Sources::within(whole.history, &part, whole.datatype);
    let mut meter = Meter::new(budget.to_minimise());
    let (operations, minimal) = minimise::minimise(&sources, part, |part| {
        match whole.decide_part(part, model, &mut meter) {
            Decision::Fails(_) => Some(true),
            Decision::Holds(_) => Some(false),
            Decision::Unknown(_) => None,
        }
    });
    let reason = match whole.datatype.name() {
        "register" => cycle::reason(whole.history, &operations, model),
        _ => None,
    };
    let reason = reason.unwrap_or(Reason::NoOrder { model });
    Counterexample { kind: Kind::Unexplained, operations, minimal, reason }
}
