//! A binary with a strategy of its own, which misbehaves in several ways.

use std::ffi::OsString;
use std::process::Command;

use quiescence::prelude::*;

use super::runner::{Place, Said};

/// Answers requests; its mood decides how it misbehaves.
#[derive(Clone, Debug)]
struct Moody {
    mood: &'static str,
}

impl Strategy for Moody {
    type Replica = u8;
    type Message = u8;
    type Token = ();

    fn boot(&self, _: NodeId, _: &Cluster) -> u8 {
        0
    }

    fn step(&self, writes: &mut u8, input: Input<Self>, effects: &mut Effects<Self>) {
        if let Input::Request { operation, call, .. } = input {
            assert!(self.mood != "panics" || call.is_read(), "I do not feel like writing");
            *writes = writes.saturating_add(u8::from(call.is_write()));
            if self.mood != "silent" {
                effects.ok(operation, Value::Null);
            }
        }
    }

    fn durable(&self, _: &u8) -> u8 {
        0
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

fn registry() -> Registry {
    let moods = Variants::of(Moody { mood: "" }).open(
        "variant",
        "the mood",
        [
            ("panics", |it| it.mood = "panics"),
            ("breaks", |it| it.mood = "breaks"),
            ("dreams", |it| it.mood = "dreams"),
            ("silent", |it| it.mood = "silent"),
        ],
    );
    let pair = Setting::calm(2, Network::Unordered);
    let about = "answers writes, unless it does not";
    Registry::empty().with(Family::new("moody", about, &pair, moods))
}

const LINE: &str = "QUIESCENCE_OWN_LINE";

/// Without a command line in the environment this test does nothing; with one
/// it is the user's binary.
#[test]
fn the_binary_of_a_user() {
    if let Ok(line) = std::env::var(LINE) {
        let words = std::iter::once("own").chain(line.split_whitespace()).map(OsString::from);
        let registry = registry().versioned("7.8.9");
        std::process::exit(quiescence::cli::run(&registry, words) as i32);
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

/// What a user meets is the user's binary: nothing shows a command or a strategy of ours.
#[test]
fn it_speaks_of_itself() {
    let place = Place::new();
    let ours = format!(" (quiescence {})", env!("CARGO_PKG_VERSION"));
    let version = format!("own 7.8.9{ours}");
    assert!(own(&place, "--version").out.contains(&version));
    let commands =
        ["check", "bench", "replay", "report", "test", "review", "demo", "explain", "verify"];
    let lines = commands.into_iter().chain(["convert", "list", "init", "completions", "man"]);
    let helps = lines.map(|line| format!("{line} --help"));
    let pages =
        ["bash", "zsh", "fish", "elvish", "powershell"].map(|it| format!("completions {it}"));
    for line in helps.chain(pages).chain(["--help", "man"].map(str::to_owned)) {
        let said = own(&place, &line);
        assert_eq!(said.code, Some(0), "{line}: {said:?}");
        for strange in ["notebook", "quiescence", "abd "] {
            let told = said.out.replace(&ours, "").replace("abd-3-1-1 ", "");
            let told = told.replace("quiescence.toml", "").replace("quiescence\\&.toml", "");
            assert!(!told.contains(strange), "{line} says {strange}: {told}");
        }
        assert!(said.out.contains("own"), "{line}: {}", said.out);
    }
}

#[test]
fn its_examples_are_of_its_strategies() {
    let place = Place::new();
    let help = own(&place, "check --help").out;
    let (_, examples) = help.split_once("Examples:\n").expect("there are examples");
    let lines: Vec<_> = examples.lines().take_while(|it| it.starts_with("  ")).collect();
    // It has no promises, no mutants and no ladder.
    assert_eq!(
        lines,
        [
            "  own check moody  one strategy, or a variant of it",
            "  own check moody --faults drop=1 --model eventual",
            "  own check moody --model lin --routing roaming --time 60s",
            "  own check moody --search exhaustive --writes 3 --reads 2 --sessions 2",
        ]
    );
    for line in &lines {
        let (line, _) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
        let line = line.strip_prefix("own ").expect("it is a command of this binary");
        let said = own(&place, &format!("{line} --runs 10 --states 100"));
        assert!(matches!(said.code, Some(0 | 1 | 3)), "{line}: {said:?}");
    }
    assert!(own(&place, "test --help").out.contains("own test cases/moody-eventual.json"));
    assert!(own(&place, "demo --help").out.contains("[default: moody:panics]"));
    assert!(own(&place, "completions bash").out.contains(" moody:panics "));
    let demo = own(&place, "demo --speed 10000 --duration 1s").out;
    assert!(demo.contains("moody:panics · live"), "{demo}");
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
