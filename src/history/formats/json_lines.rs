//! A history as JSON lines: one event per line.
//!
//! ```json
//! {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1, "time": 0}
//! {"process": 0, "type": "ok", "f": "write", "key": "x", "value": 1, "time": 1}
//! {"process": 1, "type": "invoke", "f": "read", "key": "x", "time": 2}
//! {"process": 1, "type": "ok", "f": "read", "key": "x", "value": 1, "time": 3, "final": true}
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `process` | a number or a text; the sequential client |
//! | `type` | `invoke`, `ok`, `fail` or `info` (outcome unknown) |
//! | `f` | `read`, `write` or the function of another datatype |
//! | `key` | the object: a text or an integer |
//! | `value` | `null`, an integer, a text or a list: what is written, or was read |
//! | `answer` | what came back, if `value` repeats the argument; optional |
//! | `time` | nanoseconds; on every line or on none |
//! | `node` or `replica` | a number from 0, or `"n1"`, …; optional |
//! | `final` | `true` on the `ok` of a read issued at quiescence; optional |
//! | `index`, `error` | accepted and not used |
//!
//! Any other field is refused, so that a misspelt `final` is not ignored. A
//! completion may leave out `f` and `key`, and also `value` where that is the
//! argument (`write`, `add`, `remove`, `enqueue`, `push`, `put`, `append`). Those that
//! it has must agree with the invocation. Blank lines are skipped. The reader
//! holds one line at a time, of at most 16 MiB.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use super::documents::Documents;
use super::json::{key_of, node_of, value_of};
use super::lines::Lines;
use super::names::Process;
use super::options::Options;
use super::pairs::{Head, Pairs, Said, complain};
use super::reader::{Kind, Raw, Reader, is_transaction};
use super::record::{self, Record, Refused, TOLD_MAX};
use super::scanner::Scanner;
use super::{Format, Recording, only_asks, repeats};
use crate::history::{
    Call, Completion, Function, History, Key, Malformed, NodeId, Request, Value, escape,
};

/// Why a file whose first line has no key has none at all.
pub(super) const SOME_KEYS: &str = "`key` stands on some lines only; it belongs on all or on none";

/// The fields that a line may have.
const KNOWN: [&str; 10] =
    ["process", "type", "f", "key", "value", "answer", "time", "node", "replica", "final"];

/// Reads a history from JSON lines. See the [module](self).
///
/// # Errors
/// If a line cannot be read, is not such an event, or cannot be part of a
/// history; the complaint has the line, and the column of an error in the JSON.
///
/// ```
/// use quiescence::history::formats::json_lines;
///
/// let text = r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1}
/// {"process":0,"type":"info"}"#;
/// let recording = json_lines::read(text.as_bytes())?;
/// assert!(recording.history.operations()[0].is_pending());
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn read(input: impl BufRead) -> Result<Recording, Malformed> {
    read_from(Documents::Lines(&mut Lines::new(input)), &Options::default())
}

/// As [`read`], with options.
pub(super) fn read_from<R: BufRead>(
    mut documents: Documents<'_, R>,
    options: &Options,
) -> Result<Recording, Malformed> {
    read_from_all(&mut documents, Format::Events, options, |text| fields_with(text, options))
}

/// As [`read_from`], from lines that are no JSON.
pub(super) fn read_records<R: BufRead>(
    lines: &mut Lines<R>,
    format: Format,
    options: &Options,
    record: impl Fn(&[u8]) -> Result<Record, Refused>,
) -> Result<Recording, Malformed> {
    let fields = |text: &[u8]| of_record(record(text)?, options);
    read_from_all(&mut Documents::Lines(lines), format, options, fields)
}

