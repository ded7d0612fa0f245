//! The case that `check` wrote still replays.

use quiescence::hunt::case::read::read;
use quiescence::hunt::case::replay::{Fidelity, replay};

#[test]
fn a_lost_message_loses_a_like() {
    let case = read(include_str!("cases/likes-eventual.json")).expect("it is a case");
    let registry = check::registry();
    let subject = registry.named(&case.strategy).expect("it is registered");
    let datatype = registry.datatype(&case.datatype).expect("it is known");
    let replayed = replay(&case, &*subject, datatype).expect("every step is possible");
    assert_eq!(replayed.fidelity, Fidelity::Reproduced);
}
