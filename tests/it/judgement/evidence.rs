//! Evidence is minimal, and corrupted evidence is refused.

use quiescence::history::{History, notation};
use quiescence::judgement::verdict::{Because, Fact, Source, Step};
use quiescence::judgement::{
    Budget, Counterexample, Kind, Model, Reason, Verdict, Witness, check, recheck,
};

use super::conformance::{corpus, expectations};
use super::{history, judged, model};

/// Visible writes by operation, or orders of writes.
type Rows = Vec<Vec<usize>>;

fn refused(history: &History, model: Model, verdict: &Verdict) -> String {
    recheck(history, model, verdict).expect_err("corrupted evidence was accepted").reason
}

/// The visibility and the arbitrations of the witness for this text.
fn witness(text: &str, name: &str) -> (Rows, Rows) {
    match judged(text, name) {
        Verdict::Holds(Witness::Abstract { visible, arbitration }) => (visible, arbitration),
        other => panic!("no witness of visibility: {other:?}"),
    }
}

/// Why this visibility with these arbitrations is refused.
#[track_caller]
fn refuses(text: &str, name: &str, visible: Rows, arbitration: Rows) -> String {
    let verdict = Verdict::Holds(Witness::Abstract { visible, arbitration });
    refused(&history(text), model(name), &verdict)
}

fn counterexample(text: &str, name: &str) -> Counterexample {
    match judged(text, name) {
        Verdict::Violated(counterexample) => counterexample,
        other => panic!("no counterexample: {other:?}"),
    }
}

#[track_caller]
fn refuses_proof(text: &str, name: &str, change: impl Fn(&mut Counterexample)) -> String {
    let mut claim = counterexample(text, name);
    change(&mut claim);
    refused(&history(text), model(name), &Verdict::Violated(claim))
}

#[test]
fn a_visibility_made_by_hand_is_verified_for_every_model() {
    // As a run records it: n1 had both writes, n2 only its own.
    let text = "wx1|wx2|rx2|rx2 @ 00112233";
    let verdict = |visible: [Vec<usize>; 4]| {
        let visible = visible.to_vec();
        Verdict::Holds(Witness::Abstract { visible, arbitration: vec![vec![0, 1]] })
    };
    let recorded = verdict([vec![], vec![], vec![0, 1], vec![1]]);
    assert_eq!(recheck(&history(text), model("ccv"), &recorded), Ok(()));
    let reversed = verdict([vec![], vec![], vec![1, 0], vec![1]]);
    assert_eq!(recheck(&history(text), model("ccv"), &reversed), Ok(()));
}

#[test]
fn a_witness_that_does_not_explain_an_answer_is_refused() {
    let text = "wx1 wx2|rx2";
    let (visible, arbitration) = witness(text, "ccv");
    let blind = vec![vec![]; 3];
    assert!(
        refuses(text, "base", blind, arbitration.clone()).contains("should have answered null")
    );
    let swapped = vec![vec![1, 0]];
    let why = refuses(text, "ccv", visible.clone(), swapped.clone());
    assert!(why.contains("should have answered 1"), "{why}");
    let why = refuses("wx1 wy2|ry2", "ccv", visible, swapped);
    assert!(why.contains("arbitrated too early"), "{why}");
}

#[test]
fn a_witness_that_breaks_an_axiom_is_refused_by_the_models_that_have_it() {
    let broken = |text: &str, names: [&str; 2], visible: &[&[usize]], ar: &[usize]| {
        let visible: Vec<_> = visible.iter().map(|seen| seen.to_vec()).collect();
        let verdict = Verdict::Holds(Witness::Abstract { visible, arbitration: vec![ar.to_vec()] });
        assert_eq!(recheck(&history(text), Model::BASE, &verdict), Ok(()), "{text}");
        assert_eq!(recheck(&history(text), model(names[1]), &verdict), Ok(()), "{text}");
        refused(&history(text), model(names[0]), &verdict)
    };
    let blind: [&[usize]; 2] = [&[], &[]];
    assert!(broken("wx1 rx0", ["ryw", "mr+mw+wfr.g!"], &blind, &[0]).contains("ryw demands"));
    let why = broken("wx1|rx1 rx0", ["mr", "ryw+mw+wfr.g!"], &[&[], &[0], &[]], &[0]);
    assert!(why.contains("mr demands"), "{why}");
    let why = broken("wx1 wy2|ry2", ["mw", "ryw+mr+wfr.g!"], &[&[], &[], &[1]], &[0, 1]);
    assert!(why.contains("mw demands"), "{why}");
    let seen: [&[usize]; 4] = [&[], &[0], &[], &[2]];
    let why = broken("wx1|rx1 wy2|ry2", ["wfr", "ryw+mr+mw.g!"], &seen, &[0, 2]);
    assert!(why.contains("wfr demands"), "{why}");
    let seen: [&[usize]; 4] = [&[], &[0], &[], &[0, 2]];
    let why = broken("wx1|rx1 wy2|ry2", ["wfr", "ryw+mr+mw.g!"], &seen, &[2, 0]);
    assert!(why.contains("arbitrated too early"), "{why}");
    let why = broken("wx1|rx0!", ["eventual", "ccv"], &blind, &[0]);
    assert!(why.contains("does not see every write"), "{why}");
}

