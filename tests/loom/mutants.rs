//! The mutants of the catalogue on threads: the script of each committed case, run in
//! interleaving after interleaving until one shows the bug.
//!
//! `SNAPSHOTS=overwrite` writes what comes of it into docs/mutants.md.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quiescence::catalogue::{Mutant, Registry};
use quiescence::hunt::case::read;
use quiescence::hunt::property::judge;
use quiescence::threads::mailbox;
use quiescence::world::{Faults, Planned, Script, Workload};

use super::documents::{check_region, head, root, row};
use super::explore::{builder, cluster};
use super::support::mutant_case;

/// After so many interleavings without the bug a script is given up.
const EXECUTIONS: u64 = 300;

/// Preemptions in an interleaving: with two a thread can be stopped, overtaken and resumed.
const PREEMPTIONS: usize = 2;

/// `n1: write x=1, read x; n2: write x=2`.
fn script(workload: &Workload) -> String {
    let of_session = |Script { node, operations }: &Script| {
        let planned = |it: &Planned| match it.node {
            Some(node) => format!("{} at {node}", it.call),
            None => it.call.to_string(),
        };
        format!("{node}: {}", operations.iter().map(planned).collect::<Vec<_>>().join(", "))
    };
    workload.sessions.iter().map(of_session).collect::<Vec<_>>().join("; ")
}

/// The threads of a model, for nodes and clients; loom itself is one more.
const THREADS: usize = 4;

/// The script of the committed case, and in which execution it first shows the bug.
///
/// Nothing if it takes too many threads.
fn convicted(mutant: &Mutant) -> Option<(String, Option<u64>)> {
    const SHOWN: &str = "it shows the bug";
    const TOO_MANY: &str = "too many executions";
    let registry = Registry::standard();
    let subject = registry.parse(&mutant.strategy).expect("it is registered").remove(0);
    let datatype = registry.datatype_of(&*subject).expect("it is known");
    let path = root().join("tests/cases/v1").join(mutant_case(mutant));
    let case = read::read(&fs::read_to_string(path).expect("it is committed")).expect("a case");
    if usize::from(mutant.setting.nodes) + case.workload.sessions.len() > THREADS {
        return None;
    }
    let executions = Arc::new(AtomicU64::new(0));
    let model = {
        let strategy = subject.erased();
        let setting = cluster(mutant.setting.nodes, &case.workload);
        let (workload, property) = (case.workload.clone(), mutant.property.clone());
        let (executions, flaw) = (Arc::clone(&executions), mutant.flaw);
        move || {
            if executions.fetch_add(1, Ordering::Relaxed) >= EXECUTIONS {
                panic::panic_any(TOO_MANY);
            }
            let recorded = mailbox::run(&strategy, &setting, &workload);
            let run = recorded.replay(&strategy).unwrap_or_else(|why| panic!("{why}"));
            if judge(&run, &property, datatype).flaw() == Some(flaw) {
                panic::panic_any(SHOWN);
            }
        }
    };
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let end = panic::catch_unwind(AssertUnwindSafe(|| builder(Some(PREEMPTIONS)).check(model)));
    panic::set_hook(quiet);
    let found = match end.as_ref().map_err(|why| why.downcast_ref::<&str>()) {
        Ok(()) | Err(Some(&TOO_MANY)) => None,
        Err(Some(&SHOWN)) => Some(executions.load(Ordering::Relaxed)),
        Err(_) => {
            let why = end.expect_err("it is an error");
            panic!("{}: {:?}", mutant.strategy, why.downcast_ref::<&str>())
        }
    };
    Some((script(&case.workload), found))
}

#[test]
fn mutants_are_convicted_on_threads_by_the_scripts_of_their_cases() {
    let registry = Registry::standard();
    let mutants = registry.families().iter().flat_map(|family| &family.mutants);
    let calm = mutants.filter(|mutant| mutant.setting.faults.budget == Faults::NONE);
    let mut lines = head(&["mutant", "script", "first shown in execution"]).to_vec();
    let (mut all, mut shown) = (0, 0);
    for mutant in calm {
        let Some((script, found)) = convicted(mutant) else { continue };
        all += 1;
        if let Some(execution) = found {
            shown += 1;
            lines.push(row(&[format!("`{}`", mutant.strategy), script, execution.to_string()]));
        }
    }
    println!("{shown} of {all} mutants are shown within {EXECUTIONS} executions");
    assert!(shown * 2 >= all, "most of them are found: {shown} of {all}");
    check_region("docs/mutants.md", "threads", &lines);
}
