//! The strategy of a core: a replica as the list of inputs that its core was
//! given, and what one more input does.
//!
//! Invariant: the list leads a new core to the replica's digest. An input that
//! changed no digest, sent nothing and answered nothing is not in it, so a timer
//! that has nothing to do leads back to the same state.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::history::{Call, Completion, NodeId};
use crate::replication::{
    Cluster, Effects, Input, OperationId, Part, Strategy, StrategyName, TimerId,
};

use super::live::Ticket;
use super::{Answer, Core, hash};

/// A message of a core.
pub type Packet = Arc<[u8]>;

/// The timer of cores that have one.
const PERIODIC: TimerId = TimerId(0);

/// Of how many digests one is looked at by [`Recheck::Sampled`].
const SAMPLED: u64 = 64;

/// A [`Core`] as a strategy.
pub struct Foreign<C> {
    recheck: Recheck,
    core: PhantomData<fn() -> C>,
}

/// After which steps a core is rebuilt from its inputs and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recheck {
    /// After every step. A run then takes time quadratic in its length.
    Always,
    /// After about one step in 64, chosen by the digest.
    Sampled,
}

/// All that a node knows: the inputs that its core was given, newest first, and
/// the digest of the core.
pub struct Replica<C> {
    node: NodeId,
    cluster: Cluster,
    inputs: Inputs,
    digest: Packet,
    ticket: Ticket,
    core: PhantomData<fn() -> C>,
}

/// A list of inputs, newest first. Lists share their ends.
#[derive(Clone, Default)]
struct Inputs(Option<Arc<Link>>);

struct Link {
    given: Given,
    before: Inputs,
}

/// An input of a core.
#[derive(Clone)]
enum Given {
    /// What a new core says before anything happened.
    Start,
    Request(OperationId, Call),
    Receive(NodeId, Packet),
    Timer,
}

/// What a core did with one input.
struct Done {
    answers: Vec<(OperationId, Completion)>,
    sends: Vec<(NodeId, Vec<u8>)>,
}

impl<C: Core> Foreign<C> {
    /// The strategy of this core. It is rechecked always in builds with debug
    /// assertions, such as tests, and sampled in others.
    pub fn new() -> Self {
        let recheck = if cfg!(debug_assertions) { Recheck::Always } else { Recheck::Sampled };
        Foreign { recheck, core: PhantomData }
    }

    /// The same, rechecked like this.
    #[must_use]
    pub fn rechecked(self, recheck: Recheck) -> Self {
        Foreign { recheck, ..self }
    }
}

impl<C: Core> Default for Foreign<C> {
    fn default() -> Self {
        Foreign::new()
    }
}

// Derived, these would ask the same of the core.
impl<C> Clone for Foreign<C> {
    fn clone(&self) -> Self {
        Foreign { ..*self }
    }
}

impl<C> Clone for Replica<C> {
    fn clone(&self) -> Self {
        Replica {
            inputs: self.inputs.clone(),
            digest: Arc::clone(&self.digest),
            ticket: self.ticket.clone(),
            ..*self
        }
    }
}

impl<C> PartialEq for Replica<C> {
    fn eq(&self, other: &Self) -> bool {
        (self.node, self.cluster, &self.digest) == (other.node, other.cluster, &other.digest)
    }
}

impl<C> Eq for Replica<C> {}

impl<C> Hash for Replica<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.node, self.cluster, &self.digest).hash(state);
    }
}

impl<C> Debug for Replica<C> {
    /// Equal replicas look alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with digest {:016x}", self.node, hash(&self.digest))
    }
}

impl Drop for Inputs {
    /// One link after the other: the links of a long list would overflow the stack
    /// if each dropped the next.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.before.0.take();
        }
    }
}

impl Inputs {
    fn oldest_first(&self) -> Vec<&Given> {
        let mut all: Vec<_> =
            std::iter::successors(self.0.as_deref(), |link| link.before.0.as_deref())
                .map(|link| &link.given)
                .collect();
        all.reverse();
        all
    }
}