#[test]
fn a_witness_in_which_causes_run_in_a_cycle_is_refused() {
    let visible = vec![vec![3], vec![2], vec![], vec![]];
    let why = refuses("rx1 wy1|ry1 wx1 @ 01100011", "base", visible, vec![vec![2, 3]]);
    assert!(why.contains("run in a cycle"), "{why}");
    let why = refuses("rx1 wx1", "base", vec![vec![1], vec![]], vec![vec![1]]);
    assert!(why.contains("run in a cycle"), "{why}");
}

#[test]
fn a_witness_about_other_operations_is_refused() {
    let text = "wx1|wx2?|wx3~|rx1 @ 0012233";
    let (visible, arbitration) = witness(text, "ccv");
    assert_eq!(arbitration, [[0]]);
    let cases: [(Rows, Rows, &str); 9] = [
        (visible[..3].to_vec(), arbitration.clone(), "do not fit"),
        (visible.clone(), vec![], "do not fit"),
        (visible.clone(), vec![vec![]], "is not arbitrated"),
        (visible.clone(), vec![vec![0, 0]], "does not belong"),
        (visible.clone(), vec![vec![0, 2]], "no write that can have happened"),
        (visible.clone(), vec![vec![0, 99]], "no write that can have happened"),
        (vec![vec![], vec![], vec![], vec![1, 0]], arbitration.clone(), "no write that happened"),
        (vec![vec![], vec![], vec![], vec![0, 0]], arbitration.clone(), "twice"),
        (vec![vec![0], vec![], vec![], vec![0]], arbitration.clone(), "answered nothing"),
    ];
    for (visible, arbitration, expected) in cases {
        let why = refuses(text, "ccv", visible, arbitration);
        assert!(why.contains(expected), "{why}");
    }
    let verdict = Verdict::Holds(Witness::Linear(vec![0, 3]));
    assert_eq!(recheck(&history(text), model("ccv"), &verdict), Ok(()), "an order implies ccv");
    let verdict = Verdict::Holds(Witness::Views(vec![vec![0, 3]]));
    assert!(refused(&history(text), model("ccv"), &verdict).contains("say nothing about"));
}

#[test]
fn arbitrations_of_sessions_must_order_the_same_writes() {
    let text = "wx1 rx2|wx2 rx1";
    let (visible, arbitration) = witness(text, "ryw.s");
    assert_eq!(arbitration.len(), 2);
    let why = refuses(text, "ryw.s", visible.clone(), vec![arbitration[0].clone(), vec![0]]);
    assert!(why.contains("different writes"), "{why}");
    let swapped = vec![arbitration[1].clone(), arbitration[0].clone()];
    assert!(refuses(text, "ryw.s", visible, swapped).contains("should have answered"));
}

#[test]
fn a_corrupted_linear_order_is_refused() {
    let text = "wx1 rx1|wx2?|rx1 @ 0001022";
    let Verdict::Holds(Witness::Linear(order)) = judged(text, "lin") else { panic!("it holds") };
    let refuse = |order: Vec<usize>| {
        refused(&history(text), Model::Linearizable, &Verdict::Holds(Witness::Linear(order)))
    };
    let place = |at: usize| order.iter().position(|op| *op == at).expect("it is placed");
    let mut swapped = order.clone();
    swapped.swap(place(0), place(1));
    assert!(!refuse(swapped).is_empty());
    assert!(refuse(order[1..].to_vec()).contains("is not placed"));
    assert!(refuse([&order[..], &[0]].concat()).contains("does not belong"));
    assert!(refuse([&order[..], &[77]].concat()).contains("does not belong"));
    let reversed: Vec<usize> = order.iter().rev().copied().collect();
    assert!(refuse(reversed.clone()).contains("out of the order of its session"));
    let untimed = Verdict::Holds(Witness::Linear(reversed));
    let why = refused(&history(text), Model::DeltaAtomic(100), &untimed);
    assert!(why.contains("should have answered null"), "{why}");
    let stale = Verdict::Holds(Witness::Linear(vec![0, 1, 2]));
    let why = refused(&history("wx1|wx2|rx1 @ 001122"), Model::Linearizable, &stale);
    assert!(why.contains("should have answered 2"), "{why}");
    let late = Verdict::Holds(Witness::Linear(vec![1, 0, 2]));
    let why = refused(&history("wx1|wx2|rx1 @ 001122"), Model::Linearizable, &late);
    assert!(why.contains("returned before"), "{why}");
}

