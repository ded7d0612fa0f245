//! `completions`: a completion script for a shell, with all that has a name.
//!
//! What an option may be is told to the shell alone: the command line itself takes other
//! spellings, too.

use std::collections::{BTreeMap, BTreeSet};

use clap::builder::PossibleValuesParser;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::catalogue::Registry;
use crate::hunt::property::Property;
use crate::judgement::Model;
use crate::judgement::datatype::DESCRIBED;
use crate::replication::StrategyName;
use crate::search::exhaustive::Reduce;
use crate::world::FaultKind;

use super::exit::{Exit, Failure};
use super::screen::Screen;

/// Write a completion script for a shell
///
/// It completes commands, options, strategies, models, datatypes, faults and files. (Where the
/// shell is not bash or zsh, what is no option is not completed.)
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the subcommand.
pub fn run(
    args: &CompletionsArgs,
    command: Command,
    registry: &Registry,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let mut command = with_names(command, registry);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, &screen.program, &mut script);
    let script = String::from_utf8_lossy(&script);
    match args.shell {
        Shell::Bash => screen.print(&whole(&script, &screen.program)),
        _ => screen.print(&script),
    }
    Ok(Exit::Holds)
}

/// The command line, where options that take a name say which there are.
fn with_names(command: Command, registry: &Registry) -> Command {
    let datatypes: Vec<_> = DESCRIBED.iter().flat_map(|one| one.names).map(owned).collect();
    let models: Vec<_> = Model::words().map(String::from).collect();
    let plain = Property::PLAIN.iter().map(ToString::to_string);
    let properties: Vec<_> = models.iter().cloned().chain(plain).collect();
    let faults: Vec<_> = FaultKind::ALL.into_iter().map(|kind| kind.name().to_owned()).collect();
    let strategies = strategies(registry);
    let topics = [&properties, &datatypes, &strategies, &faults].map(|list| &list[..]).concat();
    let none = ["none", "all"].iter().map(owned);
    let reductions: Vec<_> = none.chain(Reduce::NAMES.iter().map(owned)).collect();
    let no_fault = [faults, vec!["none".to_owned()]].concat();
    let names = [
        ("check", "strategies", &strategies),
        ("check", "models", &properties),
        ("check", "datatype", &datatypes),
        ("check", "faults", &no_fault),
        ("check", "reduce", &reductions),
        ("verify", "models", &models),
        ("verify", "datatype", &datatypes),
        ("explain", "subject", &topics),
        ("explain", "against", &models),
        ("explain", "datatype", &datatypes),
        ("demo", "strategy", &strategies),
        ("bench", "reduce", &reductions),
    ];
    command.mut_subcommands(|one| {
        let subcommand = one.get_name().to_owned();
        one.mut_args(|option| {
            let is_it = |it: &&(&str, &str, _)| it.0 == subcommand && option.get_id() == it.1;
            let Some((.., names)) = names.iter().find(is_it) else { return option };
            let names: BTreeSet<_> = names.iter().cloned().collect();
            option.value_parser(PossibleValuesParser::new(names))
        })
    })
}

fn owned(name: impl ToString) -> String {
    name.to_string()
}

/// Every strategy, with each value of each of its parameters, and those with a bug.
fn strategies(registry: &Registry) -> Vec<String> {
    let mut all = Vec::new();
    for family in registry.families() {
        all.push(family.name.to_owned());
        for parameter in &family.parameters {
            all.extend(parameter.values.iter().map(|value| {
                let chosen = (parameter.name.to_owned(), (*value).to_owned());
                let (name, parameters) = (family.name.to_owned(), BTreeMap::from([chosen]));
                StrategyName { name, parameters }.to_string()
            }));
        }
        all.extend(family.mutants.iter().map(|mutant| mutant.strategy.clone()));
    }
    all
}

/// A script for bash that also completes words with `:` and `=` in them, at which readline
/// parts them, and offers options only where one was begun.
fn whole(script: &str, program: &str) -> String {
    let name = format!("_{}", program.replace('-', "__"));
    let wrapper = WHOLE.replace("_NAME", &name);
    script.replace(&format!("complete -F {name} "), &format!("complete -F {name}__whole "))
        + &wrapper
}

const WHOLE: &str = r#"
_NAME__whole() {
    local line="${COMP_LINE:0:COMP_POINT}" before one
    local -a COMP_WORDS
    read -ra COMP_WORDS <<< "$line"
    [[ $line == *[[:space:]] ]] && COMP_WORDS+=("")
    local COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    local cur="${COMP_WORDS[COMP_CWORD]}" all=()
    _NAME "$1" "$cur" "${COMP_WORDS[COMP_CWORD-1]}"
    # Readline replaces what follows the last of its breaks.
    before="${cur%"${cur##*["${COMP_WORDBREAKS//[^:=]/}"]}"}"
    for one in "${COMPREPLY[@]}"; do
        [[ $one == -* && $cur != -* ]] || all+=("${one#"$before"}")
    done
    COMPREPLY=("${all[@]}")
}
"#;
