//! `check`: what it finds, what it saves, and how it exits.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::runner::{Place, read};

#[test]
fn a_violation_exits_with_1_and_its_case_replays_anywhere_with_the_same_bytes() {
    let (place, case) = Place::with_case();
    let here = place.run("replay cases/notebook-storing-eventual.json");
    let elsewhere = Place::new();
    let there = elsewhere.run_words(&["replay", case.to_str().expect("a plain path")]);
    assert_eq!((here.code, there.code), (Some(1), Some(1)));
    assert_eq!(here.out, there.out);
    assert!(here.out.ends_with("REPRODUCED\n"), "{}", here.out);
}

#[test]
fn what_goes_on_for_ever_is_shown_by_its_replay() {
    let place = Place::new();
    place.run("check notebook:echo --search exhaustive");
    let said = place.run("replay cases/notebook-echo-eventual.json");
    assert_eq!(said.code, Some(1), "{said:?}");
    for word in ["eventual (never-quiet)", "the last 2 steps repeat for ever", "REPRODUCED"] {
        assert!(said.out.contains(word), "{word} is not in {}", said.out);
    }
}

#[test]
fn the_same_seed_finds_the_same_whatever_the_jobs() {
    let line = "check notebook async-primary -m lin --seed 3 --runs 200 --states 20000";
    let (one, two) = (Place::new(), Place::new());
    let said = one.run(&format!("{line} --jobs 1"));
    assert_eq!(said.code, Some(1));
    assert_eq!(said.out, two.run(&format!("{line} --jobs 2")).out);
}

#[test]
fn the_same_finding_is_saved_once_and_another_gets_a_number() {
    let (place, case) = Place::with_case();
    place.run("check notebook:storing --seed 0x5eed91c4");
    assert!(!place.path("cases/notebook-storing-eventual-2.json").exists());
    std::fs::write(&case, "something else").expect("it can be written");
    let said = place.run("check notebook:storing --seed 0x5eed91c4");
    assert!(said.out.contains("cases/notebook-storing-eventual-2.json"), "{}", said.out);
    assert_eq!(read(&case), "something else");
    let names: BTreeSet<_> = std::fs::read_dir(place.path("cases"))
        .expect("there are cases")
        .map(|entry| entry.expect("it can be read").file_name())
        .collect();
    assert_eq!(names.len(), 2, "nothing half-made stays behind: {names:?}");
}

#[test]
fn no_violation_exits_with_0_and_names_model_coverage_and_evidence() {
    let said = Place::new().run("check abd --runs 100 --states 20000 --seed 1");
    assert_eq!(said.code, Some(0), "{said:?}");
    for word in ["linearizable", "100 runs", "distinct states", "faults used: drop", "(sampled)"] {
        assert!(said.out.contains(word), "{word} is not in {}", said.out);
    }
    assert!(said.out.ends_with("again: quiescence check abd --runs 100 --states 20000 --seed 1\n"));
}

#[test]
fn what_no_run_had_is_said_in_each_form() {
    let place = Place::new();
    let line = "check abd --nodes 1 --faults cut=1,skew=1 --sessions 1 --reads 0 --writes 1";
    let said = |more: &str| place.run(&format!("{line} {more}"));
    let searched = "--search exhaustive --model durable";
    let note = "never happened: cut";
    let text = said(searched);
    assert_eq!(text.code, Some(0), "{text:?}");
    assert!(text.out.contains(&format!("\nnote  {note}\n")), "{}", text.out);
    let never = |line: &str| {
        let json = place.run(&format!("{line} --format json")).out;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        json["results"][0]["coverage"]["never"].clone()
    };
    // Nobody was to read.
    let none: [&str; 0] = [];
    let cut = serde_json::json!({ "faults": ["cut"], "calls": none });
    assert_eq!(never(&format!("{line} {searched}")), cut);
    // Its node takes no write.
    let refused = "check notebook:call-error --search exhaustive --model no-panic --sessions 1";
    let write = serde_json::json!({ "faults": none, "calls": ["write"] });
    assert_eq!(never(refused), write);
    for form in ["html", "markdown", "junit"] {
        let out = said(&format!("{searched} --format {form}")).out;
        assert!(out.contains(&format!("sessions: {note}")), "{form}: {out}");
    }
    // Random runs have reads, and final reads are not what clients ask.
    for search in ["random", "both"] {
        let out = said(&format!("--runs 50 --seed 1 --model durable --search {search}")).out;
        assert!(out.contains("\nnote  never happened: cut\n"), "{out}");
    }
    // A scope that is searched to its end and has no read says nothing of reads.
    let ryw = said("--search exhaustive --model ryw");
    assert_eq!(ryw.code, Some(4), "{ryw:?}");
    assert!(ryw.out.contains("nothing was checked: no run had an answer to judge"), "{}", ryw.out);
}

