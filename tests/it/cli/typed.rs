//! Histories on the command line, in the one-line notation, and models side by side.

use serde_json::Value as Json;

use super::runner::{Place, Said};

const STALE: &str = "wx1|rx1 rx0 @ 001111";

/// Runs a command whose last words are these.
fn run(line: &str, words: &[&str]) -> Said {
    let all: Vec<&str> = line.split_whitespace().chain(words.iter().copied()).collect();
    Place::new().run_words(&all)
}

fn json(said: &Said) -> Json {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[test]
fn a_history_that_is_typed_is_judged_and_named() {
    let said = run("verify --model mr", &[STALE]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let heading = "`wx1|rx1 rx0 @ 001111`: read 3 operations of 2 processes (20 bytes, one-line";
    assert!(said.out.starts_with(heading), "{said:?}");
    assert!(said.out.contains("operations 1, 2, 3: process 1 read x and saw"), "{said:?}");
    assert_eq!(run("verify --model ryw", &[STALE]).code, Some(0));
    assert_eq!(run("verify", &["wx1|wx2 @ 0101"]).code, Some(4));
    assert_eq!(run("verify --model mr", &["rx0 @ 00"]).code, Some(0));
}

#[test]
fn a_history_that_is_typed_gets_the_verdicts_of_the_same_file() {
    let place = Place::new();
    for text in [STALE, "wx1|wx2|rx2!|rx1! @ 01012323", "wx1? wx2|rx1 @ 0", "[add]s=3|rs=[]!"] {
        let words = ["convert", text, "--to", "operations", "-o", "file.jsonl"];
        if place.run_words(&words).code != Some(0) {
            assert_eq!(place.run_words(&["verify", text]).code, Some(2), "{text}");
            continue;
        }
        let verdicts = |name: &str| {
            let said = place.run_words(&["verify", name, "--all", "--format", "json"]);
            let mut all = json(&said);
            for field in ["history", "format"] {
                all[field] = Json::Null;
            }
            // Which lines show it is said in other words.
            for verdict in all["verdicts"].as_array_mut().expect("a list") {
                for field in ["why", "lines"] {
                    verdict[field] = Json::Null;
                }
            }
            (said.code, all["verdicts"].clone(), all["strongest"].clone(), all["min_k"].clone())
        };
        assert_eq!(verdicts(text), verdicts("file.jsonl"), "{text}");
    }
}

#[test]
fn operations_are_numbered_as_they_stand_in_the_text() {
    let said = run("verify --model ryw", &["ry0|wx1 rx0 @ 111100"]);
    assert!(said.out.contains("operations 2, 3: process 1 wrote x=1"), "{said:?}");
    let all = json(&run("verify --model ryw --format json", &["ry0|wx1 rx0 @ 111100"]));
    assert_eq!(all["verdicts"][0]["lines"], serde_json::json!([2, 3]));
    assert_eq!(all["history"], "ry0|wx1 rx0 @ 111100");
    assert_eq!(all["format"], "one-line notation");
}

#[test]
fn several_histories_and_files_are_judged_in_their_order() {
    let place = Place::new();
    let words = ["convert", STALE, "--to", "edn", "-o", "file.edn"];
    assert_eq!(place.run_words(&words).code, Some(0));
    let words = ["verify", "--model", "mr", "wx1|rx1", "file.edn", STALE];
    let said = place.run_words(&words);
    assert_eq!(said.code, Some(1), "{said:?}");
    let at = |part: &str| said.out.find(part).unwrap_or_else(|| panic!("{part}: {said:?}"));
    assert!(at("`wx1|rx1`: read") < at("file.edn: read"));
    assert!(at("file.edn: read") < at("`wx1|rx1 rx0 @ 001111`: read"));
    let said = place.run_words(&["verify", "--model", "mr", "wx1|rx1", "wx1|qx2"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("`wx1|rx1`: read 2"), "{said:?}");
    assert!(said.err.contains("wx1|qx2"), "{said:?}");
}

#[test]
fn what_operations_mean_can_be_said() {
    let said = run("verify --model eventual --datatype set:add-wins", &["[add]s=3|rs=[]!"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("(lost) operations 1, 2"), "{said:?}");
    let said = run("verify --datatype set", &["rs=3 [add]s=1"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("`rs=3 [add]s=1`: operation 1: `read s`, answered 3"), "{said:?}");
    assert_eq!(run("verify --initial 5 --model lin", &["rx=5 wx1"]).code, Some(0));
}

#[cfg(unix)]
#[test]
fn a_drain_of_what_is_no_queue_is_refused_with_what_shows_it() {
    for (text, drained, shown, key) in [
        ("[push]s=1|[drain]s=null:[1] @ 0011", 2, "operation 1: `push s=1`", "s"),
        ("[push]s=1|[drain]s=null:[] @ 0011", 2, "operation 1: `push s=1`", "s"),
        ("[push]s=1|[drain]s=[1]? @ 001", 2, "operation 1: `push s=1`", "s"),
        ("[drain]s=null?|[push]t=2|[pop]s=null:1 @ 01122", 1, "operation 3: `pop s`", "s"),
        ("[frob]x=1|[drain]x=null:[1] @ 0011", 2, "operation 1: `frob x=1`", "x"),
        ("wx1|[drain]x=null:[1]|[enqueue]y=2 @ 001122", 2, "operation 1: `write x=1`", "x"),
    ] {
        let said = run("verify", &[text]);
        let wanted = format!(
            "error: `{text}`: operation {drained}: `drain {key}` is known only of queues, and {key} \
             is none: {shown}\n  if {key} is a queue, what is put in is `enqueue` and what is taken \
             out is `dequeue`, with --datatype queue or --datatype unordered-queue; if not, leave \
             its drains out\n"
        );
        assert_eq!((said.code, said.err.as_str()), (Some(2), wanted.as_str()), "{said:?}");
        let place = Place::new();
        let words = ["verify", "--datatype", "stack", text];
        let said = place.run_words(&words);
        assert!(said.err.contains("`drain` is nothing that a stack does"), "{said:?}");
    }
    // A drain alone is one of a queue, and so are drains beside a push that did nothing.
    for (text, code) in [
        ("[drain]q=null? @ 0", 4),
        ("[drain]q=null:[1] @ 00", 1),
        ("[push]q=1~|[enqueue]q=1|[drain]q=null:[1] @ 001122", 0),
        ("[push]s=1|[drain]s=null~ @ 0011", 4),
        ("[push]s=1|[enqueue]q=1 [drain]q=null:[1] @ 001111", 0),
    ] {
        let said = run("verify --model linearizable", &[text]);
        assert_eq!(said.code, Some(code), "{said:?}");
    }
}

#[test]
fn an_argument_that_names_a_file_is_that_file() {
    let place = Place::new();
    place.write(STALE, "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :value nil}\n");
    let said = place.run_words(&["verify", STALE]);
    assert!(
        said.out.starts_with("wx1|rx1 rx0 @ 001111: read 1 operation of 1 process"),
        "{said:?}"
    );
    std::os::unix::fs::symlink("nowhere", place.path("wx1|rx1")).expect("a link can be made");
    let said = place.run_words(&["verify", "wx1|rx1"]);
    assert_eq!((said.code, said.err.contains("there is no file wx1|rx1\n")), (Some(2), true));
}

#[test]
fn what_is_neither_a_file_nor_a_history_is_refused() {
    for (text, wanted) in [
        ("wx1|qx2", "there is no file wx1|qx2, and as a history it is malformed: column 5: an"),
        ("wx1 rx0 @ 00", "as a history it is malformed: column 13: the order ends before"),
        ("rx1! wx2", "as a history it is malformed: column 6: process 0 invokes `write"),
        // One word is the name of a file, even if an operation is written so.
        ("run0", "there is no file run0\n"),
        ("rx0", "there is no file rx0\n"),
        ("my file", "there is no file my file\n"),
        ("", "there is no file \n"),
        (" | ", "there is no file  | \n"),
    ] {
        let said = run("verify", &[text]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(wanted) && said.out.is_empty(), "{said:?}");
        assert!(said.err.lines().count() == 2, "what to do is said: {said:?}");
    }
    // A name that no file can have is a history, too.
    let long = format!("{} rx7", (1..=100).map(|n| format!("wx{n} ")).collect::<String>());
    let said = run("verify --model lin", &[&long]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("… (496 letters)`:\nread 101 operations"), "{said:?}");
}

#[test]
fn what_does_not_grow_is_not_followed() {
    let said = run("verify --follow", &[STALE]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("is not a file that grows"), "{said:?}");
    assert!(said.err.contains("leave out --follow"), "{said:?}");
}

#[test]
fn a_history_is_explained_in_words() {
    let said = run("explain", &["wx1|wx2?|rx1! rx2!|[delete]x~ rx @ 0012233"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = run("explain", &["wx1|wx2?|rx1! rx2!|[delete]x~ rx? @ 0013223223"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for line in [
        "wx1|wx2?|rx1! rx2!|wx=null~ rx? @ 0013223223",
        "  process 0\n      1  wrote x=1\n  process 1\n      2  wrote x=2 (outcome unknown)\n",
        "      3  read x at quiescence and saw 1\n      4  read x at quiescence and saw 2\n",
        "      5  wrote x=null, which failed\n      6  asked for `read x` (outcome unknown)\n",
        "    they begin in the order 1, 2, 5, 3, 4, 6\n    2 overlaps 5, 3, 4, 6\n",
        "    5 overlaps 3\n",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
}

#[test]
fn an_explanation_says_what_verify_says_of_the_models() {
    for text in
        [STALE, "wx1|wx2|rx1 rx2 @ 01012222", "wx1|rx1!|rx0!", "wx1|rx1", "[inc]c=null rc=2"]
    {
        let told = run("explain", &[text]);
        let judged = run("verify --all", &[text]);
        assert_eq!(told.code, Some(0), "{told:?}");
        let place = |said: &Said| {
            let found = ["strongest that hold", "weakest that fail"].map(|label| {
                let line = said.out.lines().find(|line| line.starts_with(label));
                line.map(str::to_owned)
            });
            assert!(found.iter().any(Option::is_some), "{said:?}");
            found
        };
        assert_eq!(place(&told), place(&judged), "{text}");
    }
    let said = run("explain", &[STALE]);
    let row = "monotonic-reads       ✗ FAILS    (unexplained) operations 1, 2, 3: process 1 read";
    assert!(said.out.contains(row), "{said:?}");
    let said = run("explain", &["[add]s=3|[pop]q=null:7 wx1"]);
    assert!(said.out.contains("? unknown") && said.out.contains("not decided"), "{said:?}");
}

#[test]
fn models_are_told_apart_in_both_directions() {
    let said = run("explain ryw --against mr", &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for part in [
        "Allowed by ryw, forbidden by mr (3 operations, the fewest that can):\n\n    wx1|rx1 rx0 @",
        "mr (unexplained): process 1 read x and saw 1, then read x and saw nothing",
        "Allowed by mr, forbidden by ryw (2 operations, the fewest that can):\n\n    wx1 rx0 @",
        "ryw (unexplained): process 0 wrote x=1, then read x and saw nothing",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let said = run("explain causal --against sequential", &[]);
    assert!(said.out.contains("    wx1 ry0|wy1 rx0 @ 00001111\n"), "{said:?}");
    let implied =
        "sequential implies ccv, so nothing is allowed by sequential and forbidden by ccv.";
    assert!(said.out.contains(implied), "{said:?}");
    let said = run("explain base --against prefix", &[]);
    assert!(said.out.contains("base and prefix allow the same histories."), "{said:?}");
    let said = run("explain causal --against ccv", &[]);
    assert!(said.out.contains("ccv and ccv are one model."), "{said:?}");
}

#[test]
fn models_that_differ_only_before_quiescence_are_told_apart_there() {
    let said = run("explain linearizable --against eventual", &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let quiet = "linearizable implies eventual where every write returned before the first read at";
    assert!(said.out.contains(quiet), "{said:?}");
    assert!(said.out.contains("    wx1|rx0! @ 1100\n"), "{said:?}");
}

#[test]
fn models_with_a_number_are_told_apart_where_a_history_is_known() {
    let said = run("explain k-atomic:4 --against k-atomic:3", &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("(4 operations):\n\n    wx1 wx2 wx3 rx0 @ "), "{said:?}");
    assert!(said.out.contains("k-atomic:3 implies k-atomic:4"), "{said:?}");
    let said = run("explain delta-atomic:999 --against delta-atomic:998", &[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("No history is known here that delta-atomic:999 allows"), "{said:?}");
}

#[test]
fn only_models_are_told_apart() {
    for (line, wanted) in [
        ("explain causl --against mr", "there is no model `causl`; did you mean `causal`?"),
        ("explain mr --against causl", "there is no model `causl`; did you mean `causal`?"),
        ("explain abd --against mr", "there is no model `abd`"),
        ("explain --against mr", "required"),
    ] {
        let said = run(line, &[]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(wanted) && said.out.is_empty(), "{said:?}");
    }
}

#[test]
fn a_typed_history_means_what_the_datatype_says() {
    let text = "[add]s=1|[remove]s=1|rs=[1]! @ 001122";
    let explained = |datatype: &str| run(&format!("explain --datatype {datatype}"), &[text]);
    let wins = explained("set:add-wins");
    let fails = "eventual visibility   ✗ FAILS";
    assert!(wins.code == Some(0) && !wins.out.contains(fails), "{wins:?}");
    let never = explained("set:two-phase");
    assert!(never.code == Some(0) && never.out.contains(fails), "{never:?}");
    let said = explained("counter");
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = run("explain --datatype counter", &["causal"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("--datatype says what a typed history means"), "{said:?}");
}

#[test]
fn drains_that_took_nothing_leave_nothing_to_explain() {
    let said = run("explain", &["[drain]q=null? @ 0"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("`[drain]q=null? @ 0`: its drains took nothing"), "{said:?}");
}
