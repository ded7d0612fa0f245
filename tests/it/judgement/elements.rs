//! The fates of the elements of sets, compared with their definitions word by word.

use quiescence::history::{Call, Completion, Function, History, Operation, Value, notation};
use quiescence::judgement::Elements;

use super::overlapping;
use crate::dice::Dice;

fn history(dice: &mut Dice) -> History {
    let call = |dice: &mut Dice| {
        let is_read = dice.draw(2) == 0;
        let element = 1 + dice.draw(4) as i64;
        let name = if dice.draw(6) == 0 { "remove" } else { "add" };
        match is_read {
            true => Call::read("s"),
            false => Call { f: Function::named(name), ..Call::write("s", element) },
        }
    };
    let shown = |dice: &mut Dice| {
        let all = (0..dice.draw(5)).map(|_| Value::Int(1 + dice.draw(5) as i64));
        all.collect::<Vec<Value>>().into()
    };
    overlapping(dice, call, shown)
}

/// For each element, the definitions word by word.
fn slow(history: &History) -> (Vec<usize>, usize, Option<u64>, usize, usize, [usize; 2]) {
    let all = history.operations();
    let answer = |op: &Operation| match &op.completion {
        Completion::Ok(Value::List(all)) if op.call.is_read() => Some(all.to_vec()),
        _ => None,
    };
    let reads: Vec<usize> = (0..all.len()).filter(|at| answer(&all[*at]).is_some()).collect();
    let shows =
        |read: usize, element: &Value| answer(&all[read]).is_some_and(|all| all.contains(element));
    let (mut lost, mut late, mut worst, mut strange) = (Vec::new(), 0, None, 0);
    let (mut unread, mut unknown) = (0, [0, 0]);
    for element in (1..=5).map(Value::Int) {
        let adds: Vec<usize> = (0..all.len())
            .filter(|at| all[*at].call.f.as_str() == "add" && all[*at].call.argument == element)
            .filter(|at| all[*at].completion != Completion::Fail)
            .collect();
        let shown = reads.iter().copied().filter(|read| shows(*read, &element));
        let shown: Vec<usize> = shown.collect();
        let Some(add) = adds.first() else {
            strange += usize::from(!shown.is_empty());
            continue;
        };
        let is_removed = all.iter().any(|op| {
            let own = op.call.f.as_str() == "remove" && op.call.argument == element;
            own && op.completion != Completion::Fail
        });
        if is_removed {
            continue;
        }
        let acked = adds.iter().filter_map(|at| all[*at].returned);
        if acked.clone().count() == 0 {
            unknown[usize::from(shown.is_empty())] += 1;
        }
        let returned = shown.iter().filter_map(|at| all[*at].returned);
        let Some(there) = acked.chain(returned).min() else { continue };
        let after: Vec<usize> =
            reads.iter().copied().filter(|read| all[*read].invoked > there).collect();
        let Some(last) = after.last() else {
            unread += usize::from(shown.is_empty());
            continue;
        };
        if !shows(*last, &element) {
            lost.push(*add);
            continue;
        }
        let missed = after.iter().rev().find(|read| !shows(**read, &element));
        if let Some(missed) = missed {
            late += 1;
            worst = worst.max(Some(all[*missed].invoked - there));
        }
    }
    lost.sort_unstable();
    (lost, late, worst, strange, unread, unknown)
}

/// The elements that came back after a remove, word by word.
fn resurrected(history: &History) -> usize {
    let all = history.operations();
    let of = |f: &'static str, element: &Value| {
        let own = |op: &&Operation| {
            op.call.f.as_str() == f
                && op.call.argument == *element
                && op.completion != Completion::Fail
        };
        all.iter().filter(own).collect::<Vec<_>>()
    };
    let is_back = |element: &Value| {
        let adds = of("add", element);
        let removes = of("remove", element);
        let mut gone = removes.iter().filter(|remove| {
            let acked = remove.returned.is_some();
            acked && adds.iter().all(|add| add.returns_before(remove))
        });
        let shows = |read: &&Operation| match read.answer() {
            Some(Value::List(shown)) => shown.contains(element),
            _ => false,
        };
        let after =
            |remove: &&Operation| all.iter().filter(shows).any(|read| remove.returns_before(read));
        !adds.is_empty() && gone.any(after)
    };
    (1..=5).map(Value::Int).filter(is_back).count()
}

#[test]
fn elements_fare_as_the_definitions_say() {
    let mut dice = Dice(7);
    let mut seen = [0; 8];
    for _ in 0..9_000 {
        let history = history(&mut dice);
        let text = || notation::write(&history);
        let quick = Elements::of(&history);
        let (lost, late, worst, strange, unread, unknown) = slow(&history);
        assert_eq!(quick.lost, lost, "{}", text());
        assert_eq!((quick.late, quick.latest.map(|it| it.time)), (late, worst), "{}", text());
        assert_eq!((quick.strange, quick.unread), (strange, unread), "{}", text());
        assert_eq!([quick.unknown_seen, quick.unknown_unseen], unknown, "{}", text());
        assert_eq!(quick.resurrected, resurrected(&history), "{}", text());
        if let Some((remove, read)) = quick.first_resurrected {
            let [remove, read] = [remove, read].map(|at| &history.operations()[at]);
            assert!(remove.returns_before(read) && read.call.is_read(), "{}", text());
        }
        let [seen_adds, unseen_adds] = unknown;
        let (twice, back) = (quick.twice, quick.resurrected);
        let figures = [lost.len(), late, strange, unread, seen_adds, unseen_adds, twice, back];
        seen.iter_mut().zip(figures).for_each(|(all, some)| *all += usize::from(some > 0));
    }
    assert!(seen.iter().all(|count| *count > 50), "something was hardly seen: {seen:?}");
}

#[test]
fn sets_with_other_operations_are_left_out() {
    let text = "[add]s=1 [add-if-absent]s=1|rs=[1]|[add]t=1|rt=[]";
    let history = notation::parse(text).expect("it is well formed");
    let found = Elements::of(&history);
    assert_eq!((found.sets, found.other_keys, found.lost.len()), (1, 1, 1));
}
