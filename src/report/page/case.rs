//! The page of a case: what went wrong and why, the run as a picture, every step with what
//! it changed, and the case itself.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::json;

use crate::history::escape;
use crate::hunt::case::FoundBy;
use crate::hunt::case::replay::Fidelity;
use crate::hunt::case::write::{cycle, why_marked};
use crate::hunt::cause::failing;
use crate::hunt::landmarks::landmarks;
use crate::hunt::property::Judgement;
use crate::hunt::so_far::violated_so_far;
use crate::judgement::Model;
use crate::judgement::model::is_quiet;
use crate::judgement::verdict::deed;
use crate::report::reporter::Replayed;
use crate::report::states::{changes, told};
use crate::report::table::setting_text;
use crate::report::timeline::{Story, closing, sentences};
use crate::report::verdict::{client, model_name, property_name, title};
use crate::world::trace::{Shown, TraceStep};
use crate::world::{Action, MessageName};

use super::diagram::{About, diagram};
use super::lattice::lattice;
use super::ring::rings;
use super::{COPY, Script, beside, document};

const SCRIPT: Script =
    Script { text: include_str!("case.js"), hash: "E7dLQ5uBnZS2EhcXO1i3IREWc4k28JhPRyFeh77YXsc=" };

/// What a page tells besides the replay.
pub struct Told<'a> {
    /// The text of the case file.
    pub text: &'a str,
    /// The command that replays it.
    pub command: &'a str,
}

/// The page of a replayed case.
pub fn page(replayed: &Replayed<'_>, told: &Told<'_>) -> String {
    let about = about(replayed);
    let story = Story {
        setting: &replayed.case.setting,
        workload: &replayed.case.workload,
        trace: &replayed.replay.trace,
        history: &replayed.replay.run.history,
        ending: &replayed.replay.run.ending,
    };
    let body = html! {
        header { (verdict(replayed, told)) }
        main {
          div.wide {
            section.picture aria-label="the run" {
                h2 { "What happened" }
                div.scroll tabindex="0" role="group" aria-label="diagram, scrolls sideways" {
                    (diagram(&story, &about))
                }
                @for line in closing(&story) {
                    p.closing { (escape::line(&line)) }
                }
            }
            section.steps { h2 { "Step by step" } (steps(replayed, &about)) }
            (beside::neighbour(replayed))
            (beside::full(replayed))
          }
          div.narrow {
            (stepper(replayed))
            (cycles(replayed))
            section.reasons { h2 { "The operations that show it" } (reasons(replayed)) }
            section.models {
                h2 { "What holds and what fails" }
                (models(replayed))
            }
          }
          section.file {
                h2 { "The case" }
                (origin(replayed))
                details {
                    summary { "the file itself: save it, and the command above replays it" }
                    button.copy type="button" data-copy="case" { "copy" }
                    pre id="case" tabindex="0" { (escape::in_json(told.text)) }
                }
            }
        }
        div id="trace" hidden data-trace=(data(replayed)) {}
    };
    let heading = format!("{} · {}", replayed.strategy, heading(replayed));
    document(&heading, &[COPY, SCRIPT], &body)
}

fn heading(replayed: &Replayed<'_>) -> String {
    title(&replayed.case.property, &replayed.replay.judgement)
}

/// The first screen: the verdict, why, what clients saw in the end, and what to do next.
fn verdict(replayed: &Replayed<'_>, told: &Told<'_>) -> Markup {
    let Replayed { strategy, registry, case, replay, .. } = replayed;
    let (class, word) = match replay.judgement {
        Judgement::Violated(..) => ("fails", "✗ FAIL"),
        Judgement::Holds => ("holds", "✓ holds"),
        Judgement::Unknown(_) => ("open", "? unknown"),
    };
    let chosen = replay.run.schedule.iter().filter(|step| !step.settling).count();
    let all = replay.run.schedule.len();
    let hint = replay.judgement.flaw().and_then(|flaw| registry.hint(strategy, flaw));
    html! {
        h1 class=(class) { span.word { (word) } " " (escape::line(&heading(replayed))) }
        p.where { b { (escape::line(strategy)) } " · " (escape::line(&setting_text(&case.setting))) }
        p.why { (why(replayed)) }
        (finals(replayed))
        dl.facts {
            @if replay.judgement.flaw().is_some() {
                dt { "minimal" }
                dd {
                    (if case.minimal { "checked" } else { "not checked" })
                    " (" (chosen) " chosen, " (all) " in all)"
                }
            }
            @if let Some(said) = faults(replayed) {
                dt { "faults" }
                dd { (said) }
            }
            @if let Some(advice) = hint {
                dt { "hint" }
                dd { (advice.text) ": " code { (advice.command) } }
            }
            dt { "replay" }
            dd {
                code id="command" { (escape::line(told.command)) }
                " " button.copy type="button" { "copy" }
            }
        }
        (fidelity(replayed))
    }
}

