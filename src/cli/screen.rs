//! Where output goes, and how it looks there.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueEnum};

use crate::report::{Ink, Letters, Look};

use super::exit::{Exit, Failure};
use super::fold::fold;
use super::progress::How;
use super::values::Format;

/// How the program of this crate is called.
pub const OURS: &str = env!("CARGO_PKG_NAME");

/// How output looks.
#[derive(Args, Clone, Debug)]
pub struct LookArgs {
    /// Whether output is coloured (NO_COLOR is respected)
    #[arg(long, value_enum, default_value = "auto", global = true, value_name = "WHEN")]
    color: When,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    ascii: bool,
    /// How to tell on standard error what is running
    #[arg(long, value_enum, default_value = "auto", global = true, value_name = "HOW")]
    progress: How,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

/// Standard output and standard error.
///
/// Invariant: output is never lost silently. If it cannot be written, the exit code
/// is that of an error ([`Screen::ended`]). The exception is a reader of standard
/// output that goes away, such as `head`: the rest is not written, and the exit code
/// does not change.
#[derive(Clone, Debug)]
pub struct Screen {
    /// How pages look.
    pub look: Look,
    /// How progress is told.
    pub progress: How,
    /// The name of the program in commands to copy.
    pub program: String,
    /// The command that was given, in a form that can be copied.
    pub command: String,
    /// The width of the terminal, if output goes to one.
    terminal: Option<usize>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether standard output can no longer be written to.
    gone: bool,
    /// What could not be written, and why.
    failed: Option<String>,
}

impl Screen {
    /// The screen that these arguments ask for.
    pub fn new(args: &LookArgs, words: &[OsString]) -> Screen {
        let terminal = io::stdout().is_terminal();
        let colour = match args.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        };
        let size = if terminal { terminal_size::terminal_size() } else { None };
        let terminal = size.map(|(width, _)| usize::from(width.0));
        let look = Look {
            width: terminal.unwrap_or(Look::default().width),
            letters: if args.ascii { Letters::Ascii } else { Letters::Unicode },
            ink: if colour { Ink::Colour } else { Ink::Plain },
        };
        let program = program(words);
        let given = words.iter().skip(1).map(|word| quoted(&word.to_string_lossy()));
        let command = std::iter::once(program.clone()).chain(given).collect::<Vec<_>>().join(" ");
        Screen { look, progress: args.progress, program, command, terminal, state: Arc::default() }
    }

    /// Writes a text as it is.
    pub fn print(&self, text: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.gone {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            state.gone = true;
            if error.kind() != ErrorKind::BrokenPipe {
                state.failed = Some(format!("standard output cannot be written: {error}"));
            }
        }
    }

    /// Writes a text and a newline to standard error.
    pub fn note(&self, text: &str) {
        if let Err(error) = writeln!(io::stderr().lock(), "{text}") {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let failed = || format!("standard error cannot be written: {error}");
            state.failed.get_or_insert_with(failed);
        }
    }

    /// The final exit code: that of an error, if something could not be
    /// written.
    pub fn ended(&self, exit: Exit) -> Exit {
        let failed = self.state.lock().unwrap_or_else(PoisonError::into_inner).failed.clone();
        let Some(failed) = failed else { return exit };
        let failure = Failure::new(failed).remedy("make room, or send the output elsewhere");
        // (If this cannot be written either, the exit code still reports it.)
        self.note(&failure.to_string());
        Exit::Malformed
    }

    /// Writes a page, line by line, in the characters of this screen.
    pub fn page(&self, text: &str) {
        self.tell(&page(text, &self.look));
    }

    /// Writes a text for people: on a terminal no line is wider than that.
    pub fn tell(&self, text: &str) {
        match self.terminal {
            Some(width) => self.print(&fold(text, width, &self.program)),
            None => self.print(text),
        }
    }

    /// Writes a result in the format that it is in.
    pub fn result(&self, format: Format, text: &str) {
        match format {
            Format::Human => self.tell(text),
            _ => self.print(text),
        }
    }

    /// Writes a line in the characters of this screen.
    pub fn line(&self, text: &str) {
        self.tell(&format!("{}\n", self.look.text(text)));
    }
}

/// A page, line by line, in the characters of this look.
pub fn page(text: &str, look: &Look) -> String {
    text.lines().map(|line| look.text(line) + "\n").collect()
}

/// The word, quoted so that a shell reads it back unchanged.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=:,./+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The name by which the program was called, the first of these words, without its directory.
pub fn program(words: &[OsString]) -> String {
    let called = words.first().map(Path::new).and_then(Path::file_stem).unwrap_or_default();
    let name = called.to_string_lossy();
    if name.is_empty() { OURS.to_owned() } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_back_by_a_shell_as_it_was() {
        assert_eq!(quoted("multi-primary-lww:clock=wall"), "multi-primary-lww:clock=wall");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
