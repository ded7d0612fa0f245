//! `check` as an assertion, for tests of one's own.

use clap::Parser;

use crate::catalogue::Registry;
use crate::report::Look;

use super::args::CheckArgs;
use super::check::{Asked, PROMISE_SEED};
use super::config::package;
use super::exit::Exit;
use super::progress::How;
use super::screen::OURS;
use super::values::Format;

/// The words of an assertion: those of `check`.
#[derive(Parser)]
#[command(name = "check")]
struct Words {
    #[command(flatten)]
    args: CheckArgs,
}

/// Checks strategies as the command `check` with these words does, for a `#[test]`. Where the
/// command would not end with success, the test fails, and says what the command says: the
/// picture of each failing run, why it fails, the saved case, and how to replay it. The case
/// is saved in `cases/` below the directory of the test, which is that of the package. The
/// commands in it call a program of the name of the package.
///
/// Without `--seed` the seed is always the same, so that no test fails by chance; with
/// `--time` it may become unknown by chance, which is no success either.
///
/// ```
/// use quiescence::cli::assert_holds;
/// use quiescence::prelude::*;
///
/// assert_holds(&Registry::standard(), "multi-primary-lww --model eventual --runs 100");
/// ```
///
/// # Panics
/// If something is violated that should not be, is unknown, or had nothing to judge; and if
/// the words are none that `check` understands, or ask for output for programs.
#[track_caller]
pub fn assert_holds(registry: &Registry, words: &str) {
    if let Err(told) = holds(registry, words) {
        panic!("check {words}\n{told}");
    }
}

/// What is wrong, if something is.
fn holds(registry: &Registry, words: &str) -> Result<(), String> {
    let all = std::iter::once("check").chain(words.split_whitespace());
    let args = Words::try_parse_from(all).map_err(|error| error.to_string())?.args;
    if args.format != Format::Human || args.mutants || args.ladder {
        return Err("an assertion takes no --format, no --mutants and no --ladder".to_owned());
    }
    let program = package().unwrap_or_else(|| OURS.to_owned());
    let command = format!("{program} check {words}");
    let asked = Asked { args: &args, registry, command: &command, program: &program };
    let reporter = args.format.reporter(Look::default());
    let seed = args.seed.unwrap_or(PROMISE_SEED);
    let searches = asked.plan(seed).map_err(|failure| failure.to_string())?;
    let (exit, told, unsaved) = asked.search(seed, &searches, How::Never, |it| reporter.check(it));
    let warnings: String = unsaved.iter().map(|it| format!("{}\n", it.as_warning())).collect();
    match exit {
        Exit::Holds => Ok(()),
        exit => Err(format!("{}\n\n{told}{warnings}", exit.reason())),
    }
}
