//! Event lines one after the other, for whoever cannot wait for the end.
//!
//! Says what each line says, who a process is that goes on after an unknown
//! outcome, and that a completion does not contradict its invocation. Whether
//! the events can be part of a history beyond that (their times) is not checked
//! here: whoever takes them has to keep them anyway.

use rustc_hash::FxHashMap;

use super::json_lines::{self, Fields, Kind};
use super::names::Names;
use crate::history::{Call, Completion, Malformed, NodeId, ProcessId, Value};

/// Reads event lines that come one by one.
///
/// ```
/// use quiescence::history::formats::{Follower, Happened};
/// use quiescence::history::Value;
///
/// let mut lines = Follower::default();
/// let line = br#"{"process":0,"type":"invoke","f":"read","key":"x","time":5}"#;
/// let event = lines.line(line)?.expect("the line is not blank");
/// assert!(matches!(event.what, Happened::Invoked(..)));
/// let line = br#"{"process":0,"type":"ok","value":1,"time":7}"#;
/// let event = lines.line(line)?.expect("the line is not blank");
/// assert_eq!((event.time, event.what), (7, Happened::Ok(Value::Int(1))));
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Default)]
pub struct Follower {
    names: Names,
    line: usize,
    /// What each process has open; nothing of one that had two operations open,
    /// since a completion may belong to either.
    open: FxHashMap<u32, Option<Call>>,
    /// Whether lines have times.
    timed: Option<bool>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineEvent {
    /// Who it is about; a process that goes on after an unknown outcome is
    /// another one.
    pub process: ProcessId,
    /// In nanoseconds, or the number of the line if lines have no times.
    pub time: u64,
    /// What happened.
    pub what: Happened,
}

/// What happened to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was invoked, at a node if that is known.
    Invoked(Call, Option<NodeId>),
    /// It was answered.
    Ok(Value),
    /// It certainly took no effect.
    Failed,
    /// Its outcome will never be known.
    Unknown,
}

impl Follower {
    /// What the next line says; `None` if it is blank.
    ///
    /// # Errors
    /// If it is no event line.
    pub fn line(&mut self, text: &[u8]) -> Result<Option<LineEvent>, Malformed> {
        self.line += 1;
        let text = match self.line {
            1 => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            _ => text,
        };
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let malformed = |reason| Malformed { line: self.line, reason };
        let fields = json_lines::fields(text).map_err(malformed)?;
        let timed = fields.time.is_some();
        if *self.timed.get_or_insert(timed) != timed {
            let reason = "`time` stands on some events only; it belongs on all or on none";
            return Err(malformed(reason.to_owned()));
        }
        let time = fields.time.unwrap_or(self.line as u64);
        let line = self.line;
        self.happened(fields)
            .map(|(process, what)| Some(LineEvent { process, time, what }))
            .map_err(|reason| Malformed { line, reason })
    }

    fn happened(&mut self, fields: Fields) -> Result<(ProcessId, Happened), String> {
        let number = fields.process;
        if fields.kind == Kind::Invoke {
            let node = fields.node;
            let call = json_lines::call(fields)?;
            if let Some(open) = self.open.get_mut(&number) {
                *open = None;
                return Err(format!(
                    "process {number} invokes `{call}` while another operation is open; a \
                     process is sequential"
                ));
            }
            self.open.insert(number, Some(call.clone()));
            return Ok((self.names.invoking(number), Happened::Invoked(call, node)));
        }
        let (process, call) = match (self.names.current(number), self.open.get(&number)) {
            (_, Some(None)) => return Err(format!("process {number} had two operations open")),
            (Some(process), Some(Some(call))) => (process, call),
            _ => {
                return Err(format!(
                    "process {number} completes an operation that it did not invoke"
                ));
            }
        };
        let said = json_lines::said(fields, Some(call))?;
        said.contradicts(call)?;
        self.open.remove(&number);
        let what = match said.completion {
            Completion::Ok(answer) => Happened::Ok(answer),
            Completion::Fail => Happened::Failed,
            Completion::Info => {
                self.names.ended.insert(number);
                Happened::Unknown
            }
        };
        Ok((process, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(lines: &[&str]) -> String {
        let mut follower = Follower::default();
        let said = lines.iter().map(|line| follower.line(line.as_bytes()));
        said.filter_map(Result::err).last().map_or(String::new(), |refused| refused.to_string())
    }

    #[test]
    fn a_completion_that_contradicts_its_invocation_is_malformed() {
        let write = r#"{"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":1}"#;
        for (completion, field) in [
            (r#"{"process":0,"type":"ok","f":"read","time":2}"#, "its `f` is another"),
            (r#"{"process":0,"type":"ok","key":"y","time":2}"#, "its `key` is another"),
            (r#"{"process":0,"type":"ok","value":2,"time":2}"#, "its `value` is another"),
            (r#"{"process":0,"type":"ok","final":true,"time":2}"#, "only a read can be a final"),
            (r#"{"process":1,"type":"ok","time":2}"#, "process 1 completes an operation that it"),
        ] {
            let said = complaint(&[write, completion]);
            assert!(said.starts_with("line 2: ") && said.contains(field), "{said}");
        }
        let done = r#"{"process":0,"type":"ok","f":"write","key":"x","value":1,"time":2}"#;
        assert_eq!(complaint(&[write, done]), "");
        assert!(complaint(&[write, done, done]).starts_with("line 3: process 0 completes an"));
    }

    #[test]
    fn of_a_process_with_two_open_operations_nothing_more_is_known() {
        let read = r#"{"process":0,"type":"invoke","f":"read","key":"x","time":1}"#;
        let ok = r#"{"process":0,"type":"ok","value":5,"time":2}"#;
        assert!(complaint(&[read, read]).contains("line 2: process 0 invokes `read x` while"));
        assert!(complaint(&[read, read, ok]).contains("line 3: process 0 had two operations open"));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let read = "\u{feff}{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"key\":\"x\"}";
        assert_eq!(complaint(&[read]), "");
        assert!(complaint(&["", read]).starts_with("line 2: column 1"));
    }
}
