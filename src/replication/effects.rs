//! What a step wants done. Effects are data: the world or the threads carry
//! them out, in the order in which they were asked for.

use crate::history::{Completion, NodeId, Value};

use super::{OperationId, Stamp, Strategy, TimerId};

/// Collects what one step wants done.
pub struct Effects<S: Strategy> {
    pub(crate) sends: Vec<(NodeId, S::Message)>,
    pub(crate) replies: Vec<Reply<S>>,
    pub(crate) timers: Vec<(TimerId, bool)>,
    pub(crate) visible: Vec<(OperationId, Stamp)>,
}

/// An answer to a client.
pub struct Reply<S: Strategy> {
    pub(crate) operation: OperationId,
    pub(crate) completion: Completion,
    pub(crate) visible: Visible,
    pub(crate) token: S::Token,
}

/// Which writes a read saw, as far as the strategy says: the white-box
/// visibility of semantics, recorded beside what the client could observe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Visible {
    /// The strategy does not say.
    #[default]
    Unrecorded,
    /// All that has become visible at the answering node so far.
    Here,
    /// Every write to the key with at most this stamp.
    UpTo(Stamp),
    /// Just these writes.
    These(Vec<OperationId>),
}

impl<S: Strategy> Effects<S> {
    /// Nothing yet.
    pub fn new() -> Self {
        Effects { sends: Vec::new(), replies: Vec::new(), timers: Vec::new(), visible: Vec::new() }
    }

    /// Sends `message` to `to`, which may be the node itself.
    pub fn send(&mut self, to: NodeId, message: S::Message) {
        self.sends.push((to, message));
    }

    /// Sends `message` to each of `nodes`.
    pub fn broadcast(&mut self, nodes: impl Iterator<Item = NodeId>, message: &S::Message) {
        self.sends.extend(nodes.map(|to| (to, message.clone())));
    }

    /// Answers the client that issued `operation`. An operation that is no
    /// longer open, because it was answered before or its client gave up,
    /// ignores the answer.
    ///
    /// What the read saw and what the session carries on are added to the
    /// returned reply: `effects.reply(id, ok).seeing(Visible::Here)`.
    pub fn reply(&mut self, operation: OperationId, completion: Completion) -> &mut Reply<S> {
        let token = S::Token::default();
        self.replies.push(Reply { operation, completion, visible: Visible::Unrecorded, token });
        self.replies.last_mut().expect("a reply was just pushed")
    }

    /// Arms a timer; arming an armed timer changes nothing.
    pub fn arm(&mut self, timer: TimerId) {
        self.timers.push((timer, true));
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, timer: TimerId) {
        self.timers.push((timer, false));
    }

    /// Records that reads at this node take `write` into account from now on,
    /// at this place in the strategy's order of writes. After a crash all is
    /// forgotten; on `Recovered` say again what is still held.
    pub fn visible(&mut self, write: OperationId, stamp: Stamp) {
        self.visible.push((write, stamp));
    }

    /// The first answer to this operation, if it succeeded.
    pub fn answer(&self, operation: OperationId) -> Option<Value> {
        self.replies.iter().find_map(|reply| match &reply.completion {
            Completion::Ok(value) if reply.operation == operation => Some(value.clone()),
            _ => None,
        })
    }

    /// Moves everything into the effects of the same strategy without types.
    pub(super) fn forget<T: Strategy>(
        self,
        into: &mut Effects<T>,
        message: impl Fn(S::Message) -> T::Message,
        token: impl Fn(S::Token) -> T::Token,
    ) {
        into.sends.extend(self.sends.into_iter().map(|(to, sent)| (to, message(sent))));
        into.replies.extend(self.replies.into_iter().map(|reply| Reply {
            operation: reply.operation,
            completion: reply.completion,
            visible: reply.visible,
            token: token(reply.token),
        }));
        into.timers.extend(self.timers);
        into.visible.extend(self.visible);
    }

    pub(crate) fn clear(&mut self) {
        self.sends.clear();
        self.replies.clear();
        self.timers.clear();
        self.visible.clear();
    }
}

impl<S: Strategy> Default for Effects<S> {
    fn default() -> Self {
        Effects::new()
    }
}

impl<S: Strategy> Reply<S> {
    /// Says which writes the answer took into account.
    pub fn seeing(&mut self, visible: Visible) -> &mut Self {
        self.visible = visible;
        self
    }

    /// Hands the session a token for its next operation.
    pub fn with_token(&mut self, token: S::Token) -> &mut Self {
        self.token = token;
        self
    }
}
