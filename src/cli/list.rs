//! `list`: the names of all strategies, models and faults.

use std::fmt::Write as _;

use clap::Args;

use crate::catalogue::{Family, Mutant, Registry};
use crate::judgement::Model;
use crate::report::names;
use crate::world::FaultKind;

use super::exit::{Exit, Failure};
use super::screen::Screen;
use super::values::PlainFormat;

/// List strategies with their parameters, models and faults
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The output format
    #[arg(long, value_enum, default_value = "human")]
    format: PlainFormat,
}

/// Runs the subcommand.
pub fn run(args: &ListArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    match args.format {
        PlainFormat::Human => screen.page(&told(registry)),
        PlainFormat::Json => {
            screen.print(&names::list(registry, named(), &Exit::Holds.reason()));
        }
    }
    Ok(Exit::Holds)
}

/// The models that are called by more than what they promise.
fn named() -> impl Iterator<Item = Model> {
    Model::all().filter(|model| model.long_name() != model.name() || !model.name().contains('.'))
}

fn told(registry: &Registry) -> String {
    let mut text = String::new();
    for group in groups(registry) {
        text.push_str(&strategies(&group));
    }
    text.push_str("models\n");
    for model in named() {
        let _ = writeln!(text, "  {:<20} {}", model.name(), model.long_name());
    }
    let _ = writeln!(
        text,
        "  and every combination of ryw, mr, mw, wfr with `+`, one order of writes for all reads (.g),\n  for each session (.s) or each read (.r), and `!` for eventual: ryw+mr.g, mw.s!, …"
    );
    text.push_str("\nfaults\n");
    for kind in FaultKind::ALL {
        let _ = writeln!(text, "  {:<20} {}", kind.name(), kind.about());
    }
    text
}

/// What a family is in one line, without the word for its group, which is before a colon.
fn about(family: &Family) -> (&'static str, &'static str) {
    family.about.split_once(": ").unwrap_or(("others", family.about))
}

/// The families by group, in the order in which each group first occurs.
fn groups(registry: &Registry) -> Vec<Vec<&Family>> {
    let mut groups: Vec<Vec<&Family>> = Vec::new();
    for family in registry.families() {
        match groups.iter_mut().find(|group| about(group[0]).0 == about(family).0) {
            Some(group) => group.push(family),
            None => groups.push(vec![family]),
        }
    }
    groups
}

/// The strategies of a group, with their parameters and their mutants.
fn strategies(group: &[&Family]) -> String {
    let mut text = format!("strategies, {}\n", about(group[0]).0);
    for family in group {
        let _ = writeln!(text, "  {:<20} {}", family.name, about(family).1);
        for parameter in &family.parameters {
            let values = parameter.values.join(" | ");
            let default = parameter.default.map_or("all of them".to_owned(), str::to_owned);
            let _ = writeln!(text, "      {}={values} [default: {default}]", parameter.name);
        }
        let mutants: Vec<_> = family.mutants.iter().map(variant).collect();
        if !mutants.is_empty() {
            let _ = writeln!(text, "      with a bug: {}", mutants.join(" · "));
        }
    }
    text.push('\n');
    text
}

/// What follows the name of the strategy, or that name if nothing does.
fn variant(mutant: &Mutant) -> &str {
    mutant.strategy.split_once(':').map_or(&mutant.strategy, |(_, variant)| variant)
}
