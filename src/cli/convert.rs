//! `convert`: a recorded history in another format.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::history::formats::{edn, json_lines, operation_lines};
use crate::history::{History, Value};
use crate::report::count;

use super::exit::{Exit, Failure};
use super::input::{self, Input};
use super::reading::ReadArgs;
use super::{files, interrupts, screen::Screen, values};

/// Write a recorded history in another format
///
/// Reads the same formats as `verify`: JSON event lines, JSON operation lines,
/// arrays and tables, Jepsen's EDN and logs, plain or compressed by gzip or zstd. Leaves
/// out events that are no operations of clients, such as those of the nemesis.
#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// The recorded history, or `-` for standard input
    #[arg(value_hint = ValueHint::AnyPath)]
    history: String,
    /// What queues hold at first, as a JSON list: a drain of unknown outcome may have taken it
    #[arg(long, value_name = "LIST", value_parser = list)]
    initial: Option<Value>,
    #[command(flatten)]
    read: ReadArgs,
    /// The most memory for a recording: 500MB, 4GiB [default: 80 % of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    memory: Option<u64>,
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: To,
    /// Where to write; `-` is standard output, the default. A regular file is replaced once
    /// everything is written; a device or a pipe is written to directly
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
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
    fn write(self, history: &History, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Interruptible(out);
        match self {
            To::Events => json_lines::write_to(history, &mut out),
            To::Operations => operation_lines::write_to(history, &mut out),
            To::Edn => edn::write_to(history, &mut out),
        }
    }
}

/// Fails once a signal has asked the process to end.
struct Interruptible<'a>(&'a mut dyn Write);

impl Write for Interruptible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match interrupts::noted() {
            true => Err(io::Error::other("interrupted")),
            false => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Runs the subcommand.
pub fn run(args: &ConvertArgs, screen: &Screen) -> Result<Exit, Failure> {
    let options = args.read.holding(args.initial.as_ref());
    let input = input::read(&args.history, &options, args.memory)?;
    if input.recording.drains.unfinished > 0 && args.initial.is_none() {
        return Err(Failure::new(format!(
            "{}: a drain of unknown outcome may have taken what its queue held at first, and the \
             dequeues that are written for it depend on how much that was",
            args.history
        ))
        .remedy("say what queues held, as to verify: --initial '[]' if nothing"));
    }
    let history = &input.recording.history;
    let path = args.output.as_deref().filter(|path| path.as_os_str() != "-");
    let (written, place) = match path {
        Some(path) => {
            let write = |file: &mut dyn Write| args.to.write(history, file);
            (files::write(path, interrupts::heed, write), path.display().to_string())
        }
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            let written = args.to.write(history, &mut out).and_then(|()| out.flush());
            (written, "standard output".to_owned())
        }
    };
    // A reader that closes its end is not an error.
    let written = match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    };
    if let Err(error) = written {
        if interrupts::noted() {
            screen.note(&screen.look.text(&format!("interrupted: {place} is unchanged")));
            return Ok(Exit::Interrupted);
        }
        return Err(Failure::new(format!("{place} cannot be written: {error}"))
            .remedy("choose another place with --output"));
    }
    screen.note(&screen.look.text(&told(&input)));
    Ok(Exit::Holds)
}

/// Parses a list of values written as JSON.
fn list(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::List(held)) => Ok(Value::List(held)),
        _ => Err("what queues hold is a list of values as JSON: [] or [9]".to_owned()),
    }
}

/// What was read, and what was left out of the history.
fn told(input: &Input) -> String {
    let recording = &input.recording;
    let operations = count(recording.history.len() as u64);
    let bytes = count(input.bytes);
    let mut told = format!("read {operations} operations ({bytes} bytes, {})", recording.format);
    for (number, what) in [
        (recording.continued, "processes continued as new ones after an unknown outcome"),
        (recording.marks_seen, "marks left out"),
        (recording.skipped, "malformed lines skipped"),
    ] {
        if number > 0 {
            told.push_str(&format!(" · {} {what}", count(number as u64)));
        }
    }
    told
}
