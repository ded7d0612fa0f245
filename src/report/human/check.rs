//! The result of a check, for people: the table of all promises or what was
//! found of each strategy that was named, and each failing run that no promise
//! expects.

use crate::hunt::both::{Finding, How};
use crate::hunt::exhaustive::{Explored, scope_text};
use crate::hunt::outcome::{Failure, Met, Outcome, Row, Saved};
use crate::report::reporter::{Checked, Searched};
use crate::report::table::{
    coverage_text, extent, reason, setting_text, table, totals, unreached_text,
};
use crate::report::verdict::{property_name, title};
use crate::report::{Look, Tone, count, pad};

use super::failing_run::FailingRun;

/// All output for a check.
pub(super) fn text(checked: &Checked<'_>, look: &Look) -> String {
    let mut page = Page { checked, look, text: String::new() };
    if checked.promises {
        page.promises();
    } else {
        for searched in checked.searches {
            page.search(searched);
        }
        if checked.rows().all(|row| row.news().is_none()) {
            page.again();
        }
    }
    if checked.interrupted {
        page.line("interrupted: these are the results so far");
    }
    page.text
}

struct Page<'p> {
    checked: &'p Checked<'p>,
    look: &'p Look,
    text: String,
}

impl Page<'_> {
    fn print(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints a line in the characters of the page.
    fn line(&mut self, text: &str) {
        let line = self.look.text(text);
        self.print(&format!("{line}\n"));
    }

    fn promises(&mut self) {
        let (checked, look) = (self.checked, self.look);
        self.print("\n");
        self.print(&table(checked.searches, look));
        for searched in checked.searches.iter().filter(|searched| !searched.failures.is_empty()) {
            self.print("\n");
            self.line(&format!("{} does not keep its promise", searched.rows[0].strategy));
            self.failures(searched);
        }
        self.print("\n");
        self.line(&totals(checked.rows(), checked.time));
        self.again();
    }

    /// Prints the command that repeats this check.
    fn again(&mut self) {
        self.line(&format!("again: {}", self.checked.again));
    }

    fn search(&mut self, searched: &Searched<'_>) {
        let look = self.look;
        if let Some(first) = searched.rows.first().filter(|_| self.checked.searches.len() > 1) {
            let place = look.text(&setting_text(first.setting));
            let name = look.paint(Tone::Strong, first.strategy);
            self.print(&format!("\n{name}  {place}\n"));
        }
        self.failures(searched);
        self.kept(&searched.rows);
        let doubtful: Vec<_> = searched.rows.iter().filter(|row| doubt(row).is_some()).collect();
        for same in alike(&doubtful, |row| (doubt(row), extent(row))) {
            let (mark, said) = doubt(same[0]).expect("only those are left");
            let names = pad(&look.text(&names(&same)), 18);
            let mark = look.paint(Tone::Doubt, mark);
            self.print(&format!("{mark}  {names}  {}\n", look.text(&said)));
            self.below(&extent(same[0]));
        }
        self.misdeclared(searched);
        let missing = searched.rows.first().and_then(|row| unreached_text(row.unreached));
        if let Some(text) = missing {
            self.note(&text);
        }
    }

    /// Says that a declaration of the strategy was found to be wrong.
    fn misdeclared(&mut self, searched: &Searched<'_>) {
        let hunt = searched.rows.first().and_then(|row| row.searched);
        if let Some(why) = hunt.and_then(Explored::misdeclared) {
            self.note(&format!("{why}: searched without that"));
        }
    }

    fn note(&mut self, text: &str) {
        let mark = self.look.paint(Tone::Doubt, "note");
        self.print(&format!("{mark}  {}\n", self.look.text(text)));
    }

    /// Prints the properties that no run violates, proved ones first.
    fn kept(&mut self, rows: &[Row<'_>]) {
        let kept = rows.iter().filter(|row| row.met() == Met::Yes);
        let (proved, only_sampled): (Vec<_>, Vec<_>) =
            kept.partition(|row| !row.found.proofs.is_empty());
        for same in alike(&proved, extent) {
            self.names(&same);
            self.below(&extent(same[0]));
        }
        let Some(sampled) = rows.first().map(|row| row.sampled) else { return };
        let runs = coverage_text(sampled);
        if sampled.runs > 0 && !proved.is_empty() {
            self.below(&[format!("no violation in larger runs either: {runs} (sampled)")]);
        }
        for same in alike(&only_sampled, extent) {
            self.names(&same);
            self.below(&[format!("no violation in {runs} (sampled)")]);
            self.below(&extent(same[0]));
        }
    }

    fn names(&mut self, same: &[&Row<'_>]) {
        let mark = self.look.paint(Tone::Good, "ok  ");
        let names = self.look.text(&names(same));
        self.print(&format!("{mark}  {names}\n"));
    }

    /// Prints texts indented, below the line that they belong to.
    fn below(&mut self, texts: &[String]) {
        for text in texts {
            let text = self.look.text(text);
            self.print(&format!("      {text}\n"));
        }
    }

    /// Prints every failing run that no promise expects. Rows with the same
    /// failing run share one picture.
    fn failures(&mut self, searched: &Searched<'_>) {
        for failure in &searched.failures {
            let rows: Vec<_> = failure.rows.iter().map(|at| &searched.rows[*at]).collect();
            let told = story(self.checked, failure, &rows, self.look);
            self.print(&format!("{told}\n"));
        }
    }
}

/// A failing run: how each of these rows fails by it and how it was found, the picture, and
/// what is known of it.
pub(in crate::report) fn story(
    checked: &Checked<'_>,
    failure: &Failure,
    rows: &[&Row<'_>],
    look: &Look,
) -> String {
    let mut text = String::new();
    for row in rows {
        let finding = row.news().expect("it is news");
        let title = look.text(&title(&row.found.property, &finding.failing.judgement()));
        let all = finding.failing.run.schedule.len();
        let size = match &finding.how {
            How::Random { run, first } => {
                format!("run {run} · {} actions shrunk to {all}", first.run.schedule.len())
            }
            How::Exhaustive { scope, states } => format!(
                "{all} {}, the fewest with {} · {} states",
                if all == 1 { "action" } else { "actions" },
                scope_text(scope, row.menu),
                count(*states)
            ),
        };
        let mark = look.paint(Tone::Bad, "FAIL");
        let title = look.paint(Tone::Strong, &pad(&title, 20));
        text.push_str(&format!("{mark}  {title}  {}\n", look.text(&size)));
    }
    for (at, row) in rows.iter().enumerate() {
        let finding = row.news().expect("it is news");
        let failing = &finding.failing;
        let told = FailingRun {
            strategy: row.strategy,
            registry: checked.registry,
            setting: &failing.setting,
            workload: &failing.workload,
            trace: &failure.trace,
            run: &failing.run,
            property: &row.found.property,
            judgement: &failing.judgement(),
            datatype: failing.datatype,
            landmarks: &failure.landmarks,
            minimal: finding.is_minimal(),
            others: &row.others().map(other).collect::<Vec<_>>(),
            shrunk: None,
            neighbour: None,
        };
        if at == 0 {
            text.push_str(&format!("\n{}", told.picture(look)));
        }
        let path = row.case.as_ref().map(|saved| saved.path.as_str());
        let replay = path.map(|path| format!("{} replay {path}", checked.program));
        text.push_str(&format!("\n{}", told.block(path, replay.as_deref(), look)));
    }
    text
}

/// A violation of another cause: `lost, with drop 1: 7 actions, run 12 (cases/x-2.json)`.
fn other((found, saved): (&Finding, Option<&Saved>)) -> String {
    let Finding { failing, how } = found;
    let with = match failing.run.faults.is_none() {
        true => "without a fault".to_owned(),
        false => format!("with {}", failing.run.faults),
    };
    let run = match how {
        How::Random { run, .. } => format!(", run {run}"),
        How::Exhaustive { .. } => String::new(),
    };
    let place = saved.map_or(String::new(), |saved| format!(" ({})", saved.path));
    format!("{}, {with}: {} actions{run}{place}", failing.flaw, failing.run.schedule.len())
}

/// Groups rows for which the same text is printed.
fn alike<'l, 'h, T: PartialEq>(
    rows: &[&'l Row<'h>],
    said: impl Fn(&Row<'h>) -> T,
) -> Vec<Vec<&'l Row<'h>>> {
    let mut found: Vec<(T, Vec<&Row<'h>>)> = Vec::new();
    for row in rows {
        let said = said(row);
        match found.iter_mut().find(|(known, _)| *known == said) {
            Some((_, same)) => same.push(row),
            None => found.push((said, vec![row])),
        }
    }
    found.into_iter().map(|(_, same)| same).collect()
}

/// The properties of rows, by name.
fn names(rows: &[&Row<'_>]) -> String {
    let names = rows.iter().map(|row| property_name(&row.found.property));
    names.collect::<Vec<_>>().join(", ")
}

/// The mark of an undecided row, and why it is undecided.
fn doubt(row: &Row<'_>) -> Option<(&'static str, String)> {
    let why = reason(&row.outcome)?;
    match row.outcome {
        Outcome::Unknown(_) => Some(("?   ", format!("unknown: {why}"))),
        _ => Some(("-   ", format!("nothing was checked: {why}"))),
    }
}