#[test]
fn a_counterexample_of_an_allowed_history_cannot_be_made_up() {
    let allowed = history("wx1|wx2|rx1|rx2!|rx2! @ 0012213344");
    let reasons = [
        (Kind::Illegal, Reason::Thin { read: 2 }),
        (Kind::Illegal, Reason::FailedWriteSeen { read: 2, write: 0 }),
        (Kind::Illegal, Reason::CausalCycle { cycle: vec![0, 2] }),
        (Kind::Illegal, Reason::CausalCycle { cycle: vec![] }),
        (Kind::Diverged, Reason::Diverged { first: 3, second: 4 }),
        (Kind::Diverged, Reason::Diverged { first: 2, second: 3 }),
        (Kind::Lost, Reason::Lost { read: 3, write: 0, seen_by: None }),
        (Kind::Unexplained, Reason::NoOrder { model: Model::Linearizable, shows: None }),
        (Kind::Unexplained, Reason::ArbitrationCycle { cycle: vec![], steps: vec![] }),
        (Kind::Unexplained, Reason::Sources { read: 2, cases: vec![] }),
        (Kind::Unexplained, Reason::InitialRead { read: 2, write: 0, steps: vec![] }),
    ];
    for (kind, reason) in reasons {
        for name in ["eventual", "ccv_ev", "linearizable", "base"] {
            let operations = vec![0, 1, 2, 3, 4];
            let claim = Counterexample {
                kind,
                operations,
                minimal: true,
                restricted: Vec::new(),
                reason: reason.clone(),
            };
            refused(&allowed, model(name), &Verdict::Violated(claim));
        }
    }
}

#[test]
fn every_rule_is_checked_against_the_history_and_the_model() {
    let text = "wx1 wy1|ry1 rx0";
    let steps = |change: fn(&mut Vec<Step>)| {
        refuses_proof(text, "mr+mw.g", |claim| {
            let Reason::InitialRead { steps, .. } = &mut claim.reason else { panic!("its reason") };
            change(steps);
        })
    };
    assert!(steps(|steps| steps.clear()).contains("no write of its key is visible"));
    assert!(
        steps(|steps| {
            steps.remove(0);
        })
        .contains("does not follow")
    );
    assert!(
        steps(|steps| {
            steps.remove(1);
        })
        .contains("does not follow")
    );
    assert!(steps(|steps| steps[1].because = Because::ReadsFrom).contains("does not follow"));
    assert!(steps(|steps| steps[1].because = Because::ReadYourWrites).contains("does not follow"));
    let later = |steps: &mut Vec<Step>| steps[1].because = Because::MonotonicWrites { later: 0 };
    assert!(steps(later).contains("does not follow"));
    let earlier = |steps: &mut Vec<Step>| steps[2].because = Because::MonotonicReads { earlier: 3 };
    assert!(steps(earlier).contains("does not follow"));
    let last = |steps: &mut Vec<Step>| steps[2].because = Because::FinalRead { seen_by: None };
    assert!(steps(last).contains("does not follow"));
    // The same proof under a model that lacks one of the rules.
    let claim = Verdict::Violated(counterexample(text, "mr+mw.g"));
    for name in ["mr", "mw", "ryw+mr+wfr.g", "ryw+mw+wfr.g!"] {
        assert!(refused(&history(text), model(name), &claim).contains("does not follow"));
    }
    assert_eq!(recheck(&history(text), model("ccv"), &claim), Ok(()));
}

