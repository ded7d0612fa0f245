//! Replays of cases whose strategy has changed since. The tests edit the
//! recording instead, which looks the same to the tool.

use super::runner::{Place, Said, read};

const CASE: &str = "cases/notebook-storing-eventual.json";

fn replay_with(before: &str, after: &str) -> Said {
    let (place, path) = Place::with_case();
    let text = read(&path);
    assert!(text.contains(before), "{before} is not in {text}");
    place.write(CASE, text.replace(before, after));
    place.run(&format!("replay {CASE}"))
}

#[test]
fn another_text_reproduces_and_is_told() {
    let said = replay_with("\"text\": \"store x=1\"", "\"text\": \"put x=1\"");
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.out.contains("REPRODUCED, texts differ at step 3"), "{}", said.out);
    assert!(said.out.contains("recorded  n1→n2 #1 put x=1   (quiescence 0.1.0)"), "{}", said.out);
    assert!(said.out.contains("present   n1→n2 #1 store x=1   (quiescence 0.1.0)"), "{}", said.out);
}

#[test]
fn another_history_differs_after_the_last_step() {
    let said = replay_with("wx1|wx2|rx2!|rx1!", "wx1|wx2|rx1!|rx1!");
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.out.contains("DIFFERS AT STEP 5"), "{}", said.out);
}

#[test]
fn another_kind_of_failure_differs() {
    let said = replay_with("\"kind\": \"diverged\"", "\"kind\": \"lost\"");
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.out.contains("eventual is violated (lost)"), "{}", said.out);
}

#[test]
fn the_version_that_wrote_it_is_named() {
    let (place, path) = Place::with_case();
    let text = read(&path).replace("\"tool\": \"0.1.0\"", "\"tool\": \"0.0.9\"");
    place.write(CASE, text.replace("\"text\": \"store x=1\"", "\"text\": \"put x=1\""));
    let said = place.run(&format!("replay {CASE}"));
    assert!(said.out.contains("(quiescence 0.0.9)"), "{}", said.out);
}

#[test]
fn a_case_of_an_unknown_strategy_is_still_explained() {
    let (place, path) = Place::with_case();
    place.write(CASE, read(&path).replace("\"notebook\"", "\"my-own\""));
    let said = place.run(&format!("explain {CASE}"));
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("A case of my-own:storing"), "{}", said.out);
    assert!(said.out.contains("rechecked by code that did not produce it"), "{}", said.out);
}
