//! `verify`: recorded histories judged from the command line.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use quiescence::history::formats::{Follower, Options};
use serde_json::Value as Json;

use super::runner::{Place, Said, line, read};
use crate::docs::schema::complaints_of;

/// Two clients write, then one reads the older value: not linearizable.
const STALE: &str = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}
{"process":1,"f":"write","key":"x","value":2,"invoke":30,"return":40}
{"process":2,"f":"read","key":"x","value":1,"invoke":50,"return":60}
"#;

fn verify(text: &str, words: &str) -> Said {
    let place = Place::new();
    place.write("history.jsonl", text);
    place.run(&format!("verify history.jsonl {words}"))
}

fn json(said: &Said) -> Json {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[test]
fn every_verdict_of_the_corpus_is_reached_under_the_names_of_the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("the corpus can be listed").path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        files += 1;
        let text = read(&path);
        let (events, last) = text.trim_end().rsplit_once('\n').expect("events and a last line");
        let last: Json = serde_json::from_str(last).expect("JSON");
        let said = verify(events, "--all --format json");
        assert_eq!(said.code, Some(0), "{said:?}");
        let all = json(&said);
        let verdicts = all["verdicts"].as_array().expect("a list");
        for (name, expected) in last["expected"].as_object().expect("verdicts") {
            let Some(holds) = expected.as_bool() else {
                assert_eq!(all[name], *expected, "{name} of {}", path.display());
                continue;
            };
            let found: Vec<_> = verdicts.iter().filter(|one| one["model"] == **name).collect();
            let word = if holds { "holds" } else { "violated" };
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0]["verdict"], word, "{name} of {}", path.display());
            assert_eq!(found[0]["rechecked"], true, "{name} of {}", path.display());
        }
    }
    assert_eq!(files, 45);
}

#[test]
fn a_violation_is_told_with_the_lines_that_show_it() {
    let said = verify(STALE, "--model linearizable --model ryw");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("read 3 operations of 3 processes"), "{said:?}");
    assert!(said.out.contains("✗ FAILS"), "{said:?}");
    assert!(said.out.contains("lines 1, 2, 3:"), "{said:?}");
    assert!(said.out.contains("weakest that fail     linearizable"), "{said:?}");
    assert!(!said.out.contains("the fast procedure"), "{said:?}");
    let all = json(&verify(STALE, "--model lin --format json"));
    assert_eq!(all["verdicts"][0]["lines"], serde_json::json!([1, 2, 3]));
    assert_eq!(all["verdicts"][0]["minimal"], true);
    assert_eq!(all["verdicts"][0]["rechecked"], true);
    assert_eq!(all["strongest"], serde_json::json!([]));
}

#[test]
fn without_a_model_the_usual_ones_are_judged() {
    let said = verify(STALE, "");
    assert_eq!(said.code, Some(1), "{said:?}");
    for name in ["eventual consistency", "read-your-writes", "monotonic-reads", "mr_mw", "mr_wfr"] {
        assert!(said.out.contains(name), "{name}: {said:?}");
    }
    assert!(said.out.contains("judged without final reads"), "{said:?}");
    assert!(said.out.contains("strongest that hold   ccv"), "{said:?}");
}

#[test]
fn a_survey_that_decides_everything_exits_with_0_whatever_it_finds() {
    let said = verify(STALE, "--all");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("guarantees           g    s    r    g!"), "{said:?}");
    assert!(said.out.contains("ryw+mr+mw+wfr        ✓"), "{said:?}");
}

#[test]
fn what_is_not_decided_exits_with_3_and_says_its_budget() {
    // Values repeat, so that the search has something to do.
    let mut text = String::new();
    for at in 0..60_u64 {
        let (process, value) = (at % 20, at % 2);
        let f = if at % 3 == 0 { "write" } else { "read" };
        let (begun, ended) = (10 + at / 20 * 100, 90 + at / 20 * 100 + at % 20);
        text.push_str(&format!(
            "{{\"process\":{process},\"f\":\"{f}\",\"key\":\"x\",\"value\":{value},\"invoke\":{begun},\"return\":{ended}}}\n"
        ));
    }
    let said = verify(&text, "--model linearizable --steps 3");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("? unknown"), "{said:?}");
    assert!(said.out.contains("of 3 steps"), "{said:?}");
    assert!(said.out.contains("not by the fast procedure: some value"), "{said:?}");
    assert_eq!(verify(&text, "--all --steps 3").code, Some(3));
    // With time the budget grows until it is enough.
    let said = verify(&text, "--model linearizable --steps 3 --time 60s");
    assert!(matches!(said.code, Some(0 | 1)), "{said:?}");
}

