//! All code that takes events accepts the same sequences, and names the same
//! rule where it refuses an event. The sequences are random, well formed or
//! not.

use std::collections::BTreeMap;

use quiescence::history::formats::{self, Follower, Options, operation_lines};
use quiescence::history::{
    Builder, Call, Completion, Event, History, Malformed, Operation, ProcessId, Rule, What,
};
use quiescence::judgement::{Budget, Live, Model, check};

use crate::judgement::simulated::Dice;

/// The history of a sequence, or its first refusal.
type Outcome = Result<History, Malformed>;

/// Any sequence of events. Every kind of mistake is likely, and none is certain.
fn events(dice: &mut Dice) -> Vec<Event> {
    let mut time: u64 = 100;
    let mut busy = [false; 3];
    let draw = |_| {
        let at = dice.below(3);
        let process = ProcessId(u32::try_from(at).expect("a few"));
        time += dice.below(3) as u64;
        if dice.one_in(30) {
            time -= 5;
        }
        // Mostly something that the process can do next.
        let asks = busy[at] == dice.one_in(25);
        busy[at] = asks;
        match (asks, dice.below(8)) {
            (true, 0..3) => Event::invoke(process, time, Call::write("x", 1)),
            (true, _) => Event::invoke(process, time, Call::read("x")),
            (false, 0) => Event::info(process, time),
            (false, 1) => Event::fail(process, time),
            (false, 2..4) => Event::ok_final(process, time, 1),
            (false, _) => Event::ok(process, time, ()),
        }
    };
    (0..10).map(draw).collect()
}

/// The same events, but a process continues as a new one after an unknown
/// outcome.
fn renamed(events: &[Event]) -> Vec<Event> {
    let mut names: BTreeMap<ProcessId, (ProcessId, bool)> = BTreeMap::new();
    let mut next = 3;
    let rename = |event: &Event| {
        let (name, ended) = names.entry(event.process).or_insert((event.process, false));
        if *ended && matches!(event.what, What::Invoke(_)) {
            (*name, *ended) = (ProcessId(next), false);
            next += 1;
        }
        *ended |= event.what == What::Info;
        Event { process: *name, ..event.clone() }
    };
    events.iter().map(rename).collect()
}

/// The rules, implemented again, each as a question about all events before:
/// the first event that breaks one.
fn first_broken(events: &[Event]) -> Option<(usize, Option<Rule>)> {
    let broken = |at: usize| {
        let (event, before) = (&events[at], &events[..at]);
        let own: Vec<&What> =
            before.iter().filter(|one| one.process == event.process).map(|one| &one.what).collect();
        let open = match own.last() {
            Some(What::Invoke(request)) => Some(request),
            _ => None,
        };
        let quiet = own.iter().any(|what| matches!(what, What::OkFinal(_)));
        match &event.what {
            _ if before.iter().any(|one| one.time > event.time) => Some(Rule::Order),
            What::Invoke(_) if open.is_some() => Some(Rule::Sequential),
            What::Invoke(_) if own.last() == Some(&&What::Info) => Some(Rule::End),
            What::Invoke(request) if quiet && !request.only_reads() => Some(Rule::Quiescence),
            What::Invoke(_) => None,
            _ if open.is_none() => Some(Rule::Invoked),
            What::OkFinal(_) if !open?.only_reads() => Some(Rule::FinalRead),
            _ => None,
        }
    };
    let line = |at: usize| broken(at).map(|rule| (at + 1, Some(rule)));
    (0..events.len()).find_map(line)
}

