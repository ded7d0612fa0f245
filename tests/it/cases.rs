//! Case files in which sessions skip operations, and case files with unknown
//! words.

use std::collections::BTreeSet;

use quiescence::catalogue::Registry;
use quiescence::history::{Call, NodeId};
use quiescence::hunt::Subject;
use quiescence::hunt::case::{Case, FoundBy, NotACase, SearchName, read, replay};
use quiescence::hunt::minimise::Failing;
use quiescence::hunt::property::{Flaw, Property};
use quiescence::judgement::Model;
use quiescence::judgement::datatype::Register;
use quiescence::replication::OperationId;
use quiescence::world::re_execute;
use quiescence::world::{Action, Planned, Script, Shows, Step, Workload};

fn storing() -> Box<dyn Subject> {
    Registry::standard().parse("notebook:storing").expect("it exists").remove(0)
}

/// A run in which two writes cross. Session A has three operations, and invokes
/// those with these numbers, from 0; B has one.
fn crossing(invoked: &[u16]) -> Failing {
    let subject = storing();
    let setting = Registry::standard().family("notebook").expect("it exists").setting.clone();
    let script = |node, calls: Vec<Call>| Script {
        node: NodeId(node),
        operations: calls.into_iter().map(|call| Planned { call, node: None }).collect(),
    };
    let ask = [1, 2, 3].map(|value| Call::write("x", value)).to_vec();
    let workload =
        Workload { sessions: vec![script(0, ask), script(1, vec![Call::write("x", 4)])] };
    let of_a = invoked.iter().map(|&number| OperationId { session: 0, number });
    let operations = of_a.chain([OperationId { session: 1, number: 0 }]);
    let step =
        |(number, operation)| Step { number, action: Action::Invoke(operation), settling: false };
    let chosen: Vec<_> = (1..).zip(operations).map(step).collect();
    let run = re_execute(&*subject, &setting, &workload, &chosen, Shows::All);
    let property = Property::Model(Model::EVENTUAL);
    Failing::of(setting, workload, run, (property, &Register)).expect("the two replicas disagree")
}

fn text(invoked: &[u16]) -> String {
    let found = FoundBy { search: Some(SearchName::Random), ..FoundBy::default() };
    Case::of(&*storing(), &crossing(invoked), false, found).to_text()
}

fn outcome(text: &str) -> replay::Fidelity {
    let case = read::read(text).expect("it is a case");
    assert_eq!(case.to_text(), text, "reading and writing changes nothing");
    replay::replay(&case, &*storing(), &Register).expect("its steps are possible").fidelity
}

/// The complaint about the case of `invoked` with one text replaced by another,
/// and the text at the place to which the complaint points.
fn refused(invoked: &[u16], before: &str, after: &str) -> (String, String) {
    let text = text(invoked);
    assert!(text.contains(before), "{before} is not in {text}");
    let text = text.replacen(before, after, 1);
    let NotACase { line, column, reason } = read::read(&text).expect_err("it is malformed");
    let line = text.lines().nth(line - 1).expect("the line exists");
    (reason, line.chars().skip(column - 1).collect())
}

#[test]
fn a_case_that_leaves_operations_out_replays_from_its_text() {
    for (invoked, numbers) in [
        (vec![1], vec!["\"operation\": 2"]),
        (vec![0, 2], vec!["\"operation\": 3"]),
        (vec![2], vec!["\"operation\": 3"]),
        (vec![1, 2], vec!["\"operation\": 2"]),
        (vec![0, 1, 2], vec![]),
        (vec![0], vec![]),
    ] {
        let text = text(&invoked);
        let written: Vec<_> = text.matches("\"operation\": ").collect();
        assert_eq!(written.len(), numbers.len(), "only what is not the next one: {text}");
        assert!(numbers.iter().all(|number| text.contains(number)), "{text}");
        assert_eq!(outcome(&text), replay::Fidelity::Reproduced, "{invoked:?}: {text}");
    }
}

#[test]
fn an_operation_may_be_numbered_where_it_need_not_be() {
    let plain = text(&[0, 1]);
    let invoke = "\"do\": \"invoke\", \"session\": \"A\"";
    let numbered = plain.replacen(invoke, &format!("{invoke}, \"operation\": 1"), 1);
    assert_ne!(numbered, plain);
    let case = read::read(&numbered).expect("it is a case");
    assert_eq!(case, read::read(&plain).expect("it is a case"));
}

#[test]
fn an_operation_that_does_not_exist_is_refused_at_its_place() {
    for number in ["0", "4", "70000", "18446744073709551615"] {
        let after = format!("\"operation\": {number}");
        let (reason, place) = refused(&[1], "\"operation\": 2", &after);
        let expected = format!("step 1: session A has no operation {number}; it has 3, from 1");
        assert_eq!(reason, expected);
        assert!(place.starts_with(number), "{place}");
    }
}

#[test]
fn an_operation_that_the_session_has_gone_past_is_refused_at_its_place() {
    let (reason, place) = refused(&[0, 2], "\"operation\": 3", "\"operation\": 1");
    assert_eq!(
        reason,
        "step 2: session A has gone past its operation 1; operations may be left out, never repeated"
    );
    assert!(place.starts_with('1'), "{place}");
    let (reason, _) = refused(&[2], "\"operation\": 3, ", "\"operation\": 3.5, ");
    assert!(reason.contains("3.5"), "{reason}");
}

#[test]
fn only_an_invocation_has_an_operation() {
    let (reason, place) =
        refused(&[0], "\"do\": \"deliver\"", "\"do\": \"deliver\", \"operation\": 1");
    assert_eq!(reason, "step 3: only `invoke` has an \"operation\"");
    assert!(place.starts_with('1'), "{place}");
}

#[test]
fn a_kind_that_does_not_exist_is_refused_at_its_place_with_those_that_do() {
    let (reason, place) = refused(&[0], "\"kind\": \"diverged\"", "\"kind\": \"bananas\"");
    assert!(reason.starts_with("there is no kind `bananas`; there is illegal, "), "{reason}");
    assert!(place.starts_with("\"bananas\""), "{place}");
}

#[test]
fn a_search_that_does_not_exist_is_refused_at_its_place_with_those_that_do() {
    let (reason, place) = refused(&[0], "\"search\": \"random\"", "\"search\": \"tarot\"");
    assert_eq!(reason, "there is no search `tarot`; there is random, exhaustive, threads");
    assert!(place.starts_with("\"tarot\""), "{place}");
    // A case need not say which search found it.
    let nobody = text(&[0]).replacen("\"search\": \"random\"", "", 1);
    assert_eq!(read::read(&nobody).expect("it is a case").found, FoundBy::default());
    let empty = text(&[0]).replacen("\"random\"", "\"\"", 1);
    assert_eq!(read::read(&empty).expect("it is a case").found, FoundBy::default());
}

#[test]
fn the_schema_names_the_kinds_and_searches_that_readers_accept() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/schema/case.schema.json")).expect("JSON");
    let named = |place: &str| -> BTreeSet<String> {
        let names = schema.pointer(place).and_then(|names| names.as_array()).expect("a list");
        names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let kinds = named("/properties/kind/enum");
    assert_eq!(kinds, Flaw::ALL.iter().map(ToString::to_string).collect());
    assert!(
        kinds.iter().all(|kind| kind.parse::<Flaw>().is_ok_and(|flaw| flaw.to_string() == *kind))
    );
    let searches = named("/properties/found/properties/search/enum");
    assert_eq!(searches, SearchName::ALL.iter().map(ToString::to_string).collect());
}
