//! `demo`, as it is called.
#![cfg(all(not(loom), feature = "cli"))]

use std::process::Command;

/// The output of the experiment, sped up, and the exit code.
fn demo(arguments: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_quiescence"))
        .args(["demo", "--speed", "200"])
        .args(arguments)
        .output()
        .expect("the binary runs");
    (String::from_utf8(output.stdout).expect("text"), output.status.code())
}

#[test]
fn the_notebook_as_written_is_seen_to_diverge() {
    let (text, exit) = demo(&[]);
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
    let (text, exit) = demo(&["--strategy", "multi-primary-lww"]);
    assert!(text.contains("ok    eventual"), "{text}");
    // On a machine that stalls the reader may be early at n2: that is seen, and
    // told by the exit code.
    assert_eq!(exit, Some(i32::from(text.contains("FAIL"))), "{text}");
}

#[test]
fn several_strategies_are_too_many() {
    let (_, exit) = demo(&["--strategy", "notebook"]);
    assert_eq!(exit, Some(2));
}
