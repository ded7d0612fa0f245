//! A history as JSON lines: one operation per line.
//!
//! ```json
//! {"process": 0, "f": "write", "key": "x", "value": 1, "invoke": 0, "return": 5, "type": "ok"}
//! {"process": 1, "f": "read", "key": "x", "value": 1, "invoke": 6, "return": 8, "type": "ok", "node": 2}
//! {"process": 2, "f": "write", "key": "x", "value": 2, "invoke": 7, "return": null, "type": "info"}
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `process` | a number or a text; the sequential client |
//! | `f` | `read`, `write` or the function of another datatype |
//! | `key` | the object: a text or an integer |
//! | `value` | `null`, an integer, a text or a list: what was written, or read |
//! | `invoke` | nanoseconds |
//! | `return` | nanoseconds; `null` if the outcome is unknown |
//! | `type` | `ok`, `fail` or `info`; if it is missing, `ok`, or `info` without `return` |
//! | `node` or `replica`, `final`, `index`, `error` | as in [event lines](super::json_lines) |
//! | `argument` | the argument of a function, if given; then `value` is the answer |
//!
//! Lines may come in any order; operations that are invoked at the same time
//! keep the order of their lines. A scanner of our own reads plain lines, and
//! `serde_json` reads all others. In tests `serde_json` is the reference for
//! the scanner.

use std::io::{self, BufRead, Write};

use super::assemble::Assembler;
use super::documents::Documents;
use super::drain::{self, is_drain};
use super::json::{key_of, node_of, value_of};
use super::json_lines::{SOME_KEYS, all_unknown};
use super::lines::Lines;
use super::names::{Process, Processes};
use super::options::Options;
use super::reader::{ONLY_KEY, is_transaction};
use super::record::{Record, Refused};
use super::scanner::{Scanner, Token};
use super::{Format, Recording, deletes, only_asks};
use crate::history::{
    Call, Completion, Function, History, Key, Malformed, NodeId, Operation, ProcessId, Value,
    escape,
};

/// The fields that a line may have.
const KNOWN: [&str; 11] = [
    "process", "type", "f", "key", "value", "argument", "invoke", "return", "node", "replica",
    "final",
];

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Ok,
    Fail,
    Info,
}

/// Reads a history from operation lines. See the [module](self).
///
/// # Errors
/// If a line cannot be read, is not such an operation, or cannot be part of a
/// history; the complaint has the line.
///
/// ```
/// use quiescence::history::formats::operation_lines;
///
/// let text = r#"{"process":0,"f":"read","key":"x","value":null,"invoke":3,"return":4}"#;
/// assert_eq!(operation_lines::read(text.as_bytes())?.history.answered_reads(), 1);
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
    let read = |text: &[u8]| parts_with(text, options);
    read_from_all(&mut documents, Format::Operations, options, read)
}

/// Reads a line.
pub(super) fn parts_with(text: &[u8], options: &Options) -> Result<Parts, Refused> {
    let plain = options.are_plain().then(|| scan(text)).flatten();
    plain.map_or_else(|| parts(Record::parse(text, options)?, options), Ok)
}

/// As [`read_from`], from lines that are no JSON.
pub(super) fn read_records<R: BufRead>(
    lines: &mut Lines<R>,
    format: Format,
    options: &Options,
    record: impl Fn(&[u8]) -> Result<Record, Refused>,
) -> Result<Recording, Malformed> {
    let read = |text: &[u8]| parts(record(text)?, options);
    read_from_all(&mut Documents::Lines(lines), format, options, read)
}

fn read_from_all<R: BufRead>(
    documents: &mut Documents<'_, R>,
    format: Format,
    options: &Options,
    read: impl Fn(&[u8]) -> Result<Parts, Refused>,
) -> Result<Recording, Malformed> {
    let mut all = Assembler::new(options);
    let mut keyed = None;
    while let Some(line) = documents.next()? {
        let parts = match read(documents.text()) {
            Err(Refused::Unknown(names)) if !options.lenient => {
                return Err(all_unknown(documents, (line, names), read));
            }
            Err(refused) => Err(refused.in_words()),
            Ok(parts) if parts.process.is_no_client() => {
                all.log.mark(line, String::from_utf8_lossy(documents.text()).trim());
                continue;
            }
            Ok(parts) => Ok(parts),
        };
        let operation = parts.and_then(|parts| named(parts, &mut keyed, all.log.processes()));
        all.take(line, operation)?;
    }
    all.finish(format)
}

