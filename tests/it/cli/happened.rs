//! What happened to a store, before the verdicts of its recording.

use serde_json::Value as Json;

use super::runner::{Place, Said, line};

fn verify(text: &str, words: &str) -> Said {
    let place = Place::new();
    place.write("store.jsonl", text);
    place.run(&format!("verify store.jsonl {words}"))
}

/// The lines between the heading and the first verdict.
fn summary(said: &Said) -> Vec<&str> {
    let begins = |line: &&str| LABELS.iter().any(|label| line.starts_with(&format!("{label:20} ")));
    let lines = said.out.lines().skip_while(|line| !begins(line));
    lines.take_while(|line| !line.is_empty()).collect()
}

const LABELS: [&str; 7] =
    ["lost", "lost or late", "late", "out of nowhere", "stale", "what happened", "unknown outcome"];

const FAILOVER: &str = include_str!("../../recordings/failover.jsonl");

#[test]
fn lost_writes_come_first_with_their_values_node_time_and_what_the_nemesis_did() {
    let said = verify(FAILOVER, "");
    assert_eq!(said.code, Some(1), "{said:?}");
    let summary = summary(&said);
    let text = summary.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.starts_with(
            "lost 2 acknowledged writes of cart (3, 4), by n1 between 40 ms and 64 ms, after the \
             nemesis did \"isolate n1\" (line 7); in the end process app-3 read cart at n1 at \
             quiescence and saw 2 (store.jsonl:21)"
        ),
        "{text}"
    );
    assert!(text.contains("unknown outcome 1 write: 1 never seen"), "{text}");
    assert!(said.out.contains("process app-1 wrote cart=3"), "{said:?}");
    let json: Json = serde_json::from_str(&verify(FAILOVER, "--format json").out).expect("JSON");
    assert_eq!(json["happened"][0]["what"], "lost", "{json:#}");
    assert_eq!(json["distance"]["lost"]["count"], 2);
    // A process that goes on after an unknown outcome is named as in the file.
    let more = FAILOVER.replace("\"process\":\"app-3\"", "\"process\":\"app-1\"");
    let said = verify(&more, "--far");
    assert!(said.out.contains("process app-1 (from line 19 on) read cart at n1"), "{said:?}");
    // Without reads at quiescence, what is lost may only be late.
    let said = verify(&FAILOVER.replace(",\"final\":true", ""), "");
    assert!(said.out.contains("\nlost or late         2 acknowledged writes"), "{said:?}");
}

#[test]
fn who_asks_for_models_gets_no_summary_and_who_asks_for_figures_gets_all() {
    assert_eq!(summary(&verify(FAILOVER, "--model ryw")), Vec::<&str>::new());
    // What takes little time comes before what may take all there is.
    assert!(!summary(&verify(FAILOVER, "--time 0ms")).is_empty());
    let said = verify(FAILOVER, "--model ryw --far");
    assert!(!summary(&said).is_empty(), "{said:?}");
    assert!(said.out.contains("acked writes lost    2\n"), "{said:?}");
}

#[test]
fn a_store_that_did_well_is_told_in_one_line() {
    let well = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}
{"process":1,"f":"read","key":"x","value":1,"invoke":30,"return":40}
"#;
    let said = verify(well, "");
    assert_eq!(
        summary(&said),
        ["what happened        nothing lost, stale or going back in 1 read"]
    );
}

#[test]
fn elements_of_sets_are_lost_late_twice_or_from_nowhere() {
    let line = |process, f, value, at| line(process, f, "s", value, [at, at + 5]);
    let text = [
        line(0, "add", "1", 0),
        line(0, "add", "2", 10),
        line(0, "add", "3", 20),
        line(1, "read", "[1]", 30),
        line(1, "read", "[1,1,2,9]", 40),
        line(0, "add", "4", 50),
    ];
    let said = verify(&text.join("\n"), "");
    let text = summary(&said).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "lost 1 element of s (3), between 20 ns and 25 ns",
        "out of nowhere 1 element that nobody had added: process 1 read s and saw [1,1,2,9]",
        "twice 1 element more than once: process 1 read s",
        "late 1 of 4 elements; 15 ns after process 0 asked for `add s=2` (store.jsonl:2): process 1 read",
        "not read 1 element, after which nobody read",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
}

