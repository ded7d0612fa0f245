//! The page of the results of a command: a promise table, an exam, a suite.

use maud::{Markup, html};

use crate::history::escape;
use crate::hunt::outcome::Status;
use crate::report::listing::{Entry, List};

use super::document;

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
    document(&format!("quiescence {}", list.command), None, &body)
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
                @if let Some(file) = &entry.file { " " code { (escape::line(file)) } }
            }
        }
    }
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
