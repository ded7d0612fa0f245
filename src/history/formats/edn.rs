//! A history as Jepsen writes it: maps of EDN, one after the other or in a
//! vector around them all.
//!
//! ```clojure
//! {:type :invoke, :f :write, :value 1, :process 0, :time 10, :index 0}
//! {:type :ok,     :f :write, :value 1, :process 0, :time 20, :index 1}
//! ```
//!
//! Registers with independent keys have values `[k v]` (a compare-and-set
//! `[k [from to]]`); maps with a `:key`, as in Porcupine's kv tests, are read
//! too. What is neither is about one object, called `x`. Without `:time` the
//! order of the events is their time. Whatever has no number for a process
//! (`:nemesis`) and what was never invoked but ends as `:info` is kept as a
//! mark. The reader keeps one form in memory, not the text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::BufRead;

use super::assemble::Assembler;
use super::edn_text::{Edn, Forms, Stop};
use super::lines::{Lines, Options};
use super::{Format, Recording};
use crate::history::{
    Call, Completion, Function, History, Key, Malformed, NodeId, Operation, ProcessId, Value,
};

/// How long a form may be, in bytes.
const FORM_MAX: usize = 16 << 20;

/// Reads a history from EDN. See the [module](self).
///
/// # Errors
/// If a form cannot be read or cannot be part of a history, with the line.
///
/// ```
/// use quiescence::history::{formats::edn, notation};
///
/// let text = "{:process 0 :type :invoke :f :cas :value [1 2]} {:process 0 :type :fail}";
/// assert_eq!(notation::write(&edn::read(text.as_bytes())?.history), "[cas]x=[1,2]~ @ 00");
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
    let mut reader = Reader::new(options);
    let mut text: Vec<u8> = Vec::new();
    let mut first = 1;
    while let Some(line) = lines.next()? {
        if text.is_empty() {
            first = line;
        }
        text.extend_from_slice(lines.text());
        let mut forms = Forms::new(&text);
        let mut done = 0;
        loop {
            match forms.next() {
                Ok(Some(form)) => {
                    done = forms.at;
                    reader.event(line, &form)?;
                }
                Ok(None) => {
                    done = text.len();
                    break;
                }
                Err(Stop::Short) => break,
                Err(Stop::Wrong(at, reason)) => {
                    if !options.lenient {
                        let column = at
                            - text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |b| b + 1)
                            + 1;
                        return complain(line, format!("column {column}: {reason}"));
                    }
                    reader.all.skip();
                    done = text.len();
                    break;
                }
            }
        }
        text.drain(..done);
        if text.len() > FORM_MAX {
            return complain(first, "a form is longer than 16 MiB");
        }
    }
    if !text.is_empty() && !options.lenient {
        return complain(first, "the file ends inside the form that begins here");
    }
    reader.finish(Format::Edn)
}

fn complain<T>(line: usize, reason: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { line, reason: reason.into() })
}

/// Pairs invocations with completions.
pub(super) struct Reader {
    pub(super) all: Assembler,
    options: Options,
    open: BTreeMap<u32, Open>,
    events: u64,
    /// Whether events have times.
    timed: Option<bool>,
    time: u64,
}

/// An operation that was invoked and not completed.
struct Open {
    line: usize,
    operation: Operation,
    /// Whether its value is `[k v]`.
    independent: bool,
}

/// One event, whatever the format.
pub(super) struct Event<'a> {
    pub(super) process: u32,
    pub(super) kind: &'a str,
    pub(super) f: Option<&'a str>,
    pub(super) key: Option<Key>,
    pub(super) value: Option<Value>,
    pub(super) time: Option<u64>,
    pub(super) node: Option<NodeId>,
    pub(super) last: bool,
}

impl Reader {
    pub(super) fn new(options: Options) -> Reader {
        let (open, all) = (BTreeMap::new(), Assembler::new());
        Reader { all, options, open, events: 0, timed: None, time: 0 }
    }

