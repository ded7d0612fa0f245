//! `review`: what becomes of new cases, and that none is lost.

use super::runner::{Place, Said, read};

const CASE: &str = include_str!("../../cases/v1/notebook-storing-eventual-sticky.json");

/// The same case of a strategy without the bug: its property holds now.
fn repaired() -> String {
    let buggy = r#""name": "notebook", "parameters": {"variant": "storing"}"#;
    let good = r#""name": "multi-primary-lww", "parameters": {}"#;
    assert!(CASE.contains(buggy));
    CASE.replace(buggy, good)
}

/// A place with the new cases a, b and below/c.
fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("cases/below")).expect("it can be made");
    place.write("cases/a.json", CASE);
    place.write("cases/b.json", repaired());
    place.write("cases/below/c.json", format!("{CASE}\n"));
    place
}

fn good(place: &Place, line: &str) -> Said {
    let said = place.run(line);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{line}: {said:?}");
    said
}

/// Which of these files are there.
fn there(place: &Place) -> String {
    let names =
        ["cases/a", "cases/b", "cases/below/c", "tests/cases/a", "tests/cases/b", "tests/cases/c"];
    let there = names.into_iter().filter(|name| place.path(&format!("{name}.json")).exists());
    there.collect::<Vec<_>>().join(" ")
}

#[test]
fn without_a_terminal_cases_are_listed_and_left() {
    let place = place();
    let said = good(&place, "review");
    assert_eq!(
        said.out,
        "cases/a.json  notebook:storing eventual (diverged): violated\n\
         cases/b.json  multi-primary-lww eventual: no longer reproduces: it holds now\n\
         cases/below/c.json  notebook:storing eventual (diverged): violated\n\
         0 kept, 0 dropped, 3 left to review\n"
    );
    assert_eq!(there(&place), "cases/a cases/b cases/below/c");
    assert_eq!(good(&Place::new(), "review").out, "0 kept, 0 dropped, 0 left to review\n");
}

#[test]
fn what_is_kept_is_a_test_that_passes() {
    let place = place();
    let said = good(&place, "review --keep a --keep cases/b.json --drop c.json");
    assert!(
        said.out.contains("      kept as tests/cases/a.json, expected: violated\n"),
        "{said:?}"
    );
    assert!(said.out.contains("      kept as tests/cases/b.json, expected: holds\n"), "{said:?}");
    assert!(said.out.ends_with("      dropped\n2 kept, 1 dropped, 0 left to review\n"), "{said:?}");
    assert_eq!(there(&place), "tests/cases/a tests/cases/b");
    assert_eq!(read(&place.path("tests/cases/a.json")), CASE);
    assert_eq!(read(&place.path("tests/cases/a.expect")), "violated\n");
    assert_eq!(read(&place.path("tests/cases/b.expect")), "holds\n");
    let said = good(&place, "test");
    assert!(said.out.ends_with("2 of 2 cases are as expected\n"), "{said:?}");
}

#[test]
fn the_rest_becomes_what_all_says() {
    let kept = place();
    good(&kept, "review --all keep --drop b");
    assert_eq!(there(&kept), "tests/cases/a tests/cases/c");
    let dropped = place();
    good(&dropped, "review cases/below --all drop");
    assert_eq!(there(&dropped), "cases/a cases/b");
    good(&dropped, "review cases/a.json --all keep --into kept");
    assert!(dropped.path("kept/a.json").exists() && dropped.path("kept/a.expect").exists());
}

