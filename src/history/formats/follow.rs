//! Reads events line by line, while a recording still grows: JSON event lines, Jepsen's EDN
//! with one map on a line, and Jepsen's `history.txt` and log.
//!
//! Returns the event of each line, and finds the process that a number stands
//! for after an unknown outcome. A line that the rules refuse is an error and
//! gives no event.

use super::edn_event::Entry;
use super::edn_text::Forms;
use super::json_lines::{self, All};
use super::lines::{Lines, no_text};
use super::options::Options;
use super::porcupine;
use super::reader::Reader;
use crate::history::{Event, Malformed};

/// Reads lines as they arrive, and returns the events of a history.
///
/// The first line that is not blank says whether they are JSON, EDN or a log. Where no line
/// names its object, values may be `[key, value]`, and only a later line may show whether they
/// are. Events wait for it; it comes no later than the first answer.
///
/// ```
/// use quiescence::history::formats::Follower;
/// use quiescence::history::{Event, ProcessId, What};
///
/// let mut lines = Follower::default();
/// let line = br#"{"process":0,"type":"invoke","f":"read","key":"x","time":5}"#;
/// let events = lines.line(line);
/// assert!(matches!(&events[..], [Ok(Event { what: What::Invoke(_), .. })]));
/// let line = br#"{"process":0,"type":"ok","value":1,"time":7}"#;
/// assert_eq!(lines.line(line), [Ok(Event::ok(ProcessId(0), 7, 1))]);
/// ```
pub struct Follower {
    all: All,
    shape: Option<Shape>,
    line: usize,
    options: Options,
}

/// What lines look like.
#[derive(Clone, Copy)]
enum Shape {
    Json,
    Edn,
    Log,
}

impl Default for Follower {
    fn default() -> Self {
        Follower::new(Options::default())
    }
}

impl Follower {
    /// Reads as these options say. Malformed lines are errors even if they are lenient: whoever
    /// follows decides what to do.
    pub fn new(options: Options) -> Follower {
        let strict = Options { lenient: false, ..options.clone() };
        let all = All::new(Reader::growing(&strict));
        Follower { all, shape: None, line: 0, options }
    }

    /// How many times ran backwards and were replaced, so that the order of the lines counts.
    pub fn backwards(&self) -> usize {
        self.all.reader.pairs.log.backwards
    }

    /// The events that the next line makes known, in order; none if it is blank or tells of no
    /// client, or if it waits for a line that shows whether values are `[key, value]`. A number
    /// that is used again after an unknown outcome stands for a new process. If lines have no
    /// times, their order is their time.
    ///
    /// A line that is none of its format, or cannot continue the history of the lines before
    /// it, gives an error, which may come with a later line if it had to wait. It then gives no
    /// event. If a process has two operations open, its completions are refused from then on,
    /// since each may belong to either.
    pub fn line(&mut self, text: &[u8]) -> Vec<Result<Event, Malformed>> {
        self.line += 1;
        let text = match self.line {
            1 => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            _ => text,
        };
        if text.iter().all(u8::is_ascii_whitespace) {
            return Vec::new();
        }
        let done = self.take(text);
        self.told(done)
    }

    /// The events that still waited when the recording ended.
    pub fn end(&mut self) -> Vec<Result<Event, Malformed>> {
        let done = self.all.reader.end();
        self.told(done)
    }

    fn told(&mut self, done: Result<(), Malformed>) -> Vec<Result<Event, Malformed>> {
        let pairs = &mut self.all.reader.pairs;
        // Of a file that grows, what is malformed is told and does not stop the reader.
        match pairs.or_tell(done) {
            Ok(()) => pairs.said(),
            Err(refused) => vec![Err(refused)],
        }
    }

    fn take(&mut self, text: &[u8]) -> Result<(), Malformed> {
        let line = self.line;
        let shape = self.shape.map_or_else(|| shape(line, text), Ok)?;
        self.shape = Some(shape);
        match shape {
            Shape::Json => {
                let fields = json_lines::fields_with(text, &self.options);
                let refused = |reason| Malformed::unreadable(line, reason);
                let fields = fields.map_err(|why| refused(why.in_words()))?;
                self.all.take(line, text, fields)
            }
            Shape::Edn => self.forms(text),
            Shape::Log => porcupine::take(&mut self.all.reader, line, text),
        }
    }

