//! The picture of a run: one line a step, one lane a session or node.
//!
//! Invariant: every step of the run is there, in order, with its number; what
//! does not fit is shown in another form and never left out. Three forms, the
//! first that fits the page: sessions and nodes as lanes, nodes as lanes, a
//! plain list.
//!
//! It knows no model: what a run means is for [`verdict`](super::verdict).

use crate::history::{History, Key, NodeId, Value};
use crate::world::trace::{Trace, TraceStep};
use crate::world::{Action, Ending, SessionId, Setting, Workload};

use super::state::{Entry, changes};
use super::{Look, Tone, pad};

mod lanes;

use lanes::{Arrow, Lanes, Row};

/// A run as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// Where.
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
    let with_sessions = Lanes::new(sides(story), &nodes, look);
    let only_nodes = Lanes::new((Vec::new(), Vec::new()), &nodes, look);
    [with_sessions, only_nodes]
        .into_iter()
        .find_map(|lanes| draw(story, lanes, look))
        .unwrap_or_else(|| list(story, look))
}

/// The sessions to the left of the nodes, and those to the right.
fn sides(story: &Story<'_>) -> (Vec<SessionId>, Vec<SessionId>) {
    let half = story.setting.nodes.div_ceil(2);
    let scripts = (0u16..).zip(&story.workload.sessions);
    let left = |home: NodeId| home.0 < half;
    let (here, there): (Vec<_>, Vec<_>) = scripts.partition(|(_, script)| left(script.node));
    let ids = |side: Vec<(u16, &_)>| side.into_iter().map(|(at, _)| SessionId(at)).collect();
    (ids(here), ids(there))
}

fn draw(story: &Story<'_>, mut lanes: Lanes<'_>, look: &Look) -> Option<String> {
    let keys = story.workload.keys();
    for (number, step) in (1..).zip(&story.trace.steps) {
        rows(story, &keys, (number, step), &mut lanes);
    }
    lanes.draw(look.width)
}

/// What a step is, told apart from who was answered in it.
struct Told<'a> {
    /// What happened, in words.
    head: &'a str,
    /// Answers, and what a handler said when it panicked.
    rest: Vec<&'a str>,
}

fn told(step: &TraceStep) -> Told<'_> {
    let mut parts = step.text.split(" · ");
    Told { head: parts.next().unwrap_or_default(), rest: parts.collect() }
}

fn rows(
    story: &Story<'_>,
    keys: &[Key],
    (number, step): (usize, &TraceStep),
    lanes: &mut Lanes<'_>,
) {
    let told = told(step);
    let mut row = Row::numbered(number, step.settling);
    let here = lanes.node(step.node);
    let effect = format!("● {}", effect(story, keys, step, number));
    match step.action {
        Action::Invoke(operation) => {
            let script = &story.workload.sessions[usize::from(operation.session)];
            let call = &script.operations[usize::from(operation.number)].call;
            let answer = told.head.split_once(&format!(" at {}: ", step.node));
            let heard = match answer {
                Some((_, "ok")) => String::new(),
                Some((_, answer)) => format!(" · answers {}", plain(answer)),
                None => " · pending".to_owned(),
            };
            let done = format!("{effect}{heard}").replace("●  · ", "● ");
            row.request(lanes, SessionId(operation.session), &call.to_string(), here, &done);
        }
        Action::Retry(session, _) => row.request(lanes, session, "asks again", here, &effect),
        Action::GiveUp(session) => row.alone(lanes, session, "gives up waiting", here),
        Action::Deliver(_, name) => {
            row.message(lanes.node(name.from), told.head, here, &effect, Arrow::Message);
        }
        Action::Drop(_, name) => {
            let label = told.head.trim_start_matches("lost: ");
            row.message(lanes.node(name.from), label, here, "x lost", Arrow::Message);
        }
        Action::Duplicate(_, name) => {
            let label = told.head.trim_start_matches("twice: ");
            row.message(lanes.node(name.from), label, here, "× 2", Arrow::Message);
        }
        Action::Cut(from, to) => {
            row.message(lanes.node(from), "cut", lanes.node(to), "x", Arrow::Message);
        }
        Action::Heal(from, to) => {
            row.message(lanes.node(from), "healed", lanes.node(to), "● ", Arrow::Message);
        }
        Action::Crash(_) => row.cell(here, "x crashes"),
        Action::Recover(_) => row.cell(here, &format!("{} recovers", effect.trim_end())),
        Action::Fire(_, timer) => {
            row.cell(here, &format!("{} timer {}", effect.trim_end(), timer.0))
        }
        Action::Tick(_) => row.cell(here, "clock ahead"),
        Action::JumpBack(_) => row.cell(here, "clock back"),
        Action::Suspect(_, other) => row.cell(here, &format!("suspects {other}")),
    }
    lanes.push(row);
    for part in told.rest {
        let mut row = Row::more(step.settling);
        let answered = part.split_once(' ').and_then(|(session, _)| SessionId::named(session));
        match (answered, part.rsplit_once(": ")) {
            (Some(session), Some((asked, answer))) => {
                row.answer(lanes, session, asked, &plain(answer), here);
            }
            _ => row.cell(here, part),
        }
        lanes.push(row);
    }
}

