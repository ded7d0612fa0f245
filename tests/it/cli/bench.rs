//! `bench`: figures, exit codes, and unknown scopes.

use super::runner::Place;

#[test]
fn a_scope_is_searched_and_its_figures_are_told() {
    let said = Place::new().run("bench lww-3-4");
    assert_eq!(said.code, Some(0), "{said:?}");
    for word in ["states       1,712", "transitions  6,087", "verdict      holds"] {
        assert!(said.out.contains(word), "{word} is not in {}", said.out);
    }
}

#[test]
fn figures_for_programs_have_fixed_names() {
    let said = Place::new().run("bench naive-3-6 --reduce macro --jobs 2 --format json");
    assert_eq!(said.code, Some(1), "{said:?}");
    let all: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    for key in ["states", "local_steps", "transitions"] {
        assert!(all[key].as_u64().is_some_and(|number| number > 0), "{key} in {}", said.out);
    }
    assert!(all["seconds"].is_f64() && all.get("peak_bytes").is_some());
    assert_eq!((all["verdict"].as_str(), all["length"].as_u64()), (Some("violated"), Some(6)));
}

#[test]
fn a_quorum_protocol_has_a_scope_with_timers_that_wait() {
    let said = Place::new().run("bench abd-3-1-0 --format json");
    assert_eq!(said.code, Some(0), "{said:?}");
    let all: serde_json::Value = serde_json::from_str(&said.out).expect("it is JSON");
    assert_eq!((all["verdict"].as_str(), all["states"].as_u64()), (Some("holds"), Some(62)));
}

#[test]
fn a_bounded_search_exits_with_3_and_an_unknown_scope_with_2() {
    let said = Place::new().run("bench lww-3-6 --states 100");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("bounded: the limit of states came first"), "{}", said.out);
    for line in ["bench lww-3", "bench lww-1-2", "bench lww-3-9999", "bench queue-3-2"] {
        let said = Place::new().run(line);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("scopes are named"), "{}", said.err);
    }
}

#[test]
fn a_strategy_that_reacts_declines_macro_steps() {
    let said = Place::new().run("bench backup-3-1-1 --reduce macro");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("declined     macro: there are faults"), "{}", said.out);
    let said = Place::new().run("bench gossip-3-1");
    assert!(said.out.contains("verdict      holds"), "{}", said.out);
}
