//! Event lines one after the other, for whoever cannot wait for the end.
//!
//! Says what each line says, and who a process is that goes on after an unknown
//! outcome. Whether the events can be part of a history is not checked here:
//! whoever takes them has to keep them anyway.

use super::json_lines::{self, Fields, Kind};
use super::names::Names;
use crate::history::{Call, Malformed, NodeId, ProcessId, Value};

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
        if fields.kind == Kind::Invoke {
            let (number, node) = (fields.process, fields.node);
            let call = json_lines::call(fields)?;
            return Ok((self.names.invoking(number), Happened::Invoked(call, node)));
        }
        let process = self.names.current(fields.process).ok_or_else(|| {
            format!("process {} completes an operation that it did not invoke", fields.process)
        })?;
        let what = match fields.kind {
            Kind::Ok => Happened::Ok(fields.value),
            Kind::Fail => Happened::Failed,
            Kind::Info | Kind::Invoke => {
                self.names.ended.insert(fields.process);
                Happened::Unknown
            }
        };
        Ok((process, what))
    }
}
