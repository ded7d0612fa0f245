//! Queues, stacks, sets and sources of names whose values are all different: the fast
//! procedures against searches that know nothing of them, and against the oracle.

use quiescence::history::{
    Builder, Call, Event, Function, History, Key, Operation, ProcessId, Value,
};
use quiescence::judgement::datatype::{
    About, Datatype, Queue, Set, Stack, UniqueId, UnorderedQueue,
};
use quiescence::judgement::verdict::recheck_with;
use quiescence::judgement::{Budget, Model, Unsound, Verdict, check_with, oracle};

use super::dice::Dice;
use super::effort;

/// The same type, without anything that a fast procedure could make use of.
pub(super) struct Plain(pub(super) &'static dyn Datatype);

impl Datatype for Plain {
    fn name(&self) -> &'static str {
        "a stranger"
    }
    fn knows(&self, call: &Call, answer: Option<&Value>) -> bool {
        self.0.knows(call, answer)
    }
    fn only_reads(&self, call: &Call, answer: Option<&Value>) -> bool {
        self.0.only_reads(call, answer)
    }
    fn initial(&self, key: &Key) -> Value {
        self.0.initial(key)
    }
    fn apply(&self, held: &Value, call: &Call, answer: Option<&Value>) -> Option<Value> {
        self.0.apply(held, call, answer)
    }
}

/// What clients ask of a type: each name with whether it has an argument of its own.
pub(super) struct Talk {
    pub(super) datatype: &'static dyn Datatype,
    pub(super) calls: &'static [(&'static str, bool)],
}

pub(super) const TALKS: [Talk; 5] = [
    Talk { datatype: &Queue, calls: &[("enqueue", true), ("dequeue", false)] },
    Talk { datatype: &Stack, calls: &[("push", true), ("pop", false)] },
    Talk {
        datatype: &Set,
        calls: &[("add", true), ("add-if-absent", true), ("read", false), ("add", true)],
    },
    Talk { datatype: &UnorderedQueue, calls: &[("enqueue", true), ("dequeue", false)] },
    Talk { datatype: &UniqueId, calls: &[("generate", false)] },
];

/// What an object answers that holds `held`, if its type says.
fn right(datatype: &dyn Datatype, held: &Value, call: &Call, new: i64, dice: &mut Dice) -> Value {
    let Value::List(all) = held else { unreachable!("these types hold lists") };
    match call.f.as_str() {
        "read" => held.clone(),
        "add-if-absent" => Value::from(i64::from(!all.contains(&call.argument))),
        "generate" => Value::from(new),
        "dequeue" | "pop" => match (datatype.name(), all.len()) {
            (_, 0) => Value::Null,
            ("queue", _) => all[0].clone(),
            ("stack", last) => all[last - 1].clone(),
            (_, count) => all[dice.below(count)].clone(),
        },
        _ => Value::Null,
    }
}

/// Operations on an object that answers rightly, but for every `wrong`th time. Some never
/// return, some fail. Instants may be shared by operations of different processes.
pub(super) fn drawn(talk: &Talk, dice: &mut Dice, size: usize, wrong: usize) -> History {
    let processes = 2 + dice.below(3);
    let mut held = talk.datatype.initial(&"x".into());
    let (mut events, mut new, mut time, mut count) = (Builder::new(), 0, 0, 0);
    // The call of each process, and what is answered once it has taken effect.
    let mut open: Vec<Option<(Call, Option<Value>)>> = vec![None; processes];
    let mut ids: Vec<u32> = (0..processes as u32).collect();
    let mut ended = vec![None; processes];
    while count < size || open.iter().any(Option::is_some) {
        time += dice.below(2) as u64;
        let process = dice.below(processes);
        let id = ProcessId(ids[process]);
        match open[process].take() {
            // A process never begins at the instant at which it has ended.
            None if ended[process] == Some(time) => {}
            None if count == size => {}
            None => {
                let (name, own) = talk.calls[dice.below(talk.calls.len())];
                // In a set, elements are added several times.
                let again = talk.datatype.name() == "set" && new > 0 && dice.one_in(3);
                new += i64::from(!again);
                let argument = match (own, again) {
                    (false, _) => Value::Null,
                    (true, true) => Value::from(1 + dice.below(new as usize) as i64),
                    (true, false) => Value::from(new),
                };
                let call = Call { f: Function::named(name), key: "x".into(), argument };
                events.event(Event::invoke(id, time, call.clone())).expect("it is idle");
                open[process] = Some((call, None));
                count += 1;
            }
            Some((call, None)) => {
                new += 1;
                let mut answer = right(talk.datatype, &held, &call, new, dice);
                if let Some(next) = talk.datatype.apply(&held, &call, Some(&answer)) {
                    held = next;
                }
                if dice.one_in(wrong) {
                    answer = astray(&call, answer, new, dice);
                }
                open[process] = Some((call, Some(answer)));
            }
            Some((_, Some(answer))) => match (ended[process].insert(time), dice.below(12)) {
                (_, 0) => {
                    events.event(Event::info(id, time)).expect("it is open");
                    ids[process] = ids.iter().max().expect("there are some") + 1;
                }
                (_, 1) if dice.one_in(2) => {
                    events.event(Event::fail(id, time)).expect("it is open");
                }
                _ => events.event(Event::ok(id, time, answer)).map(drop).expect("it is open"),
            },
        }
    }
    events.finish()
}