/// What a step made of its replica, as far as it can be said shortly.
fn effect(story: &Story<'_>, keys: &[Key], step: &TraceStep, number: usize) -> String {
    /// Longer than this is left for `replay --step`.
    const LONG: usize = 16;
    let earlier = story.trace.steps[..number - 1].iter().rev().find(|old| old.node == step.node);
    let before = earlier.map(|old| &old.state).or(story.trace.boot.get(step.node.index()));
    let Some(before) = before else { return String::new() };
    if *before == step.state {
        let told = matches!(step.action, Action::Deliver(..)) && step.sends.is_empty();
        return if told { "no change".to_owned() } else { String::new() };
    }
    let (new, _) = changes(before, &step.state);
    let told = |entry: &Entry| about_key(entry, |part| keys.iter().any(|key| key.as_str() == part));
    let of_keys = new.iter().filter_map(told).min_by_key(|told| told.matches('.').count());
    let told = of_keys.or(new.first().map(Entry::short)).unwrap_or_default();
    if told.chars().count() > LONG { String::new() } else { told }
}

/// What an entry says of a key: `x=1`, `x.stamp=1.0`; a field `value` is what
/// the key holds.
fn about_key(entry: &Entry, is_key: impl Fn(&str) -> bool) -> Option<String> {
    let at = entry.path.iter().position(|part| is_key(part))?;
    let path = entry.path[at..].join(".");
    Some(format!("{}={}", path.trim_end_matches(".value"), entry.value))
}

fn plain(answer: &str) -> String {
    if answer == "null" { "nothing".to_owned() } else { answer.to_owned() }
}

/// The steps as sentences, one a line.
fn list(story: &Story<'_>, look: &Look) -> String {
    let mut text = String::new();
    for (number, step) in (1..).zip(&story.trace.steps) {
        let settling = if step.settling { "   settling" } else { "" };
        text.push_str(&format!("  {number:>4}  {}{settling}\n", look.text(&sentence(step))));
    }
    text
}

/// One step in words: `n1→n2 #1 store x=1`, `A writes x=1 at n1: ok`.
pub fn sentence(step: &TraceStep) -> String {
    match step.action.message() {
        Some((_, name)) => format!("{name} {}", step.text),
        None => step.text.clone(),
    }
}

/// The last lines of the picture: how the run ended.
pub fn closing(story: &Story<'_>) -> Vec<String> {
    let steps = story.trace.steps.len();
    match story.ending {
        Ending::Settled => finals(story.history),
        Ending::NeverQuiet { from } | Ending::Oscillating { from } | Ending::Cycle { from, .. } => {
            vec![match steps.saturating_sub(*from) {
                1 => "── the last step repeats for ever ──".to_owned(),
                steps => format!("── the last {steps} steps repeat for ever ──"),
            }]
        }
        Ending::Panicked(text) => vec![format!("── ✗ the handler panicked: {text} ──")],
        Ending::Broken(name) => vec![format!("── ✗ `{name}` does not hold here ──")],
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
        let shown = |value: Option<&Value>| value.map_or("?".to_owned(), |v| plain(&v.to_string()));
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
