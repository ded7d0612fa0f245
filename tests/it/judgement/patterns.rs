//! The classic patterns of queues, stacks, sets, locks and sources of names, against the
//! oracle, which knows none of them.

use std::collections::BTreeMap;

use quiescence::history::{
    Builder, Call, Completion, Event, Function, History, Operation, ProcessId, Value, notation,
};
use quiescence::judgement::datatype::{
    Datatype, Like, Lock, Queue, Semaphore, Set, Stack, UniqueId, UnorderedQueue,
};
use quiescence::judgement::verdict::{Pattern, Shape, recheck_with};
use quiescence::judgement::{Budget, Counterexample, Model, Reason, Verdict, check_with, oracle};

use super::dice::Dice;
use super::distinct::{Plain, SETS, TALKS, Talk, drawn};
use super::{effort, history, judged};

const TYPES: [(&dyn Datatype, &[&str]); 6] = [
    (&Queue, &["enqueue", "dequeue"]),
    (&Stack, &["push", "pop"]),
    (&UnorderedQueue, &["enqueue", "dequeue"]),
    (&Set, &["add", "remove", "add-if-absent", "read", "read"]),
    (&Lock, &["acquire", "release"]),
    (&UniqueId, &["generate"]),
];

/// Any calls with any answers that look like some, of few values, which come again.
fn babble(names: &[&str], dice: &mut Dice, size: usize) -> History {
    let mut events = Builder::new();
    let mut open: Vec<Option<(ProcessId, Call)>> = vec![None; 3];
    let (mut time, mut count, mut ids) = (0, 0, (0..).map(ProcessId));
    let mut own: Vec<ProcessId> = ids.by_ref().take(3).collect();
    let tokens = dice.one_in(2);
    let named = dice.one_in(2);
    while count < size || open.iter().any(Option::is_some) {
        time += 1 + dice.below(2) as u64;
        let place = dice.below(3);
        let value = |dice: &mut Dice| Value::from(1 + dice.below(3) as i64);
        match open[place].take() {
            None if count == size => {}
            None => {
                let name = names[dice.below(names.len())];
                let argument = match name {
                    "acquire" | "release" if named && !dice.one_in(4) => place as i64,
                    "enqueue" | "push" | "add" | "remove" | "add-if-absent" => {
                        1 + dice.below(3) as i64
                    }
                    _ => -1,
                };
                let argument = if argument < 0 { Value::Null } else { argument.into() };
                let call = Call { f: Function::named(name), key: "x".into(), argument };
                events.event(Event::invoke(own[place], time, call.clone())).expect("it is idle");
                open[place] = Some((own[place], call));
                count += 1;
            }
            Some((id, call)) => {
                let answer = match call.f.as_str() {
                    "dequeue" | "pop" if dice.one_in(4) => Value::Null,
                    "dequeue" | "pop" | "generate" => value(dice),
                    "acquire" if tokens => Value::from(10 + dice.below(9) as i64),
                    "add-if-absent" => Value::from(dice.below(2) as i64),
                    "read" => {
                        let seen = (1..4_i64).filter(|_| dice.one_in(2));
                        seen.map(Value::from).collect::<Vec<_>>().into()
                    }
                    _ => Value::Null,
                };
                let event = match dice.below(12) {
                    0 => {
                        // A process ends with an unknown outcome.
                        own[place] = ids.next().expect("there are more");
                        Event::info(id, time)
                    }
                    1 => Event::fail(id, time),
                    _ => Event::ok(id, time, answer),
                };
                events.event(event).expect("it is open");
            }
        }
    }
    events.finish()
}