#[test]
fn a_history_without_an_answer_exits_with_4() {
    let writes = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}"#;
    for text in [writes, ""] {
        let said = verify(text, "");
        assert_eq!(said.code, Some(4), "{said:?}");
        assert!(said.out.contains("nothing was checked"), "{said:?}");
    }
}

#[test]
fn what_operations_mean_can_be_said_and_what_has_no_meaning_is_refused() {
    let cart = r#"{"process":0,"f":"add","key":"c","value":1,"invoke":10,"return":20}
{"process":1,"f":"remove","key":"c","value":2,"invoke":30,"return":40}
{"process":2,"f":"read","key":"c","value":[],"invoke":50,"return":60,"type":"ok","final":true}
"#;
    let said = verify(cart, "--model eventual");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("what concurrent adds and removes of a set mean"), "{said:?}");
    let said = verify(cart, "--model eventual --datatype or-set");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("(lost) lines 1, 3: process 0 asked for `add c=1`"), "{said:?}");
    let twice = r#"{"process":0,"f":"write","key":"x","value":[["w",0,1]],"invoke":0,"return":1}"#;
    let strange = r#"{"process":0,"f":"frob","key":"\u001b[31m","invoke":0,"return":1}"#;
    for (text, words, wanted) in [
        (cart, "--datatype g-set", "line 2: `remove c=2` is nothing that a set:grow-only does"),
        (cart, "--datatype counter", "line 2: `remove c=2` is nothing that a counter does"),
        (cart, "--datatype ad-wins", "did you mean `set:add-wins`?"),
        (cart, "--datatype set --follow", "cannot be used with"),
        (
            twice,
            "--datatype register",
            "line 1: `write x=[[\"w\",0,1]]` is nothing that a register",
        ),
        (strange, "--datatype register", "line 1: `frob "),
    ] {
        let said = verify(text, words);
        assert_eq!(said.code, Some(2), "{words}: {said:?}");
        assert!(said.err.contains(wanted), "{words}: {said:?}");
        assert!(!said.err.contains('\u{1b}') && said.out.is_empty(), "{words}: {said:?}");
    }
    // Of several recordings the others are judged all the same.
    let place = Place::new();
    place.write("cart.jsonl", cart);
    place.write("stale.jsonl", STALE);
    let said = place.run("verify cart.jsonl stale.jsonl --datatype register");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("cart.jsonl: line 1: `add c=1`"), "{said:?}");
    assert!(said.out.contains("stale.jsonl: read 3 operations"), "{said:?}");
}

#[test]
fn what_objects_held_at_first_can_be_said_and_is_suggested() {
    let early = r#"{"process":0,"f":"read","key":"x","value":0,"invoke":10,"return":20}"#;
    let said = verify(early, "");
    assert_eq!(said.code, Some(1), "{said:?}");
    let hint = "hint                  perhaps the initial value is 0? --initial 0";
    assert!(said.out.contains(hint), "{said:?}");
    let said = verify(early, "--initial 0");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.out.contains("hint"), "{said:?}");
    // Explanations use the values of the recording.
    let said = verify(early, "--initial 1 --model linearizable");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("process 0 read x and saw 0, which nobody"), "{said:?}");
    assert!(!said.out.contains("hint"), "{said:?}");
    let text = early.replace("\"value\":0", "\"value\":\"v\"");
    let all = json(&verify(&text, "--format json"));
    assert_eq!(all["hint"], "perhaps the initial value is \"v\"? --initial '\"v\"'");
    assert_eq!(json(&verify(STALE, "--format json"))["hint"], Json::Null);
    let said = verify(early, "--initial nothing");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("a value is JSON: null, an integer, a text between quotes"),
        "{said:?}"
    );
    let counter = r#"{"process":0,"f":"inc","key":"x","invoke":10,"return":20}"#;
    let said = verify(counter, "--initial null");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("history.jsonl: a counter cannot hold null at first"), "{said:?}");
}

