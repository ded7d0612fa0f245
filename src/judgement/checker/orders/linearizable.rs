//! Linearizability: is there an order of all operations that keeps real time
//! and in which every answer is right?
//!
//! Decided key by key, since linearizability is local (Herlihy and Wing 1990):
//! a register with known sources by [`zones`], anything else by
//! [`search`](super::search). Besides returns-before the order keeps session
//! order. They differ only if an operation returns at the very instant at which
//! its process invokes the next; such a history is not local and is searched as
//! a whole.

use super::keys::{merged, search_keys};
use crate::judgement::checker::registers::zones;
use crate::judgement::checker::time::is_local;
use crate::judgement::checker::whole::{Decision, Meter, Whole};
use crate::judgement::verdict::Witness;

/// Decides for a whole history or a part of it.
pub(in crate::judgement::checker) fn decide(whole: &Whole<'_>, meter: &mut Meter) -> Decision {
    let local = is_local(whole.history);
    if local && whole.plain && whole.view().has_known_sources() {
        return match zones::decide(whole.history, whole.view(), 0) {
            Ok(orders) => Decision::Holds(Witness::Linear(merged(whole.history, orders, 0))),
            Err(part) => Decision::Fails(part),
        };
    }
    search_keys(whole.history, whole.datatype, local, meter)
}
