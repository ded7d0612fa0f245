//! Recordings: samples of every format are read, and any history can be written
//! and read again.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use quiescence::history::formats::{
    self, Format, Options, Recording, edn, json_lines, operation_lines,
};
use quiescence::history::{
    Builder, Call, Event, Function, History, Key, NodeId, ProcessId, Value, notation,
};
use quiescence::judgement::{Budget, Model, check, recheck};

use crate::bodies;

mod alike;
mod drains;
mod foreign;

fn recording(name: &str) -> Recording {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name);
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    bodies::recording(&bytes);
    formats::read(&bytes[..], &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Reads a sample, and asserts that it has this history, which is linearizable.
#[track_caller]
fn reads_as(name: &str, format: Format, text: &str, continued: usize, marks: usize) {
    let recording = recording(name);
    assert_eq!(notation::write(&recording.history), text, "{name}");
    assert_eq!(recording.format, format, "{name}");
    let counts = (recording.continued, recording.marks.len(), recording.skipped);
    assert_eq!(counts, (continued, marks, 0), "{name}");
    let verdict = check(&recording.history, Model::Linearizable, Budget::default());
    assert!(verdict.holds(), "{name}: {verdict:?}");
    assert_eq!(recheck(&recording.history, Model::Linearizable, &verdict), Ok(()), "{name}");
}

#[test]
fn samples_of_jepsen_are_read() {
    reads_as(
        "register-with-keys.edn",
        Format::Edn,
        "w7=1 r8=null [cas]7=[5,6]~|[cas]7=[1,2] w8=3?|r7=2 @ 00101000122",
        1,
        0,
    );
    reads_as("counter.edn", Format::Edn, "[add]x=2 rx5|[add]x=3 [add]x=-1~ rx5 @ 0100011111", 0, 0);
    let shown = "w7=1 [cas]7=[3,4]~|r7=1 r7=2!|w7=2? @ 020110011";
    reads_as("completions.edn", Format::Edn, shown, 0, 1);
    // 3 was taken by the drain that did not end, or by nobody.
    let shown = "[enqueue]x=1|[enqueue]x=2?|[enqueue]x=3|[dequeue]x=null|[dequeue]x=null:1|\
                 [dequeue]x=null?|[dequeue]x=null:2 @ 001224566433";
    reads_as("drained.edn", Format::Edn, shown, 0, 0);
    reads_as("set-with-nemesis.edn", Format::Edn, "[add]x=1|[add]x=2?|rx=[1,2]! @ 00122", 0, 2);
}

#[test]
fn samples_of_porcupine_are_read() {
    reads_as(
        "etcd.log",
        Format::Log,
        "rx0 [cas]x=[2,3]:\"mismatch\"|wx4 rx~|[cas]x=[4,1]?|rx1 @ 01012001133",
        1,
        1,
    );
    reads_as(
        "kv.txt",
        Format::Porcupine,
        "[get]a=null:\"\" [append]a=\"yz\"|[put]a=\"x\" [get]a=null:\"xyz\" @ 01010011",
        0,
        0,
    );
}

#[test]
fn a_compare_and_set_that_was_refused_differs_from_one_that_failed() {
    let judged = |text: &str| {
        let history =
            formats::read(text.as_bytes(), &Options::default()).expect("well formed").history;
        check(&history, Model::Linearizable, Budget::default()).holds()
    };
    let log = "INFO  jepsen.util - 0\t:invoke\t:cas\t[nil 3]\nINFO  jepsen.util - 0\t:fail\t:cas\t[nil 3]\n";
    let edn = "{:process 0 :type :invoke :f :cas :value [nil 3]}{:process 0 :type :fail}";
    assert!(!judged(log), "nothing was written, so it cannot have held another value");
    assert!(judged(edn), "it may have failed for any reason");
}

/// One step of a client.
#[derive(Clone, Debug)]
enum Step {
    Ask(Call, Option<u16>),
    Answer(Value),
    Fail,
    GiveUp,
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-c]{0,2}", ".{0,6}", "[\"\\\\:\\[\\]{};#,\n\r\t\u{0}é😀]{0,6}"];
    let plain = prop_oneof![
        Just(Value::Null),
        (-3_i64..9).prop_map(Value::Int),
        any::<i64>().prop_map(Value::Int),
        text.prop_map(|text| Value::from(text.as_str())),
    ];
    plain.prop_recursive(3, 8, 3, |inner| {
        proptest::collection::vec(inner, 0..4).prop_map(Value::from)
    })
}

