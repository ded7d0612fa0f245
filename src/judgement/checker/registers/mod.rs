//! Registers that are only read and written, decided from when they were: each
//! value with its reads is a zone in time (`zones`, `two_atomic`), and a read
//! is held against the writes that had finished before it (`regular`).
//!
//! Knows no search and no datatype but registers.

pub(super) mod regular;
pub(super) mod two_atomic;
pub(super) mod zones;
