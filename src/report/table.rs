//! The promise table: what each strategy promises, and what was found.
//!
//! Invariant: a result says whether it was sampled and whether it was cut
//! short, and a row for which nothing was judged never reads as kept.

use std::time::Duration;

use crate::history::{Function, Menu};
use crate::hunt::both::How;
use crate::hunt::exhaustive::{Doubt, Proof, scope_text};
use crate::hunt::outcome::{Met, Outcome, Row, Undecided, Vacuity};
use crate::hunt::random::{Sample, faults_text};
use crate::hunt::unreached::Unreached;
use crate::world::{FaultPlan, InboxOnCrash, Setting};

use super::reporter::Searched;
use super::verdict::property_name;
use super::{Look, Tone, count, pad};

/// Why an outcome is unknown or vacuous, in words.
pub fn reason(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Kept | Outcome::Violated(_) => return None,
        Outcome::Unknown(Undecided::CutShort(runs)) => {
            format!("cut short after {} runs", count(*runs))
        }
        Outcome::Unknown(Undecided::Runs(runs, why)) => {
            format!("{} runs were not decided: {why}", count(*runs))
        }
        Outcome::Unknown(Undecided::Unproved) => "no scope was proved".to_owned(),
        Outcome::Unknown(Undecided::Run(why)) => why.clone(),
        Outcome::Vacuous(Vacuity::NeverHeld(name)) => format!("`{name}` never held in any run"),
        Outcome::Vacuous(Vacuity::NoRun) => "no run was done".to_owned(),
        Outcome::Vacuous(Vacuity::NoAnswer) => "no run had an answer to judge".to_owned(),
    })
}

/// The result of a row, in one line.
pub(super) fn told(row: &Row<'_>) -> String {
    let why = reason(&row.outcome).unwrap_or_default();
    match (&row.outcome, row.found.finding.as_ref().map(|finding| &finding.how)) {
        (Outcome::Kept, _) if row.found.proofs.is_empty() => {
            format!("no violation (sampled){}", and_extent(row))
        }
        (Outcome::Kept, _) => extent(row).join("; "),
        (Outcome::Violated(flaw), Some(How::Random { run, .. })) => {
            format!("{flaw} in run {}", count(*run))
        }
        (Outcome::Violated(flaw), Some(How::Exhaustive { states, .. })) => {
            format!("{flaw} in a shortest run, after {} states", count(*states))
        }
        (Outcome::Violated(flaw), None) => flaw.to_string(),
        (Outcome::Unknown(_), _) => format!("unknown: {why}{}", and_extent(row)),
        (Outcome::Vacuous(_), _) => format!("nothing checked: {why}{}", and_extent(row)),
    }
}

/// What exhaustive searches showed of the property: where it is proved, and
/// where it is not and why.
pub(super) fn extent(row: &Row<'_>) -> Vec<String> {
    let proof = |proof: &Proof| {
        format!("{} ({} states)", scope_text(&proof.scope, row.menu), count(proof.states))
    };
    let proofs: Vec<_> = row.found.proofs.iter().map(proof).collect();
    let proved = (!proofs.is_empty()).then(|| format!("proved: {}", proofs.join("; ")));
    let doubts = row.found.doubts.iter();
    let doubts = doubts.map(|doubt| format!("not proved: {}", doubt_text(doubt, row.menu)));
    proved.into_iter().chain(doubts).collect()
}

/// The extent, to be appended to a line.
fn and_extent(row: &Row<'_>) -> String {
    extent(row).iter().map(|text| format!("; {text}")).collect()
}

/// `2 sessions, 2 writes, 1 read, 1 key (the limit of states, at 2,000,000 states and 14 actions)`.
pub fn doubt_text(doubt: &Doubt, menu: &Menu) -> String {
    let many = |number: u64, word: &str| {
        format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
    };
    match doubt {
        Doubt::Bounded { scope, bound, states, actions } => format!(
            "{} ({bound}, at {} and {})",
            scope_text(scope, menu),
            many(*states, "state"),
            many(*actions, "action")
        ),
        Doubt::NotBegun { scope, before } => format!(
            "{} (not begun: the scope before it has {} states)",
            scope_text(scope, menu),
            count(*before)
        ),
        Doubt::Because(why) => why.clone(),
    }
}

