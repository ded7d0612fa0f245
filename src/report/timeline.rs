//! The picture of a run: one line for each step, one lane for each session or
//! node.
//!
//! Invariant: every step of the run is there, in order, with its number; only a
//! stretch of settling that repeats itself and changes no replica is told in one line. A run
//! that is too wide for the page is shown in another form, and no step is left
//! out. The first form that fits the page is used: sessions and nodes as lanes,
//! nodes as lanes, either with long texts cut, a plain list.
//!
//! It knows no model: [`verdict`](super::verdict) says what a run means.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::history::{Completion, History, Key, NodeId, Value};
use crate::hunt::case::words::{asks, outcome, sentence, struck_here};
use crate::replication::{Part, shown};
use crate::world::trace::{Answered, Shown, Trace, TraceStep};
use crate::world::{Action, Ending, SessionId, Setting, Strike, Workload};

use super::{Look, Tone, foreign, pad};

mod lanes;

use lanes::{Arrow, Lanes, News, Row};

/// A run to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// The setting of the run.
    pub setting: &'a Setting,
    /// What clients asked.
    pub workload: &'a Workload,
    /// What happened.
    pub trace: &'a Trace,
    /// What clients saw.
    pub history: &'a History,
    /// How it ended.
    pub ending: &'a Ending,
}

/// Draws the steps of a run and how it ended.
pub fn timeline(story: &Story<'_>, look: &Look) -> String {
    let mut text = steps(story, look);
    for line in closing(story) {
        text.push_str(&format!("        {}\n", look.paint(Tone::Strong, &line)));
    }
    text
}

/// Draws the steps of a run.
pub fn steps(story: &Story<'_>, look: &Look) -> String {
    let nodes: Vec<NodeId> = (0..story.setting.nodes).map(NodeId).collect();
    let with_sessions = draw(story, Lanes::new(sides(story), &nodes, look));
    let only_nodes = draw(story, Lanes::new((Vec::new(), Vec::new()), &nodes, look));
    let forms = [with_sessions, only_nodes];
    let fitting = |text: usize| forms.iter().find_map(|lanes| lanes.drawn(look.width, text));
    TEXTS.into_iter().find_map(fitting).unwrap_or_else(|| list(story, look))
}

/// To how many columns the texts of a picture are cut, until it fits.
const TEXTS: [usize; 5] = [usize::MAX, 24, 20, 16, 12];

/// What stands on a line, or on several if there are answers to others.
enum Stretch {
    /// The step at this position.
    Step(usize),
    /// Steps of settling like earlier ones, which change no replica, nor tell a client anything.
    Quiet(Range<usize>),
}

/// The steps of a run, where a long quiet stretch is one item. What repeats for ever is never
/// folded, because it shows that there is no end.
fn stretches(story: &Story<'_>) -> Vec<Stretch> {
    /// Fewer quiet steps than that are drawn one by one.
    const LONG: usize = 4;
    let steps = &story.trace.steps;
    let end = match story.ending {
        Ending::NeverQuiet { from, .. }
        | Ending::Oscillating { from }
        | Ending::Cycle { from, .. } => (*from).min(steps.len()),
        _ => steps.len(),
    };
    let is_quiet = |step: &TraceStep| {
        let happened = &step.happened;
        let is_told = happened.answers.is_empty() && happened.panicked.is_none();
        step.step.settling && !step.is_changed && is_told && step.visible.is_empty()
    };
    // What happens for the first time may be the reason that nothing changes.
    let mut seen = BTreeSet::new();
    let repeats: Vec<bool> = steps.iter().map(|step| !seen.insert(kind(step))).collect();
    let is_told = |at: &usize| !repeats[*at] || !is_quiet(&steps[*at]);
    let (mut all, mut at) = (Vec::new(), 0);
    while at < steps.len() {
        let quiet = (at..end).take_while(|at| !is_told(at)).count();
        if quiet >= LONG {
            all.push(Stretch::Quiet(at..at + quiet));
            at += quiet;
        } else {
            all.push(Stretch::Step(at));
            at += 1;
        }
    }
    all
}

/// What a step has in common with those that repeat it: all but the number of its message.
fn kind(step: &TraceStep) -> (NodeId, Option<NodeId>, String) {
    let from = step.happened.action.message().map(|(_, name)| name.from);
    (step.happened.node, from, sentence(&step.happened).text())
}

/// The line for steps that are not told one by one.
fn folded(quiet: &Range<usize>, look: &Look) -> String {
    let dots = look.text("…");
    let said = format!(
        "  {dots:>4}  steps {} to {} repeat such steps, and no replica changes",
        quiet.start + 1,
        quiet.end
    );
    look.paint(Tone::Faint, &said)
}

