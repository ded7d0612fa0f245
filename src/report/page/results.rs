//! The page of the results of a command: a promise table, an exam, a suite.
//!
//! A violation that is kept as a case leads to it, seen from the directory in which the command
//! ran: a page is read where it was written.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::history::escape;
use crate::hunt::outcome::Status;
use crate::report::listing::{Entry, List};
use crate::report::reporter::Kept;

use super::{COPY, document};

/// The page of these results.
pub fn page(list: &List) -> String {
    let body = html! {
        header {
            h1 { "quiescence " (list.command) }
            p { (list.totals()) "." }
            dl.facts {
                @for (name, value) in &list.facts { dt { (name) } dd { code { (escape::line(value)) } } }
            }
        }
        main.wide {
            (unexpected(list))
            section {
                h2 { "All results" }
                @if list.entries.iter().any(|entry| entry.kept.is_some()) {
                    p.small { "Links to cases are relative to the directory in which this page was made." }
                }
                div.scroll { table.results {
                    tr { th { "of" } th { "property" } th { "result" } th { "found" } }
                    @for (suite, entries) in list.suites() {
                        @for (nth, entry) in entries.iter().enumerate() {
                            (row(entry, (nth == 0).then_some((suite, entries.len()))))
                        }
                    }
                } }
            }
        }
    };
    document(&format!("quiescence {}", list.command), &[COPY], &body)
}

/// What is not as it should be, with its story: above all others, so that nobody overlooks it.
fn unexpected(list: &List) -> Markup {
    let bad = || list.entries.iter().filter(|entry| entry.status != Status::Holds);
    html! {
        @if bad().next().is_some() {
            section {
                h2 { "Not as it should be" }
                @for entry in bad() {
                    details open {
                        summary {
                            (word(entry.status)) " " b { (escape::line(&entry.property)) } " · "
                            (escape::line(&entry.suite))
                        }
                        p { (escape::line(&entry.told)) }
                        @if let Some(story) = &entry.story { pre tabindex="0" { (escape::in_json(story)) } }
                        @if let Some(kept) = &entry.kept { (links(kept)) }
                    }
                }
            }
        }
    }
}

fn row(entry: &Entry, suite: Option<(&str, usize)>) -> Markup {
    html! {
        tr {
            @if let Some((name, rows)) = suite {
                th scope="rowgroup" rowspan=(rows) { (escape::line(name)) }
            }
            td { (escape::line(&entry.property)) }
            td { (word(entry.status)) }
            td {
                (escape::line(&entry.told))
                @match (&entry.kept, &entry.file) {
                    (Some(kept), _) => details.case {
                        summary { "case " code { (escape::line(&kept.path)) } }
                        (links(kept))
                    },
                    (None, Some(file)) => { " " code { (escape::line(file)) } }
                    (None, None) => {}
                }
            }
        }
    }
}

/// The ways to a case: its page, its file, and the commands that show more.
fn links(kept: &Kept) -> Markup {
    html! {
        p {
            @if let Some(page) = &kept.page { a href=(address(page)) { "its page" } " · " }
            a href=(address(&kept.path)) { "the file" }
        }
        @for command in &kept.commands {
            p { code { (escape::line(command)) } " " button.copy type="button" { "copy" } }
        }
    }
}

/// A path below the current directory as an address. It never begins with a scheme.
fn address(path: &str) -> String {
    let mut address = "./".to_owned();
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => address.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => address.push(char::from(byte)),
            _ => drop(write!(address, "%{byte:02X}")),
        }
    }
    address
}

/// The word for a status, with a sign of its own.
fn word(status: Status) -> Markup {
    let (class, word) = match status {
        Status::Holds => ("good", "✓ as expected"),
        Status::Violated => ("fails", "✗ FAIL"),
        Status::NotReproduced => ("fails", "✗ DIFFERS"),
        Status::Unknown => ("doubt", "? unknown"),
        Status::Nothing => ("doubt", "? nothing checked"),
    };
    html! { span class=(class) { (word) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_below_the_directory_whatever_the_path_says() {
        for (path, there) in [
            ("cases/a-1.json", "./cases/a-1.json"),
            ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
            ("cases/\u{e4} #?%.json", "./cases/%C3%A4%20%23%3F%25.json"),
        ] {
            assert_eq!(address(path), there);
        }
    }
}