/// That all are met is tested by what README says of it.
#[test]
fn a_promise_that_is_not_seen_to_fail_is_not_met() {
    let said = Place::new().run("check --runs 1 --states 10");
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.contains("are not"), "{}", said.out);
    assert!(said.out.starts_with("seed 0x5eed91c4"), "the seed is fixed: {}", said.out);
}

#[test]
fn a_budget_that_ends_the_search_exits_with_3() {
    for line in ["check abd --time 0s", "check --time 0ms"] {
        let said = Place::new().run(line);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.out.contains("cut short after 0 runs"), "{}", said.out);
    }
}

#[test]
fn what_the_exhaustive_search_did_not_finish_is_told_beside_what_was_sampled() {
    let line = "check abd --states 20000 --runs 100 --seed 1";
    let said = Place::new().run(line);
    assert_eq!(said.code, Some(0), "{said:?}");
    let lines: Vec<_> = said.out.lines().collect();
    let ok = lines.iter().position(|line| line.contains("linearizable")).expect("it is told");
    assert!(lines[ok].starts_with("ok    "), "{}", lines[ok]);
    assert!(lines[ok + 1].starts_with("      no violation in 100 runs, "), "{}", lines[ok + 1]);
    let scope = "not proved: 1 session, 1 write, 1 read, 1 key";
    for (below, timers) in [(2, ""), (3, ", patient timers")] {
        let told = format!("      {scope}{timers} (the limit of states, at ");
        assert!(lines[ok + below].starts_with(&told), "{}", lines[ok + below]);
    }
    let said = Place::new().run(&format!("{line} --format json"));
    let all: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    for result in all["results"].as_array().expect("a list") {
        let coverage = &result["coverage"];
        assert_eq!((&result["verdict"], &coverage["runs"]), (&"holds".into(), &100.into()));
        assert_eq!(coverage["complete"], false);
        assert_eq!(coverage["proved"], serde_json::json!([]));
        let unproved = coverage["unproved"].as_array().expect("a list");
        let patient: Vec<_> = unproved.iter().map(|it| it["patient_timers"] == true).collect();
        assert_eq!(patient, [false, true], "{unproved:?}");
        for it in unproved {
            assert!(it["states"].as_u64() > Some(20_000) && it["sessions"] == 1, "{it}");
            assert!(it["why"].as_str().is_some_and(|why| why.contains("the limit of states")));
        }
    }
}

#[test]
fn what_is_proved_is_told_with_the_scope_that_was_too_large() {
    let said = Place::new().run("check async-primary -m ev --states 5000 --runs 10 --seed 1");
    assert_eq!(said.code, Some(0), "{said:?}");
    let below: Vec<_> =
        said.out.lines().skip_while(|line| !line.starts_with("ok    eventual")).skip(1).collect();
    assert!(below[0].starts_with("      proved: 2 sessions, "), "{}", said.out);
    assert!(below[1].starts_with("      not proved: 2 sessions, "), "{}", said.out);
    assert!(below[2].starts_with("      no violation in larger runs either: 10 runs, "));
}

