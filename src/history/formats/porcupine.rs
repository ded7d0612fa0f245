//! Logs of Jepsen, and of Porcupine's tests.
//!
//! Jepsen's `history.txt`, its log, and the etcd tests have lines with tabs between the
//! fields, and before them what the logger puts there, or nothing:
//!
//! ```text
//! INFO  jepsen.util - 3  :invoke  :cas  [0 3]
//! INFO  jepsen.util - 3  :ok  :cas  [0 3]
//! INFO  jepsen.util - 4  :info  :write  :timed-out
//! 2024-05-01 10:00:00,123{GMT} INFO [jepsen worker 3] jepsen.util: 3  :invoke  :read  nil
//! 5  :invoke  :write  7
//! ```
//!
//! Other lines are kept as marks. The etcd tests use one compare-and-set register, `nil` at first. `:fail :cas` with its
//! argument means that the register held something else: the compare-and-set
//! answered `mismatch`. An operation that timed out may still happen. The kv
//! tests write maps of EDN with a `:key`, and functions `:get`, `:put` and
//! `:append`.

use std::io::BufRead;

use super::edn;
use super::edn_text::{Edn, Forms};
use super::edn_value::value_of;
use super::lines::Lines;
use super::options::Options;
use super::pairs::{Head, complain};
use super::reader::{Kind, MISMATCH, Raw, Reader};
use super::{Format, Recording};
use crate::history::{Function, Malformed, Value};

/// Reads a history from such a log. See the [module](self).
///
/// # Errors
/// If a line cannot be read or cannot be part of a history, with the line.
///
/// ```
/// use quiescence::history::{formats::porcupine, notation};
///
/// let text = "INFO  jepsen.util - 3\t:invoke\t:cas\t[0 3]\nINFO  jepsen.util - 3\t:fail\t:cas\t[0 3]\n";
/// let history = porcupine::read(text.as_bytes())?.history;
/// assert_eq!(notation::write(&history), "[cas]x=[0,3]:\"mismatch\" @ 00");
/// # Ok::<(), quiescence::history::Malformed>(())
/// ```
pub fn read(input: impl BufRead) -> Result<Recording, Malformed> {
    read_from(&mut Lines::new(input), &Options::default())
}

/// As [`read`], with options.
pub(super) fn read_from<R: BufRead>(
    lines: &mut Lines<R>,
    options: &Options,
) -> Result<Recording, Malformed> {
    let mut reader = Reader::new(options);
    let first = lines.next()?;
    lines.again();
    if first.is_some() && lines.text().trim_ascii_start().first() == Some(&b'{') {
        let recording = edn::read_from(lines, options)?;
        return Ok(Recording { format: Format::Porcupine, ..recording });
    }
    while let Some(line) = lines.next()? {
        let done = take(&mut reader, line, lines.text());
        reader.pairs.log.or_skip(done)?;
    }
    reader.finish(Format::Log)
}

/// What stands before what the nemesis did.
const NEMESIS: &str = ":nemesis";

/// Takes one line of a log.
pub(super) fn take(reader: &mut Reader, line: usize, text: &[u8]) -> Result<(), Malformed> {
    let Ok(text) = std::str::from_utf8(text) else {
        return complain(line, "the line is not UTF-8");
    };
    let text = text.trim_end();
    let Some(Said { process, kind, f, value }) = said(text) else {
        // The nemesis, another writer to the same log, or a part of a longer message.
        reader.pairs.log.mark(line, text);
        if let Some((_, fault)) = text.split_once(NEMESIS) {
            let words: Vec<&str> = fault.split_whitespace().collect();
            reader.pairs.fault(line, None, words.join(" "));
        }
        return Ok(());
    };
    let head = Head { line, process, time: None, node: None };
    let raw = raw(head, kind, f, value).or_else(|reason| complain(line, reason))?;
    reader.take(raw)
}

/// What a line says that an operation did.
struct Said<'a> {
    process: u32,
    kind: &'a str,
    f: &'a str,
    value: &'a str,
}

/// Whether a line is one of a log: of Jepsen's logger, or of an operation.
pub(super) fn is_line(text: &[u8]) -> bool {
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let tells = || std::str::from_utf8(text).is_ok_and(|text| said(text).is_some());
    let nemesis = text.starts_with(b":") && has(b"\t:info\t");
    has(b" jepsen.") || has(b"[jepsen") || nemesis || tells()
}

/// Whether one of these lines tells of an operation.
pub(super) fn is_log(text: &[u8]) -> bool {
    let mut lines =
        text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.any(|text| said(text).is_some())
}

/// What a line says, whatever the logger has put before it: the number of a process, and two
/// words with a colon.
fn said(text: &str) -> Option<Said<'_>> {
    text.match_indices(':').find_map(|(at, _)| {
        let before = text[..at].strip_suffix(char::is_whitespace)?.trim_end();
        let process = before.rsplit(char::is_whitespace).next()?.parse().ok()?;
        let (kind, rest) = word(&text[at..]);
        let (f, value) = word(rest);
        Some(Said { process, kind: kind.strip_prefix(':')?, f: f.strip_prefix(':')?, value })
    })
}

