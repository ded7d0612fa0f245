//! Results as a JUnit file, which most systems for continuous integration read.
//!
//! A suite is a strategy in a setting or a recording, a test case is a property. What is
//! violated or was not reproduced is a `failure`. What is unknown, or had nothing to judge,
//! is an `error` and not `skipped`: systems count skipped tests as neither good nor bad, and
//! would show a search that was cut short as a success.

use std::fmt::Write as _;

use crate::hunt::outcome::Status;

use super::listing::{Entry, List};

/// Writes the file.
pub fn text(list: &List) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = format!("quiescence {}", list.command);
    let all: Vec<&Entry> = list.entries.iter().collect();
    let _ = writeln!(text, "<testsuites name=\"{}\"{}>", escaped(&name), counts(&all));
    for (suite, entries) in list.suites() {
        let _ = writeln!(text, "  <testsuite name=\"{}\"{}>", escaped(suite), counts(&entries));
        text.push_str("    <properties>\n");
        for (name, value) in &list.facts {
            let value = escaped(value);
            let _ = writeln!(text, "      <property name=\"{name}\" value=\"{value}\"/>");
        }
        text.push_str("    </properties>\n");
        entries.into_iter().for_each(|entry| text.push_str(&case(entry)));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// The element by which a result is no success, if it is none.
fn element(status: Status) -> Option<&'static str> {
    match status {
        Status::Holds => None,
        Status::Violated | Status::NotReproduced => Some("failure"),
        Status::Unknown | Status::Nothing => Some("error"),
    }
}

fn counts(entries: &[&Entry]) -> String {
    let number =
        |wanted: &str| entries.iter().filter(|entry| element(entry.status) == Some(wanted)).count();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\"",
        entries.len(),
        number("failure"),
        number("error")
    )
}

fn case(entry: &Entry) -> String {
    let (class, name) = (escaped(&entry.subject), escaped(&entry.property));
    let mut text = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
    if let Some(file) = &entry.file {
        let _ = write!(text, " file=\"{}\"", escaped(file));
    }
    if let Some(line) = entry.line {
        let _ = write!(text, " line=\"{line}\"");
    }
    text.push_str(">\n");
    let told = escaped(&entry.told);
    match element(entry.status) {
        Some(element) => {
            let story = entry.story.as_deref().map_or(told.clone(), escaped);
            let status = entry.status;
            let begin = format!("      <{element} type=\"{status}\" message=\"{told}\">");
            let _ = writeln!(text, "{begin}{story}</{element}>");
        }
        None => {
            let _ = writeln!(text, "      <system-out>{told}</system-out>");
        }
    }
    text.push_str("    </testcase>\n");
    text
}

/// The text as XML, in an element or in an attribute. XML has no form for some characters,
/// not even an escape; they are replaced by one that says so.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\n' => xml.push('\n'),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                xml.push(char::REPLACEMENT_CHARACTER);
            }
            other => xml.push(other),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_an_element_or_an_attribute() {
        assert_eq!(
            escaped("a<b> \"c\" & 'd' ]]> \u{0}\u{b}\u{fffe}\u{85} é\n"),
            "a&lt;b&gt; &quot;c&quot; &amp; &apos;d&apos; ]]&gt; \u{fffd}\u{fffd}\u{fffd}\u{fffd} é\n"
        );
    }
}
