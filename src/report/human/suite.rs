//! The result of a regression suite, for people.

use std::path::Path;

use crate::hunt::case::Expectation;
use crate::hunt::outcome::Status;
use crate::report::reporter::{Suite, Tested};
use crate::report::verdict::title;
use crate::report::{Look, Tone, count};

/// All output for a suite: a line for each case, and the replay of those that are not as
/// expected.
pub(super) fn text(suite: &Suite<'_>, look: &Look) -> String {
    let mut text = String::new();
    for one in suite.tests {
        let (tone, word) = match one.status {
            Status::Holds => (Tone::Good, "ok  "),
            Status::Violated => (Tone::Bad, "FAIL"),
            Status::NotReproduced => (Tone::Bad, "DIFF"),
            Status::Unknown | Status::Nothing => (Tone::Doubt, "?   "),
        };
        let path = look.text(one.replayed.path);
        text.push_str(&format!("{}  {path}  {}\n", look.paint(tone, word), look.text(&told(one))));
        if let Some(remedy) = remedy(one) {
            text.push_str(&format!("      {}\n", look.text(&remedy)));
        }
        if one.status != Status::Holds && !is_repaired(one) {
            text.push_str(&format!("\n{}\n", super::replay::text(&one.replayed, look)));
        }
    }
    let as_expected = suite.tests.iter().filter(|one| one.status == Status::Holds).count();
    let (all, good) = (count(suite.tests.len() as u64), count(as_expected as u64));
    let mut line = match suite.tests.len() {
        0 => "no case was replayed".to_owned(),
        _ => format!("{good} of {all} cases are as expected"),
    };
    match suite.unread.len() {
        0 => {}
        1 => line.push_str("; 1 file is in error"),
        more => line.push_str(&format!("; {} files are in error", count(more as u64))),
    }
    text.push_str(&format!("{}\n", look.text(&line)));
    text
}

/// Whether a case is no longer violated although that was expected.
fn is_repaired(one: &Tested<'_>) -> bool {
    one.status == Status::Violated && one.expected == Expectation::Violated
}

/// What was found of a case, in one line.
pub(in crate::report) fn told(one: &Tested<'_>) -> String {
    let Tested { replayed, expected, .. } = one;
    let title = title(&replayed.case.property, &replayed.replay.judgement);
    let found = match one.status {
        Status::Holds if replayed.case.recorded() != *expected => {
            format!("{expected}, and was recorded as {}", replayed.case.recorded())
        }
        Status::Holds => expected.to_string(),
        Status::Violated if is_repaired(one) => "repaired: now expected to hold?".to_owned(),
        Status::Violated => "violated, and expected to hold".to_owned(),
        Status::NotReproduced => format!("{expected}, but not as it was recorded"),
        Status::Unknown | Status::Nothing => format!("unknown, and expected: {expected}"),
    };
    format!("{} {title}: {found}", replayed.strategy)
}

/// What to do about a case that is not as expected, if that is known.
pub(in crate::report) fn remedy(one: &Tested<'_>) -> Option<String> {
    let path = one.replayed.path;
    let beside = || Path::new(path).with_extension("expect").display().to_string();
    match one.status {
        Status::Violated if is_repaired(one) => Some(format!(
            "if it is, write the word `holds` to {}; if not, check the strategy again for a new case",
            beside()
        )),
        Status::NotReproduced => Some(
            "the strategy or the tool has changed: check the strategy again for a new case"
                .to_owned(),
        ),
        _ => None,
    }
}
