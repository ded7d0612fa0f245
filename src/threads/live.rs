//! A cluster on real threads whose caller sends operations while it runs and
//! decides when timers fire: for a caller that has a clock.
//!
//! The calls are not known in advance: the script of a session grows with each
//! call, and [`Live::stop`] returns the whole run as a [`ThreadRun`].
//!
//! Invariant: the observer sees the events of the record, in their order.

use crate::history::{Call, NodeId};
use crate::replication::Strategy;
use crate::replication::Subject;
use crate::world::{Planned, Routing, Script, SessionId, Setting, Workload};

use super::engine::{Client, Engine, Heard};
use super::sync::{Arc, Outside, thread};
use super::{Observer, ThreadRun};

/// A running cluster whose types have been forgotten.
pub trait Live: Send + Sync {
    /// Sends a call of `session` to `node` and waits for the answer. Sessions
    /// begin in order: a new one has the next free number.
    ///
    /// It does not wait longer than anything can happen: see [`Heard::Waits`].
    /// A session that waits asks nothing, and hears the same again, until its
    /// operation has been answered after all. That answer is in the record,
    /// and the observer is told of it.
    ///
    /// # Panics
    /// If `session` is beyond the next new one, is being asked by another
    /// thread, or if there is no such node.
    fn invoke(&self, session: SessionId, node: NodeId, call: Call) -> Heard;

    /// Fires every armed timer once, in order of node and timer.
    fn fire_timers(&self);

    /// How many events have happened.
    fn events(&self) -> usize;

    /// Waits until no message is in flight, ends the threads, and returns what
    /// happened.
    fn stop(self: Box<Self>) -> ThreadRun;
}

/// Starts a cluster. The record ends after `events_max` events; `observer` is
/// called with each of them.
///
/// # Panics
/// If the setting allows faults.
pub fn start(
    strategy: &dyn Subject,
    setting: &Setting,
    events_max: usize,
    observer: Observer,
) -> Box<dyn Live> {
    let engine = Arc::new(Engine::new(strategy.erased(), setting, events_max, Some(observer)));
    let replicas = engine.serve();
    let sessions = Outside::new(Vec::new());
    Box::new(Running { engine, replicas, sessions, setting: setting.clone() })
}

struct Running {
    engine: Arc<Engine>,
    replicas: Vec<thread::JoinHandle<()>>,
    sessions: Outside<Vec<Session>>,
    setting: Setting,
}

struct Session {
    /// `None` while it is in use.
    client: Option<Client>,
    script: Script,
}

impl Running {
    /// Takes the client of a session out, with the number of its next
    /// operation.
    fn borrow(&self, session: SessionId, node: NodeId) -> (Client, u16) {
        self.sessions.with(|sessions| {
            assert!(session.index() <= sessions.len(), "sessions come into being in order");
            if session.index() == sessions.len() {
                let client = Some(self.engine.client());
                sessions.push(Session { client, script: Script { node, operations: Vec::new() } });
            }
            let Session { client, script } = &mut sessions[session.index()];
            let client = client.take().expect("a session asks one thing at a time");
            (client, u16::try_from(script.operations.len()).expect("operations are few"))
        })
    }

    /// Runs a function on a session.
    fn with_session<R>(&self, session: SessionId, work: impl FnOnce(&mut Session) -> R) -> R {
        self.sessions.with(|sessions| work(&mut sessions[session.index()]))
    }
}

impl Live for Running {
    fn invoke(&self, session: SessionId, node: NodeId, call: Call) -> Heard {
        let Engine { strategy, cluster, journal, .. } = &*self.engine;
        assert!(node.index() < cluster.size(), "there is no node {node}");
        let served = strategy.serves(&call, node, cluster);
        let (mut client, number) = self.borrow(session, node);
        journal.with(|journal| journal.enter(1));
        let heard = if self.engine.waits(&mut client) {
            self.engine.unanswered()
        } else if !served {
            Heard::Refused
        } else if self.engine.ask(&mut client, number, node, &call) {
            self.with_session(session, |Session { script, .. }| {
                let node = (node != script.node).then_some(node);
                script.operations.push(Planned { call, node });
            });
            self.engine.wait(&mut client)
        } else {
            Heard::Ended
        };
        self.with_session(session, |kept| kept.client = Some(client));
        self.engine.leave();
        heard
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
