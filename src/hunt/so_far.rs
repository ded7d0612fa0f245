//! What well-known models say of a run before it has ended, step by step.

use std::collections::BTreeMap;

use crate::history::{Completion, History, Operation};
use crate::judgement::datatype::Datatype;
use crate::judgement::{Budget, Model, Verdict, check_with};
use crate::replication::OperationId;
use crate::world::trace::Trace;
use crate::world::{Action, Run};

use super::landmarks::landmarks;

/// Longer runs are not judged step by step, because that takes quadratic time.
pub const STEPS_MAX: usize = 400;

/// The models that the history so far violates, at the start and after each step; nothing for
/// a run of more than [`STEPS_MAX`] steps.
///
/// In the history so far, an operation that was asked and not answered yet has no known
/// outcome, and final reads are not there. Eventual consistency says nothing before the end,
/// so it is not among the models. A model without real time may fail in a prefix and hold in
/// the end: a value that came out of nowhere can be written afterwards.
pub fn violated_so_far(run: &Run, trace: &Trace, datatype: &dyn Datatype) -> Vec<Vec<Model>> {
    if trace.steps.len() > STEPS_MAX {
        return Vec::new();
    }
    let (mut asked, mut answered) = (BTreeMap::new(), BTreeMap::new());
    for (number, step) in (1..).zip(&trace.steps) {
        if let Action::Invoke(operation) = step.happened.action {
            asked.entry(operation).or_insert(number);
        }
        for answer in &step.happened.answers {
            answered.entry(answer.operation).or_insert(number);
        }
    }
    let mut all: Vec<Vec<Model>> = Vec::with_capacity(trace.steps.len() + 1);
    let is_seen = |number: &usize| asked.values().chain(answered.values()).any(|at| at == number);
    for number in 0..=trace.steps.len() {
        let same = all.last().filter(|_| !is_seen(&number)).cloned();
        all.push(
            same.unwrap_or_else(|| {
                violated(&history_at(run, (&asked, &answered), number), datatype)
            }),
        );
    }
    all
}

/// The steps, from 1, at which operations are asked or answered.
type Steps = BTreeMap<OperationId, usize>;

/// What clients have seen after the first `steps` steps.
fn history_at(run: &Run, (asked, answered): (&Steps, &Steps), steps: usize) -> History {
    let by_then = |all: &Steps, id| all.get(id).is_some_and(|at| *at <= steps);
    let operations = run.operations.iter().zip(run.history.operations());
    let operations = operations.filter(|(id, op)| !op.final_read && by_then(asked, id));
    let so_far = operations.map(|(id, op)| match by_then(answered, id) {
        true => op.clone(),
        false => Operation { returned: None, completion: Completion::Info, ..op.clone() },
    });
    History::of(so_far.collect()).expect("the beginning of a history is one")
}

fn violated(history: &History, datatype: &dyn Datatype) -> Vec<Model> {
    let fails = |model: &Model| {
        matches!(check_with(history, *model, datatype, Budget::default()), Verdict::Violated(_))
    };
    landmarks().into_iter().filter(|model| *model != Model::EVENTUAL).filter(fails).collect()
}
