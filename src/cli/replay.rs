//! `replay`: executes a case again and compares it with the file.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::catalogue::Registry;
use crate::hunt::case::Case;
use crate::hunt::case::read::{place_of_datatype, place_of_step, place_of_strategy};
use crate::hunt::case::replay::{Replay, replay};
use crate::hunt::landmarks::Landmarks;
use crate::hunt::outcome::Status;
use crate::report::reporter::Replayed;
use crate::report::states;

use super::exit::{Exit, Failure};
use super::explain::UNREGISTERED;
use super::files;
use super::quiet::quietly;
use super::screen::Screen;
use super::values::Format;

/// Execute a case again and compare every step with the recorded one
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The case file
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// Show the replica's state after each step; on a terminal, Enter shows the next
    #[arg(long, conflicts_with = "until")]
    step: bool,
    /// Stop after this many steps and show every replica
    #[arg(long, value_name = "N")]
    until: Option<usize>,
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// A case, replayed.
pub struct Done {
    /// The case.
    pub case: Case,
    /// What happened this time.
    pub replay: Replay,
    /// The text of the file.
    pub text: String,
    path: String,
    line: usize,
    strategy: String,
    landmarks: Landmarks,
}

impl Done {
    /// It for a reporter, of a command that ends so.
    pub fn told<'a>(
        &'a self,
        registry: &'a Registry,
        until: Option<usize>,
        exit: &'a str,
    ) -> Replayed<'a> {
        let Done { case, replay, path, line, strategy, landmarks, .. } = self;
        let line = *line;
        Replayed { strategy, registry, path, line, case, replay, landmarks, until, exit }
    }
}

/// Replays the case in a file.
pub fn done(path: &Path, registry: &Registry) -> Result<Done, Failure> {
    let (case, text) = files::read(path)?;
    let subject = registry.named(&case.strategy).map_err(|error| {
        let place = files::place(path, place_of_strategy(&text));
        Failure::new(format!("{place}: {error}")).remedy(
            "`explain` shows a case without its strategy; only a binary that registers the strategy can replay it",
        )
    })?;
    let datatype = registry.datatype(&case.datatype).map_err(|error| {
        let place = files::place(path, place_of_datatype(&text));
        Failure::new(format!("{place}: {error}")).remedy(UNREGISTERED)
    })?;
    let replay = quietly(|| replay(&case, &*subject, datatype)).map_err(|(step, why)| {
        let place = files::place(path, place_of_step(&text, step));
        Failure::new(format!("{place}: step {}: {why}", step + 1))
            .remedy("the action is impossible there, so no run has recorded this step")
    })?;
    Ok(Done {
        path: path.to_string_lossy().into_owned(),
        line: replay.line(&case, &text),
        strategy: registry.short(&case.strategy),
        landmarks: quietly(|| Landmarks::of(&replay.run, datatype)),
        case,
        replay,
        text,
    })
}

/// Runs the subcommand.
pub fn run(args: &ReplayArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let done = done(&args.case, registry)?;
    if args.step && args.format == Format::Human {
        walk(&done.replay, screen);
    }
    let exit: Exit = Status::of_replay(&done.replay).into();
    let reason = exit.reason();
    let told = done.told(registry, args.until, &reason);
    screen.print(&args.format.reporter(screen.look).replay(&told));
    Ok(exit)
}

/// Shows one step after the other, with the changes of its replica.
fn walk(replayed: &Replay, screen: &Screen) {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let trace = &replayed.trace;
    for number in 0..=trace.steps.len() {
        screen.print(&states::step(trace, number, &screen.look));
        if terminal && number < trace.steps.len() {
            let mut line = String::new();
            // No more input: the rest is shown without waiting.
            let _ = io::stdin().read_line(&mut line);
        }
    }
    screen.print("\n");
}
