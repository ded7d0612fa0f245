//! What a step wants done. Effects are data: the world or the threads carry
//! them out, in the order in which they were asked for.

use crate::history::{Completion, NodeId, Value};

use super::{OperationId, Stamp, Strategy, TimerId};

/// Collects what one step wants done.
pub struct Effects<S: Strategy> {
    pub(crate) sends: Vec<(NodeId, S::Message)>,
    pub(crate) replies: Vec<Reply<S>>,
    pub(crate) timers: Vec<Arming>,
    pub(crate) visible: Vec<(OperationId, Stamp)>,
}

/// An answer to a client.
pub struct Reply<S: Strategy> {
    pub(crate) operation: OperationId,
    pub(crate) completion: Completion,
    pub(crate) visible: Visible,
    pub(crate) token: S::Token,
}

/// What is to become of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arming {
    /// It will fire some time.
    Armed(TimerId),
    /// It will not fire.
    Disarmed(TimerId),
}

/// Which writes a read saw, as far as the strategy says: the white-box
/// visibility of semantics, recorded beside what the client could observe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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

    /// Answers a client that all went well: [`reply`](Self::reply) where
    /// nothing has to be added.
    pub fn ok(&mut self, operation: OperationId, value: Value) {
        self.reply(operation, Completion::Ok(value));
    }

    /// Arms a timer; arming an armed timer changes nothing.
    pub fn arm(&mut self, timer: TimerId) {
        self.timers.push(Arming::Armed(timer));
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, timer: TimerId) {
        self.timers.push(Arming::Disarmed(timer));
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

    /// All messages, in the order in which they are sent, with whom they go to.
    pub fn sends(&self) -> &[(NodeId, S::Message)] {
        &self.sends
    }

    /// All answers to clients, in order.
    pub fn replies(&self) -> &[Reply<S>] {
        &self.replies
    }

    /// What is done with timers, in order.
    pub fn timers(&self) -> &[Arming] {
        &self.timers
    }

    /// The writes that reads take into account from now on, with their places
    /// in the order of writes.
    pub fn made_visible(&self) -> &[(OperationId, Stamp)] {
        &self.visible
    }

    /// Hands everything on to the effects of a strategy that wraps this one.
    ///
    /// ```
    /// use quiescence::prelude::*;
    ///
    /// /// Sends every message twice.
    /// #[derive(Clone)]
    /// struct Twice<S>(S);
    ///
    /// impl<S: Strategy> Strategy for Twice<S> {
    ///     type Replica = S::Replica;
    ///     type Message = S::Message;
    ///     type Token = S::Token;
    ///
    ///     fn boot(&self, node: NodeId, cluster: &Cluster) -> S::Replica {
    ///         self.0.boot(node, cluster)
    ///     }
    ///
    ///     fn step(&self, node: &mut S::Replica, input: Input<Self>, effects: &mut Effects<Self>) {
    ///         let mut inner = Effects::new();
    ///         self.0.step(node, input.map(|message| message, |token| token), &mut inner);
    ///         for (to, message) in inner.sends() {
    ///             effects.send(*to, message.clone());
    ///         }
    ///         inner.pass_on(effects, |message| message, |token| token);
    ///     }
    /// }
    ///
    /// let cluster = Cluster::of(3);
    /// let storing = Notebook { variant: Variant::Storing };
    /// let (twice, mut effects) = (Twice(storing), Effects::new());
    /// let write = Input::Request {
    ///     operation: OperationId { session: 0, number: 0 },
    ///     call: Call::write("x", 1),
    ///     token: (),
    ///     clock: 0,
    /// };
    /// twice.step(&mut twice.boot(NodeId(0), &cluster), write, &mut effects);
    /// let to: Vec<_> = effects.sends().iter().map(|(to, _)| to.0).collect();
    /// assert_eq!(to, [1, 2, 1, 2]);
    /// assert_eq!(effects.replies().len(), 1);
    /// # use quiescence::replication::notebook::{Notebook, Variant};
    /// ```
    pub fn pass_on<T: Strategy>(
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
    /// Which operation is answered.
    pub fn operation(&self) -> OperationId {
        self.operation
    }

    /// The answer.
    pub fn completion(&self) -> &Completion {
        &self.completion
    }

    /// Which writes the answer took into account.
    pub fn seen(&self) -> &Visible {
        &self.visible
    }

    /// What the session carries on.
    pub fn token(&self) -> &S::Token {
        &self.token
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};
    use crate::replication::{Call, Cluster, Input};

    #[test]
    fn a_test_of_a_step_reads_all_that_it_wants_done() {
        let lww = MultiPrimaryLww { clock: Clock::Lamport, anti_entropy: true };
        let mut replica = lww.boot(NodeId(0), &Cluster::of(3));
        let mut effects = Effects::new();
        lww.step(&mut replica, Input::Start, &mut effects);
        let [Arming::Armed(timer)] = *effects.timers() else { panic!("{:?}", effects.timers()) };
        let operation = OperationId { session: 0, number: 0 };
        let write = Input::Request { operation, call: Call::write("x", 1), token: (), clock: 0 };
        let mut effects = Effects::new();
        lww.step(&mut replica, write, &mut effects);
        let told: Vec<_> =
            effects.sends().iter().map(|(to, sent)| (*to, lww.label(sent))).collect();
        let label = "store x=1 at 1.0".to_owned();
        assert_eq!(told, [(NodeId(1), label.clone()), (NodeId(2), label)]);
        assert_eq!(effects.made_visible(), [(operation, Stamp { counter: 1, tie: 0 })]);
        let [reply] = effects.replies() else { panic!("one answer") };
        assert_eq!(
            (reply.operation(), reply.completion()),
            (operation, &Completion::Ok(Value::Null))
        );
        assert_eq!((reply.seen(), reply.token()), (&Visible::Unrecorded, &()));
        let mut effects = Effects::new();
        lww.step(&mut replica, Input::Timer(timer), &mut effects);
        assert_eq!(effects.timers(), [Arming::Armed(timer)]);
    }
}