/// How many of the faults that may happen do: `drop 1 of 1, crash none of 1`.
fn faults(replayed: &Replayed<'_>) -> Option<String> {
    let used = replayed.replay.run.faults;
    let told = replayed.case.setting.faults.budget.each().filter(|(_, may)| *may > 0);
    let told = told.map(|(kind, may)| match used[kind] {
        0 => format!("{kind} none of {may}"),
        some => format!("{kind} {some} of {may}"),
    });
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// A difference to what the case records, which must not be overlooked.
fn fidelity(replayed: &Replayed<'_>) -> Markup {
    let (said, difference) = match &replayed.replay.fidelity {
        Fidelity::Reproduced => return html! {},
        Fidelity::TextsDiffer(difference) => ("Reproduced, but texts differ", difference),
        Fidelity::Differs(difference) => {
            ("NOT reproduced: this page shows another run than the case records", difference)
        }
    };
    html! {
        p.differs {
            (said) ", first at step " (difference.step) ". Recorded: "
            (escape::line(&difference.recorded)) " · now: " (escape::line(&difference.present))
        }
    }
}

/// Why the run fails, in words; each operation that is told of is a button that shows it.
fn why(replayed: &Replayed<'_>) -> Markup {
    let Replayed { case, replay, .. } = replayed;
    let who = |at: usize| client(&replay.run, &case.workload, at);
    let tell = |mark: &dyn Fn(usize, String) -> String| {
        why_marked(&replay.run, &case.property, &replay.judgement, replay.datatype, &who, mark)
    };
    let plain = tell(&|_, told| told);
    // Marks that the text itself cannot contain.
    let mut free = ('\u{e000}'..='\u{f8ff}').filter(|letter| !plain.contains(*letter));
    let (Some(open), Some(close)) = (free.next(), free.next()) else {
        return html! { (escape::line(&plain)) };
    };
    let marked = tell(&|at, told| format!("{open}{at}{open}{told}{close}"));
    html! {
        @for piece in pieces(&marked, open, close) {
            @match piece {
                Piece::Text(text) => (escape::line(&text)),
                Piece::Operation(at, told) => {
                    button.op type="button" data-op=(at) { (escape::line(&told)) }
                }
            }
        }
    }
}

/// A part of a reason.
enum Piece {
    Text(String),
    /// The position of an operation, and the words that tell of it.
    Operation(String, String),
}

/// The parts of a text in which `open POSITION open WORDS close` stands for operations, and
/// neither mark anywhere else.
fn pieces(marked: &str, open: char, close: char) -> Vec<Piece> {
    let (mut all, mut at, mut text) = (Vec::new(), None, String::new());
    let mut inside = false;
    for letter in marked.chars() {
        if letter == open && !inside {
            all.push(Piece::Text(std::mem::take(&mut text)));
            inside = true;
        } else if letter == open {
            at = Some(std::mem::take(&mut text));
        } else if letter == close {
            let told = std::mem::take(&mut text);
            all.push(Piece::Operation(at.take().unwrap_or_default(), told));
            inside = false;
        } else {
            text.push(letter);
        }
    }
    all.push(Piece::Text(text));
    all
}

/// The final reads side by side.
fn finals(replayed: &Replayed<'_>) -> Markup {
    let operations = replayed.replay.run.history.operations();
    let finals = || operations.iter().enumerate().filter(|(_, op)| op.final_read);
    let keys: BTreeSet<_> = finals().map(|(_, op)| &op.call.key).collect();
    let fail = failing_operations(replayed);
    html! {
        @for key in keys {
            table.finals {
                caption { "final reads of " (escape::line(key.as_str())) }
                tr {
                    @for (_, op) in finals().filter(|(_, op)| op.call.key == *key) {
                        th scope="col" { @if let Some(node) = op.node { (node) } @else { "any node" } }
                    }
                }
                tr {
                    @for (at, op) in finals().filter(|(_, op)| op.call.key == *key) {
                        @let is_bad = fail.contains(&at);
                        td.bad[is_bad] data-ops=(at) {
                            @if is_bad { "✗ " }
                            (escape::line(&op.answer().map_or("?".to_owned(), |v| v.to_string())))
                        }
                    }
                }
            }
        }
    }
}

/// The answers that fail, by position.
fn failing_operations(replayed: &Replayed<'_>) -> Vec<usize> {
    match &replayed.replay.judgement {
        Judgement::Violated(_, Some(found)) => {
            failing(&replayed.replay.run, found, replayed.replay.datatype)
        }
        _ => Vec::new(),
    }
}

/// Which operations each step is about: it asks or answers them, makes them visible, or
/// receives what their request sent.
fn about(replayed: &Replayed<'_>) -> Vec<About> {
    let run = &replayed.replay.run;
    let fail = failing_operations(replayed);
    let place = |id| run.operations.iter().position(|one| *one == id);
    let mut sent = BTreeMap::new();
    let of_step = |step: &TraceStep| {
        let answered: Vec<_> =
            step.happened.answers.iter().filter_map(|answer| place(answer.operation)).collect();
        let mut all: BTreeSet<usize> = answered.iter().copied().collect();
        match step.happened.action {
            Action::Invoke(operation) => {
                let at = place(operation);
                all.extend(at);
                sent.extend(step.sends.iter().filter_map(|(name, _)| Some((*name, at?))));
            }
            action => {
                let base = action.message().map(|(_, name)| MessageName { copy: 0, ..*name });
                all.extend(base.and_then(|base| sent.get(&base)));
            }
        }
        all.extend(step.visible.iter().filter_map(|write| place(*write)));
        About { operations: all, fails: answered.iter().any(|at| fail.contains(at)) }
    };
    replayed.replay.trace.steps.iter().map(of_step).collect()
}

/// The operations of the counterexample, one below the other.
fn reasons(replayed: &Replayed<'_>) -> Markup {
    let Replayed { case, replay, .. } = replayed;
    let Judgement::Violated(_, Some(found)) = &replay.judgement else {
        return html! { p { "The reason above tells of the run as a whole, not of single operations." } };
    };
    let fail = failing_operations(replayed);
    html! {
        p { "These operations alone show it:" }
        ol {
            @for &at in &found.operations {
                @let is_bad = fail.contains(&at);
                li.bad[is_bad] {
                    button.op type="button" data-op=(at) {
                        @if is_bad { "✗ " }
                        (escape::line(&client(&replay.run, &case.workload, at))) " "
                        (escape::line(&deed(&replay.run.history, at)))
                    }
                }
            }
        }
    }
}

/// The cycle of orders that shows it, if one does.
fn cycles(replayed: &Replayed<'_>) -> Markup {
    let Replayed { case, replay, .. } = replayed;
    let Judgement::Violated(_, Some(found)) = &replay.judgement else { return html! {} };
    let who = |at: usize| client(&replay.run, &case.workload, at);
    html! {
        @if let Some(drawn) = rings(&replay.run.history, found, &who) {
            section.cycle { h2 { "The cycle of orders" } (drawn) }
        }
    }
}

fn models(replayed: &Replayed<'_>) -> Markup {
    let known = replayed.landmarks.known();
    if known.is_empty() {
        return html! { p { "Such a run is no evidence that a model holds: no model was judged." } };
    }
    let verdict = |model| known.iter().find(|(one, _)| *one == model).map(|(_, holds)| *holds);
    let all: Vec<_> = landmarks().into_iter().map(|model| (model, verdict(model))).collect();
    let named = |holds| {
        let those = known.iter().filter(|(_, it)| *it == holds);
        those.map(|(model, _)| model_name(*model)).collect::<Vec<_>>().join(", ")
    };
    html! {
        div.scroll { (lattice(&all, is_quiet(&replayed.replay.run.history))) }
        p { "holds: " (if named(true).is_empty() { "none of these".to_owned() } else { named(true) }) }
        p { "fails: " (if named(false).is_empty() { "none of these".to_owned() } else { named(false) }) }
        p.small { "A line leads from a stronger model down to one that it implies." }
    }
}

/// The slider, and the replicas at the step that it shows. The script fills it.
fn stepper(replayed: &Replayed<'_>) -> Markup {
    let last = replayed.replay.trace.steps.len();
    html! {
        section.stepper aria-label="replicas at a step" {
            h2 { "Replicas, step by step" }
            p.controls {
                button type="button" id="back" aria-label="one step back" { "◀" }
                input id="step" type="range" min="0" max=(last) value=(last)
                    aria-label={ "step, 0 to " (last) };
                button type="button" id="on" aria-label="one step on" { "▶" }
                output id="number" { (last) " of " (last) }
            }
            p id="said" aria-live="polite" {}
            p id="status" { (so_far(replayed).last().map_or("", String::as_str)) }
            table id="replicas" {
                @for (node, shown) in last_states(replayed).iter().enumerate() {
                    tr { th scope="row" { "n" (node + 1) } td {
                        @for line in shown { div { (line) } }
                    } }
                }
            }
            p.small { "← and → move by a step, Home and End to the ends; + is new or changed, − is gone." }
        }
    }
}

/// What fails at the start and after each step, in words. After the last step there are the
/// final reads, so that it is what the run as a whole violates.
fn so_far(replayed: &Replayed<'_>) -> Vec<String> {
    let Replayed { replay, landmarks, .. } = replayed;
    let known = landmarks.known();
    if known.is_empty() {
        return Vec::new();
    }
    let said = |models: Vec<Model>, when: &str| match models.is_empty() {
        true => format!("nothing fails {when}"),
        false => {
            let names: Vec<_> = models.into_iter().map(model_name).collect();
            format!("✗ fails {when}: {}", names.join(", "))
        }
    };
    let mut all = violated_so_far(&replay.run, &replay.trace, replay.datatype);
    all.pop();
    let steps = replay.trace.steps.len();
    let so_far: Vec<_> = match all.is_empty() {
        true => vec!["the run is too long to be judged step by step".to_owned(); steps],
        false => all.into_iter().map(|models| said(models, "so far")).collect(),
    };
    let end = known.iter().filter(|(_, holds)| !holds).map(|(model, _)| *model).collect();
    so_far.into_iter().chain([said(end, "in the end")]).collect()
}

fn last_states(replayed: &Replayed<'_>) -> Vec<Vec<String>> {
    let trace = &replayed.replay.trace;
    let mut all: Vec<_> = trace.boot.iter().map(lines).collect();
    for step in &trace.steps {
        if let Some(state) = all.get_mut(step.happened.node.index()) {
            *state = lines(&step.after);
        }
    }
    all
}

fn lines(shown: &Shown) -> Vec<String> {
    told(shown).iter().map(|line| escape::line(line).into_owned()).collect()
}

fn steps(replayed: &Replayed<'_>, about: &[About]) -> Markup {
    let repeats = cycle(&replayed.replay.run);
    let steps = &replayed.replay.trace.steps;
    html! {
        @if !replayed.replay.trace.start.is_empty() {
            p { "When they start, nodes send "
                (escape::line(&replayed.replay.trace.start.iter()
                    .map(|(name, label)| format!("{name} {label}")).collect::<Vec<_>>().join("; ")))
                "." }
        }
        ol {
            @for ((number, step), about) in (1..).zip(steps).zip(about) {
                li id={ "step=" (number) } data-step=(number) data-ops=(about.listed()) {
                    @let mut said = sentences(step).into_iter();
                    a href={ "#step=" (number) } { (escape::line(&said.next().unwrap_or_default())) }
                    @if step.step.settling { span.tag { "settling" } }
                    @if repeats.is_some_and(|last| number + last > steps.len()) {
                        span.tag { "repeats" }
                    }
                    @for more in said { div { (escape::line(&more)) } }
                    @for (name, label) in &step.sends {
                        div { "sends " (name) " " (escape::line(label)) }
                    }
                    (changed(step))
                }
            }
        }
    }
}

/// What a step changed at its node.
fn changed(step: &TraceStep) -> Markup {
    if !step.is_changed {
        return html! {};
    }
    let (gone, new) = changes(&step.before, &step.after);
    html! {
        @for line in gone { div.gone { (step.happened.node) " − " (escape::line(&line)) } }
        @for line in new { div.new { (step.happened.node) " + " (escape::line(&line)) } }
    }
}

/// Where the case comes from.
fn origin(replayed: &Replayed<'_>) -> Markup {
    let case = replayed.case;
    let FoundBy { search, seed, run, shrunk_from } = &case.found;
    let found: Vec<_> = [
        search.map(|search| format!("{search} search")),
        seed.map(|seed| format!("seed {seed:#x}")),
        run.map(|run| format!("run {run}")),
        shrunk_from.map(|from| format!("shrunk from {from} actions")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let found = match found.is_empty() {
        true => "how it was found is not recorded".to_owned(),
        false => format!("found by {}", found.join(", ")),
    };
    html! {
        p {
            "Judged for " (escape::line(&property_name(&case.property))) "; "
            (escape::line(&found)) "; written by version " (escape::line(&case.tool)) "."
        }
    }
}

/// The replicas for the script, as JSON.
fn data(replayed: &Replayed<'_>) -> String {
    let escaped = |all: Vec<String>| {
        all.iter().map(|line| escape::line(line).into_owned()).collect::<Vec<_>>()
    };
    let step = |step: &TraceStep| {
        let gone = match step.is_changed {
            true => escaped(changes(&step.before, &step.after).0),
            false => Vec::new(),
        };
        json!({
            "node": step.happened.node.index(),
            "said": escaped(sentences(step)),
            "state": lines(&step.after),
            "gone": gone,
        })
    };
    let trace = &replayed.replay.trace;
    let boot: Vec<_> = trace.boot.iter().map(lines).collect();
    let steps: Vec<_> = trace.steps.iter().map(step).collect();
    json!({ "boot": boot, "steps": steps, "status": so_far(replayed) }).to_string()
}
