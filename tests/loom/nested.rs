//! The notebook's synchronous call deadlocks, and the record of locks tells
//! who waits for whom.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use quiescence::replication::Subject;
use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::threads::{locks, nested};

use super::explore::{builder, cluster, scripts};
use super::unruly::Unruly;

const STORING: Notebook = Notebook { variant: Variant::Storing };

/// How these scripts end, over all interleavings.
#[track_caller]
fn end(strategy: &dyn Subject, text: &str, wanted: &[&str]) {
    let workload = scripts(text);
    let found = Arc::new(Mutex::new((0, BTreeSet::new())));
    let model = {
        let (strategy, found) = (strategy.erased(), Arc::clone(&found));
        move || {
            let run = nested::run(&strategy, &cluster(2, &workload), &workload);
            let waits = locks::deadlock(&run.record);
            let told = match run.ending {
                nested::Ending::Done => format!("{} answers", run.answers.len()),
                nested::Ending::Deadlock(ref deadlock) => deadlock.to_string(),
                nested::Ending::CutShort(why) => why.to_string(),
            };
            let mut found = found.lock().expect("nobody panics with it");
            assert_eq!(waits.map_or("none".to_owned(), |waits| waits.to_string()) == told, {
                !told.ends_with("answers")
            });
            found.0 += 1;
            found.1.insert(told);
        }
    };
    builder(None).check(model);
    let (executions, endings) = std::mem::take(&mut *found.lock().expect("nobody panics with it"));
    println!("{text}, nested: {executions} executions, COMPLETE");
    let wanted: BTreeSet<_> = wanted.iter().map(|&ending| ending.to_owned()).collect();
    assert_eq!(endings, wanted);
}

#[test]
fn two_clients_of_the_synchronous_notebook_can_wait_for_each_other() {
    let deadlock = "c1 holds n1 and waits for n2, c2 holds n2 and waits for n1";
    end(&STORING, "n1: wx1 | n2: wx2", &["2 answers", deadlock]);
}

#[test]
fn one_client_of_the_synchronous_notebook_never_waits_for_ever() {
    end(&STORING, "n1: wx1 wx2@n2 rx", &["3 answers"]);
}

#[test]
fn clients_that_call_in_one_direction_never_wait_for_ever() {
    end(&STORING, "n1: wx1 | n1: wx2 rx@n2", &["3 answers"]);
}

#[test]
fn a_node_that_sends_to_itself_waits_for_nobody() {
    end(&Unruly::Itself, "n1: rx rx | n1: rx", &["3 answers"]);
}
