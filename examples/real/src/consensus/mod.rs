//! Logs that nodes agree on, and on each of them a register for each key.
//!
//! A call becomes a command. The node that took it appends it to the log, and answers
//! when it applies it, so reads go through the log as well unless a variant says
//! otherwise.

mod desk;
pub mod omnipaxos;
mod pace;
pub mod raft;
mod register;

use quiescence::history::NodeId;

/// How the libraries number a node: none may be 0.
fn number(node: NodeId) -> u64 {
    u64::from(node.0) + 1
}

/// The node that a library calls by this number.
fn node(number: u64) -> NodeId {
    NodeId(u16::try_from(number - 1).expect("nodes are few"))
}
