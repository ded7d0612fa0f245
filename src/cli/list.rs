//! `list`: everything that has a name.

use std::fmt::Write as _;

use crate::hunt::Registry;
use crate::judgement::Model;
use crate::world::Faults;

use super::exit::{Exit, Failure};
use super::screen::Screen;

/// What each kind of fault is, in the order of [`Faults::KINDS`].
const FAULTS: [&str; 8] = [
    "a message is lost",
    "a message is delivered twice",
    "a node stops, loses what is not durable, and comes back",
    "a link holds messages back until healed",
    "a clock jumps one unit, ahead or back",
    "a client stops waiting and never learns the outcome",
    "a client sends an open request once more",
    "a failure detector suspects a node, right or wrong",
];

/// Runs the subcommand.
pub fn run(registry: &Registry, screen: &Screen) -> Result<Exit, Failure> {
    let mut text = String::from("strategies\n");
    for family in registry.families() {
        let _ = writeln!(text, "  {:<20} {}", family.name, family.about);
        for parameter in family.parameters {
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
    for (kind, about) in Faults::KINDS.iter().zip(FAULTS) {
        let _ = writeln!(text, "  {kind:<20} {about}");
    }
    screen.page(&text);
    Ok(Exit::Holds)
}
