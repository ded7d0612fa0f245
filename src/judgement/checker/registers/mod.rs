//! Registers that are only read and written, decided from the times of their
//! operations: each value with its reads is a zone in time (`zones`,
//! `two_atomic`), and a read is compared with the writes that finished before
//! it (`regular`).
//!
//! Knows no datatype but registers, and searches for no order.

pub(super) mod regular;
pub(super) mod two_atomic;
pub(super) mod zones;
