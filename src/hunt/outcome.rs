//! What a result means: whether a property is kept, violated, unknown or
//! vacuous, whether that was promised, and the overall status of a command.
//!
//! Invariant: only this module decides that, from judgements made when the runs
//! were executed. A hunt that was cut short is unknown and never kept; one that
//! judged nothing is vacuous and never kept. Results are data; reports put them
//! into words.

use std::fmt;

use crate::history::Menu;
use crate::judgement::checker::{Entry, Leasts};
use crate::judgement::{Survey, Verdict};
use crate::world::Setting;
use crate::world::trace::{Trace, trace};

use super::Subject;
use super::both::{Conclusion, Finding, Hunt};
use super::case::Expectation;
use super::case::replay::{Fidelity, Replay};
use super::exhaustive;
use super::landmarks::Landmarks;
use super::promise::Expected;
use super::property::{Flaw, Judgement};
use super::random::Sample;
use super::unreached::Unreached;

/// The outcome for one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No run violates it.
    Kept,
    /// Some run violates it, in this way.
    Violated(Flaw),
    /// It is unknown.
    Unknown(Undecided),
    /// There was nothing to judge.
    Vacuous(Vacuity),
}

/// Why an outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Undecided {
    /// Random runs were cut short after this many.
    CutShort(u64),
    /// This many random runs could not be decided, the first for this reason.
    Runs(u64, String),
    /// Exhaustive searches proved nothing, and no random run was judged by it.
    Unproved,
    /// The one run that was judged could not be decided, for this reason.
    Run(String),
}

/// Why there was nothing to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Vacuity {
    /// A `sometimes` invariant of the strategy held in no state.
    NeverHeld(&'static str),
    /// No run was executed.
    NoRun,
    /// No run had an answer to judge.
    NoAnswer,
}

/// Whether an outcome was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It was.
    Yes,
    /// It was not.
    No,
    /// It is not known.
    Unknown,
    /// There was nothing to judge.
    Vacuous,
}

impl Outcome {
    /// The outcome for a property, from what both hunts found about it.
    pub fn of(found: &Conclusion, sampled: &Sample) -> Outcome {
        if let Some(finding) = &found.finding {
            return Outcome::Violated(finding.failing.flaw);
        }
        if found.sampled && sampled.cut_short {
            return Outcome::Unknown(Undecided::CutShort(sampled.runs));
        }
        if let Some((runs, why)) = &found.undecided {
            return Outcome::Unknown(Undecided::Runs(*runs, why.clone()));
        }
        if let Some(name) = sampled.never_reached.first() {
            return Outcome::Vacuous(Vacuity::NeverHeld(name));
        }
        if !found.proofs.is_empty() && found.looked_at > 0 {
            return Outcome::Kept;
        }
        match found.doubts.as_slice() {
            [_, ..] if !found.sampled => Outcome::Unknown(Undecided::Unproved),
            _ if found.sampled && sampled.runs == 0 => Outcome::Vacuous(Vacuity::NoRun),
            _ if found.looked_at == 0 => Outcome::Vacuous(Vacuity::NoAnswer),
            _ => Outcome::Kept,
        }
    }

    /// The outcome for a property of one run, in which it could judge this many
    /// answers.
    pub fn of_run(judgement: &Judgement, looked_at: usize) -> Outcome {
        match judgement {
            Judgement::Violated(flaw, _) => Outcome::Violated(*flaw),
            _ if looked_at == 0 => Outcome::Vacuous(Vacuity::NoAnswer),
            Judgement::Holds => Outcome::Kept,
            Judgement::Unknown(why) => Outcome::Unknown(Undecided::Run(why.clone())),
        }
    }

    /// Whether this was promised. Without a promise, the property must be kept.
    pub fn met(&self, expected: Option<Expected>) -> Met {
        match (self, expected.unwrap_or(Expected::Holds)) {
            (Outcome::Violated(flaw), Expected::Violated(expected)) if *flaw == expected => {
                Met::Yes
            }
            (Outcome::Violated(_), _) => Met::No,
            (Outcome::Kept, Expected::Holds) => Met::Yes,
            (Outcome::Kept, Expected::Violated(_)) => Met::No,
            (Outcome::Unknown(_), _) => Met::Unknown,
            (Outcome::Vacuous(_), _) => Met::Vacuous,
        }
    }
}

/// The overall status of a command. The command line turns it into an exit
/// code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// What was asked for holds, or was done.
    Holds,
    /// Something is violated.
    Violated,
    /// Not decided.
    Unknown,
    /// Nothing was checked.
    Nothing,
    /// A replay did not reproduce what was recorded.
    NotReproduced,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Holds => "holds",
            Status::Violated => "violated",
            Status::Unknown => "unknown",
            Status::Nothing => "nothing-checked",
            Status::NotReproduced => "not-reproduced",
        })
    }
}

