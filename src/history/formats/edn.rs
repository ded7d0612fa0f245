//! Histories in Jepsen's format: EDN maps, one after the other or in one vector
//! around them all.
//!
//! ```clojure
//! {:type :invoke, :f :write, :value 1, :process 0, :time 10, :index 0}
//! {:type :ok,     :f :write, :value 1, :process 0, :time 20, :index 1}
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `:type` | `:invoke`, `:ok`, `:fail` (certainly no effect), `:info` |
//! | `:process` | a number or a text; an event with a keyword (`:nemesis`) is no operation, and is kept as a mark |
//! | `:f` | the function; a completion may leave it out |
//! | `:value` | the argument or the answer; see below |
//! | `:time` | a number, with decimals if the unit is larger than a nanosecond; on every event or on none (`-1` and `nil` count as none); without times, the order of the events is their time |
//! | `:key` | the object, as in Porcupine's kv tests; optional |
//! | `:node` | `"n1"`, …; other names are ignored; optional |
//! | `:final?` | `true` on a read issued at quiescence; optional |
//! | `:answer` | what came back, if `:value` is the argument; optional, our extension |
//!
//! Other keys are ignored. In a file that begins with a completion, each map is a whole
//! operation and has `:invoke` and `:return`, or `:start` and `:end`, and no `:time`. **Keys.** With Jepsen's independent keys every value
//! is `[k v]`, but a register may hold lists of two as well. Either the whole
//! file has keys or none of it; `Keys` says how that is decided. Without keys,
//! all operations are on one object, called `x`.
//!
//! **Answers.** A completion of `read`, `get`, `dequeue`, `pop` and `generate` has the answer as
//! its value. One of `write`, `add`, `remove`, `enqueue`, `push`, `put` and `append`
//! repeats the argument, or supplies it where the invocation had `nil`; one of
//! `cas` repeats it. For other functions, a value that is not the argument is
//! the answer. `:fail` means that nothing happened, and no more: not that a
//! compare-and-set found another value. The answer of a `:fail` or an `:ok`
//! with an `:answer` is that one. So a compare-and-set that is known to have
//! found another value is written `:type :fail, :answer "mismatch"`: other
//! tools read a failure, and we read the mismatch.
//!
//! The reader keeps one form at a time in memory, not the text.

use std::io::{self, BufRead, Write};

use super::edn_event::{Entry, NO_INVOCATION};
use super::edn_operations;
use super::edn_text::Forms;
use super::edn_value::{edn_of, keyword, quoted};
use super::lines::Lines;
use super::options::Options;
use super::reader::{MISMATCH, Reader, is_known, pair};
use super::{Format, Recording, only_asks};
use crate::history::{Call, Completion, History, Malformed, Value};

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
    read_from(&mut Lines::new(input), &Options::default())
}

/// As [`read`], with options.
pub(super) fn read_from<R: BufRead>(
    lines: &mut Lines<R>,
    options: &Options,
) -> Result<Recording, Malformed> {
    let mut reader = Reader::new(options);
    let mut forms = Forms::new(lines, options.lenient);
    while let Some((line, form)) = forms.next()? {
        let entry = Entry { line, form: &form, options };
        if !reader.begun && entry.is_whole() {
            // What waits was taken for a mark, because nothing was invoked.
            reader.refuse_waiting(NO_INVOCATION)?;
            return edn_operations::read_from(forms, (line, form), reader.pairs.log, options);
        }
        let done = entry.take(&mut reader);
        reader.pairs.log.or_skip(done)?;
    }
    let skipped = forms.skipped;
    let recording = reader.finish(Format::Edn)?;
    Ok(Recording { skipped: recording.skipped + skipped, ..recording })
}

/// Writes a history as EDN, event by event, with `[k v]` values.
///
/// Writes `:key` instead if a reader could not see from the values that they
/// are pairs: if a `cas` takes anything else than a pair, or no function is
/// known.
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
    super::in_memory(|out| write_to(history, out))
}

