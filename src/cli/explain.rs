//! `explain`: models, datatypes, strategies, mutants and cases in prose.

use std::path::Path;

use clap::Args;

use crate::catalogue::{Mutant, Registry};
use crate::hunt::case::read::place_of_datatype;
use crate::hunt::property::Property;
use crate::judgement::Model;
use crate::judgement::datatype::named;
use crate::report::prose;
use crate::report::table::setting_text;

use super::exit::{Exit, Failure};
use super::files;
use super::screen::Screen;

/// Explain a case file, a model, a property, a datatype, a strategy or a mutant in prose
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A case file, a model like `causal`, a property like `available`, a datatype like
    /// `set:add-wins`, a strategy like `abd`, or one of its mutants like `abd:write-back=never`
    #[arg(value_name = "CASE|MODEL|PROPERTY|DATATYPE|STRATEGY|MUTANT")]
    subject: String,
}

/// Who can tell what the operations of a case mean.
pub const UNREGISTERED: &str =
    "the operations of a case mean what its datatype says; a binary that registers it knows it";

/// Runs the subcommand.
pub fn run(args: &ExplainArgs, registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let text = &args.subject;
    let width = screen.look.width;
    let name = text.split(':').next().unwrap_or_default();
    let datatype = named(text);
    let told = match (text.parse::<Model>(), registry.family(name)) {
        // A word may be the name of both.
        (Ok(model), Ok(family)) => {
            format!("{}\n{}", prose::model(model, width), prose::strategy(family, setting_text))
        }
        (Ok(model), Err(_)) => prose::model(model, width),
        (Err(_), _) if let Some(about) = about(text) => prose::property(text, &about, width),
        (_, Err(_)) if let Ok(datatype) = datatype => prose::datatype(datatype, width),
        (Err(_), Ok(family)) => {
            let subjects = registry.parse(text).map_err(Failure::new)?;
            let names: Vec<_> =
                subjects.iter().map(|subject| registry.short(&subject.strategy_name())).collect();
            let is_named = |mutant: &&Mutant| names == [mutant.strategy.as_str()];
            match family.mutants.iter().find(is_named) {
                Some(known) => prose::mutant(known, &setting_text(&known.setting), width),
                None => prose::strategy(family, setting_text),
            }
        }
        _ if is_file(text) => {
            let (case, written) = files::read(Path::new(text))?;
            let name = registry.short(&case.strategy);
            let datatype = registry.datatype(&case.datatype).map_err(|error| {
                let place = files::place(Path::new(text), place_of_datatype(&written));
                Failure::new(format!("{place}: {error}")).remedy(UNREGISTERED)
            })?;
            prose::case(&case, datatype, &name, &setting_text(&case.setting), width)
        }
        (Err(model), Err(strategy)) => {
            let message = format!(
                "`{text}` is not a case file, a model, a property, a datatype or a strategy"
            );
            let near = strategy.meant.unwrap_or(model.nearest);
            return Err(Failure::new(message).remedy(format!("did you mean `{near}`?")));
        }
    };
    screen.page(&told);
    Ok(Exit::Holds)
}

/// What the property of this name asks, if it is one and no model.
fn about(name: &str) -> Option<String> {
    name.parse::<Property>().ok()?.about()
}

/// Whether the argument names a file, even one that does not exist.
fn is_file(text: &str) -> bool {
    text.contains(['/', '\\']) || text.ends_with(".json") || Path::new(text).exists()
}