#[test]
fn a_case_that_is_there_is_never_replaced() {
    let place = place();
    std::fs::create_dir_all(place.path("tests/cases")).expect("it can be made");
    place.write("tests/cases/a.json", "another");
    let said = good(&place, "review --keep a");
    assert!(said.out.contains("kept as tests/cases/a-2.json"), "{said:?}");
    assert_eq!(read(&place.path("tests/cases/a.json")), "another");
    // What was said of the case is taken along, and what is said there stays.
    place.write("cases/a.json", CASE);
    place.write("cases/a.expect", "holds\n");
    place.write("tests/cases/a-2.expect", "violated\n");
    let said = good(&place, "review --keep a");
    assert!(said.out.contains("kept as tests/cases/a-2.json, expected: violated"), "{said:?}");
    assert!(!place.path("cases/a.json").exists() && !place.path("cases/a.expect").exists());
    assert!(!place.path("tests/cases/a-3.json").exists());
    // Those that are kept already are left where they are.
    std::fs::remove_file(place.path("tests/cases/a.json")).expect("it is there");
    let said = good(&place, "review tests/cases --all keep");
    assert!(said.out.contains("is kept already"), "{said:?}");
    assert_eq!(read(&place.path("tests/cases/a-2.json")), CASE);
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_done() {
    let place = place();
    std::fs::rename(place.path("cases/b.json"), place.path("cases/notebook.json")).expect("moved");
    for (line, message) in [
        ("review --keep notebok --drop a", "did you mean `notebook`?"),
        ("review --drop a --keep a", "`a` is to be kept and to be dropped"),
        ("review --all forget", "invalid value 'forget'"),
        ("review nowhere", "there is no file nowhere"),
    ] {
        let said = place.run(line);
        assert_eq!(
            (said.code, there(&place).as_str()),
            (Some(2), "cases/a cases/below/c"),
            "{line}"
        );
        assert!(said.err.contains(message), "{line}: {said:?}");
    }
}

#[test]
fn a_file_that_is_no_case_is_told_and_left_while_the_others_are_moved() {
    let place = place();
    place.write("cases/a.json", "oops");
    let said = place.run("review --all keep");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("cases/a.json:1:"), "{said:?}");
    assert!(said.out.ends_with("2 kept, 0 dropped, 1 left to review\n"), "{said:?}");
    assert_eq!(there(&place), "cases/a tests/cases/b tests/cases/c");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_lost_where_there_is_no_room() {
    let place = place();
    place.write("tests", "no directory");
    let said = place.run("review --all keep");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("cases/a.json cannot be kept in tests/cases"), "{said:?}");
    assert_eq!(there(&place), "cases/a cases/b cases/below/c");
    std::fs::remove_file(place.path("tests")).expect("it is there");
    let program = env!("CARGO_BIN_EXE_quiescence");
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {program} review --all keep");
    let said = place.run_by(std::process::Command::new("bash").args(["-c", &script]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(there(&place), "cases/a cases/b cases/below/c");
    let left = std::fs::read_dir(place.path("tests/cases")).expect("it was made");
    assert_eq!(left.count(), 0, "nothing half written is left");
}

/// What a terminal shows while these lines are typed.
#[cfg(target_os = "linux")]
fn typed(place: &Place, lines: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let program = format!("{} review", env!("CARGO_BIN_EXE_quiescence"));
    let mut child = Command::new("script")
        .args(["-qec", &program, "/dev/null"])
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a `script`");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(lines.as_bytes()).expect("it can be written");
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_each_case_is_shown_and_asked_for() {
    let place = place();
    let out = typed(&place, "what\nk\ns\nd\n");
    let questions = out.matches("keep as a regression test, drop, skip or quit?").count();
    assert_eq!(questions, 4, "{out}");
    assert!(out.contains("REPRODUCED") && out.contains("── quiet ──"), "{out}");
    assert!(out.contains("DIFFERS AT STEP"), "{out}");
    assert!(out.contains("1 kept, 1 dropped, 1 left to review"), "{out}");
    assert_eq!(there(&place), "cases/b tests/cases/a");
    let out = typed(&place, "q\n");
    assert!(out.contains("0 kept, 0 dropped, 1 left to review"), "{out}");
    assert_eq!(there(&place), "cases/b tests/cases/a");
}
