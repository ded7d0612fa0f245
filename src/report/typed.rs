//! A history that was typed in the one-line notation, in words: what each process
//! did, what overlaps in real time, and which models allow it.
//!
//! This module judges nothing, and has no words of its own for what operations do or
//! for what models say of them.

use std::fmt::Write as _;

use crate::history::{History, ProcessId, notation};
use crate::judgement::Verdict;
use crate::judgement::checker::Entry;
use crate::judgement::verdict::deed;

use super::survey::Judged;
use super::{Look, wrap};

/// How many operations are listed in one line at most.
const LISTED_MAX: usize = 12;
/// How many lines say what overlaps at most.
const OVERLAPS_MAX: usize = 20;

/// The history, and the weakest models that do not allow it with the reasons.
pub fn text(judged: &Judged<'_>, look: &Look) -> String {
    let history = &judged.recording.history;
    let numbers = |at: usize| judged.recording.place(at).1;
    let mut text = format!("{}\n\n", look.text(&notation::write(history)));
    for process in history.processes() {
        let _ = writeln!(text, "  process {}", process.0);
        for at in of(history, process) {
            let lines = wrap(&look.text(&deed(history, at)), look.width.saturating_sub(9).max(30));
            let _ = writeln!(text, "    {:>3}  {}", numbers(at), lines.join("\n         "));
        }
    }
    text.push_str("\n  in real time\n");
    let room = look.width.saturating_sub(4).max(30);
    for line in in_real_time(history, &numbers) {
        let _ = writeln!(text, "    {}", wrap(&look.text(&line), room).join("\n    "));
    }
    text.push('\n');
    for entry in told(judged) {
        text.push_str(&judged.row(entry, None, usize::MAX, look));
    }
    text + &judged.place(look)
}

/// The verdicts that are told with their reasons: that the weakest models fail, and of
/// those that are unknown one for each reason.
fn told<'a>(judged: &'a Judged<'_>) -> Vec<&'a Entry> {
    let weakest = judged.survey.weakest_failing();
    let mut reasons = Vec::new();
    let mut is_told = |entry: &&Entry| match &*entry.verdict {
        Verdict::Holds(_) => false,
        Verdict::Violated(_) => weakest.contains(&entry.model),
        Verdict::Unknown(unknown) => {
            let is_new = !reasons.contains(&unknown.reason);
            reasons.extend(is_new.then(|| unknown.reason.clone()));
            is_new
        }
    };
    judged.survey.entries().iter().filter(|entry| is_told(entry)).collect()
}

/// The positions of what a process did, in its order.
fn of(history: &History, process: ProcessId) -> impl Iterator<Item = usize> + '_ {
    let operations = history.operations().iter().enumerate();
    operations.filter(move |(_, op)| op.process == process).map(|(at, _)| at)
}

/// In which order operations began, and which of them overlap.
fn in_real_time(history: &History, number: &dyn Fn(usize) -> usize) -> Vec<String> {
    let operations = history.operations();
    let listed = |from: usize, to: usize| {
        let shown: Vec<_> = (from..to).take(LISTED_MAX).map(|at| number(at).to_string()).collect();
        let more = if to - from > LISTED_MAX { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    // What began before an operation returned is a run of those that follow it.
    let overlaps = (0..operations.len()).filter_map(|at| {
        let after = &operations[at + 1..];
        let end = at + 1 + after.partition_point(|other| !operations[at].returns_before(other));
        (end > at + 1).then(|| format!("{} overlaps {}", number(at), listed(at + 1, end)))
    });
    let mut overlaps: Vec<String> = overlaps.take(OVERLAPS_MAX + 1).collect();
    let order = listed(0, operations.len());
    if overlaps.is_empty() {
        return vec![format!("one after the other, in the order {order}")];
    }
    if overlaps.len() > OVERLAPS_MAX {
        overlaps[OVERLAPS_MAX] = "…".to_owned();
    }
    overlaps.insert(0, format!("they begin in the order {order}"));
    overlaps
}