/// The operations of a pattern alone, with what their answers say of the elements that it
/// names.
fn alone(history: &History, found: &Pattern) -> History {
    let named: Option<Vec<Value>> = match &found.shape {
        Shape::NotAdded(one) | Shape::Vanished(one) | Shape::CameBack(one) => {
            Some(vec![one.clone()])
        }
        Shape::Crossed(both) => Some(both.to_vec()),
        _ => None,
    };
    let mut all: Vec<Operation> = history.restricted_to(&found.operations).operations().to_vec();
    for operation in all.iter_mut().filter(|operation| operation.call.is_read()) {
        if let (Completion::Ok(Value::List(seen)), Some(named)) = (&operation.completion, &named) {
            let left: Vec<Value> = seen.iter().filter(|it| named.contains(it)).cloned().collect();
            operation.completion = Completion::Ok(left.into());
        }
    }
    History::of(all).expect("only answers differ")
}

fn shape(found: &Pattern) -> String {
    let text = format!("{:?}", found.shape);
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Whether a pattern is found. If so, no order explains the history, nor the operations of the
/// pattern alone.
fn stands(history: &History, model: Model, datatype: &'static dyn Datatype) -> Option<Pattern> {
    let found = Pattern::of(history, model, datatype)?;
    let text = || format!("{} {model}: {found:?}", notation::write(history));
    let explained =
        |history: &History| oracle::judge_with(history, model, &Plain(datatype)).is_ok();
    assert!(!explained(history), "{}", text());
    assert!(!explained(&alone(history, &found)), "alone, {}", text());
    Some(found)
}

#[test]
fn what_shows_a_pattern_has_no_order() {
    let mut dice = Dice(0xd15d);
    let mut shapes: BTreeMap<String, usize> = BTreeMap::new();
    for (datatype, names) in TYPES {
        for model in [Model::Linearizable, Model::Sequential, Model::Cache] {
            let mut fail = 0;
            for _ in 0..effort(2_000, 100_000) {
                let size = 2 + dice.below(6);
                let history = babble(names, &mut dice, size);
                let Some(found) = stands(&history, model, datatype) else { continue };
                *shapes.entry(shape(&found)).or_default() += 1;
                fail += 1;
            }
            assert!(fail > 100, "{}: {fail}", datatype.name());
        }
    }
    for talk in TALKS.iter().chain([&SETS]) {
        for model in [Model::Linearizable, Model::Sequential] {
            for _ in 0..effort(3_000, 100_000) {
                let size = 3 + dice.below(5);
                let history = drawn(talk, &mut dice, size, 3);
                if let Some(found) = stands(&history, model, talk.datatype) {
                    *shapes.entry(shape(&found)).or_default() += 1;
                }
            }
        }
    }
    println!("{shapes:?}");
    assert_eq!(shapes.len(), 17, "{shapes:?}");
}

/// Right answers, but two of them were exchanged: everything that came out was put in once.
fn exchanged(talk: &Talk, dice: &mut Dice) -> History {
    let size = 6 + dice.below(12);
    let mut all = drawn(talk, dice, size, usize::MAX).operations().to_vec();
    let answered = |at: &usize| {
        let operation: &Operation = &all[*at];
        let Completion::Ok(answer) = &operation.completion else { return false };
        talk.datatype.answers(&operation.call, Some(answer))
    };
    let takes: Vec<usize> = (0..all.len()).filter(answered).collect();
    if takes.len() > 1 {
        let [one, other] = [(); 2].map(|()| takes[dice.below(takes.len())]);
        let completion = all[one].completion.clone();
        all[one].completion = std::mem::replace(&mut all[other].completion, completion);
    }
    History::of(all).expect("only answers differ")
}

/// How many in a hundred minimal counterexamples show a pattern, which stands by itself.
fn told(talk: &Talk, model: Model, drawn: &mut dyn FnMut() -> History) -> usize {
    let datatype = talk.datatype;
    let (mut all, mut told, mut shapes) = (0, 0, BTreeMap::new());
    for _ in 0..effort(1_000, 60_000) {
        let history = drawn();
        let verdict = check_with(&history, model, datatype, Budget::default());
        let Verdict::Violated(found) = &verdict else { continue };
        if !found.minimal {
            continue;
        }
        all += 1;
        let Reason::NoOrder { shows, .. } = &found.reason else { panic!("{:?}", found.reason) };
        if let Some(pattern) = shows {
            let part = alone(&found.of(&history), pattern);
            let explained = oracle::judge_with(&part, model, &Plain(datatype)).is_ok();
            assert!(!explained, "{}: {pattern:?}", notation::write(&history));
            told += 1;
            *shapes.entry(shape(pattern)).or_insert(0) += 1;
        }
    }
    println!("{} {model}: {told} of {all}, {shapes:?}", datatype.name());
    assert!(all > 100, "{}: {all}", datatype.name());
    100 * told / all
}

#[test]
fn most_counterexamples_show_a_pattern() {
    let mut dice = Dice(0xd15e);
    for talk in TALKS.iter().chain([&SETS]) {
        for model in [Model::Linearizable, Model::Sequential] {
            let share = told(talk, model, &mut || {
                let size = 4 + dice.below(12);
                drawn(talk, &mut dice, size, 6)
            });
            assert!(share > 90, "{} {model}: {share} %", talk.datatype.name());
        }
    }
    for talk in &TALKS[..2] {
        for model in [Model::Linearizable, Model::Sequential] {
            let share = told(talk, model, &mut || exchanged(talk, &mut dice));
            assert!(share > 80, "{} {model}: {share} %", talk.datatype.name());
        }
    }
}

/// What is said of a history before its operations are told.
fn words(text: &str, name: &str) -> String {
    let history = history(text);
    let Verdict::Violated(found) = judged(text, name) else { panic!("{name} holds of {text}") };
    let told = found.explain(&history);
    told.split_once(": ").expect("its operations follow").0.to_owned()
}

#[test]
fn each_pattern_has_its_words() {
    let queues = [
        ("[dequeue]q=null:1", "1 came out, and nobody had put it in by then"),
        (
            "[enqueue]q=1 [dequeue]q=null:1 [dequeue]q=null:1",
            "1 came out twice, and had been put in once",
        ),
        (
            "[enqueue]q=1 [enqueue]q=2 [dequeue]q=null:2 [dequeue]q=null:1",
            "1 was put in before 2, but 2 came out first",
        ),
        ("[enqueue]q=1 [dequeue]q=null", "nothing was found although 1 was inside"),
        (
            "[enqueue]q=1 [enqueue]q=2 [dequeue]q=null:1 [dequeue]q=null:2|[dequeue]q=null @ 0010000100",
            "nothing was found although 1, then 2 were inside",
        ),
    ];
    let others = [
        ("[push]s=1 [push]s=2 [pop]s=null:1", "1 came out while 2 was inside, put in after it"),
        (
            "[push]s=1 [pop]s=null:1|[push]s=9 [pop]s=null:9|[push]s=2 [pop]s=null:2 \
             @ 200120012211",
            "9 was put in while 1, then 2 were inside, and came out later",
        ),
        ("[add]s=1 rs=[1,2]", "2 was found, and nobody had added it by then"),
        ("[add]s=1 rs=[]", "1 was there and then was not, and nobody had removed it"),
        (
            "[add]s=1 [remove]s=1 rs=[1]",
            "1 was gone and then was there, and nobody had added it again",
        ),
        (
            "[add]s=1|[add]s=2|rs=[1]|rs=[2] @ 01230123",
            "one saw 1 without 2, another 2 without 1, and nobody removed them in between",
        ),
        (
            "[acquire]l=null|[acquire]l=null @ 0011",
            "two held it, and nobody released it in between",
        ),
        ("[acquire]l=\"a\" [release]l=\"b\"", "it was released by one who had not acquired it"),
        (
            "[acquire]l=null [release]l=null [release]l=null",
            "it was released twice, and nobody acquired it in between",
        ),
        (
            "[acquire]l=null:7 [release]l=null [acquire]l=null:5",
            "the token 5 was given after 7, and is not larger",
        ),
        ("[acquire]l=null:7 [release]l=null [acquire]l=null:7", "the token 7 was given twice"),
        ("[generate]u=null:4|[generate]u=null:4", "4 was given twice"),
    ];
    for (text, expected) in queues.into_iter().chain(others) {
        assert_eq!(words(text, "linearizable"), expected, "{text}");
    }
    for (text, expected) in [
        ("[dequeue]q=null:1 [enqueue]q=1", "1 came out before it was put in"),
        (
            "[enqueue]q=1 [enqueue]q=2 [dequeue]q=null:2 [dequeue]q=null:1",
            "1 was put in before 2, but 2 came out first",
        ),
    ] {
        assert_eq!(words(text, "sequential"), expected, "{text}");
    }
}

#[test]
fn what_takes_of_unknown_outcome_cannot_have_taken_has_its_words() {
    for (text, expected) in [
        (
            "[enqueue]q=1 [enqueue]q=2 [dequeue]q=null|[dequeue]q=null? @ 0000100",
            "nothing was found although 1, 2 were inside, and only one take of unknown outcome can \
             have come before",
        ),
        (
            "[enqueue]q=1 [enqueue]q=2 [enqueue]q=3 [dequeue]q=null|[dequeue]q=null?|\
             [dequeue]q=null? @ 0000001200",
            "nothing was found although 1, 2, 3 were inside, and only 2 takes of unknown outcome \
             can have come before",
        ),
        (
            "[enqueue]q=1 [enqueue]q=1 [dequeue]q=null:1 [dequeue]q=null|[dequeue]q=null? \
             @ 000000001",
            "nothing was found although 1 was inside, and no take of unknown outcome can have \
             come before",
        ),
        (
            "[push]s=1 [push]s=2 [pop]s=null|[pop]s=null? @ 0000100",
            "nothing was found although 1, 2 were inside, and only one take of unknown outcome can \
             have come before",
        ),
    ] {
        assert_eq!(words(text, "linearizable"), expected, "{text}");
    }
    // As many takes as values explain it.
    let text = history(
        "[enqueue]q=1 [enqueue]q=2 [dequeue]q=null|[dequeue]q=null?|[dequeue]q=null? \
                        @ 00001200",
    );
    assert_eq!(Pattern::of(&text, Model::Linearizable, &Queue), None);
}

#[test]
fn a_pattern_names_its_operations() {
    let text = "[enqueue]q=1 [enqueue]q=2|[dequeue]q=null:2 @ 000011";
    let Verdict::Violated(found) = judged(text, "linearizable") else { panic!("2 overtook 1") };
    assert_eq!(
        found.explain(&history(text)),
        "1 was put in before 2, but 2 came out first: process 0 asked for `enqueue q=1`; then \
         process 0 asked for `enqueue q=2`; then process 1 asked for `dequeue q` and was answered 2"
    );
}

/// What does not begin empty, and a semaphore, have no pattern.
#[test]
fn a_pattern_is_of_what_begins_empty() {
    let found = |text: &str, datatype: &dyn Datatype| {
        Pattern::of(&history(text), Model::Linearizable, datatype)
    };
    let held = Like::beginning(&Queue, vec![Value::from(1)].into());
    let text = "[dequeue]q=null:1";
    assert!(found(text, &Queue).is_some() && found(text, &held).is_none());
    let text = "[acquire]l=null|[acquire]l=null @ 0011";
    assert!(found(text, &Lock).is_some() && found(text, &Semaphore).is_none());
}

#[test]
fn a_pattern_that_is_not_there_is_refused() {
    let text = history("[enqueue]q=1 [dequeue]q=null:2");
    let model = Model::Linearizable;
    let verdict = check_with(&text, model, &Queue, Budget::default());
    let Verdict::Violated(found) = verdict else { panic!("nobody puts 2 in") };
    let with = |shows: Option<Pattern>| {
        let reason = Reason::NoOrder { model, shows };
        let claim = Verdict::Violated(Counterexample { reason, ..found.clone() });
        recheck_with(&text, model, &Queue, &claim).map_err(|why| why.reason)
    };
    assert_eq!(with(None), Ok(()));
    let twice = Shape::GivenTwice(Value::from(2));
    let forged = Pattern { shape: twice, operations: vec![7] };
    let refused = Err("the part does not show this pattern".to_owned());
    assert_eq!(with(Some(forged)), refused);
}
