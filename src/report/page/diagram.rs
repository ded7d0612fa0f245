//! The space-time diagram of a run: one lane for each session and node, and time running
//! down, a row for each step.
//!
//! Owns the geometry. Texts of strategies and clients are shortened here, never left out:
//! the whole text is in the title of the element and in the list of steps.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::history::{NodeId, escape};
use crate::hunt::case::words::{asks, struck_here};
use crate::report::timeline::{Story, effect, is_plain_ok, plain, sides};
use crate::world::trace::{Answered, TraceStep};
use crate::world::{Action, Ending, MessageName, SessionId, Strike};

/// How wide lanes may be and must be, in pixels as all lengths here.
const LANE: (i32, i32) = (118, 176);

/// How wide a picture is that need not be scrolled, where lanes can be so narrow.
const PAGE: i32 = 820;

/// The room left of the first lane, for the numbers of steps.
const LEFT: i32 = 96;

/// The room right of the last lane, for its labels.
const RIGHT: i32 = 110;

/// The height of the names of lanes.
const HEAD: i32 = 52;

/// The height of a step.
const ROW: i32 = 44;

/// The height of each further line of a step: an answer to an earlier request, a panic.
const MORE: i32 = 20;

/// How much of a label is drawn, in characters.
const LABEL: usize = 34;

/// What a step is about.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    /// Operations, by position in the history.
    pub(super) operations: BTreeSet<usize>,
    /// Whether it gives an answer that fails.
    pub(super) fails: bool,
}

impl About {
    /// The operations, as an attribute says them.
    pub(super) fn listed(&self) -> String {
        self.operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// Draws the run of the page, whose steps lead to the list of steps; `about` has an entry for
/// each step.
pub(super) fn diagram(story: &Story<'_>, about: &[About]) -> Markup {
    let heads = html! {
        defs {
            @for kind in ["message", "request"] {
                marker id={ "head-" (kind) } class=(kind) viewBox="0 0 8 8" refX="7" refY="4"
                    markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse"
                    orient="auto" { path d="M0 0L8 4L0 8z" {} }
            }
        }
    };
    let said = "the run as a diagram; the list of steps says the same";
    let mut canvas = Canvas::new(story);
    let steps = (0..).zip(about).map(|(at, about)| canvas.step(at, about)).collect::<Vec<_>>();
    canvas.drawn(said, &heads, &steps)
}

/// Draws another run, below the one of the page, with one step marked.
pub(super) fn picture(story: &Story<'_>, marked: Option<usize>) -> Markup {
    let mut canvas = Canvas::new(story);
    let row = |(at, step): (usize, &TraceStep), canvas: &mut Canvas<'_>| {
        html! {
            g.step.marked[marked == Some(at)] {
                (canvas.hit(at))
                text.number x="40" y=(canvas.y(at) + 4) { (at + 1) }
                (canvas.contents(step, at))
            }
        }
    };
    let steps = story.trace.steps.iter().enumerate().map(|one| row(one, &mut canvas));
    let steps: Vec<Markup> = steps.collect();
    canvas.drawn("this run as a diagram", &html! {}, &steps)
}

type Point = (i32, i32);

struct Canvas<'a> {
    story: &'a Story<'a>,
    /// The sessions left of the nodes, and those right of them.
    sides: (Vec<SessionId>, Vec<SessionId>),
    /// The width of a lane.
    wide: i32,
    /// Where each step is, and where the last one ends.
    rows: Vec<i32>,
    /// Where each message in flight was last seen.
    flying: BTreeMap<MessageName, (Point, String)>,
}

impl<'a> Canvas<'a> {
    fn new(story: &'a Story<'a>) -> Self {
        let mut rows = vec![HEAD];
        for step in &story.trace.steps {
            let own = |answer: &&Answered| step.happened.action != Action::Invoke(answer.operation);
            let more = step.happened.answers.iter().filter(own).count()
                + usize::from(step.happened.panicked.is_some());
            let last = *rows.last().expect("there is a first one");
            rows.push(last + ROW + MORE * i32::try_from(more).unwrap_or(0));
        }
        let sides = sides(story);
        let sessions = sides.0.len() + sides.1.len();
        let lanes =
            i32::try_from(sessions).unwrap_or(i32::MAX / LANE.1) + i32::from(story.setting.nodes);
        let wide = ((PAGE - LEFT - RIGHT) / (lanes - 1).max(1)).clamp(LANE.0, LANE.1);
        let mut canvas = Canvas { story, sides, wide, rows, flying: BTreeMap::new() };
        canvas.send(&story.trace.start, HEAD - 6);
        canvas
    }