#[test]
fn large_numbers_have_commas() {
    // 1,200 writes at one node; reads by two clients at another never see one of them.
    let letters =
        |at: u32| at.to_string().bytes().map(|it| char::from(it + 49)).collect::<String>();
    let mut text = String::new();
    for at in 0..3_600 {
        let (process, node, f, value) = match at % 3 {
            0 => ("w", 0, "write", format!("\"{}\"", letters(at))),
            1 => ("w", 1, "read", "null".to_owned()),
            _ => ("r", 1, "read", "null".to_owned()),
        };
        let (asked, answered) = (at * 10, at * 10 + 5);
        text.push_str(&format!(
            "{{\"process\":\"{process}\",\"node\":{node},\"f\":\"{f}\",\"key\":\"x\",\
             \"value\":{value},\"invoke\":{asked},\"return\":{answered}}}\n"
        ));
    }
    let told = summary(&verify(&text, "")).concat();
    let numbers = told.split(|it: char| !it.is_ascii_digit() && it != ':' && it != ',');
    let numbers: Vec<_> = numbers.filter(|it| !it.starts_with(':') && it.len() > 3).collect();
    assert!(numbers.len() > 4, "{told}");
    assert!(numbers.iter().all(|it| it.contains(',')), "{numbers:?} in {told}");
}

#[test]
fn an_element_that_comes_back_is_told() {
    let text = r#"{"process":0,"f":"add","key":"s","value":2,"invoke":1,"return":2}
{"process":0,"f":"remove","key":"s","value":2,"invoke":3,"return":4}
{"process":1,"f":"read","key":"s","value":[2],"invoke":5,"return":6}
"#;
    let said = verify(text, "");
    let wanted = "resurrected          1 element removed before: process 0 asked for `remove s=2`";
    assert!(said.out.contains(wanted), "{said:?}");
    assert_eq!(said.code, Some(1), "{said:?}");
}

#[test]
fn a_summary_has_at_most_12_lines_and_steers_no_terminal() {
    let mut lines = Vec::new();
    let mut at = 0_u32;
    let name = |number: u32| format!("\\u001b[31m{}{number}", "key".repeat(40));
    for step in 0..400_u32 {
        let (process, key) = (step % 7, name(step % 5));
        at += 10;
        let (f, value) = match step % 3 {
            0 => ("write", format!("\"{step}{}\"", "v".repeat(90))),
            _ => ("read", format!("\"{}{}\"", step % 60 / 3 * 3, "v".repeat(90))),
        };
        let end = at + 5;
        lines.push(format!(
            r#"{{"process":"{}","f":"{f}","key":"{key}","value":{value},"invoke":{at},"return":{end},"node":{}}}"#,
            name(process),
            step % 3
        ));
    }
    let text = lines.join("\n");
    for width in ["40", "100", "200"] {
        let place = Place::new();
        place.write("store.jsonl", &text);
        let mut command = place.command(&["verify", "store.jsonl"]);
        let said = place.run_by(command.env("COLUMNS", width));
        let summary = summary(&said);
        assert!((4..=12).contains(&summary.len()), "{width}: {summary:#?}");
        assert!(!said.out.contains('\u{1b}'), "{width}: {said:?}");
    }
}

#[test]
fn what_a_set_holds_at_first_is_no_element_that_nobody_added() {
    let text = r#"{"process":0,"f":"add","key":"s","value":2,"invoke":1,"return":2}
{"process":1,"f":"read","key":"s","value":[1,2],"invoke":3,"return":4}
"#;
    assert!(!summary(&verify(text, "")).is_empty());
    let said = verify(text, "--initial [1]");
    assert_eq!((said.code, summary(&said)), (Some(0), Vec::new()), "{said:?}");
}

const JEPSEN_LOG: &str = "\
INFO jepsen worker - 0\t:invoke\t:write\t1
INFO jepsen worker - 0\t:ok\t:write\t1
INFO jepsen nemesis - :nemesis\t:info\t:start\tnil
INFO jepsen.util - chatter
INFO jepsen worker - 0\t:invoke\t:write\t2
INFO jepsen worker - 0\t:ok\t:write\t2
INFO jepsen worker - 1\t:invoke\t:read\tnil
INFO jepsen worker - 1\t:ok\t:read\t1
";

