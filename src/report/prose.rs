//! Models, strategies and cases in sentences.

use std::fmt::Write as _;

use crate::catalogue::{Family, Hint, Mutant};
use crate::history::{escape, notation};
use crate::hunt::case::{Case, CaseStep};
use crate::hunt::property::{Property, Rejudged, rejudge};
use crate::judgement::datatype::{Datatype, Described};
use crate::judgement::model::{SEPARATING, neighbours};
use crate::judgement::{Budget, Model, Verdict, check};
use crate::world::{FaultKind, Faults, Setting};

use super::verdict::property_name;
use super::wrap;

/// A model: its names, what it promises, and the predicate.
pub fn model(model: Model, width: usize) -> String {
    let mut text = format!("{}: {}\n\n", model.name(), model.long_name());
    for line in wrap(&model.about(), width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    let predicate = wrap(&model.predicate(), width.saturating_sub(15).max(30));
    let _ = writeln!(text, "\n  predicate    {}", predicate.join("\n               "));
    let _ = writeln!(text, "  where        so session order, rb returns-before, vis visibility,");
    let _ = writeln!(text, "               ar arbitration, W writes, R reads, ; composition,");
    let _ =
        writeln!(text, "               RVal each read answers the last write in ar that it sees");
    let _ = writeln!(text, "  source       {}", model.source());
    let (above, below) = neighbours(model);
    let names = |list: &[Model]| list.iter().map(|model| model.name()).collect::<Vec<_>>();
    for (label, list) in [("implied by", names(&above)), ("implies", names(&below))] {
        if !list.is_empty() {
            let _ = writeln!(text, "  {label:<12} {}", list.join(", "));
        }
    }
    if !above.is_empty() || !below.is_empty() {
        let _ = writeln!(text, "               (claims about registers that are read and written)");
    }
    if let Some((example, why)) = example(model, &below) {
        let _ = writeln!(text, "\n  broken by    {example}");
        for line in wrap(&why, width.saturating_sub(15).max(30)) {
            let _ = writeln!(text, "               {line}");
        }
    }
    text
}

/// A property that is no model: what it asks.
pub fn property(name: &str, about: &str, width: usize) -> String {
    let mut text = format!("{}: a property of runs\n\n", escape::line(name));
    for line in wrap(about, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// A kind of fault: what it does, how to ask for it, and how files and settings call it.
pub fn fault(kind: FaultKind, width: usize) -> String {
    let name = kind.name();
    let mut text = format!("{name}: a fault\n\n");
    let about = format!(
        "Where it may happen, {}. A search chooses when, and how often up to a budget; by \
         itself it never happens.",
        kind.about()
    );
    for line in wrap(&about, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "\n  at most once in a run   check STRATEGY --faults {name}=1");
    let _ = writeln!(text, "  in a setting            faults {}", Faults::NONE.with(kind, 1));
    let _ = writeln!(text, "  in a case file          \"faults\": {{\"{name}\": 1}}");
    text
}

/// A datatype: its operations, and what they mean where they are concurrent.
pub fn datatype(described: &Described, width: usize) -> String {
    let mut text = described.names[0].to_owned();
    for (nth, name) in described.names.iter().enumerate().skip(1) {
        let _ = write!(text, "{} {name}", if nth == 1 { ", also" } else { "," });
    }
    text.push_str("\n\n");
    for line in wrap(described.about, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "\n  operations   {}", described.operations);
    if described.formula.is_empty() {
        let _ =
            writeln!(text, "  judged by    models of orders, such as linearizable and sequential");
        return text;
    }
    let formula = wrap(described.formula, width.saturating_sub(15).max(30));
    let _ = writeln!(text, "  a read is    {}", formula.join("\n               "));
    let _ = writeln!(
        text,
        "  where        V the updates visible to the read, vis visibility among them,"
    );
    let _ =
        writeln!(text, "               ar arbitration, a an add or enable, r a remove or disable");
    for (history, other) in described.examples {
        let _ = writeln!(text, "\n  not allowed  {history}");
        let _ = writeln!(text, "               by ccv_ev, which allows it for {other}");
    }
    text
}

/// The shortest example that violates the model and satisfies the next weaker
/// ones, or else the shortest that violates the model; with the reason.
fn example(model: Model, below: &[Model]) -> Option<(&'static str, String)> {
    let judged = |text: &str, model| {
        let history = notation::parse(text).expect("the examples are in the notation");
        let verdict = check(&history, model, Budget::default());
        (history, verdict)
    };
    let breaks = |text: &&&str| judged(text, model).1.kind().is_some();
    let apart =
        |text: &&&str| breaks(text) && below.iter().all(|weaker| judged(text, *weaker).1.holds());
    let text = SEPARATING.iter().find(apart).or_else(|| SEPARATING.iter().find(breaks))?;
    match judged(text, model) {
        (history, Verdict::Violated(found)) => Some((*text, found.explain(&history))),
        _ => None,
    }
}

/// A strategy: what it is, its parameters, what it promises. `program` is for commands to copy.
pub fn strategy(family: &Family, program: &str, place: impl Fn(&Setting) -> String) -> String {
    let mut text = format!("{}: {}\n", family.name, family.about);
    if !family.parameters.is_empty() {
        text.push_str("\nparameters\n");
    }
    for parameter in &family.parameters {
        let values = parameter.values.join(" | ");
        let default = match parameter.default {
            Some(default) => format!(" (default {default})"),
            None => " (default: all of them)".to_owned(),
        };
        let _ = writeln!(text, "  {}={values}{default}\n      {}", parameter.name, parameter.about);
    }
    let promises = &family.promises;
    text.push_str(if promises.is_empty() { "\nno promises\n" } else { "\npromises\n" });
    let mut before = String::new();
    for promise in promises {
        let heading = format!("  {} · {}", promise.strategy, place(&promise.setting));
        if heading != before {
            let _ = writeln!(text, "{heading}");
        }
        let _ = writeln!(text, "      {:<18} {}", promise.property.to_string(), promise.expected);
        before = heading;
    }
    if !family.mutants.is_empty() {
        text.push_str("\nvariants with a bug\n");
    }
    for mutant in &family.mutants {
        let _ = writeln!(text, "  {}\n      {}", mutant.strategy, mutant.bug.title);
    }
    if let Some(first) = family.mutants.first() {
        let _ = writeln!(text, "  the story of each: {program} explain {}", first.strategy);
    }
    if !family.hints.is_empty() {
        text.push_str("\nwhat to do next\n");
    }
    for Hint { strategy, flaw, advice } in &family.hints {
        let _ = writeln!(text, "  {strategy} fails ({flaw}): {}", advice.text);
        let _ = writeln!(text, "      {}", advice.command);
    }
    if !family.sources.is_empty() {
        let _ = writeln!(text, "\nsource\n  {}", family.sources);
    }
    text
}

/// A variant with a bug: what is wrong, the story, what it breaks and keeps, and what
/// repairs it. `program` is for commands to copy; `place` tells a setting.
pub fn mutant(mutant: &Mutant, program: &str, place: &str, width: usize) -> String {
    let Mutant { strategy, bug, property, flaw, keeps, .. } = mutant;
    let mut text = format!("{strategy}: {}\n\n", bug.title);
    for line in wrap(bug.story, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    text.push('\n');
    let kept: Vec<_> = keeps.iter().map(property_name).collect();
    let actions = if bug.actions == 1 { "action" } else { "actions" };
    let lines = [
        ("shows in", place.to_owned()),
        ("violates", format!("{} ({flaw}), in {} {actions}", property_name(property), bug.actions)),
        ("keeps", kept.join(", ")),
        ("reported", bug.source.to_owned()),
        ("without it", bug.repaired.to_owned()),
        ("see it", format!("{program} check {strategy}")),
    ];
    for (label, said) in lines.iter().filter(|(_, said)| !said.is_empty()) {
        let lines = wrap(said, width.saturating_sub(15).max(30));
        let _ = writeln!(text, "  {label:<12} {}", lines.join("\n               "));
    }
    text
}

/// A case, described from what it records; no strategy is run.
pub fn case(case: &Case, datatype: &dyn Datatype, name: &str, place: &str, width: usize) -> String {
    let mut text = format!("A case of {}, on {place}.\n\nWhat happened\n", escape::line(name));
    for (number, step) in (1..).zip(&case.schedule) {
        let lines = wrap(&escape::line(&sentence(step)), width.saturating_sub(7));
        let _ = writeln!(text, "  {number:>3}  {}", lines.join("\n       "));
    }
    let (chosen, all) = (case.chosen(), case.schedule.len());
    let _ = writeln!(
        text,
        "\nchosen: {chosen} of {all} steps; the other steps are settling, after the clients have stopped"
    );
    if let Some(cycle) = case.cycle {
        let _ = writeln!(text, "the last {cycle} steps repeat for ever");
    }
    let _ = writeln!(text, "\nWhat clients saw (one line per process)");
    for (number, process) in case.history.processes().into_iter().enumerate() {
        let operations = case.history.operations().iter().filter(|op| op.process == process);
        let seen: Vec<_> = operations.map(notation::token).collect();
        let _ = writeln!(text, "  process {number}   {}", escape::line(&seen.join(" ")));
    }
    text.push_str("\nVerdict\n");
    for paragraph in verdict(case, datatype) {
        let lines = wrap(&escape::line(&paragraph), width.saturating_sub(2));
        let _ = writeln!(text, "  {}", lines.join("\n  "));
    }
    text
}

fn sentence(step: &CaseStep) -> String {
    let name = step.action.message().map_or(String::new(), |(_, name)| format!("{name} "));
    let verb = match step.action {
        crate::world::Action::Deliver(..) => "delivers ",
        _ => "",
    };
    let sends = match step.sends.as_slice() {
        [] => String::new(),
        sends => format!("; this sends {}", sends.join(", ")),
    };
    format!("{verb}{name}{}{sends}.", step.text)
}

/// The recorded verdict, its meaning, and what judging the history again gives.
fn verdict(case: &Case, datatype: &dyn Datatype) -> Vec<String> {
    let mut told = vec![match &case.kind {
        Some(kind) => format!("{} is violated ({kind}).", case.property),
        None => format!("{} holds.", case.property),
    }];
    if let Some(why) = case.why() {
        told.push(format!("Why: {why}."));
    }
    let Property::Model(model) = case.property else {
        told.push("This property is judged on the run, not on what clients saw: replay the case to judge it again.".to_owned());
        return told;
    };
    told.push(model.about());
    told.push(match rejudge(&case.history, model, datatype) {
        Rejudged::Unknown(why) => format!("Judged again now: unknown, {why}."),
        Rejudged::Unsound(why) => format!("Judged again now: {why}."),
        Rejudged::Violated(kind) => format!(
            "Judged again now: violated ({kind}). The evidence was rechecked by code that did not produce it."
        ),
        Rejudged::Holds if case.kind.is_some() => {
            "Judged again now: the model allows the history; the run violates the property by how it ends. Replay the case to see it.".to_owned()
        }
        Rejudged::Holds => {
            "Judged again now: it holds. The evidence was rechecked by code that did not produce it.".to_owned()
        }
    });
    told
}
