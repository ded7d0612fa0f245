//! `check` as an assertion: what a failing test says, and that no doubt passes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use quiescence::catalogue::Registry;
use quiescence::cli::assert_holds;

use super::runner::Place;

const FAILS: &str = "QUIESCENCE_ASSERTION_FAILS";

/// With this variable in the environment it is a test of a user that fails.
#[test]
fn the_test_of_a_user() {
    if std::env::var(FAILS).is_ok() {
        assert_holds(&Registry::standard(), "notebook:storing --model eventual --runs 10");
    }
}

#[test]
fn a_failing_test_says_what_check_says_and_saves_the_case() {
    let place = Place::new();
    let mut test = Command::new(std::env::current_exe().expect("this test has a file"));
    test.args(["--exact", "cli::assertion::the_test_of_a_user", "--nocapture"])
        .env(FAILS, "1")
        .env("CARGO_PKG_NAME", "mine");
    let said = place.run_by(test.current_dir(place.path("")));
    assert_eq!(said.code, Some(101), "{said:?}");
    for told in [
        "check notebook:storing --model eventual --runs 10\nviolated\n",
        "write x=1 ─▶ ● x=1",
        "they will never agree",
        "saved        cases/notebook-storing-eventual.json",
        "replay       mine replay cases/notebook-storing-eventual.json",
        "tests/it/cli/assertion.rs",
    ] {
        assert!(said.err.contains(told), "{told}: {}", said.err);
    }
    assert!(place.path("cases/notebook-storing-eventual.json").exists());
}

#[test]
fn what_holds_passes_and_what_is_not_known_to_hold_does_not() {
    let registry = Registry::standard();
    assert_holds(&registry, "multi-primary-lww --model eventual --runs 50 --states 2000");
    for (words, told) in [
        ("abd --time 0s", "unknown\n"),
        ("abd --search random --runs 0", "nothing-checked\n"),
        ("notebok", "did you mean `notebook`?"),
        ("abd --nodes many", "invalid value 'many'"),
        ("abd --format junit", "takes no --format"),
    ] {
        let failed = catch_unwind(AssertUnwindSafe(|| assert_holds(&registry, words)));
        let said = failed.expect_err(words).downcast::<String>().expect("it is a text");
        assert!(said.starts_with(&format!("check {words}\n")) && said.contains(told), "{said}");
    }
}
