//! The notebook's synchronous call: a message is handled by its receiver
//! while the sender's lock is held.
//!
//! There is no inbox and no thread of a replica's own: a client locks the
//! replica it asks and steps it, and for every message locks the receiver and
//! steps that, before it lets go. Two clients that do so from both ends wait
//! for each other for ever; so does one whose call comes back to a replica it
//! holds. That is what this transport is for.
//!
//! Every lock is written down *before* it is attempted, because under loom a
//! deadlock can end the whole process: [`super::locks`] reads that record.

use crate::history::{Completion, NodeId};
use crate::replication::{Cluster, Effects, OperationId, Strategy};
use crate::world::component::{LocalInput, NodeOf, boot, local_step};
use crate::world::{Script, Setting, Workload};

use super::locks::{Holder, Line};
use super::sync::{Arc, Mutex, lock, thread};

/// Is given the record of locks, line by line.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Why a node is visited.
enum Errand<S: Strategy> {
    Input(LocalInput<S>),
    Message(NodeId, S::Message),
}

struct Nested<S: Strategy> {
    strategy: S,
    cluster: Cluster,
    nodes: Vec<Mutex<NodeOf<S>>>,
    sink: Sink,
}

/// Runs `workload` on threads, one a client, and hands back the answers of
/// each session. Does not return if clients wait for each other.
///
/// A handler that panics ends its client's script. Clocks stand still.
///
/// # Panics
/// If the setting allows faults.
pub fn run<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    workload: &Workload,
    sink: Sink,
) -> Vec<Vec<Completion>> {
    assert!(setting.faults.budget.is_none(), "nothing goes wrong on threads but their order");
    let cluster = Cluster::of(setting.nodes);
    sink(&Line::Begin.to_string());
    let nodes = cluster.nodes().map(|node| Mutex::new(boot(strategy, node, &cluster, 0)));
    let nested = Nested { strategy: strategy.clone(), cluster, nodes: nodes.collect(), sink };
    let nested = Arc::new(nested);
    for node in cluster.nodes() {
        nested.visit(Holder::START, node, Errand::Input(LocalInput::Start));
    }
    let ask = |(session, script): (u16, &Script)| {
        let (nested, script) = (Arc::clone(&nested), script.clone());
        thread::spawn(move || nested.ask_all(session, &script))
    };
    let clients: Vec<_> = (0..).zip(&workload.sessions).map(ask).collect();
    let answers = clients.into_iter().map(|client| client.join());
    answers.map(|answers| answers.expect("clients do not panic")).collect()
}

impl<S: Strategy> Nested<S> {
    fn ask_all(&self, session: u16, script: &Script) -> Vec<Completion> {
        let mut answers = Vec::new();
        let mut token = S::Token::default();
        for (number, planned) in (0..).zip(&script.operations) {
            let node = planned.node.unwrap_or(script.node);
            if !self.strategy.serves(&planned.call, node, &self.cluster) {
                break;
            }
            let operation = OperationId { session, number };
            let input = LocalInput::Request(operation, planned.call.clone(), token);
            let replies = self.visit(Holder::of(session), node, Errand::Input(input));
            let reply = replies.into_iter().find(|(to, ..)| *to == operation);
            let Some((_, completion, next)) = reply else { break };
            answers.push(completion);
            token = next;
        }
        answers
    }

    /// Steps a node and, while its lock is held, all that this makes others
    /// do. The answers that were given on the way.
    fn visit(
        &self,
        who: Holder,
        node: NodeId,
        errand: Errand<S>,
    ) -> Vec<(OperationId, Completion, S::Token)> {
        self.tell(Line::Wants(who, node));
        let mut local = lock(&self.nodes[node.index()]);
        self.tell(Line::Has(who, node));
        let input = match errand {
            Errand::Input(input) => input,
            Errand::Message(from, message) => {
                local.inbox.push((from, message));
                LocalInput::Deliver(0)
            }
        };
        let mut effects = Effects::new();
        let mut replies = Vec::new();
        if local_step(&self.strategy, &mut local, input, 0, &mut effects).is_ok() {
            let own = effects.replies.drain(..);
            replies.extend(own.map(|reply| (reply.operation, reply.completion, reply.token)));
            for (to, message) in effects.sends.drain(..) {
                replies.extend(self.visit(who, to, Errand::Message(node, message)));
            }
        }
        self.tell(Line::Leaves(who, node));
        replies
    }

    fn tell(&self, line: Line) {
        (self.sink)(&line.to_string());
    }
}