/// Understands the fields of a line.
fn parts(mut record: Record, options: &Options) -> Result<Parts, Refused> {
    record.check(&KNOWN)?;
    let invoked = record.time("invoke", options.unit)?.ok_or("`invoke` is missing")?;
    let returned = record.time("return", options.unit)?;
    let kind = match (record.text("type")?.as_deref(), returned) {
        (Some("ok"), _) | (None, Some(_)) => Kind::Ok,
        (Some("fail"), _) => Kind::Fail,
        (Some("info"), _) | (None, None) => Kind::Info,
        (Some(other), _) => {
            return Err(format!("there is no type `{other}`: ok, fail, info").into());
        }
    };
    let f = record.text("f")?.ok_or("`f` is missing")?;
    let parts = Parts {
        process: record.process()?,
        f: Function::named(&f),
        key: record.given("key").as_ref().map(key_of).transpose()?,
        value: value_of(&record.take("value").unwrap_or_default())?,
        argument: record.take("argument").as_ref().map(value_of).transpose()?,
        invoked,
        returned,
        kind,
        node: node_of(record.given("node").as_ref(), record.given("replica").as_ref())?,
        last: record.last()?,
    };
    Ok(parts)
}

/// What a line says of an operation.
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) process: Process,
    pub(super) f: Function,
    pub(super) key: Option<Key>,
    pub(super) value: Value,
    pub(super) argument: Option<Value>,
    pub(super) invoked: u64,
    pub(super) returned: Option<u64>,
    pub(super) kind: Kind,
    pub(super) node: Option<NodeId>,
    pub(super) last: bool,
}

/// The operation that a line of a file tells of. Either all name their object or none does;
/// `keyed` is what those before did, and a line that is skipped decides nothing.
pub(super) fn named(
    parts: Parts,
    keyed: &mut Option<bool>,
    processes: &mut Processes,
) -> Result<Operation, String> {
    let has_key = parts.key.is_some();
    if keyed.is_some_and(|keyed| keyed != has_key) {
        return Err(SOME_KEYS.to_owned());
    }
    let operation = operation(parts, processes)?;
    *keyed = Some(has_key);
    Ok(operation)
}

/// The operation that a line tells of, of a process by its number.
pub(super) fn operation(parts: Parts, processes: &mut Processes) -> Result<Operation, String> {
    let Parts { f, key, value, argument, invoked, returned, kind, node, last, process } = parts;
    if kind != Kind::Info && returned.is_none() {
        return Err("an operation that was answered needs `return`".to_owned());
    }
    if last && kind != Kind::Ok {
        return Err("`final` belongs on a read that was answered".to_owned());
    }
    if only_asks(&f) && argument.as_ref().is_some_and(|argument| *argument != Value::Null) {
        return Err(format!("a {} takes no argument", f.as_str()));
    }
    let drains = is_drain(&f);
    let deletes = deletes(&f, argument.as_ref().unwrap_or(&value));
    let f = if deletes { Function::Write } else { f };
    let (argument, answer) = match (&f, argument) {
        (_, _) if drains && kind == Kind::Info => (drain::noted(value, returned), Value::Null),
        (_, _) if deletes => (Value::Null, Value::Null),
        (Function::Write, argument) => (argument.unwrap_or(value), Value::Null),
        (_, Some(argument)) => (argument, value),
        // Without `argument`, `value` is the answer of a function that takes
        // nothing, and the argument of any other.
        (f, None) if only_asks(f) => (Value::Null, value),
        (f, None) if is_transaction(f, &value) => (value.clone(), value),
        (_, None) => (value, Value::Null),
    };
    let (completion, taken) = match kind {
        Kind::Ok => (Completion::Ok(answer), Value::Null),
        Kind::Fail => (Completion::Fail, answer),
        Kind::Info => (Completion::Info, answer),
    };
    if drains {
        drain::check(&completion, &taken)?;
    }
    let numbered = process.is_number();
    let process = processes.number(process)?;
    processes.begins(numbered);
    Ok(Operation {
        process: ProcessId(process),
        node,
        call: Call { f, key: key.unwrap_or_else(|| Key::new(ONLY_KEY)), argument },
        invoked,
        returned: returned.filter(|_| kind != Kind::Info),
        completion,
        final_read: last,
    })
}

