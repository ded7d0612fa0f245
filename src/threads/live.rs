//! A cluster on real threads that is asked as it goes, and told when its
//! timers fire: for a caller who owns a clock.
//!
//! The calls are not known beforehand: each session's script grows as it asks,
//! and [`Live::stop`] hands back the whole as a [`ThreadRun`].
//!
//! Invariant: what the observer is told, in its order, is what the record
//! says.

use crate::history::{Call, Completion, NodeId};
use crate::replication::Strategy;
use crate::world::{Planned, Routing, Script, SessionId, Setting, Workload};

use super::engine::{Client, Engine};
use super::sync::{Arc, Outside, thread};
use super::{Observer, ThreadRun};

/// A running cluster whose types have been forgotten.
pub trait Live: Send + Sync {
    /// Asks `node` as `session` and waits for the answer. Sessions come into
    /// being in order: the next new one has the number of those before it.
    ///
    /// None if there is no answer: the node does not serve the call, the record
    /// has ended ([`CutShort`](super::CutShort)), or nothing is on its way that
    /// could bring one. An operation in the record may be without an answer
    /// for the last reason only; its session has ended and is given none any
    /// more.
    ///
    /// # Panics
    /// If `session` is beyond the next new one, is being asked by another
    /// thread, or if there is no such node.
    fn invoke(&self, session: SessionId, node: NodeId, call: Call) -> Option<Completion>;

    /// Fires every armed timer once, in order of node and timer.
    fn fire_timers(&self);

    /// How many events have happened.
    fn events(&self) -> usize;

    /// Waits until no message is in flight, ends the threads, and hands back
    /// what happened.
    fn stop(self: Box<Self>) -> ThreadRun;
}

/// Starts a cluster. The record ends after `events_max` events; `observer` is
/// told each of them.
///
/// # Panics
/// If the setting allows faults.
pub fn start<S: Strategy>(
    strategy: &S,
    setting: &Setting,
    events_max: usize,
    observer: Observer,
) -> Box<dyn Live> {
    let engine = Arc::new(Engine::new(strategy.clone(), setting, events_max, Some(observer)));
    let replicas = engine.serve();
    let sessions = Outside::new(Vec::new());
    Box::new(Running { engine, replicas, sessions, setting: setting.clone() })
}

struct Running<S: Strategy> {
    engine: Arc<Engine<S>>,
    replicas: Vec<thread::JoinHandle<()>>,
    sessions: Outside<Vec<Session<S>>>,
    setting: Setting,
}

struct Session<S: Strategy> {
    /// Away while it asks, and for good when it is not answered.
    client: Option<Client<S>>,
    ended: bool,
    script: Script,
}

impl<S: Strategy> Running<S> {
    /// Takes a session's client to ask with; none if the session has ended.
    fn borrow(&self, session: SessionId, node: NodeId) -> Option<Client<S>> {
        self.sessions.with(|sessions| {
            assert!(session.index() <= sessions.len(), "sessions come into being in order");
            if session.index() == sessions.len() {
                let client = Some(self.engine.client());
                let script = Script { node, operations: Vec::new() };
                sessions.push(Session { client, ended: false, script });
            }
            let session = &mut sessions[session.index()];
            assert!(
                session.ended || session.client.is_some(),
                "a session asks one thing at a time"
            );
            session.client.take()
        })
    }

    /// Puts it back, with what it asked.
    fn give_back(&self, client: Client<S>, node: NodeId, call: Call, answered: bool) {
        self.sessions.with(|sessions| {
            let session = &mut sessions[client.session.index()];
            let Script { node: own, operations } = &mut session.script;
            if usize::from(client.invoked) > operations.len() {
                let node = (node != *own).then_some(node);
                operations.push(Planned { call, node });
                session.ended = !answered;
            }
            if !session.ended {
                session.client = Some(client);
            }
        });
    }
}

impl<S: Strategy> Live for Running<S> {
    fn invoke(&self, session: SessionId, node: NodeId, call: Call) -> Option<Completion> {
        assert!(node.index() < self.engine.cluster.size(), "there is no node {node}");
        let mut client = self.borrow(session, node)?;
        self.engine.journal.with(|journal| journal.enter(1));
        let answer = self.engine.call(&mut client, node, &call);
        self.give_back(client, node, call, answer.is_some());
        self.engine.leave();
        answer
    }

    fn fire_timers(&self) {
        self.engine.fire_timers();
    }

    fn events(&self) -> usize {
        self.engine.journal.with(|journal| journal.schedule.len())
    }

    fn stop(self: Box<Self>) -> ThreadRun {
        self.engine.quiesce();
        self.engine.stop();
        for replica in self.replicas {
            replica.join().expect("threads of the cluster do not panic");
        }
        let scripts = self.sessions.with(std::mem::take).into_iter().map(|session| session.script);
        let workload = Workload { sessions: scripts.collect() };
        let mut planned = workload.sessions.iter().flat_map(|script| &script.operations);
        let routing = match planned.any(|planned| planned.node.is_some()) {
            true => Routing::Roaming,
            false => Routing::Sticky,
        };
        self.engine.record(Setting { routing, ..self.setting }, workload)
    }
}
