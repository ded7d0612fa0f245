//! Objects of several types in one history.

use std::collections::BTreeMap;

use quiescence::history::{Key, notation};
use quiescence::judgement::datatype::{
    Counter, Datatype, Like, Log, Register, ReplicatedSet, Set, stranger,
};
use quiescence::judgement::{Begun, Budget, Model, Verdict, check_with, oracle, recheck_with};

use crate::dice::Dice;
use crate::support::effort;

fn types(of: &[(&str, &'static dyn Datatype)]) -> BTreeMap<Key, &'static dyn Datatype> {
    of.iter().map(|(key, datatype)| (Key::new(key), *datatype)).collect()
}

/// Some operations on a counter, a set, a log and a register, by some processes.
fn drawn(dice: &mut Dice) -> String {
    let words = [
        "[add]c=1",
        "[add]c=2",
        "rc=1",
        "rc=3",
        "[add]s=1",
        "[remove]s=1",
        "rs=[]",
        "rs=[1]",
        "[append]l=1",
        "[append]l=2",
        "rl=[1]",
        "rl=[1,2]",
        "wx1",
        "wx2",
        "rx=1",
        "rx=2",
    ];
    let length = 3 + dice.below(2);
    let mut sessions = vec![Vec::new(); 3];
    for _ in 0..length {
        let word = words[dice.below(words.len())];
        sessions[dice.below(3)].push(word);
    }
    let mut text: Vec<String> =
        sessions.iter().filter(|own| !own.is_empty()).map(|own| own.join(" ")).collect();
    if dice.below(2) == 0 {
        text.push("rc=3!".to_owned());
    }
    let operations = |part: &String| part.split(' ').count();
    let times: Vec<String> = text
        .iter()
        .enumerate()
        .map(|(session, part)| session.to_string().repeat(2 * operations(part)))
        .collect();
    format!("{} @ {}", text.join("|"), times.concat())
}

#[test]
fn checker_and_oracle_agree_about_several_types_at_once() {
    let all =
        types(&[("c", &Counter), ("s", &ReplicatedSet::AddWins), ("l", &Log), ("x", &Register)]);
    let mut dice = Dice(5);
    let (mut holds, mut violated) = (0, 0);
    for _ in 0..effort(400, 40_000) {
        let text = drawn(&mut dice);
        let history = notation::parse(&text).expect("it is in the notation");
        let keyed = Like::by_key(&history, all.clone(), Some(&Register)).expect("all are said");
        if stranger(&history, &keyed, false).is_some() {
            continue;
        }
        for name in [
            "base",
            "eventual",
            "eventual-rt",
            "ryw",
            "ccv",
            "causal_s",
            "linearizable",
            "sequential",
        ] {
            let model: Model = name.parse().expect("a model");
            let verdict = check_with(&history, model, &keyed, Budget::default());
            assert!(!matches!(verdict, Verdict::Unknown(_)), "{text} {name}: {verdict:?}");
            let expected = oracle::judge_with(&history, model, &keyed);
            assert_eq!(verdict.kind(), expected.err(), "{text} {name}");
            assert_eq!(recheck_with(&history, model, &keyed, &verdict), Ok(()), "{text} {name}");
            *if verdict.holds() { &mut holds } else { &mut violated } += 1;
        }
    }
    assert!(holds > 200 && violated > 300, "{holds} {violated}");
}

#[test]
fn each_key_is_what_its_own_operations_say() {
    let history = notation::parse("[add]c=2 rc=2 [add]s=1 rs=[1] wx1 rx=1 @ 000000000000")
        .expect("well-formed");
    let keyed = Like::by_key(&history, BTreeMap::new(), None).expect("each key is known");
    let judge = |model| check_with(&history, model, &keyed, Budget::default());
    assert!(judge(Model::Linearizable).holds());
    // What concurrent adds and removes of a set mean is not said.
    assert!(matches!(judge(Model::CAUSAL), Verdict::Unknown(_)));
    let said = Like::by_key(&history, types(&[("s", &ReplicatedSet::AddWins)]), None);
    let begun = Begun::by_key(&history, said.expect("each key is known"));
    assert!(begun.judge().check(Model::CAUSAL, Budget::default()).holds());
    let mixed = notation::parse("wx1 [add]x=1 @ 0000").expect("well-formed");
    assert_eq!(Like::by_key(&mixed, BTreeMap::new(), None).err(), Some(1));
}

#[test]
fn a_compare_and_set_beside_a_set_is_judged_by_orders_only() {
    let history = notation::parse("[add]s=1 rs=[1]|[cas]x=[null,1] rx=1 @ 00001111");
    let history = history.expect("well-formed");
    let keyed =
        Like::by_key(&history, types(&[("s", &ReplicatedSet::AddWins), ("x", &Register)]), None)
            .expect("each key is known");
    assert!(check_with(&history, Model::Linearizable, &keyed, Budget::default()).holds());
    let causal = check_with(&history, Model::CAUSAL, &keyed, Budget::default());
    assert!(matches!(causal, Verdict::Unknown(_)), "{causal:?}");
    // So it is with the sequential set.
    let keyed =
        Like::by_key(&history, types(&[("s", &Set)]), Some(&Register)).expect("all are said");
    let causal = check_with(&history, Model::CAUSAL, &keyed, Budget::default());
    assert!(matches!(causal, Verdict::Unknown(_)), "{causal:?}");
}
