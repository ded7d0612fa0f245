//! What states are made of: the things that are numbered.
//!
//! A row has the number of a component for each node, and that of a rest for
//! the clients. Invariant: equal things mean the same future and the same past
//! as far as either is asked for. Nothing here knows what happens next.

use smallvec::SmallVec;

use crate::history::{Call, Completion, NodeId};
use crate::replication::erased::{AnyMessage, AnyToken};
use crate::replication::{OperationId, Stamp};
use crate::world::client::Client;
use crate::world::component::Node;
use crate::world::{FaultKind, Faults};

use super::numbered::{Id, count};

/// A node without its inbox, and what is kept of it for judging.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    pub(super) node: Node,
    /// The writes that reads here take into account, ascending, if asked for;
    /// each with its highest stamp at this node.
    pub(super) visible: Vec<(OperationId, Stamp)>,
    /// For each image on its way to disk the timer because of which it was sent,
    /// if one was.
    pub(super) flushing: SmallVec<[Option<u8>; 1]>,
}

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Message {
    pub(super) from: NodeId,
    pub(super) content: AnyMessage,
    /// The timer because of which it was sent, if one was.
    pub(super) timer: Option<u8>,
}

impl Message {
    /// What a partition does to other nodes, which is told to them like a message: the
    /// split in this place, or none (the network is whole again).
    pub(super) fn parting(split: Option<usize>) -> Id<Message> {
        Id::of(u32::MAX - 1 - count(split.map_or(0, |split| split + 1)))
    }

    /// What this is of [`parting`](Self::parting), if there are so many splits.
    pub(super) fn parts(number: Id<Message>, splits: usize) -> Option<Option<usize>> {
        let place = (u32::MAX - 1 - number.number().min(u32::MAX - 1)) as usize;
        (place <= splits).then(|| place.checked_sub(1))
    }
}

/// A node with its inbox: what is held, and the messages in an order that means
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Component {
    pub(super) held: Id<Held>,
    pub(super) inbox: Inbox,
}

/// The messages in an inbox.
pub(super) type Inbox = SmallVec<[Id<Message>; 8]>;

impl Component {
    pub(super) fn without_inbox(held: Id<Held>) -> Self {
        Component { held, inbox: SmallVec::new() }
    }
}

/// Receivers and messages.
pub(super) type Sends = SmallVec<[(u16, Id<Message>); 2]>;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    /// It asks: operation, call and node.
    Invoke(OperationId, Id<Call>, NodeId),
    /// It asks the same again, of this node.
    Retry(OperationId, Id<Call>, NodeId),
    /// It no longer waits.
    GiveUp(OperationId),
}

impl Ask {
    /// The fault that this is, if it is one.
    pub(super) fn fault(self) -> Option<FaultKind> {
        match self {
            Ask::Invoke(..) => None,
            Ask::Retry(..) => Some(FaultKind::Retry),
            Ask::GiveUp(_) => Some(FaultKind::GiveUp),
        }
    }

    pub(super) fn operation(self) -> OperationId {
        match self {
            Ask::Invoke(operation, ..) | Ask::Retry(operation, ..) | Ask::GiveUp(operation) => {
                operation
            }
        }
    }
}

/// What a client does, with the token of its session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) token: AnyToken,
}

/// What a step means for the clients. The first of all events means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Event {
    pub(super) ask: Option<Ask>,
    pub(super) answered: Vec<(OperationId, Completion, AnyToken)>,
    pub(super) fault: Option<FaultKind>,
    pub(super) crashed: Option<NodeId>,
    /// Writes that became visible, if that has to be remembered of them.
    pub(super) stamped: Vec<(OperationId, Stamp)>,
}

/// The state of a session, and the answers that it got.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    pub(super) client: Client,
    /// The node of a session that stays, once it has one.
    pub(super) home: Option<NodeId>,
    /// What it asked, if histories are tracked.
    pub(super) asked: Vec<Asked>,
}

impl Standing {
    /// The last operation ends, if histories are tracked.
    pub(super) fn end(&mut self, completion: Completion) {
        if let Some(asked) = self.asked.last_mut() {
            asked.ended = Some(completion);
        }
    }
}

/// One operation of a history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) number: u16,
    pub(super) call: Id<Call>,
    pub(super) node: NodeId,
    /// None while it is open.
    pub(super) ended: Option<Completion>,
    /// How many operations of each session had ended before, if real time is
    /// tracked.
    pub(super) before: SmallVec<[u16; 4]>,
}

/// All sessions, and the faults that have struck.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rest {
    pub(super) sessions: SmallVec<[Id<Standing>; 4]>,
    pub(super) spent: Faults,
    /// True time, if it is part of a state.
    pub(super) now: u32,
    /// The highest stamp of each write that became visible anywhere, ascending
    /// by write, where a crash may make nodes forget.
    pub(super) stamps: Vec<(OperationId, Stamp)>,
}

/// By session: how many operations it has begun or left out, and how many of these are over.
pub(super) type Progress = SmallVec<[(u16, u16); 4]>;

/// Which runs go from what a node holds to what it holds next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Through {
    /// Any.
    Step,
    /// Those in which a client does this.
    Client(Ask),
    /// Those in which all messages that wait at the node are lost.
    Loss,
}

/// What decides what is dropped at a place of what came from a node: the node, the
/// component, and what the node holds.
pub(super) type Stripping = (usize, Id<Component>, Id<Held>);

/// The number of the clients' part of a row, which is its last.
#[inline]
pub(super) fn rest_of(row: &[u32]) -> Id<Rest> {
    Id::of(row[row.len() - 1])
}

/// The number of the component at a place of a row.
#[inline]
pub(super) fn at(row: &[u32], place: usize) -> Id<Component> {
    Id::of(row[place])
}

/// The places of a row with their components.
#[inline]
pub(super) fn components(
    row: &[u32],
) -> impl Iterator<Item = (usize, Id<Component>)> + Clone + use<'_> {
    row[..row.len() - 1].iter().map(|number| Id::of(*number)).enumerate()
}
