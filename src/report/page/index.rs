//! The page of a directory: its cases by strategy, property and kind, newest first.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::history::{escape, notation};
use crate::hunt::case::Case;
use crate::report::count;
use crate::report::table::setting_text;
use crate::report::verdict::property_name;

use super::document;

/// A file of the directory.
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The command that makes a page of it.
    pub command: String,
    /// The short name of the strategy and the case, or why the file is none.
    pub case: Result<(String, Case), String>,
}

/// The page of the files in a directory, which come newest first.
pub fn page(directory: &str, entries: &[Entry]) -> String {
    let cases = || entries.iter().filter_map(|entry| Some((entry, entry.case.as_ref().ok()?)));
    let mut counted: BTreeMap<&str, BTreeMap<(String, String), Vec<usize>>> = BTreeMap::new();
    for (nth, (_, (strategy, case))) in cases().enumerate() {
        let kinds = counted.entry(strategy).or_default();
        kinds.entry((property_name(&case.property), verdict(case))).or_default().push(nth);
    }
    let total = cases().count();
    let body = html! {
        header {
            h1 { "Cases in " (escape::line(directory)) }
            p.where { (count(total as u64)) @if total == 1 { " case" } @else { " cases" } ", newest first" }
        }
        main.wide {
            section {
                h2 { "By strategy, property and kind" }
                div.scroll { table {
                    tr { th { "strategy" } th { "property" } th { "verdict" } th { "cases" } }
                    @for (strategy, kinds) in &counted {
                        @for (row, ((property, verdict), places)) in kinds.iter().enumerate() {
                            tr {
                                @if row == 0 {
                                    th scope="rowgroup" rowspan=(kinds.len()) { (escape::line(strategy)) }
                                }
                                td { (property) } td { (verdict) }
                                td { @for nth in places { a href={ "#case-" (nth + 1) } { (nth + 1) } " " } }
                            }
                        }
                    }
                } }
            }
            section { h2 { "Newest first" }
                @for (nth, (entry, (strategy, case))) in cases().enumerate() {
                    (one(nth + 1, entry, strategy, case))
                }
            }
            @if entries.len() > total {
                section { h2 { "Not cases" }
                    ul { @for entry in entries { @if let Err(why) = &entry.case {
                        li { (escape::line(&entry.name)) ": " (escape::line(&why.replace("\n  ", "; "))) }
                    } } }
                }
            }
        }
    };
    document(&format!("cases in {directory}"), &[], &body)
}

fn verdict(case: &Case) -> String {
    match &case.kind {
        Some(kind) => format!("✗ violated ({kind})"),
        None => "✓ holds".to_owned(),
    }
}

fn one(nth: usize, entry: &Entry, strategy: &str, case: &Case) -> Markup {
    html! {
        details id={ "case-" (nth) } {
            summary {
                (nth) ". " b { (escape::line(strategy)) } " · " (property_name(&case.property)) " · "
                span.fails[case.kind.is_some()] { (verdict(case)) }
                " · " (case.chosen()) " chosen of " (case.schedule.len()) " steps · "
                code { (escape::line(&entry.name)) }
            }
            p.where { (escape::line(&setting_text(&case.setting))) }
            @if let Some(why) = case.why() { p { (escape::line(why)) } }
            ol { @for step in &case.schedule { li { (escape::line(&step.text)) } } }
            p { "what clients saw: " code { (escape::line(&notation::write(&case.history))) } }
            p { "its own page: " code { (escape::line(&entry.command)) } }
        }
    }
}
