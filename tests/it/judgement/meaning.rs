//! What operations mean: which datatype a history is about, what its objects
//! held at first, which answers nothing can have caused, and which searches
//! must end early.

use std::fmt::Write as _;

use quiescence::history::{History, Value, notation};
use quiescence::judgement::datatype::{Like, Queue};
use quiescence::judgement::initial::{seen, suggested};
use quiescence::judgement::{
    Begun, Budget, Judge, Kind, Model, Verdict, check, check_with, datatype, recheck, recheck_with,
};

use super::simulated::built;
use super::{history, judged, word};

fn linearizable(text: &str) -> Verdict {
    judged(text, "linearizable")
}

/// The verdict if objects hold this value at first.
#[track_caller]
fn begun(text: &str, initial: impl Into<Value>) -> String {
    let (history, initial) = (history(text), initial.into());
    let begun = Begun::with(&history, Some(&initial)).expect("an object can hold it");
    let verdict = begun.judge().check(Model::Linearizable, Budget::default());
    assert_eq!(begun.recheck(Model::Linearizable, &verdict), Ok(()), "{text}: {verdict:?}");
    word(&verdict)
}

#[test]
fn objects_may_hold_something_else_at_first() {
    assert_eq!(begun("rx=0 wx1 rx1 @ 000000", 0), "holds");
    assert_eq!(begun("rx=null @ 00", 0), "illegal");
    assert_eq!(begun("wx1 rx=0 @ 0000", 0), "unexplained");
    assert_eq!(begun("[cas]x=[0,1] rx1 @ 0000", 0), "holds");
    assert_eq!(begun("[inc]c=null rc=6 @ 0000", 5), "holds");
    assert_eq!(begun("[inc]c=null rc=1 @ 0000", 5), "unexplained");
    let two: Value = vec![Value::from(2), Value::from(1), Value::from(2)].into();
    assert_eq!(begun("[remove]s=1 rs=[2] @ 0000", two.clone()), "holds");
    assert_eq!(begun("[dequeue]q=null:2 [dequeue]q=null:1 @ 0000", two), "holds");
    assert_eq!(begun("[append]t=\"b\" [get]t=null:\"ab\" @ 0000", "a"), "holds");
    // As they do anyway: what has an unknown outcome may have taken the value.
    let taken = "[enqueue]q=1 | [dequeue]q=null? | [dequeue]q=null:null @ 00122";
    let nothing: Value = Vec::new().into();
    assert_eq!(begun(taken, nothing.clone()), "holds");
    let (taken, like) = (history(taken), Like::beginning(&Queue, nothing));
    let verdict = check_with(&taken, Model::Linearizable, &like, Budget::default());
    assert_eq!(recheck_with(&taken, Model::Linearizable, &like, &verdict), Ok(()));
    assert!(verdict.holds(), "{verdict:?}");
    let counter = history("[inc]c=null rc=6 @ 0000");
    let refused = Begun::with(&counter, Some(&Value::from("five"))).expect_err("no number");
    assert_eq!(refused, "a counter cannot hold \"five\" at first");
}

#[test]
fn what_early_reads_agree_about_is_suggested_as_the_initial_value() {
    let told = |text: &str| suggested(seen(&history(text))).map(|value| value.to_string());
    for (text, initial) in [
        ("rx=0 @ 00", Some("0")),
        ("rx=0 wx1 rx1 | ry=0 @ 00000011", Some("0")),
        ("wx1|rx=7 @ 0011", None),
        ("wx1|rx=7 @ 0110", Some("7")),
        ("rx=0|rx=2 @ 0011", None),
        ("rx=0|ry=null @ 0011", None),
        ("wx=0~|rx=0 @ 0011", None),
        ("rx=0|wx=0~ @ 0011", Some("0")),
        ("rx=0|wx=0 @ 0011", None),
        ("rx=null wx1 @ 0000", None),
        ("rc=5 [inc]c=null rc=6 @ 000000", Some("5")),
        ("[get]t=null:\"a\" [append]t=\"b\" @ 0000", Some("\"a\"")),
    ] {
        assert_eq!(told(text).as_deref(), initial, "{text}");
    }
}

