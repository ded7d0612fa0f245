//! The states of replicas, step by step.

use crate::history::NodeId;
use crate::world::trace::Trace;

use super::state::{Entry, changes, entries};
use super::timeline::sentence;
use super::{Look, Tone};

/// Step `number` (0 is the beginning) with what it changed: `+` for what is
/// new, `-` for what is gone.
pub fn step(trace: &Trace, number: usize, look: &Look) -> String {
    let Some(at) = number.checked_sub(1) else {
        return format!("{}\n{}", look.paint(Tone::Strong, "at the start"), all_at(trace, 0, look));
    };
    let step = &trace.steps[at];
    let settling = if step.settling { "   settling" } else { "" };
    let title = format!("step {number}  {}{settling}", sentence(step));
    let mut text = format!("{}\n", look.paint(Tone::Strong, &title));
    for (name, label) in &step.sends {
        text.push_str(&look.text(&format!("      sends {name} {label}")));
        text.push('\n');
    }
    let before = state(trace, step.node, at);
    let (new, gone) = changes(&before, &step.state);
    if before == step.state {
        text.push_str(&format!("      {}  as before\n", step.node));
    }
    let sign = |sign: &str, entry: &Entry| format!("      {}  {sign} {}", step.node, entry.long());
    let gone = gone.iter().map(|entry| (Tone::Bad, sign("-", entry)));
    for (tone, line) in gone.chain(new.iter().map(|entry| (Tone::Good, sign("+", entry)))) {
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
    for node in (0u16..).map(NodeId).take(trace.boot.len()) {
        let told: Vec<_> = entries(&state(trace, node, steps)).iter().map(Entry::long).collect();
        text.push_str(&look.text(&format!("      {node}  {}", told.join("   "))));
        text.push('\n');
    }
    text
}

/// The replica of a node after that many steps.
fn state(trace: &Trace, node: NodeId, steps: usize) -> String {
    let last = trace.steps[..steps].iter().rev().find(|step| step.node == node);
    last.map(|step| &step.state).or(trace.boot.get(node.index())).cloned().unwrap_or_default()
}