fn read_from_all<R: BufRead>(
    documents: &mut Documents<'_, R>,
    format: Format,
    options: &Options,
    fields: impl Fn(&[u8]) -> Result<Fields, Refused>,
) -> Result<Recording, Malformed> {
    let mut all = All::new(Reader::new(options));
    while let Some(line) = documents.next()? {
        let fields = match fields(documents.text()) {
            Err(Refused::Unknown(names)) if !options.lenient => {
                return Err(all_unknown(documents, (line, names), fields));
            }
            fields => fields,
        };
        let taken = match fields {
            Ok(fields) => all.take(line, documents.text(), fields),
            Err(refused) => complain(line, refused.in_words()),
        };
        all.reader.pairs.log.or_skip(taken)?;
    }
    all.reader.finish(format)
}

/// The complaint about all fields that are unknown from this line on, or the first of many, so
/// that one look at the options is enough.
pub(super) fn all_unknown<R: BufRead, T>(
    documents: &mut Documents<'_, R>,
    (line, names): (usize, Vec<String>),
    read: impl Fn(&[u8]) -> Result<T, Refused>,
) -> Malformed {
    let mut names: BTreeSet<_> = names.into_iter().collect();
    while names.len() < TOLD_MAX
        && let Ok(Some(_)) = documents.next()
    {
        if let Err(Refused::Unknown(more)) = read(documents.text()) {
            names.extend(more);
        }
    }
    let names: Vec<_> = names.into_iter().collect();
    Malformed::unreadable(line, record::unknown(&names))
}

/// All events so far.
pub(super) struct All {
    pub(super) reader: Reader,
    /// Whether each names its object. If none does, there is one, or values are `[key, value]`,
    /// as Jepsen writes them. The first invocation says which; `None` before it.
    named: Option<bool>,
}

impl All {
    pub(super) fn new(reader: Reader) -> All {
        All { reader, named: None }
    }

    /// Whether it is known that events name no object.
    pub(super) fn is_keyless(&self) -> bool {
        self.named == Some(false)
    }

    /// Takes one event.
    pub(super) fn take(
        &mut self,
        line: usize,
        text: &[u8],
        fields: Fields,
    ) -> Result<(), Malformed> {
        if fields.process.is_no_client() {
            self.reader.pairs.log.mark(line, String::from_utf8_lossy(text).trim());
            self.reader.pairs.fault(line, fields.time, fields.fault(text));
            return Ok(());
        }
        let log = &mut self.reader.pairs.log;
        let process = log.processes().number(fields.process.clone());
        let process = process.or_else(|reason| complain(line, reason))?;
        let begins = fields.kind == Kind::Invoke && fields.f.is_some();
        let (numbered, has_key) = (fields.process.is_number(), fields.key.is_some());
        let head = Head { line, process, time: fields.time, node: fields.node };
        let named = self.named.or(begins.then_some(has_key));
        match named {
            Some(false) if fields.key.is_some() => complain(line, SOME_KEYS),
            Some(false) => {
                let Fields { kind, f, key, value, answer, last, .. } = fields;
                self.reader.take(Raw { head, kind, f, key, value, answer, last })
            }
            _ => take(&mut self.reader.pairs, head, fields),
        }?;
        // A line that is skipped decides nothing.
        self.named = named;
        if begins {
            self.reader.pairs.log.processes().begins(numbered);
        }
        Ok(())
    }
}

/// The fields of a line.
#[derive(Debug, PartialEq)]
pub(super) struct Fields {
    pub(super) process: Process,
    kind: Kind,
    f: Option<Function>,
    key: Option<Key>,
    value: Value,
    answer: Option<Value>,
    time: Option<u64>,
    node: Option<NodeId>,
    last: bool,
}

impl Fields {
    /// Whether it invokes an operation of an object without a name.
    pub(super) fn is_keyless(&self) -> bool {
        self.kind == Kind::Invoke && self.key.is_none()
    }

    /// What the nemesis did on this line: `isolate n1`; the line itself if it does not say.
    fn fault(&self, line: &[u8]) -> String {
        match (&self.f, &self.value) {
            (None, _) => String::from_utf8_lossy(line).trim().to_owned(),
            (Some(f), Value::Null) => f.as_str().to_owned(),
            (Some(f), Value::Text(value)) => format!("{} {value}", f.as_str()),
            (Some(f), value) => format!("{} {value}", f.as_str()),
        }
    }
}

