//! What fuzzing has found, and seeds that once were findings of tests, run
//! through the same assertions as ordinary tests.

use std::fs;
use std::path::Path;

#[path = "../fuzz/bodies.rs"]
mod bodies;

fn replay_all(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("every target has a folder of findings")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has at least a seed");
    for path in paths {
        body(&fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())));
    }
}

#[test]
fn case_files_that_fuzzing_has_found() {
    replay_all("case_file", bodies::case_file);
}

#[test]
fn history_texts_that_fuzzing_has_found() {
    replay_all("history_text", bodies::history_text);
}

#[test]
fn schedules_that_fuzzing_has_found() {
    replay_all("schedule", bodies::schedule);
}

/// A deterministic spray of bytes: a fuzzer for machines without one.
#[test]
fn any_bytes_make_a_run_that_ends_and_replays() {
    let mut state = 0x5eed_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).expect("8 bits")
    };
    for _ in 0..3_000 {
        let length = 8 + usize::from(next() % 120);
        let bytes: Vec<u8> = (0..length).map(|_| next()).collect();
        bodies::schedule(&bytes);
    }
}
