//! Explores the interleavings of scripts on the mailbox transport.
//!
//! Models only collect what they recorded; it is replayed and judged outside,
//! each distinct run once.
#![expect(clippy::disallowed_methods, reason = "prints how long an exploration took")]

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use quiescence::history::{Completion, Value};
use quiescence::replication::Subject;
use quiescence::search::enumerate::Outcome;
use quiescence::threads::{ThreadRun, mailbox};
use quiescence::world::{FaultPlan, Network, Routing, SessionId, Setting, Workload};
use rustc_hash::FxHashMap;

/// So many nodes, FIFO, nothing goes wrong.
pub fn cluster(nodes: u16, workload: &Workload) -> Setting {
    let mut planned = workload.sessions.iter().flat_map(|script| &script.operations);
    let routing = match planned.any(|planned| planned.node.is_some()) {
        true => Routing::Roaming,
        false => Routing::Sticky,
    };
    Setting { nodes, network: Network::Fifo, faults: FaultPlan::default(), routing }
}

pub fn scripts(text: &str) -> Workload {
    text.parse().expect("the text is in the notation")
}

/// What came of an exploration.
pub struct Explored {
    /// Each distinct run, with the number of the execution that found it.
    pub runs: Vec<(u64, ThreadRun)>,
    /// Whether every interleaving was explored.
    pub complete: bool,
}

/// A model builder that cannot stop early and call it success.
pub fn builder(preemptions: Option<usize>) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.preemption_bound = preemptions;
    builder
}

/// Explores with at most this many preemptions, or all interleavings.
pub fn explore(
    strategy: &dyn Subject,
    nodes: u16,
    workload: &Workload,
    preemptions: Option<usize>,
) -> Explored {
    let explored = explore_within(u64::MAX, strategy, nodes, workload, preemptions);
    explored.expect("nobody counts so far")
}

/// The same, unless there are more executions than this.
pub fn explore_within(
    executions_max: u64,
    strategy: &dyn Subject,
    nodes: u16,
    workload: &Workload,
    preemptions: Option<usize>,
) -> Option<Explored> {
    const TOO_MANY: &str = "too many executions";
    let begun = Instant::now();
    let found = Arc::new(Mutex::new((0_u64, FxHashMap::<ThreadRun, u64>::default())));
    let model = {
        let (strategy, workload, found) = (strategy.erased(), workload.clone(), Arc::clone(&found));
        move || {
            let run = mailbox::run(&strategy, &cluster(nodes, &workload), &workload);
            let executions = {
                let mut found = found.lock().expect("nobody panics with it");
                found.0 += 1;
                let execution = found.0;
                found.1.entry(run).or_insert(execution);
                execution
            };
            // loom itself has no way to stop that does not look like the end.
            if executions >= executions_max {
                panic::panic_any(TOO_MANY);
            }
        }
    };
    if let Err(why) = panic::catch_unwind(AssertUnwindSafe(|| builder(preemptions).check(model))) {
        match why.downcast_ref::<&str>() {
            Some(&TOO_MANY) => return None,
            _ => panic::resume_unwind(why),
        }
    }
    let found = std::mem::take(&mut *found.lock().expect("nobody panics with it"));
    let (executions, found) = found;
    let mut runs: Vec<_> = found.into_iter().map(|(run, execution)| (execution, run)).collect();
    runs.sort_by_key(|(execution, _)| *execution);
    let complete = preemptions.is_none();
    let coverage = match preemptions {
        None => "COMPLETE".to_owned(),
        Some(bound) => format!("BOUNDED (preemptions: {bound})"),
    };
    let (name, distinct, seconds) =
        (strategy.strategy_name(), runs.len(), begun.elapsed().as_secs_f32());
    println!("{name}: {executions} executions, {distinct} distinct, {seconds:.1} s, {coverage}");
    Some(Explored { runs, complete })
}

impl Explored {
    /// The outcomes, each run having been replayed and ended in the world.
    pub fn outcomes(&self, strategy: &dyn Subject) -> BTreeSet<Outcome> {
        let outcome = |(_, recorded): &(u64, ThreadRun)| {
            assert_eq!(recorded.cut_short, None);
            let run = recorded.replay(strategy).unwrap_or_else(|why| panic!("{why}"));
            Outcome::of(&run, &recorded.workload)
        };
        self.runs.iter().map(outcome).collect()
    }
}

/// An outcome in one line: the answers of each client in turn, `ok` for a
/// write, then the final reads in order of node: `A ok 1, B ok; 1 1`.
pub fn line(outcome: &Outcome) -> String {
    let mut clients: Vec<String> = Vec::new();
    for (operation, completion) in &outcome.clients {
        if operation.number == 0 {
            clients.push(SessionId(operation.session).to_string());
        }
        let answer = match completion {
            Completion::Ok(Value::Null) => "ok".to_owned(),
            Completion::Ok(value) => value.to_string(),
            other => format!("{other:?}"),
        };
        let client = clients.last_mut().expect("operations are in order");
        client.push_str(&format!(" {answer}"));
    }
    let finals = outcome.finals.iter().map(|(.., value)| match value {
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    });
    format!("{}; {}", clients.join(", "), finals.collect::<Vec<_>>().join(" "))
}