#[test]
fn a_linearization_is_evidence_for_models_that_nothing_else_decides() {
    let judged = |text: &str| {
        let said = Place::new().run_words(&["verify", text, "--model", "ryw", "--format", "json"]);
        let verdicts = json(&said)["verdicts"].clone();
        let all = verdicts.as_array().expect("a list");
        assert!(all.iter().all(|one| one["model"] != "linearizable"), "nobody asked for it");
        (said.code, verdicts[0]["from"].clone())
    };
    assert_eq!(judged("wx1 [cas]x=[1,2] rx2"), (Some(0), "linearizable".into()));
    // What is not linearizable may still be read-your-writes.
    assert_eq!(judged("wx1 | [cas]x=[1,2] | rx1 @ 001122"), (Some(3), Json::Null));
}

#[test]
fn counters_that_count_too_little_or_too_much_are_told() {
    let place = Place::new();
    let told = |text: &str| {
        let said = place.run_words(&["verify", text, "--format", "json"]);
        json(&said)["sums"].clone()
    };
    // An increment was lost; a decrement that had failed was counted, or a retry twice.
    let lost = told("[add]c=5 | [add]c=-1~ | rc=2 | rc=7 @ 00112233");
    assert_eq!(lost["lowest"], serde_json::json!({ "read": 2, "bound": "5", "by": "3" }));
    assert_eq!(lost["highest"], serde_json::json!({ "read": 3, "bound": "5", "by": "2" }));
    assert_eq!((&lost["low"], &lost["high"]), (&1.into(), &1.into()));
    assert!(told("[add]c=5 | rc=5 @ 0011").is_null());
    let said = place.run_words(&["verify", "[add]c=5 | rc=2 @ 0011"]);
    let line = "counted too little   1 of 1 read, by up to 3: process 1 read c and saw 2";
    assert!(said.out.contains(line), "{said:?}");
    // What it held at first counts.
    let said = place.run_words(&["verify", "[add]c=5 | rc=8 @ 0011", "--initial", "3"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn what_a_type_was_taken_for_is_told_where_another_has_the_same_operations() {
    let line = |process, f, value, at| line(process, f, "x", value, [at, at + 1]);
    let twice = [line(0, "acquire", "null", 0), line(1, "acquire", "null", 2)].join("\n");
    let hint = "it was taken for a lock; if several may hold it at once: --datatype semaphore";
    assert!(
        json(&verify(&twice, "--format json"))["hint"]
            .as_str()
            .is_some_and(|it| it.starts_with(hint))
    );
    assert!(verify(&twice, "").out.contains("it was taken for a lock"));
    assert!(!verify(&twice, "--datatype lock").out.contains("taken for"));
    assert_eq!(verify(&twice, "--datatype semaphore --initial 2").code, Some(0));
    let out_of_order = [("enqueue", "1"), ("enqueue", "2"), ("dequeue", "2"), ("dequeue", "1")];
    let lines: Vec<String> =
        (0..).step_by(2).zip(out_of_order).map(|(at, (f, value))| line(0, f, value, at)).collect();
    let said = verify(&lines.join("\n"), "");
    let hint =
        "it was taken for a queue; if it may answer in any order: --datatype unordered-queue";
    assert!(said.out.replace("\n                      ", " ").contains(hint), "{said:?}");
    assert_eq!(verify(&lines.join("\n"), "--datatype unordered-queue").code, Some(0));
    let typed = |text: &str| json(&Place::new().run_words(&["verify", text, "--format", "json"]));
    let told = |text: &str, hint: &str| {
        let said = typed(text);
        assert!(said["hint"].as_str().is_some_and(|it| it.contains(hint)), "{said}");
    };
    told("wx=1 wx=2 rx=[2]", "--datatype mv-register");
    told(r#"wm=["a",1] rm=[["a",1]]"#, "--datatype map:register");
    // Lists that somebody wrote are values.
    let said = typed("wx=[1] wx=[2] rx=[1]");
    assert!(said["hint"].is_null(), "{said}");
    // What holds needs no hint.
    assert!(!verify(&lines[..2].join("\n"), "").out.contains("hint"));
}

#[test]
fn only_queues_are_drained() {
    let drain = r#"{"process":0,"f":"push","key":"s","value":1,"invoke":10,"return":20}
        {"process":0,"f":"drain","key":"s","value":[1],"invoke":30,"return":40}"#;
    for datatype in ["stack", "opaque", "queue,s=stack"] {
        let said = verify(drain, &format!("--datatype {datatype}"));
        let name = datatype.trim_start_matches("queue,s=");
        let wanted = format!("history.jsonl: line 2: `drain` is nothing that a {name} does");
        assert!(said.code == Some(2) && said.err.contains(&wanted), "{said:?}");
    }
    let queue = drain.replace("push", "enqueue");
    for datatype in ["queue", "unordered-queue", "stack,s=queue"] {
        let said = verify(&queue, &format!("--model linearizable --datatype {datatype}"));
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}

#[test]
fn a_window_is_refused_where_nothing_is_followed() {
    for words in ["--window 5", "--window 5 --all", "--window 5 --memory 1GB"] {
        let said = verify(STALE, words);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("--window <N>"), "{said:?}");
    }
}

#[test]
fn a_violation_is_one_though_nothing_was_read() {
    let queue = r#"{"process":0,"f":"enqueue","key":"q","value":1,"invoke":10,"return":20}
        {"process":0,"f":"dequeue","key":"q","value":null,"invoke":30,"return":40}"#;
    let said = verify(queue, "--model linearizable");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!said.out.contains("nothing was checked"), "{said:?}");
    let added = r#"{"process":0,"type":"invoke","f":"add","key":"s","value":1}
        {"process":0,"type":"ok","f":"add","key":"s","value":1}"#;
    assert_eq!(verify(added, "--model linearizable").code, Some(4));
}

#[test]
fn each_key_may_have_a_datatype_of_its_own() {
    let shop = r#"{"process":0,"f":"add","key":"cart","value":1,"invoke":10,"return":20}
{"process":1,"f":"write","key":"name","value":2,"invoke":30,"return":40}
{"process":2,"f":"read","key":"cart","value":[],"invoke":50,"return":60,"type":"ok","final":true}
"#;
    // Guessed key by key: the cart is a set, the name a register.
    let said = verify(shop, "--model linearizable");
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = verify(shop, "--model eventual --datatype cart=set:add-wins");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("(lost) lines 1, 3: process 0 asked for `add cart=1`"), "{said:?}");
    let said = verify(shop, "--model eventual --datatype register,cart=or-set");
    assert_eq!(said.code, Some(1), "{said:?}");
    let mixed = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}
{"process":1,"f":"add","key":"x","value":2,"invoke":30,"return":40}
"#;
    let twice = r#"{"process":0,"f":"append","key":"x","value":1,"invoke":10,"return":20}
{"process":1,"f":"append","key":"x","value":1,"invoke":30,"return":40}
"#;
    let opaque = r#"{"process":0,"f":"frob","key":"x","value":1,"invoke":10,"return":20}"#;
    assert_eq!(verify(opaque, "--model eventual --datatype opaque").code, Some(4));
    for (text, words, wanted) in [
        (
            shop,
            "--datatype counter,cart=or-set",
            "line 2: `write name=2` is nothing that a counter",
        ),
        (shop, "--datatype cart=counter", "line 3: `read cart`, answered [] is nothing that a"),
        (shop, "--datatype trolley=or-set", "no operation is on the key trolley"),
        (shop, "--datatype cart=or-set,cart=counter", "the datatype of cart is given twice"),
        (shop, "--datatype counter,register", "the datatype of all other keys is given twice"),
        (shop, "--datatype cart=ad-wins", "did you mean `set:add-wins`?"),
        (shop, "--datatype cart=or-set --initial 5", "its keys are of several datatypes"),
        (shop, "--datatype cart=opaque", "opaque objects are not judged beside others"),
        (twice, "--datatype log", "line 2: `append x=1` puts in what line 1 has put in already"),
        (mixed, "", "line 2: no datatype here knows `add x=2` beside what came before"),
    ] {
        let said = verify(text, words);
        assert_eq!(said.code, Some(2), "{words}: {said:?}");
        assert!(said.err.contains(wanted) && said.out.is_empty(), "{words}: {said:?}");
    }
}

#[test]
fn what_is_not_understood_is_unknown_and_not_empty() {
    let lock = r#"{"process":0,"f":"reserve","key":"l","invoke":10,"return":20}
        {"process":1,"f":"reserve","key":"l","invoke":30,"return":40}"#;
    let said = verify(lock, "");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(!said.out.contains("no answer could be wrong"), "{said:?}");
    assert!(said.out.contains("no datatype here knows `reserve l`"), "{said:?}");
    let place = Place::new();
    place.write(
        "txn.edn",
        "{:process 0 :type :invoke :f :write :value [[:w 0 1] [:w 1 1]]}{:process 0 :type :ok}
         {:process 1 :type :invoke :f :read :value [[:r 0 nil] [:r 1 nil]]}
         {:process 1 :type :ok :f :read :value [[:r 0 1] [:r 1 1]]}",
    );
    let said = place.run("verify txn.edn");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("is a transaction, a list of"), "{said:?}");
    place.write("map.edn", "{:process 0 :type :invoke :f :write :value {:x 1}}");
    let said = place.run("verify map.edn");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("map.edn:1: `{:x 1}` is a map, as in a transaction"), "{said:?}");
}

