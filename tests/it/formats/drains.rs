//! Drains of queues: what they are read as is allowed wherever some placement of what they took
//! explains the recording.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use quiescence::history::formats::{self, Drains, Options, Recording};
use quiescence::history::{Completion, notation};
use quiescence::judgement::{Budget, Model, Verdict, check};

use crate::judgement::simulated::Dice;

/// What a client asked.
#[derive(Clone, Debug)]
enum Asked {
    Enqueue(i64),
    Dequeue,
    Drain,
}

/// An operation, with the positions of its events.
#[derive(Clone, Debug)]
struct Op {
    process: usize,
    asked: Asked,
    begun: usize,
    /// When the client recorded its end, and whether it knew the outcome then.
    ended: Option<(usize, bool)>,
    /// What it got, as far as was recorded; `None` in an answer: the queue was empty.
    got: Vec<Option<i64>>,
}

/// Recorded on a queue that works, whose clients lose connections; perhaps one answer is
/// changed afterwards.
fn recorded(dice: &mut Dice, events: usize) -> Vec<Op> {
    let mut all: Vec<Op> = Vec::new();
    // The open operation of each process, and those that nobody waits for any more.
    let mut open: [Option<usize>; 3] = [None; 3];
    let (mut queue, mut happened) = (Vec::new(), BTreeSet::new());
    let (mut next, mut now) = (0, 0);
    while now < events {
        let process = dice.below(3);
        let at = match open[process] {
            None => {
                let asked = match dice.below(5) {
                    0 | 1 => Asked::Enqueue(next),
                    2 => Asked::Dequeue,
                    _ => Asked::Drain,
                };
                next += 1;
                open[process] = Some(all.len());
                all.push(Op { process, asked, begun: now, ended: None, got: Vec::new() });
                now += 1;
                continue;
            }
            Some(_) if dice.one_in(6) => dice.below(all.len()),
            Some(at) => at,
        };
        // What takes effect; of what its client has given up, nobody notes it.
        let given_up = all[at].ended.is_some_and(|(_, known)| !known);
        let steps = if all[at].ended.is_some() { usize::from(given_up) } else { dice.below(3) };
        for _ in 0..steps {
            let drains = matches!(all[at].asked, Asked::Drain);
            if !drains && !happened.insert(at) {
                break;
            }
            let got = match all[at].asked {
                Asked::Enqueue(value) => {
                    queue.push(value);
                    continue;
                }
                Asked::Drain if queue.is_empty() => break,
                Asked::Dequeue | Asked::Drain if queue.is_empty() => None,
                Asked::Dequeue | Asked::Drain => Some(queue.remove(0)),
            };
            if !given_up {
                all[at].got.push(got);
            }
        }
        let knows = matches!(all[at].asked, Asked::Drain) || happened.contains(&at);
        if all[at].ended.is_none() && dice.one_in(2) {
            let known = knows && !dice.one_in(4);
            if !known {
                let kept = dice.below(all[at].got.len() + 1);
                let drains = matches!(all[at].asked, Asked::Drain);
                all[at].got.truncate(if drains { kept } else { 0 });
            }
            all[at].ended = Some((now, known));
            open[all[at].process] = None;
            now += 1;
        }
    }
    for at in open.into_iter().flatten() {
        // Nobody has recorded what they got.
        all[at].got.clear();
    }
    all
}

/// The events in their order: process, type, function, value.
fn events(all: &[Op]) -> Vec<(usize, &'static str, &'static str, String)> {
    let mut events = BTreeMap::new();
    for op in all {
        let (f, asked) = match op.asked {
            Asked::Enqueue(value) => ("enqueue", value.to_string()),
            Asked::Dequeue => ("dequeue", "null".to_owned()),
            Asked::Drain => ("drain", "null".to_owned()),
        };
        events.insert(op.begun, (op.process, "invoke", f, asked.clone()));
        let Some((ended, known)) = op.ended else { continue };
        let shown = |got: &Option<i64>| got.map_or("null".to_owned(), |got| got.to_string());
        let got: Vec<_> = op.got.iter().map(shown).collect();
        let value = match op.asked {
            Asked::Enqueue(_) => asked,
            Asked::Dequeue => got.concat(),
            Asked::Drain => format!("[{}]", got.join(",")),
        };
        let value = if value.is_empty() { "null".to_owned() } else { value };
        events.insert(ended, (op.process, if known { "ok" } else { "info" }, f, value));
    }
    events.into_values().collect()
}

