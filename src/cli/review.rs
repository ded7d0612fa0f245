//! `review`: walks new cases, and keeps them as regression tests or drops them.

use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};

use crate::catalogue::Registry;
use crate::history::escape;
use crate::history::nearest::{nearest, suggestion};
use crate::hunt::case::Expectation;
use crate::hunt::case::replay::Fidelity;
use crate::hunt::property::Judgement;
use crate::report::verdict::title;

use super::exit::{Exit, Failure};
use super::files::{self, DIRECTORY};
use super::replay::{Done, done};
use super::screen::Screen;
use super::test::{self, EXPECT, Found};
use super::values::Format;

/// Walk new cases: keep each as a regression test, drop it, or leave it
///
/// On a terminal every case is shown as `replay` shows it, and then you are asked what to do with
/// it. Elsewhere the cases are listed, and nothing is done but what --keep, --drop and --all say.
/// A case that is kept is moved to tests/cases, where `test` finds it, with a file NAME.expect
/// that says what its replay gives now. One that is there already is never replaced.
#[derive(Args, Debug)]
pub struct ReviewArgs {
    /// The cases: a directory, with all below it, or a file [default: cases]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    path: Option<PathBuf>,
    /// Keep the case of this name (can be given several times)
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Drop the case of this name: its file is deleted (can be given several times)
    #[arg(long, value_name = "NAME")]
    drop: Vec<String>,
    /// What becomes of every other case
    #[arg(long = "all", value_enum, value_name = "WHAT")]
    every: Option<Becomes>,
    /// Where cases are kept
    #[arg(long, value_name = "DIR", default_value = "tests/cases", value_hint = ValueHint::DirPath)]
    into: PathBuf,
}

/// What becomes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Becomes {
    /// A regression test
    Keep,
    /// Nothing: it is deleted
    Drop,
    /// It stays where it is
    Skip,
}

/// Runs the subcommand.
pub fn run(args: &ReviewArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let mut found = Found::default();
    match &args.path {
        Some(path) => found.add(path)?,
        None if Path::new(DIRECTORY).exists() => found.add(Path::new(DIRECTORY))?,
        None => {}
    }
    args.are_there(&found.cases)?;
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let (mut exit, mut kept, mut dropped) = (Exit::Holds, 0, 0);
    for path in &found.cases {
        let done = match done(path, registry) {
            Ok(done) => done,
            Err(failure) => {
                screen.note(&failure.to_string());
                exit = Exit::Malformed;
                continue;
            }
        };
        let said = args.said_of(path);
        let asks = said.is_none() && terminal;
        if asks {
            screen.tell(&picture(&done, registry, screen));
        }
        screen.line(&line(path, &done));
        let becomes = match asks {
            true => asked(screen, &mut io::stdin().lock()),
            false => said.or(Some(Becomes::Skip)),
        };
        match becomes {
            Some(Becomes::Keep) => {
                screen.line(&format!("      {}", keep(path, &done, &args.into)?));
                kept += 1;
            }
            Some(Becomes::Drop) => {
                remove(path)?;
                screen.line("      dropped");
                dropped += 1;
            }
            Some(Becomes::Skip) => {}
            None => break,
        }
    }
    let left = found.cases.len() - kept - dropped;
    screen.line(&format!("{kept} kept, {dropped} dropped, {left} left to review"));
    Ok(exit)
}

impl ReviewArgs {
    /// What the options say of a case.
    fn said_of(&self, path: &Path) -> Option<Becomes> {
        let names = |all: &[String]| all.iter().any(|it| is_called(path, it));
        match (names(&self.keep), names(&self.drop)) {
            (true, _) => Some(Becomes::Keep),
            (false, true) => Some(Becomes::Drop),
            (false, false) => self.every,
        }
    }

