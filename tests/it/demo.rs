//! The `demo` command.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The output of the experiment and the exit code.
fn demo(arguments: &[&str]) -> (String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quiescence"))
        .arg("demo")
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut output = child.stdout.take().expect("it is piped");
    let (done, text) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        done.send(output.read_to_string(&mut text).map(|_| text))
    });
    // An experiment that hangs must fail its test and not block it.
    let Ok(text) = text.recv_timeout(Duration::from_secs(60)) else {
        child.kill().expect("it still runs");
        panic!("the experiment hangs");
    };
    (text.expect("text"), child.wait().expect("it has ended").code())
}

#[test]
fn the_notebook_as_written_is_seen_to_diverge() {
    let (text, exit) = demo(&["--speed", "200"]);
    for wanted in [
        "A writes key0=\"v0\" at n1: ok",
        "n1→n2 #1 store key0=\"v0\"",
        "B reads key0 at n1: \"v0\"",
        "B reads key0 at n2: null",
        "FAIL  eventual (diverged)",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in:\n{text}");
    }
    assert_eq!(exit, Some(1));
}

#[test]
fn last_writer_wins_converges_however_slow_the_machine() {
    let (text, exit) = demo(&["--strategy", "multi-primary-lww", "--speed", "200"]);
    assert!(text.contains("ok    eventual"), "{text}");
    // On a slow machine the reader may reach n2 too early. The violation is
    // then seen, and the exit code reports it.
    assert_eq!(exit, Some(i32::from(text.contains("FAIL"))), "{text}");
}

#[test]
fn a_record_that_is_full_ends_the_experiment() {
    let arguments = ["--strategy", "primary-backup:primary", "--duration", "600s"];
    let (text, exit) = demo(&[&arguments[..], &["--speed", "2000"]].concat());
    let why = "recording has stopped: the limit of 500 events was reached";
    assert!(text.contains(why), "{text}");
    assert_eq!(exit, Some(0), "{text}");
}

#[test]
fn several_strategies_are_too_many() {
    let (_, exit) = demo(&["--strategy", "notebook"]);
    assert_eq!(exit, Some(2));
}
