//! Strategies that answer a write before other replicas have it.

pub mod async_primary;
pub mod cache;
pub mod causal_broadcast;
pub mod change_feed;
pub mod cops;
pub mod failover;
pub mod gossip;
pub mod multi_primary_lww;
pub mod plans;
pub mod redis_like;
pub mod sloppy_quorum;
pub mod sync_session;
pub mod tombstones;