impl Status {
    /// The status of several rows: that of the worst. Without rows, nothing was
    /// checked.
    pub fn of_rows<'r, 'h: 'r>(rows: impl IntoIterator<Item = &'r Row<'h>>) -> Status {
        Status::worst(rows.into_iter().map(Row::status))
    }

    /// The worst of several: what is violated counts more than what is not known, that more
    /// than what was not reproduced, and that more than what had nothing to judge. Of none,
    /// nothing was checked.
    pub fn worst(all: impl IntoIterator<Item = Status>) -> Status {
        let all: Vec<Status> = all.into_iter().collect();
        let bad = [Status::Violated, Status::Unknown, Status::NotReproduced, Status::Nothing];
        let good = if all.is_empty() { Status::Nothing } else { Status::Holds };
        bad.into_iter().find(|status| all.contains(status)).unwrap_or(good)
    }

    /// The status of several properties of one run. It is enough if one of them
    /// had something to judge.
    pub fn of_run(outcomes: &[Outcome]) -> Status {
        let any = |wanted: fn(&Outcome) -> bool| outcomes.iter().any(wanted);
        if any(|outcome| matches!(outcome, Outcome::Violated(_))) {
            Status::Violated
        } else if any(|outcome| matches!(outcome, Outcome::Unknown(_))) {
            Status::Unknown
        } else if any(|outcome| *outcome == Outcome::Kept) {
            Status::Holds
        } else {
            Status::Nothing
        }
    }

    /// The status of a replay: the verdict of the case, but only if it was
    /// reproduced.
    pub fn of_replay(replayed: &Replay) -> Status {
        match (&replayed.fidelity, &replayed.judgement) {
            (Fidelity::TextsDiffer(_) | Fidelity::Differs(_), _) => Status::NotReproduced,
            (Fidelity::Reproduced, Judgement::Violated(..)) => Status::Violated,
            (Fidelity::Reproduced, Judgement::Holds) => Status::Holds,
            (Fidelity::Reproduced, Judgement::Unknown(_)) => Status::Unknown,
        }
    }

    /// The status of a case in a regression suite: whether its property is now as it is
    /// `expected` to be. If that is what the case recorded, the replay has to be the same;
    /// else a change is what was expected, and only the verdict counts.
    pub fn of_test(replayed: &Replay, recorded: Expectation, expected: Expectation) -> Status {
        let now = match &replayed.judgement {
            Judgement::Holds => Expectation::Holds,
            Judgement::Violated(..) => Expectation::Violated,
            Judgement::Unknown(_) => return Status::Unknown,
        };
        match &replayed.fidelity {
            _ if now != expected => Status::Violated,
            Fidelity::TextsDiffer(_) | Fidelity::Differs(_) if recorded == expected => {
                Status::NotReproduced
            }
            _ => Status::Holds,
        }
    }

    /// The status of one verdict on a recording, where no verdict means anything if
    /// it is `vacuous`. With `every`, the question is which models hold, so a violated
    /// one is not a failure.
    pub fn of_verdict(verdict: &Verdict, vacuous: bool, every: bool) -> Status {
        match verdict {
            _ if vacuous => Status::Nothing,
            Verdict::Violated(_) if !every => Status::Violated,
            Verdict::Violated(_) | Verdict::Holds(_) => Status::Holds,
            Verdict::Unknown(_) => Status::Unknown,
        }
    }

    /// The status of the verdicts on a recording. With `every`, the question is
    /// which models hold, so a violated one is not a failure.
    pub fn of_survey(
        survey: &Survey,
        says_anything: bool,
        least: Option<&Leasts>,
        every: bool,
    ) -> Status {
        let vacuous = is_vacuous(survey, says_anything);
        let status = |entry: &Entry| Status::of_verdict(&entry.verdict, vacuous, every);
        let any = |wanted: Status| survey.entries().iter().any(|entry| status(entry) == wanted);
        let unbounded = least.is_some_and(|(k, delta)| k.is_err() || delta.is_err());
        if vacuous {
            Status::Nothing
        } else if any(Status::Violated) {
            Status::Violated
        } else if any(Status::Unknown) || (every && unbounded) {
            Status::Unknown
        } else {
            Status::Holds
        }
    }
}

/// Whether some model is violated.
pub fn is_violated(survey: &Survey) -> bool {
    survey.entries().iter().any(|entry| entry.verdict.kind().is_some())
}

