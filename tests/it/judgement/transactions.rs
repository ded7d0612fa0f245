//! Transactions on a multi-register, against an interpreter of their texts that tries every
//! order.

use std::collections::BTreeMap;

use quiescence::history::{
    Call, Completion, Function, History, NodeId, Operation, ProcessId, Value,
};
use quiescence::judgement::datatype::MultiRegister;
use quiescence::judgement::verdict::recheck_with;
use quiescence::judgement::{Budget, Model, Verdict, check_with};

use super::dice::Dice;
use super::effort;

/// `Some` value is a write.
type Micro = (&'static str, Option<i64>);

/// What was asked, and what each read saw (0: nothing), if that is known.
struct Txn {
    asked: Vec<Micro>,
    saw: Option<Vec<i64>>,
    process: usize,
    invoked: u64,
    returned: Option<u64>,
}

fn list(asked: &[Micro], saw: &[i64]) -> Value {
    let mut saw = saw.iter();
    let micro = |(name, value): &Micro| -> Value {
        let (f, value) = match value {
            Some(value) => ("w", Value::from(*value)),
            None => match saw.next() {
                None | Some(0) => ("r", Value::Null),
                Some(value) => ("r", Value::from(*value)),
            },
        };
        vec![f.into(), (*name).into(), value].into()
    };
    asked.iter().map(micro).collect::<Vec<_>>().into()
}

/// What the reads see, and what is left.
fn runs(
    asked: &[Micro],
    held: &BTreeMap<&'static str, i64>,
) -> (Vec<i64>, BTreeMap<&'static str, i64>) {
    let (mut held, mut saw) = (held.clone(), Vec::new());
    for (name, value) in asked {
        match value {
            Some(value) => drop(held.insert(name, *value)),
            None => saw.push(held.get(name).copied().unwrap_or(0)),
        }
    }
    (saw, held)
}

/// Whether what is left of these can be put after what is held.
fn is_explained(
    left: &[&Txn],
    held: &BTreeMap<&'static str, i64>,
    before: fn(&Txn, &Txn) -> bool,
) -> bool {
    if left.iter().all(|txn| txn.returned.is_none()) {
        return true;
    }
    (0..left.len()).any(|at| {
        let txn = left[at];
        let rest: Vec<&Txn> =
            left.iter().copied().filter(|other| !std::ptr::eq(*other, txn)).collect();
        let (saw, after) = runs(&txn.asked, held);
        !rest.iter().any(|other| before(other, txn))
            && txn.saw.as_ref().is_none_or(|told| *told == saw)
            && is_explained(&rest, &after, before)
    })
}

/// Four processes or fewer that ask what they like, and are mostly told what one order gives.
fn drawn(dice: &mut Dice, size: usize) -> Vec<Txn> {
    let mut held = BTreeMap::new();
    let mut free = [0_u64; 4];
    let mut gone = 0;
    (0..size)
        .map(|_| {
            let process = dice.below(3);
            let invoked = free[process] + dice.below(4) as u64;
            let length = 1 + dice.below(3);
            let micro = |dice: &mut Dice| {
                (["a", "b"][dice.below(2)], dice.one_in(2).then(|| 1 + dice.below(2) as i64))
            };
            let asked: Vec<Micro> = (0..length).map(|_| micro(dice)).collect();
            let (mut saw, after) = runs(&asked, &held);
            if !dice.one_in(3) {
                held = after;
            }
            for value in &mut saw {
                if dice.one_in(5) {
                    *value = dice.below(3) as i64;
                }
            }
            if dice.one_in(6) {
                gone += 1;
                // It is never heard of again, and goes on as another one.
                let process = 2 + gone;
                return Txn { asked, saw: None, process, invoked, returned: None };
            }
            let returned = invoked + dice.below(6) as u64;
            free[process] = returned + 1;
            Txn { asked, saw: Some(saw), process, invoked, returned: Some(returned) }
        })
        .collect()
}

fn history(all: &[Txn]) -> History {
    let operation = |txn: &Txn| Operation {
        process: ProcessId(txn.process as u32),
        node: None::<NodeId>,
        call: Call { f: Function::named("txn"), key: "x".into(), argument: list(&txn.asked, &[]) },
        invoked: txn.invoked,
        returned: txn.returned,
        completion: match &txn.saw {
            Some(saw) => Completion::Ok(list(&txn.asked, saw)),
            None => Completion::Info,
        },
        final_read: false,
    };
    let mut operations: Vec<_> = all.iter().map(operation).collect();
    operations.sort_by_key(|operation| operation.invoked);
    History::of(operations).expect("processes do one after the other")
}

#[test]
fn transactions_are_judged_as_an_interpreter_that_tries_every_order_does() {
    let in_time: fn(&Txn, &Txn) -> bool =
        |one, other| one.returned.is_some_and(|returned| returned < other.invoked);
    let in_sessions: fn(&Txn, &Txn) -> bool =
        |one, other| one.process == other.process && one.invoked < other.invoked;
    let mut told = BTreeMap::<_, usize>::new();
    for seed in 0..effort(4_000, 100_000) {
        let dice = &mut Dice(seed);
        let size = 2 + dice.below(4);
        let all = drawn(dice, size);
        let history = history(&all);
        let left: Vec<&Txn> = all.iter().collect();
        for (model, before) in [(Model::Linearizable, in_time), (Model::Sequential, in_sessions)] {
            let verdict = check_with(&history, model, &MultiRegister, Budget::default());
            let holds = matches!(verdict, Verdict::Holds(_));
            assert_eq!(holds, is_explained(&left, &BTreeMap::new(), before), "{seed}: {model}");
            recheck_with(&history, model, &MultiRegister, &verdict).expect("the evidence stands");
            *told.entry((model.name(), holds)).or_default() += 1;
        }
    }
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.values().all(|times| *times > 400), "{told:?}");
}