/// The recording in every format that can hold it.
fn texts(all: &[Op]) -> [String; 4] {
    let nil = |value: &str| value.replace("null", "nil");
    let events = events(all);
    let edn = events.iter().map(|(process, kind, f, value)| {
        format!("{{:process {process} :type :{kind} :f :{f} :value {}}}\n", nil(value))
    });
    let json = events.iter().map(|(process, kind, f, value)| {
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":\"x\",\"value\":{value}}}\n")
    });
    let log = events
        .iter()
        .map(|(process, kind, f, value)| format!("{process}\t:{kind}\t:{f}\t{}\n", nil(value)));
    let whole = all.iter().map(|op| {
        let (_, _, f, value) = &self::events(std::slice::from_ref(op)).pop().expect("it began");
        let (begun, process) = (op.begun, op.process);
        let (kind, end) = match op.ended {
            Some((ended, known)) => (if known { "ok" } else { "info" }, ended.to_string()),
            None => ("info", "null".to_owned()),
        };
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value},\"invoke\":{begun},\"return\":{end}}}\n")
    });
    [edn.collect(), json.collect(), log.collect(), whole.collect()]
}

/// One thing that happened to the queue.
#[derive(Clone, Copy)]
struct Step {
    begun: usize,
    /// When it had happened; `None` if it need not happen.
    by: Option<usize>,
    effect: Effect,
    /// The operation, if it is a drain whose values have to come in this order.
    after: Option<usize>,
}

#[derive(Clone, Copy)]
enum Effect {
    Put(i64),
    Got(Option<i64>),
    /// Takes whatever there is, once or as often as it likes.
    Took {
        often: bool,
    },
}

fn steps(all: &[Op], in_order: bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for op in all {
        let known = op.ended.filter(|(_, known)| *known).map(|(ended, _)| ended);
        let step = |by, effect| Step { begun: op.begun, by, effect, after: None };
        match op.asked {
            Asked::Enqueue(value) => steps.push(step(known, Effect::Put(value))),
            Asked::Dequeue if known.is_none() => {
                steps.push(step(None, Effect::Took { often: false }));
            }
            Asked::Dequeue => steps.push(step(known, Effect::Got(op.got[0]))),
            Asked::Drain => {
                let by = op.ended.map(|(ended, _)| ended);
                for (nth, got) in op.got.iter().enumerate() {
                    let after = (in_order && nth > 0).then(|| steps.len() - 1);
                    steps.push(Step { after, ..step(by, Effect::Got(*got)) });
                }
                if known.is_none() {
                    steps.push(step(None, Effect::Took { often: true }));
                }
            }
        }
    }
    steps
}

/// Whether some order of the steps, each at an instant between its ends, explains all answers.
fn explained(steps: &[Step]) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![(0_u32, Vec::new())];
    while let Some((done, queue)) = open.pop() {
        let is_done = |at: usize| done & (1 << at) != 0;
        let left: Vec<_> = (0..steps.len()).filter(|at| !is_done(*at)).collect();
        if left.iter().all(|at| steps[*at].by.is_none()) {
            return true;
        }
        for at in left.iter().copied() {
            let step = steps[at];
            let late = |other: &usize| steps[*other].by.is_some_and(|by| by < step.begun);
            if left.iter().any(late) || step.after.is_some_and(|before| !is_done(before)) {
                continue;
            }
            let (mut then, mut queue) = (done | 1 << at, queue.clone());
            match step.effect {
                Effect::Put(value) => queue.push(value),
                Effect::Got(got) if queue.first().copied() != got => continue,
                Effect::Took { .. } if queue.is_empty() => continue,
                Effect::Got(None) => {}
                Effect::Got(Some(_)) => drop(queue.remove(0)),
                Effect::Took { often } => {
                    queue.remove(0);
                    then = if often { done } else { then };
                }
            }
            if seen.insert((then, queue.clone())) {
                open.push((then, queue));
            }
        }
    }
    false
}

fn read(text: &str) -> Recording {
    formats::read(text.as_bytes(), &Options::default()).unwrap_or_else(|no| panic!("{no}\n{text}"))
}

