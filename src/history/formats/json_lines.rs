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
//! | `process` | a number; the sequential client |
//! | `type` | `invoke`, `ok`, `fail` or `info` (outcome unknown) |
//! | `f` | `read`, `write` or the function of another datatype |
//! | `key` | the object: a text or an integer |
//! | `value` | `null`, an integer, a text or a list: what is written, or was read |
//! | `time` | nanoseconds, never decreasing; on every line or on none |
//! | `node` or `replica` | a number from 0, or `"n1"`, …; optional |
//! | `final` | `true` on the `ok` of a read issued at quiescence; optional |
//! | `index`, `error` | accepted and not used |
//!
//! Any other field is refused: a misspelt `final` must not be ignored. A
//! completion may leave out `f`, `key`, and, for a write, `value`; if they are
//! there they must agree with the invocation. Blank lines are skipped. Reads
//! one line at a time; a line may have 16 MiB.

use std::io::BufRead;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::json::{complaint, key_of, node_of, value_of};
use super::lines::{Lines, Options};
use super::names::Names;
use super::{Format, Recording};
use crate::history::{
    Builder, Call, Completion, Function, History, Key, Malformed, NodeId, ProcessId, Value,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    process: u32,
    #[serde(rename = "type")]
    kind: Kind,
    f: Option<String>,
    key: Option<Json>,
    #[serde(default)]
    value: Json,
    time: Option<u64>,
    node: Option<Json>,
    replica: Option<Json>,
    #[serde(rename = "final", default)]
    last: bool,
    #[serde(rename = "index")]
    _index: Option<serde::de::IgnoredAny>,
    #[serde(rename = "error")]
    _error: Option<serde::de::IgnoredAny>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// Reads a history from JSON lines. See the [module](self).
///
/// # Errors
/// If a line cannot be read, is not such an event, or cannot be part of a
/// history; the complaint has the line, and the column where JSON is at fault.
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
    read_from(&mut Lines::new(input), Options::default())
}

/// As [`read`], with options.
pub(super) fn read_from<R: BufRead>(
    lines: &mut Lines<R>,
    options: Options,
) -> Result<Recording, Malformed> {
    let mut reader = Reader::default();
    let mut skipped = 0;
    while let Some(line) = lines.next()? {
        reader.line = line;
        match reader.event(lines.text()) {
            Err(_) if options.lenient => skipped += 1,
            event => event?,
        }
    }
    Ok(Recording { skipped, ..reader.finish() })
}

#[derive(Default)]
struct Reader {
    events: Builder,
    line: usize,
    names: Names,
    /// The calls that are open.
    open: FxHashMap<ProcessId, Call>,
    /// The time of the last line, or `None` where lines have none.
    time: Option<Option<u64>>,
}

impl Reader {
    fn complain<T>(&self, reason: impl Into<String>) -> Result<T, Malformed> {
        Err(Malformed { line: self.line, reason: reason.into() })
    }

    fn finish(self) -> Recording {
        Recording {
            history: self.events.finish(),
            continued: self.names.continued,
            ..Recording::empty(Format::Events)
        }
    }

    fn event(&mut self, text: &[u8]) -> Result<(), Malformed> {
        let event: Line =
            serde_json::from_slice(text).or_else(|error| self.complain(complaint(&error)))?;
        let time = self.time(event.time)?;
        let node = node_of(event.node.as_ref(), event.replica.as_ref())
            .or_else(|reason| self.complain(reason))?;
        self.events.at_line(self.line);
        if event.last && event.kind != Kind::Ok {
            return self.complain("`final` belongs on the `ok` of a read");
        }
        match event.kind {
            Kind::Invoke => self.invoke(&event, time, node),
            _ => self.complete(&event, time, node),
        }
    }

    fn invoke(&mut self, event: &Line, time: u64, node: Option<NodeId>) -> Result<(), Malformed> {
        let process = self.names.invoking(event.process);
        let Some(f) = &event.f else { return self.complain("an invocation needs `f`") };
        let Some(key) = &event.key else { return self.complain("an invocation needs `key`") };
        let call = Call {
            f: Function::named(f),
            key: self.key(key)?,
            argument: self.value(&event.value)?,
        };
        if call.is_read() && call.argument != Value::Null {
            return self.complain("the invocation of a read has no value: it is not known yet");
        }
        self.events.invoke(process, time, call.clone())?.node = node;
        self.open.insert(process, call);
        Ok(())
    }

