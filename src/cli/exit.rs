//! Exit codes and usage errors.

use std::borrow::Cow;
use std::fmt;
use std::process::ExitCode;

use crate::hunt::outcome::Status;
use crate::report::Look;

/// The exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The property holds, or the command was carried out.
    Holds = 0,
    /// Something is violated.
    Violated = 1,
    /// A usage error, or a malformed file.
    Malformed = 2,
    /// Not decided: cut short by a budget, or a checker could not tell.
    Unknown = 3,
    /// Nothing was checked.
    Nothing = 4,
    /// A replay did not reproduce what was recorded.
    NotReproduced = 5,
    /// Interrupted; the partial result was printed.
    Interrupted = 130,
}

/// The same as a table, for `--help`.
pub const TABLE: &str = "\
Exit codes:
  0    holds: all runs done without a violation, or every promise met
  1    violated
  2    a usage error, a malformed file, or output that cannot be written
  3    unknown: random runs were cut short, nothing was proved or sampled,
       or a checker could not decide
  4    nothing was checked
  5    a replay did not reproduce the recorded run
  130  interrupted; the partial result was printed";

impl From<Status> for Exit {
    fn from(status: Status) -> Exit {
        match status {
            Status::Holds => Exit::Holds,
            Status::Violated => Exit::Violated,
            Status::Unknown => Exit::Unknown,
            Status::Nothing => Exit::Nothing,
            Status::NotReproduced => Exit::NotReproduced,
        }
    }
}

impl Exit {
    /// Why a command ends so, in a word for programs.
    pub fn reason(self) -> String {
        let status = match self {
            Exit::Malformed => return "malformed".to_owned(),
            Exit::Interrupted => return "interrupted".to_owned(),
            Exit::Holds => Status::Holds,
            Exit::Violated => Status::Violated,
            Exit::Unknown => Status::Unknown,
            Exit::Nothing => Status::Nothing,
            Exit::NotReproduced => Status::NotReproduced,
        };
        status.to_string()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A usage error: what is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    remedy: Option<String>,
}

impl Failure {
    /// An error with this message.
    pub fn new(message: impl fmt::Display) -> Self {
        Failure { message: message.to_string(), remedy: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The text as a warning, for a failure that leaves the other results
    /// valid.
    pub fn as_warning(&self) -> String {
        self.told("warning")
    }

    fn told(&self, word: &str) -> String {
        // Messages quote files; control characters in them must not steer the
        // terminal.
        let look = Look::default();
        let message = look.text(&cut(&self.message));
        let remedy = self.remedy.iter().map(|remedy| format!("\n  {}", look.text(remedy)));
        format!("{word}: {message}{}", remedy.collect::<String>())
    }
}

/// How many characters of a longer message are printed, at its beginning and at
/// its end: they have the place of the error and the reason. The middle is
/// mostly quoted input.
const MESSAGE: [usize; 2] = [600, 300];

fn cut(message: &str) -> Cow<'_, str> {
    let letters = message.chars().count();
    let [first, last] = MESSAGE;
    if letters <= first + last {
        return Cow::Borrowed(message);
    }
    let begin: String = message.chars().take(first).collect();
    let end: String = message.chars().skip(letters - last).collect();
    Cow::Owned(format!("{begin}… ({} letters left out) …{end}", letters - first - last))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told("error"))
    }
}
