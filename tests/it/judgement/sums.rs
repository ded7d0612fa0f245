//! The bounds of the reads of counters, compared with the sums of all choices.

use quiescence::history::{Call, Completion, Function, History, Value, notation};
use quiescence::judgement::Sums;
use quiescence::judgement::sums::Outside;

use super::overlapping;
use crate::dice::Dice;

fn history(dice: &mut Dice) -> History {
    let call = |dice: &mut Dice| {
        let key = ["c", "d"][dice.below(2)];
        let named = |f: &str, argument| Call { f: Function::named(f), key: key.into(), argument };
        match dice.draw(6) {
            0 => named("inc", Value::Null),
            1 => named("dec", Value::Null),
            2 => named("add", Value::Int(3 - dice.draw(6) as i64)),
            _ => Call::read(key),
        }
    };
    overlapping(dice, call, |dice| Value::Int(dice.draw(7) as i64 - 3))
}

/// The definitions word by word: the sums of all choices of what may have counted.
fn slow(history: &History, initial: i64) -> [usize; 2] {
    let all = history.operations();
    let mut outside = [0, 0];
    for read in all.iter().filter(|op| op.answer().is_some()) {
        let Some(Value::Int(answer)) = read.answer() else { panic!("it is a number") };
        let (mut must, mut may) = (initial, Vec::new());
        for op in all.iter().filter(|op| op.call.key == read.call.key) {
            let is_late = read.returned.is_some_and(|returned| op.invoked > returned);
            let amount = match (op.call.f.as_str(), &op.call.argument) {
                ("inc", _) => 1,
                ("dec", _) => -1,
                ("add", Value::Int(amount)) => *amount,
                _ => continue,
            };
            if op.completion == Completion::Fail || is_late {
                continue;
            }
            let done = matches!(op.completion, Completion::Ok(_)) && op.returns_before(read);
            if done { must += amount } else { may.push(amount) }
        }
        let sums = (0..1_u64 << may.len()).map(|chosen| {
            let taken = may.iter().enumerate().filter(|(nth, _)| chosen & (1 << nth) != 0);
            must + taken.map(|(_, amount)| amount).sum::<i64>()
        });
        let sums: Vec<i64> = sums.collect();
        outside[0] += usize::from(sums.iter().all(|sum| answer < sum));
        outside[1] += usize::from(sums.iter().all(|sum| answer > sum));
    }
    outside
}

#[test]
fn reads_outside_of_their_bounds_are_counted_as_by_all_sums() {
    let mut dice = Dice(11);
    let mut found = [0, 0];
    for _ in 0..6_000 {
        let history = history(&mut dice);
        let initial = dice.draw(3) as i64 - 1;
        let sums = Sums::of(&history, initial);
        let text = || notation::write(&history);
        assert_eq!([sums.low, sums.high], slow(&history, initial), "{}", text());
        assert_eq!((sums.lowest.is_some(), sums.highest.is_some()), (sums.low > 0, sums.high > 0));
        found = [found[0] + sums.low, found[1] + sums.high];
    }
    assert!(found.iter().all(|many| *many > 1_000), "{found:?}");
}

#[test]
fn the_worst_read_is_told_with_its_bound() {
    let text = "[add]c=5 | rc=2 | rc=1 | [add]c=-2 | rc=9 | wr=1 @ 001122334455";
    let history = notation::parse(text).expect("it is in the notation");
    let sums = Sums::of(&history, 1);
    assert_eq!((sums.counters, sums.other_keys, sums.reads), (1, 1, 3));
    assert_eq!((sums.low, sums.lowest), (2, Some(Outside { read: 2, bound: 6, by: 5 })));
    assert_eq!((sums.high, sums.highest), (1, Some(Outside { read: 4, bound: 4, by: 5 })));
}
