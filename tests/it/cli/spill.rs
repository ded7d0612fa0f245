//! `verify --spill`: recordings judged key by key, by way of files.

use quiescence::history::formats::stream::{NotStreamed, Stream};
use quiescence::history::formats::{self, Options, Recording, json_lines, operation_lines};
use quiescence::history::{History, Malformed};
use serde_json::Value as Json;

use super::runner::{Place, Said};
use crate::dice::Dice;

const MODELS: [&str; 8] = [
    "linearizable",
    "k-atomic:2",
    "delta-atomic:20",
    "regular",
    "regular_weak",
    "safe",
    "cache",
    "slow",
];

fn json(said: &Said) -> Json {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// A recording of some processes and keys as operation lines, in which some answers are stale
/// and some outcomes unknown.
fn drawn(dice: &mut Dice, stale: usize) -> String {
    let keys: Vec<String> = (0..8).map(|key| format!("key-{key}")).collect();
    let mut held: Vec<Vec<usize>> = vec![vec![0]; keys.len()];
    let mut idle = [0; 5];
    let mut lines = Vec::new();
    for at in 1..=30 + dice.below(60) {
        let process = dice.below(idle.len());
        let instant = at * 10;
        if idle[process] >= instant {
            continue;
        }
        let invoked = (idle[process] + 1).max(instant.saturating_sub(dice.below(30)));
        let returned = instant + dice.below(40);
        idle[process] = returned;
        let key = dice.below(keys.len());
        let values = &mut held[key];
        let mut kind = "ok";
        let (f, value) = if dice.one_in(2) {
            if dice.one_in(12) {
                (kind, idle[process]) = ("info", instant);
            }
            values.push(at);
            ("write", at)
        } else {
            let behind = if dice.one_in(stale) { 1 + dice.below(2) } else { 0 };
            ("read", values[values.len().saturating_sub(1 + behind)])
        };
        let value = if value == 0 { "null".to_owned() } else { value.to_string() };
        let returned = if kind == "ok" { returned.to_string() } else { "null".to_owned() };
        lines.push(format!(
            r#"{{"process":{process},"f":"{f}","key":"{}","value":{value},"invoke":{invoked},"return":{returned},"type":"{kind}"}}"#,
            keys[key]
        ));
    }
    // Lines may stand in any order.
    for at in (1..lines.len()).rev() {
        lines.swap(at, dice.below(at + 1));
    }
    lines.join("\n")
}

/// A recording, read operation by operation.
fn streamed(text: &str, options: &Options) -> Result<Recording, NotStreamed> {
    let mut stream = Stream::open(text.as_bytes(), options)?;
    let mut all = Vec::new();
    while let Some(one) = stream.operation()? {
        all.push(one);
    }
    all.sort_by_key(|one| one.number);
    assert!(all.iter().zip(0..).all(|(one, number)| one.number == number));
    let lines = all.iter().map(|one| one.line).collect();
    let history = History::of(all.into_iter().map(|one| one.operation).collect());
    let history = history.expect("it has passed the rules");
    Ok(Recording { history, lines, ..stream.finish()? })
}

/// Lines that tell of no operation, and what may be wrong with one that does.
fn spoiled(dice: &mut Dice, lines: &mut Vec<String>) {
    const FOREIGN: [&str; 8] = [
        "INFO all is well",
        r#"{"level":"info","text":"seed 5"}"#,
        r#"{"process":3,"type":"inv"#,
        r#"{"process":"c3","type":"ok","f":"read","key":"key-1","value":1,"time":1}"#,
        r#"{"process":"c3","type":"invoke","key":"key-1"}"#,
        r#"{"process":2,"f":"read","key":"key-1","invoke":1,"type":"ok"}"#,
        r#"{"process":2,"type":"invoke","f":"read","key":"key-1","time":40}"#,
        r#"{"process":1,"type":"invoke","f":"read","time":40}"#,
    ];
    for _ in 0..1 + dice.below(4) {
        let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
        match dice.below(8) {
            0 => lines.swap(one, other),
            1 => drop(lines.remove(one)),
            2 => lines[one] = lines[one].replace(":1", ":2"),
            3 => lines[one] = lines[one].replace("ok", ["info", "fail", "no"][dice.below(3)]),
            4 => lines[one] = lines[one].replace("\"process\":0", "\"process\":\"nemesis\""),
            5 => lines[one] = lines[one].replace("\"process\"", "\"client\""),
            6 => lines[one].truncate(other),
            _ => lines.insert(one.max(1), FOREIGN[dice.below(FOREIGN.len())].to_owned()),
        }
        if dice.one_in(6) {
            lines.insert(0, FOREIGN[dice.below(5)].to_owned());
        }
    }
}

#[test]
fn a_recording_read_operation_by_operation_is_the_same() {
    let mut dice = Dice(7);
    let (mut sound, mut refused) = (0, 0);
    for round in 0..600 {
        let mut text = drawn(&mut dice, 9);
        if round % 2 == 0 {
            let history = operation_lines::read(text.as_bytes()).expect("well formed").history;
            text = json_lines::write(&history);
        }
        // Something may be wrong: a digit, a line that is missing or stands elsewhere.
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
        match dice.below(6) {
            0 => lines.swap(one, other),
            1 => drop(lines.remove(one)),
            2 => lines[one] = lines[one].replace(":1", ":2"),
            3 => lines[one] = lines[one].replace("ok", ["info", "fail", "no"][dice.below(3)]),
            _ => lines[one] = lines[one].replace("\"process\":0", "\"process\":\"nemesis\""),
        }
        let text = lines.join("\n");
        match (
            formats::read(text.as_bytes(), &Options::default()),
            streamed(&text, &Options::default()),
        ) {
            (Ok(read), Ok(streamed)) => {
                assert_eq!(streamed, read, "{text}");
                sound += 1;
            }
            (Err(Malformed { .. }), Err(NotStreamed::Malformed(_))) => refused += 1,
            (read, streamed) => panic!("{read:?} and {streamed:?} of {text}"),
        }
    }
    assert!(sound > 100 && refused > 100, "{sound} {refused}");
}

#[test]
fn a_lenient_reader_skips_the_same_operation_by_operation() {
    let mut dice = Dice(11);
    let lenient = Options { lenient: true, ..Options::default() };
    let (mut skipped, mut sound, mut continued) = (0, 0, 0);
    for round in 0..1_200 {
        let mut text = drawn(&mut dice, 9);
        if round % 2 == 0 {
            let history = operation_lines::read(text.as_bytes()).expect("well formed").history;
            text = json_lines::write(&history);
        }
        if round % 3 == 0 {
            for process in 0..20 {
                let (number, named) = (format!(":{process},"), format!(":\"c{process}\","));
                let [number, named] = [number, named].map(|it| format!("\"process\"{it}"));
                text = text.replace(&number, &named);
            }
        }
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        spoiled(&mut dice, &mut lines);
        let strict_time = dice.one_in(3);
        let options = Options { strict_time, ..lenient.clone() };
        let text = lines.join("\n");
        match (formats::read(text.as_bytes(), &options), streamed(&text, &options)) {
            (Ok(read), Ok(streamed)) => {
                assert_eq!(streamed, read, "{text}");
                skipped += usize::from(read.skipped > 0);
                continued += usize::from(read.continued > 0);
                sound += 1;
            }
            (Err(read), Err(NotStreamed::Malformed(streamed))) => assert_eq!(read, streamed),
            // What was skipped may be all that named objects.
            (Ok(read), Err(NotStreamed::Malformed(refused))) => {
                assert!(refused.reason.starts_with("no `key` is named here"), "{refused} {text}");
                assert!(read.history.operations().iter().all(|it| it.call.key.as_str() == "x"));
            }
            (read, streamed) => panic!("{read:?} and {streamed:?} of {text}"),
        }
    }
    assert!(skipped > 800 && sound - skipped > 10 && continued > 300, "{skipped} {continued}");
}

#[test]
fn lines_that_wait_for_earlier_ones_are_limited_by_their_length() {
    let line = |at: usize, value: &str| {
        let until = at + 1;
        format!(
            "{{\"invoke\":{at},\"return\":{until},\"process\":{at},\"f\":\"write\",\"key\":\"x\",\"value\":\"{value}\"}}\n"
        )
    };
    let value = "v".repeat(8 << 20);
    let late = |count: usize| (2..2 + count).map(|at| line(at, &value)).collect::<String>();
    let streamed = |text: String| {
        // One that stands too far below is refused also where malformed lines are skipped.
        let [strict, lenient] = [false, true]
            .map(|lenient| streamed(&text, &Options { lenient, ..Options::default() }));
        assert_eq!(strict, lenient);
        strict
    };
    assert!(streamed(format!("{}{}", late(3), line(1, ""))).is_ok());
    let refused = streamed(format!("{}{}", late(9), line(1, "")));
    let Err(NotStreamed::Malformed(refused)) = refused else { panic!("{:?}", refused.is_ok()) };
    assert!(refused.reason.contains("100000 lines or 64 MiB above"), "{refused}");
}

#[test]
fn what_is_judged_key_by_key_is_judged_as_before() {
    let place = Place::new();
    let mut dice = Dice(16);
    let (mut holds, mut violated) = (0, 0);
    let models = MODELS.map(|model| format!("--model {model}")).join(" ");
    for round in 0..24 {
        let text = drawn(&mut dice, 4 + 20 * (round % 3));
        let history = operation_lines::read(text.as_bytes()).expect("well formed").history;
        // Every third recording has lines that are skipped.
        let lenient = if round % 3 == 2 { "--lenient" } else { "" };
        for (name, text) in [("0.jsonl", text.clone()), ("1.jsonl", json_lines::write(&history))] {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if !lenient.is_empty() {
                spoiled(&mut dice, &mut lines);
            }
            place.write(name, lines.join("\n"));
        }
        for nth in 0..2 {
            let line = format!("verify {nth}.jsonl --format json {lenient} {models}");
            let (whole, parts) = (place.run(&line), place.run(&format!("{line} --spill .")));
            if parts.err.contains("no `key` is named here") {
                continue;
            }
            assert_eq!((whole.code, &whole.err), (parts.code, &parts.err), "{text}\n{parts:?}");
            if whole.code == Some(2) {
                continue;
            }
            let (whole, parts) = (json(&whole), json(&parts));
            for name in
                ["operations", "processes", "pending", "continued", "skipped", "checked", "format"]
            {
                assert_eq!(whole[name], parts[name], "{name} of {text}");
            }
            for (at, model) in MODELS.iter().enumerate() {
                let [one, other] = [&whole, &parts].map(|all| &all["verdicts"][at]);
                for name in ["model", "verdict", "kind"] {
                    assert_eq!(one[name], other[name], "{model}: {other:#} of {text}");
                }
                assert_eq!(other["rechecked"], true, "{other:#}");
                if other["verdict"] == "violated" {
                    violated += 1;
                } else {
                    holds += 1;
                }
            }
        }
    }
    assert!(holds > 40 && violated > 40, "{holds} {violated}");
    let left: Vec<_> = std::fs::read_dir(place.path(".")).expect("it is there").collect();
    assert_eq!(left.len(), 2, "only the recordings are left: {left:?}");
}

/// Adds to a counter and a set and writes to registers, each answer right but one in so many.
fn of_several_types(dice: &mut Dice, wrong: usize) -> String {
    let (mut count, mut set, mut registers) = (0, Vec::new(), [0; 5]);
    let mut lines = Vec::new();
    for at in 1..60 {
        let off = usize::from(dice.one_in(wrong));
        let (f, key, value) = match dice.below(6) {
            0 => {
                count += at;
                ("add", "count".to_owned(), at.to_string())
            }
            1 => ("read", "count".to_owned(), (count + off).to_string()),
            2 => {
                set.push(at);
                ("add", "set".to_owned(), at.to_string())
            }
            3 => ("read", "set".to_owned(), format!("{:?}", &set[..set.len().saturating_sub(off)])),
            4 => {
                let of = dice.below(registers.len());
                registers[of] = at;
                ("write", format!("key-{of}"), at.to_string())
            }
            _ => {
                let of = dice.below(registers.len());
                let value = match registers[of] {
                    0 => "null".to_owned(),
                    held => (held + off).to_string(),
                };
                ("read", format!("key-{of}"), value)
            }
        };
        let (invoke, end) = (at * 10, at * 10 + 5);
        lines.push(format!(
            r#"{{"process":{},"f":"{f}","key":"{key}","value":{value},"invoke":{invoke},"return":{end}}}"#,
            at % 3
        ));
    }
    lines.join("\n")
}

#[test]
fn keys_of_several_datatypes_are_judged_as_before() {
    let place = Place::new();
    let mut dice = Dice(29);
    let (mut holds, mut violated) = (0, 0);
    for round in 0..24 {
        let text = of_several_types(&mut dice, [6, 20, 1_000][round % 3]);
        place.write("a.jsonl", &text);
        let named = if round % 2 == 0 { "" } else { "register," };
        let line = format!(
            "verify a.jsonl --format json --model linearizable --datatype \
             {named}count=counter,set=set:grow-only"
        );
        let (whole, parts) = (place.run(&line), place.run(&format!("{line} --spill .")));
        assert_eq!((whole.code, &*parts.err), (parts.code, ""), "{text}\n{parts:?}");
        let [one, other] = [&whole, &parts].map(|said| json(said)["verdicts"][0].clone());
        // Of violations on several keys another one may be told.
        assert_eq!(one["verdict"], other["verdict"], "{other:#} of {text}");
        assert_eq!(other["rechecked"], true, "{other:#}");
        if other["verdict"] == "violated" {
            violated += 1;
        } else {
            holds += 1;
        }
    }
    assert!(holds >= 8 && violated >= 8, "{holds} {violated}");
}

/// Two clients write to one key, then one reads the older value; another key lies between.
const STALE: &str = r#"{"process":0,"f":"write","key":"y","value":7,"invoke":1,"return":5}
{"process":0,"f":"write","key":"x","value":1,"invoke":10,"return":20}
{"process":1,"f":"write","key":"x","value":2,"invoke":30,"return":40}
{"process":2,"f":"read","key":"y","value":7,"invoke":30,"return":35}
{"process":2,"f":"read","key":"x","value":1,"invoke":50,"return":60}
"#;

fn spilled(text: &str, words: &str) -> Said {
    let place = Place::new();
    place.write("a.jsonl", text);
    std::fs::create_dir(place.path("disk")).expect("the directory can be written");
    place.write("disk/mine", "mine");
    let said = place.run(&format!("verify a.jsonl --spill disk {words}"));
    let left: Vec<_> = std::fs::read_dir(place.path("disk")).expect("it is there").collect();
    assert_eq!(left.len(), 1, "{left:?} after {said:?}");
    said
}

#[test]
fn a_violation_is_told_with_the_lines_of_the_file() {
    let said = spilled(STALE, "");
    assert_eq!(said.code, Some(1), "{said:?}");
    let text = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("read 5 operations of 3 processes"), "{said:?}");
    assert!(text.contains("2 keys judged key by key from disk"), "{said:?}");
    assert!(text.contains("lines 2, 3, 5: process 1 wrote x=2"), "{said:?}");
    let json = json(&spilled(STALE, "--format json"));
    assert_eq!(json["verdicts"][0]["lines"], serde_json::json!([2, 3, 5]));
    let place = Place::new();
    place.write("a.jsonl", STALE);
    let said = place.run("verify a.jsonl --spill . --save-counterexample b.jsonl");
    assert!(said.err.contains("saved 3 operations"), "{said:?}");
    assert_eq!(place.run("verify b.jsonl --model linearizable").code, Some(1));
}

