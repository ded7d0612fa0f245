//! The forms of results for programs and for continuous integration: each is read by a
//! parser of its own, whatever strategies and recordings say, and what is no success never
//! looks like one.

use std::fmt::Write as _;

use serde_json::Value as Json;
use snapbox::file;

use super::runner::{Place, Said, line};
use super::transcripts::same;
use crate::docs::schema::complaints_of;

/// What has a meaning in one of the forms.
const HOSTILE: &str =
    "]]>\"'<&>\n::error::x\n##[error]y\r|a`b```c````|\u{1}\u{85}%0A::error::z --> <b>*c*</b>";

/// A recording in which a read misses a write of this key.
fn stale(key: &str) -> String {
    let key = serde_json::to_string(key).expect("a text is serialisable");
    let key = key.trim_matches('"');
    let mut text = String::new();
    for (process, f, value, times) in
        [(0, "write", "1", [0, 10]), (0, "write", "2", [20, 30]), (1, "read", "1", [40, 50])]
    {
        let _ = writeln!(text, "{}", line(process, f, key, value, times));
    }
    text
}

fn check(format: &str) -> Said {
    let said = Place::new().run(&format!("check notebook:storing --seed 0x5eed --format {format}"));
    assert_eq!(said.code, Some(1), "{said:?}");
    said
}

/// All elements of an XML text, each with its attributes, in order.
fn elements(xml: &str, name: &str) -> Vec<Vec<(String, String)>> {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let named = document.descendants().filter(|node| node.has_tag_name(name));
    let attributes = |node: roxmltree::Node<'_, '_>| {
        let all = node.attributes();
        all.map(|one| (one.name().to_owned(), one.value().to_owned())).collect()
    };
    named.map(attributes).collect()
}

fn attribute<'a>(of: &'a [(String, String)], name: &str) -> &'a str {
    of.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The commands that a runner of GitHub finds in an output: name, parameters, message. It
/// reads what begins with `::` as one, whatever comes before in blanks, and another form
/// anywhere in other lines.
fn commands(out: &str) -> Vec<(String, String, String)> {
    let read_back = |text: &str| {
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%")
    };
    let command = |line: &str| {
        let rest = line.trim_start().strip_prefix("::").unwrap_or_else(|| panic!("{line}"));
        let (head, message) = rest.split_once("::").expect("a command ends with `::`");
        let (name, parameters) = head.split_once(' ').expect("it has parameters");
        (name.to_owned(), parameters.to_owned(), read_back(message))
    };
    out.lines().map(command).collect()
}

#[test]
fn a_violation_in_each_form() {
    same(&check("jsonl").out, file!["golden/check.jsonl"]);
    same(&check("junit").out, file!["golden/check-junit.xml"]);
    same(&check("github").out, file!["golden/check-github.txt"]);
    same(&check("markdown").out, file!["golden/check-markdown.md"]);
    let page = check("html").out;
    assert!(page.contains("<span class=\"fails\">✗ FAIL</span> <b>eventual</b>"), "{page}");
    assert!(page.contains("write x=1 ─▶ ● x=1"), "the picture is there: {page}");
    assert!(page.contains("<code>cases/notebook-storing-eventual.json</code>"), "{page}");
}

#[test]
fn text_is_another_name_for_what_people_read() {
    let [human, text] = ["human", "text"].map(|format| check(format).out);
    assert_eq!(human.replace("--format human", ""), text.replace("--format text", ""));
}

#[test]
fn documents_and_lines_conform_to_their_schemas() {
    let place = Place::new();
    place.write("a.jsonl", stale("x"));
    place.write("b.jsonl", stale("y"));
    for (name, line) in [
        ("results", "check notebook:storing --seed 1"),
        ("results", "check --mutants notebook --seed 1 --runs 50 --states 500"),
        ("results", "replay cases/notebook-storing-eventual.json"),
        ("results", "check abd --seed 1 --time 0s"),
        ("verify", "verify a.jsonl"),
        ("verify", "verify a.jsonl --all"),
        ("verify", "verify a.jsonl b.jsonl --model lin"),
    ] {
        let said = place.run(&format!("{line} --format json"));
        let all: Json = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(complaints_of(name, &all), [""; 0], "{line}");
        let lines = place.run(&format!("{line} --format jsonl"));
        assert_eq!(lines.code, said.code, "{line}");
        let read = |line: &str| serde_json::from_str::<Json>(line).expect("JSON");
        let rows: Vec<_> = lines.out.lines().map(read).collect();
        for row in &rows {
            assert_eq!(complaints_of("lines", row), [""; 0], "{line}: {row}");
        }
        let end = &rows.last().expect("there is an end")["end"];
        assert_eq!((&end["exit"], &end["tool"]), (&all["exit"], &all["tool"]), "{line}");
        assert_eq!(end["seed"], all["seed"], "{line}");
        let ends = rows.iter().filter(|row| row.get("end").is_some()).count();
        assert_eq!(ends, 1, "{line}");
    }
}

