//! `verify --follow`: a violation is reported while the recording goes on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use super::runner::{Place, Said};

/// Writes 1, then 2, then reads 1: a violation is certain at the last line.
const STALE: [&str; 6] = [
    r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":1}"#,
    r#"{"process":0,"type":"ok","time":2}"#,
    r#"{"process":0,"type":"invoke","f":"write","key":"x","value":2,"time":3}"#,
    r#"{"process":0,"type":"ok","time":4}"#,
    r#"{"process":1,"type":"invoke","f":"read","key":"x","time":5}"#,
    r#"{"process":1,"type":"ok","value":1,"time":6}"#,
];

/// The same as Jepsen writes it.
const STALE_EDN: [&str; 6] = [
    "{:process 0 :type :invoke :f :write :value [x 1] :time 1}",
    "{:process 0 :type :ok :f :write :value [x 1] :time 2}",
    "{:process 0 :type :invoke :f :write :value [x 2] :time 3}",
    "{:process 0 :type :ok :f :write :value [x 2] :time 4}",
    "{:process 1 :type :invoke :f :read :value [x nil] :time 5}",
    "{:process 1 :type :ok :f :read :value [x 1] :time 6}",
];

/// The same in its log.
const STALE_LOG: [&str; 6] = [
    "INFO [jepsen worker 0] jepsen.util: 0\t:invoke\t:write\t1",
    "INFO [jepsen worker 0] jepsen.util: 0\t:ok\t:write\t1",
    "0\t:invoke\t:write\t2",
    "0\t:ok\t:write\t2",
    "1\t:invoke\t:read\tnil",
    "1\t:ok\t:read\t1",
];