#[test]
fn a_violation_of_which_only_parts_of_answers_count_stays_one() {
    let line = |f: &str, key: &str, value: &str, at: usize| {
        let until = at + 5;
        format!(
            r#"{{"process":0,"f":"{f}","key":"{key}","value":{value},"invoke":{at},"return":{until}}}"#
        )
    };
    // What was added second is not shown, and the rest of the answer is not kept.
    let lines = [
        line("add", "s", "1", 10),
        line("add", "t", "8", 20),
        line("add", "s", "2", 30),
        line("add", "s", "3", 40),
        line("read", "s", "[1,3]", 50),
        line("read", "t", "[8]", 60),
    ];
    let words = "--datatype set --format json";
    let place = Place::new();
    place.write("a.jsonl", lines.join("\n"));
    let whole = json(&place.run(&format!("verify a.jsonl --model linearizable {words}")));
    let said = spilled(&lines.join("\n"), words);
    assert_eq!(said.code, Some(1), "{said:?}");
    let parts = json(&said);
    for name in ["verdict", "kind", "lines", "why", "rechecked"] {
        assert_eq!(parts["verdicts"][0][name], whole["verdicts"][0][name], "{name}");
    }
    assert_eq!(parts["verdicts"][0]["rechecked"], true);
}

#[test]
fn an_initial_value_is_proposed_if_all_keys_agree_on_it() {
    let read = |process: usize, key: &str, value: &str, at: usize| {
        let until = at + 5;
        format!(
            r#"{{"process":{process},"f":"read","key":"{key}","value":{value},"invoke":{at},"return":{until}}}"#
        )
    };
    let hint = |lines: &[String]| {
        let place = Place::new();
        place.write("a.jsonl", lines.join("\n"));
        let hint = |words: &str| {
            let line = format!("verify a.jsonl --model linearizable --format json {words}");
            json(&place.run(&line))["hint"].clone()
        };
        let (whole, parts) = (hint(""), hint("--spill ."));
        assert_eq!(parts, whole, "{lines:?}");
        whole
    };
    let zero = read(0, "x", "0", 10);
    assert!(hint(std::slice::from_ref(&zero)).is_string());
    assert!(hint(&[zero.clone(), read(1, "y", "0", 20)]).is_string());
    // Another key began otherwise, or the same one did, outside of the counterexample.
    assert!(hint(&[zero.clone(), read(1, "y", "null", 20)]).is_null());
    assert!(hint(&[zero.clone(), read(1, "y", "1", 20)]).is_null());
    assert!(hint(&[zero, read(1, "x", "null", 20)]).is_null());
}

