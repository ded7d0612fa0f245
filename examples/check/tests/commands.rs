//! The commands of the tutorial end as it says, and the case that it keeps is the one that
//! they write.

use std::path::Path;
use std::process::Command;

/// Runs a command in a folder of its own: its exit code, and the case that it writes there.
fn run(words: &str, name: &str) -> (Option<i32>, Option<String>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier test left there is not what this command writes.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let done = Command::new(env!("CARGO_BIN_EXE_check"))
        .args(words.split_whitespace())
        .current_dir(&folder)
        .output()
        .expect("the program can be run");
    let case = std::fs::read_to_string(folder.join("cases/likes-eventual.json"));
    (done.status.code(), case.ok())
}

#[test]
fn the_promise_is_kept() {
    assert_eq!(run("check likes --keys 1", "kept"), (Some(0), None));
}

#[test]
fn a_lost_message_is_found_and_written_to_the_case_that_is_kept() {
    let (exit, case) = run("check likes --keys 1 --faults drop=1", "lost");
    assert_eq!(exit, Some(1));
    assert_eq!(case.as_deref(), Some(include_str!("cases/likes-eventual.json")));
}
