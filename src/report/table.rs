//! The promise table: what each strategy promises, and what was found.
//!
//! Invariant: whatever was sampled is called sampled, whatever was cut short
//! is called cut short, and a row that looked at nothing never reads as kept.

use std::time::Duration;

use crate::hunt::both::{Conclusion, How};
use crate::hunt::exhaustive::{self, Doubt, Proof, scope_text};
use crate::hunt::promise::Expected;
use crate::hunt::property::{Flaw, Property};
use crate::hunt::random::{Coverage, faults_text};
use crate::world::Setting;

use super::verdict::property_name;
use super::{Look, Tone, count, pad};

/// One property of one strategy in one setting, and what was found.
#[derive(Clone, Debug)]
pub struct Line {
    /// The strategy, in short.
    pub strategy: String,
    /// Where.
    pub setting: Setting,
    /// What was judged.
    pub property: Property,
    /// What must be found, if something was promised.
    pub expected: Option<Expected>,
    /// What was found.
    pub result: Result,
    /// The scopes in which it is proved.
    pub proofs: Vec<Proof>,
    /// Why it is proved in no more.
    pub doubts: Vec<Doubt>,
    /// What random runs covered.
    pub coverage: Coverage,
    /// What exhaustive searches covered, if there were any.
    pub searched: Option<exhaustive::Coverage>,
    /// How long the search took that this row was part of.
    pub time: Duration,
    /// Where the failing run was saved, if it could be.
    pub case: Option<String>,
}

/// What was found of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Result {
    /// No run violates it.
    Kept,
    /// One does, in this way; how it was found, and why, in words.
    Violated(Flaw, How, String),
    /// Nobody knows, because of this.
    Unknown(String),
    /// Nothing was looked at, because of this.
    Unchecked(String),
}

/// Whether a row is as it was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It is not known.
    Unknown,
    /// Nothing was checked.
    Unchecked,
}

impl Result {
    /// What came of a property, from what both hunts found of it.
    pub fn of(found: &Conclusion, coverage: &Coverage, why: String) -> Result {
        if let Some(finding) = &found.finding {
            return Result::Violated(finding.failing.flaw, finding.how.clone(), why);
        }
        if found.sampled && coverage.cut_short {
            return Result::Unknown(format!("cut short after {} runs", count(coverage.runs)));
        }
        if let Some((runs, why)) = &found.undecided {
            return Result::Unknown(format!("{} runs were not decided: {why}", count(*runs)));
        }
        if let Some(name) = coverage.never_reached.first() {
            return Result::Unchecked(format!("`{name}` never held in any run"));
        }
        if !found.proofs.is_empty() {
            return Result::Kept;
        }
        match found.doubts.as_slice() {
            [_, ..] if !found.sampled => Result::Unknown("no scope was proved".to_owned()),
            _ if found.sampled && coverage.runs == 0 => {
                Result::Unchecked("no run was done".to_owned())
            }
            _ if found.looked_at == 0 => {
                Result::Unchecked("no run had an answer to judge".to_owned())
            }
            _ => Result::Kept,
        }
    }
}

impl Line {
    /// Whether the row is as promised; without a promise, it must hold.
    pub fn met(&self) -> Met {
        match (&self.result, self.expected.unwrap_or(Expected::Holds)) {
            (Result::Violated(flaw, ..), Expected::Violated(expected)) if *flaw == expected => {
                Met::Yes
            }
            (Result::Violated(..), _) => Met::No,
            (Result::Kept, Expected::Holds) => Met::Yes,
            (Result::Kept, Expected::Violated(_)) => Met::No,
            (Result::Unknown(_), _) => Met::Unknown,
            (Result::Unchecked(_), _) => Met::Unchecked,
        }
    }

    /// Whether it is a violation that nobody promised: to be told and saved.
    pub fn is_news(&self) -> bool {
        matches!(self.result, Result::Violated(..)) && self.met() == Met::No
    }

    fn found(&self) -> String {
        match &self.result {
            Result::Kept if self.proofs.is_empty() => {
                format!("no violation (sampled){}", self.and_extent())
            }
            Result::Kept => self.extent().join("; "),
            Result::Violated(flaw, How::Random { run, .. }, _) => {
                format!("{flaw} in run {}", count(*run))
            }
            Result::Violated(flaw, How::Exhaustive { states, .. }, _) => {
                format!("{flaw} in a shortest run, after {} states", count(*states))
            }
            Result::Unknown(why) => format!("unknown: {why}{}", self.and_extent()),
            Result::Unchecked(why) => format!("nothing checked: {why}{}", self.and_extent()),
        }
    }

