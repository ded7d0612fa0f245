//! Every model gives the verdicts that the corpus in tests/conformance expects.

use std::collections::BTreeMap;
use std::path::Path;

use quiescence::history::formats::json_lines;
use quiescence::history::{History, notation};
use quiescence::judgement::{Budget, Model, Survey, Verdict, check, recheck};
use serde_json::Value as Json;

/// Each history of the corpus by name, with the last line of its file, which
/// has the expected verdicts.
pub(crate) fn corpus() -> BTreeMap<String, (History, Json)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("the corpus can be listed").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let (events, last) = text.trim_end().rsplit_once('\n').expect("events and a last line");
        let recording = json_lines::read(events.as_bytes()).expect("well formed");
        let last: Json = serde_json::from_str(last).expect("the last line is JSON");
        let name = last["name"].as_str().expect("a name").to_owned();
        all.insert(name, (recording.history, last));
    }
    all
}

/// The verdicts that the corpus expects of models.
pub(crate) fn expectations(last: &Json) -> Vec<(Model, bool)> {
    let expected = last["expected"].as_object().expect("expected verdicts");
    let is_model = |name: &&String| *name != "min_k" && *name != "min_delta";
    let parsed = |name: &String| name.parse().expect("the name of a model");
    let holds = |name: &String| expected[name].as_bool().expect("a verdict");
    expected.keys().filter(is_model).map(|name| (parsed(name), holds(name))).collect()
}

#[test]
fn the_corpus_has_45_histories_and_every_model_of_the_grid() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 45);
    for (name, (_, last)) in corpus {
        assert_eq!(expectations(&last).len(), 96 + 30, "{name}");
    }
}

#[test]
fn every_verdict_of_the_corpus_is_reached_and_its_evidence_replays() {
    for (name, (history, last)) in corpus() {
        for (model, holds) in expectations(&last) {
            let verdict = check(&history, model, Budget::default());
            let text = notation::write(&history);
            assert!(!matches!(verdict, Verdict::Unknown(_)), "{name} {model} {text}");
            assert_eq!(verdict.holds(), holds, "{name} {model} {text}: {verdict:?}");
            assert_eq!(recheck(&history, model, &verdict), Ok(()), "{name} {model} {text}");
        }
    }
}

#[test]
fn a_file_of_the_corpus_reads_as_its_one_line_form() {
    for (name, (history, last)) in corpus() {
        let compact = last["compact"].as_str().expect("the one-line form");
        let merge = last["merge"].as_str().expect("the order");
        let unmarked = notation::write(&history).replace('!', "");
        assert_eq!(unmarked, format!("{compact} @ {merge}"), "{name}");
    }
}

#[test]
fn a_survey_reaches_the_same_verdicts_and_the_least_k_and_delta() {
    for (name, (history, last)) in corpus() {
        let survey = Survey::of(&history, Budget::default());
        for (model, holds) in expectations(&last) {
            let entry = survey.entry(model).expect("every model was judged");
            assert_eq!(entry.verdict.holds(), holds, "{name} {model}: {entry:?}");
            // If a verdict follows from that of another model, the evidence is
            // about the other model.
            let judged = entry.from.unwrap_or(model);
            assert_eq!(recheck(&history, judged, &entry.verdict), Ok(()), "{name} {model}");
        }
        let least_k = survey.least_k.expect("decided").unwrap_or(0);
        assert_eq!(Some(u64::from(least_k)), last["expected"]["min_k"].as_u64(), "{name}");
        let least_delta = survey.least_delta.expect("decided").map_or(-1, |delta| delta as i64);
        assert_eq!(Some(least_delta), last["expected"]["min_delta"].as_i64(), "{name}");
    }
}
