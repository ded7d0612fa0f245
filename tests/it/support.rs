//! What several of these tests need.

use quiescence::hunt::Subject;
use quiescence::hunt::exhaustive::{Decision, Plan, hunt};
use quiescence::hunt::property::Property;
use quiescence::search::exhaustive::{Limits, Open, Reduce};
use quiescence::world::Setting;

/// What an exhaustive search of one scope says of each property.
pub fn searched(
    subject: &dyn Subject,
    setting: &Setting,
    scope: Open,
    properties: &[Property],
    (reduce, jobs): (Reduce, usize),
) -> Vec<(Property, Decision)> {
    let plan = Plan {
        setting: setting.clone(),
        scopes: vec![scope],
        properties: properties.to_vec(),
        reduce,
        limits: Limits::default(),
        jobs,
    };
    hunt(subject, &plan, &|_| false).found
}

/// How much to try: `QUIESCENCE_PROFILE=deep` for more.
pub fn effort(ordinary: u64, deep: u64) -> u64 {
    match std::env::var("QUIESCENCE_PROFILE").as_deref() {
        Ok("deep") => deep,
        _ => ordinary,
    }
}

/// Whether what is committed (documents, golden texts, cases) is written anew
/// and not compared: `SNAPSHOTS=overwrite`.
pub fn overwrites() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|how| how == "overwrite")
}