#[test]
fn a_malformed_history_exits_with_2_and_says_where() {
    let text = format!("{STALE}{{\"process\":2,\"f\":\"read\"");
    let said = verify(&text, "");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("history.jsonl:4: column"), "{said:?}");
    assert!(said.err.contains("--lenient"), "{said:?}");
    let said = verify(&text, "--lenient --model mr");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("1 malformed and skipped"), "{said:?}");
    assert!(said.out.contains("a violation may be due to what is missing"), "{said:?}");
    assert_eq!(verify(STALE, "--model linearisible").code, Some(2));
    let said = Place::new().run("verify nowhere.jsonl");
    assert!(said.err.contains("there is no file nowhere.jsonl"), "{said:?}");
}

#[test]
fn several_histories_are_judged_and_the_worst_decides() {
    let place = Place::new();
    place.write(
        "good.jsonl",
        STALE.replace("\"value\":1,\"invoke\":50", "\"value\":2,\"invoke\":50"),
    );
    place.write("bad.jsonl", STALE);
    place.write("broken.jsonl", "{");
    let said = place.run("verify good.jsonl bad.jsonl --model linearizable --format json");
    assert_eq!(said.code, Some(1), "{said:?}");
    let all = json(&said);
    assert_eq!(all["histories"][0]["verdicts"][0]["verdict"], "holds");
    assert_eq!(all["histories"][1]["verdicts"][0]["verdict"], "violated");
    let said = place.run("verify good.jsonl broken.jsonl bad.jsonl --model linearizable");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("bad.jsonl: read"), "what can be judged is judged: {said:?}");
}

