//! Rows: for each session how many of its writes (or of its reads) are meant,
//! from the first on.
//!
//! What is before an operation, or visible to it, is such a row wherever a rule
//! gives the earlier operations of a session along with a later one. Then what
//! two rows say together is the longer of the two, session by session.

/// Adds what another row says; whether that was anything new.
#[inline]
pub(in crate::judgement::checker) fn join(row: &mut [u32], other: &[u32]) -> bool {
    let mut grew = false;
    for (mine, more) in row.iter_mut().zip(other) {
        grew |= *more > *mine;
        *mine = (*mine).max(*more);
    }
    grew
}
