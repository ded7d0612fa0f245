//! Golden texts: what people see, to the letter.

use snapbox::{Assert, Data, assert::Action, file};

use super::runner::Place;
use crate::support::overwrites;

pub fn same(actual: &str, expected: Data) {
    let words = Assert::new().action_env("SNAPSHOTS").action(Action::Verify);
    let words = if overwrites() { words.action(Action::Overwrite) } else { words };
    words.eq(actual, expected);
}

#[test]
fn a_counterexample_of_the_notebook() {
    let said = Place::new().run("check notebook:storing --seed 0x5eed91c4");
    assert_eq!(said.code, Some(1));
    same(&said.out, file!["golden/check-notebook-storing.txt"]);
}

#[test]
fn all_variants_of_the_notebook() {
    let said = Place::new().run("check notebook --seed 1 --runs 100");
    assert_eq!(said.code, Some(1));
    same(&said.out, file!["golden/check-notebook.txt"]);
}

#[test]
fn a_session_that_roams() {
    let said =
        Place::new().run("check primary-backup:reads=local --routing roaming -m mr --seed 7");
    assert_eq!(said.code, Some(1));
    same(&said.out, file!["golden/check-roaming.txt"]);
}

#[test]
fn a_replay_with_states() {
    let (place, _) = Place::with_case();
    let said = place.run("replay cases/notebook-storing-eventual.json --step");
    assert_eq!(said.code, Some(1));
    same(&said.out, file!["golden/replay-step.txt"]);
    let said = place.run("replay cases/notebook-storing-eventual.json --until 3");
    same(&said.out, file!["golden/replay-until.txt"]);
}

#[test]
fn a_case_a_model_and_a_strategy_in_prose() {
    let (place, _) = Place::with_case();
    let mut all = String::new();
    for subject in ["cases/notebook-storing-eventual.json", "causal", "async-primary"] {
        let said = place.run(&format!("explain {subject}"));
        assert_eq!(said.code, Some(0));
        all.push_str(&format!("$ quiescence explain {subject}\n{}\n", said.out));
    }
    same(&all, file!["golden/explain.txt"]);
}

#[test]
fn everything_that_has_a_name() {
    let said = Place::new().run("list");
    assert_eq!(said.code, Some(0));
    same(&said.out, file!["golden/list.txt"]);
}

#[test]
fn the_help_names_every_exit_code() {
    let said = Place::new().run("--help");
    assert_eq!(said.code, Some(0));
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "130 "] {
        assert!(said.out.contains(&format!("\n  {code}")), "{code}: {}", said.out);
    }
    let said = Place::new().run("");
    assert_eq!(said.code, Some(2));
}

#[test]
fn a_shell_and_the_manual_get_their_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = Place::new().run(&format!("completions {shell}"));
        assert_eq!(said.code, Some(0));
        assert!(said.out.contains("replay"), "{shell}");
    }
    let said = Place::new().run("man");
    assert_eq!(said.code, Some(0));
    assert!(said.out.starts_with(".ie") && said.out.contains("Exit codes"), "{}", said.out);
}
