//! The states of replicas, step by step.

use crate::history::NodeId;
use crate::replication::Part;
use crate::world::trace::{Shown, Trace};

use super::timeline::{mark, sentences};
use super::{Look, Tone};

/// Step `number`, or the start for 0, with what the step changed: `+` marks new
/// state, `-` marks state that is gone.
pub fn step(trace: &Trace, number: usize, look: &Look) -> String {
    let Some(at) = number.checked_sub(1) else {
        return format!("{}\n{}", look.paint(Tone::Strong, "at the start"), all_at(trace, 0, look));
    };
    let step = &trace.steps[at];
    let [head, rest @ ..] = &*sentences(step) else { unreachable!("there is a first one") };
    let title = format!("step {number}  {head}{}", mark(step));
    let mut text = format!("{}\n", look.paint(Tone::Strong, &title));
    for line in rest {
        text.push_str(&format!("      {}\n", look.paint(Tone::Strong, line)));
    }
    for (name, label) in &step.sends {
        text.push_str(&look.text(&format!("      sends {name} {label}")));
        text.push('\n');
    }
    let node = step.happened.node;
    if !step.is_changed {
        text.push_str(&format!("      {node}  as before\n"));
        return text;
    }
    let (gone, new) = changes(&step.before, &step.after);
    let gone = gone.into_iter().map(|said| (Tone::Bad, format!("      {node}  - {said}")));
    let new = new.into_iter().map(|said| (Tone::Good, format!("      {node}  + {said}")));
    for (tone, line) in gone.chain(new) {
        text.push_str(&look.paint(tone, &line));
        text.push('\n');
    }
    text
}

/// Every replica after the last step of the trace.
pub fn all(trace: &Trace, look: &Look) -> String {
    all_at(trace, trace.steps.len(), look)
}

fn all_at(trace: &Trace, steps: usize, look: &Look) -> String {
    let mut text = String::new();
    for (node, boot) in (0u16..).map(NodeId).zip(&trace.boot) {
        let last = trace.steps[..steps].iter().rev().find(|step| step.happened.node == node);
        let told = match &*told(last.map_or(boot, |step| &step.after)) {
            [] => "holds nothing".to_owned(),
            parts => parts.join("   "),
        };
        text.push_str(&look.text(&format!("      {node}  {told}")));
        text.push('\n');
    }
    text
}

/// `x = 1`.
fn long(part: &Part) -> String {
    format!("{} = {}", part.name(), part.value())
}

/// What is gone from a replica, and what is new or different.
pub(super) fn changes(before: &Shown, after: &Shown) -> (Vec<String>, Vec<String>) {
    match (before, after) {
        (Shown::Parts(before), Shown::Parts(after)) => {
            let gone = before.iter().filter(|old| !after.iter().any(|part| part.is_of(old)));
            let new = after.iter().filter(|part| !before.contains(part));
            (gone.map(long).collect(), new.map(long).collect())
        }
        (before, after) => (told(before), told(after)),
    }
}

/// A replica, part by part.
pub(super) fn told(shown: &Shown) -> Vec<String> {
    match shown {
        Shown::Parts(parts) => parts.iter().map(long).collect(),
        Shown::Debug(debug) => vec![debug.clone()],
    }
}