/// As [`write()`], into `out`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_to(history: &History, out: &mut impl Write) -> io::Result<()> {
    let tells = |call: &Call| call.f.as_str() != "cas" || pair(&call.argument).is_some();
    let mut calls = history.operations().iter().map(|operation| &operation.call);
    let independent = calls.clone().all(tells) && calls.any(|call| is_known(&call.f));
    for (index, event) in super::events(history).enumerate() {
        let operation = event.operation;
        let Call { f, key, argument } = &operation.call;
        let mismatch = Value::from(MISMATCH);
        let (kind, value, answer) = match (event.invocation, &operation.completion) {
            (true, _) => ("invoke", argument, None),
            (false, Completion::Ok(answer)) if only_asks(f) => ("ok", answer, None),
            (false, Completion::Ok(Value::Null)) => ("ok", argument, None),
            (false, Completion::Ok(answer)) => {
                let failed = f.as_str() == "cas" && *answer == mismatch;
                (if failed { "fail" } else { "ok" }, argument, Some(answer))
            }
            (false, Completion::Fail) => ("fail", argument, None),
            (false, Completion::Info) => ("info", argument, None),
        };
        let (key, value) = (quoted(key.as_str()), edn_of(value));
        write!(out, "{{:type :{kind}, :f {}, ", keyword(f.as_str()))?;
        if independent {
            write!(out, ":value [{key} {value}]")?;
        } else {
            write!(out, ":key {key}, :value {value}")?;
        }
        write!(out, ", :process {}, :time {}, :index {index}", operation.process.0, event.time)?;
        if let Some(answer) = answer {
            write!(out, ", :answer {}", edn_of(answer))?;
        }
        if let Some(node) = operation.node {
            write!(out, ", :node \"{node}\"")?;
        }
        let last = operation.final_read && !event.invocation;
        out.write_all(if last { b", :final? true}\n" } else { b"}\n" })?;
    }
    Ok(())
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
        assert_eq!(shown, "[add]x=3?|rx=[1,3] @ 011");
        assert_eq!(recording.marks.len(), 2);
        assert_eq!(recording.continued, 1);
    }

    #[test]
    fn marks_are_counted_and_the_beginnings_of_the_first_are_kept() {
        let long = format!("\"{}\"", "m".repeat(500));
        let mark = format!("{{:process :nemesis :type :info :f :start :value {long}}}\n");
        let recording = read(mark.repeat(1_500).as_bytes()).expect("well formed");
        assert_eq!((recording.marks_seen, recording.marks.len()), (1_500, 1_000));
        assert!(
            recording.marks.iter().all(|(_, text)| text.len() < 200),
            "{:?}",
            recording.marks[0]
        );
    }

    /// Events from a short form, `0 invoke write 1`, separated by `;`.
    fn events(short: &str) -> String {
        let event = |event: &str| {
            let mut words = event.trim().splitn(4, ' ');
            let mut word = || words.next().unwrap_or_default();
            let (process, kind, f) = (word(), word(), word());
            format!("{{:process {process} :type :{kind} :f :{f} :value {}}}\n", word())
        };
        short.split(';').map(event).collect()
    }

    #[track_caller]
    fn reads_as(short: &str, expected: &str) {
        assert_eq!(reads(&events(short)).0, expected);
    }

    #[test]
    fn whether_values_are_pairs_is_decided_for_the_whole_file() {
        let list = "0 invoke write [1 2]; 0 ok write [1 2];";
        // A read decides, wherever it is; so does a plain value.
        reads_as(&format!("{list} 1 invoke read nil; 1 ok read [1 2]"), "wx=[1,2]|rx=[1,2] @ 0011");
        reads_as(&format!("{list} 1 invoke read [1 nil]; 1 ok read [1 2]"), "w1=2|r1=2 @ 0011");
        reads_as(&format!("{list} 1 invoke write 3; 1 ok write 3"), "wx=[1,2]|wx3 @ 0011");
        // A compare-and-set of plain values is no pair; one of pairs may be.
        reads_as("0 invoke cas [1 2]; 0 ok cas [1 2]", "[cas]x=[1,2] @ 00");
        reads_as(
            &format!("{list} 1 invoke cas [1 2]; 1 fail cas [1 2]"),
            "wx=[1,2]|[cas]x=[1,2]~ @ 0011",
        );
        reads_as("0 invoke cas [7 [1 2]]; 0 ok cas [7 [1 2]]", "[cas]7=[1,2] @ 00");
        reads_as("0 invoke cas [[1 2] [3 4]]; 1 invoke read nil", "[cas]x=[[1,2],[3,4]]?|rx? @ 01");
        // Nothing decides: all values are pairs.
        reads_as(list.trim_end_matches(';'), "w1=2 @ 00");
        // A recorder that writes the later answer of a read shows that there
        // are no keys.
        reads_as("0 invoke read 4; 0 ok read 4", "rx4 @ 00");
        let key = "{:process 0 :type :invoke :f :write :key \"k\" :value [1 2]}";
        assert_eq!(reads(key).0, "wk=[1,2]? @ 0");
        // Unknown functions do not decide, and follow the decision.
        reads_as(
            "0 invoke txn nil; 0 ok txn 5; 0 invoke read [k nil]; 0 ok read [k 1]",
            "[txn]x=null:5 rk1 @ 0000",
        );
    }

    #[test]
    fn values_that_contradict_what_was_decided_are_malformed() {
        let complaint =
            |short: &str| read(events(short).as_bytes()).expect_err("malformed").to_string();
        let keys = "0 invoke read [1 nil]; 0 ok read [1 2];";
        assert!(complaint(&format!("{keys} 0 invoke write 3")).contains("line 3: `3` is not a"));
        assert!(
            complaint(&format!("{keys} 0 invoke cas [1 2]")).contains("line 3: `[1,2]` is not")
        );
        assert!(complaint("0 invoke read [1 nil]; 0 ok read 2").contains("line 2: `2` is not a"));
        assert!(
            complaint("0 invoke read nil; 1 invoke read [1 nil]")
                .contains("line 2: `[1,null]` is a")
        );
        assert!(
            complaint("0 invoke read [1 nil]; 0 ok read [2 5]").contains("its `key` is another")
        );
        assert!(complaint("0 invoke write 1; 0 ok write 2").contains("its `value` is another"));
        assert!(complaint("0 invoke write 1; 0 ok read 1").contains("its `f` is another"));
    }

    #[test]
    fn a_failed_compare_and_set_did_not_happen_unless_its_answer_is_there() {
        reads_as("0 invoke cas [1 2]; 0 fail cas [1 2]", "[cas]x=[1,2]~ @ 00");
        let (shown, _) = reads(
            "{:process 0 :type :invoke :f :cas :value [1 2]}{:process 0 :type :fail :answer \"mismatch\"}",
        );
        assert_eq!(shown, "[cas]x=[1,2]:\"mismatch\" @ 00");
        let history =
            notation::parse("[cas]k=[1,2]:\"mismatch\" [cas]k=[1,2]~ @ 0000").expect("notation");
        let text = write(&history);
        assert_eq!(text.matches(":type :fail").count(), 2, "{text}");
        assert_eq!(read(text.as_bytes()).expect("well formed").history, history);
    }

    #[test]
    fn completions_say_what_invocations_did_not() {
        reads_as("0 invoke write nil; 0 ok write 5", "wx5 @ 00");
        reads_as("0 invoke enqueue 5; 0 ok enqueue nil", "[enqueue]x=5 @ 00");
        reads_as("0 invoke dequeue nil; 0 ok dequeue 5", "[dequeue]x=null:5 @ 00");
        reads_as("0 invoke push nil; 0 ok push 5", "[push]x=5 @ 00");
        reads_as("0 invoke pop 5; 0 ok pop 5", "[pop]x=null:5 @ 00");
        reads_as("0 invoke read nil; 0 info read 5", "rx? @ 0");
        reads_as("0 invoke read nil; 0 fail read :timeout", "rx~ @ 00");
        reads_as("0 invoke inc nil; 0 ok inc 7", "[inc]x=null:7 @ 00");
    }

    #[test]
    fn values_that_differ_stay_apart_and_equal_ones_are_one() {
        reads_as(
            "0 invoke write :a; 1 invoke write \"a\"; 2 invoke write \\a",
            "wx=\":a\"?|wx=\"a\"?|wx=\"\\\\a\"? @ 012",
        );
        reads_as(
            "0 invoke write 99999999999999999999N; 1 invoke write -9223372036854775808",
            "wx=\"99999999999999999999\"?|wx=-9223372036854775808? @ 01",
        );
        reads_as("0 invoke write \"дом\\n\"; 1 invoke write #long 4", "wx=\"дом\\n\"?|wx4? @ 01");
    }

    #[test]
    fn marks_and_fields_of_jepsen_are_read() {
        let (shown, recording) = reads(
            "#jepsen.history.Op{:index 0, :time -1, :type :invoke, :process 0, :f :read, :value nil, :final? true}\n#jepsen.history.Op{:index 1, :time -1, :type :ok, :process 0, :f :read, :value 3, :node \"n2\", :final? true, :error [:odd \"x\"]}",
        );
        assert_eq!(shown, "rx3! @ 00");
        assert_eq!(
            recording.history.operations()[0].node.map(|node| node.to_string()),
            Some("n2".to_owned())
        );
        let odd = "{:process 0 :type :invoke :f :read :time 1.5}";
        let said = read(odd.as_bytes()).expect_err("malformed").reason;
        assert!(said.contains("`1.5` has parts of a nanosecond"), "{said}");
        let json = "[{\"process\": 0, \"type\": 1}]";
        assert!(
            read(json.as_bytes())
                .expect_err("malformed")
                .reason
                .contains("a `:` without a name; JSON is read one event a line")
        );
    }

    #[test]
    fn a_process_is_a_number_and_whoever_is_named_by_a_keyword_is_no_client() {
        for strange in ["4294967296", "1.5", "#{1}", "18446744073709551615", "nemesis", "nil", "-1"]
        {
            let text = format!("{{:process {strange} :type :invoke :f :write :value 1}}");
            let refused = read(text.as_bytes()).expect_err("malformed").to_string();
            assert!(refused.contains("line 1: `:process` is a number from 0 to 4294967295"));
        }
        for nobody in [":nemesis", "\"nemesis\""] {
            let (_, recording) = reads(&format!("{{:process {nobody} :type :info :f :start}}"));
            assert_eq!((recording.history.len(), recording.marks.len()), (0, 1));
        }
    }

    #[test]
    fn a_process_may_be_a_text_and_whole_operations_have_it_too() {
        let events = |one: &str, other: &str| {
            format!(
                "{{:process {one} :type :invoke :f :write :value 1}}\n\
                 {{:process {other} :type :invoke :f :read :value nil}}\n\
                 {{:process {one} :type :ok :f :write :value 1}}\n\
                 {{:process {other} :type :ok :f :read :value 1}}\n"
            )
        };
        let whole = |one: &str, other: &str| {
            format!(
                "{{:process {one} :type :ok :f :write :value 1 :start 1 :end 3}}\n\
                 {{:process {other} :type :ok :f :read :value 1 :start 2 :end 4}}\n"
            )
        };
        for text in [&events as &dyn Fn(&str, &str) -> String, &whole] {
            let (numbered, _) = reads(&text("7", "3"));
            let (named, recording) = reads(&text("\"c7\"", "\"c3\""));
            assert_eq!(named, numbered);
            let names: Vec<_> = recording.processes.values().collect();
            assert_eq!(names, ["c3", "c7"]);
            let mixed = read(text("\"c7\"", "3").as_bytes()).expect_err("mixed").to_string();
            assert!(mixed.contains("line 2: `process` is a number on some lines"), "{mixed}");
        }
    }

    #[test]
    fn a_value_that_is_a_map_is_refused_and_one_of_an_error_is_not_looked_at() {
        for event in [
            "0 invoke write {:x 1}",
            "0 invoke write [7 {:x 1}]",
            "0 invoke read nil; 0 ok read {:x 1, :y 2}",
        ] {
            let refused = read(events(event).as_bytes()).expect_err("malformed").to_string();
            assert!(refused.contains("is a map, as in a transaction on several"), "{refused}");
        }
        reads_as("0 invoke write 1; 0 fail write {:error 1}", "wx1~ @ 00");
        reads_as("0 invoke write 1; 0 info write {:error 1}", "wx1? @ 0");
    }

    #[test]
    fn micro_operations_are_not_taken_for_a_key_with_its_value() {
        reads_as(
            "0 invoke read [[:r 0 nil] [:r 1 nil]]; 0 ok read [[:r 0 1] [:r 1 2]]",
            "rx=[[\":r\",0,1],[\":r\",1,2]] @ 00",
        );
        reads_as("0 invoke write [[:w 0 1] [:w 1 1]]", "wx=[[\":w\",0,1],[\":w\",1,1]]? @ 0");
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
