//! `check`: search for a failing history.

use std::time::Instant;

use crate::catalogue::Registry;
use crate::catalogue::ladder::{Rung, ladder};
use crate::hunt::both::{Finding, How};
use crate::hunt::case::{Case, FoundBy, SearchName, replay};
use crate::hunt::exam::{self, Paper};
use crate::hunt::outcome::{self, Row, Saved, Status};
use crate::report::reporter::{Begin, Begun, Checked, Examined, Searched};

use super::args::CheckArgs;
use super::clock;
use super::exit::{Exit, Failure};
use super::files;
use super::interrupts;
use super::jobs::{self, Done, Limits};
use super::kept::kept;
use super::plan::{self, Search};
use super::progress;
use super::quiet::quietly;
use super::screen::Screen;

/// The seed when every promise is checked, and in tests. It is always the same, so that a
/// build never fails by chance.
pub const PROMISE_SEED: u64 = 0x5eed_91c4;

/// What is asked of a check.
pub struct Asked<'a> {
    /// The options.
    pub args: &'a CheckArgs,
    /// What is known of the strategies.
    pub registry: &'a Registry,
    /// The command, in a form that can be copied.
    pub command: &'a str,
    /// The name of the program in commands to copy.
    pub program: &'a str,
}

/// Runs the subcommand.
pub fn run(args: &CheckArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    if args.mutants {
        return exam(args, registry, screen, args.seed.unwrap_or(PROMISE_SEED));
    }
    let seed = args.seed.unwrap_or_else(|| if args.bare() { PROMISE_SEED } else { any_seed() });
    let asked = Asked { args, registry, command: &screen.command, program: &screen.program };
    let searches = asked.plan(seed)?;
    interrupts::heed();
    begin(args, screen, seed, &searches, None);
    let tell = |checked: &Checked<'_>| {
        screen.result(args.format, &args.format.reporter(screen.look).check(checked));
    };
    let (exit, (), unsaved) = asked.search(seed, &searches, screen.progress, tell);
    // A case that could not be saved does not change the result.
    unsaved.iter().for_each(|failure| screen.note(&failure.as_warning()));
    Ok(exit)
}

/// Runs all searches within the limits that were given.
fn search_all(
    args: &CheckArgs,
    how: progress::How,
    searches: &[Search],
    began: Instant,
) -> Vec<Done> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let elapsed = || began.elapsed();
    let limits = Limits {
        time: args.time,
        jobs: args.jobs.unwrap_or_else(cores),
        clock: &elapsed,
        progress: how,
    };
    jobs::search_all(searches, limits)
}

/// Examines the tool: every mutant is hunted, and so is every strategy without a bug.
fn exam(
    args: &CheckArgs,
    registry: &Registry,
    screen: &Screen,
    seed: u64,
) -> Result<Exit, Failure> {
    let plan::Exam { searches, mutants } = plan::exam(args, registry, seed)?;
    interrupts::heed();
    begin(args, screen, seed, &searches, Some(mutants.len()));
    let began = clock::now();
    let done = search_all(args, screen.progress, &searches, began);
    let mut papers = Vec::new();
    for (mutant, hunts) in mutants {
        let time = hunts.iter().map(|at| done[*at].time).sum();
        let [searched, sampled, kept, repaired] = hunts.map(|at| &done[at].hunt);
        papers.push((Paper { mutant, searched, sampled, kept, repaired }, time));
    }
    let interrupted = interrupts::noted();
    let all: Vec<_> = papers.iter().map(|(paper, _)| paper.clone()).collect();
    let exit = if interrupted { Exit::Interrupted } else { exam::status(&all).into() };
    let examined = Examined {
        seed,
        papers: &papers,
        kept: &kept(args.format, registry, &screen.program),
        time: began.elapsed(),
        again: &screen.command,
        interrupted,
        exit: &exit.reason(),
    };
    screen.result(args.format, &args.format.reporter(screen.look).exam(&examined));
    Ok(exit)
}

/// A seed of 32 bits: short seeds are easier to copy, and there are enough of
/// them.
fn any_seed() -> u64 {
    clock::chance() & 0xffff_ffff
}