#[test]
fn what_has_a_name_conforms_to_its_schema() {
    let (place, case) = Place::with_case();
    let read = |line: &[&str]| -> Json {
        let said = place.run_words(&[line, &["--format", "json"]].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        serde_json::from_str(&said.out).expect("JSON")
    };
    let list = read(&["list"]);
    assert_eq!(complaints_of("names", &list), [""; 0]);
    for (of, name) in [("strategies", "abd"), ("models", "ryw"), ("faults", "drop")] {
        let all = list[of].as_array().expect("a list");
        assert!(all.iter().any(|one| one["name"] == name), "{of}: {all:?}");
    }
    let case = case.to_str().expect("text");
    for (kind, words) in [
        ("model", &["causal"][..]),
        ("strategy", &["abd"]),
        ("mutant", &["abd:write-back=never"]),
        ("property", &["available"]),
        ("datatype", &["set:add-wins"]),
        ("fault", &["crash"]),
        ("case", &[case]),
        ("history", &["wx1|rx1 rx0 @ 001111"]),
        ("comparison", &["causal", "--against", "sequential"]),
        ("comparison", &["causal", "--against", "causal"]),
    ] {
        let told = read(&[&["explain"], words].concat());
        assert_eq!(complaints_of("names", &told), [""; 0], "{words:?}: {told}");
        let one = &told["explained"][0];
        assert_eq!((&one["kind"], one.get(kind).is_some()), (&kind.into(), true), "{told}");
        let human = place.run_words(&[&["explain"], words].concat()).out;
        assert_eq!(one["text"], human, "the text is what people read");
    }
    for line in ["list", "explain causal"] {
        let said = place.run(&format!("{line} --format junit"));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("[possible values: human, json]"), "{}", said.err);
    }
}

#[test]
fn every_result_is_a_line_of_its_own() {
    let [all, lines] = ["json", "jsonl"].map(|format| check(format).out);
    let all: Json = serde_json::from_str(&all).expect("JSON");
    let rows: Vec<Json> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let results: Vec<_> = rows.iter().filter_map(|row| row.get("result")).collect();
    assert_eq!(results, all["results"].as_array().expect("a list").iter().collect::<Vec<_>>());
    assert_eq!(all["seed"], "0x5eed");
    assert_eq!(all["results"][0]["setting"]["cluster"]["nodes"], 2);
}

#[test]
fn a_parser_reads_a_junit_file_and_finds_what_failed() {
    let xml = check("junit").out;
    let suites = elements(&xml, "testsuite");
    let counts = ["tests", "failures", "errors", "skipped"];
    assert_eq!(counts.map(|name| attribute(&suites[0], name)), ["2", "1", "0", "0"]);
    let cases = elements(&xml, "testcase");
    assert_eq!(
        ["classname", "name"].map(|it| attribute(&cases[0], it)),
        ["notebook:storing", "eventual"]
    );
    assert_eq!(attribute(&cases[0], "file"), "cases/notebook-storing-eventual.json");
    assert_eq!(elements(&xml, "failure").len(), 1);
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let failure = document.descendants().find(|node| node.has_tag_name("failure"));
    let picture = failure.and_then(|node| node.text()).expect("the picture");
    assert!(picture.contains("\n     1  write x=1 ─▶ ● x=1\n"), "{picture}");
}

/// A search that was cut short, one that judged nothing, a file that cannot be read.
#[test]
fn what_is_no_success_is_an_error_in_a_junit_file_and_a_warning_on_github() {
    let place = Place::new();
    place.write("good.jsonl", stale("x"));
    place.write("broken.jsonl", "{");
    for (line, code) in [
        ("check abd --seed 1 --time 0s", 3),
        ("check abd --seed 1 --search random --runs 0", 4),
        ("verify good.jsonl broken.jsonl --model eventual", 2),
        ("verify good.jsonl --model sequential --steps 0", 3),
    ] {
        let said = place.run(&format!("{line} --format junit"));
        assert_eq!(said.code, Some(code), "{line}: {said:?}");
        let all = elements(&said.out, "testsuites");
        assert_ne!(attribute(&all[0], "errors"), "0", "{line}: {}", said.out);
        let written = elements(&said.out, "error").len().to_string();
        assert_eq!(attribute(&all[0], "errors"), written, "{line}: {}", said.out);
        let said = place.run(&format!("{line} --format github"));
        let commands = commands(&said.out);
        assert!(commands.iter().any(|(name, ..)| name == "warning"), "{line}: {}", said.out);
        let said = place.run(&format!("{line} --format markdown"));
        assert!(said.out.contains("| **"), "{line}: {}", said.out);
        let said = place.run(&format!("{line} --format html"));
        assert!(said.out.contains("<h2>Not as it should be</h2>"), "{line}: {}", said.out);
        assert!(said.out.contains("<span class=\"doubt\">? "), "{line}: {}", said.out);
    }
}