/// Another answer that looks like one.
fn astray(call: &Call, answer: Value, new: i64, dice: &mut Dice) -> Value {
    let any = Value::from(1 + dice.below(new as usize + 1) as i64);
    match (call.f.as_str(), answer) {
        ("read", Value::List(all)) => {
            let mut all = all.to_vec();
            match dice.one_in(2) && !all.is_empty() {
                true => drop(all.remove(dice.below(all.len()))),
                false => all.push(any),
            }
            all.into()
        }
        ("add-if-absent", Value::Int(found)) => Value::from(1 - found),
        ("generate", _) => any,
        ("dequeue" | "pop", _) if dice.one_in(4) => Value::Null,
        ("dequeue" | "pop", _) => any,
        (_, answer) => answer,
    }
}

/// Judges a history with and without the fast procedures, and replays the evidence.
/// Whether there is an order.
fn compared(history: &History, talk: &Talk, model: Model) -> bool {
    let text = || quiescence::history::notation::write(history);
    let datatype = talk.datatype;
    let verdict = check_with(history, model, datatype, Budget::default());
    let searched = check_with(history, model, &Plain(datatype), Budget::default());
    let holds = |verdict: &Verdict| match verdict {
        Verdict::Unknown(unknown) => panic!("{}: {unknown}", text()),
        verdict => verdict.holds(),
    };
    // A search may not come to an end, a fast procedure must, unless it searches.
    if !matches!(searched, Verdict::Unknown(_)) {
        assert_eq!(holds(&verdict), holds(&searched), "{} of {}", text(), datatype.name());
    }
    let replayed = recheck_with(history, model, datatype, &verdict);
    let open = history.operations().iter().filter(|op| op.is_pending()).count();
    // What may have taken something belongs to every part.
    let is_large = |unsound: &Unsound| unsound.too_large && open > 1;
    if !replayed.as_ref().is_err_and(is_large) {
        assert_eq!(replayed, Ok(()), "{} of {}: {verdict:?}", text(), datatype.name());
    }
    if let Verdict::Violated(found) = &verdict {
        assert!(found.minimal || open > 1, "{}: {found:?}", text());
        // By itself it fails, too.
        let part = found.of(history);
        let again = check_with(&part, model, datatype, Budget::default());
        assert!(!holds(&again), "{} of {}: {found:?}", text(), datatype.name());
    }
    verdict.holds()
}

#[test]
fn the_oracle_agrees_on_small_histories() {
    let mut dice = Dice(0xd157);
    for talk in TALKS.iter().chain([&SETS]) {
        for model in [Model::Linearizable, Model::Sequential] {
            let (mut hold, mut fail) = (0, 0);
            for _ in 0..effort(1_500, 60_000) {
                let size = 2 + dice.below(5);
                let history = drawn(talk, &mut dice, size, 3);
                let holds = compared(&history, talk, model);
                let oracle = oracle::judge_with(&history, model, &Plain(talk.datatype)).is_ok();
                let text = || quiescence::history::notation::write(&history);
                assert_eq!(holds, oracle, "{} of {}", text(), talk.datatype.name());
                *if holds { &mut hold } else { &mut fail } += 1;
            }
            assert!(hold > 60 && fail > 60, "{}: {hold}, {fail}", talk.datatype.name());
        }
    }
}

