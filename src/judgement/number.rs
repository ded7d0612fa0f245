//! Numbers of operations, sessions, keys and writes. They are kept in 32 bits,
//! which halves what large tables take; these functions are the ways in and out.

/// A number as an index.
#[inline]
pub(in crate::judgement) fn index(number: u32) -> usize {
    usize::try_from(number).expect("an index has at least 32 bits")
}

/// An index as a number.
///
/// # Panics
/// From 2³² on: there are not as many operations in a history that fits memory.
#[inline]
pub(in crate::judgement) fn number_of(index: usize) -> u32 {
    u32::try_from(index).expect("there are fewer than 2^32 operations")
}

/// A size as a count of steps.
#[inline]
pub(in crate::judgement) fn count(size: usize) -> u64 {
    u64::try_from(size).expect("a size has at most 64 bits")
}
