//! `report`: a page about a case or a recording, for a browser.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Command, FromArgMatches, ValueHint};

use crate::catalogue::Registry;
use crate::report::page::index::{self, Entry};
use crate::report::page::{GENERATOR, case, recording};

use super::args::VerifyArgs;
use super::clock;
use super::exit::{Exit, Failure};
use super::progress::{Phase, Progress};
use super::replay::done;
use super::screen::Screen;
use super::{counterexample, files, input, interrupts, verify};

/// Write a page about a case, a recording or a directory of cases: one HTML file
///
/// A case is replayed first. Its page shows why the run fails, the run as a picture, the
/// replicas at each step, and which models hold. A recording is judged as `verify` does; its
/// page shows the verdicts, what happened, every operation in real time, and plots. The page of
/// a directory lists its cases. No page loads anything from elsewhere. The exit code says
/// whether the page was written, not what it tells.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// A case file, a recorded history as for `verify`, or a directory of case files
    #[arg(value_name = "CASE|RECORDING|DIR", value_hint = ValueHint::AnyPath)]
    subject: String,
    /// Where to write the page; `-` is standard output [default: the name of the file with
    /// .html, in the current directory]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Options of `verify`, for a recording
    #[arg(last = true, value_name = "OPTION OF VERIFY")]
    options: Vec<OsString>,
}

/// Runs the subcommand.
pub fn run(args: &ReportArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let path = Path::new(&args.subject);
    let place = place(args);
    if files::is_same(path, &place) {
        return Err(Failure::new(format!("{} is what the page is about", place.display()))
            .remedy("choose another place with --output"));
    }
    if args.output.is_none() && place.exists() && !is_page(&place) {
        return Err(Failure::new(format!("{} is there, and is no page of ours", place.display()))
            .remedy("say with --output where the page goes, or that it replaces this file"));
    }
    let is_directory = path.is_dir();
    let page = match is_directory || is_case(path) {
        true if !args.options.is_empty() => {
            return Err(Failure::new("only recordings are judged with options of `verify`")
                .remedy("leave out what stands after --"));
        }
        true if is_directory => of_directory(path, registry, screen)?,
        true => of_case(path, registry, screen)?,
        false => of_recording(args, screen)?,
    };
    save(&page, &place, screen)
}

/// Whether a file begins as case files do. What cannot be opened is for others to complain of.
fn is_case(path: &Path) -> bool {
    says_early(path, "\"quiescence-case/")
}

/// Whether a file is a page that was written here.
pub fn is_page(path: &Path) -> bool {
    says_early(path, GENERATOR)
}

/// Whether a regular file has this text near its beginning.
fn says_early(path: &Path, text: &str) -> bool {
    const START: u64 = 4_096;
    let is_regular = std::fs::metadata(path).is_ok_and(|about| about.is_file());
    let mut start = Vec::new();
    let read = |file: File| file.take(START).read_to_end(&mut start);
    is_regular
        && File::open(path).and_then(read).is_ok()
        && String::from_utf8_lossy(&start).contains(text)
}

fn of_case(path: &Path, registry: &Registry, screen: &Screen) -> Result<String, Failure> {
    let done = done(path, registry)?.with_others(registry);
    let command = format!("{} replay {}", screen.program, path.display());
    let told = case::Told { text: &done.text, command: &command };
    Ok(case::page(&done.told(registry, None, ""), &told))
}

/// The index of the JSON files in a directory, newest first; of those that are equally new,
/// by name.
fn of_directory(path: &Path, registry: &Registry, screen: &Screen) -> Result<String, Failure> {
    let fault =
        |error: std::io::Error| Failure::new(format!("{} cannot be read: {error}", path.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let file = entry.path();
        if file.extension().is_some_and(|it| it == "json") && file.is_file() {
            found.push((Reverse(entry.metadata().and_then(|it| it.modified()).ok()), file));
        }
    }
    if found.is_empty() {
        return Err(Failure::new(format!("{} has no case files", path.display()))
            .remedy("`check STRATEGY` saves violations in cases/"));
    }
    found.sort();
    let entry = |(_, file): (_, PathBuf)| Entry {
        name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        command: format!("{} report {}", screen.program, file.display()),
        case: match files::read(&file) {
            Ok((case, _)) => Ok((registry.short(&case.strategy), case)),
            Err(failure) => Err(failure.to_string()),
        },
    };
    let entries: Vec<_> = found.into_iter().map(entry).collect();
    Ok(index::page(&path.display().to_string(), &entries))
}

fn of_recording(args: &ReportArgs, screen: &Screen) -> Result<String, Failure> {
    let options = verify_args(args)?;
    let name = &args.subject;
    let began = clock::now();
    let progress = Progress::new(screen.progress);
    let reading = options.read.holding(options.initial.as_ref());
    let read = input::read_telling(name, &reading, options.memory, &|bytes, of| {
        progress.tell(|| verify::now(name, Phase::Reading(bytes, of), began.elapsed()));
    })?;
    let reading = began.elapsed();
    interrupts::heed();
    interrupts::until(options.time);
    let mut page = String::new();
    let mut tell = |judged: &crate::report::survey::Judged<'_>| {
        page = recording::page(judged);
        String::new()
    };
    verify::judge(&options, screen, &mut tell, name, (&read, reading), &progress)?;
    Ok(page)
}

/// The options as `verify` reads them.
fn verify_args(args: &ReportArgs) -> Result<VerifyArgs, Failure> {
    let command = VerifyArgs::augment_args(Command::new("verify"));
    let words = [OsString::from("verify")].into_iter().chain(args.options.iter().cloned());
    let words = words.chain([OsString::from("--"), OsString::from(&args.subject)]);
    let read = command.try_get_matches_from(words).and_then(|it| VerifyArgs::from_arg_matches(&it));
    let options = read.map_err(|error| {
        let told = error.to_string();
        let first = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Failure::new(first)
            .remedy("after -- stand options of `verify`, and `verify --help` shows them")
    })?;
    if options.histories.len() > 1 {
        return Err(Failure::new("a page is about one recording")
            .remedy("leave out what stands after -- and is no option"));
    }
    if options.follow || options.spill.is_some() {
        return Err(Failure::new("a page is about a recording that is complete and in memory")
            .remedy("leave out --follow and --spill"));
    }
    counterexample::keeps(&options, &args.subject)?;
    Ok(options)
}

/// Where the page goes.
fn place(args: &ReportArgs) -> PathBuf {
    args.output.clone().unwrap_or_else(|| {
        let stem = Path::new(&args.subject).file_stem().unwrap_or("history".as_ref());
        Path::new(if stem == "-" { "history".as_ref() } else { stem }).with_added_extension("html")
    })
}

fn save(page: &str, path: &Path, screen: &Screen) -> Result<Exit, Failure> {
    if path.as_os_str() == "-" {
        screen.print(page);
        return Ok(Exit::Holds);
    }
    let write = |file: &mut dyn std::io::Write| file.write_all(page.as_bytes());
    match files::write(path, interrupts::heed, write) {
        Ok(()) => {
            screen.line(&format!("wrote {}", path.display()));
            Ok(Exit::Holds)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Holds),
        Err(error) => Err(Failure::new(format!("{} cannot be written: {error}", path.display()))
            .remedy("choose another place with --output")),
    }
}
