//! `convert`: every format, compressed or not, becomes every other. Errors in a
//! recording are reported with the place and what to do about them.

use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::runner::{Place, Said, read};

const EDN: &str = include_str!("../../recordings/register-with-keys.edn");
const ETCD: &str = include_str!("../../recordings/etcd.log");

/// Operation lines, with a read that was answered at quiescence.
const OPERATIONS: &str = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5,"type":"ok"}
{"process":1,"f":"read","key":"x","value":1,"invoke":6,"return":8,"type":"ok","node":1,"final":true}
"#;
const EVENTS: &str = r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":0}
{"process":0,"type":"ok","f":"write","key":"x","value":1,"time":5}
{"process":1,"type":"invoke","f":"read","key":"x","value":null,"time":6,"node":1}
{"process":1,"type":"ok","f":"read","key":"x","value":1,"time":8,"node":1,"final":true}
"#;
const AS_EDN: &str = "\
{:type :invoke, :f :write, :value [\"x\" 1], :process 0, :time 0, :index 0}
{:type :ok, :f :write, :value [\"x\" 1], :process 0, :time 5, :index 1}
{:type :invoke, :f :read, :value [\"x\" nil], :process 1, :time 6, :index 2, :node \"n2\"}
{:type :ok, :f :read, :value [\"x\" 1], :process 1, :time 8, :index 3, :node \"n2\", :final? true}
";

/// A write and a read in EDN, each a zstd frame of its own.
const WRITE_ZST: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, 0xbd, 0x01, 0x00, 0x22, 0x83, 0x0b, 0x11, 0xa0, 0xed, 0x7c,
    0x6e, 0xb9, 0xb3, 0x32, 0x12, 0xd4, 0xfa, 0xbf, 0xb5, 0x16, 0xf7, 0xbb, 0x3b, 0x02, 0x60, 0x9e,
    0x05, 0x53, 0x58, 0x1d, 0x1a, 0xef, 0xd6, 0x66, 0x16, 0xbc, 0xcb, 0xad, 0x67, 0x5f, 0x32, 0xb7,
    0xaa, 0xd8, 0xee, 0x60, 0xc6, 0x94, 0xec, 0x52, 0x97, 0x01, 0x01, 0x00, 0x8e, 0x89, 0x2a, 0x03,
];
const READ_ZST: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, 0xcd, 0x01, 0x00, 0x42, 0x83, 0x0b, 0x10, 0xb0, 0x1d, 0x03,
    0xc4, 0x35, 0x83, 0x6a, 0x1d, 0x37, 0xbc, 0xa1, 0x98, 0xc4, 0x4d, 0x9f, 0x9e, 0x60, 0x86, 0xa3,
    0xc0, 0x44, 0x26, 0xf5, 0x0f, 0x09, 0xe8, 0x12, 0x71, 0xe6, 0x16, 0xf7, 0x47, 0xc1, 0x64, 0xdc,
    0xaf, 0xe8, 0xdc, 0xd0, 0xd6, 0x3e, 0x14, 0x5b, 0x96, 0x01, 0x02, 0x00, 0x4e, 0xcd, 0xf8, 0x32,
    0x51, 0x65,
];
/// A frame that holds no data, to be skipped.
const SKIPPED_ZST: &[u8] = b"\x50\x2a\x4d\x18\x03\0\0\0abc";

fn convert(contents: impl AsRef<[u8]>, words: &str) -> Said {
    let place = Place::new();
    place.write("recorded", contents);
    place.run(&format!("convert recorded {words}"))
}

#[track_caller]
fn becomes(contents: impl AsRef<[u8]>, words: &str, expected: &str) -> String {
    let said = convert(contents, words);
    assert_eq!((said.code, said.out.as_str()), (Some(0), expected), "{words}: {}", said.err);
    said.err
}

#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{said:?}");
    assert!(said.err.starts_with("error: "), "{said:?}");
    for word in words {
        assert!(said.err.contains(word), "{word} is not in {said:?}");
    }
}

#[test]
fn every_format_becomes_every_other() {
    for from in [EVENTS, OPERATIONS, AS_EDN] {
        becomes(from, "--to events", EVENTS);
        becomes(from, "--to operations", OPERATIONS);
        let told = becomes(from, "--to edn", AS_EDN);
        assert!(told.starts_with("read 2 operations ("), "{told}");
    }
    let told = becomes("", "--to edn", "");
    assert!(told.contains("read 0 operations"), "{told}");
}

#[test]
fn recordings_of_other_tools_become_ours_and_what_is_left_out_is_told() {
    let said = convert(EDN, "--to operations");
    assert_eq!(said.code, Some(0), "{said:?}");
    let third =
        r#"{"process":1,"f":"cas","key":"7","value":[1,2],"invoke":150,"return":170,"type":"ok"}"#;
    assert!(said.out.contains(third), "{}", said.out);
    assert!(said.err.contains("Jepsen EDN) · 1 processes continued"), "{}", said.err);
    let said = convert(ETCD, "--to events");
    let mismatch = r#""type":"ok","f":"cas","key":"x","value":"mismatch""#;
    assert!(said.out.contains(mismatch), "{}", said.out);
    assert!(said.err.contains("Jepsen log)") && said.err.contains("1 marks"), "{}", said.err);
    // A mismatch survives the conversion to Jepsen's format.
    let edn = convert(ETCD, "--to edn").out;
    assert!(edn.contains(":type :fail, :f :cas, :value [\"x\" [2 3]]"), "{edn}");
    becomes(edn, "--to events", &said.out);
}

#[test]
fn what_queues_held_at_first_is_asked_for_where_a_drain_may_have_taken_it() {
    let drain = "{:process 0 :type :invoke :f :enqueue :value 1 :time 1}\n\
                 {:process 0 :type :ok :f :enqueue :value 1 :time 2}\n\
                 {:process 0 :type :invoke :f :drain :time 3}\n\
                 {:process 0 :type :info :f :drain :time 4}\n\
                 {:process 1 :type :invoke :f :dequeue :time 5}\n\
                 {:process 1 :type :ok :f :dequeue :value nil :time 6}\n";
    refused(&convert(drain, "--to operations"), &["drain of unknown outcome", "--initial '[]'"]);
    refused(&convert(drain, "--to operations --initial 9"), &["a list of values as JSON"]);
    let place = Place::new();
    place.write("drained", drain);
    for initial in ["[9]", "[9,8]"] {
        let said =
            place.run(&format!("convert drained --to operations -o written --initial {initial}"));
        assert_eq!(said.code, Some(0), "{said:?}");
        for name in ["drained", "written"] {
            let words = format!("verify {name} --model linearizable --initial {initial}");
            assert_eq!(place.run(&words).code, Some(0), "{name} {initial}");
        }
    }
    let nothing = place.run("convert drained --to operations --initial []").out;
    assert_eq!(nothing.matches("dequeue").count(), 2, "{nothing}");
    // One that was answered took what it says.
    let known = drain.replace(":info :f :drain", ":ok :f :drain :value [1]");
    assert_eq!(convert(known, "--to operations").code, Some(0));
}

#[test]
fn what_is_compressed_is_told_by_its_first_bytes() {
    let gz = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    };
    becomes(gz(OPERATIONS), "--to events", EVENTS);
    let (first, second) = EVENTS.split_at(EVENTS.find("\n{\"process\":1").expect("two operations"));
    becomes([gz(first), gz(second)].concat(), "--to operations", OPERATIONS);
    let plain = "{:process 0 :type :invoke :f :write :value 1}{:process 0 :type :ok}\
                 {:process 1 :type :invoke :f :read}{:process 1 :type :ok :value 1}";
    let expected = convert(plain, "--to events").out;
    assert_eq!(expected.lines().count(), 4);
    becomes([WRITE_ZST, SKIPPED_ZST, READ_ZST].concat(), "--to events", &expected);
    let cut = convert(&gz(OPERATIONS)[..40], "--to events");
    refused(&cut, &["recorded:1: cannot read on", "incomplete or damaged"]);
    let cut = convert([WRITE_ZST, &READ_ZST[..30]].concat(), "--to events --lenient");
    refused(&cut, &["recorded:3: cannot read on", "incomplete or damaged"]);
}

#[test]
fn a_dash_is_standard_input() {
    let place = Place::new();
    let mut command = place.command(&["convert", "-", "--to", "events"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be run");
    let mut input = child.stdin.take().expect("it was asked for");
    input.write_all(OPERATIONS.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), EVENTS);
}

#[test]
fn a_file_is_written_as_a_whole_or_not_at_all() {
    let place = Place::new();
    place.write("recorded", OPERATIONS);
    let said = place.run("convert recorded --to events --output there.jsonl");
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(read(&place.path("there.jsonl")), EVENTS);
    // A file may be replaced by its own conversion, and no temporary file
    // remains.
    assert_eq!(place.run("convert recorded --to edn -o recorded").code, Some(0));
    assert_eq!(read(&place.path("recorded")), AS_EDN);
    place.write("bad", "{");
    refused(&place.run("convert bad --to edn -o recorded"), &["bad:1: column 1"]);
    assert_eq!(read(&place.path("recorded")), AS_EDN);
    refused(&place.run("convert recorded --to edn -o no/such/place"), &["no/such/place cannot be"]);
    let all = std::fs::read_dir(place.path("")).expect("it can be listed").count();
    assert_eq!(all, 3, "the recordings and what was made of one");
}

#[test]
fn a_recording_that_makes_no_sense_is_refused_with_its_line() {
    let open = r#"{"process":0,"type":"invoke","f":"read","key":"x"}"#;
    for (contents, words) in [
        (format!("{open}\n{open}\n"), ["recorded:2: process 0 invokes", "--lenient"]),
        (format!("{open}\n{{\"process\":"), ["recorded:2: column 11: EOF", "--lenient"]),
        ("{:process 0 :type :ok}".to_owned(), ["recorded:1: process 0 completes", "--lenient"]),
        ("{:process 0\n".to_owned(), ["recorded:1: the file ends inside", "--lenient"]),
        ("<html>\n".to_owned(), ["recorded:1: this is neither", "docs/histories.md"]),
        (
            r#"{"process":0,"f":"read","key":"x","invoke":5,"return":3}"#.to_owned(),
            ["returns before it is invoked", "--lenient"],
        ),
        (
            format!("{open}\n{{\"expected\":{{}}}}"),
            ["recorded:2: the field `expected` is not known here", "--ignore-field expected"],
        ),
    ] {
        refused(&convert(contents, "--to events"), &words);
    }
    let place = Place::new();
    refused(&place.run("convert nowhere --to edn"), &["there is no file nowhere", "`-` for"]);
    refused(&place.run("convert . --to edn"), &["is a directory"]);
    refused(&convert(EVENTS, "--to csv"), &["[possible values: events, operations, edn]"]);
}

#[test]
fn a_lenient_reader_skips_and_counts() {
    let text = format!("what is this\n{EVENTS}{{\"process\":7}}\n");
    let told = becomes(text, "--to events --lenient", EVENTS);
    assert!(told.contains("2 malformed lines skipped"), "{told}");
    let text = format!("{AS_EDN}{{:process 0 :ty\n");
    let told = becomes(text, "--to events --lenient", EVENTS);
    assert!(told.contains("1 malformed lines skipped"), "{told}");
}
