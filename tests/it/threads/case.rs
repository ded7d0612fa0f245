//! The case that was found by exploring threads replays without threads, in
//! every build.

use std::fs;
use std::path::Path;

use quiescence::catalogue::Registry;
use quiescence::hunt::case::{SearchName, read, replay};
use quiescence::hunt::property::Flaw;
use quiescence::judgement::Kind;
use quiescence::judgement::datatype::Register;

#[test]
fn the_notebook_that_diverged_on_threads_diverges_again() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/v1/notebook-storing-threads.json");
    let text = fs::read_to_string(path).expect("the case is committed");
    let case = read::read(&text).expect("it is a case");
    assert_eq!(case.found.search, Some(SearchName::Threads));
    let subject = Registry::standard().named(&case.strategy).expect("the notebook is registered");
    let replayed =
        replay::replay(&case, subject.as_ref(), &Register).expect("every action is possible");
    assert_eq!(replayed.fidelity, replay::Fidelity::Reproduced);
    assert_eq!(replayed.judgement.flaw(), Some(Flaw::History(Kind::Diverged)));
}
