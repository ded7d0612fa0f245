//! Proofs that every order contains a cycle. If a history has an order, no
//! proof is accepted, wherever it came from; and no step of a proof can be left
//! out.

use quiescence::history::{History, notation};
use quiescence::judgement::verdict::{Place, Source, Why};
use quiescence::judgement::{Budget, Counterexample, Kind, Model, Reason, Verdict, check, recheck};

use super::simulated::{Dice, Draw, drawn};
use super::{effort, history, model};

/// The models that are defined by orders.
fn orders() -> Vec<Model> {
    let mut models: Vec<Model> =
        Model::all().filter(|model| !matches!(model, Model::Grid(_))).collect();
    models.extend([Model::KAtomic(2), Model::DeltaAtomic(1), Model::DeltaAtomic(2)]);
    models
}

const DRAWS: [Draw; 2] = [
    Draw { operations: 7, processes: 3, keys: 2, values: 0, pending: 6, finals: false },
    Draw { operations: 6, processes: 3, keys: 1, values: 2, pending: 6, finals: false },
];

/// This reason as a claim about all operations of a history.
fn claim(history: &History, reason: Reason) -> Verdict {
    let operations = (0..history.len()).collect();
    Verdict::Violated(Counterexample {
        kind: Kind::Unexplained,
        operations,
        minimal: false,
        restricted: Vec::new(),
        reason,
    })
}

/// The reason for a violation, if it is about orders.
fn reason(verdict: &Verdict) -> Option<&Reason> {
    match verdict {
        Verdict::Violated(found) if found.kind == Kind::Unexplained => Some(&found.reason),
        _ => None,
    }
}

/// A reason in which one number was changed or one part removed.
fn damaged(reason: &Reason, dice: &mut Dice, most: usize) -> Reason {
    let mut reason = reason.clone();
    damage(&mut reason, dice, most);
    reason
}

fn damage(reason: &mut Reason, dice: &mut Dice, most: usize) {
    let at = dice.below(most);
    match reason {
        Reason::OrderCycle { cycle, steps, .. } => match dice.below(3) {
            0 => {
                let place = dice.below(cycle.len());
                cycle[place] = at;
            }
            1 if cycle.len() > 1 => drop(cycle.remove(dice.below(cycle.len()))),
            _ => damage_step(steps, dice, at),
        },
        Reason::TooOld { newer, steps, .. } => {
            if dice.below(2) == 0 {
                let (write, path) = &mut newer[0];
                (*write, path[0]) = (at, at);
            } else {
                damage_step(steps, dice, at);
            }
        }
        Reason::Either { cases, first, .. } => match dice.below(3) {
            0 => *first = at,
            which => damage(&mut cases[which - 1], dice, most),
        },
        Reason::Sources { cases, .. } => {
            let which = dice.below(cases.len());
            if dice.below(4) == 0 {
                cases[which].0 = Source::Write(at);
            } else {
                damage(&mut cases[which].1, dice, most);
            }
        }
        _ => {}
    }
}

fn damage_step(steps: &mut Vec<Place>, dice: &mut Dice, at: usize) {
    if steps.is_empty() {
        return;
    }
    let which = dice.below(steps.len());
    let step = &mut steps[which];
    match dice.below(5) {
        0 => step.first = at,
        1 => step.second = at,
        2 => std::mem::swap(&mut step.first, &mut step.second),
        3 => match &mut step.why {
            Why::Older { path, .. } | Why::Newer { path } | Why::Agreed { path, .. } => {
                let place = dice.below(path.len());
                path[place] = at;
            }
            Why::Finished { read } => *read = at,
            _ => step.why = Why::Assumed,
        },
        _ => drop(steps.remove(which)),
    }
}

/// Three concurrent writes, then reads of the three values: whichever write
/// comes first, some read is two versions old.
const ANY_ORDER: &str = "wx1|wx2|wx3|rx1 rx2 rx3 @ 012012333333";

