//! Strategies that answer a write before other replicas have it.

pub mod async_primary;
pub mod cache;
pub mod causal_broadcast;
pub mod cops;
pub mod failover;
pub mod gossip;
pub mod multi_primary_lww;
pub mod redis_like;
pub mod sloppy_quorum;
pub mod tombstones;
