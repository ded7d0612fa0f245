//! Golden texts of pages: one of each kind, without its style, its script and the line that has
//! their hashes, an element a line.

use std::time::{Duration, UNIX_EPOCH};

use snapbox::file;

use super::runner::Place;
use super::transcripts::same;
use crate::documents::root;

/// The text without all parts that begin and end so.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut parts = text.split(begin);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let (_, rest) = part.split_once(end).expect("what begins ends");
        all + rest
    })
}

/// The page as people can review it.
fn plain(page: &str) -> String {
    let mut text = page.to_owned();
    for (begin, end) in [
        ("<style>", "</style>"),
        ("<script>", "</script>"),
        ("<meta http-equiv=", ">"),
        (" (1.8 kB, JSON event lines) in ", " s"), // How long reading took.
    ] {
        text = without(&text, begin, end);
    }
    text.replace("><", ">\n<").replace(">\n</", "></") + "\n"
}

/// A place with files of the repository.
fn with(files: &[&str]) -> Place {
    let place = Place::new();
    for (age, name) in (0..).zip(files) {
        let path = root().join("tests").join(name);
        let copy = place.path(&path.file_name().expect("a file").to_string_lossy());
        std::fs::copy(path, &copy).expect("it can be copied");
        let file = std::fs::File::options().append(true).open(copy).expect("it is there");
        let time = UNIX_EPOCH + Duration::from_secs(1_000_000 - age);
        file.set_modified(time).expect("files have times");
    }
    place
}

const STORING: &str = "cases/v1/notebook-storing-eventual-sticky.json";
const ECHO: &str = "cases/v1/notebook-echo-eventual-sticky.json";

#[test]
fn the_page_of_a_case() {
    let said = with(&[STORING]).run("report notebook-storing-eventual-sticky.json --output -");
    same(&plain(&said.out), file!["golden/page-case.html"]);
}

#[test]
fn the_page_of_a_recording() {
    let said = with(&["recordings/failover.jsonl"]).run("report failover.jsonl --output -");
    same(&plain(&said.out), file!["golden/page-recording.html"]);
}

#[test]
fn the_page_of_a_directory() {
    let said = with(&[STORING, ECHO]).run("report . --output -");
    same(&plain(&said.out), file!["golden/page-index.html"]);
}

#[test]
fn the_page_of_results() {
    let said = Place::new().run("check notebook:storing --seed 0x5eed91c4 --format html");
    same(&plain(&said.out), file!["golden/page-results.html"]);
}
