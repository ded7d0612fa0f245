//! The command line: arguments become a plan, one file a subcommand carries
//! it out, an [`Exit`] says what came of it.
//!
//! Invariant: this is the only place with files, environment, standard output
//! and a clock. Whatever is searched or judged is decided by values made here.
//!
//! A binary with strategies of your own is three lines:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     quiescence::cli::main(quiescence::hunt::Registry::standard())
//! }
//! ```
//!
//! Read next: [`Exit`] for what the process answers, `check` for the search.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::hunt::Registry;

mod check;
mod demo;
mod exit;
mod files;
mod jobs;
mod plan;
mod quiet;
mod replay;
mod screen;
mod story;
mod values;

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
    Check(check::CheckArgs),
    Replay(replay::ReplayArgs),
    Demo(demo::DemoArgs),
}

/// Runs the command line of this process with these strategies.
pub fn main(registry: Registry) -> ExitCode {
    let name = screen::program();
    let parsed = Line::command().bin_name(name).try_get_matches();
    let line = match parsed.and_then(|matches| Line::from_arg_matches(&matches)) {
        Ok(line) => line,
        Err(error) => {
            // Help and version are answers, and nobody listening is no error.
            let _ = error.print();
            return if error.use_stderr() { Exit::Malformed } else { Exit::Holds }.into();
        }
    };
    let screen = Screen::new(&line.look);
    let outcome = match &line.command {
        Command::Check(args) => check::run(args, &registry, &screen),
        Command::Replay(args) => replay::run(args, &registry, &screen),
        Command::Demo(args) => demo::run(args, &registry, &screen, &line.look),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("{failure}");
            Exit::Malformed.into()
        }
    }
}