    fn drawn(&self, said: &str, heads: &Markup, steps: &[Markup]) -> Markup {
        let (width, height) = (self.width(), self.bottom() + 24);
        html! {
            svg.run role="img" aria-label=(said)
                viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height) {
                (heads)
                (self.bands())
                (self.lanes())
                @for step in steps { (step) }
                (self.undelivered())
            }
        }
    }

    fn width(&self) -> i32 {
        let last = self.sides.0.len() + usize::from(self.story.setting.nodes) + self.sides.1.len();
        self.lane(last.saturating_sub(1)) + RIGHT
    }

    fn bottom(&self) -> i32 {
        *self.rows.last().expect("there is a first one")
    }

    /// The middle of the row of a step.
    fn y(&self, at: usize) -> i32 {
        self.rows[at] + ROW / 2 + 4
    }

    fn lane(&self, place: usize) -> i32 {
        LEFT + self.wide * i32::try_from(place).unwrap_or(0)
    }

    fn node(&self, node: NodeId) -> i32 {
        self.lane(self.sides.0.len() + node.index())
    }

    fn session(&self, session: SessionId) -> i32 {
        let (left, right) = &self.sides;
        if let Some(place) = left.iter().position(|one| *one == session) {
            return self.lane(place);
        }
        let place = right.iter().position(|one| *one == session).unwrap_or(0);
        self.lane(left.len() + usize::from(self.story.setting.nodes) + place)
    }

    fn send(&mut self, sends: &[(MessageName, String)], y: i32) {
        for (name, label) in sends {
            self.flying.insert(*name, ((self.node(name.from), y), label.clone()));
        }
    }

    /// What is behind the lanes: settling, what repeats for ever, networks that are parted.
    fn bands(&self) -> Markup {
        let steps = &self.story.trace.steps;
        let settling = steps.iter().position(|step| step.step.settling);
        let repeats = match self.story.ending {
            Ending::NeverQuiet { from, .. }
            | Ending::Oscillating { from }
            | Ending::Cycle { from, .. } => Some(*from),
            _ => None,
        };
        let (mut parted, mut since) = (Vec::new(), None);
        for (at, step) in steps.iter().enumerate() {
            match step.happened.action {
                Action::Strike(_, Strike::Partition(_)) => since = since.or(Some(at)),
                Action::Unite => parted.extend(since.take().map(|from| (from, at))),
                _ => {}
            }
        }
        parted.extend(since.map(|from| (from, steps.len())));
        let band = |class: &str, from: usize, to: usize, said: &str| {
            let (top, end) = (self.rows[from], self.rows.get(to).copied().unwrap_or(self.bottom()));
            html! {
                g class={ "band " (class) } {
                    rect x="0" y=(top) width=(self.width()) height=(end - top) {}
                    text x="6" y=(top + 12) { (said) }
                }
            }
        };
        html! {
            @if let Some(from) = settling { (band("settling", from, steps.len(), "settling")) }
            @if let Some(from) = repeats {
                (band("repeats", from, steps.len(), "repeats for ever"))
            }
            @for (from, to) in parted { (band("parted", from, to, "network in parts")) }
        }
    }

    fn lanes(&self) -> Markup {
        let sessions = self.sides.0.iter().chain(&self.sides.1);
        let nodes = (0..self.story.setting.nodes).map(NodeId);
        html! {
            @for session in sessions {
                g.lane.session {
                    text x=(self.session(*session)) y="22" { "session " (session) }
                    line x1=(self.session(*session)) x2=(self.session(*session))
                        y1=(HEAD - 20) y2=(self.bottom()) {}
                }
            }
            @for node in nodes {
                g.lane.node {
                    text x=(self.node(node)) y="22" { (node) }
                    line x1=(self.node(node)) x2=(self.node(node))
                        y1=(HEAD - 20) y2=(self.bottom()) {}
                    @for (from, to) in self.down(node) {
                        line.down x1=(self.node(node)) x2=(self.node(node)) y1=(from) y2=(to) {}
                    }
                }
            }
        }
    }

    /// While a node was down.
    fn down(&self, node: NodeId) -> Vec<(i32, i32)> {
        let (mut all, mut since) = (Vec::new(), None);
        for (at, step) in self.story.trace.steps.iter().enumerate() {
            match step.happened.action {
                Action::Strike(of, Strike::Crash | Strike::Kill) if of == node => {
                    since = since.or(Some(self.y(at)));
                }
                Action::Recover(of) if of == node => {
                    all.extend(since.take().map(|from| (from, self.y(at))));
                }
                _ => {}
            }
        }
        all.extend(since.map(|from| (from, self.bottom())));
        all
    }

    fn step(&mut self, at: usize, about: &About) -> Markup {
        let step = &self.story.trace.steps[at];
        let (number, y) = (at + 1, self.y(at));
        html! {
            g.step.fails[about.fails] data-step=(number) data-ops=(about.listed()) {
                (self.hit(at))
                a href={ "#step=" (number) } tabindex="-1" {
                    text.number x="40" y=(y + 4) { @if about.fails { "✗ " } (number) }
                }
                (self.contents(step, at))
            }
        }
    }

    /// What is behind a step.
    fn hit(&self, at: usize) -> Markup {
        let (top, height) = (self.rows[at], self.rows[at + 1] - self.rows[at]);
        html! { rect.hit x="0" y=(top) width=(self.width()) height=(height) {} }
    }

    /// What happened in a step.
    fn contents(&mut self, step: &TraceStep, at: usize) -> Markup {
        let y = self.y(at);
        let (drawn, more) = (self.happened(step, y), self.more(step, y));
        self.send(&step.sends, y);
        html! { (drawn) (more) }
    }

    /// What happened at the node, and the arrow that led to it.
    fn happened(&mut self, step: &TraceStep, y: i32) -> Markup {
        let happened = &step.happened;
        let here = (self.node(happened.node), y);
        let told = effect(self.story.workload, step);
        match happened.action {
            Action::Invoke(operation) => {
                let from = (self.session(SessionId(operation.session)), y);
                let call =
                    happened.asked.as_ref().map_or_else(String::new, |call| call.to_string());
                let own = happened.answers.iter().find(|answer| answer.operation == operation);
                let answer = match own {
                    Some(answer) if is_plain_ok(answer) => "ok".to_owned(),
                    Some(answer) => format!("→ {}", plain(answer)),
                    None => "…".to_owned(),
                };
                html! {
                    (arrow("request", from, here))
                    (beside(from, here, -6, &call, "call"))
                    (beside(from, here, 14, &answer, "answer"))
                    (dot(here)) (beyond(from, here, &told))
                }
            }
            Action::Retry(session, _) => {
                let from = (self.session(session), y);
                html! {
                    (arrow("request", from, here))
                    (beside(from, here, -6, "asks again", "call"))
                    (dot(here)) (beyond(from, here, &told))
                }
            }
            Action::GiveUp(session) => {
                let at = (self.session(session), y);
                html! { (cross(at)) (beyond(at, at, "gives up waiting")) }
            }
            Action::Deliver(_, name) => self.arrives(name, here, &told),
            Action::Drop(_, name) => self.vanishes(name, here),
            Action::Duplicate(_, name) => self.forks(name, here),
            Action::Strike(_, Strike::Cut(from)) => html! {
                (beyond(here, here, &format!("link from {from} is cut"))) (cross(here))
            },
            Action::Strike(_, Strike::Command(_)) => html! {
                (square(here))
                (beyond(here, here, &format!("operator: {}", happened.label)))
            },
            Action::Strike(_, strike) => html! {
                (cross(here)) (beyond(here, here, &struck_here(strike)))
            },
            Action::Heal(from, to) => html! {
                (square((self.node(to), y)))
                (beyond(here, (self.node(to), y), &format!("link from {from} is healed")))
            },
            Action::Unite => html! { (square(here)) (beyond(here, here, "whole again")) },
            Action::Recover(_) => html! { (dot(here)) (beyond(here, here, "recovers")) },
            Action::Fire(_, timer) => html! {
                (diamond(here)) (beyond(here, here, &format!("timer {} {told}", timer.0)))
            },
            Action::Tick(_) => html! {
                (diamond(here)) (beyond(here, here, &format!("clock {}", happened.label)))
            },
            Action::Flush(_) => html! { (square(here)) (beyond(here, here, "flushes")) },
        }
    }

    /// Answers to earlier requests, and a panic.
    fn more(&self, step: &TraceStep, y: i32) -> Markup {
        let happened = &step.happened;
        let x = self.node(happened.node);
        let others =
            happened.answers.iter().filter(|one| happened.action != Action::Invoke(one.operation));
        let rows: Vec<_> = (1..).map(|nth| y + MORE * nth).zip(others).collect();
        let panic = rows.last().map_or(y, |(y, _)| *y) + MORE;
        html! {
            @for (y, answer) in rows {
                @let to = (self.session(SessionId(answer.operation.session)), y);
                (arrow("request", (x, y), to))
                (beside(to, (x, y), -5, &format!("{}: {}", asks(&answer.call), plain(answer)), "answer"))
            }
            @if let Some(why) = &happened.panicked {
                (label((x + 10, panic), "start", &format!("✗ panicked: {why}"), "bad"))
            }
        }
    }

    fn arrives(&mut self, name: MessageName, here: Point, told: &str) -> Markup {
        let (from, said) = self.flying.remove(&name).unwrap_or((here, String::new()));
        html! {
            (arrow("message", from, here))
            (beside(here, from, -7, &said, "said"))
            (dot(here)) (beyond(from, here, told))
        }
    }

    /// A message is lost on its way.
    fn vanishes(&mut self, name: MessageName, here: Point) -> Markup {
        let (from, said) = self.flying.remove(&name).unwrap_or((here, String::new()));
        let end = short_of(from, here);
        html! {
            (line("message", from, end)) (cross(end))
            (label((end.0, end.1 - 9), "middle", &format!("lost: {said}"), "said"))
        }
    }

    /// A message is there twice from here on.
    fn forks(&mut self, name: MessageName, here: Point) -> Markup {
        let (from, said) = self.flying.get(&name).cloned().unwrap_or((here, String::new()));
        let fork = short_of(from, here);
        let base = MessageName { copy: 0, ..name };
        let alike = self.flying.range(base..=MessageName { copy: u16::MAX, ..name });
        let last = alike.map(|(one, _)| one.copy).max().unwrap_or(0);
        let copy = MessageName { copy: last.saturating_add(1), ..name };
        self.flying.insert(name, (fork, said.clone()));
        self.flying.insert(copy, (fork, said));
        html! {
            (line("message", from, fork)) (square(fork))
            (label((fork.0, fork.1 - 9), "middle", "twice", "said"))
        }
    }

    /// Messages that nobody received before the run ended: short arrows into nothing.
    fn undelivered(&self) -> Markup {
        html! {
            @for (name, (from, said)) in &self.flying {
                @let side = if self.node(name.to) < from.0 { -1 } else { 1 };
                @let end = (from.0 + side * 44, from.1 + 16);
                g.undelivered {
                    (line("message", *from, end))
                    title { (escape::line(&format!("{name} {said}: not received by the end"))) }
                }
            }
        }
    }
}