    /// Takes the maps of EDN on a line.
    fn forms(&mut self, text: &[u8]) -> Result<(), Malformed> {
        let line = self.line;
        let mut one = Lines::new(text);
        let mut forms = Forms::new(&mut one, false);
        loop {
            let form = forms.next().map_err(|refused| {
                let ends = refused.reason.starts_with("the file ends inside");
                let reason = match ends {
                    true => SPREAD.to_owned(),
                    false => refused.reason,
                };
                Malformed::unreadable(line, reason)
            })?;
            let Some((_, form)) = form else { return Ok(()) };
            let entry = Entry { line, form: &form, options: &self.options };
            if !self.all.reader.begun && entry.is_whole() {
                return Err(Malformed::unreadable(line, UNORDERED));
            }
            entry.take(&mut self.all.reader)?;
        }
    }
}

/// Why a form that goes on in the next line is refused.
const SPREAD: &str = "what begins here ends in another line, and a file that grows has each map of \
                      EDN on one line";

/// Why events inside brackets are refused.
const AROUND: &str = "an array, a vector or a list is read once it is complete, and a file that \
                      grows has its events on lines";

/// Why completions alone are refused.
const UNORDERED: &str = "a completion that tells when its operation was invoked comes after others \
                         that began later; a file of them is judged without --follow";

/// Why a compressed file is refused: what is compressed does not come line by line.
const COMPRESSED: &str = "the file is compressed, and one that grows is followed as it is; judge it \
                          without --follow";