#[test]
fn what_is_not_told_from_single_keys_is_refused_by_name() {
    let edn = "{:process 0 :type :invoke :f :write :value 1}";
    let keyless = r#"{"process":0,"f":"write","value":1,"invoke":1,"return":2}"#;
    let drain = r#"{"process":0,"f":"drain","key":"q","value":[7],"invoke":1,"return":2}"#;
    let drains = r#"{"process":0,"type":"invoke","f":"drain","key":"q"}"#;
    let long = STALE.replace("\"value\":1", &format!("\"value\":\"{}\"", "v".repeat(50_000)));
    let counter = STALE.replace("\"write\"", "\"inc\"");
    let twice = STALE.replace(
        "\"process\":2,\"f\":\"read\",\"key\":\"y\"",
        "\"process\":2,\"f\":\"read\",\"key\":\"z\"",
    );
    let twice = twice.replace("\"return\":35", "\"return\":55");
    for (text, words, expected) in [
        (STALE, "--model ccv", "whether ccv holds is not told from single keys"),
        (STALE, "--model linearizable --model sequential", "whether sequential holds"),
        (&*STALE.replace("\"key\":\"y\",", ""), "--lenient", "a.jsonl:1: no `key` is named here"),
        ("what\n{\"process\":\"nemesis\",\"type\":\"info\"}\n", "--lenient", "none of the 2 lines"),
        (
            STALE,
            "--datatype y=counter",
            "a.jsonl: line 1: `write y=7` is nothing that a counter does",
        ),
        (STALE, "--datatype z=counter", "a.jsonl: no operation is on the key z"),
        (STALE, "--datatype register,x=opaque", "opaque objects are not judged beside others"),
        (
            STALE,
            "--datatype register,x=cas-register --initial 0",
            "its keys are of several datatypes",
        ),
        (STALE, "--memory 500B", "one of 64 parts have 3 operations"),
        (&*long, "--memory 100kB", "one of 64 parts have 3 operations"),
        (edn, "", "a.jsonl is Jepsen's EDN, which has to be read as a whole"),
        ("[{\"process\":0}]", "", "a.jsonl is JSON in an array or over several lines"),
        (drain, "--datatype queue", "a.jsonl is a recording with drains, which has to be read"),
        (drains, "--datatype queue", "a.jsonl is a recording with drains, which has to be read"),
        (keyless, "", "a.jsonl:1: no `key` is named here"),
        (&*counter, "", "a.jsonl:1: `inc y=7` is nothing that a register does"),
        // A process overlaps itself on two keys.
        (&*twice, "", "a.jsonl:5: process 2 invokes `read x` at 50 while another"),
    ] {
        let said = spilled(text, words);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected) && said.out.is_empty(), "{expected}: {said:?}");
    }
    for (words, other) in [("--all", "--all"), ("--window 5", "--window <N>")] {
        let said = spilled(STALE, words);
        let expected = format!("--spill <DIR>' cannot be used with '{other}'");
        let reversed = format!("'{other}' cannot be used with '--spill <DIR>'");
        assert!(said.err.contains(&expected) || said.err.contains(&reversed), "{said:?}");
    }
    let said = Place::new().run_words(&["verify", "wx1|rx1 rx0", "--spill", "."]);
    assert!(said.err.contains("--spill reads a file, and `wx1|rx1 rx0` is a history"), "{said:?}");
    // What drains had found at first is asked for, as it was said here.
    let said = spilled(drain, "--datatype queue --initial [9]");
    assert!(said.err.contains("--to operations --initial '[9]' -o FILE"), "{said:?}");
}