/// Every way in which `size` operations can overlap: the events in order of time, each
/// the number of an operation, which first begins and then ends, or never does. Of ends
/// that follow each other only one order is tried.
fn overlaps(size: usize) -> Vec<Vec<usize>> {
    fn more(size: usize, events: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
        let begun = events.iter().max().map_or(0, |last| last + 1);
        let count = |events: &[usize], at: usize| events.iter().filter(|it| **it == at).count();
        let after = events.last().filter(|last| count(events, **last) == 2).copied();
        if begun == size {
            all.push(events.clone());
        }
        for at in 0..=begun.min(size - 1) {
            let ends = at < begun;
            if count(events, at) < 2 && !(ends && after.is_some_and(|last| at < last)) {
                events.push(at);
                more(size, events, all);
                events.pop();
            }
        }
    }
    let mut all = Vec::new();
    more(size, &mut Vec::new(), &mut all);
    all
}

/// Every call that the operation of this number can be, with every answer that looks
/// like one.
fn calls(talk: &Talk, number: usize, size: usize) -> Vec<(Call, Value)> {
    let values: Vec<Value> = (1..=size as i64).map(Value::from).collect();
    let subsets = (0..1_usize << size).map(|set| {
        let element = |at: &usize| set & (1 << at) != 0;
        let elements = (0..size).filter(element).map(|at| values[at].clone());
        Value::from(elements.collect::<Vec<Value>>())
    });
    let subsets: Vec<Value> = subsets.collect();
    let mut names: Vec<(&str, bool)> = talk.calls.to_vec();
    names.sort_unstable();
    names.dedup();
    let mut all = Vec::new();
    for (name, own) in names {
        let again = talk.datatype.name() == "set" && number > 0;
        let arguments = match (own, again) {
            (false, _) => vec![Value::Null],
            (true, false) => vec![values[number].clone()],
            (true, true) => vec![values[number].clone(), values[0].clone()],
        };
        let answers = match name {
            "read" => subsets.clone(),
            "add-if-absent" => vec![Value::from(0), Value::from(1)],
            "dequeue" | "pop" => values.iter().cloned().chain([Value::Null]).collect(),
            "generate" => values.clone(),
            _ => vec![Value::Null],
        };
        for argument in arguments {
            let call = Call { f: Function::named(name), key: "x".into(), argument };
            all.extend(answers.iter().map(|answer| (call.clone(), answer.clone())));
        }
    }
    all
}

#[test]
fn the_oracle_agrees_on_all_histories_of_few_operations() {
    let size = effort(3, 4) as usize;
    let overlaps = overlaps(size);
    for talk in TALKS.iter().chain([&SETS]) {
        let choices: Vec<_> = (0..size).map(|number| calls(talk, number, size)).collect();
        let (mut hold, mut fail) = (0, 0);
        for events in &overlaps {
            let ends = |at: usize| events.iter().filter(|event| **event == at).count() == 2;
            let mut picked = vec![0; size];
            loop {
                let chosen = |at: usize| &choices[at][picked[at]];
                // An answer that nobody got is the same as any other.
                let same = |at: usize| {
                    !ends(at) && picked[at] > 0 && choices[at][picked[at] - 1].0 == chosen(at).0
                };
                if !(0..size).any(same) {
                    let history = overlapped(events, chosen);
                    let model = Model::Linearizable;
                    let verdict = check_with(&history, model, talk.datatype, Budget::default());
                    let oracle = oracle::judge_with(&history, model, &Plain(talk.datatype));
                    let text = || quiescence::history::notation::write(&history);
                    let decided = !matches!(verdict, Verdict::Unknown(_));
                    assert!(decided, "{}: {verdict:?}", text());
                    assert_eq!(verdict.holds(), oracle.is_ok(), "{}: {verdict:?}", text());
                    let replayed = recheck_with(&history, model, talk.datatype, &verdict);
                    assert_eq!(replayed, Ok(()), "{}: {verdict:?}", text());
                    *if oracle.is_ok() { &mut hold } else { &mut fail } += 1;
                }
                // Counts on.
                let Some(next) = (0..size).find(|&at| picked[at] + 1 < choices[at].len()) else {
                    break;
                };
                picked[..next].fill(0);
                picked[next] += 1;
            }
        }
        println!("{}: {hold} hold, {fail} fail", talk.datatype.name());
        assert!(hold > 100 && fail > 100, "{}: {hold}, {fail}", talk.datatype.name());
    }
}

