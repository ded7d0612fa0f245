//! `list`: the names of all strategies, models and faults.

use std::fmt::Write as _;

use crate::catalogue::Registry;
use crate::judgement::Model;
use crate::world::FaultKind;

use super::exit::{Exit, Failure};
use super::screen::Screen;

/// Runs the subcommand.
pub fn run(registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let mut text = String::from("strategies\n");
    for family in registry.families() {
        let _ = writeln!(text, "  {:<20} {}", family.name, family.about);
        for parameter in &family.parameters {
            let values = parameter.values.join(" | ");
            let default = parameter.default.map_or("all of them".to_owned(), str::to_owned);
            let _ = writeln!(text, "      {}={values} [default: {default}]", parameter.name);
        }
    }
    text.push_str("\nmodels\n");
    let named = Model::all()
        .filter(|model| model.long_name() != model.name() || !model.name().contains('.'));
    for model in named {
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
    screen.page(&text);
    Ok(Exit::Holds)
}