    /// Refuses names of which there is no case, and those that are to be kept and dropped.
    fn are_there(&self, cases: &[PathBuf]) -> Result<(), Failure> {
        let stems: Vec<_> = cases.iter().map(|path| stem(path)).collect();
        for name in self.keep.iter().chain(&self.drop) {
            let shown = escape::short(name);
            if !cases.iter().any(|path| is_called(path, name)) {
                let near = nearest(name, stems.iter().map(String::as_str));
                let remedy = suggestion(near, "`review` without options lists the cases");
                let what = format!("there is no case `{shown}` to review");
                return Err(Failure::new(what).remedy(remedy));
            }
        }
        let both = |path: &&PathBuf| {
            let names = |all: &[String]| all.iter().any(|it| is_called(path, it));
            names(&self.keep) && names(&self.drop)
        };
        match cases.iter().find(both) {
            Some(path) => {
                let what = format!("`{}` is to be kept and to be dropped", stem(path));
                Err(Failure::new(what).remedy("name it once"))
            }
            None => Ok(()),
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a word names this case: by its path, or by its name with or without an ending.
fn is_called(path: &Path, word: &str) -> bool {
    path == Path::new(word) || path.file_name().is_some_and(|it| it == word) || stem(path) == word
}

/// The case as `replay` shows it.
fn picture(done: &Done, registry: &Registry, screen: &Screen) -> String {
    let reason = Exit::Holds.reason();
    let told = done.told(registry, None, &reason);
    Format::Human.reporter(screen.look).replay(&told)
}

/// A case and what its replay gives, on one line.
fn line(path: &Path, done: &Done) -> String {
    let (case, replay) = (&done.case, &done.replay);
    let same = !matches!(replay.fidelity, Fidelity::Differs(_));
    let now = match (&replay.judgement, case.recorded()) {
        (Judgement::Violated(..), Expectation::Violated) if same => "violated",
        (Judgement::Violated(..), _) => "violated, but not as it was recorded",
        (Judgement::Holds, Expectation::Holds) => "holds",
        (Judgement::Holds, Expectation::Violated) => "no longer reproduces: it holds now",
        (Judgement::Unknown(_), _) => "undecided",
    };
    let title = title(&case.property, &replay.judgement);
    format!("{}  {} {title}: {now}", path.display(), done.strategy)
}

/// Asks until there is an answer; nothing is the wish to stop.
fn asked(screen: &Screen, input: &mut impl BufRead) -> Option<Becomes> {
    loop {
        screen.print("keep as a regression test, drop, skip or quit? [k/d/s/q] ");
        let mut line = String::new();
        if input.read_line(&mut line).is_err() || line.is_empty() {
            screen.print("\n");
            return None;
        }
        match line.trim() {
            "k" | "keep" => return Some(Becomes::Keep),
            "d" | "drop" => return Some(Becomes::Drop),
            "s" | "skip" => return Some(Becomes::Skip),
            "q" | "quit" => return None,
            _ => {}
        }
    }
}

/// Moves a case to those that are kept: it is complete there before it is removed here.
fn keep(path: &Path, done: &Done, into: &Path) -> Result<String, Failure> {
    let fault = |error: io::Error| {
        let shown = path.display();
        Failure::new(format!("{shown} cannot be kept in {}: {error}", into.display()))
            .remedy("the case is where it was; make room, or name another place with --into")
    };
    let now = match done.replay.judgement {
        Judgement::Holds => Expectation::Holds,
        Judgement::Violated(..) => Expectation::Violated,
        Judgement::Unknown(_) => done.case.recorded(),
    };
    let expected = test::said(path)?.unwrap_or(now);
    let there = files::numbered(into, &stem(path), &done.text).map_err(fault)?;
    if there.canonicalize().map_err(fault)? == path.canonicalize().map_err(fault)? {
        return Ok(format!("is kept already, in {}", into.display()));
    }
    // What is said there of the same case stays said.
    files::create(&there.with_extension(EXPECT), &format!("{expected}\n")).map_err(fault)?;
    let expected = test::said(&there)?.unwrap_or(expected);
    remove(path)?;
    Ok(format!("kept as {}, expected: {expected}", there.display()))
}

/// Deletes a case, and what is said of it.
fn remove(path: &Path) -> Result<(), Failure> {
    let fault = |error: io::Error| {
        Failure::new(format!("{} cannot be deleted: {error}", path.display()))
            .remedy("change the permissions of its directory")
    };
    fs::remove_file(path).map_err(fault)?;
    match fs::remove_file(path.with_extension(EXPECT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(error)),
        _ => Ok(()),
    }
}
