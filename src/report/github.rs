//! Results as annotations of GitHub Actions: workflow commands, one a line.
//!
//! Invariant: every line is a command that this module means. A runner takes a line for a
//! command if it begins with `::`, so no text of a strategy or a recording begins a line:
//! newlines in messages are written `%0A`, and what would end a parameter is escaped.

use crate::hunt::outcome::Status;

use super::listing::{Entry, List};

/// Writes the annotations: an error for each result that is violated or was not reproduced,
/// a warning for each that is unknown or had nothing to judge, and a notice with the totals.
pub fn text(list: &List) -> String {
    let mut text: String = list.entries.iter().filter_map(annotation).collect();
    let facts = list.facts.iter().map(|(name, value)| format!("\n{name}: {value}"));
    let said = format!("{}{}", list.totals(), facts.collect::<String>());
    let title = format!("quiescence {}", list.command);
    text.push_str(&command("notice", &[("title", &title)], &said));
    text
}

fn annotation(entry: &Entry) -> Option<String> {
    let name = match entry.status {
        Status::Holds => return None,
        Status::Violated | Status::NotReproduced => "error",
        Status::Unknown | Status::Nothing => "warning",
    };
    let title = format!("{}: {} {}", entry.subject, entry.property, entry.status);
    let line = entry.line.map(|line| line.to_string());
    let mut parameters = Vec::new();
    parameters.extend(entry.file.as_deref().map(|file| ("file", file)));
    parameters.extend(line.as_deref().map(|line| ("line", line)));
    parameters.push(("title", &title));
    let said = entry.story.as_deref().unwrap_or(&entry.told);
    Some(command(name, &parameters, said.trim_end()))
}

/// `::error file=cases/a.json,line=3::message`.
fn command(name: &str, parameters: &[(&str, &str)], message: &str) -> String {
    let told = parameters.iter().map(|(name, value)| format!("{name}={}", parameter(value)));
    format!("::{name} {}::{}\n", told.collect::<Vec<_>>().join(","), data(message))
}

/// What a runner reads back as this message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What a runner reads back as this parameter.
fn parameter(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_a_command_or_ends_a_parameter() {
        assert_eq!(
            command("error", &[("file", "a,line=9::b.json"), ("line", "3")], "50%\r\n::error::x"),
            "::error file=a%2Cline=9%3A%3Ab.json,line=3::50%25%0D%0A::error::x\n"
        );
    }
}