/// What lines look like, by the first one.
fn shape(line: usize, text: &[u8]) -> Result<Shape, Malformed> {
    let compressed = text.starts_with(&[0x1f, 0x8b]) || text.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    if let Some(reason) = no_text(text).or(compressed.then_some(COMPRESSED)) {
        return Err(Malformed::unreadable(line, reason));
    }
    let text = text.trim_ascii_start();
    let inside = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    match (inside.map(|inside| inside.first()), text.first()) {
        (Some(None | Some(b'"' | b'}')), _) => Ok(Shape::Json),
        (Some(_), _) | (None, Some(b'#' | b';')) => Ok(Shape::Edn),
        (None, Some(b'[' | b'(')) => Err(Malformed::unreadable(line, AROUND)),
        _ if porcupine::is_line(text) => Ok(Shape::Log),
        _ => Err(Malformed::unreadable(
            line,
            "this is neither a JSON event, nor a map of Jepsen's EDN, nor a line of its log",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Builder, formats, notation};

    fn complaint(lines: &[&str]) -> String {
        let mut follower = Follower::default();
        let said = lines.iter().flat_map(|line| follower.line(line.as_bytes()));
        said.filter_map(Result::err).last().map_or(String::new(), |refused| refused.to_string())
    }

    /// The history that is followed, and after which line each event was known.
    fn followed(text: &str) -> (String, Vec<usize>) {
        let (mut follower, mut builder) = (Follower::default(), Builder::new());
        let mut known = Vec::new();
        for (at, line) in (1..).zip(text.lines()) {
            for event in follower.line(line.as_bytes()) {
                builder.event(event.expect("well formed")).expect("it obeys the rules");
                known.push(at);
            }
        }
        for event in follower.end() {
            builder.event(event.expect("well formed")).expect("it obeys the rules");
            known.push(usize::MAX);
        }
        let history = builder.finish();
        let whole = formats::read(text.as_bytes(), &Options::default()).expect("well formed");
        assert_eq!(whole.history, history, "{text}");
        (notation::write(&history), known)
    }

    #[test]
    fn edn_and_logs_are_followed_and_read_as_the_whole_file() {
        let edn = "#jepsen.history.Op{:process 0 :type :invoke :f :write :value 1 :time 5}\n\
                   {:process :nemesis :type :info :f :cut :time 6}\n; a comment\n\n\
                   {:process 0 :type :ok :time 7}{:process 1 :type :invoke :f :read :time 8}\n\
                   {:process 1 :type :ok :f :read :value 1 :time 9}\n";
        assert_eq!(followed(edn), ("wx1|rx1 @ 0011".to_owned(), vec![1, 5, 5, 6]));
        let log = "INFO [jepsen test runner] jepsen.core: begun\n\
                   2024 INFO [jepsen worker 0] jepsen.util: 0\t:invoke\t:write\t7\n\
                   :nemesis\t:info\t:start\tnil\nsomething else\n\
                   0\t:ok\t:write\t7\n1\t:invoke\t:cas\t[7 8]\n1\t:fail\t:cas\t[7 8]\n";
        let shown = "wx7|[cas]x=[7,8]:\"mismatch\" @ 0011".to_owned();
        assert_eq!(followed(log), (shown, vec![2, 5, 6, 7]));
    }

    #[test]
    fn what_may_be_a_key_with_a_value_waits_until_a_read_begins() {
        let edn = |read: &str| {
            format!(
                "{{:process 0 :type :invoke :f :write :value [7 1]}}\n{{:process 0 :type :ok}}\n\
                 {{:process 1 :type :invoke :f :read :value {read}}}\n\
                 {{:process 1 :type :ok :f :read :value [7 1]}}\n"
            )
        };
        let known = vec![3, 3, 3, 4];
        assert_eq!(followed(&edn("[7 nil]")), ("w7=1|r7=1 @ 0011".to_owned(), known.clone()));
        assert_eq!(followed(&edn("nil")), ("wx=[7,1]|rx=[7,1] @ 0011".to_owned(), known.clone()));
        let json = r#"{"process":0,"type":"invoke","f":"write","value":["k",1]}
            {"process":0,"type":"ok"}
            {"process":1,"type":"invoke","f":"read","value":["k",null]}
            {"process":1,"type":"ok","value":["k",1]}"#;
        assert_eq!(followed(json), ("wk1|rk1 @ 0011".to_owned(), known));
        let writes: String = edn("nil").lines().take(2).map(|line| format!("{line}\n")).collect();
        assert_eq!(followed(&writes), ("w7=1 @ 00".to_owned(), vec![usize::MAX; 2]));
    }

    #[test]
    fn what_decides_is_taken_also_after_as_many_as_may_wait() {
        let mut follower = Follower::default();
        let begun = r#"{"process":0,"type":"invoke","f":"write","value":[7,1]}"#;
        for line in [begun, r#"{"process":0,"type":"ok"}"#].iter().cycle().take(200_000) {
            assert_eq!(follower.line(line.as_bytes()), []);
        }
        let [Err(refused)] = &follower.line(begun.as_bytes())[..] else { panic!("it waits") };
        assert!(refused.reason.contains("too many operations wait"), "{refused}");
        let read = r#"{"process":1,"type":"invoke","f":"read","value":[7,null]}"#;
        assert_eq!(follower.line(read.as_bytes()).len(), 200_001);
    }

    #[test]
    fn what_cannot_be_followed_is_refused_with_its_line() {
        let begun = "{:process 0 :type :invoke :f :write :value [7 1]}";
        for (lines, expected) in [
            (vec!["what"], "line 1: this is neither a JSON event, nor a map of Jepsen's EDN, nor"),
            (vec!["", "[{:process 0 :type :ok}"], "line 2: an array, a vector or a list is"),
            (vec![begun, "{:process 0"], "line 2: what begins here ends in another line"),
            (vec![begun, "{:process 0]"], "line 2: column 12: `]` closes nothing"),
            (vec!["{:process 0 :type :ok :f :read :start 1 :end 2}"], "judged without --follow"),
            (vec!["{:process 0 :type :ok :f :read}"], "line 1: process 0 completes an operation"),
            (vec!["{:process 0 :type :invoke :f :write}"], "line 1: this write has no value yet"),
            (vec!["0\t:invoke\t:write\tnil"], "line 1: this write has no value yet"),
            (vec!["0\t:invoke\t:write\t3 4"], "line 1: `3 4` is no value"),
            (vec!["0\t:invoke\t:read\tnil", "0\t:ok\t:cas\t1"], "line 2: this completes `read x`"),
            // What had to wait is refused with its own line.
            (
                vec![begun, "{:process 3 :type :ok}", "{:process 1 :type :invoke :f :read}"],
                "line 2",
            ),
            (
                vec!["{\"process\":0,\"type\":\"invoke\",\"f\":\"add\"}"],
                "line 1: this add has no value",
            ),
        ] {
            let said = complaint(&lines);
            assert!(said.contains(expected), "{lines:?}: {said}");
        }
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
        let edn = "\u{feff}{:process 0 :type :invoke :f :read}";
        assert_eq!(complaint(&[edn]), "");
        assert!(complaint(&["", read]).starts_with("line 2: this is neither"));
    }
}