/// The sessions drawn to the left of the nodes, and those drawn to the right.
pub(super) fn sides(story: &Story<'_>) -> (Vec<SessionId>, Vec<SessionId>) {
    let half = story.setting.nodes.div_ceil(2);
    let scripts = (0u16..).zip(&story.workload.sessions);
    let left = |home: NodeId| home.0 < half;
    let (here, there): (Vec<_>, Vec<_>) = scripts.partition(|(_, script)| left(script.node));
    let ids = |side: Vec<(u16, &_)>| side.into_iter().map(|(at, _)| SessionId(at)).collect();
    (ids(here), ids(there))
}

fn draw<'l>(story: &Story<'_>, mut lanes: Lanes<'l>) -> Lanes<'l> {
    for stretch in stretches(story) {
        match stretch {
            Stretch::Step(at) => {
                rows(story.workload, (at + 1, &story.trace.steps[at]), &mut lanes);
            }
            Stretch::Quiet(steps) => lanes.fold(&steps),
        }
    }
    lanes
}

/// Adds the lines of one step: what happened, then a line for each answer to an
/// earlier request, and one for a panic.
fn rows(workload: &Workload, (number, step): (usize, &TraceStep), lanes: &mut Lanes<'_>) {
    let happened = &step.happened;
    let settling = step.step.settling;
    let (here, label) = (lanes.node(happened.node), foreign(&happened.label));
    let effect = effect(workload, step);
    let dot = format!("● {effect}");
    let mut row = Row::numbered(number, settling);
    let is_own = |answer: &&Answered| happened.action == Action::Invoke(answer.operation);
    match happened.action {
        Action::Invoke(operation) => {
            let news = match happened.answers.iter().find(is_own) {
                Some(answer) if is_plain_ok(answer) => News::None,
                Some(answer) => News::Answers(plain(answer)),
                None => News::Pending,
            };
            let asked = happened.asked.as_ref().map_or_else(String::new, |call| call.to_string());
            let session = SessionId(operation.session);
            row.request(lanes, session, &foreign(&asked), here, (&effect, news));
        }
        Action::Retry(session, _) => {
            row.request(lanes, session, "asks again", here, (&effect, News::None));
        }
        Action::GiveUp(session) => row.alone(lanes, session, "gives up waiting", here),
        Action::Deliver(_, name) => {
            row.message(lanes.node(name.from), &label, here, &dot, Arrow::Message);
        }
        Action::Drop(_, name) => {
            row.message(lanes.node(name.from), &label, here, "x lost", Arrow::Message);
        }
        Action::Duplicate(_, name) => {
            row.message(lanes.node(name.from), &label, here, "× 2", Arrow::Message);
        }
        Action::Strike(_, Strike::Cut(from)) => {
            row.message(lanes.node(from), "cut", here, "x", Arrow::Message);
        }
        Action::Strike(_, Strike::Command(_)) => row.cell(here, &format!("operator: {label}")),
        Action::Strike(_, strike) => row.cell(here, &struck_here(strike)),
        Action::Heal(from, to) => {
            row.message(lanes.node(from), "healed", lanes.node(to), "● ", Arrow::Message);
        }
        Action::Unite => row.cell(here, "● whole again"),
        Action::Recover(_) => row.cell(here, &format!("{} recovers", dot.trim_end())),
        Action::Fire(_, timer) => {
            row.cell(here, &format!("{} timer {}", dot.trim_end(), timer.0));
        }
        Action::Tick(_) => row.cell(here, &format!("clock {label}")),
        Action::Flush(_) => row.cell(here, &format!("{} flushes", dot.trim_end())),
    }
    lanes.push(row);
    for answer in happened.answers.iter().filter(|answer| !is_own(answer)) {
        let mut row = Row::more(settling);
        let session = SessionId(answer.operation.session);
        row.answer(lanes, session, &foreign(&asks(&answer.call)), &plain(answer), here);
        lanes.push(row);
    }
    if let Some(why) = &happened.panicked {
        let mut row = Row::more(settling);
        row.cell(here, &format!("panicked: {}", foreign(why)));
        lanes.push(row);
    }
}

/// The effect of a step on its replica, if it is short: the new value under a
/// key, or the write that the replica now takes into account.
pub(super) fn effect(workload: &Workload, step: &TraceStep) -> String {
    /// A longer effect is shown only by `replay --step`.
    const LONG: usize = 16;
    if !step.is_changed {
        let told = matches!(step.happened.action, Action::Deliver(..)) && step.sends.is_empty();
        return if told { "no change".to_owned() } else { String::new() };
    }
    let told = match (&step.before, &step.after) {
        (Shown::Parts(before), Shown::Parts(after)) => {
            let is_new = |part: &&Part| matches!(part, Part::Key(..)) && !before.contains(part);
            after.iter().find(is_new).map(|part| format!("{}={}", part.name(), part.value()))
        }
        _ => step.visible.first().and_then(|write| {
            // A strategy may report a write that no client asked for.
            let script = workload.sessions.get(usize::from(write.session))?;
            let call = &script.operations.get(usize::from(write.number))?.call;
            Some(format!("{}={}", call.key, call.argument))
        }),
    };
    let told = told.unwrap_or_default();
    if told.chars().count() > LONG { String::new() } else { foreign(&told) }
}

