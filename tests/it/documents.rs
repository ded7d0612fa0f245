//! Regions of documents that tests write and compare.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::overwrites;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A lock that keeps other tests from writing a document while this one updates
/// it.
pub fn alone() -> Option<MutexGuard<'static, ()>> {
    static WRITING: Mutex<()> = Mutex::new(());
    overwrites().then(|| WRITING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Replaces ranges of lines of a document, last one first.
pub fn edit(path: &Path, edits: Vec<(std::ops::Range<usize>, Vec<String>)>) {
    if edits.is_empty() {
        return;
    }
    let mut lines: Vec<_> = read(path).lines().map(str::to_owned).collect();
    for (range, new) in edits.into_iter().rev() {
        lines.splice(range, new);
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(path, text).expect("a document can be written");
}

/// A row of a table.
pub fn row(cells: &[String]) -> String {
    cells
        .iter()
        .map(|cell| if cell.is_empty() { "| ".to_owned() } else { format!("| {cell} ") })
        .collect::<String>()
        + "|"
}

/// The head of a table.
pub fn head(cells: &[&str]) -> [String; 2] {
    [format!("| {} |", cells.join(" | ")), format!("|{}", "---|".repeat(cells.len()))]
}

/// Compares a region of a document with what it should be, or writes it.
pub fn check_region(document: &str, name: &str, lines: &[String]) {
    let path = root().join(document);
    let _alone = alone();
    let text = read(&path);
    let begin = format!("<!-- catalogue: {name} -->");
    let at = text.lines().position(|line| line == begin);
    let at = at.unwrap_or_else(|| panic!("{document} has no line `{begin}`")) + 1;
    let there: Vec<_> = text.lines().skip(at).take_while(|line| *line != "<!-- end -->").collect();
    // Markdown needs an empty line between a comment and a table.
    let wanted = [&[String::new()], lines, &[String::new()]].concat();
    if overwrites() {
        edit(&path, vec![(at..at + there.len(), wanted)]);
    } else {
        assert_eq!(
            there.join("\n"),
            wanted.join("\n"),
            "{document}, {name}: this test writes it with SNAPSHOTS=overwrite"
        );
    }
}
