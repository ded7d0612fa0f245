//! `convert`: a recorded history in another format.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::history::formats::{Options, edn, json_lines};

use super::exit::{Exit, Failure};
use super::screen::Screen;
use super::{files, input};

/// Write a recorded history in another format
#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// The recorded history, or `-` for standard input
    history: String,
    /// What to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: To,
    /// Where to write it; standard output if it is not given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Skip lines that make no sense, and count them
    #[arg(long)]
    lenient: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    /// JSON event lines
    Json,
    /// Jepsen's EDN
    Edn,
}

/// Runs the subcommand.
pub fn run(args: &ConvertArgs, screen: &Screen) -> Result<Exit, Failure> {
    let recording = input::read(&args.history, Options { lenient: args.lenient })?.recording;
    let text = match args.to {
        To::Json => json_lines::write(&recording.history),
        To::Edn => edn::write(&recording.history),
    };
    match &args.output {
        None => screen.print(&text),
        Some(path) => files::write(path, &text).map_err(|error| {
            Failure::new(format!("{} cannot be written: {error}", path.display()))
        })?,
    }
    let lost = [(recording.skipped, "lines skipped"), (recording.marks.len(), "marks left out")];
    for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
        eprintln!("{count} {what}");
    }
    Ok(Exit::Holds)
}