fn judged(text: &str) -> Verdict {
    check(&read(text).history, Model::Linearizable, Budget::of(2_000_000))
}

/// Changes one answer.
fn spoiled(dice: &mut Dice, mut all: Vec<Op>) -> Vec<Op> {
    let mut got: Vec<_> = all.iter_mut().flat_map(|op| op.got.iter_mut()).collect();
    if !got.is_empty() {
        let at = dice.below(got.len());
        *got[at] = Some(dice.below(5) as i64);
    }
    all
}

#[test]
fn what_some_placement_explains_is_no_violation_and_what_none_explains_is_one() {
    let mut dice = Dice(41);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..6_000 {
        let sound = recorded(&mut dice, 11);
        let spoil = round % 2 == 0;
        let all = if spoil { spoiled(&mut dice, sound) } else { sound };
        let (placed, ordered) = (explained(&steps(&all, false)), explained(&steps(&all, true)));
        assert!(spoil || ordered, "a queue that works: {all:?}");
        for text in texts(&all) {
            let verdict = judged(&text);
            let shown = || format!("{}\n{text}", notation::write(&read(&text).history));
            match placed {
                true => assert!(verdict.holds(), "{verdict:?} {}", shown()),
                false => {
                    assert!(matches!(verdict, Verdict::Violated(_)), "{verdict:?} {}", shown())
                }
            }
        }
        let outcome = match (ordered, placed) {
            (true, _) => "explained",
            (false, true) => "explained in another order",
            (false, false) => "violated",
        };
        *seen.entry(outcome).or_default() += 1;
    }
    let enough = |outcome: &str, most: usize| seen.get(outcome).is_some_and(|it| *it > most);
    assert!(enough("explained", 3_000) && enough("violated", 500), "{seen:?}");
}

#[test]
fn longer_recordings_of_a_queue_that_works_are_never_accused() {
    let mut dice = Dice(43);
    for _ in 0..150 {
        let all = recorded(&mut dice, 40);
        let verdict = judged(&texts(&all)[0]);
        assert!(!matches!(verdict, Verdict::Violated(_)), "{verdict:?} {all:?}");
    }
}

#[test]
fn dequeues_that_stand_for_a_drain_say_so_by_their_process() {
    let text = "{:process 7 :type :invoke :f :enqueue :value 5 :time 10}\n\
                {:process 7 :type :ok :f :enqueue :value 5 :time 20}\n\
                {:process 7 :type :invoke :f :enqueue :value 6 :time 21}\n\
                {:process 7 :type :ok :f :enqueue :value 6 :time 22}\n\
                {:process 3 :type :invoke :f :drain :time 30}\n\
                {:process 3 :type :info :f :drain :value [5 nil] :time 40}\n\
                {:process 3 :type :invoke :f :drain :time 50}\n\
                {:process 3 :type :fail :f :drain :time 60}\n";
    let found = read(text);
    let named: Vec<_> = found.history.operations().iter().map(|op| found.who(op.process)).collect();
    let wanted = [
        "process 7",
        "process 7",
        "process 3 in its drain (line 5, 1 of 1)",
        "process 3 in its drain (line 5, if it took more)",
        "process 3 (from line 7 on)",
    ];
    assert_eq!(named, wanted);
    assert_eq!(found.lines, [1, 3, 5, 5, 7]);
    let Drains { read: drains, dequeues, unfinished, perhaps, .. } = found.drains;
    assert_eq!((drains, dequeues, unfinished, perhaps, found.continued), (2, 1, 1, 1, 1));
    let [.., known, more, failed] = found.history.operations() else { panic!("{found:?}") };
    assert_eq!((known.invoked, known.returned), (30, Some(40)));
    assert_eq!((more.invoked, &more.completion), (30, &Completion::Info));
    assert_eq!((failed.invoked, &failed.completion), (50, &Completion::Fail));
    // What a queue holds at first may have been taken too.
    let held = Options { held: 3, ..Options::default() };
    let found = formats::read(text.as_bytes(), &held).expect("well formed");
    assert_eq!(found.drains.perhaps, 4);
    let keyed = "{:process 0 :type :invoke :f :drain :value [q nil]}\n\
                 {:process 0 :type :ok :f :drain :value [q [1 2]]}\n";
    assert_eq!(notation::write(&read(keyed).history), "[dequeue]q=null:1|[dequeue]q=null:2 @ 0101");
    let nothing = "0\t:invoke\t:drain\tnil\n:nemesis\t:info\t:stop\tnil\n0\t:ok\t:drain\t[]\n";
    assert_eq!((read(nothing).history.len(), read(nothing).drains.read), (0, 1));
}

