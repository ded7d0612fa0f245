//! docs/mutants.md is what the exam finds, with what the catalogue tells.
//!
//! `SNAPSHOTS=overwrite cargo test --test it docs::mutants` writes it.

use std::path::Path;

use quiescence::catalogue::{Mutant, Registry};
use quiescence::report::table::setting_text;
use quiescence::report::verdict::property_name;
use serde_json::Value as Json;

use super::run;
use super::schema::complaints_of;
use crate::documents::{check_region, head, root, row};
use crate::support::mutant_case;

/// The exam, as JSON, and its exit code.
fn exam() -> (Json, i32) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let words: Vec<_> = EXAM.split(' ').map(str::to_owned).collect();
    let (lines, exit) = run(Path::new(env!("CARGO_BIN_EXE_quiescence")), &words, folder.path());
    // What is for the waiting user comes last.
    let end = lines.iter().position(|line| line == "}").expect("JSON ends with a bracket");
    (serde_json::from_str(&lines[..=end].join("\n")).expect("JSON"), exit)
}

const EXAM: &str = "check --mutants --seed 0x5eed91c4 --format json";

fn text<'j>(of: &'j Json, name: &str) -> &'j str {
    of[name].as_str().unwrap_or_else(|| panic!("{name} is a text: {of}"))
}

/// The line of a mutant in the table.
fn line(mutant: &Mutant, found: &Json) -> String {
    let actions = |of: &Json| match of["actions"].as_u64() {
        Some(1) => "1 action".to_owned(),
        Some(many) => format!("{many} actions"),
        None => "–".to_owned(),
    };
    let searched = match found["exhaustive"]["states"].as_u64() {
        Some(states) => format!("{}, {states} states", actions(&found["exhaustive"])),
        None => "–".to_owned(),
    };
    let sampled = match found["random"]["run"].as_u64() {
        Some(run) => format!("{}, run {run}", actions(&found["random"])),
        None => "–".to_owned(),
    };
    let kept: Vec<_> = mutant.keeps.iter().map(property_name).collect();
    let proved = if found["repaired"]["proved"] == true { "proved" } else { "sampled" };
    row(&[
        format!("[`{}`](../tests/cases/v1/{})", mutant.strategy, mutant_case(mutant)),
        format!("{} ({})", property_name(&mutant.property), mutant.flaw),
        searched,
        sampled,
        kept.join(", "),
        format!("`{}`, {proved}", mutant.bug.repaired),
    ])
}

/// What is told of a mutant.
fn story(mutant: &Mutant) -> [String; 5] {
    let Mutant { strategy, bug, setting, .. } = mutant;
    [
        format!("**`{strategy}`**: {}.", bug.title),
        bug.story.to_owned(),
        format!("Shown with {}. Source: {}.", setting_text(setting), bug.source),
        String::new(),
        String::new(),
    ]
}

#[test]
fn the_exam_is_passed_and_told() {
    let (found, exit) = exam();
    assert_eq!(exit, 0, "{found:#}");
    assert_eq!(complaints_of("results", &found), Vec::<String>::new());
    let found = found["mutants"].as_array().expect("a list");
    let registry = Registry::standard();
    let mutants: Vec<_> = registry.families().iter().flat_map(|family| &family.mutants).collect();
    let names: Vec<_> = mutants.iter().map(|mutant| mutant.strategy.as_str()).collect();
    assert_eq!(found.iter().map(|one| text(one, "strategy")).collect::<Vec<_>>(), names);
    let columns = ["mutant and its case", "violates", "exhaustive", "random", "keeps", "repaired"];
    let mut lines = head(&columns).to_vec();
    lines.extend(mutants.iter().zip(found).map(|(mutant, found)| line(mutant, found)));
    for mutant in &mutants {
        assert!(
            root().join("tests/cases/v1").join(mutant_case(mutant)).exists(),
            "{}",
            mutant_case(mutant)
        );
    }
    check_region("docs/mutants.md", "exam", &lines);
    let mut told: Vec<_> = mutants.iter().flat_map(|mutant| story(mutant)).collect();
    told.truncate(told.len() - 2);
    check_region("docs/mutants.md", "stories", &told);
}