/// Whether no answer of a recording could be wrong, and no model is violated,
/// so that no verdict means anything.
pub fn is_vacuous(survey: &Survey, says_anything: bool) -> bool {
    !says_anything && !is_violated(survey)
}

/// One property of one strategy in one setting, with everything found about it.
#[derive(Clone, Debug)]
pub struct Row<'h> {
    /// The short name of the strategy.
    pub strategy: &'h str,
    /// The setting.
    pub setting: &'h Setting,
    /// What was promised, if anything.
    pub expected: Option<Expected>,
    /// What the hunts found of the property.
    pub found: &'h Conclusion,
    /// What clients chose from.
    pub menu: &'h Menu,
    /// What random runs covered.
    pub sampled: &'h Sample,
    /// What exhaustive searches covered, if there were any.
    pub searched: Option<&'h exhaustive::Explored>,
    /// What was in no run.
    pub unreached: &'h Unreached,
    /// The outcome that follows from this.
    pub outcome: Outcome,
    /// The saved case, if there is one.
    pub case: Option<Saved>,
    /// The saved cases of other causes, for each that was saved.
    pub others: Vec<Option<Saved>>,
}

/// A case that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The path of the file.
    pub path: String,
    /// The line in it that shows the violation.
    pub line: usize,
}

impl<'h> Row<'h> {
    /// The rows of one search, one for each property; `expected` has the
    /// promise about each.
    pub fn all(
        (strategy, setting): (&'h str, &'h Setting),
        expected: &[Option<Expected>],
        hunt: &'h Hunt,
    ) -> Vec<Row<'h>> {
        let row = |(found, expected): (&'h Conclusion, &Option<Expected>)| Row {
            strategy,
            setting,
            expected: *expected,
            found,
            menu: &hunt.menu,
            sampled: &hunt.sampled,
            searched: hunt.searched.as_ref(),
            unreached: &hunt.unreached,
            outcome: Outcome::of(found, &hunt.sampled),
            case: None,
            others: Vec::new(),
        };
        hunt.conclusions.iter().zip(expected).map(row).collect()
    }

    /// Whether its outcome was promised.
    pub fn met(&self) -> Met {
        self.outcome.met(self.expected)
    }

    /// Its status: as promised or not.
    pub fn status(&self) -> Status {
        match self.met() {
            Met::Yes => Status::Holds,
            Met::No => Status::Violated,
            Met::Unknown => Status::Unknown,
            Met::Vacuous => Status::Nothing,
        }
    }

    /// A violation that no promise expects; it is reported and saved.
    pub fn news(&self) -> Option<&'h Finding> {
        self.found.finding.as_deref().filter(|_| self.met() == Met::No)
    }

    /// The violations of other causes, each with its saved case, if the row is news.
    pub fn others(&self) -> impl Iterator<Item = (&'h Finding, Option<&Saved>)> {
        let all = if self.news().is_some() { &self.found.others[..] } else { &[] };
        let saved = self.others.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        all.iter().zip(saved)
    }
}

/// A failing run that no promise expects.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The positions of the rows that it violates.
    pub rows: Vec<usize>,
    /// What happened in it.
    pub trace: Trace,
    /// What other models say about it.
    pub landmarks: Landmarks,
}

