//! Numbers of operations, sessions, keys and writes. They are stored in 32
//! bits, which halves the memory of large tables; these functions convert them.

/// A number as an index.
#[inline]
pub(in crate::judgement) fn index(number: u32) -> usize {
    usize::try_from(number).expect("an index has at least 32 bits")
}

/// An index as a number.
///
/// # Panics
/// If `index` is 2³² or more, which no history that fits memory reaches.
#[inline]
pub(in crate::judgement) fn number_of(index: usize) -> u32 {
    u32::try_from(index).expect("there are fewer than 2^32 operations")
}

/// A size as a count of steps.
#[inline]
pub(in crate::judgement) fn count(size: usize) -> u64 {
    u64::try_from(size).expect("a size has at most 64 bits")
}
