//! What the verdicts mean, in examples.

use quiescence::history::notation;
use quiescence::judgement::model::implies;
use quiescence::judgement::verdict::recheck_with;
use quiescence::judgement::{
    Budget, Judge, Kind, Model, Survey, Verdict, check, check_with, datatype, oracle, recheck,
};

use super::{history, judged, model, word};

#[track_caller]
fn says(text: &str, expected: &[(&str, &str)]) {
    for (name, expected) in expected {
        assert_eq!(word(&judged(text, name)), *expected, "{text} under {name}");
    }
}

#[track_caller]
fn explains(text: &str, name: &str, expected: &str) {
    let Verdict::Violated(found) = judged(text, name) else { panic!("{name} holds of {text}") };
    assert_eq!(found.explain(&history(text)), expected);
}

#[test]
fn an_empty_history_is_allowed_by_every_model() {
    for model in Model::all() {
        assert_eq!(word(&judged("", &model.name())), "holds");
    }
}

#[test]
fn a_pending_write_may_explain_a_later_read() {
    says("wx1?|rx1", &[("linearizable", "holds"), ("ccv_ev", "holds")]);
}

#[test]
fn a_pending_write_need_not_have_happened() {
    says("wx1?|rx0!", &[("linearizable", "holds"), ("eventual", "holds")]);
}

#[test]
fn a_pending_write_that_was_read_has_happened() {
    says(
        "wx1?|rx1|rx0!",
        &[("linearizable", "unexplained"), ("eventual", "lost"), ("mr", "holds")],
    );
}

#[test]
fn an_unanswered_or_failed_read_constrains_nothing() {
    says("wx1 rx?|rx~ @ 00101", &[("linearizable", "holds"), ("ccv", "holds")]);
}

#[test]
fn a_failed_write_did_not_happen() {
    says("wx1~|rx0!", &[("linearizable", "holds"), ("eventual", "holds")]);
}

#[test]
fn seeing_a_failed_write_is_illegal_under_every_model_that_sees_causes() {
    let causal = |model: &Model| implies(*model, Model::BASE, false);
    for model in Model::all().filter(causal) {
        assert_eq!(word(&judged("wx1~|rx1", &model.name())), "illegal", "{model}");
    }
}

#[test]
fn the_kind_is_the_first_that_applies() {
    says("wx1|wy2|rx0!|ry2!|ry0! rz9", &[("eventual", "illegal")]);
    says("wx1|wy2|rx0!|ry2!|ry0!", &[("eventual", "diverged")]);
    says("wx1|wy2|rx0!|ry2!|ry2!", &[("eventual", "lost")]);
    says("wx1|wy2|rx1!|ry2!|ry2!", &[("eventual", "holds")]);
}

#[test]
fn without_reads_at_quiescence_eventual_visibility_asks_nothing() {
    says("wx1|rx1|rx0", &[("eventual", "holds"), ("base", "holds")]);
}

#[test]
fn real_time_plays_no_part_in_eventual_consistency() {
    says("wx1|wx2|rx1! @ 001122", &[("eventual", "holds"), ("linearizable", "unexplained")]);
}

#[test]
fn writing_null_is_a_write_and_reading_it_may_be_the_initial_value() {
    says("wx=null|rx0!", &[("eventual", "holds"), ("linearizable", "holds")]);
    says("wx1 wx=null|rx0!", &[("eventual", "holds"), ("mw_ev", "holds")]);
    says("wx=null wx1|rx0!", &[("eventual", "holds"), ("mw_ev", "unexplained")]);
}

#[test]
fn a_value_written_twice_may_come_from_either_write() {
    says("wx1 wx2|wx1|rx2 rx1", &[("linearizable", "unexplained"), ("ccv", "holds")]);
    says("wx1 wx2 wx1|rx2 rx1", &[("ccv", "holds")]);
    says("wx1 wx2|rx1 rx2 rx1", &[("sess3", "unexplained"), ("ryw", "holds")]);
}

#[test]
fn an_operation_that_begins_when_the_last_one_ends_still_follows_it() {
    use quiescence::history::{Builder, Call, ProcessId};
    let mut events = Builder::new();
    let (a, b) = (ProcessId(0), ProcessId(1));
    events.invoke(a, 0, Call::write("x", 1)).expect("an event");
    events.invoke(b, 0, Call::write("y", 1)).expect("an event");
    events.ok(a, 5, ()).expect("an event");
    events.ok(b, 5, ()).expect("an event");
    events.invoke(a, 5, Call::read("y")).expect("an event");
    events.invoke(b, 5, Call::read("x")).expect("an event");
    events.ok(a, 9, ()).expect("an event");
    events.ok(b, 9, ()).expect("an event");
    let history = events.finish();
    // Each key alone has an order, because the reads overlap the writes.
    let verdict = check(&history, Model::Linearizable, Budget::default());
    assert_eq!(verdict.kind(), Some(Kind::Unexplained));
    assert_eq!(recheck(&history, Model::Linearizable, &verdict), Ok(()));
    assert_eq!(oracle::judge(&history, Model::Linearizable), Err(Kind::Unexplained));
}