#[test]
fn a_failed_write_that_was_asked_after_the_read_is_no_explanation_of_it() {
    for model in ["linearizable", "eventual", "ccv", "regular"] {
        for (text, words, operations) in [
            ("rx5 | wx5~ @ 0011", "which nobody wrote", 1),
            ("wx5~ | rx5 @ 0011", "but the write x=5 of process 0 had failed", 2),
            ("rx5 | wx5~ @ 0110", "but the write x=5 of process 1 had failed", 2),
        ] {
            let Verdict::Violated(found) = judged(text, model) else { panic!("{text}: it fails") };
            let told = found.explain(&history(text));
            assert!(told.contains(words), "{model} of {text}: {told}");
            assert_eq!(found.operations.len(), operations, "{model} of {text}: {told}");
        }
    }
}

#[test]
fn a_read_that_came_before_a_failed_write_is_evidence_without_it() {
    let text = "rx5 | wx5~ | rx5 @ 001122";
    let Verdict::Violated(found) = judged(text, "cache") else { panic!("nobody wrote 5") };
    assert_eq!(found.operations, [0], "{}", found.explain(&history(text)));
}

#[test]
fn transactions_are_not_judged_as_registers_and_are_refused_by_name() {
    for text in [
        "wx=[[\":w\",0,1]] rx=[[\":r\",0,1]] @ 0000",
        "wx=[[\":w\",0,1]]? @ 0",
        "rx=[[\":r\",0,null],[\":r\",1,2]] @ 00",
        "[txn]x=[[\"append\",0,1]]:[[\"append\",0,1]] @ 00",
    ] {
        for model in [Model::Linearizable, Model::EVENTUAL] {
            let verdict = check(&history(text), model, Budget::default());
            let Verdict::Unknown(unknown) = verdict else { panic!("{text}: {verdict:?}") };
            assert!(unknown.reason.contains("is a transaction, a list of micro-op"), "{unknown}");
        }
        assert!(Judge::of(&history(text)).says_anything(), "{text}");
    }
    // Lists are ordinary values.
    assert!(linearizable("wx=[[1,2,3]] rx=[[1,2,3]] @ 0000").holds());
    assert!(linearizable("wx=[\"w\",0,1] rx=[\"w\",0,1] @ 0000").holds());
}

#[test]
fn functions_that_nobody_knows_are_not_judged_whatever_they_answer() {
    let text = "[reserve]l=null | [reserve]l=null @ 0011";
    let verdict = check(&history(text), Model::Linearizable, Budget::default());
    let Verdict::Unknown(unknown) = verdict else { panic!("{verdict:?}") };
    assert!(unknown.reason.contains("no datatype here knows `reserve l`"), "{unknown}");
    assert!(Judge::of(&history(text)).says_anything());
}

#[test]
fn nothing_is_said_by_what_cannot_be_answered_wrongly() {
    for (text, says) in [
        ("", false),
        ("wx1 @ 00", false),
        ("rx1? @ 0", false),
        ("[add]s=1:1 @ 00", false),
        ("[inc]c=null:7 @ 00", false),
        ("[enqueue]q=1 @ 00", false),
        ("[enqueue]q=1 [dequeue]q=null @ 0000", true),
        ("[cas]x=[1,2] @ 00", true),
        ("[get]t=null:\"\" @ 00", true),
        ("[acquire]l=null~ @ 00", false),
    ] {
        assert_eq!(Judge::of(&history(text)).says_anything(), says, "{text}");
    }
    assert_eq!(word(&linearizable("[enqueue]q=1 [dequeue]q=null @ 0000")), "unexplained");
}

