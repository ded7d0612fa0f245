//! For any bad input the tool prints an error and what to do about it, exits
//! with 2, and does not panic.

use super::runner::{Place, Said, read};

const CASE: &str = "cases/notebook-storing-eventual.json";

fn refused(said: &Said, words: &[&str]) {
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.starts_with("error: "), "{said:?}");
    assert!(!said.err.contains("panicked at"), "{said:?}");
    for word in words {
        assert!(said.err.contains(word), "{word} is not in {said:?}");
    }
}

fn edited(before: &str, after: &str) -> Said {
    let (place, path) = Place::with_case();
    let text = read(&path);
    assert!(text.contains(before), "{before} is not in {text}");
    place.write(CASE, text.replacen(before, after, 1));
    place.run(&format!("replay {CASE}"))
}

fn replay_of(contents: impl AsRef<[u8]>) -> Said {
    let place = Place::new();
    place.write("bad.json", contents);
    place.run("replay bad.json")
}

#[test]
fn a_file_that_is_no_case_is_refused_with_its_place() {
    refused(&replay_of("not JSON"), &["bad.json:1:", "check"]);
    refused(&replay_of(""), &["bad.json:1:1", "the file is empty"]);
    refused(&replay_of("{}"), &["not a case file"]);
    refused(&replay_of("[1, 2]"), &["bad.json:1:1", "a case is a JSON object"]);
    refused(&replay_of([0xff, 0xfe]), &["not UTF-8"]);
    refused(&replay_of("[".repeat(1_000_000)), &["bad.json:1:"]);
    refused(&replay_of(format!("{{\"x\":{}1", "[".repeat(500_000))), &["bad.json:1:"]);
}

#[test]
fn a_case_that_was_cut_short_is_refused() {
    let (place, path) = Place::with_case();
    let text = read(&path);
    let half: String = text.chars().take(text.chars().count() / 2).collect();
    place.write(CASE, half);
    refused(&place.run(&format!("replay {CASE}")), &["cut short"]);
}

#[test]
fn a_case_of_a_newer_format_is_refused() {
    refused(&edited("quiescence-case/1", "quiescence-case/7"), &["quiescence-case/7", "newer"]);
}

#[test]
fn an_invariant_that_a_strategy_has_not_is_no_property_of_it() {
    let place = Place::new();
    for (command, wanted) in [
        ("check rga --model always:x", "rga has no invariant `always:x`"),
        ("check rga --model at-quiescence:x", "rga has no invariant `at-quiescence:x`"),
        ("check abd --model always:x --search random", "abd has no invariant `always:x`"),
    ] {
        let said = place.run(command);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(wanted), "{said:?}");
    }
}

#[test]
fn a_datatype_that_is_not_there_is_answered_with_the_nearest_and_its_place() {
    let (place, path) = Place::with_case();
    let known = "\"cluster\"";
    let text = read(&path).replacen(known, &format!("\"datatype\": \"contour\", {known}"), 1);
    place.write(CASE, text);
    let meant = "did you mean `counter`?";
    for command in ["replay", "explain"] {
        let said = place.run(&format!("{command} {CASE}"));
        refused(&said, &[&format!("{CASE}:"), meant, "a binary that registers it"]);
    }
    let said = place.run("check or-set --datatype contour");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains(meant), "{said:?}");
    let said = place.run("check notebook:storing --datatype counter");
    refused(&said, &["no node of notebook:storing serves an update", "`counter`"]);
}

#[test]
fn a_strategy_or_parameter_that_is_not_there_is_answered_with_the_nearest() {
    refused(&edited("\"notebook\"", "\"notebok\""), &["did you mean `notebook`?"]);
    refused(&edited("\"storing\"", "\"string\""), &["did you mean `storing`?"]);
    refused(&edited("\"variant\"", "\"varient\""), &["did you mean `variant`?"]);
}