#[test]
fn another_datatype_is_unknown_to_models_of_visibility() {
    let judge = |text: &str, model| check(&history(text), model, Budget::default());
    let text = "[add]s=3|rs=[3]";
    let Verdict::Unknown(why) = judge(text, Model::EVENTUAL) else { panic!("a verdict") };
    assert!(why.reason.starts_with("what concurrent adds and removes of a set mean"), "{why}");
    let queue = "[enqueue]q=3|[dequeue]q=null:3 @ 0011";
    let Verdict::Unknown(why) = judge(queue, Model::EVENTUAL) else { panic!("a verdict") };
    assert_eq!(
        why.to_string(),
        "eventual is about registers that are only read and written, and about types whose \
         concurrent updates have a meaning; a queue gives them none (0 steps spent)"
    );
    assert_eq!(word(&judged(text, "linearizable")), "holds");
    assert_eq!(word(&judge("[add]s=3~|rs0", Model::EVENTUAL)), "holds");
    let Verdict::Unknown(why) = judge("[frob]s=3|rs0", Model::Linearizable) else { panic!() };
    assert!(why.reason.contains("no datatype here knows `frob s=3`"), "{why}");
}

#[test]
fn orders_of_other_datatypes_are_judged_by_what_their_operations_mean() {
    for (text, expected) in [
        ("[inc]c=null rc=1|[inc]c=null rc=2 @ 00001111", "holds"),
        ("[inc]c=null rc=1|[inc]c=null rc=2 @ 00110011", "unexplained"),
        ("[add]s=1 rs=[1]|[add]s=2 rs=[2,1] @ 00110011", "unexplained"),
        ("[add]s=1 rs=[1]|[add]s=2 rs=[2,1] @ 00001111", "holds"),
        ("[enqueue]q=1 [enqueue]q=2|[dequeue]q=null:1 [dequeue]q=null:2 @ 00001111", "holds"),
        ("[enqueue]q=1 [enqueue]q=2|[dequeue]q=null:2 @ 000011", "unexplained"),
        ("wx=1 [cas]x=[1,2]|[cas]x=[1,3] @ 000110", "unexplained"),
        ("wx=1 [cas]x=[1,2]|rx=2 @ 000011", "holds"),
        ("wx=1 [cas]x=[1,2]|[cas]x=[2,3]?|rx=3 @ 0000122", "holds"),
        ("wx=1 [cas]x=[1,2]|[cas]x=[1,3]?|rx=3 @ 0000122", "unexplained"),
    ] {
        assert_eq!(word(&judged(text, "linearizable")), expected, "{text}");
    }
}

#[test]
fn a_tiny_budget_ends_as_unknown_and_never_as_a_verdict() {
    let text = "wx1|wx1|wx2|rx1 rx2|rx2 rx1";
    for name in ["ccv", "base", "linearizable"] {
        let verdict = check(&history(text), model(name), Budget::of(0));
        let Verdict::Unknown(why) = verdict else { panic!("{name} was decided for nothing") };
        assert!(why.reason.contains("the budget ended"), "{why}");
    }
    for steps in 0..200 {
        let verdict = check(&history(text), model("ccv"), Budget::of(steps));
        let settled = word(&judged(text, "ccv"));
        assert!(word(&verdict) == "unknown" || word(&verdict) == settled, "{steps} steps");
        assert_eq!(recheck(&history(text), model("ccv"), &verdict), Ok(()));
    }
}

#[test]
fn a_large_counterexample_gives_way_to_a_small_one_of_a_weaker_model() {
    // Values repeat, so no order is ruled out without a search.
    let history = history("wx1|wx1|wx2|rx1 rx2|rx2 rx1|wy1|ry1 ry0");
    let (strong, weak) = (model("linearizable"), model("mr"));
    let judge = Judge::of(&history);
    let survey = Survey::among(&judge, &[strong, weak], |model| {
        let whole = Budget { minimise: 0, ..Budget::default() };
        judge.check(model, if model == strong { whole } else { Budget::default() })
    });
    let entry = survey.entry(strong).expect("it was judged");
    assert_eq!(entry.from, Some(weak));
    assert_eq!(recheck(&history, weak, &entry.verdict), Ok(()));
    let Verdict::Violated(found) = &*entry.verdict else { panic!("it is violated") };
    assert!(found.minimal && found.operations.len() < history.len(), "{found:?}");
    // No weaker model was judged, so the counterexample stays as it was found.
    let alone = Survey::among(&judge, &[strong], |model| {
        judge.check(model, Budget { minimise: 0, ..Budget::default() })
    });
    assert_eq!(alone.entry(strong).expect("it was judged").from, None);
}

