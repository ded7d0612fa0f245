//! Finds and reads `quiescence.toml`. Everything in it is checked, whichever profile is used.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use clap::{ArgAction, Command};
use toml_span::value::{Key, Table};
use toml_span::{Span, Value};

use crate::history::escape;
use crate::history::nearest::{nearest, suggestion};

use super::super::exit::Failure;
use super::super::files;
use super::super::screen::OURS;
use super::line::{Line, Setting, checked, is_switch, options, word};

/// The name of the file.
pub const NAME: &str = "quiescence.toml";

/// The profile that the others add to.
pub const DEFAULT: &str = "default";

/// Larger files are not settings.
const BYTES_MAX: u64 = 1 << 20;

/// What a profile says of a subcommand, or of all.
struct Part {
    profile: String,
    subcommand: Option<String>,
    settings: Vec<Setting>,
}

/// The profiles of a file.
pub struct Profiles {
    names: Vec<String>,
    parts: Vec<Part>,
}

impl Profiles {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What one says of this subcommand.
    pub fn settings(&self, profile: &str, subcommand: &str) -> Vec<Setting> {
        let is_meant = |part: &&Part| {
            part.profile == profile && part.subcommand.as_deref().is_none_or(|it| it == subcommand)
        };
        self.parts.iter().filter(is_meant).flat_map(|part| part.settings.clone()).collect()
    }
}

/// The file of this name in the current directory or, if it has none, in the nearest one above
/// that has, as far as the top of the repository.
pub fn found() -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    for directory in std::env::current_dir().ok()?.ancestors() {
        // (A link that leads nowhere is an error of the reader, and not looked past.)
        if fs::symlink_metadata(directory.join(NAME)).is_ok() {
            return Some(relative.join(NAME));
        }
        if fs::symlink_metadata(directory.join(".git")).is_ok() {
            return None;
        }
        relative.push("..");
    }
    None
}

/// Reads a file with settings of this program.
pub fn read(path: &Path, command: &Command) -> Result<Profiles, Failure> {
    let text = text(path)?;
    let reader = Reader { path, text: &text, command };
    let root = toml_span::parse(&text).map_err(|error| {
        let usual = "settings are TOML: numbers as they are, texts between quotes";
        reader.wrong(error.span, error).remedy(usual)
    })?;
    reader.profiles(root.as_table().unwrap_or(&Table::new()))
}

fn text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let other = "`--config FILE` names another file, and `--no-config` reads none";
    let fault = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("there is no file {shown}")).remedy(other),
        _ => Failure::new(format!("{shown} cannot be read: {error}")).remedy(other),
    };
    let about = fs::metadata(path).map_err(fault)?;
    let is = match about.is_file() {
        _ if about.is_dir() => Some("is a directory"),
        // A pipe would be waited for.
        false => Some("is not a regular file"),
        true if about.len() > BYTES_MAX => Some("has more than 1 MiB"),
        true => None,
    };
    if let Some(is) = is {
        let what = format!("{shown} {is}, and so no file of settings");
        return Err(Failure::new(what).remedy(other));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fault)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(fault)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let place = files::place(path, line_and_column(&before, at));
        Failure::new(format!("{place}: this is not UTF-8")).remedy("settings are TOML, a text")
    })
}

/// The line and column of a byte of a text.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().filter(|it| *it != '\u{feff}').count() + 1)
}

/// What is read, and what it may say.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    command: &'a Command,
}

