//! The notebook that stores diverges on threads, and the run that does becomes
//! a case that replays without any.

use std::fs;
use std::path::Path;

use quiescence::catalogue::Registry;
use quiescence::hunt::case::{Case, FoundBy, SearchName};
use quiescence::hunt::minimise::{Aim, Failing, minimise};
use quiescence::hunt::property::{Flaw, Property};
use quiescence::judgement::Kind;
use quiescence::judgement::datatype::Register;
use quiescence::replication::notebook::{Notebook, Variant};

use super::explore::{explore, scripts};
use super::support::overwrites;

const STORING: Notebook = Notebook { variant: Variant::Storing };

#[test]
fn the_first_run_of_the_notebook_that_diverges_is_the_committed_case() {
    let workload = scripts("n1: wx1 | n2: wx2");
    let explored = explore(&STORING, 2, &workload, Some(2));
    let property: Property = "eventual".parse().expect("the name of a model");
    let diverging = explored.runs.iter().find_map(|(execution, recorded)| {
        let run = recorded.replay(&STORING).expect("the world follows");
        let (setting, workload) = (recorded.setting.clone(), recorded.workload.clone());
        Some((*execution, Failing::of(setting, workload, run, (property.clone(), &Register))?))
    });
    let (execution, failing) = diverging.expect("some interleaving diverges");
    assert_eq!(failing.flaw, Flaw::History(Kind::Diverged));
    let chosen = failing.chosen().len();
    let minimal = minimise(&STORING, Aim::FewestChoices, failing.clone()).chosen().len() == chosen;
    let found =
        FoundBy { search: Some(SearchName::Threads), run: Some(execution), ..FoundBy::default() };
    let named = Registry::standard().parse("notebook:storing").expect("it is registered").remove(0);
    let text = Case::of(&*named, &failing, minimal, found).to_text();
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1/notebook-storing-threads.json");
    if overwrites() {
        fs::write(&path, &text).expect("the case can be written");
    }
    let committed = fs::read_to_string(&path).expect("the case is committed");
    assert_eq!(text, committed, "SNAPSHOTS=overwrite writes it anew");
}
