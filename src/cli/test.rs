//! `test`: replays committed cases as a regression suite.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use clap::Args;

use crate::catalogue::Registry;
use crate::history::escape;
use crate::hunt::case::Expectation;
use crate::hunt::outcome::Status;
use crate::report::reporter::{Suite, Tested, Unread};

use super::exit::{Exit, Failure};
use super::interrupts;
use super::jobs;
use super::replay::{Done, done};
use super::screen::Screen;
use super::values::{self, Format};

/// Replay committed cases as a regression suite
///
/// Replays every case file, those in directories too. A case is as expected if its
/// property is still violated, or still holds, as the case records it, and the replay is the
/// same in every step. Once a bug is repaired, a file NAME.expect beside NAME.json says
/// `holds`: then only the verdict counts, because a repair may change every step.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit: 2 if a file is malformed, else 1 if a case is not as expected, else 3 if one is
undecided, else 5 if a replay differs in other ways; 4 if there is no case."
)]
pub struct TestArgs {
    /// Case files, and directories of them [default: cases and tests/cases, if they exist]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How many cases are replayed at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = values::size)]
    jobs: Option<usize>,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Where cases are looked for if nobody says where.
const USUAL: [&str; 2] = ["cases", "tests/cases"];

/// How the name of a file ends that says what is expected of the case beside it.
pub const EXPECT: &str = "expect";

/// How much of such a file is read, in bytes. What is longer is not one word.
const WORD_MAX: u64 = 1024;

/// Runs the subcommand.
pub fn run(args: &TestArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let mut malformed = Vec::new();
    let mut found = Found::default();
    let paths = match args.paths.is_empty() {
        true => places(),
        false => args.paths.clone(),
    };
    for path in &paths {
        found.add(path)?;
    }
    malformed.extend(found.orphans());
    interrupts::heed();
    let cores = || available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or_else(cores);
    let all = jobs::in_order(found.cases.len(), jobs, |at| {
        let path = &found.cases[at];
        (!interrupts::noted()).then(|| replayed(path, registry))
    });
    let mut tests = Vec::new();
    for (path, one) in found.cases.iter().zip(all) {
        match one {
            Some(Ok(one)) => tests.push(one),
            Some(Err(failure)) => malformed.push((path.clone(), failure)),
            None => {}
        }
    }
    let malformed: Vec<_> = malformed
        .into_iter()
        .map(|(path, failure)| (path.display().to_string(), failure.to_string()))
        .collect();
    malformed.iter().for_each(|(_, why)| screen.note(why));
    let unread: Vec<_> = malformed.iter().map(|(name, why)| Unread { name, why }).collect();
    let exit = match malformed.is_empty() {
        _ if interrupts::noted() => Exit::Interrupted,
        true => Status::worst(tests.iter().map(|(_, _, status)| *status)).into(),
        false => Exit::Malformed,
    };
    let reason = exit.reason();
    let told = tests.iter().map(|(done, expected, status)| Tested {
        replayed: done.told(registry, None, &reason),
        expected: *expected,
        status: *status,
    });
    let suite = Suite { tests: &told.collect::<Vec<_>>(), unread: &unread, exit: &reason };
    screen.result(args.format, &args.format.reporter(screen.look).suite(&suite));
    Ok(exit)
}

/// The places where cases are looked for if nobody says where, those that exist.
fn places() -> Vec<PathBuf> {
    USUAL.into_iter().map(PathBuf::from).filter(|path| path.exists()).collect()
}

/// The files in these places that should be cases; those that can be found.
pub fn usual() -> Vec<PathBuf> {
    let mut found = Found::default();
    for place in places() {
        // What cannot be listed has no cases for those who only look.
        let _ = found.add(&place);
    }
    found.cases
}

/// Replays a case: what happened, what was expected, and how the two compare.
fn replayed(path: &Path, registry: &Registry) -> Result<(Done, Expectation, Status), Failure> {
    let done = done(path, registry)?;
    let expected = match said(path)? {
        Some(expected) => expected,
        None => done.case.recorded(),
    };
    let status = Status::of_test(&done.replay, done.case.recorded(), expected);
    Ok((done, expected, status))
}

/// What the file beside a case says, if there is one.
pub fn said(case: &Path) -> Result<Option<Expectation>, Failure> {
    let path = case.with_extension(EXPECT);
    // What cannot be looked at is complained of when it is opened.
    if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let shown = path.display();
    if fs::metadata(&path).is_ok_and(|about| !about.is_file()) {
        return Err(Failure::new(format!("{shown} is no file"))
            .remedy("write `violated` or `holds` to a file of this name, or remove it"));
    }
    let fault = |error: std::io::Error| {
        Failure::new(format!("{shown} cannot be read: {error}")).remedy("change its permissions")
    };
    let mut text = Vec::new();
    let file = File::open(&path).map_err(fault)?;
    file.take(WORD_MAX).read_to_end(&mut text).map_err(fault)?;
    let text = String::from_utf8_lossy(&text);
    text.trim().parse().map(Some).map_err(|_| {
        let word = escape::short(text.trim());
        Failure::new(format!("{shown}:1:1: `{word}` is no verdict"))
            .remedy("write `violated` or `holds` and nothing else")
    })
}

/// The files that were found, sorted.
#[derive(Default)]
pub struct Found {
    /// Case files.
    pub cases: Vec<PathBuf>,
    expectations: BTreeSet<PathBuf>,
}

impl Found {
    /// Adds a file, or all in a directory and those below it. Files that are named come in
    /// the order in which they are; those in a directory are sorted by name. Links to
    /// directories are not followed, because they may lead back.
    pub fn add(&mut self, path: &Path) -> Result<(), Failure> {
        if !path.is_dir() {
            self.cases.push(path.to_owned());
            return Ok(());
        }
        let fault = |error: std::io::Error| {
            Failure::new(format!("{} cannot be listed: {error}", path.display()))
                .remedy("name a directory that you can read")
        };
        let entries: Result<Vec<_>, _> = fs::read_dir(path).map_err(fault)?.collect();
        let mut entries = entries.map_err(fault)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (kind, below) = (entry.file_type().map_err(fault)?, entry.path());
            let ends = |ending: &str| below.extension().is_some_and(|it| it == ending);
            if kind.is_dir() {
                self.add(&below)?;
            } else if ends("json") && !below.is_dir() {
                self.cases.push(below);
            } else if ends(EXPECT) {
                self.expectations.insert(below);
            }
        }
        Ok(())
    }

    /// The files that say what is expected of a case that is not there, each an error.
    fn orphans(&self) -> Vec<(PathBuf, Failure)> {
        let alone = self.expectations.iter().filter(|path| !path.with_extension("json").is_file());
        let orphan = |path: &PathBuf| {
            let (shown, case) = (path.display(), path.with_extension("json"));
            let failure =
                Failure::new(format!("{shown}: there is no case {} beside it", case.display()));
            (path.clone(), failure.remedy("remove the file, or name it as its case is named"))
        };
        alone.map(orphan).collect()
    }
}