    /// How far exhaustive searches came with the property: where it is proved,
    /// and where it is not and why.
    pub fn extent(&self) -> Vec<String> {
        let proof = |proof: &Proof| {
            format!("{} ({} states)", scope_text(&proof.scope), count(proof.states))
        };
        let proofs: Vec<_> = self.proofs.iter().map(proof).collect();
        let proved = (!proofs.is_empty()).then(|| format!("proved: {}", proofs.join("; ")));
        let doubts = self.doubts.iter().map(|doubt| format!("not proved: {}", doubt_text(doubt)));
        proved.into_iter().chain(doubts).collect()
    }

    /// The extent after something else in a line.
    fn and_extent(&self) -> String {
        self.extent().iter().map(|text| format!("; {text}")).collect()
    }
}

/// `2 sessions, 2 writes, 1 read, 1 key (the limit of states, at 2,000,000 states and 14 actions)`.
pub fn doubt_text(doubt: &Doubt) -> String {
    let many = |number: u64, word: &str| {
        format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
    };
    match doubt {
        Doubt::Bounded { scope, bound, states, actions } => format!(
            "{} ({bound}, at {} and {})",
            scope_text(scope),
            many(*states, "state"),
            many(*actions, "action")
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
    format!("{nodes}, {} network, {faults}, {} sessions", setting.network, setting.routing)
}

/// `2,000 runs, 41,200 distinct states, faults used: drop 3,911`.
pub fn coverage_text(coverage: &Coverage) -> String {
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

/// Writes the table. Rows of one search stand together below its setting.
pub fn table(lines: &[Line], look: &Look) -> String {
    let widths = [
        lines.iter().map(|line| property_name(&line.property).len()).max().unwrap_or(0),
        lines.iter().map(|line| expected_text(line).len()).max().unwrap_or(0),
    ];
    let mut text = String::new();
    let mut before: Option<&Line> = None;
    for line in lines {
        let same = |other: &Line| other.strategy == line.strategy && other.setting == line.setting;
        if !before.is_some_and(same) {
            text.push_str(&heading(line, before.is_none(), look));
        }
        before = Some(line);
        let row = format!(
            "{}  promised {}  found {}",
            pad(&property_name(&line.property), widths[0]),
            pad(&expected_text(line), widths[1]),
            line.found(),
        );
        text.push_str(&format!("  {}  {}\n", mark(line.met(), look), look.text(&row)));
    }
    text
}

fn heading(line: &Line, first: bool, look: &Look) -> String {
    let gap = if first { "" } else { "\n" };
    let name = look.paint(Tone::Strong, &line.strategy);
    let place = look.text(&format!(" · {}", setting_text(&line.setting)));
    let time = format!("{:.1} s", line.time.as_secs_f64());
    let mut covered = Vec::new();
    if let Some(searched) = &line.searched {
        covered.push(format!("{} states searched", count(searched.states)));
    }
    if line.coverage.runs > 0 {
        covered.push(coverage_text(&line.coverage));
    }
    covered.push(time);
    let covered = look.text(&covered.join(" · "));
    format!("{gap}{name}{place}\n     {}\n", look.paint(Tone::Faint, &covered))
}

fn expected_text(line: &Line) -> String {
    line.expected.map_or("nothing".to_owned(), |expected| expected.to_string())
}

/// The sign of a row.
pub fn mark(met: Met, look: &Look) -> String {
    let (tone, sign) = match met {
        Met::Yes => (Tone::Good, "✓"),
        Met::No => (Tone::Bad, "✗"),
        Met::Unknown => (Tone::Doubt, "?"),
        Met::Unchecked => (Tone::Doubt, "–"),
    };
    let sign = if sign == "–" { "-".to_owned() } else { look.text(sign) };
    look.paint(tone, &pad(&sign, if look.letters == super::Letters::Ascii { 2 } else { 1 }))
}

/// The last line: how many promises are kept, and how that is known.
pub fn totals(lines: &[Line], time: Duration) -> String {
    if lines.is_empty() {
        return "nothing was promised, so nothing was checked".to_owned();
    }
    let number = |met: Met| lines.iter().filter(|line| line.met() == met).count();
    let mut parts = vec![format!("{} of {} promises are met", number(Met::Yes), lines.len())];
    for (met, word) in [
        (Met::No, "are not"),
        (Met::Unknown, "are undecided"),
        (Met::Unchecked, "had nothing to judge"),
    ] {
        if number(met) > 0 {
            parts.push(format!("{} {word}", number(met)));
        }
    }
    let kept = || lines.iter().filter(|line| line.result == Result::Kept);
    let proved = kept().filter(|line| !line.proofs.is_empty()).count();
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
    use crate::search::exhaustive::{Bound, Open};

    fn sampled(looked_at: u64) -> Conclusion {
        Conclusion {
            property: crate::hunt::property::Property::NoPanic,
            finding: None,
            proofs: Vec::new(),
            doubts: Vec::new(),
            undecided: None,
            looked_at,
            sampled: true,
        }
    }

    fn result(coverage: &Coverage, looked_at: u64) -> Result {
        Result::of(&sampled(looked_at), coverage, String::new())
    }

    /// A row of which so much was found.
    fn row(proofs: Vec<Proof>, doubts: Vec<Doubt>, found: Conclusion, coverage: &Coverage) -> Line {
        let found = Conclusion { proofs, doubts, ..found };
        Line {
            strategy: "abd".to_owned(),
            setting: Setting::calm(3, crate::world::Network::Fifo),
            property: found.property.clone(),
            expected: None,
            result: Result::of(&found, coverage, String::new()),
            proofs: found.proofs,
            doubts: found.doubts,
            coverage: coverage.clone(),
            searched: None,
            time: Duration::ZERO,
            case: None,
        }
    }

    const SMALL: Open = Open { sessions: 2, writes: 1, reads: 1, keys: 1, patient: false };

    fn proof() -> Proof {
        Proof { scope: SMALL, states: 1_234, looked_at: 9 }
    }

    fn limit() -> Doubt {
        let scope = Open { writes: 2, ..SMALL };
        Doubt::Bounded { scope, bound: Bound::States, states: 2_000_000, actions: 14 }
    }

    #[test]
    fn what_was_searched_without_end_and_not_sampled_is_unknown() {
        let alone = Conclusion { sampled: false, ..sampled(7) };
        let row = row(vec![], vec![limit()], alone, &Coverage::default());
        assert_eq!(row.met(), Met::Unknown);
        assert_eq!(
            row.found(),
            "unknown: no scope was proved; not proved: 2 sessions, 2 writes, 1 read, 1 key (the limit of states, at 2,000,000 states and 14 actions)"
        );
    }

    #[test]
    fn what_is_proved_says_where_it_no_longer_is() {
        let ran = Coverage { runs: 10, ..Coverage::default() };
        let row = row(vec![proof()], vec![limit()], sampled(7), &ran);
        assert_eq!(row.met(), Met::Yes);
        assert_eq!(
            row.found(),
            "proved: 2 sessions, 1 write, 1 read, 1 key (1,234 states); not proved: 2 sessions, 2 writes, 1 read, 1 key (the limit of states, at 2,000,000 states and 14 actions)"
        );
    }

    #[test]
    fn what_was_only_sampled_says_how_far_the_exhaustive_search_came() {
        let ran = Coverage { runs: 10, ..Coverage::default() };
        let row = row(vec![], vec![limit()], sampled(7), &ran);
        assert_eq!(row.met(), Met::Yes);
        assert!(
            row.found().starts_with("no violation (sampled); not proved: 2 sessions, 2 writes")
        );
        let never = Doubt::Because("nothing was searched".to_owned());
        let row = self::row(vec![], vec![never], sampled(7), &ran);
        assert_eq!(row.found(), "no violation (sampled); not proved: nothing was searched");
    }

    #[test]
    fn what_was_cut_short_says_what_was_proved_before() {
        let cut = Coverage { runs: 10, cut_short: true, ..Coverage::default() };
        let stopped = Doubt::Bounded { scope: SMALL, bound: Bound::Stopped, states: 7, actions: 2 };
        let row = row(vec![proof()], vec![stopped], sampled(7), &cut);
        assert_eq!(row.met(), Met::Unknown);
        assert_eq!(
            row.found(),
            "unknown: cut short after 10 runs; proved: 2 sessions, 1 write, 1 read, 1 key (1,234 states); not proved: 2 sessions, 1 write, 1 read, 1 key (stopped early, at 7 states and 2 actions)"
        );
    }

    #[test]
    fn a_search_that_looked_at_nothing_never_reads_as_kept() {
        let ran = Coverage { runs: 10, ..Coverage::default() };
        assert_eq!(result(&ran, 1), Result::Kept);
        assert!(matches!(result(&ran, 0), Result::Unchecked(_)));
        assert!(matches!(result(&Coverage::default(), 0), Result::Unchecked(_)));
    }

    #[test]
    fn a_condition_that_never_held_is_named() {
        let coverage =
            Coverage { runs: 10, never_reached: vec!["two leaders"], ..Coverage::default() };
        let Result::Unchecked(why) = result(&coverage, 5) else { panic!("it was not reached") };
        assert_eq!(why, "`two leaders` never held in any run");
    }

    #[test]
    fn what_was_cut_short_is_unknown() {
        let coverage = Coverage { runs: 10, cut_short: true, ..Coverage::default() };
        assert_eq!(result(&coverage, 5), Result::Unknown("cut short after 10 runs".to_owned()));
    }
}