fn line(event: &Event) -> String {
    let rest = match &event.what {
        What::Invoke(request) => {
            let call = request.call();
            let (f, argument) = (call.f.as_str(), &call.argument);
            format!(r#""type":"invoke","f":"{f}","key":"x","value":{argument}"#)
        }
        What::Ok(answer) => format!(r#""type":"ok","answer":{answer}"#),
        What::OkFinal(answer) => format!(r#""type":"ok","answer":{answer},"final":true"#),
        What::Fail => r#""type":"fail""#.to_owned(),
        What::Info => r#""type":"info""#.to_owned(),
    };
    format!(r#"{{"process":{},"time":{},{rest}}}"#, event.process.0, event.time)
}

fn built(events: &[Event]) -> Outcome {
    let mut builder = Builder::new();
    events.iter().try_for_each(|event| builder.event(event.clone()))?;
    Ok(builder.finish())
}

fn read(events: &[Event]) -> Outcome {
    let lines: Vec<String> = events.iter().map(line).collect();
    // Where they are not refused, the order of the events counts.
    let strict = Options { strict_time: true, ..Options::default() };
    Ok(formats::read(lines.join("\n").as_bytes(), &strict)?.history)
}

fn followed(events: &[Event]) -> Outcome {
    let strict = Options { strict_time: true, ..Options::default() };
    let mut lines = Follower::new(strict);
    let mut builder = Builder::new();
    for event in events {
        for said in lines.line(line(event).as_bytes()) {
            builder.event(said?).expect("what a follower says obeys the rules");
        }
    }
    Ok(builder.finish())
}

/// The refusal by live judgement, or the history of the events if it accepts
/// all.
fn judged(events: &[Event]) -> Outcome {
    let mut live = Live::new(&[], 1_000).expect("no model is too many");
    for event in events {
        live.event(event.clone())?;
    }
    Ok(built(events).expect("live judgement took them"))
}

/// The operations of an outcome, with processes numbered in order of
/// appearance, because each reader is free to choose its numbers.
fn counted(outcome: &Outcome) -> Option<Vec<Operation>> {
    let operations = outcome.as_ref().ok()?.operations().iter().cloned();
    let mut numbers: BTreeMap<ProcessId, u32> = BTreeMap::new();
    let count = |mut operation: Operation| {
        let next = u32::try_from(numbers.len()).expect("a few");
        operation.process = ProcessId(*numbers.entry(operation.process).or_insert(next));
        operation
    };
    Some(operations.map(count).collect())
}

/// The place of a refusal, and its rule.
fn refusal<T>(outcome: &Result<T, Malformed>) -> Option<(usize, Option<Rule>)> {
    outcome.as_ref().err().map(|malformed| (malformed.line, malformed.rule))
}

#[test]
fn builder_reader_follower_and_live_judgement_refuse_the_same_events_by_the_same_rule() {
    let mut dice = Dice(29);
    let mut seen: BTreeMap<Option<Rule>, usize> = BTreeMap::new();
    for _ in 0..20_000 {
        let events = events(&mut dice);
        let text = || events.iter().map(line).collect::<Vec<_>>().join("\n");
        let plain = built(&events);
        assert_eq!(refusal(&plain), first_broken(&events), "{}", text());
        assert_eq!(judged(&events), plain, "{}", text());
        let rule = refusal(&plain).map(|(_, rule)| rule.expect("an event can be read"));
        *seen.entry(rule).or_default() += 1;
        // Files use one number for both processes, and readers rename the
        // second.
        let expected = built(&renamed(&events));
        assert_eq!(judged(&renamed(&events)), expected, "{}", text());
        for (name, outcome) in [("read", read(&events)), ("followed", followed(&events))] {
            assert_eq!(refusal(&outcome), refusal(&expected), "{name}:\n{}", text());
            assert_eq!(counted(&outcome), counted(&expected), "{name}:\n{}", text());
        }
        if rule != Some(Rule::End) && plain.is_err() {
            let reasons = [read(&events), followed(&events)].map(Result::err);
            assert_eq!(reasons, [plain.clone().err(), plain.err()], "{}", text());
        }
    }
    let rules = [Rule::Order, Rule::Sequential, Rule::End, Rule::Invoked, Rule::FinalRead];
    for rule in rules.into_iter().chain([Rule::Quiescence]).map(Some).chain([None]) {
        let count = seen.get(&rule).copied().unwrap_or_default();
        assert!(count > 200, "{rule:?}: {count} of {seen:?}");
    }
}

/// Whole operations in order of invocation, with mistakes.
fn operations(dice: &mut Dice) -> Vec<Operation> {
    let mut time = 10;
    let mut next = 0;
    let mut names = [0, 1, 2].map(|at| (at, 0));
    let draw = |_| {
        let (name, idle) = &mut names[dice.below(3)];
        time = time.max(if dice.one_in(8) { 0 } else { *idle }) + dice.below(2) as u64;
        let returned = time + dice.below(4) as u64;
        let call = if dice.one_in(2) { Call::write("x", 1) } else { Call::read("x") };
        let (returned, completion) = match dice.below(8) {
            0 => (None, Completion::Info),
            1 => (Some(returned), Completion::Fail),
            2 if dice.one_in(4) => (Some(time - 1), Completion::Fail),
            _ => {
                (Some(returned), Completion::Ok(if call.is_read() { 1.into() } else { ().into() }))
            }
        };
        let answered = matches!(completion, Completion::Ok(_));
        let process = ProcessId(*name);
        *idle = returned.unwrap_or(0);
        if returned.is_none() {
            (*name, next) = (3 + next, next + 1);
        }
        Operation {
            process,
            node: None,
            final_read: answered && dice.one_in(if call.is_read() { 3 } else { 30 }),
            call,
            invoked: time,
            returned,
            completion,
        }
    };
    (0..8).map(draw).collect()
}

fn whole_line(operation: &Operation) -> String {
    let Operation { process, call, invoked, returned, completion, final_read, .. } = operation;
    let (kind, value) = match completion {
        Completion::Ok(answer) if call.is_read() => ("ok", answer),
        Completion::Ok(_) => ("ok", &call.argument),
        Completion::Fail => ("fail", &call.argument),
        Completion::Info => ("info", &call.argument),
    };
    let returned = returned.map_or("null".to_owned(), |at| at.to_string());
    format!(
        r#"{{"process":{},"f":"{}","key":"x","value":{value},"invoke":{invoked},"return":{returned},"type":"{kind}","final":{final_read}}}"#,
        process.0,
        call.f.as_str(),
    )
}

/// The same as a completion of EDN that tells its times.
fn whole_edn(operation: &Operation) -> String {
    let line = whole_line(operation).replace("null", "nil");
    let fields = line.trim_matches(['{', '}']).split(',').map(|field| {
        let (name, value) = field.split_once(':').expect("a name and a value");
        let value = match (name, value.trim_matches('"')) {
            ("\"type\"" | "\"f\"", word) => format!(":{word}"),
            (_, value) => value.to_owned(),
        };
        format!(":{} {value}", name.trim_matches('"'))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

#[test]
fn whole_operations_are_refused_alike_in_a_file_and_in_memory() {
    let mut dice = Dice(31);
    let mut seen: BTreeMap<Option<Rule>, usize> = BTreeMap::new();
    for _ in 0..20_000 {
        let operations = operations(&mut dice);
        let lines: Vec<String> = operations.iter().map(whole_line).collect();
        let text = lines.join("\n");
        let made = History::of(operations.clone());
        let read = operation_lines::read(text.as_bytes()).map(|recording| recording.history);
        assert_eq!(read, made, "{text}");
        let edn: Vec<String> = operations.iter().map(whole_edn).collect();
        let edn = edn.join("\n");
        let read = formats::read(edn.as_bytes(), &Options::default());
        assert_eq!(read.map(|recording| recording.history), made, "{edn}");
        *seen.entry(made.err().and_then(|malformed| malformed.rule)).or_default() += 1;
    }
    let rules = [Rule::Sequential, Rule::Duration, Rule::FinalRead, Rule::Quiescence];
    for rule in rules.into_iter().map(Some).chain([None]) {
        let count = seen.get(&rule).copied().unwrap_or_default();
        assert!(count > 200, "{rule:?}: {count} of {seen:?}");
    }
}

#[test]
fn what_formats_cannot_say_is_refused_too() {
    let operation = Operation {
        process: ProcessId(0),
        node: None,
        call: Call::read("x"),
        invoked: 5,
        returned: Some(7),
        completion: Completion::Ok(1.into()),
        final_read: false,
    };
    let refused = |operation: Operation| {
        refusal(&History::of(vec![operation])).expect("it is ill formed").1.expect("a rule")
    };
    assert_eq!(History::of(vec![operation.clone()]).map(|history| history.len()), Ok(1));
    for completion in [Completion::Fail, Completion::Ok(1.into())] {
        let without = Operation { returned: None, completion, ..operation.clone() };
        assert_eq!(refused(without), Rule::Outcome);
    }
    let info = Operation { completion: Completion::Info, ..operation.clone() };
    assert_eq!(refused(info), Rule::Outcome);
    let failed = Operation { completion: Completion::Fail, final_read: true, ..operation.clone() };
    assert_eq!(refused(failed), Rule::FinalRead);
    let early = Operation { invoked: 1, process: ProcessId(1), ..operation.clone() };
    assert_eq!(refusal(&History::of(vec![operation, early])), Some((2, Some(Rule::Order))));
}

/// How a line of Jepsen is written.
#[derive(Clone, Copy)]
enum Written {
    Edn,
    Log,
}

/// A recording of registers as Jepsen writes it, with mistakes: values are pairs with a key or
/// not, and no value is written twice.
fn jepsen(dice: &mut Dice, written: Written, keys: bool) -> Vec<String> {
    let mut open: [Option<(&str, String, i64)>; 3] = [const { None }; 3];
    let mut next = 0;
    let draw = |_| {
        let at = dice.below(3);
        let mistake = dice.one_in(60);
        let pair = |key: &str, value: &str| match keys {
            true => format!("[{key} {value}]"),
            false => value.to_owned(),
        };
        if dice.one_in(12) {
            return match written {
                Written::Edn => "{:process :nemesis :type :info :f :cut :value nil}".to_owned(),
                Written::Log => ":nemesis\t:info\t:cut\tnil".to_owned(),
            };
        }
        let (kind, (f, key, value), shown) = match (&open[at], mistake) {
            (None, false) | (Some(_), true) => {
                let f = if dice.one_in(2) { "write" } else { "read" };
                next += i64::from(f == "write");
                let call = (f, dice.below(2).to_string(), next);
                open[at] = Some(call.clone());
                let value = if f == "write" { next.to_string() } else { "nil".to_owned() };
                ("invoke", call, value)
            }
            (Some(call), _) => {
                let call = call.clone();
                open[at] = None;
                let seen = dice.below(usize::try_from(next).expect("a few") + 1).to_string();
                let seen = if seen == "0" { "nil".to_owned() } else { seen };
                let value = if call.0 == "write" { call.2.to_string() } else { seen };
                let kind = ["ok", "ok", "ok", "ok", "ok", "info", "fail"][dice.below(7)];
                (kind, call, value)
            }
            (None, true) => ("ok", ("read", "0".to_owned(), 0), "nil".to_owned()),
        };
        let _ = value;
        let value = pair(&key, &shown);
        match written {
            Written::Edn => format!("{{:process {at} :type :{kind} :f :{f} :value {value}}}"),
            Written::Log => format!("INFO jepsen.util - {at}\t:{kind}\t:{f}\t{value}"),
        }
    };
    (0..14).map(draw).collect()
}

#[test]
fn what_is_followed_of_jepsen_is_what_the_whole_file_says_and_is_judged_alike() {
    let mut dice = Dice(37);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..8_000 {
        let written = if round % 2 == 0 { Written::Edn } else { Written::Log };
        let lines = jepsen(&mut dice, written, round % 3 == 0);
        let text = lines.join("\n");
        let whole = formats::read(text.as_bytes(), &Options::default());
        let mut follower = Follower::default();
        let mut said: Vec<_> =
            lines.iter().flat_map(|line| follower.line(line.as_bytes())).collect();
        said.extend(follower.end());
        let refused = said.iter().find_map(|said| said.as_ref().err());
        let whole = match (whole, refused) {
            (Ok(whole), None) => whole.history,
            (Err(whole), Some(refused)) => {
                assert_eq!(whole, *refused, "{text}");
                *seen.entry("malformed").or_default() += 1;
                continue;
            }
            // A file that tells of nothing but the nemesis is refused as a whole only.
            (Err(_), None) if said.is_empty() => continue,
            (whole, refused) => panic!("{whole:?} {refused:?} {text}"),
        };
        let mut builder = Builder::new();
        let mut live = Live::new(&[Model::Linearizable], 1_000).expect("it can be judged live");
        let mut violated = false;
        for event in said.into_iter().flatten() {
            builder.event(event.clone()).expect("what a follower says obeys the rules");
            violated |= !live.event(event).expect("well formed").is_empty();
        }
        violated |= !live.finish().is_empty();
        assert_eq!(builder.finish(), whole, "{text}");
        let holds = check(&whole, Model::Linearizable, Budget::default()).holds();
        assert_eq!(violated, !holds, "{text}");
        *seen.entry(if holds { "holds" } else { "violated" }).or_default() += 1;
    }
    for outcome in ["malformed", "holds", "violated"] {
        assert!(seen.get(outcome).is_some_and(|count| *count > 500), "{outcome}: {seen:?}");
    }
}