/// Prints the seed, before anything is searched.
fn begin(
    args: &CheckArgs,
    screen: &Screen,
    seed: u64,
    searches: &[Search],
    mutants: Option<usize>,
) {
    let setting = match searches {
        [search] if !args.bare() && !args.mutants => Some(&search.setting),
        _ => None,
    };
    let settings = searches.len();
    let begun = Begun { seed, searches: args.searches(), setting, settings, mutants };
    let reporter = args.format.reporter(screen.look);
    let rungs = args.ladder.then(|| reporter.ladder(&ladder()));
    for said in [reporter.begin(&begun)].into_iter().chain(rungs) {
        match said {
            Begin::Output(text) => screen.result(args.format, &text),
            Begin::Note(text) => screen.note(&text),
        }
    }
}

impl Asked<'_> {
    /// The searches that answer it, with this seed of random runs.
    pub fn plan(&self, seed: u64) -> Result<Vec<Search>, Failure> {
        let Asked { args, registry, .. } = *self;
        if args.ladder {
            let promises: Vec<_> = ladder().iter().flat_map(Rung::promises).collect();
            plan::promised(args, registry, promises.iter(), seed)
        } else if args.bare() {
            plan::promised(args, registry, registry.promises(), seed)
        } else {
            plan::named(args, registry, seed)
        }
    }

    /// Searches, saves violations that no promise expects, and hands to `tell` what was
    /// found. How it ends, what `tell` says, and why cases could not be saved.
    pub fn search<T>(
        &self,
        seed: u64,
        searches: &[Search],
        how: progress::How,
        tell: impl FnOnce(&Checked<'_>) -> T,
    ) -> (Exit, T, Vec<Failure>) {
        let began = clock::now();
        let done = search_all(self.args, how, searches, began);
        quietly(|| self.tell(seed, (searches, &done), began, tell))
    }

    fn tell<T>(
        &self,
        seed: u64,
        (searches, done): (&[Search], &[Done]),
        began: Instant,
        tell: impl FnOnce(&Checked<'_>) -> T,
    ) -> (Exit, T, Vec<Failure>) {
        let Asked { args, registry, command, program } = *self;
        let mut unsaved = Vec::new();
        let found = searches.iter().zip(done).map(|(search, done)| {
            let place = (search.short.as_str(), &search.setting);
            let mut rows = Row::all(place, &search.expected, &done.hunt);
            for row in &mut rows {
                let mut kept = |found| {
                    let saved = save(search, found, row.news().is_some(), seed);
                    saved.map_err(|failure| unsaved.push(failure)).ok().flatten()
                };
                let case = row.found.finding.as_deref().and_then(&mut kept);
                let others = row.others().map(|(found, _)| kept(found)).collect();
                (row.case, row.others) = (case, others);
            }
            let failures = outcome::Failure::all(&*search.subject, &rows);
            Searched { rows, failures, time: done.time }
        });
        let found: Vec<_> = found.collect();
        let again = match args.seed {
            Some(_) => command.to_owned(),
            None => format!("{command} --seed {seed:#x}"),
        };
        let interrupted = interrupts::noted();
        let status = Status::of_rows(found.iter().flat_map(|searched| &searched.rows));
        let exit = if interrupted { Exit::Interrupted } else { status.into() };
        let checked = Checked {
            seed,
            searches: &found,
            registry,
            kept: &kept(args.format, registry, self.program),
            promises: args.bare(),
            time: began.elapsed(),
            again: &again,
            program,
            interrupted,
            exit: &exit.reason(),
        };
        let told = tell(&checked);
        unsaved.dedup();
        (exit, told, unsaved)
    }
}

/// Checks that a finding replays. Saves it if it is news.
fn save(
    search: &Search,
    finding: &Finding,
    is_news: bool,
    seed: u64,
) -> Result<Option<Saved>, Failure> {
    let subject = &*search.subject;
    let of = |found| Case::of(subject, &finding.failing, finding.is_minimal(), found);
    let case = match &finding.how {
        How::Random { run, first } => {
            let (search, seed, run) = (Some(SearchName::Random), Some(seed), Some(*run));
            of(FoundBy { search, seed, run, shrunk_from: None }).shrunk_from(subject, first)
        }
        How::Exhaustive { .. } => {
            of(FoundBy { search: Some(SearchName::Exhaustive), ..FoundBy::default() })
        }
    };
    let replayed = replay::replay(&case, subject, search.datatype);
    let fidelity = replayed.as_ref().map(|replayed| &replayed.fidelity);
    assert_eq!(fidelity, Ok(&replay::Fidelity::Reproduced), "what was found must replay");
    let line = replayed.map_or(1, |replayed| replayed.line(&case, &case.to_text()));
    let saved = |path| Saved { path, line };
    is_news.then(|| files::save(&case, &search.short).map(saved)).transpose()
}
