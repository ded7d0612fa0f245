//! What is known of each strategy, as data: one file for each family.
//!
//! The file of a family lists its parameters, where it is checked, what it
//! promises there, which of its variants have a bug, what to try next, and
//! where it was published. Command lines, case files and documents take all of
//! it from here; no other file lists strategies.
//!
//! To add a strategy of this crate: its file below `replication/`, its file
//! here, and one line in `standard.rs`.
//!
//! Read next: [`Family`], then `notebook.rs` for a small entry.

mod abd;
mod async_primary;
pub mod bench;
mod cache;
mod causal;
mod chain;
mod chain_membership;
mod change_feed;
mod crdt;
mod failover;
mod family;
mod gossip;
pub mod ladder;
mod lease;
mod multi_primary_lww;
mod notebook;
mod plans;
mod postgres;
mod primary_backup;
mod primary_object;
mod quorum;
mod raft;
mod redis_like;
mod registry;
mod semi_sync;
mod sloppy_quorum;
mod standard;
mod sync_session;
mod tombstones;
mod variants;
mod view_change;
mod yardstick;

pub use crate::hunt::mutant::{Bug, Mutant};
pub use family::{Advice, Family, Hint, TABLE};
pub use registry::{Registry, UnknownStrategy};
pub use variants::{Parameter, Variants};