#[test]
fn a_million_nodes_and_huge_numbers_are_refused() {
    refused(&edited("\"nodes\": 2", "\"nodes\": 1000000"), &["1 to 64 nodes"]);
    refused(&edited("\"nodes\": 2", "\"nodes\": 1e400"), &[CASE]);
    refused(&edited("\"nodes\": 2", "\"nodes\": 99999999999999999999999"), &[CASE]);
    refused(&edited("\"nodes\": 2", "\"nodes\": -1"), &[CASE]);
    refused(&edited("\"session\": \"A\"", "\"session\": \"S99999999999\""), &[CASE]);
}

#[test]
fn an_action_that_is_not_possible_at_its_step_is_refused_with_its_line() {
    let step = "\"message\": \"n1→n2 #1\"";
    refused(&edited(step, "\"message\": \"n1→n2 #9\""), &["step 3", "is not in flight here"]);
    refused(&edited("\"do\": \"deliver\"", "\"do\": \"teleport\""), &["step 3", "no action"]);
}

#[test]
fn a_kind_that_is_none_is_refused_with_its_place_and_those_that_are() {
    let said = edited("\"diverged\"", "\"bananas\"");
    refused(&said, &[&format!("{CASE}:21:11"), "no kind `bananas`", "diverged, lost"]);
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let place = Place::new();
    refused(&place.run("replay nowhere.json"), &["there is no file nowhere.json"]);
    refused(&place.run("replay ."), &["is a directory"]);
    refused(&place.run("explain nowhere.json"), &["there is no file nowhere.json"]);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_refused_or_read_by_those_who_may() {
    use std::os::unix::fs::PermissionsExt;
    let (place, path) = Place::with_case();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("it is ours");
    let may = std::fs::read(&path).is_ok();
    let said = place.run(&format!("replay {CASE}"));
    if may {
        assert_eq!(said.code, Some(1), "{said:?}");
    } else {
        refused(&said, &["permission denied"]);
    }
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_2() {
    for (line, word) in [
        ("check notebok", "did you mean `notebook`?"),
        ("check notebook:string", "did you mean `storing`?"),
        ("check abd:reads=local", "has no parameter"),
        ("check abd --model linearisible", "did you mean `linearisable`?"),
        ("check abd --faults crush=1", "did you mean `crash`?"),
        // What is not near is not suggested.
        ("check xyzzy", "there is no strategy `xyzzy`; there is "),
        ("check notebook:xyzzy", "there is as-written, "),
        ("check abd:xyzzy=never", "there is write-back"),
        ("check abd --model xyzzy", "there is no model `xyzzy`; `list` shows the models"),
        ("verify h --model xyzzy", "there is no model `xyzzy`; `list` shows the models"),
        ("check abd --faults xyzzy=1", "there is no fault `xyzzy`; there is drop, "),
        ("check abd --datatype xyzzy", "there is no datatype `xyzzy`; there is register, "),
        ("check abd --nodes 1000000", "1 to 64 nodes"),
        ("check abd --seed ten", "a seed is a number"),
        ("check abd --time soon", "a time is a number"),
        ("check abd --sessions 0", "from 1 to 1000"),
        ("explain causl", "did you mean `causal`?"),
        ("explain crush", "did you mean `crash`?"),
        ("explain xyzzyx", "`list` shows strategies, models and faults"),
        ("chekc", "check"),
    ] {
        let said = Place::new().run(line);
        assert_eq!(said.code, Some(2), "{line}: {said:?}");
        assert!(said.err.contains(word), "{line}: {said:?}");
        assert!(said.out.is_empty(), "{line}: {said:?}");
    }
}

#[test]
fn a_recording_that_cannot_be_read_is_refused_with_what_helps() {
    let place = Place::new();
    let utf_16: Vec<u8> = "\u{feff}{}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    place.write("wide", &utf_16);
    place.write("odd", "what\nis\nthis\n");
    for (words, expected) in [
        (
            "wide",
            "wide:1: the file is in UTF-16, and recordings are in UTF-8\n  write it again: iconv",
        ),
        ("wide --lenient", "wide:1: the file is in UTF-16"),
        ("odd", "odd:1: this is neither a JSON event"),
        (
            "odd --lenient",
            "odd:1: none of the 3 lines or entries here tells of an operation\n  docs/histories.md \
             describes the formats; without --lenient it is said what is wrong",
        ),
    ] {
        let said = place.run(&format!("verify {words}"));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
}