#[test]
fn standard_input_is_a_history_too() {
    let place = Place::new();
    let mut child = place
        .command(&["verify", "-", "--model", "linearizable"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    child.stdin.take().expect("a pipe").write_all(STALE.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn results_for_programs_have_the_fields_of_the_schema() {
    let schema = include_str!("../../../docs/schema/verify.schema.json");
    let schema: Json = serde_json::from_str(schema).expect("JSON");
    let fields = |value: &Json| {
        let names = value.as_object().expect("an object").keys();
        names.cloned().collect::<std::collections::BTreeSet<_>>()
    };
    for words in ["--all --format json", "--model lin --format json", "--format json"] {
        let all = json(&verify(STALE, words));
        assert_eq!(fields(&all), fields(&schema["$defs"]["history"]["properties"]));
        assert_eq!(complaints_of("verify", &all), [""; 0]);
        let verdict = &all["verdicts"][0];
        assert_eq!(fields(verdict), fields(&schema["$defs"]["verdict"]["properties"]));
        assert_eq!(all["distance"].is_null(), words.contains("lin"), "{words}");
    }
}

#[test]
fn a_recording_is_measured_with_the_lines_that_show_the_worst() {
    let said = verify(STALE, "--all");
    assert!(said.out.contains("staleness"), "{said:?}");
    assert!(said.out.contains("history.jsonl:3"), "{said:?}");
    let said = verify(STALE, "--model mr --far");
    assert!(said.out.contains("staleness"), "{said:?}");
}

/// A log of five clients of one register with compare-and-set. Some operations
/// are never answered; if it is `bad`, some reads answer arbitrary values.
pub(super) fn compare_and_set(seed: u64, bad: bool) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed | 1);
        (state >> 33) % limit
    };
    let (mut lines, mut held, mut names) = (String::new(), None, [0, 1, 2, 3, 4]);
    // For each client, what it asked, and the completion once it took effect.
    type Open<'a> = (&'a str, String, Option<&'a str>, String);
    let mut open: [Option<Open<'_>>; 5] = Default::default();
    let shown = |held: Option<u64>| held.map_or("nil".to_owned(), |held| held.to_string());
    for time in 0..400 {
        let client = below(5) as usize;
        let mut say = |kind: &str, f: &str, value: &str| {
            let process = names[client];
            lines += &format!(
                "{{:process {process} :type :{kind} :f :{f} :value {value} :time {time}}}\n"
            );
        };
        open[client] = match open[client].take() {
            None => {
                let (new, old) = (below(5), below(5));
                let (f, value) = [
                    ("read", "nil".to_owned()),
                    ("write", new.to_string()),
                    ("cas", format!("[{old} {new}]")),
                ][below(3) as usize]
                    .clone();
                say("invoke", f, &value);
                Some((f, value, None, String::new()))
            }
            Some((f, value, None, _)) => {
                let numbers: Vec<u64> = value
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|number| number.parse().ok())
                    .collect();
                let (kind, answer) = match (f, &numbers[..]) {
                    ("read", _) if bad && below(8) == 0 => ("ok", shown(Some(below(5)))),
                    ("read", _) => ("ok", shown(held)),
                    ("write", [new]) => {
                        held = Some(*new);
                        ("ok", value.clone())
                    }
                    (_, [old, new]) if held == Some(*old) => {
                        held = Some(*new);
                        ("ok", value.clone())
                    }
                    _ => ("fail", value.clone()),
                };
                Some((f, value, Some(kind), answer))
            }
            Some((f, _, Some(_), answer)) if f != "read" && below(6) == 0 => {
                say("info", f, &answer);
                names[client] += 5;
                None
            }
            Some((f, _, Some(kind), answer)) => {
                say(kind, f, &answer);
                None
            }
        };
    }
    lines
}

#[test]
fn small_logs_are_told_on_small_pages() {
    let place = Place::new();
    let mut line = "verify --model linearizable".to_owned();
    for seed in 0..102 {
        let name = format!("{seed}.edn");
        place.write(&name, compare_and_set(seed, seed % 2 == 1));
        line += &format!(" {name}");
    }
    let said = place.run(&line);
    assert_eq!(said.code, Some(1), "{said:?}");
    let (holds, fails) = (said.out.matches("✓ holds").count(), said.out.matches("✗ FAILS").count());
    assert!(holds >= 51 && fails >= 40 && holds + fails == 102, "{holds} hold, {fails} fail");
    // Each page begins with what was read.
    let pages = said.out.split(".edn: read ").map(|page| page.lines().count());
    assert!(pages.max().is_some_and(|lines| lines <= 150), "{}", said.out);
    let full = place.run(&format!("{line} --full"));
    assert!(full.out.len() >= said.out.len());
    // Without minimising, the same violations are reported.
    let quick = place.run(&format!("{line} --no-minimise"));
    assert_eq!(quick.out.matches("✗ FAILS").count(), fails);
    assert!(quick.out.contains("not minimised"), "{}", quick.out);
}

#[test]
fn what_says_nothing_about_a_datatype_is_not_asked_unless_it_is_named() {
    let place = Place::new();
    place.write("etcd.log", include_str!("../../recordings/etcd.log"));
    place.write("kv.txt", include_str!("../../recordings/kv.txt"));
    // An order of all operations is evidence for the weaker models.
    for words in ["", "--model ryw --model linearizable"] {
        let said = place.run(&format!("verify etcd.log {words}"));
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.contains("implied by linearizable"), "{said:?}");
        assert!(!said.out.contains("? unknown"), "{said:?}");
    }
    let said = place.run("verify kv.txt");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("not asked             eventual, eventual-rt, ryw"), "{said:?}");
    let said = place.run("verify kv.txt --model ryw");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("ryw is about registers"), "{said:?}");
}