impl Reader<'_> {
    fn place(&self, span: Span) -> String {
        files::place(self.path, line_and_column(self.text, span.start))
    }

    fn wrong(&self, span: Span, what: impl std::fmt::Display) -> Failure {
        Failure::new(format!("{}: {what}", self.place(span)))
    }

    fn profiles(&self, root: &Table<'_>) -> Result<Profiles, Failure> {
        let mut profiles = Profiles { names: Vec::new(), parts: Vec::new() };
        for (key, value) in root {
            let (name, shown) = (key.name.as_ref(), escape::short(&key.name));
            let Some(table) = value.as_table() else {
                let what = format!("`{shown}` is in no profile");
                return Err(self.wrong(key.span, what).remedy("write it below a line `[default]`"));
            };
            if self.command.find_subcommand(name).is_some() {
                let what = format!("`{shown}` is a command, and not a profile");
                let remedy = format!("`[default.{shown}]` sets its options in every profile");
                return Err(self.wrong(key.span, what).remedy(remedy));
            }
            if let Some(meant) = nearest(name, [DEFAULT]).filter(|meant| *meant != name) {
                let what =
                    format!("`{shown}` is nearly the name of the profile that always counts");
                return Err(self.wrong(key.span, what).remedy(suggestion(Some(meant), "")));
            }
            profiles.names.push(name.to_owned());
            self.profile(name, table, &mut profiles.parts)?;
        }
        Ok(profiles)
    }

    fn profile(&self, name: &str, table: &Table<'_>, parts: &mut Vec<Part>) -> Result<(), Failure> {
        let command = |key: &Key<'_>| self.command.find_subcommand(key.name.as_ref());
        let (below, every) = table.iter().partition::<Vec<_>, _>(|(key, _)| command(key).is_some());
        parts.push(self.part(name, None, every)?);
        for (key, value) in below {
            let Some(table) = value.as_table() else {
                let what = format!("`{}` is a command, and its options are a table", key.name);
                let remedy = format!("write `[{name}.{}]`, and its options below it", key.name);
                return Err(self.wrong(value.span, what).remedy(remedy));
            };
            parts.push(self.part(name, Some(&key.name), table.iter().collect())?);
        }
        Ok(())
    }

    fn part(
        &self,
        profile: &str,
        subcommand: Option<&str>,
        mut entries: Vec<(&Key<'_>, &Value<'_>)>,
    ) -> Result<Part, Failure> {
        entries.sort_by_key(|(key, _)| key.span.start);
        let settings = entries.into_iter().map(|(key, value)| self.setting(subcommand, key, value));
        let settings = settings.collect::<Result<Vec<_>, _>>()?;
        // (Options of every command are tried with one that has no others.)
        let with = subcommand.unwrap_or("man");
        let words = [OURS.into(), with.into()];
        let line = Line { command: self.command, typed: &words, added: Vec::new() };
        checked(&line, &settings, with)?;
        let (profile, subcommand) = (profile.to_owned(), subcommand.map(str::to_owned));
        Ok(Part { profile, subcommand, settings })
    }

    fn setting(
        &self,
        subcommand: Option<&str>,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Result<Setting, Failure> {
        let (name, shown) = (key.name.as_ref(), escape::short(&key.name));
        let all = options(self.command, subcommand);
        let all: Vec<_> = all.filter(|(of, ..)| of.is_some() == subcommand.is_some()).collect();
        let found = all.iter().find(|(_, long, _)| *long == name);
        let Some((.., option)) = found else {
            let mut names: Vec<_> = all.iter().map(|(_, long, _)| *long).collect();
            let (what, help) = match subcommand {
                Some(of) => (format!("`{of}` has no option"), format!("`{of} --help` lists them")),
                None => {
                    names.extend(self.command.get_subcommands().map(Command::get_name));
                    let help = "below a profile are commands, color, ascii and progress";
                    ("there is no command".to_owned(), help.to_owned())
                }
            };
            let what = format!("{what} `{shown}`");
            let meant = nearest(name, names);
            return Err(self.wrong(key.span, what).remedy(suggestion(meant, &help)));
        };
        let one = |value: &Value<'_>| {
            let number = value.as_integer().map(|it| it.to_string());
            let number = number.or_else(|| value.as_float().map(|it| format!("{it:?}")));
            let text = value.as_str().map(str::to_owned).or(number);
            text.map(|text| word(name, Some(text.into())))
        };
        let many = matches!(option.get_action(), ArgAction::Append);
        let words = match (is_switch(option), value.as_bool(), value.as_array()) {
            (true, Some(true), _) => Some(vec![word(name, None)]),
            (true, Some(false), _) => Some(Vec::new()),
            (false, None, Some(all)) if many => all.iter().map(one).collect(),
            (false, None, None) => one(value).map(|word| vec![word]),
            _ => None,
        };
        let takes = match (is_switch(option), many) {
            (true, _) => "true or false",
            (false, true) => "a text, a number, or a list of them",
            (false, false) => "a text or a number",
        };
        let words = words.ok_or_else(|| {
            let what = format!("`{shown}` is {takes}");
            self.wrong(value.span, what).remedy(format!("write it as `{name} = …`, with {takes}"))
        })?;
        Ok(Setting { option: name.to_owned(), words, place: self.place(value.span) })
    }
}