#[test]
fn what_failed_and_what_is_open_tell_what_a_history_is_about() {
    for (text, name) in [
        ("[add]x=1~ rx=0 @ 0000", "counter"),
        ("[add]x=1? | rx=0 @ 011", "counter"),
        ("[add]x=1~ rx=[] @ 0000", "set"),
        ("[append]x=\"a\"~ [get]x=null:\"\" @ 0000", "text register"),
        ("[cas]x=[1,2]~ rx=null @ 0000", "register"),
        // An operation that does not fit the others does not count if it
        // failed.
        ("[add]x=1~ rx=null @ 0000", "register"),
        ("[swap]x=1~ wx1 rx1 @ 000000", "register"),
    ] {
        let history = history(text);
        let known = datatype::of(&history).map(|datatype| datatype.name());
        assert_eq!(known, Ok(name), "{text}");
        assert!(linearizable(text).holds(), "{text}");
    }
}

/// A history of open calls, each by a process of its own, then one call that is
/// answered.
fn open(calls: impl Iterator<Item = String>, then: &str) -> History {
    let calls: Vec<String> = calls.collect();
    let mut text = calls.iter().map(|call| format!("{call}? | ")).collect::<String>();
    text.push_str(then);
    text.push_str(" @ ");
    for process in 0..calls.len() {
        write!(text, "{process} ").expect("a text grows");
    }
    let _ = write!(text, "{0} {0}", calls.len());
    notation::parse(&text).expect("the text is in the notation")
}

#[test]
fn a_value_that_no_compare_and_set_can_leave_is_illegal_at_once() {
    let all = |values: i64| {
        let pairs = (1..=values).flat_map(move |a| (1..=values).map(move |b| (a, b)));
        let swaps = pairs.map(|(a, b)| format!("[cas]x=[{a},{b}]"));
        ["wx1".to_owned()].into_iter().chain(swaps)
    };
    let few = Budget::of(100);
    for (calls, then, words) in [
        (all(7).collect::<Vec<_>>(), "rx=9", "which nobody wrote"),
        (all(7).collect(), "[cas]x=[9,1]", "which finds 9, but nobody wrote that"),
        (
            all(7).chain(["[cas]x=[8,9]".into(), "[cas]x=[9,8]".into()]).collect(),
            "rx=9",
            "and 9 is left only by process 50's `cas x=[8,9]`, process 51's `cas x=[9,8]`, of",
        ),
    ] {
        let history = open(calls.into_iter(), then);
        for model in [Model::Linearizable, Model::Sequential] {
            let verdict = check(&history, model, few);
            assert_eq!(verdict.kind(), Some(Kind::Illegal), "{then}: {verdict:?}");
            assert_eq!(recheck(&history, model, &verdict), Ok(()));
            let Verdict::Violated(found) = verdict else { panic!("it fails") };
            let told = found.explain(&history);
            assert!(told.contains(words), "{told}");
            assert!(found.minimal && found.operations.len() <= 3, "{told}");
        }
    }
    // A value that some compare-and-set may leave is not illegal.
    let verdict = linearizable("wx1? | [cas]x=[1,2]? | [cas]x=[2,3]? | rx=3 @ 01233");
    assert!(verdict.holds());
}

#[test]
fn a_claim_that_nothing_caused_an_answer_is_replayed() {
    let text = "[cas]x=[8,9]? | [cas]x=[9,8]? | rx=9 @ 0122";
    let Verdict::Violated(found) = linearizable(text) else { panic!("it fails") };
    let history = history(text);
    let mut claim = found.clone();
    claim.reason = quiescence::judgement::Reason::Unfounded { read: 2, among: vec![0] };
    let verdict = Verdict::Violated(claim);
    assert!(recheck(&history, Model::Linearizable, &verdict).is_err(), "9 may have been left");
    let written = super::history("[cas]x=[8,9]? | [cas]x=[9,8]? | rx=9 | wx8 @ 012233");
    assert!(recheck(&written, Model::Linearizable, &Verdict::Violated(found)).is_err());
}

#[test]
fn a_counter_counts_beyond_64_bits_on_its_way() {
    let most = i64::MAX;
    assert!(
        linearizable(&format!("[add]c={most} [inc]c=null [dec]c=null rc={most} @ 00000000"))
            .holds()
    );
    assert!(!linearizable(&format!("[add]c={most} [inc]c=null rc={most} @ 000000")).holds());
}