#[test]
fn an_annotation_leads_to_the_line_that_shows_the_violation() {
    let place = Place::new();
    place.write("a.jsonl", stale("x"));
    let said = place.run("verify a.jsonl --model linearizable --format github");
    assert_eq!(said.code, Some(1), "{said:?}");
    let found = commands(&said.out);
    assert_eq!(found[0].0, "error");
    assert!(found[0].1.starts_with("file=a.jsonl,line=3,title="), "{found:?}");
    assert_eq!(found.last().map(|(name, ..)| name.as_str()), Some("notice"));
    let case = "tests/cases/v1/abd-write-back-never-linearizable-roaming.json";
    let root = env!("CARGO_MANIFEST_DIR");
    let said = Place::new().run(&format!("replay {root}/{case} --format github"));
    let text = std::fs::read_to_string(format!("{root}/{case}")).expect("the case is there");
    let place = commands(&said.out)[0].1.clone();
    let number = place.split(",line=").nth(1).and_then(|rest| rest.split(',').next());
    let number: usize = number.and_then(|number| number.parse().ok()).expect("a line");
    let line = text.lines().nth(number - 1).expect("there is such a line");
    // The read that sees less than an earlier one.
    assert!(line.contains("\"do\": ") && line.contains("reads x"), "{line}");
}

#[test]
fn no_text_of_a_recording_has_a_meaning_in_any_form() {
    let place = Place::new();
    place.write("a.jsonl", stale(HOSTILE));
    let run = |format: &str| {
        let said = place.run(&format!("verify a.jsonl --model linearizable --format {format}"));
        assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{said:?}");
        said.out
    };
    let plain = r"\n::error::x\n##[error]y\r";
    let xml = run("junit");
    assert_eq!(elements(&xml, "testcase").len(), 1, "{xml}");
    assert!(attribute(&elements(&xml, "failure")[0], "message").contains("]]>\"'<&>"), "{xml}");
    let found = commands(&run("github"));
    assert_eq!(
        found.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(),
        ["error", "notice"]
    );
    assert!(found[0].2.contains(plain) && found[0].2.contains("%0A::error::z"), "{found:?}");
    let page = run("markdown");
    let row = page.lines().find(|line| line.starts_with("| **FAIL**")).expect("a row");
    assert_eq!(row.replace(r"\|", "").matches('|').count(), 5, "{row}");
    let bare = row.replace(r"\<", "").replace(r"\`", "").replace(r"\*", "");
    assert!(!bare.contains(['<', '`']) && !bare.replace("**FAIL**", "").contains('*'), "{row}");
    let fences: Vec<_> = page.lines().filter(|line| line.starts_with("`````")).collect();
    assert_eq!(fences, ["`````text", "`````"], "longer than the four in the key: {page}");
    let html = run("html");
    assert_eq!(html.matches("<td>linearizable</td>").count(), 1, "{html}");
    assert!(html.contains("]]&gt;&quot;") && !html.contains("]]>"), "{html}");
    for line in run("jsonl").lines() {
        assert_eq!(complaints_of("lines", &serde_json::from_str(line).expect("JSON")), [""; 0]);
    }
}

#[test]
fn a_recording_that_grows_is_told_in_a_form_that_can_grow() {
    let said = Place::new().run("verify --follow - --format junit");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("--follow writes human, json or jsonl"), "{said:?}");
}

/// Beside what could be judged, not instead of it.
#[test]
fn a_recording_that_cannot_be_read_is_told_in_each_form() {
    let place = Place::new();
    let read = line(1, "read", "x", "1", [20, 30]);
    place.write("good.jsonl", format!("{}\n{read}\n", line(0, "write", "x", "1", [0, 10])));
    place.write("broken.jsonl", "{");
    let told = |format: &str| {
        let words = "verify good.jsonl broken.jsonl --model linearizable --format";
        let said = place.run(&format!("{words} {format}"));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.starts_with("error: broken.jsonl:1"), "{said:?}");
        said.out
    };
    let all: Json = serde_json::from_str(&told("json")).expect("JSON");
    assert_eq!(complaints_of("verify", &all), Vec::<String>::new());
    assert_eq!(all["histories"].as_array().map(Vec::len), Some(1));
    assert_eq!(all["unread"][0]["name"], "broken.jsonl");
    let lines = told("jsonl");
    let unread = lines.lines().nth(1).expect("it is between the verdict and the end");
    let unread: Json = serde_json::from_str(unread).expect("JSON");
    assert_eq!(complaints_of("lines", &unread), Vec::<String>::new());
    assert_eq!(unread["unread"], all["unread"][0]);
    let cases = elements(&told("junit"), "testcase");
    let readable = ("name".to_owned(), "readable".to_owned());
    assert_eq!(cases.iter().filter(|case| case.contains(&readable)).count(), 1, "{cases:?}");
    assert_eq!(elements(&told("junit"), "error").len(), 1);
    for format in ["github", "markdown", "html"] {
        let told = told(format);
        assert!(told.contains("broken.jsonl:1"), "{format}: {told}");
    }
}
