//! `completions`: a completion script for a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::screen::Screen;

/// Write a completion script for a shell
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the subcommand.
pub fn run(args: &CompletionsArgs, mut command: Command, screen: &Screen) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, &screen.program, &mut script);
    screen.print(&String::from_utf8_lossy(&script));
    Ok(Exit::Holds)
}