    /// What is still open is pending.
    pub(super) fn finish(mut self, format: Format) -> Result<Recording, Malformed> {
        let mut open: Vec<Open> = self.open.into_values().collect();
        open.sort_by_key(|open| open.line);
        open.into_iter().for_each(|open| self.all.push(open.line, open.operation));
        self.all.finish(format, self.options)
    }

    fn event(&mut self, line: usize, form: &Edn) -> Result<(), Malformed> {
        let word = |name: &str| match form.get(name) {
            Some(Edn::Keyword(word) | Edn::Word(word) | Edn::Text(word)) => Some(word.as_str()),
            _ => None,
        };
        let Some(kind) = word("type") else {
            return self.or_skip(complain(line, "an event is a map with `:type`"));
        };
        let process = match form.get("process") {
            Some(Edn::Int(number)) => u32::try_from(*number).ok(),
            _ => None,
        };
        let Some(process) = process else {
            self.all.mark(line, shown(form));
            return Ok(());
        };
        let time = match form.get("time") {
            Some(Edn::Int(time)) => u64::try_from(*time).ok(),
            _ => None,
        };
        let key = match form.get("key") {
            Some(Edn::Nil) | None => None,
            Some(key) => Some(key_of(&value_of(key))),
        };
        let node = match form.get("node") {
            Some(Edn::Text(name) | Edn::Keyword(name)) => name.parse().ok(),
            _ => None,
        };
        let last = matches!(form.get("final?"), Some(Edn::Word(word)) if word == "true");
        let value = form.get("value").map(value_of);
        let event = Event { process, kind, f: word("f"), key, value, time, node, last };
        let taken = self.take(line, event);
        self.or_skip(taken)
    }

    pub(super) fn or_skip(&mut self, done: Result<(), Malformed>) -> Result<(), Malformed> {
        match done {
            Err(_) if self.options.lenient => {
                self.all.skip();
                Ok(())
            }
            done => done,
        }
    }

    /// One event of a process.
    pub(super) fn take(&mut self, line: usize, event: Event<'_>) -> Result<(), Malformed> {
        self.events += 1;
        if *self.timed.get_or_insert(event.time.is_some()) != event.time.is_some() {
            return complain(line, "some events have a time and some have none");
        }
        let time = event.time.unwrap_or(self.events);
        if time < self.time {
            return complain(line, format!("time runs backwards: {time} after {}", self.time));
        }
        self.time = time;
        match event.kind {
            "invoke" => self.invoke(line, time, event),
            "ok" | "fail" | "info" => self.complete(line, time, event),
            other => complain(line, format!("there is no type `{other}`: invoke, ok, fail, info")),
        }
    }

    fn invoke(&mut self, line: usize, time: u64, event: Event<'_>) -> Result<(), Malformed> {
        let Some(f) = event.f else { return complain(line, "an invocation needs `:f`") };
        let f = Function::named(f);
        let value = event.value.unwrap_or(Value::Null);
        let independent = event.key.is_none() && is_independent(&f, &value);
        let (own_key, value) = split(independent, value);
        let call = Call {
            key: event.key.or(own_key).unwrap_or_else(|| Key::new("x")),
            argument: if takes_nothing(&f) { Value::Null } else { value },
            f,
        };
        if let Some(open) = self.open.get(&event.process) {
            return complain(
                line,
                format!(
                    "process {} invokes `{call}` while its `{}` of line {} is open; a process is \
                     sequential",
                    event.process, open.operation.call, open.line
                ),
            );
        }
        let operation = Operation {
            process: ProcessId(event.process),
            node: event.node,
            call,
            invoked: time,
            returned: None,
            completion: Completion::Info,
            final_read: false,
        };
        self.open.insert(event.process, Open { line, operation, independent });
        Ok(())
    }