    fn complete(&mut self, event: &Line, time: u64, node: Option<NodeId>) -> Result<(), Malformed> {
        let process = self.names.completing(event.process);
        let value = self.value(&event.value)?;
        let call = self.open.remove(&process);
        if let Some(call) = &call {
            self.agrees(event, call, &value)?;
        }
        // A write answers nothing; that a file repeats its argument says nothing.
        let value = if call.is_some_and(|call| call.is_write()) { Value::Null } else { value };
        let operation = match event.kind {
            Kind::Ok if event.last => self.events.ok_final(process, time, value),
            Kind::Ok => self.events.ok(process, time, value),
            Kind::Fail => self.events.fail(process, time),
            Kind::Info | Kind::Invoke => {
                self.names.ended.insert(event.process);
                self.events.info(process)
            }
        }?;
        operation.node = operation.node.or(node);
        Ok(())
    }

    /// A completion says nothing else than its invocation.
    fn agrees(&self, event: &Line, call: &Call, value: &Value) -> Result<(), Malformed> {
        if event.f.as_deref().is_some_and(|f| f != call.f.as_str()) {
            return self.complain(format!("this completes `{call}`, but its `f` is another"));
        }
        if let Some(key) = &event.key
            && self.key(key)? != call.key
        {
            return self.complain(format!("this completes `{call}`, but its `key` is another"));
        }
        if call.is_write() && *value != Value::Null && *value != call.argument {
            return self.complain(format!("this completes `{call}`, but its `value` is another"));
        }
        Ok(())
    }

    fn key(&self, json: &Json) -> Result<Key, Malformed> {
        key_of(json).or_else(|reason| self.complain(reason))
    }

    fn value(&self, json: &Json) -> Result<Value, Malformed> {
        value_of(json).or_else(|reason| self.complain(reason))
    }

    fn time(&mut self, time: Option<u64>) -> Result<u64, Malformed> {
        match (self.time.replace(time), time) {
            (Some(Some(_)), None) | (Some(None), Some(_)) => {
                self.complain("`time` stands on some lines only; it belongs on all or none")
            }
            (Some(Some(before)), Some(now)) if now < before => {
                self.complain(format!("time runs backwards: {now} after {before}"))
            }
            (_, time) => Ok(time.unwrap_or(self.line as u64)),
        }
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
    let mut text = String::new();
    for event in super::events(history) {
        let operation = event.operation;
        let Call { f, key, argument } = &operation.call;
        let (kind, value) = match (event.invocation, &operation.completion) {
            (true, _) => ("invoke", argument),
            (false, Completion::Ok(answer)) if *answer != Value::Null || *f == Function::Read => {
                ("ok", answer)
            }
            (false, Completion::Ok(_)) => ("ok", argument),
            (false, Completion::Fail) => ("fail", argument),
            (false, Completion::Info) => ("info", argument),
        };
        let mut line = serde_json::json!({
            "process": operation.process.0, "type": kind, "f": f, "key": key,
            "value": value, "time": event.time,
        });
        if let Some(node) = operation.node {
            line["node"] = node.0.into();
        }
        if operation.final_read && !event.invocation {
            line["final"] = true.into();
        }
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation;

    /// Lines in short: `0 invoke write x 1`, with `!` for final.
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
        reads_as("0 invoke add x 3; 0 ok add x 3", "[add]x=3:3 @ 00", 0);
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
            (r#"{"process":0,"type":"maybe"}"#, "unknown variant `maybe`"),
            (r#"{"process":0,"type":"ok","finl":true}"#, "unknown field `finl`"),
            (r#"{"process":-1,"type":"ok"}"#, "expected u32"),
            (r#"{"process":0,"type":"invoke","key":"x"}"#, "an invocation needs `f`"),
            (r#"{"process":0,"type":"invoke","f":"read"}"#, "an invocation needs `key`"),
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
            (r#"{"process":0,"type":"ok","time":4}"#, "line 2: time runs backwards"),
            (r#"{"process":0,"type":"ok"}"#, "line 2: `time` stands on some lines only"),
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

    #[test]
    fn bytes_that_are_no_text_are_malformed() {
        assert_eq!(read(&b"\n\xff\n"[..]).expect_err("malformed").line, 2);
    }
}