#[test]
fn very_many_reads_of_repeated_values_end_as_unknown() {
    let reads = |n: usize| format!("wx1|wx1|{}", vec!["rx1"; n].join(" "));
    assert_eq!(word(&judged(&reads(900), "mr")), "holds");
    let verdict = check(&history(&reads(1_001)), model("mr"), Budget::default());
    let Verdict::Unknown(why) = verdict else { panic!("decided beyond the limit") };
    assert!(why.reason.contains("written repeatedly"), "{why}");
}

#[test]
fn very_many_reads_of_repeated_values_do_not_hide_what_is_violated_beside_them() {
    let again = "[delete]x rx0 ".repeat(1_200);
    let text = |tail: &str| format!("wx1|{again}wy1 wy2 ry1|{tail}");
    // Nothing explains that the process saw 1 after its own write of 2.
    let expected = [
        ("sess3", "unexplained"),
        ("ccv", "unexplained"),
        ("pram", "unexplained"),
        ("regular", "unexplained"),
        // That does not matter to these, and the reads of null are too many to know more.
        ("ryw", "unknown"),
        ("base", "unknown"),
    ];
    for (name, expected) in expected {
        let (history, model) = (history(&text("rx1")), model(name));
        let verdict = check(&history, model, Budget::default());
        assert_eq!(word(&verdict), expected, "{name}");
        assert_eq!(recheck(&history, model, &verdict), Ok(()), "{name}");
        if let Verdict::Violated(found) = verdict {
            assert!(found.minimal && found.operations.len() < 6, "{name}: {found:?}");
        }
    }
}

#[test]
fn histories_of_more_than_64_writes_are_judged_alike() {
    let writes = |n: u32| (1..=n).map(|value| format!("wx{value}")).collect::<Vec<_>>().join(" ");
    for n in [5, 63, 64, 65, 200] {
        let text = |tail: &str| format!("{}|{tail}", writes(n));
        says(&text(&format!("rx{n} rx1!")), &[("eventual", "holds"), ("sess3", "unexplained")]);
        says(&text(&format!("rx2 rx{n}!")), &[("ccv_ev", "holds"), ("cc", "holds")]);
        says(&text("rx0!"), &[("eventual", "lost"), ("ccv", "holds"), ("ccv_ev", "unexplained")]);
        says(&text(&format!("rx{n}!|rx1!")), &[("eventual", "diverged")]);
        says(&text(&format!("rx{n}|rx1")), &[("linearizable", "unexplained")]);
    }
}

#[test]
fn a_large_history_shrinks_to_the_few_operations_that_matter() {
    let pairs = |process: u32| {
        let pair = |at: u32| format!("wx{0} rx{0}", process * 1000 + at);
        (1..100).map(pair).collect::<Vec<_>>().join(" ")
    };
    let text = format!("{}|{}|rx1005 rx1004", pairs(1), pairs(2));
    let Verdict::Violated(found) = judged(&text, "mr_mw") else { panic!("it holds") };
    let part = history(&text).restricted_to(&found.operations);
    assert_eq!(notation::write(&part), "wx1004 wx1005|rx1005 rx1004 @ 00001111");
    assert!(found.minimal);
}

#[test]
fn counterexamples_read_as_prose() {
    explains("wx1|rx9", "base", "process 1 read x and saw 9, which nobody wrote");
    explains(
        "wx1~|rx1",
        "eventual",
        "process 1 read x and saw 1, but the write x=1 of process 0 had failed",
    );
    explains(
        "wx1|rx1 rx0",
        "mr",
        "process 1 read x and saw 1, then read x and saw nothing; \
         a process must go on seeing what it has seen (monotonic-reads)",
    );
    explains(
        "wx1|wx2|rx2!|rx1!",
        "eventual",
        "process 2 read x at quiescence and saw 2, and process 3 read x at quiescence and saw 1: \
         they will never agree",
    );
    explains(
        "wx1|rx0!",
        "eventual",
        "process 0 wrote x=1 and was answered; yet process 1 read x at quiescence and saw \
         nothing: the write is lost",
    );
    explains(
        "wx1 wx2|rx1 @ 000011",
        "linearizable",
        "process 0 wrote x=2, and after that process 1 read x and saw 1, so x=2 is before x=1; \
         process 0 wrote x=1, then wrote x=2; so the order would be x=1 before x=2 before x=1",
    );
    explains(
        "wx1 wy1|ry1 rx0",
        "mr_mw",
        "process 1 read y and saw 1, written by process 0; process 0 wrote x=1, then wrote y=1, \
         so process 1's read of y (1), which sees y=1, sees x=1 too (monotonic-writes); \
         process 1 read y and saw 1, then read x and saw nothing, so it still sees x=1 \
         (monotonic-reads); so x=1 must be visible to process 1's read of x (nothing), \
         which saw nothing",
    );
}

