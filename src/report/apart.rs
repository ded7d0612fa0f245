//! Two models side by side: what each allows and the other forbids.

use std::fmt::Write as _;

use crate::history::notation;
use crate::judgement::Model;
use crate::judgement::apart::{Apart, Example, Implied};

use super::{Look, wrap};

/// What both models ask, and in which histories they differ. `there` is what the first
/// allows and the second forbids, `back` the reverse.
pub fn text([one, other]: [Model; 2], there: &Apart, back: &Apart, look: &Look) -> String {
    let mut text = String::new();
    if one == other {
        return paragraph(&format!("{one} and {other} are one model."), look);
    }
    for model in [one, other] {
        let _ = writeln!(text, "{}: {}", model.name(), model.long_name());
        text.push_str(&paragraph(&model.about(), look));
    }
    text.push('\n');
    if there.implied == Implied::Always && back.implied == Implied::Always {
        let same = format!("{one} and {other} allow the same histories.");
        return text + &paragraph(&same, look) + CLAIM;
    }
    for ((allows, forbids), apart) in [((one, other), there), ((other, one), back)] {
        text.push_str(&direction(allows, forbids, apart, look));
    }
    text + CLAIM
}

/// What the lattice and the examples are about.
const CLAIM: &str = "  (claims about registers that are read and written)\n";

fn direction(allows: Model, forbids: Model, apart: &Apart, look: &Look) -> String {
    let mut text = String::new();
    let implied = match apart.implied {
        Implied::Never => None,
        Implied::Always => Some(format!(
            "{allows} implies {forbids}, so nothing is allowed by {allows} and forbidden by \
             {forbids}."
        )),
        Implied::WhereQuiet => Some(format!(
            "{allows} implies {forbids} where every write returned before the first read at \
             quiescence began. Elsewhere it does not:"
        )),
    };
    if let Some(implied) = implied {
        text.push_str(&paragraph(&implied, look));
    }
    match &apart.example {
        Some(example) => text.push_str(&told(allows, forbids, example, look)),
        None if apart.implied == Implied::Always => {}
        None => text.push_str(&paragraph(
            &format!(
                "No history is known here that {allows} allows and {forbids} forbids; there may \
                 be one."
            ),
            look,
        )),
    }
    text + "\n"
}

fn told(allows: Model, forbids: Model, example: &Example, look: &Look) -> String {
    let Example { history, why, smallest } = example;
    let fewest = if *smallest { ", the fewest that can" } else { "" };
    let operations = if history.len() == 1 { "operation" } else { "operations" };
    let mut text = paragraph(
        &format!(
            "Allowed by {allows}, forbidden by {forbids} ({} {operations}{fewest}):",
            history.len()
        ),
        look,
    );
    let _ = writeln!(text, "\n    {}\n", look.text(&notation::write(history)));
    text + &paragraph(&format!("{} ({}): {}.", forbids, why.kind, why.explain(history)), look)
}

fn paragraph(said: &str, look: &Look) -> String {
    let lines = wrap(&look.text(said), look.width.saturating_sub(2).max(30));
    format!("  {}\n", lines.join("\n  "))
}