/// A little before the receiver's lane.
fn short_of(from: Point, to: Point) -> Point {
    (to.0 - 40 * (to.0 - from.0).signum(), to.1)
}

fn arrow(kind: &str, from: Point, to: Point) -> Markup {
    if from.0 == to.0 {
        // To itself: out to the right and back.
        let bend = from.0 + 56;
        let way = format!(
            "M{} {}C{bend} {} {bend} {} {} {}",
            from.0,
            from.1,
            from.1,
            to.1,
            to.0 + 6,
            to.1
        );
        return html! { path class=(kind) d=(way) marker-end={ "url(#head-" (kind) ")" } {} };
    }
    let end = (to.0 - 6 * (to.0 - from.0).signum(), to.1);
    html! {
        line class=(kind) x1=(from.0) y1=(from.1) x2=(end.0) y2=(end.1)
            marker-end={ "url(#head-" (kind) ")" } {}
    }
}

fn line(kind: &str, from: Point, to: Point) -> Markup {
    html! { line class=(kind) x1=(from.0) y1=(from.1) x2=(to.0) y2=(to.1) {} }
}

fn dot(at: Point) -> Markup {
    html! { circle.dot cx=(at.0) cy=(at.1) r="5" {} }
}

fn square(at: Point) -> Markup {
    html! { rect.dot x=(at.0 - 5) y=(at.1 - 5) width="10" height="10" {} }
}

