//! The trait of strategies, with what a step is given and what it wants done.
//! Effects are data: the world or the threads carry them out, in the order in
//! which they were asked for.

use std::fmt::Debug;
use std::hash::Hash;

use crate::history::{Call, Completion, NodeId, Value};

use super::{
    Cluster, CommandId, ImageId, Invariant, OperationId, Part, Stamp, StrategyName, TimerId,
};

/// What is replicated if a strategy does not say.
pub(super) const REGISTER: &str = "register";

/// A replication method: all that its nodes do, as one pure function.
pub trait Strategy: Clone + Send + Sync + 'static {
    /// All that one node knows.
    type Replica: Clone + Eq + Hash + Debug + Send + Sync;
    /// What nodes send each other.
    type Message: Clone + Ord + Hash + Debug + Send + Sync;
    /// What a session carries from one operation to the next, for example a
    /// causal context. Often `()`.
    type Token: Clone + Ord + Hash + Debug + Default + Send + Sync;

    /// The name and the parameters, as shown and as written in case files.
    /// The strategies of a registry go by the names that it gives them; others
    /// by their types, unless they say something else here.
    fn name(&self) -> StrategyName {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        StrategyName::new(path.rsplit("::").next().unwrap_or(path))
    }

    /// The state of `node` before anything happened.
    fn boot(&self, node: NodeId, cluster: &Cluster) -> Self::Replica;

    /// Handles one input. Pure and total: the new replica and the effects
    /// depend on nothing but the old replica and the input. A panic in here
    /// is reported as a violation of its own. A node may send to itself: the
    /// message waits in its own inbox, like any other.
    fn step(&self, replica: &mut Self::Replica, input: Input<Self>, effects: &mut Effects<Self>);

    /// What is left of a replica after a crash. Without an override all of it
    /// is. Timers never survive a crash. Of a strategy that
    /// [writes to a disk](Self::writes_disk) this is what an image on disk
    /// holds.
    fn durable(&self, replica: &Self::Replica) -> Self::Replica {
        replica.clone()
    }

    /// Stable text for people and case files, for example `store x=1`. Without
    /// an override it is what [`Debug`] writes.
    fn label(&self, message: &Self::Message) -> String {
        format!("{message:?}")
    }

    /// What a replica holds, part by part, for people: pictures tell which part
    /// a step changed. `None` shows the replica as `Debug` prints it. Nothing
    /// is ever decided by what is shown.
    fn show(&self, replica: &Self::Replica) -> Option<Vec<Part>> {
        let _ = replica;
        None
    }

    /// The datatype that is replicated, by name: what clients ask, and what the
    /// answers are judged by. Without an override these are registers.
    fn datatype(&self) -> &'static str {
        REGISTER
    }

    /// Whether `node` accepts `call` from clients. Final reads are issued at
    /// every node that serves reads. Without an override every node serves
    /// all calls; of registers, reads and writes.
    fn serves(&self, call: &Call, node: NodeId, cluster: &Cluster) -> bool {
        let _ = (node, cluster);
        call.is_read() || call.is_write() || self.datatype() != REGISTER
    }

    /// Whether handlers use clock readings. If not, every reading is 0, and time is
    /// not part of the state. A strategy that [has deadlines](Self::has_deadlines)
    /// reads clocks without saying it here.
    fn reads_clock(&self) -> bool {
        false
    }

    /// Whether timers have deadlines (see [`Effects::arm_at`]). Then every node has a
    /// clock that ticks by itself, as long as a deadline is ahead somewhere: readings
    /// are small numbers, and how far two of them may be apart is part of the
    /// [setting](crate::world::FaultPlan::bounded).
    fn has_deadlines(&self) -> bool {
        false
    }

    /// What an operator may tell a node, in words: `promote`, `add n4`. Any of
    /// these may be told to any node that is up, as often as the budget of the
    /// fault [`Operator`](crate::world::FaultKind::Operator) allows. Nobody is
    /// answered.
    fn commands(&self, cluster: &Cluster) -> Vec<String> {
        let _ = cluster;
        Vec::new()
    }

    /// Whether nodes have a disk that takes its time. Then a crash leaves what
    /// the last image that was flushed holds (see [`Effects::persist`]), or the
    /// replica as it booted if none was, and not what the replica held. Without
    /// a disk, what is durable is so at once.
    fn writes_disk(&self) -> bool {
        false
    }

    /// The replica without the parts that no later step can observe. If this is the
    /// same for two replicas, they must answer, send and arm timers alike for ever;
    /// a wrong declaration gives wrong proofs. `None`, the default, drops nothing. An
    /// exhaustive search then counts such replicas as one state, unless it evaluates
    /// invariants, which may see the dropped parts.
    fn observable(&self, replica: &Self::Replica) -> Option<Self::Replica> {
        let _ = replica;
        None
    }

    /// Whether this message from `from` can no longer make a difference here: delivered
    /// now or at any later time, it changes nothing and tells no client anything; at most
    /// it is answered to its sender, which does not [await](Self::awaits) that. For
    /// example an answer to an operation that is over. `None`, the default, declares
    /// nothing. Otherwise an exhaustive search drops such messages. It tests what it
    /// drops: of a wrong declaration it says so, and searches without.
    fn ignores(
        &self,
        replica: &Self::Replica,
        from: NodeId,
        message: &Self::Message,
    ) -> Option<bool> {
        let _ = (replica, from, message);
        None
    }

    /// Whether an answer to this message, which was sent from here to `to`, may still
    /// make a difference here. Asked only where messages are
    /// [ignored](Self::ignores).
    fn awaits(&self, replica: &Self::Replica, to: NodeId, message: &Self::Message) -> bool {
        let _ = (replica, to, message);
        false
    }

    /// The replica in a cluster whose nodes were renamed, for a strategy that treats
    /// all nodes without clients alike; a wrong declaration gives wrong proofs.
    /// `None`, the default, declares nothing. Otherwise an exhaustive search counts
    /// states that differ only in the names of such nodes as one.
    fn renamed(
        &self,
        replica: &Self::Replica,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<Self::Replica> {
        let _ = (replica, name);
        None
    }

    /// The same message in such a cluster.
    fn renamed_message(
        &self,
        message: &Self::Message,
        name: &dyn Fn(NodeId) -> NodeId,
    ) -> Option<Self::Message> {
        let _ = (message, name);
        None
    }

    /// What must hold in every reachable state (`always`), and what must be
    /// reached at least once for a search to mean anything (`sometimes`).
    fn invariants(&self) -> Vec<Invariant<Self::Replica>> {
        Vec::new()
    }
}

