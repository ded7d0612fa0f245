//! The command line: arguments become a plan, the file of the subcommand carries
//! it out, and an [`Exit`] reports the result.
//!
//! Invariant: only this module uses files, the environment, standard output and
//! a clock. What is searched or judged depends only on values made here.
//!
//! A binary with strategies of your own is three lines. It speaks of itself: by the name of
//! its file, with its version, and with examples of its strategies.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     let all = quiescence::catalogue::Registry::standard();
//!     quiescence::cli::main(all.versioned(env!("CARGO_PKG_VERSION")))
//! }
//! ```
//!
//! Read next: [`Exit`] for the exit codes, `check` for the search.

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::catalogue::Registry;
use crate::history::escape;

mod args;
mod assertion;
mod bench;
mod check;
mod clock;
mod completions;
mod config;
mod convert;
mod counterexample;
mod demo;
mod exit;
mod explain;
mod files;
mod fold;
mod follow;
mod help;
mod init;
mod input;
mod interrupts;
mod jobs;
mod kept;
mod list;
mod man;
mod plan;
mod progress;
mod quiet;
mod reading;
mod replay;
mod report;
mod review;
mod screen;
mod spill;
mod test;
mod values;
mod verify;

pub use assertion::assert_holds;
pub use exit::{Exit, Failure};

use screen::{LookArgs, Screen};

/// Find a failing history of replicated data, shrink it, save it, replay it.
#[derive(Parser, Debug)]
#[command(version, arg_required_else_help = true, after_help = exit::TABLE)]
struct Line {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    config: config::ConfigArgs,
}

#[derive(Subcommand, Debug)]
enum Command {
    Check(args::CheckArgs),
    Bench(bench::BenchArgs),
    Replay(replay::ReplayArgs),
    Report(report::ReportArgs),
    Test(test::TestArgs),
    Review(review::ReviewArgs),
    Demo(demo::DemoArgs),
    Explain(explain::ExplainArgs),
    Verify(args::VerifyArgs),
    Convert(convert::ConvertArgs),
    List(list::ListArgs),
    Init(init::InitArgs),
    Completions(completions::CompletionsArgs),
    /// Write the manual page
    Man,
}

/// Runs the command line of this process with these strategies.
pub fn main(registry: Registry) -> ExitCode {
    run(&registry, std::env::args_os()).into()
}

/// The command line of the program of this name, which speaks of these strategies.
fn command(registry: &Registry, program: &str) -> clap::Command {
    let ours = env!("CARGO_PKG_VERSION");
    let version = match registry.version() {
        Some(version) => format!("{version} (quiescence {ours})"),
        None if program == screen::OURS => ours.to_owned(),
        None => format!("(quiescence {ours})"),
    };
    let all = Line::command().name(program.to_owned()).bin_name(program).version(version);
    let (has_ladder, usual) = (help::has_ladder(registry), demo::usual(registry));
    help::grouped(all).mut_subcommands(|one| {
        let name = one.get_name().to_owned();
        let one = help::grouped(help::told(one, registry, program));
        one.mut_args(|option| match (&name[..], option.get_id().as_str(), &usual) {
            ("check", "ladder", _) => option.hide(!has_ladder),
            ("demo", "strategy", Some(usual)) => option.required(false).default_value(usual),
            _ => option,
        })
    })
}

fn parsed(registry: &Registry, words: &[OsString]) -> Result<(Line, ArgMatches), clap::Error> {
    let command = command(registry, &screen::program(words));
    let matches = command.try_get_matches_from(words)?;
    Ok((Line::from_arg_matches(&matches)?, matches))
}

/// Runs a command line, whose first word is the program.
pub fn run(registry: &Registry, words: impl IntoIterator<Item = OsString>) -> Exit {
    let words: Vec<OsString> = words.into_iter().collect();
    let (line, given) = match parsed(registry, &words) {
        Ok(parsed) => parsed,
        Err(error) => return complained(registry, &words, error),
    };
    let all = command(registry, &screen::program(&words));
    let (words, settings) = match config::completed(&line.config, &all, &given, &words) {
        Ok(completed) => completed,
        Err(failure) => {
            let screen = Screen::new(&line.look, &words);
            screen.note(&failure.to_string());
            return screen.ended(Exit::Malformed);
        }
    };
    match parsed(registry, &words) {
        Ok((line, _)) => {
            let screen = Screen::new(&line.look, &words);
            // For whoever waits; what is repeated by the command that is printed is no result.
            let is_seen = std::io::stderr().is_terminal();
            if let Some(settings) = settings.filter(|_| is_seen) {
                screen.note(&settings);
            }
            carried_out(&line, registry, &screen)
        }
        Err(error) => complained(registry, &words, error),
    }
}

/// Says what is wrong with a command line, or shows the help that it asks for.
fn complained(registry: &Registry, words: &[OsString], error: clap::Error) -> Exit {
    // The message quotes the arguments. Parse them again with control characters escaped, so
    // that they cannot steer the terminal.
    let spelt = words.iter().map(|word| escape::line(&word.to_string_lossy()).into_owned().into());
    let error = parsed(registry, &spelt.collect::<Vec<OsString>>()).err().unwrap_or(error);
    let exit = if error.use_stderr() { Exit::Malformed } else { Exit::Holds };
    // Help and version are not errors, and neither is a reader that closes its end.
    match error.print() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Exit::Malformed,
        _ => exit,
    }
}

fn carried_out(line: &Line, registry: &Registry, screen: &Screen) -> Exit {
    let outcome = interrupts::install().and_then(|()| match &line.command {
        Command::Check(args) => check::run(args, registry, screen),
        Command::Bench(args) => bench::run(args, screen),
        Command::Replay(args) => replay::run(args, registry, screen),
        Command::Report(args) => report::run(args, registry, screen),
        Command::Test(args) => test::run(args, registry, screen),
        Command::Review(args) => review::run(args, registry, screen),
        Command::Demo(args) => demo::run(args, registry, screen),
        Command::Explain(args) => explain::run(args, registry, screen),
        Command::Verify(args) => match &args.spill {
            Some(directory) => spill::run(args, directory, screen),
            None => verify::run(args, screen),
        },
        Command::Convert(args) => convert::run(args, screen),
        Command::List(args) => list::run(args, registry, screen),
        Command::Init(args) => init::run(args, registry, screen),
        Command::Completions(args) => {
            completions::run(args, command(registry, &screen.program), registry, screen)
        }
        Command::Man => man::run(command(registry, &screen.program), screen),
    });
    screen.ended(outcome.unwrap_or_else(|failure| {
        screen.note(&failure.to_string());
        Exit::Malformed
    }))
}
