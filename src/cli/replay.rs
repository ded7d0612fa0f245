//! `replay`: executes a case again and compares it with the file.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::catalogue::Registry;
use crate::hunt::case::read::{place_of_datatype, place_of_step, place_of_strategy};
use crate::hunt::case::replay::{FullReplay, Replay, replay, replay_full};
use crate::hunt::case::{Case, FULL_MAX};
use crate::hunt::landmarks::Landmarks;
use crate::hunt::neighbour::{Neighbour, nearest};
use crate::hunt::outcome::Status;
use crate::report::reporter::{Other, Replayed};
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
    /// Show what each step changes; on a terminal Enter shows the next step, b the one before, a
    /// number that step, and q goes to the verdict
    #[arg(long, conflicts_with = "until")]
    step: bool,
    /// Stop after this many steps and show every replica
    #[arg(long, value_name = "N")]
    until: Option<usize>,
    /// Show the run as a random search has found it, before it was shrunk; the exit code remains
    /// that of the case
    #[arg(long)]
    full: bool,
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
    /// The strategy, as it is called on the command line.
    pub strategy: String,
    path: String,
    line: usize,
    landmarks: Landmarks,
    neighbour: Option<Neighbour>,
    full: Option<FullReplay>,
    /// How many steps the case has, if this is the run that it was shrunk from.
    minimal: Option<usize>,
}

impl Done {
    /// It for a reporter, of a command that ends so.
    pub fn told<'a>(
        &'a self,
        registry: &'a Registry,
        until: Option<usize>,
        exit: &'a str,
    ) -> Replayed<'a> {
        let Done { case, replay, path, strategy, landmarks, .. } = self;
        let other = match (&self.full, self.minimal) {
            (Some(full), _) => Other::Full(full),
            (None, Some(steps)) => Other::Minimal(steps),
            (None, None) => Other::None,
        };
        Replayed {
            strategy,
            registry,
            path,
            line: self.line,
            case,
            replay,
            landmarks,
            neighbour: self.neighbour.as_ref(),
            other,
            until,
            exit,
        }
    }

    /// With the nearest run that does not fail, if this one fails, and with the run as it was
    /// found, if the case keeps it.
    pub fn with_others(self, registry: &Registry) -> Done {
        let Done { case, replay, .. } = &self;
        let Ok(subject) = registry.named(&case.strategy) else { return self };
        let neighbour = replay.judgement.flaw().and_then(|_| {
            let judged = (&case.property, replay.datatype);
            let place = (&case.setting, &case.workload);
            quietly(|| nearest(&*subject, place, &replay.run, judged))
        });
        let full = quietly(|| replay_full(case, &*subject, replay.datatype));
        Done { neighbour, full, ..self }
    }

    /// The run as it was found instead.
    fn in_full(self) -> Result<Done, Failure> {
        let steps = self.case.schedule.len();
        let Some(FullReplay { case, replay }) = self.full else {
            let long = self.case.found.shrunk_from.filter(|from| *from > FULL_MAX);
            let (why, remedy) = match long {
                Some(from) => (
                    format!(": it had {from} actions, more than the {FULL_MAX} that a case keeps"),
                    "`check` with the seed in the case finds it again",
                ),
                None => (
                    String::new(),
                    "only `check` keeps one, in a case that it has found in random runs and shrunk; without --full the case itself is shown",
                ),
            };
            let what = format!("{} has no run as it was found{why}", self.path);
            return Err(Failure::new(what).remedy(remedy));
        };
        Ok(Done {
            landmarks: quietly(|| Landmarks::of(&replay.run, replay.datatype)),
            neighbour: None,
            full: None,
            minimal: Some(steps),
            case,
            replay,
            ..self
        })
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
        neighbour: None,
        full: None,
        minimal: None,
        case,
        replay,
        text,
    })
}

/// Runs the subcommand.
pub fn run(args: &ReplayArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let case = done(&args.case, registry)?.with_others(registry);
    let exit: Exit = Status::of_replay(&case.replay).into();
    let done = if args.full { case.in_full()? } else { case };
    if args.step && args.format == Format::Human {
        walk(&done.replay, screen);
    }
    let reason = exit.reason();
    let told = done.told(registry, args.until, &reason);
    screen.result(args.format, &args.format.reporter(screen.look).replay(&told));
    Ok(exit)
}

/// Shows one step after the other, with the changes of its replica.
fn walk(replayed: &Replay, screen: &Screen) {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let trace = &replayed.trace;
    let last = trace.steps.len();
    let mut number = 0;
    loop {
        screen.tell(&states::step(trace, number, &screen.look));
        let mut line = String::new();
        // Without more input, the rest is shown without waiting.
        let is_asked = terminal && io::stdin().read_line(&mut line).is_ok_and(|read| read > 0);
        let next = if is_asked { next(&line, number, last) } else { number.checked_add(1) };
        match next.filter(|next| *next <= last) {
            Some(next) => number = next,
            None => break,
        }
    }
    screen.print("\n");
}

/// The step that the words of a line ask for, after step `number` of `last`; nothing ends the
/// walk. Words that are not understood change nothing.
fn next(line: &str, number: usize, last: usize) -> Option<usize> {
    match line.trim() {
        "" | "n" | "next" => number.checked_add(1),
        "b" | "back" => Some(number.saturating_sub(1)),
        "q" | "quit" => None,
        other => Some(other.parse().map_or(number, |asked: usize| asked.min(last))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_and_back_and_to_any_step() {
        let asked = ["\n", "b\n", "back\n", "7\n", "99\n", " n \n", "what\n", "q\n"];
        let steps = asked.map(|line| next(line, 3, 9));
        assert_eq!(steps, [Some(4), Some(2), Some(2), Some(7), Some(9), Some(4), Some(3), None]);
        assert_eq!(next("b", 0, 9), Some(0));
    }
}