#[test]
fn a_search_of_no_runs_has_checked_nothing_and_exits_with_4() {
    for line in ["check abd --search random --runs 0", "check --search random --runs 0"] {
        let said = Place::new().run(line);
        assert_eq!(said.code, Some(4), "{said:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_what_is_known_and_exits_with_130() {
    let place = Place::new();
    let mut command = place.command(&["check", "abd", "--runs", "1000000000"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary can be run");
    let mut out = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut first = String::new();
    out.read_line(&mut first).expect("the seed comes first");
    assert!(first.starts_with("seed 0x"), "{first}");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("there is a kill").success());
    let rest = std::io::read_to_string(out).expect("output is UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(rest.contains("interrupted"), "{rest}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut command = place.command(&["check", "notebook:storing", "--seed", "1"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_faulty_network_is_asked_for_by_budget() {
    let said = Place::new().run("check multi-primary-lww --faults drop=1 -m ev --seed 5");
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.out.contains("x lost"), "{}", said.out);
}

#[test]
fn a_fault_plan_is_asked_for_and_told() {
    let place = Place::new();
    let crash = "check async-primary --faults crash=1 --search random --runs 50 --seed 1";
    let more = "--inbox kept --clock -1,0 --keep-token";
    let said = place.run(&format!("{crash} {more}"));
    let told = "faults crash 1, sticky sessions, inboxes outlive crashes, clocks off by -1, +0, \
                tokens kept";
    assert!(said.out.contains(told), "{}", said.out);
    let plain = place.run(crash);
    assert!(!plain.out.contains("inboxes") && plain.out.contains("sticky sessions\n"));
    for wrong in ["--clock 9", "--clock 1,", "--inbox some"] {
        let said = place.run(&format!("{crash} {wrong}"));
        assert_eq!(said.code, Some(2), "{said:?}");
    }
}

#[test]
fn results_for_programs_have_the_fields_of_the_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/schema/results.schema.json"))
            .expect("JSON");
    let required = |of: &str| -> BTreeSet<String> {
        let names = schema["$defs"][of]["required"].as_array().expect("a list");
        names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let fields = |value: &serde_json::Value| -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    let place = Place::new();
    let said = place.run("check notebook:storing --seed 1 --format json");
    let all: serde_json::Value = serde_json::from_str(&said.out).expect("only JSON on stdout");
    assert_eq!(all["schema"], 1);
    for result in all["results"].as_array().expect("a list") {
        assert_eq!(fields(result), required("result"));
        assert_eq!(fields(&result["coverage"]), required("coverage"));
        for list in ["proved", "unproved"] {
            let described = &schema["$defs"]["coverage"]["properties"][list]["items"]["properties"];
            for entry in result["coverage"][list].as_array().expect("a list") {
                assert_eq!(fields(entry), fields(described), "{list}");
            }
        }
    }
    assert!(said.err.starts_with("seed 0x1"));
    let case = all["results"][0]["case"].as_str().expect("a path");
    let replayed = place.run(&format!("replay {case} --format json"));
    let replayed: serde_json::Value = serde_json::from_str(&replayed.out).expect("JSON");
    assert_eq!(fields(&replayed["replay"]), required("replay"));
}

#[test]
fn colour_says_nothing_that_words_do_not() {
    let place = Place::new();
    let plain = place.run("check notebook:storing --seed 1");
    let colour = place.run("check notebook:storing --seed 1 --color always");
    let ascii = place.run("check notebook:storing --seed 1 --ascii");
    assert!(colour.out.contains("\x1b["));
    let mut bare = String::new();
    let mut parts = colour.out.split("\x1b[");
    bare.push_str(parts.next().unwrap_or_default());
    for part in parts {
        bare.push_str(part.split_once('m').expect("a code ends with m").1);
    }
    // The command that repeats the check includes this option.
    assert_eq!(bare.replace(" --color always", ""), plain.out);
    assert!(ascii.out.is_ascii(), "{}", ascii.out);
}