#[test]
fn a_long_name_of_a_process_is_shortened_once() {
    let name = "n".repeat(500);
    let text = format!(
        "{{\"process\":\"{name}\",\"f\":\"drain\",\"value\":[5],\"invoke\":1,\"return\":2}}"
    );
    let found = read(&text);
    let wanted = format!("process {}… (500 letters) in its drain (line 1, 1 of 1)", &name[..80]);
    assert_eq!(found.who(found.history.operations()[0].process), wanted);
}

/// Reading each value of a drain must not take time for all the others: that would be minutes.
#[test]
fn a_drain_of_many_values_is_read_in_linear_time() {
    let (done, outcome) = mpsc::channel();
    std::thread::spawn(move || {
        let values: Vec<String> = (0..150_000).map(|value: u32| value.to_string()).collect();
        let text = format!(
            "{{\"invoke\":1,\"return\":2,\"process\":0,\"f\":\"drain\",\"value\":[{}]}}",
            values.join(",")
        );
        done.send(read(&text).history.len())
    });
    assert_eq!(outcome.recv_timeout(Duration::from_secs(60)), Ok(150_000));
}

#[test]
fn drains_that_contradict_themselves_are_refused_with_their_line() {
    let line = |kind: &str, value: &str| {
        format!(
            "{{\"process\":0,\"type\":\"{kind}\",\"f\":\"drain\",\"key\":\"q\",\"value\":{value}}}\n"
        )
    };
    let whole = |kind: &str, value: &str| {
        line(kind, value).replace("\"key\"", "\"invoke\":1,\"return\":2,\"key\"")
    };
    for (kind, value, expected) in [
        ("ok", "5", "a drain is answered with the list of what it took, not 5"),
        ("fail", "[1]", "a drain that failed took nothing, and this one names [1]"),
    ] {
        let invoked = line("invoke", "null");
        for text in [format!("{invoked}{}", line(kind, value)), format!("\n{}", whole(kind, value))]
        {
            let refused = formats::read(text.as_bytes(), &Options::default()).expect_err(&text);
            assert!(refused.reason.contains(expected) && refused.line == 2, "{refused}");
        }
    }
    let lenient = Options { lenient: true, ..Options::default() };
    let text = format!("{}{}", line("invoke", "null"), line("ok", "5"));
    let found = formats::read(text.as_bytes(), &lenient).expect("skipped");
    assert_eq!((found.skipped, found.drains.unfinished), (1, 1), "what it took is not known");
}

#[test]
fn a_drain_that_was_typed_is_read_as_one_that_was_recorded() {
    let options = Options { held: 1, ..Options::default() };
    let typed = |text: &str| formats::typed(text, &options).expect("well formed");
    let took = "[enqueue]q=1|[enqueue]q=2|[drain]q=null:[1,2] @ 001122";
    let dequeues = "[enqueue]q=1|[enqueue]q=2|[dequeue]q=null:1|[dequeue]q=null:2 @ 00112323";
    assert_eq!(notation::write(&typed(took).history), dequeues);
    assert_eq!(typed(took).place(3), ("operation", 3));
    // One of two was taken for certain, and the queue held a third at first.
    let unknown = typed("[enqueue]q=1|[enqueue]q=2|[drain]q=[1]? @ 00112");
    let Drains { read: drains, dequeues, unfinished, perhaps, .. } = unknown.drains;
    assert_eq!((drains, dequeues, unfinished, perhaps), (1, 1, 1, 2));
    for (text, reason) in [
        ("[enqueue]q=1 [drain]q=null:3", "line 2: a drain is answered with the list"),
        ("[drain]q=[3]~", "line 1: a drain that failed took nothing"),
    ] {
        let refused = formats::typed(text, &options).expect_err(text).to_string();
        assert!(refused.starts_with(reason), "{refused}");
    }
}