/// Two registers of which a transaction sees only one written, in several formats.
const TRANSACTIONS: [&str; 4] = [
    r#"{"process":0,"f":"txn","value":[["w","a",1],["w","b",1]],"invoke":0,"return":10}
{"process":1,"f":"txn","value":[["r","a",1],["r","b",null]],"invoke":20,"return":30}
"#,
    r#"{"process":0,"type":"invoke","f":"txn","value":[["w","a",1],["w","b",1]],"time":0}
{"process":0,"type":"ok","f":"txn","value":[["w","a",1],["w","b",1]],"time":10}
{"process":1,"type":"invoke","f":"txn","value":[["r","a",null],["r","b",null]],"time":20}
{"process":1,"type":"ok","f":"txn","value":[["r","a",1],["r","b",null]],"time":30}
"#,
    r#"{"process":0,"type":"invoke","f":"txn","key":"x","value":[["w","a",1],["w","b",1]],"time":0}
{"process":0,"type":"ok","time":10}
{"process":1,"type":"invoke","f":"txn","key":"x","value":[["r","a",null],["r","b",null]],"time":20}
{"process":1,"type":"ok","value":[["r","a",1],["r","b",null]],"time":30}
"#,
    "{:process 0, :type :invoke, :f :txn, :value [[:w :a 1] [:w :b 1]]}
{:process 0, :type :ok, :f :txn, :value [[:w :a 1] [:w :b 1]]}
{:process 1, :type :invoke, :f :txn, :value [[:r :a nil] [:r :b nil]]}
{:process 1, :type :ok, :f :txn, :value [[:r :a 1] [:r :b nil]]}
",
];

