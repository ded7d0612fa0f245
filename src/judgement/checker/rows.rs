//! Rows: for each session the length of a prefix of its writes (or of its
//! reads).
//!
//! What is before an operation, or visible to it, is such a row wherever a rule
//! adds the earlier operations of a session along with a later one. The union
//! of two rows is then the larger length of each session.

/// Adds another row to this one; true if that added anything.
#[inline]
pub(in crate::judgement::checker) fn join(row: &mut [u32], other: &[u32]) -> bool {
    let mut grew = false;
    for (mine, more) in row.iter_mut().zip(other) {
        grew |= *more > *mine;
        *mine = (*mine).max(*more);
    }
    grew
}
