//! Jepsen-like EDN in which only completions are recorded, each with both of its times, so
//! that each map is a whole operation.
//!
//! ```clojure
//! {:process 0 :type :ok :f :write :value 1 :start 10 :end 20}
//! {:process 1 :type :info :f :write :value 2 :start 15}
//! {:process 2 :type :ok :f :read :value 1 :start 30 :end 40}
//! ```
//!
//! The maps may come in any order. Whether values are pairs `[k v]` is decided for the whole
//! file: they are, unless a value shows that they are not.

use std::io::BufRead;

use super::assemble::Assembler;
use super::edn_event::Entry;
use super::edn_text::{Edn, Forms};
use super::edn_value::{key_of, shown};
use super::log::Log;
use super::names::Processes;
use super::operation_lines::{Kind, Parts, operation};
use super::options::Options;
use super::reader::{is_known, pair};
use super::{Format, Recording, only_asks, repeats};
use crate::history::{Malformed, Operation, Value};

/// An operation as it is written, its value not yet split into key and value.
struct Whole {
    parts: Parts,
    answer: Option<Value>,
}

/// Reads such a file from its first operation on; the log has what came before.
pub(super) fn read_from<R: BufRead>(
    mut forms: Forms<'_, R>,
    first: (usize, Edn),
    log: Log,
    options: &Options,
) -> Result<Recording, Malformed> {
    let mut all = Assembler::new(options);
    all.log = log.without_faults();
    let mut read: Vec<(usize, Result<Whole, String>)> = Vec::new();
    let mut next = Some(first);
    while let Some((line, form)) = next {
        let entry = Entry { line, form: &form, options };
        match entry.client() {
            Ok(None) => all.log.mark(line, shown(&form)),
            Ok(Some(process)) => {
                let whole = entry.whole(process);
                read.push((line, whole.map(|(parts, answer)| Whole { parts, answer })));
            }
            Err(reason) => read.push((line, Err(reason))),
        }
        next = forms.next()?;
    }
    let skipped = forms.skipped;
    let told = || read.iter().filter_map(|(_, whole)| whole.as_ref().ok());
    let is_pair = |whole: &Whole| is_known(&whole.parts.f) && pair(&whole.parts.value).is_some();
    let pairs = told().any(is_pair) && !told().any(Whole::shows_no_pairs);
    for (line, whole) in read {
        let operation = whole.and_then(|whole| whole.operation(pairs, all.log.processes()));
        all.take(line, operation)?;
    }
    let recording = all.finish(Format::Edn)?;
    Ok(Recording { skipped: recording.skipped + skipped, ..recording })
}

impl Whole {
    /// Whether this operation shows that values are not pairs `[k v]`.
    fn shows_no_pairs(&self) -> bool {
        let Parts { f, key, value, kind, .. } = &self.parts;
        match pair(value) {
            _ if key.is_some() => true,
            _ if !is_known(f) => false,
            _ if value.is_transaction() => true,
            // Of what was not answered, the value may be missing.
            None => *kind == Kind::Ok,
            Some((_, value)) => f.as_str() == "cas" && pair(value).is_none(),
        }
    }