#[test]
fn two_orders_of_a_pair_are_refuted_one_after_the_other() {
    let history = history(ANY_ORDER);
    let verdict = check(&history, Model::KAtomic(2), Budget::default());
    let Some(Reason::Either { cases, .. }) = reason(&verdict) else { panic!("{verdict:?}") };
    assert_eq!(recheck(&history, Model::KAtomic(2), &verdict), Ok(()));
    for case in &**cases {
        // One case alone proves nothing, because it depends on the assumed
        // order.
        assert!(recheck(&history, Model::KAtomic(2), &claim(&history, case.clone())).is_err());
    }
    let Verdict::Violated(found) = &verdict else { unreachable!() };
    let text = found.explain(&history);
    assert!(text.contains("If x=1 comes before x=2: ") && text.contains("too old"), "{text}");
}

#[test]
fn no_proof_passes_where_there_is_an_order() {
    let mut dice = Dice(11);
    let (mut refused, mut kinds) = (0_u64, [0_u64; 4]);
    let mut claims: Vec<Reason> = Vec::new();
    let any_order = check(&history(ANY_ORDER), Model::KAtomic(2), Budget::default());
    let either = reason(&any_order).expect("no order explains it");
    for draw in DRAWS {
        for _ in 0..effort(600, 60_000) {
            let history = drawn(&mut dice, draw);
            let verdicts: Vec<(Model, Verdict)> = orders()
                .into_iter()
                .map(|model| (model, check(&history, model, Budget::default())))
                .collect();
            for (_, verdict) in &verdicts {
                let Some(reason) = reason(verdict) else { continue };
                match reason {
                    Reason::OrderCycle { .. } => kinds[0] += 1,
                    Reason::TooOld { .. } => kinds[1] += 1,
                    Reason::Either { .. } => kinds[2] += 1,
                    Reason::Sources { .. } => kinds[3] += 1,
                    _ => {}
                }
                claims.push(reason.clone());
                claims.push(damaged(reason, &mut dice, history.len()));
            }
            claims.push(damaged(either, &mut dice, history.len()));
            // Keep the latest claims, about this history and the ones before.
            claims.drain(..claims.len().saturating_sub(60));
            for (model, _) in verdicts.iter().filter(|(_, verdict)| verdict.holds()) {
                for reason in &claims {
                    let verdict = claim(&history, reason.clone());
                    let text = notation::write(&history);
                    assert!(
                        recheck(&history, *model, &verdict).is_err(),
                        "{text} {model}: {reason:?}"
                    );
                    refused += 1;
                }
            }
        }
    }
    println!("{refused} claims were refused; cycles, too old, either, sources: {kinds:?}");
    assert!(
        refused > 100_000 && kinds[0] > 1_000 && kinds[1] > 20 && kinds[3] > 100,
        "{refused} {kinds:?}"
    );
}

#[test]
fn no_step_of_a_proof_can_be_left_out() {
    let mut dice = Dice(12);
    let mut removed = 0;
    for draw in DRAWS {
        for _ in 0..effort(400, 40_000) {
            let history = drawn(&mut dice, draw);
            for model in orders() {
                let verdict = check(&history, model, Budget::default());
                let Some(Reason::OrderCycle { of, cycle, steps }) = reason(&verdict) else {
                    continue;
                };
                for at in 0..steps.len() {
                    let mut steps = steps.clone();
                    steps.remove(at);
                    let reason = Reason::OrderCycle { of: *of, cycle: cycle.clone(), steps };
                    let text = notation::write(&history);
                    let shorter = claim(&history, reason);
                    assert!(
                        recheck(&history, model, &shorter).is_err(),
                        "{text} {model} {verdict:?}"
                    );
                    removed += 1;
                }
            }
        }
    }
    assert!(removed > 1_000, "{removed}");
}

#[test]
fn a_proof_of_one_model_is_none_of_a_weaker_one() {
    let text = "wx1 wx2|rx1 @ 000011";
    let history = history(text);
    let verdict = check(&history, Model::Linearizable, Budget::default());
    let reason = reason(&verdict).expect("a stale read");
    for weaker in ["sequential", "cache", "pram", "cm", "pc", "k-atomic:2", "prefix_rt"] {
        let why = recheck(&history, model(weaker), &claim(&history, reason.clone()));
        assert!(why.is_err(), "{weaker}");
    }
    for same in ["linearizable", "k-atomic:1", "delta-atomic:0"] {
        assert_eq!(
            recheck(&history, model(same), &claim(&history, reason.clone())),
            Ok(()),
            "{same}"
        );
    }
}