/// Whether an answer only says that the operation was done.
pub(super) fn is_plain_ok(answer: &Answered) -> bool {
    !answer.call.is_read() && answer.completion == Completion::Ok(Value::Null)
}

/// The answer as text for the picture.
pub(super) fn plain(answer: &Answered) -> String {
    match &answer.completion {
        Completion::Ok(Value::Null) if answer.call.is_read() => "nothing".to_owned(),
        _ => foreign(&outcome(answer)),
    }
}

/// The steps as sentences, one line each, with answers on lines of their own.
fn list(story: &Story<'_>, look: &Look) -> String {
    let mut text = String::new();
    for stretch in stretches(story) {
        let at = match stretch {
            Stretch::Step(at) => at,
            Stretch::Quiet(steps) => {
                text.push_str(&format!("{}\n", folded(&steps, look)));
                continue;
            }
        };
        let step = &story.trace.steps[at];
        let [head, rest @ ..] = &*sentences(step) else { unreachable!("there is a first one") };
        text.push_str(&format!("  {:>4}  {}{}\n", at + 1, look.text(head), mark(step)));
        for line in rest {
            text.push_str(&format!("          {}\n", look.text(line)));
        }
    }
    text
}

/// The mark after a step that settling added.
pub(super) fn mark(step: &TraceStep) -> &'static str {
    if step.step.settling { "   settling" } else { "" }
}

/// One step in words: what happened (`n1→n2 #1 store x=1`,
/// `A writes x=1 at n1: ok`), then answers to others and a panic.
pub fn sentences(step: &TraceStep) -> Vec<String> {
    let said = sentence(&step.happened);
    let head = match step.happened.action.message() {
        Some((_, name)) => format!("{name} {}", foreign(&said.head)),
        None => foreign(&said.head),
    };
    std::iter::once(head).chain(said.rest.iter().map(|part| foreign(part))).collect()
}

/// The last lines of the picture: how the run ended.
pub fn closing(story: &Story<'_>) -> Vec<String> {
    let steps = story.trace.steps.len();
    match story.ending {
        Ending::Settled => finals(story.history),
        Ending::NeverQuiet { from, .. }
        | Ending::Oscillating { from }
        | Ending::Cycle { from, .. } => {
            vec![match steps.saturating_sub(*from) {
                1 => "── the last step repeats for ever ──".to_owned(),
                steps => format!("── the last {steps} steps repeat for ever ──"),
            }]
        }
        Ending::Panicked(text) => vec![format!("── ✗ the handler panicked: {} ──", foreign(text))],
        Ending::Broken(name) => vec![format!("── ✗ `{}` does not hold here ──", foreign(name))],
        Ending::Unsettled(why) => vec![format!("── not quiet yet: {why} ──")],
    }
}

fn finals(history: &History) -> Vec<String> {
    let reads = || history.operations().iter().filter(|op| op.final_read);
    let mut keys: Vec<_> = reads().map(|op| op.call.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let line = |key: &Key| {
        let of_key = || reads().filter(|op| op.call.key == *key);
        let shown = |value: Option<&Value>| value.map_or("?".to_owned(), |v| foreign(&shown(v)));
        let cells: Vec<_> = of_key()
            .map(|op| match op.node {
                Some(node) => format!("{node} = {}", shown(op.answer())),
                None => shown(op.answer()),
            })
            .collect();
        let answers: Vec<_> = of_key().filter_map(|op| op.answer()).collect();
        let agree = answers.windows(2).all(|pair| pair[0] == pair[1]);
        let written = history.operations().iter().any(|op| {
            op.call.is_write() && op.call.key == *key && op.returned.is_some() && acked(op)
        });
        let lost = agree && written && answers.iter().all(|answer| **answer == Value::Null);
        let mark = match (agree, lost) {
            (false, _) => "   ✗ they will never agree",
            (true, true) => "   ✗ the write is lost",
            (true, false) => "",
        };
        let key = foreign(key.as_str());
        format!("── quiet ── final reads of {key}:  {}{mark}", cells.join("   "))
    };
    if keys.is_empty() {
        return vec!["── quiet ──".to_owned()];
    }
    keys.iter().map(line).collect()
}

fn acked(op: &crate::history::Operation) -> bool {
    matches!(op.completion, crate::history::Completion::Ok(_))
}

pub(super) fn number(step: Option<usize>) -> String {
    step.map_or_else(|| " ".repeat(8), |step| format!("  {step:>4}  "))
}

pub(super) fn padded(text: &str, width: usize) -> String {
    pad(text, width)
}