#[test]
fn what_is_not_known_of_all_keys_together_is_unknown() {
    let touching = STALE.replace("\"value\":1,\"invoke\":50", "\"value\":2,\"invoke\":35");
    let said = spilled(&touching, "--model linearizable --model delta-atomic:5");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("? unknown") && said.out.contains("✓ holds"), "{said:?}");
    // On one key the order of a process is kept.
    let on_one = STALE.replace(
        r#""y","value":7,"invoke":30,"return":35"#,
        r#""x","value":2,"invoke":41,"return":50"#,
    );
    let on_one = on_one.replace("\"value\":1,\"invoke\":50", "\"value\":2,\"invoke\":50");
    let said = spilled(&on_one, "");
    assert_eq!(said.code, Some(0), "{said:?}");
    // Models that say nothing of a compare-and-set.
    let swap = r#"{"process":0,"f":"cas","key":"x","argument":[null,2],"invoke":1,"return":5}"#;
    for model in ["regular", "safe", "slow", "k-atomic:2", "delta-atomic:3"] {
        let said = spilled(swap, &format!("--model {model}"));
        assert_eq!(said.code, Some(3), "{model}: {said:?}");
        assert!(said.out.contains("? unknown"), "{said:?}");
    }
    // A violation is one in any case.
    let said = spilled(&STALE.replace("\"return\":35", "\"return\":50"), "");
    assert_eq!(said.code, Some(1), "{said:?}");
}

#[test]
fn a_directory_that_cannot_be_used_is_named_and_what_is_in_it_is_left_alone() {
    let place = Place::new();
    place.write("a.jsonl", STALE);
    for (directory, expected) in
        [("nowhere", "there is no directory nowhere"), ("a.jsonl", "a.jsonl is no directory")]
    {
        let said = place.run(&format!("verify a.jsonl --spill {directory}"));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
    // What a killed run left may be that of a run that goes on.
    std::fs::create_dir(place.path("quiescence-spill-old")).expect("the directory can be written");
    place.write("quiescence-spill-old/0", "old");
    let said = place.run("verify a.jsonl --spill .");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains(". has a folder of other runs with --spill"), "{said:?}");
    assert!(place.path("quiescence-spill-old/0").exists());
}