fn diamond(at: Point) -> Markup {
    let (x, y) = at;
    let way = format!("M{} {y}L{x} {}L{} {y}L{x} {}z", x - 6, y - 6, x + 6, y + 6);
    html! { path.dot d=(way) {} }
}

fn cross(at: Point) -> Markup {
    let (x, y) = at;
    let way = format!("M{} {}l12 12m0 -12l-12 12", x - 6, y - 6);
    html! { path.cross d=(way) {} }
}

/// A label at the beginning of a line, on the side on which the line is.
fn beside(at: Point, other: Point, above: i32, text: &str, class: &str) -> Markup {
    match at.0 <= other.0 {
        true => label((at.0 + 10, at.1 + above), "start", text, class),
        false => label((at.0 - 10, at.1 + above), "end", text, class),
    }
}

/// A label at the end of a line, on the side on which the line is not.
fn beyond(from: Point, at: Point, text: &str) -> Markup {
    match from.0 <= at.0 {
        true => label((at.0 + 11, at.1 + 4), "start", text, "effect"),
        false => label((at.0 - 11, at.1 + 4), "end", text, "effect"),
    }
}

fn label(at: Point, anchor: &str, text: &str, class: &str) -> Markup {
    let text = escape::line(text.trim());
    if text.is_empty() {
        return html! {};
    }
    let is_long = text.chars().count() > LABEL;
    let drawn: String = text.chars().take(LABEL).collect();
    html! {
        text class=(class) x=(at.0) y=(at.1) text-anchor=(anchor) {
            (drawn) @if is_long { "…" title { (text) } }
        }
    }
}