/// Reads a line.
pub(super) fn fields_with(text: &[u8], options: &Options) -> Result<Fields, Refused> {
    let plain = options.are_plain().then(|| scan(text)).flatten();
    plain.map_or_else(|| of_record(Record::parse(text, options)?, options), Ok)
}

/// The call of an invocation.
fn call(fields: Fields) -> Result<Call, String> {
    let f = fields.f.ok_or("an invocation needs `f`")?;
    let key = fields.key.ok_or("an invocation needs `key`")?;
    if only_asks(&f) && fields.value != Value::Null {
        let f = f.as_str();
        return Err(format!("the invocation of a {f} has no value: it is not known yet"));
    }
    if fields.last || fields.answer.is_some() {
        return Err("an invocation has no `final` and no `answer`".to_owned());
    }
    Ok(Call { f, key, argument: fields.value })
}

/// Understands the fields of a line.
fn of_record(mut record: Record, options: &Options) -> Result<Fields, Refused> {
    record.check(&KNOWN)?;
    let kind = record.text("type")?.ok_or("`type` is missing")?;
    let kind = kind.strip_prefix(':').unwrap_or(&kind);
    let fields = Fields {
        process: record.process()?,
        kind: Kind::named(kind)?,
        f: record.text("f")?.as_deref().map(Function::named),
        key: record.given("key").as_ref().map(key_of).transpose()?,
        value: value_of(&record.take("value").unwrap_or_default())?,
        answer: record.given("answer").as_ref().map(value_of).transpose()?,
        time: record.time("time", options.unit)?,
        node: node_of(record.given("node").as_ref(), record.given("replica").as_ref())?,
        last: record.last()?,
    };
    Ok(fields)
}

/// Reads a plain line. `None` for any other line, which [`of_record`] then understands.
fn scan(text: &[u8]) -> Option<Fields> {
    let mut scanner = Scanner::new(text);
    scanner.expect(b'{')?;
    let (mut process, mut kind, mut f, mut key) = (None, None, None, None);
    let (mut value, mut time, mut node, mut last) = (None, None, None, None);
    let (mut index, mut replica) = (None, None);
    loop {
        let name = scanner.string()?;
        scanner.expect(b':')?;
        let fresh = match name {
            b"process" => process.replace(u32::try_from(scanner.number()?).ok()?).is_none(),
            b"type" => {
                let name = std::str::from_utf8(scanner.string()?).ok()?;
                kind.replace(Kind::named(name).ok()?).is_none()
            }
            b"f" => f.replace(std::str::from_utf8(scanner.string()?).ok()?).is_none(),
            b"key" => key.replace(scanner.token()?.key()?).is_none(),
            b"value" => value.replace(scanner.token()?.value()).is_none(),
            b"time" => time.replace(u64::try_from(scanner.number()?).ok()?).is_none(),
            b"node" => node.replace(u16::try_from(scanner.number()?).ok()?).is_none(),
            b"replica" => replica.replace(u16::try_from(scanner.number()?).ok()?).is_none(),
            b"final" => last.replace(scanner.boolean()?).is_none(),
            b"index" => index.replace(scanner.number()?).is_none(),
            _ => return None,
        };
        if !fresh || (node.is_some() && replica.is_some()) {
            return None;
        }
        match scanner.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    scanner.end()?;
    let (process, kind, f) = (Process::Number(process?), kind?, f.map(Function::named));
    let (value, last) = (value.unwrap_or_default(), last.unwrap_or(false));
    let node = node.or(replica).map(NodeId);
    Some(Fields { process, kind, f, key, value, answer: None, time, node, last })
}

/// What a completion says; `open` is the request that it completes, if that is
/// known.
fn said(fields: Fields, open: Option<&Request>) -> Result<Said, String> {
    let Fields { kind, f, key, value, answer, last, .. } = fields;
    if last && kind != Kind::Ok {
        return Err("`final` belongs on the `ok` of a read".to_owned());
    }
    if answer.is_some() && kind != Kind::Ok {
        return Err("`answer` belongs on an `ok`".to_owned());
    }
    let taken = |request: &Request| {
        let call = request.call();
        let same = !only_asks(&call.f) && value == call.argument;
        same || repeats(&call.f) || answer.is_some()
    };
    let transacts = |request: &Request| is_transaction(&request.call().f, &value);
    let (argument, came) = match value {
        Value::Null => (None, Value::Null),
        value if answer.is_none() && open.is_some_and(transacts) => (None, value),
        value if open.is_some_and(taken) => (Some(value), Value::Null),
        value => (None, value),
    };
    let (completion, taken) = match kind {
        Kind::Ok => (Completion::Ok(answer.unwrap_or(came)), Value::Null),
        Kind::Fail => (Completion::Fail, came),
        Kind::Info | Kind::Invoke => (Completion::Info, came),
    };
    Ok(Said { f, key, argument, completion, taken, last })
}

/// Takes one event.
fn take(pairs: &mut Pairs, head: Head, fields: Fields) -> Result<(), Malformed> {
    if fields.kind == Kind::Invoke {
        return match call(fields) {
            Ok(call) => pairs.invoke(head, call),
            Err(reason) => complain(head.line, reason),
        };
    }
    let (f, value) = pairs.told(head.process, fields.f, fields.value);
    match said(Fields { f, value, ..fields }, pairs.open(head.process)) {
        Ok(said) => pairs.complete(head, said),
        Err(reason) => complain(head.line, reason),
    }
}

/// Writes a history as event lines.
///
/// ```
/// use quiescence::history::{formats::json_lines, notation};
///
/// let history = notation::parse("wx1|rx1! @ 0011")?;
/// let text = json_lines::write(&history);
/// assert_eq!(json_lines::read(text.as_bytes())?.history, history);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn write(history: &History) -> String {
    super::in_memory(|out| write_to(history, out))
}

