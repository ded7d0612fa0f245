//! Reads event lines one by one, while a recording still grows.
//!
//! Returns the event of each line, and finds the process that a number stands
//! for after an unknown outcome. A line that the rules refuse is an error and
//! gives no event.

use super::json_lines;
use super::names::Processes;
use super::options::Options;
use super::pairs::{Head, Sayings};
use super::reader::Kind;
use crate::history::{Event, Malformed, Rule, Rules};

/// Reads event lines as they arrive, and returns the events of a history.
///
/// ```
/// use quiescence::history::formats::Follower;
/// use quiescence::history::{Event, ProcessId, What};
///
/// let mut lines = Follower::default();
/// let line = br#"{"process":0,"type":"invoke","f":"read","key":"x","time":5}"#;
/// let event = lines.line(line)?.expect("the line is not blank");
/// assert!(matches!(event.what, What::Invoke(_)));
/// let line = br#"{"process":0,"type":"ok","value":1,"time":7}"#;
/// assert_eq!(lines.line(line)?, Some(Event::ok(ProcessId(0), 7, 1)));
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
#[derive(Default)]
pub struct Follower {
    sayings: Sayings,
    rules: Rules,
    processes: Processes,
    line: usize,
    options: Options,
    /// Whether invocations name no key; `None` before the first one.
    keyless: Option<bool>,
    backwards: usize,
}

impl Follower {
    /// Reads as these options say. Malformed lines are errors even if they are lenient: whoever
    /// follows decides what to do.
    pub fn new(options: Options) -> Follower {
        Follower { options, ..Follower::default() }
    }

    /// How many times ran backwards and were replaced, so that the order of the lines counts.
    pub fn backwards(&self) -> usize {
        self.backwards
    }

    /// The event of the next line; `None` if it is blank or tells of no client. A number that is used
    /// again after an unknown outcome stands for a new process. If lines have
    /// no times, their order is their time.
    ///
    /// # Errors
    /// If the line is no event line, or cannot continue the history of the
    /// lines before it. It then gives no event. If a process has two operations
    /// open, its completions are refused from then on, since each may belong to
    /// either.
    pub fn line(&mut self, text: &[u8]) -> Result<Option<Event>, Malformed> {
        self.line += 1;
        let text = match self.line {
            1 => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            _ => text,
        };
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let (sayings, rules, line) = (&mut self.sayings, &mut self.rules, self.line);
        let malformed = |reason| Malformed::unreadable(line, reason);
        let fields = json_lines::fields_with(text, &self.options);
        let mut fields = fields.map_err(|refused| malformed(refused.in_words()))?;
        if fields.process.is_no_client() {
            return Ok(None);
        }
        let process = self.processes.number(fields.process.clone()).map_err(malformed)?;
        fields.with_key(&mut self.keyless).map_err(malformed)?;
        let mut head = Head { line, process, time: fields.time, node: fields.node };
        let last = rules.time();
        if head.time.is_some_and(|time| time < last) && !self.options.strict_time {
            head.time = Some(last.saturating_add(1));
            self.backwards += 1;
        }
        let event = if fields.kind == Kind::Invoke {
            let call = json_lines::call(fields).map_err(malformed)?;
            let time = sayings.time(head)?;
            let before = sayings.current(head.process);
            let event = sayings.invocation(head, time, call.into(), rules);
            // No later line can name the process that this number stood for.
            let ended = before.filter(|process| *process != event.process);
            ended.into_iter().for_each(|process| rules.forget(process));
            event
        } else {
            let open = sayings.open(head.process, rules);
            let said = json_lines::said(fields, open).map_err(malformed)?;
            let time = sayings.time(head)?;
            sayings.completion(head, time, said, rules)?
        };
        match rules.accept_at(head.place(), &event) {
            Ok(_) => Ok(Some(event)),
            Err(refused) => {
                if refused.rule == Some(Rule::Sequential) {
                    sayings.doubt(head.process);
                }
                Err(refused)
            }
        }
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