/// An input of a node. Clock readings are in ticks of the node's own clock, which may
/// differ from the clocks of other nodes.
#[non_exhaustive]
pub enum Input<S: Strategy> {
    /// The cluster begins. The place to arm timers.
    Start,
    /// This node is back after a crash, with what was durable.
    Recovered,
    /// A client asks.
    Request {
        /// Which operation this is; a retried request carries the same one.
        operation: OperationId,
        /// What is asked.
        call: Call,
        /// What the session carries.
        token: S::Token,
        /// This node's clock.
        clock: u64,
    },
    /// A message arrives.
    Receive {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: S::Message,
        /// This node's clock.
        clock: u64,
    },
    /// A timer that this node armed has fired; it is no longer armed.
    Timer(TimerId),
    /// The disk reports that this image has been flushed. A disk that loses a
    /// flush reports it, too.
    Persisted(ImageId),
    /// The client of this operation no longer waits for it.
    Cancelled(OperationId),
    /// A failure detector, which may be wrong, suspects this node.
    Suspect(NodeId),
    /// The operator tells this node to do something.
    Command(CommandId),
}

/// Collects what one step wants done.
pub struct Effects<S: Strategy> {
    pub(crate) sends: Vec<(NodeId, S::Message)>,
    pub(crate) replies: Vec<Reply<S>>,
    pub(crate) timers: Vec<Arming>,
    pub(crate) visible: Vec<(OperationId, Stamp)>,
    pub(crate) images: Vec<ImageId>,
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
    /// It will fire some time after the clock of its node has come to this reading.
    ArmedAt(TimerId, u64),
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
        Effects {
            sends: Vec::new(),
            replies: Vec::new(),
            timers: Vec::new(),
            visible: Vec::new(),
            images: Vec::new(),
        }
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

    /// Arms a timer that fires only when the clock of this node has come to
    /// `deadline`, a reading like those of inputs; it may fire later. If the timer is
    /// armed already, this becomes its deadline. A deadline that has passed lets it fire
    /// at any moment. Clocks tick as far as the greatest deadline that is armed at any
    /// node, so what is to happen when time has passed needs a timer: who only compares
    /// readings may wait for ever.
    ///
    /// Only for strategies that [say](Strategy::has_deadlines) that they have
    /// deadlines: with others it counts as a panic.
    pub fn arm_at(&mut self, timer: TimerId, deadline: u64) {
        self.timers.push(Arming::ArmedAt(timer, deadline));
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, timer: TimerId) {
        self.timers.push(Arming::Disarmed(timer));
    }

    /// Sends an image of the replica, as it is after this step, to the disk of
    /// this node. Images are flushed in the order in which they were sent, some
    /// time later; each is reported by [`Input::Persisted`] with its id, which
    /// may be used again. A crash loses those that were not flushed.
    ///
    /// Only for strategies that [say](Strategy::writes_disk) that they write to
    /// a disk: with others it counts as a panic.
    pub fn persist(&mut self, image: ImageId) {
        self.images.push(image);
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

    /// The images that are sent to the disk, in order.
    pub fn images(&self) -> &[ImageId] {
        &self.images
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
        into.images.extend(self.images);
    }

    pub(crate) fn clear(&mut self) {
        self.sends.clear();
        self.replies.clear();
        self.timers.clear();
        self.visible.clear();
        self.images.clear();
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
    use crate::replication::Cluster;
    use crate::replication::asynchronous::multi_primary_lww::{Clock, MultiPrimaryLww};

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