/// A setting in one line: `3 nodes, FIFO network, crash 1, sticky`.
pub fn setting_text(setting: &Setting) -> String {
    let faults = match setting.faults.budget.is_none() {
        true => "no faults".to_owned(),
        false => format!("faults {}", setting.faults.budget),
    };
    let nodes = match setting.nodes {
        1 => "1 node".to_owned(),
        nodes => format!("{nodes} nodes"),
    };
    let mut text =
        format!("{nodes}, {} network, {faults}, {} sessions", setting.network, setting.routing);
    let FaultPlan { inbox, clocks, keep_token, bounded, lose_clock, budget: _ } = &setting.faults;
    if *inbox == InboxOnCrash::Kept {
        text.push_str(", inboxes outlive crashes");
    }
    if clocks.iter().any(|offset| *offset != 0) {
        let offsets: Vec<_> = clocks.iter().map(|offset| format!("{offset:+}")).collect();
        text.push_str(&format!(", clocks off by {}", offsets.join(", ")));
    }
    if let Some(bound) = bounded {
        text.push_str(&format!(", clocks at most {bound} apart"));
    }
    if *lose_clock {
        text.push_str(", crashes lose clocks");
    }
    if *keep_token {
        text.push_str(", tokens kept");
    }
    text
}

/// `2,000 runs, 41,200 distinct states, faults used: drop 3,911`.
pub fn coverage_text(coverage: &Sample) -> String {
    let runs = if coverage.runs == 1 { "run" } else { "runs" };
    let states = count(coverage.states);
    let pending = match coverage.pending {
        0 => String::new(),
        1 => ", 1 operation never answered".to_owned(),
        more => format!(", {} operations never answered", count(more)),
    };
    format!(
        "{} {runs}, {states} distinct states, faults used: {}{pending}",
        count(coverage.runs),
        faults_text(&coverage.faults)
    )
}