#[test]
fn compare_and_sets_that_found_another_value_or_are_open_are_evidence_that_replays() {
    for text in [
        "wx1 | [cas]x=[2,3]:\"mismatch\" | rx=3 @ 001122",
        "wx2 | [cas]x=[2,3]? | wx1 rx=3 rx=2 @ 001222222",
        "wx1 wx2 | [cas]x=[1,5]? | rx=5 rx=1 @ 000012222",
        "wx3 [cas]x=[2,3]:\"mismatch\" | wx1 rx=3 @ 00001111",
    ] {
        assert!(linearizable(text).kind().is_some(), "{text}");
    }
    // One that found another value changed nothing, so no answer depends on it.
    let text = "wx3 wx1 rx3 | [cas]x=[2,3]:\"mismatch\" @ 00000011";
    let Verdict::Violated(found) = linearizable(text) else { panic!("3 was overwritten") };
    assert_eq!(found.operations, [0, 1, 2], "{}", found.explain(&history(text)));
}

/// Concurrent calls by one process each, then several calls by one more
/// process, one after the other.
fn all_at_once(calls: impl Iterator<Item = String>, then: &[String]) -> History {
    let mut sessions: Vec<String> = calls.collect();
    let many: String = ('0'..='9').chain('a'..='z').take(sessions.len()).collect();
    let last = char::from_digit(sessions.len() as u32, 36).expect("there are not that many");
    sessions.push(then.join(" "));
    let order = format!("{many}{many}{}", last.to_string().repeat(2 * then.len()));
    notation::parse(&format!("{} @ {order}", sessions.join(" | "))).expect("in the notation")
}

#[test]
fn a_text_that_has_gone_astray_is_not_searched_on() {
    let appends = ('a'..='l').map(|letter| format!("[append]a=\"{letter}\""));
    let history = all_at_once(appends, &["[get]a=null:\"lkjihgfedcb?\"".to_owned()]);
    let verdict = check(&history, Model::Linearizable, Budget::of(1_000));
    assert!(verdict.kind().is_some(), "{verdict:?}");
    // A put in between may replace the wrong text; one that comes after the
    // read cannot.
    for (text, holds) in [
        ("[append]a=\"x\" | [put]a=\"y\" | [get]a=null:\"y\" @ 012120", true),
        ("[append]a=\"x\" | [put]a=\"y\"? | [get]a=null:\"y\" @ 00122", true),
        ("[append]a=\"x\" | [get]a=null:\"y\" | [put]a=\"y\" @ 001122", false),
    ] {
        assert_eq!(linearizable(text).holds(), holds, "{text}");
    }
}

#[test]
fn a_hard_key_does_not_keep_the_others_from_being_looked_at() {
    // The queue `h` has many orders, all wrong, and a value twice, so that it is searched; the
    // queue `e` has one.
    let enqueue = (0..9).map(|value| format!("[enqueue]h={}", value.max(1)));
    let dequeue = (1..9).rev().chain([77]).map(|value| format!("[dequeue]h=null:{value}"));
    let plain = ["[enqueue]e=1", "[dequeue]e=null"].map(str::to_owned);
    let history = all_at_once(enqueue, &dequeue.chain(plain).collect::<Vec<_>>());
    for model in [Model::Linearizable, Model::Cache] {
        let verdict = check(&history, model, Budget::of(15_000));
        let Verdict::Violated(found) = verdict else { panic!("{model}: {verdict:?}") };
        assert_eq!(found.operations, [18, 19], "{model}");
        let hard = history.restricted_to(&(0..18).collect::<Vec<_>>());
        let verdict = check(&hard, model, Budget::of(15_000));
        assert!(matches!(verdict, Verdict::Unknown(_)), "{model}: {verdict:?}");
    }
    // The same if operations of a process touch, so that keys depend on each
    // other.
    let mut touching = history.operations().to_vec();
    touching[19].invoked = touching[18].returned.expect("it was answered");
    let verdict = check(&built(touching), Model::Linearizable, Budget::of(60_000));
    let Verdict::Violated(found) = verdict else { panic!("{verdict:?}") };
    assert_eq!(found.operations, [18, 19]);
}
