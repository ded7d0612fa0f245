//! What the catalogue says of its strategies fits together.

use quiescence::catalogue::Registry;
use quiescence::catalogue::bench::Scope;
use quiescence::hunt::promise::Expected;

/// A promise about a misspelt variant would promise nothing, and a hint for
/// one would never be shown.
#[test]
fn every_variant_that_is_told_of_is_one_strategy_in_its_shortest_form() {
    let registry = Registry::standard();
    for family in registry.families() {
        let promised = family.promises.iter().map(|promise| &promise.strategy);
        let mutants = family.mutants.iter().map(|mutant| &mutant.strategy);
        let hinted = family.hints.iter().map(|hint| &hint.strategy);
        for text in promised.chain(mutants).chain(hinted) {
            let subjects = registry.parse(text).unwrap_or_else(|error| panic!("{error}"));
            let names: Vec<_> =
                subjects.iter().map(|subject| registry.short(&subject.strategy_name())).collect();
            assert_eq!(names, [text.as_str()]);
        }
    }
}

#[test]
fn a_hint_is_for_a_way_in_which_its_variant_is_known_to_fail() {
    let registry = Registry::standard();
    for family in registry.families() {
        for hint in &family.hints {
            let fails = family.promises.iter().any(|promise| {
                promise.strategy == hint.strategy
                    && promise.expected == Expected::Violated(hint.flaw)
            });
            assert!(fails, "{}: nobody has seen {}", hint.strategy, hint.flaw);
            assert_eq!(registry.hint(&hint.strategy, hint.flaw), Some(hint.advice));
        }
    }
}

#[test]
fn a_strategy_goes_by_the_words_that_chose_it() {
    let registry = Registry::standard();
    let named = |text: &str| {
        let subjects = registry.parse(text).expect("it is registered");
        subjects.iter().map(|subject| subject.strategy_name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(named("abd:never"), ["abd:write-back=never"]);
    let wall = "multi-primary-lww:anti-entropy=off,clock=wall";
    assert_eq!(named("multi-primary-lww:clock=wall"), [wall]);
    assert_eq!(named("notebook").len(), 5);
    let scope = |name| Scope::named(name).is_some();
    assert!(scope("lww-3-8") && scope("abd-3-1-1"));
    assert!(!scope("lww-3") && !scope("abd-0-1-1") && !scope("backup-3-65535-1"));
}
