//! `replay`: executes a case again and compares it with the file.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use crate::catalogue::{Advice, Registry};
use crate::hunt::case::Case;
use crate::hunt::case::read::{place_of_step, place_of_strategy};
use crate::hunt::case::replay::{Outcome, Replay, replay};
use crate::hunt::property::Judgement;
use crate::report::table::setting_text;
use crate::report::timeline::{self, Story};
use crate::report::{Tone, json, states, verdict};

use super::exit::{Exit, Failure};
use super::files;
use super::quiet::quietly;
use super::screen::Screen;
use super::story::Told;
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

/// Runs the subcommand.
pub fn run(args: &ReplayArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let (case, text) = files::read(&args.case)?;
    let subject = registry.named(&case.strategy).map_err(|error| {
        let place = files::place(&args.case, place_of_strategy(&text));
        Failure::new(format!("{place}: {error}")).remedy(
            "`explain` shows a case without its strategy; only a binary that registers the strategy can replay it",
        )
    })?;
    let replayed = quietly(|| replay(&case, &*subject)).map_err(|(step, why)| {
        let place = files::place(&args.case, place_of_step(&text, step));
        Failure::new(format!("{place}: step {}: {why}", step + 1))
            .remedy("the action is impossible there, so no run has recorded this step")
    })?;
    let short = registry.short(&case.strategy);
    match (args.format, args.until) {
        (Format::Json, _) => screen.print(&json::replay(&short, &case, &replayed)),
        (Format::Human, Some(steps)) => until(steps, &case, &replayed, screen),
        (Format::Human, None) => {
            if args.step {
                walk(&replayed, screen);
            }
            let flaw = replayed.judgement.flaw();
            let hint = flaw.and_then(|flaw| registry.hint(&short, flaw));
            tell(&case, &replayed, &short, hint, screen);
        }
    }
    Ok(exit(&replayed))
}

fn exit(replayed: &Replay) -> Exit {
    match (&replayed.outcome, &replayed.judgement) {
        (Outcome::TextsDiffer(_) | Outcome::Differs(_), _) => Exit::NotReproduced,
        (Outcome::Reproduced, Judgement::Violated(..)) => Exit::Violated,
        (Outcome::Reproduced, Judgement::Holds) => Exit::Holds,
        (Outcome::Reproduced, Judgement::Unknown(_)) => Exit::Unknown,
    }
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

/// Shows the first steps and what every replica is after them.
fn until(steps: usize, case: &Case, replayed: &Replay, screen: &Screen) {
    let mut trace = replayed.trace.clone();
    trace.steps.truncate(steps);
    let story = Story {
        setting: &case.setting,
        workload: &case.workload,
        trace: &trace,
        history: &replayed.run.history,
        ending: &replayed.run.ending,
    };
    screen.print(&timeline::steps(&story, &screen.look));
    screen.print(&format!("\n{}\n", states::all(&trace, &screen.look)));
    outcome(case, &replayed.outcome, screen);
}

fn tell(case: &Case, replayed: &Replay, short: &str, hint: Option<Advice>, screen: &Screen) {
    let look = &screen.look;
    let told = Told {
        setting: &case.setting,
        workload: &case.workload,
        trace: &replayed.trace,
        run: &replayed.run,
        property: &case.property,
        judgement: &replayed.judgement,
        minimal: case.minimal,
        hint,
    };
    let place = look.text(&format!(" · {}", setting_text(&case.setting)));
    screen.print(&format!("{}{place}\n", look.paint(Tone::Strong, short)));
    let (tone, word) = match replayed.judgement {
        Judgement::Violated(..) => (Tone::Bad, "FAIL"),
        Judgement::Holds => (Tone::Good, "ok  "),
        Judgement::Unknown(_) => (Tone::Doubt, "?   "),
    };
    let title = look.text(&verdict::title(&case.property, &replayed.judgement));
    screen.print(&format!("{}  {}\n\n", look.paint(tone, word), look.paint(Tone::Strong, &title)));
    screen.print(&told.picture(look));
    screen.print(&format!("\n{}\n", told.block(None, None, look)));
    outcome(case, &replayed.outcome, screen);
}

fn outcome(case: &Case, outcome: &Outcome, screen: &Screen) {
    let look = &screen.look;
    let (tone, title, difference) = match outcome {
        Outcome::Reproduced => (Tone::Good, "REPRODUCED".to_owned(), None),
        Outcome::TextsDiffer(difference) => {
            let title = format!("REPRODUCED, texts differ at step {}", difference.step);
            (Tone::Doubt, title, Some(difference))
        }
        Outcome::Differs(difference) => {
            let title = format!("DIFFERS AT STEP {}", difference.step);
            (Tone::Bad, title, Some(difference))
        }
    };
    screen.print(&format!("{}\n", look.paint(tone, &title)));
    if let Some(difference) = difference {
        let tool = env!("CARGO_PKG_VERSION");
        screen.line(&format!("  recorded  {}   (quiescence {})", difference.recorded, case.tool));
        screen.line(&format!("  present   {}   (quiescence {tool})", difference.present));
    }
}