/// The history of these events, each operation by a process of its own.
fn overlapped<'a>(events: &[usize], chosen: impl Fn(usize) -> &'a (Call, Value)) -> History {
    let mut builder = Builder::new();
    for (time, &at) in (0..).zip(events) {
        let (id, (call, answer)) = (ProcessId(at as u32), chosen(at));
        let event = match events[..time as usize].contains(&at) {
            false => Event::invoke(id, time, call.clone()),
            true => Event::ok(id, time, answer.clone()),
        };
        builder.event(event).expect("it begins and then ends");
    }
    builder.finish()
}

#[test]
fn a_search_agrees_on_longer_histories() {
    let mut dice = Dice(0xd158);
    for talk in &TALKS {
        let (mut hold, mut fail) = (0, 0);
        for _ in 0..effort(1_000, 40_000) {
            let size = 6 + dice.below(20);
            let wrong = [20, 40, 1_000][dice.below(3)];
            let history = drawn(talk, &mut dice, size, wrong);
            let holds = compared(&history, talk, Model::Linearizable);
            *if holds { &mut hold } else { &mut fail } += 1;
        }
        assert!(hold > 60 && fail > 60, "{}: {hold}, {fail}", talk.datatype.name());
    }
}

/// Calls with right answers, one after the other.
fn sequence(talk: &Talk, dice: &mut Dice) -> Vec<(Call, Option<Value>)> {
    let mut held = talk.datatype.initial(&"x".into());
    let mut all = Vec::new();
    for new in 1..=i64::from(2 + dice.below(8) as u32) {
        let (name, own) = talk.calls[dice.below(talk.calls.len())];
        let argument = match own {
            true => Value::from(if dice.one_in(4) { 1 } else { new }),
            false => Value::Null,
        };
        let call = Call { f: Function::named(name), key: "x".into(), argument };
        let answer = right(talk.datatype, &held, &call, new, dice);
        let answer = Some(answer).filter(|_| !dice.one_in(8));
        held = talk.datatype.apply(&held, &call, answer.as_ref()).expect("the answer is right");
        all.push((call, answer));
    }
    all
}

/// Whether an object can answer these calls so: those of unknown answer may not have
/// happened.
fn is_possible(datatype: &dyn Datatype, all: &[(Call, Option<Value>)]) -> bool {
    fn from(datatype: &dyn Datatype, held: &Value, all: &[(Call, Option<Value>)]) -> bool {
        let Some(((call, answer), rest)) = all.split_first() else { return true };
        let next = datatype.apply(held, call, answer.as_ref());
        next.is_some_and(|next| from(datatype, &next, rest))
            || (answer.is_none() && from(datatype, held, rest))
    }
    from(datatype, &datatype.initial(&"x".into()), all)
}

/// With removes, and elements that come back.
pub(super) const SETS: Talk = Talk {
    datatype: &Set,
    calls: &[("add", true), ("add-if-absent", true), ("remove", true), ("read", false)],
};

#[test]
fn what_is_about_some_parts_can_be_left_out() {
    let mut dice = Dice(0xd159);
    for talk in TALKS.iter().chain([&SETS]) {
        let mut smaller = 0;
        for _ in 0..effort(2_000, 100_000) {
            let all = sequence(talk, &mut dice);
            assert!(is_possible(talk.datatype, &all));
            let out: Vec<Value> =
                (0..12).filter(|_| dice.one_in(2)).map(|n: i64| Value::from(n)).collect();
            let about =
                |(call, answer): &(Call, Option<Value>)| talk.datatype.about(call, answer.as_ref());
            let kept = all.iter().filter(|one| match about(one) {
                About::Part(part) => !out.contains(&part),
                About::Parts | About::Unknown => true,
                About::Object => panic!("{}: it has parts", talk.datatype.name()),
            });
            let left: Vec<(Call, Option<Value>)> = kept
                .map(|one| match (about(one), &one.1) {
                    (About::Parts, Some(answer)) => {
                        let counts = |part: &Value| !out.contains(part);
                        let left = talk.datatype.answer_about(&one.0, answer, &counts);
                        (one.0.clone(), Some(left))
                    }
                    _ => one.clone(),
                })
                .collect();
            smaller += usize::from(left.len() < all.len());
            assert!(is_possible(talk.datatype, &left), "{all:?} without {out:?}");
        }
        assert!(smaller > 100);
    }
}