    fn complete(&mut self, line: usize, time: u64, event: Event<'_>) -> Result<(), Malformed> {
        let Some(Open { line: invoked, mut operation, independent }) =
            self.open.remove(&event.process)
        else {
            if event.kind == "info" {
                self.all.mark(line, format!("process {} :info", event.process));
                return Ok(());
            }
            let process = event.process;
            return complain(
                line,
                format!("process {process} completes an operation that it did not invoke"),
            );
        };
        operation.node = operation.node.or(event.node);
        match event.kind {
            "info" => {}
            "fail" => {
                operation.completion = Completion::Fail;
                operation.returned = Some(time);
            }
            _ => {
                let (_, value) = split(independent, event.value.unwrap_or(Value::Null));
                let answer = match &operation.call.f {
                    Function::Read => value,
                    f if takes_nothing(f) => value,
                    _ => Value::Null,
                };
                operation.completion = Completion::Ok(answer);
                operation.returned = Some(time);
                operation.final_read = event.last && operation.call.is_read();
            }
        }
        self.all.push(invoked, operation);
        Ok(())
    }

    /// The open operation of `process` found another value than it wanted.
    pub(super) fn mismatch(&mut self, line: usize, process: u32) -> Result<(), Malformed> {
        self.events += 1;
        self.time += 1;
        let Some(Open { line: invoked, mut operation, .. }) = self.open.remove(&process) else {
            return complain(
                line,
                format!("process {process} completes an operation that it did not invoke"),
            );
        };
        operation.completion = Completion::Ok(Value::from("mismatch"));
        operation.returned = Some(self.events);
        self.time = self.events;
        self.all.push(invoked, operation);
        Ok(())
    }
}

/// Functions that only answer.
fn takes_nothing(f: &Function) -> bool {
    *f == Function::Read || matches!(f.as_str(), "get" | "dequeue")
}

/// Whether the value of an invocation is `[k v]`.
fn is_independent(f: &Function, value: &Value) -> bool {
    match (f, value) {
        (Function::Read | Function::Write, Value::List(pair)) => pair.len() == 2,
        (Function::Other(_), Value::List(pair)) => {
            pair.len() == 2 && (f.as_str() != "cas" || matches!(pair[1], Value::List(_)))
        }
        _ => false,
    }
}

fn split(independent: bool, value: Value) -> (Option<Key>, Value) {
    match value {
        Value::List(pair) if independent && pair.len() == 2 => {
            (Some(key_of(&pair[0])), pair[1].clone())
        }
        other => (None, other),
    }
}

fn key_of(value: &Value) -> Key {
    match value {
        Value::Text(text) => Key::new(text),
        other => Key::new(other.to_string()),
    }
}

fn value_of(form: &Edn) -> Value {
    match form {
        Edn::Nil => Value::Null,
        Edn::Int(number) => Value::Int(*number),
        Edn::Text(text) | Edn::Keyword(text) | Edn::Word(text) => Value::from(text.as_str()),
        Edn::List(list) | Edn::Set(list) => Value::List(list.iter().map(value_of).collect()),
        Edn::Map(_) => Value::from(shown(form).as_str()),
    }
}