impl Failure {
    /// The failing runs of one search that no promise expects. Rows with the
    /// same run share one entry.
    pub fn all(subject: &dyn Subject, rows: &[Row<'_>]) -> Vec<Failure> {
        let mut failures: Vec<Failure> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let Some(Finding { failing, .. }) = row.news() else { continue };
            let same = |failure: &&mut Failure| {
                let first = rows[failure.rows[0]].news().expect("it is news");
                first.failing.workload == failing.workload
                    && first.failing.run.schedule == failing.run.schedule
            };
            match failures.iter_mut().find(same) {
                Some(failure) => failure.rows.push(at),
                None => failures.push(Failure {
                    rows: vec![at],
                    trace: trace(
                        subject,
                        &failing.setting,
                        &failing.workload,
                        &failing.run.schedule,
                    ),
                    landmarks: Landmarks::of(&failing.run, failing.datatype),
                }),
            }
        }
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hunt::exhaustive::{Doubt, Proof};
    use crate::search::exhaustive::{Bound, Open};

    const SMALL: Open = Open { sessions: 2, writes: 1, reads: 1, keys: 1, patient: false };

    fn sampled(looked_at: u64) -> Conclusion {
        Conclusion {
            property: crate::hunt::property::Property::NoPanic,
            finding: None,
            others: Vec::new(),
            proofs: Vec::new(),
            doubts: Vec::new(),
            undecided: None,
            looked_at,
            sampled: true,
        }
    }

    fn limit() -> Vec<Doubt> {
        vec![Doubt::Bounded { scope: SMALL, bound: Bound::States, states: 2_000_000, actions: 14 }]
    }

    fn proof() -> Vec<Proof> {
        vec![Proof { scope: SMALL, states: 1_234, looked_at: 9 }]
    }

    fn ran() -> Sample {
        Sample { runs: 10, ..Sample::default() }
    }

    #[test]
    fn what_was_searched_without_end_and_not_sampled_is_unknown() {
        let alone = Conclusion { sampled: false, doubts: limit(), ..sampled(7) };
        let outcome = Outcome::of(&alone, &Sample::default());
        assert_eq!(outcome, Outcome::Unknown(Undecided::Unproved));
        assert_eq!(outcome.met(None), Met::Unknown);
    }

    #[test]
    fn what_is_proved_or_sampled_is_kept() {
        let proved = Conclusion { proofs: proof(), doubts: limit(), ..sampled(7) };
        let only_sampled = Conclusion { doubts: limit(), ..sampled(7) };
        for found in [proved, only_sampled, sampled(1)] {
            let outcome = Outcome::of(&found, &ran());
            assert_eq!(outcome, Outcome::Kept);
            assert_eq!(outcome.met(Some(Expected::Holds)), Met::Yes);
            assert_eq!(outcome.met(Some(Expected::Violated(Flaw::Panicked))), Met::No);
        }
    }

    #[test]
    fn a_search_that_looked_at_nothing_is_never_kept() {
        let vacuous = |looked_at, coverage| Outcome::of(&sampled(looked_at), &coverage);
        assert_eq!(vacuous(0, ran()), Outcome::Vacuous(Vacuity::NoAnswer));
        assert_eq!(vacuous(0, Sample::default()), Outcome::Vacuous(Vacuity::NoRun));
        // Every run of a scope, of which none has anything to judge.
        let proved = Conclusion { proofs: proof(), sampled: false, ..sampled(0) };
        let none = Outcome::of(&proved, &Sample::default());
        assert_eq!(none, Outcome::Vacuous(Vacuity::NoAnswer));
        let dreams = Sample { never_reached: vec!["two leaders"], ..ran() };
        assert_eq!(vacuous(5, dreams), Outcome::Vacuous(Vacuity::NeverHeld("two leaders")));
    }

    #[test]
    fn what_was_cut_short_is_unknown_whatever_was_proved_before() {
        let cut = Sample { cut_short: true, ..ran() };
        for found in [sampled(5), Conclusion { proofs: proof(), ..sampled(5) }] {
            let outcome = Outcome::of(&found, &cut);
            assert_eq!(outcome, Outcome::Unknown(Undecided::CutShort(10)));
        }
    }

    #[test]
    fn the_worst_row_says_how_all_end() {
        let (kept, unknown) =
            (sampled(1), Conclusion { undecided: Some((1, String::new())), ..sampled(1) });
        let (setting, ran) = (Setting::calm(3, crate::world::Network::Fifo), ran());
        let (menu, unreached) = (Menu::register(), Unreached::default());
        let row = |found, expected| Row {
            strategy: "abd",
            setting: &setting,
            expected,
            found,
            menu: &menu,
            sampled: &ran,
            searched: None,
            unreached: &unreached,
            outcome: Outcome::of(found, &ran),
            case: None,
            others: Vec::new(),
        };
        let vacuous = sampled(0);
        let never = Some(Expected::Violated(Flaw::Panicked));
        let all = [row(&kept, None), row(&vacuous, None), row(&unknown, None), row(&kept, never)];
        let ends = [Status::Holds, Status::Nothing, Status::Unknown, Status::Violated];
        assert_eq!(Status::of_rows([]), Status::Nothing);
        for (last, end) in ends.into_iter().enumerate() {
            assert_eq!(Status::of_rows(&all[..=last]), end);
        }
    }

    #[test]
    fn one_property_with_something_to_look_at_is_enough_for_one_run() {
        let vacuous = Outcome::of_run(&Judgement::Holds, 0);
        let unknown = Outcome::of_run(&Judgement::Unknown(String::new()), 1);
        let violated = Outcome::of_run(&Judgement::Violated(Flaw::Panicked, None), 0);
        let mut outcomes = vec![vacuous];
        let ends = [Status::Nothing, Status::Holds, Status::Unknown, Status::Violated];
        for (end, next) in ends.into_iter().zip([Outcome::Kept, unknown, violated, Outcome::Kept]) {
            assert_eq!(Status::of_run(&outcomes), end);
            outcomes.push(next);
        }
    }
}