#[test]
fn objects_that_are_changed_in_place_do_the_same() {
    let mut dice = Dice(0xd15a);
    for talk in TALKS.iter().chain([&SETS]) {
        let mut wrong = 0;
        for _ in 0..effort(2_000, 100_000) {
            let mut object = talk.datatype.running(&"x".into()).expect("it has one");
            let mut held = Some(talk.datatype.initial(&"x".into()));
            for (call, answer) in sequence(talk, &mut dice) {
                let answer = match dice.one_in(12) {
                    true => answer.map(|answer| astray(&call, answer, 9, &mut dice)),
                    false => answer,
                };
                held = held.and_then(|held| talk.datatype.apply(&held, &call, answer.as_ref()));
                assert_eq!(object.step(&call, answer.as_ref()), held.is_some(), "{call}");
                if held.is_none() {
                    wrong += 1;
                    break;
                }
            }
        }
        assert!(wrong > 100, "{}: {wrong}", talk.datatype.name());
    }
}

/// A part that lacks an operation on a value that it is about shows nothing.
#[test]
fn a_part_that_lacks_something_is_no_evidence() {
    let mut dice = Dice(0xd15b);
    for talk in &TALKS {
        let (mut refused, model) = (0, Model::Linearizable);
        for _ in 0..effort(600, 20_000) {
            let size = 4 + dice.below(6);
            let history = drawn(talk, &mut dice, size, 3);
            let verdict = check_with(&history, model, talk.datatype, Budget::default());
            let Verdict::Violated(found) = &verdict else { continue };
            for out in &found.operations {
                let mut less = found.clone();
                less.operations.retain(|at| at != out);
                less.restricted.retain(|(at, _)| at != out);
                let is_none =
                    |op: &Operation| op.completion == quiescence::history::Completion::Fail;
                if is_none(&history.operations()[*out]) {
                    continue;
                }
                let claim = Verdict::Violated(less);
                let replayed = recheck_with(&history, model, talk.datatype, &claim);
                assert!(replayed.is_err(), "{found:?} without {out}");
                refused += 1;
            }
        }
        assert!(refused > 100, "{}: {refused}", talk.datatype.name());
    }
}

/// Parts that are like objects of their own: what was answered about one does not depend
/// on the others, and neither does what comes of it.
#[test]
fn parts_are_independent_where_the_type_says_so() {
    let mut dice = Dice(0xd15c);
    for talk in TALKS.iter().chain([&SETS]).filter(|talk| talk.datatype.is_composed(&"x".into())) {
        let datatype = talk.datatype;
        let mut compared = 0;
        for _ in 0..effort(2_000, 100_000) {
            let own = sequence(talk, &mut dice);
            let part = Value::from(1 + dice.below(3) as i64);
            let about = |(call, answer): &&(Call, Option<Value>)| {
                datatype.about(call, answer.as_ref()) == About::Part(part.clone())
            };
            let own: Vec<_> = own.iter().filter(about).cloned().collect();
            let others = sequence(talk, &mut dice);
            let others: Vec<_> = others.iter().filter(|one| !about(one)).cloned().collect();
            let mut mixed: Vec<(Call, Option<Value>)> = others.clone();
            let mut place = 0;
            for one in &own {
                place += dice.below(mixed.len() + 1 - place);
                mixed.insert(place, one.clone());
                place += 1;
            }
            let possible = is_possible(datatype, &own) && is_possible(datatype, &others);
            let tells = |(call, answer): &(Call, Option<Value>)| {
                datatype.about(call, answer.as_ref()) == About::Parts && answer.is_some()
            };
            if !others.iter().any(tells) {
                assert_eq!(is_possible(datatype, &mixed), possible, "{own:?} and {others:?}");
                compared += 1;
            }
        }
        assert!(compared > 100, "{}: {compared}", datatype.name());
    }
}
