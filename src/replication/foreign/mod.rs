//! Real libraries under test, as they are: a [`Core`] is a deterministic piece of
//! one, and [`Foreign`] makes any core a [`Strategy`](super::Strategy).
//!
//! A replica of a strategy can be cloned, compared and hashed, and it goes from
//! thread to thread. Few libraries have types that can do all of that. So a
//! replica is here the list of inputs that a core was given, and the live core is
//! kept beside it. A clone shares both; whoever steps first takes the core, and
//! the others give the list to a new core.
//!
//! A core must be deterministic: the same inputs give the same state, the same
//! messages and the same answers. Ids of clients and actors come from the node's
//! number. There is no clock, no random number, no thread, no iteration over a
//! hash table with a random seed, and no variable outside the core.
//!
//! Invariant: two replicas of a node are equal if and only if their
//! [`digest`](Core::digest)s are, and equal replicas behave equally for ever. The
//! core owes the second half: a digest that leaves something out makes a search
//! take different states for one, and its proofs are wrong. The adapter
//! checks what it can: it gives the list to a new core now and then, or after
//! every step ([`Recheck`]), and panics if anything comes out differently. That
//! finds every core that is not deterministic where it shows, and a digest that
//! leaves something out where an input that seemed to change nothing did.
//!
//! A counter that only grows, whose replicas send each other what they have
//! counted:
//!
//! ```
//! use quiescence::history::Function;
//! use quiescence::prelude::*;
//! use quiescence::replication::foreign::{Answer, Core, Foreign};
//!
//! struct Grows { me: usize, counts: Vec<u8>, out: Vec<(NodeId, Vec<u8>)> }
//!
//! impl Core for Grows {
//!     fn datatype() -> &'static str { "counter" }
//!
//!     fn new(node: NodeId, cluster: &Cluster) -> Self {
//!         Grows { me: node.index(), counts: vec![0; cluster.size()], out: Vec::new() }
//!     }
//!
//!     fn request(&mut self, _: OperationId, call: &Call) -> Answer {
//!         if call.is_read() {
//!             return Answer::Ok(Value::Int(self.counts.iter().map(|n| i64::from(*n)).sum()));
//!         }
//!         self.counts[self.me] += 1;
//!         for to in (0..self.counts.len()).filter(|to| *to != self.me) {
//!             self.out.push((NodeId(to as u16), self.counts.clone()));
//!         }
//!         Answer::Ok(Value::Null)
//!     }
//!
//!     fn receive(&mut self, _: NodeId, bytes: &[u8]) {
//!         for (mine, theirs) in self.counts.iter_mut().zip(bytes) {
//!             *mine = (*mine).max(*theirs);
//!         }
//!     }
//!
//!     fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)> { std::mem::take(&mut self.out) }
//!     fn digest(&self) -> Vec<u8> { self.counts.clone() }
//!     fn show(&self) -> String { format!("{:?}", self.counts) }
//! }
//!
//! let counter = Foreign::<Grows>::new();
//! assert_eq!(counter.datatype(), "counter");
//! let mut replica = counter.boot(NodeId(1), &Cluster::of(2));
//! let asks = |call| Input::Request {
//!     operation: OperationId { session: 0, number: 0 }, call, token: (), clock: 0,
//! };
//! let adds_one = Call { f: Function::named("add"), ..Call::write("x", 1) };
//! let mut effects = Effects::new();
//! counter.step(&mut replica, asks(adds_one), &mut effects);
//! assert_eq!(effects.sends(), [(NodeId(0), vec![0, 1].into())]);
//! counter.step(&mut replica, asks(Call::read("x")), &mut effects);
//! assert_eq!(effects.replies()[1].completion(), &Completion::Ok(Value::Int(1)));
//! ```
//!
//! Read next: `adapter.rs` for the replica and its steps, `live.rs` for where live
//! cores are, `merge.rs` beside this folder for the smaller question whether a
//! merge function converges.

mod adapter;
mod live;
#[cfg(test)]
mod tests;

use crate::history::{Call, Completion, NodeId, Value};

use super::strategy::REGISTER;
use super::{Cluster, OperationId};

pub use adapter::{Foreign, Packet, Recheck, Replica};

/// A deterministic core of a library: one node's share of it. It need not be
/// `Clone`, `Send` or comparable.
///
/// After every input, and once before the first, the adapter takes what is
/// [`outgoing`](Self::outgoing) and what is [`finished`](Self::finished).
pub trait Core: Sized + 'static {
    /// Whether [`timer`](Self::timer) is called now and then, for ever.
    const TIMER: bool = false;

    /// How it is called in messages and case files, unless a registry names it.
    fn name() -> String {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path).to_owned()
    }

    /// The datatype that it replicates, by name: what clients ask, and what the
    /// answers are judged by.
    fn datatype() -> &'static str {
        REGISTER
    }

    /// The core of `node` before anything happened. Whatever the library would
    /// choose at random (a client, an actor, a seed) must come from `node`.
    fn new(node: NodeId, cluster: &Cluster) -> Self;

    /// A client asks. `operation` is needed only to answer later.
    fn request(&mut self, operation: OperationId, call: &Call) -> Answer;

    /// A message arrives.
    fn receive(&mut self, from: NodeId, bytes: &[u8]);

    /// The messages to send since it was last asked.
    fn outgoing(&mut self) -> Vec<(NodeId, Vec<u8>)>;

    /// The operations that were [pending](Answer::Pending) and have ended since
    /// it was last asked.
    fn finished(&mut self) -> Vec<(OperationId, Completion)> {
        Vec::new()
    }

    /// The periodic timer fires.
    fn timer(&mut self) {}

    /// The state as bytes, all that can make a difference to any later step:
    /// updates that wait for others, what is known of each peer, and pending
    /// operations included. Equal states should have equal digests, or a search
    /// counts them twice; different states must have different ones.
    fn digest(&self) -> Vec<u8>;

    /// The state for people. Nothing is decided by it.
    fn show(&self) -> String;

    /// A message for people and case files. It should tell messages apart:
    /// replaying a case compares it. Without an override it is the message itself,
    /// if that is plain text, and its length and its hash otherwise.
    fn label(bytes: &[u8]) -> String {
        let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.is_empty() && bytes.iter().all(plain) => text.to_owned(),
            _ => format!("{} bytes {:08x}", bytes.len(), hash(bytes) >> 32),
        }
    }

    /// Whether `node` accepts `call` from clients. Without an override every node
    /// serves all calls; of registers, reads and writes.
    fn serves(call: &Call, node: NodeId, cluster: &Cluster) -> bool {
        let _ = (node, cluster);
        call.is_read() || call.is_write() || Self::datatype() != REGISTER
    }
}

/// What a core says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took effect, and answers this (`Null` for a write).
    Ok(Value),
    /// It certainly took no effect.
    Failed,
    /// The answer comes later, by [`Core::finished`].
    Pending,
}

/// FNV-1a, 64 bits: the same in every build and on every machine.
fn hash(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