    fn operation(self, pairs: bool, processes: &mut Processes) -> Result<Operation, String> {
        let Whole { mut parts, answer } = self;
        if pairs {
            let Some((key, value)) = pair(&parts.value) else {
                let value = &parts.value;
                return Err(format!("`{value}` is not a `[key value]`, unlike other values"));
            };
            (parts.key, parts.value) = (Some(key_of(key)), value.clone());
        }
        let argument = parts.argument.as_ref().unwrap_or(&parts.value);
        let takes = repeats(&parts.f) || parts.f.as_str() == "cas";
        if takes && parts.kind == Kind::Info && *argument == Value::Null {
            let f = parts.f.as_str();
            return Err(format!(
                "a {f} of unknown outcome may have happened, and its value is not here"
            ));
        }
        if let Some(answer) = answer {
            match only_asks(&parts.f) {
                true => parts.value = answer,
                false => {
                    let value = std::mem::replace(&mut parts.value, answer);
                    parts.argument.get_or_insert(value);
                }
            }
        }
        operation(parts, processes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{formats, notation};

    fn read(text: &str) -> Result<Recording, String> {
        let read = formats::read(text.as_bytes(), &Options::default());
        read.map_err(|malformed| malformed.to_string())
    }

    #[track_caller]
    fn reads_as(text: &str, expected: &str) -> Recording {
        let recording = read(text).expect(text);
        assert_eq!(notation::write(&recording.history), expected, "{text}");
        recording
    }

    #[test]
    fn completions_with_both_times_are_operations_in_any_order() {
        let recording = reads_as(
            "{:process :nemesis :type :info :f :cut}\n\
             {:process 2 :type :ok :f :read :value 1 :start 30 :end 40 :final? true}\n\
             {:process 0 :type :ok :f :write :value 1 :start 10 :end 20 :node \"n2\"}\n\
             {:process 1 :type :info :f :write :value 2 :start 15}\n\
             {:process 1 :type :fail :f :write :value 3 :start 50 :end 60 :error [:odd]}\n",
            "wx1|wx2?|rx1!|wx3~ @ 0102233",
        );
        assert_eq!((recording.marks_seen, recording.faults_seen), (1, 0));
        assert_eq!((recording.continued, recording.timed), (1, true));
        assert_eq!(recording.lines, [3, 4, 2, 5]);
        let first = &recording.history.operations()[0];
        assert_eq!(first.node.map(|node| node.to_string()), Some("n2".to_owned()));
    }

    #[test]
    fn what_lacks_its_invocation_is_refused_also_before_the_first_operation() {
        let text = "{:process :nemesis :type :info :f :cut}\n\
                    {:process 0 :type :info :f :write :value 1}\n\
                    {:process 1 :type :ok :f :read :value 1 :start 30 :end 40}\n";
        let said = read(text).expect_err("the write may have happened");
        assert!(
            said.starts_with("line 2: an operation needs the time of its invocation"),
            "{said}"
        );
        let lenient = Options { lenient: true, ..Options::default() };
        let found = formats::read(text.as_bytes(), &lenient).expect("skipped");
        assert_eq!((found.history.len(), found.skipped, found.marks_seen), (1, 1, 1));
    }

    #[test]
    fn times_have_any_of_the_names() {
        for (invoke, end) in [
            ("invoke", "return"),
            ("start", "end"),
            ("invoke_time", "return_time"),
            ("start-time", "finish"),
            ("begin", "end-time"),
        ] {
            let text = format!("{{:process 0 :f :read :value 5 :{invoke} 10 :{end} 20}}");
            reads_as(&text, "rx5 @ 00");
        }
        let columns = [("invoke", "from"), ("return", "to"), ("process", "client")];
        let columns = columns.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).into();
        let options = Options { columns, unit: formats::Unit::Seconds, ..Options::default() };
        let text = "{:client 0 :type :ok :f :read :value 5 :from 1.5 :to \"2\" :start 7}";
        let found = formats::read(text.as_bytes(), &options).expect("well formed");
        let operation = &found.history.operations()[0];
        assert_eq!((operation.invoked, operation.returned), (1_500_000_000, Some(2_000_000_000)));
    }

    #[test]
    fn values_are_pairs_unless_one_shows_that_they_are_not() {
        let write = "{:process 0 :type :ok :f :write :value [7 1] :start 1 :end 2}\n";
        let read = |value: &str| {
            format!("{write}{{:process 1 :type :ok :f :read :value {value} :start 3 :end 4}}")
        };
        reads_as(&read("[7 1]"), "w7=1|r7=1 @ 0011");
        reads_as(&read("[8 nil]"), "w7=1|r8=null @ 0011");
        reads_as(&read("nil"), "wx=[7,1]|rx0 @ 0011");
        reads_as(&read("[7 1 2]"), "wx=[7,1]|rx=[7,1,2] @ 0011");
        reads_as(
            &read("[7 1] :key 3").replace(":f :write", ":key 3 :f :write"),
            "w3=[7,1]|r3=[7,1] @ 0011",
        );
        let cas = "{:process 0 :type :fail :f :cas :value [7 [1 2]] :answer \"mismatch\" :start 1 :end 2}";
        reads_as(cas, "[cas]7=[1,2]:\"mismatch\" @ 00");
        reads_as(&cas.replace("[7 [1 2]]", "[1 2]"), "[cas]x=[1,2]:\"mismatch\" @ 00");
        let alone = "{:process 1 :type :info :f :write :value 5 :start 3}";
        reads_as(alone, "wx5? @ 0");
        let crashed = "{:process 1 :type :info :f :read :value [7 nil] :start 3}";
        reads_as(&format!("{write}{crashed}"), "w7=1|r7=null? @ 001");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let good = "{:process 0 :type :ok :f :write :value 1 :start 1 :end 2}\n";
        for (bad, expected) in [
            ("{:process 0 :type :invoke :f :read :value nil}", "this is an invocation, and the"),
            ("{:process 0 :type :ok :f :read :value 1}", "needs the time of its invocation"),
            ("{:process 0 :type :ok :f :read :value 1 :start 3}", "answered needs `return`"),
            ("{:process 0 :type :ok :f :read :start 3 :end 2}", "returns before"),
            ("{:process 0 :type :ok :f :read :start 1 :end 4}", "a process is sequential"),
            ("{:process 0 :type :info :f :write :start 3}", "its value is not here"),
            ("{:process 0 :type :ok :start 3 :end 4}", "an operation needs `:f`"),
            ("{:process #{1} :type :ok :start 3 :end 4}", "`:process` is a number"),
            ("{:process 0 :type :maybe :f :read :start 3 :end 4}", "there is no type `maybe`"),
            ("{:process 0 :f :read :start 3 :begin 3 :end 4}", "--columns invoke=start says"),
            ("{:process 0 :f :read :start [3] :end 4}", "`:start` is a number, not [3]"),
            ("{:process 0 :f :read :start 3.5 :end 4}", "has parts of a nanosecond"),
            ("{:process 0 :f :read :start 3.0MM :end 4M}", "`3.0M` is no time"),
        ] {
            let said = read(&format!("{good}{bad}\n")).expect_err(bad);
            assert!(said.starts_with("line 2: ") && said.contains(expected), "{bad}: {said}");
            let lenient = Options { lenient: true, ..Options::default() };
            let text = format!("{good}{bad}\n");
            let found = formats::read(text.as_bytes(), &lenient).expect("skipped");
            assert_eq!((found.history.len(), found.skipped), (1, 1), "{bad}");
        }
        let pairs = good.replace(":value 1", ":value [7 1]");
        let said = read(&format!("{pairs}{{:process 1 :type :info :f :read :start 3}}"));
        assert!(said.expect_err("no key").contains("line 2: `null` is not a `[key value]`"));
    }

    #[test]
    fn completions_without_times_are_refused_and_told_what_they_need() {
        let said = read("{:process 0 :type :ok :f :write :value 1 :time 5}").expect_err("alone");
        let wanted = "line 1: process 0 completes an operation that it did not invoke: nothing was \
                      invoked before; where only completions are recorded, each needs both of its \
                      times, as in `:start 10, :end 20`, or with --columns invoke=NAME,return=NAME";
        assert_eq!(said, wanted);
        let said = read("{:process 0 :type :ok :f :write :value 1 :start_us 5 :end_us 6}");
        let said = said.expect_err("other names");
        let hint = "; `start_us` may be `invoke`: --columns invoke=start_us --time-unit us; \
                    `end_us` may be `return`: --columns return=end_us --time-unit us";
        assert_eq!(said, format!("{wanted}{hint}"));
        let options = |columns: [(&str, &str); 1]| Options {
            columns: columns.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())).into(),
            ..Options::default()
        };
        let text = "{:process 0 :type :ok :f :write :value 1 :start 5 :end 6}";
        let event = "{:process 0 :type :ok :f :write :value 1}";
        for (text, column, expected) in [
            (
                text,
                ("invoke", "nope"),
                "--columns says that `:nope` is `invoke`, and it is not here",
            ),
            (text, ("process", "nope"), "`:nope` is a number from 0 to 4294967295"),
            (event, ("type", "nope"), "an event is a map with `:nope`"),
        ] {
            let said = formats::read(text.as_bytes(), &options([column]));
            let said = said.expect_err("nothing is called so").reason;
            assert!(said.ends_with(expected) || said.starts_with(expected), "{said}");
        }
        // After an invocation it is a completion that lacks its own.
        let said = read(
            "{:process 0 :type :invoke :f :read}{:process 1 :type :ok :f :read :start 1 :end 2}",
        );
        let wanted = "line 1: process 1 completes an operation that it did not invoke";
        assert_eq!(said.expect_err("not its own"), wanted);
    }
}