#[test]
fn transactions_on_one_multi_register_are_judged_if_that_is_said() {
    for text in TRANSACTIONS {
        let said = verify(text, "");
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.out.contains("is a transaction, a list of micro-operations"), "{said:?}");
        assert!(said.out.contains("multi-register)"), "{said:?}");
        let said = verify(text, "--datatype multi-register");
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains("weakest that fail     linearizable"), "{said:?}");
        // Nothing is seen of the first: as if nothing had happened.
        let early = text.replace("1],[\"r\"", "null],[\"r\"").replace(":r :a 1", ":r :a nil");
        let said = verify(&early, "--datatype multi-register --model sequential");
        assert_eq!(said.code, Some(0), "{said:?}");
        // What it held at first is said.
        let begun = r#"--datatype multi-register --model sequential --initial [["a",1]]"#;
        let said = verify(TRANSACTIONS[0], begun);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    // An answer that says nothing of what was read is no answer.
    let silent = r#"{"process":1,"type":"invoke","f":"txn","value":[["r","a",null]],"time":20}
{"process":1,"type":"ok","f":"txn","time":30}
"#;
    let said = verify(silent, "--datatype multi-register");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("multi-register"), "{said:?}");
}

/// A value that is read after its delete, in several formats.
const DELETED: [&str; 5] = [
    r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":1}
{"process":0,"type":"ok","f":"write","key":"x","value":1,"time":2}
{"process":0,"type":"invoke","f":"delete","key":"x","time":3}
{"process":0,"type":"ok","f":"delete","key":"x","value":1,"time":4}
{"process":1,"type":"invoke","f":"read","key":"x","time":5}
{"process":1,"type":"ok","f":"read","key":"x","value":1,"time":6}
"#,
    r#"{"process":0,"type":"invoke","f":"write","value":1,"time":1}
{"process":0,"type":"ok","time":2}
{"process":0,"type":"invoke","f":"delete","time":3}
{"process":0,"type":"ok","value":1,"time":4}
{"process":1,"type":"invoke","f":"read","time":5}
{"process":1,"type":"ok","value":1,"time":6}
"#,
    r#"{"process":0,"f":"write","key":"x","value":1,"invoke":1,"return":2}
{"process":0,"f":"delete","key":"x","invoke":3,"return":4}
{"process":1,"f":"read","key":"x","value":1,"invoke":5,"return":6}
"#,
    "{:process 0, :type :invoke, :f :write, :value [7 1]}
{:process 0, :type :ok, :f :write, :value [7 1]}
{:process 0, :type :invoke, :f :delete, :value [7 nil]}
{:process 0, :type :ok, :f :delete, :value [7 nil]}
{:process 1, :type :invoke, :f :read, :value [7 nil]}
{:process 1, :type :ok, :f :read, :value [7 1]}
",
    "process,f,key,value,invoke,return
0,write,x,1,1,2
0,delete,x,,3,4
1,read,x,1,5,6
",
];