/// The first word, and what comes after it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn raw(head: Head, kind: &str, f: &str, value: &str) -> Result<Raw, String> {
    let kind = Kind::named(kind)?;
    let form = Forms::new(&mut Lines::new(value.as_bytes()), false).whole();
    let Some(form) = form else { return Err(format!("`{value}` is no value")) };
    let timed_out = matches!(form, Edn::Keyword(_));
    if timed_out && matches!(kind, Kind::Invoke | Kind::Ok) {
        return Err(format!(
            "`{value}` is no value of an `:{}`",
            if kind == Kind::Ok { "ok" } else { "invoke" }
        ));
    }
    let value = if timed_out { Value::Null } else { value_of(&form)? };
    let two = matches!(&value, Value::List(list) if list.len() == 2);
    if f == "cas" && !two && matches!(kind, Kind::Invoke) {
        return Err("a `:cas` takes `[from to]`".to_owned());
    }
    let mismatch = f == "cas" && kind == Kind::Fail && two;
    let answer = mismatch.then(|| Value::from(MISMATCH));
    let f = Some(Function::named(f));
    Ok(Raw { head, kind, f, key: None, value, answer, last: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation;

    /// A log of these entries, with `/` for the tabs between fields.
    fn log(entries: &str) -> String {
        let line =
            |entry: &str| format!("INFO  jepsen.util - {}\n", entry.trim().replace('/', "\t"));
        entries.split(';').map(line).collect()
    }

    fn reads(entries: &str) -> (String, Recording) {
        let recording = read(log(entries).as_bytes()).expect("well formed");
        (notation::write(&recording.history), recording)
    }

    #[test]
    fn a_compare_and_set_that_fails_found_another_value_and_a_failed_read_found_nothing() {
        let (shown, _) = reads(
            "0/:invoke/:read/nil; 0/:ok/:read/nil; 1/:invoke/:write/3; 1/:ok/:write/3; \
             0/:invoke/:cas/[1 2]; 0/:fail/:cas/[1 2]; 1/:invoke/:read/nil; \
             1/:fail/:read/:timed-out; 1/:invoke/:cas/[3 4]; 1/:ok/:cas/[3 4]",
        );
        assert_eq!(shown, "rx0 [cas]x=[1,2]:\"mismatch\"|wx3 rx~ [cas]x=[3,4] @ 0011001111");
    }

    #[test]
    fn what_timed_out_may_have_happened_and_its_process_goes_on_as_another() {
        let (shown, recording) = reads(
            "4/:invoke/:write/1; 4/:info/:write/:timed-out; 4/:invoke/:cas/[1 2]; \
             4/:info/:cas/:timed-out; 4/:invoke/:read/nil; 4/:ok/:read/2",
        );
        assert_eq!(shown, "wx1?|[cas]x=[1,2]?|rx2 @ 0122");
        assert_eq!(recording.continued, 2);
    }

    #[test]
    fn whoever_else_writes_to_the_log_is_a_mark() {
        let text = log("0/:invoke/:write/1; :nemesis/:info/:start/nil; 0/:ok/:write/1")
            + "WARN  jepsen.core - Process 0 crashed\n";
        let recording = read(text.as_bytes()).expect("well formed");
        assert_eq!(notation::write(&recording.history), "wx1 @ 00");
        assert_eq!(recording.marks.len(), 2);
    }

    #[test]
    fn a_log_that_contradicts_itself_is_malformed_with_its_line() {
        for (entries, expected) in [
            ("0/:ok/:read/1", "line 1: process 0 completes"),
            ("0/:invoke/:read/nil; 0/:invoke/:read/nil", "line 2: process 0 invokes"),
            ("0/:invoke/:read/nil; 0/:ok/:write/1", "line 2: this completes `read x`"),
            ("0/:invoke/:write/1; 0/:ok/:write/2", "its `value` is another"),
            ("0/:invoke/:cas/[1 2]; 0/:fail/:cas/[1 3]", "its `value` is another"),
            ("0/:invoke/:cas/3", "takes `[from to]`"),
            ("0/:maybe/:read/nil", "no type `maybe`"),
            ("0/:invoke/:write", "`` is no value"),
            ("0/:invoke/:write/3 4", "`3 4` is no value"),
            ("0/:invoke/:write/:timed-out", "no value of an `:invoke`"),
        ] {
            let complaint = read(log(entries).as_bytes()).expect_err("malformed").to_string();
            assert!(complaint.contains(expected), "{entries}: {complaint}");
        }
    }

    #[test]
    fn a_line_tells_of_an_operation_whatever_the_logger_puts_before_it() {
        let text = "Picked up _JAVA_OPTIONS: -Xmx2g\n\
                    2024-05-01 10:00:00,123{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 0\t:invoke\t:write\t1\n\
                    \tat java.lang.Thread.run(Thread.java:840)\n\
                    INFO  jepsen.util - 1\t:invoke\t:read\tnil\n\
                    :nemesis\t:info\t:start\t\"n1: cut\"\n\
                    0\t:ok\t:write\t1\n\
                    1\t:ok\t:read\t1\n";
        let recording = read(text.as_bytes()).expect("well formed");
        assert_eq!(notation::write(&recording.history), "wx1|rx1 @ 0101");
        assert_eq!(recording.marks_seen, 3);
        let strange = "INFO  jepsen.core - Test options\nmore\n";
        let complaint = super::super::read(strange.as_bytes(), &Options::default());
        let complaint = complaint.expect_err("no operation").to_string();
        assert!(complaint.starts_with("line 1: none of the 2 lines or entries"), "{complaint}");
        let keys = "0\t:invoke\t:read\t[k nil]\n0\t:ok\t:read\t[k 3]\n";
        let recording = read(keys.as_bytes()).expect("well formed");
        assert_eq!(notation::write(&recording.history), "rk3 @ 00");
    }
}
