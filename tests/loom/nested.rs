//! The notebook's synchronous call deadlocks, and the record of locks tells
//! who waits for whom. A deadlock under loom can end the process, so it is
//! looked for in a child.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use quiescence::replication::notebook::{Notebook, Variant};
use quiescence::threads::{locks, nested};

use super::explore::{builder, cluster, scripts};

const STORING: Notebook = Notebook { variant: Variant::Storing };

/// Names the record to the child.
const RECORD: &str = "QUIESCENCE_LOCKS";

/// Explores all interleavings of these scripts, with the record of each in
/// `file`.
fn explore_nested(file: File, texts: &[&str]) {
    let workload = scripts(texts);
    let file = Arc::new(Mutex::new(file));
    builder(None).check(move || {
        let file = Arc::clone(&file);
        let sink = move |line: &str| {
            let mut file = file.lock().expect("nobody panics with it");
            file.write_all(format!("{line}\n").as_bytes()).expect("the record can be written");
        };
        let answers = nested::run(&STORING, &cluster(2, &workload), &workload, Arc::new(sink));
        assert!(answers.iter().zip(&workload.sessions).all(|(a, s)| a.len() == s.operations.len()));
    });
}

/// Runs this very test in a child that explores. Whether it came to an end, and
/// the record.
fn in_a_child(test: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder for the record");
    let path = folder.path().join("locks");
    let child = Command::new(std::env::current_exe().expect("this test is a program"))
        .args([test, "--exact", "--test-threads=1"])
        .env(RECORD, &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the child starts");
    (child.success(), std::fs::read_to_string(&path).expect("the child left a record"))
}

/// In the child, the record to write.
fn record() -> Option<File> {
    let path = std::env::var_os(RECORD)?;
    Some(OpenOptions::new().create_new(true).write(true).open(path).expect("a new file"))
}

#[test]
fn two_clients_of_the_synchronous_notebook_can_wait_for_each_other() {
    if let Some(file) = record() {
        return explore_nested(file, &["n1: x=1", "n2: x=2"]);
    }
    let test = "nested::two_clients_of_the_synchronous_notebook_can_wait_for_each_other";
    let (ended_well, record) = in_a_child(test);
    assert!(!ended_well, "the child found no deadlock");
    let runs = record.matches("begin\n").count();
    let deadlock = locks::deadlock(&record).expect("a record of locks").expect("a deadlock");
    println!("deadlock in execution {runs}: {deadlock}");
    let told = deadlock.to_string();
    assert_eq!(told, "c1 holds n1 and waits for n2, c2 holds n2 and waits for n1");
}

/// No interleaving of these scripts deadlocks.
#[track_caller]
fn never_waits_for_ever(test: &str, texts: &[&str]) {
    if let Some(file) = record() {
        return explore_nested(file, texts);
    }
    let (ended_well, record) = in_a_child(&format!("nested::{test}"));
    assert!(ended_well, "the child failed; its record ends with: {:?}", record.lines().last());
    println!("{texts:?}, nested: {} executions, COMPLETE", record.matches("begin\n").count());
    assert_eq!(locks::deadlock(&record), Ok(None));
}

#[test]
fn one_client_of_the_synchronous_notebook_never_waits_for_ever() {
    let test = "one_client_of_the_synchronous_notebook_never_waits_for_ever";
    never_waits_for_ever(test, &["n1: x=1 x=2@n2 x"]);
}

#[test]
fn clients_that_call_in_one_direction_never_wait_for_ever() {
    let test = "clients_that_call_in_one_direction_never_wait_for_ever";
    never_waits_for_ever(test, &["n1: x=1", "n1: x=2 x@n2"]);
}
