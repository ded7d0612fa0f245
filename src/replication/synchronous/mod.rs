//! Strategies that answer a write only when other replicas have it.

pub mod abd;
pub mod chain;
pub mod chain_membership;
pub mod craq;
pub mod lease;
pub mod postgres;
pub mod primary_backup;
pub mod primary_object;
pub mod quorum;
pub mod raft;
pub mod semi_sync;
pub mod view_change;