fn call() -> impl Strategy<Value = Call> {
    let names =
        ["write", "cas", "add", "inc", "put", "append", "enqueue", "swap", "an odd: \"name\"", "é"];
    let asks = prop_oneof![3 => Just("read"), 1 => Just("get"), 1 => Just("dequeue")];
    let asks = asks.prop_map(|name| (Function::named(name), Value::Null));
    let takes = (proptest::sample::select(names.to_vec()), value())
        .prop_map(|(name, argument)| (Function::named(name), argument));
    let keys = prop_oneof!["[xy]", "[0-9]{1,2}", ".{0,4}"];
    (prop_oneof![asks, takes], keys).prop_map(|((f, argument), key)| Call {
        f,
        key: Key::new(key),
        argument,
    })
}

fn step() -> impl Strategy<Value = (u32, u64, Step)> {
    let what = prop_oneof![
        5 => (call(), proptest::option::of(0_u16..3)).prop_map(|(call, node)| Step::Ask(call, node)),
        5 => prop_oneof![value(), Just(Value::from("mismatch"))].prop_map(Step::Answer),
        1 => Just(Step::Fail),
        1 => Just(Step::GiveUp),
    ];
    (0_u32..4, 0_u64..3, what)
}

/// A well-formed history: steps that are not possible are left out. Some times
/// are equal; the last read may be a final one.
fn history() -> impl Strategy<Value = History> {
    (proptest::collection::vec(step(), 0..40), any::<bool>()).prop_map(|(steps, last)| {
        let mut events = Builder::new();
        let mut open: [Option<Call>; 4] = [const { None }; 4];
        let (mut time, mut ended) = (0, [false; 4]);
        for (process, pause, step) in steps {
            let at = process as usize;
            let id = ProcessId(process);
            time += pause;
            match (step, open[at].clone()) {
                (Step::Ask(call, node), None) if !ended[at] => {
                    let event = Event::invoke(id, time, call.clone()).at(node.map(NodeId));
                    events.event(event).expect("it is idle");
                    open[at] = Some(call);
                }
                (Step::Answer(answer), Some(call)) => {
                    open[at] = None;
                    let answer = if call.is_write() { Value::Null } else { answer };
                    events.ok(id, time, answer).expect("it is open");
                }
                (Step::Fail, Some(_)) => {
                    open[at] = None;
                    events.fail(id, time).expect("it is open");
                }
                (Step::GiveUp, Some(_)) => {
                    (open[at], ended[at]) = (None, true);
                    events.info(id).expect("it is open");
                }
                _ => {}
            }
        }
        if last {
            events.invoke(ProcessId(9), time + 1, Call::read("x")).expect("it is new");
            events.ok_final(ProcessId(9), time + 1, 1).expect("it is open");
        }
        events.finish()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_is_the_same_after_writing_and_reading(history in history()) {
        for (text, format) in [
            (json_lines::write(&history), Format::Events),
            (operation_lines::write(&history), Format::Operations),
            (edn::write(&history), Format::Edn),
        ] {
            let read = formats::read(text.as_bytes(), &Options::default());
            let read = read.unwrap_or_else(|malformed| panic!("{malformed} in\n{text}"));
            prop_assert_eq!(&read.history, &history, "{}", text);
            let told = read.format == format || history.is_empty();
            // Operations on texts are detected as the format of Porcupine's
            // tests.
            prop_assert!(told || read.format == Format::Porcupine, "{}", text);
            prop_assert_eq!((read.continued, read.skipped, read.marks.len()), (0, 0, 0));
        }
    }
}
