//! `test`: committed cases as a regression suite, with every way in which a case is not as
//! expected.

use serde_json::Value as Json;

use super::runner::{Place, read};
use crate::docs::schema::complaints_of;

/// The text of a committed case.
fn committed() -> String {
    let path = "tests/cases/v1/notebook-storing-eventual-sticky.json";
    read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

/// The same case of a strategy without the bug: its property holds now.
fn repaired() -> String {
    let [buggy, good] = [
        r#""name": "notebook", "parameters": {"variant": "storing"}"#,
        r#""name": "multi-primary-lww", "parameters": {}"#,
    ];
    let text = committed();
    assert!(text.contains(buggy), "{text}");
    text.replace(buggy, good)
}

/// A place with these cases in the folder `cases`.
fn with(cases: &[(&str, String)]) -> Place {
    let place = Place::new();
    for (name, text) in cases {
        let path = place.path(&format!("cases/{name}"));
        std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    }
    place
}

#[test]
fn every_committed_case_is_as_expected_and_told_in_order() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1");
    let said = Place::new().run_words(&["test", &folder.to_string_lossy()]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    let names: Vec<_> = said.out.lines().filter(|line| line.starts_with("ok    ")).collect();
    assert!(names.is_sorted() && names.len() > 100, "{}", said.out);
    let one = Place::new().run_words(&["test", "--jobs", "1", &folder.to_string_lossy()]);
    assert_eq!(one.out, said.out, "the number of threads makes no difference");
}

#[test]
fn cases_are_looked_for_in_the_usual_folders_and_below_them() {
    let place = with(&[("b.json", committed()), ("a/deep/c.json", committed())]);
    std::fs::create_dir_all(place.path("tests/cases")).expect("it can be made");
    place.write("tests/cases/d.json", committed());
    place.write("cases/readme.txt", "no case");
    let said = place.run("test");
    assert_eq!(said.code, Some(0), "{said:?}");
    let told: Vec<_> = said.out.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(told[..3], ["cases/a/deep/c.json", "cases/b.json", "tests/cases/d.json"]);
    assert!(said.out.ends_with("3 of 3 cases are as expected\n"), "{}", said.out);
}

#[test]
fn a_repaired_bug_is_told_until_a_file_says_that_it_holds() {
    let place = with(&[("a.json", repaired())]);
    let said = place.run("test");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("repaired: now expected to hold?"), "{}", said.out);
    assert!(said.out.contains("write the word `holds` to cases/a.expect"), "{}", said.out);
    place.write("cases/a.expect", "holds\n");
    let said = place.run("test");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("holds, and was recorded as violated"), "{}", said.out);
}

#[test]
fn a_bug_that_comes_back_is_told_with_its_picture() {
    let place = with(&[("a.json", committed()), ("a.expect", "holds".to_owned())]);
    let said = place.run("test");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("violated, and expected to hold"), "{}", said.out);
    assert!(said.out.contains("─▶ ● x=1"), "{}", said.out);
}