const JEPSEN_EDN: &str = "\
{:process 0, :type :invoke, :f :write, :value 1}
{:process 0, :type :ok, :f :write, :value 1}
{:process :nemesis, :type :info, :f :kill, :value [\"n1\"]}
{:process 0, :type :invoke, :f :write, :value 2}
{:process 0, :type :ok, :f :write, :value 2}
{:process 1, :type :invoke, :f :read, :value nil}
{:process 1, :type :ok, :f :read, :value 1}
";

#[test]
fn only_what_the_nemesis_did_is_told_beside_a_loss_and_only_where_lines_are_in_order() {
    for (text, did) in [
        (JEPSEN_LOG, "after the nemesis did \":info :start nil\" (line 3)"),
        (JEPSEN_EDN, "after the nemesis did \":kill [\"n1\"]\" (line 3)"),
    ] {
        let said = verify(text, "");
        let told = summary(&said).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.starts_with("lost or late 1 acknowledged write"), "{said:?}");
        assert!(told.contains(did), "{said:?}");
        assert!(said.out.contains("there are no times: from one event to the next"), "{said:?}");
    }
    // Lines with whole operations stand in any order.
    let healed = r#"{"process":"nemesis","type":"info","f":"heal","invoke":900,"return":901}
{"process":0,"f":"write","key":"x","value":1,"invoke":1,"return":2}
{"process":0,"f":"write","key":"x","value":2,"invoke":5,"return":6}
{"process":1,"f":"read","key":"x","value":1,"invoke":9,"return":10}
"#;
    let said = verify(healed, "");
    assert!(said.out.contains("lost or late"), "{said:?}");
    assert!(!said.out.contains("nemesis"), "{said:?}");
    assert!(!said.out.contains("there are no times"), "{said:?}");
}

/// A recording with a stale read after this many deeds of the nemesis, another one between
/// the writes, and one after all.
fn with_faults(before: usize) -> String {
    let write = |value: i64| {
        format!("{{:process 0, :type :invoke, :f :write, :value {value}}}\n")
            + &format!("{{:process 0, :type :ok, :f :write, :value {value}}}\n")
    };
    let fault = |did: &str| format!("{{:process :nemesis, :type :info, :f :{did}, :value nil}}\n");
    let early: String = (1..=before).map(|number| fault(&format!("k{number}"))).collect();
    let read = "{:process 1, :type :invoke, :f :read, :value nil}\n\
                {:process 1, :type :ok, :f :read, :value 1}\n";
    [early, write(1), fault("cut"), write(2), read.to_owned(), fault("heal")].concat()
}

#[test]
fn what_the_nemesis_did_around_a_violation_is_told_beside_it() {
    let around = |before: usize| {
        let said = verify(&with_faults(before), "--model linearizable");
        said.out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = around(0);
    assert!(said.contains("; meanwhile the nemesis did \":cut\" (line 3) "), "{said}");
    let said = around(2);
    let both = "; after the nemesis did \":k2\" (line 2); meanwhile it did \":cut\" (line 5) ";
    assert!(said.contains(both), "{said}");
    assert!(!said.contains("heal"), "{said}");
    // Only the first thousand are kept, so of these nothing is known.
    let said = around(1000);
    assert!(said.contains("FAILS"), "{said}");
    assert!(!said.contains("meanwhile"), "{said}");

    let said = verify(&with_faults(2), "--model linearizable --format json");
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let fault = |line: u64, did: &str| serde_json::json!({ "line": line, "did": did });
    let nemesis = &json["verdicts"][0]["nemesis"];
    assert_eq!(nemesis["before"], fault(2, ":k2"));
    assert_eq!(nemesis["within"], serde_json::json!([fault(5, ":cut")]));
}

#[test]
fn what_the_nemesis_did_before_the_last_of_a_violation_returned_is_told_too() {
    // Where events have times, those count, and otherwise the order of the lines.
    let event = |timed: bool, time: u32, rest: &str| match timed {
        true => format!("{{:time {time}, {rest}}}\n"),
        false => format!("{{{rest}}}\n"),
    };
    let within = |timed: bool, instants: [u32; 3]| {
        let at = |time: u32, rest: &str| event(timed, time, rest);
        let did = |time: u32, what: &str| {
            at(time, &format!(":process :nemesis, :type :info, :f :{what}, :value nil"))
        };
        let [cut, mend, end] = instants;
        let text = [
            at(10, ":process 0, :type :invoke, :f :write, :value 1"),
            at(20, ":process 0, :type :ok, :f :write, :value 1"),
            at(30, ":process 1, :type :invoke, :f :read, :value nil"),
            did(cut, "cut"),
            did(mend, "mend"),
            at(40, ":process 1, :type :ok, :f :read, :value 7"),
            did(end, "end"),
        ];
        let said = verify(&text.concat(), "--model linearizable --format json");
        let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let within = json["verdicts"][0]["nemesis"]["within"].as_array().expect("a list").clone();
        within.iter().map(|fault| fault["line"].as_u64().expect("a line")).collect::<Vec<_>>()
    };
    assert_eq!(within(false, [0; 3]), [4, 5]);
    assert_eq!(within(true, [32, 35, 45]), [4, 5]);
    // The clock of the nemesis says that it was later.
    assert_eq!(within(true, [32, 41, 45]), [4]);
    assert_eq!(within(true, [42, 43, 44]), [0; 0]);
}

#[test]
fn whether_the_nemesis_did_it_before_is_not_told_by_times_that_ran_backwards() {
    let text = "{:time 10, :process 0, :type :invoke, :f :read, :value nil}\n\
                {:time 12, :process :nemesis, :type :info, :f :cut, :value nil}\n\
                {:time 5, :process 0, :type :ok, :f :read, :value 7}\n";
    let said = verify(text, "--model linearizable");
    assert!(said.out.contains("FAILS") && !said.out.contains("nemesis"), "{said:?}");
    let said = verify(&text.replace(":time 5", ":time 15"), "--model linearizable");
    assert!(said.out.contains("meanwhile the nemesis did"), "{said:?}");
}
