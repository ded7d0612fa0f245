//! Options from `quiescence.toml` and from the environment.
//!
//! What they say becomes words, which are put into the command line before it is read. So the
//! parser of an option is the only one that knows what its values mean, and the command that
//! is printed to be repeated has all that was decided.
//!
//! Invariant: what the user typed comes first, then the environment, the chosen profile, and
//! the profile `default`. What cannot stand beside a word of higher rank is left out.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, ValueHint};

use crate::history::escape;
use crate::history::nearest::{nearest, suggestion};

use super::exit::Failure;

mod file;
mod line;

use file::DEFAULT;
pub use file::NAME;
use line::{Line, Setting, checked, is_switch, options, word};

/// Where options come from that nobody types.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// The profile of quiescence.toml that is used [default: $QUIESCENCE_PROFILE, else default]
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "no_config")]
    profile: Option<String>,
    /// Read this file, not the first quiescence.toml here and above
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Read no quiescence.toml
    #[arg(long, global = true, conflicts_with = "config")]
    no_config: bool,
}

/// The package whose test this process is, as Cargo says. Most packages have one binary, of the
/// same name.
pub fn package() -> Option<String> {
    let name = std::env::var_os("CARGO_PKG_NAME")?;
    Some(name.to_string_lossy().into_owned())
}

/// Commands that judge nothing, and that have to work beside a file with errors.
const FREE: [&str; 3] = ["init", "completions", "man"];

/// How variables begin that set options.
const VARIABLE: &str = "QUIESCENCE_";

/// Commands that say which profile they use, where it changes what they do.
const SAYING: [&str; 2] = ["check", "verify"];

/// The words of a command line with what the environment and the file add to it, and what is
/// to be said of the file if it adds something. `given` is what these words alone mean.
pub fn completed(
    args: &ConfigArgs,
    command: &Command,
    given: &ArgMatches,
    typed: &[OsString],
) -> Result<(Vec<OsString>, Option<String>), Failure> {
    let Some((name, below)) = given.subcommand().filter(|(name, _)| !FREE.contains(name)) else {
        return Ok((typed.to_vec(), None));
    };
    let mut ranks = vec![environment(command, name)?];
    let (place, profiles) = profiles(args, command, name)?;
    ranks.extend(profiles);
    let is_typed = |of: Option<&str>, option: &Arg| {
        let all = if of.is_some() { below } else { given };
        all.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
    };
    let said = options(command, Some(name)).filter(|(of, _, option)| is_typed(*of, option));
    let mut known: BTreeSet<String> = said.map(|(_, long, _)| long.to_owned()).collect();
    let mut line = Line { command, typed, added: Vec::new() };
    let mut by_variables = 0;
    for (nth, rank) in ranks.into_iter().enumerate() {
        let (old, new) = rank.into_iter().partition::<Vec<_>, _>(|it| known.contains(&it.option));
        known.extend(old.into_iter().chain(new.clone()).map(|it| it.option));
        line.add(new, name)?;
        by_variables = if nth == 0 { line.added.len() } else { by_variables };
    }
    let says = SAYING.contains(&name) && line.added.len() > by_variables;
    Ok((line.with(&[]), says.then(|| format!("settings: {place}"))))
}

/// The file and the chosen profile in words; what it says, and then what `default` says.
fn profiles(
    args: &ConfigArgs,
    command: &Command,
    name: &str,
) -> Result<(String, Vec<Vec<Setting>>), Failure> {
    let path = match &args.config {
        _ if args.no_config => None,
        Some(path) => Some(path.clone()),
        None => file::found(),
    };
    let Some(path) = path else {
        // The variable is set for every directory, and here is none that it speaks of.
        return match &args.profile {
            Some(profile) => Err(Failure::new(format!(
                "there is no {NAME} here or above, and so no profile `{}`",
                escape::short(profile)
            ))
            .remedy("`init` writes one; `--config FILE` names one elsewhere")),
            None => Ok((String::new(), Vec::new())),
        };
    };
    let file = file::read(&path, command)?;
    let chosen = args.profile.clone().or_else(|| {
        let variable = std::env::var_os(format!("{VARIABLE}PROFILE"));
        variable.filter(|it| !it.is_empty()).map(|it| it.to_string_lossy().into_owned())
    });
    let chosen = chosen.unwrap_or_else(|| DEFAULT.to_owned());
    let shown = escape::line(&path.to_string_lossy()).into_owned();
    if chosen != DEFAULT && !file.names().any(|it| it == chosen) {
        let all: Vec<_> = file.names().map(|it| escape::short(it).into_owned()).collect();
        let list = format!("its profiles are {}", all.join(", "));
        let near = nearest(&chosen, file.names().chain([DEFAULT]));
        let what = format!("{shown} has no profile `{}`", escape::short(&chosen));
        return Err(Failure::new(what).remedy(suggestion(near, &list)));
    }
    let mut ranks = vec![chosen.as_str(), DEFAULT];
    ranks.dedup();
    let settings = ranks.into_iter().map(|profile| file.settings(profile, name)).collect();
    Ok((format!("{shown}, profile {}", escape::short(&chosen)), settings))
}

/// What the environment says of the options of this subcommand.
fn environment(command: &Command, name: &str) -> Result<Vec<Setting>, Failure> {
    let called = |of: Option<&str>, option: &str| {
        let of = of.map(|of| format!("{of}_")).unwrap_or_default();
        format!("{VARIABLE}{of}{option}").replace('-', "_").to_uppercase()
    };
    let mut settings = Vec::new();
    let mut known = BTreeSet::new();
    for (of, long, option) in options(command, Some(name)) {
        let variable = called(of, long);
        known.insert(variable.clone());
        let Some(value) = std::env::var_os(&variable).filter(|it| !it.is_empty()) else { continue };
        let words = match (is_switch(option), value.to_str()) {
            (false, _) => vec![word(long, Some(value))],
            (true, Some("1" | "true")) => vec![word(long, None)],
            (true, Some("0" | "false")) => Vec::new(),
            (true, _) => {
                let value = value.to_string_lossy().into_owned();
                let what = format!("{variable}: `{}` is neither", escape::short(&value));
                let remedy = format!("--{long} is a switch: set the variable to 1 or 0");
                return Err(Failure::new(what + " on nor off").remedy(remedy));
            }
        };
        settings.push(Setting { option: long.to_owned(), words, place: variable });
    }
    let own = called(Some(name), "");
    let mut all: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    all.sort();
    for variable in all.iter().filter_map(|it| it.to_str()).filter(|it| it.starts_with(&own)) {
        if !known.contains(variable) {
            let near = nearest(variable, known.iter().map(String::as_str));
            let what = format!("{}: `{name}` has no such option", escape::short(variable));
            let help = format!("`{name} --help` lists the options");
            return Err(Failure::new(what).remedy(suggestion(near, &help)));
        }
    }
    let line = Line { command, typed: &[VARIABLE.into(), name.into()], added: Vec::new() };
    checked(&line, &settings, name)?;
    Ok(settings)
}
