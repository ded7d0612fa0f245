//! The block below the picture of a failing run: why it fails, what else fails,
//! what still holds, whether it is minimal, and what to do next.
//!
//! This module searches and judges nothing; its callers pass in the results.

use crate::catalogue::Advice;
use crate::hunt::landmarks::Landmarks;
use crate::hunt::property::{Judgement, Property};
use crate::judgement::Model;
use crate::world::{Run, SessionId, Workload};

use super::{Look, Tone, columns, wrap};

/// What is known about a run.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The property that was judged.
    pub property: &'a Property,
    /// The result of judging it.
    pub judgement: &'a Judgement,
    /// Why, in words.
    pub why: &'a str,
    /// What other models say of the run.
    pub landmarks: &'a Landmarks,
    /// Whether no single action can be removed.
    pub minimal: bool,
    /// How many actions were chosen, and how many there are in all.
    pub actions: (usize, usize),
    /// From which run it was shrunk or to which, as a label and a text.
    pub shrunk: Option<(&'static str, &'a str)>,
    /// What is different in the nearest run that passes.
    pub passes: Option<&'a str>,
    /// Violations of other causes that the search has found.
    pub others: &'a [String],
    /// What to try next.
    pub hint: Option<Advice>,
    /// Where the case was saved.
    pub saved: Option<&'a str>,
    /// The command that replays it.
    pub replay: Option<&'a str>,
}

/// The name of a model for people: `read-your-writes` and not `ryw`.
pub(super) fn model_name(model: Model) -> String {
    match model {
        Model::READ_YOUR_WRITES => "read-your-writes".to_owned(),
        Model::MONOTONIC_READS => "monotonic-reads".to_owned(),
        Model::EVENTUAL => "eventual".to_owned(),
        other => match other.name() {
            name if name == "ccv" => "causal".to_owned(),
            name => name,
        },
    }
}

/// The name of a property for people: `read-your-writes`, `white-box:ryw`.
pub fn property_name(property: &Property) -> String {
    match property {
        Property::Model(model) => model_name(*model),
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
    lines.push(("why", Said::Text(block.why.to_owned())));
    let besides = |hold| {
        let models = block.landmarks.besides(block.property, hold);
        models.map(model_name).collect::<Vec<_>>()
    };
    let (fails, holds) = (besides(false), besides(true));
    if !fails.is_empty() {
        lines.push(("also fails", Said::Text(fails.join(", "))));
    }
    if !holds.is_empty() {
        lines.push(("still holds", Said::Text(holds.join(", "))));
    }
    let (chosen, all) = block.actions;
    if block.judgement.flaw().is_some() {
        let checked = if block.minimal { "checked" } else { "not checked" };
        let minimal = format!("{checked} ({chosen} chosen, {all} in all)");
        lines.push(("minimal", Said::Text(minimal)));
    }
    if let Some((label, said)) = block.shrunk {
        lines.push((label, Said::Text(said.to_owned())));
    }
    if let Some(difference) = block.passes {
        lines.push(("passes if", Said::Text(difference.to_owned())));
    }
    if let Some(Advice { text, command }) = block.hint {
        lines.push(("hint", Said::Try(text, command)));
    }
    lines.extend(block.others.iter().map(|other| ("also found", Said::Text(other.clone()))));
    if let Some(path) = block.saved {
        lines.push(("saved", Said::Whole(path.to_owned())));
    }
    if let Some(command) = block.replay {
        lines.push(("replay", Said::Whole(command.to_owned())));
    }
    let mut text = String::new();
    for (label, said) in lines {
        text.push_str(&entry(label, said, look));
    }
    text
}

/// Who issued the operation at a position of the history: a session such as
/// `A`, or a new client for a read at quiescence.
pub fn client(run: &Run, workload: &Workload, at: usize) -> String {
    let session = SessionId(run.operations[at].session);
    match session.index() < workload.sessions.len() {
        true => session.to_string(),
        false => "a new client".to_owned(),
    }
}

/// The content under one label of the block.
enum Said {
    /// A text, wrapped at the page width.
    Text(String),
    /// A path or a command to be copied, never wrapped.
    Whole(String),
    /// Advice, wrapped at the page width, and a command, never wrapped.
    Try(&'static str, &'static str),
}

impl Said {
    /// Its lines; those that may be wrapped are at most `room` columns wide.
    fn lines(self, room: usize, look: &Look) -> Vec<String> {
        match self {
            Said::Text(text) => wrap(&look.text(&text), room),
            Said::Whole(text) => vec![look.text(&text)],
            Said::Try(advice, command) => {
                let whole = look.text(&format!("{advice}: {command}"));
                if columns(&whole) <= room {
                    return vec![whole];
                }
                let mut lines = wrap(&look.text(&format!("{advice}:")), room);
                lines.push(look.text(command));
                lines
            }
        }
    }
}

/// One labelled entry of the block.
fn entry(label: &str, said: Said, look: &Look) -> String {
    let label = format!("  {label:<12} ");
    let room = look.width.saturating_sub(label.len()).max(30);
    let indent = format!("\n{}", " ".repeat(label.len()));
    let lines = said.lines(room, look);
    format!("{}{}\n", look.paint(Tone::Faint, &label), lines.join(&indent))
}
