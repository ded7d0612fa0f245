//! `init`: writes a `quiescence.toml`, and says how to go on.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::catalogue::{Family, Registry};
use crate::hunt::promise::{Expected, Promise};

use super::config::NAME;
use super::exit::{Exit, Failure};
use super::files;
use super::screen::{OURS, Screen};

/// Write a quiescence.toml with profiles, and say how to go on
#[derive(Args, Debug)]
pub struct InitArgs {
    /// The directory to write it in, which is made if it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    directory: PathBuf,
}

/// The file. `$` is the program.
const SETTINGS: &str = r#"# Settings of `$`. A key is an option of `$ COMMAND --help` without its dashes.
# What is typed counts most, then the environment (QUIESCENCE_CHECK_RUNS=5000), then the
# profile (`--profile ci`, or QUIESCENCE_PROFILE=ci), then the profile `default`.

[default]
# color = "never"               # auto, always or never
# ascii = true

[default.check]
# runs = 5000                   # random runs of each search
# time = "60s"                  # random runs cut short are unknown: exit code 3
# jobs = 2

[default.verify]
# model = ["causal", "linearizable"]

# For continuous integration: the same runs each time.
[ci]
progress = "never"

[ci.check]
seed = 0x5eed91c4

# For a nightly search.
[deep.check]
deep = true
time = "120m"
"#;

/// What to do next. `$` is the program, `{registry}` a registry, `{check}` what is checked.
const NEXT: &str = r#"
A test of your own, tests/consistency.rs:

    #[test]
    fn what_is_promised_holds() {
        let all = {registry};
        let check = "{check} --runs 500 --states 20000";
        quiescence::cli::assert_holds(&all, check);
    }

In continuous integration:

    $ check --profile ci --format junit > check.xml
    $ test --profile ci --format junit > test.xml

The second replays the cases in cases and tests/cases. Without any it ends with exit code 4,
because nothing was checked. `$ check` saves each violation in cases, and `$ review` moves
what you keep to tests/cases.
"#;

/// Runs the subcommand.
pub fn run(args: &InitArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let path = args.directory.join(NAME);
    let path = path.strip_prefix(".").unwrap_or(&path);
    let shown = path.display();
    let fault = |error: io::Error| {
        Failure::new(format!("{shown} cannot be written: {error}"))
            .remedy("name a directory that you can write to")
    };
    let program = &screen.program;
    if !files::create(path, &SETTINGS.replace('$', program)).map_err(fault)? {
        return Err(Failure::new(format!("there is a {shown} already"))
            .remedy("change it as docs/config.md says, or remove it first"));
    }
    screen.line(&format!("wrote {shown}, with the profiles default, ci and deep"));
    let all = match program == OURS {
        true => "quiescence::catalogue::Registry::standard()",
        false => "crate_with_your_strategies::registry()",
    };
    let next = NEXT.replace("{registry}", all).replace("{check}", &promised(registry));
    screen.page(&next.replace('$', program));
    Ok(Exit::Holds)
}

/// What to check: a promise that is kept where `check` looks, of a strategy of one's own if
/// there is one.
fn promised(registry: &Registry) -> String {
    let kept = |family: &Family| {
        let holds = |it: &&Promise| it.expected == Expected::Holds && it.setting == family.setting;
        family.promises.iter().find(holds).cloned()
    };
    let first = || registry.families().first().map_or(String::new(), |it| it.name.to_owned());
    let kept = registry.own().chain(registry.families()).find_map(kept);
    kept.map_or_else(first, |it| format!("{} --model {}", it.strategy, it.property))
}