fn follow(place: &Place, words: &[&str]) -> (Child, ChildStdin) {
    let mut child = place
        .command(&[&["verify", "--follow", "-"], words].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    let input = child.stdin.take().expect("a pipe");
    (child, input)
}

fn followed(text: &str, words: &[&str]) -> Said {
    let place = Place::new();
    let (child, mut input) = follow(&place, words);
    // The command may have ended before it has read everything.
    let _ = input.write_all(text.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_no_line_is_wider_than_it_is() {
    let place = Place::new();
    let path = place.write("stale.edn", STALE_EDN.join("\n") + "\n");
    let program = env!("CARGO_BIN_EXE_quiescence");
    let line = format!("stty rows 24 cols 60; {program} verify --follow - < {}", path.display());
    let mut script = std::process::Command::new("script");
    let said = place.run_by(script.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", "1"));
    let told = said.out.lines().find(|line| line.starts_with("line 6: ✗ FAILS  linearizable: "));
    assert!(told.is_some(), "{said:?}");
    assert!(said.out.lines().all(|line| line.trim_end().chars().count() <= 60), "{}", said.out);
}

#[test]
fn a_violation_is_told_before_the_recording_ends() {
    for lines in [STALE, STALE_EDN, STALE_LOG] {
        let place = Place::new();
        let (mut child, mut input) = follow(&place, &[]);
        for line in lines {
            writeln!(input, "{line}").expect("it reads");
        }
        let mut told = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut told).expect("it says something while its input is open");
        assert!(told.starts_with("line 6: ✗ FAILS  linearizable: "), "{told}");
        assert_eq!(child.wait().expect("it ends").code(), Some(1));
        drop(input);
    }
}

#[test]
fn a_file_is_read_on_as_it_grows() {
    for lines in [STALE, STALE_EDN, STALE_LOG] {
        let place = Place::new();
        let path = place.write("growing", format!("{}\n", lines[..3].join("\n")));
        let mut child = place
            .command(&["verify", "--follow", "growing", "--time", "60s"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary can be run");
        let append = |line: &str| {
            let file = std::fs::OpenOptions::new().append(true).open(&path);
            let mut file = file.expect("it can be opened");
            // An incomplete line is not read yet.
            let (half, rest) = line.split_at(line.len() / 2);
            write!(file, "{half}").and_then(|()| file.flush()).expect("it can be written");
            writeln!(file, "{rest}").expect("it can be written");
        };
        lines[3..].iter().for_each(|line| append(line));
        assert_eq!(child.wait().expect("it ends").code(), Some(1));
    }
}

#[test]
fn the_end_of_a_recording_says_how_much_was_judged() {
    let good = STALE.map(|line| line.replace("\"value\":1,\"time\":6", "\"value\":2,\"time\":6"));
    let good = good.join("\n");
    let said = followed(&good, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.starts_with("no violation of "), "{said:?}");
    assert!(said.out.contains("in 6 lines: judged 3 operations"), "{said:?}");
    let said = followed(&good, &["--window", "1"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("not judged beyond 1 operations"), "{said:?}");
    assert_eq!(followed("", &[]).code, Some(4));
}

#[test]
fn what_the_whole_recording_would_be_judged_as_is_what_is_judged_while_it_grows() {
    // Only writes: nothing was checked.
    let said = followed(&STALE[..4].join("\n"), &[]);
    assert_eq!(said.code, Some(4), "{said:?}");
    // A byte order mark is no part of the first line.
    let said = followed(&format!("\u{feff}{}", STALE.join("\n")), &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    // A completion that contradicts its invocation is malformed.
    let other =
        [STALE[0], r#"{"process":0,"type":"ok","f":"write","value":7,"time":2}"#].join("\n");
    let said = followed(&other, &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("-:2: this completes `write x=1`, but its `value`"), "{said:?}");
}

#[test]
fn reads_of_a_counter_or_a_set_are_no_reads_of_registers() {
    let read = |answer: &str| {
        [
            r#"{"process":0,"type":"invoke","f":"read","key":"c","time":1}"#.to_owned(),
            format!(r#"{{"process":0,"type":"ok","value":{answer},"time":2}}"#),
            r#"{"process":0,"type":"invoke","f":"read","key":"c","time":3}"#.to_owned(),
            format!(r#"{{"process":0,"type":"ok","value":{answer},"time":4}}"#),
        ]
    };
    let then = |f: &str| {
        format!(r#"{{"process":0,"type":"invoke","f":"{f}","key":"c","value":1,"time":5}}"#)
    };
    for answer in ["0", "[]"] {
        let counted = format!("{}\n{}\n", read(answer).join("\n"), then("add"));
        let said = followed(&counted, &[]);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.out.contains("1 keys were given up"), "{said:?}");
        // Once something is written, they are reads of a register.
        let written = format!("{}\n{}\n", read(answer).join("\n"), then("write"));
        let said = followed(&written, &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.starts_with("line 5: ✗ FAILS  linearizable"), "{said:?}");
        let said = followed(&written, &["--initial", answer]);
        assert_eq!(said.code, Some(0), "{said:?}");
        // So are they if nothing else follows.
        assert_eq!(followed(&read(answer).join("\n"), &[]).code, Some(1));
    }
}

#[test]
fn programs_get_violations_too() {
    let said = followed(&STALE.join("\n"), &["--format", "json", "--model", "linearizable"]);
    let all: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(all["live"]["violations"][0]["model"], "linearizable");
    assert_eq!(all["live"]["violations"][0]["line"], 6);
    assert_eq!(said.code, Some(1));
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let line = r#"{"process":0,"f":"read","key":"x","value":1,"invoke":1,"return":2}"#;
    let said = followed(line, &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("-:1: ") && said.err.contains("convert --to events"), "{said:?}");
    let said = followed(&STALE.join("\n"), &["--model", "sequential"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    let alone = "{:process 0 :type :ok :f :read :value 1 :start 1 :end 2}";
    let said = followed(alone, &[]);
    assert!(said.err.contains("-:1: a completion that tells when its operation"), "{said:?}");
    let strange = format!("Running test: register\n{}", STALE_LOG.join("\n"));
    let said = followed(&strange, &[]);
    assert!(said.err.contains("-:1: this is neither a JSON event, nor a map"), "{said:?}");
    assert_eq!(followed(&strange, &["--lenient"]).code, Some(1));
    let twice = [STALE[0], STALE[0]].join("\n");
    let said = followed(&twice, &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("-:2: "), "{said:?}");
    assert_eq!(followed(&twice, &["--lenient"]).code, Some(4), "{said:?}");
}

#[test]
fn one_object_needs_no_key_and_the_order_of_the_lines_counts() {
    let keyless = |line: &&str| line.replace(r#""key":"x","#, "");
    let text: Vec<_> = STALE.iter().map(keyless).collect();
    let said = followed(&format!("{}\n", text.join("\n")), &[]);
    assert!(said.out.starts_with("line 6: ✗ FAILS  linearizable: "), "{said:?}");
    let backwards = STALE[..4].join("\n").replace(r#""time":3"#, r#""time":0"#);
    let said = followed(&format!("{backwards}\n"), &[]);
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.err.contains("times ran backwards: 1; the order of the lines counts"), "{said:?}");
    let said = followed(&format!("{backwards}\n"), &["--strict-time"]);
    assert!(said.err.contains("-:3: time runs backwards: 0 after 2"), "{said:?}");
    let said = followed(&format!("{}\n{}\n", text[..2].join("\n"), STALE[2]), &[]);
    assert!(said.err.contains("-:3: `key` stands on some lines only"), "{said:?}");
}

#[test]
fn fields_of_other_names_are_followed_too() {
    let text = STALE.join("\n").replace("process", "client").replace("time", "us");
    let said = followed(
        &format!("{text}\n"),
        &["--columns", "process=client,time=us", "--time-unit", "us"],
    );
    assert!(said.out.starts_with("line 6: ✗ FAILS  linearizable: "), "{said:?}");
}

#[test]
fn what_does_not_come_line_by_line_is_refused_or_said_to_be_incomplete() {
    let place = Place::new();
    let (first, rest) = STALE.split_at(2);
    let cut = format!("{}\n{}", first.join("\n"), &rest[0][..rest[0].len() - 3]);
    place.write("cut.jsonl", &cut);
    let said = place.run("verify --follow cut.jsonl --time 1ms");
    assert!(said.out.contains("in 2 lines"), "{said:?}");
    assert!(
        said.err.contains("the last line of cut.jsonl has no end yet, and was not"),
        "{said:?}"
    );
    place.write("whole.jsonl", format!("{}\n", first.join("\n")));
    assert_eq!(place.run("verify --follow whole.jsonl --time 1ms").err, "");
    std::fs::create_dir(place.path("folder")).expect("the directory can be written");
    let said = place.run("verify --follow folder --time 1ms");
    assert!(said.err.contains("folder is a directory, not a history"), "{said:?}");
    for (bytes, expected) in [
        (&[0x1f, 0x8b, 8, 0, b'\n'][..], "a:1: the file is compressed, and one that grows"),
        (&[0x28, 0xb5, 0x2f, 0xfd, b'\n'], "a:1: the file is compressed, and one that grows"),
        (&[0xff, 0xfe, b'{', 0, b'\n', 0], "a:1: the file is in UTF-16"),
    ] {
        place.write("a", bytes);
        let said = place.run("verify --follow a --time 1ms");
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
}