impl Given {
    /// Gives this to a core.
    fn to<C: Core>(&self, core: &mut C) -> Done {
        let mut answers = Vec::new();
        match self {
            Given::Start => {}
            Given::Request(operation, call) => match core.request(*operation, call) {
                Answer::Ok(value) => answers.push((*operation, Completion::Ok(value))),
                Answer::Failed => answers.push((*operation, Completion::Fail)),
                Answer::Pending => {}
            },
            Given::Receive(from, bytes) => core.receive(*from, bytes),
            Given::Timer => core.timer(),
        }
        answers.extend(core.finished());
        Done { answers, sends: core.outgoing() }
    }
}

impl<C: Core> Replica<C> {
    /// How many inputs lead to it.
    #[cfg(test)]
    pub(super) fn length(&self) -> usize {
        self.inputs.oldest_first().len()
    }

    /// A core that was given the inputs.
    fn rebuilt(&self) -> C {
        let mut core = C::new(self.node, &self.cluster);
        for given in self.inputs.oldest_first() {
            given.to(&mut core);
        }
        self.agrees("a digest", core.digest() == *self.digest);
        core
    }

    fn agrees(&self, what: &str, does: bool) {
        assert!(
            does,
            "the core is not deterministic: {what} of `{}` at {} differs when the same inputs \
             are given to a new core (or its digest leaves out what an earlier input changed)",
            C::name(),
            self.node
        );
    }

    /// Does the step with a new core, and compares.
    fn recheck(&self, given: &Given, done: &Done, digest: &[u8]) {
        let mut core = self.rebuilt();
        let again = given.to(&mut core);
        self.agrees("an answer", again.answers == done.answers);
        self.agrees("a message", again.sends == done.sends);
        self.agrees("a digest", core.digest() == *digest);
    }
}

impl<C: Core> Strategy for Foreign<C> {
    type Replica = Replica<C>;
    type Message = Packet;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new(C::name())
    }

    fn datatype(&self) -> &'static str {
        C::datatype()
    }

    fn boot(&self, node: NodeId, cluster: &Cluster) -> Replica<C> {
        let core = C::new(node, cluster);
        Replica {
            node,
            cluster: *cluster,
            inputs: Inputs::default(),
            digest: core.digest().into(),
            ticket: Ticket::keep(core),
            core: PhantomData,
        }
    }

    fn step(&self, replica: &mut Replica<C>, input: Input<Self>, effects: &mut Effects<Self>) {
        if C::TIMER && matches!(input, Input::Start | Input::Recovered | Input::Timer(_)) {
            effects.arm(PERIODIC);
        }
        let given = match input {
            Input::Start => Given::Start,
            Input::Request { operation, call, .. } => Given::Request(operation, call),
            Input::Receive { from, message, .. } => Given::Receive(from, message),
            Input::Timer(_) => Given::Timer,
            Input::Recovered
            | Input::Persisted(_)
            | Input::Cancelled(_)
            | Input::Suspect(_)
            | Input::Command(_) => {
                return;
            }
        };
        let mut core = replica.ticket.take().unwrap_or_else(|| replica.rebuilt());
        let done = given.to(&mut core);
        let digest = core.digest();
        if self.recheck == Recheck::Always || hash(&digest).is_multiple_of(SAMPLED) {
            replica.recheck(&given, &done, &digest);
        }
        replica.ticket = Ticket::keep(core);
        let nothing = done.answers.is_empty() && done.sends.is_empty();
        if !nothing || digest != *replica.digest {
            let before = replica.inputs.clone();
            replica.inputs = Inputs(Some(Arc::new(Link { given, before })));
            replica.digest = digest.into();
        }
        for (to, bytes) in done.sends {
            effects.send(to, bytes.into());
        }
        for (operation, completion) in done.answers {
            effects.reply(operation, completion);
        }
    }

    fn label(&self, message: &Packet) -> String {
        C::label(message)
    }

    fn show(&self, replica: &Replica<C>) -> Option<Vec<Part>> {
        Some(vec![Part::Field(C::name(), replica.rebuilt().show())])
    }

    fn serves(&self, call: &Call, node: NodeId, cluster: &Cluster) -> bool {
        C::serves(call, node, cluster)
    }
}
