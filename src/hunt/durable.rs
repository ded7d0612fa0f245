//! Durability, by the strategy's own record: no write that was acknowledged is
//! lost in the end.
//!
//! A write is lost if some final read takes neither it nor a write above it,
//! in the strategy's order, into account. Agreement does not matter here:
//! three nodes that agree on having lost a write have lost it.

use crate::history::{Completion, History};
use crate::replication::OperationId;
use crate::world::Facts;

/// A write that was acknowledged and the final read that misses it, as
/// positions in the history; none if there is no such pair.
///
/// # Errors
/// If the strategy does not say what a final read took into account.
pub fn lost_write(
    history: &History,
    operations: &[OperationId],
    facts: &Facts,
) -> Result<Option<(usize, usize)>, String> {
    let all = history.operations();
    let writes: Vec<_> = (0..all.len()).filter(|&at| all[at].call.is_write()).collect();
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
            let above = |other: &OperationId| {
                let of_key = with_keys.iter().any(|(known, of)| known == other && of == key);
                *other == operations[write]
                    || (of_key && stamp.is_some() && facts.stamp(*other) > stamp)
            };
            if acknowledged && !seen.iter().any(above) {
                return Ok(Some((write, read)));
            }
        }
    }
    Ok(None)
}
