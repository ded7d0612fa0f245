//! What is said below the picture of a failing run: why it fails, what else
//! fails, what still holds, how small it is, and what to do next.
//!
//! It searches nothing: the minimal history is judged by a few models, and the
//! rest was found by others.

use crate::history::History;
use crate::hunt::property::{Flaw, Judgement, Property};
use crate::judgement::{Budget, Model, Verdict, check};

use super::{Look, Tone, wrap};

mod hints;

/// What is known about a failing run.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// Which strategy, in short.
    pub strategy: &'a str,
    /// What was judged, and what came of it.
    pub property: &'a Property,
    /// What came of it.
    pub judgement: &'a Judgement,
    /// Why, in words.
    pub why: &'a str,
    /// What clients saw.
    pub history: &'a History,
    /// Whether no single action can be removed.
    pub minimal: bool,
    /// Actions chosen, and all actions.
    pub actions: (usize, usize),
    /// Where the case was saved.
    pub saved: Option<&'a str>,
    /// The command that replays it.
    pub replay: Option<&'a str>,
}

/// The models by which every failing history is judged, to say how far the
/// failure goes.
pub fn landmarks() -> [(Model, &'static str); 6] {
    let named = |name: &str| name.parse().expect("the model exists");
    [
        (Model::EVENTUAL, "eventual"),
        (Model::READ_YOUR_WRITES, "read-your-writes"),
        (Model::MONOTONIC_READS, "monotonic-reads"),
        (named("sess3"), "sess3"),
        (named("ccv"), "causal"),
        (Model::Linearizable, "linearizable"),
    ]
}

/// The name of a property for people: `read-your-writes`, `white-box:ryw`.
pub fn property_name(property: &Property) -> String {
    match property {
        Property::Model(model) => {
            let known = landmarks().into_iter().find(|(other, _)| other == model);
            known.map_or_else(|| model.name(), |(_, name)| name.to_owned())
        }
        other => other.to_string(),
    }
}

/// `eventual (diverged)`.
pub fn title(property: &Property, judgement: &Judgement) -> String {
    let name = property_name(property);
    match judgement {
        Judgement::Violated(flaw, _) => format!("{name} ({flaw})"),
        Judgement::Holds | Judgement::Unknown(_) => name,
    }
}

/// Writes the block.
pub fn verdict(block: &Block<'_>, look: &Look) -> String {
    let mut lines = Vec::new();
    lines.push(("why", block.why.to_owned()));
    let (fails, holds) = neighbours(block);
    if !fails.is_empty() {
        lines.push(("also fails", fails.join(", ")));
    }
    if !holds.is_empty() {
        lines.push(("still holds", holds.join(", ")));
    }
    let (chosen, all) = block.actions;
    if block.judgement.flaw().is_some() {
        let checked = if block.minimal { "checked" } else { "not checked" };
        lines.push(("minimal", format!("{checked} ({chosen} chosen, {all} in all)")));
    }
    if let Some(hint) = block.judgement.flaw().and_then(|flaw| hint(block.strategy, flaw)) {
        lines.push(("hint", hint.to_owned()));
    }
    if let Some(path) = block.saved {
        lines.push(("saved", path.to_owned()));
    }
    if let Some(command) = block.replay {
        lines.push(("replay", command.to_owned()));
    }
    let mut text = String::new();
    for (label, said) in lines {
        text.push_str(&entry(label, &said, look));
    }
    text
}

/// What to try next, if something is known.
pub fn hint(strategy: &str, flaw: Flaw) -> Option<&'static str> {
    hints::hint(strategy, flaw)
}

/// One labelled entry of the block; commands and paths are never broken.
fn entry(label: &str, said: &str, look: &Look) -> String {
    let label = format!("  {label:<12} ");
    let whole = matches!(label.trim(), "saved" | "replay" | "again");
    let room = if whole { usize::MAX } else { look.width.saturating_sub(label.len()).max(30) };
    let lines = wrap(&look.text(said), room);
    let indent = format!("\n{}", " ".repeat(label.len()));
    format!("{}{}\n", look.paint(Tone::Faint, &label), lines.join(&indent))
}

/// The landmarks that the history violates too, and those that it satisfies.
fn neighbours(block: &Block<'_>) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut fails, mut holds) = (Vec::new(), Vec::new());
    for (model, name) in landmarks() {
        if *block.property == Property::Model(model) {
            continue;
        }
        match check(block.history, model, Budget::default()) {
            Verdict::Violated(_) => fails.push(name),
            Verdict::Holds(_) => holds.push(name),
            Verdict::Unknown(_) => {}
        }
    }
    (fails, holds)
}