/// A form as text.
fn shown(form: &Edn) -> String {
    let all = |list: &[Edn]| list.iter().map(shown).collect::<Vec<_>>().join(" ");
    match form {
        Edn::Nil => "nil".to_owned(),
        Edn::Int(number) => number.to_string(),
        Edn::Text(text) => format!("{text:?}"),
        Edn::Keyword(name) => format!(":{name}"),
        Edn::Word(word) => word.clone(),
        Edn::List(list) => format!("[{}]", all(list)),
        Edn::Set(list) => format!("#{{{}}}", all(list)),
        Edn::Map(pairs) => {
            let pair = |(key, value): &(Edn, Edn)| format!("{} {}", shown(key), shown(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Writes a history as EDN, event by event, with `[k v]` values.
///
/// ```
/// use quiescence::history::{formats::edn, notation};
///
/// let history = notation::parse("wx1|rx1 @ 0011")?;
/// let text = edn::write(&history);
/// assert!(text.starts_with("{:type :invoke, :f :write, :value [\"x\" 1], :process 0, :time 0"));
/// assert_eq!(edn::read(text.as_bytes())?.history, history);
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn write(history: &History) -> String {
    let mut text = String::new();
    for (index, event) in super::events(history).enumerate() {
        let operation = event.operation;
        let Call { f, key, argument } = &operation.call;
        let (kind, value) = match (event.invocation, &operation.completion) {
            (true, _) => ("invoke", argument),
            (false, Completion::Ok(answer)) if takes_nothing(f) => ("ok", answer),
            (false, Completion::Ok(answer)) if *answer == Value::from("mismatch") => {
                ("fail", argument)
            }
            (false, Completion::Ok(_)) => ("ok", argument),
            (false, Completion::Fail) => ("fail", argument),
            (false, Completion::Info) => ("info", argument),
        };
        let _ = write!(
            text,
            "{{:type :{kind}, :f :{}, :value [{:?} {}], :process {}, :time {}, :index {index}",
            f.as_str(),
            key.as_str(),
            edn_of(value),
            operation.process.0,
            event.time,
        );
        if let Some(node) = operation.node {
            let _ = write!(text, ", :node \"{node}\"");
        }
        if operation.final_read && !event.invocation {
            text.push_str(", :final? true");
        }
        text.push_str("}\n");
    }
    text
}

fn edn_of(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("{:?}", text.as_str()),
        Value::List(list) => {
            format!("[{}]", list.iter().map(edn_of).collect::<Vec<_>>().join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation;

    fn reads(text: &str) -> (String, Recording) {
        let recording = read(text.as_bytes()).expect("well formed");
        (notation::write(&recording.history), recording)
    }

    #[test]
    fn registers_with_and_without_keys_are_read() {
        let (shown, _) = reads(
            "[{:process 4, :type :invoke, :f :write, :value 2}\n {:process 6, :type :invoke, :f :read, :value nil}\n {:process 4, :type :ok, :f :write, :value 2}\n {:process 6 :type :ok :f :read :value 2}]",
        );
        assert_eq!(shown, "wx2|rx2 @ 0101");
        let (shown, _) = reads(
            "{:type :invoke :f :cas :value [7 [1 2]] :process 0 :time 5}{:type :ok :f :cas :value [7 [1 2]] :process 0 :time 6}\n{:type :invoke :f :read :value [7 nil] :process 0 :time 7}{:type :ok :f :read :value [7 2] :process 0 :time 8}",
        );
        assert_eq!(shown, "[cas]7=[1,2] r7=2 @ 0000");
    }

    #[test]
    fn the_nemesis_and_what_was_never_invoked_are_marks() {
        let (shown, recording) = reads(
            "{:process :nemesis :type :info :f :start :value nil}\n{:process 1 :type :info :f :read :value nil}\n{:process 0 :type :invoke :f :add :value 3}\n{:process 0 :type :info :f :add :value 3 :error :timeout}\n{:process 0 :type :invoke :f :read :value nil}\n{:process 0 :type :ok :f :read :value #{3 1}}",
        );
        assert_eq!(shown, "[add]x=3?|rx=[3,1] @ 011");
        assert_eq!(recording.marks.len(), 2);
        assert_eq!(recording.continued, 1);
    }

    #[test]
    fn complaints_have_lines() {
        let complaint = |text: &str| read(text.as_bytes()).expect_err("malformed").to_string();
        let open = "{:process 0 :type :invoke :f :read :value nil}\n";
        assert!(complaint(&format!("{open}{open}")).contains("line 2: process 0 invokes"));
        assert!(
            complaint(&format!("{open}\n{{:process 1 :type :ok}}")).contains("line 3: process 1")
        );
        assert!(complaint("{:process 0 :type :maybe}").contains("no type `maybe`"));
        assert!(complaint(&format!("{open}{{:process")).contains("line 2: the file ends inside"));
        assert!(complaint("{:f 1}").contains("an event is a map"));
        assert!(complaint(&format!("{open}{{:process 0 :type]}}")).contains("line 2: column"));
    }
}