#[test]
fn a_replay_that_differs_only_otherwise_exits_with_5() {
    let other = committed().replace("A writes x=1 at n1: ok", "A writes x=1 at n1: well");
    let place = with(&[("a.json", other.clone()), ("b.json", committed())]);
    let said = place.run("test");
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.out.starts_with("DIFF  cases/a.json"), "{}", said.out);
    let place = with(&[("a.json", other), ("b.json", repaired())]);
    assert_eq!(place.run("test").code, Some(1), "a verdict counts more");
}

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_the_rest_is_replayed() {
    let place = with(&[
        ("a.json", committed()),
        ("a.expect", "fails".to_owned()),
        ("b.json", "{".to_owned()),
        ("c.expect", "holds".to_owned()),
        ("d.json", committed()),
    ]);
    let said = place.run("test");
    assert_eq!(said.code, Some(2), "{said:?}");
    for place in ["cases/a.expect:1:1: `fails`", "cases/b.json:1:1: ", "cases/c.expect: "] {
        assert!(said.err.contains(place), "{place}: {}", said.err);
    }
    assert!(said.out.contains("ok    cases/d.json"), "{}", said.out);
    let said = place.run("test nowhere.json");
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn a_suite_without_cases_is_no_success() {
    let place = Place::new();
    for (line, word) in [("test", "no case"), ("test --format junit", "<error type=\"unknown\"")] {
        let said = place.run(line);
        assert_eq!(said.code, Some(4), "{said:?}");
        assert!(said.out.contains(word), "{}", said.out);
    }
}

#[test]
fn every_form_tells_which_case_is_not_as_expected() {
    let place = with(&[("a.json", committed()), ("b.json", repaired())]);
    for (format, told) in [
        ("junit", "classname=\"cases/b.json\" name=\"eventual\" file=\"cases/b.json\""),
        ("github", "::error file=cases/b.json,line="),
        ("markdown", "| **FAIL** | cases/b.json | eventual | "),
        ("html", "<span class=\"fails\">✗ FAIL</span> <b>eventual</b> · cases/b.json"),
    ] {
        let said = place.run(&format!("test --format {format}"));
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains(told), "{format}: {}", said.out);
    }
    let said = place.run("test --format json");
    let all: Json = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(complaints_of("results", &all), [""; 0]);
    assert_eq!(all["tests"][1]["status"], "violated");
    for line in place.run("test --format jsonl").out.lines() {
        let row: Json = serde_json::from_str(line).expect("JSON");
        assert_eq!(complaints_of("lines", &row), [""; 0], "{row}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_back_is_not_followed() {
    let place = with(&[("a.json", committed())]);
    let link = std::os::unix::fs::symlink(place.path("cases"), place.path("cases/again"));
    link.expect("a link can be made");
    let said = place.run("test");
    assert!(said.out.ends_with("1 of 1 cases are as expected\n"), "{said:?}");
}

#[test]
fn a_file_that_is_in_error_is_told_in_each_form_beside_cases_that_are_not_as_expected() {
    let place = with(&[
        ("good.json", committed()),
        ("other.json", committed().replace("A writes x=1", "A writes it")),
        ("broken.json", "{".to_owned()),
        ("stray.expect", "holds".to_owned()),
    ]);
    let told = |format: &str| {
        let said = place.run(&format!("test --format {format}"));
        assert_eq!(said.code, Some(2), "{said:?}");
        said.out
    };
    assert!(told("human").ends_with("1 of 2 cases are as expected; 2 files are in error\n"));
    let all: Json = serde_json::from_str(&told("json")).expect("JSON");
    assert_eq!(complaints_of("results", &all), Vec::<String>::new());
    let unread = all["unread"].as_array().expect("a list");
    let names: Vec<_> = unread.iter().map(|one| one["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["cases/stray.expect", "cases/broken.json"]);
    let lines: Vec<Json> =
        told("jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let complaints = lines.iter().flat_map(|line| complaints_of("lines", line));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(lines.iter().filter(|line| unread.contains(&line["unread"])).count(), 2);
    assert!(told("junit").contains(" tests=\"4\" failures=\"1\" errors=\"2\" "));
    for format in ["junit", "github", "markdown", "html"] {
        let told = told(format);
        assert!(names.iter().all(|name| told.contains(name)), "{format}: {told}");
    }
}

#[cfg(unix)]
#[test]
fn what_says_what_is_expected_is_a_file_or_not_there() {
    let place = with(&[("one.json", committed())]);
    let expect = place.path("cases/one.expect");
    std::os::unix::fs::symlink("nowhere", &expect).expect("a link");
    let said = place.run("test");
    assert_eq!(said.code, Some(2), "a link that leads nowhere: {said:?}");
    assert!(said.err.contains("one.expect"), "{said:?}");
    std::fs::remove_file(&expect).expect("it is there");
    std::fs::create_dir(&expect).expect("a folder");
    let said = place.run("test");
    assert!(said.code == Some(2) && said.err.contains("one.expect is no file"), "{said:?}");
    std::fs::remove_dir(&expect).expect("it is there");
    std::os::unix::fs::symlink("nowhere", place.path("cases/two.json")).expect("a link");
    let said = place.run("test");
    assert!(said.code == Some(2) && said.err.contains("two.json"), "{said:?}");
}
