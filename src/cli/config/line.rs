//! Settings as words of a command line, and which of them can be said.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};

use super::super::exit::Failure;

/// What is said of one option.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The option, without dashes.
    pub option: String,
    /// What sets it. There may be none: an option that is set back.
    pub words: Vec<OsString>,
    /// Where it is said.
    pub place: String,
}

impl Setting {
    /// Why a setting cannot be, for people.
    fn refused(&self, error: &clap::Error, subcommand: &str) -> Failure {
        let text = error.render().to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        let first: Vec<_> = first.lines().map(str::trim).collect();
        Failure::new(format!("{}: {}", self.place, first.join(" ")))
            .remedy(format!("`{subcommand} --help` says what --{} takes", self.option))
    }
}

/// The line that the user typed, and what is added to it.
pub struct Line<'a> {
    pub command: &'a Command,
    pub typed: &'a [OsString],
    pub added: Vec<OsString>,
}

impl Line<'_> {
    /// All words: what is added comes right after the subcommand, before anything that ends
    /// the options.
    pub fn with(&self, more: &[OsString]) -> Vec<OsString> {
        let (before, after) = self.typed.split_at(self.subcommand());
        [before, &self.added[..], more, after].concat()
    }

    /// The position after the subcommand: the first word that is neither an option nor the
    /// value of one.
    fn subcommand(&self) -> usize {
        let takes_value = |word: &str| {
            let mut options = self.command.get_arguments().filter(|it| !is_switch(it));
            options
                .any(|it| it.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long)))
        };
        let mut at = 1;
        while let Some(word) = self.typed.get(at) {
            let word = word.to_string_lossy();
            match word.starts_with('-') {
                true => at += 1 + usize::from(takes_value(&word)),
                false => break,
            }
        }
        (at + 1).min(self.typed.len())
    }

    fn accepts(&self, setting: &Setting) -> Result<(), clap::Error> {
        let words = self.with(&setting.words);
        self.command.clone().try_get_matches_from(words).map(|_| ())
    }

    /// Adds what is of one rank. An option that contradicts one of higher rank is left out, and
    /// so is one that means nothing without another that nobody has set.
    pub fn add(&mut self, settings: Vec<Setting>, subcommand: &str) -> Result<(), Failure> {
        let contradicts = |error: &clap::Error| error.kind() == ErrorKind::ArgumentConflict;
        let mut left = settings;
        left.retain(|it| !self.accepts(it).is_err_and(|error| contradicts(&error)));
        loop {
            let mut waiting = Vec::new();
            let before = left.len();
            for setting in left {
                match self.accepts(&setting) {
                    Ok(()) => self.added.extend(setting.words),
                    Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
                        waiting.push(setting);
                    }
                    Err(error) => return Err(setting.refused(&error, subcommand)),
                }
            }
            if waiting.len() == before || waiting.is_empty() {
                return Ok(());
            }
            left = waiting;
        }
    }
}

/// The names of these options, which no file can set.
const OURS: [&str; 3] = ["profile", "config", "no_config"];

/// Refuses values that the options do not take, whatever stands beside them.
pub fn checked(line: &Line<'_>, settings: &[Setting], name: &str) -> Result<(), Failure> {
    for setting in settings {
        match line.accepts(setting).map_err(|error| (error.kind(), error)) {
            Ok(()) => {}
            Err((ErrorKind::ArgumentConflict | ErrorKind::MissingRequiredArgument, _)) => {}
            Err((_, error)) => return Err(setting.refused(&error, name)),
        }
    }
    Ok(())
}

/// An option that can be set: its subcommand, if it is not one of all, and its name.
pub type Settable<'a> = (Option<&'a str>, &'a str, &'a Arg);

/// The options that can be set: those of every command, and those of this one.
pub fn options<'a>(
    command: &'a Command,
    name: Option<&'a str>,
) -> impl Iterator<Item = Settable<'a>> {
    let of = name.and_then(|name| command.find_subcommand(name));
    let every = command.get_arguments().map(|it| (None, it));
    let below = of.into_iter().flat_map(Command::get_arguments).map(move |it| (name, it));
    let usable = |option: &Arg| {
        let sets = matches!(option.get_action(), ArgAction::Set | ArgAction::Append);
        (sets || is_switch(option)) && !OURS.contains(&option.get_id().as_str())
    };
    let all = every.chain(below).filter(move |(_, it)| usable(it));
    all.filter_map(|(of, it)| Some((of, it.get_long()?, it)))
}

/// Whether it takes no value.
pub fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

/// An option as one word, so that no value is taken for an option.
pub fn word(option: &str, value: Option<OsString>) -> OsString {
    let mut word = OsString::from(format!("--{option}"));
    if let Some(value) = value {
        word.push("=");
        word.push(value);
    }
    word
}
