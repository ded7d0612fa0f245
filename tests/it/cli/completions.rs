//! Completion scripts know all that has a name, and bash completes by them.

use std::process::Command;

use super::runner::Place;

const NAMES: [&str; 7] = [
    "notebook:storing",
    "abd:write-back=never",
    "monotonic-reads",
    "strong-convergence",
    "set:add-wins",
    "give_up",
    "persistent",
];

#[test]
fn the_scripts_name_strategies_models_datatypes_and_faults() {
    for shell in ["bash", "zsh"] {
        let said = Place::new().run(&format!("completions {shell}"));
        assert_eq!(said.code, Some(0));
        // (In zsh a colon ends what it is in.)
        let script = said.out.replace("\\:", ":");
        let missing: Vec<_> = NAMES.iter().filter(|name| !script.contains(**name)).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
    let fish = Place::new().run("completions fish").out;
    assert!(fish.contains("monotonic-reads") && fish.contains("give_up"), "{fish}");
}

/// What is a name for the shell is no limit for the command line.
#[test]
fn other_spellings_than_the_completed_ones_are_taken() {
    let line = "check notebook:variant=storing --model Read_Your_Writes --faults drop=0 --runs 10";
    let said = Place::new().run(&format!("{line} --search random"));
    assert_eq!(said.code, Some(0), "{said:?}");
}

/// A line up to the cursor, and what bash offers for its last word, from the last of the
/// breaks of readline on.
const COMPLETED: [(&str, &str); 13] = [
    ("che", "check"),
    (
        "check note",
        "notebook notebook:as-written notebook:call-error notebook:echo notebook:storing notebook:wrong-key",
    ),
    ("check notebook:st", "storing"),
    ("check --runs 10 abd:write-back=", "always never"),
    ("check abd:write-back=n", "never"),
    ("check abd --model lin", "lin linearisable linearizability linearizable"),
    ("check abd --model dur", "durable"),
    ("check abd --faults cr", "crash"),
    ("verify history.jsonl --datatype set:a", "add-wins"),
    ("explain strong-c", "strong-convergence"),
    ("explain abd:write-back=n", "never"),
    // No option is in the way of files.
    ("replay cas", ""),
    ("replay --un", "--until"),
];

#[cfg(unix)]
#[test]
fn bash_completes_words_with_colons_in_them() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_quiescence");
    let mut script = format!(
        "source <({program} completions bash)
         registered=$(complete -p quiescence) && function=${{registered#*-F }}
         try() {{
             COMP_LINE=$1 COMP_POINT=${{#1}} COMPREPLY=()
             ${{function%% *}} quiescence
             echo \"${{COMPREPLY[*]}}\"
         }}\n"
    );
    for (line, _) in COMPLETED {
        script += &format!("try 'quiescence {line}'\n");
    }
    let mut bash = Command::new("bash");
    let bash = bash.args(["--noprofile", "--norc", "-c", &script]);
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("there is no bash: whether it completes is NOT tested");
        return;
    }
    let said = place.run_by(bash);
    assert_eq!(said.err, "");
    let offered: Vec<_> = said.out.lines().collect();
    let expected = COMPLETED.map(|(_, offered)| offered);
    assert_eq!(offered, expected);
}
