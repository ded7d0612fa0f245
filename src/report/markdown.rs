//! Results as Markdown: a page for `$GITHUB_STEP_SUMMARY`, a comment or an issue.
//!
//! A table of all results, then each failing run in a block as people see it on a terminal.
//! Invariant: no text of a strategy or a recording has a meaning in Markdown: what could have
//! one is escaped in the table, and the fence of a block is longer than any in it.

use std::fmt::Write as _;

use crate::hunt::outcome::Status;

use super::listing::List;

/// Writes the page.
pub fn text(list: &List) -> String {
    let mut text = format!("## quiescence {}\n\n{}.\n\n", list.command, list.totals());
    for (name, value) in &list.facts {
        let _ = writeln!(text, "- {name}: {}", code(value));
    }
    text.push_str("\n| | of | property | found |\n|---|---|---|---|\n");
    for entry in &list.entries {
        let mark = mark(entry.status);
        let (suite, property) = (plain(&entry.suite), plain(&entry.property));
        let _ = writeln!(text, "| {mark} | {suite} | {property} | {} |", plain(&entry.told));
    }
    for entry in &list.entries {
        let Some(story) = &entry.story else { continue };
        let (suite, property) = (plain(&entry.suite), plain(&entry.property));
        let _ = writeln!(text, "\n### {property}: {suite}\n");
        if let Some(file) = &entry.file {
            let line = entry.line.map_or(String::new(), |line| format!(":{line}"));
            let _ = writeln!(text, "Shown by {}.\n", code(&format!("{file}{line}")));
        }
        let fence = "`".repeat(longest_run(story).max(2) + 1);
        let _ = writeln!(text, "{fence}text\n{}\n{fence}", story.trim_end());
    }
    text
}

/// The word for a status, in capitals where somebody has to look.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Holds => "ok",
        Status::Violated => "**FAIL**",
        Status::NotReproduced => "**DIFFERS**",
        Status::Unknown => "**unknown**",
        Status::Nothing => "**nothing checked**",
    }
}

/// The text as it is, in a paragraph or in a cell of a table.
fn plain(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => told.push(' '),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
            | '!' | '$' | '@' => {
                told.push('\\');
                told.push(letter);
            }
            _ => told.push(letter),
        }
    }
    // Addresses are links even where nothing marks them.
    told.replace("://", "\\://").replace("www.", "www\\.")
}

/// The text as code in a line.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace(['\n', '\r'], " "))
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    let mut run = 0;
    let runs = text.chars().map(|letter| {
        run = if letter == '`' { run + 1 } else { 0 };
        run
    });
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_has_a_meaning() {
        assert_eq!(
            plain("a|b <b>*c* [d](http://e) `f`\n# g\\ @h www.i"),
            r"a\|b \<b\>\*c\* \[d\](http\://e) \`f\` \# g\\ \@h www\.i"
        );
        assert_eq!(["a", "a`b", "``"].map(code), ["`a`", "``a`b``", "``` `` ```"]);
    }

    #[test]
    fn a_run_of_backticks_is_measured_whole() {
        assert_eq!(["", "a", "`", "a ``` b ``", "````"].map(longest_run), [0, 0, 1, 3, 4]);
    }
}
