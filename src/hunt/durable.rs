//! Durability: no acknowledged write is lost, judged by the strategy's own
//! record.
//!
//! A write is lost if some final read takes into account neither that write nor
//! a write after it in the strategy's order. Where that order does not matter to
//! what a read answers, as with counters, nothing makes up for an update that is
//! not taken into account. Agreement does not matter here: three nodes that agree on
//! a value without that write have lost it.

use crate::history::{Completion, History};
use crate::judgement::datatype::{Arbitration, Datatype, stranger, updates, with_article};
use crate::replication::OperationId;
use crate::world::{Ending, Facts, Lack, Run, Visit};

/// An acknowledged write, and a final read that does not take it into account.
pub struct Loss<'r> {
    /// What clients saw, with the final reads of a quiet state or of a state
    /// that recurs for ever.
    pub history: &'r History,
    /// The id of the operation at each position of the history.
    pub operations: &'r [OperationId],
    /// The position of the write.
    pub write: usize,
    /// The position of the read.
    pub read: usize,
}

/// An acknowledged write that the run loses: in its quiet state or, if it never
/// becomes quiet, in a state that recurs for ever.
///
/// # Errors
/// If it is unknown, with the reason.
pub fn loss<'r>(run: &'r Run, datatype: &dyn Datatype) -> Result<Option<Loss<'r>>, String> {
    if run.ending == Ending::Settled {
        return loss_in((&run.history, &run.operations), &run.facts, run.lack, datatype);
    }
    let visits = run.visits.as_ref().ok_or("the run ended before it became quiet")?;
    let mut doubt = None;
    for Visit { history, operations, facts, lack, .. } in visits {
        match loss_in((history, operations), facts, *lack, datatype) {
            Ok(None) => {}
            Ok(Some(loss)) => return Ok(Some(loss)),
            Err(why) => doubt = Some(why),
        }
    }
    doubt.map_or(Ok(None), Err)
}

/// An acknowledged write that is lost in this history, whose final reads lack
/// this.
///
/// # Errors
/// If it is unknown, with the reason.
pub fn loss_in<'r>(
    (history, operations): (&'r History, &'r [OperationId]),
    facts: &Facts,
    lack: Lack,
    datatype: &dyn Datatype,
) -> Result<Option<Loss<'r>>, String> {
    if let Some(at) = stranger(history, datatype, false) {
        let call = &history.operations()[at].call;
        return Err(format!("`{call}` is no operation of the datatype `{}`", datatype.name()));
    }
    match lost_write(history, operations, facts, datatype)? {
        Some((write, read)) => Ok(Some(Loss { history, operations, write, read })),
        None if lack.answers > 0 => Err(lack.told()),
        None => Ok(None),
    }
}

/// The positions of an acknowledged write and of a final read that misses it;
/// `None` if there is no such pair.
///
/// # Errors
/// If the strategy does not say what a final read took into account.
fn lost_write(
    history: &History,
    operations: &[OperationId],
    facts: &Facts,
    datatype: &dyn Datatype,
) -> Result<Option<(usize, usize)>, String> {
    let all = history.operations();
    let writes: Vec<_> = (0..all.len()).filter(|&at| updates(&all[at], datatype)).collect();
    let with_keys: Vec<_> =
        writes.iter().map(|&at| (operations[at], all[at].call.key.clone())).collect();
    for (read, op) in all.iter().enumerate().filter(|(_, op)| op.final_read) {
        let key = &op.call.key;
        let seen = facts
            .visible_to(operations[read], key, &with_keys)
            .ok_or("the strategy does not record what final reads took into account")?;
        for &write in writes.iter().filter(|&&write| all[write].call.key == *key) {
            let acknowledged = matches!(all[write].completion, Completion::Ok(_));
            let stamp = facts.stamp(operations[write]);
            // An update replaces an earlier one of the same part of the object.
            let part = |at: usize| (&all[at].call.key, datatype.part(&all[at].call));
            let replaces = |other: &usize| {
                part(*other) == part(write)
                    && stamp.is_some()
                    && facts.stamp(operations[*other]) > stamp
            };
            let above = |other: &OperationId| {
                let named = |at: &&usize| operations[**at] == *other;
                let found = || writes.iter().find(named);
                *other == operations[write]
                    || datatype.arbitration(key) == Arbitration::Last
                        && found().is_some_and(replaces)
            };
            if acknowledged && !seen.iter().any(above) {
                if datatype.arbitration(key) == Arbitration::Whole {
                    let (call, name) = (&all[write].call, with_article(datatype.name()));
                    return Err(format!("what makes up for `{call}` is not known of {name}"));
                }
                return Ok(Some((write, read)));
            }
        }
    }
    Ok(None)
}
