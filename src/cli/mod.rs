//! The command line: arguments become a plan, the file of the subcommand carries
//! it out, and an [`Exit`] reports the result.
//!
//! Invariant: only this module uses files, the environment, standard output and
//! a clock. What is searched or judged depends only on values made here.
//!
//! A binary with strategies of your own is three lines:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     quiescence::cli::main(quiescence::catalogue::Registry::standard())
//! }
//! ```
//!
//! Read next: [`Exit`] for the exit codes, `check` for the search.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::catalogue::Registry;
use crate::history::escape;

mod args;
mod assertion;
mod bench;
mod check;
mod clock;
mod completions;
mod convert;
mod counterexample;
mod demo;
mod exit;
mod explain;
mod files;
mod fold;
mod follow;
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
}

#[derive(Subcommand, Debug)]
enum Command {
    Check(args::CheckArgs),
    Bench(bench::BenchArgs),
    Replay(replay::ReplayArgs),
    Report(report::ReportArgs),
    Test(test::TestArgs),
    Demo(demo::DemoArgs),
    Explain(explain::ExplainArgs),
    Verify(args::VerifyArgs),
    Convert(convert::ConvertArgs),
    /// List strategies with their parameters, models and faults
    List,
    Completions(completions::CompletionsArgs),
    /// Write the manual page
    Man,
}

/// Runs the command line of this process with these strategies.
pub fn main(registry: Registry) -> ExitCode {
    run(&registry, std::env::args_os()).into()
}

fn parsed(words: &[OsString]) -> Result<Line, clap::Error> {
    let command = Line::command().bin_name(screen::program());
    Line::from_arg_matches(&command.try_get_matches_from(words)?)
}

/// Runs a command line, whose first word is the program.
pub fn run(registry: &Registry, words: impl IntoIterator<Item = OsString>) -> Exit {
    let words: Vec<OsString> = words.into_iter().collect();
    let line = match parsed(&words) {
        Ok(line) => line,
        Err(error) => {
            // The message quotes the arguments. Parse them again with control
            // characters escaped, so that they cannot steer the terminal.
            let spelt =
                words.iter().map(|word| escape::line(&word.to_string_lossy()).into_owned().into());
            let error = parsed(&spelt.collect::<Vec<OsString>>()).err().unwrap_or(error);
            let exit = if error.use_stderr() { Exit::Malformed } else { Exit::Holds };
            // Help and version are not errors, and neither is a reader that
            // closes its end.
            return match error.print() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => Exit::Malformed,
                _ => exit,
            };
        }
    };
    let screen = Screen::new(&line.look, &words);
    let outcome = interrupts::install().and_then(|()| match &line.command {
        Command::Check(args) => check::run(args, registry, &screen),
        Command::Bench(args) => bench::run(args, &screen),
        Command::Replay(args) => replay::run(args, registry, &screen),
        Command::Report(args) => report::run(args, registry, &screen),
        Command::Test(args) => test::run(args, registry, &screen),
        Command::Demo(args) => demo::run(args, registry, &screen),
        Command::Explain(args) => explain::run(args, registry, &screen),
        Command::Verify(args) => match &args.spill {
            Some(directory) => spill::run(args, directory, &screen),
            None => verify::run(args, &screen),
        },
        Command::Convert(args) => convert::run(args, &screen),
        Command::List => list::run(registry, &screen),
        Command::Completions(args) => completions::run(args, Line::command(), &screen),
        Command::Man => man::run(Line::command(), &screen),
    });
    screen.ended(outcome.unwrap_or_else(|failure| {
        screen.note(&failure.to_string());
        Exit::Malformed
    }))
}
