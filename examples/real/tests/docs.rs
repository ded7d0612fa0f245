//! Every story in docs/real.md is what the command above it prints.
//!
//! `SNAPSHOTS=overwrite cargo test --test docs` writes the present output into it.

use std::fs;
use std::path::Path;
use std::process::Command;

const PROMPT: &str = "$ cargo run --release -- ";

/// What a command prints here, with its exit code below.
fn printed(words: &str) -> Vec<String> {
    let done = Command::new(env!("CARGO_BIN_EXE_quiescence-real"))
        .args(words.split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("COLUMNS")
        .output()
        .expect("the program can be run");
    let text = String::from_utf8(done.stdout).expect("output is text");
    let mut lines: Vec<_> = text.trim_end().lines().map(|line| line.trim_end().into()).collect();
    let exit = done.status.code().expect("it ends by itself");
    lines.extend((exit != 0).then(|| format!("# exit {exit}")));
    lines
}

#[test]
fn every_story_is_what_its_command_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/real.md");
    let document = fs::read_to_string(&path).expect("the document is there");
    let mut present = Vec::new();
    let mut lines = document.lines();
    let mut commands = 0;
    while let Some(line) = lines.next() {
        present.push(line.to_owned());
        let Some(words) = line.strip_prefix(PROMPT) else { continue };
        commands += 1;
        present.extend(printed(words));
        lines.by_ref().find(|line| *line == "```").expect("a block ends");
        present.push("```".to_owned());
    }
    let present = present.join("\n") + "\n";
    if std::env::var("SNAPSHOTS").is_ok_and(|how| how == "overwrite") {
        fs::write(&path, &present).expect("the document can be written");
    } else {
        assert_eq!(document, present);
    }
    assert!(commands >= 6, "the document tells every finding");
}
