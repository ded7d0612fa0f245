//! The result of the exam, for people.

use crate::hunt::exam::{Complaint, Paper, enough_by_random};
use crate::hunt::outcome::{Outcome, Status};
use crate::report::reporter::Examined;
use crate::report::table::reason;
use crate::report::verdict::property_name;
use crate::report::{Look, Tone, count, wrap};

/// All output for an exam.
pub(super) fn text(examined: &Examined<'_>, look: &Look) -> String {
    let mut text = String::from("\n");
    for (paper, time) in examined.papers {
        let complaints = paper.complaints();
        let (tone, sign) = match paper.status() {
            Status::Holds => (Tone::Good, "✓"),
            Status::Violated | Status::NotReproduced => (Tone::Bad, "✗"),
            Status::Unknown | Status::Nothing => (Tone::Doubt, "?"),
        };
        let mutant = paper.mutant;
        let name = look.paint(Tone::Strong, &mutant.strategy);
        let breaks = format!("violates {} ({})", property_name(&mutant.property), mutant.flaw);
        let sign = look.paint(tone, &look.text(sign));
        text.push_str(&format!("{sign}  {name}  {}\n", look.text(&breaks)));
        let told = format!("{} · {:.1} s", found(paper), time.as_secs_f64());
        for line in wrap(&told, look.width.saturating_sub(5)) {
            text.push_str(&format!("     {}\n", look.paint(Tone::Faint, &look.text(&line))));
        }
        for complaint in &complaints {
            let told = look.text(&complained(complaint, paper));
            text.push_str(&format!("     {}\n", look.paint(tone, &told)));
        }
    }
    for line in wrap(&totals(examined), look.width) {
        text.push_str(&format!("\n{}", look.text(&line)));
    }
    text.push_str(&format!("\n{}\n", look.text(&format!("again: {}", examined.again))));
    if examined.interrupted {
        text.push_str("interrupted: these are the results so far\n");
    }
    text
}

/// How it was convicted, what it keeps, and what the repaired strategy was found to be.
pub(in crate::report) fn found(paper: &Paper<'_>) -> String {
    let actions = |many: usize| match many {
        1 => "1 action".to_owned(),
        many => format!("{many} actions"),
    };
    let searched = match paper.by_search() {
        Some(by) => {
            format!("exhaustive: {} after {} states", actions(by.actions), count(by.states))
        }
        None => "exhaustive: not in these scopes".to_owned(),
    };
    let sampled = match paper.by_random() {
        Some(by) => format!("random: {} in run {}", actions(by.actions), count(by.run)),
        None => "random: not found".to_owned(),
    };
    let kept = paper.kept().filter(|(_, outcome)| *outcome == Outcome::Kept);
    let kept: Vec<_> = kept.map(|(found, _)| property_name(&found.property)).collect();
    let (acquitted, outcome) = paper.acquitted();
    let repaired = match outcome {
        Outcome::Kept if acquitted.proofs.is_empty() => "acquitted, sampled",
        Outcome::Kept => "acquitted, proved in a scope",
        _ => "not acquitted",
    };
    let mut told = vec![searched, sampled];
    if !kept.is_empty() {
        told.push(format!("keeps {}", kept.join(", ")));
    }
    told.push(format!("{}: {repaired}", paper.mutant.bug.repaired));
    told.join(" · ")
}

/// What is wrong, in words.
pub(in crate::report) fn complained(complaint: &Complaint, paper: &Paper<'_>) -> String {
    match complaint {
        Complaint::NotConvicted => "it is not convicted of what it is known for".to_owned(),
        Complaint::Longer(actions) => format!(
            "the shortest counterexample has {actions} actions, and {} are enough",
            paper.mutant.bug.actions
        ),
        Complaint::Breaks(property) => {
            format!("it violates {}, too", property_name(property))
        }
        Complaint::Accused => format!("{} is accused, too", paper.mutant.bug.repaired),
        Complaint::Unfinished => {
            let (_, acquitted) = paper.acquitted();
            let mut outcomes = paper.kept().map(|(_, outcome)| outcome).chain([acquitted]);
            let why = outcomes.find_map(|outcome| match outcome {
                Outcome::Violated(_) => None,
                outcome => reason(&outcome),
            });
            format!("unknown: {}", why.unwrap_or_else(|| "cut short".to_owned()))
        }
    }
}

fn totals(examined: &Examined<'_>) -> String {
    let papers: Vec<_> = examined.papers.iter().map(|(paper, _)| paper.clone()).collect();
    let all = papers.len();
    let number = |is: &dyn Fn(&Paper<'_>) -> bool| papers.iter().filter(|paper| is(paper)).count();
    let searched = number(&|paper| paper.by_search().is_some());
    let sampled = number(&|paper| paper.by_random().is_some());
    let convicted = number(&|paper| paper.by_search().is_some() || paper.by_random().is_some());
    let accused = number(&|paper| paper.complaints().contains(&Complaint::Accused));
    let accused = match accused {
        0 => "no repaired strategy is accused".to_owned(),
        1 => "1 repaired strategy is accused".to_owned(),
        many => format!("{many} repaired strategies are accused"),
    };
    let enough = if enough_by_random(&papers) { "" } else { " (too few)" };
    format!(
        "{convicted} of {all} mutants are convicted, {searched} by exhaustive search, {sampled} by \
         random runs{enough}; {accused} · {:.1} s",
        examined.time.as_secs_f64()
    )
}
