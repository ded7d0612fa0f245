//! Evidence that people and programs can take along: the counterexample as a recording of its
//! own, and the orders of a witness.

use std::path::Path;

use serde_json::Value as Json;

use super::runner::{Place, Said, read};
use super::verify::compare_and_set;

fn json(said: &Said) -> Json {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// The verdict on one model: what it is, and how it fails.
fn verdict(place: &Place, line: &str, model: &str) -> (Json, Json) {
    let all = json(&place.run(&format!("{line} --format json")));
    let verdicts = all["verdicts"].as_array().expect("a list");
    let own = verdicts.iter().find(|one| one["model"] == *model).expect("it was asked for");
    (own["verdict"].clone(), own["kind"].clone())
}

#[test]
fn a_saved_counterexample_is_a_recording_that_judges_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut saved = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("the corpus can be listed").path();
        let text =
            if path.extension().is_some_and(|it| it == "json") { read(&path) } else { continue };
        let (events, _) = text.trim_end().rsplit_once('\n').expect("events and a last line");
        let place = Place::new();
        place.write("whole.jsonl", events);
        for model in ["eventual", "ryw", "mr", "ccv", "linearizable", "sequential"] {
            let line = format!("verify whole.jsonl --model {model}");
            let said = place.run(&format!("{line} --save-counterexample part.jsonl"));
            let (whole, kind) = verdict(&place, &line, model);
            if whole != "violated" {
                assert!(said.err.contains("part.jsonl is not written"), "{said:?}");
                continue;
            }
            saved += 1;
            assert!(said.err.contains(&format!("verify part.jsonl --model {model}")), "{said:?}");
            let part = verdict(&place, &format!("verify part.jsonl --model {model}"), model);
            assert_eq!(part, (whole, kind), "{model} of {}", path.display());
            std::fs::remove_file(place.path("part.jsonl")).expect("it was written");
        }
    }
    assert!(saved > 40, "{saved}");
}

#[test]
fn counterexamples_of_other_objects_judge_the_same_with_the_same_options() {
    let mut violated = 0;
    for seed in 0..20 {
        let place = Place::new();
        place.write("whole.edn", compare_and_set(seed, true));
        let said = place.run("verify whole.edn --save-counterexample part.jsonl");
        if said.code == Some(0) {
            continue;
        }
        violated += 1;
        let whole = verdict(&place, "verify whole.edn", "linearizable");
        let part = verdict(&place, "verify part.jsonl --model linearizable", "linearizable");
        assert_eq!(part, whole, "seed {seed}: {said:?}");
    }
    assert!(violated > 10, "{violated}");

    let place = Place::new();
    let lost = r#"{"process":0,"f":"add","key":"s","value":2,"invoke":1,"return":2}
{"process":1,"f":"read","key":"s","value":[1],"invoke":3,"return":4}
"#;
    place.write("set.jsonl", lost);
    let said = place.run("verify set.jsonl --initial [1] --save-counterexample part.jsonl");
    assert!(said.err.contains("--model linearizable with the same --initial"), "{said:?}");
    let line = "verify part.jsonl --initial [1]";
    let whole = verdict(&place, "verify set.jsonl --initial [1]", "linearizable");
    assert_eq!(verdict(&place, line, "linearizable"), whole);
    assert_eq!(whole.0, "violated");
}

#[test]
fn programs_are_told_which_usual_models_were_not_asked() {
    let place = Place::new();
    place.write("whole.edn", compare_and_set(1, true));
    let all = json(&place.run("verify whole.edn --format json"));
    let names = |list: &Json| list.as_array().expect("a list").len();
    assert_eq!(names(&all["verdicts"]) + names(&all["not_asked"]), 8, "{all:#}");
    assert!(names(&all["not_asked"]) > 0, "{all:#}");
}

#[test]
fn who_cannot_write_or_judges_several_is_told() {
    let place = Place::new();
    let stale = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}
{"process":1,"f":"read","key":"x","value":null,"invoke":30,"return":40}
"#;
    place.write("a.jsonl", stale);
    let said = place.run("verify a.jsonl a.jsonl --save-counterexample part.jsonl");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("--save-counterexample takes one recording"), "{said:?}");
    let said = place.run("verify a.jsonl --save-counterexample no/such/folder.jsonl");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("folder.jsonl cannot be written"), "{said:?}");
}

#[test]
fn a_witness_is_told_in_order_and_for_programs_by_position() {
    let place = Place::new();
    let well = r#"{"process":1,"f":"read","key":"x","value":1,"invoke":5,"return":40}
{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}
"#;
    place.write("a.jsonl", well);
    let said = place.run("verify a.jsonl --model linearizable --witness");
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = "witness of linearizable, order of operations\n  process 0 wrote x=1 (a.jsonl:2)\n  \
                process 1 read x and saw 1 (a.jsonl:1)\n";
    assert!(said.out.contains(told), "{said:?}");
    let all = json(&place.run("verify a.jsonl --model linearizable --witness --format json"));
    assert_eq!(all["verdicts"][0]["witness"]["orders"], serde_json::json!([[1, 0]]));
    let said = place.run("verify a.jsonl --model linearizable");
    assert!(!said.out.contains("witness"), "{said:?}");
}
