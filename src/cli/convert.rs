//! `convert`: a recorded history in another format.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::history::History;
use crate::history::formats::{Options, edn, json_lines, operation_lines};
use crate::report::count;

use super::exit::{Exit, Failure};
use super::input::{self, Input};
use super::{files, screen::Screen};

/// Write a recorded history in another format
///
/// What the file is, is told by what is in it: JSON event or operation lines,
/// Jepsen's EDN, or a Porcupine log, compressed by gzip or zstd or not. What is
/// no operation of a client (the nemesis, other lines of a log) is left out.
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
    #[value(alias = "json")]
    Events,
    /// JSON operation lines
    Operations,
    /// Jepsen's EDN
    Edn,
}

impl To {
    fn write(self, history: &History, out: &mut impl Write) -> io::Result<()> {
        match self {
            To::Events => json_lines::write_to(history, out),
            To::Operations => operation_lines::write_to(history, out),
            To::Edn => edn::write_to(history, out),
        }
    }
}

/// Runs the subcommand.
pub fn run(args: &ConvertArgs, screen: &Screen) -> Result<Exit, Failure> {
    let input = input::read(&args.history, Options { lenient: args.lenient })?;
    let history = &input.recording.history;
    let (written, place) = match &args.output {
        Some(path) => {
            let written = files::write_with(path, |file| args.to.write(history, file));
            (written, path.display().to_string())
        }
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            let written = args.to.write(history, &mut out).and_then(|()| out.flush());
            // A reader that goes away is no error.
            let gone = written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
            (if gone { Ok(()) } else { written }, "standard output".to_owned())
        }
    };
    written.map_err(|error| {
        Failure::new(format!("{place} cannot be written: {error}"))
            .remedy("name a place that can be written with --output")
    })?;
    eprintln!("{}", screen.look.text(&told(&input)));
    Ok(Exit::Holds)
}

/// What was read, and what of it is not in the history.
fn told(input: &Input) -> String {
    let recording = &input.recording;
    let operations = count(recording.history.len() as u64);
    let bytes = count(input.bytes);
    let mut told = format!("read {operations} operations ({bytes} bytes, {})", recording.format);
    for (number, what) in [
        (recording.continued, "processes went on after an unknown outcome, as new ones"),
        (recording.marks.len(), "marks left out"),
        (recording.skipped, "lines skipped that made no sense"),
    ] {
        if number > 0 {
            told.push_str(&format!(" · {} {what}", count(number as u64)));
        }
    }
    told
}