/// Reads a plain line: fields in any order, strings without escapes, integers,
/// `null`. `None` for any other line, which [`parse`] then reads.
fn scan(text: &[u8]) -> Option<Parts> {
    let mut scanner = Scanner::new(text);
    scanner.expect(b'{')?;
    let (mut process, mut f, mut key, mut value) = (None, None, None, None);
    let (mut invoked, mut returned, mut kind) = (None, None, None);
    let (mut node, mut last) = (None, None);
    loop {
        let name = scanner.string()?;
        scanner.expect(b':')?;
        let fresh = match name {
            b"process" => process.replace(u32::try_from(scanner.number()?).ok()?).is_none(),
            b"f" => f.replace(scanner.string()?).is_none(),
            b"key" => key.replace(scanner.token()?).is_none(),
            b"value" => value.replace(scanner.token()?).is_none(),
            b"invoke" => invoked.replace(u64::try_from(scanner.number()?).ok()?).is_none(),
            b"return" => {
                let time = match scanner.token()? {
                    Token::Null => None,
                    Token::Number(time) => Some(u64::try_from(time).ok()?),
                    Token::Text(_) => return None,
                };
                returned.replace(time).is_none()
            }
            b"type" => {
                let read = match scanner.string()? {
                    b"ok" => Kind::Ok,
                    b"fail" => Kind::Fail,
                    b"info" => Kind::Info,
                    _ => return None,
                };
                kind.replace(read).is_none()
            }
            b"node" | b"replica" => node.replace(u16::try_from(scanner.number()?).ok()?).is_none(),
            b"final" => last.replace(scanner.boolean()?).is_none(),
            _ => return None,
        };
        if !fresh {
            return None;
        }
        match scanner.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    scanner.end()?;
    let returned = returned?;
    let kind = kind.unwrap_or(if returned.is_some() { Kind::Ok } else { Kind::Info });
    let key = match key? {
        Token::Text(text) => Key::new(text),
        Token::Number(number) => Key::new(number.to_string()),
        Token::Null => return None,
    };
    let value = match value.unwrap_or(Token::Null) {
        Token::Null => Value::Null,
        Token::Number(number) => Value::Int(number),
        Token::Text(text) => Value::from(text),
    };
    let f = match f? {
        b"read" => Function::Read,
        b"write" => Function::Write,
        _ => return None,
    };
    let (process, key, invoked) = (Process::Number(process?), Some(key), invoked?);
    let (node, last, argument) = (node.map(NodeId), last.unwrap_or(false), None);
    Some(Parts { process, f, key, value, argument, invoked, returned, kind, node, last })
}

/// Writes a history as operation lines.
///
/// ```
/// use quiescence::history::{formats::operation_lines, notation};
///
/// let history = notation::parse("wx1|[cas]x=[1,2]:\"mismatch\" @ 0011")?;
/// let text = operation_lines::write(&history);
/// assert_eq!(operation_lines::read(text.as_bytes())?.history, history);
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
    for operation in history.operations() {
        let Call { f, key, argument } = &operation.call;
        let (kind, answer) = match &operation.completion {
            Completion::Ok(answer) => ("ok", answer),
            Completion::Fail => ("fail", &Value::Null),
            Completion::Info => ("info", &Value::Null),
        };
        write!(out, r#"{{"process":{},"f":"#, operation.process.0)?;
        let (name, key) = (escape::json(f.as_str()), escape::json(key.as_str()));
        write!(out, r#"{name},"key":{key}"#)?;
        if only_asks(f) {
            write!(out, r#","value":{answer}"#)?;
        } else if *answer == Value::Null {
            write!(out, r#","value":{argument}"#)?;
        } else {
            write!(out, r#","argument":{argument},"value":{answer}"#)?;
        }
        write!(out, r#","invoke":{},"return":"#, operation.invoked)?;
        match operation.returned {
            Some(returned) => write!(out, "{returned}")?,
            None => out.write_all(b"null")?,
        }
        write!(out, r#","type":"{kind}""#)?;
        super::json::write_marks(operation, operation.final_read, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation;

    const PLAIN: [&str; 8] = [
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5,"type":"ok"}"#,
        r#"{"process":1,"f":"read","key":"x","value":null,"invoke":6,"return":8,"type":"ok","node":2}"#,
        r#" { "process" : 7, "f":"read","key":12,"value":-3,"invoke":6,"return":8,"final":true } "#,
        r#"{"process":2,"f":"write","key":"ключ","value":"text","invoke":7,"return":null,"type":"info"}"#,
        r#"{"process":2,"f":"write","key":"x","value":2,"invoke":7,"return":9,"type":"fail"}"#,
        r#"{"invoke":7,"return":9,"type":"ok","f":"read","value":5,"process":2,"key":"k","replica":0}"#,
        r#"{"process":4294967295,"f":"read","key":"x","value":9223372036854775807,"invoke":1,"return":1}"#,
        r#"{"process":0,"f":"read","key":"x","invoke":0,"return":0}"#,
    ];
    const ODD: [&str; 12] = [
        r#"{"process":0,"f":"write","key":"x","value":[1,2],"invoke":0,"return":5}"#,
        r#"{"process":0,"f":"cas","key":"x","value":[1,2],"invoke":0,"return":5}"#,
        r#"{"process":0,"f":"write","key":"a\"b","value":1,"invoke":0,"return":5}"#,
        r#"{"process":0,"f":"write","key":"x","value":1.5,"invoke":0,"return":5}"#,
        r#"{"process":0,"f":"write","key":"x","value":01,"invoke":0,"return":5}"#,
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":-1,"return":5}"#,
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5,"return":6}"#,
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5} x"#,
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5,"typo":1}"#,
        r#"{"process":0,"f":"write","key":"x","value":1,"invoke":0,"type":"ok"}"#,
        r#"{"process":0,"f":"write","key":null,"value":1,"invoke":0,"return":5}"#,
        r#"{"process":0,"#,
    ];

    #[test]
    fn the_scanner_and_its_twin_read_alike() {
        let parse = |text: &[u8]| {
            let options = Options::default();
            let read = Record::parse(text, &options)?;
            parts(read, &options).map_err(|refused| refused.in_words())
        };
        super::super::scanner::read_alike(&PLAIN, &ODD, scan, parse);
    }

    #[test]
    fn lines_in_any_order_become_a_history_in_order_of_invocation() {
        let text = r#"{"process":1,"f":"read","key":"x","value":1,"invoke":6,"return":8}
            {"process":0,"f":"write","key":"x","value":1,"invoke":0,"return":5}
            {"process":0,"f":"write","key":"x","value":2,"invoke":7,"return":null}
            {"process":0,"f":"read","key":"x","value":2,"invoke":9,"return":10}"#;
        let recording = read(text.as_bytes()).expect("well formed");
        let shown = notation::write(&recording.history);
        assert_eq!(shown, "wx1 wx2?|rx1|rx2 @ 0010122");
        assert_eq!(recording.continued, 1);
    }

    #[test]
    fn what_cannot_be_is_malformed_with_its_line_or_skipped_with_a_count() {
        let good = r#"{"process":0,"f":"write","key":"x","value":1,"invoke":4,"return":6}"#;
        for (bad, expected) in [
            (
                r#"{"process":0,"f":"read","key":"x","invoke":5,"return":7}"#,
                "a process is sequential",
            ),
            (r#"{"process":1,"f":"read","key":"x","invoke":5,"return":3}"#, "returns before"),
            (
                r#"{"process":1,"f":"write","key":"x","invoke":5,"return":8,"final":true}"#,
                "only a read",
            ),
            (r#"{"process":1,"f":"write","key":"x","invoke":5,"type":"ok"}"#, "needs `return`"),
            (r#"{"process":1,"f":"write","key":"x"}"#, "`invoke` is missing"),
        ] {
            let text = format!("{good}\n\n{bad}\n");
            let complaint = read(text.as_bytes()).expect_err("malformed").to_string();
            assert!(
                complaint.starts_with("line 3: ") && complaint.contains(expected),
                "{complaint}"
            );
            let mut lines = Lines::new(text.as_bytes());
            let lenient = read_from(
                Documents::Lines(&mut lines),
                &Options { lenient: true, ..Options::default() },
            )
            .expect("skipped");
            assert_eq!((lenient.skipped, lenient.history.len()), (1, 1), "{bad}");
        }
    }
}