#[test]
fn a_cycle_must_close_within_one_arbitration() {
    let text = "wx1 rx2|wx2 rx1";
    let claim = Verdict::Violated(counterexample(text, "ryw"));
    assert!(refused(&history(text), model("ryw.s"), &claim).contains("mixes arbitrations"));
    assert!(refused(&history(text), model("ryw.r"), &claim).contains("mixes arbitrations"));
    let why = refuses_proof(text, "ryw", |claim| {
        let Reason::ArbitrationCycle { steps, .. } = &mut claim.reason else { panic!("a cycle") };
        let before = |step: &Step| matches!(step.fact, Fact::Before { .. });
        let at = steps.iter().position(before).expect("an arbitration");
        steps.remove(at);
    });
    assert!(why.contains("is not shown to be before"), "{why}");
}

#[test]
fn a_part_must_hold_all_that_could_excuse_it() {
    let text = "wx1|wx1|wx2|rx1 rx2 rx1 rx2 rx1";
    let found = counterexample(text, "mr");
    let first = found.operations[0];
    let why = refuses_proof(text, "mr", |claim| claim.operations.retain(|at| *at != first));
    assert!(why.contains("the part lacks it"), "{why}");
    assert!(refuses_proof(text, "mr", |claim| claim.operations.reverse()).contains("ascending"));
    assert!(refuses_proof(text, "mr", |claim| claim.operations.push(99)).contains("ascending"));
}

#[test]
fn every_possible_source_must_be_refuted() {
    let text = "wx1|wx1|wx2|rx1 rx2 rx1 rx2 rx1";
    let cases = |change: fn(&mut Vec<(Source, Reason)>)| {
        refuses_proof(text, "mr", |claim| {
            let Reason::Sources { cases, .. } = &mut claim.reason else {
                panic!("several sources")
            };
            change(cases);
        })
    };
    assert!(cases(|cases| drop(cases.pop())).contains("not the possible sources"));
    assert!(cases(|cases| cases[0].0 = Source::Initial).contains("not the possible sources"));
    assert!(!cases(|cases| cases[0].1 = cases[1].1.clone()).is_empty());
}

#[test]
fn a_kind_is_believed_only_where_it_belongs() {
    let diverged = "wx1|wx2|rx2!|rx1!";
    let why = refuses_proof(diverged, "eventual", |claim| claim.kind = Kind::Lost);
    assert!(why.contains("does not show"), "{why}");
    let why = refuses_proof(diverged, "eventual", |claim| claim.kind = Kind::Unexplained);
    assert!(why.contains("is never violated as unexplained"), "{why}");
    let why = refuses_proof(diverged, "eventual", |claim| claim.kind = Kind::Illegal);
    assert!(why.contains("does not show"), "{why}");
    let claim = Verdict::Violated(counterexample(diverged, "eventual"));
    assert!(refused(&history(diverged), model("ccv_ev"), &claim).contains("a kind of eventual"));
    // A history can be lost only if it has not diverged.
    let text = "wx1|wy1|rx0!|ry0!|ry1!";
    let why = refuses_proof(text, "eventual", |claim| {
        claim.kind = Kind::Lost;
        claim.operations = vec![0, 2];
        claim.reason = Reason::Lost { read: 2, write: 0, seen_by: None };
    });
    assert!(why.contains("it diverged"), "{why}");
}

/// The part without one operation and without the reads that it could have
/// answered.
fn without(history: &History, part: &[usize], out: usize) -> Vec<usize> {
    let operations = history.operations();
    let needs = |at: usize| {
        let (write, read) = (&operations[out], &operations[at]);
        write.call.is_write()
            && write.call.key == read.call.key
            && read.answer() == Some(&write.call.argument)
    };
    part.iter().copied().filter(|&at| at != out && !needs(at)).collect()
}

#[test]
fn no_operation_of_a_counterexample_can_be_removed() {
    for (name, (history, last)) in corpus() {
        for (model, _) in expectations(&last) {
            let verdict = check(&history, model, Budget::default());
            let Verdict::Violated(found) = verdict else { continue };
            assert!(found.minimal, "{name} {model}");
            for &out in &found.operations {
                let less = history.restricted_to(&without(&history, &found.operations, out));
                let kind = check(&less, model, Budget::default()).kind();
                let text = notation::write(&less);
                assert_ne!(kind, Some(found.kind), "{name} {model}: {text} fails as well");
            }
        }
    }
}

#[test]
fn the_same_history_gets_the_same_evidence() {
    for (_, (history, last)) in corpus() {
        for (model, _) in expectations(&last) {
            let judge = || check(&history, model, Budget::default());
            assert_eq!(judge(), judge());
        }
    }
}
