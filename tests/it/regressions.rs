//! Inputs that fuzzing found, and seeds that tests found, run through the same
//! assertions as ordinary tests.

use std::fs;
use std::path::Path;

use crate::bodies;

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

#[test]
fn recordings_that_fuzzing_has_found() {
    replay_all("recording", bodies::recording);
}

#[test]
fn what_was_printed_and_found_by_fuzzing() {
    replay_all("printed", bodies::printed);
}

/// A deterministic stream of bytes, for machines without a fuzzer.
fn spray() -> impl FnMut() -> u8 {
    let mut state = 0x5eed_u64;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).expect("8 bits")
    }
}

#[test]
fn any_bytes_are_a_recording_or_are_refused() {
    let mut next = spray();
    let seeds = [
        &include_bytes!("../recordings/register-with-keys.edn")[..],
        include_bytes!("../recordings/set-with-nemesis.edn"),
        include_bytes!("../recordings/completions.edn"),
        include_bytes!("../recordings/drained.edn"),
        include_bytes!("../recordings/etcd.log"),
        include_bytes!("../recordings/kv.txt"),
        include_bytes!("../../fuzz/regressions/recording/events"),
        b"process,type,f,key,time\n0,invoke,read,x,1716548040.123456789\n0,ok,read,x,1.8e9\n",
        br#"{"process":0,"f":"enqueue","key":"x","value":1,"invoke":1,"return":9}
{"process":1,"f":"drain","key":"x","value":[1,null,2],"invoke":2,"return":9}
{"process":4294967295,"f":"drain","key":"x","value":[3],"invoke":4,"type":"info"}
"#,
        br#"{"process":0,"f":"cas","key":"x","argument":[1,2],"value":"mismatch","invoke":1,"return":9}"#,
    ];
    let odd = b"{}[]()\"\\:;#_, \n\0\xff\x80-09ekx";
    for round in 0..6_000 {
        // A sample, cut short and changed in a few places, or only random
        // characters.
        let mut bytes = seeds[round % seeds.len()].to_vec();
        bytes.truncate(1 + (usize::from(next()) * 256 + usize::from(next())) % bytes.len());
        for _ in 0..1 + next() % 4 {
            let at = (usize::from(next()) * 256 + usize::from(next())) % bytes.len();
            let new = odd[usize::from(next()) % odd.len()];
            match next() % 3 {
                0 => bytes[at] = new,
                1 => bytes.insert(at, new),
                _ => bytes[at] = next(),
            }
        }
        if round % 8 == 7 {
            bytes = (0..next()).map(|_| odd[usize::from(next()) % odd.len()]).collect();
        }
        bodies::recording(&bytes);
        bodies::printed(&bytes);
    }
}

#[test]
fn any_bytes_make_a_run_that_ends_and_replays() {
    let mut next = spray();
    for _ in 0..3_000 {
        let length = 8 + usize::from(next() % 120);
        let bytes: Vec<u8> = (0..length).map(|_| next()).collect();
        bodies::schedule(&bytes);
    }
}
