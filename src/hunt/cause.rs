//! The cause of a failure, which minimising must preserve.
//!
//! A smaller run may fail in the same way because of other writes. It would
//! then show another bug, and the one that was found would be lost. So a cause
//! names the operations that explain the failing answer: the writes whose value
//! it shows, or the update that it should show. Where an answer is made of many
//! updates, as that of a counter, it names none.
//!
//! Invariant: a cause depends only on the ids of operations, not on their
//! values or their positions in the history, because minimising changes both.
//! It does not know how runs are minimised.

use crate::judgement::datatype::{Datatype, answered, updates};
use crate::judgement::{Counterexample, Reason};
use crate::replication::OperationId;
use crate::world::Run;

use super::durable::loss;
use super::property::{Flaw, Judgement};

/// The operations that explain a failing answer, ascending. Empty if no write
/// explains it, or if the failure is not in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(Vec<OperationId>);

impl Cause {
    /// The cause of this judgement.
    pub fn of(run: &Run, judgement: &Judgement, datatype: &dyn Datatype) -> Self {
        let mut operations: Vec<OperationId> = match judgement {
            Judgement::Violated(_, Some(found)) => {
                explaining(run, found, datatype).into_iter().map(|at| run.operations[at]).collect()
            }
            Judgement::Violated(Flaw::LostWrite, None) => {
                let lost = loss(run, datatype).ok().flatten();
                lost.map(|loss| loss.operations[loss.write]).into_iter().collect()
            }
            _ => Vec::new(),
        };
        operations.sort_unstable();
        operations.dedup();
        Cause(operations)
    }

    /// The same cause after operations were renamed, without operations that
    /// are gone.
    pub fn renamed(&self, name: impl Fn(OperationId) -> Option<OperationId>) -> Self {
        let mut operations: Vec<_> = self.0.iter().filter_map(|id| name(*id)).collect();
        operations.sort_unstable();
        Cause(operations)
    }
}

/// The positions of the answers that fail: of one counterexample, two that will never
/// agree, or the last answer in it.
pub fn failing(run: &Run, found: &Counterexample, datatype: &dyn Datatype) -> Vec<usize> {
    let operations = run.history.operations();
    match found.reason {
        Reason::Diverged { first, second } => vec![first, second],
        _ => {
            let part = found.operations.iter().copied();
            part.filter(|at| answered(&operations[*at], datatype)).max().into_iter().collect()
        }
    }
}

/// The positions of the updates that explain the failing answer.
fn explaining(run: &Run, found: &Counterexample, datatype: &dyn Datatype) -> Vec<usize> {
    let operations = run.history.operations();
    match found.reason {
        Reason::Lost { write, .. }
        | Reason::FailedWriteSeen { write, .. }
        | Reason::InitialRead { write, .. } => return vec![write],
        Reason::Missing { update, .. } | Reason::Resurrected { update, .. } => {
            return vec![update];
        }
        Reason::Thin { .. } => return Vec::new(),
        _ => {}
    }
    let reads = failing(run, found, datatype);
    let shows = |read: usize, write: usize| {
        let (read, write) = (&operations[read], &operations[write]);
        updates(write, datatype)
            && write.call.key == read.call.key
            && read.answer() == Some(&write.call.argument)
    };
    let shown = |write: &usize| reads.iter().any(|read| shows(*read, *write));
    (0..operations.len()).filter(shown).collect()
}