#[test]
fn the_answer_of_a_write_carries_no_information_beside_a_compare_and_set() {
    let text = r#"wx=1:"mismatch"|rx1 [cas]x=[1,2]:1 @ 001111"#;
    let verdict = check(&history(text), Model::Linearizable, Budget::default());
    assert!(verdict.holds(), "{verdict:?}");
}

#[test]
fn compare_and_sets_that_explain_only_each_other_are_violated() {
    for text in ["[cas]k=[2,2] [cas]k=[2,2]", "[cas]k=[2,2]|[cas]k=[2,2] @ 0011", "[cas]k=[2,2]"] {
        says(text, &[("linearizable", "illegal")]);
    }
}

#[test]
fn a_lock_is_held_by_one_and_released_by_whom_that_says() {
    let judged = |text: &str| {
        let history = history(text);
        let verdict = check_with(&history, Model::Linearizable, &datatype::Lock, Budget::default());
        let again = recheck_with(&history, Model::Linearizable, &datatype::Lock, &verdict);
        assert_eq!(again, Ok(()), "{text}");
        verdict.holds()
    };
    for text in [
        "[acquire]l=1 [release]l=1 | [acquire]l=2 @ 000011",
        // Who is not named on one side may be anybody.
        "[acquire]l=1 [release]l=null | [acquire]l=2 @ 000011",
        "[acquire]l=null [release]l=1 | [acquire]l=2 @ 000011",
        "[acquire]l=null [release]l=null | [acquire]l=null @ 000011",
    ] {
        assert!(judged(text), "{text}");
    }
    for text in [
        "[acquire]l=1 | [acquire]l=2 @ 0011",
        "[acquire]l=1 | [release]l=2 @ 0011",
        "[acquire]l=null | [acquire]l=null @ 0011",
        "[release]l=null",
    ] {
        assert!(!judged(text), "{text}");
    }
}

#[test]
fn sequential_consistency_alone_finds_a_linearization_first() {
    // Twelve producers, each a process of its own, then one consumer: all orders of the
    // producers explain the sessions, and one of them is what was seen.
    let enqueues = (1..=12).map(|n| format!("[enqueue]q={n}")).collect::<Vec<_>>().join("|");
    let dequeues = (1..=12).map(|n| format!("[dequeue]q=null:{n}")).collect::<Vec<_>>().join(" ");
    let history = history(&format!("{enqueues}|{dequeues}"));
    assert!(check(&history, Model::Sequential, Budget::of(5_000)).holds());
}

#[test]
fn a_long_proof_is_folded_to_the_steps_at_which_it_turns() {
    // Each process writes what follows from what it read; the last one reads the last
    // write, then the first.
    let links: Vec<String> = (1..30).map(|n| format!("rx={n} wx={}", n + 1)).collect();
    let text = format!("wx=1|{}|rx=30 rx=1", links.join("|"));
    let Verdict::Violated(found) = judged(&text, "ccv") else { panic!("it goes back") };
    let history = history(&text);
    let who = |at: usize| format!("process {}", history.operations()[at].process.0);
    let (whole, none) = found.explain_in(usize::MAX, &history, &who);
    let (folded, out) = found.explain_in(12, &history, &who);
    assert_eq!((whole.contains('…'), none), (false, 0));
    assert!(out > 10 && folded.len() * 2 < whole.len(), "{out}: {folded}");
    // Its beginning and its end are told, and every step that is told is one of the whole.
    let told = |text: &str| text.split("; ").map(str::to_owned).collect::<Vec<String>>();
    let (whole, folded) = (told(&whole), told(&folded));
    assert_eq!((whole.first(), whole.last()), (folded.first(), folded.last()));
    assert_eq!(whole[whole.len() - 2], folded[folded.len() - 2]);
    for step in folded.iter().filter(|step| !step.starts_with('…')) {
        assert!(whole.contains(step), "{step}");
    }
    // However few are allowed, as many are counted as are left out.
    for steps in 0..whole.len() {
        let (text, out) = found.explain_in(steps, &history, &who);
        assert_eq!(out > 0, text.contains('…'), "{steps}: {text}");
    }
}