/// `never happened: crash, cut; never answered: acquire`, if anything was in no run.
pub fn unreached_text(unreached: &Unreached) -> Option<String> {
    let faults: Vec<_> = unreached.faults.iter().map(ToString::to_string).collect();
    let calls: Vec<_> = unreached.calls.iter().map(Function::as_str).collect();
    let parts = [("never happened", faults.join(", ")), ("never answered", calls.join(", "))];
    let said = parts.iter().filter(|(_, all)| !all.is_empty());
    let said: Vec<_> = said.map(|(what, all)| format!("{what}: {all}")).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Writes the table. The rows of one search are grouped below its setting.
pub fn table(searches: &[Searched<'_>], look: &Look) -> String {
    let rows = || searches.iter().flat_map(|searched| &searched.rows);
    let widths = [
        rows().map(|row| property_name(&row.found.property).len()).max().unwrap_or(0),
        rows().map(|row| expected_text(row).len()).max().unwrap_or(0),
    ];
    let mut text = String::new();
    let filled = searches.iter().filter(|searched| !searched.rows.is_empty());
    for (at, searched) in filled.enumerate() {
        text.push_str(&heading(searched, at == 0, look));
        for row in &searched.rows {
            let line = format!(
                "{}  promised {}  found {}",
                pad(&property_name(&row.found.property), widths[0]),
                pad(&expected_text(row), widths[1]),
                told(row),
            );
            text.push_str(&format!("  {}  {}\n", mark(row.met(), look), look.text(&line)));
        }
    }
    text
}

fn heading(searched: &Searched<'_>, first: bool, look: &Look) -> String {
    let row = &searched.rows[0];
    let gap = if first { "" } else { "\n" };
    let name = look.paint(Tone::Strong, row.strategy);
    let place = look.text(&format!(" · {}", setting_text(row.setting)));
    let time = format!("{:.1} s", searched.time.as_secs_f64());
    let mut covered = Vec::new();
    if let Some(searched) = row.searched {
        covered.push(format!("{} states searched", count(searched.states)));
    }
    if row.sampled.runs > 0 {
        covered.push(coverage_text(row.sampled));
    }
    covered.extend(unreached_text(row.unreached));
    covered.push(time);
    let covered = look.text(&covered.join(" · "));
    format!("{gap}{name}{place}\n     {}\n", look.paint(Tone::Faint, &covered))
}

fn expected_text(row: &Row<'_>) -> String {
    row.expected.map_or("nothing".to_owned(), |expected| expected.to_string())
}

/// The mark of a row.
fn mark(met: Met, look: &Look) -> String {
    let (tone, sign) = match met {
        Met::Yes => (Tone::Good, "✓"),
        Met::No => (Tone::Bad, "✗"),
        Met::Unknown => (Tone::Doubt, "?"),
        Met::Vacuous => (Tone::Doubt, "–"),
    };
    let sign = if sign == "–" { "-".to_owned() } else { look.text(sign) };
    look.paint(tone, &pad(&sign, if look.letters == super::Letters::Ascii { 2 } else { 1 }))
}

/// The last line: how many promises are met, and whether they are proved or
/// sampled.
pub fn totals<'r, 'h: 'r>(
    rows: impl Iterator<Item = &'r Row<'h>> + Clone,
    time: Duration,
) -> String {
    let all = rows.clone().count();
    if all == 0 {
        return "nothing was promised, so nothing was checked".to_owned();
    }
    let number = |met: Met| rows.clone().filter(|row| row.met() == met).count();
    let mut parts = vec![format!("{} of {all} promises are met", number(Met::Yes))];
    for (met, word) in [
        (Met::No, "are not"),
        (Met::Unknown, "are undecided"),
        (Met::Vacuous, "had nothing to judge"),
    ] {
        if number(met) > 0 {
            parts.push(format!("{} {word}", number(met)));
        }
    }
    let kept = || rows.clone().filter(|row| row.outcome == Outcome::Kept);
    let proved = kept().filter(|row| !row.found.proofs.is_empty()).count();
    let known = match (proved, kept().count() - proved) {
        (0, _) => "none is proved, all that hold are sampled".to_owned(),
        (proved, 0) => format!("{proved} are proved in their scope"),
        (proved, sampled) => format!("{proved} are proved in their scope, {sampled} sampled"),
    };
    format!("{}; violations were replayed, {known} · {:.1} s", parts.join(", "), time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hunt::both::Conclusion;
    use crate::hunt::property::Property;
    use crate::search::exhaustive::{Bound, Open};

    const SMALL: Open = Open { sessions: 2, writes: 1, reads: 1, keys: 1, patient: false };

    /// The result text of a property with these proofs, doubts and coverage.
    fn told(proofs: Vec<Proof>, doubts: Vec<Doubt>, coverage: &Sample, sampled: bool) -> String {
        let property = Property::NoPanic;
        let (finding, others, undecided, looked_at) = (None, Vec::new(), None, 7);
        let found = &Conclusion {
            property,
            finding,
            others,
            proofs,
            doubts,
            undecided,
            looked_at,
            sampled,
        };
        let row = Row {
            strategy: "abd",
            setting: &Setting::calm(3, crate::world::Network::Fifo),
            expected: None,
            found,
            menu: &Menu::register(),
            sampled: coverage,
            searched: None,
            unreached: &Unreached::default(),
            outcome: Outcome::of(found, coverage),
            case: None,
            others: Vec::new(),
        };
        super::told(&row)
    }

    fn proof() -> Vec<Proof> {
        vec![Proof { scope: SMALL, states: 1_234, looked_at: 9 }]
    }

    fn limit() -> Vec<Doubt> {
        let scope = Open { writes: 2, ..SMALL };
        vec![Doubt::Bounded { scope, bound: Bound::States, states: 2_000_000, actions: 14 }]
    }

    #[test]
    fn what_is_not_proved_says_how_far_the_search_came() {
        let never = Sample::default();
        let ran = Sample { runs: 10, ..Sample::default() };
        let limited = "not proved: 2 sessions, 2 writes, 1 read, 1 key (the limit of states, at 2,000,000 states and 14 actions)";
        assert_eq!(
            told(vec![], limit(), &never, false),
            format!("unknown: no scope was proved; {limited}")
        );
        assert_eq!(
            told(proof(), limit(), &ran, true),
            format!("proved: 2 sessions, 1 write, 1 read, 1 key (1,234 states); {limited}")
        );
        assert_eq!(told(vec![], limit(), &ran, true), format!("no violation (sampled); {limited}"));
        let enough = vec![Doubt::NotBegun { scope: SMALL, before: 1_234 }];
        assert_eq!(
            told(proof(), enough, &ran, true),
            "proved: 2 sessions, 1 write, 1 read, 1 key (1,234 states); not proved: 2 sessions, 1 write, 1 read, 1 key (not begun: the scope before it has 1,234 states)"
        );
        let because = vec![Doubt::Because("nothing was searched".to_owned())];
        assert_eq!(
            told(vec![], because, &ran, true),
            "no violation (sampled); not proved: nothing was searched"
        );
    }

    #[test]
    fn what_was_cut_short_says_what_was_proved_before() {
        let cut = Sample { runs: 10, cut_short: true, ..Sample::default() };
        let stopped = Doubt::Bounded { scope: SMALL, bound: Bound::Stopped, states: 7, actions: 2 };
        assert_eq!(
            told(proof(), vec![stopped], &cut, true),
            "unknown: cut short after 10 runs; proved: 2 sessions, 1 write, 1 read, 1 key (1,234 states); not proved: 2 sessions, 1 write, 1 read, 1 key (stopped early, at 7 states and 2 actions)"
        );
    }

    #[test]
    fn a_condition_that_never_held_is_named() {
        let coverage = Sample { runs: 10, never_reached: vec!["two leaders"], ..Sample::default() };
        assert_eq!(
            told(vec![], vec![], &coverage, true),
            "nothing checked: `two leaders` never held in any run"
        );
    }
}
