//! A binary with a strategy of its own, which is as bad as one can be.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

use quiescence::history::{Completion, NodeId, Value};
use quiescence::hunt::{Family, Parameter, Registry, Subject};
use quiescence::replication::{Cluster, Effects, Input, Invariant, Strategy, StrategyName};
use quiescence::world::{FaultPlan, Network, Routing, Setting};

use super::runner::{Place, Said};

/// Answers writes; what else it does depends on the mood.
#[derive(Clone, Debug)]
struct Moody {
    mood: &'static str,
}

const MOODS: [&str; 4] = ["panics", "breaks", "dreams", "silent"];

impl Strategy for Moody {
    type Replica = u8;
    type Message = u8;
    type Token = ();

    fn name(&self) -> StrategyName {
        StrategyName::new("moody").with("variant", self.mood)
    }

    fn boot(&self, _: NodeId, _: &Cluster) -> u8 {
        0
    }

    fn step(&self, writes: &mut u8, input: Input<Self>, effects: &mut Effects<Self>) {
        if let Input::Request { operation, call, .. } = input {
            assert!(self.mood != "panics" || call.is_read(), "I do not feel like writing");
            *writes = writes.saturating_add(u8::from(call.is_write()));
            if self.mood != "silent" {
                effects.reply(operation, Completion::Ok(Value::Null));
            }
        }
    }

    fn durable(&self, _: &u8) -> u8 {
        0
    }

    fn label(&self, _: &u8) -> String {
        String::new()
    }

    fn invariants(&self) -> Vec<Invariant<u8>> {
        match self.mood {
            "breaks" => vec![Invariant::always("one write a node", |replicas| {
                replicas.iter().all(|writes| **writes < 2)
            })],
            "dreams" => vec![Invariant::sometimes("a hundred writes", |replicas| {
                replicas.iter().any(|writes| **writes == 100)
            })],
            _ => Vec::new(),
        }
    }
}

fn build(chosen: &BTreeMap<String, String>) -> Box<dyn Subject> {
    let mood = MOODS.into_iter().find(|mood| chosen["variant"] == *mood);
    Box::new(Moody { mood: mood.expect("an allowed value") })
}

fn registry() -> Registry {
    let family = Family {
        name: "moody",
        about: "answers writes, unless it does not",
        parameters: &[Parameter {
            name: "variant",
            values: &MOODS,
            default: None,
            about: "the mood",
        }],
        setting: Setting {
            nodes: 2,
            network: Network::Unordered,
            faults: FaultPlan::default(),
            routing: Routing::Sticky,
        },
        build,
    };
    Registry::empty().with(family, [])
}

const LINE: &str = "QUIESCENCE_OWN_LINE";

/// Without a line in the environment this is an empty test; with one it is
/// the user's binary.
#[test]
fn the_binary_of_a_user() {
    if let Ok(line) = std::env::var(LINE) {
        let words = std::iter::once("own").chain(line.split_whitespace()).map(OsString::from);
        std::process::exit(quiescence::cli::run(&registry(), words) as i32);
    }
}

fn own(place: &Place, line: &str) -> Said {
    let output = Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["--exact", "cli::own::the_binary_of_a_user", "--nocapture", "--test-threads=1"])
        .env(LINE, line)
        .current_dir(place.path(""))
        .output()
        .expect("it can be run");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

#[test]
fn a_panic_of_a_strategy_is_a_finding_and_not_noise() {
    let place = Place::new();
    let said = own(&place, "check moody:panics --runs 20 --seed 1 -m base");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.err, "");
    assert!(said.out.contains("no-panic (panicked)"), "{}", said.out);
    assert!(said.out.contains("I do not feel like writing"), "{}", said.out);
    let said = own(&place, "replay cases/moody-panics-no-panic.json");
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{}", said.out);
}

#[test]
fn conditions_of_a_strategy_are_always_judged() {
    let place = Place::new();
    let said = own(&place, "check moody:breaks --runs 50 --seed 1 -m base");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("always:one write a node (broken)"), "{}", said.out);
    assert!(place.path("cases/moody-breaks-always-one-write-a-node.json").exists());
}

#[test]
fn a_condition_that_is_never_reached_means_that_nothing_was_checked() {
    let said = own(&Place::new(), "check moody:dreams --runs 20 --seed 1 -m base");
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.out.contains("`a hundred writes` never held"), "{}", said.out);
}

#[test]
fn runs_without_an_answer_are_no_success() {
    let said = own(&Place::new(), "check moody:silent --runs 20 --seed 1 -m ryw");
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(said.out.contains("no run had an answer to judge"), "{}", said.out);
    let said = own(&Place::new(), "check moody:silent --runs 20 --seed 1");
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.out.contains("got no answer"), "{}", said.out);
}

#[test]
fn a_registry_without_promises_has_nothing_to_check() {
    let said = own(&Place::new(), "check");
    assert_eq!(said.code, Some(4), "{said:?}");
}