#[test]
fn proofs_of_compare_and_set_are_replayed_and_not_believed() {
    let lost = history("wx=1 [cas]x=[1,2]|[cas]x=[1,3] @ 000110");
    let verdict = check(&lost, Model::Linearizable, Budget::default());
    let found = reason(&verdict).expect("both found 1").clone();
    assert!(matches!(found, Reason::OrderCycle { .. }), "{found:?}");
    // The same claim about a history in which the second swap found what the
    // first left.
    let fine = history("wx=1 [cas]x=[1,2]|[cas]x=[2,3] @ 000110");
    assert!(check(&fine, Model::Linearizable, Budget::default()).holds());
    assert!(recheck(&fine, Model::Linearizable, &claim(&fine, found)).is_err());
}

#[test]
fn a_swap_is_no_newer_write_than_the_one_that_it_found() {
    // Each swap reads and writes, and must not count among the writes that make
    // its own answer too old.
    let next = ("wx=1 [cas]x=[1,2] @ 0000", 1, vec![(1, vec![0, 1])]);
    let one_behind =
        ("wx=1 wx=3 [cas]x=[1,2] @ 000000", 2, vec![(1, vec![0, 1, 2]), (2, vec![0, 2])]);
    for (text, k, newer) in [next, one_behind] {
        let history = history(text);
        let read = history.len() - 1;
        let own = (read, vec![0, read]);
        assert!(newer.contains(&own), "the swap itself is among them");
        let reason = Reason::TooOld { read, newer, steps: Vec::new() };
        let why = recheck(&history, Model::KAtomic(k), &claim(&history, reason));
        assert!(why.is_err(), "k = {k} of {text}");
    }
    // With one more write the answer is really too old.
    let history = history("wx=1 wx=3 wx=4 rx=1 @ 00000000");
    let newer = vec![(1, vec![0, 1, 3]), (2, vec![0, 2, 3])];
    let reason = Reason::TooOld { read: 3, newer, steps: Vec::new() };
    assert_eq!(recheck(&history, Model::KAtomic(2), &claim(&history, reason)), Ok(()));
}

#[test]
fn what_a_swap_of_unknown_outcome_found_belongs_to_the_part() {
    let text = "wx=1 [cas]x=[1,2]?|rx=2 rx=1 @ 0001111";
    let history = history(text);
    let verdict = check(&history, Model::Linearizable, Budget::default());
    let Verdict::Violated(found) = &verdict else { panic!("{verdict:?}") };
    // The part needs the write: without it, the swap would be illegal, and the
    // reason would be that.
    assert_eq!(found.operations, [0, 1, 2, 3], "{found:?}");
    assert!(matches!(found.reason, Reason::OrderCycle { .. }), "{found:?}");
    assert_eq!(recheck(&history, Model::Linearizable, &verdict), Ok(()));
    let reason = Reason::NoOrder { model: Model::Linearizable, shows: None };
    let operations = vec![1, 2];
    let part = Counterexample {
        kind: Kind::Unexplained,
        operations,
        minimal: true,
        restricted: Vec::new(),
        reason,
    };
    let why = recheck(&history, Model::Linearizable, &Verdict::Violated(part)).expect_err("a part");
    assert!(why.reason.contains("the part lacks it"), "{why}");
}

#[test]
fn a_part_of_another_datatype_has_all_changes() {
    let history = history("[inc]c=null [inc]c=null rc=2 rc=1 @ 00000000");
    let verdict = check(&history, Model::Linearizable, Budget::default());
    assert_eq!(recheck(&history, Model::Linearizable, &verdict), Ok(()));
    let Verdict::Violated(mut found) = verdict else { panic!("it went back") };
    found.operations.retain(|at| *at != 1);
    let why = recheck(&history, Model::Linearizable, &Verdict::Violated(found));
    assert!(why.expect_err("an increment is missing").reason.contains("the part lacks it"));
}
