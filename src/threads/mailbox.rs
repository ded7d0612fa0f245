//! Runs scripts on threads to their end: one thread per client and per replica.
//!
//! It ends when nothing can happen any more: every client has asked all of its
//! script, or waits for an answer that no message in flight can bring. There
//! is no sleep, no timeout and no clock in it, so a strategy that needs a
//! timer to answer leaves its client without an answer, as in the world before
//! it settles. An operation that its node refuses is passed over, as there.

use crate::replication::Subject;
use crate::world::{Setting, Workload};

use super::engine::{Client, Engine, Heard};
use super::journal::Journal;
use super::sync::{Arc, thread};
use super::{Served, ThreadRun, served};

/// How many events a run may have. It guards against strategies that are never
/// quiet: what is still in flight then is left to the world's settling.
pub const EVENTS_MAX: usize = 1_000;

/// Runs `workload` on threads and waits until all is quiet.
///
/// Links are FIFO, which is one of the orders of an unordered network, so
/// `setting` may name either.
///
/// # Panics
/// If the setting allows faults. A handler that panics does not: it ends the
/// record.
pub fn run(strategy: &dyn Subject, setting: &Setting, workload: &Workload) -> ThreadRun {
    let strategy = &strategy.erased();
    let engine = Arc::new(Engine::new(strategy.clone(), setting, EVENTS_MAX, None));
    engine.journal.with(|journal| journal.enter(workload.sessions.len()));
    let replicas = engine.serve();
    // The last client is the calling thread, which has nothing else to do.
    let served = workload.sessions.iter().map(|script| served(strategy, setting, script));
    let sessions = served.map(|script| (engine.client(), script));
    let mut sessions: Vec<_> = sessions.collect();
    let last = sessions.pop();
    let clients: Vec<_> = sessions
        .into_iter()
        .map(|(client, script)| {
            let engine = Arc::clone(&engine);
            thread::spawn(move || ask_all(&engine, client, &script))
        })
        .collect();
    if let Some((client, script)) = last {
        ask_all(&engine, client, &script);
    }
    engine.quiesce();
    engine.stop();
    for thread in clients.into_iter().chain(replicas) {
        thread.join().expect("threads of the cluster do not panic");
    }
    engine.record(setting.clone(), workload.clone())
}

fn ask_all(engine: &Engine, mut client: Client, script: &[Served]) {
    for (number, node, call) in script {
        let asked = engine.ask(&mut client, *number, *node, call);
        if !asked || !matches!(engine.wait(&mut client), Heard::Answer(_)) {
            break;
        }
    }
    engine.leave();
}

impl Engine {
    /// What happened so far, in this setting and with these calls.
    pub(super) fn record(&self, setting: Setting, workload: Workload) -> ThreadRun {
        self.journal.with(|Journal { schedule, answers, cut_short, .. }| ThreadRun {
            setting,
            workload,
            schedule: schedule.clone(),
            answers: answers.clone(),
            cut_short: cut_short.clone(),
        })
    }
}