#[test]
fn a_delete_of_a_register_is_a_write_of_null_in_every_format() {
    for text in DELETED {
        for words in ["", "--spill ."] {
            if !words.is_empty() && !text.contains("\"key\"") {
                continue;
            }
            let said = verify(text, &format!("--model lin {words}"));
            assert_eq!(said.code, Some(1), "{words} {said:?}");
            assert!(said.out.contains("=null"), "{words} {said:?}");
        }
        // A delete of unknown outcome explains the read of nothing, and one that failed does not.
        let nothing = text
            .replace("\"value\":1,\"time\":6", "\"value\":null,\"time\":6")
            .replace(":f :read, :value [7 1]", ":f :read, :value [7 nil]")
            .replace("\"value\":1,\"invoke\":5", "\"value\":null,\"invoke\":5")
            .replace("1,read,x,1", "1,read,x,");
        let said = verify(&nothing, "--model lin");
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let failed = DELETED[0].replace("\"read\",\"key\":\"x\",\"value\":1", "\"read\",\"key\":\"x\"");
    let failed = |kind: &str| {
        failed.replace("\"ok\",\"f\":\"delete\"", &format!("\"{kind}\",\"f\":\"delete\""))
    };
    assert_eq!(verify(&failed("info"), "--model lin").code, Some(0));
    assert_eq!(verify(&failed("fail"), "--model lin").code, Some(1));
    // Who follows is told at once, as of any write.
    let mut follower = Follower::new(Options::default());
    let told = DELETED[0].lines().flat_map(|line| follower.line(line.as_bytes()));
    assert_eq!(told.filter(Result::is_ok).count(), 6);
    // What is deleted may be named: that is no register.
    let text = DELETED[2].replace("\"f\":\"delete\",", "\"f\":\"delete\",\"value\":7,");
    assert_eq!(verify(&text, "--model lin").code, Some(3));
}

#[test]
fn a_recording_is_not_replaced_by_what_is_made_of_it() {
    let place = Place::new();
    place.write("stale.jsonl", STALE);
    for line in [
        "verify stale.jsonl --save-counterexample ./stale.jsonl",
        "report stale.jsonl -- --save-counterexample stale.jsonl",
        "report stale.jsonl -o stale.jsonl",
    ] {
        let said = place.run(line);
        assert!(said.code == Some(2) && said.err.contains("choose another place"), "{said:?}");
        assert_eq!(read(&place.path("stale.jsonl")), STALE);
    }
    assert_eq!(place.run("verify - -").code, Some(2));
}