/// As [`write()`], into `out`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_to(history: &History, out: &mut impl Write) -> io::Result<()> {
    for event in super::events(history) {
        let operation = event.operation;
        let Call { f, key, argument } = &operation.call;
        let (kind, value, answer) = match (event.invocation, &operation.completion) {
            (true, _) => ("invoke", argument, &Value::Null),
            (false, Completion::Ok(answer)) if repeats(f) => ("ok", argument, answer),
            (false, Completion::Ok(answer)) if !only_asks(f) && answer == argument => {
                ("ok", argument, answer)
            }
            (false, Completion::Ok(answer)) => ("ok", answer, &Value::Null),
            (false, Completion::Fail) => ("fail", argument, &Value::Null),
            (false, Completion::Info) => ("info", argument, &Value::Null),
        };
        write!(out, r#"{{"process":{},"type":"{kind}","f":"#, operation.process.0)?;
        let (f, key) = (escape::json(f.as_str()), escape::json(key.as_str()));
        write!(out, r#"{f},"key":{key}"#)?;
        write!(out, r#","value":{value}"#)?;
        if *answer != Value::Null {
            write!(out, r#","answer":{answer}"#)?;
        }
        write!(out, r#","time":{}"#, event.time)?;
        super::json::write_marks(operation, operation.final_read && !event.invocation, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation;

    /// Lines from a short form, `0 invoke write x 1`, with `!` for final.
    fn lines(short: &str) -> String {
        let line = |line: &str| {
            let (line, last) = match line.strip_suffix('!') {
                Some(line) => (line, r#","final":true"#),
                None => (line, ""),
            };
            let words: Vec<_> = line.split_whitespace().collect();
            let [process, kind, f, key, value] = words[..] else { panic!("five words: {line}") };
            format!(
                r#"{{"process":{process},"type":"{kind}","f":"{f}","key":"{key}","value":{value}{last}}}"#
            )
        };
        short.split(';').map(|short| line(short.trim()) + "\n").collect()
    }

    #[track_caller]
    fn reads_as(short: &str, text: &str, continued: usize) {
        let recording = read(lines(short).as_bytes()).expect("well formed");
        assert_eq!(notation::write(&recording.history), text);
        assert_eq!(recording.continued, continued);
    }

    fn complaint(text: &str) -> String {
        read(text.as_bytes()).expect_err("malformed").to_string()
    }

    #[test]
    fn every_type_of_event_is_read() {
        reads_as("0 invoke write x 1; 0 ok write x 1", "wx1 @ 00", 0);
        reads_as("0 invoke write x 1; 0 fail write x 1", "wx1~ @ 00", 0);
        reads_as("0 invoke write x 1; 0 info write x 1", "wx1? @ 0", 0);
        reads_as("0 invoke write x 1", "wx1? @ 0", 0);
        reads_as("0 invoke read x null; 0 ok read x 1!", "rx1! @ 00", 0);
        reads_as("0 invoke inc x null; 0 ok inc x 3", "[inc]x=null:3 @ 00", 0);
    }

    #[test]
    fn a_completion_repeats_what_was_taken_and_says_beside_it_what_came_back() {
        reads_as("0 invoke add x 3; 0 ok add x 3", "[add]x=3 @ 00", 0);
        reads_as("0 invoke cas x [1,2]; 0 ok cas x [1,2]", "[cas]x=[1,2] @ 00", 0);
        reads_as("0 invoke cas x [1,2]; 0 ok cas x 7", "[cas]x=[1,2]:7 @ 00", 0);
        for f in ["add", "remove", "enqueue", "push", "put", "append", "write"] {
            let other = lines(&format!("0 invoke {f} x 3; 0 ok {f} x 4"));
            assert!(complaint(&other).contains("line 2: this completes"), "{f}");
        }
        let text = lines("0 invoke add x 3; 0 ok add x 3").replace("\"ok\"", "\"ok\",\"answer\":9");
        let history = read(text.as_bytes()).expect("well formed").history;
        assert_eq!(notation::write(&history), "[add]x=3:9 @ 00");
        assert_eq!(read(write(&history).as_bytes()).expect("well formed").history, history);
        let failed = text.replace("\"ok\"", "\"fail\"");
        assert!(complaint(&failed).contains("line 2: `answer` belongs on an `ok`"));
    }

    #[test]
    fn a_process_that_goes_on_after_info_is_a_new_process() {
        reads_as(
            "0 invoke write x 1; 0 info write x 1; 0 invoke read x null; 0 ok read x 1",
            "wx1?|rx1 @ 011",
            1,
        );
    }

    #[test]
    fn a_number_taken_by_a_process_that_went_on_is_given_another() {
        reads_as(
            "0 invoke write x 1; 0 info write x 1; 0 invoke read x null; 0 ok read x 1; \
             1 invoke read x null; 1 ok read x null",
            "wx1?|rx1|rx0 @ 01122",
            1,
        );
    }

    #[test]
    fn a_complaint_names_the_line_the_column_and_the_fault() {
        let good = r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":5}"#;
        let cases = [
            ("{", "line 1: column 1: EOF while parsing an object"),
            (r#"{"process":0,"type":"maybe"}"#, "no type `maybe`"),
            (
                r#"{"process":0,"type":"ok","finl":true}"#,
                "the field `finl` is not known here; `finl` may be `final`",
            ),
            (r#"{"process":-1,"type":"ok"}"#, "`process` is a number from 0 to"),
            (r#"{"process":0,"type":"invoke","key":"x"}"#, "an invocation needs `f`"),
            (r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1.5}"#, "64 bits"),
            (r#"{"process":0,"type":"invoke","f":"write","key":"x","value":[{}]}"#, "not {}"),
            (r#"{"process":0,"type":"invoke","f":"read","key":"x","value":1}"#, "not known yet"),
            (r#"{"process":0,"type":"invoke","f":"read","key":true}"#, "not true"),
            (r#"{"process":0,"type":"ok"}"#, "did not invoke"),
        ];
        for (text, expected) in cases {
            assert!(complaint(text).contains(expected), "{text}: {}", complaint(text));
        }
        let second = |line: &str| complaint(&format!("{good}\n{line}"));
        let cases = [
            (r#"{"process":0,"type":"ok"}"#, "line 2: `time` stands on some events only"),
            (r#"{"process":0,"type":"ok","time":6,"value":2}"#, "its `value` is another"),
            (r#"{"process":0,"type":"ok","time":6,"key":"y"}"#, "its `key` is another"),
            (r#"{"process":0,"type":"ok","time":6,"f":"read"}"#, "its `f` is another"),
            (r#"{"process":0,"type":"ok","time":6,"final":true}"#, "only a read"),
            (r#"{"process":0,"type":"info","time":6,"final":true}"#, "`final` belongs"),
            (r#"{"process":0,"type":"ok","time":6,"node":"m1"}"#, "a node is"),
        ];
        for (text, expected) in cases {
            assert!(second(text).contains(expected), "{text}: {}", second(text));
        }
    }

    const PLAIN: [&str; 7] = [
        r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":0}"#,
        r#"{"process":0,"type":"ok","time":1,"index":4}"#,
        r#" { "process" : 1 , "type":"invoke","f":"read","key":-12,"time":2,"node":3 } "#,
        r#"{"process":1,"type":"ok","f":"read","key":"ключ","value":"v","time":3,"final":true}"#,
        r#"{"process":4294967295,"type":"info","value":null,"replica":0}"#,
        r#"{"type":"fail","process":2,"f":"cas","final":false}"#,
        r#"{"process":2,"type":"invoke","f":"add","key":"s","value":9223372036854775807}"#,
    ];
    const ODD: [&str; 10] = [
        r#"{"process":0,"type":"invoke","f":"cas","key":"x","value":[1,2]}"#,
        r#"{"process":0,"type":"ok","node":"n1"}"#,
        r#"{"process":0,"type":"ok","node":1,"replica":1}"#,
        r#"{"process":0,"type":"ok","error":["timeout"]}"#,
        r#"{"process":0,"type":"ok","key":null}"#,
        r#"{"process":0,"type":"ok","key":"a\u0062"}"#,
        r#"{"process":0,"type":"ok","value":-9223372036854775808}"#,
        r#"{"process":0,"type":"ok","type":"ok"}"#,
        r#"{"process":0,"type":"ok","time":1.0}"#,
        r#"{"process":0,"type":"ok"} {}"#,
    ];

    #[test]
    fn the_scanner_and_its_twin_read_alike() {
        let parse = |text: &[u8]| {
            let options = Options::default();
            let read = Record::parse(text, &options)?;
            of_record(read, &options).map_err(|refused| refused.in_words())
        };
        super::super::scanner::read_alike(&PLAIN, &ODD, scan, parse);
    }

    #[test]
    fn a_lenient_reader_knows_less_and_nothing_else() {
        let lenient = |short: &str| {
            let text = lines(short);
            let mut lines = Lines::new(text.as_bytes());
            let recording = read_from(
                Documents::Lines(&mut lines),
                &Options { lenient: true, ..Options::default() },
            )
            .expect("skipped");
            (notation::write(&recording.history), recording.skipped)
        };
        let two = "0 invoke read x null; 0 invoke read x null; 0 ok read x 1; 0 ok read x 2";
        assert_eq!(lenient(two), ("rx?|rx? @ 01".to_owned(), 3));
        let lost = "0 ok write x 1; 0 invoke read x null; 0 ok read y 1; 1 invoke write x 1";
        assert_eq!(lenient(lost), ("rx?|wx1? @ 01".to_owned(), 2));
    }

    #[test]
    fn bytes_that_are_no_text_are_malformed() {
        assert_eq!(read(&b"\n\xff\n"[..]).expect_err("malformed").line, 2);
    }
}
