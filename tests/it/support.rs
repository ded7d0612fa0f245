//! Helpers that several of these tests use.

use quiescence::catalogue::{Mutant, Registry};
use quiescence::hunt::exhaustive::{Decision, Plan, hunt};
use quiescence::hunt::promise::{Expected, Promise};
use quiescence::hunt::property::Property;
use quiescence::hunt::{Subject, served};
use quiescence::search::exhaustive::{Limits, Open, Reduce};
use quiescence::world::Setting;

/// The result of an exhaustive search of one scope, for each property. Clients ask the
/// calls of the datatype that is replicated, with one element or amount.
pub fn searched(
    subject: &dyn Subject,
    setting: &Setting,
    scope: Open,
    properties: &[Property],
    (reduce, jobs): (Reduce, usize),
) -> Vec<(Property, Decision)> {
    let datatype = Registry::standard().datatype_of(subject).expect("it is known");
    let plan = Plan {
        setting: setting.clone(),
        scopes: vec![scope],
        menu: served(subject, setting.nodes, datatype, 1),
        datatype,
        properties: properties.to_vec(),
        reduce,
        limits: Limits::default(),
        enough: None,
        jobs,
    };
    hunt(subject, &plan, &|_| false).found
}

/// The committed case of a promised violation. Its name tells the faults, too, where the
/// strategy breaks the property with others already.
pub fn case_file(row: &Promise) -> String {
    let name = |row: &Promise| format!("{}-{}-{}", row.strategy, row.property, row.setting.routing);
    let registry = Registry::standard();
    let mut broken = registry.promises().filter(|other| other.expected != Expected::Holds);
    let first = broken.find(|other| name(other) == name(row)).expect("the row is one of them");
    let others = match first == row {
        true => String::new(),
        false => format!("-{}", row.setting.faults.budget),
    };
    format!("{}{others}.json", name(row)).replace([':', '=', ',', '+', ' '], "-")
}

/// How much to try; `QUIESCENCE_PROFILE=deep` selects more.
pub fn effort(ordinary: u64, deep: u64) -> u64 {
    match std::env::var("QUIESCENCE_PROFILE").as_deref() {
        Ok("deep") => deep,
        _ => ordinary,
    }
}

/// Whether to overwrite committed files (documents, golden texts, cases)
/// instead of comparing with them: `SNAPSHOTS=overwrite`.
pub fn overwrites() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|how| how == "overwrite")
}

/// The committed case of a mutant.
pub fn mutant_case(mutant: &Mutant) -> String {
    let Mutant { strategy, property, setting, .. } = mutant;
    format!("{strategy}-{property}-{}.json", setting.routing).replace([':', '=', ',', '+'], "-")
}
